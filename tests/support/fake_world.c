// SPDX-License-Identifier: LGPL-2.1-or-later
#include "support/fake_world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DAEMONS 128

pthread_mutex_t fake_lock = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t fake_changed = PTHREAD_COND_INITIALIZER;
struct fake_calls fake_counts;

static struct fake_daemon daemons[MAX_DAEMONS];
static size_t num_daemons;
static bool held;

static _Thread_local virError last_error;
static _Thread_local char last_message[256];

int fake_raise(virConnectPtr connection, int domain, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(last_message, sizeof(last_message), format, args);
	va_end(args);
	last_error = (virError){
		.code = code,
		.domain = domain ? domain : VIR_FROM_QEMU,
		.message = last_message,
	};
	if (connection && connection->handler)
		connection->handler(NULL, &last_error);
	else if (connection)
		fake_counts.loud_errors++;
	return -1;
}

void fake_forget_error(void)
{
	last_error = (virError){ 0 };
}

virErrorPtr virGetLastError(void)
{
	return last_error.code ? &last_error : NULL;
}

int virGetLastErrorCode(void)
{
	return last_error.code;
}

const char *virGetLastErrorMessage(void)
{
	return last_error.code ? last_message : "no error";
}

/* With the lock held, for those who wait. */
static void tell_change(void)
{
	pthread_cond_broadcast(&fake_changed);
}

/* Jobs that nobody waits for end first, as they work in this world. */
static void end_jobs(void)
{
	while (fake_counts.jobs) {
		for (size_t i = 0; i < num_daemons; i++)
			daemons[i].refuses = true;
		held = false;
		tell_change();
		pthread_cond_wait(&fake_changed, &fake_lock);
	}
}

void fake_reset(void)
{
	pthread_mutex_lock(&fake_lock);
	end_jobs();
	for (size_t i = 0; i < num_daemons; i++) {
		for (size_t j = 0; j < daemons[i].num_domains; j++)
			free(daemons[i].domains[j].xml);
	}
	memset(daemons, 0, sizeof(daemons));
	num_daemons = 0;
	held = false;
	fake_counts = (struct fake_calls){ 0 };
	pthread_mutex_unlock(&fake_lock);
}

struct fake_daemon *fake_daemon(const char *uri, const char *host_uuid)
{
	struct fake_daemon *daemon = &daemons[num_daemons++];

	if (num_daemons > MAX_DAEMONS)
		abort();
	snprintf(daemon->uri, sizeof(daemon->uri), "%s", uri);
	snprintf(daemon->host_uuid, sizeof(daemon->host_uuid), "%s", host_uuid);
	daemon->libvirt_version = 11003000;
	daemon->qemu_version = 10000002;
	daemon->cpu_compared = VIR_CPU_COMPARE_SUPERSET;
	return daemon;
}

void fake_add_uri(struct fake_daemon *daemon, const char *uri)
{
	snprintf(daemon->other_uri, sizeof(daemon->other_uri), "%s", uri);
}

void fake_set_versions(struct fake_daemon *daemon, unsigned long libvirt, unsigned long qemu)
{
	pthread_mutex_lock(&fake_lock);
	daemon->libvirt_version = libvirt;
	daemon->qemu_version = qemu;
	pthread_mutex_unlock(&fake_lock);
}

void fake_set_device(struct fake_daemon *daemon, const char *bdf, const char *driver)
{
	struct fake_device *device = daemon->devices;
	char name[sizeof(device->name)];

	snprintf(name, sizeof(name), "pci_%s", bdf);
	for (char *at = name; *at; at++) {
		if (*at == ':' || *at == '.')
			*at = '_';
	}
	pthread_mutex_lock(&fake_lock);
	while (device < daemon->devices + daemon->num_devices && strcmp(device->name, name))
		device++;
	if (device == daemon->devices + FAKE_MAX_DEVICES)
		abort();
	if (device == daemon->devices + daemon->num_devices)
		daemon->num_devices++;
	snprintf(device->name, sizeof(device->name), "%s", name);
	snprintf(device->driver, sizeof(device->driver), "%s", driver ? driver : "");
	pthread_mutex_unlock(&fake_lock);
}

void fake_set_cpu(struct fake_daemon *daemon, int compared, int code)
{
	pthread_mutex_lock(&fake_lock);
	daemon->cpu_compared = compared;
	daemon->cpu_code = code;
	pthread_mutex_unlock(&fake_lock);
}

struct fake_domain *fake_domain(struct fake_daemon *daemon, const char *name, const char *uuid,
				const char *xml)
{
	struct fake_domain *domain = &daemon->domains[daemon->num_domains++];

	if (daemon->num_domains > FAKE_MAX_DOMAINS)
		abort();
	*domain = (struct fake_domain){
		.xml = strdup(xml),
		.state = VIR_DOMAIN_RUNNING,
		.max_downtime_ms = 300,
		.polls = -1,
	};
	snprintf(domain->name, sizeof(domain->name), "%s", name);
	snprintf(domain->uuid, sizeof(domain->uuid), "%s", uuid);
	return domain;
}

void fake_refuse(struct fake_daemon *daemon)
{
	pthread_mutex_lock(&fake_lock);
	daemon->refuses = true;
	tell_change();
	pthread_mutex_unlock(&fake_lock);
}

void fake_restart(struct fake_daemon *daemon)
{
	pthread_mutex_lock(&fake_lock);
	daemon->refuses = false;
	daemon->life++;
	tell_change();
	pthread_mutex_unlock(&fake_lock);
}

void fake_kill(struct fake_daemon *daemon, const char *name)
{
	struct fake_domain *domain;

	pthread_mutex_lock(&fake_lock);
	domain = fake_find_domain(daemon, name, NULL);
	if (!domain)
		abort();
	fake_remove_domain(daemon, domain);
	tell_change();
	pthread_mutex_unlock(&fake_lock);
}

void fake_hang(struct fake_daemon *daemon, enum fake_call call)
{
	pthread_mutex_lock(&fake_lock);
	daemon->hangs[call] = held = true;
	pthread_mutex_unlock(&fake_lock);
}

void fake_fail(struct fake_daemon *daemon, enum fake_call call, int times, int code,
	       const char *message)
{
	pthread_mutex_lock(&fake_lock);
	daemon->faults[call] = (struct fake_fault){ times, code, message };
	pthread_mutex_unlock(&fake_lock);
}

void fake_hold_connect(struct fake_daemon *daemon)
{
	pthread_mutex_lock(&fake_lock);
	daemon->holds = held = true;
	pthread_mutex_unlock(&fake_lock);
}

void fake_hold_answer(struct fake_daemon *daemon)
{
	pthread_mutex_lock(&fake_lock);
	daemon->holds_answer = held = true;
	pthread_mutex_unlock(&fake_lock);
}

void fake_let_go(void)
{
	pthread_mutex_lock(&fake_lock);
	for (size_t i = 0; i < num_daemons; i++)
		memset(daemons[i].hangs, 0, sizeof(daemons[i].hangs));
	held = false;
	tell_change();
	pthread_mutex_unlock(&fake_lock);
}

struct fake_calls fake_calls(void)
{
	struct fake_calls copy;

	pthread_mutex_lock(&fake_lock);
	copy = fake_counts;
	pthread_mutex_unlock(&fake_lock);
	return copy;
}

struct fake_daemon *fake_find_daemon(const char *uri)
{
	for (size_t i = 0; i < num_daemons; i++) {
		if (!strcmp(daemons[i].uri, uri) || !strcmp(daemons[i].other_uri, uri))
			return &daemons[i];
	}
	return NULL;
}

struct fake_domain *fake_find_domain(struct fake_daemon *daemon, const char *name,
				     const char *uuid)
{
	for (size_t i = 0; i < daemon->num_domains; i++) {
		struct fake_domain *domain = &daemon->domains[i];

		if ((name && !strcmp(domain->name, name)) || (uuid && !strcmp(domain->uuid, uuid)))
			return domain;
	}
	return NULL;
}

const struct fake_domain *fake_find(struct fake_daemon *daemon, const char *name)
{
	const struct fake_domain *domain;

	pthread_mutex_lock(&fake_lock);
	domain = fake_find_domain(daemon, name, NULL);
	pthread_mutex_unlock(&fake_lock);
	return domain;
}

void fake_remove_domain(struct fake_daemon *daemon, struct fake_domain *domain)
{
	free(domain->xml);
	*domain = daemon->domains[--daemon->num_domains];
	daemon->domains[daemon->num_domains] = (struct fake_domain){ 0 };
}

/* Is this the one call that is to be held up? */
static bool is_held_once(struct fake_daemon *daemon, enum fake_call call)
{
	bool *holds = call == FAKE_CALL_CONNECT ? &daemon->holds : &daemon->holds_answer;

	if (!*holds || (call != FAKE_CALL_CONNECT && call != FAKE_CALL_VERSION &&
			call != FAKE_CALL_LOOK_UP && call != FAKE_CALL_CPU))
		return false;
	*holds = false;
	return true;
}

void fake_hold(struct fake_daemon *daemon, enum fake_call call)
{
	int life = daemon->life;

	if (!daemon->hangs[call] && !is_held_once(daemon, call))
		return;
	fake_counts.hanging++;
	while (held && !daemon->refuses && daemon->life == life)
		pthread_cond_wait(&fake_changed, &fake_lock);
	fake_counts.hanging--;
}

int fake_enter_call(virConnectPtr connection, enum fake_call call)
{
	struct fake_daemon *daemon = connection->daemon;
	struct fake_fault *fault = &daemon->faults[call];

	fake_hold(daemon, call);
	if (daemon->refuses || daemon->life != connection->life)
		return fake_raise(connection, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR,
				  "client socket is closed");
	if (fault->times > 0) {
		fault->times--;
		return fake_raise(connection, 0, fault->code, "%s", fault->message);
	}
	return 0;
}

virDomainPtr fake_new_domain(virConnectPtr connection, const char *name, const char *uuid)
{
	virDomainPtr domain = calloc(1, sizeof(*domain));

	if (!domain)
		abort();
	connection->references++;
	fake_counts.open_objects++;
	domain->connection = connection;
	snprintf(domain->name, sizeof(domain->name), "%s", name);
	snprintf(domain->uuid, sizeof(domain->uuid), "%s", uuid);
	return domain;
}

void fake_drop_connection(virConnectPtr connection)
{
	if (--connection->references)
		return;
	fake_counts.open_objects--;
	fake_counts.closes++;
	free(connection);
}

struct fake_domain *fake_enter(virDomainPtr domain, enum fake_call call)
{
	struct fake_domain *found = NULL;

	fake_forget_error();
	pthread_mutex_lock(&fake_lock);
	if (fake_enter_call(domain->connection, call) == 0) {
		found = fake_find_domain(domain->connection->daemon, NULL, domain->uuid);
		if (!found)
			fake_raise(domain->connection, 0, VIR_ERR_NO_DOMAIN, "Domain not found");
	}
	if (!found)
		pthread_mutex_unlock(&fake_lock);
	return found;
}

void fake_leave(void)
{
	pthread_mutex_unlock(&fake_lock);
}

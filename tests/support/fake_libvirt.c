// SPDX-License-Identifier: LGPL-2.1-or-later
#include "support/fake_libvirt.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#define MAX_DAEMONS 128
#define MAX_DOMAINS 4
#define MAX_PARAMS 32

struct fake_daemon {
	char uri[64];
	char host_uuid[FAKE_UUID_SIZE];
	bool refuses;
	bool holds;
	bool holds_answer;
	int cpu_compared;
	int cpu_code;
	struct fake_domain domains[MAX_DOMAINS];
	size_t num_domains;
};

struct _virConnect {
	struct fake_daemon *daemon;
	virErrorFunc handler;
	int references;
};

struct _virDomain {
	virConnectPtr connection;
	char name[64];
	char uuid[FAKE_UUID_SIZE];
};

/* One lock over all: the stand-in has to be right, not fast. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct fake_daemon daemons[MAX_DAEMONS];
static size_t num_daemons;
static struct fake_calls calls;
static bool held;

static _Thread_local virError last_error;
static _Thread_local char last_message[256];

static __attribute__((__format__(__printf__, 3, 4))) int raise_error(virConnectPtr connection,
								     int code, const char *format,
								     ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(last_message, sizeof(last_message), format, args);
	va_end(args);
	last_error = (virError){ .code = code, .message = last_message };
	if (connection && connection->handler)
		connection->handler(NULL, &last_error);
	else if (connection)
		calls.loud_errors++;
	return -1;
}

/* As libvirt does at the beginning of each call of its API. */
static void forget_error(void)
{
	last_error = (virError){ 0 };
}

void fake_reset(void)
{
	for (size_t i = 0; i < num_daemons; i++) {
		for (size_t j = 0; j < daemons[i].num_domains; j++)
			free(daemons[i].domains[j].xml);
	}
	memset(daemons, 0, sizeof(daemons));
	num_daemons = 0;
	held = false;
	calls = (struct fake_calls){ 0 };
}

struct fake_daemon *fake_daemon(const char *uri, const char *host_uuid)
{
	struct fake_daemon *daemon = &daemons[num_daemons++];

	if (num_daemons > MAX_DAEMONS)
		abort();
	snprintf(daemon->uri, sizeof(daemon->uri), "%s", uri);
	snprintf(daemon->host_uuid, sizeof(daemon->host_uuid), "%s", host_uuid);
	daemon->cpu_compared = VIR_CPU_COMPARE_SUPERSET;
	return daemon;
}

void fake_set_cpu(struct fake_daemon *daemon, int compared, int code)
{
	pthread_mutex_lock(&lock);
	daemon->cpu_compared = compared;
	daemon->cpu_code = code;
	pthread_mutex_unlock(&lock);
}

struct fake_domain *fake_domain(struct fake_daemon *daemon, const char *name, const char *uuid,
				const char *xml)
{
	struct fake_domain *domain = &daemon->domains[daemon->num_domains++];

	if (daemon->num_domains > MAX_DOMAINS)
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
	pthread_mutex_lock(&lock);
	daemon->refuses = true;
	pthread_mutex_unlock(&lock);
}

void fake_hold_connect(struct fake_daemon *daemon)
{
	pthread_mutex_lock(&lock);
	daemon->holds = held = true;
	pthread_mutex_unlock(&lock);
}

void fake_hold_answer(struct fake_daemon *daemon)
{
	pthread_mutex_lock(&lock);
	daemon->holds_answer = held = true;
	pthread_mutex_unlock(&lock);
}

void fake_let_go(void)
{
	pthread_mutex_lock(&lock);
	held = false;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

struct fake_calls fake_calls(void)
{
	struct fake_calls copy;

	pthread_mutex_lock(&lock);
	copy = calls;
	pthread_mutex_unlock(&lock);
	return copy;
}

static struct fake_daemon *find_daemon(const char *uri)
{
	for (size_t i = 0; i < num_daemons; i++) {
		if (!strcmp(daemons[i].uri, uri))
			return &daemons[i];
	}
	return NULL;
}

static struct fake_domain *find_domain(struct fake_daemon *daemon, const char *name,
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

	pthread_mutex_lock(&lock);
	domain = find_domain(daemon, name, NULL);
	pthread_mutex_unlock(&lock);
	return domain;
}

static void remove_domain(struct fake_daemon *daemon, struct fake_domain *domain)
{
	free(domain->xml);
	*domain = daemon->domains[--daemon->num_domains];
	daemon->domains[daemon->num_domains] = (struct fake_domain){ 0 };
}

/* The library itself. */

int virInitialize(void)
{
	forget_error();
	return 0;
}

int virGetVersion(unsigned long *version, const char *type, unsigned long *type_version)
{
	forget_error();
	(void)type;
	(void)type_version;
	*version = 9000000;
	return 0;
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

/* Connections. */

virConnectPtr virConnectOpen(const char *uri)
{
	virConnectPtr connection = calloc(1, sizeof(*connection));
	struct fake_daemon *daemon;

	forget_error();
	if (!connection)
		abort();
	pthread_mutex_lock(&lock);
	calls.connects++;
	daemon = find_daemon(uri);
	if (daemon && daemon->holds) {
		daemon->holds = false;
		while (held)
			pthread_cond_wait(&changed, &lock);
	}
	if (!daemon || daemon->refuses) {
		raise_error(NULL, VIR_ERR_SYSTEM_ERROR, "Failed to connect to '%s'", uri);
		free(connection);
		connection = NULL;
	} else {
		connection->daemon = daemon;
		connection->references = 1;
		calls.open_objects++;
	}
	pthread_mutex_unlock(&lock);
	return connection;
}

static void drop_connection(virConnectPtr connection)
{
	if (--connection->references)
		return;
	calls.open_objects--;
	calls.closes++;
	free(connection);
}

int virConnectClose(virConnectPtr connection)
{
	forget_error();
	pthread_mutex_lock(&lock);
	drop_connection(connection);
	pthread_mutex_unlock(&lock);
	return 0;
}

void virConnSetErrorFunc(virConnectPtr connection, void *userdata, virErrorFunc handler)
{
	forget_error();
	(void)userdata;
	pthread_mutex_lock(&lock);
	connection->handler = handler;
	pthread_mutex_unlock(&lock);
}

int virConnectIsAlive(virConnectPtr connection)
{
	int alive;

	forget_error();
	pthread_mutex_lock(&lock);
	alive = !connection->daemon->refuses;
	pthread_mutex_unlock(&lock);
	return alive;
}

/* With the lock held. */
static void hold_answer(struct fake_daemon *daemon)
{
	if (!daemon->holds_answer)
		return;
	daemon->holds_answer = false;
	while (held)
		pthread_cond_wait(&changed, &lock);
}

int virConnectGetLibVersion(virConnectPtr connection, unsigned long *version)
{
	forget_error();
	pthread_mutex_lock(&lock);
	hold_answer(connection->daemon);
	pthread_mutex_unlock(&lock);
	*version = 11003000;
	return 0;
}

int virConnectGetVersion(virConnectPtr connection, unsigned long *version)
{
	forget_error();
	(void)connection;
	*version = 10000002;
	return 0;
}

char *virConnectGetCapabilities(virConnectPtr connection)
{
	char *xml;

	forget_error();
	if (asprintf(&xml, "<capabilities><host><uuid>%s</uuid></host></capabilities>",
		     connection->daemon->host_uuid) < 0)
		abort();
	return xml;
}

int virConnectCompareHypervisorCPU(virConnectPtr connection, const char *emulator, const char *arch,
				   const char *machine, const char *type, const char *cpu,
				   unsigned int flags)
{
	int compared;

	forget_error();
	pthread_mutex_lock(&lock);
	hold_answer(connection->daemon);
	calls.cpu_flags = flags;
	snprintf(calls.cpu_question, sizeof(calls.cpu_question), "%s|%s|%s|%s|%s",
		 emulator ? emulator : "", arch ? arch : "", machine ? machine : "",
		 type ? type : "", cpu);
	compared = connection->daemon->cpu_compared;
	if (compared == VIR_CPU_COMPARE_ERROR)
		raise_error(connection, connection->daemon->cpu_code,
			    "the host lacks: avx512f, amx-tile");
	pthread_mutex_unlock(&lock);
	return compared;
}

static virDomainPtr new_domain(virConnectPtr connection, const struct fake_domain *from)
{
	virDomainPtr domain = calloc(1, sizeof(*domain));

	if (!domain)
		abort();
	connection->references++;
	calls.open_objects++;
	domain->connection = connection;
	memcpy(domain->name, from->name, sizeof(domain->name));
	memcpy(domain->uuid, from->uuid, sizeof(domain->uuid));
	return domain;
}

int virConnectListAllDomains(virConnectPtr connection, virDomainPtr **ret, unsigned int flags)
{
	struct fake_daemon *daemon = connection->daemon;
	int length = 0;

	forget_error();
	if (flags != VIR_CONNECT_LIST_DOMAINS_ACTIVE)
		abort();
	pthread_mutex_lock(&lock);
	*ret = calloc(MAX_DOMAINS, sizeof(**ret));
	for (size_t i = 0; i < daemon->num_domains; i++) {
		if (daemon->domains[i].state != VIR_DOMAIN_SHUTOFF)
			(*ret)[length++] = new_domain(connection, &daemon->domains[i]);
	}
	pthread_mutex_unlock(&lock);
	return length;
}

/* Domains. */

static virDomainPtr look_up(virConnectPtr connection, const char *name, const char *uuid)
{
	struct fake_domain *found = NULL;
	virDomainPtr domain = NULL;

	pthread_mutex_lock(&lock);
	hold_answer(connection->daemon);
	if (connection->daemon->refuses)
		raise_error(connection, VIR_ERR_INTERNAL_ERROR, "client socket is closed");
	else if (!(found = find_domain(connection->daemon, name, uuid)))
		raise_error(connection, VIR_ERR_NO_DOMAIN, "Domain not found");
	else
		domain = new_domain(connection, found);
	pthread_mutex_unlock(&lock);
	return domain;
}

virDomainPtr virDomainLookupByName(virConnectPtr connection, const char *name)
{
	forget_error();
	return look_up(connection, name, NULL);
}

virDomainPtr virDomainLookupByUUIDString(virConnectPtr connection, const char *uuid)
{
	forget_error();
	return look_up(connection, NULL, uuid);
}

int virDomainFree(virDomainPtr domain)
{
	forget_error();
	pthread_mutex_lock(&lock);
	drop_connection(domain->connection);
	calls.open_objects--;
	pthread_mutex_unlock(&lock);
	free(domain);
	return 0;
}

const char *virDomainGetName(virDomainPtr domain)
{
	forget_error();
	return domain->name;
}

int virDomainGetUUIDString(virDomainPtr domain, char *text)
{
	forget_error();
	snprintf(text, VIR_UUID_STRING_BUFLEN, "%s", domain->uuid);
	return 0;
}

/* Takes the lock; NULL, with the error raised, leaves it again. */
static struct fake_domain *enter(virDomainPtr domain)
{
	struct fake_domain *found;

	forget_error();
	pthread_mutex_lock(&lock);
	if (domain->connection->daemon->refuses) {
		raise_error(domain->connection, VIR_ERR_INTERNAL_ERROR, "client socket is closed");
		pthread_mutex_unlock(&lock);
		return NULL;
	}
	found = find_domain(domain->connection->daemon, NULL, domain->uuid);
	if (!found) {
		raise_error(domain->connection, VIR_ERR_NO_DOMAIN, "Domain not found");
		pthread_mutex_unlock(&lock);
	}
	return found;
}

static void leave(void)
{
	pthread_mutex_unlock(&lock);
}

int virDomainIsPersistent(virDomainPtr domain)
{
	struct fake_domain *found = enter(domain);
	int persistent;

	if (!found)
		return -1;
	persistent = found->persistent;
	leave();
	return persistent;
}

int virDomainGetState(virDomainPtr domain, int *state, int *reason, unsigned int flags)
{
	struct fake_domain *found = enter(domain);

	(void)flags;
	if (!found)
		return -1;
	*state = found->state;
	*reason = found->reason;
	leave();
	return 0;
}

char *virDomainGetXMLDesc(virDomainPtr domain, unsigned int flags)
{
	struct fake_domain *found = enter(domain);
	char *xml;

	if (!found)
		return NULL;
	calls.xml_flags = flags;
	xml = strdup(found->xml);
	leave();
	return xml;
}

int virDomainMigrateGetMaxDowntime(virDomainPtr domain, unsigned long long *ms, unsigned int flags)
{
	struct fake_domain *found = enter(domain);

	(void)flags;
	if (!found)
		return -1;
	*ms = found->max_downtime_ms;
	leave();
	return 0;
}

int virDomainMigrateSetMaxDowntime(virDomainPtr domain, unsigned long long ms, unsigned int flags)
{
	struct fake_domain *found = enter(domain);

	(void)flags;
	if (!found)
		return -1;
	found->max_downtime_ms = ms;
	leave();
	return 0;
}

/* Typed parameters. */

static virTypedParameterPtr add_param(virTypedParameterPtr *params, int *length, int *allocated,
				      const char *name, int type)
{
	virTypedParameterPtr param;

	if (!*allocated) {
		*params = calloc(MAX_PARAMS, sizeof(**params));
		*allocated = MAX_PARAMS;
	}
	if (!*params || *length == MAX_PARAMS)
		abort();
	param = &(*params)[(*length)++];
	snprintf(param->field, sizeof(param->field), "%s", name);
	param->type = type;
	return param;
}

int virTypedParamsAddString(virTypedParameterPtr *params, int *length, int *allocated,
			    const char *name, const char *value)
{
	add_param(params, length, allocated, name, VIR_TYPED_PARAM_STRING)->value.s =
		strdup(value);
	return 0;
}

int virTypedParamsAddULLong(virTypedParameterPtr *params, int *length, int *allocated,
			    const char *name, unsigned long long value)
{
	add_param(params, length, allocated, name, VIR_TYPED_PARAM_ULLONG)->value.ul = value;
	return 0;
}

void virTypedParamsFree(virTypedParameterPtr params, int length)
{
	for (int i = 0; i < length; i++) {
		if (params[i].type == VIR_TYPED_PARAM_STRING)
			free(params[i].value.s);
	}
	free(params);
}

/* Migration. */

static int past_setup(const struct fake_domain *domain)
{
	return domain->polls >= domain->script.setup_polls;
}

static int pre_copy_ends(const struct fake_domain *domain)
{
	return domain->script.setup_polls + domain->script.pre_copy_polls;
}

int virDomainGetJobStats(virDomainPtr domain, int *type, virTypedParameterPtr *params, int *length,
			 unsigned int flags)
{
	struct fake_domain *found = enter(domain);
	const unsigned long long total = 1 << 20;
	unsigned long long done;
	int allocated = 0;

	if (!found)
		return -1;
	*length = 0;
	*params = NULL;
	*type = VIR_DOMAIN_JOB_NONE;
#define ADD(name, value) virTypedParamsAddULLong(params, length, &allocated, name, value)
	if (flags & VIR_DOMAIN_JOB_STATS_COMPLETED) {
		if (!(flags & VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED))
			abort();
		if (found->completed) {
			*type = VIR_DOMAIN_JOB_COMPLETED;
			ADD("downtime", 70);
			ADD("downtime_net", 66);
			ADD("time_elapsed", 1234);
			ADD("data_processed", total * 2);
			ADD("vfio_data_transferred", 4096);
		}
	} else {
		calls.polls++;
		if (found->polls >= 0) {
			done = past_setup(found) ?
				       (unsigned long long)(found->polls -
							    found->script.setup_polls + 1) *
					       (total / 8) :
				       0;
			found->polls++;
			*type = VIR_DOMAIN_JOB_UNBOUNDED;
			ADD("data_total", done ? total : 0);
			ADD("memory_total", done ? total : 0);
			ADD("data_processed", done);
			ADD("data_remaining", done && done < total ? total - done : 0);
			ADD("memory_remaining", done && done < total ? total - done : 0);
			ADD("memory_iteration",
			    done ? (unsigned long long)(found->script.job_iteration +
							found->polls -
							found->script.setup_polls) :
				   0);
			ADD("some_key_of_the_future", 1);
			virTypedParamsAddString(params, length, &allocated, "errmsg", "text");
			pthread_cond_broadcast(&changed);
		}
	}
	leave();
	return 0;
}

int virDomainAbortJob(virDomainPtr domain)
{
	struct fake_domain *found = enter(domain);
	int r = 0;

	if (!found)
		return -1;
	calls.aborts++;
	if (found->polls < 0 || found->script.refused_aborts-- > 0) {
		r = raise_error(domain->connection, VIR_ERR_OPERATION_INVALID,
				"no job is active on the domain");
	} else if (found->polls < pre_copy_ends(found)) {
		found->aborted = true;
		pthread_cond_broadcast(&changed);
	}
	leave();
	return r;
}

static void record(virTypedParameterPtr params, unsigned int length, unsigned int flags)
{
	calls.migrations++;
	calls.flags = flags;
	for (unsigned int i = 0; i < length; i++) {
		const char *field = params[i].field;

		if (!strcmp(field, VIR_MIGRATE_PARAM_BANDWIDTH))
			calls.bandwidth = params[i].value.ul;
		else if (!strcmp(field, VIR_MIGRATE_PARAM_URI))
			snprintf(calls.data_uri, sizeof(calls.data_uri), "%s", params[i].value.s);
		else if (!strcmp(field, VIR_MIGRATE_PARAM_DEST_XML))
			snprintf(calls.destination_xml, sizeof(calls.destination_xml), "%s",
				 params[i].value.s);
		else if (!strcmp(field, VIR_MIGRATE_PARAM_PERSIST_XML))
			snprintf(calls.persistent_xml, sizeof(calls.persistent_xml), "%s",
				 params[i].value.s);
		else
			abort();
	}
}

/* Waits until the job has been looked at so often; false if it was aborted. */
static bool wait_for_polls(struct fake_daemon *daemon, const char *uuid, int polls)
{
	for (;;) {
		struct fake_domain *domain = find_domain(daemon, NULL, uuid);

		if (domain->aborted)
			return false;
		if (domain->polls >= polls)
			return true;
		pthread_cond_wait(&changed, &lock);
	}
}

static void settle(struct fake_daemon *from, struct fake_domain *source, struct fake_daemon *to,
		   struct fake_domain *target, unsigned int flags)
{
	enum fake_end end = source->script.end;
	bool moves = end == FAKE_MOVES || end == FAKE_MOVES_BUT_FAILS || end == FAKE_LOSES_VF ||
		     end == FAKE_SOURCE_DIES;

	source->polls = -1;
	source->state = end == FAKE_SOURCE_PAUSED ? VIR_DOMAIN_PAUSED : VIR_DOMAIN_RUNNING;
	source->reason = 0;
	if (moves || end == FAKE_BOTH_RUN) {
		target->state = VIR_DOMAIN_RUNNING;
		target->reason = VIR_DOMAIN_RUNNING_MIGRATED;
		target->completed = true;
	} else {
		remove_domain(to, target);
	}
	if (moves && source->persistent && !(flags & VIR_MIGRATE_UNDEFINE_SOURCE))
		source->state = VIR_DOMAIN_SHUTOFF;
	else if (moves)
		remove_domain(from, source);
	to->refuses |= end == FAKE_DESTINATION_DIES;
	from->refuses |= end == FAKE_SOURCE_DIES;
}

int virDomainMigrateToURI3(virDomainPtr domain, const char *uri, virTypedParameterPtr params,
			   unsigned int length, unsigned int flags)
{
	struct fake_daemon *from = domain->connection->daemon;
	struct fake_domain *source = enter(domain), *target;
	struct fake_daemon *to = find_daemon(uri);
	struct fake_script script;
	bool aborted;
	int r = 0;

	if (!source)
		return -1;
	record(params, length, flags);
	if (!to || to->refuses) {
		r = raise_error(domain->connection, VIR_ERR_SYSTEM_ERROR,
				"unable to connect to server at '%s'", uri);
		leave();
		return r;
	}
	script = source->script;
	source->polls = 0;
	source->aborted = false;
	target = fake_domain(to, domain->name, domain->uuid,
			     script.end == FAKE_LOSES_VF ? source->xml : calls.destination_xml);
	target->state = VIR_DOMAIN_PAUSED;
	target->reason = VIR_DOMAIN_PAUSED_MIGRATION;

	aborted = !wait_for_polls(from, domain->uuid, pre_copy_ends(source));
	source = find_domain(from, NULL, domain->uuid);
	if (!aborted) {
		source->state = VIR_DOMAIN_PAUSED;
		source->reason = VIR_DOMAIN_PAUSED_MIGRATION;
		wait_for_polls(from, domain->uuid,
			       pre_copy_ends(source) + script.switchover_polls);
		source = find_domain(from, NULL, domain->uuid);
	} else {
		source->script.end = FAKE_FAILS;
	}
	settle(from, source, to, find_domain(to, NULL, domain->uuid), flags);
	if (aborted)
		r = raise_error(domain->connection, VIR_ERR_OPERATION_ABORTED,
				"operation aborted: job 'migration out' canceled by client");
	else if (script.end != FAKE_MOVES && script.end != FAKE_STAYS_BUT_SUCCEEDS &&
		 script.end != FAKE_LOSES_VF && script.end != FAKE_SOURCE_DIES)
		r = raise_error(domain->connection, script.code, "%s", script.message);
	leave();
	return r;
}

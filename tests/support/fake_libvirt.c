// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/fake_world.h"

#define MAX_PARAMS 32

/* The library itself. */

int virInitialize(void)
{
	fake_forget_error();
	return 0;
}

int virGetVersion(unsigned long *version, const char *type, unsigned long *type_version)
{
	fake_forget_error();
	(void)type;
	(void)type_version;
	*version = 9000000;
	return 0;
}

/* Connections. */

virConnectPtr virConnectOpen(const char *uri)
{
	virConnectPtr connection = calloc(1, sizeof(*connection));
	struct fake_daemon *daemon;
	struct fake_fault *fault;

	fake_forget_error();
	if (!connection)
		abort();
	pthread_mutex_lock(&fake_lock);
	fake_counts.connects++;
	daemon = fake_find_daemon(uri);
	if (daemon)
		fake_hold(daemon, FAKE_CALL_CONNECT);
	fault = daemon ? &daemon->faults[FAKE_CALL_CONNECT] : NULL;
	if (!daemon || daemon->refuses || fault->times > 0) {
		if (daemon && fault->times-- > 0)
			fake_raise(NULL, VIR_FROM_RPC, fault->code, "%s", fault->message);
		else
			fake_raise(NULL, VIR_FROM_RPC, VIR_ERR_SYSTEM_ERROR,
				   "Failed to connect to '%s'", uri);
		free(connection);
		connection = NULL;
	} else {
		connection->daemon = daemon;
		connection->life = daemon->life;
		connection->references = 1;
		fake_counts.open_objects++;
	}
	pthread_mutex_unlock(&fake_lock);
	return connection;
}

int virConnectRef(virConnectPtr connection)
{
	fake_forget_error();
	if (!connection)
		return fake_raise(NULL, VIR_FROM_NONE, VIR_ERR_INVALID_CONN, "no connection");
	pthread_mutex_lock(&fake_lock);
	connection->references++;
	pthread_mutex_unlock(&fake_lock);
	return 0;
}

int virConnectClose(virConnectPtr connection)
{
	fake_forget_error();
	pthread_mutex_lock(&fake_lock);
	fake_drop_connection(connection);
	pthread_mutex_unlock(&fake_lock);
	return 0;
}

void virConnSetErrorFunc(virConnectPtr connection, void *userdata, virErrorFunc handler)
{
	fake_forget_error();
	(void)userdata;
	pthread_mutex_lock(&fake_lock);
	connection->handler = handler;
	pthread_mutex_unlock(&fake_lock);
}

int virConnectIsAlive(virConnectPtr connection)
{
	int alive;

	fake_forget_error();
	pthread_mutex_lock(&fake_lock);
	alive = !connection->daemon->refuses && connection->daemon->life == connection->life;
	pthread_mutex_unlock(&fake_lock);
	return alive;
}

char *virConnectGetURI(virConnectPtr connection)
{
	fake_forget_error();
	/* The client knows it: nobody is asked. */
	return strdup(connection->daemon->uri);
}

static int get_version(virConnectPtr connection, const unsigned long *from, unsigned long *version)
{
	int r;

	fake_forget_error();
	pthread_mutex_lock(&fake_lock);
	r = fake_enter_call(connection, FAKE_CALL_VERSION);
	if (r == 0)
		*version = *from;
	pthread_mutex_unlock(&fake_lock);
	return r;
}

int virConnectGetLibVersion(virConnectPtr connection, unsigned long *version)
{
	return get_version(connection, &connection->daemon->libvirt_version, version);
}

int virConnectGetVersion(virConnectPtr connection, unsigned long *version)
{
	return get_version(connection, &connection->daemon->qemu_version, version);
}

char *virConnectGetCapabilities(virConnectPtr connection)
{
	char *xml = NULL;

	fake_forget_error();
	pthread_mutex_lock(&fake_lock);
	if (fake_enter_call(connection, FAKE_CALL_CAPABILITIES) == 0 &&
	    asprintf(&xml, "<capabilities><host><uuid>%s</uuid></host></capabilities>",
		     connection->daemon->host_uuid) < 0)
		abort();
	pthread_mutex_unlock(&fake_lock);
	return xml;
}

int virConnectCompareHypervisorCPU(virConnectPtr connection, const char *emulator, const char *arch,
				   const char *machine, const char *type, const char *cpu,
				   unsigned int flags)
{
	int compared = VIR_CPU_COMPARE_ERROR;

	fake_forget_error();
	pthread_mutex_lock(&fake_lock);
	if (fake_enter_call(connection, FAKE_CALL_CPU) == 0) {
		fake_counts.cpu_flags = flags;
		snprintf(fake_counts.cpu_question, sizeof(fake_counts.cpu_question),
			 "%s|%s|%s|%s|%s", emulator ? emulator : "", arch ? arch : "",
			 machine ? machine : "", type ? type : "", cpu);
		compared = connection->daemon->cpu_compared;
		if (compared == VIR_CPU_COMPARE_ERROR)
			fake_raise(connection, 0, connection->daemon->cpu_code,
				   "the host lacks: avx512f, amx-tile");
	}
	pthread_mutex_unlock(&fake_lock);
	return compared;
}

int virConnectListAllDomains(virConnectPtr connection, virDomainPtr **ret, unsigned int flags)
{
	struct fake_daemon *daemon = connection->daemon;
	int length = -1;

	fake_forget_error();
	if (flags != VIR_CONNECT_LIST_DOMAINS_ACTIVE)
		abort();
	pthread_mutex_lock(&fake_lock);
	if (fake_enter_call(connection, FAKE_CALL_LIST) == 0) {
		length = 0;
		*ret = calloc(FAKE_MAX_DOMAINS, sizeof(**ret));
		for (size_t i = 0; i < daemon->num_domains; i++) {
			const struct fake_domain *domain = &daemon->domains[i];

			if (domain->state != VIR_DOMAIN_SHUTOFF)
				(*ret)[length++] = fake_new_domain(connection, domain->name,
								   domain->uuid);
		}
	}
	pthread_mutex_unlock(&fake_lock);
	return length;
}

/* Devices of the host. */

static const struct fake_device *find_device(virConnectPtr connection, const char *name)
{
	const struct fake_daemon *daemon = connection->daemon;

	for (size_t i = 0; i < daemon->num_devices; i++) {
		if (!strcmp(daemon->devices[i].name, name))
			return &daemon->devices[i];
	}
	fake_raise(connection, VIR_FROM_NODEDEV, VIR_ERR_NO_NODE_DEVICE,
		   "no node device with matching name '%s'", name);
	return NULL;
}

virNodeDevicePtr virNodeDeviceLookupByName(virConnectPtr connection, const char *name)
{
	virNodeDevicePtr device = NULL;

	fake_forget_error();
	pthread_mutex_lock(&fake_lock);
	if (fake_enter_call(connection, FAKE_CALL_DEVICE) == 0 && find_device(connection, name)) {
		device = calloc(1, sizeof(*device));
		if (!device)
			abort();
		connection->references++;
		fake_counts.open_objects++;
		device->connection = connection;
		snprintf(device->name, sizeof(device->name), "%s", name);
	}
	pthread_mutex_unlock(&fake_lock);
	return device;
}

char *virNodeDeviceGetXMLDesc(virNodeDevicePtr device, unsigned int flags)
{
	const struct fake_device *found = NULL;
	char *xml = NULL;
	int r = 0;

	fake_forget_error();
	(void)flags;
	pthread_mutex_lock(&fake_lock);
	if (fake_enter_call(device->connection, FAKE_CALL_DEVICE) == 0)
		found = find_device(device->connection, device->name);
	if (found && *found->driver)
		r = asprintf(&xml, "<device>\n  <name>%s</name>\n  <driver>\n    <name>%s</name>\n"
			     "  </driver>\n  <capability type='pci'/>\n</device>\n",
			     found->name, found->driver);
	else if (found)
		r = asprintf(&xml, "<device>\n  <name>%s</name>\n  <capability type='pci'/>\n"
			     "</device>\n", found->name);
	pthread_mutex_unlock(&fake_lock);
	if (r < 0)
		abort();
	return xml;
}

int virNodeDeviceFree(virNodeDevicePtr device)
{
	fake_forget_error();
	pthread_mutex_lock(&fake_lock);
	fake_drop_connection(device->connection);
	fake_counts.open_objects--;
	pthread_mutex_unlock(&fake_lock);
	free(device);
	return 0;
}

/* Domains. */

static virDomainPtr look_up(virConnectPtr connection, const char *name, const char *uuid)
{
	const struct fake_domain *found;
	virDomainPtr domain = NULL;

	fake_forget_error();
	pthread_mutex_lock(&fake_lock);
	if (fake_enter_call(connection, FAKE_CALL_LOOK_UP) == 0) {
		found = fake_find_domain(connection->daemon, name, uuid);
		if (found)
			domain = fake_new_domain(connection, found->name, found->uuid);
		else
			fake_raise(connection, 0, VIR_ERR_NO_DOMAIN, "Domain not found");
	}
	pthread_mutex_unlock(&fake_lock);
	return domain;
}

virDomainPtr virDomainLookupByName(virConnectPtr connection, const char *name)
{
	return look_up(connection, name, NULL);
}

virDomainPtr virDomainLookupByUUIDString(virConnectPtr connection, const char *uuid)
{
	return look_up(connection, NULL, uuid);
}

int virDomainFree(virDomainPtr domain)
{
	fake_forget_error();
	pthread_mutex_lock(&fake_lock);
	fake_drop_connection(domain->connection);
	fake_counts.open_objects--;
	pthread_mutex_unlock(&fake_lock);
	free(domain);
	return 0;
}

const char *virDomainGetName(virDomainPtr domain)
{
	fake_forget_error();
	return domain->name;
}

int virDomainGetUUIDString(virDomainPtr domain, char *text)
{
	fake_forget_error();
	snprintf(text, VIR_UUID_STRING_BUFLEN, "%s", domain->uuid);
	return 0;
}

int virDomainIsPersistent(virDomainPtr domain)
{
	const struct fake_domain *found = fake_enter(domain, FAKE_CALL_PERSISTENT);
	int persistent;

	if (!found)
		return -1;
	persistent = found->persistent;
	fake_leave();
	return persistent;
}

int virDomainGetState(virDomainPtr domain, int *state, int *reason, unsigned int flags)
{
	const struct fake_domain *found = fake_enter(domain, FAKE_CALL_STATE);

	(void)flags;
	if (!found)
		return -1;
	*state = found->state;
	*reason = found->reason;
	fake_leave();
	return 0;
}

char *virDomainGetXMLDesc(virDomainPtr domain, unsigned int flags)
{
	const struct fake_domain *found = fake_enter(domain, FAKE_CALL_XML);
	char *xml;

	if (!found)
		return NULL;
	fake_counts.xml_flags = flags;
	xml = strdup(found->xml);
	fake_leave();
	return xml;
}

int virDomainMigrateGetMaxDowntime(virDomainPtr domain, unsigned long long *ms, unsigned int flags)
{
	const struct fake_domain *found = fake_enter(domain, FAKE_CALL_GET_DOWNTIME);

	(void)flags;
	if (!found)
		return -1;
	*ms = found->max_downtime_ms;
	fake_leave();
	return 0;
}

int virDomainMigrateSetMaxDowntime(virDomainPtr domain, unsigned long long ms, unsigned int flags)
{
	struct fake_domain *found = fake_enter(domain, FAKE_CALL_SET_DOWNTIME);

	(void)flags;
	if (!found)
		return -1;
	found->max_downtime_ms = ms;
	if (fake_counts.num_downtimes < FAKE_MAX_DOWNTIMES)
		fake_counts.downtimes_ms[fake_counts.num_downtimes++] = ms;
	fake_leave();
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

int virTypedParamsAddInt(virTypedParameterPtr *params, int *length, int *allocated,
			 const char *name, int value)
{
	add_param(params, length, allocated, name, VIR_TYPED_PARAM_INT)->value.i = value;
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

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/domain.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stddef.h>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "sys/libvirt.h"

/*
 * Each call of libvirt's API forgets the last error, even virDomainGetName(): what a message
 * needs is asked before the call that may fail.
 */

/* libvirt's headers have macros since 10.6 and 11.1; its daemons may be newer than our headers. */
#define JOB_VFIO_TRANSFERRED "vfio_data_transferred"
#define PARAM_SWITCHOVER_BANDWIDTH "bandwidth.avail.switchover"

/* As libvirt reads a UUID: 32 digits, with dashes or without. */
static bool may_be_uuid(const char *text)
{
	size_t digits = 0;

	for (; *text; text++) {
		if (isxdigit((unsigned char)*text))
			digits++;
		else if (*text != '-')
			return false;
	}
	return digits == 32;
}

int domain_find(struct _virConnect *connection, const char *name_or_uuid, struct _virDomain **ret,
		struct mlx5lm_error **reterr)
{
	virDomainPtr domain = NULL;

	/* Only if it is one: on a connection of the caller's, libvirt prints each error. */
	if (may_be_uuid(name_or_uuid))
		domain = virDomainLookupByUUIDString(connection, name_or_uuid);
	/* A name may look like a UUID. */
	if (!domain)
		domain = virDomainLookupByName(connection, name_or_uuid);
	if (!domain)
		return libvirt_error(reterr, MLX5LM_ERROR_IO, "domain '%s' cannot be looked up",
				     name_or_uuid);
	*ret = domain;
	return 0;
}

void domain_free(struct _virDomain *domain)
{
	if (domain)
		virDomainFree(domain);
}

int domain_is_persistent(struct _virDomain *domain, struct mlx5lm_error **reterr)
{
	const char *name = virDomainGetName(domain);
	int persistent = virDomainIsPersistent(domain);

	if (persistent < 0)
		return libvirt_error(reterr, MLX5LM_ERROR_IO,
				     "whether domain '%s' is persistent cannot be read",
				     name);
	return persistent;
}

enum domain_state domain_get_state(struct _virDomain *domain)
{
	int state = VIR_DOMAIN_NOSTATE, reason = 0;

	if (virDomainGetState(domain, &state, &reason, 0) < 0)
		return virGetLastErrorCode() == VIR_ERR_NO_DOMAIN ? DOMAIN_GONE : DOMAIN_UNKNOWN;
	switch (state) {
	case VIR_DOMAIN_RUNNING:
	case VIR_DOMAIN_BLOCKED:
	case VIR_DOMAIN_SHUTDOWN: /* on its way, but still running */
		return DOMAIN_RUNNING;
	case VIR_DOMAIN_PAUSED:
		return reason == VIR_DOMAIN_PAUSED_MIGRATION ? DOMAIN_PAUSED_BY_MIGRATION :
							       DOMAIN_PAUSED;
	case VIR_DOMAIN_SHUTOFF:
	case VIR_DOMAIN_CRASHED:
		return DOMAIN_OFF;
	case VIR_DOMAIN_PMSUSPENDED:
		return DOMAIN_PAUSED;
	default:
		return DOMAIN_UNKNOWN;
	}
}

int domain_get_xml(struct _virDomain *domain, enum domain_xml_form form, char **ret,
		   struct mlx5lm_error **reterr)
{
	static const unsigned int flags[] = {
		[DOMAIN_XML_LIVE] = 0,
		[DOMAIN_XML_MIGRATABLE] = VIR_DOMAIN_XML_MIGRATABLE,
		/* Without them the domain would lose the passwords of its graphics on the way. */
		[DOMAIN_XML_COMPLETE] = VIR_DOMAIN_XML_MIGRATABLE | VIR_DOMAIN_XML_SECURE,
	};
	const char *name = virDomainGetName(domain);
	char *xml = virDomainGetXMLDesc(domain, flags[form]);

	if (!xml)
		return libvirt_error(reterr, MLX5LM_ERROR_IO, "XML of domain '%s' cannot be read",
				     name);
	*ret = xml;
	return 0;
}

int domain_get_max_downtime(struct _virDomain *domain, uint64_t *ret_ms,
			    struct mlx5lm_error **reterr)
{
	const char *name = virDomainGetName(domain);
	unsigned long long ms;

	if (virDomainMigrateGetMaxDowntime(domain, &ms, 0) < 0)
		return libvirt_error(reterr, MLX5LM_ERROR_MIGRATION,
				     "downtime limit of domain '%s' cannot be read",
				     name);
	*ret_ms = ms;
	return 0;
}

int domain_set_max_downtime(struct _virDomain *domain, uint64_t ms, struct mlx5lm_error **reterr)
{
	const char *name = virDomainGetName(domain);

	if (virDomainMigrateSetMaxDowntime(domain, ms, 0) < 0)
		return libvirt_error(reterr, MLX5LM_ERROR_MIGRATION,
				     "downtime limit of domain '%s' cannot be set",
				     name);
	return 0;
}

/* A growing list; the first failure sticks. */
struct params {
	virTypedParameterPtr items;
	int length;
	int allocated;
	int result;
};

static void add_text(struct params *params, const char *name, const char *value)
{
	if (value && params->result == 0)
		params->result = virTypedParamsAddString(&params->items, &params->length,
							 &params->allocated, name, value);
}

/* 0 is how struct migration says "as libvirt does it". */
static void add_number(struct params *params, const char *name, uint64_t value)
{
	if (value && params->result == 0)
		params->result = virTypedParamsAddULLong(&params->items, &params->length,
							 &params->allocated, name, value);
}

static void add_channels(struct params *params, uint64_t channels)
{
	/* Of the type that libvirt has for it. More than any daemon takes is for it to refuse. */
	int value = channels < INT_MAX ? (int)channels : INT_MAX;

	if (channels && params->result == 0)
		params->result = virTypedParamsAddInt(&params->items, &params->length,
						      &params->allocated,
						      VIR_MIGRATE_PARAM_PARALLEL_CONNECTIONS,
						      value);
}

static void add_params(const struct migration *migration, struct params *params)
{
	/*
	 * Both: without the second a persistent domain is defined at the destination with the
	 * source's VF.
	 */
	add_text(params, VIR_MIGRATE_PARAM_DEST_XML, migration->destination_xml);
	add_text(params, VIR_MIGRATE_PARAM_PERSIST_XML, migration->destination_xml);
	add_text(params, VIR_MIGRATE_PARAM_URI, migration->data_uri);
	add_number(params, VIR_MIGRATE_PARAM_BANDWIDTH, migration->bandwidth_mib_per_s);
	add_number(params, PARAM_SWITCHOVER_BANDWIDTH,
		   migration->switchover_bandwidth_mib_per_s);
	add_channels(params, migration->channels);
	if (migration->tls)
		add_text(params, VIR_MIGRATE_PARAM_TLS_DESTINATION, migration->tls_destination);
}

static unsigned int flags_of(const struct migration *migration)
{
	/* Never VIR_MIGRATE_POSTCOPY: QEMU refuses it with a VFIO device even if never used. */
	unsigned int flags = VIR_MIGRATE_LIVE;

	if (migration->control != MLX5LM_CONTROL_DIRECT)
		flags |= VIR_MIGRATE_PEER2PEER;
	if (migration->persistent)
		flags |= VIR_MIGRATE_PERSIST_DEST | VIR_MIGRATE_UNDEFINE_SOURCE;
	if (migration->tls)
		flags |= VIR_MIGRATE_TLS;
	if (migration->channels)
		flags |= VIR_MIGRATE_PARALLEL;
	return flags;
}

static int migrate_direct(virDomainPtr domain, virConnectPtr destination,
			  const struct params *params, unsigned int flags)
{
	virDomainPtr moved = virDomainMigrate3(domain, destination, params->items,
					       (unsigned int)params->length, flags);

	if (!moved)
		return -1;
	virDomainFree(moved);
	return 0;
}

int domain_migrate(struct _virDomain *domain, struct _virConnect *destination,
		   const struct migration *migration, struct mlx5lm_error **reterr)
{
	const char *name = virDomainGetName(domain);
	bool is_direct = migration->control == MLX5LM_CONTROL_DIRECT;
	struct params params = { 0 };
	int r;

	if (is_direct ? !destination : !migration->peer_uri)
		return error_invalid(reterr, "the migration of domain '%s' lacks its destination",
				     name);
	add_params(migration, &params);
	r = params.result;
	if (r == 0 && is_direct)
		r = migrate_direct(domain, destination, &params, flags_of(migration));
	else if (r == 0)
		r = virDomainMigrateToURI3(domain, migration->peer_uri, params.items,
					   (unsigned int)params.length, flags_of(migration));
	/* libvirt calls it invalid where it or QEMU refuses the domain as it is. */
	if (r < 0)
		r = libvirt_error(reterr,
				  virGetLastErrorCode() == VIR_ERR_OPERATION_INVALID ?
					  MLX5LM_ERROR_DOMAIN :
					  MLX5LM_ERROR_MIGRATION,
				  "migration of domain '%s'%s%s failed", name,
				  is_direct ? "" : " to ", is_direct ? "" : migration->peer_uri);
	virTypedParamsFree(params.items, params.length);
	return r;
}

/* Any integer type: daemons have changed types of fields before. */
static struct fact_u64 param_u64(const virTypedParameter *param)
{
	switch (param->type) {
	case VIR_TYPED_PARAM_ULLONG:
		return fact_u64(param->value.ul);
	case VIR_TYPED_PARAM_UINT:
		return fact_u64(param->value.ui);
	case VIR_TYPED_PARAM_LLONG:
		if (param->value.l >= 0)
			return fact_u64((uint64_t)param->value.l);
		break;
	case VIR_TYPED_PARAM_INT:
		if (param->value.i >= 0)
			return fact_u64((uint64_t)param->value.i);
		break;
	default:
		break;
	}
	return (struct fact_u64){ 0 };
}

static const struct {
	const char *name;
	size_t offset;
} job_fields[] = {
#define JOB_FIELD(name, member) { name, offsetof(struct job_stats, member) }
	JOB_FIELD(VIR_DOMAIN_JOB_TIME_ELAPSED, time_elapsed_ms),
	JOB_FIELD(VIR_DOMAIN_JOB_TIME_ELAPSED_NET, time_elapsed_net_ms),
	JOB_FIELD(VIR_DOMAIN_JOB_DOWNTIME, downtime_ms),
	JOB_FIELD(VIR_DOMAIN_JOB_DOWNTIME_NET, downtime_net_ms),
	JOB_FIELD(VIR_DOMAIN_JOB_SETUP_TIME, setup_ms),
	JOB_FIELD(VIR_DOMAIN_JOB_DATA_TOTAL, data_total),
	JOB_FIELD(VIR_DOMAIN_JOB_DATA_PROCESSED, data_processed),
	JOB_FIELD(VIR_DOMAIN_JOB_DATA_REMAINING, data_remaining),
	JOB_FIELD(VIR_DOMAIN_JOB_MEMORY_TOTAL, memory_total),
	JOB_FIELD(VIR_DOMAIN_JOB_MEMORY_REMAINING, memory_remaining),
	JOB_FIELD(VIR_DOMAIN_JOB_MEMORY_BPS, memory_bytes_per_s),
	JOB_FIELD(VIR_DOMAIN_JOB_MEMORY_DIRTY_RATE, memory_dirty_pages_per_s),
	JOB_FIELD(VIR_DOMAIN_JOB_MEMORY_ITERATION, memory_iteration),
	JOB_FIELD(VIR_DOMAIN_JOB_MEMORY_PROCESSED, memory_processed),
	JOB_FIELD(VIR_DOMAIN_JOB_MEMORY_PAGE_SIZE, memory_page_size),
	JOB_FIELD(VIR_DOMAIN_JOB_AUTO_CONVERGE_THROTTLE, throttle_percent),
	JOB_FIELD(JOB_VFIO_TRANSFERRED, vfio_transferred),
};

static enum job_type job_type_of(int type)
{
	switch (type) {
	case VIR_DOMAIN_JOB_NONE:
		return JOB_NONE;
	case VIR_DOMAIN_JOB_BOUNDED:
	case VIR_DOMAIN_JOB_UNBOUNDED:
		return JOB_RUNNING;
	case VIR_DOMAIN_JOB_COMPLETED:
		return JOB_COMPLETED;
	case VIR_DOMAIN_JOB_FAILED:
		return JOB_FAILED;
	case VIR_DOMAIN_JOB_CANCELLED:
		return JOB_CANCELLED;
	default:
		return JOB_UNKNOWN;
	}
}

static bool param_is(const virTypedParameter *param, const char *name)
{
	return !strncmp(param->field, name, VIR_TYPED_PARAM_FIELD_LENGTH);
}

static enum job_operation operation_of(struct fact_u64 operation)
{
	if (!operation.known || operation.value == VIR_DOMAIN_JOB_OPERATION_UNKNOWN)
		return JOB_OPERATION_UNKNOWN;
	return operation.value == VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT ?
		       JOB_OPERATION_MIGRATION_OUT :
		       JOB_OPERATION_OTHER;
}

static void get_job(struct _virDomain *domain, unsigned int flags, struct job_stats *ret)
{
	virTypedParameterPtr params = NULL;
	int type = 0, length = 0;

	*ret = (struct job_stats){ 0 };
	if (virDomainGetJobStats(domain, &type, &params, &length, flags) < 0)
		return;
	ret->type = job_type_of(type);
	for (int i = 0; i < length; i++) {
		if (param_is(&params[i], VIR_DOMAIN_JOB_OPERATION))
			ret->operation = operation_of(param_u64(&params[i]));
		for (size_t j = 0; j < ARRAY_LENGTH(job_fields); j++) {
			if (param_is(&params[i], job_fields[j].name))
				*(struct fact_u64 *)((char *)ret + job_fields[j].offset) =
					param_u64(&params[i]);
		}
	}
	virTypedParamsFree(params, length);
}

void domain_get_job(struct _virDomain *domain, struct job_stats *ret)
{
	get_job(domain, 0, ret);
}

void domain_get_completed_job(struct _virDomain *domain, struct job_stats *ret)
{
	get_job(domain, VIR_DOMAIN_JOB_STATS_COMPLETED | VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED, ret);
}

int domain_abort_job(struct _virDomain *domain, struct mlx5lm_error **reterr)
{
	const char *name = virDomainGetName(domain);
	int code;

	if (virDomainAbortJob(domain) == 0)
		return 0;
	code = virGetLastErrorCode();
	libvirt_error(reterr, MLX5LM_ERROR_MIGRATION, "migration of domain '%s' cannot be aborted",
		      name);
	return code == VIR_ERR_OPERATION_INVALID || code == VIR_ERR_NO_DOMAIN ? -ESRCH : -EIO;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/domain.h"

#include <errno.h>
#include <stddef.h>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "sys/libvirt.h"

/*
 * Each call of libvirt's API forgets the last error, even virDomainGetName(): what a message
 * needs is asked before the call that may fail.
 */

/* libvirt 10.6 has a macro for it; its daemons may be newer than our headers. */
#define JOB_VFIO_TRANSFERRED "vfio_data_transferred"

int domain_find(struct _virConnect *connection, const char *name_or_uuid, struct _virDomain **ret,
		struct mlx5lm_error **reterr)
{
	virDomainPtr domain;

	domain = virDomainLookupByUUIDString(connection, name_or_uuid);
	/* A name may look like a UUID, and a text that is no UUID is not looked up as one. */
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

int domain_get_xml(struct _virDomain *domain, bool migratable, char **ret,
		   struct mlx5lm_error **reterr)
{
	const char *name = virDomainGetName(domain);
	/* Without its secrets the domain would lose the passwords of its graphics on the way. */
	unsigned int flags = migratable ? VIR_DOMAIN_XML_MIGRATABLE | VIR_DOMAIN_XML_SECURE : 0;
	char *xml = virDomainGetXMLDesc(domain, flags);

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

static int add_params(const struct migration *migration, virTypedParameterPtr *params,
		      int *length, int *allocated)
{
	int r;

	/*
	 * Both: without the second a persistent domain is defined at the destination with the
	 * source's VF.
	 */
	r = virTypedParamsAddString(params, length, allocated, VIR_MIGRATE_PARAM_DEST_XML,
				    migration->xml);
	if (r == 0)
		r = virTypedParamsAddString(params, length, allocated,
					    VIR_MIGRATE_PARAM_PERSIST_XML, migration->xml);
	if (r == 0 && migration->data_uri)
		r = virTypedParamsAddString(params, length, allocated, VIR_MIGRATE_PARAM_URI,
					    migration->data_uri);
	if (r == 0 && migration->bandwidth_mib_per_s)
		r = virTypedParamsAddULLong(params, length, allocated,
					    VIR_MIGRATE_PARAM_BANDWIDTH,
					    migration->bandwidth_mib_per_s);
	return r;
}

int domain_migrate(struct _virDomain *domain, const struct migration *migration,
		   struct mlx5lm_error **reterr)
{
	const char *name = virDomainGetName(domain);
	/* Never VIR_MIGRATE_POSTCOPY: QEMU refuses it with a VFIO device even if never used. */
	unsigned int flags = VIR_MIGRATE_LIVE | VIR_MIGRATE_PEER2PEER;
	virTypedParameterPtr params = NULL;
	int length = 0, allocated = 0, r;

	if (migration->persistent)
		flags |= VIR_MIGRATE_PERSIST_DEST | VIR_MIGRATE_UNDEFINE_SOURCE;
	r = add_params(migration, &params, &length, &allocated);
	if (r == 0)
		r = virDomainMigrateToURI3(domain, migration->destination_uri, params,
					   (unsigned int)length, flags);
	/* libvirt calls it invalid where it or QEMU refuses the domain as it is. */
	if (r < 0)
		r = libvirt_error(reterr,
				  virGetLastErrorCode() == VIR_ERR_OPERATION_INVALID ?
					  MLX5LM_ERROR_DOMAIN :
					  MLX5LM_ERROR_MIGRATION,
				  "migration of domain '%s' to %s failed",
				  name, migration->destination_uri);
	virTypedParamsFree(params, length);
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

static void get_job(struct _virDomain *domain, unsigned int flags, struct job_stats *ret)
{
	virTypedParameterPtr params = NULL;
	int type = 0, length = 0;

	*ret = (struct job_stats){ 0 };
	if (virDomainGetJobStats(domain, &type, &params, &length, flags) < 0)
		return;
	ret->type = job_type_of(type);
	for (int i = 0; i < length; i++) {
		for (size_t j = 0; j < ARRAY_LENGTH(job_fields); j++) {
			if (!strncmp(params[i].field, job_fields[j].name,
				     VIR_TYPED_PARAM_FIELD_LENGTH))
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

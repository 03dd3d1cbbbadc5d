// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/preflight.h"

#include <errno.h>

#include "core/compare_internal.h"
#include "core/compare_rules.h"
#include "core/host_libvirt.h"
#include "core/pairing.h"

static int refuse_vf(struct mlx5lm_error **reterr, int errnum, const char *side, const char *bdf,
		     const char *reason, const char *remedy)
{
	error_set(reterr, MLX5LM_ERROR_VF, errnum, MLX5LM_SOURCE_LIBRARY,
		  "VF %s of the %s cannot take part: %s", bdf, side, reason);
	if (remedy)
		error_add_remedy(reterr, "at the %s: %s", side, remedy);
	return -errnum;
}

static const char *text_of(const struct mlx5lm_finding *finding, enum mlx5lm_finding_key key)
{
	return finding->text[key] ? finding->text[key] : "unknown";
}

static int refuse_hosts(struct mlx5lm_error **reterr, const struct mlx5lm_finding *finding)
{
	error_set(reterr, MLX5LM_ERROR_INCOMPATIBLE, EOPNOTSUPP, MLX5LM_SOURCE_LIBRARY,
		  "the hosts differ in %s: %s has %s, the destination has %s",
		  text_of(finding, MLX5LM_FINDING_ID), text_of(finding, MLX5LM_FINDING_OBJECT),
		  text_of(finding, MLX5LM_FINDING_SOURCE),
		  text_of(finding, MLX5LM_FINDING_DESTINATION));
	if (finding->text[MLX5LM_FINDING_MESSAGE])
		error_add_detail(reterr, "%s", finding->text[MLX5LM_FINDING_MESSAGE]);
	if (finding->text[MLX5LM_FINDING_REMEDY])
		error_add_remedy(reterr, "%s", finding->text[MLX5LM_FINDING_REMEDY]);
	return -EOPNOTSUPP;
}

static const struct mlx5lm_finding *first_failure(const struct mlx5lm_findings *findings)
{
	for (size_t i = 0; i < findings->length; i++) {
		if (findings->items[i].status == MLX5LM_STATUS_FAIL)
			return &findings->items[i];
	}
	return NULL;
}

static int refuse_pfs(struct mlx5lm_error **reterr, const struct mlx5lm_host *source,
		      const struct mlx5lm_host *destination, const struct unpaired *unpaired)
{
	struct mlx5lm_findings findings = { 0 };
	const struct mlx5lm_finding *failure;
	int r;

	if (!unpaired->nearest)
		return error_set(reterr, MLX5LM_ERROR_INCOMPATIBLE, ENODEV, MLX5LM_SOURCE_LIBRARY,
				 "the destination's snapshot has no mlx5 adapter");
	r = pf_rules_compare(source, unpaired->source_pf, destination, unpaired->nearest,
			     &findings);
	failure = r < 0 ? NULL : first_failure(&findings);
	r = failure ? refuse_hosts(reterr, failure) : error_no_memory(reterr);
	findings_release(&findings);
	return r;
}

static int refuse_domain_vf(struct mlx5lm_error **reterr, const struct domain_xml *domain,
			    const struct unpaired *unpaired)
{
	if (unpaired->reason == UNPAIRED_NOT_OF_DOMAIN ||
	    !domain_xml_has(domain, unpaired->source))
		return error_set(reterr, MLX5LM_ERROR_VF, ENODEV, MLX5LM_SOURCE_LIBRARY,
				 "domain '%s' does not have the VF %s", domain->name,
				 unpaired->source);
	error_set(reterr, MLX5LM_ERROR_VF, ENODEV, MLX5LM_SOURCE_LIBRARY,
		  "domain '%s' has the PCI device %s, which is no mlx5 VF of the source's snapshot",
		  domain->name, unpaired->source);
	error_add_remedy(reterr, "%s", unpaired->remedy);
	return -ENODEV;
}

/* What stands in the way is at the destination, and the text names it. */
static int refuse_destination(struct mlx5lm_error **reterr, const struct unpaired *unpaired)
{
	int errnum = unpaired->busy ? EBUSY : EOPNOTSUPP;

	if (unpaired->reason == UNPAIRED_WANTED_MISSING)
		errnum = ENODEV;
	error_set(reterr, MLX5LM_ERROR_VF, errnum, MLX5LM_SOURCE_LIBRARY, "%s%s%s%s",
		  unpaired->reason == UNPAIRED_NO_VF ? "no counterpart for VF " : "",
		  unpaired->reason == UNPAIRED_NO_VF ? unpaired->source : "",
		  unpaired->reason == UNPAIRED_NO_VF ? ": " : "", unpaired->text);
	error_add_remedy(reterr, "at the destination: %s", unpaired->remedy);
	return -errnum;
}

static int refuse(struct mlx5lm_error **reterr, const struct mlx5lm_host *source,
		  const struct mlx5lm_host *destination, const struct domain_xml *domain,
		  const struct unpaired *unpaired)
{
	switch (unpaired->reason) {
	case UNPAIRED_NOT_A_VF:
	case UNPAIRED_NOT_OF_DOMAIN:
		return refuse_domain_vf(reterr, domain, unpaired);
	case UNPAIRED_SOURCE_UNFIT:
		return refuse_vf(reterr, EOPNOTSUPP, "source", unpaired->source, unpaired->text,
				 unpaired->remedy);
	case UNPAIRED_NO_PF:
		return refuse_pfs(reterr, source, destination, unpaired);
	default:
		return refuse_destination(reterr, unpaired);
	}
}

/* The wish for a VF that the domain lacks is a slip, whatever else there is. */
static const struct unpaired *most_telling(const struct pairing *pairing)
{
	for (size_t i = 0; i < pairing->num_unpaired; i++) {
		if (pairing->unpaired[i].reason == UNPAIRED_NOT_OF_DOMAIN)
			return &pairing->unpaired[i];
	}
	return &pairing->unpaired[0];
}

static int check_other_host(const struct mlx5lm_host *source,
			    const struct mlx5lm_host *destination, struct mlx5lm_error **reterr)
{
	bool same_daemon = streq(source->libvirt_uuid, destination->libvirt_uuid);

	if (!same_daemon && !streq(source->boot_id, destination->boot_id))
		return 0;
	error_set(reterr, MLX5LM_ERROR_INCOMPATIBLE, EOPNOTSUPP, MLX5LM_SOURCE_LIBRARY,
		  "source and destination are the same host (host.same): both snapshots have the "
		  "%s %s", same_daemon ? "libvirt host UUID" : "boot id",
		  same_daemon ? source->libvirt_uuid : source->boot_id);
	if (same_daemon)
		error_add_remedy(reterr, "if these are two machines, set host_uuid in "
				 "libvirtd.conf");
	else
		error_add_remedy(reterr, "take the second snapshot on the destination");
	return -EOPNOTSUPP;
}

/* The VFs of a pair may differ in a way that only the last moment of a migration would show. */
static int check_pairs(const struct mlx5lm_host *source, const struct mlx5lm_host *destination,
		       const struct pairing *pairing, struct mlx5lm_error **reterr)
{
	struct mlx5lm_findings findings = { 0 };
	const struct mlx5lm_finding *failure;
	int r = 0;

	for (size_t i = 0; i < pairing->num_pairs; i++)
		compare_pair(source, destination, &pairing->pairs[i], &findings);
	failure = first_failure(&findings);
	if (findings.error)
		r = error_no_memory(reterr);
	else if (failure)
		r = refuse_hosts(reterr, failure);
	findings_release(&findings);
	return r;
}

int preflight_map_vfs(const struct mlx5lm_host *source, const struct mlx5lm_host *destination,
		      const struct domain_xml *domain, const struct pairing_wishes *wishes,
		      struct vf_mappings *ret, struct mlx5lm_error **reterr)
{
	_cleanup_pairing_ struct pairing pairing = { 0 };
	int r;

	if (!domain->num_hostdevs)
		return error_set(reterr, MLX5LM_ERROR_DOMAIN, EOPNOTSUPP, MLX5LM_SOURCE_LIBRARY,
				 "domain '%s' has no mlx5 VF", domain->name);
	r = check_other_host(source, destination, reterr);
	if (r < 0)
		return r;
	if (pairing_make(source, destination, domain, wishes, &pairing) < 0)
		return error_no_memory(reterr);
	if (pairing.num_unpaired)
		return refuse(reterr, source, destination, domain, most_telling(&pairing));
	r = check_pairs(source, destination, &pairing, reterr);
	if (r < 0)
		return r;
	if (pairing_get_mappings(&pairing, domain, destination, ret) < 0)
		return error_no_memory(reterr);
	return 0;
}

/* By the beginning of a finding's id; the first that fits counts. */
static const struct {
	const char *id;
	enum mlx5lm_reason reason;
} reasons[] = {
	{ "host.same", MLX5LM_REASON_SAME_HOST },
	{ "host.", MLX5LM_REASON_HOSTS_INCOMPATIBLE },
	{ "pf.", MLX5LM_REASON_HOSTS_INCOMPATIBLE },
	{ "vf.dirty_tracking", MLX5LM_REASON_NO_DIRTY_TRACKING },
	{ "vf.", MLX5LM_REASON_VF_UNFIT },
	{ "domain.cpu", MLX5LM_REASON_CPU },
	{ "domain.arch", MLX5LM_REASON_CPU },
	{ "domain.machine", MLX5LM_REASON_MACHINE_TYPE },
	{ "domain.disk", MLX5LM_REASON_DISK },
	{ "domain.cache", MLX5LM_REASON_DISK },
	{ "domain.media", MLX5LM_REASON_DISK },
	{ "domain.viommu", MLX5LM_REASON_VIOMMU },
	{ "domain.postcopy", MLX5LM_REASON_POSTCOPY },
	{ "domain.memory", MLX5LM_REASON_TOO_MUCH_MEMORY },
	{ "domain.memlock", MLX5LM_REASON_MEMORY_PINNING },
	{ "domain.hard_limit", MLX5LM_REASON_MEMORY_PINNING },
	{ "domain.vfs", MLX5LM_REASON_VF_UNFIT },
	{ "domain.", MLX5LM_REASON_DOMAIN_UNFIT },
	{ "session.downtime_limit", MLX5LM_REASON_NEVER_CONVERGES },
};

static enum mlx5lm_reason reason_of(const char *id)
{
	for (size_t i = 0; i < ARRAY_LENGTH(reasons); i++) {
		if (!strncmp(id, reasons[i].id, strlen(reasons[i].id)))
			return reasons[i].reason;
	}
	return MLX5LM_REASON_OTHER;
}

int preflight_refuse(const struct mlx5lm_findings *findings, enum mlx5lm_reason *ret_reason,
		     struct mlx5lm_error **reterr)
{
	const struct mlx5lm_finding *failure = first_failure(findings);
	const char *found, *required;

	if (!failure)
		return error_no_memory(reterr);
	*ret_reason = reason_of(text_of(failure, MLX5LM_FINDING_ID));
	if (failure->text[MLX5LM_FINDING_SOURCE] || failure->text[MLX5LM_FINDING_DESTINATION])
		return refuse_hosts(reterr, failure);
	found = failure->text[MLX5LM_FINDING_FOUND];
	required = failure->text[MLX5LM_FINDING_REQUIRED];
	error_set(reterr, MLX5LM_ERROR_DOMAIN, EOPNOTSUPP, MLX5LM_SOURCE_LIBRARY,
		  "%s (%s): %s", text_of(failure, MLX5LM_FINDING_OBJECT),
		  text_of(failure, MLX5LM_FINDING_ID), text_of(failure, MLX5LM_FINDING_MESSAGE));
	if (found)
		error_add_detail(reterr, "found %s%s%s", found, required ? ", required " : "",
				 required ? required : "");
	if (failure->text[MLX5LM_FINDING_REMEDY])
		error_add_remedy(reterr, "%s", failure->text[MLX5LM_FINDING_REMEDY]);
	return -EOPNOTSUPP;
}

int preflight_check_plain(const struct mlx5lm_domain *domain, uint64_t migrate_flags,
			  struct mlx5lm_findings *findings)
{
	struct mlx5lm_findings all = { 0 };
	int r = domain_check(domain, NULL, NULL, migrate_flags, &all);

	for (size_t i = all.length; i-- > 0;) {
		/* That it has no VF is what it is here for. */
		if (!streq(all.items[i].text[MLX5LM_FINDING_ID], "domain.vfs"))
			continue;
		memmove(&all.items[i], &all.items[i + 1],
			(--all.length - i) * sizeof(all.items[0]));
	}
	if (r == 0)
		r = findings_move(findings, &all);
	findings_release(&all);
	return r;
}

void preflight_choose_drivers(const struct mlx5lm_host *destination,
			      const struct libvirt_facts *daemon, const struct domain_xml *domain,
			      struct vf_mappings *mappings)
{
	for (size_t i = 0; i < mappings->length; i++) {
		struct vf_mapping *mapping = &mappings->items[i];
		const struct hostdev *hostdev = domain_xml_find(domain, mapping->source);

		if (hostdev && daemon->daemon_version.known)
			mapping->driver = domain_map_driver(destination, daemon->daemon_version,
							    hostdev);
	}
}

static int check_uuids(const struct libvirt_facts *source, const struct libvirt_facts *destination,
		       struct mlx5lm_error **reterr)
{
	_cleanup_free_ char *a = NULL, *b = NULL;
	int r = 0;

	if (source->capabilities_xml)
		r = capabilities_xml_uuid(source->capabilities_xml, &a, reterr);
	if (r == 0 && destination->capabilities_xml)
		r = capabilities_xml_uuid(destination->capabilities_xml, &b, reterr);
	if (r < 0 || !streq(a, b))
		return r;
	error_set(reterr, MLX5LM_ERROR_INCOMPATIBLE, EOPNOTSUPP, MLX5LM_SOURCE_LIBRARY,
		  "source and destination are the same host for libvirt: both daemons have the "
		  "host UUID %s", a);
	error_add_remedy(reterr, "if these are two machines, set host_uuid in libvirtd.conf");
	return -EOPNOTSUPP;
}

int preflight_check_daemons(const struct libvirt_facts *source,
			    const struct libvirt_facts *destination,
			    const struct domain_xml *domain, const struct vf_mappings *mappings,
			    struct mlx5lm_error **reterr)
{
	int r = check_uuids(source, destination, reterr);

	if (r < 0)
		return r;
	for (size_t i = 0; i < destination->num_domains; i++) {
		const struct libvirt_domain *other = &destination->domains[i];

		if (streq(other->name, domain->name) || streq(other->uuid, domain->uuid))
			return error_set(reterr, MLX5LM_ERROR_DOMAIN, EEXIST,
					 MLX5LM_SOURCE_LIBRARY,
					 "the destination runs a domain '%s' (%s) already",
					 other->name, other->uuid);
	}
	for (size_t i = 0; i < mappings->length; i++) {
		const char *user = NULL, *bdf = mappings->items[i].destination;

		r = libvirt_facts_find_user(destination, bdf, &user);
		if (r < 0)
			return error_no_memory(reterr);
		if (user) {
			_cleanup_free_ char *reason = str_printf("domain %s uses it", user);

			return refuse_vf(reterr, EBUSY, "destination", bdf,
					 reason ? reason : "a domain uses it",
					 "choose another VF");
		}
	}
	return 0;
}

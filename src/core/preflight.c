// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/preflight.h"

#include <errno.h>

#include "base/array.h"
#include "core/compare.h"
#include "core/host_libvirt.h"
#include "core/vf_ready.h"

void vf_mappings_release(struct vf_mappings *mappings)
{
	free(mappings->items);
	*mappings = (struct vf_mappings){ 0 };
}

int vf_mappings_add(struct vf_mappings *mappings, const char *source, const char *destination)
{
	struct vf_mapping *mapping;
	struct bdf from, to;

	if (bdf_parse(source, &from) < 0 || bdf_parse(destination, &to) < 0)
		return -EINVAL;
	if (array_reserve(&mappings->items, &mappings->allocated, mappings->length + 1,
			  sizeof(*mapping)))
		return -ENOMEM;
	mapping = &mappings->items[mappings->length++];
	bdf_format(&from, mapping->source);
	bdf_format(&to, mapping->destination);
	return 0;
}

const struct vf_mapping *vf_mappings_find(const struct vf_mappings *mappings, const char *source)
{
	for (size_t i = 0; i < mappings->length; i++) {
		if (bdf_equal(mappings->items[i].source, source))
			return &mappings->items[i];
	}
	return NULL;
}

bool vf_mappings_has_destination(const struct vf_mappings *mappings, const char *destination)
{
	for (size_t i = 0; i < mappings->length; i++) {
		if (bdf_equal(mappings->items[i].destination, destination))
			return true;
	}
	return false;
}

/* What one pairing run works on. */
struct pairing {
	const struct mlx5lm_host *source;
	const struct mlx5lm_host *destination;
	const struct domain_xml *domain;
	const struct vf_mappings *wanted;
	struct mlx5lm_comparison comparison;
	struct vf_mappings mappings;
};

static void pairing_release(struct pairing *pairing)
{
	comparison_release(&pairing->comparison);
	vf_mappings_release(&pairing->mappings);
}

static int refuse_vf(struct mlx5lm_error **reterr, int errnum, const char *side, const char *bdf,
		     const char *reason, const char *remedy)
{
	error_set(reterr, MLX5LM_ERROR_VF, errnum, MLX5LM_SOURCE_LIBRARY,
		  "VF %s of the %s cannot take part: %s", bdf, side, reason);
	if (remedy)
		error_add_remedy(reterr, "at the %s: %s", side, remedy);
	return -errnum;
}

static int check_role(const struct mlx5lm_pf *pf, const struct mlx5lm_vf *vf, enum vf_role role,
		      struct mlx5lm_error **reterr)
{
	_cleanup_vf_unfit_ struct vf_unfit unfit = { 0 };

	if (vf_check_role(pf, vf, role, &unfit) < 0)
		return error_no_memory(reterr);
	if (!unfit.reason)
		return 0;
	return refuse_vf(reterr, role == VF_DESTINATION && vf->in_use_by ? EBUSY : EOPNOTSUPP,
			 role == VF_SOURCE ? "source" : "destination", vf->bdf, unfit.reason,
			 unfit.remedy);
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

/* 0 if a VF of one PF can go to one of the other. */
static int check_pfs(const struct mlx5lm_pf *source, const struct mlx5lm_pf *destination,
		     struct mlx5lm_error **reterr)
{
	struct mlx5lm_findings findings = { 0 };
	const struct mlx5lm_finding *failure;
	int r = 0;

	if (compare_pfs(source, destination, &findings) < 0) {
		findings_release(&findings);
		return error_no_memory(reterr);
	}
	failure = first_failure(&findings);
	if (failure)
		r = refuse_hosts(reterr, failure);
	findings_release(&findings);
	return r;
}

static int map_as_wanted(struct pairing *pairing, const struct mlx5lm_pf *source_pf,
			 const struct vf_mapping *wanted, struct mlx5lm_error **reterr)
{
	const struct mlx5lm_pf *pf;
	const struct mlx5lm_vf *vf;
	int r;

	vf = host_find_vf(pairing->destination, wanted->destination, &pf);
	if (!vf)
		return refuse_vf(reterr, ENODEV, "destination", wanted->destination,
				 "the snapshot has no such VF",
				 "lspci -D -d 15b3: shows the VFs; take a new snapshot");
	r = check_pfs(source_pf, pf, reterr);
	if (r == 0)
		r = check_role(pf, vf, VF_DESTINATION, reterr);
	if (r < 0)
		return r;
	if (vf_mappings_add(&pairing->mappings, wanted->source, wanted->destination) < 0)
		return error_no_memory(reterr);
	return 0;
}

/* May this VF take over another one that is not named in the options? 1, 0 or -ENOMEM. */
static int is_free(const struct pairing *pairing, const struct mlx5lm_pf *pf,
		   const struct mlx5lm_vf *vf)
{
	_cleanup_vf_unfit_ struct vf_unfit unfit = { 0 };

	if (!vf->bdf || vf_mappings_has_destination(pairing->wanted, vf->bdf) ||
	    vf_mappings_has_destination(&pairing->mappings, vf->bdf))
		return 0;
	if (vf_check_role(pf, vf, VF_DESTINATION, &unfit) < 0)
		return -ENOMEM;
	return !unfit.reason;
}

/* The counterpart in the hosts' comparison, if nobody has taken it. 1, 0 or -ENOMEM. */
static int find_compared(const struct pairing *pairing, const char *source, const char **ret)
{
	for (size_t i = 0; i < pairing->comparison.num_pairs; i++) {
		const struct vf_pair *pair = &pairing->comparison.pairs[i];
		const struct mlx5lm_pf *pf;
		const struct mlx5lm_vf *vf;

		if (!bdf_equal(pair->source, source))
			continue;
		vf = host_find_vf(pairing->destination, pair->destination, &pf);
		if (!vf)
			return 0;
		*ret = vf->bdf;
		return is_free(pairing, pf, vf);
	}
	return 0;
}

/* Any free, ready VF behind a PF that matches. 1, 0 or -errno. */
static int find_any(const struct pairing *pairing, const struct mlx5lm_pf *source_pf,
		    const char **ret)
{
	for (size_t i = 0; i < pairing->destination->num_pfs; i++) {
		const struct mlx5lm_pf *pf = &pairing->destination->pfs[i];
		int r = check_pfs(source_pf, pf, NULL);

		if (r == -ENOMEM)
			return r;
		for (size_t j = 0; r == 0 && j < pf->num_vfs; j++) {
			r = is_free(pairing, pf, &pf->vfs[j]);
			if (r > 0)
				*ret = pf->vfs[j].bdf;
			if (r != 0)
				return r;
		}
	}
	return 0;
}

/* Why there is no counterpart: either no PF matches, or no VF behind a PF that does is fit. */
static int explain(const struct pairing *pairing, const struct mlx5lm_pf *source_pf,
		   const char *source, struct mlx5lm_error **reterr)
{
	_cleanup_error_ struct mlx5lm_error *mismatch = NULL;
	const struct mlx5lm_pf *match = NULL;
	int r;

	for (size_t i = 0; i < pairing->destination->num_pfs; i++) {
		const struct mlx5lm_pf *pf = &pairing->destination->pfs[i];

		if (check_pfs(source_pf, pf, mismatch ? NULL : &mismatch) < 0)
			continue;
		match = pf;
		for (size_t j = 0; j < pf->num_vfs; j++) {
			r = check_role(pf, &pf->vfs[j], VF_DESTINATION, reterr);
			if (r < 0) {
				error_add_prefix(reterr, "no counterpart for VF %s: ", source);
				return r;
			}
		}
	}
	if (match)
		return refuse_vf(reterr, ENODEV, "source", source,
				 "the destination has no free VF left for it",
				 "create more VFs at the destination");
	if (mismatch)
		return error_pass(reterr, TAKE(mismatch));
	return error_set(reterr, MLX5LM_ERROR_INCOMPATIBLE, ENODEV, MLX5LM_SOURCE_LIBRARY,
			 "the destination's snapshot has no mlx5 adapter");
}

static int map_unnamed(struct pairing *pairing, const struct mlx5lm_pf *source_pf,
		       const char *source, struct mlx5lm_error **reterr)
{
	const char *destination = NULL;
	int r;

	r = find_compared(pairing, source, &destination);
	if (r == 0)
		r = find_any(pairing, source_pf, &destination);
	if (r == 0)
		return explain(pairing, source_pf, source, reterr);
	if (r < 0 || vf_mappings_add(&pairing->mappings, source, destination) < 0)
		return error_no_memory(reterr);
	return 0;
}

static int map_hostdev(struct pairing *pairing, const struct hostdev *hostdev,
		       struct mlx5lm_error **reterr)
{
	const struct vf_mapping *wanted = vf_mappings_find(pairing->wanted, hostdev->bdf);
	const struct mlx5lm_pf *pf;
	const struct mlx5lm_vf *vf;
	int r;

	vf = host_find_vf(pairing->source, hostdev->bdf, &pf);
	if (!vf) {
		error_set(reterr, MLX5LM_ERROR_VF, ENODEV, MLX5LM_SOURCE_LIBRARY,
			  "domain '%s' has the PCI device %s, which is no mlx5 VF of the source's "
			  "snapshot", pairing->domain->name, hostdev->bdf);
		error_add_remedy(reterr, "detach it (virsh detach-device), or take a new snapshot");
		return -ENODEV;
	}
	r = check_role(pf, vf, VF_SOURCE, reterr);
	if (r < 0)
		return r;
	return wanted ? map_as_wanted(pairing, pf, wanted, reterr) :
			map_unnamed(pairing, pf, hostdev->bdf, reterr);
}

static int check_wanted(const struct pairing *pairing, struct mlx5lm_error **reterr)
{
	for (size_t i = 0; i < pairing->wanted->length; i++) {
		const char *source = pairing->wanted->items[i].source;

		if (!domain_xml_has(pairing->domain, source))
			return error_set(reterr, MLX5LM_ERROR_VF, ENODEV, MLX5LM_SOURCE_LIBRARY,
					 "domain '%s' does not have the VF %s",
					 pairing->domain->name, source);
	}
	return 0;
}

static int check_other_host(const struct pairing *pairing, struct mlx5lm_error **reterr)
{
	const struct mlx5lm_findings *findings = &pairing->comparison.findings;

	for (size_t i = 0; i < findings->length; i++) {
		if (streq(findings->items[i].text[MLX5LM_FINDING_ID], "host.same"))
			return refuse_hosts(reterr, &findings->items[i]);
	}
	return 0;
}

int preflight_map_vfs(const struct mlx5lm_host *source, const struct mlx5lm_host *destination,
		      const struct domain_xml *domain, const struct vf_mappings *wanted,
		      struct vf_mappings *ret, struct mlx5lm_error **reterr)
{
	_cleanup_(pairing_release) struct pairing pairing = { .source = source,
							      .destination = destination,
							      .domain = domain,
							      .wanted = wanted };
	int r;

	if (!domain->num_hostdevs)
		return error_set(reterr, MLX5LM_ERROR_DOMAIN, EOPNOTSUPP, MLX5LM_SOURCE_LIBRARY,
				 "domain '%s' has no mlx5 VF", domain->name);
	r = check_wanted(&pairing, reterr);
	if (r < 0)
		return r;
	if (compare_hosts(source, destination, &pairing.comparison) < 0)
		return error_no_memory(reterr);
	r = check_other_host(&pairing, reterr);
	for (size_t i = 0; r == 0 && i < domain->num_hostdevs; i++)
		r = map_hostdev(&pairing, &domain->hostdevs[i], reterr);
	if (r < 0)
		return r;
	*ret = pairing.mappings;
	pairing.mappings = (struct vf_mappings){ 0 };
	return 0;
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

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/compare.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/array.h"
#include "core/json_text.h"
#include "core/profile.h"
#include "core/version_rule.h"
#include "core/vf_ready.h"

const char *const verdict_names[] = {
	[MLX5LM_VERDICT_UNKNOWN] = "unknown",
	[MLX5LM_VERDICT_COMPATIBLE] = "compatible",
	[MLX5LM_VERDICT_INCOMPATIBLE] = "incompatible",
};

static struct mlx5lm_finding *add(struct mlx5lm_findings *findings, enum mlx5lm_status status,
				  const char *id, const char *object, const char *source,
				  const char *destination, const char *message)
{
	struct mlx5lm_finding *finding = findings_add(findings, status, id, object);

	finding_set(findings, finding, MLX5LM_FINDING_SOURCE, "%s", source ? source : "unknown");
	finding_set(findings, finding, MLX5LM_FINDING_DESTINATION, "%s",
		    destination ? destination : "unknown");
	finding_set(findings, finding, MLX5LM_FINDING_MESSAGE, "%s", message);
	return finding;
}

#define REMEDY(...) finding_set(findings, finding, MLX5LM_FINDING_REMEDY, __VA_ARGS__)

static enum mlx5lm_status equal_or(enum mlx5lm_status otherwise, const char *a, const char *b)
{
	if (!a || !b)
		return MLX5LM_STATUS_UNKNOWN;
	return streq(a, b) ? MLX5LM_STATUS_PASS : otherwise;
}

static void compare_psid(struct mlx5lm_findings *findings, const struct mlx5lm_pf *source,
			 const struct mlx5lm_pf *destination)
{
	enum mlx5lm_status status =
		equal_or(MLX5LM_STATUS_FAIL, source->psid, destination->psid);
	struct mlx5lm_finding *finding = add(findings, status, "firmware.psid", source->bdf,
					     source->psid, destination->psid,
					     status == MLX5LM_STATUS_PASS ?
						     "same PSID" :
						     "the firmware of a VF's state and of the PF "
						     "that loads it must have the same PSID");

	if (status == MLX5LM_STATUS_FAIL)
		REMEDY("choose a destination with an identical adapter (PSID %s)", source->psid);
	else if (status == MLX5LM_STATUS_UNKNOWN)
		REMEDY("bind mlx5_core to both PFs and probe again");
}

static void compare_firmware(struct mlx5lm_findings *findings, const struct mlx5lm_pf *source,
			     const struct mlx5lm_pf *destination)
{
	const char *a = source->fw_running, *b = destination->fw_running;
	enum mlx5lm_status status = equal_or(MLX5LM_STATUS_FAIL, a, b);
	struct mlx5lm_finding *finding =
		add(findings, status, "firmware.version", source->bdf, a, b,
		    status == MLX5LM_STATUS_PASS ? "same running firmware" :
						   "the running firmware must be the same");
	struct version x, y;

	if (status == MLX5LM_STATUS_UNKNOWN)
		REMEDY("bind mlx5_core to both PFs and probe again");
	if (status != MLX5LM_STATUS_FAIL)
		return;
	if (version_parse(a, &x) < 0 || version_parse(b, &y) < 0)
		REMEDY("bring both PFs to one firmware version");
	else if (version_compare(&x, &y) < 0)
		REMEDY("update the source's PF %s from %s to %s, or choose another destination",
		       source->bdf, a, b);
	else
		REMEDY("update the destination's PF %s from %s to %s, or choose another "
		       "destination", destination->bdf, b, a);
}

static void compare_ids(struct mlx5lm_findings *findings, const char *id, const char *what,
			const struct mlx5lm_pf *pf, const struct fact_u64 *a,
			const struct fact_u64 *b)
{
	char source[17], destination[17];
	enum mlx5lm_status status;

	snprintf(source, sizeof(source), "%04" PRIx64, a->value);
	snprintf(destination, sizeof(destination), "%04" PRIx64, b->value);
	status = equal_or(MLX5LM_STATUS_FAIL, a->known ? source : NULL,
			  b->known ? destination : NULL);
	add(findings, status, id, pf->bdf, a->known ? source : NULL, b->known ? destination : NULL,
	    what);
}

int compare_pfs(const struct mlx5lm_pf *source, const struct mlx5lm_pf *destination,
		struct mlx5lm_findings *findings)
{
	compare_ids(findings, "adapter.device_id", "PCI device id of the PF", source,
		    &source->device_id, &destination->device_id);
	compare_ids(findings, "adapter.vf_device_id", "PCI device id of the VFs", source,
		    &source->sriov_vf_device_id, &destination->sriov_vf_device_id);
	compare_ids(findings, "adapter.class", "PCI class (link type)", source,
		    &source->class_code, &destination->class_code);
	compare_psid(findings, source, destination);
	compare_firmware(findings, source, destination);
	return findings->error;
}

/* Attributes a guest sees: a VF that moves to one with other values changes under the guest. */
static void compare_vfs(struct mlx5lm_findings *findings, const struct mlx5lm_vf *source,
			const struct mlx5lm_vf *destination)
{
	static const enum mlx5lm_port_attr attrs[] = {
		MLX5LM_PORT_ATTR_ROCE,
		MLX5LM_PORT_ATTR_IPSEC_CRYPTO,
		MLX5LM_PORT_ATTR_IPSEC_PACKET,
	};
	struct mlx5lm_finding *finding;

	for (size_t i = 0; i < ARRAY_LENGTH(attrs); i++) {
		uint32_t a = vf_attr_state(source, attrs[i]);
		uint32_t b = vf_attr_state(destination, attrs[i]);
		char id[32];

		if (a == b)
			continue;
		snprintf(id, sizeof(id), "vf.%s", name_of(&port_attr_names, attrs[i]));
		finding = add(findings, MLX5LM_STATUS_WARN, id, source->bdf,
			      name_of(&port_attr_state_names, a),
			      name_of(&port_attr_state_names, b),
			      "port function attribute differs");
		REMEDY("give VF %s of the destination the same setting", destination->bdf);
	}
	if (source->msix_count.known && destination->msix_count.known &&
	    source->msix_count.value != destination->msix_count.value) {
		char a[24], b[24];

		snprintf(a, sizeof(a), "%" PRIu64, source->msix_count.value);
		snprintf(b, sizeof(b), "%" PRIu64, destination->msix_count.value);
		finding = add(findings, MLX5LM_STATUS_WARN, "vf.msix_count", source->bdf, a, b,
			      "number of MSI-X vectors differs");
		REMEDY("create the same number of VFs on both PFs, or set sriov_vf_msix_count");
	}
	if (source->hw_addr && destination->hw_addr &&
	    !streq(source->hw_addr, destination->hw_addr)) {
		finding = add(findings, MLX5LM_STATUS_INFO, "vf.hw_addr", source->bdf,
			      source->hw_addr, destination->hw_addr,
			      "permanent MAC address differs");
		REMEDY("give VF %s of the destination the address of the source's VF",
		       destination->bdf);
	}
}

static void compare_software(struct mlx5lm_findings *findings, const struct mlx5lm_host *source,
			     const struct mlx5lm_host *destination)
{
	struct mlx5lm_finding *finding;
	struct version x, y;

	if (source->libvirt_uuid && streq(source->libvirt_uuid, destination->libvirt_uuid)) {
		finding = add(findings, MLX5LM_STATUS_FAIL, "host.same", "host",
			      source->libvirt_uuid, destination->libvirt_uuid,
			      "both snapshots have the same libvirt host UUID");
		REMEDY("if these are two machines, set host_uuid in libvirtd.conf");
	}
	if (source->kernel_release && destination->kernel_release &&
	    version_parse(source->kernel_release, &x) == 0 &&
	    version_parse(destination->kernel_release, &y) == 0 &&
	    (x.part[0] != y.part[0] || x.part[1] != y.part[1]))
		add(findings, MLX5LM_STATUS_WARN, "kernel.version", "host", source->kernel_release,
		    destination->kernel_release,
		    "the format of a VF's state has changed between kernels (6.2, 6.9)");
	if (source->qemu_version.known && destination->qemu_version.known &&
	    destination->qemu_version.value < source->qemu_version.value) {
		char a[24], b[24];

		x = version_from_libvirt(source->qemu_version.value);
		y = version_from_libvirt(destination->qemu_version.value);
		snprintf(a, sizeof(a), "%u.%u.%u", x.part[0], x.part[1], x.part[2]);
		snprintf(b, sizeof(b), "%u.%u.%u", y.part[0], y.part[1], y.part[2]);
		add(findings, MLX5LM_STATUS_WARN, "qemu.version", "host", a, b,
		    "migration to an older QEMU works only with a machine type that it knows");
	}
}

static bool is_paired(const struct mlx5lm_comparison *comparison, const char *destination)
{
	for (size_t i = 0; i < comparison->num_pairs; i++) {
		if (streq(comparison->pairs[i].destination, destination))
			return true;
	}
	return false;
}

static int add_pair(struct mlx5lm_comparison *comparison, const struct mlx5lm_vf *source,
		    const struct mlx5lm_vf *destination)
{
	struct vf_pair *pair;

	if (array_reserve(&comparison->pairs, &comparison->allocated_pairs,
			  comparison->num_pairs + 1, sizeof(*pair)))
		return -ENOMEM;
	pair = &comparison->pairs[comparison->num_pairs];
	pair->source = strdup(source->bdf);
	pair->destination = strdup(destination->bdf);
	if (!pair->source || !pair->destination) {
		free(pair->source);
		free(pair->destination);
		return -ENOMEM;
	}
	comparison->num_pairs++;
	compare_vfs(&comparison->findings, source, destination);
	return 0;
}

/* The VF of the same index if it is free and ready, else the first that is. 1 if found. */
static int pair_vf(struct mlx5lm_comparison *comparison, const struct mlx5lm_vf *source,
		   const struct mlx5lm_pf *destination)
{
	const struct mlx5lm_vf *best = NULL;

	for (size_t i = 0; i < destination->num_vfs; i++) {
		const struct mlx5lm_vf *vf = &destination->vfs[i];
		_cleanup_vf_unfit_ struct vf_unfit unfit = { 0 };
		int r = vf_check_role(destination, vf, VF_DESTINATION, &unfit);

		if (r < 0)
			return r;
		if (unfit.reason || !vf->bdf || is_paired(comparison, vf->bdf))
			continue;
		if (!best || (vf->index.known && source->index.known &&
			      vf->index.value == source->index.value))
			best = vf;
	}
	return best ? add_pair(comparison, source, best) ?: 1 : 0;
}

static int pair_pfs(struct mlx5lm_comparison *comparison, const struct mlx5lm_pf *source,
		    const struct mlx5lm_pf *destination, size_t *ready)
{
	for (size_t i = 0; i < source->num_vfs; i++) {
		_cleanup_vf_unfit_ struct vf_unfit unfit = { 0 };
		struct mlx5lm_findings *findings = &comparison->findings;
		struct mlx5lm_finding *finding;
		int r = vf_check_role(source, &source->vfs[i], VF_SOURCE, &unfit);

		if (r < 0)
			return r;
		if (unfit.reason || !source->vfs[i].bdf)
			continue;
		(*ready)++;
		r = pair_vf(comparison, &source->vfs[i], destination);
		if (r < 0)
			return r;
		if (r > 0)
			continue;
		/* Only a VF that a domain holds has to move. */
		finding = add(findings,
			      source->vfs[i].in_use_by ? MLX5LM_STATUS_FAIL : MLX5LM_STATUS_WARN,
			      "vf.free", source->vfs[i].bdf, source->vfs[i].bdf, "none",
			      "no free, ready VF is left at the destination");
		REMEDY("create more VFs there: mlx5lm-configure --pf %s --vfs %zu --apply",
		       destination->bdf, destination->num_vfs + 1);
	}
	return 0;
}

static size_t count(const struct mlx5lm_findings *findings, enum mlx5lm_status status)
{
	size_t number = 0;

	for (size_t i = 0; i < findings->length; i++)
		number += findings->items[i].status == status;
	return number;
}

/* The destination PF that differs least; its findings are kept. */
static int choose_pf(struct mlx5lm_comparison *comparison, const struct mlx5lm_pf *source,
		     const struct mlx5lm_host *destination, const struct mlx5lm_pf **ret)
{
	struct mlx5lm_findings best = { 0 };
	size_t best_score = SIZE_MAX;

	for (size_t i = 0; i < destination->num_pfs; i++) {
		struct mlx5lm_findings findings = { 0 };
		size_t score;
		int r = compare_pfs(source, &destination->pfs[i], &findings);

		if (r < 0) {
			findings_release(&findings);
			findings_release(&best);
			return r;
		}
		/* Unknown weighs less than differing; PFs without VFs come last. */
		score = count(&findings, MLX5LM_STATUS_FAIL) * 100 +
			count(&findings, MLX5LM_STATUS_UNKNOWN) * 10 +
			(destination->pfs[i].num_vfs == 0);
		if (score < best_score) {
			findings_release(&best);
			best = findings;
			best_score = score;
			*ret = &destination->pfs[i];
		} else {
			findings_release(&findings);
		}
	}
	return findings_move(&comparison->findings, &best);
}

static int compare_adapters(struct mlx5lm_comparison *comparison,
			    const struct mlx5lm_host *source,
			    const struct mlx5lm_host *destination)
{
	struct mlx5lm_findings *findings = &comparison->findings;
	struct mlx5lm_finding *finding;
	size_t ready = 0;

	if (!source->num_pfs || !destination->num_pfs) {
		add(findings, MLX5LM_STATUS_FAIL, "adapter.present", "host",
		    source->num_pfs ? "present" : "none", destination->num_pfs ? "present" : "none",
		    "both hosts need an mlx5 adapter");
		return 0;
	}
	for (size_t i = 0; i < source->num_pfs; i++) {
		const struct mlx5lm_pf *pf = NULL;
		size_t blockers = count(findings, MLX5LM_STATUS_FAIL);
		int r = choose_pf(comparison, &source->pfs[i], destination, &pf);

		if (r < 0)
			return r;
		/* A VF state that the other firmware refuses needs no counterpart. */
		if (count(findings, MLX5LM_STATUS_FAIL) > blockers) {
			ready += source->pfs[i].num_vfs;
			continue;
		}
		r = pair_pfs(comparison, &source->pfs[i], pf, &ready);
		if (r < 0)
			return r;
	}
	if (ready)
		return 0;
	finding = add(findings, MLX5LM_STATUS_FAIL, "vf.ready", "host", "none", "not looked at",
		      "the source has no VF that is ready for live migration");
	REMEDY("mlx5lm-configure --pf %s --vfs 2 --apply", source->pfs[0].bdf);
	return 0;
}

int compare_hosts(const struct mlx5lm_host *source, const struct mlx5lm_host *destination,
		  struct mlx5lm_comparison *comparison)
{
	int r;

	compare_software(&comparison->findings, source, destination);
	r = compare_adapters(comparison, source, destination);
	if (r < 0 || comparison->findings.error)
		return -ENOMEM;
	if (count(&comparison->findings, MLX5LM_STATUS_FAIL))
		comparison->verdict = MLX5LM_VERDICT_INCOMPATIBLE;
	else if (count(&comparison->findings, MLX5LM_STATUS_UNKNOWN) || !comparison->num_pairs)
		comparison->verdict = MLX5LM_VERDICT_UNKNOWN;
	else
		comparison->verdict = MLX5LM_VERDICT_COMPATIBLE;
	return 0;
}

void comparison_release(struct mlx5lm_comparison *comparison)
{
	for (size_t i = 0; i < comparison->num_pairs; i++) {
		free(comparison->pairs[i].source);
		free(comparison->pairs[i].destination);
	}
	free(comparison->pairs);
	findings_release(&comparison->findings);
	*comparison = (struct mlx5lm_comparison){ 0 };
}

static json_t *pairs_to_json(const struct mlx5lm_comparison *comparison)
{
	_cleanup_json_ json_t *array = json_array();

	for (size_t i = 0; array && i < comparison->num_pairs; i++) {
		if (json_array_append_new(array, json_pack("{s:s, s:s}", "source",
							   comparison->pairs[i].source,
							   "destination",
							   comparison->pairs[i].destination)))
			return NULL;
	}
	return TAKE(array);
}

int comparison_to_text(const struct mlx5lm_comparison *comparison, struct mlx5lm_text **ret)
{
	return json_to_text(json_pack("{s:s, s:i, s:s, s:o, s:o}", "schema", "mlx5lm.comparison",
				      "schema_version", 1, "verdict",
				      verdict_names[comparison->verdict], "pairs",
				      pairs_to_json(comparison), "findings",
				      findings_to_json(&comparison->findings)),
			    JSON_INDENT(2), ret);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/check_rules.h"

#include <errno.h>

/* What the VFs of a PF come to, and what makes a closer look at them needless. */
struct vfs_look {
	size_t total;
	size_t ready;
	size_t unknown;
	size_t not_opened;	/* fit, but nothing told the migration flags */
	size_t migrating;	/* whose VFIO device offers migration */
	size_t refusing;	/* whose VFIO device does not, though all else is right */
	const char *no_ports;	/* id of the finding that explains that none is migratable */
	const char *no_binding; /* the same for drivers and IOMMU groups */
};

/* Is vf asked for? */
static bool is_in_scope(const struct checker *checker, const struct mlx5lm_vf *vf)
{
	return !checker->only || checker->only == vf;
}

/* The finding of VFs that stands for all of them. */
static struct about summary(const struct checker *checker, const struct mlx5lm_pf *pf)
{
	return ABOUT_VF(pf, checker->only);
}

static bool is_unsupported(const struct mlx5lm_pf *pf)
{
	for (size_t i = 0; i < pf->num_vfs; i++) {
		if (pf->vfs[i].migratable == MLX5LM_PORT_ATTR_STATE_UNSUPPORTED)
			return true;
	}
	return false;
}

/* No port function shows the attribute: the kernel, the firmware or its NV configuration. */
static void remedy_unsupported(struct checker *checker, struct mlx5lm_finding *finding,
			       const struct mlx5lm_pf *pf)
{
	static const struct version first = { { 6, 2, 0 } };
	const char *release = checker->host->kernel_release;
	const struct mlx5lm_nv *nv = pf_find_nv(pf, "VF_MIGRATION_MODE");
	struct version version;

	if (release && version_is_plain(release) && version_parse(release, &version) == 0 &&
	    version_compare(&version, &first) < 0)
		REMEDY("boot Linux 6.2 or newer: this one has no migratable attribute");
	else if (nv && nv->current.known && nv->current.value == 2)
		REMEDY("update the firmware of %s: VF_MIGRATION_MODE is 2 and it still offers no "
		       "migration", pf->bdf);
	else if (nv && nv->next_boot.known && nv->next_boot.value == 2)
		REMEDY("reboot: VF_MIGRATION_MODE=2 is stored and waits for it");
	else
		REMEDY("%s -d %s set VF_MIGRATION_MODE=2, then reboot; if it is 2 already, update "
		       "the firmware", nv_tool(pf), pf->bdf);
}

static const char *why_no_ports(const struct mlx5lm_pf *pf)
{
	if (pf->eswitch_mode == MLX5LM_ESWITCH_LEGACY || pf->eswitch_mode == MLX5LM_ESWITCH_UNKNOWN)
		return "eswitch.mode";
	return "pf.migratable";
}

static void check_migratable(struct checker *checker, const struct mlx5lm_pf *pf)
{
	static const char message[] = "\"migratable\" of the VFs' port functions";
	bool offered = pf_offers_migratable(pf), unsupported = !offered && is_unsupported(pf);
	const char *cause = NULL;
	struct mlx5lm_finding *finding;

	if (unsupported && nv_fails(pf, "VF_MIGRATION_MODE"))
		cause = "nv.vf_migration_mode";
	else if (!offered && !unsupported && !pf->num_vfs)
		cause = pf->eswitch_mode == MLX5LM_ESWITCH_LEGACY ? "eswitch.mode" : "vf.ready";
	else if (!offered && !unsupported && streq(why_no_ports(pf), "eswitch.mode"))
		cause = "eswitch.mode";
	if (cause) {
		point_follows(checker, ABOUT_PF(pf), "pf.migratable", message, cause);
		return;
	}
	finding = point(checker, ABOUT_PF(pf), "pf.migratable",
			offered	    ? MLX5LM_STATUS_PASS :
			unsupported ? MLX5LM_STATUS_FAIL : MLX5LM_STATUS_UNKNOWN, message);
	FOUND("%s", offered ? "offered" : unsupported ? "unsupported" : "unknown");
	REQUIRED("offered by kernel and firmware");
	if (unsupported)
		remedy_unsupported(checker, finding, pf);
	else if (!offered)
		REMEDY("devlink port show: each VF of pci/%s must have a port", pf->bdf);
	for (size_t i = 0; i < pf->num_vfs && !offered; i++)
		EXPLAIN_VF(pf, &pf->vfs[i], migratable);
	for (size_t i = 0; i < pf->num_vfs && offered; i++) {
		if (pf->vfs[i].migratable < MLX5LM_PORT_ATTR_STATE_DISABLED)
			continue;
		EXPLAIN_VF(pf, &pf->vfs[i], migratable);
		break;
	}
}

static int look(struct checker *checker, const struct mlx5lm_pf *pf, struct vfs_look *look)
{
	if (!pf_offers_migratable(pf))
		look->no_ports = why_no_ports(pf);
	if (checker->host->iommu_active == MLX5LM_ANSWER_NO)
		look->no_binding = "iommu.active";
	else if (module_is_missing(checker->host, VARIANT_DRIVER))
		look->no_binding = "module." VARIANT_DRIVER;
	for (size_t i = 0; i < pf->num_vfs; i++) {
		const struct mlx5lm_vf *vf = &pf->vfs[i];
		_cleanup_vf_unfit_ struct vf_unfit unfit = { 0 };

		if (!is_in_scope(checker, vf))
			continue;
		if (vf_check_role(pf, vf, VF_SOURCE, &unfit) < 0)
			return -ENOMEM;
		look->total++;
		look->ready += !unfit.reason;
		look->unknown += unfit.unknown;
		look->not_opened += !unfit.reason && !vf->vfio_migration;
		look->migrating += vf->vfio_migration == MLX5LM_ANSWER_YES;
		look->refusing += vf_bind_state(vf) == MLX5LM_BIND_STATE_NEEDS_REBIND;
	}
	return 0;
}

/* mlx5_vfio_pci of Linux 6.9 wants pre-copy of the firmware, and is silent if it is missing. */
static void check_precopy(struct checker *checker, const struct mlx5lm_pf *pf,
			  const struct vfs_look *vfs)
{
	static const struct version first = { { 6, 9, 0 } };
	const char *release = checker->host->kernel_release;
	const struct mlx5lm_vf *without = NULL;
	struct mlx5lm_finding *finding;
	struct version version;

	for (size_t i = 0; i < pf->num_vfs; i++) {
		const struct mlx5lm_vf *vf = &pf->vfs[i];

		if (is_in_scope(checker, vf) && vf->vfio_migration_flags.known &&
		    vf->vfio_migration == MLX5LM_ANSWER_YES &&
		    !(vf->vfio_migration_flags.value & MLX5LM_VFIO_MIGRATION_PRE_COPY))
			without = vf;
	}
	if (without) {
		finding = point(checker, summary(checker, pf), "kernel.precopy_required",
				MLX5LM_STATUS_WARN,
				"the VFs have no pre-copy: downtime grows with their state, and "
				"Linux 6.9 and newer refuse such firmware");
		FOUND("no PRE_COPY");
		REQUIRED("PRE_COPY");
		REMEDY("update the firmware of %s", pf->bdf);
		EXPLAIN_VF(pf, without, vfio_migration_flags);
		return;
	}
	if (!vfs->refusing || vfs->migrating || !release || version_parse(release, &version) < 0 ||
	    version_compare(&version, &first) < 0)
		return;
	finding = point(checker, summary(checker, pf), "kernel.precopy_required",
			MLX5LM_STATUS_WARN,
			"no VF offers migration: if a rebind does not mend it, the firmware lacks "
			"the pre-copy capabilities that this kernel insists on");
	FOUND("%zu VFs without migration", vfs->refusing);
	REQUIRED("firmware with migration_multi_load and migration_tracking_state");
	REMEDY("bind the VFs again (vf.bad_bind); if that does not help, update the firmware of "
	       "%s", pf->bdf);
	EXPLAIN_HOST(kernel_release);
	for (size_t i = 0; i < pf->num_vfs; i++) {
		if (is_in_scope(checker, &pf->vfs[i]))
			EXPLAIN_VF(pf, &pf->vfs[i], vfio_migration);
	}
}

static void remedy_ready(struct checker *checker, struct mlx5lm_finding *finding,
			 const struct mlx5lm_pf *pf)
{
	if (!pf->num_vfs)
		REMEDY("create VFs: mlx5lm-configure --pf %s --vfs 2 --apply", pf->bdf);
	else if (checker->only)
		REMEDY("see the finding of the VF, or: mlx5lm-configure --pf %s --vfs %zu --apply",
		       pf->bdf, pf->num_vfs);
	else
		REMEDY("see the finding of each VF, or: mlx5lm-configure --pf %s --vfs %zu --apply",
		       pf->bdf, pf->num_vfs);
}

static void check_ready(struct checker *checker, const struct mlx5lm_pf *pf,
			const struct vfs_look *vfs)
{
	static const char message[] = "VFs ready for live migration";
	const char *cause = vfs->no_ports ? vfs->no_ports : vfs->no_binding;
	bool unreadable = !vfs->total && host_find_note(checker->host, pf->bdf, pf_vfs.name);
	struct mlx5lm_finding *finding;
	enum mlx5lm_status status = MLX5LM_STATUS_FAIL;

	if (vfs->ready)
		status = MLX5LM_STATUS_PASS;
	else if (unreadable || (vfs->total && vfs->unknown == vfs->total))
		status = MLX5LM_STATUS_UNKNOWN;
	if (!vfs->ready && vfs->total && cause) {
		finding = point_follows(checker, summary(checker, pf), "vf.ready", message, cause);
		EXPLAIN_PF(pf, sriov_num_vfs);
		return;
	}
	finding = point(checker, summary(checker, pf), "vf.ready", status, message);
	FOUND("%zu of %zu", vfs->ready, vfs->total);
	REQUIRED("1 or more");
	if (unreadable)
		REMEDY("probe again when nothing configures the PF");
	else if (status != MLX5LM_STATUS_PASS)
		remedy_ready(checker, finding, pf);
	EXPLAIN_PF(pf, sriov_num_vfs);
	for (size_t i = 0; i < pf->num_vfs; i++) {
		if (!is_in_scope(checker, &pf->vfs[i]))
			continue;
		EXPLAIN_VF(pf, &pf->vfs[i], migratable);
		EXPLAIN_VF(pf, &pf->vfs[i], driver);
	}
}

static void check_msix(struct checker *checker, const struct mlx5lm_pf *pf)
{
	const struct mlx5lm_vf *first = NULL, *other = NULL;
	struct mlx5lm_finding *finding;

	for (size_t i = 0; i < pf->num_vfs; i++) {
		const struct mlx5lm_vf *vf = &pf->vfs[i];

		if (!vf->msix_count.known)
			continue;
		if (!first)
			first = vf;
		else if (vf->msix_count.value != first->msix_count.value)
			other = vf;
	}
	if (!other || checker->only)
		return;
	finding = point(checker, ABOUT_PF(pf), "vf.msix_differs", MLX5LM_STATUS_WARN,
			"the VFs have different numbers of MSI-X vectors: a guest's VF fits only "
			"one with as many");
	FOUND("%s %" PRIu64 ", %s %" PRIu64, first->bdf, first->msix_count.value, other->bdf,
	      other->msix_count.value);
	REQUIRED("the same");
	REMEDY("while it is unbound: echo %" PRIu64
	       " > /sys/bus/pci/devices/%s/sriov_vf_msix_count", first->msix_count.value,
	       other->bdf);
	for (size_t i = 0; i < pf->num_vfs; i++)
		EXPLAIN_VF(pf, &pf->vfs[i], msix_count);
}

static void check_not_opened(struct checker *checker, const struct mlx5lm_pf *pf,
			     const struct vfs_look *vfs)
{
	struct mlx5lm_finding *finding;

	if (!vfs->not_opened)
		return;
	finding = point(checker, summary(checker, pf), "vf.migration", MLX5LM_STATUS_INFO,
			"migration as the VFIO device offers it");
	FOUND("not looked at: %zu of %zu VFs", vfs->not_opened, vfs->total);
	REQUIRED("STOP_COPY P2P PRE_COPY");
	REMEDY("let the probe open VFs that nobody uses, which resets them; or look into "
	       "/sys/kernel/debug/vfio (Linux 6.18 with CONFIG_VFIO_DEBUGFS)");
	for (size_t i = 0; i < pf->num_vfs; i++) {
		if (is_in_scope(checker, &pf->vfs[i]) && !pf->vfs[i].vfio_migration)
			EXPLAIN_VF(pf, &pf->vfs[i], vfio_migration);
	}
}

static void check_migration(struct checker *checker, const struct mlx5lm_pf *pf,
			    const struct mlx5lm_vf *vf)
{
	uint64_t flags = vf->vfio_migration_flags.value;
	struct mlx5lm_finding *finding;

	if (vf->vfio_migration != MLX5LM_ANSWER_YES)
		return;
	finding = point(checker, ABOUT_VF(pf, vf), "vf.migration", MLX5LM_STATUS_PASS,
			"migration as the VFIO device offers it");
	FOUND("%s%s%s%s", vf->vfio_migration_flags.known ? "" : "yes",
	      flags & MLX5LM_VFIO_MIGRATION_STOP_COPY ? "STOP_COPY" : "",
	      flags & MLX5LM_VFIO_MIGRATION_P2P ? " P2P" : "",
	      flags & MLX5LM_VFIO_MIGRATION_PRE_COPY ? " PRE_COPY" : "");
	REQUIRED("STOP_COPY P2P PRE_COPY");
	EXPLAIN_VF(pf, vf, vfio_migration);
	EXPLAIN_VF(pf, vf, vfio_migration_flags);
	if (vf->vfio_dirty_tracking != MLX5LM_ANSWER_NO)
		return;
	finding = point(checker, ABOUT_VF(pf, vf), "vf.dirty_tracking", MLX5LM_STATUS_WARN,
			"the VF does not log its DMA: without help of the IOMMU all of the guest's "
			"memory is sent again in the downtime");
	FOUND("no");
	REQUIRED("yes");
	REMEDY("update the firmware of %s, or use iommufd with an IOMMU that tracks dirty pages",
	       pf->bdf);
	EXPLAIN_VF(pf, vf, vfio_dirty_tracking);
}

static void check_in_use(struct checker *checker, const struct mlx5lm_pf *pf,
			 const struct mlx5lm_vf *vf)
{
	struct mlx5lm_finding *finding;

	if (!vf->in_use_by && !vf->in_use_pid.known)
		return;
	finding = point(checker, ABOUT_VF(pf, vf), "vf.in_use", MLX5LM_STATUS_INFO,
			"who uses the VF");
	if (vf->in_use_by)
		FOUND("domain %s", vf->in_use_by);
	else
		FOUND("process %" PRIu64 " (%s)", vf->in_use_pid.value,
		      vf->in_use_comm ? vf->in_use_comm : "?");
	EXPLAIN_VF(pf, vf, in_use_by);
	EXPLAIN_VF(pf, vf, in_use_pid);
}

/* Names what the snapshot knows to be in the VF's group and in the hands of a host driver. */
static void explain_group(struct checker *checker, struct mlx5lm_finding *finding,
			  const struct mlx5lm_vf *vf)
{
	const struct mlx5lm_host *host = checker->host;

	for (size_t i = 0; i < host->num_pfs && vf->iommu_group.known; i++) {
		for (size_t j = 0; j < host->pfs[i].num_vfs; j++) {
			const struct mlx5lm_vf *other = &host->pfs[i].vfs[j];

			if (other == vf || !other->driver || !other->iommu_group.known ||
			    other->iommu_group.value != vf->iommu_group.value)
				continue;
			EXPLAIN_VF(&host->pfs[i], other, driver);
		}
	}
}

/* Why a VF is not ready is a warning: a host may keep VFs for other work. */
static void point_unfit(struct checker *checker, const struct mlx5lm_pf *pf,
			const struct mlx5lm_vf *vf, const struct vf_unfit *unfit)
{
	bool bind = streq(unfit->id, "vf.bad_bind"), group = streq(unfit->id, "vf.iommu_group");
	const struct mlx5lm_module *module = host_find_module(checker->host, VARIANT_DRIVER);
	struct mlx5lm_finding *finding;

	finding = point(checker, ABOUT_VF(pf, vf), unfit->id,
			unfit->unknown ? MLX5LM_STATUS_UNKNOWN : MLX5LM_STATUS_WARN,
			unfit->reason);
	if (bind)
		FOUND("%s", name_of(&bind_state_names, vf_bind_state(vf)));
	else if (streq(unfit->id, "vf.unfit"))
		FOUND("%s", name_of(&port_attr_state_names, vf->migratable));
	else if (group && vf->iommu_group.known)
		FOUND("group %" PRIu64 ", not viable", vf->iommu_group.value);
	else
		FOUND(group ? "no group" : "no");
	REQUIRED("%s", bind  ? "bound to " VARIANT_DRIVER " when it is migratable" :
		       group ? "a viable group" :
			       streq(unfit->id, "vf.unfit") ? "enable" : "yes");
	REMEDY("%s%s", module && module->state == MLX5LM_MODULE_LOADABLE ?
			       "modprobe " VARIANT_DRIVER "; " : "", unfit->remedy);
	EXPLAIN_VF(pf, vf, migratable);
	EXPLAIN_VF(pf, vf, driver);
	if (bind) {
		EXPLAIN_VF(pf, vf, best_driver);
		EXPLAIN_VF(pf, vf, vfio_migration);
	}
	if (group) {
		EXPLAIN_VF(pf, vf, iommu_group);
		EXPLAIN_VF(pf, vf, iommu_group_viable);
		explain_group(checker, finding, vf);
	}
}

/* All reasons, but what another finding explains already. */
static int check_fitness(struct checker *checker, const struct mlx5lm_pf *pf,
			 const struct mlx5lm_vf *vf, const struct vfs_look *vfs)
{
	_cleanup_vf_unfit_ struct vf_unfit attribute = { 0 };
	_cleanup_vf_unfit_ struct vf_unfit binding = { 0 };
	_cleanup_vf_unfit_ struct vf_unfit group = { 0 };

	if (vf_check_migratable(pf, vf, &attribute) < 0 || vf_check_bind(vf, &binding) < 0 ||
	    vf_check_iommu(vf, &group) < 0)
		return -ENOMEM;
	if (attribute.reason && !vfs->no_ports)
		point_unfit(checker, pf, vf, &attribute);
	/* What enables the attribute binds the VF, too. */
	if (binding.reason && !vfs->no_binding && !streq(vfs->no_ports, "pf.migratable") &&
	    vf->migratable != MLX5LM_PORT_ATTR_STATE_DISABLED)
		point_unfit(checker, pf, vf, &binding);
	if (group.reason && !vfs->no_binding)
		point_unfit(checker, pf, vf, &group);
	return 0;
}

/* Why there can be no VFs to look at, as the id of the finding that says it; NULL. */
static const char *why_no_vfs(const struct mlx5lm_pf *pf)
{
	if (!streq(pf->driver, "mlx5_core"))
		return "pf.driver";
	if (!pf->sriov_total_vfs.known || !pf->sriov_total_vfs.value)
		return "sriov.total_vfs";
	return pf->eswitch_manager == MLX5LM_ANSWER_NO ? "eswitch.manager" : NULL;
}

int check_vfs(struct checker *checker, const struct mlx5lm_pf *pf)
{
	const char *cause = why_no_vfs(pf);
	struct vfs_look vfs = { 0 };

	if (cause) {
		point_follows(checker, summary(checker, pf), "vf.ready",
			      "VFs ready for live migration", cause);
		return 0;
	}
	if (look(checker, pf, &vfs) < 0)
		return -ENOMEM;
	check_migratable(checker, pf);
	check_precopy(checker, pf, &vfs);
	check_ready(checker, pf, &vfs);
	check_msix(checker, pf);
	check_not_opened(checker, pf, &vfs);
	for (size_t i = 0; i < pf->num_vfs; i++) {
		if (!is_in_scope(checker, &pf->vfs[i]))
			continue;
		if (check_fitness(checker, pf, &pf->vfs[i], &vfs) < 0)
			return -ENOMEM;
		check_migration(checker, pf, &pf->vfs[i]);
		check_in_use(checker, pf, &pf->vfs[i]);
	}
	return 0;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
/* What to think about before a plan is applied; doc/plan.md has an entry for each id. */
#include "core/nv.h"
#include "core/plan_internal.h"
#include "core/profile.h"
#include "core/vf_ready.h"

static struct mlx5lm_finding *add(struct planner *planner, enum mlx5lm_status status,
				  const char *id, const char *message)
{
	struct mlx5lm_findings *findings = planner->list->findings;
	struct mlx5lm_finding *finding = findings_add(findings, status, id, planner->pf->bdf);

	finding_set(findings, finding, MLX5LM_FINDING_SCOPE, "pf");
	finding_set(findings, finding, MLX5LM_FINDING_MESSAGE, "%s", message);
	return finding;
}

#define SET(key, ...) finding_set(planner->list->findings, finding, key, __VA_ARGS__)
#define FOUND(...) SET(MLX5LM_FINDING_FOUND, __VA_ARGS__)
#define REQUIRED(...) SET(MLX5LM_FINDING_REQUIRED, __VA_ARGS__)
#define REMEDY(...) SET(MLX5LM_FINDING_REMEDY, __VA_ARGS__)

static bool is_migratable(const struct planner *planner, const struct vf_plan *vf)
{
	return plan_final_attr(planner, vf, MLX5LM_PORT_ATTR_MIGRATABLE) ==
	       MLX5LM_PORT_ATTR_STATE_ENABLED;
}

/* Any profile's: the caller has not said whose rules hold, and it is only a remark. */
static void add_vf_limit(struct planner *planner)
{
	struct mlx5lm_finding *finding;
	uint64_t number = 0;
	const char *name;

	for (size_t i = 0; i < planner->num_vf_plans; i++)
		number += is_migratable(planner, &planner->vfs[i]);
	for (size_t i = 0; (name = profile_known_name(i)); i++) {
		const struct mlx5lm_profile *profile = profile_find(name);

		if (!profile->max_migrating_vfs_per_pf ||
		    number <= profile->max_migrating_vfs_per_pf)
			continue;
		finding = add(planner, MLX5LM_STATUS_WARN, "plan.vf_limit",
			      "more migratable VFs than a vendor supports in migration at a time");
		FOUND("%" PRIu64 " VFs are going to be migratable", number);
		REQUIRED("at most %" PRIu32 " of a PF in migration at a time (%s)",
			 profile->max_migrating_vfs_per_pf, profile->source);
		REMEDY("with the profile %s migrate at most %" PRIu32 " of them at a time", name,
		       profile->max_migrating_vfs_per_pf);
	}
}

/* How many VFs are migratable and have another attribute on that is asked for. */
static uint64_t count_both(const struct planner *planner, enum mlx5lm_port_attr attr, bool wanted)
{
	uint64_t number = 0;

	for (size_t i = 0; i < planner->num_vf_plans; i++) {
		const struct vf_plan *vf = &planner->vfs[i];
		uint32_t state = wanted ? config_attr(planner->config, vf->index, attr) :
					  plan_final_attr(planner, vf, attr);

		number += state == MLX5LM_PORT_ATTR_STATE_ENABLED && is_migratable(planner, vf);
	}
	return number;
}

/*
 * "device will disable features which cannot be migrated" is all that the kernel says of
 * migratable (Documentation/networking/devlink/devlink-port.rst): no list, and no interlock.
 */
static void add_conflicts(struct planner *planner)
{
	uint64_t crypto = count_both(planner, MLX5LM_PORT_ATTR_IPSEC_CRYPTO, false);
	uint64_t packet = count_both(planner, MLX5LM_PORT_ATTR_IPSEC_PACKET, false);
	uint64_t roce = count_both(planner, MLX5LM_PORT_ATTR_ROCE, true);
	struct mlx5lm_finding *finding;

	if (crypto || packet) {
		finding = add(planner, MLX5LM_STATUS_WARN, "plan.migratable_ipsec",
			      "IPsec offload on migratable VFs");
		FOUND("%" PRIu64 " VFs", crypto > packet ? crypto : packet);
		REQUIRED("one of the two: a migratable device turns off what cannot be migrated, "
			 "and IPsec state in it may be part of that");
		REMEDY("disable ipsec_crypto and ipsec_packet, or migratable");
	}
	if (roce) {
		finding = add(planner, MLX5LM_STATUS_INFO, "plan.migratable_roce",
			      "RoCE on migratable VFs");
		FOUND("%" PRIu64 " VFs", roce);
		REQUIRED("that nothing in the guest counts on it: a migratable device may turn it "
			 "off, and its driver does not say");
		REMEDY("disable roce where no guest needs it; it saves memory, too");
	}
}

static void add_settings_lost(struct planner *planner)
{
	bool removed = (planner->recreate || planner->reset) && planner->pf->sriov_num_vfs.value;
	struct mlx5lm_finding *finding;

	if (!removed && !(planner->mode_changes && plan_keeps_vfs(planner)))
		return;
	finding = add(planner, MLX5LM_STATUS_WARN, "plan.settings_lost",
		      removed ? "VFs are removed" : "the eswitch mode changes with VFs there");
	FOUND("%" PRIu64 " VFs", planner->pf->sriov_num_vfs.value);
	REQUIRED("that nothing else is set of them: %s are lost, and an undo does not bring "
		 "them back",
		 removed ? "ip link set ... vf, tc filters, bridge ports and limits of rate" :
			   "tc filters, bridge ports and names of representors");
	REMEDY("set these again afterwards; ip link show, tc filter show and bridge link show "
	       "tell what there is");
}

static void add_guests(struct planner *planner)
{
	const struct mlx5lm_pf *pf = planner->pf;
	struct mlx5lm_finding *finding = NULL;

	if (!planner->mode_changes || planner->recreate)
		return;
	for (size_t i = 0; i < pf->num_vfs; i++) {
		_cleanup_free_ char *user = NULL;

		if (!vf_is_used(&pf->vfs[i]))
			continue;
		if (!finding) {
			finding = add(planner, MLX5LM_STATUS_WARN, "plan.live_guests",
				      "the eswitch mode changes under VFs in use");
			REQUIRED("the caller's leave, which it has given");
			REMEDY("migrate or shut down the guests first");
		}
		user = plan_keep(planner, vf_user(&pf->vfs[i]));
		if (!user)
			return;
		finding_explain(planner->list->findings, finding, "VF %s is used by %s",
				pf->vfs[i].bdf ? pf->vfs[i].bdf : "?", user);
	}
}

static void add_restart(struct planner *planner)
{
	const struct step_list *list = planner->list;
	struct mlx5lm_finding *finding;

	if (!list->restart_needed && !list->incomplete)
		return;
	finding = add(planner, list->incomplete ? MLX5LM_STATUS_WARN : MLX5LM_STATUS_INFO,
		      "plan.after_restart",
		      list->incomplete ? "VFs have to wait for a restart of the adapter" :
					 "NV configuration waits for a restart of the adapter");
	for (unsigned int i = 0; i < PLAN_NUM_NV; i++) {
		if (plan_nv_waits(planner, i))
			finding_explain(list->findings, finding, "%s=%" PRIu64
					" holds after a restart", nv_name(i),
					plan_nv_next(planner, i).value);
	}
	REMEDY("%s%s", planner->reset ? "" : "reboot, or allow a firmware reset",
	       !list->incomplete ? "" :
	       planner->reset ? "probe and plan again after the reset; if the adapter offers no "
				"more than before, reboot" : "; then probe and plan again");
}

static bool is_new_to_pf(const struct planner *planner, enum mlx5lm_port_attr attr)
{
	const struct mlx5lm_pf *pf = planner->pf;

	if (pf->num_vfs && vf_attr_state(&pf->vfs[0], attr))
		return false;
	for (size_t i = 0; i < planner->num_vf_plans; i++) {
		if (planner->vfs[i].attr[attr])
			return true;
	}
	return false;
}

/* Without a port to look at, only the step itself tells whether firmware offers it. */
static void add_unknown_attrs(struct planner *planner)
{
	struct mlx5lm_finding *finding;

	for (uint32_t attr = 1; attr < CONFIG_NUM_ATTRS; attr++) {
		if (!is_new_to_pf(planner, attr))
			continue;
		finding = add(planner, MLX5LM_STATUS_INFO, "plan.unknown_attr",
			      "whether kernel and firmware offer an attribute is not known yet");
		FOUND("%s: no VF port shows it now", name_of(&port_attr_names, attr));
		REMEDY("if the step fails, the plan is undone; look at the NV configuration first");
	}
}

static void add_bad_binds(struct planner *planner)
{
	struct mlx5lm_finding *finding;
	uint64_t number = 0;

	for (size_t i = 0; i < planner->num_vf_plans; i++) {
		const struct vf_plan *vf = &planner->vfs[i];

		number += streq(vf->bind, VARIANT_DRIVER) &&
			  plan_final_attr(planner, vf, MLX5LM_PORT_ATTR_MIGRATABLE) ==
				  MLX5LM_PORT_ATTR_STATE_DISABLED;
	}
	if (!number)
		return;
	finding = add(planner, MLX5LM_STATUS_WARN, "plan.bind_without_migratable",
		      "VFs go to " VARIANT_DRIVER " and are not migratable");
	FOUND("%" PRIu64 " VFs", number);
	REQUIRED("migratable, which the driver looks at only when it binds");
	REMEDY("want migratable of them too: mlx5lm_config_set_vf_attr()");
}

int plan_add_findings(struct planner *planner)
{
	if (planner->config->is_undo)
		return 0;
	add_restart(planner);
	add_settings_lost(planner);
	add_guests(planner);
	add_vf_limit(planner);
	add_conflicts(planner);
	add_bad_binds(planner);
	add_unknown_attrs(planner);
	return planner->list->findings->error;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
/* Number of VFs and eswitch mode in the end, and what of it has to wait for a restart. */
#include <errno.h>

#include "core/check_rules.h"
#include "core/plan_internal.h"

bool plan_keeps_vfs(const struct planner *planner)
{
	return !planner->recreate && planner->pf->sriov_num_vfs.known &&
	       planner->pf->sriov_num_vfs.value;
}

/* Will there be that many VFs to have after a restart, though there are not now? */
static bool restart_brings_vfs(const struct planner *planner)
{
	struct fact_u64 enabled = plan_nv_next(planner, PLAN_SRIOV_EN);
	struct fact_u64 number = plan_nv_next(planner, PLAN_NUM_OF_VFS);

	if ((enabled.known && !enabled.value) ||
	    (number.known && number.value < planner->num_vfs))
		return false;
	return plan_nv_waits(planner, PLAN_SRIOV_EN) || plan_nv_waits(planner, PLAN_NUM_OF_VFS);
}

/* Is migratable wanted that firmware will only offer after a restart? */
static bool restart_brings_migratable(const struct planner *planner)
{
	struct fact_u64 wanted = planner->config->nv[PLAN_VF_MIGRATION_MODE];

	return wanted.known && wanted.value == VF_MIGRATION_ENABLED &&
	       plan_nv_waits(planner, PLAN_VF_MIGRATION_MODE) &&
	       !pf_offers_migratable(planner->pf) &&
	       plan_wants_attr(planner, MLX5LM_PORT_ATTR_MIGRATABLE,
			       MLX5LM_PORT_ATTR_STATE_ENABLED);
}

static int find_num_vfs(struct planner *planner)
{
	const struct mlx5lm_pf *pf = planner->pf;
	uint64_t now = pf->sriov_num_vfs.known ? pf->sriov_num_vfs.value : 0;
	uint64_t total = pf->sriov_total_vfs.known ? pf->sriov_total_vfs.value : 0;
	const struct fact_u64 *wanted = &planner->config->num_vfs;

	planner->num_vfs = wanted->known ? wanted->value : now;
	planner->recreate = planner->num_vfs != now || (planner->reset && now);
	if (wanted->known && total && !pf->sriov_num_vfs.known) {
		if (!planner->config->is_undo)
			return plan_refuse_unknown(planner, pf->bdf, "sriov_num_vfs",
						   "the number of its VFs");
		planner->num_vfs = 0;
		planner->recreate = false;
	}
	if (!planner->recreate || planner->num_vfs <= total)
		return 0;
	if (!restart_brings_vfs(planner))
		return plan_refuse_num_vfs(planner);
	planner->list->incomplete = true;
	return 0;
}

static int find_eswitch_mode(struct planner *planner)
{
	const struct mlx5lm_pf *pf = planner->pf;
	uint32_t wanted = planner->config->eswitch_mode;
	bool wants_ports = plan_wants_ports(planner);

	planner->eswitch_mode = wanted ? wanted : pf->eswitch_mode;
	if (!pf->eswitch_mode) {
		planner->eswitch_mode = 0;
		if (planner->config->is_undo || (!wanted && !wants_ports))
			return 0;
		return plan_refuse_unknown(planner, pf->bdf, "eswitch_mode", "its eswitch mode");
	}
	if (planner->eswitch_mode == MLX5LM_ESWITCH_LEGACY && wants_ports &&
	    !planner->config->is_undo)
		return plan_refuse_legacy(planner);
	/* Which mode a restart leads to is the driver's affair: the old one is not counted on. */
	planner->mode_changes = planner->eswitch_mode != pf->eswitch_mode ||
				(planner->reset &&
				 planner->eswitch_mode == MLX5LM_ESWITCH_SWITCHDEV);
	return 0;
}

static int check_users(const struct planner *planner)
{
	if (planner->reset)
		return plan_check_unused(planner, "a restart of the adapter");
	if (planner->list->incomplete)
		return 0;
	if (planner->recreate)
		return plan_check_unused(planner, "recreating the VFs");
	if (planner->mode_changes && !planner->config->live_guests)
		return plan_check_unused(planner, "a change of eswitch mode");
	return 0;
}

int plan_find_goal(struct planner *planner)
{
	int r = find_num_vfs(planner);

	if (r == 0)
		r = plan_check_vf_indices(planner);
	if (r == 0)
		r = find_eswitch_mode(planner);
	if (r < 0)
		return r;
	if (restart_brings_migratable(planner))
		planner->list->incomplete = true;
	if (planner->list->incomplete && !planner->reset)
		planner->list->restart_needed = true;
	if (planner->reset)
		r = plan_check_siblings_empty(planner);
	if (r == 0)
		r = check_users(planner);
	planner->autoprobe_off = planner->recreate && planner->num_vfs &&
				 planner->pf->sriov_autoprobe == MLX5LM_ANSWER_YES;
	return r;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
/* The NV configuration in a plan: what has to be set, and what waits for a restart. */
#include <errno.h>

#include "core/check_rules.h"
#include "core/nv.h"
#include "core/plan_internal.h"

struct fact_u64 plan_nv_next(const struct planner *planner, unsigned int index)
{
	const struct mlx5lm_nv *nv = pf_find_nv(planner->pf, nv_name(index));

	if (planner->config->nv[index].known)
		return planner->config->nv[index];
	return nv ? nv->next_boot : (struct fact_u64){ 0 };
}

bool plan_nv_waits(const struct planner *planner, unsigned int index)
{
	const struct mlx5lm_nv *nv = pf_find_nv(planner->pf, nv_name(index));
	struct fact_u64 next = plan_nv_next(planner, index);

	return next.known && !(nv && nv->current.known && nv->current.value == next.value);
}

static int refuse(const struct planner *planner, unsigned int index, const char *why)
{
	const struct mlx5lm_pf *pf = planner->pf;
	uint64_t value = planner->config->nv[index].value;

	error_set(planner->reterr, MLX5LM_ERROR_NOT_SUPPORTED, EOPNOTSUPP, MLX5LM_SOURCE_NVCONFIG,
		  "PF %s: %s=%" PRIu64 " is wanted, but %s", pf->bdf, nv_name(index), value, why);
	error_add_remedy(planner->reterr,
			 "set it by hand: %s -d %s -y set %s=%" PRIu64 ", then reboot",
			 nv_tool(pf), pf->bdf, nv_name(index), value);
	return -EOPNOTSUPP;
}

/* Nobody told its value: because nobody was asked, or may ask. */
static int refuse_unknown(const struct planner *planner, unsigned int index)
{
	const struct mlx5lm_privilege *privilege =
		host_find_privilege(planner->host, step_id(STEP_NV));

	if (!privilege)
		privilege = host_find_privilege(planner->host, "nv-config");
	if (privilege && privilege->granted == MLX5LM_ANSWER_NO)
		return plan_refuse_unknown(planner, planner->pf->bdf, "nv", nv_name(index));
	return refuse(planner, index, "its value is not known: no source of the NV configuration "
				      "was asked, or none answered");
}

/*
 * The value is set where it was read: a number of VFs that devlink sets for this PF alone is not
 * the one that a tool shows for all of them, so that the second plan would set it again.
 */
static int add_step(struct planner *planner, unsigned int index)
{
	const struct mlx5lm_nv *nv = pf_find_nv(planner->pf, nv_name(index));
	const char *source = planner->pf->nv_source;

	if (nv && nv->supported == MLX5LM_ANSWER_NO)
		return refuse(planner, index, "the adapter or its firmware has no such parameter");
	if (!nv || !nv->next_boot.known)
		return refuse_unknown(planner, index);
	if (nv->next_boot.value == planner->config->nv[index].value)
		return 0;
	if (nv->read_only == MLX5LM_ANSWER_YES)
		return refuse(planner, index, "the parameter is read-only");
	if (!streq(source, "devlink") && !streq(source, "mstconfig") && !streq(source, "mlxconfig"))
		return refuse(planner, index, "nothing that could set it is known");
	plan_add_nv(planner, index, nv, source);
	return 0;
}

static bool needs_restart(const struct planner *planner)
{
	if (planner->list->length)
		return true;
	for (unsigned int i = 0; i < PLAN_NUM_NV; i++) {
		const struct mlx5lm_nv *nv = pf_find_nv(planner->pf, nv_name(i));

		if (planner->config->nv[i].known && nv && nv->current.known &&
		    nv->current.value != planner->config->nv[i].value)
			return true;
	}
	return false;
}

int plan_nv(struct planner *planner)
{
	int r = 0;

	if (planner->config->is_undo)
		return 0;
	for (unsigned int i = 0; r == 0 && i < PLAN_NUM_NV; i++) {
		if (planner->config->nv[i].known)
			r = add_step(planner, i);
	}
	if (r < 0)
		return r;
	planner->list->restart_needed = needs_restart(planner);
	planner->reset = planner->config->firmware_reset &&
			 (planner->list->restart_needed ||
			  planner->pf->nv_pending == MLX5LM_ANSWER_YES);
	if (planner->reset)
		planner->list->restart_needed = false;
	return 0;
}

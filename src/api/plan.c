// SPDX-License-Identifier: LGPL-2.1-or-later
#include <mlx5lm/plan.h>

#include <errno.h>

#include "api/context.h"
#include "base/error.h"
#include "core/bdf.h"
#include "core/config.h"
#include "core/plan_build.h"
#include "core/plan_text.h"
#include "export.h"
#include "sys/applier.h"
#include "sys/probe.h"

struct mlx5lm_plan {
	char *pf_bdf;
	struct mlx5lm_config *config;
	struct step_list list;
	mlx5lm_plan_fn fn;
	void *userdata;
	mlx5lm_destroy_fn destroy;
	bool in_callback;
};

DEFINE_CLEANUP(struct mlx5lm_plan *, mlx5lm_plan_free)

MLX5LM_EXPORT int mlx5lm_plan_new(const struct mlx5lm_host *host, const char *pf_bdf,
				  const struct mlx5lm_config *config, struct mlx5lm_plan **ret,
				  struct mlx5lm_error **reterr)
{
	_cleanup_(mlx5lm_plan_free_p) struct mlx5lm_plan *plan = NULL;
	const struct mlx5lm_pf *pf;
	int r;

	if (!host || !pf_bdf || !config || !ret)
		return error_invalid(reterr, "a snapshot, a PF, a wanted state and a place for the "
				     "plan are needed");
	pf = mlx5lm_host_get_pf_by_bdf(host, pf_bdf);
	if (!pf) {
		error_set(reterr, MLX5LM_ERROR_NOT_FOUND, ENOENT, MLX5LM_SOURCE_LIBRARY,
			  "the host has no mlx5 PF %s", pf_bdf);
		error_add_remedy(reterr, "list the adapters with: lspci -d 15b3:");
		return -ENOENT;
	}
	plan = calloc(1, sizeof(*plan));
	if (!plan || str_replace(&plan->pf_bdf, pf->bdf) || config_copy(config, &plan->config))
		return error_no_memory(reterr);
	r = plan_build(host, pf, config, &plan->list, reterr);
	if (r < 0)
		return r;
	*ret = TAKE(plan);
	return 0;
}

MLX5LM_EXPORT size_t mlx5lm_plan_length(const struct mlx5lm_plan *plan)
{
	return plan ? plan->list.length : 0;
}

MLX5LM_EXPORT const struct mlx5lm_step *mlx5lm_plan_get_step(const struct mlx5lm_plan *plan,
							     size_t index)
{
	return plan && index < plan->list.length ? &plan->list.steps[index] : NULL;
}

MLX5LM_EXPORT int mlx5lm_step_get_str(const struct mlx5lm_step *step, enum mlx5lm_step_key key,
				      const char **ret)
{
	const char *value;

	if (!step || !ret)
		return -EINVAL;
	switch (key) {
	case MLX5LM_STEP_ID:
		value = step_id(step->kind);
		break;
	case MLX5LM_STEP_OBJECT:
		value = step->object;
		break;
	case MLX5LM_STEP_CURRENT:
		value = step->current;
		break;
	case MLX5LM_STEP_WANTED:
		value = step->wanted;
		break;
	case MLX5LM_STEP_REASON:
		value = step->reason;
		break;
	case MLX5LM_STEP_COMMAND:
		value = step->command;
		break;
	default:
		return -EINVAL;
	}
	if (!value)
		return -ENODATA;
	*ret = value;
	return 0;
}

MLX5LM_EXPORT int mlx5lm_plan_serialize(const struct mlx5lm_plan *plan,
					enum mlx5lm_plan_format format, struct mlx5lm_text **ret)
{
	if (!plan || !ret)
		return -EINVAL;
	switch (format) {
	case MLX5LM_PLAN_FORMAT_JSON:
		return plan_to_json(plan->pf_bdf, &plan->list, ret);
	case MLX5LM_PLAN_FORMAT_SHELL:
		return plan_to_shell(plan->pf_bdf, &plan->list, ret);
	default:
		return -EINVAL;
	}
}

static void forget_progress(struct mlx5lm_plan *plan)
{
	if (plan->destroy)
		plan->destroy(plan->userdata);
	plan->fn = NULL;
	plan->userdata = NULL;
	plan->destroy = NULL;
}

MLX5LM_EXPORT int mlx5lm_plan_set_progress(struct mlx5lm_plan *plan, mlx5lm_plan_fn fn,
					   void *userdata, mlx5lm_destroy_fn destroy)
{
	if (!plan || plan->in_callback) {
		if (destroy)
			destroy(userdata);
		return plan ? -EBUSY : -EINVAL;
	}
	forget_progress(plan);
	plan->fn = fn;
	plan->userdata = userdata;
	plan->destroy = destroy;
	return 0;
}

/* Tells the callback; -ECANCELED if it wants to stop. */
static int tell(struct mlx5lm_plan *plan, size_t index, enum mlx5lm_step_state state)
{
	int r;

	if (!plan->fn)
		return 0;
	plan->in_callback = true;
	r = plan->fn(plan, index, state, plan->userdata);
	plan->in_callback = false;
	return r < 0 ? -ECANCELED : 0;
}

/* The steps that the host needs now for the same wanted state. */
static int plan_anew(const struct mlx5lm_plan *plan, const struct mlx5lm_ctx *ctx,
		     struct step_list *ret, struct mlx5lm_error **reterr)
{
	_cleanup_host_ struct mlx5lm_host *host = NULL;
	int r = probe_pf(ctx->root, &ctx->log, plan->pf_bdf, &host, reterr);

	if (r < 0)
		return r;
	return plan_build(host, &host->pfs[0], plan->config, ret, reterr);
}

/* A plan is good only for the state it was made from. */
static int check_unchanged(const struct mlx5lm_plan *plan, const struct mlx5lm_ctx *ctx,
			   struct mlx5lm_error **reterr)
{
	_cleanup_step_list_ struct step_list now = { 0 };
	const struct mlx5lm_step *step;
	ssize_t differ;
	int r = plan_anew(plan, ctx, &now, reterr);

	if (r < 0) {
		error_add_prefix(reterr, "before the first step: ");
		return r;
	}
	differ = step_list_differ(&plan->list, &now);
	if (differ < 0)
		return 0;
	error_set(reterr, MLX5LM_ERROR_STATE_CHANGED, ESTALE, MLX5LM_SOURCE_LIBRARY,
		  "PF %s is no longer as it was when the plan was made", plan->pf_bdf);
	step = (size_t)differ < plan->list.length ? &plan->list.steps[differ] :
						     &now.steps[differ];
	error_add_detail(reterr, "first difference: %s of %s, planned from %s",
			 step_id(step->kind), step->object, step->current);
	error_add_remedy(reterr, "probe again and make a new plan");
	return -ESTALE;
}

static int keep_error(void *data, size_t index, enum mlx5lm_step_state state,
		      struct mlx5lm_error *error)
{
	(void)index;
	(void)state;
	if (error)
		*(struct mlx5lm_error **)data = error;
	return 0;
}

static int run_alone(struct applier *applier, const struct mlx5lm_step *step,
		     struct mlx5lm_error **reterr)
{
	_cleanup_error_ struct mlx5lm_error *error = NULL;
	const struct applier_watch watch = { keep_error, &error };
	int r = applier_run(applier, &step, 1, &watch);

	return r < 0 ? error_pass(reterr, TAKE(error)) : 0;
}

/* Counts *num_done up as soon as the host is changed, whatever the callback says then. */
static int run_step(struct mlx5lm_plan *plan, struct applier *applier, size_t index,
		    size_t *num_done, struct mlx5lm_error **reterr)
{
	const struct mlx5lm_step *step = &plan->list.steps[index];
	int r = tell(plan, index, MLX5LM_STEP_STATE_STARTED);

	if (r < 0)
		return error_set(reterr, MLX5LM_ERROR_CANCELLED, ECANCELED, MLX5LM_SOURCE_LIBRARY,
				 "cancelled before step %zu of %zu (%s of %s)", index + 1,
				 plan->list.length, step_id(step->kind), step->object);
	r = run_alone(applier, step, reterr);
	if (r < 0) {
		error_add_prefix(reterr, "step %zu of %zu (%s of %s): ", index + 1,
				 plan->list.length, step_id(step->kind), step->object);
		tell(plan, index, MLX5LM_STEP_STATE_FAILED);
		return r;
	}
	(*num_done)++;
	r = tell(plan, index, MLX5LM_STEP_STATE_DONE);
	if (r < 0)
		return error_set(reterr, MLX5LM_ERROR_CANCELLED, ECANCELED, MLX5LM_SOURCE_LIBRARY,
				 "cancelled after step %zu of %zu (%s of %s)", index + 1,
				 plan->list.length, step_id(step->kind), step->object);
	return 0;
}

/* sriov_drivers_autoprobe is ours only for the time of the plan. */
static void restore_autoprobe(const struct mlx5lm_plan *plan, const struct mlx5lm_ctx *ctx,
			      struct applier *applier, size_t num_done)
{
	const struct mlx5lm_step *first = plan->list.length ? &plan->list.steps[0] : NULL;
	_cleanup_error_ struct mlx5lm_error *error = NULL;

	if (num_done == 0 || first->kind != STEP_AUTOPROBE)
		return;
	if (run_alone(applier, &plan->list.steps[plan->list.length - 1], &error) < 0)
		log_error(&ctx->log, "PF %s: sriov_drivers_autoprobe could not be restored: %s",
			  plan->pf_bdf, error->message);
}

static int check_result(const struct mlx5lm_plan *plan, const struct mlx5lm_ctx *ctx,
			struct mlx5lm_error **reterr)
{
	_cleanup_step_list_ struct step_list left = { 0 };
	int r = plan_anew(plan, ctx, &left, reterr);

	if (r < 0) {
		error_add_prefix(reterr, "after the last step: ");
		return r;
	}
	if (!left.length)
		return 0;
	error_set(reterr, MLX5LM_ERROR_VERIFY_FAILED, EIO, MLX5LM_SOURCE_LIBRARY,
		  "PF %s: all steps were done, but %s of %s is %s instead of %s", plan->pf_bdf,
		  step_id(left.steps[0].kind), left.steps[0].object, left.steps[0].current,
		  left.steps[0].wanted);
	error_add_remedy(reterr, "look for another program that configures the PF, and for "
			 "messages of mlx5_core in dmesg");
	return -EIO;
}

MLX5LM_EXPORT int mlx5lm_plan_apply(struct mlx5lm_plan *plan, struct mlx5lm_ctx *ctx,
				    struct mlx5lm_error **reterr)
{
	_cleanup_applier_ struct applier *applier = NULL;
	size_t num_done = 0;
	int r;

	if (!plan || !ctx)
		return error_invalid(reterr, "a plan and a context are needed");
	if (plan->in_callback)
		return error_set(reterr, MLX5LM_ERROR_BUSY, EBUSY, MLX5LM_SOURCE_LIBRARY,
				 "the plan is being applied");
	r = applier_new(ctx->root, &ctx->log, plan->pf_bdf, &applier, reterr);
	if (r < 0)
		return r;
	r = check_unchanged(plan, ctx, reterr);
	if (r < 0)
		return r;
	for (size_t i = 0; i < plan->list.length; i++) {
		r = run_step(plan, applier, i, &num_done, reterr);
		if (r < 0) {
			restore_autoprobe(plan, ctx, applier, num_done);
			return r;
		}
	}
	return check_result(plan, ctx, reterr);
}

MLX5LM_EXPORT void mlx5lm_plan_free(struct mlx5lm_plan *plan)
{
	if (!plan)
		return;
	forget_progress(plan);
	step_list_release(&plan->list);
	mlx5lm_config_free(plan->config);
	free(plan->pf_bdf);
	free(plan);
}

MLX5LM_EXPORT const char *mlx5lm_step_state_str(enum mlx5lm_step_state state)
{
	static const char *const names[] = { "unknown", "started", "done", "failed" };

	return names[(unsigned int)state < ARRAY_LENGTH(names) ? state : 0];
}

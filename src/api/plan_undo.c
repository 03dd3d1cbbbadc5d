// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>

#include "api/plan.h"
#include "base/error.h"
#include "core/before.h"

/* More lines than a person reads; the plan itself has all of them. */
#define MAX_LINES 20

/* Why a step of that kind and object failed, as far as it did. */
static const char *why(const struct mlx5lm_plan *plan, const struct mlx5lm_step *step)
{
	for (size_t i = plan->list.length; i-- > 0;) {
		const struct mlx5lm_step *other = &plan->list.steps[i];

		if (plan->errors[i] && other->kind == step->kind &&
		    streq(other->object, step->object))
			return plan->errors[i]->message;
	}
	return NULL;
}

static void describe_left(const struct mlx5lm_plan *plan, const struct step_list *left,
			  struct mlx5lm_error **reterr)
{
	size_t length = left->length < MAX_LINES ? left->length : MAX_LINES;

	for (size_t i = 0; i < length; i++) {
		const struct mlx5lm_step *step = &left->steps[i];
		const char *reason = why(plan, step);

		error_append_detail(reterr, "%s of %s is %s, not %s%s%s", step_id(step->kind),
				    step->object, step->current, step->wanted,
				    reason ? ": " : "", reason ? reason : "");
		error_append_detail(reterr, "    %s", step->command);
	}
	if (length < left->length)
		error_append_detail(reterr, "and %zu more", left->length - length);
}

static int build_left(const struct plan_run *run, const struct mlx5lm_plan *plan,
		      struct step_list *ret, struct mlx5lm_error **reterr)
{
	_cleanup_host_ struct mlx5lm_host *now = NULL;
	int r;

	r = plan_look(run, &now, reterr);
	/* If it offers none when it was just bound, then firmware cannot, and no bind helps. */
	plan->config->rebound = true;
	if (r == 0)
		r = plan_build(now, &now->pfs[0], plan->config, ret, reterr);
	plan->config->rebound = false;
	if (r < 0)
		error_add_prefix(reterr, "after the last step: ");
	return r;
}

int plan_expect_met(const struct plan_run *run, const struct mlx5lm_plan *plan,
		    struct mlx5lm_error **reterr)
{
	_cleanup_step_list_ struct step_list left = { 0 };
	int r;

	r = build_left(run, plan, &left, reterr);
	if (r < 0 || !left.length)
		return r;
	if (plan->is_undo) {
		error_set(reterr, MLX5LM_ERROR_UNDO_FAILED, EIO, MLX5LM_SOURCE_LIBRARY,
			  "PF %s: %zu steps back to the state before are left", plan->pf_bdf,
			  left.length);
		error_add_remedy(reterr, "mend what the detail names and recover again, or type "
				 "its commands");
	} else {
		error_set(reterr, MLX5LM_ERROR_VERIFY_FAILED, EIO, MLX5LM_SOURCE_LIBRARY,
			  "PF %s: all steps were done, but %s of %s is %s instead of %s",
			  plan->pf_bdf, step_id(left.steps[0].kind), left.steps[0].object,
			  left.steps[0].current, left.steps[0].wanted);
		error_add_remedy(reterr, "look for another program that configures the PF, and "
				 "for messages of mlx5_core in dmesg");
	}
	describe_left(plan, &left, reterr);
	return -EIO;
}

bool plan_has_timed_out(const struct mlx5lm_plan *plan)
{
	for (size_t i = 0; i < plan->list.length; i++) {
		if (mlx5lm_error_get_code(plan->errors[i]) == MLX5LM_ERROR_TIMEOUT)
			return true;
	}
	return false;
}

/*
 * Some steps work only when others have: what is left is tried once more. Not behind a write that
 * still waits in the kernel: it would only cost its deadline again.
 */
static int try_again(struct plan_run *run, struct mlx5lm_plan *undo, struct mlx5lm_error **reterr)
{
	_cleanup_step_list_ struct step_list left = { 0 };
	size_t length = undo->list.length;
	int r;

	if (plan_has_timed_out(undo))
		return 0;
	r = build_left(run, undo, &left, reterr);
	if (r < 0 || !left.length)
		return r;
	if (plan_replace_steps(undo, length, &left) < 0)
		return error_no_memory(reterr);
	return plan_run_steps(run, undo, length, reterr);
}

/* Runs a plan that leads back to config, and keeps it as the undo of the caller's plan. */
static int go_back(struct plan_run *run, const struct mlx5lm_host *now,
		   const struct mlx5lm_config *config, struct mlx5lm_error **reterr)
{
	struct mlx5lm_plan *plan = run->plan, *undo = NULL;
	int r;

	mlx5lm_plan_free(plan->undo);
	plan->undo = NULL;
	r = plan_make(now, &now->pfs[0], config, &undo, reterr);
	if (r < 0)
		return r;
	if (!undo->list.length) {
		mlx5lm_plan_free(undo);
		return 0;
	}
	plan->undo = undo;
	r = plan_run_steps(run, undo, 0, reterr);
	if (r == 0)
		r = try_again(run, undo, reterr);
	return r < 0 ? r : plan_expect_met(run, undo, reterr);
}

int plan_undo(struct plan_run *run, struct mlx5lm_error **reterr)
{
	_cleanup_config_ struct mlx5lm_config *config = NULL;
	_cleanup_host_ struct mlx5lm_host *now = NULL;
	int r;

	if (config_from_pf(&run->plan->before->pfs[0], &config) < 0)
		return error_no_memory(reterr);
	config->live_guests = run->plan->config->live_guests;
	r = plan_look(run, &now, reterr);
	return r < 0 ? r : go_back(run, now, config, reterr);
}

static bool recreates_vfs(const struct step_list *list)
{
	for (size_t i = 0; i < list->length; i++) {
		if (list->steps[i].kind == STEP_NUM_VFS)
			return true;
	}
	return false;
}

int plan_put_back_vfs(struct plan_run *run, struct mlx5lm_error **reterr)
{
	_cleanup_config_ struct mlx5lm_config *config = NULL;
	_cleanup_host_ struct mlx5lm_host *now = NULL;
	struct mlx5lm_plan *plan = run->plan;
	size_t num_failed_vfs = run->num_failed_vfs;
	int r;

	r = plan_look(run, &now, reterr);
	if (r < 0)
		return r;
	if (config_copy(plan->config, &config) < 0 ||
	    before_give_up_vfs(&plan->before->pfs[0], &now->pfs[0], recreates_vfs(&plan->list),
			       run->failed_vfs, run->num_vfs, config) < 0)
		return error_no_memory(reterr);
	r = go_back(run, now, config, reterr);
	run->num_failed_vfs = num_failed_vfs;
	return r;
}

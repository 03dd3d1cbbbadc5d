// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>

#include "api/host_nv.h"
#include "api/plan.h"
#include "base/clock.h"
#include "base/error.h"
#include "core/before.h"
#include "core/derive.h"
#include "sys/probe.h"

/* A tool needs some seconds, see core/nv.h; three queries are the most. */
#define NV_TIMEOUT_MS 60000

int plan_probe(const struct mlx5lm_ctx *ctx, const char *pf_bdf, const struct mlx5lm_config *config,
	       struct mlx5lm_host **ret, struct mlx5lm_error **reterr)
{
	uint64_t until_ms = (uint64_t)clock_now_ms() + NV_TIMEOUT_MS;
	_cleanup_host_ struct mlx5lm_host *host = NULL;
	bool about_nv = config->firmware_reset;
	int r;

	for (unsigned int i = 0; i < NV_COUNT; i++)
		about_nv = about_nv || config->nv[i].known;
	r = probe_pf(ctx->root, &ctx->log, pf_bdf, &host, reterr);
	if (r < 0)
		return r;
	if ((about_nv && host_add_nv(host, ctx->root, true, until_ms) < 0) || host_derive(host) < 0)
		return error_no_memory(reterr);
	*ret = TAKE(host);
	return 0;
}

int plan_look(const struct plan_run *run, struct mlx5lm_host **ret, struct mlx5lm_error **reterr)
{
	return plan_probe(run->ctx, run->plan->pf_bdf, run->plan->config, ret, reterr);
}

/* A run of steps, for the applier and back from it. */
struct batch {
	struct plan_run *run;
	struct mlx5lm_plan *plan;
	const struct mlx5lm_step **steps;
	size_t *indices; /* of them in the plan */
	size_t length;
};

static void batch_release(struct batch *batch)
{
	free(batch->steps);
	free(batch->indices);
}

static bool has_failed(const struct plan_run *run, const struct mlx5lm_step *step)
{
	return step_is_of_vf(step->kind) && step->vf_index < run->num_vfs &&
	       run->failed_vfs[step->vf_index];
}

static int mark_failed(struct plan_run *run, uint32_t vf_index)
{
	size_t length = (size_t)vf_index + 1;

	if (length > run->num_vfs) {
		bool *list = reallocarray(run->failed_vfs, length, sizeof(*list));

		if (!list)
			return -ENOMEM;
		memset(list + run->num_vfs, 0, length - run->num_vfs);
		run->failed_vfs = list;
		run->num_vfs = length;
	}
	run->num_failed_vfs += !run->failed_vfs[vf_index];
	run->failed_vfs[vf_index] = true;
	return 0;
}

/* What is left of the steps from one on, when the VFs that failed are taken out. */
static int collect(struct plan_run *run, struct mlx5lm_plan *plan, size_t first, size_t length,
		   struct batch *batch)
{
	*batch = (struct batch){
		.run = run,
		.plan = plan,
		.steps = calloc(length, sizeof(*batch->steps)),
		.indices = calloc(length, sizeof(*batch->indices)),
	};
	if (!batch->steps || !batch->indices)
		return -ENOMEM;
	for (size_t i = first; i < first + length; i++) {
		if (has_failed(run, &plan->list.steps[i])) {
			plan->states[i] = MLX5LM_STEP_STATE_SKIPPED;
			continue;
		}
		batch->steps[batch->length] = &plan->list.steps[i];
		batch->indices[batch->length++] = i;
	}
	return 0;
}

/* Keeps the result, and tells the application. */
static int take_result(void *data, size_t index, enum mlx5lm_step_state state,
		       struct mlx5lm_error *error)
{
	const struct batch *batch = data;
	struct mlx5lm_plan *plan = batch->plan, *shown = batch->run->plan;
	size_t at = batch->indices[index];
	int r;

	plan->states[at] = state;
	if (error) {
		const struct mlx5lm_step *step = &plan->list.steps[at];

		error_add_prefix(&error, "step %zu of %zu (%s of %s): ", at + 1, plan->list.length,
				 step_id(step->kind), step->object);
		plan->errors[at] = error;
	}
	if (state == MLX5LM_STEP_STATE_STARTED && batch->run->cancelled && !plan->is_undo) {
		plan->states[at] = MLX5LM_STEP_STATE_SKIPPED;
		return -ECANCELED;
	}
	if (!shown->fn)
		return 0;
	shown->in_callback = true;
	r = shown->fn(plan, at, state, shown->userdata);
	shown->in_callback = false;
	/* What is being undone is not left half way. */
	if (r < 0 && !plan->is_undo) {
		batch->run->cancelled = true;
		/* That step is not begun. */
		if (state == MLX5LM_STEP_STATE_STARTED)
			plan->states[at] = MLX5LM_STEP_STATE_SKIPPED;
	}
	return batch->run->cancelled && !plan->is_undo ? -ECANCELED : 0;
}

static void skip_from(struct mlx5lm_plan *plan, size_t first)
{
	for (size_t i = first; i < plan->list.length; i++) {
		if (plan->states[i] == MLX5LM_STEP_STATE_UNKNOWN)
			plan->states[i] = MLX5LM_STEP_STATE_SKIPPED;
	}
}

/* next: the step that comes behind. */
static int cancelled(const struct mlx5lm_plan *plan, size_t next, struct mlx5lm_error **reterr)
{
	if (next >= plan->list.length)
		return error_set(reterr, MLX5LM_ERROR_CANCELLED, ECANCELED, MLX5LM_SOURCE_LIBRARY,
				 "cancelled after the last of %zu steps", plan->list.length);
	return error_set(reterr, MLX5LM_ERROR_CANCELLED, ECANCELED, MLX5LM_SOURCE_LIBRARY,
			 "cancelled before step %zu of %zu (%s of %s)", next + 1,
			 plan->list.length, step_id(plan->list.steps[next].kind),
			 plan->list.steps[next].object);
}

/* The error of the first step that failed. */
static int failed(const struct batch *batch, int r, struct mlx5lm_error **reterr)
{
	for (size_t i = 0; i < batch->length; i++) {
		const struct mlx5lm_error *error = batch->plan->errors[batch->indices[i]];

		if (error)
			return error_pass(reterr, error_copy(error));
	}
	return r == -ENOMEM ? error_no_memory(reterr) :
			      error_set(reterr, error_code_from_errno(-r), -r,
					MLX5LM_SOURCE_LIBRARY, "a step failed: %s", strerror(-r));
}

/* Works out the steps from an index on anew, from what the PF is now. */
static int plan_rest_anew(struct plan_run *run, struct mlx5lm_plan *plan, size_t from,
			  struct mlx5lm_error **reterr)
{
	_cleanup_step_list_ struct step_list list = { 0 };
	_cleanup_host_ struct mlx5lm_host *now = NULL;
	int r;

	r = plan_look(run, &now, reterr);
	if (r < 0)
		return r;
	/* What a step of this plan has changed for a time shall not stay. */
	if (config_keep(plan->config, &run->plan->before->pfs[0]) < 0)
		return error_no_memory(reterr);
	r = plan_build(now, &now->pfs[0], plan->config, &list, reterr);
	if (r < 0)
		return r;
	return plan_replace_steps(plan, from, &list) < 0 ? error_no_memory(reterr) : 0;
}

static bool changes_num_vfs(const struct step_list *list, size_t from)
{
	for (size_t i = from; i < list->length; i++) {
		if (list->steps[i].kind == STEP_NUM_VFS && list->steps[i].value)
			return true;
	}
	return false;
}

/*
 * Some adapters want to have VFs before they go to switchdev mode (sriov-network-operator, issue
 * 1015: ConnectX-6 Lx on s390x answers EINVAL). Returns 1 if the other order is worth a try.
 */
static int take_other_order(struct plan_run *run, struct mlx5lm_plan *plan, size_t index,
			    struct mlx5lm_error **reterr)
{
	struct mlx5lm_config *config = plan->config;
	const struct mlx5lm_error *error = plan->errors[index];
	int r;

	if (config->order != CONFIG_SWITCHDEV_FIRST || !error ||
	    plan->list.steps[index].value != MLX5LM_ESWITCH_SWITCHDEV ||
	    !changes_num_vfs(&plan->list, index))
		return 0;
	config->order = CONFIG_VFS_FIRST;
	free(config->order_reason);
	config->order_reason = str_printf("the usual order was refused: %s",
					  error->detail ? error->detail : error->message);
	if (!config->order_reason)
		return error_no_memory(reterr);
	log_info(&run->ctx->log, "PF %s: VFs first, then switchdev mode: %s", plan->pf_bdf,
		 config->order_reason);
	r = plan_rest_anew(run, plan, index, reterr);
	return r < 0 ? r : 1;
}

/* Outside switchdev mode, what VFs had as port functions could not be seen before. */
static int learn_ports(struct plan_run *run, const struct mlx5lm_step *step,
		       struct mlx5lm_error **reterr)
{
	struct mlx5lm_pf *before = &run->plan->before->pfs[0];
	_cleanup_host_ struct mlx5lm_host *now = NULL;
	int r;

	if (step->value != MLX5LM_ESWITCH_SWITCHDEV || !before->num_vfs ||
	    before->eswitch_mode == MLX5LM_ESWITCH_SWITCHDEV)
		return 0;
	r = plan_look(run, &now, reterr);
	/* Not the same ones any more if they were recreated. */
	if (r < 0 || now->pfs[0].num_vfs != before->num_vfs)
		return r;
	if (before_learn_ports(before, &now->pfs[0]) < 0)
		return error_no_memory(reterr);
	return plan_journal_learn(run, reterr);
}

/* What has to happen behind steps that went well. */
static int follow_up(struct plan_run *run, struct mlx5lm_plan *plan, size_t first, size_t next,
		     struct mlx5lm_error **reterr)
{
	const struct mlx5lm_step *step = &plan->list.steps[first];

	if (plan->is_undo)
		return 0;
	switch (step->kind) {
	case STEP_ESWITCH_MODE:
		return learn_ports(run, step, reterr);
	case STEP_NV:
		return plan_remember_nv(run, plan, reterr);
	case STEP_FIRMWARE_RESET:
		/* The adapter is another one now. */
		return plan_rest_anew(run, plan, next, reterr);
	default:
		return 0;
	}
}

/* VFs whose step failed take no further part. */
static int drop_failed_vfs(const struct batch *batch)
{
	for (size_t i = 0; i < batch->length; i++) {
		if (batch->plan->states[batch->indices[i]] == MLX5LM_STEP_STATE_FAILED &&
		    mark_failed(batch->run, batch->steps[i]->vf_index) < 0)
			return -ENOMEM;
	}
	return 0;
}

static bool goes_on(const struct plan_run *run, const struct mlx5lm_plan *plan,
		    const struct mlx5lm_step *step)
{
	if (run->cancelled && !plan->is_undo)
		return false;
	return plan->is_undo || (run->plan->policy == MLX5LM_FAILURE_POLICY_KEEP_GOOD_VFS &&
				 step_is_of_vf(step->kind));
}

/* Runs the steps from one on that may go side by side. 0; 1 to begin anew there; -errno. */
static int run_batch(struct plan_run *run, struct mlx5lm_plan *plan, size_t first, size_t length,
		     struct mlx5lm_error **reterr)
{
	const struct mlx5lm_step *step = &plan->list.steps[first];
	_cleanup_(batch_release) struct batch batch = { 0 };
	const struct applier_watch watch = { take_result, &batch };
	int r;

	if (collect(run, plan, first, length, &batch) < 0)
		return error_no_memory(reterr);
	if (!batch.length)
		return 0;
	/* A full disk is no reason to leave half undone what can be undone. */
	r = plan_journal_steps(run, plan, batch.indices[0], batch.length,
			       plan->is_undo ? NULL : reterr);
	if (r < 0 && !plan->is_undo)
		return r;
	r = applier_run(run->applier, batch.steps, batch.length, &watch);
	if (r == -EINVAL && step->kind == STEP_ESWITCH_MODE && !run->cancelled && !plan->is_undo) {
		r = take_other_order(run, plan, first, reterr);
		if (r != 0)
			return r;
		r = -EINVAL;
	}
	if (r < 0 && r != -ENOMEM && goes_on(run, plan, step)) {
		if (step_is_of_vf(step->kind) && drop_failed_vfs(&batch) < 0)
			return error_no_memory(reterr);
		r = 0;
	}
	if (run->cancelled && !plan->is_undo)
		return cancelled(plan, first + length, reterr);
	if (r < 0)
		return failed(&batch, r, reterr);
	return follow_up(run, plan, first, first + length, reterr);
}

int plan_run_steps(struct plan_run *run, struct mlx5lm_plan *plan, size_t from,
		   struct mlx5lm_error **reterr)
{
	size_t i = from, length;
	int r;

	if (run->num_vfs)
		memset(run->failed_vfs, 0, run->num_vfs);
	run->num_failed_vfs = 0;
	while (i < plan->list.length) {
		length = step_batch_length(&plan->list.steps[i], plan->list.length - i);
		r = run_batch(run, plan, i, length, reterr);
		if (r < 0) {
			skip_from(plan, i);
			return r;
		}
		if (r == 0)
			i += length;
	}
	return 0;
}

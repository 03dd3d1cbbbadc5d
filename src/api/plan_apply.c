// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>

#include "api/plan.h"
#include "base/clock.h"
#include "base/error.h"
#include "core/journal.h"
#include "export.h"
#include "sys/journal_file.h"
#include "sys/pf_lock.h"

/* All that is missing at once, so that it can be mended at once. */
static int check_rights(const struct mlx5lm_plan *plan, const struct mlx5lm_host *now,
			struct mlx5lm_error **reterr)
{
	_cleanup_free_ char *missing = NULL;

	if (plan_missing_rights(now, &plan->list, &missing) < 0)
		return error_no_memory(reterr);
	if (!missing)
		return 0;
	error_set(reterr, MLX5LM_ERROR_PERMISSION, EPERM, MLX5LM_SOURCE_LIBRARY,
		  "PF %s: this process lacks rights for the plan, so nothing is changed",
		  plan->pf_bdf);
	error_add_detail(reterr, "%s", missing);
	error_add_remedy(reterr, "run as root in the initial user namespace, or give the process "
			 "what the detail lists");
	return -EPERM;
}

/* A plan is good only for the state it was made from. */
static int check_unchanged(const struct mlx5lm_plan *plan, const struct mlx5lm_host *now,
			   struct mlx5lm_error **reterr)
{
	_cleanup_step_list_ struct step_list list = { 0 };
	const struct mlx5lm_step *step;
	ssize_t differ;
	int r;

	r = plan_build(now, &now->pfs[0], plan->config, &list, reterr);
	if (r < 0) {
		error_add_prefix(reterr, "before the first step: ");
		return r;
	}
	differ = step_list_differ(&plan->list, &list);
	if (differ < 0)
		return 0;
	error_set(reterr, MLX5LM_ERROR_STATE_CHANGED, ESTALE, MLX5LM_SOURCE_LIBRARY,
		  "PF %s is no longer as it was when the plan was made", plan->pf_bdf);
	step = (size_t)differ < plan->list.length ? &plan->list.steps[differ] :
						    &list.steps[differ];
	error_add_detail(reterr, "first difference: %s of %s, planned from %s to %s",
			 step_id(step->kind), step->object, step->current, step->wanted);
	error_add_remedy(reterr, "probe again and make a new plan");
	return -ESTALE;
}

static int check_journal(const struct mlx5lm_plan *plan, const struct mlx5lm_host *now,
			 struct mlx5lm_error **reterr)
{
	_cleanup_journal_ struct journal journal = { 0 };
	_cleanup_error_ struct mlx5lm_error *error = NULL;
	_cleanup_free_ char *text = NULL;
	size_t length;
	int r;

	if (!plan->journal_dir || plan->is_recovery)
		return 0;
	r = journal_file_read(plan->journal_dir, plan->pf_bdf, JOURNAL_KIND, &text, &length,
			      &error);
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = journal_parse(text, length, &journal, &error);
	if (r < 0)
		return error_pass(reterr, TAKE(error));
	/* VFs and eswitch mode do not outlive a boot, so there is nothing in between any more. */
	if (journal.end != JOURNAL_OPEN || !streq(journal.boot_id, now->boot_id))
		return 0;
	error_set(reterr, MLX5LM_ERROR_RECOVERY_NEEDED, EUCLEAN, MLX5LM_SOURCE_LIBRARY,
		  "PF %s: an earlier configuration was interrupted%s%s", plan->pf_bdf,
		  journal.last ? " at " : "", journal.last ? journal.last : "");
	error_add_detail(reterr, "journal in %s, of process %llu", plan->journal_dir,
			 (unsigned long long)journal.pid);
	error_add_remedy(reterr, "undo or finish it first: mlx5lm-configure --pf %s --journal %s "
			 "--recover undo --apply", plan->pf_bdf, plan->journal_dir);
	return -EUCLEAN;
}

/* sriov_drivers_autoprobe is ours only for the time of the plan, whatever the policy. */
static void restore_autoprobe(const struct plan_run *run)
{
	const struct mlx5lm_plan *plan = run->plan;
	_cleanup_config_ struct mlx5lm_config *config = NULL;
	_cleanup_error_ struct mlx5lm_error *error = NULL;
	_cleanup_host_ struct mlx5lm_host *now = NULL;
	struct mlx5lm_plan *restore = NULL;
	struct plan_run other = *run;

	if (plan_look(run, &now, &error) == 0 && mlx5lm_config_new(&config) == 0) {
		config->is_undo = true;
		config->autoprobe = plan->before->pfs[0].sriov_autoprobe;
		other.num_vfs = 0;
		other.failed_vfs = NULL;
		if (plan_make(now, &now->pfs[0], config, &restore, &error) == 0)
			plan_run_steps(&other, restore, 0, &error);
		mlx5lm_plan_free(restore);
		free(other.failed_vfs);
	}
	if (error)
		log_error(&run->ctx->log, "PF %s: sriov_drivers_autoprobe could not be restored: %s",
			  plan->pf_bdf, error->message);
}

/* After a failure: the host as it was before, or as the policy wants it. Takes error. */
static int give_up(struct plan_run *run, struct mlx5lm_error *error, struct mlx5lm_error **reterr)
{
	_cleanup_error_ struct mlx5lm_error *undo_error = NULL;
	struct mlx5lm_plan *plan = run->plan;

	if (plan->is_undo)
		return error_pass(reterr, error);
	if (plan->policy == MLX5LM_FAILURE_POLICY_STOP) {
		restore_autoprobe(run);
		return error_pass(reterr, error);
	}
	if (plan_undo(run, &undo_error) < 0) {
		error_append_detail(&error, "not undone: %s", undo_error->message);
		if (undo_error->detail)
			error_append_detail(&error, "%s", undo_error->detail);
		error_set_code(&error, MLX5LM_ERROR_UNDO_FAILED);
		error_add_remedy(&error, "%s", undo_error->remedy ? undo_error->remedy :
				 "probe the host and plan again");
		return error_pass(reterr, error);
	}
	if (plan_has_timed_out(plan)) {
		/* The journal stays open: what comes later has to be undone then. */
		error_append_detail(&error, "PF %s is as it was before, but what timed out may still "
				    "take effect: recover when it has ended", plan->pf_bdf);
		return error_pass(reterr, error);
	}
	plan_journal_end(run, true, NULL);
	error_append_detail(&error, "all is undone: PF %s is as it was before", plan->pf_bdf);
	return error_pass(reterr, error);
}

static int run_and_verify(struct plan_run *run, struct mlx5lm_error **reterr)
{
	struct mlx5lm_plan *plan = run->plan;
	int r;

	r = plan_run_steps(run, plan, 0, reterr);
	if (r < 0)
		return r;
	if (run->num_failed_vfs && !plan->is_undo)
		return plan_put_back_vfs(run, reterr);
	return plan_expect_met(run, plan, reterr);
}

static int check(const struct plan_run *run, const struct mlx5lm_host *now,
		 struct mlx5lm_error **reterr)
{
	int r;

	r = check_rights(run->plan, now, reterr);
	if (r == 0)
		r = check_journal(run->plan, now, reterr);
	if (r == 0)
		r = check_unchanged(run->plan, now, reterr);
	return r == 0 ? plan_check_nv(run, now, reterr) : r;
}

static int apply(struct plan_run *run, struct mlx5lm_error **reterr)
{
	_cleanup_error_ struct mlx5lm_error *error = NULL;
	_cleanup_host_ struct mlx5lm_host *now = NULL;
	struct mlx5lm_plan *plan = run->plan;
	int r;

	plan_forget_results(plan);
	r = plan_look(run, &now, reterr);
	if (r == 0)
		r = check(run, now, reterr);
	if (r < 0)
		return r;
	/* Nothing to do is nothing written; only a journal that is open gets its end. */
	if (!plan->list.length && !plan->is_recovery)
		return 0;
	if (!plan->is_recovery) {
		mlx5lm_host_free(plan->before);
		plan->before = TAKE(now);
	}
	r = plan_journal_begin(run, reterr);
	if (r < 0)
		return r;
	r = run_and_verify(run, &error);
	if (r < 0)
		return give_up(run, TAKE(error), reterr);
	r = plan_journal_end(run, plan->is_undo, reterr);
	return r < 0 ? r : (int)(plan->is_undo ? 0 : run->num_failed_vfs);
}

/* Without the right to lock, the caller learns of all the others as well. */
static int lock_failed(const struct plan_run *run, int r, struct mlx5lm_error *error,
		       struct mlx5lm_error **reterr)
{
	_cleanup_error_ struct mlx5lm_error *reason = error;
	_cleanup_host_ struct mlx5lm_host *now = NULL;

	if (r != -EACCES && r != -EPERM)
		return error_pass(reterr, TAKE(reason));
	r = plan_look(run, &now, reterr);
	if (r == 0)
		r = check_rights(run->plan, now, reterr);
	return r < 0 ? r : error_pass(reterr, TAKE(reason));
}

static int begin(struct plan_run *run, struct mlx5lm_error **reterr)
{
	struct mlx5lm_error *error = NULL;
	int r;

	if (run->plan->in_callback)
		return error_set(reterr, MLX5LM_ERROR_BUSY, EBUSY, MLX5LM_SOURCE_LIBRARY,
				 "the plan is being applied");
	r = applier_new(run->ctx->root, &run->ctx->log, run->plan->pf_bdf, &run->applier, reterr);
	if (r < 0)
		return r;
	r = pf_lock(run->ctx->root, run->plan->pf_bdf, &run->lock_fd, &error);
	return r < 0 ? lock_failed(run, r, error, reterr) : 0;
}

static void end(struct plan_run *run, int64_t begin_ms)
{
	struct mlx5lm_plan *plan = run->plan;

	if (run->applier) {
		struct applier_counts counts = applier_get_counts(run->applier);

		plan->counts.writes += counts.writes;
		plan->counts.messages += counts.messages;
		plan->took_ms = fact_u64((uint64_t)(clock_now_ms() - begin_ms));
	}
	applier_free(run->applier);
	free(run->failed_vfs);
	close_p(&run->journal_fd);
	close_p(&run->lock_fd);
}

/* Does what fn says while the PF is locked. */
static int run_locked(struct mlx5lm_plan *plan, struct mlx5lm_ctx *ctx,
		      int (*fn)(struct plan_run *run, struct mlx5lm_error **reterr),
		      struct mlx5lm_error **reterr)
{
	struct plan_run run = { .plan = plan, .ctx = ctx, .lock_fd = -1, .journal_fd = -1 };
	int64_t begin_ms = clock_now_ms();
	int r;

	r = begin(&run, reterr);
	if (r == 0)
		r = fn(&run, reterr);
	end(&run, begin_ms);
	return r;
}

MLX5LM_EXPORT int mlx5lm_plan_apply(struct mlx5lm_plan *plan, struct mlx5lm_ctx *ctx,
				    struct mlx5lm_error **reterr)
{
	if (!plan || !ctx)
		return error_invalid(reterr, "a plan and a context are needed");
	return run_locked(plan, ctx, apply, reterr);
}

static int rollback(struct plan_run *run, struct mlx5lm_error **reterr)
{
	const struct mlx5lm_plan *plan = run->plan;
	int r = 0;

	if (plan->journal_dir)
		r = journal_file_open(plan->journal_dir, plan->pf_bdf, JOURNAL_KIND,
				      &run->journal_fd, reterr);
	if (r == 0)
		r = plan_undo(run, reterr);
	return r < 0 ? r : plan_journal_end(run, true, reterr);
}

MLX5LM_EXPORT int mlx5lm_plan_rollback(struct mlx5lm_plan *plan, struct mlx5lm_ctx *ctx,
				       struct mlx5lm_error **reterr)
{
	if (!plan || !ctx)
		return error_invalid(reterr, "a plan and a context are needed");
	if (!plan->before)
		return error_set(reterr, MLX5LM_ERROR_INVALID_ARGUMENT, ENODATA,
				 MLX5LM_SOURCE_LIBRARY,
				 "PF %s: the plan was not applied, so nothing is to be undone",
				 plan->pf_bdf);
	return run_locked(plan, ctx, rollback, reterr);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>

#include "api/plan.h"
#include "base/error.h"
#include "core/journal.h"
#include "export.h"
#include "sys/journal_file.h"
#include "sys/pf_lock.h"

/* Whoever is at work holds the lock; who may not even try it can look all the same. */
static int check_owner(const struct mlx5lm_ctx *ctx, const char *pf_bdf,
		       struct mlx5lm_error **reterr)
{
	_cleanup_error_ struct mlx5lm_error *error = NULL;
	_cleanup_close_ int fd = -1;
	int r = pf_lock(ctx->root, pf_bdf, &fd, &error);

	return r == -EACCES || r == -EPERM || r == 0 ? 0 : error_pass(reterr, TAKE(error));
}

static int read_journal(const char *journal_dir, const char *pf_bdf, struct journal *ret,
			struct mlx5lm_error **reterr)
{
	_cleanup_free_ char *text = NULL;
	size_t length;
	int r;

	r = journal_file_read(journal_dir, pf_bdf, JOURNAL_KIND, &text, &length, reterr);
	if (r == 0)
		r = journal_parse(text, length, ret, reterr);
	if (r < 0 || streq(ret->pf_bdf, pf_bdf))
		return r;
	return error_set(reterr, MLX5LM_ERROR_INVALID_DOCUMENT, EBADMSG, MLX5LM_SOURCE_LIBRARY,
			 "the journal of PF %s tells of PF %s", pf_bdf, ret->pf_bdf);
}

/* Where the plan is to lead. */
static int find_goal(const struct journal *journal, const struct mlx5lm_host *now,
		     enum mlx5lm_recovery way, struct mlx5lm_config **ret,
		     struct mlx5lm_error **reterr)
{
	const struct mlx5lm_pf *before = &journal->before->pfs[0];
	int r;

	if (way == MLX5LM_RECOVERY_FINISH && journal->end != JOURNAL_OPEN)
		return error_set(reterr, MLX5LM_ERROR_NOT_FOUND, ENODATA, MLX5LM_SOURCE_LIBRARY,
				 "PF %s: the last configuration was not interrupted",
				 journal->pf_bdf);
	if (way == MLX5LM_RECOVERY_FINISH)
		r = config_copy(journal->wanted, ret);
	else if (streq(journal->boot_id, now->boot_id))
		r = config_from_pf(before, ret);
	else
		r = mlx5lm_config_new(ret);
	if (r < 0)
		return error_no_memory(reterr);
	if (way == MLX5LM_RECOVERY_FINISH && streq(journal->boot_id, now->boot_id) &&
	    config_keep(*ret, before) < 0)
		return error_no_memory(reterr);
	(*ret)->live_guests = journal->wanted->live_guests;
	(*ret)->is_undo = way == MLX5LM_RECOVERY_UNDO;
	return 0;
}

static int recover(const struct mlx5lm_ctx *ctx, const char *journal_dir, const char *pf_bdf,
		   enum mlx5lm_recovery way, struct mlx5lm_plan **ret, struct mlx5lm_error **reterr)
{
	_cleanup_journal_ struct journal journal = { 0 };
	_cleanup_config_ struct mlx5lm_config *config = NULL;
	_cleanup_host_ struct mlx5lm_host *now = NULL;
	_cleanup_plan_ struct mlx5lm_plan *plan = NULL;
	int r;

	r = read_journal(journal_dir, pf_bdf, &journal, reterr);
	if (r == 0)
		r = plan_probe(ctx, pf_bdf, journal.wanted, &now, reterr);
	if (r < 0)
		return r;
	r = find_goal(&journal, now, way, &config, reterr);
	if (r == 0)
		r = plan_make(now, &now->pfs[0], config, &plan, reterr);
	if (r < 0)
		return r;
	if (str_replace(&plan->journal_dir, journal_dir))
		return error_no_memory(reterr);
	plan->before = TAKE(journal.before);
	plan->is_recovery = true;
	*ret = TAKE(plan);
	return 0;
}

MLX5LM_EXPORT int mlx5lm_plan_recover(struct mlx5lm_ctx *ctx, const char *journal_dir,
				      const char *pf_bdf, enum mlx5lm_recovery way,
				      struct mlx5lm_plan **ret, struct mlx5lm_error **reterr)
{
	int r;

	if (!ctx || !journal_dir || !*journal_dir || !pf_bdf || !ret ||
	    (way != MLX5LM_RECOVERY_FINISH && way != MLX5LM_RECOVERY_UNDO))
		return error_invalid(reterr, "a context, the directory of the journal, a PF, a way "
				     "and a place for the plan are needed");
	if (!ctx->root->native)
		return error_set(reterr, MLX5LM_ERROR_READ_ONLY_ROOT, EROFS, MLX5LM_SOURCE_LIBRARY,
				 "%s: %s is not the tree of the running kernel", pf_bdf,
				 ctx->root->path);
	r = check_owner(ctx, pf_bdf, reterr);
	return r < 0 ? r : recover(ctx, journal_dir, pf_bdf, way, ret, reterr);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <unistd.h>

#include "api/plan.h"
#include "base/error.h"
#include "core/journal.h"
#include "sys/journal_file.h"

static const struct mlx5lm_pf *pf_before(const struct plan_run *run)
{
	return &run->plan->before->pfs[0];
}

int plan_journal_begin(struct plan_run *run, struct mlx5lm_error **reterr)
{
	const struct mlx5lm_plan *plan = run->plan;
	_cleanup_free_ char *line = NULL;

	if (!plan->journal_dir)
		return 0;
	if (plan->is_recovery)
		return journal_file_open(plan->journal_dir, plan->pf_bdf, JOURNAL_KIND,
					 &run->journal_fd, reterr);
	line = journal_begin_line(plan->before, pf_before(run), plan->config, (uint64_t)getpid());
	if (!line)
		return error_no_memory(reterr);
	return journal_file_replace(plan->journal_dir, plan->pf_bdf, JOURNAL_KIND, line,
				    &run->journal_fd, reterr);
}

static int append(const struct plan_run *run, char *line, struct mlx5lm_error **reterr)
{
	_cleanup_free_ char *text = line;

	if (!text)
		return error_no_memory(reterr);
	return journal_file_append(run->journal_fd, run->plan->pf_bdf, text, reterr);
}

int plan_journal_steps(const struct plan_run *run, const struct mlx5lm_plan *plan, size_t first,
		       size_t length, struct mlx5lm_error **reterr)
{
	if (run->journal_fd < 0)
		return 0;
	return append(run, journal_step_line(&plan->list.steps[first], length, plan->is_undo),
		      reterr);
}

int plan_journal_learn(const struct plan_run *run, struct mlx5lm_error **reterr)
{
	if (run->journal_fd < 0)
		return 0;
	return append(run, journal_before_line(run->plan->before, pf_before(run)), reterr);
}

int plan_journal_end(const struct plan_run *run, bool undone, struct mlx5lm_error **reterr)
{
	if (run->journal_fd < 0)
		return 0;
	return append(run, journal_end_line(undone ? JOURNAL_UNDONE : JOURNAL_DONE), reterr);
}

static int read_nv_record(const struct mlx5lm_plan *plan, struct nv_record *ret,
			  struct mlx5lm_error **reterr)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_error_ struct mlx5lm_error *error = NULL;
	size_t length = 0;
	int r;

	r = journal_file_read(plan->journal_dir, plan->pf_bdf, NV_RECORD_KIND, &text, &length,
			      &error);
	if (r < 0 && r != -ENOENT)
		return error_pass(reterr, TAKE(error));
	return nv_record_parse(text, length, ret) < 0 ? error_no_memory(reterr) : 0;
}

int plan_check_nv(const struct plan_run *run, const struct mlx5lm_host *now,
		  struct mlx5lm_error **reterr)
{
	_cleanup_nv_record_ struct nv_record record = { 0 };
	const struct mlx5lm_plan *plan = run->plan;
	int r;

	if (!plan->journal_dir || plan->is_undo)
		return 0;
	r = read_nv_record(plan, &record, reterr);
	return r < 0 ? r : nv_record_check(&record, now->boot_id, &now->pfs[0], plan->config,
					   reterr);
}

int plan_remember_nv(const struct plan_run *run, const struct mlx5lm_plan *plan,
		     struct mlx5lm_error **reterr)
{
	_cleanup_nv_record_ struct nv_record record = { 0 };
	_cleanup_free_ char *text = NULL;
	int r;

	if (!run->plan->journal_dir)
		return 0;
	r = read_nv_record(run->plan, &record, reterr);
	if (r < 0)
		return r;
	for (size_t i = 0; i < plan->list.length; i++) {
		const struct mlx5lm_step *step = &plan->list.steps[i];
		uint64_t max;
		int index = step->kind == STEP_NV ? config_find_nv(step->text, &max) : -1;

		if (index >= 0 && nv_record_set(&record, (unsigned int)index, step->value,
						run->plan->before->boot_id) < 0)
			return error_no_memory(reterr);
	}
	text = nv_record_text(&record);
	if (!text)
		return error_no_memory(reterr);
	return journal_file_replace(run->plan->journal_dir, run->plan->pf_bdf, NV_RECORD_KIND,
				    text, NULL, reterr);
}

/* SPDX-License-Identifier: MIT-0 */
#ifndef PLAN_SHOW_H
#define PLAN_SHOW_H

#include <mlx5lm/mlx5lm.h>

/* Prints a plan as a table: a row for each step, or for several VFs that get the same. */
void show_plan(const struct mlx5lm_plan *plan, const char *pf, int explain);

/* Prints how far a plan is: one line for each run of steps of one kind, done side by side. */
struct progress {
	int terminal; /* rewrite the line while it goes on */
	const struct mlx5lm_plan *plan;
	size_t first, length; /* the run */
	size_t done, failed;
	uint64_t started_ms;
};

void show_progress(struct progress *progress, const struct mlx5lm_plan *plan, size_t index,
		   enum mlx5lm_step_state state);

/* Ends the last line if that run of steps did not come to its end. */
void end_progress(struct progress *progress);

/*
 * Prints what mlx5lm_plan_apply() came to: figures, and on stderr the steps that failed, but for
 * what error says.
 */
void show_outcome(const struct mlx5lm_plan *plan, int result, const struct mlx5lm_error *error);

#endif

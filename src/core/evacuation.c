// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/evacuation.h"

#include <errno.h>

#include "base/error.h"
#include "core/evacuation_solve.h"

/* Counted, not timed: the same fleet gives the same plan. */
#define MAX_STEPS 1000000u

void evacuation_free(struct mlx5lm_evacuation *evacuation)
{
	if (!evacuation)
		return;
	for (size_t i = 0; i < evacuation->num_moves; i++) {
		free(evacuation->moves[i].domain);
		free(evacuation->moves[i].destination);
		free(evacuation->moves[i].vfs);
	}
	free(evacuation->moves);
	free(evacuation->host);
	findings_release(&evacuation->findings);
	free(evacuation);
}

int evacuation_solve(struct evacuation_state *state, bool *ret_optimal)
{
	const struct evacuation_problem *problem = state->problem;
	bool left_proven = false, waves_proven = false;
	uint32_t goers = problem->num_goers, min_left, min_waves;
	uint64_t steps = MAX_STEPS;

	if (bound_left(problem, &min_left) || greedy_hosts(state, min_left))
		return -ENOMEM;
	if (goers - state->num_placed > min_left &&
	    search_left(state, min_left, &steps, &left_proven))
		return -ENOMEM;
	if (greedy_waves(state) || bound_waves(problem, goers - state->num_placed, &min_waves))
		return -ENOMEM;
	if (state->num_waves > min_waves && search_waves(state, min_waves, &steps, &waves_proven))
		return -ENOMEM;
	if (search_hosts(state, &steps))
		return -ENOMEM;
	/* What was searched is only as good as the hosts that were looked at. */
	left_proven = goers - state->num_placed == min_left || (left_proven && problem->complete);
	waves_proven = state->num_waves == min_waves || (waves_proven && problem->complete);
	*ret_optimal = left_proven && waves_proven;
	return 0;
}

static int refuse_host(const char *host, struct mlx5lm_error **reterr)
{
	error_set(reterr, MLX5LM_ERROR_NOT_FOUND, ENOENT, MLX5LM_SOURCE_LIBRARY,
		  "the fleet has no host \"%s\"", host);
	error_add_remedy(reterr, "take a name under which a host was added: a snapshot that was "
				 "added without a name has its hostname");
	return -ENOENT;
}

static int fill(const struct mlx5lm_fleet *fleet, size_t host,
		const struct mlx5lm_evacuation_options *options,
		struct mlx5lm_evacuation *evacuation)
{
	_cleanup_problem_ struct evacuation_problem problem = { 0 };
	_cleanup_state_ struct evacuation_state state = { 0 };
	bool optimal;

	if (problem_make(fleet, host, options, &problem) || state_init(&problem, &state) ||
	    evacuation_solve(&state, &optimal) ||
	    evacuation_add_moves(&state, options, evacuation) ||
	    evacuation_add_findings(&state, options, &evacuation->findings) ||
	    str_replace(&evacuation->host, problem.source->name))
		return -ENOMEM;
	evacuation->num_waves = state.num_waves;
	evacuation->num_left = problem.num_evacuees - state.num_placed;
	evacuation->optimal = optimal ? MLX5LM_ANSWER_YES : MLX5LM_ANSWER_UNKNOWN;
	return 0;
}

int evacuation_make(const struct mlx5lm_fleet *fleet, const char *host,
		    const struct mlx5lm_evacuation_options *options, struct mlx5lm_evacuation **ret,
		    struct mlx5lm_error **reterr)
{
	static const struct mlx5lm_evacuation_options defaults = {
		.max_vfs_per_pf = EVACUATION_DEFAULT_MAX_VFS_PER_PF,
	};
	_cleanup_evacuation_ struct mlx5lm_evacuation *evacuation = NULL;
	size_t index;

	if (fleet_find_host(fleet, host, &index) < 0)
		return refuse_host(host, reterr);
	evacuation = calloc(1, sizeof(*evacuation));
	if (!evacuation || fill(fleet, index, options ? options : &defaults, evacuation))
		return error_no_memory(reterr);
	*ret = TAKE(evacuation);
	return 0;
}

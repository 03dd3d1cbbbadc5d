/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_EVACUATION_SOLVE_H
#define CORE_EVACUATION_SOLVE_H

#include "core/evacuation_state.h"

/* In evacuation_bounds.c: what no plan can be better than. */

/* So many stay at least. 0 or -ENOMEM. */
int bound_left(const struct evacuation_problem *problem, uint32_t *ret);
/* So many waves are needed at least if no more than num_left stay. 0 or -ENOMEM. */
int bound_waves(const struct evacuation_problem *problem, uint32_t num_left, uint32_t *ret);
/* So many hosts are needed at least for those that are placed. */
uint32_t bound_hosts(const struct evacuation_state *state);

/*
 * In evacuation_greedy.c: a good plan, fast. Places as many as it can, at best all but min_left;
 * puts those that are placed into waves, and on other hosts if that makes fewer. 0 or -ENOMEM.
 */
int greedy_hosts(struct evacuation_state *state, uint32_t min_left);
int greedy_waves(struct evacuation_state *state);

/*
 * In evacuation_search.c: puts the best plan in place of state, if it finds a better one in
 * *steps, of which those it took are gone then. *ret_proven: there is no better one (among the
 * hosts that the problem looks at). Fewer domains left, without waves; fewer waves, with as many
 * domains; fewer hosts, with as many of both. 0 or -ENOMEM.
 */
int search_left(struct evacuation_state *state, uint32_t min_left, uint64_t *steps,
		bool *ret_proven);
int search_waves(struct evacuation_state *state, uint32_t min_waves, uint64_t *steps,
		 bool *ret_proven);
int search_hosts(struct evacuation_state *state, uint64_t *steps);

/* Fills *state. *ret_optimal: no other plan leaves fewer or needs fewer waves. 0 or -ENOMEM. */
int evacuation_solve(struct evacuation_state *state, bool *ret_optimal);

/*
 * In evacuation_moves.c: the moves of those that state places, wave by wave, with the VFs that
 * each gets. 0 or -ENOMEM.
 */
int evacuation_add_moves(const struct evacuation_state *state,
			 const struct mlx5lm_evacuation_options *options,
			 struct mlx5lm_evacuation *evacuation);

/* In evacuation_stay.c: a finding for each of the others. 0 or -ENOMEM. */
int evacuation_add_findings(const struct evacuation_state *state,
			    const struct mlx5lm_evacuation_options *options,
			    struct mlx5lm_findings *findings);

#endif

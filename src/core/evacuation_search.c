// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/evacuation_solve.h"

#include <errno.h>

enum search_result {
	SEARCH_FOUND,
	SEARCH_NONE,	/* there is no such plan */
	SEARCH_GAVE_UP, /* too few steps to tell */
};

/* Beyond it a search would hardly end, and goes as deep as there are domains. */
#define MAX_DOMAINS 128u

/* Depth first: domain by domain, each wave and host; what is asked for is within the bounds. */
struct search {
	struct evacuation_state state;
	uint32_t max_left, max_waves, max_hosts;
	bool with_waves, with_hosts; /* else all is as it was in fixed */
	const struct evacuation_state *fixed;
	uint64_t steps;
	uint32_t num_left;
	uint64_t *out_behind, *need_behind; /* [evacuee][..]: of it and of those behind it */
	uint32_t *most_out, *most_need;	    /* the largest of them */
	uint64_t *wave_room;		    /* [source PF], and the network: of all waves */
	uint64_t *host_room;		    /* [class]: of all hosts */
};

static void search_release(struct search *search)
{
	state_release(&search->state);
	free(search->out_behind);
	free(search->need_behind);
	free(search->most_out);
	free(search->most_need);
	free(search->wave_room);
	free(search->host_room);
}

#define _cleanup_search_ _cleanup_(search_release)

/* One with more than the limit is alone in its wave. */
static bool is_alone(const struct evacuation_problem *problem, uint32_t evacuee)
{
	for (uint32_t pf = 0; pf < problem->num_pfs; pf++) {
		if (problem->evacuees[evacuee].out[pf] > problem->max_vfs_per_pf)
			return true;
	}
	return false;
}

/* VFs of each PF of the source that can go in a wave; behind these, of all. */
static uint32_t wave_limit(const struct evacuation_problem *problem, uint32_t pf)
{
	return pf < problem->num_pfs ? problem->max_vfs_per_pf : problem->max_vfs_per_wave;
}

/* What an evacuee takes of that: alone, all of it. */
static uint32_t wave_share(const struct evacuation_problem *problem, uint32_t evacuee, uint32_t pf)
{
	const struct evacuee *who = &problem->evacuees[evacuee];

	if (is_alone(problem, evacuee))
		return wave_limit(problem, pf);
	return pf < problem->num_pfs ? who->out[pf] : who->num_vfs;
}

static int search_init(const struct evacuation_problem *problem, struct search *search)
{
	size_t rows = problem->num_goers + 1u, pfs = problem->num_pfs + 1u;
	size_t classes = problem->num_classes;

	search->out_behind = calloc(rows * pfs, sizeof(uint64_t));
	search->most_out = calloc(rows * pfs, sizeof(uint32_t));
	search->need_behind = calloc(rows * classes + 1, sizeof(uint64_t));
	search->most_need = calloc(rows * classes + 1, sizeof(uint32_t));
	search->wave_room = calloc(pfs, sizeof(uint64_t));
	search->host_room = calloc(classes + 1, sizeof(uint64_t));
	if (state_init(problem, &search->state) || !search->out_behind || !search->need_behind ||
	    !search->most_out || !search->most_need || !search->wave_room || !search->host_room)
		return -ENOMEM;
	for (size_t i = problem->num_goers; i-- > 0;) {
		for (uint32_t pf = 0; pf < pfs; pf++) {
			uint32_t out = wave_share(problem, (uint32_t)i, pf);
			uint32_t most = search->most_out[(i + 1) * pfs + pf];

			search->out_behind[i * pfs + pf] =
				search->out_behind[(i + 1) * pfs + pf] + out;
			search->most_out[i * pfs + pf] = out > most ? out : most;
		}
		for (uint32_t cls = 0; cls < classes; cls++) {
			uint32_t need = problem->evacuees[i].need[cls];
			uint32_t most = search->most_need[(i + 1) * classes + cls];

			search->need_behind[i * classes + cls] =
				search->need_behind[(i + 1) * classes + cls] + need;
			search->most_need[i * classes + cls] = need > most ? need : most;
		}
	}
	return 0;
}

/* Takes its share of all waves, or gives it back. */
static void count_wave(struct search *search, uint32_t evacuee, bool back)
{
	const struct evacuation_problem *problem = search->state.problem;

	for (uint32_t pf = 0; pf <= problem->num_pfs; pf++) {
		uint64_t share = wave_share(problem, evacuee, pf);

		search->wave_room[pf] += back ? share : -share;
	}
}

/* Whether what is left of waves and hosts is too little for those behind, whoever stays. */
static bool is_hopeless(const struct search *search, uint32_t evacuee)
{
	const struct evacuation_problem *problem = search->state.problem;
	uint64_t may_stay = search->max_left - search->num_left;
	size_t pfs = problem->num_pfs + 1u, classes = problem->num_classes;

	for (uint32_t pf = 0; search->with_waves && pf < pfs; pf++) {
		size_t at = evacuee * pfs + pf;

		if (search->out_behind[at] >
		    search->wave_room[pf] + may_stay * search->most_out[at])
			return true;
	}
	for (uint32_t cls = 0; search->with_hosts && cls < classes; cls++) {
		size_t at = evacuee * classes + cls;

		if (search->need_behind[at] >
		    search->host_room[cls] + may_stay * search->most_need[at])
			return true;
	}
	return false;
}

static void go(struct search *search, uint32_t evacuee, uint32_t wave, uint32_t host)
{
	const struct evacuation_problem *problem = search->state.problem;

	state_put_host(&search->state, evacuee, host);
	for (uint32_t cls = 0; cls < problem->num_classes; cls++)
		search->host_room[cls] -= problem->evacuees[evacuee].need[cls];
	if (wave == NONE)
		return;
	state_put_wave(&search->state, evacuee, wave);
	count_wave(search, evacuee, false);
}

static void come_back(struct search *search, uint32_t evacuee)
{
	const struct evacuation_problem *problem = search->state.problem;

	state_drop_host(&search->state, evacuee);
	for (uint32_t cls = 0; cls < problem->num_classes; cls++)
		search->host_room[cls] += problem->evacuees[evacuee].need[cls];
	if (search->state.wave_of[evacuee] == NONE)
		return;
	state_drop_wave(&search->state, evacuee);
	count_wave(search, evacuee, true);
}

/*
 * Of plans that differ only in who of the same kind is which, one is enough: that in which waves
 * and the hosts of a type are used in order, and domains of the same kind have wave and host in
 * order (staying is last).
 */
static bool host_is_in_turn(const struct search *search, uint32_t host)
{
	const struct evacuation_state *state = &search->state;
	const struct shelter *shelters = state->problem->shelters;

	if (!search->with_hosts || state->num_guests[host] > 0)
		return true;
	return state->num_hosts < search->max_hosts &&
	       (host == 0 || shelters[host - 1].type != shelters[host].type ||
		state->num_guests[host - 1] > 0);
}

static bool is_same_kind(const struct evacuation_problem *problem, uint32_t a, uint32_t b)
{
	return memcmp(problem->evacuees[a].out, problem->evacuees[b].out,
		      problem->num_pfs * sizeof(uint32_t)) == 0;
}

/* From where on waves and hosts are tried for an evacuee. */
struct turn {
	uint32_t wave, host;
	bool stays; /* it must */
};

static struct turn first_turn(const struct search *search, uint32_t evacuee)
{
	const struct evacuation_state *state = &search->state;
	struct turn turn = { 0 };

	if (evacuee == 0 || !is_same_kind(state->problem, evacuee - 1, evacuee))
		return turn;
	if (state->host_of[evacuee - 1] == NONE) {
		turn.stays = !search->fixed;
		return turn;
	}
	turn.host = state->host_of[evacuee - 1];
	if (search->with_waves)
		turn.wave = state->wave_of[evacuee - 1];
	return turn;
}

static enum search_result look(struct search *search, uint32_t evacuee);

static enum search_result try_hosts(struct search *search, uint32_t evacuee, uint32_t wave,
				    uint32_t first, uint32_t end)
{
	struct evacuation_state *state = &search->state;
	enum search_result result;

	for (uint32_t host = first; host < end; host++) {
		if (search->steps == 0)
			return SEARCH_GAVE_UP;
		search->steps--;
		if (!host_is_in_turn(search, host) || !host_has_room(state, host, evacuee) ||
		    (wave != NONE && !can_be_spread(state, evacuee, host, wave)))
			continue;
		go(search, evacuee, wave, host);
		result = look(search, evacuee + 1);
		if (result != SEARCH_NONE)
			return result;
		come_back(search, evacuee);
	}
	return SEARCH_NONE;
}

static enum search_result try_waves(struct search *search, uint32_t evacuee)
{
	struct evacuation_state *state = &search->state;
	struct turn turn = first_turn(search, evacuee);
	uint32_t end = state->problem->num_shelters, first = turn.host;
	enum search_result result;

	if (turn.stays)
		return SEARCH_NONE;
	if (!search->with_hosts) {
		first = search->fixed->host_of[evacuee];
		end = first + 1;
	}
	if (!search->with_waves)
		return try_hosts(search, evacuee, NONE, first, end);
	for (uint32_t wave = turn.wave; wave <= state->num_waves && wave < search->max_waves;
	     wave++) {
		if (search->steps == 0)
			return SEARCH_GAVE_UP;
		search->steps--;
		if (!wave_has_room(state, wave, evacuee))
			continue;
		result = try_hosts(search, evacuee, wave,
				   search->with_hosts && wave > turn.wave ? 0 : first, end);
		if (result != SEARCH_NONE)
			return result;
	}
	return SEARCH_NONE;
}

/* Places an evacuee and those behind it. */
static enum search_result look(struct search *search, uint32_t evacuee)
{
	const struct evacuation_state *fixed = search->fixed;
	enum search_result result;

	if (evacuee == search->state.problem->num_goers)
		return SEARCH_FOUND;
	if (is_hopeless(search, evacuee))
		return SEARCH_NONE;
	/* Who stays is given as well. */
	if (fixed && fixed->host_of[evacuee] == NONE)
		return look(search, evacuee + 1);
	result = try_waves(search, evacuee);
	if (result != SEARCH_NONE || search->num_left == search->max_left || fixed)
		return result;
	search->num_left++;
	result = look(search, evacuee + 1);
	search->num_left--;
	return result;
}

/* One search from the start, with half of the steps that are left. */
static enum search_result run(struct search *search, uint64_t *steps)
{
	const struct evacuation_problem *problem = search->state.problem;
	uint64_t share = *steps - *steps / 2;
	enum search_result result;

	state_clear(&search->state);
	search->num_left = 0;
	for (uint32_t pf = 0; pf <= problem->num_pfs; pf++)
		search->wave_room[pf] = (uint64_t)wave_limit(problem, pf) * search->max_waves;
	for (uint32_t cls = 0; cls < problem->num_classes; cls++) {
		search->host_room[cls] = 0;
		for (uint32_t host = 0; host < problem->num_shelters; host++)
			search->host_room[cls] +=
				search->state.room[(size_t)host * problem->num_classes + cls];
	}
	search->steps = share;
	result = look(search, 0);
	*steps -= share - search->steps;
	return result;
}

/* Whether any hosts with room for a wave can also take all other waves. */
static bool hosts_suit_any_waves(const struct evacuation_problem *problem)
{
	for (uint32_t cls = 0; cls < problem->num_classes; cls++) {
		if (problem->pfs_of_class[cls] > 1)
			return false;
	}
	return true;
}

int search_left(struct evacuation_state *state, uint32_t min_left, uint64_t *steps,
		bool *ret_proven)
{
	_cleanup_search_ struct search search = { .with_hosts = true, .max_hosts = UNLIMITED };
	uint32_t left = state->problem->num_goers - state->num_placed;
	bool proven = state->problem->num_goers <= MAX_DOMAINS;

	if (proven && search_init(state->problem, &search))
		return -ENOMEM;
	for (search.max_left = min_left; search.state.problem && search.max_left < left;
	     search.max_left++) {
		enum search_result result = run(&search, steps);

		if (result == SEARCH_FOUND) {
			state_copy(state, &search.state);
			break;
		}
		proven = proven && result == SEARCH_NONE;
	}
	*ret_proven = proven;
	return 0;
}

int search_waves(struct evacuation_state *state, uint32_t min_waves, uint64_t *steps,
		 bool *ret_proven)
{
	const struct evacuation_problem *problem = state->problem;
	_cleanup_search_ struct search search = { .with_waves = true, .max_hosts = UNLIMITED };
	bool proven = problem->num_goers <= MAX_DOMAINS;

	if (proven && search_init(problem, &search))
		return -ENOMEM;
	search.max_left = problem->num_goers - state->num_placed;
	search.with_hosts = search.max_left > 0 || !hosts_suit_any_waves(problem);
	search.fixed = search.with_hosts ? NULL : state;
	for (search.max_waves = min_waves;
	     search.state.problem && search.max_waves < state->num_waves; search.max_waves++) {
		enum search_result result = run(&search, steps);

		if (result == SEARCH_FOUND) {
			state_copy(state, &search.state);
			break;
		}
		proven = proven && result == SEARCH_NONE;
	}
	*ret_proven = proven;
	return 0;
}

int search_hosts(struct evacuation_state *state, uint64_t *steps)
{
	const struct evacuation_problem *problem = state->problem;
	_cleanup_search_ struct search search = {
		.with_hosts = true,
		.with_waves = !hosts_suit_any_waves(problem),
		.max_waves = state->num_waves,
		.max_left = problem->num_goers - state->num_placed,
	};

	if (problem->num_goers > MAX_DOMAINS)
		return 0;
	if (search_init(problem, &search))
		return -ENOMEM;
	search.fixed = search.with_waves ? NULL : state;
	while (state->num_hosts > bound_hosts(state)) {
		search.max_hosts = state->num_hosts - 1;
		if (run(&search, steps) != SEARCH_FOUND)
			break;
		for (uint32_t i = 0; search.fixed && i < problem->num_goers; i++) {
			if (state->host_of[i] != NONE)
				state_put_wave(&search.state, i, state->wave_of[i]);
		}
		state_copy(state, &search.state);
	}
	return 0;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/evacuation_state.h"

#include <errno.h>

int state_init(const struct evacuation_problem *problem, struct evacuation_state *state)
{
	size_t goers = problem->num_goers + 1u, hosts = problem->num_shelters + 1u;

	*state = (struct evacuation_state){
		.problem = problem,
		.host_of = calloc(goers, sizeof(uint32_t)),
		.wave_of = calloc(goers, sizeof(uint32_t)),
		.first_guest = calloc(hosts, sizeof(uint32_t)),
		.next_guest = calloc(goers, sizeof(uint32_t)),
		.num_guests = calloc(hosts, sizeof(uint32_t)),
		.room = calloc(hosts * (problem->num_classes + 1u), sizeof(uint32_t)),
		.wave_load = calloc(goers * (problem->num_pfs + 1u), sizeof(uint32_t)),
		.wave_vfs = calloc(goers, sizeof(uint32_t)),
		.wave_size = calloc(goers, sizeof(uint32_t)),
		.wave_any = calloc(goers, sizeof(uint32_t)),
		.load = calloc(goers, sizeof(uint64_t)),
		.loads = calloc(goers, sizeof(uint64_t)),
		.touched = calloc(goers, sizeof(uint32_t)),
	};
	if (!state->host_of || !state->wave_of || !state->first_guest || !state->next_guest ||
	    !state->num_guests || !state->room || !state->wave_load || !state->wave_vfs ||
	    !state->wave_size || !state->wave_any || !state->load || !state->loads ||
	    !state->touched) {
		state_release(state);
		return -ENOMEM;
	}
	state_clear(state);
	return 0;
}

void state_release(struct evacuation_state *state)
{
	free(state->host_of);
	free(state->wave_of);
	free(state->first_guest);
	free(state->next_guest);
	free(state->num_guests);
	free(state->room);
	free(state->wave_load);
	free(state->wave_vfs);
	free(state->wave_size);
	free(state->wave_any);
	free(state->load);
	free(state->loads);
	free(state->touched);
	*state = (struct evacuation_state){ 0 };
}

void state_clear(struct evacuation_state *state)
{
	const struct evacuation_problem *problem = state->problem;
	size_t goers = problem->num_goers;

	for (size_t i = 0; i < goers; i++)
		state->host_of[i] = state->wave_of[i] = NONE;
	for (size_t host = 0; host < problem->num_shelters; host++) {
		state->first_guest[host] = NONE;
		state->num_guests[host] = 0;
		for (uint32_t cls = 0; cls < problem->num_classes; cls++)
			state->room[host * problem->num_classes + cls] = (uint32_t)shelter_reach(
				problem, &problem->shelters[host], cls, UNLIMITED);
	}
	memset(state->wave_load, 0, goers * problem->num_pfs * sizeof(uint32_t));
	memset(state->wave_vfs, 0, goers * sizeof(uint32_t));
	memset(state->wave_size, 0, goers * sizeof(uint32_t));
	memset(state->wave_any, 0, goers * sizeof(uint32_t));
	state->num_waves = state->num_placed = state->num_hosts = 0;
}

void state_copy(struct evacuation_state *to, const struct evacuation_state *from)
{
	state_clear(to);
	/* In this order, lists of guests are the same again. */
	for (uint32_t i = 0; i < from->problem->num_goers; i++) {
		if (from->host_of[i] != NONE)
			state_put_host(to, i, from->host_of[i]);
		if (from->wave_of[i] != NONE)
			state_put_wave(to, i, from->wave_of[i]);
	}
}

void state_put_host(struct evacuation_state *state, uint32_t evacuee, uint32_t host)
{
	const struct evacuation_problem *problem = state->problem;
	uint32_t *room = &state->room[(size_t)host * problem->num_classes];

	for (uint32_t cls = 0; cls < problem->num_classes; cls++)
		room[cls] -= problem->evacuees[evacuee].need[cls];
	state->host_of[evacuee] = host;
	state->next_guest[evacuee] = state->first_guest[host];
	state->first_guest[host] = evacuee;
	state->num_hosts += state->num_guests[host]++ == 0;
	state->num_placed++;
}

void state_drop_host(struct evacuation_state *state, uint32_t evacuee)
{
	const struct evacuation_problem *problem = state->problem;
	uint32_t host = state->host_of[evacuee];
	uint32_t *room = &state->room[(size_t)host * problem->num_classes];
	uint32_t *link = &state->first_guest[host];

	for (uint32_t cls = 0; cls < problem->num_classes; cls++)
		room[cls] += problem->evacuees[evacuee].need[cls];
	while (*link != evacuee)
		link = &state->next_guest[*link];
	*link = state->next_guest[evacuee];
	state->host_of[evacuee] = NONE;
	state->num_hosts -= --state->num_guests[host] == 0;
	state->num_placed--;
}

void state_put_wave(struct evacuation_state *state, uint32_t evacuee, uint32_t wave)
{
	const struct evacuation_problem *problem = state->problem;
	uint32_t *load = &state->wave_load[(size_t)wave * problem->num_pfs];

	for (uint32_t pf = 0; pf < problem->num_pfs; pf++)
		load[pf] += problem->evacuees[evacuee].out[pf];
	state->wave_vfs[wave] += problem->evacuees[evacuee].num_vfs;
	state->wave_any[wave] += evacuee;
	state->wave_size[wave]++;
	state->wave_of[evacuee] = wave;
	if (wave >= state->num_waves)
		state->num_waves = wave + 1;
}

void state_drop_wave(struct evacuation_state *state, uint32_t evacuee)
{
	const struct evacuation_problem *problem = state->problem;
	uint32_t wave = state->wave_of[evacuee];
	uint32_t *load = &state->wave_load[(size_t)wave * problem->num_pfs];

	for (uint32_t pf = 0; pf < problem->num_pfs; pf++)
		load[pf] -= problem->evacuees[evacuee].out[pf];
	state->wave_vfs[wave] -= problem->evacuees[evacuee].num_vfs;
	state->wave_any[wave] -= evacuee;
	state->wave_size[wave]--;
	state->wave_of[evacuee] = NONE;
	while (state->num_waves > 0 && state->wave_size[state->num_waves - 1] == 0)
		state->num_waves--;
}

bool host_has_room(const struct evacuation_state *state, uint32_t host, uint32_t evacuee)
{
	const struct evacuation_problem *problem = state->problem;
	const uint32_t *room = &state->room[(size_t)host * problem->num_classes];
	const uint32_t *need = problem->evacuees[evacuee].need;

	for (uint32_t cls = 0; cls < problem->num_classes; cls++) {
		if (room[cls] < need[cls])
			return false;
	}
	return true;
}

bool wave_has_room(const struct evacuation_state *state, uint32_t wave, uint32_t evacuee)
{
	const struct evacuation_problem *problem = state->problem;
	const uint32_t *load = &state->wave_load[(size_t)wave * problem->num_pfs];
	const struct evacuee *guest = &problem->evacuees[evacuee];

	/* One that is alone may have more than the limit; it fills the wave then. */
	if (state->wave_size[wave] == 0)
		return true;
	if ((uint64_t)state->wave_vfs[wave] + guest->num_vfs > problem->max_vfs_per_wave)
		return false;
	for (uint32_t pf = 0; pf < problem->num_pfs; pf++) {
		if ((uint64_t)load[pf] + guest->out[pf] > problem->max_vfs_per_pf)
			return false;
	}
	return true;
}

static int compare_loads(const void *first, const void *second)
{
	const uint64_t *a = first, *b = second;

	return *a == *b ? 0 : *a > *b ? -1 : 1;
}

void sort_loads(uint64_t *loads, size_t num_loads)
{
	if (num_loads > 1)
		qsort(loads, num_loads, sizeof(loads[0]), compare_loads);
}

/*
 * A flow from waves to PFs, with room for max_vfs_per_pf between any two: by max-flow min-cut it
 * carries everything if for each number k, the k largest loads fit into what the PFs take in k
 * waves. A wave without limit can only be in a cut with all the others.
 */
bool loads_can_be_spread(const struct shelter_pf *pfs, uint32_t num_pfs, uint64_t max_vfs_per_pf,
			 const uint64_t *loads, size_t num_loads, uint64_t others)
{
	uint64_t sum = 0, all = 0;

	for (uint32_t i = 0; i < num_pfs; i++)
		all += pfs[i].free;
	for (size_t k = 0; k < num_loads; k++) {
		uint64_t reach = 0;

		sum += loads[k];
		for (uint32_t i = 0; i < num_pfs; i++) {
			uint64_t most = (k + 1) * max_vfs_per_pf;

			reach += pfs[i].free < most ? pfs[i].free : most;
		}
		if (sum > reach)
			return false;
	}
	return sum + others <= all;
}

/* Someone who is looked at as if it were there already. */
struct newcomer {
	uint32_t evacuee; /* NONE: nobody */
	uint32_t wave;
	bool shared; /* there are others in that wave */
};

static bool wave_is_shared(const struct evacuation_state *state, uint32_t wave,
			   const struct newcomer *newcomer)
{
	return wave != NONE &&
	       (wave == newcomer->wave ? newcomer->shared : state->wave_size[wave] > 1);
}

static bool class_can_be_spread(struct evacuation_state *state, uint32_t host, uint32_t cls,
				const struct newcomer *newcomer)
{
	const struct evacuation_problem *problem = state->problem;
	const struct shelter *shelter = &problem->shelters[host];
	const struct shelter_pf *pfs = &problem->shelter_pfs[shelter->first_pf];
	uint32_t first = 0, end, next = state->first_guest[host], guest = newcomer->evacuee;
	size_t length = 0;
	bool easy = true;

	if (guest == NONE && next != NONE) {
		guest = next;
		next = state->next_guest[guest];
	}
	while (guest != NONE) {
		uint32_t need = problem->evacuees[guest].need[cls];
		uint32_t wave = guest == newcomer->evacuee ? newcomer->wave : state->wave_of[guest];

		if (need > 0 && wave_is_shared(state, wave, newcomer)) {
			if (state->load[wave] == 0)
				state->touched[length++] = wave;
			state->load[wave] += need;
			easy = easy && state->load[wave] <= problem->max_vfs_per_pf;
		}
		guest = next;
		if (guest != NONE)
			next = state->next_guest[guest];
	}
	for (size_t i = 0; i < length; i++) {
		state->loads[i] = state->load[state->touched[i]];
		state->load[state->touched[i]] = 0;
	}
	/* k waves of at most the limit fit wherever there is room at all. */
	if (easy)
		return true;
	while (first < shelter->num_pfs && pfs[first].cls != cls)
		first++;
	for (end = first; end < shelter->num_pfs && pfs[end].cls == cls;)
		end++;
	sort_loads(state->loads, length);
	return loads_can_be_spread(pfs + first, end - first, problem->max_vfs_per_pf, state->loads,
				   length, 0);
}

static bool host_can_be_spread(struct evacuation_state *state, uint32_t host,
			       const struct newcomer *newcomer)
{
	const struct evacuation_problem *problem = state->problem;

	for (uint32_t cls = 0; cls < problem->num_classes; cls++) {
		/* One PF of the source has a limit that is enough for the destination, too. */
		if (problem->pfs_of_class[cls] > 1 &&
		    !class_can_be_spread(state, host, cls, newcomer))
			return false;
	}
	return true;
}

bool can_be_spread(struct evacuation_state *state, uint32_t evacuee, uint32_t host, uint32_t wave)
{
	bool joins = state->wave_of[evacuee] == NONE;
	struct newcomer newcomer = {
		.evacuee = evacuee,
		.wave = wave,
		.shared = state->wave_size[wave] + joins > 1,
	};

	if (!host_can_be_spread(state, host, &newcomer))
		return false;
	/* Whoever was alone in the wave is bound by the limit now. */
	if (joins && state->wave_size[wave] == 1) {
		uint32_t other = state->host_of[state->wave_any[wave]];

		newcomer.evacuee = NONE;
		return other == NONE || other == host ||
		       host_can_be_spread(state, other, &newcomer);
	}
	return true;
}

bool state_is_better(const struct evacuation_state *state, const struct evacuation_state *other)
{
	if (state->num_placed != other->num_placed)
		return state->num_placed > other->num_placed;
	if (state->num_waves != other->num_waves)
		return state->num_waves < other->num_waves;
	return state->num_hosts < other->num_hosts;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/evacuation_solve.h"

#include <errno.h>

/* So many places are tried to make room for those that found none. */
#define MAX_EXCHANGES 500000u

/*
 * The host in use that has least room left behind it, else the first (which has most room) that
 * is not. spread: its wave is known, and has to fit, too.
 */
static uint32_t best_host(struct evacuation_state *state, uint32_t evacuee, bool spread)
{
	const struct evacuation_problem *problem = state->problem;
	uint32_t best = NONE, unused = NONE, in_use = 0;
	uint64_t least = UINT64_MAX;

	for (uint32_t host = 0; host < problem->num_shelters; host++) {
		bool used = state->num_guests[host] > 0;
		uint64_t left = 0;

		if (in_use == state->num_hosts && (best != NONE || unused != NONE))
			break;
		in_use += used;
		if ((!used && unused != NONE) || !host_has_room(state, host, evacuee) ||
		    (spread && !can_be_spread(state, evacuee, host, state->wave_of[evacuee])))
			continue;
		for (uint32_t cls = 0; cls < problem->num_classes; cls++)
			left += state->room[(size_t)host * problem->num_classes + cls];
		if (!used) {
			unused = host;
		} else if (left < least) {
			least = left;
			best = host;
		}
	}
	return best != NONE ? best : unused;
}

static void place(struct evacuation_state *state, uint32_t evacuee)
{
	uint32_t host = state->host_of[evacuee] == NONE ? best_host(state, evacuee, false) : NONE;

	if (host != NONE)
		state_put_host(state, evacuee, host);
}

/* Moves one guest of host elsewhere, if that makes room for evacuee. */
static bool exchange(struct evacuation_state *state, uint32_t evacuee, uint32_t host,
		     uint32_t *tries)
{
	uint32_t next;

	for (uint32_t guest = state->first_guest[host]; guest != NONE && *tries > 0; guest = next) {
		uint32_t other = NONE;

		--*tries;
		next = state->next_guest[guest];
		state_drop_host(state, guest);
		if (host_has_room(state, host, evacuee)) {
			state_put_host(state, evacuee, host);
			other = best_host(state, guest, false);
			*tries -= *tries < state->problem->num_shelters
					  ? *tries
					  : state->problem->num_shelters;
			if (other != NONE) {
				state_put_host(state, guest, other);
				return true;
			}
			state_drop_host(state, evacuee);
		}
		state_put_host(state, guest, host);
	}
	return false;
}

static void repair(struct evacuation_state *state)
{
	uint32_t tries = MAX_EXCHANGES;

	for (uint32_t i = state->problem->num_goers; i-- > 0 && tries > 0;) {
		for (uint32_t host = 0; host < state->problem->num_shelters && tries > 0; host++) {
			if (state->host_of[i] == NONE)
				exchange(state, i, host, &tries);
		}
	}
}

int greedy_hosts(struct evacuation_state *state, uint32_t min_left)
{
	_cleanup_state_ struct evacuation_state other = { 0 };
	uint32_t goers = state->problem->num_goers;

	/* The smallest that can all go if anybody can, the largest of them first; then the rest. */
	for (uint32_t i = min_left; i < goers; i++)
		place(state, i);
	for (uint32_t i = min_left; i-- > 0;)
		place(state, i);
	repair(state);
	if (goers - state->num_placed <= min_left)
		return 0;
	/* Large ones may have taken what would do for several small ones. */
	if (state_init(state->problem, &other))
		return -ENOMEM;
	for (uint32_t i = goers; i-- > 0;)
		place(&other, i);
	repair(&other);
	if (state_is_better(&other, state))
		state_copy(state, &other);
	return 0;
}

/* The first wave that an evacuee fits into; if it has a host, one that suits that. */
static uint32_t first_wave(struct evacuation_state *state, uint32_t evacuee)
{
	uint32_t host = state->host_of[evacuee], wave;

	if (host != NONE)
		state_drop_host(state, evacuee);
	for (wave = 0; wave < state->num_waves; wave++) {
		if (wave_has_room(state, wave, evacuee) &&
		    (host == NONE || can_be_spread(state, evacuee, host, wave)))
			break;
	}
	if (host != NONE)
		state_put_host(state, evacuee, host);
	return wave;
}

/* Hosts as they are; waves behind them. */
static void add_waves(struct evacuation_state *state)
{
	for (uint32_t i = 0; i < state->problem->num_goers; i++) {
		if (state->host_of[i] != NONE)
			state_put_wave(state, i, first_wave(state, i));
	}
}

/* A host for one whose wave has none; in another wave if need be. */
static bool place_anyhow(struct evacuation_state *state, uint32_t evacuee)
{
	const struct evacuation_problem *problem = state->problem;
	uint32_t host = best_host(state, evacuee, true);

	if (host != NONE) {
		state_put_host(state, evacuee, host);
		return true;
	}
	state_drop_wave(state, evacuee);
	for (uint32_t wave = 0; wave < problem->num_goers; wave++) {
		if (!wave_has_room(state, wave, evacuee))
			continue;
		for (host = 0; host < problem->num_shelters; host++) {
			if (!host_has_room(state, host, evacuee) ||
			    !can_be_spread(state, evacuee, host, wave))
				continue;
			state_put_wave(state, evacuee, wave);
			state_put_host(state, evacuee, host);
			return true;
		}
	}
	return false;
}

/* Waves as full as they get; hosts that suit them behind. Not possible for all: false. */
static bool waves_before_hosts(const struct evacuation_state *from, struct evacuation_state *state)
{
	uint32_t goers = state->problem->num_goers;

	state_clear(state);
	for (uint32_t i = 0; i < goers; i++) {
		if (from->host_of[i] != NONE)
			state_put_wave(state, i, first_wave(state, i));
	}
	for (uint32_t i = 0; i < goers; i++) {
		if (from->host_of[i] != NONE && !place_anyhow(state, i))
			return false;
	}
	/* Those that changed their waves may have left gaps. */
	for (uint32_t wave = 0; wave < state->num_waves; wave++) {
		if (state->wave_size[wave] == 0)
			return false;
	}
	return true;
}

int greedy_waves(struct evacuation_state *state)
{
	_cleanup_state_ struct evacuation_state other = { 0 };

	if (state_init(state->problem, &other))
		return -ENOMEM;
	if (waves_before_hosts(state, &other)) {
		add_waves(state);
		if (state_is_better(&other, state))
			state_copy(state, &other);
	} else {
		add_waves(state);
	}
	return 0;
}

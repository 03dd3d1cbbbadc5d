// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/pairing_flow.h"

#include <errno.h>

/*
 * Nodes of a search: PFs, then bins, then those by which ways lead that do not go from VF to VF:
 * a place of a bin becomes free because one of another bin of the same kind is taken, and a VF
 * gets a place because another one gives its own up.
 */
#define NOWHERE UINT32_MAX

static uint32_t bin_node(const struct flow *flow, size_t bin)
{
	return (uint32_t)(flow->num_pfs + bin);
}

static uint32_t kind_node(const struct flow *flow, size_t bin)
{
	return (uint32_t)(flow->num_pfs + flow->num_bins + bin % 2);
}

static uint32_t waiting_node(const struct flow *flow)
{
	return (uint32_t)(flow->num_pfs + flow->num_bins + 2);
}

static size_t num_nodes(const struct flow *flow)
{
	return flow->num_pfs + flow->num_bins + 3;
}

static uint32_t *units(const struct flow *flow, size_t pf, size_t bin)
{
	return &flow->units[pf * flow->num_bins + bin];
}

static bool is_allowed(const struct flow *flow, size_t pf, size_t bin)
{
	return flow->allowed[pf * flow->num_bins + bin];
}

int flow_new(struct flow *ret, size_t num_pfs, size_t num_bins)
{
	size_t pairs = num_pfs * num_bins;
	size_t nodes = num_pfs + num_bins + 3;
	/* One piece: a comparison of two hosts has no time for many. */
	uint32_t *room = calloc(pairs + 2 * num_pfs + 2 * num_bins + 3 * nodes + pairs / 4 + 1,
				sizeof(*room));

	if (!room)
		return -ENOMEM;
	ret->num_pfs = num_pfs;
	ret->num_bins = num_bins;
	ret->units = room;
	ret->waiting = ret->units + pairs;
	ret->placed = ret->waiting + num_pfs;
	ret->spare = ret->placed + num_pfs;
	ret->used = ret->spare + num_bins;
	ret->next = ret->used + num_bins;
	ret->queue = ret->next + nodes;
	ret->capacity = ret->queue + nodes;
	ret->allowed = (bool *)(ret->capacity + nodes);
	return 0;
}

void flow_release(struct flow *flow)
{
	free(flow->units);
	*flow = (struct flow){ 0 };
}

static void forget_search(struct flow *flow)
{
	for (size_t i = 0; i < num_nodes(flow); i++)
		flow->next[i] = NOWHERE;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* The way from pf to a bin with spare places: pf, bin, pf whose VFs there can go elsewhere, bin. */
static uint32_t find_place(struct flow *flow, size_t pf, size_t step)
{
	size_t head = 0, tail = 0;

	forget_search(flow);
	flow->next[pf] = (uint32_t)pf;
	flow->capacity[pf] = flow->waiting[pf];
	flow->queue[tail++] = (uint32_t)pf;
	while (head < tail) {
		uint32_t at = flow->queue[head++];

		for (size_t bin = 0; bin < flow->num_bins; bin += step) {
			uint32_t node = bin_node(flow, bin);

			if (!is_allowed(flow, at, bin) || flow->next[node] != NOWHERE)
				continue;
			flow->next[node] = at;
			if (flow->spare[bin])
				return node;
			for (size_t other = 0; other < flow->num_pfs; other++) {
				uint32_t here = *units(flow, other, bin);

				if (!here || flow->next[other] != NOWHERE)
					continue;
				flow->next[other] = node;
				flow->capacity[other] = smaller(flow->capacity[at], here);
				flow->queue[tail++] = (uint32_t)other;
			}
		}
	}
	return NOWHERE;
}

/* Moves as many as the way allows, from its end to its beginning. */
static void place(struct flow *flow, uint32_t end)
{
	size_t bin = end - flow->num_pfs;
	uint32_t pf = flow->next[end];
	uint32_t number = smaller(flow->capacity[pf], flow->spare[bin]);

	flow->spare[bin] -= number;
	flow->used[bin] += number;
	for (;;) {
		*units(flow, pf, bin) += number;
		if (flow->next[pf] == pf)
			break;
		bin = flow->next[pf] - flow->num_pfs;
		*units(flow, pf, bin) -= number;
		pf = flow->next[bin_node(flow, bin)];
	}
	flow->waiting[pf] -= number;
	flow->placed[pf] += number;
}

void flow_fill(struct flow *flow)
{
	/* A bin that is filled stays so: first the even ones, then all. */
	for (size_t step = 2; step > 0; step--) {
		for (size_t pf = 0; pf < flow->num_pfs; pf++) {
			uint32_t end;

			while (flow->waiting[pf] &&
			       (end = find_place(flow, pf, step)) != NOWHERE)
				place(flow, end);
		}
	}
}

bool flow_take_simply(struct flow *flow, size_t pf, size_t bin)
{
	size_t own = bin;

	/* Its own place there, or one instead of its own place in another bin of the kind. */
	if (!*units(flow, pf, bin)) {
		if (!flow->spare[bin])
			return false;
		for (own = bin % 2; own < flow->num_bins && !*units(flow, pf, own);)
			own += 2;
		if (own >= flow->num_bins)
			return false;
		flow->spare[bin]--;
		flow->spare[own]++;
	}
	(*units(flow, pf, own))--;
	flow->used[own]--;
	flow->placed[pf]--;
	return true;
}

static void reach(struct flow *flow, uint32_t node, uint32_t next, size_t *tail)
{
	if (flow->next[node] != NOWHERE)
		return;
	flow->next[node] = next;
	flow->queue[(*tail)++] = node;
}

/* From where is it one step to this node? */
static void reach_back(struct flow *flow, uint32_t node, size_t *tail)
{
	size_t num_pfs = flow->num_pfs, num_bins = flow->num_bins;

	if (node < num_pfs) {
		for (size_t bin = 0; bin < num_bins; bin++) {
			if (*units(flow, node, bin))
				reach(flow, bin_node(flow, bin), node, tail);
		}
		if (flow->waiting[node])
			reach(flow, waiting_node(flow), node, tail);
	} else if (node < num_pfs + num_bins) {
		size_t bin = node - num_pfs;

		for (size_t pf = 0; pf < num_pfs; pf++) {
			if (is_allowed(flow, pf, bin))
				reach(flow, (uint32_t)pf, node, tail);
		}
		if (flow->used[bin])
			reach(flow, kind_node(flow, bin), node, tail);
	} else if (node == waiting_node(flow)) {
		for (size_t pf = 0; pf < num_pfs; pf++) {
			if (flow->placed[pf])
				reach(flow, (uint32_t)pf, node, tail);
		}
	} else {
		for (size_t bin = node - num_pfs - num_bins; bin < num_bins; bin += 2) {
			if (flow->spare[bin])
				reach(flow, bin_node(flow, bin), node, tail);
		}
	}
}

void flow_search(struct flow *flow, size_t pf)
{
	size_t head = 0, tail = 0;

	forget_search(flow);
	reach(flow, (uint32_t)pf, (uint32_t)pf, &tail);
	while (head < tail)
		reach_back(flow, flow->queue[head++], &tail);
}

bool flow_may_take(const struct flow *flow, size_t pf, size_t bin)
{
	return is_allowed(flow, pf, bin) && flow->next[bin_node(flow, bin)] != NOWHERE;
}

/* One step of the way by which the others make room. */
static void make_room(struct flow *flow, uint32_t from, uint32_t to)
{
	uint32_t bins = (uint32_t)flow->num_pfs, kinds = bins + (uint32_t)flow->num_bins;

	if (from < bins && to < kinds) {
		(*units(flow, from, to - bins))++;
		flow->used[to - bins]++;
	} else if (from < bins) {
		flow->waiting[from]++;
		flow->placed[from]--;
	} else if (from < kinds && to < bins) {
		(*units(flow, to, from - bins))--;
		flow->used[from - bins]--;
	} else if (from < kinds) {
		flow->spare[from - bins]--;
	} else if (to < bins) {
		flow->waiting[to]--;
		flow->placed[to]++;
	} else {
		flow->spare[to - bins]++;
	}
}

void flow_take(struct flow *flow, size_t pf, size_t bin)
{
	uint32_t node = bin_node(flow, bin);

	/*
	 * Room is made as if the VF came in addition, and at the end of the way it leaves the
	 * place that it had, or stops waiting; with the place that it takes it is then gone.
	 */
	while (node != pf) {
		make_room(flow, node, flow->next[node]);
		node = flow->next[node];
	}
	flow->placed[pf]--;
}

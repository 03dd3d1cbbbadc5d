// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/evacuation_solve.h"

#include <errno.h>

/* Values in a scratch list, the smallest first. */
static int compare_values(const void *first, const void *second)
{
	const uint32_t *a = first, *b = second;

	return *a == *b ? 0 : *a < *b ? -1 : 1;
}

static void sort_values(uint32_t *values, size_t length)
{
	if (length > 1)
		qsort(values, length, sizeof(values[0]), compare_values);
}

/* Of each class, the smallest fill what all hosts have. */
int bound_left(const struct evacuation_problem *problem, uint32_t *ret)
{
	_cleanup_free_ uint32_t *needs = calloc(problem->num_goers + 1u, sizeof(*needs));

	if (!needs)
		return -ENOMEM;
	*ret = 0;
	for (uint32_t cls = 0; problem->complete && cls < problem->num_classes; cls++) {
		uint64_t free_vfs = 0;
		uint32_t fit = 0;

		for (uint32_t host = 0; host < problem->num_shelters; host++)
			free_vfs +=
				shelter_reach(problem, &problem->shelters[host], cls, UNLIMITED);
		for (uint32_t i = 0; i < problem->num_goers; i++)
			needs[i] = problem->evacuees[i].need[cls];
		sort_values(needs, problem->num_goers);
		while (fit < problem->num_goers && needs[fit] <= free_vfs)
			free_vfs -= needs[fit++];
		if (problem->num_goers - fit > *ret)
			*ret = problem->num_goers - fit;
	}
	return 0;
}

/*
 * How many bins of a size items need at least, none of which is larger (Martello, Toth, "Lower
 * bounds and reduction procedures for the bin packing problem", L2): for each threshold, those
 * that leave no room for it have a bin each, and those between fill what bins of more than half
 * leave. Values ascend.
 */
static uint32_t count_bins(const uint32_t *values, size_t length, uint64_t size)
{
	uint64_t best = 0;
	size_t start = 0;

	while (start < length && values[start] == 0)
		start++;
	for (; start < length && values[start] <= size / 2; start++) {
		uint64_t full = 0, half = 0, half_sum = 0, small_sum = 0, bins;

		for (size_t i = start; i < length; i++) {
			if (values[i] > size - values[start]) {
				full++;
			} else if (values[i] > size / 2) {
				half++;
				half_sum += values[i];
			} else {
				small_sum += values[i];
			}
		}
		bins = full + half;
		if (small_sum > half * size - half_sum)
			bins += (small_sum - (half * size - half_sum) + size - 1) / size;
		if (bins > best)
			best = bins;
		/* Equal thresholds say the same. */
		while (start + 1 < length && values[start + 1] == values[start])
			start++;
	}
	return (uint32_t)(best > length - start ? best : length - start);
}

/* One with more than the limit is alone in its wave: it fills all of it. */
static bool is_alone(const struct evacuation_problem *problem, const struct evacuee *evacuee)
{
	for (uint32_t pf = 0; pf < problem->num_pfs; pf++) {
		if (evacuee->out[pf] > problem->max_vfs_per_pf)
			return true;
	}
	return false;
}

/* pf: num_pfs for the network. */
static uint32_t waves_for(const struct evacuation_problem *problem, uint32_t pf, uint32_t num_left,
			  uint32_t *values)
{
	bool network = pf == problem->num_pfs;
	uint64_t size = network ? problem->max_vfs_per_wave : problem->max_vfs_per_pf;

	for (uint32_t i = 0; i < problem->num_goers; i++) {
		const struct evacuee *evacuee = &problem->evacuees[i];

		values[i] = network ? evacuee->num_vfs : evacuee->out[pf];
		if (is_alone(problem, evacuee))
			values[i] = (uint32_t)size;
	}
	sort_values(values, problem->num_goers);
	/* Whoever stays, those that go have no less than the smallest. */
	return count_bins(values, problem->num_goers - num_left, size);
}

/*
 * What destinations can take in a wave. A domain that is alone in its wave may exceed the limit,
 * so a wave takes no less than the largest.
 */
static uint32_t waves_for_class(const struct evacuation_problem *problem, uint32_t cls,
				uint32_t num_left, uint32_t *values)
{
	uint64_t reach = 0, sum = 0;

	for (uint32_t host = 0; host < problem->num_shelters; host++)
		reach += shelter_reach(problem, &problem->shelters[host], cls,
				       problem->max_vfs_per_pf);
	for (uint32_t i = 0; i < problem->num_goers; i++)
		values[i] = problem->evacuees[i].need[cls];
	sort_values(values, problem->num_goers);
	if (problem->num_goers > 0 && values[problem->num_goers - 1] > reach)
		reach = values[problem->num_goers - 1];
	for (uint32_t i = 0; i < problem->num_goers - num_left; i++)
		sum += values[i];
	return reach ? (uint32_t)((sum + reach - 1) / reach) : 0;
}

int bound_waves(const struct evacuation_problem *problem, uint32_t num_left, uint32_t *ret)
{
	_cleanup_free_ uint32_t *values = calloc(problem->num_goers + 1u, sizeof(*values));
	uint32_t most = problem->num_goers > num_left;

	if (!values)
		return -ENOMEM;
	for (uint32_t pf = 0; pf <= problem->num_pfs; pf++) {
		uint32_t waves = waves_for(problem, pf, num_left, values);

		if (waves > most)
			most = waves;
	}
	for (uint32_t cls = 0; problem->complete && cls < problem->num_classes; cls++) {
		uint32_t waves = waves_for_class(problem, cls, num_left, values);

		if (waves > most)
			most = waves;
	}
	*ret = most;
	return 0;
}

uint32_t bound_hosts(const struct evacuation_state *state)
{
	const struct evacuation_problem *problem = state->problem;
	uint64_t sum = 0;
	uint32_t hosts = 0;

	for (uint32_t i = 0; i < problem->num_goers; i++)
		sum += state->host_of[i] == NONE ? 0 : problem->evacuees[i].num_vfs;
	/* They are sorted by it. */
	for (uint64_t room = 0; room < sum && hosts < problem->num_shelters; hosts++)
		room += problem->shelters[hosts].num_free;
	return hosts;
}

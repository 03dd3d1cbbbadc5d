// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/evacuation_problem.h"

#include <errno.h>

#include "base/array.h"

/* So many kinds of hosts are compared; with more, nobody knows whether a plan is the best. */
#define MAX_TYPES 1024u

uint64_t shelter_reach(const struct evacuation_problem *problem, const struct shelter *shelter,
		       uint32_t cls, uint64_t max_vfs_per_pf)
{
	uint64_t reach = 0;

	for (uint32_t i = 0; i < shelter->num_pfs; i++) {
		const struct shelter_pf *pf = &problem->shelter_pfs[shelter->first_pf + i];

		if (pf->cls == cls)
			reach += pf->free < max_vfs_per_pf ? pf->free : max_vfs_per_pf;
	}
	return reach;
}

bool shelter_suits(const struct evacuation_problem *problem, const struct shelter *shelter,
		   const struct evacuee *evacuee)
{
	for (uint32_t cls = 0; cls < problem->num_classes; cls++) {
		if (evacuee->need[cls] &&
		    shelter_reach(problem, shelter, cls, UNLIMITED) < evacuee->need[cls])
			return false;
	}
	return true;
}

static int compare_pfs(const void *first, const void *second)
{
	const struct shelter_pf *a = first, *b = second;

	if (a->cls != b->cls)
		return a->cls < b->cls ? -1 : 1;
	if (a->free != b->free)
		return a->free > b->free ? -1 : 1;
	return a->pf < b->pf ? -1 : 1;
}

static int add_pfs(struct evacuation_problem *problem, const struct fleet_host *host,
		   const uint32_t *local_class, struct shelter *shelter)
{
	for (uint32_t i = 0; i < host->num_pfs; i++) {
		const struct fleet_pf *pf = &host->pfs[i];
		struct shelter_pf *added;

		if (local_class[pf->cls] == NONE)
			continue;
		if (array_reserve(&problem->shelter_pfs, &problem->allocated_shelter_pfs,
				  problem->num_shelter_pfs + 1, sizeof(*added)))
			return -ENOMEM;
		added = &problem->shelter_pfs[problem->num_shelter_pfs++];
		*added = (struct shelter_pf){ .cls = local_class[pf->cls], .pf = i };
		for (uint32_t vf = 0; vf < pf->num_vfs; vf++)
			added->free += pf->vfs[vf].free && !pf->vfs[vf].domain;
		shelter->num_free += added->free;
		shelter->num_pfs++;
	}
	if (shelter->num_pfs > 1)
		qsort(&problem->shelter_pfs[shelter->first_pf], shelter->num_pfs,
		      sizeof(problem->shelter_pfs[0]), compare_pfs);
	return 0;
}

static int compare_names(const void *first, const void *second)
{
	const struct shelter *a = first, *b = second;

	return strcmp(a->host->name, b->host->name);
}

/* Only classes of domains that can go count: theirs are known. */
static uint32_t *number_classes(const struct evacuation_problem *problem)
{
	size_t length = fleet_num_classes(problem->fleet);
	uint32_t *local_class = malloc((length + 1) * sizeof(*local_class));

	for (size_t i = 0; local_class && i < length; i++)
		local_class[i] = NONE;
	for (uint32_t i = 0; local_class && i < problem->source->num_pfs; i++) {
		uint32_t pf = problem->local_pfs[i];

		if (pf != NONE && fleet_class_is_known(problem->fleet, problem->source->pfs[i].cls))
			local_class[problem->source->pfs[i].cls] = problem->class_of_pf[pf];
	}
	return local_class;
}

int problem_find_shelters(struct evacuation_problem *problem, const bool *excluded)
{
	_cleanup_free_ uint32_t *local_class = number_classes(problem);

	if (!local_class)
		return -ENOMEM;
	for (size_t i = 0; problem->num_goers > 0 && i < fleet_num_hosts(problem->fleet); i++) {
		struct shelter shelter = {
			.host = fleet_get_host(problem->fleet, i),
			.first_pf = (uint32_t)problem->num_shelter_pfs,
		};

		if (excluded[i])
			continue;
		if (add_pfs(problem, shelter.host, local_class, &shelter) ||
		    array_reserve(&problem->all, &problem->allocated_all, problem->num_all + 1,
				  sizeof(shelter)))
			return -ENOMEM;
		if (shelter.num_pfs > 0)
			problem->all[problem->num_all++] = shelter;
	}
	if (problem->num_all > 1)
		qsort(problem->all, problem->num_all, sizeof(problem->all[0]), compare_names);
	return 0;
}

/* By the numbers alone: most free VFs first, then class by class. */
static int compare_numbers(const struct evacuation_problem *problem, const struct shelter *a,
			   const struct shelter *b)
{
	if (a->num_free != b->num_free)
		return a->num_free > b->num_free ? -1 : 1;
	if (a->num_pfs != b->num_pfs)
		return a->num_pfs < b->num_pfs ? -1 : 1;
	for (uint32_t i = 0; i < a->num_pfs; i++) {
		const struct shelter_pf *pf = &problem->shelter_pfs[a->first_pf + i];
		const struct shelter_pf *other = &problem->shelter_pfs[b->first_pf + i];

		if (pf->cls != other->cls)
			return pf->cls < other->cls ? -1 : 1;
		if (pf->free != other->free)
			return pf->free > other->free ? -1 : 1;
	}
	return 0;
}

static int compare_shelters(const void *first, const void *second, void *userdata)
{
	int r = compare_numbers(userdata, first, second);

	return r ? r : compare_names(first, second);
}

/* Whether whatever b can take in, a can as well. */
static bool covers(const struct evacuation_problem *problem, const struct shelter *a,
		   const struct shelter *b)
{
	const struct shelter_pf *mine = &problem->shelter_pfs[a->first_pf];
	const struct shelter_pf *end = mine + a->num_pfs;
	const struct shelter_pf *theirs = &problem->shelter_pfs[b->first_pf];

	for (uint32_t i = 0; i < b->num_pfs; i++) {
		if (theirs[i].free == 0)
			continue;
		while (mine < end && mine->cls < theirs[i].cls)
			mine++;
		if (mine == end || mine->cls != theirs[i].cls || mine->free < theirs[i].free)
			return false;
		mine++;
	}
	return true;
}

/* Whether a host could take any of those that go in, within the limit of a PF. */
static bool takes_anybody(const struct evacuation_problem *problem, const struct shelter *shelter,
			  const uint32_t *most)
{
	for (uint32_t cls = 0; cls < problem->num_classes; cls++) {
		if (most[cls] &&
		    shelter_reach(problem, shelter, cls, problem->max_vfs_per_pf) < most[cls])
			return false;
	}
	return true;
}

/*
 * If there are as many hosts that could take anybody in as there are domains, each domain can
 * have one of its own, and what the destinations offer limits nothing: others are not needed.
 */
static int prefer_those_for_anybody(const struct evacuation_problem *problem, struct shelter *list,
				    size_t *length, bool *ret_enough)
{
	_cleanup_free_ uint32_t *most = calloc(problem->num_classes + 1, sizeof(*most));
	size_t suitable = 0;

	if (!most)
		return -ENOMEM;
	for (uint32_t i = 0; i < problem->num_goers; i++) {
		for (uint32_t cls = 0; cls < problem->num_classes; cls++) {
			if (problem->evacuees[i].need[cls] > most[cls])
				most[cls] = problem->evacuees[i].need[cls];
		}
	}
	for (size_t i = 0; i < *length; i++)
		suitable += takes_anybody(problem, &list[i], most);
	if (suitable < problem->num_goers)
		return 0;
	*ret_enough = true;
	suitable = 0;
	for (size_t i = 0; i < *length; i++) {
		if (takes_anybody(problem, &list[i], most))
			list[suitable++] = list[i];
	}
	*length = suitable;
	return 0;
}

/*
 * Of a type, as many as can be needed: no more than there are domains, and fewer if other hosts
 * cover it. Whoever uses a host that is left out could use one of those instead.
 */
static uint32_t count_needed(const struct evacuation_problem *problem, const uint32_t *types,
			     uint32_t num_types, const struct shelter *shelter)
{
	uint64_t better = 0;

	for (uint32_t i = 0; i < num_types && better < problem->num_goers; i++) {
		const struct shelter *other = &problem->shelters[types[i]];

		if (covers(problem, other, shelter))
			better += (i + 1 < num_types ? types[i + 1] : problem->num_shelters) -
				  types[i];
	}
	return better < problem->num_goers ? problem->num_goers - (uint32_t)better : 0;
}

static int choose_by_type(struct evacuation_problem *problem, const struct shelter *list,
			  size_t length)
{
	_cleanup_free_ uint32_t *types = calloc(MAX_TYPES, sizeof(*types));
	uint32_t num_types = 0;
	size_t end;

	if (!types)
		return -ENOMEM;
	for (size_t start = 0; start < length; start = end) {
		uint32_t needed;

		if (num_types == MAX_TYPES) {
			problem->complete = false;
			break;
		}
		for (end = start + 1; end < length; end++) {
			if (compare_numbers(problem, &list[start], &list[end]) != 0)
				break;
		}
		needed = count_needed(problem, types, num_types, &list[start]);
		if (needed == 0)
			continue;
		types[num_types] = problem->num_shelters;
		for (size_t i = start; i < end && needed > 0; i++, needed--) {
			problem->shelters[problem->num_shelters] = list[i];
			problem->shelters[problem->num_shelters++].type = num_types;
		}
		num_types++;
	}
	return 0;
}

int problem_choose_shelters(struct evacuation_problem *problem)
{
	_cleanup_free_ struct shelter *list = calloc(problem->num_all + 1, sizeof(*list));
	bool enough = false;
	size_t length = 0;

	problem->complete = true;
	problem->shelters = calloc(problem->num_all + 1, sizeof(*list));
	if (!list || !problem->shelters)
		return -ENOMEM;
	for (size_t i = 0; problem->num_goers > 0 && i < problem->num_all; i++) {
		if (problem->all[i].num_free > 0)
			list[length++] = problem->all[i];
	}
	if (prefer_those_for_anybody(problem, list, &length, &enough))
		return -ENOMEM;
	if (length > 1)
		qsort_r(list, length, sizeof(*list), compare_shelters, problem);
	if (enough)
		length = problem->num_goers;
	return choose_by_type(problem, list, length);
}

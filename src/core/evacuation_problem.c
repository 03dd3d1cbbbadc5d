// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/evacuation_problem.h"

#include <errno.h>

__extension__ typedef unsigned __int128 u128;

void problem_release(struct evacuation_problem *problem)
{
	free(problem->evacuees);
	free(problem->local_pfs);
	free(problem->class_of_pf);
	free(problem->pfs_of_class);
	free(problem->out);
	free(problem->need);
	free(problem->shelter_pfs);
	free(problem->all);
	free(problem->shelters);
	*problem = (struct evacuation_problem){ 0 };
}

uint64_t evacuation_downtime_ms(const struct mlx5lm_evacuation_options *options, uint64_t num_vfs)
{
	u128 per_s = (u128)options->bandwidth_mib_per_s << 20;
	u128 ms = per_s ? ((u128)options->state_bytes_per_vf * num_vfs * 1000 + per_s - 1) / per_s
			: 0;

	return ms > UINT64_MAX ? UINT64_MAX : (uint64_t)ms;
}

/* How many VFs can switch over at once within the limit of downtime. */
static uint32_t count_vfs_per_wave(const struct mlx5lm_evacuation_options *options)
{
	uint32_t low = 0, high = UNLIMITED;

	if (!options->downtime_limit_ms || !options->bandwidth_mib_per_s ||
	    !options->state_bytes_per_vf)
		return UNLIMITED;
	/* The largest that passes the very test by which a plan will be judged. */
	while (low < high) {
		uint32_t middle = high - (high - low) / 2;

		if (evacuation_downtime_ms(options, middle) <= options->downtime_limit_ms)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

/* Numbers the PFs of the source that domains have VFs of, and their classes. */
static int number_pfs(struct evacuation_problem *problem)
{
	const struct fleet_host *source = problem->source;
	_cleanup_free_ uint32_t *fleet_class = calloc(source->num_pfs + 1, sizeof(uint32_t));

	problem->local_pfs = calloc(source->num_pfs + 1, sizeof(uint32_t));
	problem->class_of_pf = calloc(source->num_pfs + 1, sizeof(uint32_t));
	problem->pfs_of_class = calloc(source->num_pfs + 1, sizeof(uint32_t));
	if (!fleet_class || !problem->local_pfs || !problem->class_of_pf || !problem->pfs_of_class)
		return -ENOMEM;
	for (uint32_t i = 0; i < source->num_pfs; i++) {
		const struct fleet_pf *pf = &source->pfs[i];
		uint32_t vf = 0, cls = 0;

		while (vf < pf->num_vfs && !pf->vfs[vf].domain)
			vf++;
		problem->local_pfs[i] = NONE;
		if (vf == pf->num_vfs)
			continue;
		while (cls < problem->num_classes && fleet_class[cls] != pf->cls)
			cls++;
		if (cls == problem->num_classes)
			fleet_class[problem->num_classes++] = pf->cls;
		problem->pfs_of_class[cls]++;
		problem->class_of_pf[problem->num_pfs] = cls;
		problem->local_pfs[i] = problem->num_pfs++;
	}
	return 0;
}

static void judge_vf(const struct evacuation_problem *problem, uint32_t pf, uint32_t vf,
		     struct evacuee *evacuee)
{
	enum stay_reason reason = STAY_GOES;

	if (!problem->source->pfs[pf].vfs[vf].ready)
		reason = STAY_NOT_READY;
	else if (!fleet_class_is_known(problem->fleet, problem->source->pfs[pf].cls))
		reason = STAY_CLASS_UNKNOWN;
	/* The first VF that is in the way counts. */
	if (evacuee->stays || !reason)
		return;
	evacuee->stays = reason;
	evacuee->culprit_pf = pf;
	evacuee->culprit_vf = vf;
}

static void count_vfs(struct evacuation_problem *problem)
{
	for (uint32_t i = 0; i < problem->source->num_pfs; i++) {
		const struct fleet_pf *pf = &problem->source->pfs[i];
		uint32_t local = problem->local_pfs[i];

		for (uint32_t vf = 0; local != NONE && vf < pf->num_vfs; vf++) {
			size_t row = pf->vfs[vf].domain;

			if (row == 0 || row > problem->num_evacuees)
				continue;
			row--;
			problem->evacuees[row].num_vfs++;
			problem->out[row * problem->num_pfs + local]++;
			problem->need[row * problem->num_classes + problem->class_of_pf[local]]++;
			judge_vf(problem, i, vf, &problem->evacuees[row]);
		}
	}
}

static int list_evacuees(struct evacuation_problem *problem)
{
	size_t length = problem->source->num_domains;

	problem->evacuees = calloc(length + 1, sizeof(problem->evacuees[0]));
	problem->out = calloc(length * problem->num_pfs + 1, sizeof(problem->out[0]));
	problem->need = calloc(length * problem->num_classes + 1, sizeof(problem->need[0]));
	if (!problem->evacuees || !problem->out || !problem->need)
		return -ENOMEM;
	problem->num_evacuees = (uint32_t)length;
	for (uint32_t i = 0; i < length; i++) {
		problem->evacuees[i] = (struct evacuee){
			.name = problem->source->domains[i],
			.domain = i + 1,
			.out = problem->out + (size_t)i * problem->num_pfs,
			.need = problem->need + (size_t)i * problem->num_classes,
		};
	}
	count_vfs(problem);
	for (uint32_t i = 0; i < length; i++) {
		struct evacuee *evacuee = &problem->evacuees[i];

		if (evacuee->num_vfs == 0)
			evacuee->stays = STAY_VF_UNKNOWN;
		else if (!evacuee->stays && evacuee->num_vfs > problem->max_vfs_per_wave)
			evacuee->stays = STAY_DOWNTIME;
	}
	return 0;
}

static int compare_rows(const uint32_t *a, const uint32_t *b, uint32_t length)
{
	for (uint32_t i = 0; i < length; i++) {
		if (a[i] != b[i])
			return a[i] > b[i] ? -1 : 1;
	}
	return 0;
}

/* Those that go first; of these the largest, and side by side those that are the same. */
static int compare_evacuees(const void *first, const void *second, void *userdata)
{
	const struct evacuee *a = first, *b = second;
	const struct evacuation_problem *problem = userdata;
	int r;

	if (!a->stays != !b->stays)
		return a->stays ? 1 : -1;
	if (a->num_vfs != b->num_vfs)
		return a->num_vfs > b->num_vfs ? -1 : 1;
	r = compare_rows(a->out, b->out, problem->num_pfs);
	return r ? r : strcmp(a->name, b->name);
}

static void sort_evacuees(struct evacuation_problem *problem)
{
	qsort_r(problem->evacuees, problem->num_evacuees, sizeof(problem->evacuees[0]),
		compare_evacuees, problem);
	problem->num_goers = 0;
	while (problem->num_goers < problem->num_evacuees &&
	       !problem->evacuees[problem->num_goers].stays)
		problem->num_goers++;
}

static bool has_classes(const struct evacuation_problem *problem, const struct shelter *shelter,
			const struct evacuee *evacuee)
{
	for (uint32_t cls = 0; cls < problem->num_classes; cls++) {
		uint32_t i = 0;

		while (i < shelter->num_pfs &&
		       problem->shelter_pfs[shelter->first_pf + i].cls != cls)
			i++;
		if (evacuee->need[cls] && i == shelter->num_pfs)
			return false;
	}
	return true;
}

/* Lets stay those that nobody could take in. */
static void judge_room(struct evacuation_problem *problem)
{
	const struct evacuee *last = NULL;

	for (uint32_t i = 0; i < problem->num_goers; i++) {
		struct evacuee *evacuee = &problem->evacuees[i];
		enum stay_reason reason = STAY_NO_CLASS;

		if (last && compare_rows(last->need, evacuee->need, problem->num_classes) == 0) {
			evacuee->stays = last->stays;
			continue;
		}
		for (size_t host = 0; reason && host < problem->num_all; host++) {
			if (shelter_suits(problem, &problem->all[host], evacuee))
				reason = STAY_GOES;
			else if (reason == STAY_NO_CLASS &&
				 has_classes(problem, &problem->all[host], evacuee))
				reason = STAY_NO_ROOM;
		}
		evacuee->stays = reason;
		last = evacuee;
	}
}

static int mark_excluded(const struct mlx5lm_fleet *fleet, size_t source, const struct strv *names,
			 bool **ret)
{
	bool *excluded = calloc(fleet_num_hosts(fleet) + 1, sizeof(*excluded));
	size_t index;

	if (!excluded)
		return -ENOMEM;
	excluded[source] = true;
	for (size_t i = 0; i < names->length; i++) {
		/* A host that the fleet does not have gets nothing anyway. */
		if (fleet_find_host(fleet, names->items[i], &index) == 0)
			excluded[index] = true;
	}
	*ret = excluded;
	return 0;
}

int problem_make(const struct mlx5lm_fleet *fleet, size_t source,
		 const struct mlx5lm_evacuation_options *options,
		 struct evacuation_problem *problem)
{
	_cleanup_free_ bool *excluded = NULL;
	uint64_t limit = options->max_vfs_per_pf;

	problem->fleet = fleet;
	problem->source = fleet_get_host(fleet, source);
	problem->max_vfs_per_pf = limit == 0 || limit > UNLIMITED ? UNLIMITED : (uint32_t)limit;
	problem->max_vfs_per_wave = count_vfs_per_wave(options);
	if (number_pfs(problem) || list_evacuees(problem) ||
	    mark_excluded(fleet, source, &options->excluded, &excluded))
		return -ENOMEM;
	sort_evacuees(problem);
	if (problem_find_shelters(problem, excluded))
		return -ENOMEM;
	judge_room(problem);
	sort_evacuees(problem);
	return problem_choose_shelters(problem);
}

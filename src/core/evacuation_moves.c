// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/evacuation_solve.h"

#include <errno.h>

/* A VF that moves; places in the hosts' lists. */
struct passenger {
	uint32_t host, cls, wave;
	uint32_t pf, vf;
	uint32_t evacuee;
	uint32_t rank; /* of its PF among those of its class */
	uint32_t to_pf, to_vf;
};

/* Those that go to a host into a class in a wave. */
struct group {
	struct passenger *passengers;
	uint32_t length;
	bool shared; /* others are in that wave */
};

/* A PF that takes them in. */
struct berth {
	struct shelter_pf pf; /* free: not given away yet */
	uint32_t next_vf;     /* place from which on there may be a free one */
	uint32_t taken;	      /* by the group that is looked at */
};

/* The groups of a host and class, in the order of waves. */
struct dock {
	const struct evacuation_problem *problem;
	const struct fleet_host *host;
	struct group *groups;
	uint32_t num_groups;
	struct berth *berths; /* in the order of PFs */
	uint32_t num_berths;
	struct shelter_pf *rest; /* scratch */
	uint64_t *loads;	 /* scratch */
};

static int compare_numbers(uint32_t a, uint32_t b)
{
	return a == b ? 0 : a < b ? -1 : 1;
}

static int compare_passengers(const void *first, const void *second)
{
	const struct passenger *a = first, *b = second;
	int r = compare_numbers(a->host, b->host);

	r = r ? r : compare_numbers(a->cls, b->cls);
	r = r ? r : compare_numbers(a->wave, b->wave);
	r = r ? r : compare_numbers(a->pf, b->pf);
	r = r ? r : compare_numbers(a->evacuee, b->evacuee);
	return r ? r : compare_numbers(a->vf, b->vf);
}

/* Whether those of later waves still find room if what this group takes is gone. */
static bool leaves_enough(struct dock *dock, uint32_t group)
{
	uint64_t others = 0;
	size_t length = 0;

	for (uint32_t i = 0; i < dock->num_berths; i++) {
		dock->rest[i] = dock->berths[i].pf;
		dock->rest[i].free -= dock->berths[i].taken;
	}
	for (uint32_t i = group + 1; i < dock->num_groups; i++) {
		if (dock->groups[i].shared)
			dock->loads[length++] = dock->groups[i].length;
		else
			others += dock->groups[i].length;
	}
	sort_loads(dock->loads, length);
	return loads_can_be_spread(dock->rest, dock->num_berths, dock->problem->max_vfs_per_pf,
				   dock->loads, length, others);
}

/* VFs of one PF to one PF, of different PFs to different ones: they may be each other's reserve. */
static bool take_in_order(struct dock *dock, uint32_t group)
{
	const struct group *who = &dock->groups[group];

	for (uint32_t i = 0; i < dock->num_berths; i++)
		dock->berths[i].taken = 0;
	for (uint32_t i = 0; i < who->length; i++) {
		struct berth *berth = &dock->berths[who->passengers[i].rank % dock->num_berths];

		if (++berth->taken > berth->pf.free || berth->taken > dock->problem->max_vfs_per_pf)
			return false;
	}
	return leaves_enough(dock, group);
}

/* Always from the PF that has most left, which leaves most for the waves behind. */
static bool take_level(struct dock *dock, uint32_t group, uint32_t max_vfs_per_pf)
{
	for (uint32_t i = 0; i < dock->num_berths; i++)
		dock->berths[i].taken = 0;
	for (uint32_t n = 0; n < dock->groups[group].length; n++) {
		struct berth *best = NULL;

		for (uint32_t i = 0; i < dock->num_berths; i++) {
			struct berth *berth = &dock->berths[i];

			if (berth->taken < berth->pf.free && berth->taken < max_vfs_per_pf &&
			    (!best || berth->pf.free - berth->taken > best->pf.free - best->taken))
				best = berth;
		}
		if (!best)
			return false;
		best->taken++;
	}
	return leaves_enough(dock, group);
}

static void board(struct dock *dock, struct passenger *passenger, struct berth *berth)
{
	const struct fleet_pf *pf = &dock->host->pfs[berth->pf.pf];

	while (!pf->vfs[berth->next_vf].free || pf->vfs[berth->next_vf].domain)
		berth->next_vf++;
	passenger->to_pf = berth->pf.pf;
	passenger->to_vf = berth->next_vf++;
	berth->pf.free--;
}

static void board_group(struct dock *dock, uint32_t group)
{
	struct group *who = &dock->groups[group];
	uint32_t limit = dock->problem->max_vfs_per_pf, next = 0;

	if (take_in_order(dock, group)) {
		for (uint32_t i = 0; i < who->length; i++)
			board(dock, &who->passengers[i],
			      &dock->berths[who->passengers[i].rank % dock->num_berths]);
		return;
	}
	/* One that is alone may have more than the limit, but only if it cannot do with less. */
	if (!take_level(dock, group, limit))
		take_level(dock, group, UNLIMITED);
	for (uint32_t i = 0; i < who->length; i++) {
		while (dock->berths[next].taken == 0)
			next++;
		board(dock, &who->passengers[i], &dock->berths[next]);
		dock->berths[next].taken--;
	}
}

static int compare_berths(const void *first, const void *second)
{
	const struct berth *a = first, *b = second;

	return compare_numbers(a->pf.pf, b->pf.pf);
}

/* All that go to one host into one class. */
static int board_dock(const struct evacuation_state *state, struct passenger *passengers,
		      size_t length)
{
	const struct evacuation_problem *problem = state->problem;
	const struct shelter *shelter = &problem->shelters[passengers->host];
	_cleanup_free_ struct group *groups = calloc(length, sizeof(*groups));
	_cleanup_free_ struct berth *berths = calloc(shelter->num_pfs, sizeof(*berths));
	_cleanup_free_ struct shelter_pf *rest = calloc(shelter->num_pfs, sizeof(*rest));
	_cleanup_free_ uint64_t *loads = calloc(length, sizeof(*loads));
	struct dock dock = {
		.problem = problem,
		.host = shelter->host,
		.groups = groups,
		.berths = berths,
		.rest = rest,
		.loads = loads,
	};

	if (!groups || !berths || !rest || !loads)
		return -ENOMEM;
	for (uint32_t i = 0; i < shelter->num_pfs; i++) {
		const struct shelter_pf *pf = &problem->shelter_pfs[shelter->first_pf + i];

		if (pf->cls == passengers->cls)
			berths[dock.num_berths++].pf = *pf;
	}
	qsort(berths, dock.num_berths, sizeof(*berths), compare_berths);
	for (size_t i = 0; i < length; i++) {
		if (i == 0 || passengers[i].wave != passengers[i - 1].wave)
			groups[dock.num_groups++] = (struct group){
				.passengers = &passengers[i],
				.shared = state->wave_size[passengers[i].wave] > 1,
			};
		groups[dock.num_groups - 1].length++;
	}
	for (uint32_t group = 0; group < dock.num_groups; group++)
		board_group(&dock, group);
	return 0;
}

/* Of each domain of the source that goes: its place in evacuees; else NONE. */
static uint32_t *number_domains(const struct evacuation_state *state)
{
	const struct evacuation_problem *problem = state->problem;
	uint32_t *numbers = malloc((problem->num_evacuees + 1u) * sizeof(*numbers));

	for (uint32_t i = 0; numbers && i <= problem->num_evacuees; i++)
		numbers[i] = NONE;
	for (uint32_t i = 0; numbers && i < problem->num_goers; i++) {
		if (state->host_of[i] != NONE)
			numbers[problem->evacuees[i].domain] = i;
	}
	return numbers;
}

static uint32_t rank_of_pf(const struct evacuation_problem *problem, uint32_t local)
{
	uint32_t rank = 0;

	for (uint32_t i = 0; i < local; i++)
		rank += problem->class_of_pf[i] == problem->class_of_pf[local];
	return rank;
}

static size_t list_passengers(const struct evacuation_state *state, const uint32_t *numbers,
			      struct passenger *passengers)
{
	const struct evacuation_problem *problem = state->problem;
	size_t length = 0;

	for (uint32_t i = 0; i < problem->source->num_pfs; i++) {
		const struct fleet_pf *pf = &problem->source->pfs[i];
		uint32_t local = problem->local_pfs[i];

		for (uint32_t vf = 0; local != NONE && vf < pf->num_vfs; vf++) {
			uint32_t domain = pf->vfs[vf].domain;

			if (!domain || domain > problem->num_evacuees || numbers[domain] == NONE)
				continue;
			passengers[length++] = (struct passenger){
				.host = state->host_of[numbers[domain]],
				.cls = problem->class_of_pf[local],
				.wave = state->wave_of[numbers[domain]],
				.pf = i,
				.vf = vf,
				.evacuee = numbers[domain],
				.rank = rank_of_pf(problem, local),
			};
		}
	}
	return length;
}

static void format_vf(const struct fleet_pf *pf, const struct fleet_vf *vf, char *text)
{
	struct bdf bdf = {
		.domain = pf->pci_domain,
		.bus = vf->bus,
		.device = vf->devfn >> 3,
		.function = vf->devfn & 7,
	};

	bdf_format(&bdf, text);
}

static int compare_by_domain(const void *first, const void *second)
{
	const struct passenger *a = first, *b = second;
	int r = compare_numbers(a->evacuee, b->evacuee);

	r = r ? r : compare_numbers(a->pf, b->pf);
	return r ? r : compare_numbers(a->vf, b->vf);
}

static int fill_move(const struct evacuation_state *state, const struct passenger *passengers,
		     struct mlx5lm_move *move)
{
	const struct evacuation_problem *problem = state->problem;
	const struct evacuee *evacuee = &problem->evacuees[passengers->evacuee];
	const struct fleet_host *to = problem->shelters[passengers->host].host;

	move->num_vfs = evacuee->num_vfs;
	move->vfs = calloc(move->num_vfs, sizeof(move->vfs[0]));
	if (!move->vfs || str_replace(&move->domain, evacuee->name) ||
	    str_replace(&move->destination, to->name))
		return -ENOMEM;
	for (size_t i = 0; i < move->num_vfs; i++) {
		const struct fleet_pf *from_pf = &problem->source->pfs[passengers[i].pf];
		const struct fleet_pf *to_pf = &to->pfs[passengers[i].to_pf];

		format_vf(from_pf, &from_pf->vfs[passengers[i].vf], move->vfs[i].source);
		format_vf(to_pf, &to_pf->vfs[passengers[i].to_vf], move->vfs[i].destination);
	}
	return 0;
}

static int compare_moves(const void *first, const void *second)
{
	const struct mlx5lm_move *a = first, *b = second;

	if (a->wave != b->wave)
		return a->wave < b->wave ? -1 : 1;
	return strcmp(a->domain, b->domain);
}

struct wave_rank {
	uint32_t wave;
	uint32_t num_vfs;
	const char *first; /* name of a domain */
};

static int compare_ranks(const void *first, const void *second)
{
	const struct wave_rank *a = first, *b = second;

	return a->num_vfs != b->num_vfs ? compare_numbers(b->num_vfs, a->num_vfs)
					: strcmp(a->first, b->first);
}

/* Of each wave the number it gets: the fullest first. NULL when out of memory. */
static uint32_t *number_waves(const struct evacuation_state *state)
{
	_cleanup_free_ struct wave_rank *ranks = calloc(state->num_waves + 1u, sizeof(*ranks));
	uint32_t *numbers = calloc(state->num_waves + 1u, sizeof(*numbers));

	if (!ranks || !numbers) {
		free(numbers);
		return NULL;
	}
	for (uint32_t i = 0; i < state->problem->num_goers; i++) {
		const char *name = state->problem->evacuees[i].name;
		struct wave_rank *rank;

		if (state->wave_of[i] == NONE)
			continue;
		rank = &ranks[state->wave_of[i]];
		rank->wave = state->wave_of[i];
		rank->num_vfs = state->wave_vfs[rank->wave];
		if (!rank->first || strcmp(name, rank->first) < 0)
			rank->first = name;
	}
	if (state->num_waves > 1)
		qsort(ranks, state->num_waves, sizeof(*ranks), compare_ranks);
	for (uint32_t i = 0; i < state->num_waves; i++)
		numbers[ranks[i].wave] = i + 1;
	return numbers;
}

static int list_moves(const struct evacuation_state *state,
		      const struct mlx5lm_evacuation_options *options,
		      const struct passenger *passengers, size_t length,
		      struct mlx5lm_evacuation *evacuation)
{
	_cleanup_free_ uint32_t *numbers = number_waves(state);

	evacuation->moves = calloc(state->num_placed + 1u, sizeof(evacuation->moves[0]));
	if (!numbers || !evacuation->moves)
		return -ENOMEM;
	for (size_t i = 0; i < length; i++) {
		struct mlx5lm_move *move = &evacuation->moves[evacuation->num_moves];
		uint32_t wave = passengers[i].wave;

		if (i > 0 && passengers[i].evacuee == passengers[i - 1].evacuee)
			continue;
		evacuation->num_moves++;
		if (fill_move(state, &passengers[i], move))
			return -ENOMEM;
		move->wave = numbers[wave];
		if (options->bandwidth_mib_per_s && options->state_bytes_per_vf)
			move->downtime_ms =
				fact_u64(evacuation_downtime_ms(options, state->wave_vfs[wave]));
	}
	if (evacuation->num_moves > 1)
		qsort(evacuation->moves, evacuation->num_moves, sizeof(evacuation->moves[0]),
		      compare_moves);
	return 0;
}

int evacuation_add_moves(const struct evacuation_state *state,
			 const struct mlx5lm_evacuation_options *options,
			 struct mlx5lm_evacuation *evacuation)
{
	_cleanup_free_ uint32_t *numbers = number_domains(state);
	_cleanup_free_ struct passenger *passengers = NULL;
	size_t length = 1, end;

	for (uint32_t i = 0; i < state->problem->num_goers; i++)
		length += state->problem->evacuees[i].num_vfs;
	passengers = calloc(length, sizeof(*passengers));
	if (!numbers || !passengers)
		return -ENOMEM;
	length = list_passengers(state, numbers, passengers);
	if (length > 1)
		qsort(passengers, length, sizeof(*passengers), compare_passengers);
	for (size_t start = 0; start < length; start = end) {
		end = start + 1;
		while (end < length && passengers[end].host == passengers[start].host &&
		       passengers[end].cls == passengers[start].cls)
			end++;
		if (board_dock(state, passengers + start, end - start))
			return -ENOMEM;
	}
	if (length > 1)
		qsort(passengers, length, sizeof(*passengers), compare_by_domain);
	return list_moves(state, options, passengers, length, evacuation);
}

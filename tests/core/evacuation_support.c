// SPDX-License-Identifier: LGPL-2.1-or-later
#include "evacuation_support.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

const struct fleet_host *__wrap_fleet_get_host(const struct mlx5lm_fleet *fleet, size_t index);
int __wrap_fleet_find_host(const struct mlx5lm_fleet *fleet, const char *name, size_t *ret_index);
size_t __wrap_fleet_num_hosts(const struct mlx5lm_fleet *fleet);
size_t __wrap_fleet_num_classes(const struct mlx5lm_fleet *fleet);
bool __wrap_fleet_class_is_known(const struct mlx5lm_fleet *fleet, uint32_t cls);

const struct fleet_host *__wrap_fleet_get_host(const struct mlx5lm_fleet *fleet, size_t index)
{
	return &fleet->hosts[index];
}

int __wrap_fleet_find_host(const struct mlx5lm_fleet *fleet, const char *name, size_t *ret_index)
{
	for (size_t i = 0; i < fleet->num_hosts; i++) {
		if (!streq(fleet->hosts[i].name, name))
			continue;
		*ret_index = i;
		return 0;
	}
	return -ENOENT;
}

size_t __wrap_fleet_num_hosts(const struct mlx5lm_fleet *fleet)
{
	return fleet->num_hosts;
}

size_t __wrap_fleet_num_classes(const struct mlx5lm_fleet *fleet)
{
	(void)fleet;
	return NUM_CLASSES;
}

bool __wrap_fleet_class_is_known(const struct mlx5lm_fleet *fleet, uint32_t cls)
{
	return cls != fleet->unknown_class;
}

static void *grown(void *items, size_t length, size_t size)
{
	items = reallocarray(items, length + 1, size);
	if (!items)
		abort();
	memset((char *)items + length * size, 0, size);
	return items;
}

static char *copy_of(const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		abort();
	return copy;
}

struct mlx5lm_fleet *hand_made_fleet(void)
{
	struct mlx5lm_fleet *fleet = grown(NULL, 0, sizeof(*fleet));

	fleet->unknown_class = NO_CLASS;
	return fleet;
}

void add_host(struct mlx5lm_fleet *fleet, const char *name)
{
	fleet->hosts = grown(fleet->hosts, fleet->num_hosts, sizeof(fleet->hosts[0]));
	fleet->hosts[fleet->num_hosts++].name = copy_of(name);
}

struct fleet_pf *add_pf(struct mlx5lm_fleet *fleet, uint32_t cls, uint32_t num_vfs)
{
	struct fleet_host *host = &fleet->hosts[fleet->num_hosts - 1];
	struct fleet_pf *pf;

	host->pfs = grown(host->pfs, host->num_pfs, sizeof(*pf));
	pf = &host->pfs[host->num_pfs];
	pf->cls = cls;
	pf->bus = (uint8_t)(8 + 2 * host->num_pfs++);
	pf->numa_node = -1;
	pf->num_vfs = num_vfs;
	pf->vfs = calloc(num_vfs + 1u, sizeof(pf->vfs[0]));
	if (!pf->vfs)
		abort();
	for (uint32_t i = 0; i < num_vfs; i++) {
		pf->vfs[i].index = (uint16_t)i;
		pf->vfs[i].bus = (uint8_t)(pf->bus + (i + 2) / 256);
		pf->vfs[i].devfn = (uint8_t)(i + 2);
		pf->vfs[i].free = pf->vfs[i].ready = true;
	}
	return pf;
}

static uint16_t domain_number(struct fleet_host *host, const char *name)
{
	uint32_t i = 0;

	while (i < host->num_domains && !streq(host->domains[i], name))
		i++;
	if (i == host->num_domains) {
		host->domains = grown(host->domains, i, sizeof(host->domains[0]));
		host->domains[host->num_domains++] = copy_of(name);
	}
	return (uint16_t)(i + 1);
}

void give(struct mlx5lm_fleet *fleet, const char *domain, uint32_t pf, uint32_t num_vfs)
{
	uint16_t number = domain_number(&fleet->hosts[0], domain);
	struct fleet_pf *from = &fleet->hosts[0].pfs[pf];

	for (uint32_t i = 0; i < from->num_vfs && num_vfs > 0; i++) {
		if (from->vfs[i].domain)
			continue;
		from->vfs[i].domain = number;
		from->vfs[i].free = false;
		num_vfs--;
	}
	if (num_vfs > 0)
		abort();
}

void release_fleet(struct mlx5lm_fleet *fleet)
{
	for (size_t i = 0; i < fleet->num_hosts; i++) {
		struct fleet_host *host = &fleet->hosts[i];

		for (uint32_t pf = 0; pf < host->num_pfs; pf++)
			free(host->pfs[pf].vfs);
		for (uint32_t domain = 0; domain < host->num_domains; domain++)
			free((char *)host->domains[domain]);
		free(host->pfs);
		free(host->domains);
		free((char *)host->name);
	}
	free(fleet->hosts);
	free(fleet);
}

struct mlx5lm_evacuation *evacuate(const struct mlx5lm_fleet *fleet,
				   const struct mlx5lm_evacuation_options *options)
{
	struct mlx5lm_evacuation *evacuation;
	struct mlx5lm_error *error = NULL;

	cr_assert_eq(evacuation_make(fleet, fleet->hosts[0].name, options, &evacuation, &error), 0);
	return evacuation;
}

/* A VF, found by its address. */
struct place {
	const struct fleet_host *host;
	uint32_t pf, vf;
};

static struct place find_place(const struct mlx5lm_fleet *fleet, const char *host, const char *bdf)
{
	struct place place = { 0 };
	size_t index;
	char text[32];

	cr_assert_eq(__wrap_fleet_find_host(fleet, host, &index), 0, "no host %s", host);
	place.host = &fleet->hosts[index];
	for (place.pf = 0; place.pf < place.host->num_pfs; place.pf++) {
		const struct fleet_pf *pf = &place.host->pfs[place.pf];

		for (place.vf = 0; place.vf < pf->num_vfs; place.vf++) {
			const struct fleet_vf *vf = &pf->vfs[place.vf];

			snprintf(text, sizeof(text), "%04x:%02x:%02x.%x", pf->pci_domain, vf->bus,
				 vf->devfn / 8u, vf->devfn % 8u);
			if (streq(text, bdf))
				return place;
		}
	}
	cr_assert_fail("host %s has no VF %s", host, bdf);
	return place;
}

/* What a wave moves, counted for each PF of each host. */
struct tally {
	uint32_t *count; /* [host][MAX_PFS] */
	uint32_t num_vfs, num_domains;
};

#define MAX_PFS 8u

static void count_place(const struct mlx5lm_fleet *fleet, struct tally *tally,
			const struct place *place)
{
	cr_assert_lt(place->pf, MAX_PFS);
	tally->count[(size_t)(place->host - fleet->hosts) * MAX_PFS + place->pf]++;
}

static void expect_valid_move(const struct mlx5lm_fleet *fleet, const struct mlx5lm_move *move,
			      bool *taken, struct tally *tally)
{
	const struct fleet_host *source = &fleet->hosts[0];
	uint32_t number = 0, has = 0;

	while (number < source->num_domains && !streq(source->domains[number], move->domain))
		number++;
	cr_assert_lt(number, source->num_domains, "there is no domain %s", move->domain);
	for (uint32_t i = 0; i < source->num_pfs; i++) {
		for (uint32_t j = 0; j < source->pfs[i].num_vfs; j++)
			has += source->pfs[i].vfs[j].domain == number + 1;
	}
	cr_assert_eq(move->num_vfs, has, "%s has %u VFs", move->domain, has);
	for (size_t i = 0; i < move->num_vfs; i++) {
		struct place from = find_place(fleet, source->name, move->vfs[i].source);
		struct place to = find_place(fleet, move->destination, move->vfs[i].destination);
		const struct fleet_pf *to_pf = &to.host->pfs[to.pf];
		size_t host = (size_t)(to.host - fleet->hosts);
		bool *mark = &taken[(host * MAX_PFS + to.pf) * 256 + to.vf];

		cr_assert_neq(to.host, source);
		cr_assert_eq(source->pfs[from.pf].vfs[from.vf].domain, number + 1);
		cr_assert(to_pf->vfs[to.vf].free);
		cr_assert_eq(to_pf->cls, source->pfs[from.pf].cls, "%s: another class",
			     move->domain);
		cr_assert_not(*mark, "%s %s is taken twice", move->destination,
			      move->vfs[i].destination);
		*mark = true;
		/* The source's VFs are marked as well: none goes twice. */
		mark = &taken[(size_t)from.pf * 256 + from.vf];
		cr_assert_not(*mark, "%s goes twice", move->vfs[i].source);
		*mark = true;
		count_place(fleet, tally, &from);
		count_place(fleet, tally, &to);
		tally->num_vfs++;
	}
	tally->num_domains++;
}

static void expect_valid_wave(const struct mlx5lm_fleet *fleet,
			      const struct mlx5lm_evacuation_options *options,
			      const struct tally *tally)
{
	if (options->downtime_limit_ms && options->bandwidth_mib_per_s)
		cr_assert_leq((unsigned __int128)tally->num_vfs * options->state_bytes_per_vf *
				      1000,
			      ((unsigned __int128)options->downtime_limit_ms *
			       options->bandwidth_mib_per_s)
				      << 20);
	if (tally->num_domains == 1 || options->max_vfs_per_pf == 0)
		return;
	for (size_t i = 0; i < fleet->num_hosts * MAX_PFS; i++)
		cr_assert_leq(tally->count[i], options->max_vfs_per_pf);
}

void expect_valid(const struct mlx5lm_fleet *fleet, const struct mlx5lm_evacuation_options *options,
		  const struct mlx5lm_evacuation *evacuation)
{
	bool *taken = calloc(fleet->num_hosts * MAX_PFS * 256, sizeof(*taken));
	struct tally tally = { 0 };
	uint64_t wave = 0;

	cr_assert(taken);
	for (size_t i = 0; i < evacuation->num_moves; i++) {
		const struct mlx5lm_move *move = &evacuation->moves[i];

		if (move->wave != wave) {
			cr_assert_eq(move->wave, wave + 1, "waves are not in order");
			wave++;
			free(tally.count);
			tally = (struct tally){ 0 };
			tally.count = calloc(fleet->num_hosts * MAX_PFS, sizeof(uint32_t));
			cr_assert(tally.count);
		} else {
			cr_assert_lt(strcmp(move[-1].domain, move->domain), 0);
		}
		expect_valid_move(fleet, move, taken, &tally);
		expect_valid_wave(fleet, options, &tally);
	}
	cr_assert_eq(evacuation->num_waves, wave);
	cr_assert_eq(evacuation->num_moves + evacuation->num_left, fleet->hosts[0].num_domains);
	cr_assert_eq(evacuation->findings.length, evacuation->num_left);
	free(tally.count);
	free(taken);
}

uint32_t random_below(uint64_t *seed, uint32_t end)
{
	/* The generator of Knuth's MMIX. */
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((*seed >> 33) % end);
}

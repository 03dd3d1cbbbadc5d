// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/fleet.h"

#include <errno.h>
#include <search.h>
#include <stdatomic.h>

#include "base/array.h"
#include "core/bdf.h"
#include "core/fleet_internal.h"
#include "core/json_text.h"
#include "core/vf_ready.h"

#define MAX_NAME_BYTES 255

/* How much of a snapshot is kept. */
struct extent {
	size_t num_pfs;
	size_t num_vfs;
	const char **domains; /* sorted, each once; borrowed from the snapshot */
	size_t num_domains;
	size_t text_bytes; /* of the name and the domains */
};

static void extent_release(struct extent *extent)
{
	free(extent->domains);
}

#define _cleanup_extent_ _cleanup_(extent_release)

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct fleet_host *)a)->name, ((const struct fleet_host *)b)->name);
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void keep(void *text)
{
	(void)text; /* is part of what the array holds */
}

int fleet_new(struct mlx5lm_fleet **ret)
{
	_cleanup_fleet_ struct mlx5lm_fleet *fleet = calloc(1, sizeof(*fleet));

	if (!fleet)
		return -ENOMEM;
	fleet->rules = calloc(num_pf_rules + 1, sizeof(struct compare_rule *));
	fleet->cache = calloc(1, sizeof(*fleet->cache));
	if (!fleet->rules || !fleet->cache)
		return -ENOMEM;
	for (size_t i = 0; i < num_pf_rules; i++) {
		if (pf_rules[i].differs == MLX5LM_STATUS_FAIL)
			fleet->rules[fleet->num_rules++] = &pf_rules[i];
	}
	*ret = TAKE(fleet);
	return 0;
}

void fleet_free(struct mlx5lm_fleet *fleet)
{
	if (fleet->cache)
		fleet_view_free(atomic_load(&fleet->cache->view));
	free(fleet->cache);
	tdestroy(fleet->names, keep);
	for (size_t i = 0; i < fleet->num_hosts; i++)
		free(fleet->hosts[i]);
	free(fleet->hosts);
	fleet_drop_classes(fleet, 0);
	free(fleet->classes);
	tdestroy(fleet->values, free);
	free(fleet->rules);
	free(fleet->key);
	free(fleet);
}

/*
 * The address of a function that can be kept: VFs are in the PCI domain of their PF, and
 * report_complete() lets no index above 16 bits in.
 */
static bool vf_fits(const struct mlx5lm_vf *vf, const struct bdf *pf, struct bdf *ret)
{
	return vf->index.known && vf->index.value <= UINT16_MAX && vf->bdf &&
	       bdf_parse(vf->bdf, ret) == 0 && ret->domain == pf->domain;
}

static bool pf_fits(const struct mlx5lm_pf *pf, struct bdf *ret)
{
	return pf->bdf && bdf_parse(pf->bdf, ret) == 0;
}

/* Counts, and collects the domains of all VFs if there is room for them. */
static void survey(const struct mlx5lm_host *host, struct extent *extent)
{
	struct bdf pf, vf;

	*extent = (struct extent){ .domains = extent->domains };
	for (size_t i = 0; i < host->num_pfs; i++) {
		bool fits = pf_fits(&host->pfs[i], &pf);

		extent->num_pfs += fits;
		for (size_t j = 0; j < host->pfs[i].num_vfs; j++) {
			const struct mlx5lm_vf *fact = &host->pfs[i].vfs[j];

			extent->num_vfs += fits && vf_fits(fact, &pf, &vf);
			if (fact->in_use_by && extent->domains)
				extent->domains[extent->num_domains] = fact->in_use_by;
			extent->num_domains += fact->in_use_by != NULL;
		}
	}
}

static int measure(const struct mlx5lm_host *host, const char *name, struct extent *extent,
		   struct mlx5lm_error **reterr)
{
	size_t used = 0;

	survey(host, extent);
	if (extent->num_domains) {
		extent->domains = calloc(extent->num_domains, sizeof(char *));
		if (!extent->domains)
			return error_no_memory(reterr);
		survey(host, extent);
		qsort(extent->domains, extent->num_domains, sizeof(char *), compare_texts);
	}
	extent->text_bytes = strlen(name) + 1;
	for (size_t i = 0; i < extent->num_domains; i++) {
		if (used && streq(extent->domains[i], extent->domains[used - 1]))
			continue;
		extent->domains[used++] = extent->domains[i];
		extent->text_bytes += strlen(extent->domains[i]) + 1;
	}
	extent->num_domains = used;
	if (used > UINT16_MAX)
		return error_invalid(reterr, "host %s has VFs in %zu domains, which is more than "
				     "%u", name, used, UINT16_MAX);
	return 0;
}

static const char *put_text(char **room, const char *text)
{
	size_t size = strlen(text) + 1;
	char *at = memcpy(*room, text, size);

	*room += size;
	return at;
}

/* An entry with room for all, of which name and domains are there already. */
static struct fleet_entry *entry_new(const char *name, const struct extent *extent,
				     struct fleet_vf **ret_vfs)
{
	size_t domains = sizeof(struct fleet_entry);
	size_t pfs = domains + extent->num_domains * sizeof(char *);
	size_t vfs = pfs + extent->num_pfs * sizeof(struct fleet_pf);
	size_t texts = vfs + extent->num_vfs * sizeof(struct fleet_vf);
	char *block = calloc(1, texts + extent->text_bytes);
	struct fleet_entry *entry = (struct fleet_entry *)block;
	char *room = block + texts;

	if (!block)
		return NULL;
	entry->host.name = put_text(&room, name);
	entry->host.num_pfs = (uint32_t)extent->num_pfs;
	entry->host.pfs = (struct fleet_pf *)(block + pfs);
	entry->host.num_domains = (uint32_t)extent->num_domains;
	entry->host.domains = (const char **)(block + domains);
	for (size_t i = 0; i < extent->num_domains; i++)
		entry->host.domains[i] = put_text(&room, extent->domains[i]);
	*ret_vfs = (struct fleet_vf *)(block + vfs);
	return entry;
}

/* 1 and up. */
static uint16_t find_domain(const struct fleet_host *host, const char *name)
{
	const char **domain = bsearch(&name, host->domains, host->num_domains, sizeof(char *),
				      compare_texts);

	return (uint16_t)(domain - host->domains + 1);
}

static void fill_vf(const struct fleet_host *host, const struct mlx5lm_pf *pf,
		    const struct mlx5lm_vf *fact, const struct bdf *bdf, struct fleet_vf *vf)
{
	vf->index = (uint16_t)fact->index.value;
	vf->bus = bdf->bus;
	vf->devfn = (uint8_t)(bdf->device << 3 | bdf->function);
	vf->ready = vf_find_objection(pf, fact, VF_SOURCE) == VF_NO_OBJECTION;
	vf->free = vf_find_objection(pf, fact, VF_DESTINATION) == VF_NO_OBJECTION;
	if (fact->in_use_by)
		vf->domain = find_domain(host, fact->in_use_by);
}

static int compare_vfs(const void *a, const void *b)
{
	return ((const struct fleet_vf *)a)->index - ((const struct fleet_vf *)b)->index;
}

/* Puts a PF's VFs behind *vfs, and moves that. */
static void fill_pf(const struct fleet_host *host, const struct mlx5lm_pf *fact,
		    const struct bdf *bdf, struct fleet_pf *pf, struct fleet_vf **vfs)
{
	struct bdf vf_bdf;

	pf->pci_domain = bdf->domain;
	pf->bus = bdf->bus;
	pf->devfn = (uint8_t)(bdf->device << 3 | bdf->function);
	pf->numa_node = -1;
	if (fact->numa_node.known && fact->numa_node.value <= INT16_MAX)
		pf->numa_node = (int16_t)fact->numa_node.value;
	pf->vfs = *vfs;
	for (size_t i = 0; i < fact->num_vfs; i++) {
		if (!vf_fits(&fact->vfs[i], bdf, &vf_bdf))
			continue;
		fill_vf(host, fact, &fact->vfs[i], &vf_bdf, (*vfs)++);
		pf->num_vfs++;
	}
	if (pf->num_vfs)
		qsort(pf->vfs, pf->num_vfs, sizeof(*pf->vfs), compare_vfs);
}

/*
 * A domain of which a VF could not be kept has none here: nobody shall find a place for the
 * others, and take that for the whole of it. 0 or -ENOMEM.
 */
static int drop_torn_domains(const struct mlx5lm_host *host, struct fleet_host *entry)
{
	_cleanup_free_ bool *torn = calloc(entry->num_domains + 1, sizeof(*torn));
	struct bdf pf, vf;

	if (!torn)
		return -ENOMEM;
	for (size_t i = 0; i < host->num_pfs; i++) {
		bool fits = pf_fits(&host->pfs[i], &pf);

		for (size_t j = 0; j < host->pfs[i].num_vfs; j++) {
			const struct mlx5lm_vf *fact = &host->pfs[i].vfs[j];

			if (fact->in_use_by && !(fits && vf_fits(fact, &pf, &vf)))
				torn[find_domain(entry, fact->in_use_by)] = true;
		}
	}
	for (size_t i = 0; i < entry->num_pfs; i++) {
		for (size_t j = 0; j < entry->pfs[i].num_vfs; j++) {
			if (torn[entry->pfs[i].vfs[j].domain])
				entry->pfs[i].vfs[j].domain = 0;
		}
	}
	return 0;
}

/* PFs, VFs and their classes, which may be new. 0 or -ENOMEM. */
static int fill_entry(struct mlx5lm_fleet *fleet, const struct mlx5lm_host *host,
		      struct fleet_entry *entry, struct fleet_vf *vfs)
{
	struct fleet_pf *pf = entry->host.pfs;
	struct bdf bdf;
	int r = 0;

	for (size_t i = 0; r == 0 && i < host->num_pfs; i++) {
		if (!pf_fits(&host->pfs[i], &bdf))
			continue;
		r = fleet_classify(fleet, host, &host->pfs[i], &pf->cls);
		if (r == 0)
			fill_pf(&entry->host, &host->pfs[i], &bdf, pf++, &vfs);
	}
	if (r == 0 && entry->host.num_domains)
		r = drop_torn_domains(host, &entry->host);
	return r;
}

static void count_in_classes(struct mlx5lm_fleet *fleet, const struct fleet_entry *entry)
{
	for (size_t i = 0; i < entry->host.num_pfs; i++) {
		struct fleet_class *cls = fleet->classes[entry->host.pfs[i].cls];

		cls->num_hosts += cls->last_host != entry->index + 1;
		cls->last_host = entry->index + 1;
	}
}

/* Makes the entry part of the fleet; it is the caller's still if that fails. */
static int insert(struct mlx5lm_fleet *fleet, struct fleet_entry *entry)
{
	if (fleet->num_hosts >= UINT32_MAX - 1 ||
	    array_reserve(&fleet->hosts, &fleet->allocated_hosts, fleet->num_hosts + 1,
			  sizeof(fleet->hosts[0])))
		return -ENOMEM;
	entry->index = (uint32_t)fleet->num_hosts;
	if (!tsearch(entry, &fleet->names, compare_names))
		return -ENOMEM;
	fleet->hosts[fleet->num_hosts++] = entry;
	count_in_classes(fleet, entry);
	fleet_view_free(atomic_exchange(&fleet->cache->view, NULL));
	return 0;
}

/* Reports are JSON and text for terminals: a name that they cannot hold would be another one. */
static int check_name(const struct mlx5lm_fleet *fleet, const char *name,
		      struct mlx5lm_error **reterr)
{
	_cleanup_json_ json_t *clean = NULL;
	size_t index;

	if (!name || !*name)
		return error_invalid(reterr, "the snapshot has no hostname: give the host a name");
	if (strlen(name) > MAX_NAME_BYTES)
		return error_invalid(reterr, "the name of a host has %zu bytes; %u is the most",
				     strlen(name), MAX_NAME_BYTES);
	clean = json_clean_string(name, MAX_NAME_BYTES);
	if (!clean)
		return error_no_memory(reterr);
	if (!streq(json_string_value(clean), name))
		return error_invalid(reterr, "the name of a host has control characters, or is not "
				     "UTF-8");
	if (fleet_find_host(fleet, name, &index) == 0)
		return error_set(reterr, MLX5LM_ERROR_INVALID_ARGUMENT, EEXIST,
				 MLX5LM_SOURCE_LIBRARY, "there is a host %s already", name);
	return 0;
}

int fleet_add(struct mlx5lm_fleet *fleet, const struct mlx5lm_host *host, const char *name,
	      struct mlx5lm_error **reterr)
{
	_cleanup_extent_ struct extent extent = { 0 };
	_cleanup_free_ struct fleet_entry *entry = NULL;
	size_t num_classes = fleet->num_classes;
	struct fleet_vf *vfs;
	int r;

	if (!name)
		name = host->hostname;
	r = check_name(fleet, name, reterr);
	if (r == 0)
		r = measure(host, name, &extent, reterr);
	if (r < 0)
		return r;
	entry = entry_new(name, &extent, &vfs);
	if (!entry || fill_entry(fleet, host, entry, vfs) || insert(fleet, entry)) {
		fleet_drop_classes(fleet, num_classes);
		return error_no_memory(reterr);
	}
	entry = NULL;
	return 0;
}

const struct fleet_host *fleet_get_host(const struct mlx5lm_fleet *fleet, size_t index)
{
	return index < fleet->num_hosts ? &fleet->hosts[index]->host : NULL;
}

int fleet_find_host(const struct mlx5lm_fleet *fleet, const char *name, size_t *ret_index)
{
	const struct fleet_host wanted = { .name = name };
	struct fleet_entry *const *found = tfind(&wanted, &fleet->names, compare_names);

	if (!found)
		return -ENOENT;
	*ret_index = (*found)->index;
	return 0;
}

size_t fleet_num_hosts(const struct mlx5lm_fleet *fleet)
{
	return fleet->num_hosts;
}

size_t fleet_num_classes(const struct mlx5lm_fleet *fleet)
{
	return fleet->num_classes;
}

bool fleet_class_is_known(const struct mlx5lm_fleet *fleet, uint32_t cls)
{
	return cls < fleet->num_classes && fleet->classes[cls]->known;
}

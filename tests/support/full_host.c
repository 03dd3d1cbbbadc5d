// SPDX-License-Identifier: LGPL-2.1-or-later
#include "support/full_host.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/hosts.h"

/* Every fact of the table but the extra keys, told apart by seed. */
static void fill(const struct fact_table *table, void *object, size_t seed)
{
	char text[64];

	for (size_t i = 0; i < table->length; i++) {
		const struct fact_field *field = &table->fields[i];
		void *fact = fact_at(field, object);

		switch (field->type) {
		case FACT_STR:
			snprintf(text, sizeof(text), "%s-%zu", field->name, seed);
			set_text(fact, text);
			break;
		case FACT_U64:
			*(struct fact_u64 *)fact = fact_u64(seed * 1000 + i);
			break;
		case FACT_ENUM:
			*(uint32_t *)fact = (uint32_t)(1 + (seed + i) % (field->names->length - 1));
			break;
		case FACT_EXTRA:
			break;
		}
	}
}

static void *add(const struct fact_list *list, void *owner, size_t seed)
{
	void *item = fact_list_add(list, owner);

	if (!item)
		abort();
	fill(list->table, item, seed);
	return item;
}

static void set_bdf(char **bdf, size_t pf, size_t function)
{
	char text[32];

	snprintf(text, sizeof(text), "0000:%02zx:%02zx.%zx", 0x20 + 2 * pf + function / 256,
		 function / 8 % 32, function % 8);
	set_text(bdf, text);
}

static void add_pf(struct mlx5lm_host *host, size_t index, size_t num_vfs)
{
	struct mlx5lm_pf *pf = add(&host_pfs, host, index);

	set_bdf(&pf->bdf, index, 0);
	for (size_t i = 0; i < 5; i++)
		add(&pf_nvs, pf, i);
	for (size_t i = 0; i < 8; i++)
		add(&pf_params, pf, i);
	for (size_t i = 0; i < num_vfs; i++) {
		struct mlx5lm_vf *vf = add(&pf_vfs, pf, i);

		set_bdf(&vf->bdf, index, i + 2);
		vf->index = fact_u64(i);
		if (host_add_note(
			    host, vf->bdf, "vfio_migration vfio_dirty_tracking",
			    "VFIO migration is not known: /sys/kernel/debug/vfio/%s/migration "
			    "is missing (CONFIG_VFIO_DEBUGFS), and the VF was not opened",
			    vf->bdf))
			abort();
	}
}

struct mlx5lm_host *full_host(size_t num_pfs, size_t num_vfs)
{
	struct mlx5lm_host *host;

	if (host_new(&host))
		abort();
	fill(&host_table, host, 0);
	for (size_t i = 0; i < 8; i++)
		add(&host_modules, host, i);
	for (size_t i = 0; i < 24; i++)
		add(&host_configs, host, i);
	for (size_t i = 0; i < 16; i++)
		add(&host_privileges, host, i);
	for (size_t i = 0; i < num_pfs; i++)
		add_pf(host, i, num_vfs);
	return host;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/iommu_groups.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

/*
 * All functions of the machine are asked for their group, rather than each group for its
 * functions: VFs, of which there are many, have been asked already, and stand alone in theirs.
 */
struct member {
	uint64_t group;
	const char *bdf;
	struct mlx5lm_vf *vf; /* NULL if it is no VF of the host's mlx5 PFs */
};

struct members {
	struct member *items;
	size_t length;
	size_t allocated;
};

static void members_release(struct members *members)
{
	free(members->items);
}

static int add_member(struct members *members, uint64_t group, const char *bdf,
		      struct mlx5lm_vf *vf)
{
	if (array_reserve(&members->items, &members->allocated, members->length + 1,
			  sizeof(members->items[0])) < 0)
		return -ENOMEM;
	members->items[members->length++] = (struct member){ group, bdf, vf };
	return 0;
}

static int add_vfs(const struct pci_bus *bus, struct mlx5lm_host *host, struct members *members,
		   bool *is_vf)
{
	for (size_t i = 0; i < host->num_pfs; i++) {
		for (size_t j = 0; j < host->pfs[i].num_vfs; j++) {
			struct mlx5lm_vf *vf = &host->pfs[i].vfs[j];
			ssize_t at = pci_bus_find(bus, vf->bdf);

			if (at >= 0)
				is_vf[at] = true;
			if (vf->iommu_group.known &&
			    add_member(members, vf->iommu_group.value, vf->bdf, vf) < 0)
				return -ENOMEM;
		}
	}
	return 0;
}

static int add_others(const struct pci_bus *bus, struct members *members, const bool *is_vf)
{
	char text[SYSFS_TEXT_SIZE];
	uint64_t group;

	for (size_t i = 0; i < bus->names.length; i++) {
		const char *bdf = bus->names.items[i];

		if (!is_vf[i] && pci_bus_read_link(bus, bdf, "iommu_group", text) == 0 &&
		    str_to_u64(text, 10, &group) == 0 && add_member(members, group, bdf, NULL) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int compare_members(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	return (x->group > y->group) - (x->group < y->group);
}

/* Drivers that leave DMA to others: those of VFIO, of bridges, and the one that does nothing. */
static bool leaves_dma_alone(const char *driver)
{
	return strstr(driver, "vfio") || streq(driver, "pcieport") || streq(driver, "pci-stub");
}

/* YES if the function stands in nobody's way. */
static uint32_t is_harmless(const struct pci_bus *bus, const struct member *member)
{
	char driver[SYSFS_TEXT_SIZE];
	int r;

	if (member->vf)
		return !member->vf->driver || leaves_dma_alone(member->vf->driver)
			       ? MLX5LM_ANSWER_YES
			       : MLX5LM_ANSWER_NO;
	r = pci_bus_read_link(bus, member->bdf, "driver", driver);
	if (r == -ENOENT)
		return MLX5LM_ANSWER_YES;
	if (r < 0)
		return MLX5LM_ANSWER_UNKNOWN;
	return leaves_dma_alone(driver) ? MLX5LM_ANSWER_YES : MLX5LM_ANSWER_NO;
}

/* The answer for each VF looks at all functions of the group but the VF itself. */
static int judge_group(const struct pci_bus *bus, const struct member *members, size_t length)
{
	_cleanup_free_ uint32_t *harmless = NULL;
	size_t num_no = 0, num_unknown = 0;

	if (length == 1 && members->vf)
		members->vf->iommu_group_viable = MLX5LM_ANSWER_YES;
	if (length == 1)
		return 0;
	harmless = calloc(length, sizeof(*harmless));
	if (!harmless)
		return -ENOMEM;
	for (size_t i = 0; i < length; i++) {
		harmless[i] = is_harmless(bus, &members[i]);
		num_no += harmless[i] == MLX5LM_ANSWER_NO;
		num_unknown += harmless[i] == MLX5LM_ANSWER_UNKNOWN;
	}
	for (size_t i = 0; i < length; i++) {
		size_t own_no = harmless[i] == MLX5LM_ANSWER_NO;

		if (!members[i].vf)
			continue;
		if (num_no > own_no)
			members[i].vf->iommu_group_viable = MLX5LM_ANSWER_NO;
		else
			members[i].vf->iommu_group_viable =
				num_unknown ? MLX5LM_ANSWER_UNKNOWN : MLX5LM_ANSWER_YES;
	}
	return 0;
}

static bool has_vf(const struct member *members, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (members[i].vf)
			return true;
	}
	return false;
}

int iommu_groups_probe(const struct pci_bus *bus, struct mlx5lm_host *host)
{
	_cleanup_(members_release) struct members members = { 0 };
	_cleanup_free_ bool *is_vf = calloc(bus->names.length + 1, sizeof(*is_vf));
	size_t length;

	if (!is_vf || add_vfs(bus, host, &members, is_vf) < 0)
		return -ENOMEM;
	if (!members.length)
		return 0;
	if (add_others(bus, &members, is_vf) < 0)
		return -ENOMEM;
	qsort(members.items, members.length, sizeof(members.items[0]), compare_members);
	for (size_t i = 0; i < members.length; i += length) {
		const struct member *first = &members.items[i];

		for (length = 1; i + length < members.length; length++) {
			if (first[length].group != first->group)
				break;
		}
		if (has_vf(first, length) && judge_group(bus, first, length) < 0)
			return -ENOMEM;
	}
	return 0;
}

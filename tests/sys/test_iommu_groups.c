// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/iommu_groups.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "support/tree.h"

#define DEVICES "sys/devices/pci0000:00/"

static const struct tree_pf pf = { .bdf = "0000:08:00.0",
				   .device_id = 0x1021,
				   .total_vfs = 8,
				   .num_vfs = 2,
				   .vf_driver = "mlx5_vfio_pci" };

static struct tree *tree;
static struct root *root;
static struct pci_bus bus;
static struct mlx5lm_host *host;

static void open_tree(void)
{
	tree = tree_new();
	tree_add_host(tree, false);
	tree_add_pf(tree, &pf);
}

static void close_tree(void)
{
	mlx5lm_host_free(host);
	pci_bus_release(&bus);
	root_unref(root);
	tree_free(tree);
}

TestSuite(iommu_groups, .init = open_tree, .fini = close_tree);

/* Another function in the group of VF 0. */
static void add_to_group(const char *bdf, const char *driver)
{
	char target[128];

	tree_write(tree, "0x8086\n", DEVICES "%s/vendor", bdf);
	snprintf(target, sizeof(target), "../../../devices/pci0000:00/%s", bdf);
	tree_link(tree, target, "sys/bus/pci/devices/%s", bdf);
	tree_link(tree, "../../../kernel/iommu_groups/100", DEVICES "%s/iommu_group", bdf);
	if (!driver)
		return;
	snprintf(target, sizeof(target), "../../../bus/pci/drivers/%s", driver);
	tree_link(tree, target, DEVICES "%s/driver", bdf);
}

static uint32_t viable(unsigned int vf_index)
{
	if (!host) {
		cr_assert_eq(root_open(tree_path(tree), &root, NULL), 0);
		cr_assert_eq(pci_bus_open(root, &bus), 0);
		cr_assert_eq(host_new(&host), 0);
		cr_assert_eq(pci_probe_pfs(&bus, host), 0);
		cr_assert_eq(iommu_groups_probe(&bus, host), 0);
	}
	return host->pfs[0].vfs[vf_index].iommu_group_viable;
}

Test(iommu_groups, a_vf_alone_in_its_group_is_viable)
{
	cr_assert_eq(viable(0), MLX5LM_ANSWER_YES);
	cr_assert_eq(viable(1), MLX5LM_ANSWER_YES);
}

Test(iommu_groups, a_neighbour_with_a_driver_of_the_host_spoils_the_group)
{
	add_to_group("0000:00:1f.2", "ahci");
	cr_assert_eq(viable(0), MLX5LM_ANSWER_NO);
	cr_assert_eq(viable(1), MLX5LM_ANSWER_YES);
}

Test(iommu_groups, neighbours_that_leave_dma_alone_do_not)
{
	add_to_group("0000:00:01.0", "pcieport");
	add_to_group("0000:00:02.0", NULL);
	add_to_group("0000:00:03.0", "vfio-pci");
	add_to_group("0000:00:04.0", "pci-stub");
	cr_assert_eq(viable(0), MLX5LM_ANSWER_YES);
}

Test(iommu_groups, the_pf_in_the_group_of_a_vf_spoils_it)
{
	tree_link(tree, "../../../kernel/iommu_groups/100", DEVICES "0000:08:00.0/iommu_group");
	cr_assert_eq(viable(0), MLX5LM_ANSWER_NO);
}

Test(iommu_groups, of_two_vfs_in_a_group_the_one_on_mlx5_core_spoils_it_for_the_other)
{
	tree_link(tree, "../../../kernel/iommu_groups/100", DEVICES "0000:08:00.3/iommu_group");
	tree_link(tree, "../../../bus/pci/drivers/mlx5_core", DEVICES "0000:08:00.3/driver");
	cr_assert_eq(viable(0), MLX5LM_ANSWER_NO);
	cr_assert_eq(viable(1), MLX5LM_ANSWER_YES);
}

Test(iommu_groups, without_an_iommu_nothing_is_known)
{
	tree_remove(tree, DEVICES "0000:08:00.2/iommu_group");
	cr_assert_eq(viable(0), MLX5LM_ANSWER_UNKNOWN);
	cr_assert_eq(viable(1), MLX5LM_ANSWER_YES);
}

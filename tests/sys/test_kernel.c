// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/kernel.h"

#include <criterion/criterion.h>

#include "support/tree.h"

static struct tree *tree;
static struct mlx5lm_host *host;

static void open_tree(void)
{
	tree = tree_new();
	tree_add_host(tree, false);
	cr_assert_eq(host_new(&host), 0);
}

static void close_tree(void)
{
	mlx5lm_host_free(host);
	tree_free(tree);
}

TestSuite(kernel, .init = open_tree, .fini = close_tree);

static void probe(void)
{
	_cleanup_root_ struct root *root = NULL;

	cr_assert_eq(root_open(tree_path(tree), &root, NULL), 0);
	cr_assert_eq(kernel_probe(root, host), 0);
}

Test(kernel, reads_who_the_host_is)
{
	probe();
	cr_assert_str_eq(host->kernel_release, TREE_RELEASE);
	cr_assert_str_eq(host->hostname, "host-a");
	cr_assert_str_eq(host->boot_id, TREE_BOOT_ID);
	cr_assert_str_eq(host->architecture, "x86_64");
	cr_assert_eq(host->iommu_active, MLX5LM_ANSWER_YES);
	cr_assert_eq(host->num_notes, 0);
}

Test(kernel, an_empty_class_means_that_no_iommu_works)
{
	tree_remove(tree, "sys/class/iommu/dmar0");
	probe();
	cr_assert_eq(host->iommu_active, MLX5LM_ANSWER_NO);
}

Test(kernel, without_the_class_the_groups_tell)
{
	tree_remove(tree, "sys/class/iommu");
	probe();
	cr_assert_eq(host->iommu_active, MLX5LM_ANSWER_YES);
}

Test(kernel, without_either_the_iommu_is_unknown_and_not_missing)
{
	tree_remove(tree, "sys/class/iommu");
	tree_remove(tree, "sys/kernel");
	probe();
	cr_assert_eq(host->iommu_active, MLX5LM_ANSWER_UNKNOWN);
	cr_assert_eq(host->num_notes, 1);
}

Test(kernel, the_architecture_of_another_machine_is_not_that_of_this_one)
{
	tree_remove(tree, "proc/sys/kernel/arch");
	probe();
	cr_assert_null(host->architecture);
	cr_assert_eq(host->num_notes, 1);
}

Test(kernel, each_missing_file_is_noted)
{
	tree_remove(tree, "proc");
	probe();
	cr_assert_null(host->kernel_release);
	cr_assert_eq(host->num_notes, 4);
}

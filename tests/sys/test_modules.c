// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/modules.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "base/error.h"
#include "support/tree.h"

static struct tree *tree;
static struct mlx5lm_host *host;

static void open_tree(void)
{
	tree = tree_new();
	tree_add_host(tree, false);
	cr_assert_eq(host_new(&host), 0);
	cr_assert_eq(str_replace(&host->kernel_release, TREE_RELEASE), 0);
}

static void close_tree(void)
{
	mlx5lm_host_free(host);
	tree_free(tree);
}

TestSuite(modules, .init = open_tree, .fini = close_tree);

static void probe(void)
{
	_cleanup_root_ struct root *root = NULL;

	cr_assert_eq(root_open(tree_path(tree), &root, NULL), 0);
	cr_assert_eq(modules_probe(root, host), 0);
	cr_assert_eq(host->num_modules, 5);
}

static void add_module_dir(void)
{
	static const char *const names[] = { "mlx5_core", "mlx5_vfio_pci", "vfio", NULL };
	static const char *const builtin[] = { "vfio_pci", NULL };

	tree_add_module_dir(tree, names, builtin);
}

static uint32_t state_of(const char *name)
{
	return host_find_module(host, name)->state;
}

Test(modules, knows_loaded_loadable_builtin_and_missing_ones)
{
	add_module_dir();
	tree_add_loaded_module(tree, "mlx5_core", "0123ABC");
	probe();
	cr_assert_eq(state_of("mlx5_core"), MLX5LM_MODULE_LOADED);
	cr_assert_eq(state_of("mlx5_vfio_pci"), MLX5LM_MODULE_LOADABLE);
	cr_assert_eq(state_of("vfio_pci"), MLX5LM_MODULE_BUILTIN);
	cr_assert_eq(state_of("vfio_iommu_type1"), MLX5LM_MODULE_MISSING);
	cr_assert_str_eq(host_find_module(host, "mlx5_core")->srcversion, "0123ABC");
	cr_assert_eq(host->num_notes, 0);
}

Test(modules, paths_are_those_of_the_host_and_not_of_this_process)
{
	add_module_dir();
	probe();
	cr_assert_str_eq(host_find_module(host, "mlx5_vfio_pci")->path,
			 "/lib/modules/" TREE_RELEASE "/kernel/mlx5_vfio_pci.ko");
}

Test(modules, without_a_module_directory_only_loaded_ones_are_known)
{
	tree_add_loaded_module(tree, "mlx5_core", NULL);
	tree_make_dir(tree, "sys/module/vfio/parameters");
	probe();
	cr_assert_eq(state_of("mlx5_core"), MLX5LM_MODULE_LOADED);
	cr_assert_eq(state_of("vfio"), MLX5LM_MODULE_BUILTIN);
	cr_assert_eq(state_of("mlx5_vfio_pci"), MLX5LM_MODULE_UNKNOWN);
	cr_assert_eq(host->num_notes, 1);
}

Test(modules, a_module_directory_without_indexes_says_nothing)
{
	tree_make_dir(tree, "lib/modules/" TREE_RELEASE);
	probe();
	cr_assert_eq(state_of("mlx5_vfio_pci"), MLX5LM_MODULE_UNKNOWN);
	cr_assert_eq(host->num_notes, 1);
}

Test(modules, a_module_that_is_still_starting_is_not_loaded)
{
	add_module_dir();
	tree_write(tree, "coming\n", "sys/module/mlx5_vfio_pci/initstate");
	probe();
	cr_assert_eq(state_of("mlx5_vfio_pci"), MLX5LM_MODULE_LOADABLE);
}

Test(modules, finds_them_where_lib_is_not_a_link_to_usr)
{
	tree_make_dir(tree, "usr/lib/modules");
	add_module_dir();
	tree_remove(tree, "lib/modules/" TREE_RELEASE "/modules.builtin.bin");
	tree_link(tree, "/lib/modules/" TREE_RELEASE, "usr/lib/modules/" TREE_RELEASE);
	probe();
	cr_assert_eq(state_of("vfio"), MLX5LM_MODULE_LOADABLE);
}

Test(modules, a_module_directory_outside_the_root_is_not_there)
{
	tree_link(tree, "/../../../../../../lib/modules", "lib/modules");
	probe();
	cr_assert_eq(state_of("mlx5_core"), MLX5LM_MODULE_UNKNOWN);
}

Test(modules, loading_needs_the_modules_of_the_running_kernel)
{
	_cleanup_root_ struct root *root = NULL;
	struct mlx5lm_error *error = NULL;

	cr_assert_eq(root_open(tree_path(tree), &root, NULL), 0);
	cr_assert_eq(modules_load(root, "mlx5_vfio_pci", &error), -ENOENT);
	cr_assert_eq(error->code, MLX5LM_ERROR_NOT_FOUND);
	cr_assert_eq(error->source, MLX5LM_SOURCE_KMOD);
	cr_assert_not_null(error->remedy);
	mlx5lm_error_free(error);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/module_aliases.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "support/tree.h"

#define MODALIAS "pci:v000015B3d0000101Esv000015B3sd00000040bc02sc00i00"
#define ANY "vfio_pci:v*d*sv*sd*bc*sc*i*"
#define ANY_VF "vfio_pci:v000015B3d0000101Esv*sd*bc*sc*i*"

static const struct tree_pf pf_a = { .bdf = "0000:08:00.0",
				     .device_id = 0x1021,
				     .total_vfs = 8,
				     .num_vfs = 3 };
static const char *const names[] = { "mlx5_vfio_pci", "vfio_pci", "best_pci", "other_pci", NULL };
static const char *const nothing[] = { NULL };

static struct tree *tree;
static struct root *root;
static struct mlx5lm_host *host;
static char *driver;

static void open_tree(void)
{
	tree = tree_new();
	tree_add_host(tree, false);
	tree_add_module_dir(tree, names, nothing);
	cr_assert_eq(root_open(tree_path(tree), &root, NULL), 0);
	cr_assert_eq(host_new(&host), 0);
	cr_assert_eq(str_replace(&host->kernel_release, TREE_RELEASE), 0);
}

static void close_tree(void)
{
	free(driver);
	mlx5lm_host_free(host);
	root_unref(root);
	tree_free(tree);
}

TestSuite(module_aliases, .init = open_tree, .fini = close_tree);

static void set_module(const char *name, enum mlx5lm_module_state state)
{
	struct mlx5lm_module *module;

	cr_assert_eq(host_add_module(host, &module), 0);
	cr_assert_eq(str_replace(&module->name, name), 0);
	module->state = state;
}

static int find_best(void)
{
	return modules_best_driver(root, host, MODALIAS, &driver);
}

Test(module_aliases, a_driver_of_the_device_beats_the_one_for_all)
{
	static const char *const patterns[] = { ANY, ANY_VF, NULL };
	static const char *const modules[] = { "vfio_pci", "mlx5_vfio_pci", NULL };

	tree_add_module_aliases(tree, patterns, modules);
	cr_assert_eq(find_best(), 0);
	cr_assert_str_eq(driver, "mlx5_vfio_pci");
}

/* P04 */
Test(module_aliases, of_three_candidates_the_fewest_wildcards_win)
{
	static const char *const patterns[] = {
		ANY, ANY_VF, "vfio_pci:v000015B3d0000101Esv000015B3sd*bc*sc*i*",
		"vfio_pci:v000015B3d00001021sv000015B3sd00000040bc02sc00i00", NULL
	};
	static const char *const modules[] = { "vfio_pci", "mlx5_vfio_pci", "best_pci",
					       "other_pci", NULL };

	tree_add_module_aliases(tree, patterns, modules);
	cr_assert_eq(find_best(), 0);
	cr_assert_str_eq(driver, "best_pci");
}

Test(module_aliases, without_the_text_of_all_aliases_nothing_is_known)
{
	set_module("vfio_pci", MLX5LM_MODULE_LOADABLE);
	cr_assert_eq(find_best(), -ENODATA);
	cr_assert_null(driver);
}

Test(module_aliases, an_alias_of_another_kind_does_not_count)
{
	static const char *const patterns[] = { "pci:v000015B3d0000101Esv*sd*bc*sc*i*", NULL };
	static const char *const modules[] = { "mlx5_core", NULL };

	tree_add_module_aliases(tree, patterns, modules);
	set_module("vfio_pci", MLX5LM_MODULE_MISSING);
	cr_assert_eq(find_best(), -ENOENT);
}

Test(module_aliases, if_no_alias_fits_vfio_pci_takes_any)
{
	tree_add_module_aliases(tree, nothing, nothing);
	set_module("vfio_pci", MLX5LM_MODULE_LOADABLE);
	cr_assert_eq(find_best(), 0);
	cr_assert_str_eq(driver, "vfio_pci");
}

Test(module_aliases, without_a_module_directory_nothing_is_known)
{
	tree_remove(tree, "lib/modules");
	set_module("vfio_pci", MLX5LM_MODULE_LOADED);
	cr_assert_eq(find_best(), -ENODATA);
}

Test(module_aliases, one_that_is_built_in_counts_too)
{
	static const char *const patterns[] = { ANY, NULL };
	static const char *const modules[] = { "vfio_pci", NULL };
	static const char info[] = "vfio.license=GPL\0mlx5_vfio_pci.license=GPL\0"
				   "mlx5_vfio_pci.alias=" ANY_VF "\0vfio.alias=devname:vfio/vfio";

	tree_add_module_aliases(tree, patterns, modules);
	tree_write_bytes(tree, info, sizeof(info),
			 "lib/modules/" TREE_RELEASE "/modules.builtin.modinfo");
	set_module("mlx5_vfio_pci", MLX5LM_MODULE_BUILTIN);
	cr_assert_eq(find_best(), 0);
	cr_assert_str_eq(driver, "mlx5_vfio_pci");
}

Test(module_aliases, a_modalias_that_is_a_pattern_is_refused)
{
	cr_assert_eq(modules_best_driver(root, host, "pci:*", &driver), -EINVAL);
	cr_assert_eq(modules_best_driver(root, host, "usb:v1", &driver), -EINVAL);
	cr_assert_eq(modules_best_driver(root, host, "", &driver), -EINVAL);
}

Test(module_aliases, many_stars_take_no_time)
{
	char pattern[2048] = "vfio_pci:";
	const char *patterns[] = { ANY_VF, pattern, NULL };
	static const char *const modules[] = { "mlx5_vfio_pci", "best_pci", NULL };

	for (size_t at = 9; at < 1000; at += 2)
		memcpy(pattern + at, "*0", 3);
	strcat(pattern, "*x");
	tree_add_module_aliases(tree, patterns, modules);
	set_module("mlx5_vfio_pci", MLX5LM_MODULE_BUILTIN);
	tree_write(tree, "", "lib/modules/" TREE_RELEASE "/modules.builtin.modinfo");
	cr_assert_eq(find_best(), 0);
	cr_assert_str_eq(driver, "mlx5_vfio_pci");
}

static void add_pf(void)
{
	struct mlx5lm_pf *pf;
	struct mlx5lm_vf *vf;

	tree_add_pf(tree, &pf_a);
	cr_assert_eq(host_add_pf(host, &pf), 0);
	cr_assert_eq(str_replace(&pf->bdf, pf_a.bdf), 0);
	for (unsigned int i = 0; i < pf_a.num_vfs; i++) {
		char bdf[13];

		cr_assert_eq(pf_add_vf(pf, &vf), 0);
		tree_vf_bdf(&pf_a, i, bdf);
		cr_assert_eq(str_replace(&vf->bdf, bdf), 0);
	}
}

Test(module_aliases, all_vfs_of_a_pf_share_one_answer)
{
	static const char *const patterns[] = { ANY, ANY_VF, NULL };
	static const char *const modules[] = { "vfio_pci", "mlx5_vfio_pci", NULL };

	tree_add_module_aliases(tree, patterns, modules);
	add_pf();
	cr_assert_eq(modules_probe_best_drivers(root, host), 0);
	for (size_t i = 0; i < host->pfs[0].num_vfs; i++)
		cr_assert_str_eq(host->pfs[0].vfs[i].best_driver, "mlx5_vfio_pci");
	cr_assert_eq(host->num_notes, 0);
}

Test(module_aliases, what_is_not_known_is_noted_at_the_pf)
{
	add_pf();
	tree_remove(tree, "lib/modules");
	cr_assert_eq(modules_probe_best_drivers(root, host), 0);
	cr_assert_null(host->pfs[0].vfs[0].best_driver);
	cr_assert_not_null(host_find_note(host, "0000:08:00.0", "best_driver"));
}

Test(module_aliases, a_vf_without_modalias_is_noted)
{
	char bdf[13];

	add_pf();
	tree_vf_bdf(&pf_a, 0, bdf);
	tree_remove(tree, "sys/devices/pci0000:00/%s/modalias", bdf);
	cr_assert_eq(modules_probe_best_drivers(root, host), 0);
	cr_assert_not_null(host_find_note(host, "0000:08:00.0", "best_driver"));
}

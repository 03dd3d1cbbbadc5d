// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/vfio_host.h"

#include <criterion/criterion.h>

#include "support/tree.h"

static struct tree *tree;
static struct mlx5lm_host *host;
static struct modprobe_conf conf;

static void open_tree(void)
{
	tree = tree_new();
	tree_make_dir(tree, "dev");
	cr_assert_eq(host_new(&host), 0);
}

static void close_tree(void)
{
	modprobe_conf_release(&conf);
	mlx5lm_host_free(host);
	tree_free(tree);
}

TestSuite(vfio_host, .init = open_tree, .fini = close_tree);

static void probe(void)
{
	_cleanup_root_ struct root *root = NULL;

	cr_assert_eq(root_open(tree_path(tree), &root, NULL), 0);
	cr_assert_eq(vfio_host_probe(root, &conf, host), 0);
}

static void set_module(const char *name, enum mlx5lm_module_state state)
{
	struct mlx5lm_module *module;

	cr_assert_eq(host_add_module(host, &module), 0);
	cr_assert_eq(str_replace(&module->name, name), 0);
	module->state = state;
}

Test(vfio_host, nodes_show_what_the_kernel_offers)
{
	tree_write(tree, "", "dev/iommu");
	tree_write(tree, "", "dev/vfio/vfio");
	probe();
	cr_assert_eq(host->iommufd, MLX5LM_ANSWER_YES);
	cr_assert_eq(host->vfio_container, MLX5LM_ANSWER_YES);
}

Test(vfio_host, a_container_without_nodes_sees_them_in_sysfs)
{
	tree_make_dir(tree, "sys/class/misc/iommu");
	tree_make_dir(tree, "sys/class/misc/vfio");
	probe();
	cr_assert_eq(host->iommufd, MLX5LM_ANSWER_YES);
	cr_assert_eq(host->vfio_container, MLX5LM_ANSWER_YES);
}

Test(vfio_host, without_node_module_and_configuration_it_is_unknown)
{
	static const char *const facts[] = { "iommufd", "vfio_container", "vfio_cdev",
					     "vfio_noiommu", "vfio_unsafe_interrupts" };

	set_module("vfio", MLX5LM_MODULE_UNKNOWN);
	probe();
	cr_assert_eq(host->iommufd, MLX5LM_ANSWER_UNKNOWN);
	cr_assert_eq(host->vfio_container, MLX5LM_ANSWER_UNKNOWN);
	cr_assert_eq(host->vfio_cdev, MLX5LM_ANSWER_UNKNOWN);
	cr_assert_eq(host->vfio_noiommu, MLX5LM_ANSWER_UNKNOWN);
	cr_assert_eq(host->vfio_unsafe_interrupts, MLX5LM_ANSWER_UNKNOWN);
	for (size_t i = 0; i < ARRAY_LENGTH(facts); i++)
		cr_assert_not_null(host_find_note(host, "host", facts[i]), "%s", facts[i]);
}

Test(vfio_host, a_module_that_is_only_not_loaded_may_still_bring_a_node)
{
	set_module("iommufd", MLX5LM_MODULE_LOADABLE);
	probe();
	cr_assert_eq(host->iommufd, MLX5LM_ANSWER_UNKNOWN);
}

Test(vfio_host, a_kernel_without_the_module_offers_nothing)
{
	set_module("iommufd", MLX5LM_MODULE_MISSING);
	set_module("vfio", MLX5LM_MODULE_MISSING);
	set_module("vfio_iommu_type1", MLX5LM_MODULE_MISSING);
	probe();
	cr_assert_eq(host->iommufd, MLX5LM_ANSWER_NO);
	cr_assert_eq(host->vfio_container, MLX5LM_ANSWER_NO);
	cr_assert_eq(host->vfio_cdev, MLX5LM_ANSWER_NO);
	cr_assert_eq(host->vfio_noiommu, MLX5LM_ANSWER_NO);
	cr_assert_eq(host->vfio_unsafe_interrupts, MLX5LM_ANSWER_NO);
}

Test(vfio_host, a_kernel_built_without_it_offers_nothing)
{
	cr_assert_eq(host_add_config(host, "IOMMUFD", "n"), 0);
	cr_assert_eq(host_add_config(host, "VFIO", "n"), 0);
	cr_assert_eq(host_add_config(host, "VFIO_DEVICE_CDEV", "n"), 0);
	probe();
	cr_assert_eq(host->iommufd, MLX5LM_ANSWER_NO);
	cr_assert_eq(host->vfio_container, MLX5LM_ANSWER_NO);
	cr_assert_eq(host->vfio_cdev, MLX5LM_ANSWER_NO);
}

Test(vfio_host, vfio_that_runs_without_a_container_has_none)
{
	tree_make_dir(tree, "sys/class/misc");
	set_module("vfio", MLX5LM_MODULE_LOADED);
	probe();
	cr_assert_eq(host->vfio_container, MLX5LM_ANSWER_NO);
}

Test(vfio_host, a_device_shows_whether_it_has_a_node_of_its_own)
{
	tree_write(tree, "511:0\n", "sys/class/vfio-dev/vfio0/dev");
	probe();
	cr_assert_eq(host->vfio_cdev, MLX5LM_ANSWER_YES);
}

/* All have one, or none has: the first that can be looked at tells. */
Test(vfio_host, one_device_is_enough)
{
	tree_link(tree, "nowhere", "sys/class/vfio-dev/vfio0");
	tree_make_dir(tree, "sys/class/vfio-dev/vfio1");
	tree_write(tree, "511:0\n", "sys/class/vfio-dev/vfio2/dev");
	tree_make_dir(tree, "sys/module/vfio/parameters");
	probe();
	cr_assert_eq(host->vfio_cdev, MLX5LM_ANSWER_NO);
}

Test(vfio_host, a_device_without_one_shows_that_there_are_none)
{
	tree_make_dir(tree, "sys/class/vfio-dev/vfio0");
	tree_make_dir(tree, "sys/module/vfio/parameters");
	probe();
	cr_assert_eq(host->vfio_noiommu, MLX5LM_ANSWER_NO);
	cr_assert_eq(host->vfio_cdev, MLX5LM_ANSWER_NO);
}

Test(vfio_host, without_a_device_the_configuration_tells)
{
	cr_assert_eq(host_add_config(host, "VFIO_DEVICE_CDEV", "y"), 0);
	probe();
	cr_assert_eq(host->vfio_cdev, MLX5LM_ANSWER_YES);
}

Test(vfio_host, reads_the_switches_of_loaded_modules)
{
	tree_write(tree, "Y\n", "sys/module/vfio/parameters/enable_unsafe_noiommu_mode");
	tree_write(tree, "N\n", "sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts");
	cr_assert_eq(modprobe_conf_parse("options vfio_iommu_type1 allow_unsafe_interrupts=1", &conf),
		     0);
	probe();
	cr_assert_eq(host->vfio_noiommu, MLX5LM_ANSWER_YES);
	cr_assert_eq(host->vfio_unsafe_interrupts, MLX5LM_ANSWER_NO);
}

Test(vfio_host, of_modules_that_are_not_loaded_options_tell)
{
	set_module("vfio", MLX5LM_MODULE_LOADABLE);
	set_module("vfio_iommu_type1", MLX5LM_MODULE_LOADABLE);
	cr_assert_eq(modprobe_conf_parse("options vfio_iommu_type1 allow_unsafe_interrupts=1", &conf),
		     0);
	probe();
	cr_assert_eq(host->vfio_noiommu, MLX5LM_ANSWER_NO);
	cr_assert_eq(host->vfio_unsafe_interrupts, MLX5LM_ANSWER_YES);
}

Test(vfio_host, a_switch_without_sense_is_unknown)
{
	tree_write(tree, "\n", "sys/module/vfio/parameters/enable_unsafe_noiommu_mode");
	tree_write(tree, "?\n", "sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts");
	probe();
	cr_assert_eq(host->vfio_noiommu, MLX5LM_ANSWER_UNKNOWN);
	cr_assert_eq(host->vfio_unsafe_interrupts, MLX5LM_ANSWER_UNKNOWN);
}

Test(vfio_host, tells_which_ids_vfio_pci_takes)
{
	cr_assert_eq(modprobe_conf_parse("options vfio-pci ids=15b3:101e", &conf), 0);
	probe();
	cr_assert_str_eq(host->vfio_pci_ids, "15b3:101e");
}

Test(vfio_host, no_ids_are_known_to_be_none_only_if_all_was_read)
{
	probe();
	cr_assert_str_eq(host->vfio_pci_ids, "");
	free(host->vfio_pci_ids);
	host->vfio_pci_ids = NULL;
	conf.missing = "proc/cmdline";
	probe();
	cr_assert_null(host->vfio_pci_ids);
	cr_assert_not_null(host_find_note(host, "host", "vfio_pci_ids"));
}

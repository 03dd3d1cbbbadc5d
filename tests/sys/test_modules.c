// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/modules.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "base/error.h"
#include "support/kmod_index.h"
#include "support/tree.h"

static struct tree *tree;
static struct mlx5lm_host *host;

static void open_tree(void)
{
	tree = tree_new();
	tree_add_host(tree, false);
	cr_assert_eq(host_new(&host), 0);
	cr_assert_eq(str_replace(&host->kernel_release, TREE_RELEASE), 0);
	cr_assert_eq(str_replace(&host->kernel_cmdline, ""), 0);
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
	cr_assert_eq(host->num_modules, 7);
}

static void add_module_dir(void)
{
	static const char *const names[] = { "mlx5_core", "mlx5_vfio_pci", "vfio", NULL };
	static const char *const builtin[] = { "vfio_pci", NULL };

	tree_add_module_dir(tree, names, builtin);
}

static const struct mlx5lm_module *find(const char *name)
{
	const struct mlx5lm_module *module = host_find_module(host, name);

	cr_assert_not_null(module, "%s", name);
	return module;
}

static uint32_t state_of(const char *name)
{
	return find(name)->state;
}

static const char *source_of(const char *name)
{
	return find(name)->source;
}

/* The file of a module that add_module_dir() has. */
static void add_file(const char *name, const char *info, size_t length)
{
	uint8_t file[1024];

	tree_write_bytes(tree, file, kmod_file(file, sizeof(file), info, length),
			 "lib/modules/" TREE_RELEASE "/kernel/%s.ko", name);
}

#define ADD_FILE(name, info) add_file(name, info, sizeof(info))

Test(modules, knows_loaded_loadable_builtin_and_missing_ones)
{
	add_module_dir();
	tree_add_loaded_module(tree, "mlx5_core", "0123ABC");
	probe();
	cr_assert_eq(state_of("mlx5_core"), MLX5LM_MODULE_LOADED);
	cr_assert_eq(state_of("mlx5_vfio_pci"), MLX5LM_MODULE_LOADABLE);
	cr_assert_eq(state_of("vfio_pci"), MLX5LM_MODULE_BUILTIN);
	cr_assert_eq(state_of("vfio_iommu_type1"), MLX5LM_MODULE_MISSING);
	cr_assert_str_eq(find("mlx5_core")->srcversion, "0123ABC");
	cr_assert_str_eq(source_of("mlx5_core"), "sysfs");
	cr_assert_str_eq(source_of("mlx5_vfio_pci"), "modules.dep");
	cr_assert_str_eq(source_of("vfio_pci"), "modules.builtin");
	cr_assert_str_eq(source_of("vfio_iommu_type1"), "modules.dep");
	cr_assert_null(host_find_note(host, "host", "best_driver"));
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
	cr_assert_not_null(host_find_note(host, "host", "modules"));
}

Test(modules, a_module_directory_without_indexes_says_nothing)
{
	tree_make_dir(tree, "lib/modules/" TREE_RELEASE);
	probe();
	cr_assert_eq(state_of("mlx5_vfio_pci"), MLX5LM_MODULE_UNKNOWN);
	cr_assert_not_null(host_find_note(host, "host", "modules"));
}

Test(modules, an_index_that_is_no_file_is_not_waited_for)
{
	add_module_dir();
	tree_make_fifo(tree, "lib/modules/" TREE_RELEASE "/modules.builtin");
	probe();
	cr_assert_eq(state_of("mlx5_core"), MLX5LM_MODULE_UNKNOWN);
}

Test(modules, an_index_that_is_a_link_out_of_the_root_is_not_followed)
{
	add_module_dir();
	tree_link(tree, "/etc/passwd", "lib/modules/" TREE_RELEASE "/modules.dep");
	probe();
	cr_assert_eq(state_of("mlx5_core"), MLX5LM_MODULE_UNKNOWN);
}

/* libkmod 30 crashes on such bytes, or searches for ever. */
Test(modules, binary_indexes_of_another_machine_are_not_read)
{
	static const char *const files[] = { "dep", "alias", "symbols", "builtin",
					     "builtin.alias" };
	static uint8_t garbage[4096];
	uint32_t random = 1;

	for (size_t i = 0; i < sizeof(garbage); i++) {
		random = random * 1103515245 + 12345;
		garbage[i] = (uint8_t)(random >> 16);
	}
	memcpy(garbage, "\xb0\x07\xf4\x57\x00\x02\x00\x01\x20\x00\x00\x0c", 12);
	add_module_dir();
	for (size_t i = 0; i < ARRAY_LENGTH(files); i++)
		tree_write_bytes(tree, garbage, sizeof(garbage),
				 "lib/modules/" TREE_RELEASE "/modules.%s.bin", files[i]);
	ADD_FILE("mlx5_vfio_pci", "version=24.10-1\0intree=Y");
	probe();
	cr_assert_eq(state_of("mlx5_vfio_pci"), MLX5LM_MODULE_LOADABLE);
	cr_assert_eq(state_of("vfio_pci"), MLX5LM_MODULE_BUILTIN);
	cr_assert_eq(state_of("iommufd"), MLX5LM_MODULE_MISSING);
	cr_assert_null(find("mlx5_vfio_pci")->version);
	cr_assert_eq(find("mlx5_vfio_pci")->in_tree, MLX5LM_ANSWER_UNKNOWN);
}

Test(modules, a_path_has_dashes_where_a_name_has_underscores)
{
	tree_write(tree, "kernel/a/xvfio.ko:\nkernel/a/vfio.kox:\nkernel/vfio-x.ko: kernel/vfio.ko\n"
			 "kernel/drivers/vfio/pci/vfio-pci.ko.xz: kernel/drivers/vfio/vfio.ko.xz\n"
			 "/updates/mlx5-vfio_pci.ko.zst:\nmlx5_core.ko",
		   "lib/modules/" TREE_RELEASE "/modules.dep");
	tree_write(tree, "\nkernel/iommufd.ko\n", "lib/modules/" TREE_RELEASE "/modules.builtin");
	probe();
	cr_assert_str_eq(find("vfio_pci")->path, "/lib/modules/" TREE_RELEASE
						 "/kernel/drivers/vfio/pci/vfio-pci.ko.xz");
	cr_assert_str_eq(find("mlx5_vfio_pci")->path, "/updates/mlx5-vfio_pci.ko.zst");
	cr_assert_eq(state_of("mlx5_core"), MLX5LM_MODULE_LOADABLE);
	cr_assert_eq(state_of("iommufd"), MLX5LM_MODULE_BUILTIN);
	cr_assert_eq(state_of("vfio"), MLX5LM_MODULE_MISSING);
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

/* P03: a container. */
Test(modules, without_a_module_directory_sysfs_tells_and_says_so)
{
	tree_add_loaded_module(tree, "mlx5_vfio_pci", "0123ABC");
	probe();
	cr_assert_eq(state_of("mlx5_vfio_pci"), MLX5LM_MODULE_LOADED);
	cr_assert_str_eq(source_of("mlx5_vfio_pci"), "sysfs");
	cr_assert_null(source_of("vfio"));
	cr_assert_eq(find("vfio")->blacklisted, MLX5LM_ANSWER_UNKNOWN);
	cr_assert_not_null(host_find_note(host, "host", "best_driver"));
}

Test(modules, without_sysfs_proc_tells_and_says_so)
{
	tree_write(tree, "mlx5_vfio_pci 40960 0 - Live 0x0000000000000000 (OE)\n"
			 "mlx5_core 2244608 1 mlx5_vfio_pci, Live 0x0000000000000000\n"
			 "vfio_pci 16384 0 - Loading 0x0000000000000000\n"
			 "vfio_x 1 0 - Live 0x0\n",
		   "proc/modules");
	probe();
	cr_assert_eq(state_of("mlx5_vfio_pci"), MLX5LM_MODULE_LOADED);
	cr_assert_str_eq(source_of("mlx5_vfio_pci"), "proc");
	cr_assert_eq(find("mlx5_vfio_pci")->in_tree, MLX5LM_ANSWER_NO);
	cr_assert_eq(find("mlx5_core")->in_tree, MLX5LM_ANSWER_YES);
	cr_assert_eq(state_of("vfio_pci"), MLX5LM_MODULE_UNKNOWN);
	cr_assert_eq(state_of("vfio"), MLX5LM_MODULE_UNKNOWN);
	cr_assert_not_null(host_find_note(host, "host", "modules"));
}

Test(modules, with_sysfs_nobody_looks_into_proc)
{
	tree_make_dir(tree, "sys/module");
	tree_write(tree, "vfio 1 0 - Live 0x0\n", "proc/modules");
	probe();
	cr_assert_eq(state_of("vfio"), MLX5LM_MODULE_UNKNOWN);
}

Test(modules, a_directory_without_initstate_is_a_module_of_the_kernel_itself)
{
	add_module_dir();
	tree_write(tree, "1.0\n", "sys/module/vfio/version");
	probe();
	cr_assert_eq(state_of("vfio"), MLX5LM_MODULE_BUILTIN);
	cr_assert_str_eq(source_of("vfio"), "sysfs");
	cr_assert_eq(find("vfio")->in_tree, MLX5LM_ANSWER_YES);
}

Test(modules, taint_tells_whether_a_loaded_one_came_with_the_kernel)
{
	tree_add_loaded_module(tree, "mlx5_core", NULL);
	tree_write(tree, "OE\n", "sys/module/mlx5_core/taint");
	tree_add_loaded_module(tree, "vfio", NULL);
	tree_write(tree, "\n", "sys/module/vfio/taint");
	tree_add_loaded_module(tree, "vfio_pci", NULL);
	probe();
	cr_assert_eq(find("mlx5_core")->in_tree, MLX5LM_ANSWER_NO);
	cr_assert_eq(find("vfio")->in_tree, MLX5LM_ANSWER_YES);
	cr_assert_eq(find("vfio_pci")->in_tree, MLX5LM_ANSWER_UNKNOWN);
}

Test(modules, the_file_tells_of_one_that_is_not_loaded)
{
	tree_add_host(tree, true);
	add_module_dir();
	ADD_FILE("mlx5_vfio_pci", "version=24.10-1\0srcversion=ABCDEF\0license=GPL");
	ADD_FILE("vfio", "srcversion=123456\0intree=Y");
	probe();
	cr_assert_str_eq(find("mlx5_vfio_pci")->version, "24.10-1");
	cr_assert_str_eq(find("mlx5_vfio_pci")->srcversion, "ABCDEF");
	cr_assert_eq(find("mlx5_vfio_pci")->in_tree, MLX5LM_ANSWER_NO);
	cr_assert_null(find("vfio")->version);
	cr_assert_eq(find("vfio")->in_tree, MLX5LM_ANSWER_YES);
}

Test(modules, a_file_that_cannot_be_read_leaves_it_unknown)
{
	tree_add_host(tree, true);
	add_module_dir();
	tree_write(tree, "no ELF", "lib/modules/" TREE_RELEASE "/kernel/vfio.ko");
	tree_make_fifo(tree, "lib/modules/" TREE_RELEASE "/kernel/mlx5_core.ko");
	probe();
	cr_assert_eq(state_of("vfio"), MLX5LM_MODULE_LOADABLE);
	cr_assert_eq(find("vfio")->in_tree, MLX5LM_ANSWER_UNKNOWN);
	cr_assert_not_null(host_find_note(host, "host", "modules"));
}

Test(modules, a_file_among_the_updates_did_not_come_with_the_kernel)
{
	add_module_dir();
	tree_write(tree, "updates/dkms/vfio.ko.xz:\n", "lib/modules/" TREE_RELEASE "/modules.dep");
	probe();
	cr_assert_eq(state_of("vfio"), MLX5LM_MODULE_LOADABLE);
	cr_assert_eq(find("vfio")->in_tree, MLX5LM_ANSWER_NO);
}

Test(modules, knows_what_is_blacklisted)
{
	add_module_dir();
	tree_write(tree, "blacklist mlx5_vfio_pci\n", "etc/modprobe.d/local.conf");
	cr_assert_eq(str_replace(&host->kernel_cmdline, "module_blacklist=vfio"), 0);
	probe();
	cr_assert_eq(find("mlx5_vfio_pci")->blacklisted, MLX5LM_ANSWER_YES);
	cr_assert_eq(find("vfio")->blacklisted, MLX5LM_ANSWER_YES);
	cr_assert_eq(find("mlx5_core")->blacklisted, MLX5LM_ANSWER_NO);
}

Test(modules, what_is_not_readable_may_blacklist_anything)
{
	add_module_dir();
	cr_assert_eq(str_replace(&host->kernel_cmdline, NULL), 0);
	probe();
	cr_assert_eq(find("vfio")->blacklisted, MLX5LM_ANSWER_UNKNOWN);
	cr_assert_not_null(host_find_note(host, "host", "modules"));
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

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/probe_vfio.h"

#include <criterion/criterion.h>

#include "base/clock.h"
#include "support/tree.h"
#include "sys/probe.h"

#define DEBUGFS "sys/kernel/debug/vfio/"

static const struct tree_pf pf = { .bdf = "0000:08:00.0",
				   .device_id = 0x1021,
				   .total_vfs = 8,
				   .num_vfs = 3,
				   .vf_driver = "mlx5_vfio_pci" };

static struct tree *tree;
static struct root *root;
static struct mlx5lm_host *host;

static void open_tree(void)
{
	tree = tree_new();
	tree_add_pf(tree, &pf);
	tree_write(tree, "0\n", "sys/module/mlx5_vfio_pci/refcnt");
}

static void close_tree(void)
{
	mlx5lm_host_free(host);
	root_unref(root);
	tree_free(tree);
}

TestSuite(probe_vfio, .init = open_tree, .fini = close_tree);

static const struct mlx5lm_vf *probe(bool native, bool open_vfs)
{
	struct probe_options options = { .until_ms = (uint64_t)clock_now_ms() + 20000,
					 .open_vfs = open_vfs };

	tree_add_host(tree, native);
	cr_assert_eq(root_open(tree_path(tree), &root, NULL), 0);
	cr_assert_eq(root->native, native);
	cr_assert_eq(probe_host(root, NULL, &options, &host, NULL), 0);
	return host->pfs[0].vfs;
}

Test(probe_vfio, finds_the_device_of_each_vf_in_the_class)
{
	const struct mlx5lm_vf *vfs;

	tree_link(tree, "../../devices/pci0000:00/0000:08:00.3/vfio-dev/vfio4",
		  "sys/class/vfio-dev/vfio4");
	tree_link(tree, "../../devices/pci0000:00/0000:08:00.2/vfio-dev/vfio12",
		  "sys/class/vfio-dev/vfio12");
	tree_link(tree, "nonsense", "sys/class/vfio-dev/vfio5");
	vfs = probe(false, false);
	cr_assert_str_eq(vfs[0].vfio_device, "vfio12");
	cr_assert_str_eq(vfs[1].vfio_device, "vfio4");
	cr_assert_null(vfs[2].vfio_device);
}

Test(probe_vfio, finds_the_device_in_a_tree_without_the_class)
{
	tree_make_dir(tree, "sys/devices/pci0000:00/0000:08:00.3/vfio-dev/vfio4");
	cr_assert_str_eq(probe(false, false)[1].vfio_device, "vfio4");
}

Test(probe_vfio, reads_debugfs_of_vfs_on_a_vfio_driver)
{
	const struct mlx5lm_vf *vfs;

	tree_write(tree, "stop-copy\np2p\npre-copy\ndirty-tracking\n",
		   DEBUGFS "0000:08:00.2/migration/features");
	tree_make_dir(tree, DEBUGFS "0000:08:00.3");
	vfs = probe(false, false);
	cr_assert_eq(vfs[0].vfio_migration, MLX5LM_ANSWER_YES);
	cr_assert_eq(vfs[0].vfio_migration_flags.value, 7);
	cr_assert_str_eq(vfs[0].vfio_source, "debugfs");
	cr_assert_eq(vfs[1].vfio_migration, MLX5LM_ANSWER_NO);
	cr_assert_eq(vfs[2].vfio_migration, MLX5LM_ANSWER_UNKNOWN);
	cr_assert_null(vfs[2].vfio_source);
}

Test(probe_vfio, nothing_is_noted_when_nobody_asked_to_open_vfs)
{
	probe(true, false);
	cr_assert_null(host_find_note(host, "0000:08:00.2", "vfio_migration"));
	cr_assert_null(host_find_note(host, "0000:08:00.0", "vfio_migration"));
}

Test(probe_vfio, a_vf_in_use_is_not_opened)
{
	tree_write(tree, "1\n", "sys/module/mlx5_vfio_pci/refcnt");
	tree_write(tree, "qemu-system-x86\n", "proc/4711/comm");
	tree_link(tree, "/dev/vfio/100", "proc/4711/fd/9");
	cr_assert_eq(probe(true, true)[0].in_use_pid.value, 4711);
	cr_assert(strstr(host_find_note(host, "0000:08:00.2", "vfio_migration")->text,
			 "it is in use"));
}

Test(probe_vfio, a_vf_of_which_nobody_knows_whether_it_is_in_use_is_not_opened)
{
	tree_write(tree, "1\n", "sys/module/mlx5_vfio_pci/refcnt");
	probe(true, true);
	for (size_t i = 0; i < 3; i++) {
		const struct note *note =
			host_find_note(host, host->pfs[0].vfs[i].bdf, "vfio_migration");

		cr_assert(strstr(note->text, "nobody knows"));
	}
}

Test(probe_vfio, a_vf_in_a_group_that_is_not_viable_is_not_opened)
{
	tree_link(tree, "../../../kernel/iommu_groups/100",
		  "sys/devices/pci0000:00/0000:08:00.0/iommu_group");
	cr_assert_eq(probe(true, true)[0].iommu_group_viable, MLX5LM_ANSWER_NO);
	cr_assert(strstr(host_find_note(host, "0000:08:00.2", "vfio_migration")->text, "viable"));
}

Test(probe_vfio, a_vf_that_debugfs_tells_all_about_is_not_opened)
{
	tree_write(tree, "stop-copy\n", DEBUGFS "0000:08:00.2/migration/features");
	probe(true, true);
	cr_assert_null(host_find_note(host, "0000:08:00.2", "vfio_migration"));
	cr_assert_not_null(host_find_note(host, "0000:08:00.3", "vfio_migration"));
}

Test(probe_vfio, a_host_without_nodes_leaves_it_unknown_and_says_which_is_missing)
{
	cr_assert_eq(probe(true, true)[0].vfio_migration, MLX5LM_ANSWER_UNKNOWN);
	for (size_t i = 0; i < 3; i++) {
		const struct note *note =
			host_find_note(host, host->pfs[0].vfs[i].bdf, "vfio_migration");

		cr_assert(strstr(note->text, "/dev/vfio/vfio"), "%s", note->text);
	}
}

Test(probe_vfio, vfs_of_another_machine_are_never_opened)
{
	probe(false, true);
	cr_assert_null(host_find_note(host, "0000:08:00.2", "vfio_migration"));
}

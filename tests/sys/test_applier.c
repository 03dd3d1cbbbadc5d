// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/applier.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "base/error.h"
#include "support/tree.h"
#include "sys/applier_internal.h"

#define PF "0000:08:00.0"
#define DEVICES "sys/devices/pci0000:00/"

static const struct tree_pf pf = {
	.bdf = PF, .device_id = 0x1021, .total_vfs = 8, .num_vfs = 2, .vf_driver = "mlx5_vfio_pci"
};

static struct tree *tree;
static struct root *root;
static struct applier *applier;
static struct mlx5lm_error *error;

/* A tree that is taken for this machine, so that its files may be written. */
static void open_tree(void)
{
	tree = tree_new();
	tree_add_host(tree, true);
	tree_add_pf(tree, &pf);
	cr_assert_eq(root_open(tree_path(tree), &root, NULL), 0);
	cr_assert_eq(applier_new(root, NULL, PF, &applier, NULL), 0);
	applier->timeout_ms = 100;
}

static void close_tree(void)
{
	mlx5lm_error_free(error);
	applier_free(applier);
	root_unref(root);
	tree_free(tree);
}

TestSuite(applier, .init = open_tree, .fini = close_tree);

static int keep_error(void *data, size_t index, enum mlx5lm_step_state state,
		      struct mlx5lm_error *reason)
{
	(void)data;
	(void)index;
	(void)state;
	if (reason)
		error = reason;
	return 0;
}

static int do_step(const struct mlx5lm_step *step)
{
	const struct applier_watch watch = { .fn = keep_error };

	return applier_run(applier, &step, 1, &watch);
}

static int run(enum step_kind kind, uint64_t value, const char *text)
{
	struct mlx5lm_step step = { .kind = kind, .value = value, .text = (char *)text };

	mlx5lm_error_free(error);
	error = NULL;
	return do_step(&step);
}

Test(applier, refuses_the_tree_of_another_machine)
{
	_cleanup_root_ struct root *other = NULL;
	struct applier *none = NULL;

	tree_write(tree, TREE_BOOT_ID "\n", "proc/sys/kernel/random/boot_id");
	cr_assert_eq(root_open(tree_path(tree), &other, NULL), 0);
	cr_assert_eq(applier_new(other, NULL, PF, &none, &error), -EROFS);
	cr_assert_eq(error->code, MLX5LM_ERROR_READ_ONLY_ROOT);
	cr_assert_null(none);
}

Test(applier, refuses_a_pf_that_is_not_there)
{
	struct applier *none = NULL;

	cr_assert_eq(applier_new(root, NULL, "0000:09:00.0", &none, &error), -ENOENT);
	cr_assert(strstr(error->message, "0000:09:00.0"));
	cr_assert_eq(applier_new(root, NULL, "../../../etc", &none, NULL), -EINVAL);
}

Test(applier, writes_autoprobe)
{
	cr_assert_eq(run(STEP_AUTOPROBE, 0, NULL), 0);
	cr_assert_str_eq(tree_read(tree, DEVICES PF "/sriov_drivers_autoprobe"), "0");
}

Test(applier, sets_and_clears_a_driver_override)
{
	cr_assert_eq(run(STEP_DRIVER_OVERRIDE, 0, "mlx5_vfio_pci"), 0);
	cr_assert_str_eq(tree_read(tree, DEVICES "0000:08:00.2/driver_override"), "mlx5_vfio_pci");
	tree_write(tree, "", DEVICES "0000:08:00.2/driver_override");
	cr_assert_eq(run(STEP_DRIVER_OVERRIDE, 0, ""), 0);
	cr_assert_str_eq(tree_read(tree, DEVICES "0000:08:00.2/driver_override"), "");
}

Test(applier, notices_a_value_that_did_not_stay)
{
	/* A plain file keeps the old end, which the kernel's would not. */
	tree_write(tree, "a_longer_driver_name", DEVICES "0000:08:00.2/driver_override");
	cr_assert_eq(run(STEP_DRIVER_OVERRIDE, 0, "short"), -EIO);
	cr_assert_eq(error->code, MLX5LM_ERROR_VERIFY_FAILED);
	cr_assert(strstr(error->message, "0000:08:00.2"));
}

Test(applier, a_driver_that_is_bound_already_is_not_bound_again)
{
	cr_assert_eq(run(STEP_BIND, 0, "mlx5_vfio_pci"), 0);
	cr_assert_str_eq(tree_read(tree, "sys/bus/pci/drivers/mlx5_vfio_pci/bind"), "");
}

Test(applier, does_not_bind_over_another_driver)
{
	cr_assert_eq(run(STEP_BIND, 0, "mlx5_core"), -ESTALE);
	cr_assert_eq(error->code, MLX5LM_ERROR_STATE_CHANGED);
}

Test(applier, binds_by_writing_the_address_and_looks_whether_it_helped)
{
	tree_remove(tree, DEVICES "0000:08:00.2/driver");
	cr_assert_eq(run(STEP_BIND, 0, "mlx5_vfio_pci"), -EIO);
	cr_assert_eq(error->code, MLX5LM_ERROR_VERIFY_FAILED);
	cr_assert_str_eq(tree_read(tree, "sys/bus/pci/drivers/mlx5_vfio_pci/bind"), "0000:08:00.2");
}

Test(applier, a_missing_driver_is_named_with_the_command_that_loads_it)
{
	tree_remove(tree, DEVICES "0000:08:00.2/driver");
	cr_assert_eq(run(STEP_BIND, 0, "vfio-pci"), -ENOENT);
	cr_assert_str_eq(error->remedy, "load it: modprobe vfio-pci");
}

Test(applier, a_driver_name_never_leads_elsewhere)
{
	tree_remove(tree, DEVICES "0000:08:00.2/driver");
	cr_assert_eq(run(STEP_BIND, 0, "../../../../etc"), -EINVAL);
	cr_assert_eq(run(STEP_BIND, 0, ".."), -EINVAL);
	cr_assert_eq(run(STEP_BIND, 0, ""), -EINVAL);
}

Test(applier, unbinds_by_writing_the_address_and_looks_whether_it_helped)
{
	cr_assert_eq(run(STEP_UNBIND, 0, "mlx5_vfio_pci"), -EIO);
	cr_assert_eq(error->code, MLX5LM_ERROR_VERIFY_FAILED);
	cr_assert_str_eq(tree_read(tree, "sys/bus/pci/drivers/mlx5_vfio_pci/unbind"),
			 "0000:08:00.2");
}

Test(applier, what_is_unbound_need_not_be_unbound)
{
	tree_remove(tree, DEVICES "0000:08:00.2/driver");
	cr_assert_eq(run(STEP_UNBIND, 0, "mlx5_vfio_pci"), 0);
}

Test(applier, does_not_take_a_vf_from_a_virtual_machine)
{
	tree_write(tree, "qemu-system-x86\n", "proc/4711/comm");
	tree_link(tree, "/dev/vfio/100", "proc/4711/fd/9");
	cr_assert_eq(run(STEP_UNBIND, 0, "mlx5_vfio_pci"), -EBUSY);
	cr_assert(strstr(error->message, "4711 (qemu-system-x86)"));
	cr_assert_str_eq(tree_read(tree, "sys/bus/pci/drivers/mlx5_vfio_pci/unbind"), "");
	cr_assert_eq(run(STEP_NUM_VFS, 0, NULL), -EBUSY);
	cr_assert_str_eq(tree_read(tree, DEVICES PF "/sriov_numvfs"), "2");
}

Test(applier, the_number_of_vfs_is_done_when_they_are_there)
{
	cr_assert_eq(run(STEP_NUM_VFS, 2, NULL), 0);
	cr_assert_eq(run(STEP_NUM_VFS, 4, NULL), -ETIMEDOUT);
	cr_assert_str_eq(tree_read(tree, DEVICES PF "/sriov_numvfs"), "4");
	cr_assert(strstr(error->message, "4 VFs were asked for, but there are 2"));
}

Test(applier, a_write_that_blocks_for_ever_does_not_hang_the_caller)
{
	tree_make_fifo(tree, DEVICES PF "/sriov_numvfs");
	cr_assert_eq(run(STEP_NUM_VFS, 0, NULL), -ETIMEDOUT);
	cr_assert_eq(error->code, MLX5LM_ERROR_TIMEOUT);
	cr_assert(strstr(error->remedy, "fuser"));
}

Test(applier, a_vf_that_is_not_there_is_named)
{
	struct mlx5lm_step step = { .kind = STEP_UNBIND, .vf_index = 7, .text = (char *)"x" };

	cr_assert_eq(do_step(&step), -ENOENT);
	cr_assert(strstr(error->message, "there is no VF 7"));
}

Test(applier, a_module_that_is_loaded_is_not_loaded_again)
{
	tree_add_loaded_module(tree, "mlx5_vfio_pci", NULL);
	cr_assert_eq(run(STEP_LOAD_MODULE, 0, "mlx5-vfio-pci"), 0);
}

Test(applier, an_unknown_step_is_refused)
{
	cr_assert_eq(run((enum step_kind)99, 0, NULL), -EINVAL);
}

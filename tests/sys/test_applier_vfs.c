// SPDX-License-Identifier: LGPL-2.1-or-later
/* Steps of many VFs that are files of sysfs. */
#include <criterion/criterion.h>
#include <errno.h>

#include "base/clock.h"
#include "support/tree.h"
#include "sys/applier_internal.h"

#define PF "0000:08:00.0"
#define NUM_VFS 24
#define DEVICES "sys/devices/pci0000:00/"
#define DRIVERS "sys/bus/pci/drivers/"

static const struct tree_pf pf = {
	.bdf = PF, .device_id = 0x1021, .total_vfs = 32, .num_vfs = NUM_VFS
};

static struct tree *tree;
static struct root *root;
static struct applier *applier;
static struct mlx5lm_step steps[NUM_VFS];
static struct mlx5lm_error *errors[NUM_VFS];
static enum mlx5lm_step_state states[NUM_VFS];
static size_t num_started, num_ended, num_at_once, most_at_once;
static size_t cancel_after; /* so many ends; 0: never */
static bool opened_late;    /* the first VF, by a process, behind the look for such */

static void open_tree(void)
{
	tree = tree_new();
	tree_add_host(tree, true);
	tree_add_pf(tree, &pf);
	tree_write(tree, "", DRIVERS "mlx5_vfio_pci/bind");
	tree_write(tree, "", DRIVERS "mlx5_vfio_pci/unbind");
	cr_assert_eq(root_open(tree_path(tree), &root, NULL), 0);
	cr_assert_eq(applier_new(root, NULL, PF, &applier, NULL), 0);
	applier->timeout_ms = 200;
}

static void close_tree(void)
{
	for (size_t i = 0; i < NUM_VFS; i++)
		mlx5lm_error_free(errors[i]);
	applier_free(applier);
	root_unref(root);
	tree_free(tree);
}

TestSuite(applier_vfs, .init = open_tree, .fini = close_tree);

static int watch(void *data, size_t index, enum mlx5lm_step_state state, struct mlx5lm_error *error)
{
	bool started = state == MLX5LM_STEP_STATE_STARTED;

	(void)data;
	if (opened_late && started && index == 0) {
		tree_write(tree, "qemu-system-x86\n", "proc/4711/comm");
		tree_link(tree, "/dev/vfio/100", "proc/4711/fd/9");
	}
	cr_assert_eq(states[index],
		     started ? MLX5LM_STEP_STATE_UNKNOWN : MLX5LM_STEP_STATE_STARTED);
	cr_assert_eq(error != NULL, state == MLX5LM_STEP_STATE_FAILED);
	states[index] = state;
	errors[index] = error;
	num_started += started;
	num_ended += !started;
	num_at_once = num_started - num_ended;
	most_at_once = num_at_once > most_at_once ? num_at_once : most_at_once;
	return !started && cancel_after && num_ended >= cancel_after ? -1 : 0;
}

static int run(enum step_kind kind, uint64_t value, const char *text)
{
	const struct applier_watch told = { .fn = watch };
	const struct mlx5lm_step *list[NUM_VFS];

	for (uint32_t i = 0; i < NUM_VFS; i++) {
		steps[i] = (struct mlx5lm_step){
			.kind = kind, .vf_index = i, .value = value, .text = (char *)text
		};
		list[i] = &steps[i];
	}
	return applier_run(applier, list, NUM_VFS, &told);
}

static const char *vf_bdf(unsigned int index)
{
	static char text[13];

	tree_vf_bdf(&pf, index, text);
	return text;
}

static void bind_to(unsigned int index, const char *driver)
{
	char target[64];

	snprintf(target, sizeof(target), "../../../bus/pci/drivers/%s", driver);
	tree_link(tree, target, DEVICES "%s/driver", vf_bdf(index));
}

Test(applier_vfs, all_get_their_override)
{
	cr_assert_eq(run(STEP_DRIVER_OVERRIDE, 0, "mlx5_vfio_pci_longer_than_null"), 0);
	for (unsigned int i = 0; i < NUM_VFS; i++) {
		cr_assert_eq(states[i], MLX5LM_STEP_STATE_DONE);
		cr_assert_str_eq(tree_read(tree, DEVICES "%s/driver_override", vf_bdf(i)),
				 "mlx5_vfio_pci_longer_than_null");
	}
	cr_assert_eq(applier_get_counts(applier).writes, NUM_VFS);
	cr_assert_eq(applier_get_counts(applier).messages, 0);
}

Test(applier_vfs, one_that_hangs_costs_its_deadline_and_no_other_vf)
{
	int64_t start_ms = clock_now_ms();

	tree_make_fifo(tree, DEVICES "%s/driver_override", vf_bdf(5));
	cr_assert_eq(run(STEP_DRIVER_OVERRIDE, 0, "mlx5_vfio_pci"), -ETIMEDOUT);
	cr_assert_lt(clock_now_ms() - start_ms, 2000);
	for (unsigned int i = 0; i < NUM_VFS; i++)
		cr_assert_eq(states[i], i == 5 ? MLX5LM_STEP_STATE_FAILED : MLX5LM_STEP_STATE_DONE);
	cr_assert_eq(errors[5]->code, MLX5LM_ERROR_TIMEOUT);
	cr_assert(strstr(errors[5]->message, vf_bdf(5)));
}

Test(applier_vfs, drivers_are_bound_side_by_side_under_a_bound)
{
	/* All hang in the same file. */
	tree_make_fifo(tree, DRIVERS "mlx5_vfio_pci/bind");
	cr_assert_eq(run(STEP_BIND, 0, "mlx5_vfio_pci"), -ETIMEDOUT);
	cr_assert_eq(most_at_once, WRITE_LANES);
	cr_assert_eq(num_ended, NUM_VFS);
	for (unsigned int i = 0; i < NUM_VFS; i++)
		cr_assert_eq(errors[i]->code, MLX5LM_ERROR_TIMEOUT);
}

Test(applier_vfs, who_cancels_waits_for_what_is_under_way_only)
{
	cancel_after = 3;
	cr_assert_eq(run(STEP_DRIVER_OVERRIDE, 0, "mlx5_vfio_pci"), -ECANCELED);
	cr_assert_eq(num_started, num_ended);
	cr_assert_geq(num_ended, 3);
	cr_assert_lt(num_ended, 3 + WRITE_LANES);
	for (size_t i = num_ended; i < NUM_VFS; i++)
		cr_assert_eq(states[i], MLX5LM_STEP_STATE_UNKNOWN);
}

Test(applier_vfs, what_is_bound_already_is_done_without_a_write)
{
	for (unsigned int i = 0; i < NUM_VFS; i++)
		bind_to(i, i == 7 ? "mlx5_core" : "mlx5_vfio_pci");
	cr_assert_eq(run(STEP_BIND, 0, "mlx5_vfio_pci"), -ESTALE);
	for (unsigned int i = 0; i < NUM_VFS; i++)
		cr_assert_eq(states[i], i == 7 ? MLX5LM_STEP_STATE_FAILED : MLX5LM_STEP_STATE_DONE);
	cr_assert_eq(applier_get_counts(applier).writes, 0);
}

Test(applier_vfs, only_the_vf_that_is_held_stays)
{
	tree_write(tree, "qemu-system-x86\n", "proc/4711/comm");
	tree_link(tree, "/dev/vfio/103", "proc/4711/fd/9");
	for (unsigned int i = 0; i < NUM_VFS; i++)
		bind_to(i, "mlx5_vfio_pci");
	cr_assert_eq(run(STEP_UNBIND, 0, "mlx5_vfio_pci"), -EBUSY);
	cr_assert_eq(errors[3]->code, MLX5LM_ERROR_BUSY);
	cr_assert(strstr(errors[3]->message, "4711 (qemu-system-x86)"));
	/* The others are still bound, since this is no kernel. */
	for (unsigned int i = 0; i < NUM_VFS; i++) {
		if (i != 3)
			cr_assert_eq(errors[i]->code, MLX5LM_ERROR_VERIFY_FAILED);
	}
	cr_assert_eq(applier_get_counts(applier).writes, NUM_VFS - 1);
}

Test(applier_vfs, an_unbind_that_blocks_names_who_came_meanwhile)
{
	for (unsigned int i = 0; i < NUM_VFS; i++)
		bind_to(i, "mlx5_vfio_pci");
	tree_make_fifo(tree, DRIVERS "mlx5_vfio_pci/unbind");
	opened_late = true;
	cr_assert_eq(run(STEP_UNBIND, 0, "mlx5_vfio_pci"), -ETIMEDOUT);
	cr_assert_str_eq(errors[0]->message,
			 "0000:08:00.2: the VF is in use by process 4711 (qemu-system-x86)");
	cr_assert_eq(errors[0]->code, MLX5LM_ERROR_TIMEOUT);
	cr_assert_str_eq(errors[1]->message,
			 "0000:08:00.3: cannot unbind it from mlx5_vfio_pci "
			 "(/sys/bus/pci/drivers/mlx5_vfio_pci/unbind): Connection timed out");
	cr_assert(strstr(errors[1]->remedy, "fuser"));
}

Test(applier_vfs, the_table_of_vectors_is_read_back)
{
	for (unsigned int i = 0; i < NUM_VFS; i++)
		tree_write(tree, "", DEVICES "%s/sriov_vf_msix_count", vf_bdf(i));
	cr_assert_eq(run(STEP_MSIX_COUNT, 64, NULL), 0);
	cr_assert_str_eq(tree_read(tree, DEVICES "%s/sriov_vf_msix_count", vf_bdf(9)), "64");
}

Test(applier_vfs, a_table_of_another_size_is_noticed)
{
	for (unsigned int i = 0; i < NUM_VFS; i++)
		tree_write(tree, "", DEVICES "%s/sriov_vf_msix_count", vf_bdf(i));
	cr_assert_eq(run(STEP_MSIX_COUNT, 32, NULL), -EIO);
	cr_assert_eq(errors[0]->code, MLX5LM_ERROR_VERIFY_FAILED);
	cr_assert_str_eq(errors[0]->message, "0000:08:00.2: the size of its MSI-X table is 64 "
					     "after 32 was written");
}

Test(applier_vfs, the_default_number_of_vectors_is_up_to_the_driver)
{
	for (unsigned int i = 0; i < NUM_VFS; i++)
		tree_write(tree, "", DEVICES "%s/sriov_vf_msix_count", vf_bdf(i));
	cr_assert_eq(run(STEP_MSIX_COUNT, 0, NULL), 0);
}

Test(applier_vfs, a_kernel_without_the_file_of_vectors_is_no_mystery)
{
	cr_assert_eq(run(STEP_MSIX_COUNT, 64, NULL), -ENOENT);
	cr_assert(strstr(errors[0]->message, "sriov_vf_msix_count"));
	cr_assert(strstr(errors[0]->remedy, "leave it as it is"));
}

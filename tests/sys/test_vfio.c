// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/vfio.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "support/tree.h"
#include "sys/vfio_uapi.h"

/* The kernel, in place of ioctl() at link time: each request is looked up here. */
struct reply {
	unsigned long request;
	uint32_t feature; /* with its flags, of VFIO_DEVICE_FEATURE */
	int result;	  /* -errno, or what ioctl() returns */
	uint64_t data;
};

static const struct reply *replies;
static int device_fd;

int __wrap_ioctl(int fd, unsigned long request, ...);

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	struct vfio_device_feature *feature;
	va_list args;
	void *data;

	(void)fd;
	va_start(args, request);
	data = va_arg(args, void *);
	va_end(args);
	feature = data;
	for (const struct reply *reply = replies; reply->request; reply++) {
		if (reply->request != request ||
		    (request == VFIO_DEVICE_FEATURE && reply->feature != feature->flags))
			continue;
		if (reply->result < 0) {
			errno = -reply->result;
			return -1;
		}
		if (request == VFIO_DEVICE_FEATURE)
			memcpy(feature->data, &reply->data, sizeof(reply->data));
		if (request == VFIO_GROUP_GET_STATUS)
			((struct vfio_group_status *)data)->flags = (uint32_t)reply->data;
		if (request == VFIO_GROUP_GET_DEVICE_FD)
			return device_fd = dup(STDIN_FILENO);
		return reply->result;
	}
	cr_assert_fail("ioctl %#lx was not expected", request);
	return -1;
}

#define GET_MIGRATION (VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_MIGRATION)
#define PROBE_LOGGING                                                                              \
	(VFIO_DEVICE_FEATURE_PROBE | VFIO_DEVICE_FEATURE_SET |                                     \
	 VFIO_DEVICE_FEATURE_DMA_LOGGING_START)

#define GROUP_OPENS(status)                                                                        \
	{ VFIO_GET_API_VERSION, 0, VFIO_API_VERSION, 0 }, { VFIO_CHECK_EXTENSION, 0, 1, 0 },       \
		{ VFIO_GROUP_GET_STATUS, 0, 0, status }, { VFIO_GROUP_SET_CONTAINER, 0, 0, 0 },    \
		{ VFIO_SET_IOMMU, 0, 0, 0 },                                                       \
	{                                                                                          \
		VFIO_GROUP_GET_DEVICE_FD, 0, 0, 0                                                  \
	}

static struct vfio_answer answer;
static const char *step;

static int ask_group(const struct reply *script)
{
	replies = script;
	answer = (struct vfio_answer){ 0 };
	return vfio_ask_group_fd(3, 4, "0000:08:00.2", &answer, &step);
}

static int ask_cdev(const struct reply *script)
{
	replies = script;
	answer = (struct vfio_answer){ 0 };
	return vfio_ask_cdev_fd(3, 4, &answer, &step);
}

Test(vfio, a_group_tells_flags_and_dirty_tracking_and_is_closed)
{
	static const struct reply script[] = { GROUP_OPENS(VFIO_GROUP_FLAGS_VIABLE),
					       { VFIO_DEVICE_FEATURE, GET_MIGRATION, 0, 7 },
					       { VFIO_DEVICE_FEATURE, PROBE_LOGGING, 0, 0 },
					       { 0 } };

	cr_assert_eq(ask_group(script), 0);
	cr_assert_eq(answer.migration, MLX5LM_ANSWER_YES);
	cr_assert_eq(answer.flags.value, MLX5LM_VFIO_MIGRATION_STOP_COPY |
						 MLX5LM_VFIO_MIGRATION_P2P |
						 MLX5LM_VFIO_MIGRATION_PRE_COPY);
	cr_assert_eq(answer.dirty_tracking, MLX5LM_ANSWER_YES);
	cr_assert_eq(fcntl(device_fd, F_GETFD), -1);
}

Test(vfio, both_ways_to_say_no_are_a_no)
{
	static const struct reply no_tty[] = { GROUP_OPENS(VFIO_GROUP_FLAGS_VIABLE),
					       { VFIO_DEVICE_FEATURE, GET_MIGRATION, -ENOTTY, 0 },
					       { VFIO_DEVICE_FEATURE, PROBE_LOGGING, -ENOTTY, 0 },
					       { 0 } };
	static const struct reply invalid[] = { GROUP_OPENS(VFIO_GROUP_FLAGS_VIABLE),
						{ VFIO_DEVICE_FEATURE, GET_MIGRATION, -EINVAL, 0 },
						{ VFIO_DEVICE_FEATURE, PROBE_LOGGING, -EINVAL, 0 },
						{ 0 } };
	const struct reply *const scripts[] = { no_tty, invalid };

	for (size_t i = 0; i < 2; i++) {
		cr_assert_eq(ask_group(scripts[i]), 0);
		cr_assert_eq(answer.migration, MLX5LM_ANSWER_NO);
		cr_assert_not(answer.flags.known);
		cr_assert_eq(answer.dirty_tracking, MLX5LM_ANSWER_NO);
	}
}

Test(vfio, any_other_error_of_a_feature_is_no_answer)
{
	static const struct reply script[] = { GROUP_OPENS(VFIO_GROUP_FLAGS_VIABLE),
					       { VFIO_DEVICE_FEATURE, GET_MIGRATION, -EIO, 0 },
					       { 0 } };

	cr_assert_eq(ask_group(script), -EIO);
	cr_assert_eq(answer.migration, MLX5LM_ANSWER_UNKNOWN);
	cr_assert_str_eq(step, "VFIO_DEVICE_FEATURE_MIGRATION");
}

Test(vfio, a_group_that_is_not_viable_is_left_alone)
{
	static const struct reply script[] = { { VFIO_GET_API_VERSION, 0, VFIO_API_VERSION, 0 },
					       { VFIO_CHECK_EXTENSION, 0, 1, 0 },
					       { VFIO_GROUP_GET_STATUS, 0, 0, 0 },
					       { 0 } };

	cr_assert_eq(ask_group(script), -EPERM);
	cr_assert(strstr(step, "viable"));
}

Test(vfio, what_is_no_vfio_container_gives_no_answer)
{
	static const struct reply script[] = { { VFIO_GET_API_VERSION, 0, -ENOTTY, 0 }, { 0 } };

	cr_assert_eq(ask_group(script), -EOPNOTSUPP);
}

Test(vfio, without_interrupt_remapping_the_iommu_is_refused)
{
	static const struct reply script[] = { { VFIO_GET_API_VERSION, 0, VFIO_API_VERSION, 0 },
					       { VFIO_CHECK_EXTENSION, 0, 1, 0 },
					       { VFIO_GROUP_GET_STATUS, 0, 0,
						 VFIO_GROUP_FLAGS_VIABLE },
					       { VFIO_GROUP_SET_CONTAINER, 0, 0, 0 },
					       { VFIO_SET_IOMMU, 0, -EPERM, 0 },
					       { 0 } };

	cr_assert_eq(ask_group(script), -EPERM);
	cr_assert_str_eq(step, "VFIO_SET_IOMMU");
}

Test(vfio, a_node_is_bound_to_iommufd_before_it_is_asked)
{
	static const struct reply script[] = { { BIND_IOMMUFD, 0, 0, 0 },
					       { VFIO_DEVICE_FEATURE, GET_MIGRATION, 0, 3 },
					       { VFIO_DEVICE_FEATURE, PROBE_LOGGING, -ENOTTY, 0 },
					       { 0 } };

	cr_assert_eq(ask_cdev(script), 0);
	cr_assert_eq(answer.flags.value,
		     MLX5LM_VFIO_MIGRATION_STOP_COPY | MLX5LM_VFIO_MIGRATION_P2P);
	cr_assert_eq(answer.dirty_tracking, MLX5LM_ANSWER_NO);
}

Test(vfio, a_node_that_somebody_has_open_is_busy)
{
	static const struct reply busy[] = { { BIND_IOMMUFD, 0, -EBUSY, 0 }, { 0 } };
	static const struct reply invalid[] = { { BIND_IOMMUFD, 0, -EINVAL, 0 }, { 0 } };

	cr_assert_eq(ask_cdev(busy), -EBUSY);
	cr_assert_eq(ask_cdev(invalid), -EBUSY);
}

Test(vfio, the_number_of_the_request_is_that_of_the_kernel)
{
	cr_assert_eq(BIND_IOMMUFD, 0x3b76);
	cr_assert_eq(sizeof(struct bind_iommufd), 16);
}

static struct tree *tree;
static struct root *root;

static void open_tree(void)
{
	tree = tree_new();
	tree_add_host(tree, false);
	cr_assert_eq(root_open(tree_path(tree), &root, NULL), 0);
}

static void close_tree(void)
{
	root_unref(root);
	tree_free(tree);
}

TestSuite(vfio_tree, .init = open_tree, .fini = close_tree);

#define DEBUGFS "sys/kernel/debug/vfio/"

Test(vfio_tree, debugfs_tells_the_features)
{
	tree_write(tree, "stop-copy\np2p\npre-copy\ndirty-tracking\n",
		   DEBUGFS "0000:08:00.2/migration/features");
	cr_assert_eq(vfio_read_debugfs(root, -1, "0000:08:00.2", &answer), 0);
	cr_assert_eq(answer.migration, MLX5LM_ANSWER_YES);
	cr_assert_eq(answer.flags.value, 7);
	cr_assert_eq(answer.dirty_tracking, MLX5LM_ANSWER_YES);
	tree_write(tree, "stop-copy\n", DEBUGFS "0000:08:00.2/migration/features");
	cr_assert_eq(vfio_read_debugfs(root, -1, "0000:08:00.2", &answer), 0);
	cr_assert_eq(answer.flags.value, 1);
	cr_assert_eq(answer.dirty_tracking, MLX5LM_ANSWER_NO);
}

Test(vfio_tree, debugfs_before_linux_6_18_tells_only_that_there_is_migration)
{
	tree_write(tree, "ERROR\n", DEBUGFS "0000:08:00.2/migration/state");
	cr_assert_eq(vfio_read_debugfs(root, -1, "0000:08:00.2", &answer), 0);
	cr_assert_eq(answer.migration, MLX5LM_ANSWER_YES);
	cr_assert_not(answer.flags.known);
	cr_assert_eq(answer.dirty_tracking, MLX5LM_ANSWER_UNKNOWN);
}

Test(vfio_tree, only_a_function_that_debugfs_lists_lacks_migration)
{
	tree_make_dir(tree, DEBUGFS "0000:08:00.2");
	cr_assert_eq(vfio_read_debugfs(root, -1, "0000:08:00.2", &answer), 0);
	cr_assert_eq(answer.migration, MLX5LM_ANSWER_NO);
	cr_assert_eq(vfio_read_debugfs(root, -1, "0000:08:00.3", &answer), -ENOENT);
	cr_assert_eq(answer.migration, MLX5LM_ANSWER_UNKNOWN);
}

/* A tree may have anything where a host has its nodes. */
Test(vfio_tree, what_is_no_device_node_is_not_asked)
{
	static const struct reply none[] = { { 0 } };

	replies = none;
	tree_make_fifo(tree, "dev/vfio/vfio");
	tree_write(tree, "", "dev/vfio/100");
	tree_write(tree, "", "dev/iommu");
	cr_assert_eq(vfio_ask_group(root, 100, "0000:08:00.2", &answer, &step), -ENODEV);
	cr_assert_eq(vfio_ask_cdev(root, "vfio0", &answer, &step), -ENODEV);
	tree_remove(tree, "dev/iommu");
	cr_assert_eq(vfio_ask_cdev(root, "vfio0", &answer, &step), -ENOENT);
}

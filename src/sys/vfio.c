// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/vfio.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "sys/beneath.h"
#include "sys/sysfs.h"
#include "sys/vfio_uapi.h"

#define DEBUGFS "sys/kernel/debug/vfio"

static bool has_line(const char *text, const char *line)
{
	size_t length = strlen(line);

	for (; text; text = strchr(text, '\n')) {
		text += *text == '\n';
		if (strncmp(text, line, length) == 0 && (!text[length] || text[length] == '\n'))
			return true;
	}
	return false;
}

static void take_features(const char *text, struct vfio_answer *ret)
{
	uint64_t flags = 0;

	if (has_line(text, "stop-copy"))
		flags |= MLX5LM_VFIO_MIGRATION_STOP_COPY;
	if (has_line(text, "p2p"))
		flags |= MLX5LM_VFIO_MIGRATION_P2P;
	if (has_line(text, "pre-copy"))
		flags |= MLX5LM_VFIO_MIGRATION_PRE_COPY;
	ret->flags = fact_u64(flags);
	ret->dirty_tracking =
		has_line(text, "dirty-tracking") ? MLX5LM_ANSWER_YES : MLX5LM_ANSWER_NO;
}

/* What most VFs of a new kernel have, by one open; debugfs has no links that lead away. */
static bool read_features(int debugfs_fd, const char *bdf, struct vfio_answer *ret)
{
	_cleanup_close_ int fd = -1;
	char path[64], text[SYSFS_TEXT_SIZE];

	snprintf(path, sizeof(path), "%s/migration/features", bdf);
	fd = openat(debugfs_fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || sysfs_read_fd(fd, text) < 0)
		return false;
	ret->migration = MLX5LM_ANSWER_YES;
	take_features(text, ret);
	return true;
}

int vfio_read_debugfs(const struct root *root, int debugfs_fd, const char *bdf,
		      struct vfio_answer *ret)
{
	_cleanup_close_ int function_fd = -1;
	_cleanup_close_ int fd = -1;
	char text[SYSFS_TEXT_SIZE];

	*ret = (struct vfio_answer){ 0 };
	if (debugfs_fd >= 0 && read_features(debugfs_fd, bdf, ret))
		return 0;
	fd = sysfs_open_dir(root, DEBUGFS "/%s/migration", bdf);
	if (fd == -ENOENT) {
		/* Its absence tells something only of a function that is listed. */
		function_fd = sysfs_open_dir(root, DEBUGFS "/%s", bdf);
		if (function_fd >= 0)
			ret->migration = MLX5LM_ANSWER_NO;
		return function_fd < 0 ? function_fd : 0;
	}
	if (fd < 0)
		return fd;
	ret->migration = MLX5LM_ANSWER_YES;
	/* Before Linux 6.18 there is no such file. */
	if (sysfs_read(fd, "features", text) == 0)
		take_features(text, ret);
	return 0;
}

/* 0, or -errno where it is no answer. A function that lacks a feature says so in two ways. */
static int ask_feature(int device_fd, uint32_t flags, uint64_t *data, uint32_t *answer)
{
	_Alignas(uint64_t) char request[sizeof(struct vfio_device_feature) + sizeof(*data)] = "";
	struct vfio_device_feature *feature = (struct vfio_device_feature *)request;

	feature->argsz = sizeof(request);
	feature->flags = flags;
	if (ioctl(device_fd, VFIO_DEVICE_FEATURE, feature) < 0) {
		if (errno != ENOTTY && errno != EINVAL)
			return -errno;
		*answer = MLX5LM_ANSWER_NO;
		return 0;
	}
	*answer = MLX5LM_ANSWER_YES;
	memcpy(data, feature->data, sizeof(*data));
	return 0;
}

static int ask_device(int device_fd, struct vfio_answer *ret, const char **step)
{
	struct vfio_answer answer = { 0 };
	uint64_t flags = 0, unused;
	int r;

	*step = "VFIO_DEVICE_FEATURE_MIGRATION";
	r = ask_feature(device_fd, VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_MIGRATION, &flags,
			&answer.migration);
	if (r < 0)
		return r;
	if (answer.migration == MLX5LM_ANSWER_YES)
		answer.flags = fact_u64(flags);
	*step = "VFIO_DEVICE_FEATURE_DMA_LOGGING_START";
	r = ask_feature(device_fd,
			VFIO_DEVICE_FEATURE_PROBE | VFIO_DEVICE_FEATURE_SET |
				VFIO_DEVICE_FEATURE_DMA_LOGGING_START,
			&unused, &answer.dirty_tracking);
	if (r == 0)
		*ret = answer;
	return r;
}

int vfio_ask_cdev_fd(int device_fd, int iommufd, struct vfio_answer *ret, const char **step)
{
	struct bind_iommufd bind = { .argsz = sizeof(bind), .iommufd = iommufd };

	*step = "VFIO_DEVICE_BIND_IOMMUFD";
	if (ioctl(device_fd, BIND_IOMMUFD, &bind) < 0)
		/* One who has it open already makes this "invalid". */
		return errno == EINVAL ? -EBUSY : -errno;
	return ask_device(device_fd, ret, step);
}

int vfio_ask_group_fd(int container_fd, int group_fd, const char *bdf, struct vfio_answer *ret,
		      const char **step)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	_cleanup_close_ int device_fd = -1;

	*step = "VFIO_GET_API_VERSION";
	if (ioctl(container_fd, VFIO_GET_API_VERSION) != VFIO_API_VERSION ||
	    ioctl(container_fd, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU) <= 0)
		return -EOPNOTSUPP;
	*step = "VFIO_GROUP_GET_STATUS";
	if (ioctl(group_fd, VFIO_GROUP_GET_STATUS, &status) < 0)
		return -errno;
	*step = "the IOMMU group is not viable";
	if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE))
		return -EPERM;
	*step = "VFIO_GROUP_SET_CONTAINER";
	if (ioctl(group_fd, VFIO_GROUP_SET_CONTAINER, &container_fd) < 0)
		return -errno;
	*step = "VFIO_SET_IOMMU";
	if (ioctl(container_fd, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) < 0)
		return -errno;
	*step = "VFIO_GROUP_GET_DEVICE_FD";
	device_fd = ioctl(group_fd, VFIO_GROUP_GET_DEVICE_FD, bdf);
	if (device_fd < 0)
		return -errno;
	return ask_device(device_fd, ret, step);
}

/* Nothing but a device node: below a root anything may have its name. */
static int open_node(const struct root *root, const char *path)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	fd = beneath_open(root->fd, path, O_RDWR | O_NONBLOCK);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode))
		return -ENODEV;
	return TAKE_FD(fd);
}

int vfio_ask_cdev(const struct root *root, const char *device, struct vfio_answer *ret,
		  const char **step)
{
	_cleanup_close_ int device_fd = -1;
	_cleanup_close_ int iommufd = -1;
	char path[64];

	*step = "/dev/iommu";
	iommufd = open_node(root, "dev/iommu");
	if (iommufd < 0)
		return iommufd;
	*step = "/dev/vfio/devices";
	if (snprintf(path, sizeof(path), "dev/vfio/devices/%s", device) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	device_fd = open_node(root, path);
	if (device_fd < 0)
		return device_fd;
	return vfio_ask_cdev_fd(device_fd, iommufd, ret, step);
}

int vfio_ask_group(const struct root *root, uint64_t group, const char *bdf,
		   struct vfio_answer *ret, const char **step)
{
	_cleanup_close_ int container_fd = -1;
	_cleanup_close_ int group_fd = -1;
	char path[64];

	*step = "/dev/vfio/vfio";
	container_fd = open_node(root, "dev/vfio/vfio");
	if (container_fd < 0)
		return container_fd;
	*step = "the node of the IOMMU group";
	snprintf(path, sizeof(path), "dev/vfio/%" PRIu64, group);
	group_fd = open_node(root, path);
	if (group_fd < 0)
		return group_fd;
	return vfio_ask_group_fd(container_fd, group_fd, bdf, ret, step);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_VFIO_H
#define SYS_VFIO_H

#include "facts.h"
#include "sys/root.h"

/* What VFIO tells of a function's live migration. */
struct vfio_answer {
	uint32_t migration;	 /* enum mlx5lm_answer */
	struct fact_u64 flags;	 /* enum mlx5lm_vfio_migration_flag */
	uint32_t dirty_tracking; /* enum mlx5lm_answer */
};

/*
 * Reads it in debugfs, which disturbs nobody. debugfs_fd is its directory vfio if that is debugfs
 * itself, and -1 in any other tree. Returns 0; -ENOENT if debugfs says nothing of the
 * function; -EACCES; or another -errno.
 */
int vfio_read_debugfs(const struct root *root, int debugfs_fd, const char *bdf,
		      struct vfio_answer *ret);

/*
 * Ask the function itself, over its own node or that of its IOMMU group. Opening a function
 * resets it, before and after; one that is in use is not opened: -EBUSY. Each takes a tenth of
 * a second and more, on the firmware's time. Returns 0 or -errno, and *step says what failed.
 */
int vfio_ask_cdev(const struct root *root, const char *device, struct vfio_answer *ret,
		  const char **step);
int vfio_ask_group(const struct root *root, uint64_t group, const char *bdf,
		   struct vfio_answer *ret, const char **step);

/* The same on descriptors at hand: of a node and of /dev/iommu, of /dev/vfio/vfio and a group. */
int vfio_ask_cdev_fd(int device_fd, int iommufd, struct vfio_answer *ret, const char **step);
int vfio_ask_group_fd(int container_fd, int group_fd, const char *bdf, struct vfio_answer *ret,
		      const char **step);

#endif

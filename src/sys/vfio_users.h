/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_VFIO_USERS_H
#define SYS_VFIO_USERS_H

#include "facts.h"
#include "sys/root.h"

/* A VF that is bound to a VFIO driver. */
struct vfio_vf {
	struct mlx5lm_pf *pf;
	struct mlx5lm_vf *vf;
	uint32_t is_free; /* enum mlx5lm_answer: nobody has it open */
};

struct vfio_vfs {
	struct vfio_vf *items;
	size_t length;
	size_t allocated;
};

/* All of the host. */
int vfio_vfs_list(struct mlx5lm_host *host, struct vfio_vfs *ret);
void vfio_vfs_release(struct vfio_vfs *vfs);

/*
 * Finds out who has them open, and with notes adds it to the facts. The processes are looked at
 * only if a driver says that some device is open: the kernel counts those as users of its module.
 */
int vfio_users_probe(const struct root *root, struct vfio_vfs *vfs, struct mlx5lm_host *host);

#endif

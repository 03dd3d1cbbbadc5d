/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_VFS_H
#define SYS_VFS_H

#include "facts.h"
#include "sys/root.h"

/*
 * Adds to pf the VFs that its directory pf_fd shows, with what sysfs and configuration space
 * tell of them. A file that cannot be read as long as a change of the VF waits in the kernel is
 * not waited for and stays unknown. -ENOMEM is the only failure.
 */
int vfs_probe(const struct root *root, int pf_fd, struct mlx5lm_pf *pf, struct mlx5lm_host *host);

/* How many links virtfnN a PF has. sriov_numvfs is never asked: reading it waits for changes. */
int vfs_count(int pf_fd, size_t *ret);

#endif

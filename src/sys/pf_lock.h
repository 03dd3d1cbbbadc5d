/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_PF_LOCK_H
#define SYS_PF_LOCK_H

#include "base/error.h"
#include "sys/root.h"

/*
 * Keeps a second configurator from a PF: an flock() on a file of the PF in sysfs that only root
 * can open. It needs no file of ours, holds for all processes that see this sysfs, and goes with
 * its owner, however that ends: a stale lock cannot be.
 *
 * *ret_fd: close it to unlock. -EBUSY with an error that names the owner.
 */
int pf_lock(const struct root *root, const char *pf_bdf, int *ret_fd,
	    struct mlx5lm_error **reterr);

#endif

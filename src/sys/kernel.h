/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_KERNEL_H
#define SYS_KERNEL_H

#include "facts.h"
#include "sys/root.h"

#define BOOT_ID_DIR "proc/sys/kernel/random"
#define BOOT_ID_FILE "boot_id"

/*
 * What the kernel tells of itself: release, host name, boot id, architecture, command line,
 * configuration, taint, lockdown, memory and IOMMU. -ENOMEM is the only failure.
 */
int kernel_probe(const struct root *root, struct mlx5lm_host *host);

/* The boot that this process lives in; NULL if it cannot be told or the root is another machine's. */
char *kernel_read_boot_id(const struct root *root);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_KERNEL_CONFIG_H
#define SYS_KERNEL_CONFIG_H

#include <stddef.h>

#include "facts.h"
#include "sys/root.h"

/* No configuration file is larger: that of a kernel with everything in it has 300 KiB. */
#define KERNEL_CONFIG_MAX_BYTES (1024 * 1024)

/*
 * What the kernel of host->kernel_release was built with, from the first file that says it.
 * -ENOMEM is the only failure.
 */
int kernel_config_probe(const struct root *root, struct mlx5lm_host *host);

/*
 * Adds the symbols that matter here, in a fixed order, with their values in text (a .config as
 * the kernel's build writes it); those that are not set or not mentioned are "n". -EBADMSG and
 * nothing added if the text is something else or cut off; -ENOMEM.
 */
int kernel_config_parse(const char *text, size_t length, struct mlx5lm_host *host);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_MODULES_H
#define SYS_MODULES_H

#include "facts.h"
#include "sys/root.h"

/* State and version of the modules a migration needs. -ENOMEM is the only failure. */
int modules_probe(const struct root *root, struct mlx5lm_host *host);

/*
 * Loads a module and what it depends on into the running kernel. What modprobe.d forbids or
 * replaces by a command is not loaded: the error says so. Blocks as long as the module's init
 * function runs.
 */
int modules_load(const struct root *root, const char *name, struct mlx5lm_error **reterr);

/* Whether sysfs shows the module as ready to work. */
bool modules_is_loaded(const struct root *root, const char *name);

#endif

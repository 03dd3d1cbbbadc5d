/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_ROOT_H
#define SYS_ROOT_H

#include <mlx5lm/types.h>

#include "base/cleanup.h"
#include "base/refcount.h"

/* The directory below which sys, proc and lib/modules of the host are found. */
struct root {
	struct refcount refcount;
	int fd;
	char *path;  /* as given, for messages */
	bool native; /* it shows the running kernel: changes and devlink are allowed */
};

int root_open(const char *path, struct root **ret, struct mlx5lm_error **reterr);
struct root *root_ref(struct root *root);
void root_unref(struct root *root);

DEFINE_CLEANUP(struct root *, root_unref)
#define _cleanup_root_ _cleanup_(root_unref_p)

#endif

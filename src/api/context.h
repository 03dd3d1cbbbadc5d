/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef API_CONTEXT_H
#define API_CONTEXT_H

#include <mlx5lm/context.h>

#include "api/turns.h"
#include "base/log.h"
#include "base/refcount.h"
#include "sys/root.h"

/* Of the daemon of this host, where the caller names none. */
#define DEFAULT_LIBVIRT_URI "qemu:///system"

struct mlx5lm_ctx {
	struct refcount refcount;
	struct root *root;
	struct turns *turns; /* of its sessions */
	struct log log;
	mlx5lm_destroy_fn log_destroy;
};

#endif

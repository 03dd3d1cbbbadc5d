/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_APPLIER_WINDOW_H
#define SYS_APPLIER_WINDOW_H

#include "sys/applier_internal.h"

/* How steps of one kind are done by netlink requests, many of which are on their way at once. */
struct window_kind {
	/* Opens the socket, and finds out what make() needs. 0 or -errno with an error. */
	int (*begin)(struct applier *applier, struct mlx5lm_error **reterr);
	/* The request of a step, in buffer; NULL with an error. */
	struct nlmsghdr *(*make)(struct applier *applier, const struct mlx5lm_step *step,
				 char buffer[NETLINK_REQUEST_SIZE], struct mlx5lm_error **reterr);
	/* The error of a request; words: the kernel's, may be NULL. Returns r. */
	int (*failed)(const struct applier *applier, const struct mlx5lm_step *step,
		      const char *words, int r, struct mlx5lm_error **reterr);
	/* Reads what all are now, and then whether that is what a step wanted. */
	int (*look)(struct applier *applier, struct mlx5lm_error **reterr);
	int (*verify)(struct applier *applier, const struct mlx5lm_step *step,
		      struct mlx5lm_error **reterr);
	unsigned int timeout_ms; /* of one request */
};

void applier_run_windows(struct run *run, const struct window_kind *kind, struct netlink **netlink);

#endif

/* SPDX-License-Identifier: MIT-0 */
#ifndef DESTINATION_H
#define DESTINATION_H

#include <mlx5lm/mlx5lm.h>

#include "remote.h"

/* The destination of a migration, which its agent makes ready. */
struct destination {
	struct remote remote;
	/* Snapshots of both hosts; NULL for a migration that is taken over. */
	const struct mlx5lm_host *source;
	struct mlx5lm_host *host;
};

/* Asks the agent what its host is like; NULL, and says why, if that is not possible. */
struct mlx5lm_host *destination_probe(struct destination *destination);

/* A mlx5lm_session_hook_fn; userdata is a struct destination. */
int destination_hook(struct mlx5lm_session *session, enum mlx5lm_hook hook, void *userdata);

#endif

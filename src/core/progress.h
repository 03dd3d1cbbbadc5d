/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_PROGRESS_H
#define CORE_PROGRESS_H

#include "facts.h"

#define PROGRESS_KEYS (MLX5LM_PROGRESS_VFS + 1)

struct mlx5lm_progress {
	enum mlx5lm_event event;
	enum mlx5lm_phase phase;
	struct fact_u64 values[PROGRESS_KEYS]; /* by enum mlx5lm_progress_key */
};

extern const struct name_list phase_names;
extern const struct name_list event_names;
extern const struct name_list hook_names;

/* The names of the numbers, as the public keys, in lower case. */
extern const char *const progress_keys[PROGRESS_KEYS];

/* One line of JSON. 0 or -ENOMEM. */
int progress_to_json(const struct mlx5lm_progress *progress, char **ret);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_COMPARE_SUPPORT_H
#define CORE_COMPARE_SUPPORT_H

#include "core/compare.h"

/* The finding with this id; NULL if there is none. */
const struct mlx5lm_finding *find_id(const struct mlx5lm_comparison *comparison, const char *id);

/* Two hosts and what was found. */
struct two_hosts {
	struct mlx5lm_host *source, *destination;
	struct mlx5lm_comparison comparison;
};

struct two_hosts ready_hosts(size_t source_vfs, size_t destination_vfs);
struct two_hosts known_hosts(size_t source_vfs, size_t destination_vfs);

/* Compares; what was found before is released. */
void compare_both(struct two_hosts *hosts);
void two_hosts_release(struct two_hosts *hosts);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_EVACUATION_H
#define CORE_EVACUATION_H

#include <mlx5lm/evacuation.h>

#include "base/str.h"
#include "base/text.h"
#include "core/bdf.h"
#include "core/findings.h"
#include "core/fleet.h"

/* Who goes where, and when, so that a host gets empty. */

struct mlx5lm_evacuation_options {
	uint64_t max_vfs_per_pf;
	uint64_t bandwidth_mib_per_s;
	uint64_t state_bytes_per_vf;
	uint64_t downtime_limit_ms;
	struct strv excluded; /* names of hosts */
};

#define EVACUATION_DEFAULT_MAX_VFS_PER_PF 4u

struct move_vf {
	char source[BDF_TEXT_SIZE];
	char destination[BDF_TEXT_SIZE];
};

struct mlx5lm_move {
	char *domain;
	char *destination;
	uint64_t wave; /* 1 and up */
	struct fact_u64 downtime_ms;
	struct move_vf *vfs;
	size_t num_vfs;
};

struct mlx5lm_evacuation {
	char *host;
	uint64_t num_waves;
	uint64_t num_left;
	uint32_t optimal; /* enum mlx5lm_answer */
	struct mlx5lm_move *moves;
	size_t num_moves;
	struct mlx5lm_findings findings;
};

void evacuation_free(struct mlx5lm_evacuation *evacuation);

DEFINE_CLEANUP(struct mlx5lm_evacuation *, evacuation_free)
#define _cleanup_evacuation_ _cleanup_(evacuation_free_p)

/* 0, -ENOENT with an error, or -ENOMEM. options may be NULL. */
int evacuation_make(const struct mlx5lm_fleet *fleet, const char *host,
		    const struct mlx5lm_evacuation_options *options,
		    struct mlx5lm_evacuation **ret, struct mlx5lm_error **reterr);

/* In evacuation_text.c. 0 or -ENOMEM. */
int evacuation_to_json_text(const struct mlx5lm_evacuation *evacuation, struct mlx5lm_text **ret);
int evacuation_to_plain_text(const struct mlx5lm_evacuation *evacuation, struct mlx5lm_text **ret);

#endif

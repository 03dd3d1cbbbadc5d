/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_COMPARE_H
#define CORE_COMPARE_H

#include <mlx5lm/compare.h>

#include "base/text.h"
#include "core/findings.h"
#include "facts.h"

struct vf_pair {
	char *source;
	char *destination;
};

struct mlx5lm_comparison {
	enum mlx5lm_verdict verdict;
	struct mlx5lm_findings findings;
	struct vf_pair *pairs;
	size_t num_pairs;
	size_t allocated_pairs;
};

/* 0 or -ENOMEM. */
int compare_hosts(const struct mlx5lm_host *source, const struct mlx5lm_host *destination,
		  struct mlx5lm_comparison *comparison);
void comparison_release(struct mlx5lm_comparison *comparison);
#define _cleanup_comparison_ _cleanup_(comparison_release)

/*
 * What a VF of one PF needs of the PF that takes it over; also for a pair the caller chose.
 * Adds findings about the object. 0 or -ENOMEM.
 */
int compare_pfs(const struct mlx5lm_pf *source, const struct mlx5lm_pf *destination,
		struct mlx5lm_findings *findings);

int comparison_to_text(const struct mlx5lm_comparison *comparison, struct mlx5lm_text **ret);

extern const char *const verdict_names[];

#endif

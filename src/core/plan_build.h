/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_PLAN_BUILD_H
#define CORE_PLAN_BUILD_H

#include "core/config.h"
#include "facts.h"

struct step_list {
	struct mlx5lm_step *steps;
	size_t length;
	size_t allocated;
};

/* Works out the steps; errors as mlx5lm_plan_new(). */
int plan_build(const struct mlx5lm_host *host, const struct mlx5lm_pf *pf,
	       const struct mlx5lm_config *config, struct step_list *ret,
	       struct mlx5lm_error **reterr);

/* Index of the first step in which the two differ, or -1. */
ssize_t step_list_differ(const struct step_list *a, const struct step_list *b);
void step_list_release(struct step_list *list);
#define _cleanup_step_list_ _cleanup_(step_list_release)

#endif

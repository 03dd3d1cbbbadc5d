/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_PLAN_BUILD_H
#define CORE_PLAN_BUILD_H

#include "core/config.h"
#include "core/findings.h"
#include "facts.h"

struct step_list {
	struct mlx5lm_step *steps;
	size_t length;
	size_t allocated;
	bool restart_needed; /* the NV configuration takes effect only after one */
	bool incomplete;     /* wishes that have to wait for that */
	struct mlx5lm_findings *findings; /* what to think about first; never NULL in a plan */
};

/* Works out the steps; errors as mlx5lm_plan_new(). */
int plan_build(const struct mlx5lm_host *host, const struct mlx5lm_pf *pf,
	       const struct mlx5lm_config *config, struct step_list *ret,
	       struct mlx5lm_error **reterr);

/*
 * The wanted state that is what a PF has: a plan with it leads back there. Facts that are not
 * known, and what cannot be undone, are left as they are going to be.
 */
int config_from_pf(const struct mlx5lm_pf *pf, struct mlx5lm_config **ret);

/*
 * Completes a wanted state by what a PF had before, where a plan that was cut off may have
 * changed it for a time: autoprobe, and the drivers of VFs that stay and of which nothing is
 * wanted. For going on with it from there. 0 or -ENOMEM.
 */
int config_keep(struct mlx5lm_config *wanted, const struct mlx5lm_pf *before);

/* How many steps from the first on may run side by side: one kind, different VFs. 0 of none. */
size_t step_batch_length(const struct mlx5lm_step *steps, size_t length);

/* How long all steps usually take, those that run side by side counted as such. */
uint64_t step_list_usual_time_ms(const struct step_list *list);

/*
 * Which rights this process lacks for the steps, one "step: what is missing" a line, by the
 * snapshot's privileges; NULL in *ret if none is known to be missing. 0 or -ENOMEM.
 */
int plan_missing_rights(const struct mlx5lm_host *host, const struct step_list *list, char **ret);

/* Index of the first step in which the two differ, or -1. */
ssize_t step_list_differ(const struct step_list *a, const struct step_list *b);
void step_list_release(struct step_list *list);
#define _cleanup_step_list_ _cleanup_(step_list_release)

#endif

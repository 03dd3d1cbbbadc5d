/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PLAN_SUPPORT_H
#define PLAN_SUPPORT_H

#include "base/error.h"
#include "core/plan_build.h"

/* An empty wanted state of a PF. Aborts when out of memory, as all of these. */
struct mlx5lm_config *new_config(void);

/* The state of the vendor's page: N VFs, switchdev, migratable, on the variant driver. */
struct mlx5lm_config *ready_config(uint32_t num_vfs);

/* Plans for the first PF, which has to work. Takes the config; the list is the caller's. */
struct step_list make_plan(const struct mlx5lm_host *host, struct mlx5lm_config *config);

/* Plans, and expects these kinds of steps in this order; 0 ends the list. Takes its arguments. */
void expect_steps(struct mlx5lm_host *host, struct mlx5lm_config *config,
		  const enum step_kind *kinds);

/*
 * Plans, and expects a refusal with this code whose message and remedy hold these words; a NULL
 * is for any. Takes its arguments; the error is the caller's.
 */
struct mlx5lm_error *expect_refusal(struct mlx5lm_host *host, struct mlx5lm_config *config,
				    int errnum, enum mlx5lm_error_code code, const char *message,
				    const char *remedy);

/* A parameter of the NV configuration, as a tool shows it. */
void add_nv(struct mlx5lm_pf *pf, const char *name, uint64_t current, uint64_t next_boot);

void add_privilege(struct mlx5lm_host *host, const char *name, bool granted, const char *needs);

#endif

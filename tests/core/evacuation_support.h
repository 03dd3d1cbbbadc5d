/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef EVACUATION_SUPPORT_H
#define EVACUATION_SUPPORT_H

#include "core/evacuation.h"

/*
 * A fleet made by hand, which stands in for that of core/fleet.c: the test is linked with --wrap
 * for all functions of core/fleet.h. Aborts when out of memory, as all of these.
 */
struct mlx5lm_fleet {
	struct fleet_host *hosts;
	size_t num_hosts;
	uint32_t unknown_class; /* NO_CLASS: all are known */
};

#define NO_CLASS UINT32_MAX
#define NUM_CLASSES 4u

struct mlx5lm_fleet *hand_made_fleet(void);
/* A host without PFs, to which the next functions add. */
void add_host(struct mlx5lm_fleet *fleet, const char *name);
/* A PF of the last host, with VFs that are free and ready. */
struct fleet_pf *add_pf(struct mlx5lm_fleet *fleet, uint32_t cls, uint32_t num_vfs);
/* Gives the first VFs of a PF of the first host that nobody has to a domain of it. */
void give(struct mlx5lm_fleet *fleet, const char *domain, uint32_t pf, uint32_t num_vfs);
void release_fleet(struct mlx5lm_fleet *fleet);

/* Plans for the first host, which has to work; the caller frees it. */
struct mlx5lm_evacuation *evacuate(const struct mlx5lm_fleet *fleet,
				   const struct mlx5lm_evacuation_options *options);

/*
 * What holds for any plan: each domain of the first host goes at most once, with all of its VFs,
 * each to a free VF of a PF of the same class, none twice; a wave in which there are several
 * domains keeps to the limits; each that stays has a finding.
 */
void expect_valid(const struct mlx5lm_fleet *fleet, const struct mlx5lm_evacuation_options *options,
		  const struct mlx5lm_evacuation *evacuation);

/* Numbers that look like chance, the same in each run. */
uint32_t random_below(uint64_t *seed, uint32_t end);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_BEFORE_H
#define CORE_BEFORE_H

#include "core/config.h"
#include "facts.h"

/* What a PF was like before a plan, and what of it counts later. */

/*
 * Completes what was known of VFs by what their ports tell now: outside switchdev mode there are
 * no ports to ask. Only for VFs that are the same ones. 0 or -ENOMEM.
 */
int before_learn_ports(struct mlx5lm_pf *before, const struct mlx5lm_pf *now);

/*
 * Gives up what is wanted of VFs that failed (by VF index): they are to be as they were. VFs that
 * are new since then shall have no driver and not be migratable, and else stay as they are now.
 * 0 or -ENOMEM.
 */
int before_give_up_vfs(const struct mlx5lm_pf *before, const struct mlx5lm_pf *now, bool recreated,
		       const bool *failed, size_t length, struct mlx5lm_config *config);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_APPLIER_H
#define SYS_APPLIER_H

#include "base/log.h"
#include "facts.h"
#include "sys/root.h"

/* Carries out the steps of a plan on one PF, over one netlink socket. */
struct applier;

/* -EROFS if the root is not native. */
int applier_new(const struct root *root, const struct log *log, const char *pf_bdf,
		struct applier **ret, struct mlx5lm_error **reterr);

/* Does one step and reads the result back; the error names the object, not the step. */
int applier_run(struct applier *applier, const struct mlx5lm_step *step,
		struct mlx5lm_error **reterr);
void applier_free(struct applier *applier);

DEFINE_CLEANUP(struct applier *, applier_free)
#define _cleanup_applier_ _cleanup_(applier_free_p)

#endif

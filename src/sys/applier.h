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

/*
 * Told when a step is started, done or failed; index counts in what applier_run() was given.
 * error: why it failed; the function takes it. A negative return at any state: no further step
 * is started; at STARTED: that one is not begun either, and nothing more is said of it.
 */
struct applier_watch {
	int (*fn)(void *data, size_t index, enum mlx5lm_step_state state,
		  struct mlx5lm_error *error);
	void *data;
};

/*
 * Does steps of one kind, side by side where the kernel lets it, and reads each result back.
 * Goes on past one that fails. Each step that is started ends as DONE or FAILED. The errors name
 * the object, not the step. Returns 0 if all are done, -ECANCELED if the watch said so and
 * some were not started, else -errno of the first one that failed.
 */
int applier_run(struct applier *applier, const struct mlx5lm_step *const *steps, size_t length,
		const struct applier_watch *watch);

/* What it has done to the host so far. */
struct applier_counts {
	uint64_t writes;   /* files written, tools run */
	uint64_t messages; /* netlink requests that change something */
};

struct applier_counts applier_get_counts(const struct applier *applier);
void applier_free(struct applier *applier);

DEFINE_CLEANUP(struct applier *, applier_free)
#define _cleanup_applier_ _cleanup_(applier_free_p)

#endif

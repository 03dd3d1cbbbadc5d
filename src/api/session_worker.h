/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef API_SESSION_WORKER_H
#define API_SESSION_WORKER_H

#include <stdatomic.h>

#include "api/session_options.h"
#include "base/error.h"
#include "core/phase.h"

/*
 * The private thread of a running session. It makes the calls that block: connecting, reading
 * both ends, migrating, verifying. It calls nothing of the caller's and reports by stages: each
 * is queued and announced by the eventfd.
 */
struct worker;

struct _virDomain;

enum cancel_reason {
	CANCEL_NONE,
	CANCEL_BY_CALLER,
	CANCEL_BY_DEADLINE,
};

struct worker_result {
	enum session_stage stage; /* a final one */
	struct mlx5lm_error *error; /* NULL if completed */
	struct job_stats job; /* if completed, and known */
};

#define WORKER_MAX_STAGES STAGE_CANCELLED

/* options and cancel must outlive the worker. 0 or -errno. */
int worker_start(const struct mlx5lm_session_options *options, const atomic_int *cancel,
		 int wake_fd, struct worker **ret);

/* Stages that were reached since the last call, in order. */
size_t worker_take_stages(struct worker *worker, enum session_stage stages[WORKER_MAX_STAGES]);

/*
 * The domain at the source on a connection of its own, to look at and to abort from the
 * caller's thread; NULL before STAGE_MIGRATE. libvirt 9.0's client loses wake-ups if the
 * migrating thread's connection is shared.
 */
struct _virDomain *worker_watched_domain(struct worker *worker);

/* Waits for the end and releases the worker. */
void worker_join(struct worker *worker, struct worker_result *ret);

#endif

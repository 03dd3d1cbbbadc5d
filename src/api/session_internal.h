/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef API_SESSION_INTERNAL_H
#define API_SESSION_INTERNAL_H

#include "api/context.h"
#include "api/session_link.h"

#define SESSION_MAX_EVENTS 64

/* An event that was not told yet, with the state it tells of. */
struct session_event {
	struct mlx5lm_progress progress;
};

struct mlx5lm_session {
	struct refcount refcount;
	struct mlx5lm_ctx *ctx;
	struct session_link *link;
	int epoll_fd;
	int timer_fd; /* until the session loses patience with a daemon */

	mlx5lm_session_fn fn;
	void *userdata;
	mlx5lm_destroy_fn destroy;
	mlx5lm_session_hook_fn hook_fn;
	void *hook_userdata;
	mlx5lm_destroy_fn hook_destroy;
	bool in_callback;
	enum mlx5lm_hook in_hook;
	bool prepared; /* the hook was called for it, as the next */
	bool committed;
	int commit_result;
	struct mlx5lm_error *hook_error; /* what it says of its failure */
	struct mlx5lm_host *new_destination;

	bool started;
	bool ended; /* a final phase was reached */
	pthread_t threads[LINK_THREADS];
	bool has_thread[LINK_THREADS]; /* that is not joined */
	enum session_stage stage;
	struct phase_machine machine;
	uint64_t last_sample_ms; /* that the caller is told */
	struct mlx5lm_progress now; /* that the caller sees */
	struct session_event events[SESSION_MAX_EVENTS];
	size_t first_event, num_events;
	bool told_end;
	struct session_news news;
	struct mlx5lm_comparison *old_comparison; /* borrowed by the caller before PREPARE */
	struct session_end end;
};

/* In session_dispatch.c. */

/* Does what is due, but for telling the events. */
void session_advance(struct mlx5lm_session *session);
/* Sleeps until something is due; false if the time is over. UINT64_MAX: no time. */
bool session_wait_due(const struct mlx5lm_session *session, uint64_t until_ms);
/* Sets the timer to when patience ends. */
void session_arm(struct mlx5lm_session *session);
/* Waits for threads that have ended, or are about to. */
void session_join(struct mlx5lm_session *session);
/* -EBUSY. */
int session_refuse_reentry(struct mlx5lm_error **reterr);

#endif

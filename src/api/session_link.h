/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef API_SESSION_LINK_H
#define API_SESSION_LINK_H

#include <pthread.h>
#include <stdatomic.h>

#include "api/session_options.h"
#include "api/turns.h"
#include "base/error.h"
#include "core/compare.h"
#include "core/failure.h"
#include "core/phase.h"
#include "core/session_record.h"
#include "core/session_text.h"
#include "sys/session_file.h"

/*
 * What a session shares with its two threads: the worker, which migrates, and the watcher, which
 * looks on and does what the policy decides. Both report here and announce it by an eventfd; none
 * runs code of the caller. A daemon may keep a call of libvirt for ever: then the session gives
 * its threads up, and each releases what it has, and its reference to this, when its call returns.
 */

struct _virConnect;
struct _virDomain;

enum link_thread {
	LINK_WORKER,
	LINK_WATCHER,
	LINK_THREADS,
};

/* One look of the watcher. */
struct session_look {
	uint64_t at_ms;
	enum domain_state source;
	struct job_stats job;
	uint64_t downtime_limit_ms; /* 0: not known */
	uint64_t stalls;
	bool acted;
};

/* What the worker has found so far; it hands over what is new. */
struct session_news {
	struct mlx5lm_comparison *comparison;
	struct mlx5lm_findings findings;
	struct migration migration; /* with texts of the options' only */
	bool has_migration;
	struct forecast forecast;
	bool has_forecast;
	struct fact_u64 num_vfs;
	struct fact_u64 queue_position;
};

struct session_end {
	enum session_stage stage; /* a final one; NONE: not yet */
	enum mlx5lm_reason reason;
	struct mlx5lm_error *error; /* NULL if completed */
	struct job_stats job;	    /* if completed, and known */
};

#define LINK_MAX_STAGES STAGE_CANCELLED
#define LINK_MAX_LOOKS 8
#define LINK_MAX_ACTS 1000

struct session_link {
	struct refcount refcount;
	struct turns *turns;
	struct mlx5lm_session_options *options;
	struct session_record *record; /* of an attached session; NULL: a new migration */
	struct session_file *file; /* its journal, until the worker takes it */
	struct job_policy policy;
	char *boot_id;	   /* of this process's host; NULL: not known */
	uint64_t age_ms;   /* of an attached session when it is attached to */
	uint64_t began_ms; /* of base/clock.h: when this session began */
	uint64_t started_ms; /* the same, but of an attached session: when the first one began */
	bool has_hook;
	int wake_fd;
	atomic_int cancel; /* enum mlx5lm_reason, UNKNOWN: go on; the first one stays */
	atomic_bool force;

	pthread_mutex_t mutex; /* of all that follows */
	pthread_cond_t changed;
	bool given_up;
	bool connected; /* to both daemons */
	uint64_t cancelled_ms;
	enum session_stage stage; /* the last that was reached */
	enum session_stage stages[LINK_MAX_STAGES];
	size_t num_stages;
	struct session_look looks[LINK_MAX_LOOKS];
	size_t num_looks;
	struct session_act acts[LINK_MAX_ACTS];
	size_t num_acts;
	struct session_news news;
	bool threads[LINK_THREADS]; /* that run */
	struct link_call {
		uint64_t since_ms; /* 0: none */
		enum failure_side side;
		bool endless; /* it may take as long as it likes */
	} calls[LINK_THREADS];

	/* What the watcher is to look at; it becomes the watcher's. */
	struct _virConnect *watching;
	struct _virDomain *watched;
	struct _virConnect *peer; /* of DIRECT: the destination's, which must stay alive */
	uint64_t limit_ms; /* of the downtime at the start */
	uint64_t over_ms; /* when the job was first seen to be over; 0: not yet */

	/* What the worker knew of the end before it asked on. */
	enum domain_state at_source;
	struct mlx5lm_error *failure; /* what libvirt's call has reported; NULL: nothing yet, or no failure */

	enum mlx5lm_hook hook_asked; /* UNKNOWN: none */
	bool hook_answered;
	int hook_result; /* 1: skipped */
	struct mlx5lm_error *hook_error;
	struct mlx5lm_error *commit_error; /* for which the session cancelled */
	struct mlx5lm_host *new_destination; /* that PREPARE has told */

	struct session_end end;
};

/* Takes over none of its arguments but record and options. 0 or -errno. */
int session_link_new(struct turns *turns, struct mlx5lm_session_options *options,
		     struct session_record *record, struct session_link **ret);
struct session_link *session_link_ref(struct session_link *link);
void session_link_unref(struct session_link *link);

DEFINE_CLEANUP(struct session_link *, session_link_unref)
#define _cleanup_session_link_ _cleanup_(session_link_unref_p)

/* Starts a thread on which no signal of the host program runs. 0 or -errno. */
int session_link_start_thread(struct session_link *link, enum link_thread thread,
			      void *(*fn)(void *), pthread_t *ret);
/* The last thing that a thread does with its reference. */
void session_link_end_thread(struct session_link *link, enum link_thread thread);

void session_link_cancel(struct session_link *link, enum mlx5lm_reason reason);
enum mlx5lm_reason session_link_cancelled(const struct session_link *link);

/* False if the session was given up: stop, touch nothing any more. */
bool session_link_reach(struct session_link *link, enum session_stage stage);
bool session_link_is_given_up(struct session_link *link);

/* Around each call that a daemon answers, or does not. */
void session_link_enter_call(struct session_link *link, enum link_thread thread,
			     enum failure_side side, bool endless);
void session_link_leave_call(struct session_link *link, enum link_thread thread);

/*
 * When the session loses patience with a thread whose call does not return; UINT64_MAX: never, as
 * things are. *ret_side: with whose daemon.
 */
uint64_t session_link_patience_ms(struct session_link *link, enum failure_side *ret_side);

/* Both daemons are connected to: that deadline is over. */
void session_link_connected(struct session_link *link);

/* Hands over what is new; pointers become the link's. */
void session_link_publish(struct session_link *link, struct session_news *news);

/*
 * Hands a job over to be watched; connection and domain become the watcher's. peer: of DIRECT, the
 * connection to the destination; the watcher takes a reference of its own.
 */
void session_link_watch(struct session_link *link, struct _virConnect *connection,
			struct _virDomain *domain, struct _virConnect *peer, uint64_t limit_ms);

/*
 * Has the caller do what a hook is for, and waits: 0 or -errno with his error; 1 if he was not
 * called, as there is no hook or the session was cancelled before it prepared anything. What was
 * told of the destination with PREPARE is in *ret_destination then, which may be NULL.
 */
int session_link_ask_hook(struct session_link *link, enum mlx5lm_hook hook,
			  struct mlx5lm_host **ret_destination, struct mlx5lm_error **reterr);

/* Waits until the watcher has seen that the job is over; false if the session was given up. */
bool session_link_wait_over(struct session_link *link);

/* QEMU is to switch over now. */
void session_link_force(struct session_link *link);

/*
 * Gives the threads up. running says which still have to come back; *ret is the end that the worker
 * may have reported before, else left alone.
 */
void session_link_abandon(struct session_link *link, bool running[static LINK_THREADS],
			  struct session_end *ret);

/* How a session that was given up has ended, as far as anybody knows. */
void session_link_explain_silence(struct session_link *link, enum session_stage stage,
				  enum failure_side side, enum mlx5lm_reason cancelled,
				  struct session_end *ret);

/* What is known of the end, for the case that nobody answers any more. failure may be NULL. */
void session_link_know(struct session_link *link, enum domain_state at_source,
		       const struct mlx5lm_error *failure);

/* How it ended, by the worker. */
void session_link_finish(struct session_link *link, const struct session_end *end);

void session_news_release(struct session_news *news);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef API_SESSION_WORKER_H
#define API_SESSION_WORKER_H

#include "api/session_link.h"
#include "core/domain.h"
#include "core/preflight.h"
#include "sys/domain.h"
#include "sys/libvirt.h"
#include "sys/session_file.h"

/*
 * The thread of a running session that makes the calls that block: connecting, reading both
 * ends, migrating, verifying. Its parts: session_preflight.c until the migration is started,
 * session_verify.c when it is over.
 */
struct worker {
	struct session_link *link;
	const struct mlx5lm_session_options *options;
	struct mlx5lm_host *destination; /* the newest snapshot; NULL: none */
	const struct vf_mappings *wanted; /* chosen already, by the caller or before */
	bool makeable;
	enum failure_side side;	/* whom it talked to last */
	enum failure_side lost; /* whose daemon had gone when the migration was over */
	enum mlx5lm_reason reason;	 /* where it is known better than by the error */

	struct _virConnect *from; /* for the blocking call, and the outcome */
	struct _virConnect *to;
	struct _virConnect *watching;
	struct _virDomain *domain;
	struct _virDomain *watched;
	struct mlx5lm_domain *parsed; /* NULL of an attached session */
	struct libvirt_facts from_facts;
	struct libvirt_facts to_facts;
	char *xml; /* complete */
	char *destination_xml; /* NULL: as it is */
	char *name;
	char *uuid;
	struct vf_mappings mappings;
	struct pairing pairing; /* what moves; of an attached session from its record */
	struct migration migration;
	struct session_file *file;
	struct queue_ticket ticket;
	bool has_turn;
	struct forecast forecast;
	bool prepared;
	bool started; /* libvirt was told to migrate */
	struct fact_u64 old_downtime_limit_ms;
	bool limits_downtime; /* another one was set */
	enum domain_state at_source;
	enum domain_state at_destination;
	struct session_end end;
};

/* The thread; argument is its reference to the link. */
void *session_worker(void *link);

/* Ends the preflight or preparation where the caller cancelled, or the session was given up. */
int worker_check(const struct worker *worker, struct mlx5lm_error **reterr);

/* In session_preflight.c. */
int worker_connect(struct worker *worker, struct mlx5lm_error **reterr);
int worker_preflight(struct worker *worker, struct mlx5lm_error **reterr);
int worker_prepare(struct worker *worker, struct mlx5lm_error **reterr);

/* In session_attach.c: the same of a migration whose caller died; 1 if its job still runs. */
int worker_attach(struct worker *worker, struct mlx5lm_error **reterr);
int worker_open_journal(struct worker *worker, struct mlx5lm_error **reterr);

/* In session_verify.c: where is the guest, and is all as it should be? failure may be NULL. */
int worker_verify(struct worker *worker, const struct mlx5lm_error *failure,
		  struct mlx5lm_error **reterr);

static inline void worker_enter(struct worker *worker, enum failure_side side)
{
	worker->side = side;
	session_link_enter_call(worker->link, LINK_WORKER, side, false);
}

static inline void worker_leave(struct worker *worker)
{
	session_link_leave_call(worker->link, LINK_WORKER);
}

#endif

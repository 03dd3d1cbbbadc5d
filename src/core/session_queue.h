/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_SESSION_QUEUE_H
#define CORE_SESSION_QUEUE_H

#include "core/pairing.h"
#include "facts.h"

/*
 * Whose turn it is: sessions that need the same host or PF share its places in the order in which
 * they came. One that waits holds back those behind it that need what it waits for, and no
 * others. No lock, no clock: who shares it between threads brings the lock.
 */
struct session_queue {
	uint32_t max_per_host; /* 0: any number, as the next */
	uint32_t max_per_pf;
	struct queue_ticket **tickets; /* in the order in which they came; borrowed */
	size_t length;
	size_t allocated;
};

/* The wish of one session. */
struct queue_ticket {
	struct strv hosts; /* names of what it needs, each once; a PF's with its host's */
	struct strv pfs;
	bool runs;
};

/* Names the hosts (by their URIs) and PFs that a session needs. 0 or -ENOMEM. */
int queue_ticket_init(struct queue_ticket *ticket, const char *source_uri,
		      const char *destination_uri, const struct mlx5lm_pair *pairs,
		      size_t num_pairs);
void queue_ticket_release(struct queue_ticket *ticket);

/* Puts it at the end; it is let in at once if it may. 0 or -ENOMEM. */
int session_queue_enter(struct session_queue *queue, struct queue_ticket *ticket);
/* Takes it out, wherever it is, and lets in whose turn it is then. */
void session_queue_leave(struct session_queue *queue, struct queue_ticket *ticket);
/* Other limits: lets in who may now; nobody who runs is stopped. */
void session_queue_set_limits(struct session_queue *queue, uint32_t per_host, uint32_t per_pf);
/* How many that wait come before it and need what it needs, those who run and have it included. */
size_t session_queue_position(const struct session_queue *queue, const struct queue_ticket *ticket);

void session_queue_release(struct session_queue *queue);

#endif

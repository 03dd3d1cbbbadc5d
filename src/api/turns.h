/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef API_TURNS_H
#define API_TURNS_H

#include <pthread.h>

#include "base/cleanup.h"
#include "base/refcount.h"
#include "core/session_queue.h"

/*
 * The queue of a context's sessions, shared by their threads, which may outlive the context: they
 * must not be the ones to release it, as that runs code of the caller.
 */
struct turns {
	struct refcount refcount;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	struct session_queue queue;
};

/* NULL when out of memory. */
struct turns *turns_new(void);
struct turns *turns_ref(struct turns *turns);
void turns_unref(struct turns *turns);

DEFINE_CLEANUP(struct turns *, turns_unref)

void turns_set_limits(struct turns *turns, uint32_t per_host, uint32_t per_pf);

/* 0 or -ENOMEM. */
int turns_enter(struct turns *turns, struct queue_ticket *ticket);
void turns_leave(struct turns *turns, struct queue_ticket *ticket);

/*
 * Waits until the ticket runs, or its place in the queue is not *position any more: true, with the
 * place in *position, which is 0 when it runs. False once stop(data) says so; it is asked again
 * after each turns_wake().
 */
bool turns_wait(struct turns *turns, struct queue_ticket *ticket, bool (*stop)(void *data),
		void *data, size_t *position);

/* Has all who wait look around. */
void turns_wake(struct turns *turns);

#endif

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/turns.h"

struct turns *turns_new(void)
{
	struct turns *turns = calloc(1, sizeof(*turns));

	if (!turns)
		return NULL;
	refcount_init(&turns->refcount);
	pthread_mutex_init(&turns->mutex, NULL);
	pthread_cond_init(&turns->changed, NULL);
	return turns;
}

struct turns *turns_ref(struct turns *turns)
{
	refcount_get(&turns->refcount);
	return turns;
}

void turns_unref(struct turns *turns)
{
	if (!refcount_put(&turns->refcount))
		return;
	session_queue_release(&turns->queue);
	pthread_cond_destroy(&turns->changed);
	pthread_mutex_destroy(&turns->mutex);
	free(turns);
}

void turns_set_limits(struct turns *turns, uint32_t per_host, uint32_t per_pf)
{
	pthread_mutex_lock(&turns->mutex);
	session_queue_set_limits(&turns->queue, per_host, per_pf);
	pthread_cond_broadcast(&turns->changed);
	pthread_mutex_unlock(&turns->mutex);
}

int turns_enter(struct turns *turns, struct queue_ticket *ticket)
{
	int r;

	pthread_mutex_lock(&turns->mutex);
	r = session_queue_enter(&turns->queue, ticket);
	pthread_mutex_unlock(&turns->mutex);
	return r;
}

void turns_leave(struct turns *turns, struct queue_ticket *ticket)
{
	pthread_mutex_lock(&turns->mutex);
	session_queue_leave(&turns->queue, ticket);
	pthread_cond_broadcast(&turns->changed);
	pthread_mutex_unlock(&turns->mutex);
}

static size_t position_of(const struct turns *turns, const struct queue_ticket *ticket)
{
	return ticket->runs ? 0 : session_queue_position(&turns->queue, ticket);
}

bool turns_wait(struct turns *turns, struct queue_ticket *ticket, bool (*stop)(void *data),
		void *data, size_t *position)
{
	size_t before = *position;
	bool stopped;

	pthread_mutex_lock(&turns->mutex);
	while (!(stopped = stop(data)) && !ticket->runs &&
	       position_of(turns, ticket) == before)
		pthread_cond_wait(&turns->changed, &turns->mutex);
	*position = position_of(turns, ticket);
	pthread_mutex_unlock(&turns->mutex);
	return !stopped;
}

void turns_wake(struct turns *turns)
{
	/* With the lock, so that nobody is between his look and his sleep. */
	pthread_mutex_lock(&turns->mutex);
	pthread_cond_broadcast(&turns->changed);
	pthread_mutex_unlock(&turns->mutex);
}

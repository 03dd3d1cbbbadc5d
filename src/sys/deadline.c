// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/deadline.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"

/* libkmod keeps a few paths on the stack and unpacks modules. */
#define STACK_SIZE (1024 * 1024)

struct deadline_call {
	int (*fn)(void *data);
	void *data;
	void (*destroy)(void *data);
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool ended;
	bool abandoned;
	int result;
};

static void call_free(struct deadline_call *call)
{
	pthread_cond_destroy(&call->changed);
	pthread_mutex_destroy(&call->lock);
	free(call);
}

static void *run(void *argument)
{
	struct deadline_call *call = argument;
	int result = call->fn(call->data);
	bool abandoned;

	pthread_mutex_lock(&call->lock);
	call->result = result;
	call->ended = true;
	abandoned = call->abandoned;
	pthread_cond_signal(&call->changed);
	/* From here on the call belongs to whoever waits for it, if somebody does. */
	pthread_mutex_unlock(&call->lock);
	if (abandoned) {
		call->destroy(call->data);
		call_free(call);
	}
	return NULL;
}

static int call_new(struct deadline_call **ret)
{
	struct deadline_call *call = calloc(1, sizeof(*call));
	pthread_condattr_t attributes;

	if (!call)
		return -ENOMEM;
	/* A deadline must not move with the wall clock. None of these fails on Linux. */
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&call->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	pthread_mutex_init(&call->lock, NULL);
	*ret = call;
	return 0;
}

static int start_thread(struct deadline_call *call)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	int r;

	r = pthread_attr_init(&attributes);
	if (r)
		return -r;
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&call->thread, &attributes, run, call);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return -r;
}

int deadline_start(int (*fn)(void *data), void *data, void (*destroy)(void *data),
		   struct deadline_call **ret)
{
	struct deadline_call *call;
	int r;

	r = call_new(&call);
	if (r < 0)
		return r;
	call->fn = fn;
	call->data = data;
	call->destroy = destroy;
	r = start_thread(call);
	if (r < 0) {
		call_free(call);
		return r;
	}
	*ret = call;
	return 0;
}

int deadline_wait(struct deadline_call *call, uint64_t until_ms, int *result)
{
	struct timespec until = {
		.tv_sec = (time_t)(until_ms / 1000),
		.tv_nsec = (long)(until_ms % 1000) * 1000000,
	};
	bool ended;
	int r = 0;

	pthread_mutex_lock(&call->lock);
	while (!call->ended && r == 0)
		r = pthread_cond_timedwait(&call->changed, &call->lock, &until);
	ended = call->ended;
	call->abandoned = !ended;
	if (ended)
		*result = call->result;
	else
		pthread_detach(call->thread);
	pthread_mutex_unlock(&call->lock);
	if (!ended)
		return -ETIMEDOUT;
	/* It has only to return; and nothing of it runs any more if the library is unloaded next. */
	pthread_join(call->thread, NULL);
	call_free(call);
	return 0;
}

int deadline_call(int (*fn)(void *data), void *data, void (*destroy)(void *data),
		  unsigned int timeout_ms, int *result)
{
	uint64_t until_ms = (uint64_t)clock_now_ms() + timeout_ms;
	struct deadline_call *call;
	int r;

	r = deadline_start(fn, data, destroy, &call);
	return r < 0 ? r : deadline_wait(call, until_ms, result);
}

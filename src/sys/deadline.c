// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/deadline.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

/* libkmod keeps a few paths on the stack and unpacks modules. */
#define STACK_SIZE (1024 * 1024)

struct call {
	int (*fn)(void *data);
	void *data;
	void (*destroy)(void *data);
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool ended;
	bool abandoned;
	int result;
};

static void call_free(struct call *call)
{
	pthread_cond_destroy(&call->changed);
	pthread_mutex_destroy(&call->lock);
	free(call);
}

static void *run(void *argument)
{
	struct call *call = argument;
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

static int call_new(struct call **ret)
{
	struct call *call = calloc(1, sizeof(*call));
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

static int start(struct call *call)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	pthread_t thread;
	int r;

	r = pthread_attr_init(&attributes);
	if (r)
		return -r;
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&thread, &attributes, run, call);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return -r;
}

static struct timespec after_ms(unsigned int ms)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += ms / 1000;
	ts.tv_nsec += (long)(ms % 1000) * 1000000;
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_nsec -= 1000000000;
		ts.tv_sec++;
	}
	return ts;
}

int deadline_call(int (*fn)(void *data), void *data, void (*destroy)(void *data),
		  unsigned int timeout_ms, int *result)
{
	struct timespec deadline = after_ms(timeout_ms);
	struct call *call;
	bool ended;
	int r;

	r = call_new(&call);
	if (r < 0)
		return r;
	call->fn = fn;
	call->data = data;
	call->destroy = destroy;
	r = start(call);
	if (r < 0) {
		call_free(call);
		return r;
	}
	pthread_mutex_lock(&call->lock);
	while (!call->ended && r == 0)
		r = pthread_cond_timedwait(&call->changed, &call->lock, &deadline);
	ended = call->ended;
	call->abandoned = !ended;
	*result = call->result;
	pthread_mutex_unlock(&call->lock);
	if (!ended)
		return -ETIMEDOUT;
	call_free(call);
	return 0;
}

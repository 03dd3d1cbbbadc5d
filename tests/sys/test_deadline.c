// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/deadline.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#include "base/clock.h"

struct work {
	sem_t may_end;
	sem_t destroyed;
	sigset_t signals;
};

static int end_at_once(void *data)
{
	struct work *work = data;

	sigemptyset(&work->signals);
	pthread_sigmask(SIG_BLOCK, NULL, &work->signals);
	return -42;
}

static int end_when_told(void *data)
{
	struct work *work = data;

	sem_wait(&work->may_end);
	return 0;
}

static void destroy(void *data)
{
	struct work *work = data;

	sem_post(&work->destroyed);
}

Test(deadline, gives_the_result_and_the_data_back)
{
	struct work work;
	int result = 0, destroyed;

	sem_init(&work.destroyed, 0, 0);
	cr_assert_eq(deadline_call(end_at_once, &work, destroy, 10000, &result), 0);
	cr_assert_eq(result, -42);
	sem_getvalue(&work.destroyed, &destroyed);
	cr_assert_eq(destroyed, 0);
}

Test(deadline, runs_no_signal_handler_of_the_application_on_its_thread)
{
	struct work work;
	int result;

	cr_assert_eq(deadline_call(end_at_once, &work, destroy, 10000, &result), 0);
	cr_assert(sigismember(&work.signals, SIGTERM));
	cr_assert(sigismember(&work.signals, SIGCHLD));
}

Test(deadline, leaves_the_signals_of_the_caller_alone)
{
	sigset_t before, after;
	struct work work;
	int result;

	pthread_sigmask(SIG_BLOCK, NULL, &before);
	cr_assert_eq(deadline_call(end_at_once, &work, destroy, 10000, &result), 0);
	pthread_sigmask(SIG_BLOCK, NULL, &after);
	for (int signal = 1; signal < 32; signal++)
		cr_assert_eq(sigismember(&before, signal), sigismember(&after, signal));
}

Test(deadline, does_not_wait_for_what_hangs_and_destroys_it_when_it_ends)
{
	static struct work work;
	struct timespec limit;
	int result = 0;

	sem_init(&work.may_end, 0, 0);
	sem_init(&work.destroyed, 0, 0);
	cr_assert_eq(deadline_call(end_when_told, &work, destroy, 20, &result), -ETIMEDOUT);
	cr_assert_eq(sem_trywait(&work.destroyed), -1);
	sem_post(&work.may_end);
	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += 30;
	cr_assert_eq(sem_timedwait(&work.destroyed, &limit), 0);
}

Test(deadline, two_calls_run_at_once)
{
	struct work works[2];
	struct deadline_call *calls[2];
	int result;

	for (int i = 0; i < 2; i++) {
		sem_init(&works[i].may_end, 0, 0);
		sem_init(&works[i].destroyed, 0, 0);
		cr_assert_eq(deadline_start(end_when_told, &works[i], destroy, &calls[i]), 0);
	}
	/* The second may end first. */
	for (int i = 1; i >= 0; i--) {
		sem_post(&works[i].may_end);
		result = -1;
		cr_assert_eq(deadline_wait(calls[i], (uint64_t)clock_now_ms() + 30000, &result), 0);
		cr_assert_eq(result, 0);
		cr_assert_eq(sem_trywait(&works[i].destroyed), -1);
	}
}

Test(deadline, a_wait_for_what_has_ended_succeeds_behind_the_deadline)
{
	struct work work;
	struct deadline_call *call;
	int result = 0;

	sem_init(&work.destroyed, 0, 0);
	cr_assert_eq(deadline_start(end_at_once, &work, destroy, &call), 0);
	nanosleep(&(struct timespec){ .tv_nsec = 200000000 }, NULL);
	cr_assert_eq(deadline_wait(call, 0, &result), 0);
	cr_assert_eq(result, -42);
}

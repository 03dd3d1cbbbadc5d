// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/notices.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/clock.h"

#define NO_TIME 0

static struct notices notices;
static int uevents, devlink; /* the kernel's ends */
static int num_lost;	     /* of the next recv() calls, those that fail with ENOBUFS */

ssize_t __real_recv(int fd, void *buffer, size_t size, int flags);
ssize_t __wrap_recv(int fd, void *buffer, size_t size, int flags);
ssize_t __wrap_recv(int fd, void *buffer, size_t size, int flags)
{
	if (num_lost > 0) {
		num_lost--;
		errno = ENOBUFS;
		return -1;
	}
	return __real_recv(fd, buffer, size, flags);
}

static void open_pair(int *ours, int *theirs)
{
	int fds[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds), 0);
	*ours = fds[0];
	*theirs = fds[1];
}

static void open_both(void)
{
	open_pair(&notices.uevent_fd, &uevents);
	open_pair(&notices.devlink_fd, &devlink);
}

static void close_both(void)
{
	notices_close(&notices);
	close(uevents);
	close(devlink);
}

TestSuite(notices, .init = open_both, .fini = close_both);

static void say(int fd)
{
	cr_assert_eq(send(fd, "add@/devices", 12, 0), 12);
}

Test(notices, news_from_either_side_end_the_wait)
{
	say(uevents);
	cr_assert_eq(notices_wait(&notices, clock_now_ms() + 10000), 0);
	say(devlink);
	cr_assert_eq(notices_wait(&notices, clock_now_ms() + 10000), 0);
}

Test(notices, many_news_are_taken_at_once)
{
	for (int i = 0; i < 5; i++) {
		say(uevents);
		say(devlink);
	}
	cr_assert_eq(notices_wait(&notices, NO_TIME), 0);
	cr_assert_eq(notices_wait(&notices, NO_TIME), -ETIMEDOUT);
}

Test(notices, without_news_it_waits_until_the_deadline_and_sleeps)
{
	int64_t start_ms = clock_now_ms();
	struct rusage before, after;

	getrusage(RUSAGE_SELF, &before);
	cr_assert_eq(notices_wait(&notices, start_ms + 100), -ETIMEDOUT);
	getrusage(RUSAGE_SELF, &after);
	cr_assert_geq(clock_now_ms() - start_ms, 100);
	cr_assert_leq(after.ru_nvcsw - before.ru_nvcsw, 5);
}

Test(notices, lost_news_are_news)
{
	say(uevents);
	num_lost = 1;
	cr_assert_eq(notices_wait(&notices, clock_now_ms() + 10000), 0);
}

Test(notices, a_side_that_hung_up_does_not_keep_it_awake)
{
	int64_t start_ms = clock_now_ms();
	struct rusage before, after;

	shutdown(uevents, SHUT_RDWR);
	close(uevents);
	uevents = -1;
	shutdown(notices.uevent_fd, SHUT_RDWR);
	getrusage(RUSAGE_SELF, &before);
	cr_assert_eq(notices_wait(&notices, start_ms + 100), -ETIMEDOUT);
	getrusage(RUSAGE_SELF, &after);
	cr_assert_geq(clock_now_ms() - start_ms, 100);
	cr_assert_lt(after.ru_utime.tv_usec - before.ru_utime.tv_usec + after.ru_stime.tv_usec -
			     before.ru_stime.tv_usec,
		     50000);
}

Test(notices, without_any_source_it_waits_for_the_last_look)
{
	const struct notices none = { -1, -1 };
	int64_t start_ms = clock_now_ms();

	cr_assert_eq(notices_wait(&none, start_ms + 50), -ETIMEDOUT);
	cr_assert_geq(clock_now_ms() - start_ms, 50);
}

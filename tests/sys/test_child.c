// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/child.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void say_hello(const void *data, int out_fd)
{
	if (write(out_fd, data, 5) != 5)
		_exit(1);
}

Test(child, collects_what_the_child_writes)
{
	char output[16] = "";
	size_t length;

	cr_assert_eq(child_run(say_hello, "hello", 0, 10000, output, sizeof(output), &length), 0);
	cr_assert_eq(length, 5);
	cr_assert_str_eq(output, "hello");
}

Test(child, takes_no_more_than_there_is_room_for)
{
	char output[3];
	size_t length;

	cr_assert_eq(child_run(say_hello, "hello", 0, 10000, output, sizeof(output), &length), 0);
	cr_assert_eq(length, 3);
}

static void count_fds(const void *data, int out_fd)
{
	int count = 0;

	(void)data;
	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	if (write(out_fd, &count, sizeof(count)) < 0)
		_exit(1);
}

Test(child, has_no_descriptors_but_the_two_it_needs)
{
	int count = 0, fd = open("/", O_PATH);
	size_t length;

	cr_assert_eq(child_run(count_fds, NULL, fd, 10000, &count, sizeof(count), &length), 0);
	cr_assert_eq(count, 2);
	close(fd);
}

static atomic_int num_signals;

static void on_child(int signal)
{
	(void)signal;
	num_signals++;
}

Test(child, is_not_seen_by_the_application)
{
	char output[16];
	size_t length;

	signal(SIGCHLD, on_child);
	cr_assert_eq(child_run(say_hello, "hello", 0, 10000, output, sizeof(output), &length), 0);
	cr_assert_eq(num_signals, 0);
	cr_assert_eq(waitpid(-1, NULL, WNOHANG), -1);
	cr_assert_eq(errno, ECHILD);
}

static void say_who_and_hang(const void *data, int out_fd)
{
	pid_t pid = getpid();

	(void)data;
	if (write(out_fd, &pid, sizeof(pid)) < 0)
		_exit(1);
	for (;;)
		pause();
}

Test(child, one_that_hangs_is_given_up_and_killed_and_reaped)
{
	const struct timespec tick = { .tv_nsec = 10000000 };
	pid_t pids[2] = { 0 };
	size_t length;

	cr_assert_eq(child_run(say_who_and_hang, NULL, 0, 200, pids, sizeof(pids), &length),
		     -ETIMEDOUT);
	cr_assert_eq(length, sizeof(pids[0]));
	for (int i = 0; i < 1000 && kill(pids[0], 0) == 0; i++)
		nanosleep(&tick, NULL);
	cr_assert_eq(kill(pids[0], 0), -1);
	cr_assert_eq(errno, ESRCH);
}

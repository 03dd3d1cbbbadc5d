// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "sys/deadline.h"

/* For kernels before 5.9, where each descriptor is closed by itself. */
#define MAX_FDS 65536

static void close_between(unsigned int first, unsigned int end)
{
	struct rlimit limit;

	if (first >= end || syscall(SYS_close_range, first, end - 1, 0) == 0)
		return;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > MAX_FDS)
		limit.rlim_cur = MAX_FDS;
	for (unsigned int fd = first; fd < end && fd < limit.rlim_cur; fd++)
		syscall(SYS_close, fd);
}

/* Sockets, locks and pipes of the application must not outlive it in here. */
static void close_others(unsigned int a, unsigned int b)
{
	unsigned int low = a < b ? a : b, high = a < b ? b : a;

	close_between(0, low);
	close_between(low + 1, high);
	close_between(high + 1, UINT_MAX);
}

static _Noreturn void run(void (*fn)(const void *data, int out_fd), const void *data, int fd,
			  int out_fd)
{
	prctl(PR_SET_NAME, "mlx5lm-sysfs");
	close_others((unsigned int)fd, (unsigned int)out_fd);
	fn(data, out_fd);
	for (;;)
		syscall(SYS_exit_group, 0);
}

/* Collects until the child ends (0) or the deadline passes. */
static int collect(int fd, int64_t deadline_ms, char *output, size_t size, size_t *length)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };

	for (;;) {
		int64_t left_ms = deadline_ms - clock_now_ms();
		ssize_t n;

		if (left_ms <= 0)
			return -ETIMEDOUT;
		if (poll(&pollfd, 1, (int)left_ms) <= 0)
			continue;
		n = read(fd, output + *length, size - *length);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		*length += (size_t)n;
	}
}

void child_reap(pid_t pid)
{
	while (waitpid(pid, NULL, __WCLONE) < 0 && errno == EINTR)
		;
}

static int reap(void *data)
{
	child_reap((pid_t)(intptr_t)data);
	return 0;
}

static void forget(void *data)
{
	(void)data;
}

void child_give_up(pid_t pid)
{
	int result;

	kill(pid, SIGKILL);
	/* Somebody has to wait for it, and a thread that only waits does not keep a process. */
	deadline_call(reap, (void *)(intptr_t)pid, forget, 0, &result);
}

pid_t child_start(void (*fn)(const void *data, int out_fd), const void *data, int fd, int out_fd)
{
	sigset_t all, before;
	pid_t pid;

	/* No handler of the application may run in the child. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	/*
	 * A clone() with nothing set is a fork() without SIGCHLD and without the handlers of
	 * pthread_atfork(), which belong to the application. All arguments are 0, so that their
	 * order, which differs between machines, does not matter.
	 */
	pid = (pid_t)syscall(SYS_clone, 0L, 0L, 0L, 0L, 0L);
	if (pid == 0)
		run(fn, data, fd, out_fd);
	if (pid < 0)
		pid = -errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return pid;
}

int child_run(void (*fn)(const void *data, int out_fd), const void *data, int fd,
	      unsigned int timeout_ms, void *output, size_t size, size_t *length)
{
	int64_t deadline_ms = clock_now_ms() + timeout_ms;
	_cleanup_close_ int in_fd = -1;
	_cleanup_close_ int out_fd = -1;
	int fds[2], r;
	pid_t pid;

	*length = 0;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	in_fd = fds[0];
	out_fd = fds[1];
	pid = child_start(fn, data, fd, out_fd);
	if (pid < 0)
		return pid;
	close(TAKE_FD(out_fd));
	r = collect(in_fd, deadline_ms, output, size, length);
	/* Who has more to say than was asked for shall not wait for a reader. */
	close(TAKE_FD(in_fd));
	if (r == 0)
		child_reap(pid);
	else
		child_give_up(pid);
	return r;
}

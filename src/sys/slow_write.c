// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/slow_write.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "sys/child.h"

struct job {
	int dir_fd;
	const char *name;
	const char *text;
};

static int write_now(const struct job *job)
{
	ssize_t written;
	int fd;

	fd = openat(job->dir_fd, job->name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* One call: sysfs takes each write() as a value of its own. */
	do {
		written = write(fd, job->text, strlen(job->text));
	} while (written < 0 && errno == EINTR);
	return written < 0 ? -errno : 0;
}

static void run(const void *data, int out_fd)
{
	int result = write_now(data);

	while (write(out_fd, &result, sizeof(result)) < 0 && errno == EINTR)
		;
}

int slow_write(int dir_fd, const char *name, const char *text, unsigned int timeout_ms)
{
	struct job job = { .dir_fd = dir_fd, .name = name, .text = text };
	int r, result = 0;
	size_t length;

	r = child_run(run, &job, dir_fd, timeout_ms, &result, sizeof(result), &length);
	if (r < 0)
		return r;
	return length == sizeof(result) ? result : -EIO;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Between this process and the tool stands a child of its own (child.h), which has no other work
 * than to wait: only so does no SIGCHLD reach the application, nor can its wait() take the tool's
 * end away. What runs in there may not allocate.
 */
#include "sys/nvtool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/str.h"
#include "sys/beneath.h"
#include "sys/child.h"

/* Packages of distributions and MFT, what is built by hand, and MFT where /usr is read-only. */
static const char *const directories[] = {
	"usr/bin", "usr/sbin", "usr/local/bin", "usr/local/sbin", "opt/mellanox/bin",
	"opt/mellanox/sbin", "bin", "sbin",
};

static const char *const environment[] = {
	"LC_ALL=C",
	"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
	NULL,
};

/* For the child to end the tool, collect it and tell of it. */
#define GRACE_MS 500

/* A tool whose SIGCHLD got lost is noticed after as long. */
#define LOOK_AGAIN_MS 100

/* Descriptors are moved out of the way of the tool's 0 to 3. */
#define FIRST_FD 10

enum stream {
	STREAM_OUTPUT,
	STREAM_ERRORS,
	STREAM_FILE,
	NUM_STREAMS,
};

struct job {
	const char *path;
	const char *const *arguments;
	int64_t until_ms;
	int null_fd;
};

/* What the child tells, followed by the bytes of all streams. */
struct report {
	int32_t error; /* errno */
	int32_t status; /* as waitpid() has it */
	uint32_t lengths[NUM_STREAMS];
};

static int find_in(const struct root *root, const char *directory, const char *name,
		   char **ret_path)
{
	_cleanup_free_ char *below = str_printf("%s/%s", directory, name);
	char link[64], path[PATH_MAX];
	_cleanup_close_ int fd = -1;
	struct stat status;
	ssize_t length;

	if (!below)
		return -ENOMEM;
	fd = beneath_open(root->fd, below, O_PATH);
	if (fd < 0 || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) ||
	    !(status.st_mode & 0111))
		return -ENOENT;
	/* Where it really is, for a link below another root would lead out of it. */
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path));
	if (length <= 0 || (size_t)length >= sizeof(path))
		return -ENOENT;
	*ret_path = strndup(path, (size_t)length);
	return *ret_path ? 0 : -ENOMEM;
}

int nvtool_find(const struct root *root, const char *name, char **ret_path)
{
	for (size_t i = 0; i < ARRAY_LENGTH(directories); i++) {
		int r = find_in(root, directories[i], name, ret_path);

		if (r != -ENOENT)
			return r;
	}
	return -ENOENT;
}

/* Below here: the child. */

/*
 * What the application ignores would be ignored by the tool as well, and with an ignored SIGCHLD
 * its status is lost. sigaction() is not used as it keeps state of the C library; a struct of
 * zeroes means the default on every machine.
 */
static void reset_signals(void)
{
	static const uint64_t zeroes[16];

	for (long i = 1; i < _NSIG; i++)
		syscall(SYS_rt_sigaction, i, zeroes, NULL, (long)(_NSIG / 8));
}

static int move_up(int fd)
{
	fd = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FD);
	return fd < 0 ? -errno : fd;
}

static int new_stream(void)
{
	int fd = memfd_create("mlx5lm-nvtool", MFD_CLOEXEC);

	return fd < 0 ? -errno : move_up(fd);
}

static _Noreturn void leave(void)
{
	for (;;)
		syscall(SYS_exit_group, 127);
}

static void limit(int resource, rlim_t value)
{
	const struct rlimit limits = { .rlim_cur = value, .rlim_max = value };

	setrlimit(resource, &limits);
}

static _Noreturn void run_tool(const struct job *job, const int streams[NUM_STREAMS], int null_fd,
			       int failure_fd)
{
	sigset_t none;
	int error;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	limit(RLIMIT_FSIZE, NVTOOL_MAX_BYTES);
	limit(RLIMIT_CORE, 0);
	if (dup2(null_fd, 0) >= 0 && dup2(streams[STREAM_OUTPUT], 1) >= 0 &&
	    dup2(streams[STREAM_ERRORS], 2) >= 0 && dup2(streams[STREAM_FILE], 3) >= 0) {
		sigemptyset(&none);
		pthread_sigmask(SIG_SETMASK, &none, NULL);
		execve(job->path, (char *const *)job->arguments, (char *const *)environment);
	}
	error = errno;
	while (write(failure_fd, &error, sizeof(error)) < 0 && errno == EINTR)
		;
	leave();
}

/* Whose pid it is, or -errno. */
static pid_t start_tool(const struct job *job, const int streams[NUM_STREAMS])
{
	int null_fd = move_up(job->null_fd), fds[2], in_fd, out_fd, error = 0;
	ssize_t n;
	pid_t pid;

	if (null_fd < 0)
		return null_fd;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	in_fd = move_up(fds[0]);
	out_fd = move_up(fds[1]);
	close(fds[0]);
	close(fds[1]);
	if (in_fd < 0 || out_fd < 0)
		return -EMFILE;
	/* As in child.c; from execve() on, SIGCHLD comes all the same. */
	pid = (pid_t)syscall(SYS_clone, 0L, 0L, 0L, 0L, 0L);
	if (pid == 0)
		run_tool(job, streams, null_fd, out_fd);
	if (pid < 0)
		return -errno;
	/* execve() closes the pipe, or a failure comes through it. */
	close(out_fd);
	n = read(in_fd, &error, sizeof(error));
	close(in_fd);
	if (n == 0)
		return pid;
	waitpid(pid, NULL, __WALL);
	return n == sizeof(error) ? -error : -EIO;
}

/* Leaves the tool to be collected, so that nobody else can get its number. */
static bool wait_for_end(pid_t pid, int64_t until_ms)
{
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	for (;;) {
		int64_t left_ms = until_ms - clock_now_ms();
		struct timespec timeout = { 0 };
		siginfo_t info = { 0 };

		if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 &&
		    info.si_pid)
			return true;
		if (left_ms <= 0)
			return false;
		if (left_ms > LOOK_AGAIN_MS)
			left_ms = LOOK_AGAIN_MS;
		timeout.tv_nsec = (long)left_ms * 1000000;
		sigtimedwait(&child, NULL, &timeout);
	}
}

static int run_to_end(const struct job *job, const int streams[NUM_STREAMS], int *status)
{
	pid_t pid = start_tool(job, streams);
	bool ended;

	if (pid < 0)
		return pid;
	ended = wait_for_end(pid, job->until_ms);
	kill(-pid, SIGKILL);
	while (waitpid(pid, status, __WALL) < 0 && errno == EINTR)
		;
	/* What the tool started and left behind came to this process. */
	while (waitpid(-1, NULL, __WALL | WNOHANG) > 0)
		;
	if (!ended)
		return -ETIMEDOUT;
	return WIFSIGNALED(*status) && WTERMSIG(*status) == SIGXFSZ ? -EFBIG : 0;
}

static bool write_all(int fd, const void *data, size_t length)
{
	while (length) {
		ssize_t n = write(fd, data, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		data = (const char *)data + n;
		length -= (size_t)n;
	}
	return true;
}

static void send_stream(int out_fd, int fd, size_t length)
{
	char block[4096];
	off_t offset = 0;

	while (length) {
		ssize_t n = pread(fd, block, length < sizeof(block) ? length : sizeof(block),
				  offset);

		if (n <= 0 || !write_all(out_fd, block, (size_t)n))
			return;
		offset += n;
		length -= (size_t)n;
	}
}

static void supervise(const void *data, int out_fd)
{
	const struct job *job = data;
	struct report report = { 0 };
	int streams[NUM_STREAMS];

	reset_signals();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (int i = 0; i < NUM_STREAMS; i++) {
		streams[i] = new_stream();
		if (streams[i] < 0)
			report.error = -streams[i];
	}
	if (!report.error)
		report.error = -run_to_end(job, streams, &report.status);
	for (int i = 0; !report.error && i < NUM_STREAMS; i++) {
		off_t size = lseek(streams[i], 0, SEEK_END);

		/* One that is full is one that was cut. */
		if (size < 0 || size >= NVTOOL_MAX_BYTES)
			report.error = EFBIG;
		else
			report.lengths[i] = (uint32_t)size;
	}
	if (!write_all(out_fd, &report, sizeof(report)))
		return;
	for (int i = 0; !report.error && i < NUM_STREAMS; i++)
		send_stream(out_fd, streams[i], report.lengths[i]);
}

/* Above here: the child. */

static int read_report(const char *buffer, size_t length, struct nvtool_result *ret)
{
	const char *at = buffer + sizeof(struct report);
	struct report report;
	size_t total = sizeof(report);

	if (length < sizeof(report))
		return -EIO;
	memcpy(&report, buffer, sizeof(report));
	if (report.error)
		return -report.error;
	for (int i = 0; i < NUM_STREAMS; i++)
		total += report.lengths[i];
	if (length != total)
		return -EIO;
	ret->exit_code = WIFEXITED(report.status) ? WEXITSTATUS(report.status) :
						    128 + WTERMSIG(report.status);
	ret->output = at;
	ret->output_length = report.lengths[STREAM_OUTPUT];
	ret->errors = ret->output + ret->output_length;
	ret->errors_length = report.lengths[STREAM_ERRORS];
	ret->file = ret->errors + ret->errors_length;
	ret->file_length = report.lengths[STREAM_FILE];
	return 0;
}

int nvtool_run(const char *path, const char *const *arguments, uint64_t until_ms,
	       struct nvtool_result *ret)
{
	const size_t size = sizeof(struct report) + NUM_STREAMS * NVTOOL_MAX_BYTES;
	struct job job = {
		.path = path,
		.arguments = arguments,
		.until_ms = (int64_t)until_ms,
	};
	int64_t left_ms = job.until_ms - clock_now_ms();
	_cleanup_free_ char *buffer = NULL;
	_cleanup_close_ int null_fd = -1;
	size_t length;
	int r;

	if (left_ms <= 0)
		return -ETIMEDOUT;
	null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null_fd < 0)
		return -errno;
	job.null_fd = null_fd;
	buffer = malloc(size);
	if (!buffer)
		return -ENOMEM;
	r = child_run(supervise, &job, null_fd, (unsigned int)left_ms + GRACE_MS, buffer, size,
		      &length);
	if (r == 0)
		r = read_report(buffer, length, ret);
	if (r == 0)
		ret->buffer = TAKE(buffer);
	return r;
}

void nvtool_result_release(struct nvtool_result *result)
{
	free(result->buffer);
	*result = (struct nvtool_result){ 0 };
}

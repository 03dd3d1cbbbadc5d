// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/write_batch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "sys/beneath.h"
#include "sys/child.h"

/* A path of sysfs and a value of one of its files are far shorter. */
#define MAX_JOB 4096

struct reply {
	int result;
	bool missing;
	bool written;
};

/* The child's side: as after fork() in a program with threads, so nothing is allocated. */
static struct reply do_job(int root_fd, const char *path, const char *text)
{
	ssize_t written;
	int fd;

	fd = beneath_open(root_fd, path, O_WRONLY | O_NOFOLLOW);
	if (fd < 0)
		return (struct reply){ .result = fd, .missing = fd == -ENOENT };
	/* One call: sysfs takes each write() as a value of its own. */
	do {
		written = write(fd, text, strlen(text));
	} while (written < 0 && errno == EINTR);
	written = written < 0 ? -errno : 0;
	close(fd);
	return (struct reply){ .result = (int)written, .written = true };
}

static void run_lane(const void *data, int fd)
{
	const int *root_fd = data;
	char job[MAX_JOB + 1];

	for (;;) {
		struct reply reply;
		ssize_t length = recv(fd, job, MAX_JOB, 0);

		if (length < 0 && errno == EINTR)
			continue;
		if (length <= 0)
			return;
		/* Two texts, each with its end. */
		job[length] = '\0';
		reply = do_job(*root_fd, job, job + strlen(job) + 1);
		while (send(fd, &reply, sizeof(reply), MSG_NOSIGNAL) < 0) {
			if (errno != EINTR)
				return;
		}
	}
}

static int lane_start(struct write_lane *lane, const struct write_lanes *lanes)
{
	_cleanup_close_ int own_fd = -1;
	_cleanup_close_ int child_fd = -1;
	int fds[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	own_fd = fds[0];
	child_fd = fds[1];
	pid = child_start(run_lane, &lanes->root_fd, lanes->root_fd, child_fd);
	if (pid < 0)
		return pid;
	lane->pid = pid;
	lane->fd = TAKE_FD(own_fd);
	return 0;
}

static int lane_send(const struct write_lane *lane, const struct file_write *job)
{
	struct iovec iov[] = {
		{ .iov_base = (void *)job->path, .iov_len = strlen(job->path) + 1 },
		{ .iov_base = (void *)job->text, .iov_len = strlen(job->text) + 1 },
	};
	struct msghdr head = { .msg_iov = iov, .msg_iovlen = ARRAY_LENGTH(iov) };

	if (iov[0].iov_len + iov[1].iov_len > MAX_JOB)
		return -ENAMETOOLONG;
	while (sendmsg(lane->fd, &head, MSG_NOSIGNAL) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

static void lane_forget(struct write_lane *lane)
{
	close(lane->fd);
	*lane = (struct write_lane){ .fd = -1 };
}

static void lane_end(struct write_lane *lane)
{
	pid_t pid = lane->pid;

	/* At the end of its input it leaves. */
	lane_forget(lane);
	child_reap(pid);
}

static int lane_begin(struct write_lane *lane, const struct write_lanes *lanes,
		      const struct file_write *job)
{
	int r = lane->fd < 0 ? lane_start(lane, lanes) : 0;

	if (r == 0)
		r = lane_send(lane, job);
	if (r < 0)
		return r;
	lane->busy = true;
	lane->id = job->id;
	lane->deadline_ms = clock_now_ms() + job->timeout_ms;
	return 0;
}

static struct write_lane *find_idle(struct write_lanes *lanes, size_t max_lanes)
{
	struct write_lane *found = NULL;

	for (size_t i = 0; i < WRITE_LANES; i++) {
		struct write_lane *lane = &lanes->lanes[i];

		if (lane->busy) {
			if (--max_lanes == 0)
				return NULL;
			continue;
		}
		/* One that has a child already, if there is one. */
		if (!found || (found->fd < 0 && lane->fd >= 0))
			found = lane;
	}
	return found;
}

static bool any_busy(const struct write_lanes *lanes)
{
	for (size_t i = 0; i < WRITE_LANES; i++) {
		if (lanes->lanes[i].busy)
			return true;
	}
	return false;
}

/* What is still to be handed out. */
struct rest {
	bool ended;	       /* there is no more than: */
	bool held;	       /* one for which there was no child */
	struct file_write job; /* that one */
};

/* Gives work to all that have none. */
static void hand_out(struct write_lanes *lanes, const struct write_batch *batch, struct rest *rest)
{
	struct write_lane *lane;
	int r;

	while ((lane = find_idle(lanes, batch->max_lanes))) {
		if (!rest->held && !rest->ended)
			rest->ended = !batch->next(batch->data, &rest->job);
		if (!rest->held && rest->ended)
			return;
		r = lane_begin(lane, lanes, &rest->job);
		/* No more children are to be had: it waits for one of those there are. */
		rest->held = r < 0 && lane->fd < 0 && any_busy(lanes);
		if (rest->held)
			return;
		if (r < 0)
			batch->ended(batch->data, rest->job.id, r, false);
	}
}

static void take_reply(struct write_lane *lane, struct write_lanes *lanes,
		       const struct write_batch *batch)
{
	size_t id = lane->id;
	struct reply reply;
	ssize_t length = recv(lane->fd, &reply, sizeof(reply), MSG_DONTWAIT);

	if (length < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	lane->busy = false;
	if (length != sizeof(reply)) {
		/* Somebody killed it, and nobody knows how far it came. */
		reply = (struct reply){ .result = -EIO, .written = true };
		lane_end(lane);
	}
	lanes->num_writes += reply.written;
	batch->ended(batch->data, id, reply.result, reply.missing);
}

static void give_up(struct write_lane *lane, struct write_lanes *lanes,
		    const struct write_batch *batch)
{
	size_t id = lane->id;

	child_give_up(lane->pid);
	lane_forget(lane);
	lanes->num_writes++;
	batch->ended(batch->data, id, -ETIMEDOUT, false);
}

/* Waits for one reply or deadline, and takes all that are there then. False: all are idle. */
static bool wait_for_replies(struct write_lanes *lanes, const struct write_batch *batch)
{
	struct write_lane *busy[WRITE_LANES];
	struct pollfd pollfds[WRITE_LANES];
	int64_t until_ms = INT64_MAX, left_ms;
	nfds_t num_busy = 0;

	/* Only the busy ones: poll() takes no more entries than there may be descriptors. */
	for (size_t i = 0; i < WRITE_LANES; i++) {
		struct write_lane *lane = &lanes->lanes[i];

		if (!lane->busy)
			continue;
		busy[num_busy] = lane;
		pollfds[num_busy++] = (struct pollfd){ .fd = lane->fd, .events = POLLIN };
		if (lane->deadline_ms < until_ms)
			until_ms = lane->deadline_ms;
	}
	if (!num_busy)
		return false;
	left_ms = until_ms - clock_now_ms();
	/* Without an answer of its own the deadlines still hold. */
	if (poll(pollfds, num_busy, left_ms > 0 ? (int)left_ms : 0) < 0) {
		for (nfds_t i = 0; i < num_busy; i++)
			pollfds[i].revents = 0;
	}
	for (nfds_t i = 0; i < num_busy; i++) {
		if (pollfds[i].revents)
			take_reply(busy[i], lanes, batch);
		else if (busy[i]->deadline_ms <= clock_now_ms())
			give_up(busy[i], lanes, batch);
	}
	return true;
}

void write_lanes_init(struct write_lanes *lanes, int root_fd)
{
	*lanes = (struct write_lanes){ .root_fd = root_fd };
	for (size_t i = 0; i < WRITE_LANES; i++)
		lanes->lanes[i].fd = -1;
}

void write_lanes_run(struct write_lanes *lanes, const struct write_batch *batch)
{
	struct rest rest = { 0 };

	do {
		hand_out(lanes, batch, &rest);
	} while (wait_for_replies(lanes, batch));
}

void write_lanes_release(struct write_lanes *lanes)
{
	for (size_t i = 0; i < WRITE_LANES; i++) {
		if (lanes->lanes[i].fd >= 0)
			lane_end(&lanes->lanes[i]);
	}
}

struct single {
	struct file_write job;
	int result;
};

static bool next_single(void *data, struct file_write *ret)
{
	struct single *single = data;

	*ret = single->job;
	return TAKE(single->job.path);
}

static void single_ended(void *data, size_t id, int result, bool missing)
{
	struct single *single = data;

	(void)id;
	(void)missing;
	single->result = result;
}

int write_lanes_write(struct write_lanes *lanes, const char *path, const char *text,
		      unsigned int timeout_ms)
{
	struct single single = { .job = { .path = path, .text = text, .timeout_ms = timeout_ms } };
	const struct write_batch batch = {
		.next = next_single, .ended = single_ended, .data = &single, .max_lanes = 1
	};

	write_lanes_run(lanes, &batch);
	return single.result;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/notices.h"

#include <errno.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/clock.h"

/* The only group of uevents that the kernel itself sends to. */
#define UEVENT_GROUP 1

static int subscribe(int protocol, uint32_t group)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	_cleanup_close_ int fd = -1;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		return -1;
	return TAKE_FD(fd);
}

void notices_open(struct notices *notices, const struct netlink *devlink)
{
	notices->uevent_fd = subscribe(NETLINK_KOBJECT_UEVENT, UEVENT_GROUP);
	notices->devlink_fd =
		devlink && devlink->group ? subscribe(NETLINK_GENERIC, devlink->group) : -1;
}

/* Takes all that is there; false if nothing was. */
static bool drain(int fd)
{
	bool any = false;
	ssize_t length;
	char byte;

	for (;;) {
		length = recv(fd, &byte, sizeof(byte), MSG_DONTWAIT | MSG_TRUNC);
		/* So many that some were lost: the more reason to look. */
		if (length < 0 && (errno == EINTR || errno == ENOBUFS)) {
			any |= errno == ENOBUFS;
			continue;
		}
		if (length <= 0)
			return any;
		any = true;
	}
}

int notices_wait(const struct notices *notices, int64_t deadline_ms)
{
	struct pollfd pollfds[] = {
		{ .fd = notices->uevent_fd, .events = POLLIN },
		{ .fd = notices->devlink_fd, .events = POLLIN },
	};

	for (;;) {
		int64_t left_ms = deadline_ms - clock_now_ms();
		bool any = false;

		if (poll(pollfds, ARRAY_LENGTH(pollfds), left_ms > 0 ? (int)left_ms : 0) < 0 &&
		    errno != EINTR)
			return -errno;
		for (size_t i = 0; i < ARRAY_LENGTH(pollfds); i++) {
			if (pollfds[i].revents && drain(pollfds[i].fd))
				any = true;
			else if (pollfds[i].revents)
				pollfds[i].fd = -1; /* it has no more to tell */
		}
		if (any)
			return 0;
		if (left_ms <= 0)
			return -ETIMEDOUT;
	}
}

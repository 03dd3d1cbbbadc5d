/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_NOTICES_H
#define SYS_NOTICES_H

#include <stdint.h>

#include "base/cleanup.h"
#include "sys/netlink.h"

/*
 * The kernel's news of devices (uevents) and of devlink ports, for somebody who waits for a
 * change: subscribe, look, and if it is not as wanted, wait for news and look again. What the
 * news say is not read, so that it does not matter if some get lost.
 */
struct notices {
	int uevent_fd;
	int devlink_fd; /* each -1 if it could not be opened */
};

/* devlink: a socket of that family, which knows the number of the group; may be NULL. */
void notices_open(struct notices *notices, const struct netlink *devlink);

/* 0 as soon as there are news, of which all are taken; -ETIMEDOUT at deadline_ms; -errno. */
int notices_wait(const struct notices *notices, int64_t deadline_ms);

static inline void notices_close(struct notices *notices)
{
	close_p(&notices->uevent_fd);
	close_p(&notices->devlink_fd);
}
#define _cleanup_notices_ _cleanup_(notices_close)

#endif

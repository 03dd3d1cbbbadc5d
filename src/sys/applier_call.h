/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_APPLIER_CALL_H
#define SYS_APPLIER_CALL_H

#include "sys/devlink.h"
#include "sys/rtnl.h"

/*
 * A request that runs on a thread with a deadline: the kernel does it before it returns from the
 * send, with the locks of the device held, and may wait there for firmware or for others.
 */
struct call {
	int (*fn)(struct call *call);
	struct netlink *netlink;
	char *pf_bdf;
	/* What fn needs or fills in. */
	struct netlink_window *window;
	struct devlink_ports ports;
	struct rtnl_links links;
	uint32_t mode;
};

/* NULL when out of memory. */
struct call *call_new(int (*fn)(struct call *call), const char *pf_bdf);

/*
 * Runs it on a socket. True if it has ended: *result is what fn returned, or why it could not be
 * called. False if the deadline passed first: then the call and *netlink, which becomes NULL,
 * belong to the thread.
 */
bool call_run(struct call *call, struct netlink **netlink, unsigned int timeout_ms, int *result);
void call_free(struct call *call);

int call_send_window(struct call *call);
int call_set_mode(struct call *call);
int call_get_mode(struct call *call);
int call_get_ports(struct call *call);
int call_get_links(struct call *call);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_RTNL_H
#define SYS_RTNL_H

#include "facts.h"
#include "sys/netlink.h"

/* Network interfaces over a socket of netlink_open_route(), in its network namespace. */

/* Makes a request that takes an interface up or down, in buffer; it needs CAP_NET_ADMIN. */
struct nlmsghdr *rtnl_start_set(char buffer[NETLINK_REQUEST_SIZE], uint32_t ifindex,
				enum mlx5lm_admin_state state);

struct rtnl_link {
	uint32_t ifindex;
	uint32_t state; /* enum mlx5lm_admin_state */
};

struct rtnl_links {
	struct rtnl_link *items; /* sorted by ifindex */
	size_t length;
	size_t allocated;
};

/* All there are. 0 or -errno. */
int rtnl_get_links(struct netlink *netlink, struct rtnl_links *ret);

/* enum mlx5lm_admin_state of one of them; unknown if it is not among them. */
uint32_t rtnl_find_state(const struct rtnl_links *links, uint32_t ifindex);
void rtnl_links_release(struct rtnl_links *links);

#endif

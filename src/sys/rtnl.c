// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/rtnl.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include "base/array.h"

#define MAX_NETDEVS 65536

static struct nlmsghdr *start(char buffer[NETLINK_REQUEST_SIZE], uint16_t type, uint16_t flags,
			      struct ifinfomsg **link)
{
	struct nlmsghdr *request;

	/* libmnl leaves what is between the attributes as it finds it. */
	memset(buffer, 0, NETLINK_REQUEST_SIZE);
	request = mnl_nlmsg_put_header(buffer);
	request->nlmsg_type = type;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	*link = mnl_nlmsg_put_extra_header(request, sizeof(**link));
	(*link)->ifi_family = AF_UNSPEC;
	return request;
}

struct nlmsghdr *rtnl_start_set(char buffer[NETLINK_REQUEST_SIZE], uint32_t ifindex,
				enum mlx5lm_admin_state state)
{
	struct ifinfomsg *link;
	struct nlmsghdr *request = start(buffer, RTM_SETLINK, 0, &link);

	link->ifi_index = (int)ifindex;
	link->ifi_change = IFF_UP;
	link->ifi_flags = state == MLX5LM_ADMIN_STATE_UP ? IFF_UP : 0;
	return request;
}

static int take_link(const struct nlmsghdr *message, void *userdata)
{
	struct rtnl_links *links = userdata;
	struct ifinfomsg link;

	if (!message) {
		links->length = 0;
		return 0;
	}
	if (message->nlmsg_type != RTM_NEWLINK)
		return 0;
	if (message->nlmsg_len < NLMSG_LENGTH(sizeof(link)) || links->length == MAX_NETDEVS)
		return -EBADMSG;
	memcpy(&link, (const char *)message + NLMSG_HDRLEN, sizeof(link));
	if (array_reserve(&links->items, &links->allocated, links->length + 1,
			  sizeof(links->items[0])))
		return -ENOMEM;
	links->items[links->length++] = (struct rtnl_link){
		.ifindex = (uint32_t)link.ifi_index,
		.state = link.ifi_flags & IFF_UP ? MLX5LM_ADMIN_STATE_UP : MLX5LM_ADMIN_STATE_DOWN,
	};
	return 0;
}

static int compare_links(const void *a, const void *b)
{
	const struct rtnl_link *x = a, *y = b;

	return (x->ifindex > y->ifindex) - (x->ifindex < y->ifindex);
}

int rtnl_get_links(struct netlink *netlink, struct rtnl_links *ret)
{
	struct rtnl_links links = { 0 };
	char buffer[NETLINK_REQUEST_SIZE];
	struct nlmsghdr *request;
	struct ifinfomsg *link;
	int r;

	request = start(buffer, RTM_GETLINK, NLM_F_DUMP, &link);
	/* Counters are asked of the driver, one interface after the other. */
	mnl_attr_put_u32(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	r = netlink_request(netlink, request, take_link, &links);
	if (r < 0) {
		rtnl_links_release(&links);
		return r;
	}
	if (links.length)
		qsort(links.items, links.length, sizeof(links.items[0]), compare_links);
	*ret = links;
	return 0;
}

uint32_t rtnl_find_state(const struct rtnl_links *links, uint32_t ifindex)
{
	struct rtnl_link key = { .ifindex = ifindex };
	const struct rtnl_link *found = NULL;

	if (links->length)
		found = bsearch(&key, links->items, links->length, sizeof(key), compare_links);
	return found ? found->state : MLX5LM_ADMIN_STATE_UNKNOWN;
}

void rtnl_links_release(struct rtnl_links *links)
{
	free(links->items);
	*links = (struct rtnl_links){ 0 };
}

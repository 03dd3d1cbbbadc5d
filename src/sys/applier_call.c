// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/applier_call.h"

#include <errno.h>

#include "sys/deadline.h"

struct call *call_new(int (*fn)(struct call *call), const char *pf_bdf)
{
	struct call *call = calloc(1, sizeof(*call));

	if (!call)
		return NULL;
	call->fn = fn;
	if (str_replace(&call->pf_bdf, pf_bdf) < 0) {
		free(call);
		return NULL;
	}
	return call;
}

void call_free(struct call *call)
{
	netlink_free(call->netlink);
	if (call->window)
		netlink_window_release(call->window);
	free(call->window);
	devlink_ports_release(&call->ports);
	rtnl_links_release(&call->links);
	free(call->pf_bdf);
	free(call);
}

static int run(void *data)
{
	struct call *call = data;

	return call->fn(call);
}

static void destroy(void *data)
{
	call_free(data);
}

bool call_run(struct call *call, struct netlink **netlink, unsigned int timeout_ms, int *result)
{
	unsigned int usual_ms = (*netlink)->timeout_ms;
	int r;

	call->netlink = TAKE(*netlink);
	call->netlink->timeout_ms = timeout_ms;
	r = deadline_call(run, call, destroy, timeout_ms, result);
	if (r == -ETIMEDOUT)
		return false;
	if (r < 0)
		*result = r;
	*netlink = TAKE(call->netlink);
	(*netlink)->timeout_ms = usual_ms;
	return true;
}

int call_send_window(struct call *call)
{
	return netlink_request_window(call->netlink, call->window);
}

int call_set_mode(struct call *call)
{
	return devlink_set_eswitch_mode(call->netlink, call->pf_bdf, call->mode);
}

int call_get_mode(struct call *call)
{
	return devlink_get_eswitch_mode(call->netlink, call->pf_bdf, &call->mode);
}

int call_get_ports(struct call *call)
{
	return devlink_get_vf_ports(call->netlink, call->pf_bdf, &call->ports);
}

int call_get_links(struct call *call)
{
	return rtnl_get_links(call->netlink, &call->links);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "sys/applier_call.h"
#include "sys/applier_window.h"

/* A representor may have got its netdev, or another one, since the ports were read. */
static const struct devlink_port *find_representor(struct applier *applier,
						   const struct mlx5lm_step *step,
						   struct mlx5lm_error **reterr)
{
	const struct devlink_port *port = applier_find_port(applier, step, reterr);

	if (!port || port->ifindex)
		return port;
	error_set(reterr, MLX5LM_ERROR_NOT_FOUND, ENODEV, MLX5LM_SOURCE_DEVLINK,
		  "%s: the representor of VF %" PRIu32 " has no netdev in this network namespace",
		  applier->pf_bdf, step->vf_index);
	error_add_remedy(reterr, "run in the network namespace it has been moved to: "
				 "devlink port show");
	return NULL;
}

static struct nlmsghdr *make_request(struct applier *applier, const struct mlx5lm_step *step,
				     char buffer[NETLINK_REQUEST_SIZE],
				     struct mlx5lm_error **reterr)
{
	const struct devlink_port *port = find_representor(applier, step, reterr);

	return port ? rtnl_start_set(buffer, port->ifindex, (enum mlx5lm_admin_state)step->value)
		    : NULL;
}

static int request_failed(const struct applier *applier, const struct mlx5lm_step *step,
			  const char *words, int r, struct mlx5lm_error **reterr)
{
	const struct devlink_port *port = devlink_find_port(&applier->ports, step->vf_index);
	char what[128];

	snprintf(what, sizeof(what), "take the representor of VF %" PRIu32 " (%s) %s",
		 step->vf_index, port ? port->netdev : "?",
		 name_of(&admin_state_names, (uint32_t)step->value));
	applier_netlink_failed(applier->pf_bdf, what, words, r, reterr);
	if (r == -EPERM)
		error_add_remedy(reterr, "run with CAP_NET_ADMIN in the network namespace of the "
					 "representor");
	else if (r == -ENODEV)
		error_add_remedy(reterr, "plan again: the VF ports have changed");
	else
		error_add_remedy(reterr, "the kernel may say more: dmesg | tail");
	return r;
}

static int begin(struct applier *applier, struct mlx5lm_error **reterr)
{
	int r = applier_get_route(applier, reterr);

	return r < 0 || applier->ports_known ? r : applier_read_ports(applier, reterr);
}

static int look(struct applier *applier, struct mlx5lm_error **reterr)
{
	static const char what[] = "read the states of the representors";
	struct call *call = call_new(call_get_links, applier->pf_bdf);
	unsigned int timeout_ms = applier_timeout_ms(applier, LINK_TIMEOUT_MS);
	int r;

	if (!call)
		return error_no_memory(reterr);
	if (!call_run(call, &applier->route, timeout_ms, &r))
		return applier_netlink_failed(applier->pf_bdf, what, NULL, -ETIMEDOUT, reterr);
	if (r == 0) {
		rtnl_links_release(&applier->links);
		applier->links = call->links;
		call->links = (struct rtnl_links){ 0 };
	}
	call_free(call);
	return r < 0 ? applier_netlink_failed(applier->pf_bdf, what, applier->route->words, r,
					      reterr)
		     : 0;
}

static int verify(struct applier *applier, const struct mlx5lm_step *step,
		  struct mlx5lm_error **reterr)
{
	const struct devlink_port *port = find_representor(applier, step, reterr);
	uint32_t found;

	if (!port)
		return -ENODEV;
	found = rtnl_find_state(&applier->links, port->ifindex);
	if (found == step->value)
		return 0;
	return error_set(reterr, MLX5LM_ERROR_VERIFY_FAILED, EIO, MLX5LM_SOURCE_DEVLINK,
			 "%s: the representor of VF %" PRIu32 " (%s) is %s after %s was set",
			 applier->pf_bdf, step->vf_index, port->netdev,
			 name_of(&admin_state_names, found),
			 name_of(&admin_state_names, (uint32_t)step->value));
}

void applier_set_representors(struct run *run)
{
	static const struct window_kind kind = {
		.begin = begin,
		.make = make_request,
		.failed = request_failed,
		.look = look,
		.verify = verify,
		.timeout_ms = LINK_TIMEOUT_MS,
	};

	/* Netdevs come and go, and their numbers with them. */
	run->applier->ports_known = false;
	applier_run_windows(run, &kind, &run->applier->route);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

#include "base/hw_addr.h"
#include "sys/applier_window.h"

/* The request of a step, in buffer; NULL with an error if the step makes no sense. */
static struct nlmsghdr *make_request(struct applier *applier, const struct mlx5lm_step *step,
				     char buffer[NETLINK_REQUEST_SIZE],
				     struct mlx5lm_error **reterr)
{
	const struct devlink_port *port = applier_find_port(applier, step, reterr);
	const struct netlink *netlink = applier->netlink;
	const char *bdf = applier->pf_bdf;
	struct nlmsghdr *request = NULL;
	uint8_t hw_addr[HW_ADDR_LENGTH];

	if (!port)
		return NULL;
	switch (step->kind) {
	case STEP_HW_ADDR:
		if (hw_addr_read(step->text, hw_addr) == 0)
			return devlink_start_port_hw_addr(netlink, buffer, bdf, port->index,
							  hw_addr);
		error_invalid(reterr, "%s: VF %" PRIu32 ": \"%s\" is no hardware address", bdf,
			      step->vf_index, step->text ? step->text : "");
		return NULL;
	case STEP_PORT_ATTR:
		if (step->value == MLX5LM_PORT_ATTR_STATE_ENABLED ||
		    step->value == MLX5LM_PORT_ATTR_STATE_DISABLED)
			request = devlink_start_port_attr(
				netlink, buffer, bdf, port->index, step->attr,
				step->value == MLX5LM_PORT_ATTR_STATE_ENABLED);
		if (!request)
			error_invalid(reterr,
				      "%s: a port attribute can be enabled or disabled only", bdf);
		return request;
	default:
		if (step->value && step->value <= UINT32_MAX)
			return devlink_start_port_max_io_eqs(netlink, buffer, bdf, port->index,
							     (uint32_t)step->value);
		error_invalid(reterr, "%s: VF %" PRIu32 ": no VF has %" PRIu64 " event queues", bdf,
			      step->vf_index, step->value);
		return NULL;
	}
}

/* What a step does, for "cannot ...". */
static void describe(const struct mlx5lm_step *step, char text[static 128])
{
	if (step->kind == STEP_HW_ADDR)
		snprintf(text, 128, "set the hardware address of VF %" PRIu32 " to %s",
			 step->vf_index, step->text);
	else if (step->kind == STEP_PORT_ATTR)
		snprintf(text, 128, "%s %s of VF %" PRIu32,
			 step->value == MLX5LM_PORT_ATTR_STATE_ENABLED ? "enable" : "disable",
			 name_of(&port_attr_names, step->attr), step->vf_index);
	else
		snprintf(text, 128, "set max_io_eqs of VF %" PRIu32 " to %" PRIu64, step->vf_index,
			 step->value);
}

static int request_failed(const struct applier *applier, const struct mlx5lm_step *step,
			  const char *words, int r, struct mlx5lm_error **reterr)
{
	char what[128];

	describe(step, what);
	applier_netlink_failed(applier->pf_bdf, what, words, r, reterr);
	if (r == -EOPNOTSUPP && step->kind == STEP_PORT_ATTR &&
	    step->attr == MLX5LM_PORT_ATTR_MIGRATABLE)
		error_add_remedy(reterr,
				 "enable migration in the NV configuration and restart the "
				 "adapter: mstconfig -d %s set VF_MIGRATION_MODE=2; "
				 "mstfwreset -d %s reset",
				 applier->pf_bdf, applier->pf_bdf);
	else if (r == -EOPNOTSUPP)
		error_add_remedy(reterr,
				 "neither kernel nor firmware offers it: leave it as it is");
	else if (r == -EINVAL && step->kind == STEP_MAX_IO_EQS)
		error_add_remedy(reterr, "the kernel must be Linux 6.10 or later, and the firmware "
					 "may want a lower number");
	else if (r == -EINVAL)
		error_add_remedy(reterr,
				 "the firmware refuses it while a driver has the VF: unbind "
				 "it first; the kernel must be Linux 6.2 or later");
	else if (r == -ETIMEDOUT)
		error_add_remedy(reterr,
				 "the change is still under way: devlink port show; dmesg | tail");
	return r;
}

/* Compares what a step wanted with what the port has now. */
static int verify(struct applier *applier, const struct mlx5lm_step *step,
		  struct mlx5lm_error **reterr)
{
	const struct devlink_port *port = applier_find_port(applier, step, reterr);
	char number[24], wanted[24];
	const char *what, *found, *expected;

	if (!port)
		return -ENODEV;
	switch (step->kind) {
	case STEP_HW_ADDR:
		what = "the hardware address";
		found = port->hw_addr[0] ? port->hw_addr : "unknown";
		expected = step->text;
		break;
	case STEP_PORT_ATTR:
		what = name_of(&port_attr_names, step->attr);
		found = name_of(&port_attr_state_names, devlink_port_attr_state(port, step->attr));
		expected = name_of(&port_attr_state_names, (uint32_t)step->value);
		break;
	default:
		snprintf(number, sizeof(number), "%" PRIu64, port->max_io_eqs.value);
		snprintf(wanted, sizeof(wanted), "%" PRIu64, step->value);
		what = "max_io_eqs";
		found = port->max_io_eqs.known ? number : "unknown";
		expected = wanted;
	}
	if (strcasecmp(found, expected) == 0)
		return 0;
	return error_set(reterr, MLX5LM_ERROR_VERIFY_FAILED, EIO, MLX5LM_SOURCE_DEVLINK,
			 "%s: %s of VF %" PRIu32 " is %s after %s was set", applier->pf_bdf, what,
			 step->vf_index, found, expected);
}

static int begin(struct applier *applier, struct mlx5lm_error **reterr)
{
	int r = applier_get_netlink(applier, reterr);

	return r < 0 || applier->ports_known ? r : applier_read_ports(applier, reterr);
}

void applier_set_ports(struct run *run)
{
	static const struct window_kind kind = {
		.begin = begin,
		.make = make_request,
		.failed = request_failed,
		.look = applier_read_ports,
		.verify = verify,
		.timeout_ms = PORT_TIMEOUT_MS,
	};

	applier_run_windows(run, &kind, &run->applier->netlink);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/applier_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

#include "base/error.h"
#include "sys/deadline.h"
#include "sys/devlink_uapi.h"

static int get_netlink(struct applier *applier, struct mlx5lm_error **reterr)
{
	return applier->netlink ? 0 : netlink_open(DEVLINK_FAMILY, &applier->netlink, reterr);
}

/* An error of devlink with the kernel's own words, if it had any. */
static int devlink_failed(const char *object, const char *what, const char *words, int r,
			  struct mlx5lm_error **reterr)
{
	if (r == -ENOMEM && !words)
		return error_no_memory(reterr);
	error_set(reterr, applier_code(r), -r, MLX5LM_SOURCE_DEVLINK, "%s: cannot %s: %s", object,
		  what, strerror(-r));
	if (words)
		error_add_detail(reterr, "%s", words);
	if (r == -EPERM)
		error_add_remedy(reterr, "run with CAP_NET_ADMIN in the initial user namespace");
	else if (r == -ENODEV)
		error_add_remedy(reterr, "devlink does not know it in this network namespace: "
					 "devlink dev; devlink port");
	return r;
}

/* A success may come with words, too: those of a driver that does not like what it does. */
static void log_words(const struct applier *applier, const char *words)
{
	if (words)
		log_warning(applier->log, "%s: the kernel says: %s", applier->pf_bdf, words);
}

int applier_read_eswitch_mode(struct applier *applier, uint32_t *ret, struct mlx5lm_error **reterr)
{
	int r;

	r = get_netlink(applier, reterr);
	if (r < 0)
		return r;
	r = devlink_get_eswitch_mode(applier->netlink, applier->pf_bdf, ret);
	return r < 0 ? devlink_failed(applier->pf_bdf, "read the eswitch mode",
				      applier->netlink->words, r, reterr)
		     : 0;
}

int applier_read_ports(struct applier *applier, struct mlx5lm_error **reterr)
{
	int r;

	r = get_netlink(applier, reterr);
	if (r < 0)
		return r;
	devlink_ports_release(&applier->ports);
	applier->ports_known = false;
	r = devlink_get_vf_ports(applier->netlink, applier->pf_bdf, &applier->ports);
	if (r < 0)
		return devlink_failed(applier->pf_bdf, "read the VF ports", applier->netlink->words,
				      r, reterr);
	applier->ports_known = true;
	return 0;
}

/*
 * A change of mode tears down and builds up all VF ports within the send of the request. It
 * runs with a deadline, and so on a socket of its own.
 */
struct mode_change {
	struct netlink *netlink;
	char *pf_bdf;
	uint32_t mode;
};

static int mode_change_run(void *data)
{
	struct mode_change *change = data;

	return devlink_set_eswitch_mode(change->netlink, change->pf_bdf, change->mode);
}

static void mode_change_free(void *data)
{
	struct mode_change *change = data;

	netlink_free(change->netlink);
	free(change->pf_bdf);
	free(change);
}

static int mode_change_new(const struct applier *applier, uint32_t mode, struct mode_change **ret,
			   struct mlx5lm_error **reterr)
{
	struct mode_change *change = calloc(1, sizeof(*change));
	int r;

	if (!change)
		return error_no_memory(reterr);
	change->mode = mode;
	change->pf_bdf = strdup(applier->pf_bdf);
	r = change->pf_bdf ? netlink_open(DEVLINK_FAMILY, &change->netlink, reterr)
			   : error_no_memory(reterr);
	if (r < 0) {
		mode_change_free(change);
		return r;
	}
	change->netlink->timeout_ms = ESWITCH_TIMEOUT_MS;
	*ret = change;
	return 0;
}

static int mode_failed(const struct applier *applier, const char *words, int r,
		       struct mlx5lm_error **reterr)
{
	devlink_failed(applier->pf_bdf, "change the eswitch mode", words, r, reterr);
	switch (-r) {
	case EOPNOTSUPP:
		if (!words)
			error_add_remedy(reterr, "the function must be an Ethernet PF that manages "
						 "its own eswitch; on a DPU in DPU mode change it "
						 "on the Arm side");
		break;
	case EBUSY:
		error_add_remedy(reterr, "take down what uses the eswitch (tc filters, bonds, "
					 "rate nodes) and try again");
		break;
	case ETIMEDOUT:
		error_add_remedy(reterr,
				 "the change is still under way: devlink dev eswitch show "
				 "pci/%s; dmesg | tail",
				 applier->pf_bdf);
		break;
	}
	return r;
}

int applier_set_eswitch_mode(struct applier *applier, const struct mlx5lm_step *step,
			     struct mlx5lm_error **reterr)
{
	uint32_t wanted = (uint32_t)step->value, found = MLX5LM_ESWITCH_UNKNOWN;
	struct mode_change *change = NULL;
	int r, result = 0;

	applier->ports_known = false;
	r = mode_change_new(applier, wanted, &change, reterr);
	if (r < 0)
		return r;
	r = deadline_call(mode_change_run, change, mode_change_free,
			  applier_timeout_ms(applier, ESWITCH_TIMEOUT_MS), &result);
	if (r == -ETIMEDOUT)
		return mode_failed(applier, NULL, r, reterr);
	if (r == 0)
		r = result;
	if (r < 0)
		mode_failed(applier, change->netlink->words, r, reterr);
	else
		log_words(applier, change->netlink->words);
	mode_change_free(change);
	if (r < 0)
		return r;
	r = applier_read_eswitch_mode(applier, &found, reterr);
	if (r < 0 || found == wanted)
		return r;
	return error_set(reterr, MLX5LM_ERROR_VERIFY_FAILED, EIO, MLX5LM_SOURCE_DEVLINK,
			 "%s: the eswitch mode is %s after %s was set", applier->pf_bdf,
			 name_of(&eswitch_mode_names, found), name_of(&eswitch_mode_names, wanted));
}

/* The port of the step's VF. */
static int find_port(struct applier *applier, const struct mlx5lm_step *step, uint32_t *ret,
		     struct mlx5lm_error **reterr)
{
	const struct devlink_port *port;
	int r;

	if (!applier->ports_known) {
		r = applier_read_ports(applier, reterr);
		if (r < 0)
			return r;
	}
	port = devlink_find_port(&applier->ports, step->vf_index);
	if (port) {
		*ret = port->index;
		return 0;
	}
	r = error_set(reterr, MLX5LM_ERROR_NOT_FOUND, ENODEV, MLX5LM_SOURCE_DEVLINK,
		      "%s: VF %" PRIu32 " has no devlink port", applier->pf_bdf, step->vf_index);
	error_add_remedy(reterr,
			 "VF ports are there in switchdev mode only: "
			 "devlink dev eswitch set pci/%s mode switchdev",
			 applier->pf_bdf);
	return r;
}

/* Reads one port anew, to see what a change came to. */
static int read_back(struct applier *applier, uint32_t port_index, struct devlink_port *ret,
		     struct mlx5lm_error **reterr)
{
	int r = devlink_get_port(applier->netlink, applier->pf_bdf, port_index, ret);

	return r < 0 ? devlink_failed(applier->pf_bdf, "read the VF port", applier->netlink->words,
				      r, reterr)
		     : 0;
}

static bool parse_hw_addr(const char *text, uint8_t hw_addr[static 6])
{
	unsigned int byte[6];
	int length = 0;

	if (!text || sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &byte[0], &byte[1], &byte[2],
			    &byte[3], &byte[4], &byte[5], &length) != 6)
		return false;
	if (length != 17 || text[length] || strspn(text, "0123456789abcdefABCDEF:") != 17)
		return false;
	for (int i = 0; i < 6; i++)
		hw_addr[i] = (uint8_t)byte[i];
	return true;
}

int applier_set_hw_addr(struct applier *applier, const struct mlx5lm_step *step,
			struct mlx5lm_error **reterr)
{
	struct devlink_port port = { 0 };
	uint8_t hw_addr[6];
	uint32_t index;
	int r;

	if (!parse_hw_addr(step->text, hw_addr))
		return error_invalid(reterr, "%s: VF %" PRIu32 ": \"%s\" is no hardware address",
				     applier->pf_bdf, step->vf_index, step->text ?: "");
	r = find_port(applier, step, &index, reterr);
	if (r < 0)
		return r;
	r = devlink_set_port_hw_addr(applier->netlink, applier->pf_bdf, index, hw_addr);
	if (r < 0)
		return devlink_failed(applier->pf_bdf, "set the hardware address of the VF port",
				      applier->netlink->words, r, reterr);
	log_words(applier, applier->netlink->words);
	r = read_back(applier, index, &port, reterr);
	if (r < 0 || strcasecmp(port.hw_addr, step->text) == 0)
		return r;
	return error_set(reterr, MLX5LM_ERROR_VERIFY_FAILED, EIO, MLX5LM_SOURCE_DEVLINK,
			 "%s: the hardware address of VF %" PRIu32 " is %s after %s was set",
			 applier->pf_bdf, step->vf_index,
			 port.hw_addr[0] ? port.hw_addr : "unknown", step->text);
}

static int port_attr_failed(const struct applier *applier, const struct mlx5lm_step *step, int r,
			    struct mlx5lm_error **reterr)
{
	char what[128];

	snprintf(what, sizeof(what), "%s %s of VF %" PRIu32,
		 step->value == MLX5LM_PORT_ATTR_STATE_ENABLED ? "enable" : "disable",
		 name_of(&port_attr_names, step->attr), step->vf_index);
	devlink_failed(applier->pf_bdf, what, applier->netlink->words, r, reterr);
	if (r == -EOPNOTSUPP && step->attr == MLX5LM_PORT_ATTR_MIGRATABLE)
		error_add_remedy(reterr,
				 "enable migration in the NV configuration and restart the "
				 "adapter: mlxconfig -d %s set VF_MIGRATION_MODE=2; "
				 "mlxfwreset -d %s reset",
				 applier->pf_bdf, applier->pf_bdf);
	else if (r == -EOPNOTSUPP)
		error_add_remedy(reterr,
				 "neither kernel nor firmware offers it: leave it as it is");
	else if (r == -EINVAL)
		error_add_remedy(reterr,
				 "the firmware refuses it while a driver has the VF: unbind "
				 "it first; the kernel must be Linux 6.2 or later");
	return r;
}

int applier_set_port_attr(struct applier *applier, const struct mlx5lm_step *step,
			  struct mlx5lm_error **reterr)
{
	struct devlink_port port = { 0 };
	uint32_t index, found;
	int r;

	if (step->value != MLX5LM_PORT_ATTR_STATE_ENABLED &&
	    step->value != MLX5LM_PORT_ATTR_STATE_DISABLED)
		return error_invalid(reterr, "%s: a port attribute can be enabled or disabled only",
				     applier->pf_bdf);
	r = find_port(applier, step, &index, reterr);
	if (r < 0)
		return r;
	r = devlink_set_port_attr(applier->netlink, applier->pf_bdf, index, step->attr,
				  step->value == MLX5LM_PORT_ATTR_STATE_ENABLED);
	if (r < 0)
		return port_attr_failed(applier, step, r, reterr);
	log_words(applier, applier->netlink->words);
	r = read_back(applier, index, &port, reterr);
	if (r < 0)
		return r;
	found = devlink_port_attr_state(&port, step->attr);
	if (found == step->value)
		return 0;
	return error_set(reterr, MLX5LM_ERROR_VERIFY_FAILED, EIO, MLX5LM_SOURCE_DEVLINK,
			 "%s: %s of VF %" PRIu32 " is %s after %s was set", applier->pf_bdf,
			 name_of(&port_attr_names, step->attr), step->vf_index,
			 name_of(&port_attr_state_names, found),
			 name_of(&port_attr_state_names, (uint32_t)step->value));
}

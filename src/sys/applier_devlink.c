// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <inttypes.h>

#include "sys/applier_call.h"
#include "sys/applier_internal.h"
#include "sys/devlink_uapi.h"
#include "sys/notices.h"
#include "sys/vfs.h"

int applier_get_netlink(struct applier *applier, struct mlx5lm_error **reterr)
{
	return applier->netlink ? 0 : netlink_open(DEVLINK_FAMILY, &applier->netlink, reterr);
}

int applier_get_route(struct applier *applier, struct mlx5lm_error **reterr)
{
	return applier->route ? 0 : netlink_open_route(&applier->route, reterr);
}

int applier_netlink_failed(const char *object, const char *what, const char *words, int r,
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

void applier_log_words(const struct applier *applier, const char *words)
{
	if (words)
		log_warning(applier->log, "%s: the kernel says: %s", applier->pf_bdf, words);
}

/* The kernel's words to the last request; none if it still runs. */
static const char *last_words(const struct applier *applier)
{
	return applier->netlink ? applier->netlink->words : NULL;
}

int applier_read_eswitch_mode(struct applier *applier, uint32_t *ret, struct mlx5lm_error **reterr)
{
	struct call *call;
	int r;

	r = applier_get_netlink(applier, reterr);
	if (r < 0)
		return r;
	call = call_new(call_get_mode, applier->pf_bdf);
	if (!call)
		return error_no_memory(reterr);
	if (!call_run(call, &applier->netlink, applier_timeout_ms(applier, FILE_TIMEOUT_MS), &r))
		return applier_netlink_failed(applier->pf_bdf, "read the eswitch mode", NULL,
					      -ETIMEDOUT, reterr);
	if (r == 0)
		*ret = call->mode;
	call_free(call);
	return r < 0 ? applier_netlink_failed(applier->pf_bdf, "read the eswitch mode",
					      last_words(applier), r, reterr)
		     : 0;
}

int applier_read_ports(struct applier *applier, struct mlx5lm_error **reterr)
{
	struct call *call;
	int r;

	r = applier_get_netlink(applier, reterr);
	if (r < 0)
		return r;
	devlink_ports_release(&applier->ports);
	applier->ports_known = false;
	call = call_new(call_get_ports, applier->pf_bdf);
	if (!call)
		return error_no_memory(reterr);
	if (!call_run(call, &applier->netlink, applier_timeout_ms(applier, FILE_TIMEOUT_MS), &r))
		return applier_netlink_failed(applier->pf_bdf, "read the VF ports", NULL,
					      -ETIMEDOUT, reterr);
	if (r == 0) {
		applier->ports = call->ports;
		call->ports = (struct devlink_ports){ 0 };
		applier->ports_known = true;
	}
	call_free(call);
	return r < 0 ? applier_netlink_failed(applier->pf_bdf, "read the VF ports",
					      last_words(applier), r, reterr)
		     : 0;
}

const struct devlink_port *applier_find_port(struct applier *applier,
					     const struct mlx5lm_step *step,
					     struct mlx5lm_error **reterr)
{
	const struct devlink_port *port;

	if (!applier->ports_known && applier_read_ports(applier, reterr) < 0)
		return NULL;
	port = devlink_find_port(&applier->ports, step->vf_index);
	if (port)
		return port;
	error_set(reterr, MLX5LM_ERROR_NOT_FOUND, ENODEV, MLX5LM_SOURCE_DEVLINK,
		  "%s: VF %" PRIu32 " has no devlink port", applier->pf_bdf, step->vf_index);
	error_add_remedy(reterr,
			 "VF ports are there in switchdev mode only: "
			 "devlink dev eswitch set pci/%s mode switchdev",
			 applier->pf_bdf);
	return NULL;
}

int applier_send_window(struct applier *applier, struct netlink **netlink,
			struct netlink_window **window, unsigned int timeout_ms)
{
	struct call *call = call_new(call_send_window, applier->pf_bdf);
	unsigned int length = (unsigned int)(*window)->length;
	int r;

	if (!call)
		return -ENOMEM;
	applier->num_messages += length;
	call->window = TAKE(*window);
	if (!call_run(call, netlink, length * applier_timeout_ms(applier, timeout_ms), &r))
		return -ETIMEDOUT;
	*window = TAKE(call->window);
	call_free(call);
	return r;
}

static int mode_failed(const struct applier *applier, const char *words, int r,
		       struct mlx5lm_error **reterr)
{
	applier_netlink_failed(applier->pf_bdf, "change the eswitch mode", words, r, reterr);
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

static int change_mode(struct applier *applier, uint32_t mode, struct mlx5lm_error **reterr)
{
	unsigned int timeout_ms = applier_timeout_ms(applier, ESWITCH_TIMEOUT_MS);
	struct call *call = call_new(call_set_mode, applier->pf_bdf);
	int r;

	if (!call)
		return error_no_memory(reterr);
	call->mode = mode;
	applier->num_messages++;
	if (!call_run(call, &applier->netlink, timeout_ms, &r))
		return mode_failed(applier, NULL, -ETIMEDOUT, reterr);
	call_free(call);
	if (r < 0)
		return mode_failed(applier, last_words(applier), r, reterr);
	applier_log_words(applier, last_words(applier));
	return 0;
}

int applier_set_eswitch_mode(struct applier *applier, const struct mlx5lm_step *step,
			     struct mlx5lm_error **reterr)
{
	uint32_t wanted = (uint32_t)step->value, found = MLX5LM_ESWITCH_UNKNOWN;
	_cleanup_notices_ struct notices notices = { -1, -1 };
	size_t num_vfs = 0;
	int r;

	r = applier_get_netlink(applier, reterr);
	if (r < 0)
		return r;
	notices_open(&notices, applier->netlink);
	applier->ports_known = false;
	r = change_mode(applier, wanted, reterr);
	if (r == 0)
		r = applier_read_eswitch_mode(applier, &found, reterr);
	if (r < 0)
		return r;
	if (found != wanted)
		return error_set(reterr, MLX5LM_ERROR_VERIFY_FAILED, EIO, MLX5LM_SOURCE_DEVLINK,
				 "%s: the eswitch mode is %s after %s was set", applier->pf_bdf,
				 name_of(&eswitch_mode_names, found),
				 name_of(&eswitch_mode_names, wanted));
	/* VFs that stay get their ports now. */
	if (wanted != MLX5LM_ESWITCH_SWITCHDEV || vfs_count(applier->pf_fd, &num_vfs) < 0)
		return 0;
	return applier_wait_for_vfs(applier, &notices, num_vfs, reterr);
}

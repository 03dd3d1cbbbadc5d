// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/probe_devlink.h"

#include <errno.h>

#include "sys/deadline.h"
#include "sys/devlink.h"
#include "sys/devlink_uapi.h"

/* The kernel answers at once unless somebody reconfigures the PF, which takes some seconds. */
#define TIMEOUT_MS 10000

/* The questions about one PF. They are asked on a thread, for devlink may wait for its lock. */
struct questions {
	char *pf_bdf;
	bool want_ports;
	struct mlx5lm_error *open_error;
	struct devlink_info info;
	int info_result;
	uint32_t eswitch_mode;
	int eswitch_result;
	struct devlink_ports ports;
	int ports_result;
};

static int ask(void *data)
{
	_cleanup_netlink_ struct netlink *netlink = NULL;
	struct questions *asked = data;
	int r;

	r = netlink_open(DEVLINK_FAMILY, &netlink, &asked->open_error);
	if (r < 0)
		return r;
	asked->info_result = devlink_get_info(netlink, asked->pf_bdf, &asked->info);
	if (asked->info_result < 0)
		return 0;
	asked->eswitch_result =
		devlink_get_eswitch_mode(netlink, asked->pf_bdf, &asked->eswitch_mode);
	if (asked->want_ports)
		asked->ports_result = devlink_get_vf_ports(netlink, asked->pf_bdf, &asked->ports);
	return 0;
}

static void questions_free(void *data)
{
	struct questions *asked = data;

	free(asked->pf_bdf);
	mlx5lm_error_free(asked->open_error);
	devlink_info_release(&asked->info);
	devlink_ports_release(&asked->ports);
	free(asked);
}

static void questions_free_p(struct questions **asked)
{
	if (*asked)
		questions_free(*asked);
}

static int note(struct mlx5lm_host *host, const struct mlx5lm_pf *pf, const char *what, int r)
{
	if (r == -ENOMEM)
		return r;
	if (r == -ENODEV && !pf->driver)
		return host_add_note(host, pf->bdf, NULL,
				     "%s not known: no driver is bound; "
				     "echo %s > /sys/bus/pci/drivers/mlx5_core/bind",
				     what, pf->bdf);
	if (r == -ENODEV)
		return host_add_note(host, pf->bdf, NULL,
				     "%s not known: driver %s has no devlink instance "
				     "in this network namespace; run in the one of the PF",
				     what, pf->driver);
	return host_add_note(host, pf->bdf, NULL, "%s not known: devlink: %s", what, strerror(-r));
}

static int take_info(struct mlx5lm_pf *pf, struct mlx5lm_host *host, struct devlink_info *info)
{
	pf->psid = TAKE(info->psid);
	pf->fw_running = TAKE(info->fw_running);
	pf->fw_stored = TAKE(info->fw_stored);
	pf->serial_number = TAKE(info->serial_number);
	if (pf->psid && pf->fw_running)
		return 0;
	return host_add_note(host, pf->bdf, NULL, "PSID or firmware version are not known: driver %s does "
			     "not report them",
			     pf->driver ?: "(none)");
}

static int take_eswitch_mode(struct mlx5lm_pf *pf, struct mlx5lm_host *host, uint32_t mode, int r)
{
	pf->eswitch_mode = mode;
	if (r == 0)
		return 0;
	if (r == -EPERM)
		return host_add_note(host, pf->bdf, "eswitch_mode",
				     "eswitch mode is not known: reading it needs "
				     "CAP_NET_ADMIN; run as root");
	if (r == -EOPNOTSUPP)
		return host_add_note(host, pf->bdf, NULL, "eswitch mode is not known: this host does not "
				     "manage the eswitch of the function");
	return note(host, pf, "eswitch mode is", r);
}

/* Copies the function behind each port to its VF. */
static int take_ports(struct mlx5lm_pf *pf, const struct devlink_ports *ports)
{
	for (size_t i = 0; i < pf->num_vfs; i++) {
		struct mlx5lm_vf *vf = &pf->vfs[i];
		const struct devlink_port *port;

		port = devlink_find_port(ports, (uint32_t)vf->index.value);
		if (!port)
			continue;
		if ((port->hw_addr[0] && str_replace(&vf->hw_addr, port->hw_addr) < 0) ||
		    (port->netdev[0] && str_replace(&vf->representor, port->netdev) < 0))
			return -ENOMEM;
		vf->roce = devlink_port_attr_state(port, MLX5LM_PORT_ATTR_ROCE);
		vf->migratable = devlink_port_attr_state(port, MLX5LM_PORT_ATTR_MIGRATABLE);
		vf->ipsec_crypto = devlink_port_attr_state(port, MLX5LM_PORT_ATTR_IPSEC_CRYPTO);
		vf->ipsec_packet = devlink_port_attr_state(port, MLX5LM_PORT_ATTR_IPSEC_PACKET);
		vf->max_io_eqs = port->max_io_eqs;
	}
	return 0;
}

static int note_no_ports(struct mlx5lm_pf *pf, struct mlx5lm_host *host)
{
	if (pf->eswitch_mode == MLX5LM_ESWITCH_SWITCHDEV)
		return host_add_note(host, pf->bdf, NULL, "port attributes are not known: the PF has VFs but "
				     "no VF ports");
	return host_add_note(host, pf->bdf, NULL,
			     "port attributes are not known: there are no VF ports "
			     "outside switchdev mode; "
			     "devlink dev eswitch set pci/%s mode switchdev",
			     pf->bdf);
}

static int take_answers(struct mlx5lm_pf *pf, struct mlx5lm_host *host, struct questions *asked)
{
	int r;

	if (asked->info_result < 0)
		return note(host, pf, "PSID, firmware, eswitch mode and ports are",
			    asked->info_result);
	r = take_info(pf, host, &asked->info);
	if (r == 0)
		r = take_eswitch_mode(pf, host, asked->eswitch_mode, asked->eswitch_result);
	if (r < 0 || !asked->want_ports)
		return r;
	if (asked->ports_result < 0)
		return note(host, pf, "port attributes are", asked->ports_result);
	if (!asked->ports.length)
		return note_no_ports(pf, host);
	return take_ports(pf, &asked->ports);
}

int probe_devlink(struct mlx5lm_pf *pf, struct mlx5lm_host *host)
{
	_cleanup_(questions_free_p) struct questions *asked = calloc(1, sizeof(*asked));
	int r, result = 0;

	if (!asked)
		return -ENOMEM;
	asked->want_ports = pf->num_vfs > 0;
	r = str_replace(&asked->pf_bdf, pf->bdf);
	if (r < 0)
		return r;
	r = deadline_call(ask, asked, questions_free, TIMEOUT_MS, &result);
	if (r == -ETIMEDOUT) {
		/* They are the thread's now. */
		asked = NULL;
		return host_add_note(host, pf->bdf, NULL,
				     "PSID, firmware, eswitch mode and ports are not "
				     "known: devlink gives no answer; somebody changes the "
				     "PF, try again");
	}
	if (r < 0)
		return note(host, pf, "PSID, firmware, eswitch mode and ports are", r);
	if (result == -ENOMEM)
		return result;
	if (result < 0)
		return host_add_note(host, pf->bdf, NULL, "PSID, firmware, eswitch mode and ports are not "
				     "known: %s",
				     asked->open_error ? asked->open_error->message
						       : strerror(-result));
	return take_answers(pf, host, asked);
}

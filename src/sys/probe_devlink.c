// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/probe_devlink.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/refcount.h"
#include "sys/deadline.h"
#include "sys/devlink.h"
#include "sys/devlink_uapi.h"
#include "sys/pci.h"

/* The kernel answers at once unless somebody reconfigures the PF, which takes some seconds. */
#define TIMEOUT_MS 10000

/* Facts, by their JSON names. */
#define INFO_FACTS "psid fw_running fw_stored serial_number board_serial_number devlink_driver"
#define ESWITCH_FACTS "eswitch_mode eswitch_manager"
#define PORT_FACTS                                                                                 \
	"port_index hw_addr representor representor_state roce migratable ipsec_crypto "            \
	"ipsec_packet max_io_eqs"
#define PARAM_FACTS "params"
#define ALL_FACTS INFO_FACTS " " ESWITCH_FACTS " " PORT_FACTS " " PARAM_FACTS

/* The questions in the order in which they are asked. */
enum question {
	OPEN = 1,
	INFO,
	ESWITCH,
	PORTS,
	PARAMS,
};

/* The questions about one PF, with the answers. */
struct devlink_questions {
	struct refcount refcount; /* of the thread and of who started it */
	struct deadline_call *call;
	uint64_t until_ms;
	char *pf_bdf;
	bool want_ports;
	int net_fd; /* the netdevs of the PF, its representors among them; or -1 */
	/*
	 * The last question with an answer. Those up to it do not change any more, so that they
	 * can be read while the thread waits for the next.
	 */
	atomic_uint answered;
	struct mlx5lm_error *open_error;
	int open_result;
	struct devlink_info info;
	int info_result;
	uint32_t eswitch_mode;
	int eswitch_result;
	struct devlink_ports ports;
	uint32_t *states; /* of the ports' netdevs, enum mlx5lm_admin_state */
	int ports_result;
	struct devlink_params params;
	int params_result;
};

static void questions_unref(void *data)
{
	struct devlink_questions *asked = data;

	if (!refcount_put(&asked->refcount))
		return;
	free(asked->pf_bdf);
	free(asked->states);
	close_p(&asked->net_fd);
	mlx5lm_error_free(asked->open_error);
	devlink_info_release(&asked->info);
	devlink_ports_release(&asked->ports);
	devlink_params_release(&asked->params);
	free(asked);
}

static void questions_unref_p(struct devlink_questions **asked)
{
	if (*asked)
		questions_unref(*asked);
}

/* Keeps an answer; false if there will be no further one. */
static bool keep(struct devlink_questions *asked, enum question question, int *result, int r)
{
	if (r == -ETIMEDOUT)
		return false;
	*result = r;
	atomic_store_explicit(&asked->answered, question, memory_order_release);
	return true;
}

static struct netlink *hurry(struct netlink *netlink, const struct devlink_questions *asked)
{
	uint64_t now_ms = (uint64_t)clock_now_ms();

	netlink->timeout_ms =
		asked->until_ms > now_ms ? (unsigned int)(asked->until_ms - now_ms) : 0;
	return netlink;
}

/*
 * By sysfs, which answers at once; netlink waits for whoever changes any netdev. The kernel lets
 * no name of a netdev be a path.
 */
static uint32_t read_state(int net_fd, const char *netdev)
{
	char path[IFNAMSIZ + sizeof("/flags")], text[SYSFS_TEXT_SIZE];
	_cleanup_close_ int fd = -1;
	uint64_t flags;

	if (!netdev[0] || netdev[0] == '.' || strchr(netdev, '/'))
		return MLX5LM_ADMIN_STATE_UNKNOWN;
	snprintf(path, sizeof(path), "%s/flags", netdev);
	fd = openat(net_fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || sysfs_read_fd(fd, text) < 0 || str_to_u64(text, 16, &flags) < 0)
		return MLX5LM_ADMIN_STATE_UNKNOWN;
	return flags & IFF_UP ? MLX5LM_ADMIN_STATE_UP : MLX5LM_ADMIN_STATE_DOWN;
}

static int ask_ports(struct devlink_questions *asked, struct netlink *netlink)
{
	int r;

	if (!asked->want_ports)
		return 0;
	r = devlink_get_vf_ports(netlink, asked->pf_bdf, &asked->ports);
	if (r < 0 || !asked->ports.length || asked->net_fd < 0)
		return r;
	asked->states = calloc(asked->ports.length, sizeof(*asked->states));
	for (size_t i = 0; asked->states && i < asked->ports.length; i++)
		asked->states[i] = read_state(asked->net_fd, asked->ports.items[i].netdev);
	return asked->states ? 0 : -ENOMEM;
}

static int ask(void *data)
{
	_cleanup_netlink_ struct netlink *netlink = NULL;
	struct devlink_questions *asked = data;
	const char *bdf = asked->pf_bdf;
	int r;

	r = netlink_open(DEVLINK_FAMILY, &netlink, &asked->open_error);
	if (!keep(asked, OPEN, &asked->open_result, r) || r < 0)
		return 0;
	r = devlink_get_info(hurry(netlink, asked), bdf, &asked->info);
	if (!keep(asked, INFO, &asked->info_result, r) || r < 0)
		return 0;
	r = devlink_get_eswitch_mode(hurry(netlink, asked), bdf, &asked->eswitch_mode);
	if (!keep(asked, ESWITCH, &asked->eswitch_result, r))
		return 0;
	r = ask_ports(asked, hurry(netlink, asked));
	if (!keep(asked, PORTS, &asked->ports_result, r))
		return 0;
	r = devlink_get_params(hurry(netlink, asked), bdf, &asked->params);
	keep(asked, PARAMS, &asked->params_result, r);
	return 0;
}

static int note(struct mlx5lm_host *host, const struct mlx5lm_pf *pf, const char *facts,
		const char *what, int r)
{
	if (r == -ENOMEM)
		return r;
	if (r == -ENODEV && !pf->driver)
		return host_add_note(host, pf->bdf, facts,
				     "%s not known: no driver is bound; "
				     "echo %s > /sys/bus/pci/drivers/mlx5_core/bind",
				     what, pf->bdf);
	if (r == -ENODEV)
		return host_add_note(host, pf->bdf, facts,
				     "%s not known: driver %s has no devlink instance "
				     "in this network namespace; run in the one of the PF",
				     what, pf->driver);
	return host_add_note(host, pf->bdf, facts, "%s not known: devlink: %s", what, strerror(-r));
}

/* Answers are copied: the thread may still be there. */
static int take_info(struct mlx5lm_pf *pf, struct mlx5lm_host *host,
		     const struct devlink_info *info)
{
	const char *serial_number = info->serial_number ?: info->board_serial_number;

	if (str_replace(&pf->psid, info->psid) || str_replace(&pf->fw_running, info->fw_running) ||
	    str_replace(&pf->fw_stored, info->fw_stored) ||
	    str_replace(&pf->board_serial_number, info->board_serial_number) ||
	    str_replace(&pf->devlink_driver, info->driver))
		return -ENOMEM;
	if (serial_number && str_replace(&pf->serial_number, serial_number) < 0)
		return -ENOMEM;
	if (pf->psid && pf->fw_running)
		return 0;
	return host_add_note(host, pf->bdf, "psid fw_running fw_stored",
			     "PSID or firmware version are not known: driver %s does "
			     "not report them",
			     pf->driver ?: "(none)");
}

/*
 * "Not supported" is the driver's answer for a function that does not manage the eswitch, and
 * for one that speaks InfiniBand; a driver built without eswitch has no other answer at all.
 */
static int take_not_supported(struct mlx5lm_pf *pf, struct mlx5lm_host *host)
{
	bool is_ethernet = pf->class_code.known && pf->class_code.value >> 8 == 0x0200;

	if (streq(host_find_config(host, "MLX5_ESWITCH"), "n"))
		return host_add_note(host, pf->bdf, ESWITCH_FACTS,
				     "eswitch mode is not known: this kernel's mlx5_core is built "
				     "without CONFIG_MLX5_ESWITCH");
	if (!is_ethernet || !streq(pf->driver, "mlx5_core"))
		return host_add_note(host, pf->bdf, ESWITCH_FACTS,
				     "eswitch mode is not known: the function, or its driver, "
				     "offers none");
	pf->eswitch_manager = MLX5LM_ANSWER_NO;
	return host_add_note(host, pf->bdf, "eswitch_mode",
			     "eswitch mode is not known: this host does not "
			     "manage the eswitch of the function");
}

static int take_eswitch_mode(struct mlx5lm_pf *pf, struct mlx5lm_host *host, uint32_t mode, int r)
{
	if (r == -EPERM)
		return host_add_note(host, pf->bdf, ESWITCH_FACTS,
				     "eswitch mode is not known: reading it needs "
				     "CAP_NET_ADMIN; run as root");
	if (r == -EOPNOTSUPP)
		return take_not_supported(pf, host);
	if (r < 0)
		return note(host, pf, ESWITCH_FACTS, "eswitch mode is", r);
	pf->eswitch_mode = mode;
	pf->eswitch_manager = MLX5LM_ANSWER_YES;
	return 0;
}

/* Copies the function behind each port to its VF. */
static int take_ports(struct mlx5lm_pf *pf, struct mlx5lm_host *host,
		      const struct devlink_questions *asked)
{
	const struct devlink_ports *ports = &asked->ports;
	bool any_unknown = false;

	for (size_t i = 0; i < pf->num_vfs; i++) {
		struct mlx5lm_vf *vf = &pf->vfs[i];
		const struct devlink_port *port;

		port = devlink_find_port(ports, (uint32_t)vf->index.value);
		if (!port)
			continue;
		if ((port->hw_addr[0] && str_replace(&vf->hw_addr, port->hw_addr) < 0) ||
		    (port->netdev[0] && str_replace(&vf->representor, port->netdev) < 0))
			return -ENOMEM;
		vf->port_index = fact_u64(port->index);
		vf->roce = devlink_port_attr_state(port, MLX5LM_PORT_ATTR_ROCE);
		vf->migratable = devlink_port_attr_state(port, MLX5LM_PORT_ATTR_MIGRATABLE);
		vf->ipsec_crypto = devlink_port_attr_state(port, MLX5LM_PORT_ATTR_IPSEC_CRYPTO);
		vf->ipsec_packet = devlink_port_attr_state(port, MLX5LM_PORT_ATTR_IPSEC_PACKET);
		vf->max_io_eqs = port->max_io_eqs;
		if (asked->states)
			vf->representor_state = asked->states[port - ports->items];
		any_unknown = any_unknown || (vf->representor && !vf->representor_state);
	}
	return any_unknown ? host_add_note(host, pf->bdf, "representor_state",
					   "states of representors are not known: sysfs does not "
					   "show them all; run in their network namespace")
			   : 0;
}

static int note_no_ports(struct mlx5lm_pf *pf, struct mlx5lm_host *host)
{
	if (pf->eswitch_mode == MLX5LM_ESWITCH_SWITCHDEV)
		return host_add_note(host, pf->bdf, PORT_FACTS,
				     "port attributes are not known: the PF has VFs but "
				     "no VF ports");
	return host_add_note(host, pf->bdf, PORT_FACTS,
			     "port attributes are not known: there are no VF ports "
			     "outside switchdev mode; "
			     "devlink dev eswitch set pci/%s mode switchdev",
			     pf->bdf);
}

/* Only of a thread that has ended: they are taken over. */
static int take_params(struct mlx5lm_pf *pf, struct mlx5lm_host *host,
		       struct devlink_params *params, int r)
{
	if (r < 0)
		return note(host, pf, PARAM_FACTS, "devlink parameters are", r);
	pf->params = TAKE(params->items);
	pf->num_params = params->length;
	pf->allocated_params = params->allocated;
	*params = (struct devlink_params){ 0 };
	return 0;
}

static int note_late(struct mlx5lm_host *host, const struct mlx5lm_pf *pf, enum question answered)
{
	static const char *const facts[] = {
		[0] = ALL_FACTS,
		[OPEN] = ALL_FACTS,
		[INFO] = ESWITCH_FACTS " " PORT_FACTS " " PARAM_FACTS,
		[ESWITCH] = PORT_FACTS " " PARAM_FACTS,
		[PORTS] = PARAM_FACTS,
	};
	static const char *const names[] = {
		[0] = "PSID, firmware, eswitch mode, ports and parameters",
		[OPEN] = "PSID, firmware, eswitch mode, ports and parameters",
		[INFO] = "eswitch mode, ports and devlink parameters",
		[ESWITCH] = "ports and devlink parameters",
		[PORTS] = "devlink parameters",
	};

	if (answered >= PARAMS)
		return 0;
	return host_add_note(host, pf->bdf, facts[answered],
			     "%s are not known: devlink gives no answer; somebody changes the "
			     "PF, try again",
			     names[answered]);
}

static int take_answers(struct mlx5lm_pf *pf, struct mlx5lm_host *host,
			struct devlink_questions *asked, enum question answered)
{
	int r = 0;

	if (answered >= OPEN && asked->open_result < 0)
		return asked->open_result == -ENOMEM
			       ? -ENOMEM
			       : host_add_note(host, pf->bdf, ALL_FACTS,
					       "PSID, firmware, eswitch mode, ports and parameters "
					       "are not known: %s",
					       asked->open_error ? asked->open_error->message
								 : strerror(-asked->open_result));
	if (answered >= INFO && asked->info_result < 0)
		return note(host, pf, ALL_FACTS,
			    "PSID, firmware, eswitch mode, ports and parameters are",
			    asked->info_result);
	if (answered >= INFO)
		r = take_info(pf, host, &asked->info);
	if (r == 0 && answered >= ESWITCH)
		r = take_eswitch_mode(pf, host, asked->eswitch_mode, asked->eswitch_result);
	if (r < 0 || answered < PORTS || !asked->want_ports)
		return r;
	if (asked->ports_result < 0)
		return note(host, pf, PORT_FACTS, "port attributes are", asked->ports_result);
	return asked->ports.length ? take_ports(pf, host, asked) : note_no_ports(pf, host);
}

int probe_devlink_start(const struct root *root, const struct mlx5lm_pf *pf, uint64_t until_ms,
			struct devlink_questions **ret)
{
	_cleanup_(questions_unref_p) struct devlink_questions *asked = calloc(1, sizeof(*asked));
	uint64_t limit_ms = (uint64_t)clock_now_ms() + TIMEOUT_MS;
	int r;

	if (!asked)
		return -ENOMEM;
	refcount_init(&asked->refcount);
	asked->net_fd = pf->num_vfs ? sysfs_open_dir(root, PCI_DEVICES "/%s/net", pf->bdf) : -1;
	asked->until_ms = until_ms < limit_ms ? until_ms : limit_ms;
	asked->want_ports = pf->num_vfs > 0;
	if (str_replace(&asked->pf_bdf, pf->bdf) < 0)
		return -ENOMEM;
	refcount_get(&asked->refcount);
	r = deadline_start(ask, asked, questions_unref, &asked->call);
	if (r < 0) {
		questions_unref(asked); /* the thread's */
		if (r == -ENOMEM)
			return r;
		asked->open_result = r;
		asked->answered = OPEN;
	}
	*ret = TAKE(asked);
	return 0;
}

int probe_devlink_finish(struct devlink_questions *questions, struct mlx5lm_pf *pf,
			 struct mlx5lm_host *host)
{
	_cleanup_(questions_unref_p) struct devlink_questions *asked = questions;
	enum question answered;
	bool ended = true;
	int r, result;

	if (asked->call) {
		ended = deadline_wait(asked->call, asked->until_ms, &result) == 0;
		if (ended)
			questions_unref(asked); /* the thread's */
	}
	answered = atomic_load_explicit(&asked->answered, memory_order_acquire);
	/* They are taken over, so only from a thread that has ended. */
	if (!ended && answered == PARAMS)
		answered = PORTS;
	r = take_answers(pf, host, asked, answered);
	if (r < 0 || (answered >= OPEN && asked->open_result < 0) ||
	    (answered >= INFO && asked->info_result < 0))
		return r;
	if (answered == PARAMS)
		return take_params(pf, host, &asked->params, asked->params_result);
	return note_late(host, pf, answered);
}

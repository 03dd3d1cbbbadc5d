/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_DEVLINK_H
#define SYS_DEVLINK_H

#include <net/if.h>

#include "facts.h"
#include "sys/netlink.h"

/*
 * The requests to devlink, over a netlink socket of the family "devlink" in the network
 * namespace of the PF. All return 0 or -errno; the kernel's words are in netlink->words.
 */

struct devlink_info {
	char *psid;
	char *fw_running;
	char *fw_stored;
	char *serial_number;
	char *board_serial_number;
	char *driver;
};

int devlink_get_info(struct netlink *netlink, const char *pf_bdf, struct devlink_info *ret);
void devlink_info_release(struct devlink_info *info);

/* enum mlx5lm_eswitch_mode; both need CAP_NET_ADMIN. */
int devlink_get_eswitch_mode(struct netlink *netlink, const char *pf_bdf, uint32_t *ret);
int devlink_set_eswitch_mode(struct netlink *netlink, const char *pf_bdf, uint32_t mode);

/* The port of a VF on the PF's eswitch, and the function behind it. */
struct devlink_port {
	uint32_t index;
	uint16_t vf_index;
	char hw_addr[18]; /* "" is not known */
	char netdev[IFNAMSIZ];
	uint32_t ifindex; /* of the netdev; 0 if it is not in this network namespace */
	uint32_t caps_value;	/* bits of CAP_BIT() */
	uint32_t caps_selector; /* those that kernel and driver know */
	struct fact_u64 max_io_eqs;
};

struct devlink_ports {
	struct devlink_port *items; /* sorted by VF index */
	size_t length;
	size_t allocated;
};

/* The VF ports of a PF; there are none outside switchdev mode. */
int devlink_get_vf_ports(struct netlink *netlink, const char *pf_bdf, struct devlink_ports *ret);

/* The parameters of a device with the values they have. */
struct devlink_params {
	struct mlx5lm_param *items; /* sorted by name */
	size_t length;
	size_t allocated;
};

int devlink_get_params(struct netlink *netlink, const char *pf_bdf, struct devlink_params *ret);
void devlink_params_release(struct devlink_params *params);

/* The port of a VF in a list; NULL if there is none. */
const struct devlink_port *devlink_find_port(const struct devlink_ports *ports, uint32_t vf_index);
void devlink_ports_release(struct devlink_ports *ports);

/* enum mlx5lm_port_attr_state of an attribute of a port. */
uint32_t devlink_port_attr_state(const struct devlink_port *port, enum mlx5lm_port_attr attr);

/*
 * Make requests that change the function behind a port, in buffer; they need CAP_NET_ADMIN.
 * NULL for an attribute that is none.
 */
struct nlmsghdr *devlink_start_port_attr(const struct netlink *netlink,
					 char buffer[NETLINK_REQUEST_SIZE], const char *pf_bdf,
					 uint32_t port_index, enum mlx5lm_port_attr attr, bool on);
struct nlmsghdr *devlink_start_port_hw_addr(const struct netlink *netlink,
					    char buffer[NETLINK_REQUEST_SIZE], const char *pf_bdf,
					    uint32_t port_index, const uint8_t hw_addr[static 6]);
struct nlmsghdr *devlink_start_port_max_io_eqs(const struct netlink *netlink,
					       char buffer[NETLINK_REQUEST_SIZE],
					       const char *pf_bdf, uint32_t port_index,
					       uint32_t max_io_eqs);

/* The same for the permanent value of a parameter, which a restart of the adapter brings in. */
struct nlmsghdr *devlink_start_param_flag(const struct netlink *netlink,
					  char buffer[NETLINK_REQUEST_SIZE], const char *pf_bdf,
					  const char *name, bool value);
struct nlmsghdr *devlink_start_param_u32(const struct netlink *netlink,
					 char buffer[NETLINK_REQUEST_SIZE], const char *pf_bdf,
					 const char *name, uint32_t value);

/* The same for a restart of the firmware: driver and functions go down and come up again. */
struct nlmsghdr *devlink_start_reload(const struct netlink *netlink,
				      char buffer[NETLINK_REQUEST_SIZE], const char *pf_bdf);

#endif

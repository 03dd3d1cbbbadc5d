// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/devlink.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/netlink.h>
#include <stdio.h>

#include "base/array.h"
#include "sys/devlink_uapi.h"

/* An SR-IOV capability cannot have more. */
#define MAX_PORTS 65536

/* A driver has a few tens. */
#define MAX_PARAMS 1024

static struct nlmsghdr *start(const struct netlink *netlink, char *buffer, uint8_t command,
			      uint16_t flags, const char *pf_bdf)
{
	struct nlmsghdr *request = netlink_start(netlink, buffer, command, flags);

	mnl_attr_put_strz(request, ATTR_BUS_NAME, "pci");
	mnl_attr_put_strz(request, ATTR_DEV_NAME, pf_bdf);
	return request;
}

/* Reads "fw.version" and the like out of the nests of one kind. */
static int take_version(const struct nlattr *nest, const char *wanted, char **ret)
{
	const struct nlattr *table[ATTR_INFO_VERSION_VALUE + 1];
	const char *name, *value;

	netlink_parse_nested(nest, table, ATTR_INFO_VERSION_VALUE);
	name = netlink_get_str(table[ATTR_INFO_VERSION_NAME]);
	value = netlink_get_str(table[ATTR_INFO_VERSION_VALUE]);
	if (!streq(name, wanted) || !value || !value[0])
		return 0;
	return str_replace(ret, value);
}

static int take_text(const struct nlattr *attr, char **ret)
{
	const char *text = netlink_get_str(attr);

	return text && text[0] ? str_replace(ret, text) : 0;
}

static int take_info_attr(const struct nlattr *attr, struct devlink_info *info)
{
	switch (attr->nla_type & NLA_TYPE_MASK) {
	case ATTR_INFO_VERSION_FIXED:
		return take_version(attr, "fw.psid", &info->psid);
	case ATTR_INFO_VERSION_RUNNING:
		return take_version(attr, "fw.version", &info->fw_running);
	case ATTR_INFO_VERSION_STORED:
		return take_version(attr, "fw.version", &info->fw_stored);
	case ATTR_INFO_BOARD_SERIAL_NUMBER:
		return take_text(attr, &info->board_serial_number);
	case ATTR_INFO_SERIAL_NUMBER:
		return take_text(attr, &info->serial_number);
	case ATTR_INFO_DRIVER_NAME:
		return take_text(attr, &info->driver);
	}
	return 0;
}

static int take_info(const struct nlmsghdr *message, void *userdata)
{
	const struct nlattr *attr = NULL;
	int r;

	/* The versions are repeated attributes, which a table cannot hold. */
	while (message && (attr = netlink_next(message, attr))) {
		r = take_info_attr(attr, userdata);
		if (r < 0)
			return r;
	}
	return 0;
}

int devlink_get_info(struct netlink *netlink, const char *pf_bdf, struct devlink_info *ret)
{
	_cleanup_(devlink_info_release) struct devlink_info info = { 0 };
	char buffer[NETLINK_REQUEST_SIZE];
	int r;

	r = netlink_request(netlink, start(netlink, buffer, CMD_INFO_GET, 0, pf_bdf), take_info,
			    &info);
	if (r < 0)
		return r;
	*ret = info;
	info = (struct devlink_info){ 0 };
	return 0;
}

void devlink_info_release(struct devlink_info *info)
{
	free(info->psid);
	free(info->fw_running);
	free(info->fw_stored);
	free(info->serial_number);
	free(info->board_serial_number);
	free(info->driver);
	*info = (struct devlink_info){ 0 };
}

static int take_eswitch_mode(const struct nlmsghdr *message, void *userdata)
{
	const struct nlattr *table[ATTR_ESWITCH_MODE + 1];
	uint32_t *ret = userdata;
	uint16_t mode;

	if (!message)
		return 0;
	netlink_parse(message, table, ATTR_ESWITCH_MODE);
	if (!netlink_get_u16(table[ATTR_ESWITCH_MODE], &mode))
		return -EBADMSG;
	switch (mode) {
	case MODE_LEGACY:
		*ret = MLX5LM_ESWITCH_LEGACY;
		break;
	case MODE_SWITCHDEV:
		*ret = MLX5LM_ESWITCH_SWITCHDEV;
		break;
	case MODE_SWITCHDEV_INACTIVE:
		*ret = MLX5LM_ESWITCH_SWITCHDEV_INACTIVE;
		break;
	}
	return 0;
}

int devlink_get_eswitch_mode(struct netlink *netlink, const char *pf_bdf, uint32_t *ret)
{
	char buffer[NETLINK_REQUEST_SIZE];
	uint32_t mode = MLX5LM_ESWITCH_UNKNOWN;
	int r;

	r = netlink_request(netlink, start(netlink, buffer, CMD_ESWITCH_GET, 0, pf_bdf),
			    take_eswitch_mode, &mode);
	if (r == 0)
		*ret = mode;
	return r;
}

int devlink_set_eswitch_mode(struct netlink *netlink, const char *pf_bdf, uint32_t mode)
{
	char buffer[NETLINK_REQUEST_SIZE];
	struct nlmsghdr *request;
	uint16_t number;

	switch (mode) {
	case MLX5LM_ESWITCH_LEGACY:
		number = MODE_LEGACY;
		break;
	case MLX5LM_ESWITCH_SWITCHDEV:
		number = MODE_SWITCHDEV;
		break;
	default:
		return -EINVAL;
	}
	request = start(netlink, buffer, CMD_ESWITCH_SET, 0, pf_bdf);
	mnl_attr_put_u16(request, ATTR_ESWITCH_MODE, number);
	return netlink_request(netlink, request, NULL, NULL);
}

static void take_function(const struct nlattr *nest, struct devlink_port *port)
{
	const struct nlattr *table[PORT_FN_MAX + 1];
	struct nla_bitfield32 caps;
	const uint8_t *mac;
	uint32_t max_io_eqs;

	netlink_parse_nested(nest, table, PORT_FN_MAX);
	mac = netlink_get_bytes(table[PORT_FN_HW_ADDR], 6);
	if (mac)
		snprintf(port->hw_addr, sizeof(port->hw_addr), "%02x:%02x:%02x:%02x:%02x:%02x",
			 mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
	if (netlink_get_bytes(table[PORT_FN_CAPS], sizeof(caps))) {
		memcpy(&caps, netlink_get_bytes(table[PORT_FN_CAPS], sizeof(caps)), sizeof(caps));
		port->caps_value = caps.value;
		port->caps_selector = caps.selector;
	}
	if (netlink_get_u32(table[PORT_FN_MAX_IO_EQS], &max_io_eqs))
		port->max_io_eqs = fact_u64(max_io_eqs);
}

struct port_dump {
	const char *pf_bdf;
	struct devlink_ports *ports;
};

/* Linux 6.1 does not filter dumps: what all devices have arrives. */
static bool is_own(const char *pf_bdf, const struct nlattr **table)
{
	return streq(netlink_get_str(table[ATTR_BUS_NAME]), "pci") &&
	       streq(netlink_get_str(table[ATTR_DEV_NAME]), pf_bdf);
}

/* A port of a VF of this host on this PF: not of the host behind a DPU's arm cores. */
static bool is_own_vf_port(const struct port_dump *dump, const struct nlattr **table)
{
	uint16_t flavour, vf_index;
	uint32_t controller;
	uint8_t external;

	if (!is_own(dump->pf_bdf, table))
		return false;
	if (!netlink_get_u16(table[ATTR_PORT_FLAVOUR], &flavour) || flavour != FLAVOUR_PCI_VF)
		return false;
	if (netlink_get_u32(table[ATTR_PORT_CONTROLLER_NUMBER], &controller) && controller != 0)
		return false;
	if (netlink_get_u8(table[ATTR_PORT_EXTERNAL], &external) && external != 0)
		return false;
	return netlink_get_u16(table[ATTR_PORT_PCI_VF_NUMBER], &vf_index);
}

static int take_port(const struct nlmsghdr *message, void *userdata)
{
	const struct nlattr *table[ATTR_MAX + 1];
	const struct port_dump *dump = userdata;
	struct devlink_ports *ports = dump->ports;
	struct devlink_port *port;
	const char *netdev;

	if (!message) {
		ports->length = 0;
		return 0;
	}
	netlink_parse(message, table, ATTR_MAX);
	if (!is_own_vf_port(dump, table))
		return 0;
	if (ports->length == MAX_PORTS)
		return -EBADMSG;
	if (array_reserve(&ports->items, &ports->allocated, ports->length + 1,
			  sizeof(ports->items[0])))
		return -ENOMEM;
	port = &ports->items[ports->length];
	*port = (struct devlink_port){ 0 };
	if (!netlink_get_u32(table[ATTR_PORT_INDEX], &port->index) ||
	    !netlink_get_u16(table[ATTR_PORT_PCI_VF_NUMBER], &port->vf_index))
		return -EBADMSG;
	netlink_get_u32(table[ATTR_PORT_NETDEV_IFINDEX], &port->ifindex);
	netdev = netlink_get_str(table[ATTR_PORT_NETDEV_NAME]);
	if (netdev && strlen(netdev) < sizeof(port->netdev))
		strcpy(port->netdev, netdev);
	if (table[ATTR_PORT_FUNCTION])
		take_function(table[ATTR_PORT_FUNCTION], port);
	ports->length++;
	return 0;
}

static int compare_ports(const void *a, const void *b)
{
	const struct devlink_port *x = a, *y = b;

	return (x->vf_index > y->vf_index) - (x->vf_index < y->vf_index);
}

int devlink_get_vf_ports(struct netlink *netlink, const char *pf_bdf, struct devlink_ports *ret)
{
	_cleanup_(devlink_ports_release) struct devlink_ports ports = { 0 };
	struct port_dump dump = { .pf_bdf = pf_bdf, .ports = &ports };
	char buffer[NETLINK_REQUEST_SIZE];
	int r;

	r = netlink_request(netlink, start(netlink, buffer, CMD_PORT_GET, NLM_F_DUMP, pf_bdf),
			    take_port, &dump);
	if (r < 0)
		return r;
	if (ports.length)
		qsort(ports.items, ports.length, sizeof(ports.items[0]), compare_ports);
	*ret = ports;
	ports = (struct devlink_ports){ 0 };
	return 0;
}

const struct devlink_port *devlink_find_port(const struct devlink_ports *ports, uint32_t vf_index)
{
	struct devlink_port key = { .vf_index = (uint16_t)vf_index };

	if (vf_index > UINT16_MAX || !ports->length)
		return NULL;
	return bsearch(&key, ports->items, ports->length, sizeof(key), compare_ports);
}

void devlink_ports_release(struct devlink_ports *ports)
{
	free(ports->items);
	*ports = (struct devlink_ports){ 0 };
}

static int take_number(uint64_t number, char **ret)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	return str_replace(ret, text);
}

/* A value as devlink prints it; *ret stays as it is for a type that is not known here. */
static int take_value(uint8_t type, const struct nlattr *data, char **ret)
{
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;

	switch (type) {
	case TYPE_FLAG:
		/* That of "false" is left out. */
		return str_replace(ret, data ? "true" : "false");
	case TYPE_STRING:
		return netlink_get_str(data) ? str_replace(ret, netlink_get_str(data)) : 0;
	case TYPE_U8:
		return netlink_get_u8(data, &u8) ? take_number(u8, ret) : 0;
	case TYPE_U16:
		return netlink_get_u16(data, &u16) ? take_number(u16, ret) : 0;
	case TYPE_U32:
		return netlink_get_u32(data, &u32) ? take_number(u32, ret) : 0;
	case TYPE_U64:
		return netlink_get_u64(data, &u64) ? take_number(u64, ret) : 0;
	}
	return 0;
}

static int take_values(uint8_t type, const struct nlattr *list, struct mlx5lm_param *param)
{
	const struct nlattr *table[ATTR_PARAM_VALUE_CMODE + 1];
	const struct nlattr *value = NULL;
	uint8_t cmode;
	int r = 0;

	while (r == 0 && (value = netlink_next_nested(list, value))) {
		if ((value->nla_type & NLA_TYPE_MASK) != ATTR_PARAM_VALUE)
			continue;
		netlink_parse_nested(value, table, ATTR_PARAM_VALUE_CMODE);
		if (!netlink_get_u8(table[ATTR_PARAM_VALUE_CMODE], &cmode))
			continue;
		if (cmode == CMODE_RUNTIME)
			r = take_value(type, table[ATTR_PARAM_VALUE_DATA], &param->runtime);
		else if (cmode == CMODE_DRIVERINIT)
			r = take_value(type, table[ATTR_PARAM_VALUE_DATA], &param->driverinit);
		else if (cmode == CMODE_PERMANENT)
			r = take_value(type, table[ATTR_PARAM_VALUE_DATA], &param->permanent);
	}
	return r;
}

static void forget_params(struct devlink_params *params)
{
	while (params->length)
		fact_release(&param_table, &params->items[--params->length]);
}

void devlink_params_release(struct devlink_params *params)
{
	forget_params(params);
	free(params->items);
	*params = (struct devlink_params){ 0 };
}

struct param_dump {
	const char *pf_bdf;
	struct devlink_params *params;
};

static int take_param(const struct nlmsghdr *message, void *userdata)
{
	const struct nlattr *table[ATTR_PARAM + 1], *nest[ATTR_PARAM_VALUES_LIST + 1];
	const struct param_dump *dump = userdata;
	struct devlink_params *params = dump->params;
	struct mlx5lm_param *param;
	const char *name;
	uint8_t type;

	if (!message) {
		forget_params(params);
		return 0;
	}
	netlink_parse(message, table, ATTR_PARAM);
	if (!is_own(dump->pf_bdf, table) || !table[ATTR_PARAM])
		return 0;
	netlink_parse_nested(table[ATTR_PARAM], nest, ATTR_PARAM_VALUES_LIST);
	name = netlink_get_str(nest[ATTR_PARAM_NAME]);
	if (!name || !name[0] || !netlink_get_u8(nest[ATTR_PARAM_TYPE], &type))
		return 0;
	if (params->length == MAX_PARAMS)
		return -EBADMSG;
	if (array_reserve(&params->items, &params->allocated, params->length + 1, sizeof(*param)))
		return -ENOMEM;
	param = &params->items[params->length++];
	*param = (struct mlx5lm_param){ 0 };
	if (str_replace(&param->name, name) < 0)
		return -ENOMEM;
	return nest[ATTR_PARAM_VALUES_LIST] ?
		       take_values(type, nest[ATTR_PARAM_VALUES_LIST], param) :
		       0;
}

static int compare_params(const void *a, const void *b)
{
	const struct mlx5lm_param *x = a, *y = b;

	return strcmp(x->name, y->name);
}

int devlink_get_params(struct netlink *netlink, const char *pf_bdf, struct devlink_params *ret)
{
	_cleanup_(devlink_params_release) struct devlink_params params = { 0 };
	struct param_dump dump = { .pf_bdf = pf_bdf, .params = &params };
	char buffer[NETLINK_REQUEST_SIZE];
	int r;

	r = netlink_request(netlink, start(netlink, buffer, CMD_PARAM_GET, NLM_F_DUMP, pf_bdf),
			    take_param, &dump);
	if (r < 0)
		return r;
	if (params.length)
		qsort(params.items, params.length, sizeof(params.items[0]), compare_params);
	*ret = params;
	params = (struct devlink_params){ 0 };
	return 0;
}

static uint32_t cap_bit(enum mlx5lm_port_attr attr)
{
	switch (attr) {
	case MLX5LM_PORT_ATTR_ROCE:
		return CAP_ROCE;
	case MLX5LM_PORT_ATTR_MIGRATABLE:
		return CAP_MIGRATABLE;
	case MLX5LM_PORT_ATTR_IPSEC_CRYPTO:
		return CAP_IPSEC_CRYPTO;
	case MLX5LM_PORT_ATTR_IPSEC_PACKET:
		return CAP_IPSEC_PACKET;
	default:
		return 0;
	}
}

uint32_t devlink_port_attr_state(const struct devlink_port *port, enum mlx5lm_port_attr attr)
{
	uint32_t bit = cap_bit(attr);

	if (!bit)
		return MLX5LM_PORT_ATTR_STATE_UNKNOWN;
	/* The kernel leaves out of the selector what the driver cannot do: that is no failure. */
	if (!(port->caps_selector & bit))
		return MLX5LM_PORT_ATTR_STATE_UNSUPPORTED;
	return port->caps_value & bit ? MLX5LM_PORT_ATTR_STATE_ENABLED
				      : MLX5LM_PORT_ATTR_STATE_DISABLED;
}

/* A change of the function behind a port; what is wanted of it goes into the nest. */
static struct nlmsghdr *start_port(const struct netlink *netlink, char *buffer, const char *pf_bdf,
				   uint32_t port_index, struct nlattr **nest)
{
	struct nlmsghdr *request = start(netlink, buffer, CMD_PORT_SET, 0, pf_bdf);

	mnl_attr_put_u32(request, ATTR_PORT_INDEX, port_index);
	*nest = mnl_attr_nest_start(request, ATTR_PORT_FUNCTION);
	return request;
}

struct nlmsghdr *devlink_start_port_attr(const struct netlink *netlink,
					 char buffer[NETLINK_REQUEST_SIZE], const char *pf_bdf,
					 uint32_t port_index, enum mlx5lm_port_attr attr, bool on)
{
	uint32_t bit = cap_bit(attr);
	struct nla_bitfield32 caps = { .value = on ? bit : 0, .selector = bit };
	struct nlmsghdr *request;
	struct nlattr *nest;

	if (!bit)
		return NULL;
	request = start_port(netlink, buffer, pf_bdf, port_index, &nest);
	mnl_attr_put(request, PORT_FN_CAPS, sizeof(caps), &caps);
	mnl_attr_nest_end(request, nest);
	return request;
}

struct nlmsghdr *devlink_start_port_hw_addr(const struct netlink *netlink,
					    char buffer[NETLINK_REQUEST_SIZE], const char *pf_bdf,
					    uint32_t port_index, const uint8_t hw_addr[static 6])
{
	struct nlmsghdr *request;
	struct nlattr *nest;

	request = start_port(netlink, buffer, pf_bdf, port_index, &nest);
	mnl_attr_put(request, PORT_FN_HW_ADDR, 6, hw_addr);
	mnl_attr_nest_end(request, nest);
	return request;
}

struct nlmsghdr *devlink_start_port_max_io_eqs(const struct netlink *netlink,
					       char buffer[NETLINK_REQUEST_SIZE],
					       const char *pf_bdf, uint32_t port_index,
					       uint32_t max_io_eqs)
{
	struct nlmsghdr *request;
	struct nlattr *nest;

	request = start_port(netlink, buffer, pf_bdf, port_index, &nest);
	mnl_attr_put_u32(request, PORT_FN_MAX_IO_EQS, max_io_eqs);
	mnl_attr_nest_end(request, nest);
	return request;
}

static struct nlmsghdr *start_param(const struct netlink *netlink, char *buffer,
				    const char *pf_bdf, const char *name, uint8_t type)
{
	struct nlmsghdr *request = start(netlink, buffer, CMD_PARAM_SET, 0, pf_bdf);

	mnl_attr_put_strz(request, ATTR_PARAM_NAME, name);
	mnl_attr_put_u8(request, ATTR_PARAM_TYPE, type);
	mnl_attr_put_u8(request, ATTR_PARAM_VALUE_CMODE, CMODE_PERMANENT);
	return request;
}

struct nlmsghdr *devlink_start_param_flag(const struct netlink *netlink,
					  char buffer[NETLINK_REQUEST_SIZE], const char *pf_bdf,
					  const char *name, bool value)
{
	struct nlmsghdr *request = start_param(netlink, buffer, pf_bdf, name, TYPE_FLAG);

	/* That of "false" is left out. */
	if (value)
		mnl_attr_put(request, ATTR_PARAM_VALUE_DATA, 0, NULL);
	return request;
}

struct nlmsghdr *devlink_start_param_u32(const struct netlink *netlink,
					 char buffer[NETLINK_REQUEST_SIZE], const char *pf_bdf,
					 const char *name, uint32_t value)
{
	struct nlmsghdr *request = start_param(netlink, buffer, pf_bdf, name, TYPE_U32);

	mnl_attr_put_u32(request, ATTR_PARAM_VALUE_DATA, value);
	return request;
}

struct nlmsghdr *devlink_start_reload(const struct netlink *netlink,
				      char buffer[NETLINK_REQUEST_SIZE], const char *pf_bdf)
{
	struct nlmsghdr *request = start(netlink, buffer, CMD_RELOAD, 0, pf_bdf);

	mnl_attr_put_u8(request, ATTR_RELOAD_ACTION, RELOAD_FW_ACTIVATE);
	return request;
}

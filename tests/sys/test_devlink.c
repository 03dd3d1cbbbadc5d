// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/devlink.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/netlink.h>

#include "support/nl_peer.h"
#include "sys/devlink_uapi.h"

#define PF "0000:08:00.0"

static struct nl_peer peer;
static struct netlink *netlink;

static void open_pair(void)
{
	char buffer[NL_PEER_SIZE];

	nl_peer_start(&peer);
	cr_assert_eq(netlink_new_from_fd(peer.client_fd, "devlink", &netlink, NULL), 0);
	nl_peer_receive(&peer, buffer, sizeof(buffer));
}

static void close_pair(void)
{
	netlink_free(netlink);
	nl_peer_stop(&peer);
}

TestSuite(devlink, .init = open_pair, .fini = close_pair);

static struct nl_peer_port vf_port(uint16_t vf_index)
{
	return (struct nl_peer_port){
		.pf_bdf = PF,
		/* Not in the order of the VFs, and nothing that could be worked out. */
		.index = (uint32_t)(0x70000 - vf_index * 17),
		.flavour = 4,
		.vf_index = vf_index,
		.caps_selector = CAP_ROCE | CAP_MIGRATABLE,
		.caps_value = CAP_ROCE,
		.netdev = "enp8s0f0npf0vf0",
	};
}

static void put_version(struct nlmsghdr *message, uint16_t type, const char *name,
			const char *value)
{
	struct nlattr *nest = mnl_attr_nest_start(message, type);

	nest->nla_type = type;
	mnl_attr_put_strz(message, ATTR_INFO_VERSION_NAME, name);
	mnl_attr_put_strz(message, ATTR_INFO_VERSION_VALUE, value);
	mnl_attr_nest_end(message, nest);
}

static struct nlmsghdr *info_message(char *buffer)
{
	struct nlmsghdr *message = nl_peer_message(buffer, CMD_INFO_GET);

	mnl_attr_put_strz(message, ATTR_BUS_NAME, "pci");
	mnl_attr_put_strz(message, ATTR_DEV_NAME, PF);
	mnl_attr_put_strz(message, 98, "mlx5_core");
	put_version(message, ATTR_INFO_VERSION_FIXED, "fw.psid", "MT_0000000838");
	put_version(message, ATTR_INFO_VERSION_RUNNING, "fw.version", "28.41.1000");
	put_version(message, ATTR_INFO_VERSION_RUNNING, "fw", "28.41.1000");
	put_version(message, ATTR_INFO_VERSION_STORED, "fw.version", "28.43.1014");
	return message;
}

Test(devlink, reads_psid_and_both_firmware_versions)
{
	_cleanup_(devlink_info_release) struct devlink_info info = { 0 };
	char buffer[NL_PEER_SIZE];

	nl_peer_send(&peer, info_message(buffer));
	nl_peer_ack(&peer, 0, NULL);
	cr_assert_eq(devlink_get_info(netlink, PF, &info), 0);
	cr_assert_str_eq(info.psid, "MT_0000000838");
	cr_assert_str_eq(info.fw_running, "28.41.1000");
	cr_assert_str_eq(info.fw_stored, "28.43.1014");
	cr_assert_null(info.serial_number);
}

Test(devlink, tells_the_two_serial_numbers_and_the_driver_apart)
{
	_cleanup_(devlink_info_release) struct devlink_info info = { 0 };
	char buffer[NL_PEER_SIZE];
	struct nlmsghdr *message = info_message(buffer);

	mnl_attr_put_strz(message, ATTR_INFO_BOARD_SERIAL_NUMBER, "MT2306X");
	mnl_attr_put_strz(message, ATTR_INFO_SERIAL_NUMBER, "6c5b7f");
	nl_peer_send(&peer, message);
	nl_peer_ack(&peer, 0, NULL);
	cr_assert_eq(devlink_get_info(netlink, PF, &info), 0);
	cr_assert_str_eq(info.serial_number, "6c5b7f");
	cr_assert_str_eq(info.board_serial_number, "MT2306X");
	cr_assert_str_eq(info.driver, "mlx5_core");
}

static uint32_t read_mode(uint16_t number)
{
	char buffer[NL_PEER_SIZE];
	struct nlmsghdr *message = nl_peer_message(buffer, CMD_ESWITCH_GET);
	uint32_t mode = 99;

	mnl_attr_put_u16(message, ATTR_ESWITCH_MODE, number);
	nl_peer_send(&peer, message);
	nl_peer_ack(&peer, 0, NULL);
	nl_peer_next(&peer);
	cr_assert_eq(devlink_get_eswitch_mode(netlink, PF, &mode), 0);
	return mode;
}

Test(devlink, knows_the_eswitch_modes_and_that_there_may_be_more)
{
	cr_assert_eq(read_mode(0), MLX5LM_ESWITCH_LEGACY);
	cr_assert_eq(read_mode(1), MLX5LM_ESWITCH_SWITCHDEV);
	cr_assert_eq(read_mode(2), MLX5LM_ESWITCH_SWITCHDEV_INACTIVE);
	cr_assert_eq(read_mode(3), MLX5LM_ESWITCH_UNKNOWN);
}

Test(devlink, reading_the_eswitch_mode_without_rights_leaves_it_alone)
{
	uint32_t mode = 99;

	nl_peer_ack(&peer, -EPERM, NULL);
	cr_assert_eq(devlink_get_eswitch_mode(netlink, PF, &mode), -EPERM);
	cr_assert_eq(mode, 99);
}

Test(devlink, finds_ports_by_their_vf_and_never_by_their_index)
{
	_cleanup_(devlink_ports_release) struct devlink_ports ports = { 0 };
	const struct devlink_port *port;

	for (int i = 126; i >= 0; i--) {
		struct nl_peer_port vf = vf_port((uint16_t)i);

		nl_peer_send_port(&peer, &vf);
	}
	nl_peer_done(&peer, 0, NULL, 0);
	cr_assert_eq(devlink_get_vf_ports(netlink, PF, &ports), 0);
	cr_assert_eq(ports.length, 127);
	port = devlink_find_port(&ports, 126);
	cr_assert_eq(port->index, 0x70000 - 126 * 17);
	cr_assert_str_eq(port->hw_addr, "02:00:00:00:00:10");
	cr_assert_str_eq(port->netdev, "enp8s0f0npf0vf0");
	cr_assert_eq(port->max_io_eqs.value, 32);
	cr_assert_null(devlink_find_port(&ports, 127));
	cr_assert_null(devlink_find_port(&ports, 65536 + 5));
}

Test(devlink, takes_no_ports_but_those_of_own_vfs)
{
	_cleanup_(devlink_ports_release) struct devlink_ports ports = { 0 };
	struct nl_peer_port uplink = vf_port(0), other_pf = vf_port(1), external = vf_port(2),
			    controller = vf_port(3), own = vf_port(4);

	uplink.flavour = 0;
	other_pf.pf_bdf = "0000:08:00.1";
	external.external = 1;
	controller.controller = 1;
	nl_peer_send_port(&peer, &uplink);
	nl_peer_send_port(&peer, &other_pf);
	nl_peer_send_port(&peer, &external);
	nl_peer_send_port(&peer, &controller);
	nl_peer_send_port(&peer, &own);
	nl_peer_done(&peer, 0, NULL, 0);
	cr_assert_eq(devlink_get_vf_ports(netlink, PF, &ports), 0);
	cr_assert_eq(ports.length, 1);
	cr_assert_eq(ports.items[0].vf_index, 4);
}

Test(devlink, forgets_the_ports_of_an_interrupted_dump)
{
	_cleanup_(devlink_ports_release) struct devlink_ports ports = { 0 };
	struct nl_peer_port vf = vf_port(0);

	nl_peer_send_port(&peer, &vf);
	nl_peer_done(&peer, 0, NULL, NLM_F_DUMP_INTR);
	nl_peer_next(&peer);
	nl_peer_send_port(&peer, &vf);
	nl_peer_done(&peer, 0, NULL, 0);
	cr_assert_eq(devlink_get_vf_ports(netlink, PF, &ports), 0);
	cr_assert_eq(ports.length, 1);
}

Test(devlink, tells_unsupported_from_disabled_by_the_selector)
{
	struct devlink_port port = { .caps_selector = CAP_ROCE | CAP_MIGRATABLE,
				     .caps_value = CAP_ROCE | CAP_IPSEC_PACKET };

	cr_assert_eq(devlink_port_attr_state(&port, MLX5LM_PORT_ATTR_ROCE),
		     MLX5LM_PORT_ATTR_STATE_ENABLED);
	cr_assert_eq(devlink_port_attr_state(&port, MLX5LM_PORT_ATTR_MIGRATABLE),
		     MLX5LM_PORT_ATTR_STATE_DISABLED);
	cr_assert_eq(devlink_port_attr_state(&port, MLX5LM_PORT_ATTR_IPSEC_CRYPTO),
		     MLX5LM_PORT_ATTR_STATE_UNSUPPORTED);
	cr_assert_eq(devlink_port_attr_state(&port, MLX5LM_PORT_ATTR_IPSEC_PACKET),
		     MLX5LM_PORT_ATTR_STATE_UNSUPPORTED);
	cr_assert_eq(devlink_port_attr_state(&port, MLX5LM_PORT_ATTR_UNKNOWN),
		     MLX5LM_PORT_ATTR_STATE_UNKNOWN);
}

/* A value that is a number, a text or (NULL) a flag that is not there. */
static void put_param_value(struct nlmsghdr *message, uint8_t cmode, const void *data, size_t size)
{
	struct nlattr *value = mnl_attr_nest_start(message, ATTR_PARAM_VALUE);

	value->nla_type = ATTR_PARAM_VALUE;
	if (data)
		mnl_attr_put(message, ATTR_PARAM_VALUE_DATA, size, data);
	mnl_attr_put_u8(message, ATTR_PARAM_VALUE_CMODE, cmode);
	mnl_attr_nest_end(message, value);
}

struct param_values {
	uint8_t type;
	const void *runtime; /* NULL: no value of this kind; "absent": a flag that is false */
	const void *permanent;
	size_t size;
};

static const char absent[] = "absent";

static void send_param(const char *device, const char *name, const struct param_values *values)
{
	char buffer[NL_PEER_SIZE];
	struct nlmsghdr *message = nl_peer_message(buffer, CMD_PARAM_GET);
	struct nlattr *param, *list;

	message->nlmsg_flags = NLM_F_MULTI;
	mnl_attr_put_strz(message, ATTR_BUS_NAME, "pci");
	mnl_attr_put_strz(message, ATTR_DEV_NAME, device);
	param = mnl_attr_nest_start(message, ATTR_PARAM);
	param->nla_type = ATTR_PARAM;
	mnl_attr_put_strz(message, ATTR_PARAM_NAME, name);
	mnl_attr_put_u8(message, ATTR_PARAM_TYPE, values->type);
	list = mnl_attr_nest_start(message, ATTR_PARAM_VALUES_LIST);
	list->nla_type = ATTR_PARAM_VALUES_LIST;
	if (values->runtime)
		put_param_value(message, CMODE_RUNTIME,
				values->runtime == absent ? NULL : values->runtime, values->size);
	if (values->permanent)
		put_param_value(message, CMODE_PERMANENT,
				values->permanent == absent ? NULL : values->permanent,
				values->size);
	mnl_attr_nest_end(message, list);
	mnl_attr_nest_end(message, param);
	nl_peer_send(&peer, message);
}

static void send_all_kinds_of_params(void)
{
	static const uint32_t u32 = 127;
	static const uint8_t u8 = 200;
	static const uint16_t u16 = 40000;
	static const uint64_t u64 = 1ULL << 40;

	send_param(PF, "total_vfs", &(struct param_values){ TYPE_U32, NULL, &u32, sizeof(u32) });
	send_param(PF, "enable_sriov", &(struct param_values){ TYPE_FLAG, NULL, "", 0 });
	send_param(PF, "enable_roce", &(struct param_values){ TYPE_FLAG, absent, NULL, 0 });
	send_param("0000:08:00.1", "other", &(struct param_values){ TYPE_FLAG, "", NULL, 0 });
	send_param(PF, "flow_steering_mode",
		   &(struct param_values){ TYPE_STRING, "smfs", NULL, sizeof("smfs") });
	send_param(PF, "u8", &(struct param_values){ TYPE_U8, &u8, NULL, sizeof(u8) });
	send_param(PF, "u16", &(struct param_values){ TYPE_U16, &u16, NULL, sizeof(u16) });
	send_param(PF, "u64", &(struct param_values){ TYPE_U64, &u64, NULL, sizeof(u64) });
	send_param(PF, "newer", &(struct param_values){ 99, &u64, NULL, sizeof(u64) });
}

Test(devlink, reads_the_parameters_of_the_pf_as_devlink_prints_them)
{
	static const char *const expected[][3] = {
		{ "enable_roce", "false", NULL },   { "enable_sriov", NULL, "true" },
		{ "flow_steering_mode", "smfs", NULL }, { "newer", NULL, NULL },
		{ "total_vfs", NULL, "127" },	     { "u16", "40000", NULL },
		{ "u64", "1099511627776", NULL },   { "u8", "200", NULL },
	};
	_cleanup_(devlink_params_release) struct devlink_params params = { 0 };

	send_all_kinds_of_params();
	nl_peer_done(&peer, 0, NULL, 0);
	cr_assert_eq(devlink_get_params(netlink, PF, &params), 0);
	cr_assert_eq(params.length, ARRAY_LENGTH(expected));
	for (size_t i = 0; i < params.length; i++) {
		const struct mlx5lm_param *param = &params.items[i];

		cr_assert_str_eq(param->name, expected[i][0]);
		cr_assert_eq(param->runtime != NULL, expected[i][1] != NULL, "%s", param->name);
		if (param->runtime)
			cr_assert_str_eq(param->runtime, expected[i][1]);
		cr_assert_eq(param->permanent != NULL, expected[i][2] != NULL, "%s", param->name);
		if (param->permanent)
			cr_assert_str_eq(param->permanent, expected[i][2]);
		cr_assert_null(param->driverinit);
	}
}

Test(devlink, forgets_the_parameters_of_an_interrupted_dump)
{
	_cleanup_(devlink_params_release) struct devlink_params params = { 0 };

	send_all_kinds_of_params();
	nl_peer_done(&peer, 0, NULL, NLM_F_DUMP_INTR);
	nl_peer_next(&peer);
	send_param(PF, "enable_roce", &(struct param_values){ TYPE_FLAG, "", NULL, 0 });
	nl_peer_done(&peer, 0, NULL, 0);
	cr_assert_eq(devlink_get_params(netlink, PF, &params), 0);
	cr_assert_eq(params.length, 1);
	cr_assert_str_eq(params.items[0].runtime, "true");
}

Test(devlink, a_refused_dump_of_parameters_is_an_error)
{
	struct devlink_params params = { 0 };

	nl_peer_done(&peer, -EOPNOTSUPP, NULL, 0);
	cr_assert_eq(devlink_get_params(netlink, PF, &params), -EOPNOTSUPP);
	cr_assert_null(params.items);
}

/* What "devlink port function set pci/0000:08:00.0/196607 migratable enable" sends. */
static const uint8_t set_migratable[] = {
	0x48, 0x00, 0x00, 0x00,				/* length 72 */
	0x1d, 0x00,					/* family */
	0x05, 0x00,					/* NLM_F_REQUEST | NLM_F_ACK */
	0x02, 0x00, 0x00, 0x00,				/* sequence */
	0x00, 0x00, 0x00, 0x00,				/* port id of the socket */
	0x06, 0x01, 0x00, 0x00,				/* PORT_SET, version 1 */
	0x08, 0x00, 0x01, 0x00, 'p',  'c',  'i',  0x00, /* BUS_NAME */
	0x11, 0x00, 0x02, 0x00, '0',  '0',  '0',  '0',	/* DEV_NAME */
	':',  '0',  '8',  ':',	'0',  '0',  '.',  '0',	0x00, 0x00,
	0x00, 0x00, 0x08, 0x00, 0x03, 0x00, 0xff, 0xff, 0x02, 0x00, /* PORT_INDEX */
	0x10, 0x00, 0x91, 0x80,				/* PORT_FUNCTION | NLA_F_NESTED */
	0x0c, 0x00, 0x04, 0x00,				/* CAPS */
	0x02, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, /* value, selector */
};

static int request(struct nlmsghdr *message)
{
	return netlink_request(netlink, message, NULL, NULL);
}

Test(devlink, sends_the_bytes_that_set_migratable)
{
	char buffer[NETLINK_REQUEST_SIZE];
	uint8_t sent[NL_PEER_SIZE];

	nl_peer_ack(&peer, 0, NULL);
	cr_assert_eq(request(devlink_start_port_attr(netlink, buffer, PF, 0x2ffff,
						     MLX5LM_PORT_ATTR_MIGRATABLE, true)),
		     0);
	cr_assert_eq(nl_peer_receive(&peer, sent, sizeof(sent)), sizeof(set_migratable));
	cr_assert_arr_eq(sent, set_migratable, sizeof(set_migratable));
}

Test(devlink, selects_the_attribute_it_switches_off)
{
	char buffer[NETLINK_REQUEST_SIZE];
	uint8_t sent[NL_PEER_SIZE];
	size_t length;

	nl_peer_ack(&peer, 0, NULL);
	cr_assert_eq(request(devlink_start_port_attr(netlink, buffer, PF, 1,
						     MLX5LM_PORT_ATTR_ROCE, false)),
		     0);
	length = nl_peer_receive(&peer, sent, sizeof(sent));
	cr_assert_arr_eq(sent + length - 8, ((uint8_t[]){ 0, 0, 0, 0, 1, 0, 0, 0 }), 8);
}

Test(devlink, sends_a_hardware_address_in_the_nest)
{
	static const uint8_t hw_addr[6] = { 0x02, 0x11, 0x22, 0x33, 0x44, 0x55 };
	static const uint8_t nest[] = { 0x10, 0x00, 0x91, 0x80, 0x0a, 0x00, 0x01, 0x00,
					0x02, 0x11, 0x22, 0x33, 0x44, 0x55, 0x00, 0x00 };
	char buffer[NETLINK_REQUEST_SIZE];
	uint8_t sent[NL_PEER_SIZE];
	size_t length;

	nl_peer_ack(&peer, 0, NULL);
	cr_assert_eq(request(devlink_start_port_hw_addr(netlink, buffer, PF, 1, hw_addr)), 0);
	length = nl_peer_receive(&peer, sent, sizeof(sent));
	cr_assert_arr_eq(sent + length - sizeof(nest), nest, sizeof(nest));
}

Test(devlink, sends_a_number_of_event_queues_in_the_nest)
{
	static const uint8_t nest[] = { 0x0c, 0x00, 0x91, 0x80, 0x08, 0x00, 0x06, 0x00,
					0x20, 0x01, 0x00, 0x00 };
	char buffer[NETLINK_REQUEST_SIZE];
	uint8_t sent[NL_PEER_SIZE];
	size_t length;

	nl_peer_ack(&peer, 0, NULL);
	cr_assert_eq(request(devlink_start_port_max_io_eqs(netlink, buffer, PF, 1, 288)), 0);
	length = nl_peer_receive(&peer, sent, sizeof(sent));
	cr_assert_arr_eq(sent + length - sizeof(nest), nest, sizeof(nest));
}

Test(devlink, refuses_to_set_modes_and_attributes_that_do_not_exist)
{
	char buffer[NETLINK_REQUEST_SIZE];

	cr_assert_eq(devlink_set_eswitch_mode(netlink, PF, MLX5LM_ESWITCH_UNKNOWN), -EINVAL);
	cr_assert_null(devlink_start_port_attr(netlink, buffer, PF, 1, MLX5LM_PORT_ATTR_UNKNOWN,
					       true));
}

/* Each reply is cut at, or has a byte spoilt at, every place there is. */
static void ask_all(const uint8_t *reply, size_t length)
{
	struct nl_peer mutant;
	struct netlink *other = NULL;
	struct devlink_info info = { 0 };
	struct devlink_ports ports = { 0 };
	uint32_t mode;

	for (int question = 0; question < 3; question++) {
		nl_peer_start(&mutant);
		nl_peer_send_bytes(&mutant, reply, length);
		nl_peer_ack(&mutant, 0, NULL);
		cr_assert_eq(netlink_new_from_fd(mutant.client_fd, "devlink", &other, NULL), 0);
		other->timeout_ms = 10;
		if (question == 0)
			devlink_get_info(other, PF, &info);
		else if (question == 1)
			devlink_get_vf_ports(other, PF, &ports);
		else
			devlink_get_eswitch_mode(other, PF, &mode);
		devlink_info_release(&info);
		devlink_ports_release(&ports);
		netlink_free(other);
		nl_peer_stop(&mutant);
	}
}

static void mutate(const struct nlmsghdr *message)
{
	static const uint8_t spoilt[] = { 0x00, 0x01, 0x03, 0x7f, 0x80, 0xff };
	size_t length = message->nlmsg_len;
	uint8_t copy[NL_PEER_SIZE];

	for (size_t cut = 1; cut < length; cut++) {
		memcpy(copy, message, length);
		ask_all(copy, cut);
		if (cut >= sizeof(*message)) {
			((struct nlmsghdr *)copy)->nlmsg_len = (uint32_t)cut;
			ask_all(copy, cut);
		}
	}
	for (size_t at = 0; at < length; at++) {
		for (size_t i = 0; i < sizeof(spoilt); i++) {
			memcpy(copy, message, length);
			copy[at] = spoilt[i];
			ask_all(copy, length);
		}
	}
}

Test(devlink_mutants, spoilt_info_never_crashes)
{
	char buffer[NL_PEER_SIZE];
	struct nlmsghdr *message = info_message(buffer);

	message->nlmsg_seq = 2;
	mutate(message);
}

Test(devlink_mutants, spoilt_ports_never_crash)
{
	struct nl_peer_port vf = vf_port(3);
	char buffer[NL_PEER_SIZE];
	struct nlmsghdr *message = nl_peer_message(buffer, 3);

	nl_peer_put_port(message, &vf);
	message->nlmsg_seq = 2;
	mutate(message);
}

Test(devlink_mutants, spoilt_errors_never_crash)
{
	char buffer[NL_PEER_SIZE] = { 0 };
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct nlmsgerr *end = mnl_nlmsg_put_extra_header(message, sizeof(*end));

	message->nlmsg_type = NLMSG_ERROR;
	message->nlmsg_flags = NLM_F_ACK_TLVS;
	message->nlmsg_seq = 2;
	end->error = -EINVAL;
	end->msg.nlmsg_len = NLMSG_HDRLEN;
	mnl_attr_put_strz(message, NLMSGERR_ATTR_MSG, "words");
	mutate(message);
}

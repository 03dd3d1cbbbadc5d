// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the kernel answers to a question over a devlink socket. An input is a byte that chooses
 * the question, then datagrams, each behind its length in two bytes (the last one may end early).
 * The look-up of the family has the sequence number 1, the question 2, and 3, 4, ... when it is
 * asked again because a dump was interrupted.
 */
#include "sys/devlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "fuzz.h"
#include "support/nl_peer.h"

#define PF "0000:08:00.0"
#define MAX_DATAGRAMS 128

struct input {
	const uint8_t *data;
	size_t size;
};

/* Queues all that the kernel will ever say, and hangs up, so that nothing waits. */
static void send_all(struct nl_peer *peer, const struct input *input)
{
	const uint8_t *at = input->data;
	size_t left = input->size;

	for (int i = 0; left >= 2 && i < MAX_DATAGRAMS; i++) {
		size_t length = at[0] | (size_t)at[1] << 8;

		if (length > left - 2)
			length = left - 2;
		nl_peer_send_bytes(peer, at + 2, length);
		at += 2 + length;
		left -= 2 + length;
	}
	MUST(shutdown(peer->fd, SHUT_WR) == 0);
}

static bool is_new_text(const struct input *input, const char *text)
{
	return !text || (text[0] && fuzz_has(input->data, input->size, text));
}

static int ask_info(struct netlink *netlink, const struct input *input)
{
	struct devlink_info info = { 0 };
	int r = devlink_get_info(netlink, PF, &info);

	MUST(is_new_text(input, info.psid));
	MUST(is_new_text(input, info.fw_running));
	MUST(is_new_text(input, info.fw_stored));
	MUST(is_new_text(input, info.serial_number));
	MUST(is_new_text(input, info.board_serial_number));
	MUST(is_new_text(input, info.driver));
	MUST(r == 0 || !info.psid);
	devlink_info_release(&info);
	return r;
}

static int ask_eswitch_mode(struct netlink *netlink, const struct input *input)
{
	uint32_t mode = UINT32_MAX;
	int r = devlink_get_eswitch_mode(netlink, PF, &mode);

	(void)input;
	MUST(r == 0 ? mode <= MLX5LM_ESWITCH_SWITCHDEV_INACTIVE : mode == UINT32_MAX);
	return r;
}

static void check_port(const struct input *input, const struct devlink_port *port)
{
	MUST(strlen(port->hw_addr) == 17 || port->hw_addr[0] == '\0');
	MUST(strlen(port->netdev) < sizeof(port->netdev));
	MUST(fuzz_has(input->data, input->size, port->netdev));
	for (uint32_t attr = 0; attr <= MLX5LM_PORT_ATTR_IPSEC_PACKET; attr++)
		MUST(devlink_port_attr_state(port, (enum mlx5lm_port_attr)attr) <=
		     MLX5LM_PORT_ATTR_STATE_ENABLED);
}

static int ask_ports(struct netlink *netlink, const struct input *input)
{
	struct devlink_ports ports = { 0 };
	int r = devlink_get_vf_ports(netlink, PF, &ports);

	MUST(r == 0 || !ports.length);
	for (size_t i = 0; i < ports.length; i++) {
		const struct devlink_port *found =
			devlink_find_port(&ports, ports.items[i].vf_index);

		check_port(input, &ports.items[i]);
		MUST(found && found->vf_index == ports.items[i].vf_index);
		MUST(i == 0 || ports.items[i - 1].vf_index <= ports.items[i].vf_index);
	}
	devlink_ports_release(&ports);
	return r;
}

/* Requests with the sequence numbers 2 to 4. */
static int send_window(struct netlink *netlink, const struct input *input)
{
	static struct netlink_window window;
	int r;

	for (uint32_t i = 0; i < 3; i++)
		netlink_window_add(&window, devlink_start_port_max_io_eqs(
						    netlink, netlink_window_room(&window), PF,
						    i, 16));
	r = netlink_request_window(netlink, &window);
	for (size_t i = 0; i < window.length; i++) {
		MUST(r < 0 || window.ends[i].ended);
		MUST(window.ends[i].ended || window.ends[i].result == r);
		MUST(window.ends[i].result <= 0 && window.ends[i].result >= -4095);
		MUST(!window.ends[i].words ||
		     fuzz_has(input->data, input->size, window.ends[i].words));
	}
	netlink_window_release(&window);
	return r;
}

/* As devlink prints values: a text of the answer, a number, true or false. */
static bool is_value(const struct input *input, const char *value)
{
	uint64_t number;

	return !value || streq(value, "true") || streq(value, "false") ||
	       str_to_u64(value, 10, &number) == 0 || fuzz_has(input->data, input->size, value);
}

static int ask_params(struct netlink *netlink, const struct input *input)
{
	struct devlink_params params = { 0 };
	int r = devlink_get_params(netlink, PF, &params);

	MUST(r == 0 || !params.length);
	for (size_t i = 0; i < params.length; i++) {
		const struct mlx5lm_param *param = &params.items[i];

		MUST(param->name && is_new_text(input, param->name));
		MUST(is_value(input, param->runtime));
		MUST(is_value(input, param->driverinit));
		MUST(is_value(input, param->permanent));
		MUST(i == 0 || strcmp(params.items[i - 1].name, param->name) <= 0);
	}
	devlink_params_release(&params);
	return r;
}

static int set_eswitch_mode(struct netlink *netlink, const struct input *input)
{
	(void)input;
	return devlink_set_eswitch_mode(netlink, PF, MLX5LM_ESWITCH_SWITCHDEV);
}

static int (*const questions[])(struct netlink *netlink, const struct input *input) = {
	ask_info, ask_eswitch_mode, ask_ports, send_window, set_eswitch_mode, ask_params,
};

/* The last question: is there devlink at all? Its answer comes from the input, too. */
static int ask_family(const struct input *input)
{
	struct mlx5lm_error *error = NULL;
	struct netlink *netlink = NULL;
	struct nl_peer peer;
	int fds[2], r;

	MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == 0);
	peer = (struct nl_peer){ .fd = fds[0] };
	send_all(&peer, input);
	r = netlink_new_from_fd(fds[1], "devlink", &netlink, &error);
	MUST(r == 0 ? netlink && netlink->family >= NLMSG_MIN_TYPE : error && !netlink);
	mlx5lm_error_free(error);
	netlink_free(netlink);
	nl_peer_stop(&peer);
	return r;
}

static int ask(uint8_t question, const struct input *input)
{
	struct netlink *netlink = NULL;
	struct nl_peer peer;
	int r;

	nl_peer_start(&peer);
	send_all(&peer, input);
	MUST(netlink_new_from_fd(peer.client_fd, "devlink", &netlink, NULL) == 0);
	r = questions[question](netlink, input);
	MUST(!netlink->words || fuzz_has(input->data, input->size, netlink->words));
	netlink_free(netlink);
	nl_peer_stop(&peer);
	return r;
}

enum fuzz_result fuzz_one(const uint8_t *data, size_t size)
{
	struct input input;
	uint8_t question;
	int r;

	if (!size)
		return FUZZ_REFUSED;
	input = (struct input){ data + 1, size - 1 };
	question = data[0] % (ARRAY_LENGTH(questions) + 1);
	if (question == ARRAY_LENGTH(questions))
		r = ask_family(&input);
	else
		r = ask(question, &input);
	MUST(r <= 0 && r >= -4095);
	return r == 0 ? FUZZ_ACCEPTED : FUZZ_REFUSED;
}

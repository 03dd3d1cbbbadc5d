// SPDX-License-Identifier: LGPL-2.1-or-later
#include "support/nl_peer.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			perror(#condition);                                                        \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

void nl_peer_start_silent(struct nl_peer *peer)
{
	int fds[2];

	MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == 0);
	*peer = (struct nl_peer){ .fd = fds[0], .client_fd = fds[1], .sequence = 1 };
}

void nl_peer_start_without_family(struct nl_peer *peer)
{
	nl_peer_start_silent(peer);
	nl_peer_ack(peer, -ENOENT, NULL);
}

void nl_peer_start(struct nl_peer *peer)
{
	char buffer[NL_PEER_SIZE];
	struct nlmsghdr *message;

	nl_peer_start_silent(peer);
	message = nl_peer_message(buffer, CTRL_CMD_NEWFAMILY);
	message->nlmsg_type = GENL_ID_CTRL;
	mnl_attr_put_strz(message, CTRL_ATTR_FAMILY_NAME, "devlink");
	mnl_attr_put_u16(message, CTRL_ATTR_FAMILY_ID, NL_PEER_FAMILY);
	nl_peer_send(peer, message);
	nl_peer_ack(peer, 0, NULL);
	nl_peer_next(peer);
}

void nl_peer_stop(struct nl_peer *peer)
{
	close(peer->fd);
}

void nl_peer_next(struct nl_peer *peer)
{
	peer->sequence++;
}

struct nlmsghdr *nl_peer_message(char *buffer, uint8_t command)
{
	struct nlmsghdr *message;
	struct genlmsghdr *head;

	memset(buffer, 0, NL_PEER_SIZE);
	message = mnl_nlmsg_put_header(buffer);
	message->nlmsg_type = NL_PEER_FAMILY;
	head = mnl_nlmsg_put_extra_header(message, sizeof(*head));
	head->cmd = command;
	head->version = 1;
	return message;
}

void nl_peer_send_bytes(struct nl_peer *peer, const void *data, size_t length)
{
	MUST(send(peer->fd, data, length, MSG_NOSIGNAL) == (ssize_t)length);
}

void nl_peer_send(struct nl_peer *peer, struct nlmsghdr *message)
{
	message->nlmsg_seq = peer->sequence;
	nl_peer_send_bytes(peer, message, message->nlmsg_len);
}

static void put_words(struct nlmsghdr *message, const char *words)
{
	if (!words)
		return;
	message->nlmsg_flags |= NLM_F_ACK_TLVS;
	mnl_attr_put_strz(message, NLMSGERR_ATTR_MSG, words);
}

void nl_peer_ack(struct nl_peer *peer, int error, const char *words)
{
	char buffer[NL_PEER_SIZE] = { 0 };
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct nlmsgerr *end = mnl_nlmsg_put_extra_header(message, sizeof(*end));

	message->nlmsg_type = NLMSG_ERROR;
	message->nlmsg_flags = NLM_F_CAPPED;
	end->error = error;
	end->msg.nlmsg_len = 64; /* of the request, which is not echoed */
	put_words(message, words);
	nl_peer_send(peer, message);
}

void nl_peer_done(struct nl_peer *peer, int error, const char *words, uint16_t flags)
{
	char buffer[NL_PEER_SIZE] = { 0 };
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	int32_t *result = mnl_nlmsg_put_extra_header(message, sizeof(*result));

	message->nlmsg_type = NLMSG_DONE;
	message->nlmsg_flags = NLM_F_MULTI | flags;
	*result = error;
	put_words(message, words);
	nl_peer_send(peer, message);
}

size_t nl_peer_receive(struct nl_peer *peer, void *buffer, size_t size)
{
	ssize_t length = recv(peer->fd, buffer, size, MSG_DONTWAIT);

	MUST(length > 0);
	return (size_t)length;
}

void nl_peer_put_port(struct nlmsghdr *message, const struct nl_peer_port *port)
{
	static const uint8_t hw_addr[6] = { 0x02, 0, 0, 0, 0, 0x10 };
	struct nla_bitfield32 caps = { port->caps_value, port->caps_selector };
	struct nlattr *nest;

	mnl_attr_put_strz(message, 1, "pci");
	mnl_attr_put_strz(message, 2, port->pf_bdf);
	mnl_attr_put_u32(message, 3, port->index);
	mnl_attr_put_u16(message, 4, 2);
	if (port->ifindex)
		mnl_attr_put_u32(message, 6, port->ifindex);
	if (port->netdev)
		mnl_attr_put_strz(message, 7, port->netdev);
	mnl_attr_put_u16(message, 77, port->flavour);
	mnl_attr_put_u32(message, 150, port->controller);
	mnl_attr_put_u16(message, 127, 0);
	mnl_attr_put_u16(message, 128, port->vf_index);
	mnl_attr_put_u8(message, 149, port->external);
	/* The kernel starts its nests without NLA_F_NESTED. */
	nest = mnl_attr_nest_start(message, 145);
	nest->nla_type = 145;
	mnl_attr_put(message, 1, sizeof(hw_addr), hw_addr);
	if (port->caps_selector)
		mnl_attr_put(message, 4, sizeof(caps), &caps);
	mnl_attr_put_u32(message, 6, port->max_io_eqs ? port->max_io_eqs : 32);
	mnl_attr_nest_end(message, nest);
}

void nl_peer_send_port(struct nl_peer *peer, const struct nl_peer_port *port)
{
	char buffer[NL_PEER_SIZE];
	struct nlmsghdr *message = nl_peer_message(buffer, 3);

	message->nlmsg_flags = NLM_F_MULTI;
	nl_peer_put_port(message, port);
	nl_peer_send(peer, message);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SUPPORT_NL_PEER_H
#define SUPPORT_NL_PEER_H

#include <stddef.h>
#include <stdint.h>

#include <libmnl/libmnl.h>

/*
 * Plays the kernel on the other end of a netlink socket. Replies are queued before the request
 * is made; the socket keeps them, so there is no second thread and no race. Requests are read
 * afterwards. Whatever fails in here ends the test program.
 */
struct nl_peer {
	int fd;
	int client_fd; /* for netlink_new_from_fd(), which takes it over */
	uint32_t sequence;
};

#define NL_PEER_FAMILY 0x1d
#define NL_PEER_SIZE 8192

/* Opens the pair and queues the answer to the look-up of the family. */
void nl_peer_start(struct nl_peer *peer);

/* The same without an answer, which the test has to queue. */
void nl_peer_start_silent(struct nl_peer *peer);

/* The same of a kernel that does not know the family. */
void nl_peer_start_without_family(struct nl_peer *peer);
void nl_peer_stop(struct nl_peer *peer);

/* What is queued from here on answers the next request. */
void nl_peer_next(struct nl_peer *peer);

/* Starts a message of the family in buffer; add attributes with libmnl, then send it. */
struct nlmsghdr *nl_peer_message(char *buffer, uint8_t command);
void nl_peer_send(struct nl_peer *peer, struct nlmsghdr *message);
void nl_peer_send_bytes(struct nl_peer *peer, const void *data, size_t length);

/* The ends of a request: error is 0 or -errno; words (or NULL) is the kernel's text. */
void nl_peer_ack(struct nl_peer *peer, int error, const char *words);
void nl_peer_done(struct nl_peer *peer, int error, const char *words, uint16_t flags);

/* The next request that was made. */
size_t nl_peer_receive(struct nl_peer *peer, void *buffer, size_t size);

/* A devlink port as Linux 6.12 shows it. */
struct nl_peer_port {
	const char *pf_bdf;
	uint32_t index;
	uint16_t flavour; /* 4: VF */
	uint16_t vf_index;
	uint32_t controller;
	uint8_t external;
	uint32_t caps_value;
	uint32_t caps_selector; /* 0: the attribute is left out */
	const char *netdev;	/* may be NULL */
	uint32_t ifindex;	/* 0: the attribute is left out */
	uint32_t max_io_eqs;	/* 0 stands for 32 */
};

void nl_peer_put_port(struct nlmsghdr *message, const struct nl_peer_port *port);
void nl_peer_send_port(struct nl_peer *peer, const struct nl_peer_port *port);

#endif

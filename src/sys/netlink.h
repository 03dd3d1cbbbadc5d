/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_NETLINK_H
#define SYS_NETLINK_H

#include <stdbool.h>
#include <stdint.h>

#include <libmnl/libmnl.h>

#include "base/cleanup.h"
#include "base/error.h"

/* Room for any request; the longest is a few attributes. */
#define NETLINK_REQUEST_SIZE 1024

/* One netlink socket, of generic netlink for one family. */
struct netlink {
	int fd;
	uint32_t sequence;
	unsigned int timeout_ms; /* of one request */
	uint16_t family;	 /* id of it */
	uint32_t group;		 /* its multicast group "config"; 0: it has none */
	char *words;		 /* the kernel's text to the last request, may be a warning */
	char *buffer;
};

/*
 * A message of a reply; its attributes have not been looked at. Called with NULL when a dump
 * starts over, to forget what came before. Returns 0 or -errno, which ends the request.
 */
typedef int (*netlink_fn)(const struct nlmsghdr *message, void *userdata);

/* Opens a socket and resolves the family. */
int netlink_open(const char *family, struct netlink **ret, struct mlx5lm_error **reterr);

/* A socket for network interfaces (NETLINK_ROUTE), whose messages have another head. */
int netlink_open_route(struct netlink **ret, struct mlx5lm_error **reterr);

/* The same on a socket at hand, which is taken over, even on failure. For tests. */
int netlink_new_from_fd(int fd, const char *family, struct netlink **ret,
			struct mlx5lm_error **reterr);

/* Starts a message of the family in buffer. */
struct nlmsghdr *netlink_start(const struct netlink *netlink, char buffer[NETLINK_REQUEST_SIZE],
			       uint8_t command, uint16_t flags);

/*
 * Sends a message (NLM_F_DUMP for all objects) and waits for its end. Returns 0 or -errno of
 * the kernel, of the socket, -ETIMEDOUT, or -EBADMSG; netlink->words is set anew. fn may be
 * NULL.
 */
int netlink_request(struct netlink *netlink, struct nlmsghdr *request, netlink_fn fn,
		    void *userdata);

/*
 * Several requests that are sent at once; the kernel does one after the other and acknowledges
 * each. Not for dumps.
 */
#define NETLINK_WINDOW 16

struct netlink_window {
	size_t length;
	struct {
		bool ended;
		int result; /* 0 or -errno */
		char *words;
	} ends[NETLINK_WINDOW];
	size_t size; /* of all requests */
	char requests[NETLINK_WINDOW * NETLINK_REQUEST_SIZE];
};

/* Where the next request is to be made, and the end of that. */
char *netlink_window_room(struct netlink_window *window);
void netlink_window_add(struct netlink_window *window, struct nlmsghdr *request);

/*
 * Sends them and waits until all have ended. -errno if that was not to be learned, which is the
 * result of those without an end, too: they may have taken effect.
 */
int netlink_request_window(struct netlink *netlink, struct netlink_window *window);
void netlink_window_release(struct netlink_window *window);

void netlink_free(struct netlink *netlink);

DEFINE_CLEANUP(struct netlink *, netlink_free)
#define _cleanup_netlink_ _cleanup_(netlink_free_p)

/*
 * Attributes of a message of a family, or of a nest, by their type. A type above max or of the
 * wrong length is left out, not an error: kernels add types, and length is checked on use.
 */
void netlink_parse(const struct nlmsghdr *message, const struct nlattr **table, uint16_t max);
void netlink_parse_nested(const struct nlattr *nest, const struct nlattr **table, uint16_t max);

/* Attribute after attribute of a message, from NULL to NULL. */
const struct nlattr *netlink_next(const struct nlmsghdr *message, const struct nlattr *attr);

/* The same of a nest. */
const struct nlattr *netlink_next_nested(const struct nlattr *nest, const struct nlattr *attr);

/* The value of an attribute, if there is one of the right size. */
bool netlink_get_u8(const struct nlattr *attr, uint8_t *ret);
bool netlink_get_u16(const struct nlattr *attr, uint16_t *ret);
bool netlink_get_u32(const struct nlattr *attr, uint32_t *ret);
bool netlink_get_u64(const struct nlattr *attr, uint64_t *ret);
const uint8_t *netlink_get_bytes(const struct nlattr *attr, size_t size);
const char *netlink_get_str(const struct nlattr *attr); /* NULL without one */

#endif

/* SPDX-License-Identifier: MIT-0 */
#ifndef REMOTE_H
#define REMOTE_H

#include <jansson.h>
#include <sys/types.h>

#include "lines.h"

/* "ssh://[USER@]HOST[:PORT]" taken apart. */
struct target {
	char *user; /* NULL: ssh decides */
	char *host; /* an IPv6 address without its brackets */
	char *port; /* NULL: likewise */
};

/* 0; -EINVAL if it is none, or has signs that have no business there; -ENOMEM. */
int target_parse(const char *uri, struct target *ret);
/* The libvirt daemon of that host, as libvirt reaches it; NULL when out of memory. */
char *target_libvirt_uri(const struct target *target);
void target_release(struct target *target);

/* An mlx5lm-agent at the other end of an ssh. */
struct remote {
	const char *name; /* of the host */
	pid_t pid;
	int to_agent;
	struct lines from_agent;
	json_int_t last_id;
	/* While an answer is waited for: what to call when this is readable. */
	int signal_fd;
	void (*on_signal)(void *userdata);
	void *userdata;
};

/* Starts ssh, with a command for the shell there. 0 or -errno. */
int remote_open(struct remote *remote, const struct target *target, const char *command);

/*
 * Asks, with params, which are taken, and waits for the answer. 0 with the result in *ret, or
 * negative with the error: an object with message, and perhaps detail and remedy. NULL there if
 * there is no memory.
 */
int remote_ask(struct remote *remote, const char *method, json_t *params, json_t **ret);

/* Ends the connection; the agent then takes back what was not committed. */
void remote_close(struct remote *remote);

#endif

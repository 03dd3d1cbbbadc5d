/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BENCH_KERNEL_DEVLINK_H
#define BENCH_KERNEL_DEVLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KERNEL_MAX_VFS 4096

/* What there is of a PF and its VFs. */
struct kernel_vf {
	char bdf[13];
	char driver[32]; /* "" for none */
	char driver_override[32];
	uint32_t caps; /* of the port function */
	uint8_t hw_addr[6];
};

struct kernel_pf {
	const char *bdf;
	bool autoprobe;
	bool switchdev;
	unsigned int num_vfs;
	struct kernel_vf vfs[KERNEL_MAX_VFS];
};

/* Answers the requests of one datagram; false at its end, when the socket is closed. */
bool kernel_answer(struct kernel_pf *pf, int socket_fd);

#endif

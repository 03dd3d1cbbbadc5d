/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BENCH_KERNEL_H
#define BENCH_KERNEL_H

#include "support/tree.h"

/*
 * Plays the kernel to a process and its children, at their system calls (seccomp user
 * notification): a write to a file of the tree is done in here before write() returns, and
 * sockets of generic netlink lead here. So what runs is the library as it is, and what the
 * kernel's part costs is not in the process's own time. Whatever fails in here ends the program.
 */

/* Which VFs there are at the start, written as "N DRIVER" to this file of the tree: legacy mode. */
#define KERNEL_START_FILE "sys/start"

/* In the process that is to be played to. */
void kernel_trap(int socket_fd);

/* In its parent, with the other end of the socket: returns when all of them have ended. */
void kernel_play(struct tree *tree, const struct tree_pf *pf, int socket_fd, int child_pid);

#endif

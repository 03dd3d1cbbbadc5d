/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SUPPORT_TRACED_H
#define SUPPORT_TRACED_H

#include <stdbool.h>
#include <sys/types.h>

/* A process that goes from one system call to the next, so that it can be killed at each. */

/* Stops before the first call of work, which returns its exit status; -1 if tracing is not allowed. */
pid_t traced_start(int (*work)(void));

/* To the next begin or end of a system call. False if it has ended; aborts unless with status 0. */
bool traced_go_on(pid_t pid);

/*
 * Kills it after so many of these stops. False if it had ended before, or if tracing is not
 * allowed: then *ret_pid is -1.
 */
bool traced_kill_after(int (*work)(void), unsigned int stops, pid_t *ret_pid);

/* A letter for each call that a disk obeys, in their order: w(rite), s(ync), d(atasync), r(ename), u(nlink). */
void traced_disk_calls(pid_t pid, char *calls, size_t size);

#endif

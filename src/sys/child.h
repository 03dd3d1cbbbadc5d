/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_CHILD_H
#define SYS_CHILD_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Some files of sysfs block, beyond the reach of any signal, until somebody else lets a device
 * go, and a process with a thread in there cannot end. So they are touched by a child process.
 *
 * Calls fn(data, out_fd) in a child that has no file descriptors but fd and out_fd, and collects
 * what it writes to out_fd. fn runs as after fork() in a program with threads: it may not
 * allocate. Returns 0 if the child ended; -ETIMEDOUT if it did not: it is told to die and goes
 * when it can; another -errno if there is no child. *length tells how much output there is, in
 * either case. The application sees neither SIGCHLD nor the child in its wait().
 */
int child_run(void (*fn)(const void *data, int out_fd), const void *data, int fd,
	      unsigned int timeout_ms, void *output, size_t size, size_t *length);

/* Such a child whose caller goes on meanwhile. Returns its process id or -errno. */
pid_t child_start(void (*fn)(const void *data, int out_fd), const void *data, int fd, int out_fd);

/* Waits for a child that ends; tells one to die that does not, which goes when it can. */
void child_reap(pid_t pid);
void child_give_up(pid_t pid);

#endif

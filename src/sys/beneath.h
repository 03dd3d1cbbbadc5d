/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_BENEATH_H
#define SYS_BENEATH_H

/*
 * Opens path with root_fd taken as "/": neither ".." nor an absolute symbolic link leads out of
 * it, as in a chroot. Returns a file descriptor (O_CLOEXEC is added) or -errno.
 */
int beneath_open(int root_fd, const char *path, int flags);

/* The same by hand, for kernels before 5.6 and seccomp filters that do not know openat2(). */
int beneath_walk(int root_fd, const char *path, int flags);

#endif

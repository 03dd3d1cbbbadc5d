/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_SLOW_WRITE_H
#define SYS_SLOW_WRITE_H

/*
 * Writes text to a file of sysfs in one write(), with a deadline: the kernel may wait there for
 * a device that a virtual machine holds. 0 or -errno; -ETIMEDOUT means that the write still
 * waits and that it may yet take effect.
 */
int slow_write(int dir_fd, const char *name, const char *text, unsigned int timeout_ms);

#endif

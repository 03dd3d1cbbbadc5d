/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_KMSG_H
#define SYS_KMSG_H

#include "base/str.h"
#include "sys/root.h"

/*
 * What mlx5_core says in the kernel log when firmware refuses: the only place where its syndrome
 * is told. *ret_fd is at the end of the log. -errno without the right (CAP_SYSLOG) or the log.
 */
int kmsg_open(const struct root *root, int *ret_fd);

/*
 * Adds the lines that came since, name the device (a BDF) and have a syndrome, to text, one a
 * line, at most a few. Leaves the descriptor at the end of the log. 0 or -ENOMEM.
 */
int kmsg_read_syndromes(int fd, const char *bdf, struct strbuf *text);

#endif

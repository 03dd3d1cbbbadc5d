/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_HOLDER_H
#define SYS_HOLDER_H

#include "sys/root.h"

/*
 * Who has a function open through VFIO, as "1234 (qemu-system-x86)", in *ret; NULL if nobody
 * is seen, which is no proof: other processes' descriptors are for root, and containers hide
 * processes. 0 or -ENOMEM.
 */
int holder_find(const struct root *root, int function_fd, char **ret);

#endif

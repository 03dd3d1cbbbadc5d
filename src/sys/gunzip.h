/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_GUNZIP_H
#define SYS_GUNZIP_H

#include <stddef.h>

/*
 * Unpacks one gzip member, with a NUL behind what is in it. -EBADMSG if it is damaged or not
 * all there, -EFBIG if it has more than limit bytes, -ENOMEM.
 */
int gunzip(const void *data, size_t length, size_t limit, char **ret, size_t *ret_length);

#endif

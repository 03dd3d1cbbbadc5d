/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_TEXT_FILE_H
#define SYS_TEXT_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "sys/root.h"

/*
 * The whole of a regular file by its path below the root, with a NUL behind it. 0 or -errno:
 * -EFBIG if it has more than limit bytes, -EINVAL if it is something else than a file.
 */
int text_file_read(const struct root *root, const char *path, size_t limit, char **ret,
		   size_t *ret_length);

/* Whether it is printable ASCII: what else a file holds is not passed on into a snapshot. */
bool text_is_plain(const char *text, size_t length);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_JOURNAL_FILE_H
#define SYS_JOURNAL_FILE_H

#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"

/*
 * Small files that must survive a crash, in a directory that the caller of the library names:
 * mlx5lm-<BDF>.<kind>, as sys/private_file.h has them.
 */
#define JOURNAL_KIND "journal"
#define NV_RECORD_KIND "nv"

/* More than a journal of 4096 VFs takes. */
#define JOURNAL_FILE_MAX_BYTES (32 * 1024 * 1024)

/*
 * Puts text in the place of what was there, at once and durably: file, then name, then directory.
 * *ret_fd, if not NULL: for journal_file_append().
 */
int journal_file_replace(const char *dir, const char *pf_bdf, const char *kind, const char *text,
			 int *ret_fd, struct mlx5lm_error **reterr);

/* Adds a line, which is on the disk when this returns. */
int journal_file_append(int fd, const char *pf_bdf, const char *line,
			struct mlx5lm_error **reterr);

/* A file that is there, to be appended to. -ENOENT. */
int journal_file_open(const char *dir, const char *pf_bdf, const char *kind, int *ret_fd,
		      struct mlx5lm_error **reterr);

/*
 * All of it; *ret is NUL-terminated besides. -ENOENT, -EFBIG; -EPERM if it belongs to another
 * user or others may write it, for then anybody may have made it.
 */
int journal_file_read(const char *dir, const char *pf_bdf, const char *kind, char **ret,
		      size_t *length, struct mlx5lm_error **reterr);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_PRIVATE_FILE_H
#define SYS_PRIVATE_FILE_H

#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"

/*
 * A small file that must survive a crash, mode 0600, in a directory that the caller of the library
 * names. Whoever can write it decides what is done later, so it is trusted only if nobody else
 * can. Not below the root: it is the process's own directory.
 */
#define PRIVATE_FILE_MODE 0600
#define PRIVATE_NAME_SIZE 64

struct private_file {
	const char *dir; /* for messages; borrowed */
	char name[PRIVATE_NAME_SIZE];
};

/* Descriptor of a directory in which nobody else can change files of ours. -EPERM, -ENOENT. */
int private_dir_open(const char *dir, struct mlx5lm_error **reterr);
/* What was done in it is on the disk when this returns. 0 or -errno. */
int private_dir_sync(int dir_fd);

/*
 * Descriptor of a file that is there. -ENOENT; -EPERM if it belongs to another user, others may
 * write it, or it is no plain file, for then anybody may have made it.
 */
int private_file_open(int dir_fd, const struct private_file *file, int flags,
		      struct mlx5lm_error **reterr);

/*
 * Puts text in the place of what was there, at once and durably: file, then name, then directory.
 * Returns the descriptor of the new file, for appending. If it is locked (flock), it is so before
 * it has the name. Who calls this keeps others from doing so at once for the same name.
 */
int private_file_replace(int dir_fd, const struct private_file *file, const char *text, bool locked,
			 struct mlx5lm_error **reterr);

/* All that is in a file, and a NUL behind it. 0, -EFBIG or another -errno. */
int private_file_read(int fd, size_t max_bytes, char **ret, size_t *ret_length);

/* "cannot <what> <dir>/<name>", with a remedy where there is one. Returns -errnum. */
int private_file_fail(struct mlx5lm_error **reterr, int errnum, const char *what,
		      const struct private_file *file);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_SESSION_FILE_H
#define SYS_SESSION_FILE_H

#include <stddef.h>

#include "base/error.h"

/*
 * The journal of a session, mlx5lm-<UUID of the domain>.session in a directory that the caller
 * names, as sys/private_file.h has them. It is locked (flock) as long as a process works on the
 * session: a lock goes with its owner, however that ends.
 */
struct session_file;

#define SESSION_FILE_MAX_BYTES (4u * 1024 * 1024)

/*
 * Makes and locks it, with no text yet; so it takes over one without text, as its process had not
 * begun anything. -EINVAL if uuid is none; -EBUSY if another process has it, or if one is left by a
 * process that died (with the remedy to attach); -EPERM as open.
 */
int session_file_create(const char *dir, const char *uuid, struct session_file **ret,
			struct mlx5lm_error **reterr);

/*
 * Locks the one of this domain, by UUID or, read from its text with get_name, by name; *text is the
 * caller's, NUL-terminated besides. No text, length 0: the process died before it began, and the
 * file can be removed. -ENOENT; -EBUSY; -EPERM if it belongs to another user, others may write it,
 * or it is no plain file; -EFBIG; -EINVAL if there are several of that name. get_name gives the name
 * in a text, or NULL.
 */
int session_file_open(const char *dir, const char *name_or_uuid,
		      char *(*get_name)(const char *text, size_t length),
		      struct session_file **ret, char **text, size_t *length,
		      struct mlx5lm_error **reterr);

/*
 * Puts text in the place of what it had, at once and durably: after a crash it is the old text or
 * the new one. The lock stays.
 */
int session_file_write(struct session_file *file, const char *text, struct mlx5lm_error **reterr);

/* Removes it, and lets it go. NULL is nothing. */
void session_file_remove(struct session_file *file);

/* Lets it go and leaves it to another process. NULL is nothing. */
void session_file_close(struct session_file *file);

#endif

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/private_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/str.h"

/* Several of one process at once: threads that write the same file, against the rules. */
#define MAX_UNFINISHED 16

#define PREFIX_SIZE (PRIVATE_NAME_SIZE + 2)

int private_file_fail(struct mlx5lm_error **reterr, int errnum, const char *what,
		      const struct private_file *file)
{
	int r;

	if (errnum == ENOMEM)
		return error_no_memory(reterr);
	r = error_set(reterr, error_code_from_errno(errnum), errnum, MLX5LM_SOURCE_LIBRARY,
		      "journal: cannot %s %s/%s: %s", what, file->dir, file->name,
		      strerror(errnum));
	if (errnum == ENOSPC || errnum == EDQUOT)
		error_add_remedy(reterr, "make room: df -h %s", file->dir);
	else if (errnum == EROFS)
		error_add_remedy(reterr, "name a directory that can be written, such as one "
					 "below /var/lib");
	return r;
}

static bool is_others(const struct stat *st)
{
	return st->st_uid != geteuid() && st->st_uid != 0;
}

int private_dir_open(const char *dir, struct mlx5lm_error **reterr)
{
	_cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0) {
		r = error_set(reterr, error_code_from_errno(errno), errno, MLX5LM_SOURCE_LIBRARY,
			      "journal: cannot open the directory %s: %s", dir, strerror(errno));
		if (r == -ENOENT)
			error_add_remedy(reterr, "mkdir -m 0700 %s", dir);
		return r;
	}
	/* Who can put another file in its place decides what is done to the host. */
	if (is_others(&st) || (st.st_mode & (S_IWGRP | S_IWOTH) && !(st.st_mode & S_ISVTX))) {
		r = error_set(reterr, MLX5LM_ERROR_PERMISSION, EPERM, MLX5LM_SOURCE_LIBRARY,
			      "journal: others may change what is in the directory %s", dir);
		error_add_remedy(reterr, "chown %u %s; chmod go-w %s", (unsigned int)geteuid(), dir,
				 dir);
		return r;
	}
	return TAKE_FD(fd);
}

int private_dir_sync(int dir_fd)
{
	/* Some file systems have nothing to do there, and say so in this way. */
	return fsync(dir_fd) < 0 && errno != EINVAL ? -errno : 0;
}

int private_file_open(int dir_fd, const struct private_file *file, int flags,
		      struct mlx5lm_error **reterr)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r;

	fd = openat(dir_fd, file->name, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	/* Of a link it is ELOOP: it is not ours, and fails the check below in other words. */
	if (fd < 0 && errno != ELOOP)
		return private_file_fail(reterr, errno, "open", file);
	if (fd >= 0 && fstat(fd, &st) < 0)
		return private_file_fail(reterr, errno, "look at", file);
	if (fd >= 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
	    !(st.st_mode & (S_IWGRP | S_IWOTH)))
		return TAKE_FD(fd);
	r = error_set(reterr, MLX5LM_ERROR_PERMISSION, EPERM, MLX5LM_SOURCE_LIBRARY,
		      "journal: %s/%s may be somebody else's work", file->dir, file->name);
	error_add_detail(reterr, "it must be a file of user %u that others cannot write",
			 (unsigned int)geteuid());
	error_add_remedy(reterr,
			 "ls -l %s; if it is not yours, remove it and look at what it was about",
			 file->dir);
	return r;
}

/* A fresh file beside the one that it is going to replace. */
static int create_unfinished(int dir_fd, const char *prefix, char name[static NAME_MAX + 1])
{
	int fd = -1;

	for (int i = 0; i < MAX_UNFINISHED; i++) {
		snprintf(name, NAME_MAX + 1, "%s%d.%d", prefix, (int)getpid(), i);
		fd = openat(dir_fd, name,
			    O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			    PRIVATE_FILE_MODE);
		if (fd >= 0 || errno != EEXIST)
			break;
	}
	if (fd < 0)
		return -errno;
	/* Whatever umask() the application has. */
	if (fchmod(fd, PRIVATE_FILE_MODE) < 0) {
		int r = -errno;

		unlinkat(dir_fd, name, 0);
		close(fd);
		return r;
	}
	return fd;
}

/* Unfinished files of a process that did not live to finish them; a lock keeps others away. */
static void remove_unfinished(int dir_fd, const char *prefix)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!dir) {
		close_p(&fd);
		return;
	}
	while ((entry = readdir(dir))) {
		if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0)
			unlinkat(dir_fd, entry->d_name, 0);
	}
	closedir(dir);
}

static int write_whole(int fd, const char *text, size_t length)
{
	while (length) {
		ssize_t written = write(fd, text, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		text += written;
		length -= (size_t)written;
	}
	return 0;
}

int private_file_replace(int dir_fd, const struct private_file *file, const char *text, bool locked,
			 struct mlx5lm_error **reterr)
{
	char prefix[PREFIX_SIZE], name[NAME_MAX + 1];
	_cleanup_close_ int fd = -1;
	int r;

	snprintf(prefix, sizeof(prefix), ".%s.", file->name);
	remove_unfinished(dir_fd, prefix);
	fd = create_unfinished(dir_fd, prefix, name);
	if (fd < 0)
		return private_file_fail(reterr, -fd, "create", file);
	r = write_whole(fd, text, strlen(text));
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0 && locked && flock(fd, LOCK_EX | LOCK_NB) < 0)
		r = -errno;
	if (r == 0 && renameat(dir_fd, name, dir_fd, file->name) < 0)
		r = -errno;
	if (r < 0) {
		unlinkat(dir_fd, name, 0);
		return private_file_fail(reterr, -r, "write", file);
	}
	r = private_dir_sync(dir_fd);
	if (r < 0)
		return private_file_fail(reterr, -r, "make sure on the disk of", file);
	return TAKE_FD(fd);
}

int private_file_read(int fd, size_t max_bytes, char **ret, size_t *ret_length)
{
	_cleanup_free_ char *text = NULL;
	size_t allocated = 0, length = 0;
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return -errno;
	if ((uint64_t)st.st_size > max_bytes)
		return -EFBIG;
	do {
		/* Its writer may still be at work. */
		if (length > max_bytes)
			return -EFBIG;
		if (array_reserve(&text, &allocated, length + (size_t)st.st_size + 2, 1))
			return -ENOMEM;
		n = pread(fd, text + length, allocated - length - 1, (off_t)length);
		if (n < 0 && errno != EINTR)
			return -errno;
		length += n > 0 ? (size_t)n : 0;
	} while (n != 0);
	text[length] = '\0';
	*ret = TAKE(text);
	*ret_length = length;
	return 0;
}

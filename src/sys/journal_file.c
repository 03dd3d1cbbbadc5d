// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/journal_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/str.h"

#define FILE_MODE 0600

/* Several of one process at once: threads that write of the same PF, against the rules. */
#define MAX_UNFINISHED 16

#define NAME_SIZE 64

/* The file of one kind of a PF: its directory, name and the start of the name while unfinished. */
struct place {
	const char *dir;
	char name[NAME_SIZE];
	char prefix[NAME_SIZE + 2];
};

static int fail(struct mlx5lm_error **reterr, int errnum, const char *what,
		const struct place *place)
{
	int r;

	if (errnum == ENOMEM)
		return error_no_memory(reterr);
	r = error_set(reterr, error_code_from_errno(errnum), errnum, MLX5LM_SOURCE_LIBRARY,
		      "journal: cannot %s %s/%s: %s", what, place->dir, place->name,
		      strerror(errnum));
	if (errnum == ENOSPC || errnum == EDQUOT)
		error_add_remedy(reterr, "make room: df -h %s", place->dir);
	else if (errnum == EROFS)
		error_add_remedy(reterr, "name a directory that can be written, such as one "
					 "below /var/lib");
	return r;
}

static int find_place(const char *dir, const char *pf_bdf, const char *kind, struct place *ret,
		      struct mlx5lm_error **reterr)
{
	int length;

	if (pf_bdf[strspn(pf_bdf, "0123456789abcdef:.")])
		return error_invalid(reterr, "\"%s\" is no PCI address", pf_bdf);
	ret->dir = dir;
	length = snprintf(ret->name, sizeof(ret->name), "mlx5lm-%s.%s", pf_bdf, kind);
	if (length < 0 || (size_t)length >= sizeof(ret->name))
		return error_invalid(reterr, "\"%s\" is no PCI address", pf_bdf);
	snprintf(ret->prefix, sizeof(ret->prefix), ".%s.", ret->name);
	return 0;
}

static bool is_others(const struct stat *st)
{
	return st->st_uid != geteuid() && st->st_uid != 0;
}

static int open_dir(const char *dir, struct mlx5lm_error **reterr)
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

/* A fresh file beside the one that it is going to replace. */
static int create_unfinished(int dir_fd, const struct place *place, char name[static NAME_MAX + 1])
{
	int fd = -1;

	for (int i = 0; i < MAX_UNFINISHED; i++) {
		snprintf(name, NAME_MAX + 1, "%s%d.%d", place->prefix, (int)getpid(), i);
		fd = openat(dir_fd, name,
			    O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			    FILE_MODE);
		if (fd >= 0 || errno != EEXIST)
			break;
	}
	if (fd < 0)
		return -errno;
	/* Whatever umask() the application has. */
	if (fchmod(fd, FILE_MODE) < 0) {
		int r = -errno;

		unlinkat(dir_fd, name, 0);
		close(fd);
		return r;
	}
	return fd;
}

/* Unfinished files of a process that did not live to finish them; the PF's lock keeps others. */
static void remove_unfinished(int dir_fd, const struct place *place)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!dir) {
		close_p(&fd);
		return;
	}
	while ((entry = readdir(dir))) {
		if (strncmp(entry->d_name, place->prefix, strlen(place->prefix)) == 0)
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

static int sync_dir(int dir_fd)
{
	/* Some file systems have nothing to do there, and say so in this way. */
	return fsync(dir_fd) < 0 && errno != EINVAL ? -errno : 0;
}

int journal_file_replace(const char *dir, const char *pf_bdf, const char *kind, const char *text,
			 int *ret_fd, struct mlx5lm_error **reterr)
{
	_cleanup_close_ int dir_fd = -1;
	_cleanup_close_ int fd = -1;
	char name[NAME_MAX + 1];
	struct place place;
	int r;

	r = find_place(dir, pf_bdf, kind, &place, reterr);
	if (r < 0)
		return r;
	dir_fd = open_dir(dir, reterr);
	if (dir_fd < 0)
		return dir_fd;
	remove_unfinished(dir_fd, &place);
	fd = create_unfinished(dir_fd, &place, name);
	if (fd < 0)
		return fail(reterr, -fd, "create", &place);
	r = write_whole(fd, text, strlen(text));
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0 && renameat(dir_fd, name, dir_fd, place.name) < 0)
		r = -errno;
	if (r < 0) {
		unlinkat(dir_fd, name, 0);
		return fail(reterr, -r, "write", &place);
	}
	r = sync_dir(dir_fd);
	if (r < 0)
		return fail(reterr, -r, "make sure on the disk of", &place);
	if (ret_fd)
		*ret_fd = TAKE_FD(fd);
	return 0;
}

static int append(int fd, const char *line, size_t length)
{
	ssize_t written;

	do {
		written = write(fd, line, length);
	} while (written < 0 && errno == EINTR);
	if (written < 0)
		return -errno;
	if ((size_t)written < length)
		return -ENOSPC;
	return fdatasync(fd) < 0 ? -errno : 0;
}

int journal_file_append(int fd, const char *pf_bdf, const char *line, struct mlx5lm_error **reterr)
{
	struct stat st;
	int r;

	r = fstat(fd, &st) < 0 ? -errno : append(fd, line, strlen(line));
	if (r == 0)
		return 0;
	/* A part of a line would spoil the next one. */
	if (ftruncate(fd, st.st_size) < 0)
		r = -errno;
	error_set(reterr, error_code_from_errno(-r), -r, MLX5LM_SOURCE_LIBRARY,
		  "%s: cannot write its journal: %s", pf_bdf, strerror(-r));
	if (r == -ENOSPC || r == -EDQUOT)
		error_add_remedy(reterr, "make room where the journal is: df -h");
	return r;
}

static int open_file(const struct place *place, int flags, int *ret_fd,
		     struct mlx5lm_error **reterr)
{
	_cleanup_close_ int dir_fd = open_dir(place->dir, reterr);
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r;

	if (dir_fd < 0)
		return dir_fd;
	fd = openat(dir_fd, place->name, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	/* Of a link it is ELOOP: it is not ours, and fails the check below in other words. */
	if (fd < 0 && errno != ELOOP)
		return fail(reterr, errno, "open", place);
	if (fd >= 0 && fstat(fd, &st) < 0)
		return fail(reterr, errno, "look at", place);
	if (fd < 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
	    st.st_mode & (S_IWGRP | S_IWOTH)) {
		r = error_set(reterr, MLX5LM_ERROR_PERMISSION, EPERM, MLX5LM_SOURCE_LIBRARY,
			      "journal: %s/%s may be somebody else's work", place->dir,
			      place->name);
		error_add_detail(reterr, "it must be a file of user %u that others cannot write",
				 (unsigned int)geteuid());
		error_add_remedy(
			reterr, "ls -l %s; if it is not yours, remove it and look at the PF itself",
			place->dir);
		return r;
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* All that is in a file, and a NUL behind it. 0, -EFBIG or another -errno. */
static int read_whole(int fd, char **ret, size_t *ret_length)
{
	_cleanup_free_ char *text = NULL;
	size_t allocated = 0, length = 0;
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size > JOURNAL_FILE_MAX_BYTES)
		return -EFBIG;
	do {
		/* Its writer may still be at work. */
		if (length > JOURNAL_FILE_MAX_BYTES)
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

/* Cuts off what has no end, so that the next line starts as one. */
static int cut_unfinished_line(int fd)
{
	_cleanup_free_ char *text = NULL;
	const char *last;
	size_t length, whole;
	int r;

	r = read_whole(fd, &text, &length);
	if (r < 0)
		return r;
	/* Where an append was cut short by a power failure, some file systems leave zeros. */
	last = memrchr(text, '\n', strnlen(text, length));
	whole = last ? (size_t)(last + 1 - text) : 0;
	return whole < length && ftruncate(fd, (off_t)whole) < 0 ? -errno : 0;
}

int journal_file_open(const char *dir, const char *pf_bdf, const char *kind, int *ret_fd,
		      struct mlx5lm_error **reterr)
{
	_cleanup_close_ int fd = -1;
	struct place place;
	int r;

	r = find_place(dir, pf_bdf, kind, &place, reterr);
	if (r == 0)
		r = open_file(&place, O_RDWR | O_APPEND, &fd, reterr);
	if (r < 0)
		return r;
	r = cut_unfinished_line(fd);
	if (r < 0)
		return fail(reterr, -r, "mend the end of", &place);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int journal_file_read(const char *dir, const char *pf_bdf, const char *kind, char **ret,
		      size_t *length, struct mlx5lm_error **reterr)
{
	_cleanup_close_ int fd = -1;
	struct place place;
	int r;

	r = find_place(dir, pf_bdf, kind, &place, reterr);
	if (r == 0)
		r = open_file(&place, O_RDONLY, &fd, reterr);
	if (r < 0)
		return r;
	r = read_whole(fd, ret, length);
	return r < 0 ? fail(reterr, -r, "read", &place) : 0;
}

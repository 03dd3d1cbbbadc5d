// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/journal_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/str.h"
#include "sys/private_file.h"

/* The file of one kind of a PF. */
static int name_file(const char *dir, const char *pf_bdf, const char *kind,
		     struct private_file *ret, struct mlx5lm_error **reterr)
{
	int length;

	if (pf_bdf[strspn(pf_bdf, "0123456789abcdef:.")])
		return error_invalid(reterr, "\"%s\" is no PCI address", pf_bdf);
	ret->dir = dir;
	length = snprintf(ret->name, sizeof(ret->name), "mlx5lm-%s.%s", pf_bdf, kind);
	if (length < 0 || (size_t)length >= sizeof(ret->name))
		return error_invalid(reterr, "\"%s\" is no PCI address", pf_bdf);
	return 0;
}

int journal_file_replace(const char *dir, const char *pf_bdf, const char *kind, const char *text,
			 int *ret_fd, struct mlx5lm_error **reterr)
{
	_cleanup_close_ int dir_fd = -1;
	_cleanup_close_ int fd = -1;
	struct private_file file;
	int r;

	r = name_file(dir, pf_bdf, kind, &file, reterr);
	if (r < 0)
		return r;
	dir_fd = private_dir_open(dir, reterr);
	if (dir_fd < 0)
		return dir_fd;
	fd = private_file_replace(dir_fd, &file, text, false, reterr);
	if (fd < 0)
		return fd;
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

static int open_file(const char *dir, const struct private_file *file, int flags,
		     struct mlx5lm_error **reterr)
{
	_cleanup_close_ int dir_fd = private_dir_open(dir, reterr);

	return dir_fd < 0 ? dir_fd : private_file_open(dir_fd, file, flags, reterr);
}

/* Cuts off what has no end, so that the next line starts as one. */
static int cut_unfinished_line(int fd)
{
	_cleanup_free_ char *text = NULL;
	const char *last;
	size_t length, whole;
	int r;

	r = private_file_read(fd, JOURNAL_FILE_MAX_BYTES, &text, &length);
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
	struct private_file file;
	int r;

	r = name_file(dir, pf_bdf, kind, &file, reterr);
	if (r < 0)
		return r;
	fd = open_file(dir, &file, O_RDWR | O_APPEND, reterr);
	if (fd < 0)
		return fd;
	r = cut_unfinished_line(fd);
	if (r < 0)
		return private_file_fail(reterr, -r, "mend the end of", &file);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int journal_file_read(const char *dir, const char *pf_bdf, const char *kind, char **ret,
		      size_t *length, struct mlx5lm_error **reterr)
{
	_cleanup_close_ int fd = -1;
	struct private_file file;
	int r;

	r = name_file(dir, pf_bdf, kind, &file, reterr);
	if (r < 0)
		return r;
	fd = open_file(dir, &file, O_RDONLY, reterr);
	if (fd < 0)
		return fd;
	r = private_file_read(fd, JOURNAL_FILE_MAX_BYTES, ret, length);
	return r < 0 ? private_file_fail(reterr, -r, "read", &file) : 0;
}

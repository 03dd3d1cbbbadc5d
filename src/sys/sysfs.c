// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/sysfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "sys/beneath.h"
#include "sys/text_file.h"

/* A directory of sysfs has a few hundred entries at most, one of a PCI bus a few thousand. */
#define MAX_ENTRIES 65536

int sysfs_open_dir(const struct root *root, const char *format, ...)
{
	char path[PATH_MAX];
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	if (length < 0 || (size_t)length >= sizeof(path))
		return -ENAMETOOLONG;
	return beneath_open(root->fd, path, O_PATH | O_DIRECTORY);
}

int sysfs_read(int dir_fd, const char *name, char text[static SYSFS_TEXT_SIZE])
{
	_cleanup_close_ int fd = -1;

	/* O_NONBLOCK: in a recorded tree anything may lie where a file is expected. */
	fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? -errno : sysfs_read_fd(fd, text);
}

int sysfs_read_fd(int fd, char text[static SYSFS_TEXT_SIZE])
{
	ssize_t length;

	/* Both file systems give a value in one piece. */
	do {
		length = read(fd, text, SYSFS_TEXT_SIZE);
	} while (length < 0 && errno == EINTR);
	if (length < 0)
		return -errno;
	if (length == SYSFS_TEXT_SIZE)
		return -EMSGSIZE;
	text[length] = '\0';
	/* A file of several lines is taken apart by its reader. */
	for (const char *c = text; c < text + length; c++) {
		if (!text_is_plain(c, 1) && *c != '\n' && *c != '\t')
			return -EBADMSG;
	}
	str_trim_end(text);
	return 0;
}

int sysfs_read_str(int dir_fd, const char *name, char **ret)
{
	char text[SYSFS_TEXT_SIZE];
	int r;

	r = sysfs_read(dir_fd, name, text);
	if (r < 0 || !text[0])
		return r;
	return text_is_plain(text, strlen(text)) ? str_replace(ret, text) : -EBADMSG;
}

int sysfs_read_u64(int dir_fd, const char *name, int base, uint64_t *ret)
{
	char text[SYSFS_TEXT_SIZE];
	int r;

	r = sysfs_read(dir_fd, name, text);
	if (r < 0)
		return r;
	return str_to_u64(text, base, ret);
}

int sysfs_read_link(int dir_fd, const char *name, char text[static SYSFS_TEXT_SIZE])
{
	char target[PATH_MAX];
	const char *last;
	ssize_t length;

	length = readlinkat(dir_fd, name, target, sizeof(target) - 1);
	if (length < 0)
		return -errno;
	target[length] = '\0';
	last = strrchr(target, '/');
	last = last ? last + 1 : target;
	if (!last[0] || strlen(last) >= SYSFS_TEXT_SIZE || !text_is_plain(last, strlen(last)))
		return -EBADMSG;
	strcpy(text, last);
	return 0;
}

static void closedir_p(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

int sysfs_list(int dir_fd, const char *name, struct strv *ret)
{
	_cleanup_(closedir_p) DIR *dir = NULL;
	_cleanup_(strv_release) struct strv names = { 0 };
	const struct dirent *entry;
	int fd;

	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while (errno = 0, entry = readdir(dir)) {
		if (streq(entry->d_name, ".") || streq(entry->d_name, ".."))
			continue;
		if (names.length == MAX_ENTRIES)
			return -E2BIG;
		if (!text_is_plain(entry->d_name, strlen(entry->d_name)))
			return -EBADMSG;
		if (strv_take(&names, strdup(entry->d_name)) < 0)
			return -ENOMEM;
	}
	if (errno)
		return -errno;
	strv_sort(&names);
	*ret = names;
	names = (struct strv){ 0 };
	return 0;
}

bool sysfs_exists(int dir_fd, const char *name)
{
	struct stat st;

	return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

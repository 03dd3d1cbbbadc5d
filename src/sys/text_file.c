// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/text_file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/array.h"
#include "sys/beneath.h"

/* Files of procfs do not tell their size; most of those read here fit in this. */
#define FIRST_READ 4096

/* Reads up to size bytes, fewer only at the end of the file. */
static ssize_t read_all(int fd, char *data, size_t size)
{
	size_t length = 0;
	ssize_t n;

	while (length < size) {
		n = read(fd, data + length, size - length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		length += (size_t)n;
	}
	return (ssize_t)length;
}

int text_file_read(const struct root *root, const char *path, size_t limit, char **ret,
		   size_t *ret_length)
{
	_cleanup_close_ int fd = beneath_open(root->fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	_cleanup_free_ char *text = NULL;
	size_t allocated = 0, length = 0, room;
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size > 0 && (uintmax_t)st.st_size > limit)
		return -EFBIG;
	room = st.st_size > 0 ? (size_t)st.st_size : FIRST_READ;
	for (;;) {
		/* One byte more than the file has, so that its end shows; and one for the NUL. */
		if (array_reserve(&text, &allocated, length + room + 2, 1))
			return -ENOMEM;
		n = read_all(fd, text + length, room + 1);
		if (n < 0)
			return (int)n;
		length += (size_t)n;
		if (length > limit)
			return -EFBIG;
		if ((size_t)n <= room)
			break;
		room = length;
	}
	text[length] = '\0';
	*ret = TAKE(text);
	*ret_length = length;
	return 0;
}

bool text_is_plain(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (!isascii((unsigned char)text[i]) || !isprint((unsigned char)text[i]))
			return false;
	}
	return true;
}

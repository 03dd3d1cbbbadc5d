// SPDX-License-Identifier: MIT-0
#include "lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int lines_init(struct lines *lines, int fd, size_t size)
{
	*lines = (struct lines){ .fd = fd, .buffer = malloc(size), .size = size };
	return lines->buffer ? 0 : -ENOMEM;
}

void lines_release(struct lines *lines)
{
	free(lines->buffer);
	lines->buffer = NULL;
}

int lines_next(struct lines *lines, char **line, size_t *length)
{
	char *begin = lines->buffer + lines->begin;
	char *end = memchr(begin, '\n', lines->end - lines->begin);
	bool too_long = lines->skipping || (!end && lines->end - lines->begin == lines->size);

	if (too_long) {
		lines->skipping = !end;
		lines->begin = end ? lines->begin + (size_t)(end - begin) + 1 : lines->end;
		return end ? -EFBIG : 0;
	}
	if (!end)
		return 0;
	*end = '\0';
	*line = begin;
	*length = (size_t)(end - begin);
	lines->begin += *length + 1;
	return 1;
}

int lines_fill(struct lines *lines)
{
	ssize_t n;

	memmove(lines->buffer, lines->buffer + lines->begin, lines->end - lines->begin);
	lines->end -= lines->begin;
	lines->begin = 0;
	do {
		n = read(lines->fd, lines->buffer + lines->end, lines->size - lines->end);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	lines->end += (size_t)n;
	return n > 0;
}

bool lines_is_inside(const struct lines *lines)
{
	return lines->skipping || lines->begin < lines->end;
}

int write_line(int fd, json_t *value)
{
	char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;
	size_t length = text ? strlen(text) : 0, done = 0;
	int r = text ? 0 : -ENOMEM;

	if (text)
		text[length++] = '\n'; /* in place of the NUL */
	while (r == 0 && done < length) {
		ssize_t n = write(fd, text + done, length - done);

		if (n >= 0)
			done += (size_t)n;
		else if (errno != EINTR)
			r = -errno;
	}
	free(text);
	json_decref(value);
	return r;
}

/* SPDX-License-Identifier: MIT-0 */
#ifndef LINES_H
#define LINES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Lines of JSON from a pipe whose other end is not trusted, and to it. */
struct lines {
	int fd;
	char *buffer;
	size_t size;   /* longest line, with its end */
	size_t begin;  /* of what was read and not given out */
	size_t end;
	bool skipping; /* the rest of a line that was too long */
};

/* 0 or -ENOMEM. */
int lines_init(struct lines *lines, int fd, size_t size);
void lines_release(struct lines *lines);

/*
 * The next whole line that was read, without its end; valid until lines_fill(). 1; 0 if there is
 * none yet; -EFBIG once for each line that was too long, of which nothing is kept.
 */
int lines_next(struct lines *lines, char **line, size_t *length);

/* Reads what is there, or waits for it. 1; 0 at the end; -errno. */
int lines_fill(struct lines *lines);

/* Has a line begun that did not end? */
bool lines_is_inside(const struct lines *lines);

/* Writes a value as one line, and takes it. NULL is -ENOMEM. 0 or -errno. */
int write_line(int fd, json_t *value);

#endif

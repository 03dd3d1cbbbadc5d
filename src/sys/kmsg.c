// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/kmsg.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "sys/beneath.h"

/* More than the kernel makes of a record (PRINTKRB_RECORD_MAX, escapes and dictionary). */
#define RECORD_SIZE 8192

/* A log that is written to faster than it is read must not keep the caller. */
#define MAX_RECORDS 4096
#define MAX_LINES 4

int kmsg_open(const struct root *root, int *ret_fd)
{
	int fd = beneath_open(root->fd, "dev/kmsg", O_RDONLY | O_NONBLOCK | O_NOCTTY);
	int r;

	if (fd < 0)
		return fd;
	if (lseek(fd, 0, SEEK_END) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

static int hex_value(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* The kernel writes \x1b for a byte that is not printable; a terminal shall not obey it. */
static void decode(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		int byte = (unsigned char)*from++;

		if (byte == '\\' && from[0] == 'x' && isxdigit((unsigned char)from[1]) &&
		    isxdigit((unsigned char)from[2])) {
			byte = hex_value(from[1]) * 16 + hex_value(from[2]);
			from += 3;
		}
		*to = byte >= ' ' && byte <= '~' ? (char)byte : '?';
	}
	*to = '\0';
}

/* Is the address in the text, and not just as the end of a longer one? */
static bool names(const char *text, const char *bdf)
{
	for (const char *at = text; (at = strstr(at, bdf)); at++) {
		const char *end = at + strlen(bdf);

		if ((at == text || !isxdigit((unsigned char)at[-1])) &&
		    !isxdigit((unsigned char)*end))
			return true;
	}
	return false;
}

/* "3,1234,5678,-;mlx5_core 0000:08:00.0: ...", and lines of a dictionary behind it. */
static bool take_record(char *record, const char *bdf, struct strbuf *text)
{
	char *said = strchr(record, ';');

	if (!said)
		return false;
	said++;
	said[strcspn(said, "\n")] = '\0';
	decode(said);
	if (!names(said, bdf) || !strstr(said, "syndrome"))
		return false;
	strbuf_add(text, said);
	strbuf_add(text, "\n");
	return true;
}

int kmsg_read_syndromes(int fd, const char *bdf, struct strbuf *text)
{
	char record[RECORD_SIZE];
	int num_lines = 0;

	for (int i = 0; i < MAX_RECORDS && num_lines < MAX_LINES; i++) {
		ssize_t length = read(fd, record, sizeof(record) - 1);

		/* EPIPE: what stood next has been overwritten; reading goes on behind that. */
		if (length < 0 && (errno == EINTR || errno == EPIPE))
			continue;
		if (length <= 0)
			return text->error;
		record[length] = '\0';
		num_lines += take_record(record, bdf, text);
	}
	lseek(fd, 0, SEEK_END);
	return text->error;
}

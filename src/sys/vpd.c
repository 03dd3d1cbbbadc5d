// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/vpd.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "base/str.h"

enum {
	TAG_LARGE = 0x80,
	TAG_LARGE_READ_ONLY = 0x90,
	TAG_SMALL_END = 0x78,
	TAG_SMALL_LENGTH = 0x07,
};

#define KEYWORD_HEADER 3

static int keep_text(const uint8_t *text, size_t length, char **ret)
{
	char *copy;

	while (length && (text[length - 1] == '\0' || isspace(text[length - 1])))
		length--;
	for (size_t i = 0; i < length; i++) {
		if (!isprint(text[i]))
			return 0;
	}
	if (!length)
		return 0;
	copy = strndup((const char *)text, length);
	if (!copy)
		return -ENOMEM;
	free(*ret);
	*ret = copy;
	return 0;
}

static int find_keyword(const uint8_t *data, size_t length, char **ret)
{
	while (length >= KEYWORD_HEADER) {
		size_t size = data[2];

		if (size > length - KEYWORD_HEADER)
			return 0;
		if (data[0] == 'S' && data[1] == 'N')
			return keep_text(data + KEYWORD_HEADER, size, ret);
		data += KEYWORD_HEADER + size;
		length -= KEYWORD_HEADER + size;
	}
	return 0;
}

int vpd_serial_number(const uint8_t *data, size_t length, char **ret)
{
	while (length) {
		bool large = data[0] & TAG_LARGE;
		size_t header = large ? 3 : 1;
		size_t size;

		if (length < header || (!large && (data[0] & ~TAG_SMALL_LENGTH) == TAG_SMALL_END))
			return 0;
		size = large ? data[1] | (size_t)data[2] << 8 : data[0] & TAG_SMALL_LENGTH;
		if (size > length - header)
			size = length - header;
		if (data[0] == TAG_LARGE_READ_ONLY)
			return find_keyword(data + header, size, ret);
		data += header + size;
		length -= header + size;
	}
	return 0;
}

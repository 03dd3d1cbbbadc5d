// SPDX-License-Identifier: LGPL-2.1-or-later
#include "support/kmod_index.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The index is a trie of nodes that are named by their offset, with these bits for what is in. */
#define NODE_PREFIX 0x80000000u
#define NODE_VALUES 0x40000000u
#define NODE_CHILDREN 0x20000000u

#define MAX_NAMES 64

struct index {
	uint8_t *bytes;
	size_t size;
	size_t length;
	const char *format;
};

static void put(struct index *index, const void *data, size_t length)
{
	if (index->length + length > index->size)
		abort();
	memcpy(index->bytes + index->length, data, length);
	index->length += length;
}

static void put_u32(struct index *index, uint32_t value)
{
	value = htobe32(value);
	put(index, &value, sizeof(value));
}

static size_t common_length(const char *const *names, size_t length, size_t from)
{
	size_t common = from;

	while (names[0][common] && names[0][common] == names[length - 1][common])
		common++;
	return common;
}

/* Names are sorted and equal in their first from characters. */
static uint32_t put_node(struct index *index, const char *const *names, size_t length, size_t from)
{
	uint32_t children[128] = { 0 }, offset, flags = 0;
	size_t common = common_length(names, length, from);
	unsigned char first = 127, last = 0;
	char value[256];
	size_t i = 0;

	if (!names[0][common])
		i = 1;
	for (size_t end; i < length; i = end) {
		unsigned char c = (unsigned char)names[i][common];

		for (end = i; end < length && (unsigned char)names[end][common] == c; end++)
			;
		children[c] = put_node(index, names + i, end - i, common + 1);
		first = c < first ? c : first;
		last = c > last ? c : last;
	}
	offset = (uint32_t)index->length;
	if (common > from) {
		flags |= NODE_PREFIX;
		put(index, names[0] + from, common - from);
		put(index, "", 1);
	}
	if (first <= last) {
		flags |= NODE_CHILDREN;
		put(index, &first, 1);
		put(index, &last, 1);
		for (unsigned int c = first; c <= last; c++)
			put_u32(index, children[c]);
	}
	if (!names[0][common]) {
		flags |= NODE_VALUES;
		put_u32(index, 1);
		put_u32(index, 0); /* priority */

		snprintf(value, sizeof(value), index->format, names[0]);

		put(index, value, strlen(value) + 1);
	}
	return offset | flags;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

size_t kmod_index(uint8_t *buffer, size_t size, const char *const *names, const char *format)
{
	struct index index = { .bytes = buffer, .size = size, .format = format };
	const char *sorted[MAX_NAMES];
	uint32_t root = 0;
	size_t length = 0;

	for (; names[length]; length++) {
		if (length == MAX_NAMES)
			abort();
		sorted[length] = names[length];
	}
	put_u32(&index, 0xb007f457); /* magic */
	put_u32(&index, 0x00020001); /* version */
	put_u32(&index, 0);
	if (length) {
		qsort(sorted, length, sizeof(sorted[0]), compare);
		root = htobe32(put_node(&index, sorted, length, 0));
		memcpy(buffer + 8, &root, sizeof(root));
	}
	return index.length;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "support/kmod_index.h"

#include <elf.h>
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
	const char *const *names; /* if format is NULL: as they were given, with their values */
	const char *const *values;
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

static void put_value(struct index *index, const char *name)
{
	char made[256];
	const char *value = made;
	size_t i = 0;

	if (index->format) {
		snprintf(made, sizeof(made), index->format, name);
	} else {
		while (index->names[i] != name)
			i++;
		value = index->values[i];
	}
	put_u32(index, 1);
	put_u32(index, 0); /* priority */
	put(index, value, strlen(value) + 1);
}

/* Names are sorted and equal in their first from characters. */
static uint32_t put_node(struct index *index, const char *const *names, size_t length, size_t from)
{
	uint32_t children[128] = { 0 }, offset, flags = 0;
	size_t common = common_length(names, length, from);
	unsigned char first = 127, last = 0;
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
		put_value(index, names[0]);
	}
	return offset | flags;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static size_t write_index(struct index *index, const char *const *names)
{
	const char *sorted[MAX_NAMES];
	uint32_t root = 0;
	size_t length = 0;

	for (; names[length]; length++) {
		if (length == MAX_NAMES)
			abort();
		sorted[length] = names[length];
	}
	put_u32(index, 0xb007f457); /* magic */
	put_u32(index, 0x00020001); /* version */
	put_u32(index, 0);
	if (length) {
		qsort(sorted, length, sizeof(sorted[0]), compare);
		root = htobe32(put_node(index, sorted, length, 0));
		memcpy(index->bytes + 8, &root, sizeof(root));
	}
	return index->length;
}

size_t kmod_index(uint8_t *buffer, size_t size, const char *const *names, const char *format)
{
	struct index index = { .bytes = buffer, .size = size, .format = format };

	return write_index(&index, names);
}

size_t kmod_index_of(uint8_t *buffer, size_t size, const char *const *names,
		     const char *const *values)
{
	struct index index = { .bytes = buffer, .size = size, .names = names, .values = values };

	return write_index(&index, names);
}

size_t kmod_file(uint8_t *buffer, size_t size, const char *info, size_t length)
{
	static const char names[] = "\0.modinfo\0.shstrtab";
	const uint64_t info_at = sizeof(Elf64_Ehdr), names_at = info_at + length;
	const uint64_t sections_at = (names_at + sizeof(names) + 7) & ~UINT64_C(7);
	const Elf64_Ehdr header = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
			     BYTE_ORDER == LITTLE_ENDIAN ? ELFDATA2LSB : ELFDATA2MSB, EV_CURRENT },
		.e_type = ET_REL,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_shoff = sections_at,
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = 3,
		.e_shstrndx = 2,
	};
	const Elf64_Shdr sections[3] = {
		{ 0 },
		{ .sh_name = 1, .sh_type = SHT_PROGBITS, .sh_offset = info_at, .sh_size = length },
		{ .sh_name = 10, .sh_type = SHT_STRTAB, .sh_offset = names_at,
		  .sh_size = sizeof(names) },
	};

	if (sections_at + sizeof(sections) > size)
		abort();
	memset(buffer, 0, size);
	memcpy(buffer, &header, sizeof(header));
	memcpy(buffer + info_at, info, length);
	memcpy(buffer + names_at, names, sizeof(names));
	memcpy(buffer + sections_at, sections, sizeof(sections));
	return sections_at + sizeof(sections);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/version_rule.h"

#include <ctype.h>
#include <errno.h>

int version_parse(const char *text, struct version *ret)
{
	struct version version = { 0 };
	unsigned int parts = 0;

	while (parts < 3 && isdigit((unsigned char)*text)) {
		uint32_t value = 0;

		for (; isdigit((unsigned char)*text); text++) {
			if (value > 99999999)
				return -EINVAL;
			value = value * 10 + (uint32_t)(*text - '0');
		}
		version.part[parts++] = value;
		if (*text != '.')
			break;
		text++;
	}
	if (parts < 2)
		return -EINVAL;
	*ret = version;
	return 0;
}

struct version version_from_libvirt(uint64_t number)
{
	return (struct version){ {
		(uint32_t)(number / 1000000),
		(uint32_t)(number / 1000 % 1000),
		(uint32_t)(number % 1000),
	} };
}

int version_compare(const struct version *a, const struct version *b)
{
	for (int i = 0; i < 3; i++) {
		if (a->part[i] != b->part[i])
			return a->part[i] < b->part[i] ? -1 : 1;
	}
	return 0;
}

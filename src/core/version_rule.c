// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/version_rule.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

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

int version_parse_all(const char *text, struct version *ret)
{
	size_t length = strlen(text), dots = 0;

	for (size_t i = 0; i < length; i++)
		dots += text[i] == '.';
	if (strspn(text, "0123456789.") != length || dots > 2 || strstr(text, "..") ||
	    (length && text[length - 1] == '.'))
		return -EINVAL;
	return version_parse(text, ret);
}

bool version_is_plain(const char *release)
{
	struct version version;
	const char *rest;

	if (version_parse(release, &version) < 0)
		return false;
	/* A number of the stable series is only kept by those who take all of it. */
	if (version.part[2] > 0)
		return true;
	rest = release + strspn(release, "0123456789.");
	return rest[0] != '-' || !isdigit((unsigned char)rest[1]);
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

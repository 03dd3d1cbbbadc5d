// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/json_text.h"

#include <errno.h>

int json_to_str(const json_t *json, size_t flags, char **ret, size_t *ret_length)
{
	size_t length = json_dumpb(json, NULL, 0, flags);
	char *text;

	if (length == 0)
		return -ENOMEM;
	/* Not json_dumps(): its memory comes from jansson's allocator, which a program may set. */
	text = malloc(length + 1);
	if (!text)
		return -ENOMEM;
	if (json_dumpb(json, text, length, flags) != length) {
		free(text);
		return -ENOMEM;
	}
	text[length] = '\0';
	*ret = text;
	*ret_length = length;
	return 0;
}

int json_to_text(json_t *json, size_t flags, struct mlx5lm_text **ret)
{
	_cleanup_json_ json_t *owned = json;
	size_t length;
	char *text;

	if (!owned || json_to_str(owned, flags, &text, &length))
		return -ENOMEM;
	return text_new_take(text, ret);
}

int json_set_str(json_t *object, const char *key, const char *value)
{
	return value ? json_object_set_new(object, key, json_string(value)) : 0;
}

/* Length of the UTF-8 character at text, 0 if there is none (RFC 3629, section 4). */
static size_t character_length(const unsigned char *text)
{
	unsigned char first = text[0], low = 0x80, high = 0xbf;
	size_t length;

	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	/* Neither a longer form than needed nor a surrogate nor more than U+10FFFF. */
	if (first == 0xe0)
		low = 0xa0;
	else if (first == 0xed)
		high = 0x9f;
	else if (first == 0xf0)
		low = 0x90;
	else if (first == 0xf4)
		high = 0x8f;
	for (size_t i = 1; i < length; i++) {
		if (text[i] < low || text[i] > high)
			return 0;
		low = 0x80;
		high = 0xbf;
	}
	return length;
}

static bool is_control(const unsigned char *text)
{
	return text[0] < 0x20 || text[0] == 0x7f || (text[0] == 0xc2 && text[1] < 0xa0);
}

bool json_has_control(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (is_control((const unsigned char *)text + i))
			return true;
	}
	return false;
}

json_t *json_clean_string(const char *text, size_t max_length)
{
	const unsigned char *from = (const unsigned char *)text;
	char *clean = malloc(strnlen(text, max_length) + 1);
	size_t length = 0;
	json_t *json;

	if (!clean)
		return NULL;
	while (*from) {
		size_t step = character_length(from);
		bool bad = step == 0, control = !bad && is_control(from);
		size_t room = bad || control ? 1 : step;

		if (length + room > max_length)
			break;
		if (bad || control)
			clean[length] = bad ? '?' : ' ';
		else
			memcpy(clean + length, from, step);
		length += room;
		from += bad ? 1 : step;
	}
	json = json_stringn_nocheck(clean, length);
	free(clean);
	return json;
}

size_t json_find_too_deep(const char *text, size_t length, unsigned int max_depth)
{
	unsigned int depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < length; i++) {
		switch (text[i]) {
		case '"':
			quoted = !quoted;
			break;
		case '\\':
			i += quoted;
			break;
		case '[':
		case '{':
			if (!quoted && ++depth > max_depth)
				return i;
			break;
		case ']':
		case '}':
			depth -= !quoted && depth > 0;
			break;
		default:
			break;
		}
	}
	return length;
}

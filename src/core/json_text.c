// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/json_text.h"

#include <errno.h>

int json_to_text(json_t *json, size_t flags, struct mlx5lm_text **ret)
{
	_cleanup_json_ json_t *owned = json;
	size_t length, written;
	char *text;

	if (!owned)
		return -ENOMEM;
	length = json_dumpb(owned, NULL, 0, flags);
	if (length == 0)
		return -ENOMEM;
	/* Not json_dumps(): its memory comes from jansson's allocator, which a program may set. */
	text = malloc(length + 1);
	if (!text)
		return -ENOMEM;
	written = json_dumpb(owned, text, length, flags);
	if (written != length) {
		free(text);
		return -ENOMEM;
	}
	text[length] = '\0';
	return text_new_take(text, ret);
}

int json_set_str(json_t *object, const char *key, const char *value)
{
	return value ? json_object_set_new(object, key, json_string(value)) : 0;
}

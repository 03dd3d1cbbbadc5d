// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/text_wrap.h"

#include <errno.h>

#include "base/array.h"
#include "base/cleanup.h"

size_t text_columns(const char *text, size_t length)
{
	size_t number = 0;

	for (size_t i = 0; i < length; i++)
		number += ((unsigned char)text[i] & 0xc0) != 0x80;
	return number;
}

void text_add(struct strbuf *buf, const char *text, size_t length)
{
	if (buf->error)
		return;
	buf->error = array_reserve(&buf->text, &buf->allocated, buf->length + length + 1, 1);
	if (buf->error)
		return;
	for (size_t i = 0; i < length; i++) {
		bool is_control = (unsigned char)text[i] < 0x20 || text[i] == 0x7f;

		buf->text[buf->length++] = is_control ? '?' : text[i];
	}
	buf->text[buf->length] = '\0';
}

int text_wrap(struct strbuf *buf, const char *first_indent, const char *indent, const char *text)
{
	size_t column = text_columns(first_indent, strlen(first_indent));
	bool empty = true; /* the line has no word yet */

	strbuf_add(buf, first_indent);
	for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
		size_t length = strcspn(text, " "), width = text_columns(text, length);

		if (!empty && column + 1 + width > TEXT_COLUMNS) {
			strbuf_add(buf, "\n");
			strbuf_add(buf, indent);
			column = text_columns(indent, strlen(indent));
			empty = true;
		}
		if (!empty) {
			strbuf_add(buf, " ");
			column++;
		}
		text_add(buf, text, length);
		column += width;
		empty = false;
		text += length;
	}
	strbuf_add(buf, "\n");
	return buf->error;
}

static bool starts_command(const char *text)
{
	static const char *const programs[] = {
		"devlink",	    "echo",	     "lspci",	     "mlx5lm-compare",
		"mlx5lm-configure", "mlx5lm-migrate", "mlx5lm-probe", "mlxconfig",
		"modprobe",	    "mstconfig",     "mstflint",     "systemctl",
		"virsh",
	};
	size_t length = strcspn(text, " ");

	for (size_t i = 0; i < ARRAY_LENGTH(programs); i++) {
		if (strlen(programs[i]) == length && memcmp(text, programs[i], length) == 0)
			return text[length] == ' ';
	}
	return false;
}

const char *remedy_command(const char *remedy)
{
	if (starts_command(remedy))
		return remedy;
	for (const char *at = strpbrk(remedy, ":;"); at; at = strpbrk(at + 1, ":;")) {
		if (at[1] == ' ' && starts_command(at + 2))
			return at + 2;
	}
	return NULL;
}

int text_wrap_remedy(struct strbuf *buf, const char *first_indent, const char *indent,
		     const char *remedy)
{
	const char *command = remedy_command(remedy);

	if (!command)
		return text_wrap(buf, first_indent, indent, remedy);
	if (command > remedy) {
		_cleanup_free_ char *words = strndup(remedy, (size_t)(command - remedy));

		if (!words)
			buf->error = -ENOMEM;
		else
			text_wrap(buf, first_indent, indent, words);
		first_indent = indent;
	}
	while (*command) {
		const char *end = strstr(command, "; ");
		size_t length = end ? (size_t)(end - command) : strlen(command);

		strbuf_add(buf, first_indent);
		text_add(buf, command, length);
		strbuf_add(buf, "\n");
		first_indent = indent;
		command += length + (end ? strlen("; ") : 0);
	}
	return buf->error;
}

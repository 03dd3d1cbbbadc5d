// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/str.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"

char *str_vprintf(const char *format, va_list args)
{
	char *text;

	return vasprintf(&text, format, args) < 0 ? NULL : text;
}

char *str_printf(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = str_vprintf(format, args);
	va_end(args);
	return text;
}

int str_replace(char **string, const char *value)
{
	char *copy = NULL;

	if (value) {
		copy = strdup(value);
		if (!copy)
			return -ENOMEM;
	}
	free(*string);
	*string = copy;
	return 0;
}

void str_trim_end(char *string)
{
	size_t length = strlen(string);

	while (length > 0 && isspace((unsigned char)string[length - 1]))
		string[--length] = '\0';
}

int str_to_u64(const char *string, int base, uint64_t *ret)
{
	unsigned long long value;
	char *end;

	/* strtoull() takes signs and leading space, which no file or document of ours has. */
	if (!isxdigit((unsigned char)string[0]))
		return -EINVAL;
	errno = 0;
	value = strtoull(string, &end, base);
	if (errno)
		return -errno;
	if (end == string || *end != '\0')
		return -EINVAL;
	*ret = value;
	return 0;
}

bool str_is_uuid(const char *string)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	for (size_t i = 0; i < sizeof(form); i++) {
		/* Not isxdigit(), which may know more of them in another locale. */
		bool is_digit = string[i] && strchr("0123456789abcdefABCDEF", string[i]);

		if (form[i] == 'x' ? !is_digit : string[i] != form[i])
			return false;
	}
	return true;
}

static char *strbuf_room(struct strbuf *buf, size_t length)
{
	if (buf->error)
		return NULL;
	buf->error = array_reserve(&buf->text, &buf->allocated, buf->length + length + 1, 1);
	return buf->error ? NULL : buf->text + buf->length;
}

void strbuf_add(struct strbuf *buf, const char *text)
{
	size_t length = strlen(text);
	char *room = strbuf_room(buf, length);

	if (!room)
		return;
	memcpy(room, text, length + 1);
	buf->length += length;
}

void strbuf_printf(struct strbuf *buf, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = str_vprintf(format, args);
	va_end(args);
	if (!text) {
		buf->error = -ENOMEM;
		return;
	}
	strbuf_add(buf, text);
	free(text);
}

void strbuf_release(struct strbuf *buf)
{
	free(buf->text);
	*buf = (struct strbuf){ 0 };
}

int strbuf_take(struct strbuf *buf, char **ret)
{
	int error;

	strbuf_add(buf, "");
	error = buf->error;
	if (error) {
		strbuf_release(buf);
		return error;
	}
	*ret = buf->text;
	*buf = (struct strbuf){ 0 };
	return 0;
}

int strv_take(struct strv *list, char *string)
{
	if (!string || array_reserve(&list->items, &list->allocated, list->length + 1,
				     sizeof(list->items[0]))) {
		free(string);
		return -ENOMEM;
	}
	list->items[list->length++] = string;
	return 0;
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void strv_sort(struct strv *list)
{
	if (list->length)
		qsort(list->items, list->length, sizeof(list->items[0]), compare_strings);
}

void strv_release(struct strv *list)
{
	for (size_t i = 0; i < list->length; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct strv){ 0 };
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define _printf_(text, first) __attribute__((__format__(__printf__, text, first)))

static inline bool streq(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

/* A new string, or NULL when out of memory. */
char *str_printf(const char *format, ...) _printf_(1, 2);
char *str_vprintf(const char *format, va_list args) _printf_(1, 0);

/* Replaces *string by a copy of value (NULL clears it). 0 or -ENOMEM. */
int str_replace(char **string, const char *value);

/* Cuts white space at the end, in place. */
void str_trim_end(char *string);

/* A whole string as an unsigned number; base as for strtoull(). 0, -EINVAL or -ERANGE. */
int str_to_u64(const char *string, int base, uint64_t *ret);

/* As "7d0b6ac4-...": 36 characters, hexadecimal digits with '-' in four places. */
bool str_is_uuid(const char *string);

/* A growing text. The first failure sticks: only strbuf_take() has to be checked. */
struct strbuf {
	char *text;
	size_t length;
	size_t allocated;
	int error;
};

void strbuf_add(struct strbuf *buf, const char *text);
void strbuf_printf(struct strbuf *buf, const char *format, ...) _printf_(2, 3);
void strbuf_release(struct strbuf *buf);

/* Hands the text over; buf is empty afterwards. 0 or -ENOMEM. */
int strbuf_take(struct strbuf *buf, char **ret);

/* A list of strings. */
struct strv {
	char **items;
	size_t length;
	size_t allocated;
};

/* Adds string, which becomes the list's; it is released on failure. 0 or -ENOMEM. */
int strv_take(struct strv *list, char *string);
void strv_sort(struct strv *list);
void strv_release(struct strv *list);

#endif

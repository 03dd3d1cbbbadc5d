/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_JSON_TEXT_H
#define CORE_JSON_TEXT_H

#include <jansson.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/str.h"
#include "base/text.h"

DEFINE_CLEANUP(json_t *, json_decref)
#define _cleanup_json_ _cleanup_(json_decref_p)

/* Writes json, whose reference is taken over (NULL is -ENOMEM), as text. 0 or -ENOMEM. */
int json_to_text(json_t *json, size_t flags, struct mlx5lm_text **ret);

/* The same as a plain string, from malloc(). */
int json_to_str(const json_t *json, size_t flags, char **ret, size_t *ret_length);

/* One line with its end, from malloc(). The reference is taken over; NULL when out of memory. */
char *json_to_line(json_t *json);

/* Adds a string; a NULL value is left out. 0 or -1, as jansson. */
int json_set_str(json_t *object, const char *key, const char *value);

/*
 * A string that can be printed and read again, whatever text is: at most max_length bytes of
 * it, a space for each control character, '?' for each byte that is not UTF-8. NULL when out
 * of memory.
 */
json_t *json_clean_string(const char *text, size_t max_length);

/* Adds what json_clean_string() makes of it; a NULL value is left out. 0 or -1, as jansson. */
#define JSON_MAX_CLEAN 4096u
int json_set_clean_str(json_t *object, const char *key, const char *value);

/* Whether a string that is UTF-8 holds a control character (C0, DEL or C1). */
bool json_has_control(const char *text, size_t length);

/*
 * Where a text is nested deeper than max_depth, or length if it is nowhere: the parser is
 * recursive, and nobody knows the stack of the thread it runs on. The text need not be JSON.
 */
size_t json_find_too_deep(const char *text, size_t length, unsigned int max_depth);

/* A kind of document from outside. */
struct json_kind {
	const char *name; /* begins each message about one */
	unsigned int max_depth;
	const char *remedy;
};

/*
 * Reads a document in which no key stands twice. 0, -ENOMEM, or -EBADMSG with an error that
 * says where.
 */
int json_load(const struct json_kind *kind, const char *text, size_t length, json_t **ret,
	      struct mlx5lm_error **reterr);

/* Refuses a document for what stands at a place of it. -EBADMSG or -ENOMEM. */
int json_refuse(struct mlx5lm_error **reterr, const struct json_kind *kind, const char *place,
		const char *format, va_list args) _printf_(4, 0);

#endif

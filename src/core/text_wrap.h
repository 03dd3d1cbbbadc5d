/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_TEXT_WRAP_H
#define CORE_TEXT_WRAP_H

#include "base/str.h"

/* Text for people, in lines of at most 80 columns; characters of UTF-8 count as one. */

#define TEXT_COLUMNS 80

/* Columns of the first length bytes: all but those that continue a character of UTF-8. */
size_t text_columns(const char *text, size_t length);

/*
 * Adds length bytes, with '?' for each control character: a name or a command in a document from
 * elsewhere may hold what moves the cursor.
 */
void text_add(struct strbuf *buf, const char *text, size_t length);

/*
 * Adds text, broken at spaces, and a newline. The first line begins with first_indent, the others
 * with indent. A word that is longer than a line is not broken. 0 or -ENOMEM.
 */
int text_wrap(struct strbuf *buf, const char *first_indent, const char *indent, const char *text);

/*
 * Adds a remedy: what it says in words is wrapped, and each of the commands that it ends with
 * ("...: devlink ...; echo ...") or consists of is on a line of its own, which is never broken.
 * 0 or -ENOMEM.
 */
int text_wrap_remedy(struct strbuf *buf, const char *first_indent, const char *indent,
		     const char *remedy);

/* Where the command of a remedy begins; NULL if it has none. */
const char *remedy_command(const char *remedy);

#endif

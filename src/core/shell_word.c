// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/shell_word.h"

#include <ctype.h>

#include "base/str.h"

#define PLAIN                                                                                      \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ"                                                               \
	"abcdefghijklmnopqrstuvwxyz"                                                               \
	"0123456789_-.,:/@%+"

char *shell_word(const char *text)
{
	struct strbuf buf = { 0 };
	char *word = NULL;

	if (*text && !text[strspn(text, PLAIN)])
		return str_printf("%s", text);
	strbuf_add(&buf, "'");
	for (const char *c = text; *c; c++) {
		/* A quote cannot stand inside quotes: they end, it comes, they begin again. */
		if (*c == '\'')
			strbuf_add(&buf, "'\\''");
		else
			strbuf_printf(&buf, "%c", iscntrl((unsigned char)*c) ? '?' : *c);
	}
	strbuf_add(&buf, "'");
	return strbuf_take(&buf, &word) ? NULL : word;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The table that mstconfig and mlxconfig print. Widths and headings changed over the versions:
 *
 *	Device #1:
 *	----------
 *	Device:         0000:08:00.0
 *	Configurations:               Default         Current         Next Boot
 *	*        NUM_OF_VFS           0               8               16
 */
#include "core/nv_internal.h"

#include <errno.h>
#include <strings.h>

/* Of a row that is read: the marker, the name, three values and a few more. */
#define MAX_WORDS 16

struct table {
	struct nv_span device; /* empty if it was not told */
	struct nv_span header; /* text is NULL if there was none */
	struct nv_span rows;
};

static bool starts_with(const struct nv_span *line, const char *prefix)
{
	return line->length >= strlen(prefix) &&
	       strncasecmp(line->text, prefix, strlen(prefix)) == 0;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static void trim(struct nv_span *span)
{
	while (span->length && is_space(span->text[0])) {
		span->text++;
		span->length--;
	}
	while (span->length && is_space(span->text[span->length - 1]))
		span->length--;
}

/* Takes the next line off the text. */
static bool next_line(struct nv_span *text, struct nv_span *ret)
{
	const char *end;

	if (!text->length)
		return false;
	end = memchr(text->text, '\n', text->length);
	*ret = (struct nv_span){ text->text, end ? (size_t)(end - text->text) : text->length };
	text->text += ret->length + (end != NULL);
	text->length -= ret->length + (end != NULL);
	trim(ret);
	return true;
}

static size_t split(const struct nv_span *line, struct nv_span words[static MAX_WORDS])
{
	struct nv_span rest = *line;
	size_t length = 0;

	for (trim(&rest); rest.length && length < MAX_WORDS; trim(&rest)) {
		size_t end = 0;

		while (end < rest.length && !is_space(rest.text[end]))
			end++;
		words[length++] = (struct nv_span){ rest.text, end };
		rest.text += end;
		rest.length -= end;
	}
	return length;
}

static bool is_word(const struct nv_span *word, const char *text)
{
	return word->length == strlen(text) && memcmp(word->text, text, word->length) == 0;
}

/* What follows the colon. */
static void read_device(const struct nv_span *line, struct table *table)
{
	const char *colon = memchr(line->text, ':', line->length);

	table->device.text = colon + 1;
	table->device.length = line->length - (size_t)(colon + 1 - line->text);
	trim(&table->device);
}

/* Takes all of one device off the text. */
static bool next_table(struct nv_span *text, struct table *ret)
{
	struct nv_span before = *text, line;

	*ret = (struct table){ 0 };
	if (!text->length)
		return false;
	while (next_line(text, &line)) {
		if (starts_with(&line, "Device #") && ret->header.text) {
			ret->rows.length = (size_t)(before.text - ret->rows.text);
			*text = before;
			return true;
		}
		if (starts_with(&line, "Device #"))
			ret->device = (struct nv_span){ 0 };
		else if (starts_with(&line, "Device:") || starts_with(&line, "PCI device:"))
			read_device(&line, ret);
		else if (starts_with(&line, "Configurations:") && !ret->header.text) {
			ret->header = line;
			ret->rows = *text;
		}
		before = *text;
	}
	return true;
}

/* The table of the PF; false if there is none. */
static bool find_table(const struct nv_span *text, const char *bdf, struct table *ret)
{
	struct nv_span rest = *text;
	size_t num_tables = 0;
	struct table table;
	bool found = false;

	while (next_table(&rest, &table)) {
		enum nv_device device = nv_match_device(&table.device, bdf);

		if (!table.header.text)
			continue;
		num_tables++;
		if (device == NV_DEVICE_OTHER)
			continue;
		found = true;
		*ret = table;
		if (device == NV_DEVICE_OURS)
			return true;
	}
	return found && num_tables == 1;
}

struct columns {
	enum nv_column kinds[MAX_WORDS];
	size_t length;
};

static void read_columns(const struct nv_span *header, struct columns *ret)
{
	struct nv_span words[MAX_WORDS];
	size_t length = split(header, words);

	ret->length = 0;
	for (size_t i = 1; i < length; i++) {
		if (is_word(&words[i], "Default"))
			ret->kinds[ret->length++] = NV_DEFAULT;
		else if (is_word(&words[i], "Current"))
			ret->kinds[ret->length++] = NV_CURRENT;
		else if (is_word(&words[i], "Next"))
			ret->kinds[ret->length++] = NV_NEXT_BOOT;
		else if (!is_word(&words[i], "Boot"))
			ret->kinds[ret->length++] = NV_NUM_COLUMNS;
	}
}

/* The parameter that the line is about, or -1. */
static int read_row(const struct nv_span *line, const struct columns *columns, struct nv_row *ret)
{
	struct nv_span words[MAX_WORDS], *cells;
	size_t length = split(line, words), i = 0;
	int index;

	*ret = (struct nv_row){ 0 };
	/* "*": differs from the default or from now. "RO": read-only; both stand in one word. */
	if (length && is_word(&words[i], "*"))
		i++;
	if (i < length && (is_word(&words[i], "RO") || is_word(&words[i], "*RO"))) {
		ret->read_only = MLX5LM_ANSWER_YES;
		i++;
	}
	index = i < length ? nv_find(&words[i]) : -1;
	if (index < 0)
		return index;
	i++;
	/* A row that is not as the heading says has the parameter, but its values say nothing. */
	cells = &words[i];
	for (size_t j = 0; length - i == columns->length && j < columns->length; j++) {
		if (columns->kinds[j] != NV_NUM_COLUMNS)
			ret->values[columns->kinds[j]] = nv_parse_cell(&cells[j]);
	}
	return index;
}

int nv_parse_text(const char *text, size_t length, struct mlx5lm_pf *pf)
{
	struct nv_span all = { text, length }, line;
	struct columns columns;
	struct table table;
	int r = -ENODATA;

	if (!find_table(&all, pf->bdf, &table))
		return -ENODATA;
	read_columns(&table.header, &columns);
	while (next_line(&table.rows, &line)) {
		struct nv_row row;
		int index = read_row(&line, &columns, &row);

		if (index >= 0)
			r = nv_put(pf, index, &row);
		if (r == -ENOMEM)
			return r;
	}
	return r;
}

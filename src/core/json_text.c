// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/json_text.h"

#include <errno.h>

#include "base/array.h"

struct sink {
	char *text;
	size_t length, allocated;
};

static int add(const char *text, size_t length, void *data)
{
	struct sink *sink = data;

	if (array_reserve(&sink->text, &sink->allocated, sink->length + length + 1, 1))
		return -1;
	memcpy(sink->text + sink->length, text, length);
	sink->length += length;
	return 0;
}

int json_to_str(const json_t *json, size_t flags, char **ret, size_t *ret_length)
{
	struct sink sink = { 0 };

	/* Not json_dumps(): its memory comes from jansson's allocator, which a program may set. */
	if (json_dump_callback(json, add, &sink, flags) < 0 || !sink.text) {
		free(sink.text);
		return -ENOMEM;
	}
	sink.text[sink.length] = '\0';
	*ret = sink.text;
	*ret_length = sink.length;
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

char *json_to_line(json_t *json)
{
	_cleanup_json_ json_t *owned = json;
	char *line, *longer;
	size_t length;

	if (!owned || json_to_str(owned, JSON_COMPACT, &line, &length))
		return NULL;
	longer = realloc(line, length + 2);
	if (!longer) {
		free(line);
		return NULL;
	}
	strcpy(longer + length, "\n");
	return longer;
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
		/* One comparison for nearly all that texts consist of. */
		bool is_plain = (unsigned char)(text[i] - ' ') < 0x7f - ' ';

		if (!is_plain && is_control((const unsigned char *)text + i))
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

int json_set_clean_str(json_t *object, const char *key, const char *value)
{
	return value ? json_object_set_new(object, key, json_clean_string(value, JSON_MAX_CLEAN)) :
		       0;
}

/* Behind the string that begins at text with its quotation mark, or end. */
static const char *skip_string(const char *text, const char *end)
{
	const char *first = text + 1, *quote = memchr(first, '"', (size_t)(end - first));

	if (!quote || !memchr(first, '\\', (size_t)(quote - first)))
		return quote ? quote + 1 : end;
	for (text = first; text < end && *text != '"'; text++)
		text += *text == '\\' && text + 1 < end;
	return text < end ? text + 1 : end;
}

size_t json_find_too_deep(const char *text, size_t length, unsigned int max_depth)
{
	const char *at = text, *end = text + length;
	unsigned int depth = 0;

	while (at < end) {
		switch (*at) {
		case '"':
			at = skip_string(at, end);
			continue;
		case '[':
		case '{':
			if (++depth > max_depth)
				return (size_t)(at - text);
			break;
		case ']':
		case '}':
			depth -= depth > 0;
			break;
		default:
			break;
		}
		at++;
	}
	return length;
}

int json_refuse(struct mlx5lm_error **reterr, const struct json_kind *kind, const char *place,
		const char *format, va_list args)
{
	_cleanup_free_ char *why = str_vprintf(format, args);

	if (!why)
		return error_no_memory(reterr);
	error_set(reterr, MLX5LM_ERROR_INVALID_DOCUMENT, EBADMSG, MLX5LM_SOURCE_LIBRARY, "%s: %s %s",
		  kind->name, place, why);
	error_add_remedy(reterr, "%s", kind->remedy);
	return -EBADMSG;
}

int json_load(const struct json_kind *kind, const char *text, size_t length, json_t **ret,
	      struct mlx5lm_error **reterr)
{
	size_t too_deep = json_find_too_deep(text, length, kind->max_depth);
	_cleanup_json_ json_t *said = NULL;
	json_error_t problem;

	if (too_deep < length) {
		error_set(reterr, MLX5LM_ERROR_INVALID_DOCUMENT, EBADMSG, MLX5LM_SOURCE_LIBRARY,
			  "%s: nested deeper than %u at byte %zu", kind->name, kind->max_depth,
			  too_deep);
		error_add_remedy(reterr, "%s", kind->remedy);
		return -EBADMSG;
	}
	*ret = json_loadb(text, length, JSON_REJECT_DUPLICATES, &problem);
	if (*ret)
		return 0;
	if (json_error_code(&problem) == json_error_out_of_memory)
		return error_no_memory(reterr);
	error_set(reterr, MLX5LM_ERROR_INVALID_DOCUMENT, EBADMSG, MLX5LM_SOURCE_LIBRARY,
		  "%s: no valid JSON at line %d, column %d (byte %d)", kind->name, problem.line,
		  problem.column, problem.position);
	/* It may quote the document. */
	said = json_clean_string(problem.text, sizeof(problem.text));
	error_add_detail(reterr, "%s", said ? json_string_value(said) : "");
	error_add_remedy(reterr, "%s", kind->remedy);
	return -EBADMSG;
}

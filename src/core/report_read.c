// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/report_json.h"

#include <errno.h>
#include <inttypes.h>

#include "base/error.h"
#include "core/bdf.h"
#include "core/json_text.h"
#include "core/report_rules.h"

static const struct json_kind snapshot = {
	.name = "host snapshot",
	.max_depth = REPORT_MAX_DEPTH,
	.remedy = "make the snapshot anew, and see that all of it arrives: mlx5lm-probe --json",
};

static const struct place document = { 0 };

/* The JSON pointer of a place (RFC 6901); no name of ours has a character to escape. */
static void add_pointer(struct strbuf *pointer, const struct place *place)
{
	if (!place->outer)
		return;
	add_pointer(pointer, place->outer);
	if (place->name)
		strbuf_printf(pointer, "/%s", place->name);
	else
		strbuf_printf(pointer, "/%zu", place->index);
}

int report_refuse(struct mlx5lm_error **reterr, const struct place *place, const char *name,
		  const char *format, ...)
{
	const struct place value = { .outer = place, .name = name };
	_cleanup_free_ char *pointer = NULL;
	struct strbuf buf = { 0 };
	va_list args;
	int r;

	add_pointer(&buf, name ? &value : place);
	if (strbuf_take(&buf, &pointer))
		return error_no_memory(reterr);
	va_start(args, format);
	r = json_refuse(reterr, &snapshot, pointer[0] ? pointer : "the document", format, args);
	va_end(args);
	return r;
}

static int read_u64(struct mlx5lm_error **reterr, const struct place *place, const char *name,
		    const json_t *value, struct fact_u64 *ret)
{
	if (!json_is_integer(value))
		return report_refuse(reterr, place, name, "is not a whole number");
	if (json_integer_value(value) < 0)
		return report_refuse(reterr, place, name, "is less than 0");
	*ret = fact_u64((uint64_t)json_integer_value(value));
	return 0;
}

static int check_string(struct mlx5lm_error **reterr, const struct place *place, const char *name,
			const json_t *value)
{
	if (!json_is_string(value))
		return report_refuse(reterr, place, name, "is not a string");
	if (json_string_length(value) > REPORT_MAX_STRING)
		return report_refuse(reterr, place, name, "is too long: %zu bytes, not up to %u",
				     json_string_length(value), REPORT_MAX_STRING);
	if (json_has_control(json_string_value(value), json_string_length(value)))
		return report_refuse(reterr, place, name, "holds a control character");
	return 0;
}

static int read_str(struct mlx5lm_error **reterr, const struct place *place, const char *name,
		    const json_t *value, char **ret)
{
	int r;

	r = check_string(reterr, place, name, value);
	if (r < 0)
		return r;
	free(*ret);
	*ret = strndup(json_string_value(value), json_string_length(value));
	return *ret ? 0 : error_no_memory(reterr);
}

/* *ret_new: a word that only a newer library knows, and no answer here. */
static int read_enum(struct mlx5lm_error **reterr, const struct place *place,
		     const struct fact_field *field, const json_t *value, uint32_t *ret,
		     bool *ret_new)
{
	const char *word = json_string_value(value);

	if (!word)
		return report_refuse(reterr, place, field->name, "is not a string");
	*ret = name_value(field->names, word);
	*ret_new = !*ret && !streq(word, name_of(field->names, 0));
	return 0;
}

/* *ret_keep: what the fact cannot hold, and has to be written again as it is. */
static int read_fact(struct mlx5lm_error **reterr, const struct place *place,
		     const struct fact_field *field, const json_t *value, void *fact,
		     bool *ret_keep)
{
	if (json_is_null(value))
		return 0;
	if (field->type == FACT_U64)
		return read_u64(reterr, place, field->name, value, fact);
	if (field->type == FACT_ENUM)
		return read_enum(reterr, place, field, value, fact, ret_keep);
	return read_str(reterr, place, field->name, value, fact);
}

/* As a rule the keys stand in the order of the table: *next is where to look first. */
static const struct fact_field *find_field(const struct fact_table *table, const char *name,
					   size_t *next)
{
	size_t at = *next;

	for (size_t i = 0; i < table->length; i++, at++) {
		const struct fact_field *field;

		at = at < table->length ? at : 0;
		field = &table->fields[at];

		/* The first letter tells most of them apart without a call. */
		if (!field->name || field->name[0] != name[0] || !streq(field->name, name))
			continue;
		*next = at + 1;
		return field;
	}
	return NULL;
}

static const struct report_list *find_list(const struct report_object *rule, const char *name)
{
	for (size_t i = 0; i < rule->num_lists; i++) {
		if (streq(rule->lists[i].list->name, name))
			return &rule->lists[i];
	}
	return NULL;
}

/* Notes a key that is not known here, for keep_rest(). */
static int add_rest(struct mlx5lm_error **reterr, json_t **rest, const char *key, json_t *value)
{
	if (!*rest)
		*rest = json_object();
	return json_object_set_nocheck(*rest, key, value) ? error_no_memory(reterr) : 0;
}

static int keep_rest(struct mlx5lm_error **reterr, const struct place *place, const json_t *rest,
		     char **ret)
{
	size_t length;

	if (json_to_str(rest, JSON_COMPACT, ret, &length))
		return error_no_memory(reterr);
	if (length > REPORT_MAX_EXTRA)
		return report_refuse(reterr, place, NULL,
				     "has more keys that are not known here than can be kept: "
				     "%zu bytes, not up to %u",
				     length, REPORT_MAX_EXTRA);
	return 0;
}

static int read_object(struct mlx5lm_error **reterr, const struct place *place,
		       const struct report_object *rule, json_t *json, void *object);

static int read_list(struct mlx5lm_error **reterr, const struct place *outer,
		     const struct report_list *rule, const json_t *json, void *owner)
{
	const struct place place = { .outer = outer, .name = rule->list->name };
	int r = 0;

	if (!json_is_array(json))
		return report_refuse(reterr, &place, NULL, "is not a list");
	if (json_array_size(json) > rule->max_length)
		return report_refuse(reterr, &place, NULL,
				     "has too many entries: %zu, not up to %zu",
				     json_array_size(json), rule->max_length);
	if (fact_list_reserve(rule->list, owner, json_array_size(json)))
		return error_no_memory(reterr);
	for (size_t i = 0; r == 0 && i < json_array_size(json); i++) {
		const struct place item_place = { .outer = &place, .index = i };
		void *item = fact_list_add(rule->list, owner);

		if (!item)
			return error_no_memory(reterr);
		r = read_object(reterr, &item_place, rule->item, json_array_get(json, i), item);
	}
	return r;
}

/* Calls itself as deep as the rules are nested, whatever the document is like. */
static int read_object(struct mlx5lm_error **reterr, const struct place *place,
		       const struct report_object *rule, json_t *json, void *object)
{
	_cleanup_json_ json_t *rest = NULL;
	const char *key;
	size_t next = 0;
	json_t *value;

	if (!json_is_object(json))
		return report_refuse(reterr, place, NULL, "is not an object");
	json_object_foreach(json, key, value) {
		const struct fact_field *field = find_field(rule->table, key, &next);
		const struct report_list *list = field ? NULL : find_list(rule, key);
		bool keep = !field && !list;
		int r = 0;

		if (field)
			r = read_fact(reterr, place, field, value, fact_at(field, object), &keep);
		else if (list)
			r = read_list(reterr, place, list, value, object);
		if (r == 0 && keep)
			r = add_rest(reterr, &rest, key, value);
		if (r < 0)
			return r;
	}
	return rest ? keep_rest(reterr, place, rest, report_extra(rule, object)) : 0;
}

/* A word of the document that can stand in a message. */
static bool is_short_word(const char *text)
{
	size_t length = strlen(text);

	return length <= 40 && !json_has_control(text, length);
}

/* Takes the keys out that say what kind of document it is. */
static int read_schema(struct mlx5lm_error **reterr, json_t *json)
{
	const char *schema = json_string_value(json_object_get(json, "schema"));
	const json_t *version = json_object_get(json, "schema_version");

	if (!json_is_object(json))
		return report_refuse(reterr, &document, NULL, "is not an object");
	if (!schema)
		return report_refuse(reterr, &document, "schema", "is not \"" REPORT_SCHEMA "\"");
	if (!streq(schema, REPORT_SCHEMA)) {
		error_set(reterr, MLX5LM_ERROR_INVALID_DOCUMENT, EBADMSG, MLX5LM_SOURCE_LIBRARY,
			  "host snapshot: /schema is \"%s\", not \"" REPORT_SCHEMA "\"",
			  is_short_word(schema) ? schema : "?");
		error_add_remedy(reterr, "this is another document; a host snapshot is what "
					 "mlx5lm-probe --json prints");
		return -EBADMSG;
	}
	if (!json_is_integer(version) || json_integer_value(version) < 1)
		return report_refuse(reterr, &document, "schema_version", "is not a number from 1");
	if (json_integer_value(version) > REPORT_SCHEMA_VERSION) {
		error_set(reterr, MLX5LM_ERROR_INVALID_DOCUMENT, EBADMSG, MLX5LM_SOURCE_LIBRARY,
			  "host snapshot: /schema_version is %" JSON_INTEGER_FORMAT
			  ", this library reads up to %d",
			  json_integer_value(version), REPORT_SCHEMA_VERSION);
		error_add_remedy(reterr, "update libmlx5lm on this host: the snapshot is of a "
					 "newer one");
		return -EBADMSG;
	}
	json_object_del(json, "schema");
	json_object_del(json, "schema_version");
	return 0;
}

int report_from_json(json_t *json, struct mlx5lm_host **ret, struct mlx5lm_error **reterr)
{
	_cleanup_host_ struct mlx5lm_host *host = NULL;
	int r;

	r = read_schema(reterr, json);
	if (r < 0)
		return r;
	if (host_new(&host))
		return error_no_memory(reterr);
	r = read_object(reterr, &document, &report_host, json, host);
	if (r == 0)
		r = report_complete(host, reterr);
	if (r < 0)
		return r;
	*ret = TAKE(host);
	return 0;
}

int report_read(const char *json, size_t length, size_t limit_bytes, struct mlx5lm_host **ret,
		struct mlx5lm_error **reterr)
{
	_cleanup_json_ json_t *root = NULL;
	int r;

	if (length > limit_bytes) {
		error_set(reterr, MLX5LM_ERROR_INVALID_DOCUMENT, EFBIG, MLX5LM_SOURCE_LIBRARY,
			  "host snapshot: %zu bytes are more than the limit of %zu", length,
			  limit_bytes);
		error_add_remedy(reterr, "if it is of a host with many VFs, raise the limit: "
					 "mlx5lm_host_parse_with_limit()");
		return -EFBIG;
	}
	r = json_load(&snapshot, json, length, &root, reterr);
	return r < 0 ? r : report_from_json(root, ret, reterr);
}

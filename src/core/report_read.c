// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/report_json.h"

#include <errno.h>
#include <inttypes.h>

#include "base/error.h"
#include "core/bdf.h"
#include "core/json_text.h"
#include "core/report_rules.h"

#define REMEDY "make the snapshot anew, and see that all of it arrives: mlx5lm-probe --json"

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
	_cleanup_free_ char *pointer = NULL, *why = NULL;
	struct strbuf buf = { 0 };
	va_list args;

	add_pointer(&buf, name ? &value : place);
	va_start(args, format);
	why = str_vprintf(format, args);
	va_end(args);
	if (strbuf_take(&buf, &pointer) || !why)
		return error_no_memory(reterr);
	error_set(reterr, MLX5LM_ERROR_INVALID_DOCUMENT, EBADMSG, MLX5LM_SOURCE_LIBRARY,
		  "host snapshot: %s %s", pointer && pointer[0] ? pointer : "the document", why);
	error_add_remedy(reterr, REMEDY);
	return -EBADMSG;
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

/* A word that only a newer library knows: kept as it is, and no answer here. */
static bool is_new_word(const struct fact_field *field, const json_t *value)
{
	return field->type == FACT_ENUM && json_is_string(value) &&
	       !name_value(field->names, json_string_value(value)) &&
	       !streq(json_string_value(value), name_of(field->names, 0));
}

static int read_fact(struct mlx5lm_error **reterr, const struct place *place,
		     const struct fact_field *field, const json_t *value, void *fact)
{
	int r;

	if (json_is_null(value))
		return 0;
	if (field->type == FACT_U64)
		return read_u64(reterr, place, field->name, value, fact);
	r = check_string(reterr, place, field->name, value);
	if (r < 0)
		return r;
	if (field->type == FACT_ENUM)
		*(uint32_t *)fact = name_value(field->names, json_string_value(value));
	else if (str_replace(fact, json_string_value(value)))
		return error_no_memory(reterr);
	return 0;
}

/* Reads the facts of an object; *num_read counts the keys that need not be kept. */
static int read_facts(struct mlx5lm_error **reterr, const struct place *place,
		      const struct fact_table *table, const json_t *json, void *object,
		      size_t *num_read)
{
	for (size_t i = 0; i < table->length; i++) {
		const struct fact_field *field = &table->fields[i];
		const json_t *value = field->name ? json_object_get(json, field->name) : NULL;
		int r;

		if (!value || is_new_word(field, value))
			continue;
		r = read_fact(reterr, place, field, value, fact_at(field, object));
		if (r < 0)
			return r;
		(*num_read)++;
	}
	return 0;
}

/* Keeps what read_facts() and read_lists() have left of an object. */
static int keep_rest(struct mlx5lm_error **reterr, const struct place *place,
		     const struct report_object *rule, json_t *json, void *object)
{
	_cleanup_json_ json_t *rest = json_copy(json);
	size_t length;

	for (size_t i = 0; i < rule->table->length; i++) {
		const struct fact_field *field = &rule->table->fields[i];
		const json_t *value = field->name ? json_object_get(json, field->name) : NULL;

		if (value && !is_new_word(field, value))
			json_object_del(rest, field->name);
	}
	for (size_t i = 0; i < rule->num_lists; i++)
		json_object_del(rest, rule->lists[i].list->name);
	if (json_to_str(rest, JSON_COMPACT, report_extra(rule, object), &length))
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
	size_t num_read = 0;
	int r;

	if (!json_is_object(json))
		return report_refuse(reterr, place, NULL, "is not an object");
	r = read_facts(reterr, place, rule->table, json, object, &num_read);
	if (r < 0)
		return r;
	for (size_t i = 0; i < rule->num_lists; i++) {
		const json_t *list = json_object_get(json, rule->lists[i].list->name);

		if (!list)
			continue;
		r = read_list(reterr, place, &rule->lists[i], list, object);
		if (r < 0)
			return r;
		num_read++;
	}
	return num_read < json_object_size(json) ? keep_rest(reterr, place, rule, json, object) : 0;
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

static int parse(const char *text, size_t length, json_t **ret, struct mlx5lm_error **reterr)
{
	size_t too_deep = json_find_too_deep(text, length, REPORT_MAX_DEPTH);
	_cleanup_json_ json_t *said = NULL;
	json_error_t problem;

	if (too_deep < length) {
		error_set(reterr, MLX5LM_ERROR_INVALID_DOCUMENT, EBADMSG, MLX5LM_SOURCE_LIBRARY,
			  "host snapshot: nested deeper than %u at byte %zu", REPORT_MAX_DEPTH,
			  too_deep);
		error_add_remedy(reterr, REMEDY);
		return -EBADMSG;
	}
	*ret = json_loadb(text, length, JSON_REJECT_DUPLICATES, &problem);
	if (*ret)
		return 0;
	if (json_error_code(&problem) == json_error_out_of_memory)
		return error_no_memory(reterr);
	error_set(reterr, MLX5LM_ERROR_INVALID_DOCUMENT, EBADMSG, MLX5LM_SOURCE_LIBRARY,
		  "host snapshot: no valid JSON at byte %d (line %d, column %d)", problem.position,
		  problem.line, problem.column);
	/* It may quote the document. */
	said = json_clean_string(problem.text, sizeof(problem.text));
	error_add_detail(reterr, "%s", said ? json_string_value(said) : "");
	error_add_remedy(reterr, REMEDY);
	return -EBADMSG;
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
	r = parse(json, length, &root, reterr);
	return r < 0 ? r : report_from_json(root, ret, reterr);
}

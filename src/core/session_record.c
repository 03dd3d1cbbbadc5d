// SPDX-License-Identifier: LGPL-2.1-or-later
/* The format is described in doc/journal.md. */
#include "core/session_record.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include "base/array.h"
#include "core/bdf.h"
#include "core/json_text.h"
#include "core/session_names.h"

#define SCHEMA "mlx5lm.session-journal"
#define SCHEMA_VERSION 1

#define MAX_PAIRS 4096u
#define MAX_TEXT 65536u
#define MAX_REMEDY 512u

/* Room to add two of them, and to turn the sum into nanoseconds. */
#define MAX_TIME_MS (INT64_MAX / 2000000)

static const struct json_kind session_journal = {
	.name = "session journal",
	.max_depth = 8,
	.remedy = "the journal is damaged: look on both hosts where the domain runs (virsh list), "
		  "then remove the file",
};

enum type {
	TYPE_TEXT,
	TYPE_UUID,
	TYPE_BOOL,
	TYPE_NUMBER,
	TYPE_FACT, /* a number that need not be there */
	TYPE_WORD,
};

/* A member of the record, and where the document has it. */
struct field {
	const char *section; /* the object that it is in; NULL: the outermost */
	const char *key;
	enum type type;
	size_t offset;
	uint64_t min, max; /* of a number, and of the value that a word stands for */
	const struct name_list *names;
	bool optional; /* a text: may be missing */
};

#define AT(member) offsetof(struct session_record, member)
#define RANGE(least, most) .min = (least), .max = (most)
#define MEMBER(kind, name, ...)                                                                    \
	{                                                                                          \
		.key = #name, .type = TYPE_##kind, .offset = AT(name), __VA_ARGS__                 \
	}
#define MEMBER_OF(part, kind, name, ...)                                                           \
	{                                                                                          \
		.section = #part, .key = #name, .type = TYPE_##kind, .offset = AT(part.name),      \
		__VA_ARGS__                                                                        \
	}

/* Numbers have the bounds of their options, so that nothing later has to check them again. */
static const struct field fields[] = {
	MEMBER(TEXT, domain),
	MEMBER(UUID, uuid),
	MEMBER(TEXT, source_uri),
	MEMBER(TEXT, destination_uri),
	MEMBER(UUID, boot_id, .optional = true),
	MEMBER(NUMBER, pid, RANGE(1, INT32_MAX)),
	MEMBER(NUMBER, began_ms, RANGE(0, MAX_TIME_MS)),
	MEMBER(WORD, control, RANGE(MLX5LM_CONTROL_P2P, MLX5LM_CONTROL_DIRECT),
	       .names = &control_names),
	MEMBER(BOOL, persistent),
	MEMBER(BOOL, prepared),
	MEMBER(FACT, old_downtime_limit_ms, RANGE(0, MAX_TIME_MS)),
	MEMBER(NUMBER, interval_ms, RANGE(50, 60000)),
	MEMBER(NUMBER, answer_deadline_ms, RANGE(1000, 3600000)),
	MEMBER(NUMBER, connect_deadline_ms, RANGE(1, MAX_TIME_MS)),
	MEMBER_OF(policy, NUMBER, downtime_limit_ms, RANGE(0, DOWNTIME_LIMIT_MAX_MS)),
	MEMBER_OF(policy, NUMBER, downtime_ceiling_ms, RANGE(0, DOWNTIME_LIMIT_MAX_MS)),
	MEMBER_OF(policy, NUMBER, downtime_steps, RANGE(1, 100)),
	MEMBER_OF(policy, NUMBER, stall_iterations, RANGE(1, 1000)),
	MEMBER_OF(policy, WORD, stall_action, RANGE(MLX5LM_ACTION_CONTINUE, MLX5LM_ACTION_ABORT),
		  .names = &action_names),
	MEMBER_OF(policy, WORD, deadline_action,
		  RANGE(MLX5LM_ACTION_FORCE_SWITCHOVER, MLX5LM_ACTION_ABORT),
		  .names = &action_names),
	MEMBER_OF(policy, NUMBER, stall_deadline_ms, RANGE(0, MAX_TIME_MS)),
	MEMBER_OF(policy, NUMBER, setup_deadline_ms, RANGE(0, MAX_TIME_MS)),
	MEMBER_OF(policy, NUMBER, total_deadline_ms, RANGE(0, MAX_TIME_MS)),
	MEMBER_OF(forecast, NUMBER, downtime_ms, RANGE(0, MAX_TIME_MS)),
	MEMBER_OF(forecast, NUMBER, least_limit_ms, RANGE(0, MAX_TIME_MS)),
	MEMBER_OF(forecast, NUMBER, state_bytes, RANGE(0, INT64_MAX)),
	MEMBER_OF(forecast, BOOL, is_assumed),
};

/* The value of a word is read and written as this. */
_Static_assert(sizeof(enum mlx5lm_control) == sizeof(uint32_t), "an enum has 32 bits");
_Static_assert(sizeof(enum mlx5lm_action) == sizeof(uint32_t), "an enum has 32 bits");

static const char *const sections[] = { "policy", "forecast" };

/* The BDFs of a pair. */
static const struct {
	const char *key;
	size_t offset;
} addresses[] = {
	{ "source", offsetof(struct mlx5lm_pair, source) },
	{ "destination", offsetof(struct mlx5lm_pair, destination) },
	{ "source_pf", offsetof(struct mlx5lm_pair, source_pf) },
	{ "destination_pf", offsetof(struct mlx5lm_pair, destination_pf) },
};

static json_t *number_to_json(uint64_t value, uint64_t max)
{
	return json_integer((json_int_t)(value < max ? value : max));
}

/* 0 or -1, as jansson. */
static int put_field(json_t *root, const struct session_record *record, const struct field *field)
{
	json_t *object = field->section ? json_object_get(root, field->section) : root;
	const void *at = (const char *)record + field->offset;
	const struct fact_u64 *fact = at;
	const char *text;

	switch (field->type) {
	case TYPE_TEXT:
	case TYPE_UUID:
		text = *(char *const *)at;
		/* A boot id is as a snapshot has it, and that may be any text. */
		if (!text || (field->type == TYPE_UUID && field->optional && !str_is_uuid(text)))
			return 0;
		return json_object_set_new(object, field->key, json_clean_string(text, MAX_TEXT));
	case TYPE_BOOL:
		return json_object_set_new(object, field->key, json_boolean(*(const bool *)at));
	case TYPE_NUMBER:
		return json_object_set_new(object, field->key,
					   number_to_json(*(const uint64_t *)at, field->max));
	case TYPE_FACT:
		return fact->known ? json_object_set_new(object, field->key,
							 number_to_json(fact->value, field->max))
				   : 0;
	case TYPE_WORD:
		return json_set_str(object, field->key,
				    name_of(field->names, *(const uint32_t *)at));
	}
	return -1;
}

static json_t *pair_to_json(const struct mlx5lm_pair *pair)
{
	_cleanup_json_ json_t *json = json_object();

	for (size_t i = 0; json && i < ARRAY_LENGTH(addresses); i++) {
		if (json_set_str(json, addresses[i].key, (const char *)pair + addresses[i].offset))
			return NULL;
	}
	if (!json || json_object_set_new(json, "ready", json_boolean(pair->ready)))
		return NULL;
	if (!pair->ready &&
	    json_object_set_new(json, "remedy",
				json_clean_string(pair->remedy ? pair->remedy : "?", MAX_REMEDY)))
		return NULL;
	return TAKE(json);
}

char *session_record_text(const struct session_record *record)
{
	_cleanup_json_ json_t *json =
		json_pack("{s:s, s:i}", "schema", SCHEMA, "schema_version", SCHEMA_VERSION);
	_cleanup_json_ json_t *pairs = json_array();

	for (size_t i = 0; json && i < ARRAY_LENGTH(sections); i++) {
		if (json_object_set_new(json, sections[i], json_object()))
			return NULL;
	}
	for (size_t i = 0; json && i < ARRAY_LENGTH(fields); i++) {
		if (put_field(json, record, &fields[i]))
			return NULL;
	}
	for (size_t i = 0; pairs && i < record->num_pairs; i++) {
		if (json_array_append_new(pairs, pair_to_json(&record->pairs[i])))
			return NULL;
	}
	if (!json || json_object_set(json, "pairs", pairs))
		return NULL;
	return json_to_line(TAKE(json));
}

/* A value of the document that is being read. */
struct item {
	struct mlx5lm_error **reterr;
	const char *where; /* the object: a JSON pointer (RFC 6901) */
	const char *key;
	const json_t *value;
};

static int refuse(const struct item *item, const char *format, ...) _printf_(2, 3);

static int refuse(const struct item *item, const char *format, ...)
{
	_cleanup_free_ char *place = str_printf("%s/%s", item->where, item->key);
	va_list args;
	int r;

	if (!place)
		return error_no_memory(item->reterr);
	va_start(args, format);
	r = json_refuse(item->reterr, &session_journal, place, format, args);
	va_end(args);
	return r;
}

static int read_text(const struct item *item, size_t max_length, char **ret)
{
	const char *text = json_string_value(item->value);
	size_t length = json_string_length(item->value);

	if (!text)
		return refuse(item, item->value ? "is not a text" : "is missing");
	if (!length || length > max_length || json_has_control(text, length))
		return refuse(item, "is not a text of 1 to %zu bytes without control characters",
			      max_length);
	return str_replace(ret, text) < 0 ? error_no_memory(item->reterr) : 0;
}

static int read_uuid(const struct item *item, char **ret)
{
	const char *text = json_string_value(item->value);

	if (!text || !str_is_uuid(text))
		return refuse(item, item->value ? "is not a UUID" : "is missing");
	return str_replace(ret, text) < 0 ? error_no_memory(item->reterr) : 0;
}

static int read_number(const struct item *item, uint64_t min, uint64_t max, uint64_t *ret)
{
	json_int_t value = json_integer_value(item->value);

	if (!json_is_integer(item->value))
		return refuse(item, item->value ? "is not a whole number" : "is missing");
	if (value < 0 || (uint64_t)value < min || (uint64_t)value > max)
		return refuse(item, "is %" JSON_INTEGER_FORMAT ", not %" PRIu64 " to %" PRIu64,
			      value, min, max);
	*ret = (uint64_t)value;
	return 0;
}

static int read_bool(const struct item *item, bool *ret)
{
	if (!json_is_boolean(item->value))
		return refuse(item, item->value ? "is not true or false" : "is missing");
	*ret = json_is_true(item->value);
	return 0;
}

static int read_word(const struct item *item, const struct field *field, uint32_t *ret)
{
	uint32_t value = name_value(field->names, json_string_value(item->value));

	if (!item->value)
		return refuse(item, "is missing");
	if (value < field->min || value > field->max)
		return refuse(item, "is not a word that this library knows there");
	*ret = value;
	return 0;
}

static int read_field(const struct item *root, const struct field *field,
		      struct session_record *record)
{
	const json_t *object =
		field->section ? json_object_get(root->value, field->section) : root->value;
	char where[32];
	const struct item item = { root->reterr, where, field->key,
				   json_object_get(object, field->key) };
	void *at = (char *)record + field->offset;
	struct fact_u64 *fact = at;

	snprintf(where, sizeof(where), "%s%s", field->section ? "/" : "",
		 field->section ? field->section : "");
	if (!item.value && (field->optional || field->type == TYPE_FACT))
		return 0;
	switch (field->type) {
	case TYPE_TEXT:
		return read_text(&item, MAX_TEXT, at);
	case TYPE_UUID:
		return read_uuid(&item, at);
	case TYPE_BOOL:
		return read_bool(&item, at);
	case TYPE_NUMBER:
		return read_number(&item, field->min, field->max, at);
	case TYPE_FACT:
		fact->known = true;
		return read_number(&item, field->min, field->max, &fact->value);
	case TYPE_WORD:
		return read_word(&item, field, at);
	}
	return refuse(&item, "is of no type");
}

static int read_address(const struct item *item, char ret[static BDF_TEXT_SIZE])
{
	const char *text = json_string_value(item->value);
	struct bdf bdf;

	if (!text || bdf_parse(text, &bdf) < 0)
		return refuse(item, item->value ? "is not a PCI address" : "is missing");
	bdf_format(&bdf, ret);
	return 0;
}

static int read_pair(const struct item *list, size_t index, struct mlx5lm_pair *pair)
{
	const json_t *object = json_array_get(list->value, index);
	char where[32];
	struct item item = { list->reterr, where, NULL, NULL };
	int r = 0;

	snprintf(where, sizeof(where), "/pairs/%zu", index);
	for (size_t i = 0; r == 0 && i < ARRAY_LENGTH(addresses); i++) {
		item.key = addresses[i].key;
		item.value = json_object_get(object, item.key);
		r = read_address(&item, (char *)pair + addresses[i].offset);
	}
	if (r < 0)
		return r;
	item.key = "ready";
	item.value = json_object_get(object, item.key);
	r = read_bool(&item, &pair->ready);
	if (r < 0 || pair->ready)
		return r;
	item.key = "remedy";
	item.value = json_object_get(object, item.key);
	return read_text(&item, MAX_REMEDY, &pair->remedy);
}

static int compare_sources(const void *a, const void *b)
{
	const struct mlx5lm_pair *const *first = a, *const *second = b;

	return strcmp((*first)->source, (*second)->source);
}

static int compare_destinations(const void *a, const void *b)
{
	const struct mlx5lm_pair *const *first = a, *const *second = b;

	return strcmp((*first)->destination, (*second)->destination);
}

/* Each VF moves once, and each takes over once. */
static int check_unique(const struct item *list, const struct session_record *record)
{
	size_t length = record->num_pairs;
	_cleanup_free_ const struct mlx5lm_pair **sorted = calloc(length + 1, sizeof(*sorted));

	if (!sorted)
		return error_no_memory(list->reterr);
	for (size_t i = 0; i < length; i++)
		sorted[i] = &record->pairs[i];
	qsort(sorted, length, sizeof(*sorted), compare_sources);
	for (size_t i = 1; i < length; i++) {
		if (streq(sorted[i - 1]->source, sorted[i]->source))
			return refuse(list, "has the source %s twice", sorted[i]->source);
	}
	qsort(sorted, length, sizeof(*sorted), compare_destinations);
	for (size_t i = 1; i < length; i++) {
		if (streq(sorted[i - 1]->destination, sorted[i]->destination))
			return refuse(list, "has the destination %s twice", sorted[i]->destination);
	}
	return 0;
}

static int read_pairs(const struct item *root, struct session_record *record)
{
	const struct item list = { root->reterr, "", "pairs",
				   json_object_get(root->value, "pairs") };
	size_t length = json_array_size(list.value);
	int r = 0;

	if (!json_is_array(list.value))
		return refuse(&list, list.value ? "is not a list" : "is missing");
	if (length > MAX_PAIRS)
		return refuse(&list, "has more than %u entries", MAX_PAIRS);
	if (length && array_reserve(&record->pairs, &record->allocated_pairs, length,
				    sizeof(*record->pairs)) < 0)
		return error_no_memory(root->reterr);
	for (size_t i = 0; r == 0 && i < length; i++) {
		record->pairs[i] = (struct mlx5lm_pair){ 0 };
		record->num_pairs++;
		r = read_pair(&list, i, &record->pairs[i]);
	}
	return r < 0 ? r : check_unique(&list, record);
}

static int check_schema(const struct item *root)
{
	const struct item schema = { root->reterr, "", "schema",
				     json_object_get(root->value, "schema") };
	const struct item version = { root->reterr, "", "schema_version",
				      json_object_get(root->value, "schema_version") };
	int r;

	if (!streq(json_string_value(schema.value), SCHEMA))
		return refuse(&schema, "is not \"" SCHEMA "\"");
	if (json_is_integer(version.value) && json_integer_value(version.value) == SCHEMA_VERSION)
		return 0;
	r = refuse(&version, "is not the one that this library reads: %d", SCHEMA_VERSION);
	if (json_is_integer(version.value))
		error_add_remedy(root->reterr,
				 "attach with the version of libmlx5lm that wrote it");
	return r;
}

int session_record_parse(const char *text, size_t length, struct session_record *ret,
			 struct mlx5lm_error **reterr)
{
	_cleanup_session_record_ struct session_record record = { 0 };
	_cleanup_json_ json_t *json = NULL;
	struct item root = { reterr, "", "", NULL };
	int r;

	if (!length)
		return refuse(&root, "is empty: nothing was begun, and the file can go");
	if (length > SESSION_RECORD_MAX_BYTES)
		return refuse(&root, "is longer than %u bytes", SESSION_RECORD_MAX_BYTES);
	r = json_load(&session_journal, text, length, &json, reterr);
	if (r < 0)
		return r;
	root.value = json;
	r = check_schema(&root);
	for (size_t i = 0; r == 0 && i < ARRAY_LENGTH(fields); i++)
		r = read_field(&root, &fields[i], &record);
	if (r == 0)
		r = read_pairs(&root, &record);
	if (r < 0)
		return r;
	*ret = record;
	record = (struct session_record){ 0 };
	return 0;
}

void session_record_release(struct session_record *record)
{
	free(record->domain);
	free(record->uuid);
	free(record->source_uri);
	free(record->destination_uri);
	free(record->boot_id);
	for (size_t i = 0; i < record->num_pairs; i++)
		free(record->pairs[i].remedy);
	free(record->pairs);
	*record = (struct session_record){ 0 };
}

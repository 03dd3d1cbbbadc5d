// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/report_json.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>

#include "base/error.h"
#include "core/bdf.h"
#include "core/json_text.h"

#define SCHEMA "mlx5lm.host"
#define SCHEMA_VERSION 1

/* Puts the known facts of an object into json, in the order of the table. */
static int write_facts(json_t *json, const struct fact_table *table, const void *object)
{
	for (size_t i = 0; i < table->length; i++) {
		const struct fact_field *field = &table->fields[i];
		const void *fact = fact_at(field, object);
		json_t *value = NULL;

		if (field->type == FACT_STR && *(char *const *)fact)
			value = json_string(*(char *const *)fact);
		else if (field->type == FACT_U64 && ((const struct fact_u64 *)fact)->known)
			value = json_integer((json_int_t)((const struct fact_u64 *)fact)->value);
		else if (field->type == FACT_ENUM && *(const uint32_t *)fact)
			value = json_string(name_of(field->names, *(const uint32_t *)fact));
		else
			continue;
		if (json_object_set_new(json, field->name, value))
			return -ENOMEM;
	}
	return 0;
}

/* Appends an object with these facts to array; borrowed, NULL when out of memory. */
static json_t *append_facts(json_t *array, const struct fact_table *table, const void *object)
{
	json_t *json = json_object();

	if (json_array_append_new(array, json) || write_facts(json, table, object))
		return NULL;
	return json;
}

/* Adds an empty list; borrowed, NULL when out of memory. */
static json_t *add_list(json_t *object, const char *name)
{
	json_t *array = json_array();

	return json_object_set_new(object, name, array) ? NULL : array;
}

static int write_pfs(json_t *root, const struct mlx5lm_host *host)
{
	json_t *pfs = add_list(root, "pfs");

	for (size_t i = 0; i < host->num_pfs; i++) {
		json_t *pf = append_facts(pfs, &pf_table, &host->pfs[i]);
		json_t *vfs = pf ? add_list(pf, "vfs") : NULL;

		if (!vfs)
			return -ENOMEM;
		for (size_t j = 0; j < host->pfs[i].num_vfs; j++) {
			if (!append_facts(vfs, &vf_table, &host->pfs[i].vfs[j]))
				return -ENOMEM;
		}
	}
	return pfs ? 0 : -ENOMEM;
}

int report_write(const struct mlx5lm_host *host, struct mlx5lm_text **ret)
{
	_cleanup_json_ json_t *root = json_pack("{s:s, s:i}", "schema", SCHEMA, "schema_version",
						SCHEMA_VERSION);
	json_t *list;

	if (!root || write_facts(root, &host_table, host))
		return -ENOMEM;
	list = add_list(root, "modules");
	for (size_t i = 0; i < host->num_modules; i++) {
		if (!append_facts(list, &module_table, &host->modules[i]))
			return -ENOMEM;
	}
	if (!list || write_pfs(root, host))
		return -ENOMEM;
	list = add_list(root, "notes");
	for (size_t i = 0; i < host->num_notes; i++) {
		if (!append_facts(list, &note_table, &host->notes[i]))
			return -ENOMEM;
	}
	if (!list)
		return -ENOMEM;
	return json_to_text(TAKE(root), JSON_INDENT(2), ret);
}

/* A reader that remembers where it is, for the message. */
struct reader {
	struct mlx5lm_error **reterr;
	const char *where; /* "pf 0000:08:00.0" and the like */
};

static int refuse(const struct reader *reader, const char *name, const char *why)
{
	error_set(reader->reterr, MLX5LM_ERROR_INVALID_DOCUMENT, EBADMSG, MLX5LM_SOURCE_LIBRARY,
		  "host snapshot: %s of %s %s", name, reader->where, why);
	error_add_remedy(reader->reterr, "make the snapshot anew with mlx5lm-probe --json");
	return -EBADMSG;
}

static int read_fact(const struct reader *reader, const struct fact_field *field,
		     const json_t *value, void *fact)
{
	if (field->type == FACT_U64) {
		if (!json_is_integer(value) || json_integer_value(value) < 0)
			return refuse(reader, field->name, "is not a number of 0 or more");
		*(struct fact_u64 *)fact = fact_u64((uint64_t)json_integer_value(value));
		return 0;
	}
	if (!json_is_string(value))
		return refuse(reader, field->name, "is not a string");
	if (json_string_length(value) > REPORT_MAX_STRING)
		return refuse(reader, field->name, "is too long");
	/* A word of a newer library is as good as no answer. */
	if (field->type == FACT_ENUM)
		*(uint32_t *)fact = name_value(field->names, json_string_value(value));
	else if (str_replace(fact, json_string_value(value)))
		return error_no_memory(reader->reterr);
	return 0;
}

static int read_facts(const struct reader *reader, const struct fact_table *table,
		      const json_t *json, void *object)
{
	if (!json_is_object(json))
		return refuse(reader, "an entry", "is not an object");
	for (size_t i = 0; i < table->length; i++) {
		const struct fact_field *field = &table->fields[i];
		const json_t *value = json_object_get(json, field->name);
		int r;

		if (!value || json_is_null(value))
			continue;
		r = read_fact(reader, field, value, fact_at(field, object));
		if (r < 0)
			return r;
	}
	return 0;
}

/* An optional list; *ret is NULL if it is not there. */
static int read_list(const struct reader *reader, const json_t *json, const char *name,
		     size_t max_length, const json_t **ret)
{
	const json_t *list = json_object_get(json, name);

	if (list && !json_is_array(list))
		return refuse(reader, name, "is not a list");
	if (json_array_size(list) > max_length)
		return refuse(reader, name, "has too many entries");
	*ret = list;
	return 0;
}

/* Addresses name devices in messages, plans and XML: nothing else may stand there. */
static int check_bdf(const struct reader *reader, const char *bdf)
{
	struct bdf parsed;

	if (!bdf || bdf_parse(bdf, &parsed) < 0)
		return refuse(reader, "bdf", "is not a PCI address");
	return 0;
}

static int read_vf(const struct reader *reader, const json_t *json, struct mlx5lm_pf *pf)
{
	struct mlx5lm_vf *vf;
	int r;

	if (pf_add_vf(pf, &vf))
		return error_no_memory(reader->reterr);
	r = read_facts(reader, &vf_table, json, vf);
	if (r < 0)
		return r;
	if (!vf->index.known || vf->index.value > UINT16_MAX)
		return refuse(reader, "index of a VF", "is not there or too large");
	return check_bdf(reader, vf->bdf);
}

static int read_pf(const struct reader *outer, const json_t *json, struct mlx5lm_host *host)
{
	struct reader reader = { outer->reterr, "a PF" };
	const json_t *vfs;
	struct mlx5lm_pf *pf;
	int r;

	if (host_add_pf(host, &pf))
		return error_no_memory(reader.reterr);
	r = read_facts(&reader, &pf_table, json, pf);
	if (r < 0)
		return r;
	r = check_bdf(&reader, pf->bdf);
	if (r < 0)
		return r;
	reader.where = pf->bdf;
	r = read_list(&reader, json, "vfs", REPORT_MAX_VFS, &vfs);
	for (size_t i = 0; r >= 0 && i < json_array_size(vfs); i++)
		r = read_vf(&reader, json_array_get(vfs, i), pf);
	return r;
}

static int read_modules(const struct reader *reader, const json_t *json, struct mlx5lm_host *host)
{
	const json_t *modules;
	int r = read_list(reader, json, "modules", REPORT_MAX_LIST, &modules);

	for (size_t i = 0; r >= 0 && i < json_array_size(modules); i++) {
		struct mlx5lm_module *module;

		if (host_add_module(host, &module))
			return error_no_memory(reader->reterr);
		r = read_facts(reader, &module_table, json_array_get(modules, i), module);
	}
	return r;
}

static int read_notes(const struct reader *reader, const json_t *json, struct mlx5lm_host *host)
{
	const json_t *notes;
	int r = read_list(reader, json, "notes", REPORT_MAX_LIST, &notes);

	for (size_t i = 0; r >= 0 && i < json_array_size(notes); i++) {
		struct note note = { 0 };

		r = read_facts(reader, &note_table, json_array_get(notes, i), &note);
		if (r == 0 && (!note.object || !note.text))
			r = refuse(reader, "a note", "has no object or no text");
		if (r == 0 && host_add_note(host, note.object, note.facts, "%s", note.text))
			r = error_no_memory(reader->reterr);
		fact_release(&note_table, &note);
	}
	return r;
}

static int read_host(const struct reader *reader, const json_t *json, struct mlx5lm_host *host)
{
	const json_t *pfs;
	int r;

	if (!streq(json_string_value(json_object_get(json, "schema")), SCHEMA))
		return refuse(reader, "schema", "is not \"" SCHEMA "\"");
	if (json_integer_value(json_object_get(json, "schema_version")) != SCHEMA_VERSION)
		return refuse(reader, "schema_version", "is not one this library reads (1)");
	r = read_facts(reader, &host_table, json, host);
	if (r < 0)
		return r;
	r = read_modules(reader, json, host);
	if (r < 0)
		return r;
	r = read_notes(reader, json, host);
	if (r < 0)
		return r;
	r = read_list(reader, json, "pfs", REPORT_MAX_PFS, &pfs);
	for (size_t i = 0; r >= 0 && i < json_array_size(pfs); i++)
		r = read_pf(reader, json_array_get(pfs, i), host);
	return r;
}

int report_read(const char *json, size_t length, size_t limit_bytes, struct mlx5lm_host **ret,
		struct mlx5lm_error **reterr)
{
	const struct reader reader = { reterr, "the document" };
	_cleanup_json_ json_t *root = NULL;
	_cleanup_host_ struct mlx5lm_host *host = NULL;
	json_error_t problem;
	int r;

	if (length > limit_bytes)
		return error_set(reterr, MLX5LM_ERROR_INVALID_DOCUMENT, EFBIG,
				 MLX5LM_SOURCE_LIBRARY,
				 "host snapshot: %zu bytes are more than the limit of %zu", length,
				 limit_bytes);
	root = json_loadb(json, length, JSON_REJECT_DUPLICATES, &problem);
	if (!root) {
		if (json_error_code(&problem) == json_error_out_of_memory)
			return error_no_memory(reterr);
		error_set(reterr, MLX5LM_ERROR_INVALID_DOCUMENT, EBADMSG, MLX5LM_SOURCE_LIBRARY,
			  "host snapshot: no valid JSON at line %d, column %d", problem.line,
			  problem.column);
		error_add_detail(reterr, "%s", problem.text);
		return -EBADMSG;
	}
	if (host_new(&host))
		return error_no_memory(reterr);
	r = read_host(&reader, root, host);
	if (r < 0)
		return r;
	*ret = TAKE(host);
	return 0;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/report_json.h"

#include <errno.h>

#include "core/json_text.h"
#include "core/report_rules.h"

static const struct report_object module_rule = { &module_table, NULL, 0 };
static const struct report_object config_rule = { &config_table, NULL, 0 };
static const struct report_object privilege_rule = { &privilege_table, NULL, 0 };
static const struct report_object note_rule = { &note_table, NULL, 0 };
static const struct report_object nv_rule = { &nv_table, NULL, 0 };
static const struct report_object param_rule = { &param_table, NULL, 0 };
static const struct report_object vf_rule = { &vf_table, NULL, 0 };

static const struct report_list pf_lists[] = {
	{ &pf_nvs, &nv_rule, REPORT_MAX_LIST, true },
	{ &pf_params, &param_rule, REPORT_MAX_LIST, true },
	{ &pf_vfs, &vf_rule, REPORT_MAX_VFS, false },
};

const struct report_object report_pf = { &pf_table, pf_lists, ARRAY_LENGTH(pf_lists) };

static const struct report_list host_lists[] = {
	{ &host_modules, &module_rule, REPORT_MAX_LIST, true },
	{ &host_configs, &config_rule, REPORT_MAX_LIST, true },
	{ &host_privileges, &privilege_rule, REPORT_MAX_LIST, true },
	{ &host_pfs, &report_pf, REPORT_MAX_PFS, false },
	{ &host_notes, &note_rule, REPORT_MAX_NOTES, false },
};

const struct report_object report_host = { &host_table, host_lists, ARRAY_LENGTH(host_lists) };

char **report_extra(const struct report_object *rule, const void *object)
{
	for (size_t i = 0; i < rule->table->length; i++) {
		if (rule->table->fields[i].type == FACT_EXTRA)
			return fact_at(&rule->table->fields[i], object);
	}
	return NULL;
}

/* The value of a known fact, new; NULL if it is not known or when out of memory. */
static json_t *fact_to_json(const struct fact_field *field, const void *fact, bool *known)
{
	const struct fact_u64 *number = fact;
	uint32_t word;

	switch (field->type) {
	case FACT_STR:
		*known = *(char *const *)fact != NULL;
		return *known ? json_clean_string(*(char *const *)fact, REPORT_MAX_STRING) : NULL;
	case FACT_U64:
		*known = number->known && number->value <= INT64_MAX;
		return *known ? json_integer((json_int_t)number->value) : NULL;
	case FACT_ENUM:
		word = *(const uint32_t *)fact;
		*known = word != 0 && word < field->names->length;
		return *known ? json_string(field->names->names[word]) : NULL;
	case FACT_EXTRA:
		break;
	}
	*known = false;
	return NULL;
}

static int write_facts(json_t *json, const struct report_object *rule, const void *object,
		       const json_t *extra)
{
	for (size_t i = 0; i < rule->table->length; i++) {
		const struct fact_field *field = &rule->table->fields[i];
		bool known;
		json_t *value;

		/* A word of a newer library says more than what became of it here. */
		if (field->type == FACT_ENUM && json_object_get(extra, field->name))
			continue;
		value = fact_to_json(field, fact_at(field, object), &known);
		if (known && json_object_set_new(json, field->name, value))
			return -ENOMEM;
	}
	return 0;
}

static int write_object(json_t *json, const struct report_object *rule, const void *object);

static int write_lists(json_t *json, const struct report_object *rule, const void *object)
{
	for (size_t i = 0; i < rule->num_lists; i++) {
		const struct fact_list *list = rule->lists[i].list;
		json_t *array = json_array();

		if (json_object_set_new(json, list->name, array))
			return -ENOMEM;
		for (size_t j = 0; j < fact_list_length(list, object); j++) {
			json_t *item = json_object();

			if (json_array_append_new(array, item) ||
			    write_object(item, rule->lists[i].item, fact_list_get(list, object, j)))
				return -ENOMEM;
		}
	}
	return 0;
}

static int write_object(json_t *json, const struct report_object *rule, const void *object)
{
	const char *text = *report_extra(rule, object);
	_cleanup_json_ json_t *extra = text ? json_loads(text, 0, NULL) : NULL;

	if ((text && !extra) || write_facts(json, rule, object, extra) ||
	    write_lists(json, rule, object) || (extra && json_object_update(json, extra)))
		return -ENOMEM;
	return 0;
}

json_t *report_to_json(const struct mlx5lm_host *host)
{
	_cleanup_json_ json_t *root = json_pack("{s:s, s:i}", "schema", REPORT_SCHEMA,
						"schema_version", REPORT_SCHEMA_VERSION);

	if (!root || write_object(root, &report_host, host))
		return NULL;
	return TAKE(root);
}

int report_write(const struct mlx5lm_host *host, struct mlx5lm_text **ret)
{
	return json_to_text(report_to_json(host), JSON_INDENT(2), ret);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
/* Prints, as JSON, a snapshot with every fact in it, and what the tables say a snapshot is. */
#include <stdio.h>
#include <stdlib.h>

#include "core/json_text.h"
#include "core/report_json.h"
#include "core/report_rules.h"
#include "support/full_host.h"

static json_t *must(json_t *json)
{
	if (!json)
		abort();
	return json;
}

static json_t *describe_field(const struct fact_field *field)
{
	static const char *const types[] = {
		[FACT_STR] = "str", [FACT_U64] = "u64", [FACT_ENUM] = "enum"
	};
	json_t *words = must(json_array());

	for (uint32_t i = 1; field->type == FACT_ENUM && i < field->names->length; i++)
		json_array_append_new(words, json_string(field->names->names[i]));
	return must(json_pack("{s:s, s:o}", "type", types[field->type], "words", words));
}

static json_t *describe(const struct report_object *rule)
{
	json_t *fields = must(json_object()), *lists = must(json_object());

	for (size_t i = 0; i < rule->table->length; i++) {
		const struct fact_field *field = &rule->table->fields[i];

		if (field->type != FACT_EXTRA)
			json_object_set_new(fields, field->name, describe_field(field));
	}
	for (size_t i = 0; i < rule->num_lists; i++) {
		json_t *list = must(json_pack("{s:o, s:I}", "item", describe(rule->lists[i].item),
					      "max_length", (json_int_t)rule->lists[i].max_length));

		json_object_set_new(lists, rule->lists[i].list->name, list);
	}
	return must(json_pack("{s:o, s:o}", "fields", fields, "lists", lists));
}

int main(void)
{
	_cleanup_host_ struct mlx5lm_host *host = full_host(2, 3);
	_cleanup_text_ struct mlx5lm_text *snapshot = NULL, *text = NULL;
	json_t *all;

	if (report_write(host, &snapshot))
		return EXIT_FAILURE;
	all = must(json_pack("{s:o, s:o}", "snapshot", must(json_loads(snapshot->text, 0, NULL)),
			     "rules", describe(&report_host)));
	if (json_to_text(all, JSON_INDENT(1), &text) || puts(text->text) == EOF)
		return EXIT_FAILURE;
	return EXIT_SUCCESS;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/plan_text.h"

#include <errno.h>

#include "core/json_text.h"

static json_t *step_to_json(const struct mlx5lm_step *step)
{
	_cleanup_json_ json_t *json = json_object();

	if (!json || json_set_str(json, "id", step_id(step->kind)) ||
	    json_set_str(json, "object", step->object) ||
	    json_set_str(json, "current", step->current) ||
	    json_set_str(json, "wanted", step->wanted) ||
	    json_set_str(json, "reason", step->reason) ||
	    json_set_str(json, "command", step->command))
		return NULL;
	return TAKE(json);
}

int plan_to_json(const char *pf_bdf, const struct step_list *list, struct mlx5lm_text **ret)
{
	json_t *steps = json_array();

	for (size_t i = 0; steps && i < list->length; i++) {
		if (json_array_append_new(steps, step_to_json(&list->steps[i]))) {
			json_decref(steps);
			return -ENOMEM;
		}
	}
	return json_to_text(json_pack("{s:s, s:i, s:s, s:o}", "schema", "mlx5lm.plan",
				      "schema_version", 1, "pf", pf_bdf, "steps", steps),
			    JSON_INDENT(2), ret);
}

/* Ports are found by their VF number: their index is the driver's own affair. */
static const char shell_head[] =
	"#!/bin/sh\n"
	"set -e\n"
	"# BDF of VF $2 of PF $1\n"
	"vf_bdf() { basename \"$(readlink \"/sys/bus/pci/devices/$1/virtfn$2\")\"; }\n"
	"# devlink port of VF $2 of PF $1\n"
	"vf_port() {\n"
	"\tdevlink port show | awk -v dev=\"pci/$1/\" -v vf=\" vfnum $2 \" \\\n"
	"\t\t'index($1, dev) == 1 && / flavour pcivf / && index($0 \" \", vf) {\n"
	"\t\t\tsub(/:$/, \"\", $1); print $1; exit }'\n"
	"}\n";

int plan_to_shell(const char *pf_bdf, const struct step_list *list, struct mlx5lm_text **ret)
{
	struct strbuf buf = { 0 };
	char *script;

	strbuf_add(&buf, shell_head);
	strbuf_printf(&buf, "\n# PF %s: %zu steps\n", pf_bdf, list->length);
	for (size_t i = 0; i < list->length; i++) {
		const struct mlx5lm_step *step = &list->steps[i];

		strbuf_printf(&buf, "# %s: %s -> %s (%s)\n%s\n", step->object, step->current,
			      step->wanted, step->reason, step->command);
	}
	if (strbuf_take(&buf, &script))
		return -ENOMEM;
	return text_new_take(script, ret);
}

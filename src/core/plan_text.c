// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/plan_text.h"

#include <errno.h>

#include "core/json_text.h"

#define SCHEMA "mlx5lm.plan"
#define SCHEMA_VERSION 1
#define MAX_TEXT 65536u

static const char *const step_states[] = { "unknown", "started", "done", "failed", "skipped" };
const struct name_list step_state_names = { step_states, ARRAY_LENGTH(step_states) };

static const struct {
	enum mlx5lm_disturbance bit;
	const char *name;
} disturbances[] = {
	{ MLX5LM_DISTURBANCE_VF_TRAFFIC, "vf-traffic" },
	{ MLX5LM_DISTURBANCE_PF_TRAFFIC, "pf-traffic" },
	{ MLX5LM_DISTURBANCE_GUESTS, "guests" },
	{ MLX5LM_DISTURBANCE_ADAPTER, "adapter" },
};

/* Values and the kernel's words may hold anything. 0 or -1, as jansson. */
static int set_text(json_t *object, const char *key, const char *text)
{
	return text ? json_object_set_new(object, key, json_clean_string(text, MAX_TEXT)) : 0;
}

static int set_bool(json_t *object, const char *key, bool value)
{
	return json_object_set_new(object, key, json_boolean(value));
}

static int set_number(json_t *object, const char *key, uint64_t value)
{
	return json_object_set_new(object, key, json_integer((json_int_t)value));
}

static int set_disturbs(json_t *object, uint32_t disturbs)
{
	json_t *names = json_array();

	if (json_object_set_new(object, "disturbs", names))
		return -1;
	for (size_t i = 0; i < ARRAY_LENGTH(disturbances); i++) {
		if (disturbs & disturbances[i].bit &&
		    json_array_append_new(names, json_string(disturbances[i].name)))
			return -1;
	}
	return 0;
}

static int set_result(json_t *object, const struct plan_view *view, size_t index)
{
	const struct mlx5lm_error *error = view->errors ? view->errors[index] : NULL;
	json_t *json;

	if (view->states && view->states[index] &&
	    json_set_str(object, "state", name_of(&step_state_names, view->states[index])))
		return -1;
	if (!error)
		return 0;
	json = json_object();
	if (json_object_set_new(object, "error", json) ||
	    set_number(json, "errno", (uint64_t)error->errnum) ||
	    set_text(json, "message", error->message) || set_text(json, "detail", error->detail) ||
	    set_text(json, "remedy", error->remedy))
		return -1;
	return 0;
}

static json_t *step_to_json(const struct plan_view *view, size_t index)
{
	const struct mlx5lm_step *step = &view->list->steps[index];
	_cleanup_json_ json_t *json = json_object();

	if (!json || json_set_str(json, "id", step_id(step->kind)) ||
	    set_text(json, "object", step->object) ||
	    (step_is_of_vf(step->kind) && set_number(json, "vf_index", step->vf_index)) ||
	    set_text(json, "current", step->current) || set_text(json, "wanted", step->wanted) ||
	    set_text(json, "reason", step->reason) ||
	    set_number(json, "usual_time_ms", step->usual_time_ms) ||
	    set_bool(json, "undoable", !step->cannot_be_undone) ||
	    set_disturbs(json, step->disturbs) ||
	    set_text(json, "disturbance", step->disturbance) ||
	    set_text(json, "command", step->command) || set_result(json, view, index))
		return NULL;
	return TAKE(json);
}

static int set_findings(json_t *object, const struct mlx5lm_findings *findings)
{
	return json_object_set_new(object, "findings",
				   findings ? findings_to_json(findings) : json_array());
}

static int set_steps(json_t *object, const struct plan_view *view)
{
	json_t *steps = json_array();

	if (json_object_set_new(object, "steps", steps))
		return -1;
	for (size_t i = 0; i < view->list->length; i++) {
		if (json_array_append_new(steps, step_to_json(view, i)))
			return -1;
	}
	return 0;
}

int plan_to_json(const struct plan_view *view, struct mlx5lm_text **ret)
{
	_cleanup_json_ json_t *json = json_pack("{s:s, s:i, s:s}", "schema", SCHEMA,
						"schema_version", SCHEMA_VERSION, "pf",
						view->pf_bdf);
	uint32_t disturbs = 0;

	for (size_t i = 0; i < view->list->length; i++)
		disturbs |= view->list->steps[i].disturbs;
	if (!json || set_number(json, "usual_time_ms", step_list_usual_time_ms(view->list)) ||
	    set_disturbs(json, disturbs) ||
	    set_bool(json, "restart_needed", view->list->restart_needed) ||
	    set_bool(json, "incomplete", view->list->incomplete) ||
	    set_bool(json, "is_undo", view->is_undo) ||
	    set_findings(json, view->list->findings) || set_steps(json, view))
		return -ENOMEM;
	return json_to_text(TAKE(json), JSON_INDENT(2), ret);
}

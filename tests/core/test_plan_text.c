// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/plan_text.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>

#include "base/array.h"
#include "core/shell_word.h"
#include "support/hosts.h"

#define PF "0000:08:00.0"

static struct mlx5lm_step *add(struct step_list *list, enum step_kind kind, const char *object,
			       const char *current, const char *wanted, const char *command)
{
	struct mlx5lm_step *step;

	cr_assert_eq(array_reserve(&list->steps, &list->allocated, list->length + 1,
				   sizeof(*step)), 0);
	step = &list->steps[list->length++];
	*step = (struct mlx5lm_step){ .kind = kind };
	set_text(&step->object, object);
	set_text(&step->current, current);
	set_text(&step->wanted, wanted);
	set_text(&step->reason, "that is why");
	set_text(&step->command, command);
	return step;
}

static void add_migratable(struct step_list *list, uint32_t vf_index)
{
	char command[200], object[16];
	struct mlx5lm_step *step;

	snprintf(object, sizeof(object), "VF %u", vf_index);
	snprintf(command, sizeof(command),
		 "devlink port function set \"$(vf_port " PF " %u)\" migratable enable", vf_index);
	step = add(list, STEP_PORT_ATTR, object, "disable", "enable", command);
	step->attr = MLX5LM_PORT_ATTR_MIGRATABLE;
	step->vf_index = vf_index;
}

static char *script_of(const struct step_list *list)
{
	const struct plan_view view = { .pf_bdf = PF, .list = list };
	struct mlx5lm_text *text = NULL;
	char *script, *start;

	cr_assert_eq(plan_to_shell(&view, &text), 0);
	/* The functions above it are tested by running them: tests/ffi/test_shell.py. */
	start = strstr(mlx5lm_text_get_str(text), "\n# PF ");
	cr_assert_not_null(start);
	script = strdup(start + 1);
	mlx5lm_text_free(text);
	return script;
}

static void expect_script(struct step_list *list, const char *wanted)
{
	_cleanup_free_ char *script = script_of(list);

	cr_expect_str_eq(script, wanted);
	step_list_release(list);
}

static json_t *document_of(const struct plan_view *view)
{
	struct mlx5lm_text *text = NULL;
	json_t *json;

	cr_assert_eq(plan_to_json(view, &text), 0);
	json = json_loads(mlx5lm_text_get_str(text), 0, NULL);
	cr_assert_not_null(json);
	mlx5lm_text_free(text);
	return json;
}

static void expect_json(json_t *json, const char *wanted)
{
	char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);

	cr_expect_str_eq(text ? text : "nothing", wanted);
	free(text);
}

Test(plan_text, a_step_is_shown_with_its_reason)
{
	struct step_list list = { 0 };

	add(&list, STEP_NUM_VFS, PF, "0", "2",
	    "echo 2 > /sys/bus/pci/devices/" PF "/sriov_numvfs");
	expect_script(&list, "# PF " PF ": 1 step\n"
			     "\n# Step 1: num-vfs of " PF ": 0 -> 2\n"
			     "#   that is why\n"
			     "echo 2 > /sys/bus/pci/devices/" PF "/sriov_numvfs\n");
}

Test(plan_text, a_plan_without_steps_is_a_script_without_commands)
{
	struct step_list list = { 0 };

	expect_script(&list, "# PF " PF ": 0 steps\n");
}

Test(plan_text, two_commands_stand_for_themselves)
{
	struct step_list list = { 0 };

	add_migratable(&list, 0);
	add_migratable(&list, 1);
	expect_script(&list,
		      "# PF " PF ": 2 steps\n"
		      "\n# Steps 1 to 2: port-attr of 2 VFs, 0 to 1: disable -> enable\n"
		      "#   that is why\n"
		      "port=$(vf_port " PF " 0)\n"
		      "devlink port function set \"$port\" migratable enable\n"
		      "port=$(vf_port " PF " 1)\n"
		      "devlink port function set \"$port\" migratable enable\n");
}

Test(plan_text, many_commands_are_a_loop)
{
	struct step_list list = { 0 };

	for (uint32_t i = 0; i < 127; i++)
		add_migratable(&list, i);
	expect_script(&list,
		      "# PF " PF ": 127 steps\n"
		      "\n# Steps 1 to 127: port-attr of 127 VFs, 0 to 126: disable -> enable\n"
		      "#   that is why\n"
		      "for vf in $(seq 0 126); do\n"
		      "\tport=$(vf_port " PF " \"$vf\")\n"
		      "\tdevlink port function set \"$port\" migratable enable\n"
		      "done\n");
}

Test(plan_text, a_loop_leaves_out_the_vfs_that_need_nothing)
{
	struct step_list list = { 0 };

	add_migratable(&list, 1);
	add_migratable(&list, 2);
	add_migratable(&list, 12);
	expect_script(&list,
		      "# PF " PF ": 3 steps\n"
		      "\n# Steps 1 to 3: port-attr of 3 VFs, 1 to 12: disable -> enable\n"
		      "#   that is why\n"
		      "for vf in 1 2 12; do\n"
		      "\tport=$(vf_port " PF " \"$vf\")\n"
		      "\tdevlink port function set \"$port\" migratable enable\n"
		      "done\n");
}

Test(plan_text, a_loop_finds_vfs_by_their_index_as_well_as_by_their_address)
{
	struct step_list list = { 0 };

	for (uint32_t i = 0; i < 3; i++) {
		char object[16], command[200];

		snprintf(object, sizeof(object), "0000:08:00.%u", i + 2);
		/* The last is not there yet. */
		if (i < 2)
			snprintf(command, sizeof(command),
				 "echo x > /sys/bus/pci/devices/%s/driver_override", object);
		else
			snprintf(command, sizeof(command), "echo x > /sys/bus/pci/devices/"
				 "\"$(vf_bdf " PF " %u)\"/driver_override", i);
		add(&list, STEP_DRIVER_OVERRIDE, object, "none", "x", command)->vf_index = i;
	}
	expect_script(&list, "# PF " PF ": 3 steps\n"
			     "\n# Steps 1 to 3: driver-override of 3 VFs, 0 to 2: none -> x\n"
			     "#   that is why\n"
			     "for vf in $(seq 0 2); do\n"
			     "\tbdf=$(vf_bdf " PF " \"$vf\")\n"
			     "\techo x > /sys/bus/pci/devices/\"$bdf\"/driver_override\n"
			     "done\n");
}

Test(plan_text, only_the_vf_itself_is_replaced_in_a_loop)
{
	struct step_list list = { 0 };
	_cleanup_free_ char *script = NULL;

	for (uint32_t i = 1; i < 4; i++) {
		char object[16], command[200];

		snprintf(object, sizeof(object), "0000:08:00.%u", i);
		snprintf(command, sizeof(command), "echo 1%s %sf %s $(vf_port " PF " %u0) > x",
			 object, object, object, i);
		add(&list, STEP_BIND, object, "none", "x", command)->vf_index = i;
	}
	script = script_of(&list);
	cr_expect(strstr(script, "echo 10000:08:00.1 0000:08:00.1f 0000:08:00.1 $(vf_port "
				 PF " 10) > x\n"), "%s", script);
	cr_expect_null(strstr(script, "$vf"), "%s", script);
	step_list_release(&list);
}

Test(plan_text, steps_of_other_values_stand_under_one_heading)
{
	struct step_list list = { 0 };

	for (uint32_t i = 0; i < 3; i++) {
		char command[200], wanted[32];

		snprintf(wanted, sizeof(wanted), "02:00:00:00:00:%02x", i & 0xff);
		snprintf(command, sizeof(command),
			 "devlink port function set \"$(vf_port " PF " %u)\" hw_addr %s", i,
			 wanted);
		add(&list, STEP_HW_ADDR, "VF", "unknown", wanted, command)->vf_index = i;
	}
	expect_script(&list, "# PF " PF ": 3 steps\n"
			     "\n# Steps 1 to 3: hw-addr of 3 VFs, 0 to 2: unknown\n"
			     "#   that is why\n"
			     "port=$(vf_port " PF " 0)\n"
			     "devlink port function set \"$port\" hw_addr 02:00:00:00:00:00\n"
			     "port=$(vf_port " PF " 1)\n"
			     "devlink port function set \"$port\" hw_addr 02:00:00:00:00:01\n"
			     "port=$(vf_port " PF " 2)\n"
			     "devlink port function set \"$port\" hw_addr 02:00:00:00:00:02\n");
}

Test(plan_text, a_comment_ends_with_its_line)
{
	struct step_list list = { 0 };

	set_text(&add(&list, STEP_UNBIND, "VF\nreboot", "x\ry", "none\nhalt", "true")->reason,
		 "a\nb");
	expect_script(&list, "# PF " PF ": 1 step\n"
			     "\n# Step 1: unbind of VF?reboot: x?y -> none?halt\n"
			     "#   a?b\n"
			     "true\n");
}

Test(plan_text, what_waits_for_a_restart_is_said_at_the_end)
{
	struct step_list list = { .restart_needed = true };
	_cleanup_free_ char *script = script_of(&list);

	cr_expect(strstr(script, "\necho \"The NV configuration holds after a restart"), "%s",
		  script);
}

Test(plan_text, a_word_that_needs_no_quotes_has_none)
{
	_cleanup_free_ char *plain = shell_word("mlx5_vfio_pci"), *empty = shell_word(""),
			    *quoted = shell_word("a b;$(c)`d`\"e\"\\"), *quote = shell_word("it's"),
			    *control = shell_word("a\nb\x1b"), *home = shell_word("~root");

	cr_expect_str_eq(plain, "mlx5_vfio_pci");
	cr_expect_str_eq(empty, "''");
	cr_expect_str_eq(quoted, "'a b;$(c)`d`\"e\"\\'");
	cr_expect_str_eq(quote, "'it'\\''s'");
	cr_expect_str_eq(control, "'a?b?'");
	cr_expect_str_eq(home, "'~root'");
}

Test(plan_text, json_tells_everything_of_a_step)
{
	struct step_list list = { 0 };
	const struct plan_view view = { .pf_bdf = PF, .list = &list };
	struct mlx5lm_step *step =
		add(&list, STEP_UNBIND, "0000:08:00.2", "mlx5_core", "none", "echo x");
	json_t *json;

	step->vf_index = 0;
	step->usual_time_ms = 20;
	step->cannot_be_undone = true;
	step->disturbs = MLX5LM_DISTURBANCE_VF_TRAFFIC | MLX5LM_DISTURBANCE_GUESTS;
	set_text(&step->disturbance, "its traffic stops");
	json = document_of(&view);
	expect_json(json_array_get(json_object_get(json, "steps"), 0),
		    "{\"id\":\"unbind\",\"object\":\"0000:08:00.2\",\"vf_index\":0,"
		    "\"current\":\"mlx5_core\",\"wanted\":\"none\",\"reason\":\"that is why\","
		    "\"usual_time_ms\":20,\"undoable\":false,"
		    "\"disturbs\":[\"vf-traffic\",\"guests\"],"
		    "\"disturbance\":\"its traffic stops\",\"command\":\"echo x\"}");
	json_decref(json);
	step_list_release(&list);
}

Test(plan_text, json_tells_everything_of_a_plan)
{
	struct step_list list = { .restart_needed = true, .incomplete = true };
	const struct plan_view view = { .pf_bdf = PF, .list = &list, .is_undo = true };
	json_t *json;

	list.findings = calloc(1, sizeof(*list.findings));
	cr_assert_not_null(list.findings);
	findings_add(list.findings, MLX5LM_STATUS_WARN, "plan.example", PF);
	add(&list, STEP_ESWITCH_MODE, PF, "legacy", "switchdev", "x")->disturbs =
		MLX5LM_DISTURBANCE_PF_TRAFFIC;
	add(&list, STEP_FIRMWARE_RESET, PF, "a", "b", "y")->disturbs = MLX5LM_DISTURBANCE_ADAPTER;
	json = document_of(&view);
	expect_json(json_object_get(json, "schema"), "\"mlx5lm.plan\"");
	expect_json(json_object_get(json, "pf"), "\"" PF "\"");
	expect_json(json_object_get(json, "disturbs"), "[\"pf-traffic\",\"adapter\"]");
	expect_json(json_object_get(json, "restart_needed"), "true");
	expect_json(json_object_get(json, "incomplete"), "true");
	expect_json(json_object_get(json, "is_undo"), "true");
	expect_json(json_object_get(json, "findings"),
		    "[{\"id\":\"plan.example\",\"status\":\"warn\",\"object\":\"" PF "\"}]");
	cr_expect_eq(json_array_size(json_object_get(json, "steps")), 2);
	cr_expect_null(json_object_get(json_array_get(json_object_get(json, "steps"), 0),
				       "vf_index"));
	json_decref(json);
	step_list_release(&list);
}

Test(plan_text, json_tells_how_far_a_plan_is)
{
	static const enum mlx5lm_step_state states[] = {
		MLX5LM_STEP_STATE_DONE, MLX5LM_STEP_STATE_FAILED, MLX5LM_STEP_STATE_SKIPPED,
		MLX5LM_STEP_STATE_UNKNOWN,
	};
	static const char *const wanted[] = { "\"done\"", "\"failed\"", "\"skipped\"" };
	struct mlx5lm_error *errors[ARRAY_LENGTH(states)] = { NULL };
	struct step_list list = { 0 };
	const struct plan_view view = { PF, &list, false, states, errors };
	const json_t *steps;
	json_t *json;

	error_set(&errors[1], MLX5LM_ERROR_BUSY, EBUSY, MLX5LM_SOURCE_DEVLINK, "no, \xff\n");
	error_add_detail(&errors[1], "words");
	for (size_t i = 0; i < ARRAY_LENGTH(states); i++)
		add_migratable(&list, (uint32_t)i);
	json = document_of(&view);
	steps = json_object_get(json, "steps");
	for (size_t i = 0; i < ARRAY_LENGTH(wanted); i++)
		expect_json(json_object_get(json_array_get(steps, i), "state"), wanted[i]);
	cr_expect_null(json_object_get(json_array_get(steps, 3), "state"));
	cr_expect_null(json_object_get(json_array_get(steps, 0), "error"));
	expect_json(json_object_get(json_array_get(steps, 1), "error"),
		    "{\"errno\":16,\"message\":\"no, ? \",\"detail\":\"words\"}");
	json_decref(json);
	mlx5lm_error_free(errors[1]);
	step_list_release(&list);
}

Test(plan_text, json_holds_whatever_a_value_holds)
{
	struct step_list list = { 0 };
	const struct plan_view view = { .pf_bdf = PF, .list = &list };
	json_t *json;

	add(&list, STEP_UNBIND, "0000:08:00.2", "\xff\x1b[31m", "none", "echo \"x\"");
	json = document_of(&view);
	expect_json(json_object_get(json_array_get(json_object_get(json, "steps"), 0), "current"),
		    "\"? [31m\"");
	json_decref(json);
	step_list_release(&list);
}

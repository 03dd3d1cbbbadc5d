// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/plan_text.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>

/* Fewer commands are easier to read one by one. */
#define MIN_LOOP 3

/*
 * Ports are found by their VF number: their index is the driver's own affair. A line of devlink
 * is the port, then names and values by turns.
 */
static const char head[] =
	"#!/bin/sh\n"
	"# Run as root, on the host that the plan was made for: sh stops at the first failure.\n"
	"set -eu\n"
	"\n"
	"# vf_bdf PF INDEX: the PCI address of a VF\n"
	"vf_bdf() {\n"
	"\tif ! link=$(readlink -e \"/sys/bus/pci/devices/$1/virtfn$2\"); then\n"
	"\t\techo \"PF $1 has no VF $2\" >&2\n"
	"\t\treturn 1\n"
	"\tfi\n"
	"\techo \"${link##*/}\"\n"
	"}\n"
	"\n"
	"# vf_show PF INDEX WHAT: the devlink port of a VF, or its netdev; waits 10 s for it\n"
	"vf_show() {\n"
	"\ttries=100\n"
	"\tuntil devlink port show | awk -v pf=\"pci/$1/\" -v vf=\"$2\" -v what=\"$3\" '\n"
	"\t\tindex($1, pf) != 1 { next }\n"
	"\t\t{\n"
	"\t\t\tsplit(\"\", port)\n"
	"\t\t\tfor (i = 2; i < NF; i += 2)\n"
	"\t\t\t\tport[$i] = $(i + 1)\n"
	"\t\t\tsub(/:$/, \"\", $1)\n"
	"\t\t\tport[\"port\"] = $1\n"
	"\t\t}\n"
	"\t\tport[\"flavour\"] == \"pcivf\" && port[\"vfnum\"] == vf &&\n"
	"\t\tport[\"external\"] != \"true\" && port[what] != \"\" {\n"
	"\t\t\tprint port[what]\n"
	"\t\t\tfound = 1\n"
	"\t\t}\n"
	"\t\tEND { exit !found }'\n"
	"\tdo\n"
	"\t\ttries=$((tries - 1))\n"
	"\t\tif [ \"$tries\" -eq 0 ]; then\n"
	"\t\t\techo \"VF $2 of PF $1 has no $3\" >&2\n"
	"\t\t\treturn 1\n"
	"\t\tfi\n"
	"\t\tsleep 0.1\n"
	"\tdone\n"
	"}\n"
	"vf_port() { vf_show \"$1\" \"$2\" port; }\n"
	"vf_netdev() { vf_show \"$1\" \"$2\" netdev; }\n";

/* A comment ends with its line, whatever is in it. */
static void add_comment(struct strbuf *buf, char *text)
{
	if (!text) {
		buf->error = -ENOMEM;
		return;
	}
	for (char *c = text; *c; c++) {
		if (iscntrl((unsigned char)*c))
			*c = '?';
	}
	strbuf_printf(buf, "# %s\n", text);
	free(text);
}

/* How a command names a VF: what the script calls, and keeps in a variable. */
static const struct {
	const char *function;
	const char *variable;
} names[] = {
	{ "vf_bdf", "bdf" },
	{ "vf_port", "port" },
	{ "vf_netdev", "netdev" },
};

/* A command with variables in the place of the VF's names. */
struct template {
	char *command; /* NULL when out of memory */
	bool uses[ARRAY_LENGTH(names)];
	bool calls; /* the command of the step calls a function */
};

static void template_release(struct template *template)
{
	free(template->command);
}

#define _cleanup_template_ _cleanup_(template_release)

/* Length of "$(vf_port PF 3)", where it stands at text, and which name that is. */
static size_t match_call(const char *text, const char *pf_bdf, uint32_t vf_index, size_t *name)
{
	char call[80];

	if (strncmp(text, "$(vf_", strlen("$(vf_")) != 0)
		return 0;
	for (*name = 0; *name < ARRAY_LENGTH(names); (*name)++) {
		int length = snprintf(call, sizeof(call), "$(%s %s %u)", names[*name].function,
				      pf_bdf, vf_index);

		if (length > 0 && strncmp(text, call, (size_t)length) == 0)
			return (size_t)length;
	}
	return 0;
}

/* Length of the VF's own address, where it stands at text as a whole. */
static size_t match_object(const char *from, const char *text, const char *object)
{
	size_t length = object && strchr(object, ':') ? strlen(object) : 0;

	if (!length || strncmp(text, object, length) != 0 ||
	    isxdigit((unsigned char)text[length]) ||
	    (text > from && (isxdigit((unsigned char)text[-1]) || text[-1] == ':')))
		return 0;
	return length;
}

static const char *command_of(const struct mlx5lm_step *step)
{
	return step->command ? step->command : ":";
}

static struct template make_template(const char *pf_bdf, const struct mlx5lm_step *step)
{
	const char *from = command_of(step), *text = from;
	struct template template = { 0 };
	struct strbuf buf = { 0 };

	while (step_is_of_vf(step->kind) && *text) {
		size_t name = 0, length = match_call(text, pf_bdf, step->vf_index, &name);
		bool is_call = length > 0;

		if (!is_call) {
			length = match_object(from, text, step->object);
			name = 0;
		}
		if (!length) {
			text++;
			continue;
		}
		strbuf_printf(&buf, "%.*s", (int)(text - from), from);
		strbuf_printf(&buf, is_call ? "$%s" : "\"$%s\"", names[name].variable);
		template.calls |= is_call;
		template.uses[name] = true;
		text += length;
		from = text;
	}
	strbuf_add(&buf, from);
	if (strbuf_take(&buf, &template.command))
		template.command = NULL;
	return template;
}

static bool same_text(const char *a, const char *b)
{
	return (!a && !b) || streq(a, b);
}

/* Steps that stand under one heading. */
static size_t run_length(const struct mlx5lm_step *steps, size_t length)
{
	size_t i = 1;

	while (i < length && step_is_of_vf(steps->kind) && steps[i].kind == steps->kind &&
	       steps[i].attr == steps->attr && same_text(steps[i].reason, steps->reason))
		i++;
	return i;
}

/* How many of these steps have the command of the first, but for the VF. 0 if out of memory. */
static size_t loop_length(const char *pf_bdf, const struct mlx5lm_step *steps, size_t length,
			  const char *command)
{
	for (size_t i = 1; i < length; i++) {
		_cleanup_template_ struct template other = make_template(pf_bdf, &steps[i]);

		if (!other.command)
			return 0;
		if (!streq(command, other.command))
			return i;
	}
	return length;
}

static void add_indices(struct strbuf *buf, const struct mlx5lm_step *steps, size_t length)
{
	uint32_t first = steps[0].vf_index, last = steps[length - 1].vf_index;
	bool in_a_row = true;

	for (size_t i = 1; i < length; i++)
		in_a_row = in_a_row && steps[i].vf_index == first + i;
	if (in_a_row) {
		strbuf_printf(buf, " $(seq %u %u)", first, last);
		return;
	}
	for (size_t i = 0; i < length; i++)
		strbuf_printf(buf, " %u", steps[i].vf_index);
}

/*
 * The command, with its variables set before it: sh passes over a failure of $(...) within
 * a command, and stops at that of one that is assigned.
 */
static void add_template(struct strbuf *buf, const char *pf_bdf, const struct template *template,
			 const char *indent, const char *vf)
{
	for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
		if (template->uses[i])
			strbuf_printf(buf, "%s%s=$(%s %s %s)\n", indent, names[i].variable,
				      names[i].function, pf_bdf, vf);
	}
	strbuf_printf(buf, "%s%s\n", indent, template->command);
}

static void add_single(struct strbuf *buf, const char *pf_bdf, const struct mlx5lm_step *step)
{
	_cleanup_template_ struct template template = make_template(pf_bdf, step);
	char vf[16];

	snprintf(vf, sizeof(vf), "%u", step->vf_index);
	if (!template.command)
		buf->error = -ENOMEM;
	else if (template.calls)
		add_template(buf, pf_bdf, &template, "", vf);
	else
		strbuf_printf(buf, "%s\n", command_of(step));
}

static void add_commands(struct strbuf *buf, const char *pf_bdf, const struct mlx5lm_step *steps,
			 size_t length)
{
	size_t count;

	for (size_t i = 0; i < length; i += count) {
		_cleanup_template_ struct template template = make_template(pf_bdf, &steps[i]);

		count = template.command ?
				loop_length(pf_bdf, &steps[i], length - i, template.command) : 0;
		if (count == 0) {
			buf->error = -ENOMEM;
			return;
		}
		if (count < MIN_LOOP) {
			for (size_t j = i; j < i + count; j++)
				add_single(buf, pf_bdf, &steps[j]);
			continue;
		}
		strbuf_add(buf, "for vf in");
		add_indices(buf, &steps[i], count);
		strbuf_add(buf, "; do\n");
		add_template(buf, pf_bdf, &template, "\t", "\"$vf\"");
		strbuf_add(buf, "done\n");
	}
}

/* The VFs of a run are not always in a row: those that need nothing are left out. */
static char *name_objects(const struct mlx5lm_step *steps, size_t length)
{
	if (length == 1)
		return str_printf("%s", steps->object ? steps->object : "?");
	return str_printf("%zu VFs, %u to %u", length, steps[0].vf_index,
			  steps[length - 1].vf_index);
}

static const char *common_text(const struct mlx5lm_step *steps, size_t length, size_t offset)
{
	const char *first = *(char *const *)((const char *)steps + offset);

	for (size_t i = 1; i < length; i++) {
		if (!same_text(first, *(char *const *)((const char *)&steps[i] + offset)))
			return NULL;
	}
	return first;
}

static void add_run(struct strbuf *buf, const struct plan_view *view, size_t first, size_t length)
{
	const struct mlx5lm_step *steps = &view->list->steps[first];
	const char *current = common_text(steps, length, offsetof(struct mlx5lm_step, current));
	const char *wanted = common_text(steps, length, offsetof(struct mlx5lm_step, wanted));
	_cleanup_free_ char *objects = name_objects(steps, length);

	strbuf_add(buf, "\n");
	if (length == 1)
		add_comment(buf, str_printf("Step %zu: %s of %s: %s -> %s", first + 1,
					    step_id(steps->kind), objects ? objects : "",
					    current ? current : "?", wanted ? wanted : "?"));
	else
		add_comment(buf, str_printf("Steps %zu to %zu: %s of %s%s%s%s%s", first + 1,
					    first + length, step_id(steps->kind),
					    objects ? objects : "", current || wanted ? ": " : "",
					    current ? current : "", wanted ? " -> " : "",
					    wanted ? wanted : ""));
	if (steps->reason)
		add_comment(buf, str_printf("  %s", steps->reason));
	if (!objects)
		buf->error = -ENOMEM;
	add_commands(buf, view->pf_bdf, steps, length);
}

int plan_to_shell(const struct plan_view *view, struct mlx5lm_text **ret)
{
	const struct step_list *list = view->list;
	struct strbuf buf = { 0 };
	size_t length;
	char *script;

	strbuf_add(&buf, head);
	strbuf_add(&buf, "\n");
	add_comment(&buf, str_printf("PF %s: %zu step%s", view->pf_bdf, list->length,
				     list->length == 1 ? "" : "s"));
	for (size_t i = 0; i < list->length; i += length) {
		length = run_length(&list->steps[i], list->length - i);
		add_run(&buf, view, i, length);
	}
	if (list->restart_needed)
		strbuf_add(&buf, "\necho \"The NV configuration holds after a restart of the host "
				 "or a firmware reset.\" >&2\n");
	if (strbuf_take(&buf, &script))
		return -ENOMEM;
	return text_new_take(script, ret);
}

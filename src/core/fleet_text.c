// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdio.h>

#include "core/fleet_internal.h"
#include "core/json_text.h"
#include "core/text_wrap.h"

#define SCHEMA "mlx5lm.fleet"
#define SCHEMA_VERSION 1

/* How much of a list people are shown; JSON has all. */
#define MAX_CLASSES_SHOWN 20
#define MAX_ODD_SHOWN 20
#define MAX_HOSTS_SHOWN 12

static const char *const odd_names[] = {
	[ODD_UNKNOWN] = "unknown",
	[ODD_SMALLER] = "smaller",
	[ODD_ALONE] = "alone",
};

static const char *const advice_names[] = {
	[ADVICE_NONE] = "none",
	[ADVICE_THIS] = "this",
	[ADVICE_OTHER] = "other",
};

static const char *name_of_host(const struct mlx5lm_fleet *fleet, uint32_t index)
{
	return fleet->hosts[index]->host.name;
}

static int set_number(json_t *object, const char *key, size_t value)
{
	return json_object_set_new(object, key, json_integer((json_int_t)value));
}

static int set_hosts(json_t *object, const struct mlx5lm_class *cls)
{
	json_t *names = json_array();

	if (json_object_set_new(object, "hosts", names))
		return -1;
	for (size_t i = 0; i < cls->num_hosts; i++) {
		if (json_array_append_new(names, json_string(class_get_host(cls, i))))
			return -1;
	}
	return 0;
}

static int set_facts(json_t *object, const struct mlx5lm_class *cls)
{
	json_t *facts = json_object(), *unknown = json_array();

	if (json_object_set_new(object, "facts", facts) |
	    json_object_set_new(object, "unknown", unknown))
		return -1;
	for (size_t i = 0; i < cls->fleet->num_rules; i++) {
		const char *id = cls->fleet->rules[i]->id, *value = cls->cls->values[i];

		if (value ? json_set_clean_str(facts, id, value) :
			    json_array_append_new(unknown, json_string(id)))
			return -1;
	}
	return 0;
}

static int set_nearest(json_t *object, const struct fleet_view *view,
		       const struct fleet_nearest *nearest)
{
	json_t *json;

	if (!nearest->other)
		return 0;
	json = json_object();
	if (json_object_set_new(object, "nearest", json) ||
	    set_number(json, "class", (size_t)(nearest->other - view->classes)) ||
	    set_number(json, "num_hosts", nearest->other->num_hosts) ||
	    json_set_str(json, "advice", advice_names[nearest->advice]) ||
	    json_object_set_new(json, "if_this_changes",
				findings_to_json(&nearest->this_changes)) ||
	    json_object_set_new(json, "if_other_changes",
				findings_to_json(&nearest->other_changes)))
		return -1;
	return 0;
}

static json_t *class_to_json(const struct fleet_view *view, size_t index)
{
	const struct mlx5lm_class *cls = &view->classes[index];
	_cleanup_fleet_nearest_ struct fleet_nearest nearest = { 0 };
	_cleanup_json_ json_t *json = json_object();

	if (!json || fleet_find_nearest(view, index, &nearest) ||
	    set_number(json, "class", index) || set_number(json, "num_hosts", cls->num_hosts) ||
	    json_object_set_new(json, "known", json_boolean(cls->cls->known)) ||
	    json_set_clean_str(json, "psid", class_get_value(cls, "firmware.psid")) ||
	    json_set_clean_str(json, "firmware", class_get_value(cls, "firmware.version")) ||
	    set_facts(json, cls) ||
	    (nearest.odd && json_set_str(json, "odd", odd_names[nearest.odd])) ||
	    set_nearest(json, view, &nearest) || set_hosts(json, cls))
		return NULL;
	return TAKE(json);
}

static int set_classes(json_t *object, const struct fleet_view *view)
{
	json_t *classes = json_array();

	if (json_object_set_new(object, "classes", classes))
		return -1;
	for (size_t i = 0; i < view->num_classes; i++) {
		if (json_array_append_new(classes, class_to_json(view, i)))
			return -1;
	}
	return 0;
}

static int set_without_adapter(json_t *object, const struct mlx5lm_fleet *fleet,
			       const struct fleet_view *view)
{
	json_t *names = json_array();

	if (json_object_set_new(object, "without_adapter", names))
		return -1;
	for (size_t i = 0; i < fleet->num_hosts; i++) {
		uint32_t index = view->hosts[i];

		if (fleet->hosts[index]->host.num_pfs == 0 &&
		    json_array_append_new(names, json_string(name_of_host(fleet, index))))
			return -1;
	}
	return 0;
}

int fleet_to_json_text(const struct mlx5lm_fleet *fleet, struct mlx5lm_text **ret)
{
	_cleanup_json_ json_t *json = json_object();
	const struct fleet_view *view;

	if (!json || fleet_get_view(fleet, &view) || json_set_str(json, "schema", SCHEMA) ||
	    set_number(json, "schema_version", SCHEMA_VERSION) ||
	    set_number(json, "num_hosts", fleet->num_hosts) || set_classes(json, view) ||
	    set_without_adapter(json, fleet, view))
		return -ENOMEM;
	return json_to_text(TAKE(json), JSON_INDENT(2), ret);
}

static const char *plural(size_t number, const char *one, const char *many)
{
	return number == 1 ? one : many;
}

/* A value for a terminal; "unknown" if there is none. */
static void add_value(struct strbuf *buf, const char *format, const char *value)
{
	_cleanup_json_ json_t *clean = json_clean_string(value ? value : "unknown", JSON_MAX_CLEAN);

	if (clean)
		strbuf_printf(buf, format, json_string_value(clean));
	else
		buf->error = -ENOMEM;
}

static void add_table(struct strbuf *buf, const struct fleet_view *view)
{
	size_t shown = view->num_classes, left = 0;

	if (shown > MAX_CLASSES_SHOWN)
		shown = MAX_CLASSES_SHOWN;
	if (shown)
		strbuf_printf(buf, "\n%5s %7s  %-16s %-16s %s\n", "class", "hosts", "PSID",
			      "firmware", "VFs can move among them");
	for (size_t i = 0; i < shown; i++) {
		const struct mlx5lm_class *cls = &view->classes[i];

		strbuf_printf(buf, "%5zu %7zu  ", i, cls->num_hosts);
		add_value(buf, "%-16s ", class_get_value(cls, "firmware.psid"));
		add_value(buf, "%-16s ", class_get_value(cls, "firmware.version"));
		strbuf_add(buf, !cls->cls->known      ? "cannot be told\n" :
				cls->num_hosts == 1 ? "nowhere to go\n" :
						      "yes\n");
	}
	for (size_t i = shown; i < view->num_classes; i++)
		left += view->classes[i].num_hosts;
	if (left)
		strbuf_printf(buf, "and %zu more %s with %zu %s\n", view->num_classes - shown,
			      plural(view->num_classes - shown, "class", "classes"), left,
			      plural(left, "host", "hosts"));
}

/* The first names of a list, and how many there are more. */
static void add_names(struct strbuf *buf, const char *indent, const struct mlx5lm_fleet *fleet,
		      const uint32_t *hosts, size_t length)
{
	_cleanup_(strbuf_release) struct strbuf names = { 0 };

	for (size_t i = 0; i < length && i < MAX_HOSTS_SHOWN; i++)
		strbuf_printf(&names, "%s%s", i ? ", " : "", name_of_host(fleet, hosts[i]));
	if (length > MAX_HOSTS_SHOWN)
		strbuf_printf(&names, " and %zu more", length - MAX_HOSTS_SHOWN);
	if (names.error)
		buf->error = names.error;
	else if (names.text)
		text_wrap(buf, indent, indent, names.text);
}

static void add_line(struct strbuf *buf, const char *indent, const char *format, ...)
	_printf_(3, 4);

static void add_line(struct strbuf *buf, const char *indent, const char *format, ...)
{
	_cleanup_free_ char *line = NULL;
	va_list args;

	va_start(args, format);
	line = str_vprintf(format, args);
	va_end(args);
	if (line)
		text_wrap(buf, indent, indent, line);
	else
		buf->error = -ENOMEM;
}

/* What differs; with remedies if the hosts of that side are to change. */
static void add_differences(struct strbuf *buf, const struct mlx5lm_findings *findings,
			    bool swap, bool remedies)
{
	for (size_t i = 0; i < findings->length; i++) {
		const struct mlx5lm_finding *finding = &findings->items[i];
		const char *source = finding->text[MLX5LM_FINDING_SOURCE];
		const char *destination = finding->text[MLX5LM_FINDING_DESTINATION];
		const char *remedy = finding->text[MLX5LM_FINDING_REMEDY];

		add_line(buf, "    ", "%s: %s here, %s there", finding->text[MLX5LM_FINDING_ID],
			 swap ? destination : source, swap ? source : destination);
		if (remedies && remedy)
			text_wrap_remedy(buf, "      ", "      ", remedy);
	}
}

static void add_advice(struct strbuf *buf, const struct mlx5lm_class *cls,
		       const struct fleet_nearest *nearest, size_t other)
{
	size_t here = cls->num_hosts, there = nearest->other->num_hosts;
	char change[64], other_way[128] = ".";

	if (nearest->advice == ADVICE_THIS) {
		snprintf(change, sizeof(change), "%s %zu %s", plural(here, "this", "these"), here,
			 plural(here, "host", "hosts"));
		if (nearest->both_can)
			snprintf(other_way, sizeof(other_way), "; the other way it would be %zu%s",
				 there, nearest->is_downgrade ? ", but without older firmware." :
								".");
	} else {
		snprintf(change, sizeof(change), "the %zu %s of class %zu", there,
			 plural(there, "host", "hosts"), other);
		if (nearest->both_can)
			snprintf(other_way, sizeof(other_way), "; the other way it would be %zu, "
				 "but with older firmware.", here);
	}
	add_line(buf, "    ", "Change %s%s", change, other_way);
}

static void add_odd(struct strbuf *buf, const struct fleet_view *view, size_t index,
		    const struct fleet_nearest *nearest)
{
	const struct mlx5lm_class *cls = &view->classes[index];
	size_t other;

	strbuf_printf(buf, "\n  class %zu, %zu %s:\n", index, cls->num_hosts,
		      plural(cls->num_hosts, "host", "hosts"));
	add_names(buf, "    ", cls->fleet, cls->hosts, cls->num_hosts);
	if (!nearest->other) {
		add_line(buf, "    ", nearest->odd == ODD_UNKNOWN ?
				 "Not all that decides is known: probe again as root." :
				 "There is no class to compare it with.");
		return;
	}
	other = (size_t)(nearest->other - view->classes);
	add_line(buf, "    ", "%s class %zu (%zu %s), %s:",
		 nearest->advice ? "Could join" : "Nearest is", other, nearest->other->num_hosts,
		 plural(nearest->other->num_hosts, "host", "hosts"),
		 nearest->odd == ODD_UNKNOWN ? "but it cannot be told" :
		 nearest->advice	     ? "but it differs in" :
					       "and nothing that can be changed joins them");
	if (nearest->advice == ADVICE_OTHER)
		add_differences(buf, &nearest->other_changes, true, true);
	else
		add_differences(buf, &nearest->this_changes, false, true);
	if (nearest->advice)
		add_advice(buf, cls, nearest, other);
}

static int add_odd_ones(struct strbuf *buf, const struct fleet_view *view)
{
	size_t shown = 0, left = 0;

	for (size_t i = 0; i < view->num_classes; i++) {
		_cleanup_fleet_nearest_ struct fleet_nearest nearest = { 0 };

		if (fleet_find_nearest(view, i, &nearest))
			return -ENOMEM;
		if (!nearest.odd)
			continue;
		if (shown == MAX_ODD_SHOWN) {
			left++;
			continue;
		}
		if (shown++ == 0)
			strbuf_add(buf, "\nOdd ones out\n");
		add_odd(buf, view, i, &nearest);
	}
	if (left)
		strbuf_printf(buf, "\n  and %zu more %s\n", left, plural(left, "class", "classes"));
	return buf->error;
}

static int add_without_adapter(struct strbuf *buf, const struct mlx5lm_fleet *fleet,
			       const struct fleet_view *view)
{
	_cleanup_free_ uint32_t *hosts = calloc(fleet->num_hosts + 1, sizeof(*hosts));
	size_t length = 0;

	if (!hosts)
		return -ENOMEM;
	for (size_t i = 0; i < fleet->num_hosts; i++) {
		if (fleet->hosts[view->hosts[i]]->host.num_pfs == 0)
			hosts[length++] = view->hosts[i];
	}
	if (length == 0)
		return 0;
	strbuf_printf(buf, "\nWithout an mlx5 adapter: %zu %s\n", length,
		      plural(length, "host", "hosts"));
	add_names(buf, "    ", fleet, hosts, length);
	return buf->error;
}

int fleet_to_plain_text(const struct mlx5lm_fleet *fleet, struct mlx5lm_text **ret)
{
	_cleanup_(strbuf_release) struct strbuf buf = { 0 };
	const struct fleet_view *view;
	char *text;

	if (fleet_get_view(fleet, &view))
		return -ENOMEM;
	strbuf_printf(&buf, "%zu %s in %zu %s of adapters among which VFs can move\n",
		      fleet->num_hosts, plural(fleet->num_hosts, "host", "hosts"),
		      view->num_classes, plural(view->num_classes, "class", "classes"));
	add_table(&buf, view);
	if (add_odd_ones(&buf, view) || add_without_adapter(&buf, fleet, view) ||
	    strbuf_take(&buf, &text))
		return -ENOMEM;
	return text_new_take(text, ret);
}

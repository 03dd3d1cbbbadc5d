// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>

#include "core/fleet_internal.h"
#include "core/json_text.h"
#include "core/version_rule.h"

/*
 * Who is advised to change: the fewer hosts; but no firmware goes back because of less than so
 * many times as many hosts.
 */
#define FAR_SMALLER 4

#define MAX_TEXT 4096u

#define FIRMWARE_RULE "firmware.version"

/* Less than 0 if firmware a is older than b; 0 if that cannot be told. */
static int compare_firmware(const char *a, const char *b)
{
	struct version x, y;

	if (!a || !b || version_parse(a, &x) < 0 || version_parse(b, &y) < 0)
		return 0;
	return version_compare(&x, &y);
}

/* Different branches, 28 and 32, are for different adapters. */
static bool is_other_branch(const char *a, const char *b)
{
	struct version x, y;

	return version_parse(a, &x) == 0 && version_parse(b, &y) == 0 && x.part[0] != y.part[0];
}

/* What the hosts of from should do; FAIL if it is rather those of to that should. */
static void set_remedy(const struct compare_rule *rule, struct mlx5lm_findings *findings,
		       struct mlx5lm_finding *finding, const char *from, const char *to)
{
	int order = compare_firmware(from, to);

	if (rule->change != RULE_FIRMWARE) {
		rule_set_remedy(rule, findings, finding, from, to, NULL, NULL);
		if (!finding || streq(finding->text[MLX5LM_FINDING_SIDE], "destination"))
			return;
	} else {
		finding_set(findings, finding, MLX5LM_FINDING_REMEDY,
			    "%s the firmware of each PF from %s to %s and reboot: mstflint -d PF "
			    "-i IMAGE burn",
			    order < 0 ? "update" : order > 0 ? "downgrade" : "bring", from, to);
	}
	if (!finding)
		return;
	finding->status = MLX5LM_STATUS_WARN;
	finding_set(findings, finding, MLX5LM_FINDING_SIDE, "source");
}

static void add_unknown(const struct compare_rule *rule, struct mlx5lm_findings *findings,
			struct mlx5lm_finding *finding, const char *from, const char *to)
{
	finding_set(findings, finding, MLX5LM_FINDING_MESSAGE, "%s: not known of %s", rule->what,
		    from ? "the hosts to join" : to ? "these hosts" : "either");
	finding_set(findings, finding, MLX5LM_FINDING_SIDE, "%s",
		    from ? "destination" : to ? "source" : "both");
	finding_set(findings, finding, MLX5LM_FINDING_REMEDY,
		    "bind mlx5_core to the PFs and look again as root: mlx5lm-probe --json");
}

static void set_value(struct mlx5lm_findings *findings, struct mlx5lm_finding *finding,
		      enum mlx5lm_finding_key key, const char *value)
{
	finding_set(findings, finding, key, "%s", !value ? "unknown" : *value ? value : "empty");
}

static void add_difference(const struct compare_rule *rule, struct mlx5lm_findings *findings,
			   const char *from, const char *to)
{
	bool known = from && to;
	struct mlx5lm_finding *finding = findings_add(
		findings, known ? MLX5LM_STATUS_FAIL : rule->unknown, rule->id, "each PF");

	set_value(findings, finding, MLX5LM_FINDING_SOURCE, from);
	set_value(findings, finding, MLX5LM_FINDING_DESTINATION, to);
	if (!known) {
		add_unknown(rule, findings, finding, from, to);
		return;
	}
	finding_set(findings, finding, MLX5LM_FINDING_MESSAGE, "%s", rule->message);
	if (rule->change != RULE_FIXED &&
	    !(rule->change == RULE_FIRMWARE && is_other_branch(from, to)))
		set_remedy(rule, findings, finding, from, to);
}

/* Of a snapshot that was not read from a document nobody has looked at the texts yet. */
static int add_clean_difference(const struct compare_rule *rule, struct mlx5lm_findings *findings,
				const char *from, const char *to)
{
	_cleanup_json_ json_t *x = json_clean_string(from ? from : "", MAX_TEXT);
	_cleanup_json_ json_t *y = json_clean_string(to ? to : "", MAX_TEXT);

	if (!x || !y)
		return -ENOMEM;
	add_difference(rule, findings, from ? json_string_value(x) : NULL,
		       to ? json_string_value(y) : NULL);
	return findings->error;
}

static int join(const struct mlx5lm_class *from, const struct mlx5lm_class *to,
		struct mlx5lm_findings *findings)
{
	const struct mlx5lm_fleet *fleet = from->fleet;

	for (size_t i = 0; i < fleet->num_rules; i++) {
		const char *x = from->cls->values[i], *y = to->cls->values[i];
		bool decides = fleet->rules[i]->unknown == MLX5LM_STATUS_UNKNOWN;

		if (x == y && (x || !decides || from == to))
			continue;
		if (add_clean_difference(fleet->rules[i], findings, x, y))
			return -ENOMEM;
	}
	return 0;
}

int fleet_join(const struct mlx5lm_fleet *fleet, size_t from, size_t to,
	       struct mlx5lm_findings *findings)
{
	const struct fleet_view *view;

	if (from >= fleet->num_classes || to >= fleet->num_classes)
		return -ENOENT;
	if (fleet_get_view(fleet, &view))
		return -ENOMEM;
	return join(&view->classes[from], &view->classes[to], findings);
}

static bool can_change(const struct mlx5lm_findings *findings)
{
	enum mlx5lm_status status = findings_status(findings);

	return status != MLX5LM_STATUS_FAIL && status != MLX5LM_STATUS_UNKNOWN;
}

static void advise(const struct mlx5lm_class *cls, struct fleet_nearest *nearest)
{
	bool this_can = can_change(&nearest->this_changes);
	bool other_can = can_change(&nearest->other_changes);
	bool is_newer = compare_firmware(class_get_value(cls, FIRMWARE_RULE),
					 class_get_value(nearest->other, FIRMWARE_RULE)) > 0;

	if (!this_can && !other_can)
		return;
	nearest->both_can = this_can && other_can;
	if (!this_can || (nearest->both_can && is_newer &&
			  nearest->other->num_hosts <= FAR_SMALLER * cls->num_hosts)) {
		nearest->advice = ADVICE_OTHER;
		return;
	}
	nearest->advice = ADVICE_THIS;
	nearest->is_downgrade = is_newer;
}

int fleet_find_nearest(const struct fleet_view *view, size_t index, struct fleet_nearest *ret)
{
	const struct mlx5lm_class *cls = &view->classes[index];

	*ret = (struct fleet_nearest){ 0 };
	if (cls->nearest != SIZE_MAX) {
		ret->other = &view->classes[cls->nearest];
		if (join(cls, ret->other, &ret->this_changes) ||
		    join(ret->other, cls, &ret->other_changes)) {
			fleet_nearest_release(ret);
			return -ENOMEM;
		}
		advise(cls, ret);
	}
	if (!cls->cls->known)
		ret->odd = ODD_UNKNOWN;
	else if (ret->advice && cls->nearest < index)
		ret->odd = ODD_SMALLER;
	else if (cls->num_hosts == 1)
		ret->odd = ODD_ALONE;
	return 0;
}

void fleet_nearest_release(struct fleet_nearest *nearest)
{
	findings_release(&nearest->this_changes);
	findings_release(&nearest->other_changes);
	*nearest = (struct fleet_nearest){ 0 };
}

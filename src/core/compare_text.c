// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/compare.h"

#include <errno.h>

#include "base/array.h"
#include "core/json_text.h"
#include "core/text_wrap.h"

/* More pairs are counted: nobody reads them all, and the JSON form has them. */
#define MAX_PAIRS_SHOWN 32

#define INDENT "      "

static json_t *pairs_to_json(const struct pairing *pairing)
{
	_cleanup_json_ json_t *array = json_array();

	for (size_t i = 0; array && i < pairing->num_pairs; i++) {
		const struct mlx5lm_pair *pair = &pairing->pairs[i];
		json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:b}", "source", pair->source,
					   "destination", pair->destination, "source_pf",
					   pair->source_pf, "destination_pf", pair->destination_pf,
					   "ready", pair->ready);

		if (json_array_append_new(array, object) ||
		    json_set_str(object, "remedy", pair->remedy))
			return NULL;
	}
	return TAKE(array);
}

int comparison_to_json_text(const struct mlx5lm_comparison *comparison, struct mlx5lm_text **ret)
{
	_cleanup_json_ json_t *json = json_object();

	if (json_set_str(json, "schema", "mlx5lm.comparison") ||
	    json_object_set_new(json, "schema_version", json_integer(1)) ||
	    json_set_str(json, "source", comparison->source_name) ||
	    json_set_str(json, "destination", comparison->destination_name) ||
	    json_set_str(json, "domain", comparison->domain_name) ||
	    json_set_str(json, "verdict", verdict_names[comparison->verdict]) ||
	    json_object_set_new(json, "pairs", pairs_to_json(&comparison->pairing)) ||
	    json_object_set_new(json, "findings", findings_to_json(&comparison->findings)) ||
	    json_set_str(json, "destination_xml", comparison->destination_xml))
		return -ENOMEM;
	return json_to_text(TAKE(json), JSON_INDENT(2), ret);
}

/* Findings that say the same of several objects. */
struct group {
	const struct mlx5lm_finding *first;
	size_t length;
};

struct groups {
	struct group *items;
	size_t length;
	size_t allocated;
};

static void groups_release(struct groups *groups)
{
	free(groups->items);
}

static bool same_text(const struct mlx5lm_finding *a, const struct mlx5lm_finding *b,
		      enum mlx5lm_finding_key key)
{
	return a->text[key] == b->text[key] || streq(a->text[key], b->text[key]);
}

/* What the source has is what the finding is about: a VF. */
static bool is_itself(const struct mlx5lm_finding *finding)
{
	return streq(finding->text[MLX5LM_FINDING_SOURCE], finding->text[MLX5LM_FINDING_OBJECT]);
}

/* What is only worth knowing is told by one example. */
static bool same_group(const struct mlx5lm_finding *a, const struct mlx5lm_finding *b)
{
	return a->status == b->status && same_text(a, b, MLX5LM_FINDING_ID) &&
	       (a->status == MLX5LM_STATUS_INFO ||
		(same_text(a, b, MLX5LM_FINDING_MESSAGE) &&
		 (same_text(a, b, MLX5LM_FINDING_SOURCE) || (is_itself(a) && is_itself(b))) &&
		 same_text(a, b, MLX5LM_FINDING_DESTINATION) &&
		 same_text(a, b, MLX5LM_FINDING_FOUND)));
}

/* A point that is not known and does not decide. */
static bool is_idle(const struct mlx5lm_finding *finding)
{
	return finding->status == MLX5LM_STATUS_INFO &&
	       (streq(finding->text[MLX5LM_FINDING_SOURCE], "unknown") ||
		streq(finding->text[MLX5LM_FINDING_DESTINATION], "unknown"));
}

static int make_groups(const struct mlx5lm_findings *findings, struct groups *ret)
{
	for (size_t i = 0; i < findings->length; i++) {
		const struct mlx5lm_finding *finding = &findings->items[i];
		size_t at = 0;

		if (finding->status == MLX5LM_STATUS_PASS || is_idle(finding))
			continue;
		while (at < ret->length && !same_group(ret->items[at].first, finding))
			at++;
		if (at < ret->length) {
			ret->items[at].length++;
			continue;
		}
		if (array_reserve(&ret->items, &ret->allocated, ret->length + 1,
				  sizeof(ret->items[0])))
			return -ENOMEM;
		ret->items[ret->length++] = (struct group){ finding, 1 };
	}
	return 0;
}

static void add_text(struct strbuf *buf, const char *label, const char *text)
{
	_cleanup_free_ char *first = text ? str_printf(INDENT "%-13s", label) : NULL;

	if (first)
		text_wrap(buf, first, INDENT "             ", text);
	else if (text)
		buf->error = -ENOMEM;
}

static void add_group(struct strbuf *buf, const struct group *group)
{
	const struct mlx5lm_finding *finding = group->first;
	const char *const *text = finding->text;
	_cleanup_free_ char *more =
		group->length > 1 ? str_printf(" and %zu more", group->length - 1) : strdup("");
	_cleanup_free_ char *line =
		str_printf("%s, %s%s: %s", text[MLX5LM_FINDING_ID], text[MLX5LM_FINDING_OBJECT],
			   more ? more : "",
			   text[MLX5LM_FINDING_MESSAGE] ? text[MLX5LM_FINDING_MESSAGE] : "");

	if (!more || !line) {
		buf->error = -ENOMEM;
		return;
	}
	text_wrap(buf, "  ", INDENT, line);
	add_text(buf, "source", is_itself(finding) ? NULL : text[MLX5LM_FINDING_SOURCE]);
	add_text(buf, "destination", text[MLX5LM_FINDING_DESTINATION]);
	add_text(buf, "found", text[MLX5LM_FINDING_FOUND]);
	add_text(buf, "required", text[MLX5LM_FINDING_REQUIRED]);
	add_text(buf, "to change", text[MLX5LM_FINDING_SIDE]);
	if (text[MLX5LM_FINDING_REMEDY])
		text_wrap_remedy(buf, INDENT, INDENT, text[MLX5LM_FINDING_REMEDY]);
}

static void add_section(struct strbuf *buf, const struct groups *groups, enum mlx5lm_status status,
			const char *heading)
{
	bool any = false;

	for (size_t i = 0; i < groups->length; i++) {
		if (groups->items[i].first->status != status)
			continue;
		if (!any)
			strbuf_printf(buf, "\n%s\n", heading);
		any = true;
		add_group(buf, &groups->items[i]);
	}
}

static void add_verdict(struct strbuf *buf, const struct mlx5lm_comparison *comparison)
{
	const char *source = comparison->source_name, *destination = comparison->destination_name;
	_cleanup_free_ char *what =
		comparison->domain_name ? str_printf("domain %s", comparison->domain_name) :
					  strdup("VFs");
	_cleanup_free_ char *line = NULL;

	source = source ? source : "the source";
	destination = destination ? destination : "the destination";
	switch (comparison->verdict) {
	case MLX5LM_VERDICT_COMPATIBLE:
		line = str_printf("COMPATIBLE: %s can move from %s to %s", what ? what : "", source,
				  destination);
		break;
	case MLX5LM_VERDICT_INCOMPATIBLE:
		line = str_printf("INCOMPATIBLE: %s cannot move from %s to %s", what ? what : "",
				  source, destination);
		break;
	default:
		line = str_printf("UNKNOWN: nothing known forbids that %s move from %s to %s, but "
				  "not all that decides is known", what ? what : "", source,
				  destination);
		break;
	}
	if (!what || !line)
		buf->error = -ENOMEM;
	else
		text_wrap(buf, "", "  ", line);
}

static void add_pairs(struct strbuf *buf, const struct pairing *pairing)
{
	if (pairing->num_pairs)
		strbuf_add(buf, "\nVFs, from source to destination\n");
	for (size_t i = 0; i < pairing->num_pairs && i < MAX_PAIRS_SHOWN; i++) {
		const struct mlx5lm_pair *pair = &pairing->pairs[i];

		strbuf_printf(buf, "  %s -> %s%s\n", pair->source, pair->destination,
			      pair->ready ? "" : " (not ready yet)");
	}
	if (pairing->num_pairs > MAX_PAIRS_SHOWN)
		strbuf_printf(buf, "  and %zu more\n", pairing->num_pairs - MAX_PAIRS_SHOWN);
}

static void add_counts(struct strbuf *buf, const struct mlx5lm_findings *findings)
{
	size_t idle = 0;

	for (size_t i = 0; i < findings->length; i++)
		idle += is_idle(&findings->items[i]);
	strbuf_printf(buf, "\nEqual in %zu points.",
		      findings_count(findings, MLX5LM_STATUS_PASS));
	if (idle)
		strbuf_printf(buf, " Not known, but not decisive: %zu.", idle);
	strbuf_add(buf, "\n");
}

int comparison_to_plain_text(const struct mlx5lm_comparison *comparison, struct mlx5lm_text **ret)
{
	_cleanup_(groups_release) struct groups groups = { 0 };
	_cleanup_(strbuf_release) struct strbuf buf = { 0 };
	char *text;

	if (make_groups(&comparison->findings, &groups) < 0)
		return -ENOMEM;
	add_verdict(&buf, comparison);
	add_section(&buf, &groups, MLX5LM_STATUS_FAIL, "What blocks");
	add_section(&buf, &groups, MLX5LM_STATUS_UNKNOWN, "What is not known");
	add_section(&buf, &groups, MLX5LM_STATUS_WARN, "Warnings");
	add_section(&buf, &groups, MLX5LM_STATUS_INFO, "Worth knowing");
	add_pairs(&buf, &comparison->pairing);
	add_counts(&buf, &comparison->findings);
	if (strbuf_take(&buf, &text) < 0)
		return -ENOMEM;
	return text_new_take(text, ret);
}

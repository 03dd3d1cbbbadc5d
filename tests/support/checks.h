/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SUPPORT_CHECKS_H
#define SUPPORT_CHECKS_H

#include <criterion/criterion.h>

#include "core/check.h"
#include "core/check_ids.h"
#include "support/hosts.h"

/* How tests look at what mlx5lm_check() finds. Hosts that are handed over are released. */

static inline const char *text_of(const struct mlx5lm_finding *finding,
				  enum mlx5lm_finding_key key)
{
	return finding->text[key] ? finding->text[key] : "";
}

/* What holds for each finding, whatever it says. */
static inline void expect_complete(const struct mlx5lm_finding *finding)
{
	const char *id = text_of(finding, MLX5LM_FINDING_ID);
	bool in_the_way = finding->status != MLX5LM_STATUS_PASS &&
			  finding->status != MLX5LM_STATUS_INFO;
	bool looked_at = strncmp(text_of(finding, MLX5LM_FINDING_FOUND), "not looked at", 13) != 0;

	cr_expect(check_id_is_known(id), "%s is not in check_ids", id);
	cr_expect(*text_of(finding, MLX5LM_FINDING_OBJECT), "%s has no object", id);
	cr_expect(*text_of(finding, MLX5LM_FINDING_SCOPE), "%s has no scope", id);
	cr_expect(*text_of(finding, MLX5LM_FINDING_MESSAGE), "%s has no message", id);
	if (in_the_way) {
		cr_expect(*text_of(finding, MLX5LM_FINDING_REMEDY), "%s has no remedy", id);
		cr_expect(*text_of(finding, MLX5LM_FINDING_FOUND), "%s found nothing", id);
		cr_expect(*text_of(finding, MLX5LM_FINDING_REQUIRED), "%s requires nothing", id);
	}
	if (in_the_way || (finding->status == MLX5LM_STATUS_PASS && looked_at))
		cr_expect(*text_of(finding, MLX5LM_FINDING_EXPLAIN), "%s has no evidence", id);
}

static inline size_t place_of(const struct mlx5lm_finding *finding)
{
	size_t i = 0;

	while (i < num_check_ids && !streq(check_ids[i], finding->text[MLX5LM_FINDING_ID]))
		i++;
	return i;
}

static inline struct mlx5lm_findings checked(const struct mlx5lm_host *host, const char *profile,
					     const char *scope)
{
	struct mlx5lm_findings findings = { 0 };

	cr_assert_eq(check_host(host, profile_find(profile), scope, &findings), 0);
	for (size_t i = 0; i < findings.length; i++)
		expect_complete(&findings.items[i]);
	for (size_t i = 1; i < findings.length; i++) {
		const struct mlx5lm_finding *last = &findings.items[i - 1];

		if (streq(last->text[MLX5LM_FINDING_OBJECT],
			  findings.items[i].text[MLX5LM_FINDING_OBJECT]))
			cr_expect_lt(place_of(last), place_of(&findings.items[i]),
				     "%s comes too late", last->text[MLX5LM_FINDING_ID]);
	}
	return findings;
}

static inline const struct mlx5lm_finding *find_finding(const struct mlx5lm_findings *findings,
							const char *id)
{
	for (size_t i = 0; i < findings->length; i++) {
		if (streq(findings->items[i].text[MLX5LM_FINDING_ID], id))
			return &findings->items[i];
	}
	return NULL;
}

/* "fail eswitch.mode 0000:08:00.0" and so on: all that is neither PASS nor INFO, in order. */
static inline void expect_problems_in(struct mlx5lm_host *host, const char *profile,
				      const char *scope, const char *wanted)
{
	struct mlx5lm_findings findings = checked(host, profile, scope);
	struct strbuf lines = { 0 };

	strbuf_add(&lines, "");
	for (size_t i = 0; i < findings.length; i++) {
		const struct mlx5lm_finding *finding = &findings.items[i];

		if (finding->status != MLX5LM_STATUS_PASS && finding->status != MLX5LM_STATUS_INFO)
			strbuf_printf(&lines, "%s%s %s %s", lines.length ? ", " : "",
				      status_names[finding->status],
				      text_of(finding, MLX5LM_FINDING_ID),
				      text_of(finding, MLX5LM_FINDING_OBJECT));
	}
	cr_assert_str_eq(lines.text, wanted);
	strbuf_release(&lines);
	findings_release(&findings);
	mlx5lm_host_free(host);
}

static inline void expect_problems(struct mlx5lm_host *host, const char *wanted)
{
	expect_problems_in(host, NULL, NULL, wanted);
}

/* A finding of this id and status is there, and the text of key contains part (NULL: any). */
static inline void expect_finding_in(struct mlx5lm_host *host, const char *profile, const char *id,
				     enum mlx5lm_status status, enum mlx5lm_finding_key key,
				     const char *part)
{
	struct mlx5lm_findings findings = checked(host, profile, NULL);
	const struct mlx5lm_finding *finding = find_finding(&findings, id);

	cr_assert(finding, "no finding %s", id);
	cr_expect_eq(finding->status, status, "%s is %s", id, status_names[finding->status]);
	if (part)
		cr_expect(strstr(text_of(finding, key), part), "%s: \"%s\" is not in \"%s\"", id,
			  part, text_of(finding, key));
	findings_release(&findings);
	mlx5lm_host_free(host);
}

#define expect_status(host, id, status)                                                            \
	expect_finding_in(host, NULL, id, MLX5LM_STATUS_##status, MLX5LM_FINDING_ID, NULL)
#define expect_text(host, id, status, key, part)                                                   \
	expect_finding_in(host, NULL, id, MLX5LM_STATUS_##status, MLX5LM_FINDING_##key, part)

/* No finding of this id is there. */
static inline void expect_no_finding(struct mlx5lm_host *host, const char *id)
{
	struct mlx5lm_findings findings = checked(host, NULL, NULL);

	cr_expect_null(find_finding(&findings, id), "%s is there", id);
	findings_release(&findings);
	mlx5lm_host_free(host);
}

#endif

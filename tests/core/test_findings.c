// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/findings.h"

#include <criterion/criterion.h>

#include "core/json_text.h"

Test(findings, the_worst_counts_and_info_does_not)
{
	static const struct {
		enum mlx5lm_status a, b, all;
	} cases[] = {
		{ MLX5LM_STATUS_PASS, MLX5LM_STATUS_INFO, MLX5LM_STATUS_PASS },
		{ MLX5LM_STATUS_INFO, MLX5LM_STATUS_WARN, MLX5LM_STATUS_WARN },
		{ MLX5LM_STATUS_WARN, MLX5LM_STATUS_UNKNOWN, MLX5LM_STATUS_UNKNOWN },
		{ MLX5LM_STATUS_UNKNOWN, MLX5LM_STATUS_FAIL, MLX5LM_STATUS_FAIL },
	};

	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct mlx5lm_findings findings = { 0 };

		findings_add(&findings, cases[i].a, "a", "host");
		findings_add(&findings, cases[i].b, "b", "host");
		cr_expect_eq(findings_status(&findings), cases[i].all, "case %zu", i);
		findings_release(&findings);
	}
}

Test(findings, evidence_grows_by_lines)
{
	struct mlx5lm_findings findings = { 0 };
	struct mlx5lm_finding *finding =
		findings_add(&findings, MLX5LM_STATUS_PASS, "a", "host");
	size_t lines = 1;

	for (int i = 0; i < 1000; i++)
		finding_explain(&findings, finding, "/sys/%d: yes\nno", i);
	for (const char *c = finding->text[MLX5LM_FINDING_EXPLAIN]; *c; c++)
		lines += *c == '\n';
	cr_expect_eq(lines, 1000);
	cr_expect_eq(strncmp(finding->text[MLX5LM_FINDING_EXPLAIN],
			     "/sys/0: yes?no\n/sys/1: yes?no\n", 30), 0);
	findings_release(&findings);
}

Test(findings, texts_are_replaced_and_empty_ones_left_out)
{
	struct mlx5lm_findings findings = { 0 };
	struct mlx5lm_finding *finding =
		findings_add(&findings, MLX5LM_STATUS_PASS, "a", "host");
	_cleanup_json_ json_t *json = NULL;

	finding_set(&findings, finding, MLX5LM_FINDING_FOUND, "%s", "one");
	finding_set(&findings, finding, MLX5LM_FINDING_FOUND, "two");
	finding_set(&findings, finding, MLX5LM_FINDING_REMEDY, NULL);
	json = findings_to_json(&findings);
	cr_expect_str_eq(json_string_value(json_object_get(json_array_get(json, 0), "found")),
			 "two");
	cr_expect_null(json_object_get(json_array_get(json, 0), "remedy"));
	cr_expect_eq(findings.error, 0);
	findings_release(&findings);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/findings.h"

#include <criterion/criterion.h>
#include <stdio.h>

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

/* More than a chunk of memory holds: texts stay where they are when others come. */
Test(findings, texts_stay_in_place)
{
	struct mlx5lm_findings findings = { 0 };
	const char *first;

	findings_add(&findings, MLX5LM_STATUS_PASS, "a", "0000:08:00.0");
	first = findings.items[0].text[MLX5LM_FINDING_OBJECT];
	for (int i = 0; i < 1000; i++) {
		struct mlx5lm_finding *finding =
			findings_add(&findings, MLX5LM_STATUS_PASS, "b", i % 2 ? "host" : "other");

		finding_set(&findings, finding, MLX5LM_FINDING_FOUND, "%d and %0300d", i, i);
	}
	cr_expect_eq(findings.items[0].text[MLX5LM_FINDING_OBJECT], first);
	cr_expect_str_eq(first, "0000:08:00.0");
	for (int i = 0; i < 1000; i++) {
		char expected[400];

		snprintf(expected, sizeof(expected), "%d and %0300d", i, i);
		cr_assert_str_eq(findings.items[i + 1].text[MLX5LM_FINDING_FOUND], expected);
		cr_assert_str_eq(findings.items[i + 1].text[MLX5LM_FINDING_OBJECT],
				 i % 2 ? "host" : "other");
	}
	findings_release(&findings);
}

Test(findings, a_text_longer_than_a_chunk_fits)
{
	struct mlx5lm_findings findings = { 0 };
	struct mlx5lm_finding *finding = findings_add(&findings, MLX5LM_STATUS_PASS, "a", "host");

	finding_set(&findings, finding, MLX5LM_FINDING_FOUND, "%0100000d", 7);
	finding_set(&findings, finding, MLX5LM_FINDING_REQUIRED, "short");
	cr_expect_eq(strlen(finding->text[MLX5LM_FINDING_FOUND]), 100000);
	cr_expect_str_eq(finding->text[MLX5LM_FINDING_REQUIRED], "short");
	cr_expect_eq(findings.error, 0);
	findings_release(&findings);
}

/* At each place of the words of eight bytes that are looked at together. */
Test(findings, no_control_character_comes_through)
{
	static const char controls[] = "\x01\x09\x0a\x1b\x1f\x7f";

	for (size_t place = 0; place < 20; place++) {
		for (size_t i = 0; controls[i]; i++) {
			struct mlx5lm_findings findings = { 0 };
			struct mlx5lm_finding *finding =
				findings_add(&findings, MLX5LM_STATUS_PASS, "a", "host");
			char text[] = "\xc3\xbc 345~\x80\xff 12345678 x", expected[sizeof(text)];

			text[place] = controls[i];
			memcpy(expected, text, sizeof(text));
			expected[place] = '?';
			finding_set(&findings, finding, MLX5LM_FINDING_FOUND, "%s", text);
			finding_copy(&findings, finding, MLX5LM_FINDING_REMEDY, text);
			cr_expect_str_eq(finding->text[MLX5LM_FINDING_FOUND], expected);
			cr_expect_str_eq(finding->text[MLX5LM_FINDING_REMEDY], expected);
			findings_release(&findings);
		}
	}
}

Test(findings, moved_findings_keep_their_texts)
{
	struct mlx5lm_findings to = { 0 }, from = { 0 }, empty = { 0 };

	finding_set(&to, findings_add(&to, MLX5LM_STATUS_PASS, "a", "host"), MLX5LM_FINDING_FOUND,
		    "first");
	finding_explain(&from, findings_add(&from, MLX5LM_STATUS_FAIL, "b", "0000:08:00.0"),
			"evidence");
	cr_assert_eq(findings_move(&to, &from), 0);
	cr_assert_eq(findings_move(&to, &empty), 0);
	cr_expect_eq(from.length, 0);
	cr_assert_eq(to.length, 2);
	cr_expect_str_eq(to.items[0].text[MLX5LM_FINDING_FOUND], "first");
	cr_expect_str_eq(to.items[1].text[MLX5LM_FINDING_EXPLAIN], "evidence");
	cr_expect_str_eq(to.items[1].text[MLX5LM_FINDING_OBJECT], "0000:08:00.0");
	finding_explain(&to, &to.items[1], "more");
	cr_expect_str_eq(to.items[1].text[MLX5LM_FINDING_EXPLAIN], "evidence\nmore");
	findings_release(&to);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include <criterion/criterion.h>
#include <errno.h>
#include <mlx5lm/mlx5lm.h>
#include <pthread.h>
#include <stdio.h>

#include "support/hosts.h"

static struct mlx5lm_fleet *fleet;

static void add(const char *name, const char *firmware, const char *psid)
{
	struct mlx5lm_host *host = ready_host(name, 1);

	set_text(&host->architecture, "x86_64");
	set_text(&host->pfs[0].fw_running, firmware);
	set_text(&host->pfs[0].psid, psid);
	cr_assert_eq(mlx5lm_fleet_add(fleet, host, NULL, NULL), 0);
	mlx5lm_host_free(host);
}

static void make(void)
{
	cr_assert_eq(mlx5lm_fleet_new(&fleet), 0);
	add("b", "28.41.1000", "MT_0000000838");
	add("old", "28.39.1002", "MT_0000000838");
	add("a", "28.41.1000", "MT_0000000838");
	add("untold", NULL, NULL);
}

static void release(void)
{
	mlx5lm_fleet_free(fleet);
}

TestSuite(fleet, .init = make, .fini = release);

Test(fleet, classes_and_their_hosts_can_be_read)
{
	const struct mlx5lm_class *cls = mlx5lm_fleet_get_class(fleet, 0);
	const char *text = NULL;
	uint64_t number = 77;

	cr_assert_eq(mlx5lm_fleet_length_hosts(fleet), 4);
	cr_assert_eq(mlx5lm_fleet_length_classes(fleet), 3);
	cr_assert_eq(mlx5lm_class_length_hosts(cls), 2);
	cr_expect_str_eq(mlx5lm_class_get_host(cls, 0), "a");
	cr_expect_str_eq(mlx5lm_class_get_host(cls, 1), "b");
	cr_expect_null(mlx5lm_class_get_host(cls, 2));
	cr_expect_eq(mlx5lm_class_get_str(cls, MLX5LM_CLASS_PSID, &text), 0);
	cr_expect_str_eq(text, "MT_0000000838");
	cr_expect_eq(mlx5lm_class_get_str(cls, MLX5LM_CLASS_FIRMWARE, &text), 0);
	cr_expect_str_eq(text, "28.41.1000");
	cr_expect_eq(mlx5lm_class_get_u64(cls, MLX5LM_CLASS_KNOWN, &number), 0);
	cr_expect_eq(number, MLX5LM_ANSWER_YES);
	cr_expect_eq(mlx5lm_class_get_u64(cls, MLX5LM_CLASS_NEAREST, &number), -ENODATA);
	cls = mlx5lm_fleet_get_class(fleet, 1);
	cr_expect_eq(mlx5lm_class_get_u64(cls, MLX5LM_CLASS_NEAREST, &number), 0);
	cr_expect_eq(number, 0);
	cls = mlx5lm_fleet_get_class(fleet, 2);
	cr_expect_eq(mlx5lm_class_get_u64(cls, MLX5LM_CLASS_KNOWN, &number), 0);
	cr_expect_eq(number, MLX5LM_ANSWER_NO);
	cr_expect_eq(mlx5lm_class_get_str(cls, MLX5LM_CLASS_PSID, &text), -ENODATA);
}

/* Two parameters of one type: no tool sees it if they are swapped. */
Test(fleet, the_first_class_of_a_join_is_the_one_that_changes)
{
	struct mlx5lm_findings *findings = NULL;
	const struct mlx5lm_finding *finding;
	const char *text = NULL;

	cr_assert_eq(mlx5lm_fleet_join(fleet, 1, 0, &findings, NULL), 0);
	cr_assert_eq(mlx5lm_findings_length(findings), 1);
	finding = mlx5lm_findings_get(findings, 0);
	cr_expect_eq(mlx5lm_finding_get_status(finding), MLX5LM_STATUS_WARN);
	cr_expect_eq(mlx5lm_finding_get_str(finding, MLX5LM_FINDING_SOURCE, &text), 0);
	cr_expect_str_eq(text, "28.39.1002");
	cr_expect_eq(mlx5lm_finding_get_str(finding, MLX5LM_FINDING_SIDE, &text), 0);
	cr_expect_str_eq(text, "source");
	mlx5lm_findings_free(findings);
}

Test(fleet, what_cannot_be_is_refused_with_a_reason)
{
	struct mlx5lm_host *host = ready_host("a", 1);
	struct mlx5lm_findings *findings = NULL;
	struct mlx5lm_error *error = NULL;
	struct mlx5lm_text *text = NULL;
	const char *string = NULL;
	uint64_t number;

	cr_expect_eq(mlx5lm_fleet_add(fleet, host, NULL, &error), -EEXIST);
	cr_expect_str_eq(mlx5lm_error_get_message(error), "there is a host a already");
	mlx5lm_error_free(error);
	cr_expect_eq(mlx5lm_fleet_join(fleet, 0, 3, &findings, &error), -ENOENT);
	cr_expect_str_eq(mlx5lm_error_get_message(error),
			 "there are 3 classes, and none of index 3");
	mlx5lm_error_free(error);
	cr_expect_null(findings);
	cr_expect_eq(mlx5lm_fleet_serialize(fleet, MLX5LM_FORMAT_UNKNOWN, &text), -EINVAL);
	cr_expect_eq(mlx5lm_fleet_serialize(fleet, (enum mlx5lm_format)77, &text), -EINVAL);
	cr_expect_eq(mlx5lm_class_get_str(mlx5lm_fleet_get_class(fleet, 0), MLX5LM_CLASS_KNOWN,
					  &string), -EINVAL);
	cr_expect_eq(mlx5lm_class_get_u64(mlx5lm_fleet_get_class(fleet, 0), MLX5LM_CLASS_PSID,
					  &number), -EINVAL);
	mlx5lm_host_free(host);
}

Test(fleet, null_is_refused_and_not_followed)
{
	struct mlx5lm_host *host = ready_host("x", 1);
	struct mlx5lm_findings *findings;
	struct mlx5lm_text *text;
	const char *string;
	uint64_t number;

	cr_expect_eq(mlx5lm_fleet_new(NULL), -EINVAL);
	cr_expect_eq(mlx5lm_fleet_add(NULL, host, NULL, NULL), -EINVAL);
	cr_expect_eq(mlx5lm_fleet_add(fleet, NULL, "x", NULL), -EINVAL);
	cr_expect_eq(mlx5lm_fleet_length_hosts(NULL), 0);
	cr_expect_eq(mlx5lm_fleet_length_classes(NULL), 0);
	cr_expect_null(mlx5lm_fleet_get_class(NULL, 0));
	cr_expect_eq(mlx5lm_class_length_hosts(NULL), 0);
	cr_expect_null(mlx5lm_class_get_host(NULL, 0));
	cr_expect_eq(mlx5lm_class_get_str(NULL, MLX5LM_CLASS_PSID, &string), -EINVAL);
	cr_expect_eq(mlx5lm_class_get_u64(NULL, MLX5LM_CLASS_KNOWN, &number), -EINVAL);
	cr_expect_eq(mlx5lm_fleet_join(NULL, 0, 0, &findings, NULL), -EINVAL);
	cr_expect_eq(mlx5lm_fleet_join(fleet, 0, 0, NULL, NULL), -EINVAL);
	cr_expect_eq(mlx5lm_fleet_serialize(NULL, MLX5LM_FORMAT_JSON, &text), -EINVAL);
	cr_expect_eq(mlx5lm_fleet_serialize(fleet, MLX5LM_FORMAT_JSON, NULL), -EINVAL);
	mlx5lm_fleet_free(NULL);
	mlx5lm_host_free(host);
}

static void *ask(void *unused)
{
	(void)unused;
	return (void *)mlx5lm_class_get_host(mlx5lm_fleet_get_class(fleet, 0), 0);
}

/* The first question after a host was added makes what all answers come from. */
Test(fleet, many_threads_may_ask_at_once)
{
	for (size_t round = 0; round < 50; round++) {
		pthread_t threads[4];
		char name[16];

		snprintf(name, sizeof(name), "c%zu", round);
		add(name, "28.41.1000", "MT_0000000838");
		for (size_t i = 0; i < 4; i++)
			cr_assert_eq(pthread_create(&threads[i], NULL, ask, NULL), 0);
		for (size_t i = 0; i < 4; i++) {
			void *answer = NULL;

			cr_assert_eq(pthread_join(threads[i], &answer), 0);
			cr_expect_str_eq((char *)answer, "a");
		}
	}
}

Test(fleet, both_forms_of_a_report_are_written)
{
	struct mlx5lm_text *text = NULL;

	cr_assert_eq(mlx5lm_fleet_serialize(fleet, MLX5LM_FORMAT_JSON, &text), 0);
	cr_expect(strstr(mlx5lm_text_get_str(text), "\"schema\": \"mlx5lm.fleet\""));
	mlx5lm_text_free(text);
	cr_assert_eq(mlx5lm_fleet_serialize(fleet, MLX5LM_FORMAT_TEXT, &text), 0);
	cr_expect(strstr(mlx5lm_text_get_str(text), "4 hosts in 3 classes"));
	mlx5lm_text_free(text);
}

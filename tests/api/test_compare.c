// SPDX-License-Identifier: LGPL-2.1-or-later
#include <criterion/criterion.h>
#include <errno.h>
#include <mlx5lm/mlx5lm.h>

#include "support/hosts.h"

static struct mlx5lm_host *source, *destination;
static struct mlx5lm_comparison *comparison;

static void compare(void)
{
	source = ready_host("a", 1);
	destination = ready_host("b", 2);
	/* Only VF 1 is ready there, so that the two sides of a pair differ. */
	set_text(&destination->pfs[0].vfs[0].driver, NULL);
	set_text(&destination->pfs[0].fw_running, "28.41.1000");
	cr_assert_eq(mlx5lm_compare(source, destination, &comparison, NULL), 0);
}

static void release(void)
{
	mlx5lm_comparison_free(comparison);
	mlx5lm_host_free(source);
	mlx5lm_host_free(destination);
}

TestSuite(compare, .init = compare, .fini = release);

/* Two parameters of one type: no tool sees it if they are swapped. */
Test(compare, the_first_host_is_the_source)
{
	struct mlx5lm_comparison *other = NULL;
	const struct mlx5lm_finding *finding = NULL;
	const char *text = "";

	set_text(&destination->pfs[0].fw_running, "28.42.1000");
	cr_assert_eq(mlx5lm_compare(source, destination, &other, NULL), 0);
	for (size_t i = 0; !streq(text, "firmware.version"); i++) {
		finding = mlx5lm_findings_get(mlx5lm_comparison_get_findings(other), i);
		cr_assert_not_null(finding);
		cr_assert_eq(mlx5lm_finding_get_str(finding, MLX5LM_FINDING_ID, &text), 0);
	}
	cr_assert_eq(mlx5lm_finding_get_str(finding, MLX5LM_FINDING_SOURCE, &text), 0);
	cr_expect_str_eq(text, "28.41.1000");
	cr_assert_eq(mlx5lm_finding_get_str(finding, MLX5LM_FINDING_DESTINATION, &text), 0);
	cr_expect_str_eq(text, "28.42.1000");
	cr_expect_eq(mlx5lm_finding_get_str(finding, MLX5LM_FINDING_FOUND, &text), -ENODATA);
	mlx5lm_comparison_free(other);
}

Test(compare, the_source_of_a_pair_comes_first)
{
	const char *from, *to;

	cr_assert_eq(mlx5lm_comparison_get_verdict(comparison), MLX5LM_VERDICT_COMPATIBLE);
	cr_assert_eq(mlx5lm_comparison_length_pairs(comparison), 1);
	cr_assert_eq(mlx5lm_comparison_get_pair(comparison, 0, &from, &to), 0);
	cr_expect_str_eq(from, "0000:08:00.2");
	cr_expect_str_eq(to, "0000:08:00.3");
	cr_expect_eq(mlx5lm_comparison_get_pair(comparison, 1, &from, &to), -ENOENT);
}

Test(compare, a_result_outlives_what_it_was_made_from)
{
	struct mlx5lm_text *text = NULL;

	mlx5lm_host_free(source);
	mlx5lm_host_free(destination);
	source = destination = NULL;
	cr_assert_eq(mlx5lm_comparison_serialize(comparison, &text), 0);
	cr_expect(strstr(mlx5lm_text_get_str(text), "\"verdict\": \"compatible\""));
	mlx5lm_text_free(text);
}

Test(compare, names_exist_for_all_values)
{
	cr_expect_str_eq(mlx5lm_verdict_str(MLX5LM_VERDICT_INCOMPATIBLE), "incompatible");
	cr_expect_str_eq(mlx5lm_verdict_str((enum mlx5lm_verdict)77), "unknown");
	cr_expect_str_eq(mlx5lm_status_str((enum mlx5lm_status)77), "unknown");
	cr_expect_str_eq(mlx5lm_status_str(MLX5LM_STATUS_FAIL), "fail");
}

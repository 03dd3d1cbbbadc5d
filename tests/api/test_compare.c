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
	cr_assert_eq(mlx5lm_compare(source, destination, NULL, &comparison, NULL), 0);
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
	cr_assert_eq(mlx5lm_compare(source, destination, NULL, &other, NULL), 0);
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

static const char *str_of(const struct mlx5lm_pair *pair, enum mlx5lm_pair_key key)
{
	const char *text = NULL;

	cr_assert_eq(mlx5lm_pair_get_str(pair, key, &text), 0);
	return text;
}

Test(compare, a_pair_says_what_goes_where)
{
	const struct mlx5lm_pair *pair = mlx5lm_comparison_get_pair(comparison, 0);
	const char *text;
	uint64_t ready;

	cr_assert_eq(mlx5lm_comparison_get_verdict(comparison), MLX5LM_VERDICT_COMPATIBLE);
	cr_assert_eq(mlx5lm_comparison_length_pairs(comparison), 1);
	cr_assert_not_null(pair);
	cr_expect_str_eq(str_of(pair, MLX5LM_PAIR_SOURCE), "0000:08:00.2");
	cr_expect_str_eq(str_of(pair, MLX5LM_PAIR_DESTINATION), "0000:08:00.3");
	cr_expect_str_eq(str_of(pair, MLX5LM_PAIR_SOURCE_PF), "0000:08:00.0");
	cr_expect_str_eq(str_of(pair, MLX5LM_PAIR_DESTINATION_PF), "0000:08:00.0");
	cr_expect_eq(mlx5lm_pair_get_u64(pair, MLX5LM_PAIR_READY, &ready), 0);
	cr_expect_eq(ready, MLX5LM_ANSWER_YES);
	cr_expect_eq(mlx5lm_pair_get_str(pair, MLX5LM_PAIR_REMEDY, &text), -ENODATA);
	cr_expect_eq(mlx5lm_pair_get_str(pair, MLX5LM_PAIR_READY, &text), -EINVAL);
	cr_expect_eq(mlx5lm_pair_get_u64(pair, MLX5LM_PAIR_SOURCE, &ready), -EINVAL);
	cr_expect_null(mlx5lm_comparison_get_pair(comparison, 1));
}

Test(compare, the_side_that_should_change_is_a_text)
{
	struct mlx5lm_comparison *other = NULL;
	const struct mlx5lm_findings *findings;
	const char *id = "", *side = NULL;

	set_text(&destination->pfs[0].fw_running, "28.42.1000");
	set_text(&destination->pfs[0].fw_stored, "28.42.1000");
	cr_assert_eq(mlx5lm_compare(source, destination, NULL, &other, NULL), 0);
	findings = mlx5lm_comparison_get_findings(other);
	for (size_t i = 0; !streq(id, "firmware.version"); i++) {
		const struct mlx5lm_finding *finding = mlx5lm_findings_get(findings, i);

		cr_assert_not_null(finding);
		cr_assert_eq(mlx5lm_finding_get_str(finding, MLX5LM_FINDING_ID, &id), 0);
		if (streq(id, "firmware.version"))
			cr_assert_eq(mlx5lm_finding_get_str(finding, MLX5LM_FINDING_SIDE, &side),
				     0);
	}
	cr_expect_str_eq(side, "source");
	mlx5lm_comparison_free(other);
}

static const char domain_xml[] =
	"<domain type='kvm'><name>guest</name><uuid>6f0e4bb1-6d3a-4b7a-9c6c-0a4a5a1f0001</uuid>"
	"<memory unit='GiB'>4</memory><os><type arch='x86_64'>hvm</type></os><devices>"
	"<hostdev mode='subsystem' type='pci' managed='no'><source><address domain='0x0000' "
	"bus='0x08' slot='0x00' function='0x2'/></source></hostdev></devices></domain>";

Test(compare, the_options_keep_a_copy_of_the_domain)
{
	struct mlx5lm_compare_options *options = NULL;
	struct mlx5lm_comparison *other = NULL;
	struct mlx5lm_domain *domain = NULL;
	const char *xml = NULL;

	cr_assert_eq(mlx5lm_domain_parse(domain_xml, strlen(domain_xml), &domain, NULL), 0);
	cr_assert_eq(mlx5lm_compare_options_new(&options), 0);
	cr_assert_eq(mlx5lm_compare_options_set_domain(options, domain), 0);
	mlx5lm_domain_free(domain);
	cr_assert_eq(mlx5lm_compare(source, destination, options, &other, NULL), 0);
	cr_assert_eq(mlx5lm_comparison_get_destination_xml(other, &xml), 0);
	cr_expect(strstr(xml, "function='0x3'"), "%s", xml);
	cr_expect_eq(mlx5lm_comparison_get_destination_xml(comparison, &xml), -ENODATA);
	mlx5lm_comparison_free(other);
	other = NULL;
	/* Without it, it is as before. */
	cr_assert_eq(mlx5lm_compare_options_set_domain(options, NULL), 0);
	cr_assert_eq(mlx5lm_compare(source, destination, options, &other, NULL), 0);
	cr_expect_eq(mlx5lm_comparison_get_destination_xml(other, &xml), -ENODATA);
	mlx5lm_comparison_free(other);
	mlx5lm_compare_options_free(options);
}

/* How many VFs of a source with one are paired. */
static size_t pairs_with(const struct mlx5lm_compare_options *options)
{
	struct mlx5lm_comparison *other = NULL;
	size_t length;

	cr_assert_eq(mlx5lm_compare(source, destination, options, &other, NULL), 0);
	length = mlx5lm_comparison_length_pairs(other);
	mlx5lm_comparison_free(other);
	return length;
}

Test(compare, each_option_reaches_the_pairing)
{
	struct mlx5lm_compare_options *options = NULL;

	cr_assert_eq(mlx5lm_compare_options_new(&options), 0);
	cr_expect_eq(pairs_with(options), 1);
	/* Only .3 is ready, and .2 can be made so. */
	cr_expect_eq(mlx5lm_compare_options_exclude_vf(options, "08:00.3"), 0);
	cr_expect_eq(mlx5lm_compare_options_exclude_vf(options, "0000:08:00.3"), 0);
	cr_expect_eq(pairs_with(options), 0);
	cr_expect_eq(mlx5lm_compare_options_set_makeable(options, 1), 0);
	cr_expect_eq(pairs_with(options), 1);
	cr_expect_eq(mlx5lm_compare_options_set_destination_pf(options, "0000:09:00.0"), 0);
	cr_expect_eq(pairs_with(options), 0);
	cr_expect_eq(mlx5lm_compare_options_set_destination_pf(options, NULL), 0);
	cr_expect_eq(pairs_with(options), 1);
	source->pfs[0].numa_node = fact_u64(0);
	destination->pfs[0].numa_node = fact_u64(1);
	cr_expect_eq(mlx5lm_compare_options_set_numa_policy(options,
							    MLX5LM_NUMA_POLICY_REQUIRE), 0);
	cr_expect_eq(pairs_with(options), 0);
	cr_expect_eq(mlx5lm_compare_options_set_numa_policy(options, MLX5LM_NUMA_POLICY_IGNORE),
		     0);
	cr_expect_eq(pairs_with(options), 1);
	mlx5lm_compare_options_free(options);
}

Test(compare, a_chosen_vf_is_chosen_until_it_is_left_to_the_library_again)
{
	struct mlx5lm_compare_options *options = NULL;

	cr_assert_eq(mlx5lm_compare_options_new(&options), 0);
	/* One that is not there. */
	cr_expect_eq(mlx5lm_compare_options_set_vf(options, "0000:08:00.2", "0000:08:01.0"), 0);
	cr_expect_eq(pairs_with(options), 0);
	cr_expect_eq(mlx5lm_compare_options_set_vf(options, "0000:08:00.4", "08:01.0"), -EINVAL);
	cr_expect_eq(mlx5lm_compare_options_set_vf(options, "08:00.2", "0000:08:00.3"), 0);
	cr_expect_eq(pairs_with(options), 1);
	cr_expect_eq(mlx5lm_compare_options_set_vf(options, "0000:08:00.2", "0000:08:00.3"), 0);
	cr_expect_eq(pairs_with(options), 1);
	cr_expect_eq(mlx5lm_compare_options_set_vf(options, "0000:08:00.2", NULL), 0);
	cr_expect_eq(mlx5lm_compare_options_set_vf(options, "0000:08:00.2", NULL), 0);
	cr_expect_eq(pairs_with(options), 1);
	mlx5lm_compare_options_free(options);
}

Test(compare, wrong_options_are_refused)
{
	struct mlx5lm_compare_options *options = NULL;
	struct mlx5lm_text *text = NULL;

	cr_assert_eq(mlx5lm_compare_options_new(&options), 0);
	cr_expect_eq(mlx5lm_compare_options_set_vf(options, "nonsense", "0000:08:00.3"), -EINVAL);
	cr_expect_eq(mlx5lm_compare_options_set_vf(options, "0000:08:00.3", "nonsense"), -EINVAL);
	cr_expect_eq(mlx5lm_compare_options_set_vf(NULL, "0000:08:00.3", NULL), -EINVAL);
	cr_expect_eq(mlx5lm_compare_options_exclude_vf(options, "0000:08:00"), -EINVAL);
	cr_expect_eq(mlx5lm_compare_options_exclude_vf(options, NULL), -EINVAL);
	cr_expect_eq(mlx5lm_compare_options_set_destination_pf(options, ""), -EINVAL);
	cr_expect_eq(mlx5lm_compare_options_set_numa_policy(options, MLX5LM_NUMA_POLICY_UNKNOWN),
		     -EINVAL);
	cr_expect_eq(mlx5lm_compare_options_set_numa_policy(options,
							    (enum mlx5lm_numa_policy)77), -EINVAL);
	cr_expect_eq(mlx5lm_compare_options_set_makeable(options, 2), -EINVAL);
	cr_expect_eq(mlx5lm_compare_options_set_migrate_flags(NULL, 0), -EINVAL);
	cr_expect_eq(mlx5lm_compare_options_set_migrate_flags(options, 1), 0);
	cr_expect_eq(mlx5lm_compare_options_set_domain(NULL, NULL), -EINVAL);
	cr_expect_eq(mlx5lm_compare_options_new(NULL), -EINVAL);
	cr_expect_eq(mlx5lm_comparison_serialize(comparison, MLX5LM_FORMAT_UNKNOWN, &text),
		     -EINVAL);
	mlx5lm_compare_options_free(options);
	mlx5lm_compare_options_free(NULL);
}

Test(compare, a_result_outlives_what_it_was_made_from)
{
	struct mlx5lm_text *text = NULL;

	mlx5lm_host_free(source);
	mlx5lm_host_free(destination);
	source = destination = NULL;
	cr_assert_eq(mlx5lm_comparison_serialize(comparison, MLX5LM_FORMAT_JSON, &text), 0);
	cr_expect(strstr(mlx5lm_text_get_str(text), "\"verdict\": \"compatible\""));
	mlx5lm_text_free(text);
	text = NULL;
	cr_assert_eq(mlx5lm_comparison_serialize(comparison, MLX5LM_FORMAT_TEXT, &text), 0);
	cr_expect_eq(strncmp(mlx5lm_text_get_str(text), "COMPATIBLE: ", 12), 0);
	mlx5lm_text_free(text);
}

Test(compare, names_exist_for_all_values)
{
	cr_expect_str_eq(mlx5lm_verdict_str(MLX5LM_VERDICT_INCOMPATIBLE), "incompatible");
	cr_expect_str_eq(mlx5lm_verdict_str((enum mlx5lm_verdict)77), "unknown");
	cr_expect_str_eq(mlx5lm_status_str((enum mlx5lm_status)77), "unknown");
	cr_expect_str_eq(mlx5lm_status_str(MLX5LM_STATUS_FAIL), "fail");
}

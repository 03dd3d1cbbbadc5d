// SPDX-License-Identifier: LGPL-2.1-or-later
#include <criterion/criterion.h>

#include "compare_support.h"
#include "core/compare_internal.h"
#include "support/hosts.h"

static const struct mlx5lm_finding *find(const struct two_hosts *hosts, const char *id)
{
	const struct mlx5lm_finding *finding = find_id(&hosts->comparison, id);

	cr_assert_not_null(finding, "no finding %s", id);
	return finding;
}

static const char *remedy_of(const struct two_hosts *hosts, const char *id)
{
	const char *remedy = find(hosts, id)->text[MLX5LM_FINDING_REMEDY];

	cr_assert_not_null(remedy, "%s has no remedy", id);
	return remedy;
}

/* Compares, expects a blocker with this id and the verdict that follows, and ends. */
static void expect_blocker(struct two_hosts *hosts, const char *id)
{
	compare_both(hosts);
	cr_expect_eq(find(hosts, id)->status, MLX5LM_STATUS_FAIL);
	cr_expect_eq(hosts->comparison.verdict, MLX5LM_VERDICT_INCOMPATIBLE);
	two_hosts_release(hosts);
}

Test(compare, equal_hosts_are_compatible_and_their_vfs_are_paired_by_index)
{
	struct two_hosts hosts = ready_hosts(2, 2);

	compare_both(&hosts);
	cr_assert_eq(hosts.comparison.verdict, MLX5LM_VERDICT_COMPATIBLE);
	cr_assert_eq(hosts.comparison.pairing.num_pairs, 2);
	cr_expect_str_eq(hosts.comparison.pairing.pairs[1].source, "0000:08:00.3");
	cr_expect_str_eq(hosts.comparison.pairing.pairs[1].destination, "0000:08:00.3");
	two_hosts_release(&hosts);
}

Test(compare, another_psid_blocks)
{
	struct two_hosts hosts = ready_hosts(1, 1);

	set_text(&hosts.destination->pfs[0].psid, "MT_0000000999");
	expect_blocker(&hosts, "firmware.psid");
}

Test(compare, other_firmware_blocks_and_the_older_side_is_to_move)
{
	struct two_hosts hosts = ready_hosts(1, 1);
	const char *remedy;

	set_text(&hosts.destination->pfs[0].fw_running, "28.39.1002");
	set_text(&hosts.destination->pfs[0].fw_stored, "28.39.1002");
	compare_both(&hosts);
	remedy = remedy_of(&hosts, "firmware.version");
	cr_expect(strstr(remedy, "update the destination"), "%s", remedy);
	cr_expect(strstr(remedy, "from 28.39.1002 to 28.41.1000"), "%s", remedy);
	cr_expect_eq(hosts.comparison.pairing.num_pairs, 0);
	set_text(&hosts.destination->pfs[0].fw_running, "28.42.1000");
	set_text(&hosts.destination->pfs[0].fw_stored, "28.42.1000");
	compare_both(&hosts);
	remedy = remedy_of(&hosts, "firmware.version");
	cr_expect(strstr(remedy, "update the source"), "%s", remedy);
	two_hosts_release(&hosts);
}

Test(compare, another_device_blocks)
{
	struct two_hosts hosts = ready_hosts(1, 1);

	hosts.destination->pfs[0].device_id = fact_u64(0xa2dc);
	expect_blocker(&hosts, "adapter.device_id");
}

Test(compare, the_same_host_twice_blocks)
{
	struct two_hosts hosts = ready_hosts(1, 1);

	set_text(&hosts.destination->libvirt_uuid, "a");
	expect_blocker(&hosts, "host.same");
}

Test(compare, unknown_firmware_is_unknown_not_different)
{
	struct two_hosts hosts = ready_hosts(1, 1);

	set_text(&hosts.destination->pfs[0].fw_running, NULL);
	compare_both(&hosts);
	cr_expect_eq(find(&hosts, "firmware.version")->status, MLX5LM_STATUS_UNKNOWN);
	cr_expect_eq(hosts.comparison.verdict, MLX5LM_VERDICT_UNKNOWN);
	two_hosts_release(&hosts);
}

Test(compare, a_destination_vf_in_use_is_not_free)
{
	struct two_hosts hosts = ready_hosts(1, 1);

	set_text(&hosts.source->pfs[0].vfs[0].in_use_by, "guest");
	set_text(&hosts.destination->pfs[0].vfs[0].in_use_by, "other");
	expect_blocker(&hosts, "vf.free");
}

Test(compare, a_source_vf_nobody_uses_needs_no_counterpart)
{
	struct two_hosts hosts = ready_hosts(2, 1);

	compare_both(&hosts);
	cr_expect_eq(find(&hosts, "vf.free")->status, MLX5LM_STATUS_WARN);
	cr_expect_eq(hosts.comparison.verdict, MLX5LM_VERDICT_COMPATIBLE);
	cr_expect_eq(hosts.comparison.pairing.num_pairs, 1);
	two_hosts_release(&hosts);
}

Test(compare, a_destination_vf_is_given_away_once)
{
	struct two_hosts hosts = ready_hosts(2, 2);

	/* Index 0 at the destination is not ready: VF 0 takes the first that is, VF 1 has none. */
	set_text(&hosts.destination->pfs[0].vfs[0].driver, "mlx5_core");
	compare_both(&hosts);
	cr_assert_eq(hosts.comparison.pairing.num_pairs, 1);
	cr_expect_str_eq(hosts.comparison.pairing.pairs[0].source, "0000:08:00.2");
	cr_expect_str_eq(hosts.comparison.pairing.pairs[0].destination, "0000:08:00.3");
	two_hosts_release(&hosts);
}

Test(compare, differing_port_functions_warn)
{
	struct two_hosts hosts = ready_hosts(1, 1);

	hosts.destination->pfs[0].vfs[0].roce = MLX5LM_PORT_ATTR_STATE_DISABLED;
	compare_both(&hosts);
	cr_expect_eq(find(&hosts, "vf.roce")->status, MLX5LM_STATUS_WARN);
	cr_expect_eq(hosts.comparison.verdict, MLX5LM_VERDICT_COMPATIBLE);
	two_hosts_release(&hosts);
}

Test(compare, a_vf_with_other_interrupts_is_left_to_the_others_and_blocks_if_it_cannot)
{
	struct two_hosts hosts = ready_hosts(1, 2);

	hosts.source->pfs[0].vfs[0].msix_count = fact_u64(12);
	hosts.destination->pfs[0].vfs[0].msix_count = fact_u64(5);
	hosts.destination->pfs[0].vfs[1].msix_count = fact_u64(12);
	compare_both(&hosts);
	cr_assert_eq(hosts.comparison.verdict, MLX5LM_VERDICT_COMPATIBLE);
	cr_expect_str_eq(hosts.comparison.pairing.pairs[0].destination, "0000:08:00.3");
	two_hosts_release(&hosts);

	hosts = ready_hosts(1, 1);
	hosts.source->pfs[0].vfs[0].msix_count = fact_u64(12);
	hosts.destination->pfs[0].vfs[0].msix_count = fact_u64(5);
	compare_both(&hosts);
	cr_expect_eq(find(&hosts, "vf.msix_count")->status, MLX5LM_STATUS_FAIL);
	cr_expect_eq(hosts.comparison.verdict, MLX5LM_VERDICT_INCOMPATIBLE);
	two_hosts_release(&hosts);
}

Test(compare, a_vf_that_does_not_log_its_dma_can_come_and_not_go)
{
	struct two_hosts hosts = ready_hosts(1, 1);

	/* Nor can it if the other one does not either. */
	hosts.source->pfs[0].vfs[0].vfio_dirty_tracking = MLX5LM_ANSWER_NO;
	hosts.destination->pfs[0].vfs[0].vfio_dirty_tracking = MLX5LM_ANSWER_NO;
	compare_both(&hosts);
	cr_expect_eq(find(&hosts, "vf.dirty_tracking")->status, MLX5LM_STATUS_FAIL);
	cr_expect_str_eq(find(&hosts, "vf.dirty_tracking")->text[MLX5LM_FINDING_SIDE], "source");
	cr_expect_eq(hosts.comparison.verdict, MLX5LM_VERDICT_INCOMPATIBLE);
	two_hosts_release(&hosts);

	hosts = ready_hosts(1, 1);
	hosts.source->pfs[0].vfs[0].vfio_dirty_tracking = MLX5LM_ANSWER_YES;
	hosts.destination->pfs[0].vfs[0].vfio_dirty_tracking = MLX5LM_ANSWER_NO;
	compare_both(&hosts);
	cr_expect_eq(find(&hosts, "vf.dirty_tracking")->status, MLX5LM_STATUS_WARN);
	cr_expect_eq(hosts.comparison.verdict, MLX5LM_VERDICT_COMPATIBLE);
	two_hosts_release(&hosts);
}

Test(compare, of_two_destination_pfs_the_matching_one_is_taken)
{
	struct two_hosts hosts = ready_hosts(1, 1);
	struct mlx5lm_host *other = ready_host("c", 1);

	/* Move the good PF behind a bad one. */
	set_text(&hosts.destination->pfs[0].psid, "MT_0000000999");
	cr_assert_eq(host_add_pf(hosts.destination, &(struct mlx5lm_pf *){ NULL }), 0);
	hosts.destination->pfs[1] = other->pfs[0];
	other->num_pfs = 0;
	set_text(&hosts.destination->pfs[1].bdf, "0000:09:00.0");
	set_text(&hosts.destination->pfs[1].vfs[0].bdf, "0000:09:00.2");
	compare_both(&hosts);
	cr_assert_eq(hosts.comparison.verdict, MLX5LM_VERDICT_COMPATIBLE);
	cr_expect_str_eq(hosts.comparison.pairing.pairs[0].destination, "0000:09:00.2");
	mlx5lm_host_free(other);
	two_hosts_release(&hosts);
}

Test(compare, a_host_without_adapter_blocks)
{
	struct two_hosts hosts = ready_hosts(1, 1);

	pf_release(&hosts.destination->pfs[0]);
	hosts.destination->num_pfs = 0;
	expect_blocker(&hosts, "adapter.present");
}

Test(compare, the_same_hosts_give_the_same_bytes)
{
	struct two_hosts a = ready_hosts(3, 2), b = ready_hosts(3, 2);
	_cleanup_text_ struct mlx5lm_text *x = NULL, *y = NULL;

	compare_both(&a);
	compare_both(&b);
	cr_assert_eq(comparison_to_json_text(&a.comparison, &x), 0);
	cr_assert_eq(comparison_to_json_text(&b.comparison, &y), 0);
	cr_assert_str_eq(x->text, y->text);
	two_hosts_release(&a);
	two_hosts_release(&b);
}

Test(compare, a_host_with_itself_is_refused)
{
	_cleanup_host_ struct mlx5lm_host *host = fully_known_host("a", 2);
	_cleanup_comparison_ struct mlx5lm_comparison comparison = { 0 };

	cr_assert_eq(compare_hosts(host, host, NULL, &comparison, NULL), 0);
	cr_assert_not_null(find_id(&comparison, "host.same"));
	cr_expect_eq(find_id(&comparison, "host.same")->status, MLX5LM_STATUS_FAIL);
	cr_expect_eq(comparison.verdict, MLX5LM_VERDICT_INCOMPATIBLE);
	/* It has what it has: nothing else is against it. */
	for (size_t i = 0; i < comparison.findings.length; i++) {
		const struct mlx5lm_finding *finding = &comparison.findings.items[i];

		cr_expect(finding->status == MLX5LM_STATUS_PASS ||
				  streq(finding->text[MLX5LM_FINDING_ID], "host.same"),
			  "%s", finding->text[MLX5LM_FINDING_ID]);
	}
}

/* Each kind of firmware that waits for a restart on one side or both, and what it leads to. */
Test(compare, stored_firmware_is_told_with_what_it_leads_to)
{
	static const struct {
		const char *running[2], *stored[2], *side, *word;
	} cases[] = {
		{ { "28.41.1", "28.41.1" }, { "28.41.1", "28.42.1" }, "destination",
		  "will differ" },
		{ { "28.41.1", "28.41.1" }, { "28.42.1", "28.41.1" }, "source", "will differ" },
		{ { "28.41.1", "28.41.1" }, { "28.42.1", "28.42.1" }, "both", "the same other" },
		{ { "28.41.1", "28.41.1" }, { "28.42.1", "28.43.1" }, "both", "will differ" },
		{ { "28.42.1", "28.41.1" }, { "28.42.1", "28.42.1" }, "destination",
		  "will be the same" },
		{ { "28.41.1", "28.42.1" }, { "28.42.1", "28.42.1" }, "source",
		  "will be the same" },
		{ { "28.40.1", "28.41.1" }, { "28.40.1", "28.42.1" }, "destination",
		  "still differ" },
		{ { "28.41.1", "28.41.1" }, { NULL, "28.42.1" }, "destination", "after the next" },
	};

	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct two_hosts hosts = ready_hosts(1, 1);
		const struct mlx5lm_finding *finding;

		for (int j = 0; j < 2; j++) {
			struct mlx5lm_pf *pf = j ? hosts.destination->pfs : hosts.source->pfs;

			set_text(&pf->fw_running, cases[i].running[j]);
			set_text(&pf->fw_stored, cases[i].stored[j]);
		}
		compare_both(&hosts);
		finding = find(&hosts, "firmware.pending");
		cr_expect_eq(finding->status, MLX5LM_STATUS_WARN, "case %zu", i);
		cr_expect_str_eq(finding->text[MLX5LM_FINDING_SIDE], cases[i].side, "case %zu", i);
		cr_expect(strstr(finding->text[MLX5LM_FINDING_MESSAGE], cases[i].word),
			  "case %zu: %s", i, finding->text[MLX5LM_FINDING_MESSAGE]);
		if (streq(cases[i].word, "will be the same"))
			cr_expect_str_eq(find(&hosts, "firmware.version")->text[MLX5LM_FINDING_REMEDY],
					 finding->text[MLX5LM_FINDING_REMEDY], "case %zu", i);
		two_hosts_release(&hosts);
	}
}

Test(compare, kernels_that_write_another_format_warn_as_long_as_the_vfs_do_not_tell)
{
	static const struct {
		const char *source, *destination;
		enum mlx5lm_status status;
	} cases[] = {
		{ "6.1.90", "6.1.91", MLX5LM_STATUS_INFO },
		{ "6.1.90", "6.2.1", MLX5LM_STATUS_WARN },
		{ "6.8.9", "6.2.1", MLX5LM_STATUS_INFO },
		{ "6.8.9", "6.9.1", MLX5LM_STATUS_WARN },
		{ "6.12.3", "6.8.0-40-generic", MLX5LM_STATUS_WARN },
		{ "5.14.0-427.el9", "6.12.0-55.el10", MLX5LM_STATUS_WARN },
		{ "6.12.3", "6.12.3", MLX5LM_STATUS_PASS },
		{ "custom", "6.12.3", MLX5LM_STATUS_INFO },
	};

	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct two_hosts hosts = ready_hosts(1, 1);

		set_text(&hosts.source->kernel_release, cases[i].source);
		set_text(&hosts.destination->kernel_release, cases[i].destination);
		compare_both(&hosts);
		cr_expect_eq(find(&hosts, "kernel.version")->status, cases[i].status, "case %zu",
			     i);
		hosts.source->pfs[0].vfs[0].vfio_migration_flags = fact_u64(7);
		hosts.destination->pfs[0].vfs[0].vfio_migration_flags = fact_u64(7);
		compare_both(&hosts);
		cr_expect_neq(find(&hosts, "kernel.version")->status, MLX5LM_STATUS_WARN,
			      "case %zu, flags known", i);
		two_hosts_release(&hosts);
	}
}

Test(compare, a_pf_that_only_one_host_uses_is_nothing_against_them)
{
	struct two_hosts hosts = ready_hosts(1, 1);
	struct mlx5lm_host *other = ready_host("c", 0);

	/* No VFs, and nothing like the other PFs. */
	cr_assert_eq(host_add_pf(hosts.source, &(struct mlx5lm_pf *){ NULL }), 0);
	hosts.source->pfs[1] = other->pfs[0];
	other->num_pfs = 0;
	set_text(&hosts.source->pfs[1].bdf, "0000:09:00.0");
	set_text(&hosts.source->pfs[1].psid, "MT_0000000001");
	compare_both(&hosts);
	cr_expect_eq(hosts.comparison.verdict, MLX5LM_VERDICT_COMPATIBLE);
	cr_expect_null(find_id(&hosts.comparison, "adapter.unpaired"));
	mlx5lm_host_free(other);
	two_hosts_release(&hosts);
}

/* Classes of a fleet are made of these: what is not known has to count, or it would join them. */
Test(compare, rules_that_fail_are_relations_of_equality)
{
	static const struct mlx5lm_host no_host;
	static const struct mlx5lm_pf no_pf;

	for (size_t i = 0; i < num_pf_rules; i++) {
		struct rule_value value = { 0 };

		if (pf_rules[i].differs != MLX5LM_STATUS_FAIL) {
			cr_expect_neq(pf_rules[i].unknown, MLX5LM_STATUS_UNKNOWN, "%s",
				      pf_rules[i].id);
			continue;
		}
		pf_rules[i].get(&no_host, &no_pf, &value);
		cr_expect(value.text || pf_rules[i].unknown == MLX5LM_STATUS_UNKNOWN, "%s",
			  pf_rules[i].id);
		cr_expect(pf_rules[i].mend || pf_rules[i].change == RULE_FIXED, "%s",
			  pf_rules[i].id);
	}
}

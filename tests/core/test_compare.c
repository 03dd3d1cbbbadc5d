// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/compare.h"

#include <criterion/criterion.h>

#include "support/hosts.h"

struct pair_of_hosts {
	struct mlx5lm_host *source, *destination;
	struct mlx5lm_comparison comparison;
};

static struct pair_of_hosts two_hosts(size_t source_vfs, size_t destination_vfs)
{
	return (struct pair_of_hosts){
		.source = ready_host("a", source_vfs),
		.destination = ready_host("b", destination_vfs),
	};
}

static void compare(struct pair_of_hosts *hosts)
{
	cr_assert_eq(compare_hosts(hosts->source, hosts->destination, &hosts->comparison), 0);
}

static void done(struct pair_of_hosts *hosts)
{
	comparison_release(&hosts->comparison);
	mlx5lm_host_free(hosts->source);
	mlx5lm_host_free(hosts->destination);
}

static const struct mlx5lm_finding *find(const struct pair_of_hosts *hosts, const char *id)
{
	const struct mlx5lm_findings *findings = &hosts->comparison.findings;

	for (size_t i = 0; i < findings->length; i++) {
		if (streq(findings->items[i].text[MLX5LM_FINDING_ID], id))
			return &findings->items[i];
	}
	cr_assert_fail("no finding %s", id);
	return NULL;
}

/* Compares, expects a blocker with this id and the verdict that follows, and ends. */
static void expect_blocker(struct pair_of_hosts *hosts, const char *id)
{
	compare(hosts);
	cr_expect_eq(find(hosts, id)->status, MLX5LM_STATUS_FAIL);
	cr_expect_eq(hosts->comparison.verdict, MLX5LM_VERDICT_INCOMPATIBLE);
	done(hosts);
}

Test(compare, equal_hosts_are_compatible_and_their_vfs_are_paired_by_index)
{
	struct pair_of_hosts hosts = two_hosts(2, 2);

	compare(&hosts);
	cr_assert_eq(hosts.comparison.verdict, MLX5LM_VERDICT_COMPATIBLE);
	cr_assert_eq(hosts.comparison.num_pairs, 2);
	cr_expect_str_eq(hosts.comparison.pairs[1].source, "0000:08:00.3");
	cr_expect_str_eq(hosts.comparison.pairs[1].destination, "0000:08:00.3");
	done(&hosts);
}

Test(compare, another_psid_blocks)
{
	struct pair_of_hosts hosts = two_hosts(1, 1);

	set_text(&hosts.destination->pfs[0].psid, "MT_0000000999");
	expect_blocker(&hosts, "firmware.psid");
}

Test(compare, other_firmware_blocks_and_the_older_side_is_to_move)
{
	struct pair_of_hosts hosts = two_hosts(1, 1);
	const char *remedy;

	set_text(&hosts.destination->pfs[0].fw_running, "28.39.1002");
	compare(&hosts);
	remedy = find(&hosts, "firmware.version")->text[MLX5LM_FINDING_REMEDY];
	cr_expect(strstr(remedy, "update the destination"), "%s", remedy);
	cr_expect(strstr(remedy, "from 28.39.1002 to 28.41.1000"), "%s", remedy);
	cr_expect_eq(hosts.comparison.num_pairs, 0);
	comparison_release(&hosts.comparison);
	set_text(&hosts.destination->pfs[0].fw_running, "28.42.1000");
	compare(&hosts);
	remedy = find(&hosts, "firmware.version")->text[MLX5LM_FINDING_REMEDY];
	cr_expect(strstr(remedy, "update the source"), "%s", remedy);
	done(&hosts);
}

Test(compare, another_device_blocks)
{
	struct pair_of_hosts hosts = two_hosts(1, 1);

	hosts.destination->pfs[0].device_id = fact_u64(0xa2dc);
	expect_blocker(&hosts, "adapter.device_id");
}

Test(compare, the_same_host_twice_blocks)
{
	struct pair_of_hosts hosts = two_hosts(1, 1);

	set_text(&hosts.destination->libvirt_uuid, "a");
	expect_blocker(&hosts, "host.same");
}

Test(compare, unknown_firmware_is_unknown_not_different)
{
	struct pair_of_hosts hosts = two_hosts(1, 1);

	set_text(&hosts.destination->pfs[0].fw_running, NULL);
	compare(&hosts);
	cr_expect_eq(find(&hosts, "firmware.version")->status, MLX5LM_STATUS_UNKNOWN);
	cr_expect_eq(hosts.comparison.verdict, MLX5LM_VERDICT_UNKNOWN);
	done(&hosts);
}

Test(compare, a_destination_vf_in_use_is_not_free)
{
	struct pair_of_hosts hosts = two_hosts(1, 1);

	set_text(&hosts.source->pfs[0].vfs[0].in_use_by, "guest");
	set_text(&hosts.destination->pfs[0].vfs[0].in_use_by, "other");
	expect_blocker(&hosts, "vf.free");
}

Test(compare, a_source_vf_nobody_uses_needs_no_counterpart)
{
	struct pair_of_hosts hosts = two_hosts(2, 1);

	compare(&hosts);
	cr_expect_eq(find(&hosts, "vf.free")->status, MLX5LM_STATUS_WARN);
	cr_expect_eq(hosts.comparison.verdict, MLX5LM_VERDICT_COMPATIBLE);
	cr_expect_eq(hosts.comparison.num_pairs, 1);
	done(&hosts);
}

Test(compare, a_destination_vf_is_given_away_once)
{
	struct pair_of_hosts hosts = two_hosts(2, 2);

	/* Index 0 at the destination is not ready: VF 0 takes the first that is, VF 1 has none. */
	set_text(&hosts.destination->pfs[0].vfs[0].driver, "mlx5_core");
	compare(&hosts);
	cr_assert_eq(hosts.comparison.num_pairs, 1);
	cr_expect_str_eq(hosts.comparison.pairs[0].source, "0000:08:00.2");
	cr_expect_str_eq(hosts.comparison.pairs[0].destination, "0000:08:00.3");
	done(&hosts);
}

Test(compare, differing_port_functions_warn)
{
	struct pair_of_hosts hosts = two_hosts(1, 1);

	hosts.destination->pfs[0].vfs[0].roce = MLX5LM_PORT_ATTR_STATE_DISABLED;
	hosts.destination->pfs[0].vfs[0].msix_count = fact_u64(5);
	compare(&hosts);
	cr_expect_eq(find(&hosts, "vf.roce")->status, MLX5LM_STATUS_WARN);
	cr_expect_eq(find(&hosts, "vf.msix_count")->status, MLX5LM_STATUS_WARN);
	cr_expect_eq(hosts.comparison.verdict, MLX5LM_VERDICT_COMPATIBLE);
	done(&hosts);
}

Test(compare, of_two_destination_pfs_the_matching_one_is_taken)
{
	struct pair_of_hosts hosts = two_hosts(1, 1);
	struct mlx5lm_host *other = ready_host("c", 1);

	/* Move the good PF behind a bad one. */
	set_text(&hosts.destination->pfs[0].psid, "MT_0000000999");
	cr_assert_eq(host_add_pf(hosts.destination, &(struct mlx5lm_pf *){ NULL }), 0);
	hosts.destination->pfs[1] = other->pfs[0];
	other->num_pfs = 0;
	set_text(&hosts.destination->pfs[1].bdf, "0000:09:00.0");
	set_text(&hosts.destination->pfs[1].vfs[0].bdf, "0000:09:00.2");
	compare(&hosts);
	cr_assert_eq(hosts.comparison.verdict, MLX5LM_VERDICT_COMPATIBLE);
	cr_expect_str_eq(hosts.comparison.pairs[0].destination, "0000:09:00.2");
	mlx5lm_host_free(other);
	done(&hosts);
}

Test(compare, a_host_without_adapter_blocks)
{
	struct pair_of_hosts hosts = two_hosts(1, 1);

	pf_release(&hosts.destination->pfs[0]);
	hosts.destination->num_pfs = 0;
	expect_blocker(&hosts, "adapter.present");
}

Test(compare, the_same_hosts_give_the_same_bytes)
{
	struct pair_of_hosts a = two_hosts(3, 2), b = two_hosts(3, 2);
	_cleanup_text_ struct mlx5lm_text *x = NULL, *y = NULL;

	compare(&a);
	compare(&b);
	cr_assert_eq(comparison_to_text(&a.comparison, &x), 0);
	cr_assert_eq(comparison_to_text(&b.comparison, &y), 0);
	cr_assert_str_eq(x->text, y->text);
	done(&a);
	done(&b);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/check.h"

#include <criterion/criterion.h>

#include "support/hosts.h"

static const struct mlx5lm_finding *find(const struct mlx5lm_findings *findings, const char *id)
{
	for (size_t i = 0; i < findings->length; i++) {
		if (streq(findings->items[i].text[MLX5LM_FINDING_ID], id))
			return &findings->items[i];
	}
	cr_assert_fail("no finding %s", id);
	return NULL;
}

/* Checks host, expects this status of this finding, and a remedy if it is in the way. */
static void expect(struct mlx5lm_host *host, const char *id, enum mlx5lm_status status)
{
	struct mlx5lm_findings findings = { 0 };
	const struct mlx5lm_finding *finding;

	cr_assert_eq(check_host(host, profile_find(NULL), NULL, &findings), 0);
	finding = find(&findings, id);
	cr_expect_eq(finding->status, status, "%s is %s", id, status_names[finding->status]);
	if (status != MLX5LM_STATUS_PASS && status != MLX5LM_STATUS_INFO)
		cr_expect(finding->text[MLX5LM_FINDING_REMEDY], "%s has no remedy", id);
	if (status == MLX5LM_STATUS_FAIL)
		cr_expect_eq(findings_status(&findings), MLX5LM_STATUS_FAIL);
	findings_release(&findings);
	mlx5lm_host_free(host);
}

Test(check, a_ready_host_passes_in_everything)
{
	struct mlx5lm_host *host = ready_host("a", 2);
	struct mlx5lm_findings findings = { 0 };

	cr_assert_eq(check_host(host, profile_find(NULL), NULL, &findings), 0);
	for (size_t i = 0; i < findings.length; i++)
		cr_expect_eq(findings.items[i].status, MLX5LM_STATUS_PASS, "%s",
			     findings.items[i].text[MLX5LM_FINDING_ID]);
	cr_assert_eq(findings_status(&findings), MLX5LM_STATUS_PASS);
	findings_release(&findings);
	mlx5lm_host_free(host);
}

Test(check, an_empty_host_fails_and_everything_is_still_looked_at)
{
	struct mlx5lm_findings findings = { 0 };
	struct mlx5lm_host *host;

	cr_assert_eq(host_new(&host), 0);
	cr_assert_eq(check_host(host, profile_find(NULL), NULL, &findings), 0);
	cr_expect_eq(find(&findings, "adapter.present")->status, MLX5LM_STATUS_FAIL);
	cr_expect_eq(find(&findings, "kernel.version")->status, MLX5LM_STATUS_UNKNOWN);
	cr_expect_eq(find(&findings, "iommu.active")->status, MLX5LM_STATUS_UNKNOWN);
	cr_expect_eq(find(&findings, "qemu.version")->status, MLX5LM_STATUS_UNKNOWN);
	findings_release(&findings);
	mlx5lm_host_free(host);
}

Test(check, an_old_kernel_only_warns)
{
	struct mlx5lm_host *host = ready_host("a", 1);

	set_text(&host->kernel_release, "5.14.0-427.el9.x86_64");
	expect(host, "kernel.version", MLX5LM_STATUS_WARN);
}

Test(check, a_kernel_without_the_variant_driver_fails)
{
	struct mlx5lm_host *host = ready_host("a", 1);

	host->modules[1].state = MLX5LM_MODULE_MISSING;
	expect(host, "module.mlx5_vfio_pci", MLX5LM_STATUS_FAIL);
}

Test(check, an_inactive_iommu_fails)
{
	struct mlx5lm_host *host = ready_host("a", 1);

	host->iommu_active = MLX5LM_ANSWER_NO;
	expect(host, "iommu.active", MLX5LM_STATUS_FAIL);
}

Test(check, firmware_below_the_floor_of_its_branch_fails)
{
	struct mlx5lm_host *host = ready_host("a", 1);

	set_text(&host->pfs[0].fw_running, "28.9.1000");
	expect(host, "firmware.version", MLX5LM_STATUS_FAIL);
	/* 32.41.1000 is the floor of BlueField-3. */
	host = ready_host("a", 1);
	host->pfs[0].device_id = fact_u64(0xa2dc);
	set_text(&host->pfs[0].fw_running, "32.39.1000");
	expect(host, "firmware.version", MLX5LM_STATUS_FAIL);
}

Test(check, firmware_that_waits_for_a_reset_warns)
{
	struct mlx5lm_host *host = ready_host("a", 1);

	set_text(&host->pfs[0].fw_stored, "28.42.1000");
	expect(host, "firmware.pending", MLX5LM_STATUS_WARN);
}

Test(check, an_adapter_the_vendor_does_not_list_warns_and_others_fail)
{
	struct mlx5lm_host *host = ready_host("a", 1);

	host->pfs[0].device_id = fact_u64(0x101d);
	expect(host, "adapter.model", MLX5LM_STATUS_WARN);
	host = ready_host("a", 1);
	host->pfs[0].device_id = fact_u64(0x1017);
	expect(host, "adapter.model", MLX5LM_STATUS_FAIL);
}

Test(check, infiniband_fails)
{
	struct mlx5lm_host *host = ready_host("a", 1);

	host->pfs[0].class_code = fact_u64(0x020700);
	expect(host, "adapter.link_type", MLX5LM_STATUS_FAIL);
}

Test(check, legacy_mode_fails_and_an_unreadable_mode_is_unknown)
{
	struct mlx5lm_host *host = bare_host("a");

	expect(host, "eswitch.mode", MLX5LM_STATUS_FAIL);
	host = bare_host("a");
	host->pfs[0].eswitch_mode = MLX5LM_ESWITCH_UNKNOWN;
	expect(host, "eswitch.mode", MLX5LM_STATUS_UNKNOWN);
}

Test(check, a_host_without_vfs_fails)
{
	expect(bare_host("a"), "vf.ready", MLX5LM_STATUS_FAIL);
}

Test(check, one_unfit_vf_of_two_warns_and_the_host_is_ready)
{
	struct mlx5lm_host *host = ready_host("a", 2);

	set_text(&host->pfs[0].vfs[1].driver, "vfio-pci");
	expect(host, "vf.unfit", MLX5LM_STATUS_WARN);
	host = ready_host("a", 2);
	set_text(&host->pfs[0].vfs[1].driver, "vfio-pci");
	expect(host, "vf.ready", MLX5LM_STATUS_PASS);
}

Test(check, only_unfit_vfs_fail)
{
	struct mlx5lm_host *host = ready_host("a", 1);

	host->pfs[0].vfs[0].migratable = MLX5LM_PORT_ATTR_STATE_DISABLED;
	expect(host, "vf.ready", MLX5LM_STATUS_FAIL);
}

Test(check, a_profile_is_found_by_name_or_not_at_all)
{
	cr_assert_eq(profile_find("nvidia-doca-2.9"), profile_find(NULL));
	cr_assert_null(profile_find("none"));
}

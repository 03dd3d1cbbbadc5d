// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/check.h"

#include <errno.h>

#include "support/checks.h"
#include "support/full_host.h"

#define PF "0000:08:00.0"
#define VF0 "0000:08:00.2"
#define VF1 "0000:08:00.3"

Test(check, a_ready_host_passes_and_nothing_is_in_the_way)
{
	struct mlx5lm_host *host = ready_host("a", 2);
	struct mlx5lm_findings findings = checked(host, NULL, NULL);

	for (size_t i = 0; i < findings.length; i++)
		cr_expect(findings.items[i].status == MLX5LM_STATUS_PASS ||
			  findings.items[i].status == MLX5LM_STATUS_INFO, "%s",
			  findings.items[i].text[MLX5LM_FINDING_ID]);
	cr_assert_eq(findings_status(&findings), MLX5LM_STATUS_PASS);
	findings_release(&findings);
	mlx5lm_host_free(host);
}

Test(check, a_host_that_is_not_configured_has_two_things_to_do)
{
	expect_problems(bare_host("a"), "fail eswitch.mode " PF ", fail vf.ready " PF);
}

Test(check, an_empty_host_fails_and_everything_is_still_looked_at)
{
	struct mlx5lm_host *host;

	cr_assert_eq(host_new(&host), 0);
	expect_problems(host,
			"unknown kernel.version host, unknown module.mlx5_core host, "
			"unknown module.vfio host, unknown module.vfio_pci host, "
			"unknown module.mlx5_vfio_pci host, unknown module.vfio_backend host, "
			"unknown iommu.active host, unknown libvirt.connection host, "
			"fail adapter.present host");
}

Test(check, five_faults_are_five_failures_and_the_rest_is_looked_at)
{
	struct mlx5lm_host *host = ready_host("a", 1);
	struct mlx5lm_findings findings;

	host->iommu_active = MLX5LM_ANSWER_NO;
	host->modules[1].state = MLX5LM_MODULE_MISSING;
	host->qemu_version = fact_u64(7002000);
	set_text(&host->pfs[0].fw_running, "28.39.2048");
	host->pfs[0].eswitch_mode = MLX5LM_ESWITCH_LEGACY;
	host->pfs[0].vfs[0].migratable = MLX5LM_PORT_ATTR_STATE_UNKNOWN;
	host->pfs[0].fw_stored = (free(host->pfs[0].fw_stored), NULL);
	findings = checked(host, NULL, NULL);
	cr_expect_eq(find_finding(&findings, "firmware.psid")->status, MLX5LM_STATUS_PASS);
	cr_expect_eq(find_finding(&findings, "sriov.total_vfs")->status, MLX5LM_STATUS_PASS);
	cr_expect_eq(find_finding(&findings, "vf.ready")->status, MLX5LM_STATUS_INFO);
	findings_release(&findings);
	expect_problems(host, "fail module.mlx5_vfio_pci host, fail iommu.active host, "
			      "fail qemu.version host, fail firmware.version " PF
			      ", fail eswitch.mode " PF);
}

Test(check, who_may_nothing_knows_less_and_nothing_fails)
{
	struct mlx5lm_host *host = ready_host("a", 1);
	struct mlx5lm_privilege *privilege;

	host->pfs[0].eswitch_mode = MLX5LM_ESWITCH_UNKNOWN;
	host->pfs[0].eswitch_manager = MLX5LM_ANSWER_UNKNOWN;
	host->pfs[0].vfs[0].msix_count = (struct fact_u64){ 0 };
	cr_assert_eq(host_add_privilege(host, &privilege), 0);
	set_text(&privilege->name, "eswitch-mode");
	set_text(&privilege->needs, "CAP_NET_ADMIN");
	privilege->granted = MLX5LM_ANSWER_NO;
	expect_problems(host, "");
}

Test(check, the_scope_leaves_out_other_functions)
{
	struct mlx5lm_host *host = ready_host("a", 2);
	struct mlx5lm_findings findings;

	set_text(&host->pfs[0].vfs[1].driver, "vfio-pci");
	findings = checked(host, NULL, "08:00.2");
	for (size_t i = 0; i < findings.length; i++)
		cr_expect_str_neq(findings.items[i].text[MLX5LM_FINDING_OBJECT], VF1);
	cr_expect(find_finding(&findings, "kernel.version"));
	cr_expect(find_finding(&findings, "firmware.version"));
	cr_expect_str_eq(find_finding(&findings, "vf.ready")->text[MLX5LM_FINDING_OBJECT], VF0);
	cr_expect_str_eq(find_finding(&findings, "vf.ready")->text[MLX5LM_FINDING_SCOPE], "vf");
	findings_release(&findings);
	expect_problems_in(host, NULL, VF1, "fail vf.ready " VF1 ", warn vf.bad_bind " VF1);
}

Test(check, the_scope_may_be_a_pf_or_the_host)
{
	struct mlx5lm_pf *pf;
	struct mlx5lm_vf *vf;
	struct mlx5lm_host *host = ready_host("a", 1);
	struct mlx5lm_findings findings;

	cr_assert_eq(host_add_pf(host, &pf), 0);
	set_text(&pf->bdf, "0000:09:00.0");
	pf->sriov_num_vfs = fact_u64(1);
	cr_assert_eq(pf_add_vf(pf, &vf), 0);
	set_text(&vf->bdf, "0000:09:00.2");
	findings = checked(host, NULL, PF);
	cr_expect_eq(findings_status(&findings), MLX5LM_STATUS_PASS);
	findings_release(&findings);
	findings = checked(host, NULL, "host");
	cr_expect_eq(findings_status(&findings), MLX5LM_STATUS_FAIL);
	findings_release(&findings);
	mlx5lm_host_free(host);
}

Test(check, a_pf_without_vfs_makes_no_host_unfit_that_has_ready_ones)
{
	struct mlx5lm_pf *pf;
	struct mlx5lm_host *host = ready_host("a", 1);
	struct mlx5lm_findings findings;

	cr_assert_eq(host_add_pf(host, &pf), 0);
	set_text(&pf->bdf, "0000:09:00.0");
	findings = checked(host, NULL, NULL);
	cr_expect_eq(findings_status(&findings), MLX5LM_STATUS_PASS);
	findings_release(&findings);
	findings = checked(host, NULL, "0000:09:00.0");
	cr_expect_eq(findings_status(&findings), MLX5LM_STATUS_FAIL);
	findings_release(&findings);
	set_text(&host->pfs[0].vfs[0].driver, NULL);
	findings = checked(host, NULL, NULL);
	cr_expect_eq(findings_status(&findings), MLX5LM_STATUS_FAIL);
	findings_release(&findings);
	mlx5lm_host_free(host);
}

Test(check, a_function_that_is_not_there_is_no_scope)
{
	struct mlx5lm_host *host = ready_host("a", 1);
	struct mlx5lm_findings findings = { 0 };
	static const char *const scopes[] = { "0000:09:00.0", "", "eth0", "0000:08:00.7" };

	for (size_t i = 0; i < ARRAY_LENGTH(scopes); i++)
		cr_expect_eq(check_host(host, profile_find(NULL), scopes[i], &findings), -ENOENT);
	cr_expect_eq(findings.length, 0);
	mlx5lm_host_free(host);
}

Test(check, findings_come_in_one_order)
{
	struct mlx5lm_host *host = ready_host("a", 2);
	struct mlx5lm_findings findings = checked(host, NULL, NULL);
	int last = 0;

	for (size_t i = 0; i < findings.length; i++) {
		const char *scope = findings.items[i].text[MLX5LM_FINDING_SCOPE];
		int now = streq(scope, "host") ? 0 : streq(scope, "pf") ? 1 : 2;

		cr_expect_geq(now, last, "%s", findings.items[i].text[MLX5LM_FINDING_ID]);
		last = now;
	}
	findings_release(&findings);
	mlx5lm_host_free(host);
}

Test(check, the_evidence_names_the_file_the_attribute_and_the_value)
{
	expect_text(ready_host("a", 1), "kernel.version", PASS, EXPLAIN,
		    "/proc/sys/kernel/osrelease: 6.12.107+deb13-amd64");
	expect_text(ready_host("a", 1), "adapter.model", PASS, EXPLAIN,
		    "/sys/bus/pci/devices/" PF "/device: 4129 (0x1021)");
	expect_text(ready_host("a", 1), "vf.ready", PASS, EXPLAIN,
		    "devlink pci/" PF "/1 DEVLINK_CMD_PORT_GET PORT_FUNCTION(145) CAPS(4) bit 0x2: "
		    "enable\n/sys/bus/pci/devices/" VF0 "/driver: mlx5_vfio_pci");
	expect_text(ready_host("a", 1), "module.mlx5_core", PASS, EXPLAIN,
		    "sysfs, state of mlx5_core: loaded");
}

Test(check, the_evidence_says_why_a_fact_is_not_known)
{
	struct mlx5lm_host *host = ready_host("a", 1);

	host->pfs[0].psid = (free(host->pfs[0].psid), NULL);
	cr_assert_eq(host_add_note(host, PF, "fw_running psid", "devlink: %s", "no such device"), 0);
	expect_text(host, "firmware.psid", UNKNOWN, EXPLAIN,
		    "INFO_VERSION_FIXED(100) fw.psid: not known: devlink: no such device");
}

Test(check, a_note_on_a_vf_comes_before_one_on_its_pf)
{
	struct mlx5lm_host *host = ready_host("a", 1);

	cr_assert_eq(host_add_note(host, "host", "vfio_migration", "for all"), 0);
	cr_assert_eq(host_add_note(host, PF, "vfio_migration", "for the PF"), 0);
	cr_assert_eq(host_add_note(host, VF0, "vfio_migration", "for the VF"), 0);
	expect_text(host, "vf.migration", INFO, EXPLAIN, "not known: for the VF");
}

Test(check, what_a_hostile_snapshot_says_stays_on_its_line_and_out_of_commands)
{
	struct mlx5lm_host *host = ready_host("a", 1);

	set_text(&host->pfs[0].vfs[0].driver, "x; rm -rf /\n\033[2J");
	expect_text(host, "vf.bad_bind", WARN, REMEDY,
		    "echo " VF0 " > /sys/bus/pci/devices/" VF0 "/driver/unbind; ");
	host = ready_host("a", 1);
	set_text(&host->pfs[0].vfs[0].driver, "x\n\033[2J");
	expect_text(host, "vf.bad_bind", WARN, MESSAGE, "bound to x??[2J instead");
}

Test(check, a_host_of_which_everything_is_known_is_checked_in_every_scope)
{
	struct mlx5lm_host *host = full_host(2, 3);
	struct mlx5lm_findings findings = checked(host, "rhel", NULL);

	cr_expect_gt(findings.length, 20);
	findings_release(&findings);
	for (size_t i = 0; i < host->num_pfs; i++) {
		findings = checked(host, NULL, host->pfs[i].bdf);
		cr_expect_gt(findings.length, 20);
		findings_release(&findings);
		findings = checked(host, NULL, host->pfs[i].vfs[2].bdf);
		cr_expect_gt(findings.length, 20);
		findings_release(&findings);
	}
	mlx5lm_host_free(host);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/check.h"

#include "support/checks.h"

#define PF "0000:08:00.0"

static struct mlx5lm_host *host_with_firmware(uint16_t device_id, const char *firmware)
{
	struct mlx5lm_host *host = ready_host("a", 1);

	host->pfs[0].device_id = fact_u64(device_id);
	set_text(&host->pfs[0].fw_running, firmware);
	set_text(&host->pfs[0].fw_stored, firmware);
	return host;
}

/* A parameter of the NV configuration; a negative value is not known. */
static void add_nv(struct mlx5lm_host *host, const char *name, int current, int next)
{
	struct mlx5lm_nv *nv;

	cr_assert_eq(pf_add_nv(&host->pfs[0], &nv), 0);
	set_text(&nv->name, name);
	nv->supported = MLX5LM_ANSWER_YES;
	if (current >= 0)
		nv->current = fact_u64((uint64_t)current);
	if (next >= 0)
		nv->next_boot = fact_u64((uint64_t)next);
}

static void lose(char **text)
{
	free(*text);
	*text = NULL;
}

Test(check_pf, firmware_has_the_minimum_of_its_adapter)
{
	static const struct {
		uint16_t device_id;
		const char *firmware;
		enum mlx5lm_status status;
	} cases[] = {
		{ 0x1021, "28.41.1000", MLX5LM_STATUS_PASS },
		{ 0x1021, "28.9.1000", MLX5LM_STATUS_FAIL },
		{ 0x1021, "28.41.0999", MLX5LM_STATUS_FAIL },
		{ 0x1021, "28.100.1000", MLX5LM_STATUS_PASS },
		{ 0x1021, "32.41.1000", MLX5LM_STATUS_WARN },
		{ 0xa2dc, "32.41.1000", MLX5LM_STATUS_PASS },
		{ 0xa2dc, "32.39.4082", MLX5LM_STATUS_FAIL },
		{ 0x101d, "22.31.1014", MLX5LM_STATUS_INFO },
		{ 0x1021, "unreadable", MLX5LM_STATUS_UNKNOWN },
	};

	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
		expect_finding_in(host_with_firmware(cases[i].device_id, cases[i].firmware), NULL,
				  "firmware.version", cases[i].status, MLX5LM_FINDING_FOUND,
				  cases[i].firmware);
}

Test(check_pf, two_profiles_are_two_verdicts_on_one_host)
{
	expect_problems_in(host_with_firmware(0x1021, "28.36.1010"), "nvidia-doca-2.9", NULL,
			   "fail firmware.version " PF);
	expect_problems_in(host_with_firmware(0x1021, "28.36.1010"), "rhel-10", NULL, "");
	expect_problems_in(host_with_firmware(0xa2dc, "32.41.1000"), "rhel-10", NULL,
			   "warn adapter.model " PF);
}

Test(check_pf, an_adapter_the_vendor_does_not_list_warns_and_others_fail)
{
	expect_problems(host_with_firmware(0x101d, "22.41.1000"), "warn adapter.model " PF);
	expect_status(host_with_firmware(0x1017, "16.35.1000"), "adapter.model", FAIL);
}

Test(check_pf, infiniband_fails)
{
	struct mlx5lm_host *host = ready_host("a", 1);

	host->pfs[0].class_code = fact_u64(0x020700);
	expect_text(host, "adapter.link_type", FAIL, REMEDY,
		    "mstconfig -d " PF " set LINK_TYPE_P1=2");
	host = ready_host("a", 1);
	host->pfs[0].class_code = fact_u64(0x020700);
	add_nv(host, "SRIOV_EN", 1, 1);
	add_nv(host, "NUM_OF_VFS", 8, 8);
	add_nv(host, "VF_MIGRATION_MODE", 2, 2);
	add_nv(host, "LINK_TYPE_P1", 1, 1);
	expect_problems(host, "fail adapter.link_type " PF);
	host = ready_host("a", 1);
	host->pfs[0].class_code = (struct fact_u64){ 0 };
	expect_status(host, "adapter.link_type", UNKNOWN);
}

Test(check_pf, firmware_that_waits_for_a_reset_warns)
{
	struct mlx5lm_host *host = ready_host("a", 1);

	set_text(&host->pfs[0].fw_stored, "28.42.1000");
	expect_problems(host, "warn firmware.pending " PF);
}

Test(check_pf, a_pf_without_its_driver_is_one_failure)
{
	struct mlx5lm_host *host = bare_host("a");

	lose(&host->pfs[0].driver);
	lose(&host->pfs[0].psid);
	lose(&host->pfs[0].fw_running);
	lose(&host->pfs[0].fw_stored);
	host->pfs[0].eswitch_mode = MLX5LM_ESWITCH_UNKNOWN;
	expect_problems(host, "fail pf.driver " PF);
	host = bare_host("a");
	set_text(&host->pfs[0].driver, "vfio-pci");
	expect_text(host, "pf.driver", FAIL, REMEDY,
		    "echo " PF " > /sys/bus/pci/devices/" PF "/driver/unbind");
}

Test(check_pf, a_missing_mlx5_core_is_one_failure)
{
	struct mlx5lm_host *host = bare_host("a");

	host->modules[0].state = MLX5LM_MODULE_MISSING;
	lose(&host->pfs[0].driver);
	lose(&host->pfs[0].psid);
	lose(&host->pfs[0].fw_running);
	expect_problems(host, "fail module.mlx5_core host");
}

Test(check_pf, a_bound_pf_that_tells_nothing_is_unknown)
{
	struct mlx5lm_host *host = ready_host("a", 1);

	lose(&host->pfs[0].psid);
	lose(&host->pfs[0].fw_running);
	expect_problems(host, "unknown firmware.psid " PF ", unknown firmware.version " PF);
}

Test(check_pf, legacy_mode_fails_and_what_follows_from_it_does_not)
{
	struct mlx5lm_host *host = ready_host("a", 2);

	host->pfs[0].eswitch_mode = MLX5LM_ESWITCH_LEGACY;
	for (size_t i = 0; i < 2; i++)
		host->pfs[0].vfs[i].migratable = MLX5LM_PORT_ATTR_STATE_UNKNOWN;
	expect_problems(host, "fail eswitch.mode " PF);
}

Test(check_pf, a_mode_that_cannot_be_read_is_unknown_unless_ports_show_it)
{
	struct mlx5lm_host *host = bare_host("a");

	host->pfs[0].eswitch_mode = MLX5LM_ESWITCH_UNKNOWN;
	expect_problems(host, "unknown eswitch.mode " PF ", fail vf.ready " PF);
	host = ready_host("a", 1);
	host->pfs[0].eswitch_mode = MLX5LM_ESWITCH_UNKNOWN;
	expect_text(host, "eswitch.mode", PASS, FOUND, "switchdev, as VFs have port functions");
	host = ready_host("a", 1);
	host->pfs[0].eswitch_mode = MLX5LM_ESWITCH_SWITCHDEV_INACTIVE;
	expect_status(host, "eswitch.mode", PASS);
}

Test(check_pf, a_dpu_that_manages_the_eswitch_itself_is_one_failure)
{
	struct mlx5lm_host *host = ready_host("a", 1);

	host->pfs[0].eswitch_manager = MLX5LM_ANSWER_NO;
	host->pfs[0].eswitch_mode = MLX5LM_ESWITCH_UNKNOWN;
	host->pfs[0].vfs[0].migratable = MLX5LM_PORT_ATTR_STATE_UNKNOWN;
	expect_problems(host, "fail eswitch.manager " PF);
}

Test(check_pf, a_pf_without_vfs_to_offer_fails_once)
{
	struct mlx5lm_host *host = bare_host("a");

	host->pfs[0].sriov_total_vfs = (struct fact_u64){ 0 };
	expect_problems(host, "fail sriov.total_vfs " PF ", fail eswitch.mode " PF);
	host = bare_host("a");
	host->pfs[0].sriov_total_vfs = fact_u64(0);
	add_nv(host, "SRIOV_EN", 0, 0);
	add_nv(host, "NUM_OF_VFS", 0, 0);
	expect_problems(host, "fail nv.sriov_en " PF ", fail eswitch.mode " PF);
}

Test(check_pf, a_ready_host_needs_no_look_at_its_nv_configuration)
{
	expect_text(ready_host("a", 1), "nv.config", INFO, REMEDY,
		    "mstconfig -d " PF " -e q SRIOV_EN NUM_OF_VFS VF_MIGRATION_MODE");
}

static struct mlx5lm_host *host_with_nv(int sriov, int sriov_next, int mode, int mode_next)
{
	struct mlx5lm_host *host = bare_host("a");

	host->pfs[0].eswitch_mode = MLX5LM_ESWITCH_SWITCHDEV;
	set_text(&host->pfs[0].nv_source, "mstconfig");
	set_text(&host->pfs[0].nv_source_version, "4.31.0");
	add_nv(host, "SRIOV_EN", sriov, sriov_next);
	add_nv(host, "NUM_OF_VFS", 8, 8);
	add_nv(host, "VF_MIGRATION_MODE", mode, mode_next);
	return host;
}

Test(check_pf, nv_parameters_as_wanted_pass)
{
	expect_problems(host_with_nv(1, 1, 2, 2), "fail vf.ready " PF);
	expect_text(host_with_nv(1, 1, 2, 2), "nv.vf_migration_mode", PASS, EXPLAIN,
		    "mstconfig 4.31.0, VF_MIGRATION_MODE of " PF
		    ": default not known, current 2, next boot 2, supported yes");
}

Test(check_pf, nv_parameters_that_wait_for_a_reboot_warn)
{
	struct mlx5lm_host *host = host_with_nv(0, 1, 1, 2);

	host->pfs[0].sriov_total_vfs = (struct fact_u64){ 0 };
	host->pfs[0].nv_pending = MLX5LM_ANSWER_YES;
	expect_problems(host, "warn nv.sriov_en " PF ", warn nv.vf_migration_mode " PF
			      ", fail sriov.total_vfs " PF);
	expect_text(host_with_nv(1, 1, 1, 2), "nv.vf_migration_mode", WARN, REMEDY, "reboot");
	expect_text(host_with_nv(1, 1, 2, 1), "nv.vf_migration_mode", WARN, REMEDY,
		    "set VF_MIGRATION_MODE=2, before the next reboot");
}

Test(check_pf, nv_parameters_that_are_off_fail_with_the_command)
{
	expect_text(host_with_nv(1, 1, 1, 1), "nv.vf_migration_mode", FAIL, REMEDY,
		    "mstconfig -d " PF " set VF_MIGRATION_MODE=2, then reboot");
	expect_status(host_with_nv(1, 1, 0, 0), "nv.vf_migration_mode", WARN);
}

Test(check_pf, an_adapter_that_cannot_is_told_apart_from_one_that_is_not_enabled)
{
	struct mlx5lm_host *host = host_with_nv(1, 1, -1, -1);

	host->pfs[0].nvs[2].supported = MLX5LM_ANSWER_NO;
	expect_text(host, "nv.vf_migration_mode", FAIL, REMEDY, "use another adapter");
}

Test(check_pf, what_works_beats_what_the_nv_configuration_says)
{
	struct mlx5lm_host *host = ready_host("a", 1);

	add_nv(host, "SRIOV_EN", 1, 1);
	add_nv(host, "NUM_OF_VFS", 8, 8);
	add_nv(host, "VF_MIGRATION_MODE", 0, 0);
	expect_problems(host, "");
	host = ready_host("a", 1);
	add_nv(host, "SRIOV_EN", -1, 1);
	add_nv(host, "NUM_OF_VFS", -1, 8);
	expect_problems(host, "");
	host = ready_host("a", 1);
	add_nv(host, "SRIOV_EN", -1, 0);
	expect_problems(host, "warn nv.sriov_en " PF);
}

Test(check_pf, one_nv_parameter_that_is_not_known_is_only_told)
{
	struct mlx5lm_host *host = ready_host("a", 1);

	add_nv(host, "SRIOV_EN", 1, 1);
	expect_text(host, "nv.vf_migration_mode", INFO, REMEDY,
		    "mstconfig -d " PF " -e q VF_MIGRATION_MODE");
}

Test(check_pf, a_link_type_that_will_change_warns)
{
	struct mlx5lm_host *host = ready_host("a", 1);

	add_nv(host, "LINK_TYPE_P1", 2, 1);
	expect_problems(host, "warn nv.link_type " PF);
	host = ready_host("a", 1);
	add_nv(host, "LINK_TYPE_P1", 2, 2);
	expect_status(host, "nv.link_type", PASS);
	host = ready_host("a", 1);
	host->pfs[0].class_code = fact_u64(0x020700);
	add_nv(host, "LINK_TYPE_P1", 1, 2);
	expect_problems(host, "fail adapter.link_type " PF ", warn nv.link_type " PF);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/check.h"

#include "support/checks.h"

#define PF "0000:08:00.0"

static struct mlx5lm_host *host_with_kernel(const char *release)
{
	struct mlx5lm_host *host = ready_host("a", 1);

	set_text(&host->kernel_release, release);
	return host;
}

static struct mlx5lm_module *module(struct mlx5lm_host *host, const char *name)
{
	return (struct mlx5lm_module *)host_find_module(host, name);
}

Test(check_host, an_old_kernel_that_shows_the_feature_only_warns)
{
	expect_problems(host_with_kernel("5.14.0-427.el9.x86_64"), "warn kernel.version host");
	expect_text(host_with_kernel("5.14.0-427.el9.x86_64"), "kernel.version", WARN, EXPLAIN,
		    "CAPS(4) bit 0x2: enable");
}

Test(check_host, an_old_kernel_that_shows_nothing_fails)
{
	struct mlx5lm_host *host = bare_host("a");

	set_text(&host->kernel_release, "5.14.0-427.el9.x86_64");
	expect_status(host, "kernel.version", FAIL);
	host = host_with_kernel("6.6.9-generic");
	host->pfs[0].vfs[0].migratable = MLX5LM_PORT_ATTR_STATE_UNSUPPORTED;
	expect_status(host, "kernel.version", FAIL);
}

Test(check_host, the_flags_of_vfio_are_a_proof_too)
{
	struct mlx5lm_host *host = host_with_kernel("5.14.0-427.el9.x86_64");

	host->pfs[0].vfs[0].migratable = MLX5LM_PORT_ATTR_STATE_UNKNOWN;
	host->pfs[0].vfs[0].vfio_migration = MLX5LM_ANSWER_YES;
	host->pfs[0].vfs[0].vfio_migration_flags = fact_u64(7);
	expect_status(host, "kernel.version", WARN);
}

Test(check_host, a_kernel_version_is_a_row_of_numbers)
{
	expect_status(host_with_kernel("6.10.11-amd64"), "kernel.version", PASS);
	expect_status(host_with_kernel("6.7.0-rc1"), "kernel.version", PASS);
	expect_status(host_with_kernel("unreadable"), "kernel.version", UNKNOWN);
}

Test(check_host, daemons_below_the_minimum_fail)
{
	struct mlx5lm_host *host = ready_host("a", 1);

	host->qemu_version = fact_u64(7002022);
	host->libvirt_daemon_version = fact_u64(8005000);
	expect_problems(host, "fail libvirt.version host, fail qemu.version host");
	host = ready_host("a", 1);
	host->qemu_version = fact_u64(8001000);
	host->libvirt_daemon_version = fact_u64(9000000);
	expect_problems(host, "");
}

Test(check_host, no_connection_to_libvirt_is_one_unknown)
{
	struct mlx5lm_host *host = ready_host("a", 1);

	host->qemu_version = host->libvirt_daemon_version = (struct fact_u64){ 0 };
	host->libvirt_live_migration = MLX5LM_ANSWER_UNKNOWN;
	expect_problems(host, "unknown libvirt.connection host");
	host = ready_host("a", 1);
	host->qemu_version = (struct fact_u64){ 0 };
	expect_problems(host, "unknown qemu.version host");
}

Test(check_host, a_daemon_that_cannot_migrate_fails)
{
	struct mlx5lm_host *host = ready_host("a", 1);

	host->libvirt_live_migration = MLX5LM_ANSWER_NO;
	expect_problems(host, "fail libvirt.migration host");
}

Test(check_host, a_kernel_without_the_variant_driver_fails_once)
{
	struct mlx5lm_host *host = ready_host("a", 2);

	module(host, "mlx5_vfio_pci")->state = MLX5LM_MODULE_MISSING;
	for (size_t i = 0; i < 2; i++)
		set_text(&host->pfs[0].vfs[i].driver, "vfio-pci");
	expect_problems(host, "fail module.mlx5_vfio_pci host");
}

Test(check_host, the_kernels_configuration_is_evidence)
{
	struct mlx5lm_host *host = bare_host("a");

	module(host, "mlx5_vfio_pci")->state = MLX5LM_MODULE_MISSING;
	set_text(&host->kernel_config_source, "/boot/config-6.12.107+deb13-amd64");
	cr_assert_eq(host_add_config(host, "MLX5_VFIO_PCI", "n"), 0);
	expect_text(host, "module.mlx5_vfio_pci", FAIL, REMEDY,
		    "built without CONFIG_MLX5_VFIO_PCI");
	host = bare_host("a");
	module(host, "mlx5_vfio_pci")->state = MLX5LM_MODULE_UNKNOWN;
	set_text(&host->kernel_config_source, "/boot/config");
	cr_assert_eq(host_add_config(host, "MLX5_VFIO_PCI", "n"), 0);
	expect_text(host, "module.mlx5_vfio_pci", FAIL, EXPLAIN,
		    "/boot/config CONFIG_MLX5_VFIO_PCI: n");
	host = bare_host("a");
	module(host, "mlx5_vfio_pci")->state = MLX5LM_MODULE_MISSING;
	cr_assert_eq(host_add_config(host, "MLX5_VFIO_PCI", "m"), 0);
	expect_text(host, "module.mlx5_vfio_pci", FAIL, REMEDY, "depmod -a");
}

Test(check_host, a_module_that_nothing_tells_of_is_unknown)
{
	struct mlx5lm_host *host = ready_host("a", 1);

	module(host, "vfio_pci")->state = MLX5LM_MODULE_UNKNOWN;
	expect_problems(host, "unknown module.vfio_pci host");
}

Test(check_host, a_kernel_without_vfio_is_one_failure)
{
	struct mlx5lm_host *host = bare_host("a");

	for (size_t i = 1; i < host->num_modules; i++)
		host->modules[i].state = MLX5LM_MODULE_MISSING;
	expect_problems(host, "fail module.vfio host, fail eswitch.mode " PF ", fail vf.ready " PF);
}

Test(check_host, one_way_to_the_iommu_is_enough)
{
	struct mlx5lm_host *host = ready_host("a", 1);

	module(host, "vfio_iommu_type1")->state = MLX5LM_MODULE_MISSING;
	host->iommufd = MLX5LM_ANSWER_YES;
	expect_problems(host, "");
	host = ready_host("a", 1);
	module(host, "vfio_iommu_type1")->state = MLX5LM_MODULE_MISSING;
	cr_assert_eq(host_add_config(host, "IOMMUFD", "n"), 0);
	expect_problems(host, "fail module.vfio_backend host");
	host = ready_host("a", 1);
	module(host, "vfio_iommu_type1")->state = MLX5LM_MODULE_UNKNOWN;
	expect_problems(host, "unknown module.vfio_backend host");
	host = ready_host("a", 1);
	module(host, "vfio_iommu_type1")->state = MLX5LM_MODULE_MISSING;
	expect_problems(host, "unknown module.vfio_backend host");
}

Test(check_host, a_blacklist_counts_only_for_what_is_not_loaded)
{
	struct mlx5lm_host *host = ready_host("a", 1);

	module(host, "mlx5_vfio_pci")->blacklisted = MLX5LM_ANSWER_YES;
	expect_problems(host, "");
	host = ready_host("a", 1);
	module(host, "mlx5_vfio_pci")->blacklisted = MLX5LM_ANSWER_YES;
	module(host, "mlx5_vfio_pci")->state = MLX5LM_MODULE_LOADABLE;
	expect_problems(host, "warn module.mlx5_vfio_pci host");
}

Test(check_host, modules_from_elsewhere_are_told_and_a_profile_may_refuse_them)
{
	struct mlx5lm_host *host = ready_host("a", 1);

	module(host, "mlx5_core")->in_tree = MLX5LM_ANSWER_NO;
	set_text(&module(host, "mlx5_core")->version, "24.10-1.1.4");
	expect_text(host, "module.out_of_tree", INFO, FOUND, "mlx5_core 24.10-1.1.4");
	host = ready_host("a", 1);
	module(host, "mlx5_core")->in_tree = MLX5LM_ANSWER_NO;
	expect_problems_in(host, "rhel-10", NULL, "fail module.out_of_tree host");
}

Test(check_host, a_kernel_that_loads_nothing_any_more_must_have_all_modules)
{
	struct mlx5lm_host *host = ready_host("a", 1);

	host->kernel_modules_disabled = MLX5LM_ANSWER_YES;
	expect_status(host, "kernel.modules_disabled", INFO);
	host = ready_host("a", 1);
	host->kernel_modules_disabled = MLX5LM_ANSWER_YES;
	module(host, "mlx5_vfio_pci")->state = MLX5LM_MODULE_LOADABLE;
	expect_problems(host, "fail kernel.modules_disabled host");
	expect_no_finding(ready_host("a", 1), "kernel.modules_disabled");
}

Test(check_host, no_iommu_is_one_failure)
{
	struct mlx5lm_host *host = ready_host("a", 2);

	host->iommu_active = MLX5LM_ANSWER_NO;
	for (size_t i = 0; i < 2; i++) {
		host->pfs[0].vfs[i].iommu_group = (struct fact_u64){ 0 };
		host->pfs[0].vfs[i].driver = (free(host->pfs[0].vfs[i].driver), NULL);
	}
	expect_problems(host, "fail iommu.active host");
	host = ready_host("a", 1);
	host->iommu_active = MLX5LM_ANSWER_UNKNOWN;
	expect_problems(host, "unknown iommu.active host");
}

Test(check_host, lockdown_warns_only_where_the_nv_configuration_may_have_to_change)
{
	struct mlx5lm_host *host = ready_host("a", 1);

	host->kernel_lockdown = MLX5LM_LOCKDOWN_INTEGRITY;
	expect_status(host, "kernel.lockdown", INFO);
	host = bare_host("a");
	host->kernel_lockdown = MLX5LM_LOCKDOWN_CONFIDENTIALITY;
	expect_status(host, "kernel.lockdown", WARN);
	host = bare_host("a");
	host->kernel_lockdown = MLX5LM_LOCKDOWN_UNKNOWN;
	expect_status(host, "kernel.lockdown", INFO);
}

Test(check_host, vfio_without_protection_warns)
{
	struct mlx5lm_host *host = ready_host("a", 1);

	host->vfio_noiommu = MLX5LM_ANSWER_YES;
	host->vfio_unsafe_interrupts = MLX5LM_ANSWER_YES;
	expect_problems(host, "warn vfio.noiommu host, warn vfio.unsafe_interrupts host");
}

Test(check_host, ids_that_vfio_pci_takes_warn_if_they_are_ours)
{
	struct mlx5lm_host *host = ready_host("a", 1);

	set_text(&host->vfio_pci_ids, "10de:1eb8,15B3:101E");
	expect_text(host, "vfio.ids", WARN, REMEDY, "echo 15b3 101E >");
	host = ready_host("a", 1);
	set_text(&host->vfio_pci_ids, "15b3:1021");
	expect_status(host, "vfio.ids", WARN);
	host = ready_host("a", 1);
	set_text(&host->vfio_pci_ids, "10de:1eb8,15b3:1017,");
	expect_no_finding(host, "vfio.ids");
}

Test(check_host, missing_rights_are_told_with_what_they_need)
{
	static const char *const steps[] = { "eswitch-mode", "port-attr", "num-vfs" };
	struct mlx5lm_host *host = ready_host("a", 1);
	struct mlx5lm_privilege *privilege;

	for (size_t i = 0; i < ARRAY_LENGTH(steps); i++) {
		cr_assert_eq(host_add_privilege(host, &privilege), 0);
		set_text(&privilege->name, steps[i]);
		set_text(&privilege->needs, i < 2 ? "CAP_NET_ADMIN, which is missing" : "root");
		privilege->granted = i < 2 ? MLX5LM_ANSWER_NO : MLX5LM_ANSWER_YES;
	}
	expect_text(host, "privileges", INFO, FOUND, "not: eswitch-mode, port-attr");
	host = ready_host("a", 1);
	cr_assert_eq(host_add_privilege(host, &privilege), 0);
	set_text(&privilege->name, "bind");
	privilege->granted = MLX5LM_ANSWER_YES;
	expect_text(host, "privileges", PASS, FOUND, "all");
	expect_text(ready_host("a", 1), "privileges", INFO, FOUND, "unknown");
}

Test(check_host, the_limits_of_a_profile_are_told)
{
	expect_finding_in(ready_host("a", 1), "rhel-10", "profile.limits", MLX5LM_STATUS_INFO,
			  MLX5LM_FINDING_REQUIRED, "at most 4 VFs of a PF");
	expect_no_finding(ready_host("a", 1), "profile.limits");
	expect_text(ready_host("a", 1), "iproute2.version", INFO, REQUIRED, "6.2.0");
}

Test(check_host, a_kernel_with_known_defects_warns)
{
	expect_text(host_with_kernel("6.4.10-amd64"), "kernel.migratable_disable", WARN, REQUIRED,
		    "6.4.11");
	expect_no_finding(host_with_kernel("6.4.11-amd64"), "kernel.migratable_disable");
	expect_no_finding(host_with_kernel("6.1.176-1-amd64"), "kernel.migratable_disable");
	expect_status(host_with_kernel("6.6.40"), "kernel.chunk_mode", WARN);
	expect_no_finding(host_with_kernel("6.7.1"), "kernel.chunk_mode");
	expect_text(host_with_kernel("6.12.95+deb12-amd64"), "kernel.vfio_mlx5_fixes", WARN, FOUND,
		    "CVE-2026-64472 (6.12.100)");
	expect_no_finding(host_with_kernel("6.12.107"), "kernel.vfio_mlx5_fixes");
	expect_status(host_with_kernel("7.3.1"), "kernel.vfio_mlx5_fixes", WARN);
	expect_no_finding(host_with_kernel("6.13.1"), "kernel.vfio_mlx5_fixes");
}

Test(check_host, a_kernel_without_the_driver_lacks_no_fixes_of_it)
{
	struct mlx5lm_host *host = host_with_kernel("6.12.95");

	for (size_t i = 0; i < host->num_modules; i++) {
		if (streq(host->modules[i].name, "mlx5_vfio_pci"))
			host->modules[i].state = MLX5LM_MODULE_MISSING;
	}
	expect_no_finding(host, "kernel.vfio_mlx5_fixes");
}

Test(check_host, numbers_that_say_nothing_of_fixes_say_nothing_of_defects)
{
	expect_no_finding(host_with_kernel("6.12.0-55.9.1.el10_0.x86_64"),
			  "kernel.vfio_mlx5_fixes");
	expect_no_finding(host_with_kernel("6.1.0-18-amd64"), "kernel.vfio_mlx5_fixes");
	expect_no_finding(host_with_kernel("5.14.0-427.el9.x86_64"), "kernel.chunk_mode");
}

Test(check_host, modules_from_elsewhere_have_defects_of_their_own)
{
	struct mlx5lm_host *host = host_with_kernel("6.4.2");

	module(host, "mlx5_vfio_pci")->in_tree = MLX5LM_ANSWER_NO;
	expect_no_finding(host, "kernel.chunk_mode");
	host = host_with_kernel("6.4.2");
	module(host, "mlx5_core")->in_tree = MLX5LM_ANSWER_NO;
	expect_no_finding(host, "kernel.migratable_disable");
}

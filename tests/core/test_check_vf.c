// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/check.h"

#include "support/checks.h"

#define PF "0000:08:00.0"
#define VF0 "0000:08:00.2"
#define VF1 "0000:08:00.3"

static void lose(char **text)
{
	free(*text);
	*text = NULL;
}

/* A host of two VFs whose migration flags have been looked at; negative: no migration. */
static struct mlx5lm_host *opened_host(int flags0, int flags1)
{
	struct mlx5lm_host *host = ready_host("a", 2);
	int flags[] = { flags0, flags1 };

	for (size_t i = 0; i < 2; i++) {
		struct mlx5lm_vf *vf = &host->pfs[0].vfs[i];

		set_text(&vf->vfio_source, "debugfs");
		vf->vfio_migration = flags[i] >= 0 ? MLX5LM_ANSWER_YES : MLX5LM_ANSWER_NO;
		if (flags[i] >= 0)
			vf->vfio_migration_flags = fact_u64((uint64_t)flags[i]);
		vf->vfio_dirty_tracking = MLX5LM_ANSWER_YES;
	}
	return host;
}

Test(check_vf, a_vf_on_another_driver_warns_with_the_commands_for_it)
{
	struct mlx5lm_host *host = ready_host("a", 2);

	set_text(&host->pfs[0].vfs[1].driver, "vfio-pci");
	set_text(&host->pfs[0].vfs[1].driver_override, "vfio-pci");
	expect_text(host, "vf.bad_bind", WARN, REMEDY,
		    "echo " VF1 " > /sys/bus/pci/drivers/vfio-pci/unbind; "
		    "echo mlx5_vfio_pci > /sys/bus/pci/devices/" VF1 "/driver_override; "
		    "echo " VF1 " > /sys/bus/pci/drivers/mlx5_vfio_pci/bind");
	host = ready_host("a", 2);
	set_text(&host->pfs[0].vfs[1].driver, "vfio-pci");
	expect_problems(host, "warn vf.bad_bind " VF1);
}

Test(check_vf, only_unfit_vfs_fail)
{
	struct mlx5lm_host *host = ready_host("a", 1);

	lose(&host->pfs[0].vfs[0].driver);
	expect_problems(host, "fail vf.ready " PF ", warn vf.bad_bind " VF0);
}

Test(check_vf, a_vf_that_is_not_migratable_warns_with_its_port)
{
	struct mlx5lm_host *host = ready_host("a", 2);

	host->pfs[0].vfs[1].migratable = MLX5LM_PORT_ATTR_STATE_DISABLED;
	set_text(&host->pfs[0].vfs[1].driver, "mlx5_core");
	lose(&host->pfs[0].vfs[1].driver_override);
	expect_text(host, "vf.unfit", WARN, REMEDY,
		    "echo " VF1 " > /sys/bus/pci/drivers/mlx5_core/unbind; "
		    "devlink port function set pci/" PF "/2 migratable enable; "
		    "echo mlx5_vfio_pci > /sys/bus/pci/devices/" VF1 "/driver_override; "
		    "echo " VF1 " > /sys/bus/pci/drivers/mlx5_vfio_pci/bind");
	host = ready_host("a", 2);
	host->pfs[0].vfs[1].migratable = MLX5LM_PORT_ATTR_STATE_DISABLED;
	set_text(&host->pfs[0].vfs[1].driver, "mlx5_core");
	expect_problems(host, "warn vf.unfit " VF1);
}

Test(check_vf, the_module_is_loaded_first)
{
	struct mlx5lm_host *host = ready_host("a", 2);

	host->modules[1].state = MLX5LM_MODULE_LOADABLE;
	lose(&host->pfs[0].vfs[1].driver);
	expect_text(host, "vf.bad_bind", WARN, REMEDY, "modprobe mlx5_vfio_pci; echo mlx5_vfio_pci > ");
}

Test(check_vf, a_vf_in_use_is_not_unbound_under_its_user)
{
	struct mlx5lm_host *host = ready_host("a", 2);

	set_text(&host->pfs[0].vfs[1].driver, "vfio-pci");
	set_text(&host->pfs[0].vfs[1].in_use_by, "guest");
	expect_text(host, "vf.bad_bind", WARN, REMEDY, "detach it from domain guest; echo " VF1);
}

Test(check_vf, firmware_that_offers_no_migration_is_one_failure)
{
	struct mlx5lm_host *host = ready_host("a", 2);

	for (size_t i = 0; i < 2; i++)
		host->pfs[0].vfs[i].migratable = MLX5LM_PORT_ATTR_STATE_UNSUPPORTED;
	expect_problems(host, "fail pf.migratable " PF);
	host = ready_host("a", 1);
	host->pfs[0].vfs[0].migratable = MLX5LM_PORT_ATTR_STATE_UNSUPPORTED;
	expect_text(host, "pf.migratable", FAIL, REMEDY,
		    "mstconfig -d " PF " set VF_MIGRATION_MODE=2");
	host = ready_host("a", 1);
	host->pfs[0].vfs[0].migratable = MLX5LM_PORT_ATTR_STATE_UNSUPPORTED;
	set_text(&host->kernel_release, "6.1.176-1-amd64");
	expect_text(host, "pf.migratable", FAIL, REMEDY, "boot Linux 6.2");
}

Test(check_vf, nv_configuration_that_is_off_is_the_one_failure)
{
	struct mlx5lm_host *host = ready_host("a", 1);
	struct mlx5lm_nv *nv;

	host->pfs[0].vfs[0].migratable = MLX5LM_PORT_ATTR_STATE_UNSUPPORTED;
	cr_assert_eq(pf_add_nv(&host->pfs[0], &nv), 0);
	set_text(&nv->name, "VF_MIGRATION_MODE");
	nv->current = nv->next_boot = fact_u64(0);
	expect_problems(host, "fail nv.vf_migration_mode " PF);
}

Test(check_vf, vfs_without_ports_are_unknown_once)
{
	struct mlx5lm_host *host = ready_host("a", 2);

	for (size_t i = 0; i < 2; i++)
		host->pfs[0].vfs[i].migratable = MLX5LM_PORT_ATTR_STATE_UNKNOWN;
	expect_problems(host, "unknown pf.migratable " PF);
	host = ready_host("a", 2);
	host->pfs[0].vfs[1].migratable = MLX5LM_PORT_ATTR_STATE_UNKNOWN;
	expect_problems(host, "unknown vf.unfit " VF1);
}

Test(check_vf, migration_flags_pass_and_are_named)
{
	expect_text(opened_host(7, 7), "vf.migration", PASS, FOUND, "STOP_COPY P2P PRE_COPY");
	expect_text(opened_host(7, 7), "vf.migration", PASS, EXPLAIN,
		    "debugfs, vfio_migration_flags of " VF0 ": 7 (0x0007)");
	expect_problems(opened_host(7, 7), "");
}

Test(check_vf, flags_nobody_looked_at_are_only_told)
{
	expect_text(ready_host("a", 3), "vf.migration", INFO, FOUND, "not looked at: 3 of 3 VFs");
}

Test(check_vf, a_vf_bound_too_early_needs_a_rebind)
{
	expect_problems(opened_host(7, -1), "warn vf.bad_bind " VF1);
	expect_text(opened_host(7, -1), "vf.bad_bind", WARN, FOUND, "needs-rebind");
	expect_text(opened_host(7, -1), "vf.bad_bind", WARN, REMEDY,
		    "echo " VF1 " > /sys/bus/pci/drivers/mlx5_vfio_pci/unbind; "
		    "echo " VF1 " > /sys/bus/pci/drivers/mlx5_vfio_pci/bind");
}

Test(check_vf, vfs_that_all_refuse_may_mean_the_firmware)
{
	struct mlx5lm_host *host = opened_host(-1, -1);

	expect_problems(opened_host(-1, -1), "warn kernel.precopy_required " PF
					     ", fail vf.ready " PF ", warn vf.bad_bind " VF0
					     ", warn vf.bad_bind " VF1);
	set_text(&host->kernel_release, "6.8.12");
	expect_no_finding(host, "kernel.precopy_required");
}

Test(check_vf, migration_without_precopy_warns)
{
	expect_problems(opened_host(3, 3), "warn kernel.precopy_required " PF);
}

Test(check_vf, a_device_that_does_not_log_its_dma_warns)
{
	struct mlx5lm_host *host = opened_host(7, 7);

	host->pfs[0].vfs[1].vfio_dirty_tracking = MLX5LM_ANSWER_NO;
	expect_problems(host, "warn vf.dirty_tracking " VF1);
}

Test(check_vf, a_device_without_migration_counts_even_if_its_port_is_unreadable)
{
	struct mlx5lm_host *host = opened_host(7, -1);

	host->pfs[0].vfs[1].migratable = MLX5LM_PORT_ATTR_STATE_UNKNOWN;
	expect_problems(host, "unknown vf.unfit " VF1 ", warn vf.migration " VF1);
}

Test(check_vf, a_group_that_a_host_driver_shares_warns_and_names_it)
{
	struct mlx5lm_host *host = ready_host("a", 3);

	host->pfs[0].vfs[1].iommu_group_viable = MLX5LM_ANSWER_NO;
	host->pfs[0].vfs[2].iommu_group = host->pfs[0].vfs[1].iommu_group;
	set_text(&host->pfs[0].vfs[2].driver, "mlx5_core");
	expect_text(host, "vf.iommu_group", WARN, EXPLAIN,
		    "/sys/bus/pci/devices/0000:08:00.4/driver: mlx5_core");
	host = ready_host("a", 2);
	host->pfs[0].vfs[1].iommu_group = (struct fact_u64){ 0 };
	expect_problems(host, "warn vf.iommu_group " VF1);
}

Test(check_vf, who_uses_a_vf_is_told)
{
	struct mlx5lm_host *host = ready_host("a", 1);

	set_text(&host->pfs[0].vfs[0].in_use_by, "guest");
	expect_text(host, "vf.in_use", INFO, FOUND, "domain guest");
	host = ready_host("a", 1);
	host->pfs[0].vfs[0].in_use_pid = fact_u64(4711);
	set_text(&host->pfs[0].vfs[0].in_use_comm, "qemu-system-x86");
	expect_text(host, "vf.in_use", INFO, FOUND, "process 4711 (qemu-system-x86)");
}

Test(check_vf, different_numbers_of_vectors_warn)
{
	struct mlx5lm_host *host = ready_host("a", 2);

	host->pfs[0].vfs[1].msix_count = fact_u64(12);
	expect_problems(host, "warn vf.msix_differs " PF);
}

Test(check_vf, vfs_that_could_not_be_listed_are_unknown)
{
	struct mlx5lm_host *host = ready_host("a", 0);

	cr_assert_eq(host_add_note(host, PF, "sriov_num_vfs vfs", "the PF is being configured"), 0);
	expect_problems(host, "unknown vf.ready " PF);
}

Test(check_vf, what_the_firmware_does_not_offer_no_binding_mends)
{
	struct mlx5lm_host *host = ready_host("a", 2);

	for (size_t i = 0; i < 2; i++)
		host->pfs[0].vfs[i].migratable = MLX5LM_PORT_ATTR_STATE_UNSUPPORTED;
	host->pfs[0].vfs[0].vfio_migration = MLX5LM_ANSWER_NO;
	set_text(&host->pfs[0].vfs[1].driver, NULL);
	expect_problems(host, "fail pf.migratable " PF);
}

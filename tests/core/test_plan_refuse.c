// SPDX-License-Identifier: LGPL-2.1-or-later
#include <criterion/criterion.h>
#include <errno.h>

#include "plan_support.h"
#include "support/hosts.h"

/* Of a plan for host and config, as far as no more is to be said of the error. */
#define EXPECT_REFUSAL(...)                                                                        \
	do {                                                                                       \
		_cleanup_error_ struct mlx5lm_error *error_ = expect_refusal(__VA_ARGS__);         \
		cr_expect_not_null(error_);                                                        \
	} while (0)

static void use_by_process(struct mlx5lm_vf *vf)
{
	vf->in_use_pid = fact_u64(4711);
	set_text(&vf->in_use_comm, "qemu-system-x86");
}

Test(plan_refuse, vfs_in_use_are_not_recreated)
{
	struct mlx5lm_host *host = ready_host("a", 2);
	struct mlx5lm_config *config = new_config();

	set_text(&host->pfs[0].vfs[1].in_use_by, "guest");
	config->num_vfs = fact_u64(0);
	EXPECT_REFUSAL(host, config, EBUSY, MLX5LM_ERROR_BUSY,
		       "0000:08:00.3 is used by domain guest", "migrate or shut down domain guest");
	host = ready_host("a", 2);
	use_by_process(&host->pfs[0].vfs[0]);
	config = new_config();
	config->num_vfs = fact_u64(4);
	EXPECT_REFUSAL(host, config, EBUSY, MLX5LM_ERROR_BUSY,
		       "0000:08:00.2 is used by process 4711 (qemu-system-x86)",
		       "end process 4711");
}

Test(plan_refuse, a_vf_in_use_is_not_changed)
{
	struct mlx5lm_host *host = ready_host("a", 2);
	struct mlx5lm_config *config = ready_config(2);

	set_text(&host->pfs[0].vfs[1].in_use_by, "guest");
	host->pfs[0].vfs[1].roce = MLX5LM_PORT_ATTR_STATE_DISABLED;
	config_get_vf(config, MLX5LM_VF_ALL)->attr[MLX5LM_PORT_ATTR_ROCE] =
		MLX5LM_PORT_ATTR_STATE_ENABLED;
	EXPECT_REFUSAL(host, config, EBUSY, MLX5LM_ERROR_BUSY, "used by domain guest", NULL);
	host = ready_host("a", 1);
	use_by_process(&host->pfs[0].vfs[0]);
	config = new_config();
	set_text(&config_get_vf(config, 0)->hw_addr, "02:00:00:00:00:77");
	EXPECT_REFUSAL(host, config, EBUSY, MLX5LM_ERROR_BUSY, "changing its address", NULL);
}

Test(plan_refuse, the_mode_is_not_changed_under_a_guest_unless_that_is_allowed)
{
	struct mlx5lm_host *host = ready_host("a", 1);
	struct mlx5lm_config *config = new_config();
	struct step_list list;

	set_text(&host->pfs[0].vfs[0].in_use_by, "guest");
	config->eswitch_mode = MLX5LM_ESWITCH_LEGACY;
	EXPECT_REFUSAL(host, config, EBUSY, MLX5LM_ERROR_BUSY, "eswitch mode", "domain guest");
	host = ready_host("a", 1);
	set_text(&host->pfs[0].vfs[0].in_use_by, "guest");
	config = new_config();
	config->eswitch_mode = MLX5LM_ESWITCH_LEGACY;
	config->live_guests = true;
	list = make_plan(host, config);
	cr_assert_eq(list.length, 1);
	cr_expect(list.steps[0].disturbs & MLX5LM_DISTURBANCE_GUESTS);
	cr_expect(strstr(list.steps[0].disturbance, "domain guest"));
	step_list_release(&list);
	mlx5lm_host_free(host);
}

Test(plan_refuse, live_guests_does_not_allow_to_take_a_vf_away)
{
	struct mlx5lm_host *host = ready_host("a", 1);
	struct mlx5lm_config *config = new_config();

	set_text(&host->pfs[0].vfs[0].in_use_by, "guest");
	config->live_guests = true;
	config->num_vfs = fact_u64(2);
	EXPECT_REFUSAL(host, config, EBUSY, MLX5LM_ERROR_BUSY, "take it away", NULL);
}

Test(plan_refuse, more_vfs_than_there_are)
{
	EXPECT_REFUSAL(bare_host("a"), ready_config(128), ERANGE, MLX5LM_ERROR_TOO_MANY_VFS,
		       "offers 127 VFs, 128 are wanted", "mstconfig -d 0000:08:00.0 set "
		       "NUM_OF_VFS=128");
}

Test(plan_refuse, more_vfs_than_a_restart_brings)
{
	struct mlx5lm_host *host = bare_host("a");
	struct mlx5lm_config *config = ready_config(128);

	/* It is in effect, so that a restart changes nothing. */
	add_nv(&host->pfs[0], "NUM_OF_VFS", 200, 200);
	config->nv[1] = fact_u64(200);
	EXPECT_REFUSAL(host, config, ERANGE, MLX5LM_ERROR_TOO_MANY_VFS, "128 are wanted", NULL);
}

Test(plan_refuse, a_pf_without_sriov)
{
	struct mlx5lm_host *host = bare_host("a");

	host->pfs[0].sriov_num_vfs = host->pfs[0].sriov_total_vfs = (struct fact_u64){ 0 };
	EXPECT_REFUSAL(host, ready_config(2), EOPNOTSUPP, MLX5LM_ERROR_NOT_SUPPORTED, "no SR-IOV",
		       "SRIOV_EN=1 NUM_OF_VFS=2");
}

Test(plan_refuse, ports_need_switchdev)
{
	struct mlx5lm_config *config = ready_config(1);

	config->eswitch_mode = 0;
	EXPECT_REFUSAL(bare_host("a"), config, EOPNOTSUPP, MLX5LM_ERROR_NOT_SUPPORTED,
		       "only in switchdev mode", "eswitch");
	config = ready_config(1);
	config->eswitch_mode = MLX5LM_ESWITCH_LEGACY;
	EXPECT_REFUSAL(bare_host("a"), config, EINVAL, MLX5LM_ERROR_CONTRADICTION,
		       "eswitch mode legacy", "switchdev");
}

Test(plan_refuse, wishes_that_contradict)
{
	struct mlx5lm_config *config = ready_config(0);

	EXPECT_REFUSAL(bare_host("a"), config, EINVAL, MLX5LM_ERROR_CONTRADICTION, "num_vfs 0",
		       NULL);
	config = ready_config(8);
	config->nv[1] = fact_u64(4);
	EXPECT_REFUSAL(bare_host("a"), config, EINVAL, MLX5LM_ERROR_CONTRADICTION, "NUM_OF_VFS",
		       NULL);
	config = ready_config(8);
	config->nv[0] = fact_u64(0);
	EXPECT_REFUSAL(bare_host("a"), config, EINVAL, MLX5LM_ERROR_CONTRADICTION, "SRIOV_EN=0",
		       NULL);
	config = ready_config(8);
	config->nv[2] = fact_u64(1);
	EXPECT_REFUSAL(bare_host("a"), config, EINVAL, MLX5LM_ERROR_CONTRADICTION,
		       "VF_MIGRATION_MODE=1", "VF_MIGRATION_MODE=2");
}

Test(plan_refuse, a_vf_that_would_not_be_there)
{
	struct mlx5lm_config *config = ready_config(1);

	cr_assert_not_null(config_get_vf(config, 1));
	EXPECT_REFUSAL(bare_host("a"), config, ERANGE, MLX5LM_ERROR_VF_INDEX, "VF 1 is configured",
		       "num_vfs 2");
}

Test(plan_refuse, an_address_that_two_vfs_would_have)
{
	struct mlx5lm_config *config = ready_config(3);

	set_text(&config_get_vf(config, 0)->hw_addr, "02:00:00:00:00:aa");
	set_text(&config_get_vf(config, 2)->hw_addr, "02:00:00:00:00:AA");
	EXPECT_REFUSAL(bare_host("a"), config, EEXIST, MLX5LM_ERROR_HW_ADDR_TAKEN,
		       "VF 0 and VF 2", "VF 2");
	config = new_config();
	/* The one that VF 1 has, and keeps. */
	set_text(&config_get_vf(config, 0)->hw_addr, "02:00:00:00:00:01");
	EXPECT_REFUSAL(ready_host("a", 2), config, EEXIST, MLX5LM_ERROR_HW_ADDR_TAKEN,
		       "02:00:00:00:00:01", NULL);
}

Test(plan_refuse, two_vfs_may_swap_their_addresses)
{
	struct mlx5lm_config *config = new_config();

	set_text(&config_get_vf(config, 0)->hw_addr, "02:00:00:00:00:01");
	set_text(&config_get_vf(config, 1)->hw_addr, "02:00:00:00:00:00");
	expect_steps(ready_host("a", 2), config,
		     (enum step_kind[]){ STEP_HW_ADDR, STEP_HW_ADDR, 0 });
}

Test(plan_refuse, what_kernel_or_firmware_do_not_offer)
{
	struct mlx5lm_host *host = ready_host("a", 1);
	struct mlx5lm_config *config;

	host->pfs[0].vfs[0].migratable = MLX5LM_PORT_ATTR_STATE_UNSUPPORTED;
	EXPECT_REFUSAL(host, ready_config(1), EOPNOTSUPP, MLX5LM_ERROR_NOT_SUPPORTED, "migratable",
		       "mstconfig -d 0000:08:00.0 set VF_MIGRATION_MODE=2");
	/* New VFs are as those before. */
	host = ready_host("a", 1);
	host->pfs[0].vfs[0].migratable = MLX5LM_PORT_ATTR_STATE_UNSUPPORTED;
	EXPECT_REFUSAL(host, ready_config(2), EOPNOTSUPP, MLX5LM_ERROR_NOT_SUPPORTED, "migratable",
		       NULL);
	host = ready_host("a", 1);
	host->pfs[0].vfs[0].migratable = MLX5LM_PORT_ATTR_STATE_UNSUPPORTED;
	add_nv(&host->pfs[0], "VF_MIGRATION_MODE", 1, 2);
	EXPECT_REFUSAL(host, ready_config(1), EOPNOTSUPP, MLX5LM_ERROR_NOT_SUPPORTED, "migratable",
		       "stored and waits");
	config = new_config();
	config_get_vf(config, 0)->max_io_eqs = fact_u64(16);
	EXPECT_REFUSAL(ready_host("a", 1), config, EOPNOTSUPP, MLX5LM_ERROR_NOT_SUPPORTED,
		       "max_io_eqs", "6.10");
	config = new_config();
	config_get_vf(config, 0)->msix_count = fact_u64(16);
	EXPECT_REFUSAL(ready_host("a", 1), config, EOPNOTSUPP, MLX5LM_ERROR_NOT_SUPPORTED,
		       "MSI-X", NULL);
}

Test(plan_refuse, more_vectors_than_there_are)
{
	struct mlx5lm_host *host = ready_host("a", 2);
	struct mlx5lm_config *config = new_config();

	host->pfs[0].sriov_vf_total_msix = fact_u64(100);
	config_get_vf(config, MLX5LM_VF_ALL)->msix_count = fact_u64(51);
	EXPECT_REFUSAL(host, config, EOPNOTSUPP, MLX5LM_ERROR_NOT_SUPPORTED,
		       "has 100 MSI-X vectors for its VFs, 102 are wanted", NULL);
}

Test(plan_refuse, a_missing_module)
{
	struct mlx5lm_host *host = bare_host("a");

	host->modules[1].state = MLX5LM_MODULE_MISSING;
	EXPECT_REFUSAL(host, ready_config(1), ENOENT, MLX5LM_ERROR_NOT_FOUND,
		       "no module mlx5_vfio_pci", "CONFIG_MLX5_VFIO_PCI");
	host = bare_host("a");
	host->kernel_modules_disabled = MLX5LM_ANSWER_YES;
	EXPECT_REFUSAL(host, ready_config(1), EOPNOTSUPP, MLX5LM_ERROR_NOT_SUPPORTED,
		       "modules_disabled", "modules-load.d");
}

Test(plan_refuse, nv_parameters_that_nobody_can_set)
{
	struct mlx5lm_host *host = bare_host("a");
	struct mlx5lm_config *config = new_config();

	config->nv[1] = fact_u64(8);
	EXPECT_REFUSAL(host, config, EOPNOTSUPP, MLX5LM_ERROR_NOT_SUPPORTED, "not known",
		       "mstconfig -d 0000:08:00.0 -y set NUM_OF_VFS=8");
	host = bare_host("a");
	add_nv(&host->pfs[0], "NUM_OF_VFS", 4, 4);
	host->pfs[0].nvs[0].read_only = MLX5LM_ANSWER_YES;
	config = new_config();
	config->nv[1] = fact_u64(8);
	EXPECT_REFUSAL(host, config, EOPNOTSUPP, MLX5LM_ERROR_NOT_SUPPORTED, "read-only", NULL);
	host = bare_host("a");
	add_nv(&host->pfs[0], "VF_MIGRATION_MODE", 0, 0);
	host->pfs[0].nvs[0].supported = MLX5LM_ANSWER_NO;
	config = new_config();
	config->nv[2] = fact_u64(2);
	EXPECT_REFUSAL(host, config, EOPNOTSUPP, MLX5LM_ERROR_NOT_SUPPORTED, "no such parameter",
		       NULL);
}

Test(plan_refuse, a_reset_while_another_port_has_vfs)
{
	struct mlx5lm_host *host = bare_host("a");
	struct mlx5lm_config *config = new_config();
	struct mlx5lm_pf *other;

	add_nv(&host->pfs[0], "NUM_OF_VFS", 4, 8);
	cr_assert_eq(host_add_pf(host, &other), 0);
	set_text(&other->bdf, "0000:08:00.1");
	other->sriov_num_vfs = fact_u64(3);
	config->firmware_reset = true;
	EXPECT_REFUSAL(host, config, EBUSY, MLX5LM_ERROR_BUSY, "PF 0000:08:00.1 of the same adapter "
		       "has 3 VFs", "0000:08:00.1/sriov_numvfs");
}

Test(plan_refuse, a_mode_that_cannot_be_read_is_not_guessed)
{
	struct mlx5lm_host *host = bare_host("a");

	host->pfs[0].eswitch_mode = MLX5LM_ESWITCH_UNKNOWN;
	EXPECT_REFUSAL(host, ready_config(1), ENODATA, MLX5LM_ERROR_PERMISSION, "not known",
		       "CAP_NET_ADMIN");
	host = bare_host("a");
	host->pfs[0].eswitch_mode = MLX5LM_ESWITCH_UNKNOWN;
	host->pfs[0].eswitch_manager = MLX5LM_ANSWER_NO;
	EXPECT_REFUSAL(host, ready_config(1), EOPNOTSUPP, MLX5LM_ERROR_NOT_SUPPORTED,
		       "does not manage the eswitch", "Arm side");
}

Test(plan_refuse, who_has_all_rights_is_not_told_to_be_root)
{
	struct mlx5lm_host *host = bare_host("a");
	struct mlx5lm_error *error;

	host->pfs[0].eswitch_mode = MLX5LM_ESWITCH_UNKNOWN;
	add_privilege(host, "read-eswitch-mode", true, "CAP_NET_ADMIN");
	error = expect_refusal(host, ready_config(1), ENODATA, MLX5LM_ERROR_PERMISSION,
			       "eswitch mode is not known", "devlink dev eswitch show pci/0000:08:00.0");
	cr_expect_null(strstr(error->remedy, "root"), "%s", error->remedy);
	mlx5lm_error_free(error);
}

Test(plan_refuse, without_rights_the_detail_lists_them_all)
{
	struct mlx5lm_host *host = bare_host("a");
	struct mlx5lm_error *error;

	host->pfs[0].eswitch_mode = MLX5LM_ESWITCH_UNKNOWN;
	add_privilege(host, "read-eswitch-mode", false, "CAP_NET_ADMIN: missing");
	add_privilege(host, "num-vfs", false, "write access to sriov_numvfs: Permission denied");
	add_privilege(host, "bind", true, "write access to bind");
	add_privilege(host, "libvirt", false, "a socket");
	error = expect_refusal(host, ready_config(1), EPERM, MLX5LM_ERROR_PERMISSION,
			       "eswitch mode is not known, and rights are missing", "root");
	cr_expect_str_eq(error->detail, "read-eswitch-mode: CAP_NET_ADMIN: missing\n"
			 "num-vfs: write access to sriov_numvfs: Permission denied");
	mlx5lm_error_free(error);
}

Test(plan_refuse, the_rights_that_steps_need_are_listed_once_each)
{
	struct mlx5lm_host *host = bare_host("a");
	_cleanup_free_ char *missing = NULL, *none = NULL;
	struct step_list list;

	add_privilege(host, "eswitch-mode", true, "CAP_NET_ADMIN");
	list = make_plan(host, ready_config(2));
	cr_assert_eq(plan_missing_rights(host, &list, &none), 0);
	cr_expect_null(none);
	add_privilege(host, "bind", false, "write access to bind: Permission denied");
	add_privilege(host, "autoprobe", false, "write access: Permission denied");
	add_privilege(host, "msix-count", false, "not needed");
	cr_assert_eq(plan_missing_rights(host, &list, &missing), 0);
	cr_assert_not_null(missing);
	cr_expect_str_eq(missing, "autoprobe: write access: Permission denied\n"
			 "bind: write access to bind: Permission denied");
	step_list_release(&list);
	mlx5lm_host_free(host);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/plan_build.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "plan_support.h"
#include "support/hosts.h"

Test(plan_build, from_nothing_the_order_is_the_kernels)
{
	expect_steps(bare_host("a"), ready_config(2),
		     (enum step_kind[]){ STEP_AUTOPROBE, STEP_ESWITCH_MODE, STEP_NUM_VFS,
					 STEP_LOAD_MODULE, STEP_PORT_ATTR, STEP_PORT_ATTR,
					 STEP_DRIVER_OVERRIDE, STEP_DRIVER_OVERRIDE, STEP_BIND,
					 STEP_BIND, STEP_AUTOPROBE, 0 });
}

Test(plan_build, a_ready_host_needs_nothing)
{
	expect_steps(ready_host("a", 2), ready_config(2), (enum step_kind[]){ 0 });
}

Test(plan_build, an_empty_wish_needs_nothing)
{
	expect_steps(ready_host("a", 2), new_config(), (enum step_kind[]){ 0 });
}

Test(plan_build, more_vfs_are_made_by_way_of_none)
{
	struct mlx5lm_config *config = new_config();

	config->num_vfs = fact_u64(4);
	expect_steps(ready_host("a", 2), config,
		     (enum step_kind[]){ STEP_AUTOPROBE, STEP_NUM_VFS, STEP_NUM_VFS,
					 STEP_AUTOPROBE, 0 });
}

Test(plan_build, autoprobe_that_is_off_stays_off)
{
	struct mlx5lm_host *host = bare_host("a");
	struct mlx5lm_config *config = new_config();

	host->pfs[0].sriov_autoprobe = MLX5LM_ANSWER_NO;
	config->num_vfs = fact_u64(1);
	expect_steps(host, config, (enum step_kind[]){ STEP_NUM_VFS, 0 });
}

Test(plan_build, a_vf_bound_before_migratable_was_enabled_is_rebound)
{
	struct mlx5lm_host *host = ready_host("a", 2);

	host->pfs[0].vfs[1].migratable = MLX5LM_PORT_ATTR_STATE_DISABLED;
	expect_steps(host, ready_config(2),
		     (enum step_kind[]){ STEP_UNBIND, STEP_PORT_ATTR, STEP_BIND, 0 });
}

Test(plan_build, a_vf_on_the_plain_driver_is_rebound)
{
	struct mlx5lm_host *host = ready_host("a", 1);

	set_text(&host->pfs[0].vfs[0].driver, "vfio-pci");
	set_text(&host->pfs[0].vfs[0].driver_override, "vfio-pci");
	expect_steps(host, ready_config(1),
		     (enum step_kind[]){ STEP_UNBIND, STEP_DRIVER_OVERRIDE, STEP_BIND, 0 });
}

Test(plan_build, no_driver_means_unbound_and_no_override)
{
	struct mlx5lm_config *config = new_config();

	set_text(&config_get_vf(config, 0)->driver, "");
	expect_steps(ready_host("a", 1), config,
		     (enum step_kind[]){ STEP_UNBIND, STEP_DRIVER_OVERRIDE, 0 });
}

Test(plan_build, a_setting_for_one_vf_goes_before_that_for_all)
{
	struct mlx5lm_config *config = ready_config(2);

	config_get_vf(config, 1)->attr[MLX5LM_PORT_ATTR_MIGRATABLE] =
		MLX5LM_PORT_ATTR_STATE_DISABLED;
	set_text(&config_get_vf(config, 1)->driver, "mlx5_core");
	cr_assert_eq(config_attr(config, 0, MLX5LM_PORT_ATTR_MIGRATABLE),
		     MLX5LM_PORT_ATTR_STATE_ENABLED);
	expect_steps(ready_host("a", 2), config,
		     (enum step_kind[]){ STEP_UNBIND, STEP_PORT_ATTR, STEP_DRIVER_OVERRIDE,
					 STEP_BIND, 0 });
}

Test(plan_build, an_address_is_set_once)
{
	struct mlx5lm_config *config = new_config();

	set_text(&config_get_vf(config, 0)->hw_addr, "02:11:22:33:44:55");
	expect_steps(ready_host("a", 1), config, (enum step_kind[]){ STEP_HW_ADDR, 0 });
	config = new_config();
	set_text(&config_get_vf(config, 0)->hw_addr, "02:00:00:00:00:00");
	expect_steps(ready_host("a", 1), config, (enum step_kind[]){ 0 });
}

Test(plan_build, a_vf_in_use_is_not_changed_but_its_neighbour_is)
{
	struct mlx5lm_host *host = ready_host("a", 2);

	set_text(&host->pfs[0].vfs[1].in_use_by, "guest");
	host->pfs[0].vfs[0].migratable = MLX5LM_PORT_ATTR_STATE_DISABLED;
	expect_steps(host, ready_config(2),
		     (enum step_kind[]){ STEP_UNBIND, STEP_PORT_ATTR, STEP_BIND, 0 });
}

Test(plan_build, the_mode_changes_behind_unbinding_and_before_ports_are_set)
{
	struct mlx5lm_host *host = ready_host("a", 2);

	host->pfs[0].eswitch_mode = MLX5LM_ESWITCH_LEGACY;
	for (size_t i = 0; i < 2; i++) {
		host->pfs[0].vfs[i].migratable = host->pfs[0].vfs[i].roce = 0;
		set_text(&host->pfs[0].vfs[i].driver, "mlx5_core");
		set_text(&host->pfs[0].vfs[i].driver_override, NULL);
	}
	expect_steps(host, ready_config(2),
		     (enum step_kind[]){ STEP_UNBIND, STEP_UNBIND, STEP_ESWITCH_MODE,
					 STEP_PORT_ATTR, STEP_PORT_ATTR, STEP_DRIVER_OVERRIDE,
					 STEP_DRIVER_OVERRIDE, STEP_BIND, STEP_BIND, 0 });
}

Test(plan_build, ports_are_set_before_they_go_away)
{
	struct mlx5lm_config *config = new_config();
	struct vf_config *all = config_get_vf(config, MLX5LM_VF_ALL);

	config->eswitch_mode = MLX5LM_ESWITCH_LEGACY;
	all->attr[MLX5LM_PORT_ATTR_MIGRATABLE] = MLX5LM_PORT_ATTR_STATE_DISABLED;
	set_text(&all->driver, "mlx5_core");
	expect_steps(ready_host("a", 1), config,
		     (enum step_kind[]){ STEP_UNBIND, STEP_PORT_ATTR, STEP_ESWITCH_MODE,
					 STEP_DRIVER_OVERRIDE, STEP_BIND, 0 });
}

Test(plan_build, the_other_order_makes_vfs_first_and_says_why)
{
	struct mlx5lm_config *config = ready_config(1);
	struct mlx5lm_host *host = bare_host("a");
	struct step_list list;

	config->order = CONFIG_VFS_FIRST;
	set_text(&config->order_reason, "the usual order was refused");
	list = make_plan(host, config);
	cr_assert_eq(list.length, 8);
	cr_expect_eq(list.steps[1].kind, STEP_NUM_VFS);
	cr_expect_eq(list.steps[2].kind, STEP_ESWITCH_MODE);
	cr_expect(strstr(list.steps[1].reason, "the usual order was refused"));
	cr_expect(strstr(list.steps[2].reason, "the usual order was refused"));
	step_list_release(&list);
	mlx5lm_host_free(host);
}

Test(plan_build, without_autoprobe_mlx5_core_gets_an_override_for_the_bind)
{
	struct mlx5lm_host *host = bare_host("a");
	struct mlx5lm_config *config = new_config();
	struct step_list list;

	config->num_vfs = fact_u64(1);
	set_text(&config_get_vf(config, 0)->driver, "mlx5_core");
	list = make_plan(host, config);
	cr_assert_eq(list.length, 6);
	cr_expect_eq(list.steps[2].kind, STEP_DRIVER_OVERRIDE);
	cr_expect_str_eq(list.steps[2].text, "mlx5_core");
	cr_expect_eq(list.steps[3].kind, STEP_BIND);
	cr_expect_eq(list.steps[4].kind, STEP_DRIVER_OVERRIDE);
	cr_expect_str_eq(list.steps[4].text, "");
	cr_expect_str_eq(list.steps[4].current, "mlx5_core");
	step_list_release(&list);
	mlx5lm_host_free(host);
}

Test(plan_build, a_release_is_the_reverse)
{
	struct mlx5lm_config *config = new_config();
	struct vf_config *vf = config_get_vf(config, 1);

	vf->attr[MLX5LM_PORT_ATTR_MIGRATABLE] = MLX5LM_PORT_ATTR_STATE_DISABLED;
	set_text(&vf->driver, "mlx5_core");
	expect_steps(ready_host("a", 2), config,
		     (enum step_kind[]){ STEP_UNBIND, STEP_PORT_ATTR, STEP_DRIVER_OVERRIDE,
					 STEP_BIND, 0 });
}

Test(plan_build, event_queues_and_vectors_are_set_on_an_unbound_vf)
{
	struct mlx5lm_host *host = ready_host("a", 1);
	struct mlx5lm_config *config = new_config();
	struct vf_config *vf = config_get_vf(config, 0);

	host->pfs[0].sriov_vf_total_msix = fact_u64(256);
	host->pfs[0].vfs[0].max_io_eqs = fact_u64(12);
	vf->max_io_eqs = fact_u64(16);
	vf->msix_count = fact_u64(64);
	expect_steps(host, config,
		     (enum step_kind[]){ STEP_UNBIND, STEP_MAX_IO_EQS, STEP_MSIX_COUNT, STEP_BIND,
					 0 });
}

Test(plan_build, a_representor_is_set_without_touching_its_vf)
{
	struct mlx5lm_host *host = ready_host("a", 1);
	struct mlx5lm_config *config = new_config();

	host->pfs[0].vfs[0].representor_state = MLX5LM_ADMIN_STATE_DOWN;
	set_text(&host->pfs[0].vfs[0].in_use_by, "guest");
	config_get_vf(config, 0)->representor_state = MLX5LM_ADMIN_STATE_UP;
	expect_steps(host, config, (enum step_kind[]){ STEP_REPRESENTOR, 0 });
}

Test(plan_build, a_vf_bound_too_early_is_bound_again)
{
	struct mlx5lm_host *host = ready_host("a", 1);

	host->pfs[0].vfs[0].vfio_migration = MLX5LM_ANSWER_NO;
	expect_steps(host, ready_config(1), (enum step_kind[]){ STEP_UNBIND, STEP_BIND, 0 });
}

Test(plan_build, only_what_differs_of_the_nv_configuration_is_set)
{
	struct mlx5lm_host *host = bare_host("a");
	struct mlx5lm_config *config = new_config();
	struct step_list list;

	add_nv(&host->pfs[0], "NUM_OF_VFS", 4, 4);
	add_nv(&host->pfs[0], "VF_MIGRATION_MODE", 2, 2);
	config->nv[1] = fact_u64(8);
	config->nv[2] = fact_u64(2);
	list = make_plan(host, config);
	cr_assert_eq(list.length, 1);
	cr_expect_eq(list.steps[0].kind, STEP_NV);
	cr_expect_str_eq(list.steps[0].text, "NUM_OF_VFS");
	cr_expect_str_eq(list.steps[0].backend, "mstconfig");
	cr_expect_str_eq(list.steps[0].command, "mstconfig -d 0000:08:00.0 -y set NUM_OF_VFS=8");
	cr_expect(list.steps[0].cannot_be_undone);
	cr_expect(list.restart_needed);
	cr_expect_not(list.incomplete);
	step_list_release(&list);
	mlx5lm_host_free(host);
}

Test(plan_build, what_is_stored_already_only_waits)
{
	struct mlx5lm_host *host = bare_host("a");
	struct mlx5lm_config *config = new_config();
	struct step_list list;

	add_nv(&host->pfs[0], "NUM_OF_VFS", 4, 8);
	config->nv[1] = fact_u64(8);
	list = make_plan(host, config);
	cr_expect_eq(list.length, 0);
	cr_expect(list.restart_needed);
	step_list_release(&list);
	mlx5lm_host_free(host);
}

Test(plan_build, a_value_that_devlink_told_is_set_by_devlink)
{
	struct mlx5lm_host *host = bare_host("a");
	struct mlx5lm_config *config = new_config();
	struct step_list list;

	add_nv(&host->pfs[0], "SRIOV_EN", 0, 0);
	add_nv(&host->pfs[0], "NUM_OF_VFS", 4, 4);
	set_text(&host->pfs[0].nv_source, "devlink");
	config->nv[0] = fact_u64(1);
	config->nv[1] = fact_u64(8);
	list = make_plan(host, config);
	cr_assert_eq(list.length, 2);
	cr_expect_str_eq(list.steps[0].command, "devlink dev param set pci/0000:08:00.0 name "
			 "enable_sriov value true cmode permanent");
	cr_expect_str_eq(list.steps[1].command, "devlink dev param set pci/0000:08:00.0 name "
			 "total_vfs value 8 cmode permanent");
	cr_expect_eq(step_batch_length(list.steps, list.length), 2);
	step_list_release(&list);
	mlx5lm_host_free(host);
}

Test(plan_build, more_vfs_than_there_are_wait_for_the_restart)
{
	struct mlx5lm_host *host = ready_host("a", 2);
	struct mlx5lm_config *config = ready_config(200);
	struct step_list list;

	add_nv(&host->pfs[0], "NUM_OF_VFS", 127, 127);
	config->nv[1] = fact_u64(200);
	list = make_plan(host, config);
	cr_assert_eq(list.length, 1);
	cr_expect_eq(list.steps[0].kind, STEP_NV);
	cr_expect(list.incomplete);
	cr_expect(list.restart_needed);
	step_list_release(&list);
	mlx5lm_host_free(host);
}

Test(plan_build, migratable_waits_for_the_restart_that_brings_it)
{
	struct mlx5lm_host *host = bare_host("a");
	struct mlx5lm_config *config = ready_config(2);
	struct step_list list;

	add_nv(&host->pfs[0], "VF_MIGRATION_MODE", 1, 1);
	config->nv[2] = fact_u64(2);
	list = make_plan(host, config);
	cr_expect_eq(list.length, 1);
	cr_expect(list.incomplete);
	step_list_release(&list);
	mlx5lm_host_free(host);
}

Test(plan_build, a_reset_comes_without_vfs_and_before_the_rest)
{
	struct mlx5lm_host *host = ready_host("a", 1);
	struct mlx5lm_config *config = ready_config(1);

	add_nv(&host->pfs[0], "NUM_OF_VFS", 4, 4);
	config->nv[1] = fact_u64(8);
	config->firmware_reset = true;
	expect_steps(host, config,
		     (enum step_kind[]){ STEP_NV, STEP_NUM_VFS, STEP_FIRMWARE_RESET,
					 STEP_AUTOPROBE, STEP_ESWITCH_MODE, STEP_NUM_VFS,
					 STEP_PORT_ATTR, STEP_DRIVER_OVERRIDE, STEP_BIND,
					 STEP_AUTOPROBE, 0 });
}

Test(plan_build, without_anything_pending_there_is_no_reset)
{
	struct mlx5lm_host *host = ready_host("a", 1);
	struct mlx5lm_config *config = ready_config(1);

	add_nv(&host->pfs[0], "NUM_OF_VFS", 8, 8);
	config->nv[1] = fact_u64(8);
	config->firmware_reset = true;
	expect_steps(host, config, (enum step_kind[]){ 0 });
}

Test(plan_build, a_batch_is_one_kind_on_different_vfs)
{
	struct mlx5lm_host *host = bare_host("a");
	struct mlx5lm_config *config = ready_config(3);
	struct step_list list;
	size_t lengths = 0;

	config_get_vf(config, MLX5LM_VF_ALL)->attr[MLX5LM_PORT_ATTR_ROCE] =
		MLX5LM_PORT_ATTR_STATE_DISABLED;
	list = make_plan(host, config);
	for (size_t i = 0, length; i < list.length; i += length) {
		length = step_batch_length(&list.steps[i], list.length - i);
		cr_assert_eq(length, step_is_of_vf(list.steps[i].kind) ? 3 : 1);
		lengths++;
	}
	/* autoprobe, mode, VFs, module, roce, migratable, override, bind, autoprobe */
	cr_expect_eq(lengths, 9);
	cr_expect_eq(step_batch_length(list.steps, 0), 0);
	step_list_release(&list);
	mlx5lm_host_free(host);
}

Test(plan_build, every_step_tells_what_it_is_and_what_it_costs)
{
	struct mlx5lm_host *host = ready_host("a", 2);
	struct mlx5lm_config *config = ready_config(4);
	struct step_list list;

	set_text(&config_get_vf(config, 3)->hw_addr, "02:00:00:00:00:33");
	config_get_vf(config, 3)->max_io_eqs = fact_u64(16);
	config_get_vf(config, 3)->representor_state = MLX5LM_ADMIN_STATE_UP;
	list = make_plan(host, config);
	cr_assert_gt(list.length, 10);
	for (size_t i = 0; i < list.length; i++) {
		const struct mlx5lm_step *step = &list.steps[i];

		cr_expect(step->object && step->current && step->wanted && step->reason &&
			  step->command && step->usual_time_ms, "step %zu", i);
		cr_expect_eq(!step->disturbance, !step->disturbs);
		cr_expect_eq(step->cannot_be_undone, step->kind == STEP_LOAD_MODULE);
	}
	cr_expect(list.steps[1].disturbs & MLX5LM_DISTURBANCE_PF_TRAFFIC);
	step_list_release(&list);
	mlx5lm_host_free(host);
}

Test(plan_build, a_hostile_driver_name_is_one_word_of_the_command)
{
	struct mlx5lm_host *host = ready_host("a", 1);
	struct mlx5lm_config *config = new_config();
	struct step_list list;

	set_text(&host->pfs[0].vfs[0].driver, "x; reboot");
	set_text(&config_get_vf(config, 0)->driver, "");
	list = make_plan(host, config);
	cr_expect(strstr(list.steps[0].command, "'x; reboot'"), "%s", list.steps[0].command);
	step_list_release(&list);
	mlx5lm_host_free(host);
}

Test(plan_build, differing_lists_are_told_apart)
{
	struct mlx5lm_host *a = bare_host("a"), *b = bare_host("a");
	struct mlx5lm_config *config = ready_config(1);
	struct step_list x = { 0 }, y = { 0 };

	cr_assert_eq(plan_build(a, &a->pfs[0], config, &x, NULL), 0);
	cr_assert_eq(plan_build(b, &b->pfs[0], config, &y, NULL), 0);
	cr_expect_eq(step_list_differ(&x, &y), -1);
	step_list_release(&y);
	b->pfs[0].eswitch_mode = MLX5LM_ESWITCH_SWITCHDEV;
	cr_assert_eq(plan_build(b, &b->pfs[0], config, &y, NULL), 0);
	cr_expect_eq(step_list_differ(&x, &y), 1);
	step_list_release(&x);
	step_list_release(&y);
	mlx5lm_config_free(config);
	mlx5lm_host_free(a);
	mlx5lm_host_free(b);
}

Test(plan_build, addresses_are_canonical_unicast_and_not_zero)
{
	static const char *const bad[] = { "", "02:00:00:00:00", "01:00:00:00:00:00",
					   "00:00:00:00:00:00", "02-00-00-00-00-00",
					   "02:00:00:00:00:0g", "02:00:00:00:00:000",
					   "ff:ff:ff:ff:ff:ff", " 2:00:00:00:00:00" };
	char text[HW_ADDR_TEXT_SIZE];

	for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
		cr_expect_eq(hw_addr_parse(bad[i], text), -EINVAL, "\"%s\"", bad[i]);
	cr_assert_eq(hw_addr_parse("02:AA:bb:0C:0d:0e", text), 0);
	cr_assert_str_eq(text, "02:aa:bb:0c:0d:0e");
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/plan_build.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "base/error.h"
#include "core/plan_text.h"
#include "support/hosts.h"

static struct mlx5lm_config *new_config(void)
{
	struct mlx5lm_config *config = calloc(1, sizeof(*config));

	cr_assert_not_null(config);
	return config;
}

/* The state of the vendor's page: N VFs, switchdev, migratable, on the variant driver. */
static struct mlx5lm_config *ready_config(uint32_t num_vfs)
{
	struct mlx5lm_config *config = new_config();
	struct vf_config *all = config_get_vf(config, MLX5LM_VF_ALL);

	config->num_vfs = fact_u64(num_vfs);
	config->eswitch_mode = MLX5LM_ESWITCH_SWITCHDEV;
	all->attr[MLX5LM_PORT_ATTR_MIGRATABLE] = MLX5LM_PORT_ATTR_STATE_ENABLED;
	set_text(&all->driver, "mlx5_vfio_pci");
	return config;
}

/* Plans, and expects these kinds of steps in this order; 0 ends the list. */
static void expect_steps(struct mlx5lm_host *host, struct mlx5lm_config *config,
			 const enum step_kind *kinds)
{
	_cleanup_error_ struct mlx5lm_error *error = NULL;
	struct step_list list = { 0 };
	size_t length = 0;
	int r = plan_build(host, &host->pfs[0], config, &list, &error);

	cr_assert_eq(r, 0, "%s", mlx5lm_error_get_message(error));
	while (kinds[length])
		length++;
	for (size_t i = 0; i < length && i < list.length; i++)
		cr_expect_eq(list.steps[i].kind, kinds[i], "step %zu is %s", i,
			     step_id(list.steps[i].kind));
	cr_expect_eq(list.length, length);
	step_list_release(&list);
	mlx5lm_config_free(config);
	mlx5lm_host_free(host);
}

/* Plans, and expects a refusal whose message and remedy hold these words. */
static void expect_refusal(struct mlx5lm_host *host, struct mlx5lm_config *config, int errnum,
			   const char *message, const char *remedy)
{
	_cleanup_error_ struct mlx5lm_error *error = NULL;
	struct step_list list = { 0 };

	cr_assert_eq(plan_build(host, &host->pfs[0], config, &list, &error), -errnum);
	cr_expect(strstr(error->message, message), "%s", error->message);
	cr_expect(!remedy || strstr(error->remedy, remedy), "%s", error->remedy);
	cr_expect_eq(list.length, 0);
	mlx5lm_config_free(config);
	mlx5lm_host_free(host);
}

Test(plan_build, from_nothing_the_order_is_the_kernels)
{
	expect_steps(bare_host("a"), ready_config(2),
		     (enum step_kind[]){ STEP_AUTOPROBE, STEP_ESWITCH_MODE, STEP_NUM_VFS,
					 STEP_LOAD_MODULE, STEP_PORT_ATTR, STEP_DRIVER_OVERRIDE,
					 STEP_BIND, STEP_PORT_ATTR, STEP_DRIVER_OVERRIDE,
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

Test(plan_build, vfs_in_use_are_not_recreated)
{
	struct mlx5lm_host *host = ready_host("a", 2);
	struct mlx5lm_config *config = new_config();

	set_text(&host->pfs[0].vfs[1].in_use_by, "guest");
	config->num_vfs = fact_u64(0);
	expect_refusal(host, config, EBUSY, "0000:08:00.3 is used by domain guest",
		       "migrate or shut down domain guest");
}

Test(plan_build, a_vf_in_use_is_not_changed_but_its_neighbour_is)
{
	struct mlx5lm_host *host = ready_host("a", 2);

	set_text(&host->pfs[0].vfs[1].in_use_by, "guest");
	host->pfs[0].vfs[0].migratable = MLX5LM_PORT_ATTR_STATE_DISABLED;
	expect_steps(host, ready_config(2),
		     (enum step_kind[]){ STEP_UNBIND, STEP_PORT_ATTR, STEP_BIND, 0 });
	host = ready_host("a", 2);
	set_text(&host->pfs[0].vfs[1].in_use_by, "guest");
	host->pfs[0].vfs[1].roce = MLX5LM_PORT_ATTR_STATE_DISABLED;
	{
		struct mlx5lm_config *config = ready_config(2);

		config_get_vf(config, MLX5LM_VF_ALL)->attr[MLX5LM_PORT_ATTR_ROCE] =
			MLX5LM_PORT_ATTR_STATE_ENABLED;
		expect_refusal(host, config, EBUSY, "used by domain guest", NULL);
	}
}

Test(plan_build, the_mode_is_not_changed_under_a_guest)
{
	struct mlx5lm_host *host = ready_host("a", 1);
	struct mlx5lm_config *config = new_config();

	set_text(&host->pfs[0].vfs[0].in_use_by, "guest");
	config->eswitch_mode = MLX5LM_ESWITCH_LEGACY;
	expect_refusal(host, config, EBUSY, "eswitch mode", "domain guest");
}

Test(plan_build, more_vfs_than_there_are_is_refused)
{
	expect_refusal(bare_host("a"), ready_config(128), ERANGE, "offers 127 VFs, 128 are wanted",
		       "NUM_OF_VFS=128");
}

Test(plan_build, ports_need_switchdev)
{
	struct mlx5lm_config *config = ready_config(1);

	config->eswitch_mode = 0;
	expect_refusal(bare_host("a"), config, EOPNOTSUPP, "only in switchdev mode", "eswitch");
}

Test(plan_build, a_mode_that_cannot_be_read_is_not_guessed)
{
	struct mlx5lm_host *host = bare_host("a");

	host->pfs[0].eswitch_mode = MLX5LM_ESWITCH_UNKNOWN;
	expect_refusal(host, ready_config(1), ENODATA, "not known", "CAP_NET_ADMIN");
}

Test(plan_build, what_firmware_does_not_offer_is_refused)
{
	struct mlx5lm_host *host = ready_host("a", 1);

	host->pfs[0].vfs[0].migratable = MLX5LM_PORT_ATTR_STATE_UNSUPPORTED;
	expect_refusal(host, ready_config(1), EOPNOTSUPP, "migratable", "VF_MIGRATION_MODE=2");
}

Test(plan_build, a_missing_module_is_refused)
{
	struct mlx5lm_host *host = bare_host("a");

	host->modules[1].state = MLX5LM_MODULE_MISSING;
	expect_refusal(host, ready_config(1), ENOENT, "no module mlx5_vfio_pci",
		       "CONFIG_MLX5_VFIO_PCI");
}

Test(plan_build, a_vf_that_would_not_be_there_is_refused)
{
	struct mlx5lm_config *config = ready_config(1);

	cr_assert_not_null(config_get_vf(config, 1));
	expect_refusal(bare_host("a"), config, EINVAL, "VF 1 is configured", NULL);
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

Test(plan_build, the_shell_form_has_every_step_and_finds_ports_by_vf_number)
{
	_cleanup_text_ struct mlx5lm_text *text = NULL;
	struct mlx5lm_host *host = bare_host("a");
	struct mlx5lm_config *config = ready_config(1);
	struct step_list list = { 0 };

	cr_assert_eq(plan_build(host, &host->pfs[0], config, &list, NULL), 0);
	cr_assert_eq(plan_to_shell("0000:08:00.0", &list, &text), 0);
	for (size_t i = 0; i < list.length; i++)
		cr_expect(strstr(text->text, list.steps[i].command), "%s", list.steps[i].command);
	cr_expect(strstr(text->text, "\"$(vf_port 0000:08:00.0 0)\" migratable enable"));
	cr_expect(strstr(text->text, "devlink dev eswitch set pci/0000:08:00.0 mode switchdev"));
	step_list_release(&list);
	mlx5lm_config_free(config);
	mlx5lm_host_free(host);
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

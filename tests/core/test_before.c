// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/before.h"

#include <criterion/criterion.h>

#include "support/hosts.h"

static struct mlx5lm_host *before, *now;
static struct mlx5lm_config *config;

static void setup(void)
{
	before = ready_host("a", 3);
	now = ready_host("a", 3);
	config = calloc(1, sizeof(*config));
	cr_assert_not_null(config);
}

static void teardown(void)
{
	mlx5lm_config_free(config);
	mlx5lm_host_free(before);
	mlx5lm_host_free(now);
}

TestSuite(before, .init = setup, .fini = teardown);

Test(before, what_ports_tell_completes_what_was_not_known)
{
	struct mlx5lm_vf *vf = &before->pfs[0].vfs[1];

	set_text(&vf->hw_addr, NULL);
	vf->migratable = MLX5LM_PORT_ATTR_STATE_UNKNOWN;
	vf->roce = MLX5LM_PORT_ATTR_STATE_DISABLED;
	vf->max_io_eqs = (struct fact_u64){ 0 };
	set_text(&now->pfs[0].vfs[1].hw_addr, "02:00:00:00:00:99");
	now->pfs[0].vfs[1].migratable = MLX5LM_PORT_ATTR_STATE_DISABLED;
	now->pfs[0].vfs[1].roce = MLX5LM_PORT_ATTR_STATE_ENABLED;
	now->pfs[0].vfs[1].max_io_eqs = fact_u64(7);
	cr_assert_eq(before_learn_ports(&before->pfs[0], &now->pfs[0]), 0);
	cr_expect_str_eq(vf->hw_addr, "02:00:00:00:00:99");
	cr_expect_eq(vf->migratable, MLX5LM_PORT_ATTR_STATE_DISABLED);
	cr_expect_eq(vf->roce, MLX5LM_PORT_ATTR_STATE_DISABLED, "known before, so not touched");
	cr_expect_eq(vf->max_io_eqs.value, 7);
}

Test(before, a_vf_that_is_given_up_is_to_be_as_it_was)
{
	const bool failed[] = { false, true, false };
	struct mlx5lm_vf *vf = &before->pfs[0].vfs[1];

	set_text(&vf->driver, "mlx5_core");
	set_text(&vf->driver_override, NULL);
	vf->migratable = MLX5LM_PORT_ATTR_STATE_DISABLED;
	config_get_vf(config, MLX5LM_VF_ALL)->attr[MLX5LM_PORT_ATTR_MIGRATABLE] =
		MLX5LM_PORT_ATTR_STATE_ENABLED;
	set_text(&config_get_vf(config, MLX5LM_VF_ALL)->driver, "mlx5_vfio_pci");
	cr_assert_eq(before_give_up_vfs(&before->pfs[0], &now->pfs[0], false, failed, 3, config), 0);
	cr_expect_str_eq(config_driver(config, 1), "mlx5_core");
	cr_expect_str_eq(config_driver_override(config, 1), "");
	cr_expect_eq(config_attr(config, 1, MLX5LM_PORT_ATTR_MIGRATABLE),
		     MLX5LM_PORT_ATTR_STATE_DISABLED);
	cr_expect_str_eq(config_driver(config, 0), "mlx5_vfio_pci");
	cr_expect_eq(config_attr(config, 2, MLX5LM_PORT_ATTR_MIGRATABLE),
		     MLX5LM_PORT_ATTR_STATE_ENABLED);
}

Test(before, a_new_vf_that_is_given_up_has_no_driver_and_is_not_migratable)
{
	const bool failed[] = { true };

	cr_assert_eq(before_give_up_vfs(&before->pfs[0], &now->pfs[0], true, failed, 1, config), 0);
	cr_expect_str_eq(config_driver(config, 0), "");
	cr_expect_str_eq(config_driver_override(config, 0), "");
	cr_expect_eq(config_attr(config, 0, MLX5LM_PORT_ATTR_MIGRATABLE),
		     MLX5LM_PORT_ATTR_STATE_DISABLED);
	cr_expect_str_eq(config_hw_addr(config, 0), now->pfs[0].vfs[0].hw_addr);
	cr_expect_null(config_driver(config, 1));
}

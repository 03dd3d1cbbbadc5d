// SPDX-License-Identifier: LGPL-2.1-or-later
#include <criterion/criterion.h>
#include <errno.h>
#include <mlx5lm/mlx5lm.h>

#include "support/hosts.h"
#include "support/tree.h"

static struct mlx5lm_host *host;
static struct mlx5lm_config *config;
static struct mlx5lm_plan *plan;
static struct mlx5lm_error *error;

static void start(void)
{
	host = bare_host("a");
	cr_assert_eq(mlx5lm_config_new(&config), 0);
	cr_assert_eq(mlx5lm_config_set_num_vfs(config, 1), 0);
}

static void release(void)
{
	mlx5lm_error_free(error);
	mlx5lm_plan_free(plan);
	mlx5lm_config_free(config);
	mlx5lm_host_free(host);
}

TestSuite(plan, .init = start, .fini = release);

static void count(void *userdata)
{
	++*(int *)userdata;
}

static int stop(const struct mlx5lm_plan *which, size_t index, enum mlx5lm_step_state state,
		void *userdata)
{
	(void)which;
	(void)index;
	(void)state;
	++*(int *)userdata;
	return -1;
}

Test(plan, steps_tell_what_they_do)
{
	const struct mlx5lm_step *step;
	const char *text;

	cr_assert_eq(mlx5lm_plan_new(host, "08:00.0", config, &plan, NULL), 0);
	cr_assert_eq(mlx5lm_plan_length(plan), 3);
	step = mlx5lm_plan_get_step(plan, 1);
	cr_assert_eq(mlx5lm_step_get_str(step, MLX5LM_STEP_ID, &text), 0);
	cr_expect_str_eq(text, "num-vfs");
	cr_assert_eq(mlx5lm_step_get_str(step, MLX5LM_STEP_CURRENT, &text), 0);
	cr_expect_str_eq(text, "0");
	cr_assert_eq(mlx5lm_step_get_str(step, MLX5LM_STEP_WANTED, &text), 0);
	cr_expect_str_eq(text, "1");
	cr_assert_eq(mlx5lm_step_get_str(step, MLX5LM_STEP_COMMAND, &text), 0);
	cr_expect_str_eq(text, "echo 1 > /sys/bus/pci/devices/0000:08:00.0/sriov_numvfs");
	cr_expect_eq(mlx5lm_step_get_str(step, (enum mlx5lm_step_key)99, &text), -EINVAL);
	cr_expect_null(mlx5lm_plan_get_step(plan, 3));
}

Test(plan, does_not_need_what_it_was_made_from)
{
	struct mlx5lm_text *json = NULL, *shell = NULL, *none = NULL;

	cr_assert_eq(mlx5lm_plan_new(host, "0000:08:00.0", config, &plan, NULL), 0);
	mlx5lm_host_free(host);
	mlx5lm_config_free(config);
	host = NULL;
	config = NULL;
	cr_assert_eq(mlx5lm_plan_serialize(plan, MLX5LM_PLAN_FORMAT_JSON, &json), 0);
	cr_expect(strstr(mlx5lm_text_get_str(json), "\"mlx5lm.plan\""));
	cr_assert_eq(mlx5lm_plan_serialize(plan, MLX5LM_PLAN_FORMAT_SHELL, &shell), 0);
	cr_expect(strstr(mlx5lm_text_get_str(shell), "sriov_numvfs"));
	cr_expect_eq(mlx5lm_plan_serialize(plan, MLX5LM_PLAN_FORMAT_UNKNOWN, &none), -EINVAL);
	mlx5lm_text_free(json);
	mlx5lm_text_free(shell);
}

Test(plan, an_unknown_pf_is_named)
{
	cr_assert_eq(mlx5lm_plan_new(host, "0000:09:00.0", config, &plan, &error), -ENOENT);
	cr_expect(strstr(mlx5lm_error_get_message(error), "0000:09:00.0"));
	cr_expect_null(plan);
}

Test(plan, settings_out_of_range_are_refused)
{
	cr_expect_eq(mlx5lm_config_set_num_vfs(config, 4097), -EINVAL);
	cr_expect_eq(mlx5lm_config_set_eswitch_mode(config, MLX5LM_ESWITCH_UNKNOWN), -EINVAL);
	cr_expect_eq(mlx5lm_config_set_vf_hw_addr(config, MLX5LM_VF_ALL, "02:00:00:00:00:01"), -EINVAL);
	cr_expect_eq(mlx5lm_config_set_vf_hw_addr(config, 0, "01:00:00:00:00:01"), -EINVAL);
	cr_expect_eq(mlx5lm_config_set_vf_attr(config, 0, MLX5LM_PORT_ATTR_UNKNOWN,
					       MLX5LM_PORT_ATTR_STATE_ENABLED), -EINVAL);
	cr_expect_eq(mlx5lm_config_set_vf_attr(config, 0, MLX5LM_PORT_ATTR_ROCE,
					       MLX5LM_PORT_ATTR_STATE_UNSUPPORTED), -EINVAL);
	cr_expect_eq(mlx5lm_config_set_vf_driver(config, 0, "../../evil"), -EINVAL);
	cr_expect_eq(mlx5lm_config_set_vf_driver(config, 0, NULL), -EINVAL);
}

Test(plan, another_machines_tree_is_never_changed)
{
	struct tree *tree = tree_new();
	struct mlx5lm_ctx *ctx;

	tree_add_host(tree, false);
	tree_add_pf(tree, &(struct tree_pf){ .bdf = "0000:08:00.0", .device_id = 0x1021,
					     .total_vfs = 127 });
	cr_assert_eq(mlx5lm_ctx_new(&ctx), 0);
	cr_assert_eq(mlx5lm_ctx_set_root(ctx, tree_path(tree), NULL), 0);
	cr_assert_eq(mlx5lm_plan_new(host, "0000:08:00.0", config, &plan, NULL), 0);
	cr_assert_eq(mlx5lm_plan_apply(plan, ctx, &error), -EROFS);
	cr_expect_eq(mlx5lm_error_get_code(error), MLX5LM_ERROR_READ_ONLY_ROOT);
	cr_expect_str_eq(tree_read(tree, "sys/bus/pci/devices/0000:08:00.0/sriov_numvfs"), "0");
	mlx5lm_ctx_unref(ctx);
	tree_free(tree);
}

/* A tree that the library takes for this machine, with the PF of the snapshot in it. */
static struct mlx5lm_ctx *own_machine(struct tree *tree, unsigned int num_vfs)
{
	struct mlx5lm_ctx *ctx;

	tree_add_host(tree, true);
	tree_add_pf(tree, &(struct tree_pf){ .bdf = "0000:08:00.0", .device_id = 0x1021,
					     .total_vfs = 127, .num_vfs = num_vfs });
	cr_assert_eq(mlx5lm_ctx_new(&ctx), 0);
	cr_assert_eq(mlx5lm_ctx_set_root(ctx, tree_path(tree), NULL), 0);
	return ctx;
}

Test(plan, a_host_that_has_changed_is_refused_with_the_difference)
{
	struct tree *tree = tree_new();
	struct mlx5lm_ctx *ctx = own_machine(tree, 2);

	cr_assert_eq(mlx5lm_plan_new(host, "0000:08:00.0", config, &plan, NULL), 0);
	cr_assert_eq(mlx5lm_plan_apply(plan, ctx, &error), -ESTALE);
	cr_expect_eq(mlx5lm_error_get_code(error), MLX5LM_ERROR_STATE_CHANGED);
	cr_expect_not_null(mlx5lm_error_get_detail(error));
	cr_expect_str_eq(tree_read(tree, "sys/bus/pci/devices/0000:08:00.0/sriov_numvfs"), "2");
	mlx5lm_ctx_unref(ctx);
	tree_free(tree);
}

Test(plan, the_callback_can_stop_it_before_anything_is_written)
{
	struct tree *tree = tree_new();
	struct mlx5lm_ctx *ctx = own_machine(tree, 0);
	int called = 0;

	cr_assert_eq(mlx5lm_plan_new(host, "0000:08:00.0", config, &plan, NULL), 0);
	cr_assert_eq(mlx5lm_plan_set_progress(plan, stop, &called, NULL), 0);
	cr_assert_eq(mlx5lm_plan_apply(plan, ctx, &error), -ECANCELED);
	cr_expect_eq(mlx5lm_error_get_code(error), MLX5LM_ERROR_CANCELLED);
	cr_expect_eq(called, 1);
	cr_expect_str_eq(tree_read(tree, "sys/bus/pci/devices/0000:08:00.0/sriov_drivers_autoprobe"),
			 "1");
	cr_expect_str_eq(tree_read(tree, "sys/bus/pci/devices/0000:08:00.0/sriov_numvfs"), "0");
	mlx5lm_ctx_unref(ctx);
	tree_free(tree);
}

Test(plan, a_failing_step_is_named_and_autoprobe_gets_its_value_back)
{
	struct tree *tree = tree_new();
	struct mlx5lm_ctx *ctx = own_machine(tree, 0);

	/* No VFs come of it: the tree is no kernel. */
	tree_remove(tree, "sys/bus/pci/devices/0000:08:00.0/sriov_numvfs");
	cr_assert_eq(mlx5lm_plan_new(host, "0000:08:00.0", config, &plan, NULL), 0);
	cr_assert_lt(mlx5lm_plan_apply(plan, ctx, &error), 0);
	cr_expect_str_eq(tree_read(tree, "sys/bus/pci/devices/0000:08:00.0/sriov_drivers_autoprobe"),
			 "1");
	mlx5lm_ctx_unref(ctx);
	tree_free(tree);
}

Test(plan, userdata_is_released_exactly_once)
{
	int first = 0, second = 0, refused = 0;

	cr_assert_eq(mlx5lm_plan_new(host, "0000:08:00.0", config, &plan, NULL), 0);
	cr_assert_eq(mlx5lm_plan_set_progress(plan, stop, &first, count), 0);
	cr_assert_eq(mlx5lm_plan_set_progress(plan, stop, &second, count), 0);
	cr_expect_eq(first, 1);
	mlx5lm_plan_free(plan);
	plan = NULL;
	cr_expect_eq(second, 1);
	cr_assert_eq(mlx5lm_plan_set_progress(NULL, stop, &refused, count), -EINVAL);
	cr_expect_eq(refused, 1);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include <criterion/criterion.h>
#include <errno.h>
#include <mlx5lm/mlx5lm.h>

#include "support/tree.h"

static void count(void *userdata)
{
	++*(int *)userdata;
}

static void note(enum mlx5lm_log_level level, const char *message, void *userdata)
{
	(void)level;
	(void)message;
	(void)userdata;
}

Test(context, holds_a_reference_until_the_last_one_goes)
{
	struct mlx5lm_ctx *ctx;
	int destroyed = 0;

	cr_assert_eq(mlx5lm_ctx_new(&ctx), 0);
	cr_assert_eq(mlx5lm_ctx_set_log(ctx, MLX5LM_LOG_DEBUG, note, &destroyed, count), 0);
	cr_assert_eq(mlx5lm_ctx_ref(ctx), ctx);
	cr_assert_null(mlx5lm_ctx_unref(ctx));
	cr_assert_eq(destroyed, 0);
	cr_assert_null(mlx5lm_ctx_unref(ctx));
	cr_assert_eq(destroyed, 1);
}

Test(context, userdata_of_a_refused_callback_is_released)
{
	int destroyed = 0;

	cr_assert_eq(mlx5lm_ctx_set_log(NULL, MLX5LM_LOG_DEBUG, note, &destroyed, count), -EINVAL);
	cr_assert_eq(destroyed, 1);
}

Test(context, a_root_that_is_not_there_changes_nothing)
{
	struct mlx5lm_error *error = NULL;
	struct mlx5lm_ctx *ctx;

	cr_assert_eq(mlx5lm_ctx_new(&ctx), 0);
	cr_assert_eq(mlx5lm_ctx_set_root(ctx, "/nonexistent/root", &error), -ENOENT);
	cr_assert(strstr(mlx5lm_error_get_message(error), "/nonexistent/root"));
	mlx5lm_error_free(error);
	cr_assert_eq(mlx5lm_ctx_set_root(ctx, NULL, NULL), -EINVAL);
	mlx5lm_ctx_unref(ctx);
}

Test(context, null_is_taken_where_it_may_stand)
{
	cr_assert_eq(mlx5lm_ctx_new(NULL), -EINVAL);
	cr_assert_null(mlx5lm_ctx_ref(NULL));
	cr_assert_null(mlx5lm_ctx_unref(NULL));
}

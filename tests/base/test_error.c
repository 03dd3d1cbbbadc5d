// SPDX-License-Identifier: LGPL-2.1-or-later
#include <criterion/criterion.h>
#include <errno.h>

#include "base/error.h"

Test(error, all_parts_are_kept)
{
	_cleanup_error_ struct mlx5lm_error *error = NULL;

	cr_assert_eq(error_set(&error, MLX5LM_ERROR_BUSY, EBUSY, MLX5LM_SOURCE_DEVLINK,
			       "VF %d is busy", 3), -EBUSY);
	error_add_detail(&error, "mlx5_core: %s", "no");
	error_add_remedy(&error, "wait");
	error_add_prefix(&error, "step %d: ", 2);
	cr_assert_eq(mlx5lm_error_get_code(error), MLX5LM_ERROR_BUSY);
	cr_assert_eq(mlx5lm_error_get_errno(error), EBUSY);
	cr_assert_eq(mlx5lm_error_get_source(error), MLX5LM_SOURCE_DEVLINK);
	cr_assert_str_eq(mlx5lm_error_get_message(error), "step 2: VF 3 is busy");
	cr_assert_str_eq(mlx5lm_error_get_detail(error), "mlx5_core: no");
	cr_assert_str_eq(mlx5lm_error_get_remedy(error), "wait");
}

Test(error, nobody_has_to_want_it)
{
	cr_assert_eq(error_set(NULL, MLX5LM_ERROR_IO, EIO, MLX5LM_SOURCE_SYSFS, "x"), -EIO);
	error_add_detail(NULL, "x");
	error_add_remedy(NULL, "x");
	error_add_prefix(NULL, "x");
	cr_assert_eq(error_no_memory(NULL), -ENOMEM);
}

Test(error, lack_of_memory_is_an_error_that_needs_none)
{
	struct mlx5lm_error *error = NULL;

	cr_assert_eq(error_no_memory(&error), -ENOMEM);
	error_add_detail(&error, "not kept");
	cr_assert_eq(mlx5lm_error_get_code(error), MLX5LM_ERROR_NO_MEMORY);
	cr_assert_null(mlx5lm_error_get_detail(error));
	mlx5lm_error_free(error);
	mlx5lm_error_free(error);
}

Test(error, a_copy_outlives_the_original)
{
	struct mlx5lm_error *error = NULL;
	_cleanup_error_ struct mlx5lm_error *copy = NULL;

	error_set(&error, MLX5LM_ERROR_VF, ENODEV, MLX5LM_SOURCE_LIBRARY, "gone");
	error_add_remedy(&error, "look");
	copy = error_copy(error);
	mlx5lm_error_free(error);
	cr_assert_str_eq(mlx5lm_error_get_message(copy), "gone");
	cr_assert_str_eq(mlx5lm_error_get_remedy(copy), "look");
	cr_assert_null(mlx5lm_error_get_detail(copy));
}

Test(error, null_is_answered_not_followed)
{
	cr_assert_eq(mlx5lm_error_get_code(NULL), MLX5LM_ERROR_UNKNOWN);
	cr_assert_eq(mlx5lm_error_get_errno(NULL), 0);
	cr_assert_null(mlx5lm_error_get_message(NULL));
	mlx5lm_error_free(NULL);
}

Test(error, values_of_a_newer_library_have_a_name_too)
{
	cr_assert_str_eq(mlx5lm_error_code_str((enum mlx5lm_error_code)9999), "unknown");
	cr_assert_str_eq(mlx5lm_error_source_str((enum mlx5lm_error_source)-1), "unknown");
	cr_assert_str_eq(mlx5lm_error_code_str(MLX5LM_ERROR_VF), "vf");
	cr_assert_str_eq(mlx5lm_error_source_str(MLX5LM_SOURCE_KMOD), "kmod");
}

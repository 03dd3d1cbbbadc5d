// SPDX-License-Identifier: LGPL-2.1-or-later
#include <mlx5lm/version.h>

#include "export.h"

MLX5LM_EXPORT uint32_t mlx5lm_version_number(void)
{
	return (uint32_t)MLX5LM_MAJOR << 16 | MLX5LM_MINOR << 8 | MLX5LM_PATCH;
}

MLX5LM_EXPORT const char *mlx5lm_version_str(void)
{
	return MLX5LM_VERSION;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MLX5LM_VERSION_H
#define MLX5LM_VERSION_H

#include <mlx5lm/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * mlx5lm_version_number() - version of the library that runs
 *
 * Return: major << 16 | minor << 8 | patch; 0.1.0 is 0x000100.
 * Thread: any. Since: 0.1
 */
uint32_t mlx5lm_version_number(void);

/**
 * mlx5lm_version_str() - version of the library that runs, as text
 *
 * Return: "MAJOR.MINOR.PATCH", static.
 * Thread: any. Since: 0.1
 */
const char *mlx5lm_version_str(void);

#ifdef __cplusplus
}
#endif

#endif

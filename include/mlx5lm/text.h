/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MLX5LM_TEXT_H
#define MLX5LM_TEXT_H

#include <mlx5lm/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A text owned by the caller: every function that produces JSON, XML or shell
 * commands hands out one of these, so that no program ever has to release
 * memory of the library with its own free().
 */

/**
 * mlx5lm_text_get_str() - the characters of a text
 * @text: a text, may be NULL
 *
 * Return: UTF-8, NUL-terminated, valid until mlx5lm_text_free(); NULL for NULL.
 * Thread: any (immutable). Since: 0.1
 */
const char *mlx5lm_text_get_str(const struct mlx5lm_text *text);

/**
 * mlx5lm_text_length() - length of a text in bytes, without the final NUL
 * @text: a text, may be NULL
 *
 * Return: the length; 0 for NULL.
 * Thread: any (immutable). Since: 0.1
 */
size_t mlx5lm_text_length(const struct mlx5lm_text *text);

/**
 * mlx5lm_text_free() - release a text
 * @text: a text, may be NULL
 *
 * Thread: any. Since: 0.1
 */
void mlx5lm_text_free(struct mlx5lm_text *text);

#ifdef __cplusplus
}
#endif

#endif

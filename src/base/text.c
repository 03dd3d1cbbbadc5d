// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/text.h"

#include <errno.h>
#include <string.h>

#include "export.h"

int text_new_take(char *string, struct mlx5lm_text **ret)
{
	struct mlx5lm_text *text = string ? malloc(sizeof(*text)) : NULL;

	if (!text) {
		free(string);
		return -ENOMEM;
	}
	text->text = string;
	text->length = strlen(string);
	*ret = text;
	return 0;
}

MLX5LM_EXPORT const char *mlx5lm_text_get_str(const struct mlx5lm_text *text)
{
	return text ? text->text : NULL;
}

MLX5LM_EXPORT size_t mlx5lm_text_length(const struct mlx5lm_text *text)
{
	return text ? text->length : 0;
}

MLX5LM_EXPORT void mlx5lm_text_free(struct mlx5lm_text *text)
{
	if (!text)
		return;
	free(text->text);
	free(text);
}

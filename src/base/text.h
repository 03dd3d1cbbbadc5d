/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <mlx5lm/text.h>

#include "base/cleanup.h"

struct mlx5lm_text {
	char *text;
	size_t length;
};

/* Makes a text of string, which becomes the text's; it is released on failure. 0 or -ENOMEM. */
int text_new_take(char *string, struct mlx5lm_text **ret);

DEFINE_CLEANUP(struct mlx5lm_text *, mlx5lm_text_free)
#define _cleanup_text_ _cleanup_(mlx5lm_text_free_p)

#endif

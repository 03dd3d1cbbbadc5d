/* SPDX-License-Identifier: MIT-0 */
#ifndef WISHES_H
#define WISHES_H

#include <mlx5lm/mlx5lm.h>

/* What the command line wants of a PF, in the order given. */
struct wish {
	int option; /* as in long_options of configure.c */
	char *argument;
};

/* Makes them a wanted state; exits with EXIT_USAGE, and names the one, if one makes no sense. */
struct mlx5lm_config *new_config(struct wish *wishes, size_t length);

#endif

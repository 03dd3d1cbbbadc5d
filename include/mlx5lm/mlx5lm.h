/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MLX5LM_H
#define MLX5LM_H

#include <mlx5lm/types.h>
#include <mlx5lm/version.h>
#include <mlx5lm/error.h>
#include <mlx5lm/text.h>
#include <mlx5lm/context.h>
#include <mlx5lm/host.h>
#include <mlx5lm/check.h>
#include <mlx5lm/domain.h>
#include <mlx5lm/compare.h>
#include <mlx5lm/fleet.h>
#include <mlx5lm/evacuation.h>
#include <mlx5lm/config.h>
#include <mlx5lm/plan.h>
#include <mlx5lm/session.h>

#endif

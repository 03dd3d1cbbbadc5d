// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/session_names.h"

#include <mlx5lm/session.h>

#include "base/cleanup.h"

static const char *const controls[] = {
	"unknown",
	[MLX5LM_CONTROL_P2P] = "p2p",
	[MLX5LM_CONTROL_DIRECT] = "direct",
};

static const char *const actions[] = {
	"unknown",
	[MLX5LM_ACTION_CONTINUE] = "continue",
	[MLX5LM_ACTION_RAISE_DOWNTIME] = "raise-downtime",
	[MLX5LM_ACTION_FORCE_SWITCHOVER] = "force-switchover",
	[MLX5LM_ACTION_ABORT] = "abort",
};

const struct name_list control_names = { controls, ARRAY_LENGTH(controls) };
const struct name_list action_names = { actions, ARRAY_LENGTH(actions) };

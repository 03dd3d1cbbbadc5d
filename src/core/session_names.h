/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_SESSION_NAMES_H
#define CORE_SESSION_NAMES_H

#include "facts.h"

/* Words of the documents of a session for enums that have no public ones. */
extern const struct name_list control_names; /* enum mlx5lm_control */
extern const struct name_list action_names;  /* enum mlx5lm_action */

#endif

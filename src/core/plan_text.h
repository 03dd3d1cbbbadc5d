/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_PLAN_TEXT_H
#define CORE_PLAN_TEXT_H

#include "base/text.h"
#include "core/plan_build.h"

int plan_to_json(const char *pf_bdf, const struct step_list *list, struct mlx5lm_text **ret);

/* The commands a person would type, as a script for sh that stops at the first failure. */
int plan_to_shell(const char *pf_bdf, const struct step_list *list, struct mlx5lm_text **ret);

#endif

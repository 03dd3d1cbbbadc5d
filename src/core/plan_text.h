/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_PLAN_TEXT_H
#define CORE_PLAN_TEXT_H

#include "base/error.h"
#include "base/text.h"
#include "core/plan_build.h"

/* A plan as it is written. */
struct plan_view {
	const char *pf_bdf;
	const struct step_list *list;
	bool is_undo;
	/* Of each step; NULL if the plan was not applied. */
	const enum mlx5lm_step_state *states;
	struct mlx5lm_error *const *errors;
};

extern const struct name_list step_state_names;

int plan_to_json(const struct plan_view *view, struct mlx5lm_text **ret);

/*
 * The commands a person would type, as a script for sh that stops at the first failure. Commands
 * that differ only in the VF become a loop; they name it by "$(vf_bdf PF INDEX)", "$(vf_port ...)"
 * or "$(vf_netdev ...)", which are functions of the script, or by its address.
 */
int plan_to_shell(const struct plan_view *view, struct mlx5lm_text **ret);

#endif

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/plan.h"

#include <errno.h>

#include "base/array.h"
#include "base/error.h"
#include "core/plan_text.h"
#include "export.h"

static void forget_result(struct mlx5lm_plan *plan, size_t index)
{
	plan->states[index] = MLX5LM_STEP_STATE_UNKNOWN;
	mlx5lm_error_free(plan->errors[index]);
	plan->errors[index] = NULL;
}

void plan_forget_results(struct mlx5lm_plan *plan)
{
	for (size_t i = 0; i < plan->list.length; i++)
		forget_result(plan, i);
	mlx5lm_plan_free(plan->undo);
	plan->undo = NULL;
}

/* Room for the results of as many steps. */
static int reserve_results(struct mlx5lm_plan *plan, size_t length)
{
	enum mlx5lm_step_state *states;
	struct mlx5lm_error **errors;

	states = reallocarray(plan->states, length + 1, sizeof(*states));
	if (!states)
		return -ENOMEM;
	plan->states = states;
	errors = reallocarray(plan->errors, length + 1, sizeof(struct mlx5lm_error *));
	if (!errors)
		return -ENOMEM;
	plan->errors = errors;
	return 0;
}

static void begin_results(struct mlx5lm_plan *plan, size_t from, size_t length)
{
	for (size_t i = from; i < length; i++) {
		plan->states[i] = MLX5LM_STEP_STATE_UNKNOWN;
		plan->errors[i] = NULL;
	}
}

int plan_make(const struct mlx5lm_host *host, const struct mlx5lm_pf *pf,
	      const struct mlx5lm_config *config, struct mlx5lm_plan **ret,
	      struct mlx5lm_error **reterr)
{
	_cleanup_plan_ struct mlx5lm_plan *plan = calloc(1, sizeof(*plan));
	_cleanup_step_list_ struct step_list list = { 0 };
	int r;

	if (!plan || str_replace(&plan->pf_bdf, pf->bdf) || config_copy(config, &plan->config))
		return error_no_memory(reterr);
	plan->policy = MLX5LM_FAILURE_POLICY_UNDO;
	plan->is_undo = config->is_undo;
	r = plan_build(host, pf, config, &list, reterr);
	if (r < 0)
		return r;
	if (reserve_results(plan, list.length) < 0)
		return error_no_memory(reterr);
	begin_results(plan, 0, list.length);
	plan->list = list;
	list = (struct step_list){ 0 };
	*ret = TAKE(plan);
	return 0;
}

int plan_replace_steps(struct mlx5lm_plan *plan, size_t from, struct step_list *list)
{
	struct step_list *to = &plan->list;
	size_t length = from + list->length;

	if (reserve_results(plan, length > to->length ? length : to->length) < 0 ||
	    array_reserve(&to->steps, &to->allocated, length + 1, sizeof(*to->steps)) < 0)
		return -ENOMEM;
	for (size_t i = from; i < to->length; i++) {
		forget_result(plan, i);
		step_release(&to->steps[i]);
	}
	begin_results(plan, from, length);
	if (list->length)
		memcpy(&to->steps[from], list->steps, list->length * sizeof(*to->steps));
	to->length = length;
	to->restart_needed = list->restart_needed;
	to->incomplete = list->incomplete;
	list->length = 0;
	return 0;
}

MLX5LM_EXPORT int mlx5lm_plan_new(const struct mlx5lm_host *host, const char *pf_bdf,
				  const struct mlx5lm_config *config, struct mlx5lm_plan **ret,
				  struct mlx5lm_error **reterr)
{
	const struct mlx5lm_pf *pf;

	if (!host || !pf_bdf || !config || !ret)
		return error_invalid(reterr, "a snapshot, a PF, a wanted state and a place for the "
				     "plan are needed");
	pf = mlx5lm_host_get_pf_by_bdf(host, pf_bdf);
	if (!pf) {
		error_set(reterr, MLX5LM_ERROR_NOT_FOUND, ENOENT, MLX5LM_SOURCE_LIBRARY,
			  "the host has no mlx5 PF %s", pf_bdf);
		error_add_remedy(reterr, "list the adapters with: lspci -d 15b3:");
		return -ENOENT;
	}
	return plan_make(host, pf, config, ret, reterr);
}

MLX5LM_EXPORT size_t mlx5lm_plan_length(const struct mlx5lm_plan *plan)
{
	return plan ? plan->list.length : 0;
}

MLX5LM_EXPORT const struct mlx5lm_step *mlx5lm_plan_get_step(const struct mlx5lm_plan *plan,
							     size_t index)
{
	return plan && index < plan->list.length ? &plan->list.steps[index] : NULL;
}

static enum mlx5lm_answer answer(bool yes)
{
	return yes ? MLX5LM_ANSWER_YES : MLX5LM_ANSWER_NO;
}

MLX5LM_EXPORT int mlx5lm_plan_get_u64(const struct mlx5lm_plan *plan, enum mlx5lm_plan_key key,
				      uint64_t *ret)
{
	uint64_t value = 0;

	if (!plan || !ret)
		return -EINVAL;
	switch (key) {
	case MLX5LM_PLAN_USUAL_TIME_MS:
		value = step_list_usual_time_ms(&plan->list);
		break;
	case MLX5LM_PLAN_DISTURBS:
		for (size_t i = 0; i < plan->list.length; i++)
			value |= plan->list.steps[i].disturbs;
		break;
	case MLX5LM_PLAN_RESTART_NEEDED:
		value = answer(plan->list.restart_needed);
		break;
	case MLX5LM_PLAN_INCOMPLETE:
		value = answer(plan->list.incomplete);
		break;
	case MLX5LM_PLAN_IS_UNDO:
		value = answer(plan->is_undo);
		break;
	case MLX5LM_PLAN_WRITES:
		value = plan->counts.writes;
		break;
	case MLX5LM_PLAN_MESSAGES:
		value = plan->counts.messages;
		break;
	case MLX5LM_PLAN_TOOK_MS:
		if (!plan->took_ms.known)
			return -ENODATA;
		value = plan->took_ms.value;
		break;
	default:
		return -EINVAL;
	}
	*ret = value;
	return 0;
}

MLX5LM_EXPORT const struct mlx5lm_findings *
mlx5lm_plan_get_findings(const struct mlx5lm_plan *plan)
{
	return plan ? plan->list.findings : NULL;
}

MLX5LM_EXPORT enum mlx5lm_step_state mlx5lm_plan_get_step_state(const struct mlx5lm_plan *plan,
								 size_t index)
{
	return plan && index < plan->list.length ? plan->states[index] :
						   MLX5LM_STEP_STATE_UNKNOWN;
}

MLX5LM_EXPORT const struct mlx5lm_error *
mlx5lm_plan_get_step_error(const struct mlx5lm_plan *plan, size_t index)
{
	return plan && index < plan->list.length ? plan->errors[index] : NULL;
}

MLX5LM_EXPORT const struct mlx5lm_plan *mlx5lm_plan_get_undo(const struct mlx5lm_plan *plan)
{
	return plan ? plan->undo : NULL;
}

static const char *step_text(const struct mlx5lm_step *step, enum mlx5lm_step_key key)
{
	switch (key) {
	case MLX5LM_STEP_ID:
		return step_id(step->kind);
	case MLX5LM_STEP_OBJECT:
		return step->object;
	case MLX5LM_STEP_CURRENT:
		return step->current;
	case MLX5LM_STEP_WANTED:
		return step->wanted;
	case MLX5LM_STEP_REASON:
		return step->reason;
	case MLX5LM_STEP_COMMAND:
		return step->command;
	default:
		return step->disturbance;
	}
}

MLX5LM_EXPORT int mlx5lm_step_get_str(const struct mlx5lm_step *step, enum mlx5lm_step_key key,
				      const char **ret)
{
	const char *value;

	if (!step || !ret || key < MLX5LM_STEP_ID || key > MLX5LM_STEP_DISTURBANCE)
		return -EINVAL;
	value = step_text(step, key);
	if (!value)
		return -ENODATA;
	*ret = value;
	return 0;
}

MLX5LM_EXPORT int mlx5lm_step_get_u64(const struct mlx5lm_step *step, enum mlx5lm_step_key key,
				      uint64_t *ret)
{
	if (!step || !ret)
		return -EINVAL;
	switch (key) {
	case MLX5LM_STEP_VF_INDEX:
		if (!step_is_of_vf(step->kind))
			return -ENODATA;
		*ret = step->vf_index;
		return 0;
	case MLX5LM_STEP_USUAL_TIME_MS:
		*ret = step->usual_time_ms;
		return 0;
	case MLX5LM_STEP_UNDOABLE:
		*ret = answer(!step->cannot_be_undone);
		return 0;
	case MLX5LM_STEP_DISTURBS:
		*ret = step->disturbs;
		return 0;
	default:
		return -EINVAL;
	}
}

MLX5LM_EXPORT int mlx5lm_plan_serialize(const struct mlx5lm_plan *plan,
					enum mlx5lm_plan_format format, struct mlx5lm_text **ret)
{
	struct plan_view view;

	if (!plan || !ret)
		return -EINVAL;
	view = (struct plan_view){
		.pf_bdf = plan->pf_bdf,
		.list = &plan->list,
		.is_undo = plan->is_undo,
		.states = plan->states,
		.errors = plan->errors,
	};
	switch (format) {
	case MLX5LM_PLAN_FORMAT_JSON:
		return plan_to_json(&view, ret);
	case MLX5LM_PLAN_FORMAT_SHELL:
		return plan_to_shell(&view, ret);
	default:
		return -EINVAL;
	}
}

static void forget_progress(struct mlx5lm_plan *plan)
{
	if (plan->destroy)
		plan->destroy(plan->userdata);
	plan->fn = NULL;
	plan->userdata = NULL;
	plan->destroy = NULL;
}

MLX5LM_EXPORT int mlx5lm_plan_set_progress(struct mlx5lm_plan *plan, mlx5lm_plan_fn fn,
					   void *userdata, mlx5lm_destroy_fn destroy)
{
	if (!plan || plan->in_callback) {
		if (destroy)
			destroy(userdata);
		return plan ? -EBUSY : -EINVAL;
	}
	forget_progress(plan);
	plan->fn = fn;
	plan->userdata = userdata;
	plan->destroy = destroy;
	return 0;
}

MLX5LM_EXPORT int mlx5lm_plan_set_failure_policy(struct mlx5lm_plan *plan,
						 enum mlx5lm_failure_policy policy)
{
	if (!plan || policy < MLX5LM_FAILURE_POLICY_UNDO || policy > MLX5LM_FAILURE_POLICY_STOP)
		return -EINVAL;
	plan->policy = policy;
	return 0;
}

MLX5LM_EXPORT int mlx5lm_plan_set_journal(struct mlx5lm_plan *plan, const char *journal_dir)
{
	/* One that goes on with a journal has to go on with that one. */
	if (!plan || plan->is_recovery || (journal_dir && !*journal_dir))
		return -EINVAL;
	return str_replace(&plan->journal_dir, journal_dir);
}

MLX5LM_EXPORT void mlx5lm_plan_free(struct mlx5lm_plan *plan)
{
	if (!plan)
		return;
	forget_progress(plan);
	plan_forget_results(plan);
	free(plan->states);
	free(plan->errors);
	step_list_release(&plan->list);
	mlx5lm_config_free(plan->config);
	mlx5lm_host_free(plan->before);
	free(plan->journal_dir);
	free(plan->pf_bdf);
	free(plan);
}

MLX5LM_EXPORT const char *mlx5lm_step_state_str(enum mlx5lm_step_state state)
{
	return name_of(&step_state_names, state);
}

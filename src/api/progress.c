// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/progress.h"

#include <errno.h>

#include "base/text.h"
#include "core/failure.h"
#include "export.h"

MLX5LM_EXPORT enum mlx5lm_event mlx5lm_progress_get_event(const struct mlx5lm_progress *progress)
{
	return progress ? progress->event : MLX5LM_EVENT_UNKNOWN;
}

MLX5LM_EXPORT enum mlx5lm_phase mlx5lm_progress_get_phase(const struct mlx5lm_progress *progress)
{
	return progress ? progress->phase : MLX5LM_PHASE_UNKNOWN;
}

MLX5LM_EXPORT int mlx5lm_progress_get_u64(const struct mlx5lm_progress *progress,
					  enum mlx5lm_progress_key key, uint64_t *ret)
{
	unsigned int index = key;

	if (!progress || !ret || index == 0 || index >= PROGRESS_KEYS)
		return -EINVAL;
	if (!progress->values[index].known)
		return -ENODATA;
	*ret = progress->values[index].value;
	return 0;
}

MLX5LM_EXPORT int mlx5lm_progress_serialize(const struct mlx5lm_progress *progress,
					    struct mlx5lm_text **ret)
{
	char *json;
	int r;

	if (!progress || !ret)
		return -EINVAL;
	r = progress_to_json(progress, &json);
	return r < 0 ? r : text_new_take(json, ret);
}

MLX5LM_EXPORT const char *mlx5lm_phase_str(enum mlx5lm_phase phase)
{
	return name_of(&phase_names, phase);
}

MLX5LM_EXPORT const char *mlx5lm_event_str(enum mlx5lm_event event)
{
	return name_of(&event_names, event);
}

MLX5LM_EXPORT const char *mlx5lm_reason_str(enum mlx5lm_reason reason)
{
	return name_of(&reason_names, reason);
}

MLX5LM_EXPORT const char *mlx5lm_hook_str(enum mlx5lm_hook hook)
{
	return name_of(&hook_names, hook);
}

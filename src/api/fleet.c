// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/fleet.h"

#include <errno.h>

#include "base/error.h"
#include "export.h"

MLX5LM_EXPORT int mlx5lm_fleet_new(struct mlx5lm_fleet **ret)
{
	return ret ? fleet_new(ret) : -EINVAL;
}

MLX5LM_EXPORT int mlx5lm_fleet_add(struct mlx5lm_fleet *fleet, const struct mlx5lm_host *host,
				   const char *name, struct mlx5lm_error **reterr)
{
	if (!fleet || !host)
		return error_invalid(reterr, "a fleet and a snapshot are needed");
	return fleet_add(fleet, host, name, reterr);
}

MLX5LM_EXPORT size_t mlx5lm_fleet_length_hosts(const struct mlx5lm_fleet *fleet)
{
	return fleet ? fleet_num_hosts(fleet) : 0;
}

MLX5LM_EXPORT size_t mlx5lm_fleet_length_classes(const struct mlx5lm_fleet *fleet)
{
	return fleet ? fleet_num_classes(fleet) : 0;
}

MLX5LM_EXPORT const struct mlx5lm_class *mlx5lm_fleet_get_class(const struct mlx5lm_fleet *fleet,
								size_t index)
{
	return fleet ? fleet_get_class(fleet, index) : NULL;
}

MLX5LM_EXPORT size_t mlx5lm_class_length_hosts(const struct mlx5lm_class *cls)
{
	return cls ? class_num_hosts(cls) : 0;
}

MLX5LM_EXPORT const char *mlx5lm_class_get_host(const struct mlx5lm_class *cls, size_t index)
{
	return cls ? class_get_host(cls, index) : NULL;
}

MLX5LM_EXPORT int mlx5lm_class_get_str(const struct mlx5lm_class *cls, enum mlx5lm_class_key key,
				       const char **ret)
{
	const char *text;

	if (!cls || !ret)
		return -EINVAL;
	if (key == MLX5LM_CLASS_PSID)
		text = class_get_value(cls, "firmware.psid");
	else if (key == MLX5LM_CLASS_FIRMWARE)
		text = class_get_value(cls, "firmware.version");
	else
		return -EINVAL;
	if (!text)
		return -ENODATA;
	*ret = text;
	return 0;
}

MLX5LM_EXPORT int mlx5lm_class_get_u64(const struct mlx5lm_class *cls, enum mlx5lm_class_key key,
				       uint64_t *ret)
{
	size_t nearest;
	int r;

	if (!cls || !ret)
		return -EINVAL;
	switch (key) {
	case MLX5LM_CLASS_KNOWN:
		*ret = class_is_known(cls) ? MLX5LM_ANSWER_YES : MLX5LM_ANSWER_NO;
		return 0;
	case MLX5LM_CLASS_NEAREST:
		r = class_get_nearest(cls, &nearest);
		if (r == 0)
			*ret = nearest;
		return r;
	default:
		return -EINVAL;
	}
}

MLX5LM_EXPORT int mlx5lm_fleet_join(const struct mlx5lm_fleet *fleet, size_t from, size_t to,
				    struct mlx5lm_findings **ret, struct mlx5lm_error **reterr)
{
	_cleanup_findings_ struct mlx5lm_findings *findings = NULL;
	int r;

	if (!fleet || !ret)
		return error_invalid(reterr, "a fleet and a place for the findings are needed");
	findings = calloc(1, sizeof(*findings));
	if (!findings)
		return error_no_memory(reterr);
	r = fleet_join(fleet, from, to, findings);
	if (r == -ENOENT)
		return error_set(reterr, MLX5LM_ERROR_NOT_FOUND, ENOENT, MLX5LM_SOURCE_LIBRARY,
				 "there are %zu classes, and none of index %zu",
				 fleet_num_classes(fleet),
				 from < fleet_num_classes(fleet) ? to : from);
	if (r < 0)
		return error_no_memory(reterr);
	*ret = TAKE(findings);
	return 0;
}

MLX5LM_EXPORT int mlx5lm_fleet_serialize(const struct mlx5lm_fleet *fleet,
					 enum mlx5lm_format format, struct mlx5lm_text **ret)
{
	if (!fleet || !ret)
		return -EINVAL;
	switch (format) {
	case MLX5LM_FORMAT_JSON:
		return fleet_to_json_text(fleet, ret);
	case MLX5LM_FORMAT_TEXT:
		return fleet_to_plain_text(fleet, ret);
	default:
		return -EINVAL;
	}
}

MLX5LM_EXPORT void mlx5lm_fleet_free(struct mlx5lm_fleet *fleet)
{
	if (fleet)
		fleet_free(fleet);
}

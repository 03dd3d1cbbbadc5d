// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/evacuation.h"

#include <errno.h>

#include "base/error.h"
#include "export.h"

MLX5LM_EXPORT int mlx5lm_evacuation_options_new(struct mlx5lm_evacuation_options **ret)
{
	struct mlx5lm_evacuation_options *options;

	if (!ret)
		return -EINVAL;
	options = calloc(1, sizeof(*options));
	if (!options)
		return -ENOMEM;
	options->max_vfs_per_pf = EVACUATION_DEFAULT_MAX_VFS_PER_PF;
	*ret = options;
	return 0;
}

MLX5LM_EXPORT int mlx5lm_evacuation_options_set_u64(struct mlx5lm_evacuation_options *options,
						    enum mlx5lm_evacuation_option option,
						    uint64_t value)
{
	if (!options)
		return -EINVAL;
	switch (option) {
	case MLX5LM_EVACUATION_OPTION_MAX_VFS_PER_PF:
		options->max_vfs_per_pf = value;
		return 0;
	case MLX5LM_EVACUATION_OPTION_BANDWIDTH_MIB_PER_S:
		options->bandwidth_mib_per_s = value;
		return 0;
	case MLX5LM_EVACUATION_OPTION_STATE_BYTES_PER_VF:
		options->state_bytes_per_vf = value;
		return 0;
	case MLX5LM_EVACUATION_OPTION_DOWNTIME_LIMIT_MS:
		options->downtime_limit_ms = value;
		return 0;
	default:
		return -EINVAL;
	}
}

MLX5LM_EXPORT int mlx5lm_evacuation_options_exclude_host(struct mlx5lm_evacuation_options *options,
							 const char *name)
{
	char *copy;

	if (!options || !name)
		return -EINVAL;
	copy = strdup(name);
	return copy ? strv_take(&options->excluded, copy) : -ENOMEM;
}

MLX5LM_EXPORT void mlx5lm_evacuation_options_free(struct mlx5lm_evacuation_options *options)
{
	if (!options)
		return;
	strv_release(&options->excluded);
	free(options);
}

MLX5LM_EXPORT int mlx5lm_evacuation_new(const struct mlx5lm_fleet *fleet, const char *host,
					const struct mlx5lm_evacuation_options *options,
					struct mlx5lm_evacuation **ret,
					struct mlx5lm_error **reterr)
{
	if (!fleet || !host || !ret)
		return error_invalid(reterr, "a fleet, the name of a host in it and a place for "
					     "the plan are needed");
	return evacuation_make(fleet, host, options, ret, reterr);
}

MLX5LM_EXPORT int mlx5lm_evacuation_get_u64(const struct mlx5lm_evacuation *evacuation,
					    enum mlx5lm_evacuation_key key, uint64_t *ret)
{
	if (!evacuation || !ret)
		return -EINVAL;
	switch (key) {
	case MLX5LM_EVACUATION_NUM_WAVES:
		*ret = evacuation->num_waves;
		return 0;
	case MLX5LM_EVACUATION_NUM_LEFT:
		*ret = evacuation->num_left;
		return 0;
	case MLX5LM_EVACUATION_OPTIMAL:
		*ret = evacuation->optimal;
		return 0;
	default:
		return -EINVAL;
	}
}

MLX5LM_EXPORT const struct mlx5lm_findings *
mlx5lm_evacuation_get_findings(const struct mlx5lm_evacuation *evacuation)
{
	return evacuation ? &evacuation->findings : NULL;
}

MLX5LM_EXPORT size_t mlx5lm_evacuation_length_moves(const struct mlx5lm_evacuation *evacuation)
{
	return evacuation ? evacuation->num_moves : 0;
}

MLX5LM_EXPORT const struct mlx5lm_move *
mlx5lm_evacuation_get_move(const struct mlx5lm_evacuation *evacuation, size_t index)
{
	return evacuation && index < evacuation->num_moves ? &evacuation->moves[index] : NULL;
}

MLX5LM_EXPORT int mlx5lm_move_get_str(const struct mlx5lm_move *move, enum mlx5lm_move_key key,
				      const char **ret)
{
	if (!move || !ret)
		return -EINVAL;
	switch (key) {
	case MLX5LM_MOVE_DOMAIN:
		*ret = move->domain;
		return 0;
	case MLX5LM_MOVE_DESTINATION:
		*ret = move->destination;
		return 0;
	default:
		return -EINVAL;
	}
}

MLX5LM_EXPORT int mlx5lm_move_get_u64(const struct mlx5lm_move *move, enum mlx5lm_move_key key,
				      uint64_t *ret)
{
	if (!move || !ret)
		return -EINVAL;
	switch (key) {
	case MLX5LM_MOVE_WAVE:
		*ret = move->wave;
		return 0;
	case MLX5LM_MOVE_DOWNTIME_MS:
		if (!move->downtime_ms.known)
			return -ENODATA;
		*ret = move->downtime_ms.value;
		return 0;
	case MLX5LM_MOVE_NUM_VFS:
		*ret = move->num_vfs;
		return 0;
	default:
		return -EINVAL;
	}
}

MLX5LM_EXPORT int mlx5lm_move_get_vf(const struct mlx5lm_move *move, size_t index,
				     const char **ret_source_bdf, const char **ret_destination_bdf)
{
	if (!move || !ret_source_bdf || !ret_destination_bdf)
		return -EINVAL;
	if (index >= move->num_vfs)
		return -ENOENT;
	*ret_source_bdf = move->vfs[index].source;
	*ret_destination_bdf = move->vfs[index].destination;
	return 0;
}

MLX5LM_EXPORT int mlx5lm_evacuation_serialize(const struct mlx5lm_evacuation *evacuation,
					      enum mlx5lm_format format, struct mlx5lm_text **ret)
{
	if (!evacuation || !ret)
		return -EINVAL;
	switch (format) {
	case MLX5LM_FORMAT_JSON:
		return evacuation_to_json_text(evacuation, ret);
	case MLX5LM_FORMAT_TEXT:
		return evacuation_to_plain_text(evacuation, ret);
	default:
		return -EINVAL;
	}
}

MLX5LM_EXPORT void mlx5lm_evacuation_free(struct mlx5lm_evacuation *evacuation)
{
	evacuation_free(evacuation);
}

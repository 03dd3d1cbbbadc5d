// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/compare.h"

#include <errno.h>

#include "base/error.h"
#include "export.h"

DEFINE_CLEANUP(struct mlx5lm_comparison *, mlx5lm_comparison_free)

MLX5LM_EXPORT int mlx5lm_compare(const struct mlx5lm_host *source,
				 const struct mlx5lm_host *destination,
				 struct mlx5lm_comparison **ret, struct mlx5lm_error **reterr)
{
	_cleanup_(mlx5lm_comparison_free_p) struct mlx5lm_comparison *comparison = NULL;

	if (!source || !destination || !ret)
		return error_invalid(reterr, "two snapshots and a place for the comparison are needed");
	comparison = calloc(1, sizeof(*comparison));
	if (!comparison || compare_hosts(source, destination, comparison) < 0)
		return error_no_memory(reterr);
	*ret = TAKE(comparison);
	return 0;
}

MLX5LM_EXPORT enum mlx5lm_verdict
mlx5lm_comparison_get_verdict(const struct mlx5lm_comparison *comparison)
{
	return comparison ? comparison->verdict : MLX5LM_VERDICT_UNKNOWN;
}

MLX5LM_EXPORT const struct mlx5lm_findings *
mlx5lm_comparison_get_findings(const struct mlx5lm_comparison *comparison)
{
	return comparison ? &comparison->findings : NULL;
}

MLX5LM_EXPORT size_t mlx5lm_comparison_length_pairs(const struct mlx5lm_comparison *comparison)
{
	return comparison ? comparison->num_pairs : 0;
}

MLX5LM_EXPORT int mlx5lm_comparison_get_pair(const struct mlx5lm_comparison *comparison,
					     size_t index, const char **ret_source,
					     const char **ret_destination)
{
	if (!comparison || !ret_source || !ret_destination)
		return -EINVAL;
	if (index >= comparison->num_pairs)
		return -ENOENT;
	*ret_source = comparison->pairs[index].source;
	*ret_destination = comparison->pairs[index].destination;
	return 0;
}

MLX5LM_EXPORT int mlx5lm_comparison_serialize(const struct mlx5lm_comparison *comparison,
					      struct mlx5lm_text **ret)
{
	return comparison && ret ? comparison_to_text(comparison, ret) : -EINVAL;
}

MLX5LM_EXPORT void mlx5lm_comparison_free(struct mlx5lm_comparison *comparison)
{
	if (!comparison)
		return;
	comparison_release(comparison);
	free(comparison);
}

MLX5LM_EXPORT const char *mlx5lm_verdict_str(enum mlx5lm_verdict verdict)
{
	return verdict_names[(unsigned int)verdict <= MLX5LM_VERDICT_INCOMPATIBLE ? verdict : 0];
}

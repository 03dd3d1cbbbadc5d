// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/compare.h"

#include <errno.h>

#include "base/error.h"
#include "export.h"

DEFINE_CLEANUP(struct mlx5lm_comparison *, mlx5lm_comparison_free)

MLX5LM_EXPORT int mlx5lm_compare(const struct mlx5lm_host *source,
				 const struct mlx5lm_host *destination,
				 const struct mlx5lm_compare_options *options,
				 struct mlx5lm_comparison **ret, struct mlx5lm_error **reterr)
{
	_cleanup_(mlx5lm_comparison_free_p) struct mlx5lm_comparison *comparison = NULL;
	int r;

	if (!source || !destination || !ret)
		return error_invalid(reterr,
				     "two snapshots and a place for the comparison are needed");
	comparison = calloc(1, sizeof(*comparison));
	if (!comparison)
		return error_no_memory(reterr);
	r = compare_hosts(source, destination, options, comparison, reterr);
	if (r < 0)
		return r;
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
	return comparison ? comparison->pairing.num_pairs : 0;
}

MLX5LM_EXPORT const struct mlx5lm_pair *
mlx5lm_comparison_get_pair(const struct mlx5lm_comparison *comparison, size_t index)
{
	return comparison && index < comparison->pairing.num_pairs ?
		       &comparison->pairing.pairs[index] : NULL;
}

MLX5LM_EXPORT int mlx5lm_pair_get_str(const struct mlx5lm_pair *pair, enum mlx5lm_pair_key key,
				      const char **ret)
{
	if (!pair || !ret)
		return -EINVAL;
	switch (key) {
	case MLX5LM_PAIR_SOURCE:
		*ret = pair->source;
		return 0;
	case MLX5LM_PAIR_DESTINATION:
		*ret = pair->destination;
		return 0;
	case MLX5LM_PAIR_SOURCE_PF:
		*ret = pair->source_pf;
		return 0;
	case MLX5LM_PAIR_DESTINATION_PF:
		*ret = pair->destination_pf;
		return 0;
	case MLX5LM_PAIR_REMEDY:
		if (!pair->remedy)
			return -ENODATA;
		*ret = pair->remedy;
		return 0;
	default:
		return -EINVAL;
	}
}

MLX5LM_EXPORT int mlx5lm_pair_get_u64(const struct mlx5lm_pair *pair, enum mlx5lm_pair_key key,
				      uint64_t *ret)
{
	if (!pair || !ret || key != MLX5LM_PAIR_READY)
		return -EINVAL;
	*ret = pair->ready ? MLX5LM_ANSWER_YES : MLX5LM_ANSWER_NO;
	return 0;
}

MLX5LM_EXPORT int
mlx5lm_comparison_get_destination_xml(const struct mlx5lm_comparison *comparison, const char **ret)
{
	if (!comparison || !ret)
		return -EINVAL;
	if (!comparison->destination_xml)
		return -ENODATA;
	*ret = comparison->destination_xml;
	return 0;
}

MLX5LM_EXPORT int mlx5lm_comparison_serialize(const struct mlx5lm_comparison *comparison,
					      enum mlx5lm_format format, struct mlx5lm_text **ret)
{
	if (!comparison || !ret)
		return -EINVAL;
	switch (format) {
	case MLX5LM_FORMAT_JSON:
		return comparison_to_json_text(comparison, ret);
	case MLX5LM_FORMAT_TEXT:
		return comparison_to_plain_text(comparison, ret);
	default:
		return -EINVAL;
	}
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

// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>

#include "base/cleanup.h"
#include "core/bdf.h"
#include "core/compare.h"
#include "export.h"

MLX5LM_EXPORT int mlx5lm_compare_options_new(struct mlx5lm_compare_options **ret)
{
	struct mlx5lm_compare_options *options;

	if (!ret)
		return -EINVAL;
	options = calloc(1, sizeof(*options));
	if (!options)
		return -ENOMEM;
	*ret = options;
	return 0;
}

MLX5LM_EXPORT int mlx5lm_compare_options_set_domain(struct mlx5lm_compare_options *options,
						    const struct mlx5lm_domain *domain)
{
	struct mlx5lm_domain *copy = NULL;

	if (!options)
		return -EINVAL;
	if (domain) {
		copy = domain_copy(domain);
		if (!copy)
			return -ENOMEM;
	}
	mlx5lm_domain_free(options->domain);
	options->domain = copy;
	return 0;
}

static void forget_vf(struct vf_mappings *wanted, const char *source_bdf)
{
	for (size_t i = 0; i < wanted->length; i++) {
		if (!bdf_equal(wanted->items[i].source, source_bdf))
			continue;
		memmove(&wanted->items[i], &wanted->items[i + 1],
			(wanted->length - i - 1) * sizeof(wanted->items[0]));
		wanted->length--;
		return;
	}
}

MLX5LM_EXPORT int mlx5lm_compare_options_set_vf(struct mlx5lm_compare_options *options,
						const char *source_bdf,
						const char *destination_bdf)
{
	struct vf_mappings *wanted;
	struct bdf bdf;

	if (!options || !source_bdf || bdf_parse(source_bdf, &bdf) < 0)
		return -EINVAL;
	if (destination_bdf && bdf_parse(destination_bdf, &bdf) < 0)
		return -EINVAL;
	wanted = &options->wishes.wanted;
	for (size_t i = 0; destination_bdf && i < wanted->length; i++) {
		if (bdf_equal(wanted->items[i].destination, destination_bdf) &&
		    !bdf_equal(wanted->items[i].source, source_bdf))
			return -EINVAL;
	}
	if (destination_bdf) {
		/* First, so that what was chosen before stays if there is no memory. */
		int r = vf_mappings_add(wanted, source_bdf, destination_bdf);

		if (r < 0)
			return r;
		if (vf_mappings_find(wanted, source_bdf) == &wanted->items[wanted->length - 1])
			return 0;
	}
	forget_vf(wanted, source_bdf);
	return 0;
}

MLX5LM_EXPORT int mlx5lm_compare_options_exclude_vf(struct mlx5lm_compare_options *options,
						    const char *destination_bdf)
{
	char text[BDF_TEXT_SIZE];
	struct bdf bdf;

	if (!options || !destination_bdf || bdf_parse(destination_bdf, &bdf) < 0)
		return -EINVAL;
	bdf_format(&bdf, text);
	for (size_t i = 0; i < options->wishes.excluded.length; i++) {
		if (streq(options->wishes.excluded.items[i], text))
			return 0;
	}
	return strv_take(&options->wishes.excluded, strdup(text));
}

MLX5LM_EXPORT int mlx5lm_compare_options_set_destination_pf(struct mlx5lm_compare_options *options,
							    const char *pf_bdf)
{
	char text[BDF_TEXT_SIZE];
	struct bdf bdf;

	if (!options || (pf_bdf && bdf_parse(pf_bdf, &bdf) < 0))
		return -EINVAL;
	if (pf_bdf)
		bdf_format(&bdf, text);
	return str_replace(&options->wishes.destination_pf, pf_bdf ? text : NULL);
}

MLX5LM_EXPORT int mlx5lm_compare_options_set_numa_policy(struct mlx5lm_compare_options *options,
							 enum mlx5lm_numa_policy policy)
{
	if (!options || (unsigned int)policy < MLX5LM_NUMA_POLICY_PREFER ||
	    (unsigned int)policy > MLX5LM_NUMA_POLICY_IGNORE)
		return -EINVAL;
	options->wishes.numa_policy = policy;
	return 0;
}

MLX5LM_EXPORT int mlx5lm_compare_options_set_makeable(struct mlx5lm_compare_options *options,
						      int allowed)
{
	if (!options || (allowed != 0 && allowed != 1))
		return -EINVAL;
	options->wishes.makeable = allowed;
	return 0;
}

MLX5LM_EXPORT int mlx5lm_compare_options_set_migrate_flags(struct mlx5lm_compare_options *options,
							   uint64_t migrate_flags)
{
	if (!options)
		return -EINVAL;
	options->migrate_flags = migrate_flags;
	return 0;
}

MLX5LM_EXPORT void mlx5lm_compare_options_free(struct mlx5lm_compare_options *options)
{
	if (!options)
		return;
	mlx5lm_domain_free(options->domain);
	pairing_wishes_release(&options->wishes);
	free(options);
}

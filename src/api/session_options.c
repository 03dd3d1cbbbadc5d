// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/session_options.h"

#include <errno.h>

#include "api/context.h"
#include "export.h"

#define DEFAULT_INTERVAL_MS 200
#define MIN_INTERVAL_MS 50
#define MAX_INTERVAL_MS 60000
#define MAX_DOWNTIME_LIMIT_MS 2000000 /* QEMU's own limit */

MLX5LM_EXPORT int mlx5lm_session_options_new(struct mlx5lm_session_options **ret)
{
	_cleanup_session_options_ struct mlx5lm_session_options *options = NULL;

	if (!ret)
		return -EINVAL;
	options = calloc(1, sizeof(*options));
	if (!options || str_replace(&options->source_uri, DEFAULT_LIBVIRT_URI) < 0)
		return -ENOMEM;
	options->persistent = true;
	options->interval_ms = DEFAULT_INTERVAL_MS;
	*ret = TAKE(options);
	return 0;
}

MLX5LM_EXPORT void mlx5lm_session_options_free(struct mlx5lm_session_options *options)
{
	if (!options)
		return;
	free(options->domain);
	free(options->source_uri);
	free(options->destination_uri);
	free(options->data_uri);
	mlx5lm_host_free(options->source);
	mlx5lm_host_free(options->destination);
	vf_mappings_release(&options->vfs);
	free(options);
}

static struct mlx5lm_host *host_ref(struct mlx5lm_host *host)
{
	if (host)
		refcount_get(&host->refcount);
	return host;
}

static int copy_vfs(const struct vf_mappings *from, struct vf_mappings *to)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < from->length; i++)
		r = vf_mappings_add(to, from->items[i].source, from->items[i].destination);
	return r;
}

int session_options_copy(const struct mlx5lm_session_options *options,
			 struct mlx5lm_session_options **ret)
{
	_cleanup_session_options_ struct mlx5lm_session_options *copy = malloc(sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	*copy = *options;
	copy->domain = copy->source_uri = copy->destination_uri = copy->data_uri = NULL;
	copy->vfs = (struct vf_mappings){ 0 };
	copy->source = host_ref(options->source);
	copy->destination = host_ref(options->destination);
	if (str_replace(&copy->domain, options->domain) < 0 ||
	    str_replace(&copy->source_uri, options->source_uri) < 0 ||
	    str_replace(&copy->destination_uri, options->destination_uri) < 0 ||
	    str_replace(&copy->data_uri, options->data_uri) < 0 ||
	    copy_vfs(&options->vfs, &copy->vfs) < 0)
		return -ENOMEM;
	*ret = TAKE(copy);
	return 0;
}

static bool is_text(const char *text)
{
	return text && *text;
}

MLX5LM_EXPORT int mlx5lm_session_options_set_domain(struct mlx5lm_session_options *options,
						    const char *name)
{
	if (!options || !is_text(name))
		return -EINVAL;
	return str_replace(&options->domain, name);
}

MLX5LM_EXPORT int mlx5lm_session_options_set_source_uri(struct mlx5lm_session_options *options,
							const char *uri)
{
	if (!options || !is_text(uri))
		return -EINVAL;
	return str_replace(&options->source_uri, uri);
}

MLX5LM_EXPORT int
mlx5lm_session_options_set_destination_uri(struct mlx5lm_session_options *options,
					   const char *uri)
{
	if (!options || !is_text(uri))
		return -EINVAL;
	return str_replace(&options->destination_uri, uri);
}

MLX5LM_EXPORT int mlx5lm_session_options_set_data_uri(struct mlx5lm_session_options *options,
						      const char *uri)
{
	if (!options || (uri && !*uri))
		return -EINVAL;
	return str_replace(&options->data_uri, uri);
}

MLX5LM_EXPORT int mlx5lm_session_options_set_hosts(struct mlx5lm_session_options *options,
						   struct mlx5lm_host *source,
						   struct mlx5lm_host *destination)
{
	if (!options || !source || !destination)
		return -EINVAL;
	/* The new ones first: they may be the old ones. */
	host_ref(source);
	host_ref(destination);
	mlx5lm_host_free(options->source);
	mlx5lm_host_free(options->destination);
	options->source = source;
	options->destination = destination;
	return 0;
}

MLX5LM_EXPORT int mlx5lm_session_options_set_vf(struct mlx5lm_session_options *options,
						const char *source_bdf,
						const char *destination_bdf)
{
	if (!options || !source_bdf || !destination_bdf)
		return -EINVAL;
	if (vf_mappings_find(&options->vfs, source_bdf) ||
	    vf_mappings_has_destination(&options->vfs, destination_bdf))
		return -EEXIST;
	return vf_mappings_add(&options->vfs, source_bdf, destination_bdf);
}

MLX5LM_EXPORT int
mlx5lm_session_options_set_downtime_limit_ms(struct mlx5lm_session_options *options,
					     uint32_t limit_ms)
{
	if (!options || limit_ms == 0 || limit_ms > MAX_DOWNTIME_LIMIT_MS)
		return -EINVAL;
	options->downtime_limit_ms = limit_ms;
	return 0;
}

MLX5LM_EXPORT int
mlx5lm_session_options_set_bandwidth_mib_per_s(struct mlx5lm_session_options *options,
					       uint64_t bandwidth_mib_per_s)
{
	/* libvirt counts in bytes, in 63 bits. */
	if (!options || bandwidth_mib_per_s > INT64_MAX >> 20)
		return -EINVAL;
	options->bandwidth_mib_per_s = bandwidth_mib_per_s;
	return 0;
}

MLX5LM_EXPORT int
mlx5lm_session_options_set_total_deadline_ms(struct mlx5lm_session_options *options,
					     uint64_t deadline_ms)
{
	/* Room to add it to a clock and to turn it into nanoseconds. */
	if (!options || deadline_ms > INT64_MAX / 2000000)
		return -EINVAL;
	options->total_deadline_ms = deadline_ms;
	return 0;
}

MLX5LM_EXPORT int mlx5lm_session_options_set_persistent(struct mlx5lm_session_options *options,
							int persistent)
{
	if (!options || (persistent != 0 && persistent != 1))
		return -EINVAL;
	options->persistent = persistent;
	return 0;
}

MLX5LM_EXPORT int mlx5lm_session_options_set_interval_ms(struct mlx5lm_session_options *options,
							 uint32_t interval_ms)
{
	if (!options || interval_ms < MIN_INTERVAL_MS || interval_ms > MAX_INTERVAL_MS)
		return -EINVAL;
	options->interval_ms = interval_ms;
	return 0;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include <mlx5lm/host.h>

#include <errno.h>

#include "api/context.h"
#include "base/error.h"
#include "core/bdf.h"
#include "core/host_libvirt.h"
#include "core/report_json.h"
#include "export.h"
#include "facts.h"
#include "sys/libvirt.h"
#include "sys/probe.h"

#define DEFAULT_LIBVIRT_URI "qemu:///system"

struct mlx5lm_probe_options {
	char *libvirt_uri;
};

MLX5LM_EXPORT int mlx5lm_probe_options_new(struct mlx5lm_probe_options **ret)
{
	struct mlx5lm_probe_options *options;

	if (!ret)
		return -EINVAL;
	options = calloc(1, sizeof(*options));
	if (!options)
		return -ENOMEM;
	if (str_replace(&options->libvirt_uri, DEFAULT_LIBVIRT_URI)) {
		free(options);
		return -ENOMEM;
	}
	*ret = options;
	return 0;
}

MLX5LM_EXPORT int mlx5lm_probe_options_set_libvirt_uri(struct mlx5lm_probe_options *options,
						       const char *uri)
{
	return options ? str_replace(&options->libvirt_uri, uri) : -EINVAL;
}

MLX5LM_EXPORT void mlx5lm_probe_options_free(struct mlx5lm_probe_options *options)
{
	if (!options)
		return;
	free(options->libvirt_uri);
	free(options);
}

/* A daemon that does not answer leaves its facts unknown; only lack of memory is a failure. */
static int add_libvirt(const struct mlx5lm_ctx *ctx, struct mlx5lm_host *host, const char *uri)
{
	_cleanup_libvirt_facts_ struct libvirt_facts facts = { 0 };
	_cleanup_error_ struct mlx5lm_error *error = NULL;
	int r;

	if (!ctx->root->native)
		return host_add_note(host, "libvirt was not asked: the root is another machine's");
	r = libvirt_probe(uri, &facts, &error);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return host_add_note(host, "libvirt: %s (%s)", error->message,
				     error->detail ? error->detail : "no detail");
	return host_add_libvirt(host, &facts);
}

MLX5LM_EXPORT int mlx5lm_host_probe(struct mlx5lm_ctx *ctx,
				    const struct mlx5lm_probe_options *options,
				    struct mlx5lm_host **ret, struct mlx5lm_error **reterr)
{
	const char *uri = options ? options->libvirt_uri : DEFAULT_LIBVIRT_URI;
	_cleanup_host_ struct mlx5lm_host *host = NULL;
	int r;

	if (!ctx || !ret)
		return error_invalid(reterr, "a context and a place for the snapshot are needed");
	r = probe_host(ctx->root, &ctx->log, &host, reterr);
	if (r < 0)
		return r;
	if (uri && add_libvirt(ctx, host, uri) < 0)
		return error_no_memory(reterr);
	*ret = TAKE(host);
	return 0;
}

MLX5LM_EXPORT int mlx5lm_host_parse(const char *json, size_t length, struct mlx5lm_host **ret,
				    struct mlx5lm_error **reterr)
{
	if (!json || !ret)
		return error_invalid(reterr, "a text and a place for the snapshot are needed");
	return report_read(json, length, ret, reterr);
}

MLX5LM_EXPORT int mlx5lm_host_serialize(const struct mlx5lm_host *host, struct mlx5lm_text **ret)
{
	return host && ret ? report_write(host, ret) : -EINVAL;
}

MLX5LM_EXPORT int mlx5lm_host_get_str(const struct mlx5lm_host *host, enum mlx5lm_host_key key,
				      const char **ret)
{
	return fact_get_str(&host_table, host, key, ret);
}

MLX5LM_EXPORT int mlx5lm_host_get_u64(const struct mlx5lm_host *host, enum mlx5lm_host_key key,
				      uint64_t *ret)
{
	return fact_get_u64(&host_table, host, key, ret);
}

MLX5LM_EXPORT enum mlx5lm_module_state
mlx5lm_host_get_module_state(const struct mlx5lm_host *host, const char *name)
{
	const struct module_fact *module = host && name ? host_find_module(host, name) : NULL;

	return module ? module->state : MLX5LM_MODULE_UNKNOWN;
}

MLX5LM_EXPORT size_t mlx5lm_host_length_notes(const struct mlx5lm_host *host)
{
	return host ? host->notes.length : 0;
}

MLX5LM_EXPORT const char *mlx5lm_host_get_note(const struct mlx5lm_host *host, size_t index)
{
	return host && index < host->notes.length ? host->notes.items[index] : NULL;
}

MLX5LM_EXPORT size_t mlx5lm_host_length_pfs(const struct mlx5lm_host *host)
{
	return host ? host->num_pfs : 0;
}

MLX5LM_EXPORT const struct mlx5lm_pf *mlx5lm_host_get_pf(const struct mlx5lm_host *host,
							 size_t index)
{
	return host && index < host->num_pfs ? &host->pfs[index] : NULL;
}

MLX5LM_EXPORT const struct mlx5lm_pf *mlx5lm_host_get_pf_by_bdf(const struct mlx5lm_host *host,
								const char *bdf)
{
	for (size_t i = 0; host && bdf && i < host->num_pfs; i++) {
		if (bdf_equal(host->pfs[i].bdf, bdf))
			return &host->pfs[i];
	}
	return NULL;
}

MLX5LM_EXPORT int mlx5lm_pf_get_str(const struct mlx5lm_pf *pf, enum mlx5lm_pf_key key,
				    const char **ret)
{
	return fact_get_str(&pf_table, pf, key, ret);
}

MLX5LM_EXPORT int mlx5lm_pf_get_u64(const struct mlx5lm_pf *pf, enum mlx5lm_pf_key key,
				    uint64_t *ret)
{
	return fact_get_u64(&pf_table, pf, key, ret);
}

MLX5LM_EXPORT size_t mlx5lm_pf_length_vfs(const struct mlx5lm_pf *pf)
{
	return pf ? pf->num_vfs : 0;
}

MLX5LM_EXPORT const struct mlx5lm_vf *mlx5lm_pf_get_vf(const struct mlx5lm_pf *pf, size_t index)
{
	return pf && index < pf->num_vfs ? &pf->vfs[index] : NULL;
}

MLX5LM_EXPORT int mlx5lm_vf_get_str(const struct mlx5lm_vf *vf, enum mlx5lm_vf_key key,
				    const char **ret)
{
	return fact_get_str(&vf_table, vf, key, ret);
}

MLX5LM_EXPORT int mlx5lm_vf_get_u64(const struct mlx5lm_vf *vf, enum mlx5lm_vf_key key,
				    uint64_t *ret)
{
	return fact_get_u64(&vf_table, vf, key, ret);
}

MLX5LM_EXPORT const char *mlx5lm_module_state_str(enum mlx5lm_module_state state)
{
	return name_of(&module_state_names, state);
}

MLX5LM_EXPORT const char *mlx5lm_eswitch_mode_str(enum mlx5lm_eswitch_mode mode)
{
	return name_of(&eswitch_mode_names, mode);
}

MLX5LM_EXPORT const char *mlx5lm_port_attr_str(enum mlx5lm_port_attr attr)
{
	return name_of(&port_attr_names, attr);
}

MLX5LM_EXPORT const char *mlx5lm_port_attr_state_str(enum mlx5lm_port_attr_state state)
{
	return name_of(&port_attr_state_names, state);
}

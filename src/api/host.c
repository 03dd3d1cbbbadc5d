// SPDX-License-Identifier: LGPL-2.1-or-later
#include <mlx5lm/host.h>

#include <errno.h>

#include "api/context.h"
#include "api/host_nv.h"
#include "base/clock.h"
#include "base/error.h"
#include "core/bdf.h"
#include "core/derive.h"
#include "core/host_libvirt.h"
#include "core/report_json.h"
#include "export.h"
#include "facts.h"
#include "sys/libvirt.h"
#include "sys/probe.h"


#define DEFAULT_TIMEOUT_MS 30000
#define MIN_TIMEOUT_MS 100
#define MAX_TIMEOUT_MS 600000

struct mlx5lm_probe_options {
	char *libvirt_uri;
	uint32_t timeout_ms;
	bool nv_tools;
	bool open_vfs;
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
	options->timeout_ms = DEFAULT_TIMEOUT_MS;
	*ret = options;
	return 0;
}

MLX5LM_EXPORT int mlx5lm_probe_options_set_libvirt_uri(struct mlx5lm_probe_options *options,
						       const char *uri)
{
	return options ? str_replace(&options->libvirt_uri, uri) : -EINVAL;
}

MLX5LM_EXPORT int mlx5lm_probe_options_set_timeout_ms(struct mlx5lm_probe_options *options,
						      uint32_t timeout_ms)
{
	if (!options)
		return -EINVAL;
	if (timeout_ms < MIN_TIMEOUT_MS || timeout_ms > MAX_TIMEOUT_MS)
		return -ERANGE;
	options->timeout_ms = timeout_ms;
	return 0;
}

MLX5LM_EXPORT int mlx5lm_probe_options_set_nv_tools(struct mlx5lm_probe_options *options,
						    int allowed)
{
	if (!options)
		return -EINVAL;
	options->nv_tools = allowed;
	return 0;
}

MLX5LM_EXPORT int mlx5lm_probe_options_set_open_vfs(struct mlx5lm_probe_options *options,
						    int allowed)
{
	if (!options)
		return -EINVAL;
	options->open_vfs = allowed;
	return 0;
}

MLX5LM_EXPORT void mlx5lm_probe_options_free(struct mlx5lm_probe_options *options)
{
	if (!options)
		return;
	free(options->libvirt_uri);
	free(options);
}

/* NULL in *ret, and words in *why, if the daemon is not asked. 0 or -ENOMEM. */
static int start_libvirt(const struct mlx5lm_ctx *ctx, const char *uri,
			 struct libvirt_probe **ret, const char **why)
{
	int r;

	if (!uri)
		*why = "the caller named no daemon";
	else if (!ctx->root->native)
		*why = "the root is another machine's";
	if (*why)
		return 0;
	r = libvirt_probe_start(uri, ret, NULL);
	if (r < 0 && r != -ENOMEM)
		*why = "there can be no more threads";
	return r == -ENOMEM ? r : 0;
}

/* A daemon that does not answer leaves its facts unknown; only lack of memory is a failure. */
static int finish_libvirt(struct mlx5lm_host *host, struct libvirt_probe *probe, const char *why,
			  uint64_t until_ms)
{
	_cleanup_libvirt_facts_ struct libvirt_facts facts = { 0 };
	_cleanup_error_ struct mlx5lm_error *error = NULL;
	int r;

	if (!probe)
		return host_skip_libvirt(host, why);
	r = libvirt_probe_finish(probe, until_ms, &facts, &error);
	if (r == -ENOMEM)
		return r;
	return r < 0 ? host_add_libvirt_failure(host, &facts, error) :
		       host_add_libvirt(host, &facts);
}

MLX5LM_EXPORT int mlx5lm_host_probe(struct mlx5lm_ctx *ctx,
				    const struct mlx5lm_probe_options *options,
				    struct mlx5lm_host **ret, struct mlx5lm_error **reterr)
{
	const char *uri = options ? options->libvirt_uri : DEFAULT_LIBVIRT_URI;
	const struct probe_options probe_options = {
		.until_ms = (uint64_t)clock_now_ms() +
			    (options ? options->timeout_ms : DEFAULT_TIMEOUT_MS),
		.open_vfs = options && options->open_vfs,
	};
	_cleanup_libvirt_probe_ struct libvirt_probe *libvirt = NULL;
	_cleanup_host_ struct mlx5lm_host *host = NULL;
	const char *why = NULL;
	int r;

	if (!ctx || !ret)
		return error_invalid(reterr, "a context and a place for the snapshot are needed");
	/* The daemon answers while the kernel is asked. */
	if (start_libvirt(ctx, uri, &libvirt, &why) < 0)
		return error_no_memory(reterr);
	r = probe_host(ctx->root, &ctx->log, &probe_options, &host, reterr);
	if (r < 0)
		return r;
	if (host_add_nv(host, ctx->root, options && options->nv_tools, probe_options.until_ms) <
		    0 ||
	    finish_libvirt(host, TAKE(libvirt), why, probe_options.until_ms) < 0 ||
	    host_derive(host) < 0)
		return error_no_memory(reterr);
	*ret = TAKE(host);
	return 0;
}

static int parse(const char *json, size_t length, size_t limit_bytes, struct mlx5lm_host **ret,
		 struct mlx5lm_error **reterr)
{
	_cleanup_host_ struct mlx5lm_host *host = NULL;
	int r;

	r = report_read(json, length, limit_bytes, &host, reterr);
	if (r < 0)
		return r;
	if (host_derive(host) < 0)
		return error_no_memory(reterr);
	*ret = TAKE(host);
	return 0;
}

MLX5LM_EXPORT int mlx5lm_host_parse(const char *json, size_t length, struct mlx5lm_host **ret,
				    struct mlx5lm_error **reterr)
{
	if (!json || !ret)
		return error_invalid(reterr, "a text and a place for the snapshot are needed");
	return parse(json, length, REPORT_DEFAULT_BYTES, ret, reterr);
}

MLX5LM_EXPORT int mlx5lm_host_parse_with_limit(const char *json, size_t length, size_t limit_bytes,
					       struct mlx5lm_host **ret,
					       struct mlx5lm_error **reterr)
{
	if (!json || !ret)
		return error_invalid(reterr, "a text and a place for the snapshot are needed");
	if (limit_bytes > REPORT_MAX_BYTES)
		return error_set(reterr, MLX5LM_ERROR_INVALID_ARGUMENT, ERANGE,
				 MLX5LM_SOURCE_LIBRARY, "the limit is more than %u bytes",
				 REPORT_MAX_BYTES);
	return parse(json, length, limit_bytes, ret, reterr);
}

MLX5LM_EXPORT int mlx5lm_host_serialize(const struct mlx5lm_host *host, struct mlx5lm_text **ret)
{
	return host && ret ? report_write(host, ret) : -EINVAL;
}

static size_t list_length(const struct fact_list *list, const void *owner)
{
	return owner ? fact_list_length(list, owner) : 0;
}

static const void *list_get(const struct fact_list *list, const void *owner, size_t index)
{
	return index < list_length(list, owner) ? fact_list_get(list, owner, index) : NULL;
}

static const void *list_find(const struct fact_list *list, const void *owner, const char *name)
{
	return owner && name ? fact_list_find(list, owner, name) : NULL;
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
	const struct mlx5lm_module *module = host && name ? host_find_module(host, name) : NULL;

	return module ? module->state : MLX5LM_MODULE_UNKNOWN;
}

MLX5LM_EXPORT size_t mlx5lm_host_length_notes(const struct mlx5lm_host *host)
{
	return list_length(&host_notes, host);
}

MLX5LM_EXPORT const char *mlx5lm_host_get_note(const struct mlx5lm_host *host, size_t index)
{
	const struct note *note = list_get(&host_notes, host, index);

	return note ? note->line : NULL;
}

MLX5LM_EXPORT size_t mlx5lm_host_length_pfs(const struct mlx5lm_host *host)
{
	return list_length(&host_pfs, host);
}

MLX5LM_EXPORT const struct mlx5lm_pf *mlx5lm_host_get_pf(const struct mlx5lm_host *host,
							 size_t index)
{
	return list_get(&host_pfs, host, index);
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

MLX5LM_EXPORT size_t mlx5lm_host_length_modules(const struct mlx5lm_host *host)
{
	return list_length(&host_modules, host);
}

MLX5LM_EXPORT const struct mlx5lm_module *
mlx5lm_host_get_module(const struct mlx5lm_host *host, size_t index)
{
	return list_get(&host_modules, host, index);
}

MLX5LM_EXPORT const struct mlx5lm_module *
mlx5lm_host_get_module_by_name(const struct mlx5lm_host *host, const char *name)
{
	return list_find(&host_modules, host, name);
}

MLX5LM_EXPORT int mlx5lm_module_get_str(const struct mlx5lm_module *module,
					enum mlx5lm_module_key key, const char **ret)
{
	return fact_get_str(&module_table, module, key, ret);
}

MLX5LM_EXPORT int mlx5lm_module_get_u64(const struct mlx5lm_module *module,
					enum mlx5lm_module_key key, uint64_t *ret)
{
	return fact_get_u64(&module_table, module, key, ret);
}

MLX5LM_EXPORT size_t mlx5lm_host_length_privileges(const struct mlx5lm_host *host)
{
	return list_length(&host_privileges, host);
}

MLX5LM_EXPORT const struct mlx5lm_privilege *
mlx5lm_host_get_privilege(const struct mlx5lm_host *host, size_t index)
{
	return list_get(&host_privileges, host, index);
}

MLX5LM_EXPORT const struct mlx5lm_privilege *
mlx5lm_host_get_privilege_by_name(const struct mlx5lm_host *host, const char *name)
{
	return list_find(&host_privileges, host, name);
}

MLX5LM_EXPORT int mlx5lm_privilege_get_str(const struct mlx5lm_privilege *privilege,
					   enum mlx5lm_privilege_key key, const char **ret)
{
	return fact_get_str(&privilege_table, privilege, key, ret);
}

MLX5LM_EXPORT int mlx5lm_privilege_get_u64(const struct mlx5lm_privilege *privilege,
					   enum mlx5lm_privilege_key key, uint64_t *ret)
{
	return fact_get_u64(&privilege_table, privilege, key, ret);
}

MLX5LM_EXPORT size_t mlx5lm_pf_length_nvs(const struct mlx5lm_pf *pf)
{
	return list_length(&pf_nvs, pf);
}

MLX5LM_EXPORT const struct mlx5lm_nv *mlx5lm_pf_get_nv(const struct mlx5lm_pf *pf, size_t index)
{
	return list_get(&pf_nvs, pf, index);
}

MLX5LM_EXPORT const struct mlx5lm_nv *
mlx5lm_pf_get_nv_by_name(const struct mlx5lm_pf *pf, const char *name)
{
	return list_find(&pf_nvs, pf, name);
}

MLX5LM_EXPORT int mlx5lm_nv_get_str(const struct mlx5lm_nv *nv,
				    enum mlx5lm_nv_key key, const char **ret)
{
	return fact_get_str(&nv_table, nv, key, ret);
}

MLX5LM_EXPORT int mlx5lm_nv_get_u64(const struct mlx5lm_nv *nv,
				    enum mlx5lm_nv_key key, uint64_t *ret)
{
	return fact_get_u64(&nv_table, nv, key, ret);
}

MLX5LM_EXPORT size_t mlx5lm_pf_length_params(const struct mlx5lm_pf *pf)
{
	return list_length(&pf_params, pf);
}

MLX5LM_EXPORT const struct mlx5lm_param *
mlx5lm_pf_get_param(const struct mlx5lm_pf *pf, size_t index)
{
	return list_get(&pf_params, pf, index);
}

MLX5LM_EXPORT const struct mlx5lm_param *
mlx5lm_pf_get_param_by_name(const struct mlx5lm_pf *pf, const char *name)
{
	return list_find(&pf_params, pf, name);
}

MLX5LM_EXPORT int mlx5lm_param_get_str(const struct mlx5lm_param *param,
				       enum mlx5lm_param_key key, const char **ret)
{
	return fact_get_str(&param_table, param, key, ret);
}

MLX5LM_EXPORT int mlx5lm_host_get_kernel_config(const struct mlx5lm_host *host, const char *name,
					       const char **ret)
{
	static const char prefix[] = "CONFIG_";
	const char *value;

	if (!host || !name || !ret)
		return -EINVAL;
	if (strncmp(name, prefix, sizeof(prefix) - 1) == 0)
		name += sizeof(prefix) - 1;
	value = host_find_config(host, name);
	if (!value)
		return -ENODATA;
	*ret = value;
	return 0;
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
	return list_length(&pf_vfs, pf);
}

MLX5LM_EXPORT const struct mlx5lm_vf *mlx5lm_pf_get_vf(const struct mlx5lm_pf *pf, size_t index)
{
	return list_get(&pf_vfs, pf, index);
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

MLX5LM_EXPORT const char *mlx5lm_lockdown_str(enum mlx5lm_lockdown lockdown)
{
	return name_of(&lockdown_names, lockdown);
}

MLX5LM_EXPORT const char *mlx5lm_link_type_str(enum mlx5lm_link_type link_type)
{
	return name_of(&link_type_names, link_type);
}

MLX5LM_EXPORT const char *mlx5lm_bind_state_str(enum mlx5lm_bind_state bind_state)
{
	return name_of(&bind_state_names, bind_state);
}

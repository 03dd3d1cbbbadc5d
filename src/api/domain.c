// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/domain.h"

#include <errno.h>

#include "api/context.h"
#include "export.h"
#include "sys/domain_ask.h"

#define DEFAULT_TIMEOUT_MS 10000

MLX5LM_EXPORT int mlx5lm_domain_parse(const char *xml, size_t length, struct mlx5lm_domain **ret,
				      struct mlx5lm_error **reterr)
{
	if (!xml || !ret)
		return error_invalid(reterr, "XML and a place for the domain are needed");
	return domain_new(xml, length, ret, reterr);
}

/* A root that is another machine's has other daemons than this one. */
static int refuse_other_machine(const struct mlx5lm_ctx *ctx, struct mlx5lm_error **reterr)
{
	error_set(reterr, MLX5LM_ERROR_READ_ONLY_ROOT, EROFS, MLX5LM_SOURCE_LIBRARY,
		  "the root %s is not this machine: its libvirt daemon cannot be asked",
		  ctx->root->path);
	error_add_remedy(reterr, "ask on the machine itself, with the root /; or save the XML "
				 "there: virsh dumpxml --migratable");
	return -EROFS;
}

MLX5LM_EXPORT int mlx5lm_domain_read(struct mlx5lm_ctx *ctx, const char *uri, const char *name,
				     uint32_t timeout_ms, struct mlx5lm_domain **ret,
				     struct mlx5lm_error **reterr)
{
	_cleanup_free_ char *xml = NULL;
	int r;

	if (!ctx || !name || !ret)
		return error_invalid(reterr, "a context, a name and a place for the domain are "
					     "needed");
	if (!ctx->root->native)
		return refuse_other_machine(ctx, reterr);
	r = domain_ask_xml(uri ? uri : DEFAULT_LIBVIRT_URI, name,
			   timeout_ms ? timeout_ms : DEFAULT_TIMEOUT_MS, &xml, reterr);
	if (r < 0)
		return r;
	return domain_new(xml, strlen(xml), ret, reterr);
}

MLX5LM_EXPORT int mlx5lm_domain_ask_destination(struct mlx5lm_domain *domain,
						struct mlx5lm_ctx *ctx, const char *uri,
						uint32_t timeout_ms, struct mlx5lm_error **reterr)
{
	struct cpu_question question = { 0 };
	_cleanup_free_ char *note = NULL, *asked = NULL;
	uint32_t answer;
	int r;

	if (!domain || !ctx || !uri)
		return error_invalid(reterr, "a domain, a context and the destination's URI are "
					     "needed");
	if (!ctx->root->native)
		return refuse_other_machine(ctx, reterr);
	if (!domain_names_cpu(domain))
		return domain_set_unnamed_cpu(domain) < 0 ? error_no_memory(reterr) : 0;
	question.arch = domain->parsed.arch;
	question.machine = domain->parsed.machine;
	question.virt_type = domain->parsed.type;
	question.cpu = domain->parsed.cpu;
	asked = strdup(uri);
	if (!asked)
		return error_no_memory(reterr);
	r = domain_ask_cpu(uri, &question, timeout_ms ? timeout_ms : DEFAULT_TIMEOUT_MS, &answer,
			   &note, reterr);
	if (r < 0)
		return r;
	domain->cpu = answer;
	free(domain->cpu_uri);
	domain->cpu_uri = TAKE(asked);
	free(domain->cpu_note);
	domain->cpu_note = TAKE(note);
	return 0;
}

MLX5LM_EXPORT int mlx5lm_domain_get_str(const struct mlx5lm_domain *domain,
					enum mlx5lm_domain_key key, const char **ret)
{
	const char *text;

	if (!domain || !ret)
		return -EINVAL;
	switch (key) {
	case MLX5LM_DOMAIN_NAME:
		text = domain->parsed.name;
		break;
	case MLX5LM_DOMAIN_UUID:
		text = domain->parsed.uuid;
		break;
	case MLX5LM_DOMAIN_XML:
		text = domain->xml;
		break;
	default:
		return -EINVAL;
	}
	if (!text)
		return -ENODATA;
	*ret = text;
	return 0;
}

MLX5LM_EXPORT int mlx5lm_domain_get_u64(const struct mlx5lm_domain *domain,
					enum mlx5lm_domain_key key, uint64_t *ret)
{
	if (!domain || !ret)
		return -EINVAL;
	switch (key) {
	case MLX5LM_DOMAIN_MEMORY_BYTES:
		if (!domain->parsed.max_memory_bytes.known)
			return -ENODATA;
		*ret = domain->parsed.max_memory_bytes.value;
		return 0;
	case MLX5LM_DOMAIN_CPU:
		if (!domain->cpu)
			return -ENODATA;
		*ret = domain->cpu;
		return 0;
	default:
		return -EINVAL;
	}
}

MLX5LM_EXPORT size_t mlx5lm_domain_length_hostdevs(const struct mlx5lm_domain *domain)
{
	return domain ? domain->parsed.num_hostdevs : 0;
}

MLX5LM_EXPORT const char *mlx5lm_domain_get_hostdev(const struct mlx5lm_domain *domain,
						    size_t index)
{
	return index < mlx5lm_domain_length_hostdevs(domain) ? domain->parsed.hostdevs[index].bdf :
							       NULL;
}

MLX5LM_EXPORT int mlx5lm_domain_check(const struct mlx5lm_domain *domain,
				      const struct mlx5lm_host *source,
				      const struct mlx5lm_host *destination, uint64_t migrate_flags,
				      struct mlx5lm_findings **ret, struct mlx5lm_error **reterr)
{
	_cleanup_findings_ struct mlx5lm_findings *findings = NULL;

	if (!domain || !ret)
		return error_invalid(reterr, "a domain and a place for the findings are needed");
	findings = calloc(1, sizeof(*findings));
	if (!findings || domain_check(domain, source, destination, migrate_flags, findings) < 0)
		return error_no_memory(reterr);
	*ret = TAKE(findings);
	return 0;
}

MLX5LM_EXPORT void mlx5lm_domain_free(struct mlx5lm_domain *domain)
{
	if (!domain)
		return;
	domain_xml_release(&domain->parsed);
	free(domain->xml);
	free(domain->cpu_uri);
	free(domain->cpu_note);
	free(domain);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/check.h"

#include <errno.h>

#include "base/error.h"
#include "core/json_text.h"
#include "core/profile_json.h"
#include "export.h"

MLX5LM_EXPORT int mlx5lm_profile_new_from_name(const char *name, struct mlx5lm_profile **ret,
					       struct mlx5lm_error **reterr)
{
	const struct mlx5lm_profile *known = profile_find(name);

	if (!ret)
		return error_invalid(reterr, "a place for the profile is needed");
	if (!known) {
		error_set(reterr, MLX5LM_ERROR_NOT_FOUND, ENOENT, MLX5LM_SOURCE_LIBRARY,
			  "there is no profile \"%s\"", name);
		error_add_remedy(reterr, "take \"%s\" or \"%s\", or write one of your own",
				 profile_known_name(0), profile_known_name(1));
		return -ENOENT;
	}
	return profile_copy(known, ret) < 0 ? error_no_memory(reterr) : 0;
}

MLX5LM_EXPORT int mlx5lm_profile_parse(const char *json, size_t length,
				       struct mlx5lm_profile **ret, struct mlx5lm_error **reterr)
{
	if (!json || !ret)
		return error_invalid(reterr, "a document and a place for the profile are needed");
	return profile_parse(json, length, ret, reterr);
}

MLX5LM_EXPORT int mlx5lm_profile_serialize(const struct mlx5lm_profile *profile,
					   struct mlx5lm_text **ret)
{
	return profile && ret ? profile_serialize(profile, ret) : -EINVAL;
}

MLX5LM_EXPORT const char *mlx5lm_profile_get_name(const struct mlx5lm_profile *profile)
{
	return profile ? profile->name : NULL;
}

MLX5LM_EXPORT const char *mlx5lm_profile_known_name(size_t index)
{
	return profile_known_name(index);
}

MLX5LM_EXPORT void mlx5lm_profile_free(struct mlx5lm_profile *profile)
{
	profile_free(profile);
}

static int refuse_scope(const char *scope, struct mlx5lm_error **reterr)
{
	error_set(reterr, MLX5LM_ERROR_NOT_FOUND, ENOENT, MLX5LM_SOURCE_LIBRARY,
		  "the snapshot has no mlx5 function \"%s\"", scope);
	error_add_remedy(reterr, "take \"host\", or the address of a PF or a VF as "
				 "lspci -D -d 15b3: shows it, and probe again if it is new");
	return -ENOENT;
}

MLX5LM_EXPORT int mlx5lm_check(const struct mlx5lm_host *host,
			       const struct mlx5lm_profile *profile, const char *scope,
			       struct mlx5lm_findings **ret, struct mlx5lm_error **reterr)
{
	_cleanup_findings_ struct mlx5lm_findings *findings = NULL;
	int r;

	if (!host || !ret)
		return error_invalid(reterr, "a snapshot and a place for the findings are needed");
	findings = calloc(1, sizeof(*findings));
	if (!findings)
		return error_no_memory(reterr);
	r = check_host(host, profile ? profile : profile_find(NULL), scope, findings);
	if (r == -ENOENT)
		return refuse_scope(scope, reterr);
	if (r < 0)
		return error_no_memory(reterr);
	*ret = TAKE(findings);
	return 0;
}

MLX5LM_EXPORT size_t mlx5lm_findings_length(const struct mlx5lm_findings *findings)
{
	return findings ? findings->length : 0;
}

MLX5LM_EXPORT const struct mlx5lm_finding *
mlx5lm_findings_get(const struct mlx5lm_findings *findings, size_t index)
{
	return findings && index < findings->length ? &findings->items[index] : NULL;
}

MLX5LM_EXPORT enum mlx5lm_status mlx5lm_findings_get_status(const struct mlx5lm_findings *findings)
{
	return findings ? findings_status(findings) : MLX5LM_STATUS_UNKNOWN;
}

MLX5LM_EXPORT int mlx5lm_findings_serialize(const struct mlx5lm_findings *findings,
					    struct mlx5lm_text **ret)
{
	if (!findings || !ret)
		return -EINVAL;
	return json_to_text(json_pack("{s:s, s:i, s:s, s:o}", "schema", "mlx5lm.findings",
				      "schema_version", 1, "status",
				      status_names[findings_status(findings)], "findings",
				      findings_to_json(findings)),
			    JSON_INDENT(2), ret);
}

MLX5LM_EXPORT void mlx5lm_findings_free(struct mlx5lm_findings *findings)
{
	if (!findings)
		return;
	findings_release(findings);
	free(findings);
}

MLX5LM_EXPORT enum mlx5lm_status mlx5lm_finding_get_status(const struct mlx5lm_finding *finding)
{
	return finding ? finding->status : MLX5LM_STATUS_UNKNOWN;
}

MLX5LM_EXPORT int mlx5lm_finding_get_str(const struct mlx5lm_finding *finding,
					 enum mlx5lm_finding_key key, const char **ret)
{
	if (!finding || !ret || (unsigned int)key == MLX5LM_FINDING_UNKNOWN ||
	    (unsigned int)key >= FINDING_NUM_TEXTS)
		return -EINVAL;
	if (!finding->text[key])
		return -ENODATA;
	*ret = finding->text[key];
	return 0;
}

MLX5LM_EXPORT const char *mlx5lm_status_str(enum mlx5lm_status status)
{
	return status_names[(unsigned int)status <= MLX5LM_STATUS_FAIL ? status : 0];
}

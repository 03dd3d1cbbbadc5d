// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/error.h"

#include "export.h"

MLX5LM_EXPORT enum mlx5lm_error_code mlx5lm_error_get_code(const struct mlx5lm_error *error)
{
	return error ? error->code : MLX5LM_ERROR_UNKNOWN;
}

MLX5LM_EXPORT int mlx5lm_error_get_errno(const struct mlx5lm_error *error)
{
	return error ? error->errnum : 0;
}

MLX5LM_EXPORT enum mlx5lm_error_source mlx5lm_error_get_source(const struct mlx5lm_error *error)
{
	return error ? error->source : MLX5LM_SOURCE_UNKNOWN;
}

MLX5LM_EXPORT const char *mlx5lm_error_get_message(const struct mlx5lm_error *error)
{
	return error ? error->message : NULL;
}

MLX5LM_EXPORT const char *mlx5lm_error_get_detail(const struct mlx5lm_error *error)
{
	return error ? error->detail : NULL;
}

MLX5LM_EXPORT const char *mlx5lm_error_get_remedy(const struct mlx5lm_error *error)
{
	return error ? error->remedy : NULL;
}

static const char *const code_names[] = {
	[MLX5LM_ERROR_UNKNOWN] = "unknown",
	[MLX5LM_ERROR_INVALID_ARGUMENT] = "invalid-argument",
	[MLX5LM_ERROR_NO_MEMORY] = "no-memory",
	[MLX5LM_ERROR_NOT_FOUND] = "not-found",
	[MLX5LM_ERROR_PERMISSION] = "permission",
	[MLX5LM_ERROR_NOT_SUPPORTED] = "not-supported",
	[MLX5LM_ERROR_BUSY] = "busy",
	[MLX5LM_ERROR_TIMEOUT] = "timeout",
	[MLX5LM_ERROR_CANCELLED] = "cancelled",
	[MLX5LM_ERROR_IO] = "io",
	[MLX5LM_ERROR_PROTOCOL] = "protocol",
	[MLX5LM_ERROR_INVALID_DOCUMENT] = "invalid-document",
	[MLX5LM_ERROR_READ_ONLY_ROOT] = "read-only-root",
	[MLX5LM_ERROR_STATE_CHANGED] = "state-changed",
	[MLX5LM_ERROR_VERIFY_FAILED] = "verify-failed",
	[MLX5LM_ERROR_INCOMPATIBLE] = "incompatible",
	[MLX5LM_ERROR_CONNECT] = "connect",
	[MLX5LM_ERROR_DOMAIN] = "domain",
	[MLX5LM_ERROR_VF] = "vf",
	[MLX5LM_ERROR_MIGRATION] = "migration",
	[MLX5LM_ERROR_TOO_MANY_VFS] = "too-many-vfs",
	[MLX5LM_ERROR_VF_INDEX] = "vf-index",
	[MLX5LM_ERROR_HW_ADDR] = "hw-addr",
	[MLX5LM_ERROR_HW_ADDR_TAKEN] = "hw-addr-taken",
	[MLX5LM_ERROR_CONTRADICTION] = "contradiction",
	[MLX5LM_ERROR_RECOVERY_NEEDED] = "recovery-needed",
	[MLX5LM_ERROR_UNDO_FAILED] = "undo-failed",
	[MLX5LM_ERROR_NV_NOT_APPLIED] = "nv-not-applied",
};

static const char *const source_names[] = {
	[MLX5LM_SOURCE_UNKNOWN] = "unknown",   [MLX5LM_SOURCE_LIBRARY] = "library",
	[MLX5LM_SOURCE_SYSFS] = "sysfs",       [MLX5LM_SOURCE_DEVLINK] = "devlink",
	[MLX5LM_SOURCE_KMOD] = "kmod",	       [MLX5LM_SOURCE_VFIO] = "vfio",
	[MLX5LM_SOURCE_NVCONFIG] = "nvconfig", [MLX5LM_SOURCE_LIBVIRT] = "libvirt",
};

MLX5LM_EXPORT const char *mlx5lm_error_code_str(enum mlx5lm_error_code code)
{
	return code_names[(unsigned int)code < ARRAY_LENGTH(code_names) ? code : 0];
}

MLX5LM_EXPORT const char *mlx5lm_error_source_str(enum mlx5lm_error_source source)
{
	return source_names[(unsigned int)source < ARRAY_LENGTH(source_names) ? source : 0];
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/context.h"

#include <errno.h>

#include "base/error.h"
#include "export.h"

MLX5LM_EXPORT int mlx5lm_ctx_new(struct mlx5lm_ctx **ret)
{
	struct mlx5lm_ctx *ctx;
	int r;

	if (!ret)
		return -EINVAL;
	ctx = calloc(1, sizeof(*ctx));
	if (!ctx)
		return -ENOMEM;
	refcount_init(&ctx->refcount);
	ctx->turns = turns_new();
	r = ctx->turns ? root_open("/", &ctx->root, NULL) : -ENOMEM;
	if (r < 0) {
		if (ctx->turns)
			turns_unref(ctx->turns);
		free(ctx);
		return r;
	}
	*ret = ctx;
	return 0;
}

MLX5LM_EXPORT struct mlx5lm_ctx *mlx5lm_ctx_ref(struct mlx5lm_ctx *ctx)
{
	if (ctx)
		refcount_get(&ctx->refcount);
	return ctx;
}

static void forget_log(struct mlx5lm_ctx *ctx)
{
	if (ctx->log_destroy)
		ctx->log_destroy(ctx->log.userdata);
	ctx->log = (struct log){ 0 };
	ctx->log_destroy = NULL;
}

MLX5LM_EXPORT struct mlx5lm_ctx *mlx5lm_ctx_unref(struct mlx5lm_ctx *ctx)
{
	if (ctx && refcount_put(&ctx->refcount)) {
		forget_log(ctx);
		root_unref(ctx->root);
		turns_unref(ctx->turns);
		free(ctx);
	}
	return NULL;
}

MLX5LM_EXPORT int mlx5lm_ctx_set_root(struct mlx5lm_ctx *ctx, const char *path,
				      struct mlx5lm_error **reterr)
{
	struct root *root;
	int r;

	if (!ctx || !path)
		return error_invalid(reterr, "a context and a path are needed");
	r = root_open(path, &root, reterr);
	if (r < 0)
		return r;
	root_unref(ctx->root);
	ctx->root = root;
	return 0;
}

MLX5LM_EXPORT int mlx5lm_ctx_set_log(struct mlx5lm_ctx *ctx, enum mlx5lm_log_level level,
				     mlx5lm_log_fn fn, void *userdata, mlx5lm_destroy_fn destroy)
{
	if (!ctx) {
		if (destroy)
			destroy(userdata);
		return -EINVAL;
	}
	forget_log(ctx);
	ctx->log = (struct log){ .level = level, .fn = fn, .userdata = userdata };
	ctx->log_destroy = destroy;
	return 0;
}

MLX5LM_EXPORT int mlx5lm_ctx_set_max_sessions(struct mlx5lm_ctx *ctx, uint32_t per_host,
					      uint32_t per_pf)
{
	if (!ctx)
		return -EINVAL;
	turns_set_limits(ctx->turns, per_host, per_pf);
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MLX5LM_CONTEXT_H
#define MLX5LM_CONTEXT_H

#include <mlx5lm/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * enum mlx5lm_log_level - weight of a log line
 * @MLX5LM_LOG_UNKNOWN: never used
 * @MLX5LM_LOG_ERROR: something failed that no return value can tell (a release, a clean-up)
 * @MLX5LM_LOG_WARNING: it went on, but somebody should know (for example a kernel warning)
 * @MLX5LM_LOG_INFO: a step was done
 * @MLX5LM_LOG_DEBUG: what was read and written
 *
 * Since: 0.1
 */
enum mlx5lm_log_level {
	MLX5LM_LOG_UNKNOWN = 0,
	MLX5LM_LOG_ERROR = 1,
	MLX5LM_LOG_WARNING = 2,
	MLX5LM_LOG_INFO = 3,
	MLX5LM_LOG_DEBUG = 4
};

/**
 * mlx5lm_log_fn - receives log lines
 * @level: weight of the line
 * @message: finished UTF-8 line without a newline, valid during the call
 * @userdata: as registered
 *
 * Runs on the thread that made the call into the library. It must not call the library
 * with the same context.
 */
typedef void (*mlx5lm_log_fn)(enum mlx5lm_log_level level, const char *message, void *userdata);

/**
 * mlx5lm_ctx_new() - make a context
 * @ret: where to put the new context; yours, release with mlx5lm_ctx_unref()
 *
 * A context holds what all calls share: the root directory of the host and the log
 * callback. Its root is "/" and it logs nowhere.
 *
 * Return: 0; -EINVAL if @ret is NULL; -ENOMEM; another -errno if "/" cannot be opened.
 * Thread: any. Since: 0.1
 */
int mlx5lm_ctx_new(struct mlx5lm_ctx **ret);

/**
 * mlx5lm_ctx_ref() - take one more reference
 * @ctx: a context, may be NULL
 *
 * Return: @ctx.
 * Thread: any. Since: 0.1
 */
struct mlx5lm_ctx *mlx5lm_ctx_ref(struct mlx5lm_ctx *ctx);

/**
 * mlx5lm_ctx_unref() - give a reference back
 * @ctx: a context, may be NULL
 *
 * Objects made with a context keep it alive as long as they need it.
 *
 * Return: NULL.
 * Thread: any. Since: 0.1
 */
struct mlx5lm_ctx *mlx5lm_ctx_unref(struct mlx5lm_ctx *ctx);

/**
 * mlx5lm_ctx_set_root() - look at the host below another directory
 * @ctx: a context
 * @path: directory that holds sys, proc and lib/modules of the host, such as "/host"
 * @reterr: set on failure; may be NULL; yours, release with mlx5lm_error_free()
 *
 * For agents in containers and for recorded trees. If the tree's
 * proc/sys/kernel/random/boot_id is not the one of the running kernel, the root is another
 * machine: it can be read, devlink is not asked, and every change is refused with -EROFS.
 *
 * Return: 0; -EINVAL; -ENOMEM; -ENOENT, -ENOTDIR or -EACCES if @path cannot be opened.
 * Thread: one thread at a time on one context. Since: 0.1
 */
int mlx5lm_ctx_set_root(struct mlx5lm_ctx *ctx, const char *path, struct mlx5lm_error **reterr);

/**
 * mlx5lm_ctx_set_max_sessions() - limit how many migrations run at once
 * @ctx: a context
 * @per_host: sessions that may have the same source or destination at once; 0, as until it is
 *	set: any number
 * @per_pf: sessions that may move VFs of the same PF, at either side, at once; 0, as until it is
 *	set: any number
 *
 * Holds for the sessions of this context. One that would be too many waits in
 * MLX5LM_PHASE_PREPARE. They get their turn in the order in which they came there; one that waits
 * holds back those behind it that need the same host or PF, and no others.
 *
 * Return: 0; -EINVAL.
 * Thread: any. Since: 0.5
 */
int mlx5lm_ctx_set_max_sessions(struct mlx5lm_ctx *ctx, uint32_t per_host, uint32_t per_pf);

/**
 * mlx5lm_ctx_set_log() - receive log lines
 * @ctx: a context
 * @level: the finest level wanted
 * @fn: called for each line; NULL stops logging
 * @userdata: passed to @fn
 * @destroy: releases @userdata, may be NULL
 *
 * Return: 0; -EINVAL if @ctx is NULL (then @destroy has been called).
 * Thread: one thread at a time on one context. Since: 0.1
 */
int mlx5lm_ctx_set_log(struct mlx5lm_ctx *ctx, enum mlx5lm_log_level level, mlx5lm_log_fn fn,
		       void *userdata, mlx5lm_destroy_fn destroy);

#ifdef __cplusplus
}
#endif

#endif

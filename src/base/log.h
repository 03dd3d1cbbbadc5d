/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <mlx5lm/context.h>

#include "base/str.h"

/* Where log lines go: the callback of a context. fn is NULL when nobody listens. */
struct log {
	enum mlx5lm_log_level level;
	mlx5lm_log_fn fn;
	void *userdata;
};

void log_write(const struct log *log, enum mlx5lm_log_level level, const char *format, ...)
	_printf_(3, 4);

#define log_error(log, ...) log_write((log), MLX5LM_LOG_ERROR, __VA_ARGS__)
#define log_warning(log, ...) log_write((log), MLX5LM_LOG_WARNING, __VA_ARGS__)
#define log_info(log, ...) log_write((log), MLX5LM_LOG_INFO, __VA_ARGS__)
#define log_debug(log, ...) log_write((log), MLX5LM_LOG_DEBUG, __VA_ARGS__)

#endif

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/log.h"

#include "base/cleanup.h"

void log_write(const struct log *log, enum mlx5lm_log_level level, const char *format, ...)
{
	_cleanup_free_ char *message = NULL;
	va_list args;

	if (!log || !log->fn || level > log->level)
		return;
	va_start(args, format);
	message = str_vprintf(format, args);
	va_end(args);
	if (message)
		log->fn(level, message, log->userdata);
}

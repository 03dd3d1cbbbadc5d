// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/error.h"

#include <errno.h>

#include "export.h"

/* Handed out when there is no memory for an error; mlx5lm_error_free() knows it. */
static const struct mlx5lm_error no_memory = {
	.code = MLX5LM_ERROR_NO_MEMORY,
	.source = MLX5LM_SOURCE_LIBRARY,
	.errnum = ENOMEM,
	.message = (char *)"out of memory",
};

MLX5LM_EXPORT void mlx5lm_error_free(struct mlx5lm_error *error)
{
	if (!error || error == &no_memory)
		return;
	free(error->message);
	free(error->detail);
	free(error->remedy);
	free(error);
}

int error_no_memory(struct mlx5lm_error **reterr)
{
	if (reterr)
		*reterr = (struct mlx5lm_error *)&no_memory;
	return -ENOMEM;
}

static void set(struct mlx5lm_error **reterr, enum mlx5lm_error_code code, int errnum,
		enum mlx5lm_error_source source, const char *format, va_list args)
{
	struct mlx5lm_error *error;

	if (!reterr)
		return;
	*reterr = (struct mlx5lm_error *)&no_memory;
	error = calloc(1, sizeof(*error));
	if (!error)
		return;
	error->code = code;
	error->errnum = errnum;
	error->source = source;
	error->message = str_vprintf(format, args);
	if (!error->message) {
		free(error);
		return;
	}
	*reterr = error;
}

int error_set(struct mlx5lm_error **reterr, enum mlx5lm_error_code code, int errnum,
	      enum mlx5lm_error_source source, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set(reterr, code, errnum, source, format, args);
	va_end(args);
	return -errnum;
}

int error_invalid(struct mlx5lm_error **reterr, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set(reterr, MLX5LM_ERROR_INVALID_ARGUMENT, EINVAL, MLX5LM_SOURCE_LIBRARY, format, args);
	va_end(args);
	return -EINVAL;
}

static void add(struct mlx5lm_error **reterr, size_t offset, const char *format, va_list args)
{
	char **member, *before;

	if (!reterr || !*reterr || *reterr == &no_memory)
		return;
	member = (char **)((char *)*reterr + offset);
	before = *member;
	/* Without memory the error just lacks this part. */
	*member = str_vprintf(format, args);
	free(before); /* which the arguments may name */
}

void error_add_detail(struct mlx5lm_error **reterr, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(reterr, offsetof(struct mlx5lm_error, detail), format, args);
	va_end(args);
}

void error_append_detail(struct mlx5lm_error **reterr, const char *format, ...)
{
	_cleanup_free_ char *line = NULL;
	va_list args;

	va_start(args, format);
	line = str_vprintf(format, args);
	va_end(args);
	if (!line || !reterr || !*reterr || !(*reterr)->detail)
		error_add_detail(reterr, "%s", line ? line : "");
	else
		error_add_detail(reterr, "%s\n%s", (*reterr)->detail, line);
}

void error_add_remedy(struct mlx5lm_error **reterr, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(reterr, offsetof(struct mlx5lm_error, remedy), format, args);
	va_end(args);
}

void error_append_message(struct mlx5lm_error **reterr, const char *format, ...)
{
	_cleanup_free_ char *more = NULL;
	char *message;
	va_list args;

	if (!reterr || !*reterr || *reterr == &no_memory)
		return;
	va_start(args, format);
	more = str_vprintf(format, args);
	va_end(args);
	message = more ? str_printf("%s%s", (*reterr)->message, more) : NULL;
	if (!message)
		return;
	free((*reterr)->message);
	(*reterr)->message = message;
}

void error_set_code(struct mlx5lm_error **reterr, enum mlx5lm_error_code code)
{
	if (reterr && *reterr && *reterr != &no_memory)
		(*reterr)->code = code;
}

void error_set_errno(struct mlx5lm_error **reterr, int errnum)
{
	if (reterr && *reterr && *reterr != &no_memory)
		(*reterr)->errnum = errnum;
}

void error_set_native(struct mlx5lm_error **reterr, int native, int native_domain)
{
	if (!reterr || !*reterr || *reterr == &no_memory)
		return;
	(*reterr)->native = native;
	(*reterr)->native_domain = native_domain;
}

void error_add_prefix(struct mlx5lm_error **reterr, const char *format, ...)
{
	_cleanup_free_ char *prefix = NULL;
	char *message;
	va_list args;

	if (!reterr || !*reterr || *reterr == &no_memory)
		return;
	va_start(args, format);
	prefix = str_vprintf(format, args);
	va_end(args);
	message = prefix ? str_printf("%s%s", prefix, (*reterr)->message) : NULL;
	if (!message)
		return;
	free((*reterr)->message);
	(*reterr)->message = message;
}

int error_pass(struct mlx5lm_error **reterr, struct mlx5lm_error *error)
{
	int errnum = error ? error->errnum : 0;

	if (reterr)
		*reterr = error;
	else
		mlx5lm_error_free(error);
	return -errnum;
}

struct mlx5lm_error *error_copy(const struct mlx5lm_error *error)
{
	struct mlx5lm_error *copy = NULL;

	error_set(&copy, error->code, error->errnum, error->source, "%s", error->message);
	if (error->detail)
		error_add_detail(&copy, "%s", error->detail);
	if (error->remedy)
		error_add_remedy(&copy, "%s", error->remedy);
	error_set_native(&copy, error->native, error->native_domain);
	return copy;
}

enum mlx5lm_error_code error_code_from_errno(int errnum)
{
	switch (errnum) {
	case EINVAL:
		return MLX5LM_ERROR_INVALID_ARGUMENT;
	case ENOMEM:
		return MLX5LM_ERROR_NO_MEMORY;
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return MLX5LM_ERROR_NOT_FOUND;
	case EPERM:
	case EACCES:
		return MLX5LM_ERROR_PERMISSION;
	case EOPNOTSUPP:
	case ENOSYS:
	case ENOTTY:
		return MLX5LM_ERROR_NOT_SUPPORTED;
	case EBUSY:
		return MLX5LM_ERROR_BUSY;
	case ETIMEDOUT:
		return MLX5LM_ERROR_TIMEOUT;
	case ECANCELED:
		return MLX5LM_ERROR_CANCELLED;
	case EROFS:
		return MLX5LM_ERROR_READ_ONLY_ROOT;
	case EBADMSG:
	case EPROTO:
		return MLX5LM_ERROR_PROTOCOL;
	default:
		return MLX5LM_ERROR_IO;
	}
}

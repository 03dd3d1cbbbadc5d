// SPDX-License-Identifier: MIT-0
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent.h"

#define MAX_MESSAGE_BYTES 512

static json_t *new_error(const char *code, const char *source, const char *message,
			 const char *detail, const char *remedy)
{
	return json_pack("{s:s, s:s, s:s, s:s*, s:s*}", "code", code, "source", source, "message",
			 message, "detail", detail, "remedy", remedy);
}

int refuse(json_t **ret, const char *code, const char *remedy, const char *format, ...)
{
	char message[MAX_MESSAGE_BYTES];
	va_list arguments;
	size_t length;
	int n;

	va_start(arguments, format);
	n = vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	if (n >= (int)sizeof(message)) {
		/* Half a character would be no UTF-8. */
		for (length = sizeof(message) - 1; (message[length] & 0xc0) == 0x80 ||
			     message[length] == '\0'; length--)
			;
		message[length] = '\0';
	}
	*ret = new_error(code, "library", message, NULL, remedy);
	return -1;
}

int refuse_error(json_t **ret, struct mlx5lm_error *error)
{
	*ret = new_error(mlx5lm_error_code_str(mlx5lm_error_get_code(error)),
			 mlx5lm_error_source_str(mlx5lm_error_get_source(error)),
			 mlx5lm_error_get_message(error), mlx5lm_error_get_detail(error),
			 mlx5lm_error_get_remedy(error));
	mlx5lm_error_free(error);
	return -1;
}

int refuse_unknown(json_t **ret, const char *where, const json_t *object,
		   const char *const *names)
{
	const char *member;
	json_t *value;

	json_object_foreach((json_t *)object, member, value) {
		size_t i = 0;

		while (names[i] && strcmp(member, names[i]) != 0)
			i++;
		if (!names[i])
			return refuse(ret, "invalid-argument", NULL, "%s: unknown member: %s",
				      where, member);
	}
	return 0;
}

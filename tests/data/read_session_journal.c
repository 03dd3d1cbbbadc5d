// SPDX-License-Identifier: LGPL-2.1-or-later
/* Reads journals of sessions, one a line, and prints for each what was read, or why it was not. */
#include <stdio.h>
#include <stdlib.h>

#include "core/session_record.h"

static void answer(const char *line, size_t length)
{
	_cleanup_session_record_ struct session_record record = { 0 };
	_cleanup_error_ struct mlx5lm_error *error = NULL;
	_cleanup_free_ char *text = NULL;

	if (session_record_parse(line, length, &record, &error) < 0) {
		printf("refused: %s\n", error->message);
		return;
	}
	text = session_record_text(&record);
	if (!text)
		abort();
	fputs(text, stdout);
}

int main(void)
{
	_cleanup_free_ char *line = NULL;
	size_t allocated = 0;
	ssize_t length;

	while ((length = getline(&line, &allocated, stdin)) >= 0)
		answer(line, (size_t)length);
	return ferror(stdin) ? EXIT_FAILURE : EXIT_SUCCESS;
}

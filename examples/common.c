// SPDX-License-Identifier: MIT-0
/* What the four example programs share: errors, files, printing. */
#include "common.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The lines behind the first one stand below it. */
static void show_lines(const char *label, const char *text)
{
	fputs(label, stderr);
	for (; *text; text++) {
		fputc(*text, stderr);
		if (*text == '\n')
			fputs("        ", stderr);
	}
	fputc('\n', stderr);
}

void show_error(const char *label, const struct mlx5lm_error *error)
{
	const char *detail = mlx5lm_error_get_detail(error);
	const char *remedy = mlx5lm_error_get_remedy(error);

	fprintf(stderr, "%s: %s (%s, %s)\n", label, mlx5lm_error_get_message(error),
		mlx5lm_error_code_str(mlx5lm_error_get_code(error)),
		mlx5lm_error_source_str(mlx5lm_error_get_source(error)));
	if (detail)
		show_lines("  said: ", detail);
	if (remedy)
		fprintf(stderr, "  to do: %s\n", remedy);
}

void print_error(struct mlx5lm_error *error)
{
	show_error("error", error);
	mlx5lm_error_free(error);
}

_Noreturn void die(struct mlx5lm_error *error)
{
	print_error(error);
	exit(EXIT_NOT_READY);
}

static void print_log(enum mlx5lm_log_level level, const char *message, void *userdata)
{
	(void)level;
	(void)userdata;
	fprintf(stderr, "warning: %s\n", message);
}

struct mlx5lm_ctx *new_ctx(void)
{
	struct mlx5lm_ctx *ctx;
	int r = mlx5lm_ctx_new(&ctx);

	if (r < 0) {
		fprintf(stderr, "error: no context: %s\n", strerror(-r));
		exit(EXIT_NOT_READY);
	}
	mlx5lm_ctx_set_log(ctx, MLX5LM_LOG_WARNING, print_log, NULL, NULL);
	return ctx;
}

struct mlx5lm_host *probe_host(struct mlx5lm_ctx *ctx, const char *libvirt_uri)
{
	struct mlx5lm_probe_options *options = NULL;
	struct mlx5lm_error *error = NULL;
	struct mlx5lm_host *host;

	if (mlx5lm_probe_options_new(&options) < 0 ||
	    mlx5lm_probe_options_set_libvirt_uri(options, libvirt_uri) < 0) {
		fprintf(stderr, "error: out of memory\n");
		exit(EXIT_NOT_READY);
	}
	if (mlx5lm_host_probe(ctx, options, &host, &error) < 0)
		die(error);
	mlx5lm_probe_options_free(options);
	return host;
}

size_t read_file(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "re");
	size_t length;

	if (!file) {
		fprintf(stderr, "error: %s: %s\n", path, strerror(errno));
		exit(EXIT_NOT_READY);
	}
	length = fread(text, 1, size, file);
	fclose(file);
	if (length == size) {
		fprintf(stderr, "error: %s: larger than %zu bytes\n", path, size - 1);
		exit(EXIT_NOT_READY);
	}
	return length;
}

struct mlx5lm_host *read_host(const char *path)
{
	static char json[MAX_SNAPSHOT_BYTES];
	struct mlx5lm_error *error = NULL;
	struct mlx5lm_host *host;
	size_t length = read_file(path, json, sizeof(json));

	if (mlx5lm_host_parse_with_limit(json, length, sizeof(json), &host, &error) < 0)
		die(error);
	return host;
}

void print_text_to(FILE *file, struct mlx5lm_text *text)
{
	const char *end;

	if (!text) {
		fprintf(stderr, "error: out of memory\n");
		exit(EXIT_NOT_READY);
	}
	fputs(mlx5lm_text_get_str(text), file);
	end = strrchr(mlx5lm_text_get_str(text), '\n');
	if (!end || end[1])
		fputc('\n', file);
	mlx5lm_text_free(text);
}

void print_text(struct mlx5lm_text *text)
{
	print_text_to(stdout, text);
}

char *split_at_equals(char *argument)
{
	char *equals = strchr(argument, '=');

	if (!equals) {
		fprintf(stderr, "error: %s: expected LEFT=RIGHT\n", argument);
		exit(EXIT_USAGE);
	}
	*equals = '\0';
	return equals + 1;
}

unsigned long parse_number(const char *text, unsigned long max)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || value > max) {
		fprintf(stderr, "error: %s: expected a number from 0 to %lu\n", text, max);
		exit(EXIT_USAGE);
	}
	return value;
}

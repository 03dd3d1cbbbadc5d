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
	/* Room for thousands of VFs; mlx5lm_host_parse() alone would take 256 KiB. */
	static char json[4 << 20];
	struct mlx5lm_error *error = NULL;
	struct mlx5lm_host *host;
	size_t length = read_file(path, json, sizeof(json));

	if (mlx5lm_host_parse_with_limit(json, length, sizeof(json), &host, &error) < 0)
		die(error);
	return host;
}

static void print_line(const char *label, const struct mlx5lm_finding *finding,
		       enum mlx5lm_finding_key key)
{
	const char *text;

	if (mlx5lm_finding_get_str(finding, key, &text) == 0)
		printf("%s%s", label, text);
}

static void print_finding(const struct mlx5lm_finding *finding)
{
	const char *text = "", *object = "";

	mlx5lm_finding_get_str(finding, MLX5LM_FINDING_ID, &text);
	mlx5lm_finding_get_str(finding, MLX5LM_FINDING_OBJECT, &object);
	printf("  %-7s %-20s %-13s", mlx5lm_status_str(mlx5lm_finding_get_status(finding)), text,
	       object);
	print_line(" ", finding, MLX5LM_FINDING_MESSAGE);
	print_line(": ", finding, MLX5LM_FINDING_FOUND);
	print_line("; required: ", finding, MLX5LM_FINDING_REQUIRED);
	print_line("; source: ", finding, MLX5LM_FINDING_SOURCE);
	print_line("; destination: ", finding, MLX5LM_FINDING_DESTINATION);
	print_line("\n          to do: ", finding, MLX5LM_FINDING_REMEDY);
	printf("\n");
}

void print_findings(const struct mlx5lm_findings *findings, int all)
{
	for (size_t i = 0; i < mlx5lm_findings_length(findings); i++) {
		const struct mlx5lm_finding *finding = mlx5lm_findings_get(findings, i);

		if (all || mlx5lm_finding_get_status(finding) != MLX5LM_STATUS_PASS)
			print_finding(finding);
	}
}

void print_text(struct mlx5lm_text *text)
{
	if (!text) {
		fprintf(stderr, "error: out of memory\n");
		exit(EXIT_NOT_READY);
	}
	printf("%s\n", mlx5lm_text_get_str(text));
	mlx5lm_text_free(text);
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

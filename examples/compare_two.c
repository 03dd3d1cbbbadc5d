// SPDX-License-Identifier: MIT-0
/* Two hosts, and a domain that shall go from the one to the other. */
#include <stdio.h>
#include <stdlib.h>

#include "common.h"
#include "compare.h"

static struct mlx5lm_domain *read_domain(const struct job *job, struct mlx5lm_ctx *ctx)
{
	static char xml[(10 << 20) + 1];
	struct mlx5lm_error *error = NULL;
	struct mlx5lm_domain *domain;
	int r;

	if (job->connect)
		r = mlx5lm_domain_read(ctx, job->connect, job->domain, 0, &domain, &error);
	else
		r = mlx5lm_domain_parse(xml, read_file(job->domain, xml, sizeof(xml)), &domain,
					&error);
	if (r < 0 ||
	    (job->to && mlx5lm_domain_ask_destination(domain, ctx, job->to, 0, &error) < 0))
		die(error);
	return domain;
}

/* The options keep a copy of the domain. */
static void set_domain(const struct job *job)
{
	struct mlx5lm_ctx *ctx = new_ctx();
	struct mlx5lm_domain *domain = read_domain(job, ctx);

	if (mlx5lm_compare_options_set_domain(job->options, domain) < 0) {
		fprintf(stderr, "error: out of memory\n");
		exit(EXIT_NOT_READY);
	}
	mlx5lm_domain_free(domain);
	mlx5lm_ctx_unref(ctx);
}

static int exit_status(enum mlx5lm_verdict verdict)
{
	switch (verdict) {
	case MLX5LM_VERDICT_COMPATIBLE:
		return EXIT_READY;
	case MLX5LM_VERDICT_INCOMPATIBLE:
		return EXIT_NOT_READY;
	default:
		return EXIT_UNKNOWN;
	}
}

/* What people read makes way for the XML, so that the latter can go into a file. */
static void print_comparison(const struct job *job, const struct mlx5lm_comparison *comparison)
{
	enum mlx5lm_format format = job->json ? MLX5LM_FORMAT_JSON : MLX5LM_FORMAT_TEXT;
	struct mlx5lm_text *text = NULL;
	const char *xml;

	mlx5lm_comparison_serialize(comparison, format, &text);
	print_text_to(job->domain && !job->json ? stderr : stdout, text);
	if (!job->json && mlx5lm_comparison_get_destination_xml(comparison, &xml) == 0)
		fputs(xml, stdout);
}

int compare_two(const struct job *job)
{
	struct mlx5lm_host *source = read_host(job->files[0]);
	struct mlx5lm_host *destination = read_host(job->files[1]);
	struct mlx5lm_comparison *comparison;
	struct mlx5lm_error *error = NULL;
	int status;

	if (job->domain)
		set_domain(job);
	if (mlx5lm_compare(source, destination, job->options, &comparison, &error) < 0)
		die(error);
	print_comparison(job, comparison);
	status = exit_status(mlx5lm_comparison_get_verdict(comparison));
	mlx5lm_comparison_free(comparison);
	mlx5lm_host_free(source);
	mlx5lm_host_free(destination);
	return status;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
/* What comparing two hosts costs, from the call to the release of what it made. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "support/hosts.h"

/* A pair of common hosts must not cost more; more VFs have no limit but their share. */
#define MAX_US 5.0

/* Of several, the best counts: the others are what else the machine did. */
#define ROUNDS 15
#define PAIRS_PER_ROUND 4000

static void must(int r, const char *what)
{
	if (r >= 0)
		return;
	fprintf(stderr, "bench-compare: %s failed\n", what);
	exit(1);
}

static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static double round_us(const struct mlx5lm_host *source, const struct mlx5lm_host *destination,
		       enum mlx5lm_verdict verdict, size_t pairs)
{
	double start = now_us();

	for (size_t i = 0; i < pairs; i++) {
		struct mlx5lm_comparison *comparison = NULL;

		must(mlx5lm_compare(source, destination, NULL, &comparison, NULL), "a comparison");
		if (mlx5lm_comparison_get_verdict(comparison) != verdict)
			must(-1, "a verdict");
		mlx5lm_comparison_free(comparison);
	}
	return (now_us() - start) / (double)pairs;
}

/* The findings that two such hosts make. */
static size_t count_findings(const struct mlx5lm_host *source,
			     const struct mlx5lm_host *destination)
{
	struct mlx5lm_comparison *comparison = NULL;
	size_t length;

	must(mlx5lm_compare(source, destination, NULL, &comparison, NULL), "a comparison");
	length = mlx5lm_findings_length(mlx5lm_comparison_get_findings(comparison));
	mlx5lm_comparison_free(comparison);
	return length;
}

/* 1 if it costs too much. */
static int measure(const char *what, const struct mlx5lm_host *source,
		   const struct mlx5lm_host *destination, enum mlx5lm_verdict verdict,
		   size_t num_vfs, double max_us)
{
	double best = round_us(source, destination, verdict, PAIRS_PER_ROUND / num_vfs);

	for (int i = 1; i < ROUNDS; i++) {
		double us = round_us(source, destination, verdict, PAIRS_PER_ROUND / num_vfs);

		if (us < best)
			best = us;
	}
	printf("%-28s %4zu VFs %3zu findings %8.2f us", what, num_vfs,
	       count_findings(source, destination), best);
	if (max_us > 0)
		printf("  (at most %.1f)%s", max_us, best > max_us ? "  TOO MUCH" : "");
	printf("\n");
	return max_us > 0 && best > max_us;
}

int main(void)
{
	static const size_t sizes[] = { 2, 4, 16, 127 };
	int bad = 0;

	printf("one comparison, with its release, the best of %d rounds\n", ROUNDS);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct mlx5lm_host *a = fully_known_host("a", sizes[i]), *b = fully_known_host("b", sizes[i]);
		double max_us = sizes[i] <= 4 ? MAX_US : 0;

		bad |= measure("equal", a, b, MLX5LM_VERDICT_COMPATIBLE, sizes[i], max_us);
		set_text(&b->kernel_release, "6.11.4");
		for (size_t j = 0; j < sizes[i]; j++)
			b->pfs[0].vfs[j].max_io_eqs = fact_u64(16);
		bad |= measure("with warnings", a, b, MLX5LM_VERDICT_COMPATIBLE, sizes[i], max_us);
		set_text(&b->pfs[0].fw_running, "28.39.1002");
		set_text(&b->pfs[0].fw_stored, "28.39.1002");
		bad |= measure("other firmware", a, b, MLX5LM_VERDICT_INCOMPATIBLE, sizes[i],
			       max_us);
		mlx5lm_host_free(a);
		mlx5lm_host_free(b);
	}
	return bad;
}

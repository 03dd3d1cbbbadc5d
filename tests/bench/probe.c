// SPDX-License-Identifier: LGPL-2.1-or-later
/* How long does a probe of this host take, and how much memory? One line of JSON tells. */
#include <mlx5lm/mlx5lm.h>

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define MAX_RUNS 10000

static const char usage[] = "Usage: bench-probe [--runs N] [--libvirt URI]\n"
			    "Probes this host N times (default 20) after one that is not counted.\n"
			    "libvirt is asked only if it is named.\n";

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static long peak_kib(void)
{
	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
	return used.ru_maxrss;
}

static int compare(const void *left, const void *right)
{
	double difference = *(const double *)left - *(const double *)right;

	return (difference > 0) - (difference < 0);
}

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "bench-probe: %s\n", what);
	exit(1);
}

/* What a program that only wants to know is left with afterwards is released in the time. */
static double probe_ms(struct mlx5lm_ctx *ctx, const struct mlx5lm_probe_options *options,
		       size_t *num_vfs)
{
	struct mlx5lm_host *host;
	double start_ms = now_ms();

	if (mlx5lm_host_probe(ctx, options, &host, NULL) < 0)
		die("the probe failed");
	*num_vfs = 0;
	for (size_t i = 0; i < mlx5lm_host_length_pfs(host); i++)
		*num_vfs += mlx5lm_pf_length_vfs(mlx5lm_host_get_pf(host, i));
	mlx5lm_host_free(host);
	return now_ms() - start_ms;
}

static unsigned long parse_runs(const char *text)
{
	char *end;
	unsigned long runs = strtoul(text, &end, 10);

	if (*end || !runs || runs > MAX_RUNS)
		die("--runs takes 1 to 10000");
	return runs;
}

int main(int argc, char **argv)
{
	static const struct option words[] = {
		{ "runs", required_argument, NULL, 'r' },
		{ "libvirt", required_argument, NULL, 'l' },
		{ NULL, 0, NULL, 0 },
	};
	struct mlx5lm_probe_options *options;
	const char *libvirt_uri = NULL;
	long before_kib, first_kib;
	struct mlx5lm_ctx *ctx;
	unsigned long runs = 20;
	size_t num_vfs;
	double *times_ms;
	int word;

	while ((word = getopt_long(argc, argv, "", words, NULL)) != -1) {
		if (word == 'r') {
			runs = parse_runs(optarg);
		} else if (word == 'l') {
			libvirt_uri = optarg;
		} else {
			fputs(usage, stderr);
			return 3;
		}
	}
	times_ms = calloc(runs, sizeof(*times_ms));
	if (!times_ms || mlx5lm_ctx_new(&ctx) < 0 || mlx5lm_probe_options_new(&options) < 0 ||
	    mlx5lm_probe_options_set_libvirt_uri(options, libvirt_uri) < 0)
		die("out of memory");
	before_kib = peak_kib();
	probe_ms(ctx, options, &num_vfs);
	first_kib = peak_kib();
	for (unsigned long i = 0; i < runs; i++)
		times_ms[i] = probe_ms(ctx, options, &num_vfs);
	qsort(times_ms, runs, sizeof(*times_ms), compare);
	printf("{\"runs\": %lu, \"vfs\": %zu, \"min_ms\": %.2f, \"median_ms\": %.2f, "
	       "\"max_ms\": %.2f, \"memory_kib\": %ld, \"memory_growth_kib\": %ld}\n",
	       runs, num_vfs, times_ms[0], times_ms[runs / 2], times_ms[runs - 1],
	       peak_kib() - before_kib, peak_kib() - first_kib);
	free(times_ms);
	mlx5lm_probe_options_free(options);
	mlx5lm_ctx_unref(ctx);
	return 0;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What it costs to read a snapshot of 4 KiB, against what jansson alone needs for the same bytes.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/hosts.h"

/* Of what jansson needs to read and release the same text. */
#define MAX_RATIO 1.5
#define REPETITIONS 20
#define ROUNDS 500

static void must(int r, const char *what)
{
	if (r >= 0)
		return;
	fprintf(stderr, "bench-parse: %s failed\n", what);
	exit(1);
}

static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void parse_host(const char *text, size_t length)
{
	struct mlx5lm_host *host;

	must(mlx5lm_host_parse(text, length, &host, NULL), "mlx5lm_host_parse()");
	mlx5lm_host_free(host);
}

static void parse_json(const char *text, size_t length)
{
	json_t *json = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);

	must(json ? 0 : -1, "json_loadb()");
	json_decref(json);
}

/* Microseconds of processor time for one document, in the best of several rounds. */
static double measure(void (*parse)(const char *text, size_t length), const char *text,
		      size_t length)
{
	double best_us = 0;

	for (size_t i = 0; i < ROUNDS; i++) {
		double us = now_us();

		for (size_t j = 0; j < REPETITIONS; j++)
			parse(text, length);
		us = (now_us() - us) / REPETITIONS;
		if (i == 0 || us < best_us)
			best_us = us;
	}
	return best_us;
}

/* One PF with three VFs, and what was not to be learned of it. */
static struct mlx5lm_text *make_snapshot(void)
{
	struct mlx5lm_host *host = ready_host("node-1.example.net", 3);
	struct mlx5lm_text *text;

	must(host_add_note(host, "0000:08:00.0", "nv nv_source nv_pending",
			   "NV configuration is not known: no tool was allowed to ask for it"),
	     "host_add_note()");
	must(mlx5lm_host_serialize(host, &text), "mlx5lm_host_serialize()");
	mlx5lm_host_free(host);
	return text;
}

int main(void)
{
	struct mlx5lm_text *text = make_snapshot();
	size_t length = mlx5lm_text_length(text);
	double json_us = measure(parse_json, mlx5lm_text_get_str(text), length);
	double host_us = measure(parse_host, mlx5lm_text_get_str(text), length);
	double ratio = host_us / json_us;

	printf("snapshot of %zu bytes: %.1f us; jansson alone: %.1f us; ratio %.2f (at most %.1f)\n",
	       length, host_us, json_us, ratio, MAX_RATIO);
	mlx5lm_text_free(text);
	if (ratio > MAX_RATIO) {
		fprintf(stderr, "bench-parse: reading a snapshot is too slow\n");
		return 1;
	}
	return 0;
}

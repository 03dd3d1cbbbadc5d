// SPDX-License-Identifier: MIT-0
/* Many hosts: among which of them VFs can move, and where the VMs of one of them can go. */
#include <stdio.h>
#include <stdlib.h>

#include "common.h"
#include "compare.h"
#include "snapshots.h"

/* 0, or negative if the host cannot be one of the fleet. */
static int add_host(struct mlx5lm_fleet *fleet, const char *json, size_t length,
		    struct mlx5lm_error **reterr)
{
	struct mlx5lm_host *host;
	int r = mlx5lm_host_parse_with_limit(json, length, MAX_SNAPSHOT_BYTES, &host, reterr);

	if (r < 0)
		return r;
	r = mlx5lm_fleet_add(fleet, host, NULL, reterr);
	mlx5lm_host_free(host);
	return r;
}

/* Adds the hosts of a file; how many could not be added. One that is bad does not spoil the rest. */
static size_t add_file(struct mlx5lm_fleet *fleet, const char *path)
{
	struct mlx5lm_error *error;
	struct snapshots snapshots;
	const char *json;
	char label[512];
	size_t length, left_out = 0;

	snapshots_open(&snapshots, path);
	while ((json = snapshots_next(&snapshots, &length))) {
		error = NULL;
		if (add_host(fleet, json, length, &error) == 0)
			continue;
		snprintf(label, sizeof(label), "left out: %s: snapshot %zu", snapshots.path,
			 snapshots.number);
		show_error(label, error);
		mlx5lm_error_free(error);
		left_out++;
	}
	snapshots_close(&snapshots);
	return left_out;
}

/* Whether VFs can move among all hosts: YES if each of them is in every class. */
static enum mlx5lm_answer is_one(const struct mlx5lm_fleet *fleet)
{
	size_t num_hosts = mlx5lm_fleet_length_hosts(fleet);
	size_t num_known = 0, num_partial = 0, num_classes = mlx5lm_fleet_length_classes(fleet);

	for (size_t i = 0; i < num_classes; i++) {
		const struct mlx5lm_class *cls = mlx5lm_fleet_get_class(fleet, i);
		uint64_t known = MLX5LM_ANSWER_UNKNOWN;

		mlx5lm_class_get_u64(cls, MLX5LM_CLASS_KNOWN, &known);
		if (known != MLX5LM_ANSWER_YES)
			continue;
		num_known++;
		num_partial += mlx5lm_class_length_hosts(cls) < num_hosts;
	}
	if (num_known == num_classes)
		return num_classes && !num_partial ? MLX5LM_ANSWER_YES : MLX5LM_ANSWER_NO;
	return num_known > 1 && num_partial ? MLX5LM_ANSWER_NO : MLX5LM_ANSWER_UNKNOWN;
}

static int report_fleet(const struct mlx5lm_fleet *fleet, size_t left_out,
			enum mlx5lm_format format)
{
	struct mlx5lm_text *text = NULL;

	mlx5lm_fleet_serialize(fleet, format, &text);
	print_text(text);
	switch (is_one(fleet)) {
	case MLX5LM_ANSWER_NO:
		return EXIT_NOT_READY;
	case MLX5LM_ANSWER_YES:
		return left_out ? EXIT_UNKNOWN : EXIT_READY;
	default:
		return EXIT_UNKNOWN;
	}
}

static int evacuate(const struct job *job, const struct mlx5lm_fleet *fleet,
		    enum mlx5lm_format format)
{
	struct mlx5lm_evacuation *evacuation;
	struct mlx5lm_error *error = NULL;
	struct mlx5lm_text *text = NULL;
	uint64_t num_left = 1;

	if (mlx5lm_evacuation_new(fleet, job->evacuate, job->bounds, &evacuation, &error) < 0)
		die(error);
	mlx5lm_evacuation_serialize(evacuation, format, &text);
	print_text(text);
	mlx5lm_evacuation_get_u64(evacuation, MLX5LM_EVACUATION_NUM_LEFT, &num_left);
	mlx5lm_evacuation_free(evacuation);
	return num_left ? EXIT_NOT_READY : EXIT_READY;
}

int compare_many(const struct job *job)
{
	enum mlx5lm_format format = job->json ? MLX5LM_FORMAT_JSON : MLX5LM_FORMAT_TEXT;
	struct mlx5lm_fleet *fleet;
	size_t left_out = 0;
	int status;

	if (mlx5lm_fleet_new(&fleet) < 0) {
		fprintf(stderr, "error: out of memory\n");
		return EXIT_NOT_READY;
	}
	for (int i = 0; i < job->num_files; i++)
		left_out += add_file(fleet, job->files[i]);
	status = job->evacuate ? evacuate(job, fleet, format)
			       : report_fleet(fleet, left_out, format);
	mlx5lm_fleet_free(fleet);
	return status;
}

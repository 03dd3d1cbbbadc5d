// SPDX-License-Identifier: MIT-0
/* Can the VFs of one host move to another? */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "common.h"

static const char usage[] =
	"Usage: mlx5lm-compare [--json] SOURCE.json DESTINATION.json\n"
	"Compares two hosts by the snapshots that mlx5lm-probe --json wrote on them.\n\n"
	"  --json           print the comparison as JSON\n"
	"  --help, --version\n\n"
	"Exit status: 0 compatible, 1 incompatible, 2 unknown, 3 usage.\n";

static void print_comparison(const struct mlx5lm_comparison *comparison)
{
	const char *source, *destination;

	print_findings(mlx5lm_comparison_get_findings(comparison), 1);
	for (size_t i = 0; i < mlx5lm_comparison_length_pairs(comparison); i++) {
		mlx5lm_comparison_get_pair(comparison, i, &source, &destination);
		printf("  VF %s can go to VF %s\n", source, destination);
	}
	printf("%s\n", mlx5lm_verdict_str(mlx5lm_comparison_get_verdict(comparison)));
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

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ NULL, 0, NULL, 0 },
	};
	struct mlx5lm_comparison *comparison;
	struct mlx5lm_host *source, *destination;
	struct mlx5lm_error *error = NULL;
	struct mlx5lm_text *text = NULL;
	int option, json = 0, status;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'j':
			json = 1;
			break;
		case 'h':
			fputs(usage, stdout);
			return EXIT_READY;
		case 'v':
			printf("mlx5lm-compare %s\n", mlx5lm_version_str());
			return EXIT_READY;
		default:
			fputs(usage, stderr);
			return EXIT_USAGE;
		}
	}
	if (argc - optind != 2) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	source = read_host(argv[optind]);
	destination = read_host(argv[optind + 1]);
	if (mlx5lm_compare(source, destination, &comparison, &error) < 0)
		die(error);
	if (json) {
		mlx5lm_comparison_serialize(comparison, &text);
		print_text(text);
	} else {
		print_comparison(comparison);
	}
	status = exit_status(mlx5lm_comparison_get_verdict(comparison));
	mlx5lm_comparison_free(comparison);
	mlx5lm_host_free(source);
	mlx5lm_host_free(destination);
	return status;
}

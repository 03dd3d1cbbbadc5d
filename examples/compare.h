/* SPDX-License-Identifier: MIT-0 */
#ifndef COMPARE_H
#define COMPARE_H

#include <mlx5lm/mlx5lm.h>

/* What the command line asks for. */
struct job {
	struct mlx5lm_compare_options *options;	  /* of a comparison of two */
	struct mlx5lm_evacuation_options *bounds; /* of an evacuation */
	const char *domain;   /* name of a file, or with connect of a domain; NULL: none */
	const char *connect;  /* libvirt URI of the source; NULL: none */
	const char *to;	      /* libvirt URI of the destination; NULL: none */
	const char *evacuate; /* name of the host to be emptied; NULL: none */
	int json;
	char **files;
	int num_files;
};

/* Compares two hosts, for one domain if there is one. The exit status. */
int compare_two(const struct job *job);

/* Looks at many hosts, or plans to empty one of them. The exit status. */
int compare_many(const struct job *job);

#endif

/* SPDX-License-Identifier: MIT-0 */
#ifndef REPORT_H
#define REPORT_H

#include <mlx5lm/mlx5lm.h>

/* How much of it to print. */
struct report_options {
	int all;     /* what is as required, too, and each VF by itself */
	int explain; /* the evidence under each finding */
};

/* Prints for people what was found on a host: the verdict, the host, what is to do, notes. */
void report_print(const struct mlx5lm_host *host, const struct mlx5lm_findings *findings,
		  const char *profile, const struct report_options *options);

#endif

/* SPDX-License-Identifier: MIT-0 */
#ifndef JOB_H
#define JOB_H

#include <mlx5lm/mlx5lm.h>
#include <stdbool.h>

#include "remote.h"
#include "view.h"

/* What the command line of mlx5lm-migrate asks for. */
struct job {
	struct mlx5lm_session_options *options;
	const char *domain;
	const char *from;
	const char *to; /* NULL: libvirt of the target */
	const char *source_file, *destination_file;
	const char *journal; /* NULL: none */
	const char *report;
	const char *agent; /* command at the target */
	const char *target_uri; /* ssh://...; NULL: none */
	struct target target;
	bool attach, direct;
	struct view view;
};

/* Negative to go on, else the exit status. */
int job_parse(struct job *job, int argc, char **argv);
void job_release(struct job *job);

#endif

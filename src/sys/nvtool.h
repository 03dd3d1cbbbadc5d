/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_NVTOOL_H
#define SYS_NVTOOL_H

#include <stddef.h>
#include <stdint.h>

#include "sys/root.h"

/*
 * Runs mstconfig or mlxconfig: by its path, without a shell, with a fixed environment and
 * nothing on its standard input. It gets a process group of its own, in which nothing is left
 * when it has ended. The application sees neither SIGCHLD nor the tool in its wait().
 */

/* Of each stream. More is a failure: a query of all parameters prints about 40 KiB. */
#define NVTOOL_MAX_BYTES (256 * 1024)

/* Where a tool may write a file of its own, which is read back. */
#define NVTOOL_FILE "/proc/self/fd/3"

struct nvtool_result {
	int exit_code; /* 128 + number if a signal ended it */
	const char *output;
	size_t output_length;
	const char *errors;
	size_t errors_length;
	const char *file;
	size_t file_length;
	char *buffer; /* where all three are */
};

/* Looks below the root where such tools are installed. 0, -ENOENT or -ENOMEM. */
int nvtool_find(const struct root *root, const char *name, char **ret_path);

/*
 * arguments ends with NULL and begins with the tool's name. Returns 0 if the tool ended,
 * -ETIMEDOUT if it had to be ended at until_ms of base/clock.h, -EFBIG if it wrote too much,
 * another -errno if it did not begin.
 */
int nvtool_run(const char *path, const char *const *arguments, uint64_t until_ms,
	       struct nvtool_result *ret);
void nvtool_result_release(struct nvtool_result *result);

#define _cleanup_nvtool_result_ _cleanup_(nvtool_result_release)

#endif

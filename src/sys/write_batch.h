/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_WRITE_BATCH_H
#define SYS_WRITE_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Writes small files of sysfs, several at once and each with a deadline: the kernel probes a
 * driver within such a write, or waits in there for a device that a virtual machine holds. The
 * writes are done by children (see child.h) that are started as they are needed, and stay for
 * the next batch.
 */
#define WRITE_LANES 16

struct write_lane {
	pid_t pid;
	int fd; /* to and from the child; -1: there is none */
	bool busy;
	size_t id; /* of the write it is at */
	int64_t deadline_ms;
};

struct write_lanes {
	int root_fd; /* borrowed */
	struct write_lane lanes[WRITE_LANES];
	uint64_t num_writes; /* so far */
};

/* One write() of text to the file at path below the root. */
struct file_write {
	size_t id; /* the caller's */
	const char *path;
	const char *text;
	unsigned int timeout_ms;
};

struct write_batch {
	/*
	 * Gives the next write; false if there is none (any more), and it is not asked again.
	 * path and text are looked at before it is.
	 */
	bool (*next)(void *data, struct file_write *ret);
	/*
	 * 0 or -errno; -ETIMEDOUT means that the write still waits and may yet take effect.
	 * missing: there is no such file, so nothing was written.
	 */
	void (*ended)(void *data, size_t id, int result, bool missing);
	void *data;
	size_t max_lanes; /* how many at once */
};

void write_lanes_init(struct write_lanes *lanes, int root_fd);
void write_lanes_run(struct write_lanes *lanes, const struct write_batch *batch);
void write_lanes_release(struct write_lanes *lanes);

/* A single one. */
int write_lanes_write(struct write_lanes *lanes, const char *path, const char *text,
		      unsigned int timeout_ms);

#endif

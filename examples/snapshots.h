/* SPDX-License-Identifier: MIT-0 */
#ifndef SNAPSHOTS_H
#define SNAPSHOTS_H

#include <stddef.h>
#include <stdio.h>

/* A file of JSON documents, one behind the other, of which one at a time is in memory. */
struct snapshots {
	FILE *file;
	const char *path; /* for messages */
	size_t number;	  /* of the document that was read last, 1 and up */
	size_t begin;	  /* of what is in the buffer and not handed out yet */
	size_t end;
	char *buffer;
};

/* Opens a file, "-" for standard input; exits if that is not possible. */
void snapshots_open(struct snapshots *snapshots, const char *path);

/*
 * The next document, NULL at the end; it stays until the next call. Exits if what is there is no
 * JSON object, or one that is not complete or too large.
 */
const char *snapshots_next(struct snapshots *snapshots, size_t *ret_length);

void snapshots_close(struct snapshots *snapshots);

#endif

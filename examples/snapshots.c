// SPDX-License-Identifier: MIT-0
/*
 * Takes a stream of JSON objects apart. Only where each one ends is found out here, by its braces;
 * whether it is good JSON is for mlx5lm_host_parse() to say.
 */
#include "snapshots.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"

#define READ_SIZE ((size_t)64 << 10)

static _Noreturn void stop(const struct snapshots *snapshots, const char *what)
{
	fprintf(stderr, "error: %s: snapshot %zu: %s\n", snapshots->path, snapshots->number, what);
	exit(EXIT_NOT_READY);
}

void snapshots_open(struct snapshots *snapshots, const char *path)
{
	int is_stdin = strcmp(path, "-") == 0;

	*snapshots = (struct snapshots){
		.file = is_stdin ? stdin : fopen(path, "re"),
		.path = is_stdin ? "standard input" : path,
	};
	if (!snapshots->file) {
		fprintf(stderr, "error: %s: %s\n", path, strerror(errno));
		exit(EXIT_NOT_READY);
	}
	snapshots->buffer = malloc(MAX_SNAPSHOT_BYTES);
	if (!snapshots->buffer) {
		fprintf(stderr, "error: out of memory\n");
		exit(EXIT_NOT_READY);
	}
}

void snapshots_close(struct snapshots *snapshots)
{
	if (snapshots->file != stdin)
		fclose(snapshots->file);
	free(snapshots->buffer);
}

/* Reads more behind what is there. 0 at the end of the file. */
static size_t read_more(struct snapshots *snapshots)
{
	size_t length, room;

	/* what has been handed out makes room for what is to come */
	if (snapshots->begin) {
		snapshots->end -= snapshots->begin;
		memmove(snapshots->buffer, snapshots->buffer + snapshots->begin, snapshots->end);
		snapshots->begin = 0;
	}
	room = MAX_SNAPSHOT_BYTES - snapshots->end;
	if (!room)
		stop(snapshots, "larger than 4 MiB");
	length = fread(snapshots->buffer + snapshots->end, 1, room < READ_SIZE ? room : READ_SIZE,
		       snapshots->file);
	if (ferror(snapshots->file))
		stop(snapshots, strerror(errno));
	snapshots->end += length;
	return length;
}

static int is_space(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* Goes to the first byte of the next document. 0 if there is none. */
static int skip_space(struct snapshots *snapshots)
{
	do {
		while (snapshots->begin < snapshots->end &&
		       is_space(snapshots->buffer[snapshots->begin]))
			snapshots->begin++;
		if (snapshots->begin < snapshots->end)
			return 1;
	} while (read_more(snapshots));
	return 0;
}

/* Where in the text of a document it is. */
struct place {
	size_t depth; /* of braces */
	int in_string;
	int escaped;
};

/* Takes one byte; 1 if it is the last one of the document. */
static int take(struct place *place, char byte)
{
	if (place->escaped)
		place->escaped = 0;
	else if (byte == '\\')
		place->escaped = place->in_string;
	else if (byte == '"')
		place->in_string = !place->in_string;
	else if (!place->in_string && byte == '{')
		place->depth++;
	else if (!place->in_string && byte == '}')
		return --place->depth == 0;
	return 0;
}

const char *snapshots_next(struct snapshots *snapshots, size_t *ret_length)
{
	struct place place = { 0 };
	const char *document;
	size_t length = 0;

	snapshots->number++;
	if (!skip_space(snapshots))
		return NULL;
	if (snapshots->buffer[snapshots->begin] != '{')
		stop(snapshots, "does not begin with '{'");
	do {
		if (snapshots->begin + length == snapshots->end && !read_more(snapshots))
			stop(snapshots, "its end is missing");
	} while (!take(&place, snapshots->buffer[snapshots->begin + length++]));
	document = snapshots->buffer + snapshots->begin;
	snapshots->begin += length;
	*ret_length = length;
	return document;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * A target is one file with one function: it hands untrusted bytes to a parser, and holds what
 * the parser makes of them to what the parser promises. libfuzzer.c calls it with what libFuzzer
 * thinks up, replay.c with the files of a corpus.
 */

enum fuzz_result {
	FUZZ_REFUSED,
	FUZZ_ACCEPTED,
};

/* data is exactly size bytes long: a byte further is a fault that the sanitizer sees. */
enum fuzz_result fuzz_one(const uint8_t *data, size_t size);

/* A promise that is broken ends the process, as a fault of memory would. */
#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #condition);    \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* The bytes as a string; what stands behind a NUL is not seen. */
static inline char *fuzz_string(const uint8_t *data, size_t size)
{
	char *string = malloc(size + 1);

	MUST(string);
	if (size)
		memcpy(string, data, size);
	string[size] = '\0';
	return string;
}

/* Do these characters stand in the input, one behind the other? */
static inline bool fuzz_has(const uint8_t *data, size_t size, const char *text)
{
	return memmem(data, size, text, strlen(text)) != NULL;
}

#endif

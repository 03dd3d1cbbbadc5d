// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Runs one target over the files of its corpus, without libFuzzer: what a fuzzer once found stays
 * found. A file whose name begins with "good-" must be accepted, one with "bad-" refused; any
 * other only must not break a promise.
 */
#include <dirent.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"

#define MAX_FILE_BYTES (1u << 20)
#define MAX_SECONDS 20
#define EXIT_OTHERWISE 3

static uint8_t *read_file(const char *path, size_t *ret_size)
{
	FILE *file = fopen(path, "rbe");
	uint8_t *data, *exact;

	MUST(file);
	data = malloc(MAX_FILE_BYTES);
	MUST(data);
	*ret_size = fread(data, 1, MAX_FILE_BYTES, file);
	MUST(feof(file) && !ferror(file));
	fclose(file);
	exact = malloc(*ret_size ? *ret_size : 1);
	MUST(exact);
	memcpy(exact, data, *ret_size);
	free(data);
	return exact;
}

static int judge(const char *name, enum fuzz_result result)
{
	if (strncmp(name, "good-", 5) == 0 && result != FUZZ_ACCEPTED)
		fprintf(stderr, "%s was refused\n", name);
	else if (strncmp(name, "bad-", 4) == 0 && result != FUZZ_REFUSED)
		fprintf(stderr, "%s was accepted\n", name);
	else
		return EXIT_SUCCESS;
	return EXIT_OTHERWISE;
}

/* In a process of its own, so that every file has its turn and a fault names its file. */
static bool replay(const char *folder, const char *name)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	MUST(pid >= 0);
	if (pid == 0) {
		char path[4096];
		uint8_t *data;
		size_t size;
		int r;

		MUST((size_t)snprintf(path, sizeof(path), "%s/%s", folder, name) < sizeof(path));
		alarm(MAX_SECONDS);
		data = read_file(path, &size);
		r = judge(name, fuzz_one(data, size));
		free(data);
		/* Not _exit(): a sanitizer reports, and changes the status, on the way out. */
		exit(r);
	}
	MUST(waitpid(pid, &status, 0) == pid);
	if (status)
		fprintf(stderr, "FAIL: %s/%s: status %#x\n", folder, name, (unsigned int)status);
	return status == 0;
}

static int no_dots(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
	struct dirent **entries;
	int failed = 0, length;

	if (argc != 2) {
		fprintf(stderr, "usage: %s CORPUS\n", argv[0]);
		return EXIT_FAILURE;
	}
	length = scandir(argv[1], &entries, no_dots, alphasort);
	for (int i = 0; i < length; i++) {
		failed += !replay(argv[1], entries[i]->d_name);
		free(entries[i]);
	}
	if (length >= 0)
		free(entries);
	printf("%d files, %d failed\n", length, failed);
	return length > 0 && failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* SPDX-License-Identifier: MIT-0 */
#ifndef COMMON_H
#define COMMON_H

#include <mlx5lm/mlx5lm.h>
#include <stdio.h>

/* Exit statuses of all four programs. */
enum {
	EXIT_READY = 0,	    /* ready, compatible, done */
	EXIT_NOT_READY = 1, /* not ready, incompatible, failed */
	EXIT_UNKNOWN = 2,   /* could not be found out */
	EXIT_USAGE = 3,
};

/* Room for thousands of VFs; mlx5lm_host_parse() alone would take 256 KiB. */
#define MAX_SNAPSHOT_BYTES ((size_t)4 << 20)

/* Reads a file of less than size bytes and returns its length; exits if that is not possible. */
size_t read_file(const char *path, char *text, size_t size);

/* Reads the snapshot of a host from a file that mlx5lm-probe --json has written; exits if not. */
struct mlx5lm_host *read_host(const char *path);

/* Probes this host; exits if not possible. */
struct mlx5lm_host *probe_host(struct mlx5lm_ctx *ctx, const char *libvirt_uri);

/* A context that prints the library's warnings; exits if there is none. */
struct mlx5lm_ctx *new_ctx(void);

/* Prints "label: error" on stderr, with the kernel's words and what to do. */
void show_error(const char *label, const struct mlx5lm_error *error);

/* Prints an error on stderr and releases it. */
void print_error(struct mlx5lm_error *error);

/* Prints an error and exits with EXIT_NOT_READY. */
_Noreturn void die(struct mlx5lm_error *error);

/* Prints a text as lines, NULL if there was no memory for it, and releases it. */
void print_text(struct mlx5lm_text *text);
void print_text_to(FILE *file, struct mlx5lm_text *text);

/* "left=right" taken apart in place; exits with EXIT_USAGE if there is no '='. */
char *split_at_equals(char *argument);

/* A whole number; exits with EXIT_USAGE if it is none or too large. */
unsigned long parse_number(const char *text, unsigned long max);

#endif

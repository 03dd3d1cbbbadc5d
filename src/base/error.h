/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <mlx5lm/error.h>

#include "base/cleanup.h"
#include "base/str.h"

struct mlx5lm_error {
	enum mlx5lm_error_code code;
	enum mlx5lm_error_source source;
	int errnum; /* positive */
	int native; /* number that the source itself has for it, such as libvirt's code; 0: none */
	int native_domain; /* in which part of it, such as libvirt's RPC; 0: none */
	char *message;
	char *detail;
	char *remedy;
};

DEFINE_CLEANUP(struct mlx5lm_error *, mlx5lm_error_free)
#define _cleanup_error_ _cleanup_(mlx5lm_error_free_p)

/*
 * Puts a new error where reterr points and returns -errnum, so that a failing function ends
 * with "return error_set(...)". reterr may be NULL. What *reterr held before is not released:
 * by the rule of design 4 it is set once, on the way out.
 */
int error_set(struct mlx5lm_error **reterr, enum mlx5lm_error_code code, int errnum,
	      enum mlx5lm_error_source source, const char *format, ...) _printf_(5, 6);

/* Completes an error that error_set() made; nothing happens if there is none. */
void error_add_detail(struct mlx5lm_error **reterr, const char *format, ...) _printf_(2, 3);
void error_add_remedy(struct mlx5lm_error **reterr, const char *format, ...) _printf_(2, 3);

/* Adds a line to the detail. */
void error_append_detail(struct mlx5lm_error **reterr, const char *format, ...) _printf_(2, 3);

/* Goes on with the message. */
void error_append_message(struct mlx5lm_error **reterr, const char *format, ...) _printf_(2, 3);

/* Makes it an error of another kind. */
void error_set_code(struct mlx5lm_error **reterr, enum mlx5lm_error_code code);
void error_set_errno(struct mlx5lm_error **reterr, int errnum);

/* What the source itself calls it; nothing happens if there is no error. */
void error_set_native(struct mlx5lm_error **reterr, int native, int native_domain);

/* Puts words of our own before the message: "step 3: " and the like. */
void error_add_prefix(struct mlx5lm_error **reterr, const char *format, ...) _printf_(2, 3);

/* Hands an inner error on, unless the caller does not want it. Returns -errno of it. */
int error_pass(struct mlx5lm_error **reterr, struct mlx5lm_error *error);

/* A copy of error, or the out-of-memory error. */
struct mlx5lm_error *error_copy(const struct mlx5lm_error *error);

int error_no_memory(struct mlx5lm_error **reterr);
int error_invalid(struct mlx5lm_error **reterr, const char *format, ...) _printf_(2, 3);

enum mlx5lm_error_code error_code_from_errno(int errnum);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_FINDINGS_H
#define CORE_FINDINGS_H

#include <jansson.h>
#include <mlx5lm/check.h>

#include "base/cleanup.h"
#include "base/str.h"

#define FINDING_NUM_TEXTS (MLX5LM_FINDING_SIDE + 1)

struct mlx5lm_finding {
	enum mlx5lm_status status;
	const char *text[FINDING_NUM_TEXTS]; /* by enum mlx5lm_finding_key */
	char *explain; /* the text of that key, which grows */
	size_t explain_length;
	size_t explain_allocated;
};

/* Where the texts of findings are; they go all at once, with the list. */
struct findings_chunk {
	struct findings_chunk *next;
	size_t used;
	size_t size;
	char text[];
};

/* error sticks, so that rules need not check each call: look at it once, at the end. */
struct mlx5lm_findings {
	struct mlx5lm_finding *items;
	size_t length;
	size_t allocated;
	struct findings_chunk *chunks; /* the first is the one in use */
	int error;
};

/*
 * A new finding to fill with finding_set(); NULL when out of memory, which finding_set() takes.
 * id is a static text, object is copied. The next one added may move it.
 */
struct mlx5lm_finding *findings_add(struct mlx5lm_findings *findings, enum mlx5lm_status status,
				    const char *id, const char *object);

/* Makes room for so many more. 0 or -ENOMEM. */
int findings_reserve(struct mlx5lm_findings *findings, size_t number);

/*
 * A text of a finding of findings; "" and a NULL format leave it out. It is one line: control
 * characters, which only a broken or hostile snapshot has, become '?'.
 */
void finding_set(struct mlx5lm_findings *findings, struct mlx5lm_finding *finding,
		 enum mlx5lm_finding_key key, const char *format, ...) _printf_(4, 5);

/* The same of a text that is copied as it is. */
void finding_copy(struct mlx5lm_findings *findings, struct mlx5lm_finding *finding,
		  enum mlx5lm_finding_key key, const char *text);

/* The same of what a host has of a point: "unknown" for NULL, "empty" for "". */
void finding_copy_value(struct mlx5lm_findings *findings, struct mlx5lm_finding *finding,
			enum mlx5lm_finding_key key, const char *text);

/* The same of a text that outlives the findings; it is one line. */
void finding_point(struct mlx5lm_finding *finding, enum mlx5lm_finding_key key, const char *text);

/* Adds a line to the evidence. */
void finding_explain(struct mlx5lm_findings *findings, struct mlx5lm_finding *finding,
		     const char *format, ...) _printf_(3, 4);

/* Puts all of from behind what is in to, and empties from. 0 or -ENOMEM. */
int findings_move(struct mlx5lm_findings *to, struct mlx5lm_findings *from);

enum mlx5lm_status findings_status(const struct mlx5lm_findings *findings);
size_t findings_count(const struct mlx5lm_findings *findings, enum mlx5lm_status status);
json_t *findings_to_json(const struct mlx5lm_findings *findings);
void findings_release(struct mlx5lm_findings *findings);

DEFINE_CLEANUP(struct mlx5lm_findings *, mlx5lm_findings_free)
#define _cleanup_findings_ _cleanup_(mlx5lm_findings_free_p)

extern const char *const status_names[];

#endif

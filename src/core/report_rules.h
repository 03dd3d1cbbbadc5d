/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_REPORT_RULES_H
#define CORE_REPORT_RULES_H

#include "facts.h"

/* How the objects of a snapshot are nested; what one consists of its table tells. */
struct report_list;

struct report_object {
	const struct fact_table *table;
	const struct report_list *lists;
	size_t num_lists;
};

struct report_list {
	const struct fact_list *list;
	const struct report_object *item;
	size_t max_length;
	bool named; /* the first fact of an item is its name: always there, and only once */
};

extern const struct report_object report_host;
extern const struct report_object report_pf;

/* A part of a document; the outermost one has no outer and no name. */
struct place {
	const struct place *outer;
	const char *name; /* NULL: entry index of a list */
	size_t index;
};

/* Refuses a document because of the value name (NULL: all) of a place. -EBADMSG or -ENOMEM. */
int report_refuse(struct mlx5lm_error **reterr, const struct place *place, const char *name,
		  const char *format, ...) _printf_(4, 5);

/*
 * What the facts of a host that was just read must be like together: names and addresses are
 * there and unique. Puts PFs and VFs in order. 0, -ENOMEM or -EBADMSG.
 */
int report_complete(struct mlx5lm_host *host, struct mlx5lm_error **reterr);

/* Where an object keeps the keys that its table does not have. */
char **report_extra(const struct report_object *rule, const void *object);

#endif

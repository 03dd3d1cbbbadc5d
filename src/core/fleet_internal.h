/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_FLEET_INTERNAL_H
#define CORE_FLEET_INTERNAL_H

#include "base/error.h"
#include "core/findings.h"
#include "core/fleet.h"

/*
 * Names and values come from snapshots that anybody may have made. They are looked up in
 * balanced trees (tsearch(3)): no choice of names makes these slow, unlike a hash table whose
 * hash is known. doc/fleet.md has the figures.
 */

/* A host, in one block of memory with all that it points to. */
struct fleet_entry {
	struct fleet_host host;
	uint32_t index;
};

/* A class, in one block with its key. */
struct fleet_class {
	const char *key; /* what a host has of each rule: '=', text, NUL, or '?', NUL */
	size_t key_size;
	uint32_t index; /* order of appearance */
	uint32_t num_hosts;
	uint32_t last_host; /* 1 and up: the one that was counted last */
	bool known;
	/* By rule; NULL: not known. Equal texts of all classes are one pointer. */
	const char *values[];
};

/* The view of a class, by its place in the order of size. */
struct mlx5lm_class {
	const struct mlx5lm_fleet *fleet;
	const struct fleet_class *cls;
	const uint32_t *hosts; /* indices, in the order of names */
	size_t num_hosts;
	size_t nearest; /* place of a class; SIZE_MAX: none */
};

/* All that has an order: made when somebody first asks after a host was added. */
struct fleet_view {
	uint32_t *hosts;	      /* all, in the order of names */
	uint32_t *members;	      /* class by class */
	struct mlx5lm_class *classes; /* the largest first */
	size_t num_classes;
};

struct fleet_cache {
	struct fleet_view *_Atomic view; /* NULL: not made yet */
};

struct mlx5lm_fleet {
	struct fleet_entry **hosts;
	size_t num_hosts;
	size_t allocated_hosts;
	void *names; /* tree of struct fleet_entry */
	struct fleet_class **classes;
	size_t num_classes;
	size_t allocated_classes;
	void *keys;   /* tree of struct fleet_class */
	void *values; /* tree of texts */
	const struct compare_rule **rules; /* those that make classes */
	size_t num_rules;
	char *key; /* room to make a key in */
	size_t allocated_key;
	struct fleet_cache *cache;
};

/* In fleet_class.c. The class of a PF, which is new if there is none yet. 0 or -ENOMEM. */
int fleet_classify(struct mlx5lm_fleet *fleet, const struct mlx5lm_host *host,
		   const struct mlx5lm_pf *pf, uint32_t *ret);
/* Forgets the classes from the first-th on. */
void fleet_drop_classes(struct mlx5lm_fleet *fleet, size_t first);

/* In fleet_view.c. 0 or -ENOMEM; several threads may ask at once. */
int fleet_get_view(const struct mlx5lm_fleet *fleet, const struct fleet_view **ret);
void fleet_view_free(struct fleet_view *view);

/* Why a class is worth a look. */
enum fleet_odd {
	ODD_NOT,
	ODD_UNKNOWN, /* nobody knows where its VFs can go */
	ODD_SMALLER, /* it could join a class that is as large or larger */
	ODD_ALONE,   /* one host, whose VFs can go nowhere */
};

enum fleet_advice {
	ADVICE_NONE,  /* nothing that can be changed joins them */
	ADVICE_THIS,  /* the hosts of the class itself should change */
	ADVICE_OTHER, /* those of the nearest class */
};

/* A class and its nearest one: what would join them, each way. */
struct fleet_nearest {
	const struct mlx5lm_class *other; /* NULL: there is none */
	enum fleet_odd odd;
	enum fleet_advice advice;
	bool both_can;	   /* either side could change */
	bool is_downgrade; /* the advice takes older firmware */
	struct mlx5lm_findings this_changes;
	struct mlx5lm_findings other_changes;
};

/* In fleet_join.c. 0 or -ENOMEM. */
int fleet_find_nearest(const struct fleet_view *view, size_t index, struct fleet_nearest *ret);
void fleet_nearest_release(struct fleet_nearest *nearest);
#define _cleanup_fleet_nearest_ _cleanup_(fleet_nearest_release)

#endif

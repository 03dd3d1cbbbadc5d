/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_PAIRING_INTERNAL_H
#define CORE_PAIRING_INTERNAL_H

#include "core/pairing.h"

/* What the files of the pairing share. */

/* A VF of the destination. */
struct column {
	const struct mlx5lm_vf *vf;
	const struct mlx5lm_pf *pf;
	uint32_t d;	  /* index of its PF */
	enum vf_objection objection;
	bool usable;	/* free, and ready or to be made ready as far as the caller allows */
	bool excluded;	/* by the caller: itself, or its PF */
	bool wanted;	/* by the caller for a certain VF, which need not get it */
	bool taken;
};

/* A VF of the source. */
struct row {
	const char *bdf; /* borrowed */
	const struct mlx5lm_vf *vf;
	const struct mlx5lm_pf *pf;
	uint32_t s; /* index of its PF among those that have VFs to place */
	const struct vf_mapping *wanted;
	const struct column *column; /* that takes it over */
	enum unpaired_reason reason;
	const struct column *refused; /* the wanted one */
	bool undecided;		      /* there may be one for it, if it is fit */
};

struct pairer {
	const struct mlx5lm_host *source;
	const struct mlx5lm_host *destination;
	const struct domain_xml *domain;
	const struct pairing_wishes *wishes;
	void *room; /* for all lists: a comparison of two hosts has no time for many */
	struct row *rows;
	size_t num_rows;
	struct column *columns;
	size_t num_columns;
	const struct mlx5lm_pf **pfs; /* of the source that have VFs to place */
	size_t num_pfs;
	size_t *first_column; /* of each PF of the destination, and the end */
	uint32_t *placed;     /* [s * destination->num_pfs + d]: VFs of one that went to the other */
	uint32_t *placed_all; /* [d]: VFs that went there */
	bool *matches;	      /* [s * destination->num_pfs + d]: the PFs */
	struct pairing *ret;
};

struct column *pairing_find_column(const struct pairer *pairer, const char *bdf);

/* Gives rows their columns. 0 or -ENOMEM. */
int pairing_place(struct pairer *pairer);

bool pairing_nodes_equal(const struct mlx5lm_pf *source, const struct mlx5lm_pf *destination);
bool pairing_matches(const struct pairer *pairer, const struct row *row, size_t d);
/* Nothing that the caller wants forbids it. */
bool pairing_permits(const struct pairer *pairer, const struct row *row,
		     const struct column *column);

/* Adds a row without column to ret->unpaired, in words. 0 or -ENOMEM. */
int pairing_explain(const struct pairer *pairer, const struct row *row);

#endif

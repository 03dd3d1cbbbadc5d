/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_PAIRING_FLOW_H
#define CORE_PAIRING_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

/*
 * How many VFs of each PF of the source go to which bin of VFs of the destination, as a flow: as
 * many as possible, and of these as many to even bins as possible. VFs of one PF are alike here,
 * and so are those of one bin; which goes where is decided one after the other with flow_take(),
 * and whatever is decided, the numbers stay the largest.
 */
struct flow {
	size_t num_pfs;
	size_t num_bins;
	bool *allowed;	    /* [pf * num_bins + bin] */
	uint32_t *units;    /* [pf * num_bins + bin]: how many go there */
	uint32_t *waiting;  /* [pf]: have no place */
	uint32_t *placed;   /* [pf] */
	uint32_t *spare;    /* [bin]: places that nobody has */
	uint32_t *used;	    /* [bin] */
	uint32_t *next;	    /* of each node: the way that a search has found */
	uint32_t *queue;
	uint32_t *capacity; /* of a fill's way, at each node */
};

/* All numbers are 0 at first: the caller fills in allowed, waiting and spare. 0 or -ENOMEM. */
int flow_new(struct flow *ret, size_t num_pfs, size_t num_bins);
void flow_release(struct flow *flow);
#define _cleanup_flow_ _cleanup_(flow_release)

/* Finds the largest numbers. */
void flow_fill(struct flow *flow);

/*
 * One VF of pf takes a place in a bin for good, and both are gone. False if that is not plain to
 * see to leave the numbers as they are; flow_search() then tells whether it does.
 */
bool flow_take_simply(struct flow *flow, size_t pf, size_t bin);

/* Finds the bins that one more VF of pf may take though nothing gets less by it. */
void flow_search(struct flow *flow, size_t pf);
bool flow_may_take(const struct flow *flow, size_t pf, size_t bin);

/* Takes a place in such a bin, right after flow_search(). */
void flow_take(struct flow *flow, size_t pf, size_t bin);

#endif

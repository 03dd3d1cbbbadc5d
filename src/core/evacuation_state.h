/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_EVACUATION_STATE_H
#define CORE_EVACUATION_STATE_H

#include "core/evacuation_problem.h"

/*
 * Who is placed on which host and in which wave so far. Which VF of a host a domain gets is not
 * decided here: for each host and class it is enough that its waves can be spread over its PFs,
 * which evacuation_state.c tells without trying.
 */
struct evacuation_state {
	const struct evacuation_problem *problem;
	uint32_t *host_of, *wave_of;		   /* [evacuee]: place in shelters; wave; or NONE */
	uint32_t *first_guest, *next_guest;	   /* [shelter], [evacuee]: who is on a host */
	uint32_t *num_guests;			   /* [shelter] */
	uint32_t *room;				   /* [shelter][class]: free VFs that are left */
	uint32_t *wave_load;			   /* [wave][source PF]: VFs */
	uint32_t *wave_vfs, *wave_size, *wave_any; /* [wave]: VFs, domains, the sum of their places */
	uint32_t num_waves;			   /* that anybody is in; no gaps */
	uint32_t num_placed;			   /* on hosts */
	uint32_t num_hosts;			   /* that anybody is on */
	uint64_t *load;				   /* scratch: [wave] */
	uint64_t *loads;			   /* scratch: those that are not 0 */
	uint32_t *touched;			   /* scratch: their waves */
};

/* 0 or -ENOMEM. */
int state_init(const struct evacuation_problem *problem, struct evacuation_state *state);
void state_release(struct evacuation_state *state);
#define _cleanup_state_ _cleanup_(state_release)
/* Nobody is placed. */
void state_clear(struct evacuation_state *state);
/* Both of one problem. */
void state_copy(struct evacuation_state *to, const struct evacuation_state *from);

void state_put_host(struct evacuation_state *state, uint32_t evacuee, uint32_t host);
void state_drop_host(struct evacuation_state *state, uint32_t evacuee);
void state_put_wave(struct evacuation_state *state, uint32_t evacuee, uint32_t wave);
/* The last of the last wave first. */
void state_drop_wave(struct evacuation_state *state, uint32_t evacuee);

/* Whether a host has room for an evacuee, whoever is in its wave. */
bool host_has_room(const struct evacuation_state *state, uint32_t host, uint32_t evacuee);
/* Whether the source's PFs and the network allow it into a wave, which may be a new one. */
bool wave_has_room(const struct evacuation_state *state, uint32_t wave, uint32_t evacuee);
/*
 * Whether the PFs of the destinations allow it: evacuee, which is not on any host, would go to
 * host in wave. If it is in no wave yet, it would also join that.
 */
bool can_be_spread(struct evacuation_state *state, uint32_t evacuee, uint32_t host, uint32_t wave);

/* Fewer domains left, then fewer waves, then fewer hosts. */
bool state_is_better(const struct evacuation_state *state, const struct evacuation_state *other);

/*
 * Whether loads (most first, each of a wave whose domains share the limit) fit into PFs with so
 * many free VFs, each of which takes at most max_vfs_per_pf a wave. others: what single waves
 * without limit take besides.
 */
bool loads_can_be_spread(const struct shelter_pf *pfs, uint32_t num_pfs, uint64_t max_vfs_per_pf,
			 const uint64_t *loads, size_t num_loads, uint64_t others);
void sort_loads(uint64_t *loads, size_t num_loads);

#endif

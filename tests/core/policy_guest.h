/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TESTS_CORE_POLICY_GUEST_H
#define TESTS_CORE_POLICY_GUEST_H

#include "core/job_policy.h"

/*
 * A guest and the QEMU that migrates it, on a virtual clock. QEMU sends until the rest fits the
 * downtime limit, counts what was dirtied meanwhile, and switches over if that, with the VFs'
 * state, fits as well.
 */
struct guest {
	/* what it is like */
	uint64_t memory_bytes;
	uint64_t bytes_per_ms; /* of the network */
	uint64_t dirty_bytes_per_ms;
	uint64_t working_bytes; /* more than that is never dirty */
	uint64_t calm_ms;	/* from then on the guest dirties nothing; 0: never */
	uint64_t state_bytes;	/* of the VFs */
	uint64_t setup_ms;	/* until QEMU copies */
	uint64_t ready_ms;	/* until the destination is ready for the state */
	uint64_t cut_ms;	/* from then on nothing is sent; 0: never */
	uint64_t mended_ms;	/* until then; 0: for ever */
	/* where it is */
	uint64_t now_ms;
	uint64_t limit_ms;
	uint64_t iteration; /* goes on from wherever it begins */
	uint64_t remaining_bytes;
	uint64_t counted_ms; /* when QEMU last counted what was dirtied */
	bool has_begun;
	bool has_switched;
	bool has_aborted;
};

/* What a policy made of it. */
struct guest_story {
	uint64_t looks, stalls, raises, forces, aborts;
	uint64_t least_gap_ms, largest_gap_ms; /* between looks */
	uint64_t highest_limit_ms;	       /* before the switchover was forced */
	enum mlx5lm_reason reason;	       /* of the last action */
	uint64_t first_stall_ms;
	uint64_t forced_ms;
};

void guest_advance(struct guest *guest, uint64_t until_ms);
struct policy_sample guest_look(const struct guest *guest);

/* Looks and acts as a session does, until the guest has moved, the job is aborted, or end_ms. */
struct guest_story guest_migrate(struct guest *guest, const struct job_policy *policy,
				 uint64_t interval_ms, uint64_t end_ms);

#endif

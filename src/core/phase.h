/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_PHASE_H
#define CORE_PHASE_H

#include "core/progress.h"
#include "facts_libvirt.h"

/*
 * Where a session is and how far: facts go in, phases, numbers and events come out. Nothing
 * here reads a clock or talks to anybody.
 */

/* What the session's thread is at. Only ever goes forward. */
enum session_stage {
	STAGE_NONE,
	STAGE_PREFLIGHT,
	STAGE_PREPARE,
	STAGE_MIGRATE, /* inside libvirt's blocking call */
	STAGE_VERIFY,
	STAGE_CLEAN_UP,
	STAGE_COMPLETED,
	STAGE_FAILED,
	STAGE_CANCELLED,
};

struct phase_facts {
	uint64_t now_ms; /* of a monotonic clock */
	enum session_stage stage;
	enum domain_state source; /* UNKNOWN if not asked */
	struct job_stats job;	  /* type UNKNOWN if not asked; of a final stage: the completed job */
};

struct phase_machine {
	struct mlx5lm_progress progress;
	uint64_t started_ms;
	struct fact_u64 passes_before; /* QEMU does not start counting anew for each migration */
};

#define PHASE_MAX_EVENTS 4

void phase_start(struct phase_machine *machine, uint64_t now_ms);

/* Takes facts in and tells how many events there are to be told, in this order. */
size_t phase_feed(struct phase_machine *machine, const struct phase_facts *facts,
		  enum mlx5lm_event events[static PHASE_MAX_EVENTS]);

static inline bool phase_is_final(enum mlx5lm_phase phase)
{
	return phase >= MLX5LM_PHASE_COMPLETED;
}

#endif

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
	STAGE_MIGRATE, /* inside libvirt's blocking call, or a job of a dead caller is watched */
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
	/* What the session knows besides; not known: as it was. */
	struct fact_u64 downtime_limit_ms;
	struct fact_u64 stalls;
	struct fact_u64 queue_position; /* 0: its turn */
	struct fact_u64 forecast_ms;
	struct fact_u64 state_bytes; /* of all VFs, as the forecast reckons */
	struct fact_u64 num_vfs;
	bool acted; /* the policy counted a stall or acted: an event */
};

/* When a phase was first seen, and how long it lasted in the end. */
struct phase_time {
	struct fact_u64 began_ms; /* since the start */
	uint64_t duration_ms;
};

#define PHASES (MLX5LM_PHASE_CANCELLED + 1)

struct phase_machine {
	struct mlx5lm_progress progress;
	uint64_t started_ms;
	struct fact_u64 passes_before; /* QEMU does not start counting anew for each migration */
	struct fact_u64 state_bytes;
	uint64_t pass_began_ms; /* since the start, as the next */
	uint64_t eta_told_ms;
	struct fact_u64 speed; /* smoothed, bytes per second */
	struct phase_time times[PHASES];
};

#define PHASE_MAX_EVENTS 5

void phase_start(struct phase_machine *machine, uint64_t now_ms);

/*
 * Takes facts in and tells how many events there are to be told, in this order: PHASE, ITERATION,
 * STALL, SAMPLE, DONE.
 */
size_t phase_feed(struct phase_machine *machine, const struct phase_facts *facts,
		  enum mlx5lm_event events[static PHASE_MAX_EVENTS]);

/* The phase of a job that runs, for who looks at it besides: SETUP, PRE_COPY, SWITCHOVER, RESUME. */
enum mlx5lm_phase phase_of_job(enum domain_state source, const struct job_stats *job);

static inline bool phase_is_final(enum mlx5lm_phase phase)
{
	return phase >= MLX5LM_PHASE_COMPLETED;
}

#endif

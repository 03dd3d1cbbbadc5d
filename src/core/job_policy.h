/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_JOB_POLICY_H
#define CORE_JOB_POLICY_H

#include <mlx5lm/session.h>

#include "facts.h"

/*
 * What to do about a migration that does not converge: a policy is data, and the decision a
 * function of it and of what was seen. Nothing here reads a clock or talks to anybody.
 */

/* QEMU's largest: with it, QEMU switches over at once. */
#define DOWNTIME_LIMIT_MAX_MS 2000000

/* QEMU's own, if nobody sets one. */
#define DOWNTIME_LIMIT_QEMU_MS 300

struct job_policy {
	uint64_t downtime_limit_ms;   /* to begin with; 0: QEMU's own */
	uint64_t downtime_ceiling_ms; /* 0: the limit is not raised */
	uint64_t downtime_steps;
	uint64_t stall_iterations;
	enum mlx5lm_action stall_action;
	enum mlx5lm_action deadline_action; /* FORCE_SWITCHOVER; all else is ABORT */
	uint64_t stall_deadline_ms; /* 0: none, as the next */
	uint64_t setup_deadline_ms;
	uint64_t total_deadline_ms;
};

/* One look at the job. */
struct policy_sample {
	uint64_t now_ms; /* of a monotonic clock */
	enum mlx5lm_phase phase; /* SETUP, PRE_COPY or later */
	struct fact_u64 remaining_bytes; /* memory and disks */
	struct fact_u64 iteration;	 /* QEMU's counter: differences count */
	bool force; /* the caller wants the switchover now */
};

/*
 * How much an iteration had to send is the most that remained while it ran: at its start QEMU
 * counts what was dirtied, then it sends until the rest fits the limit, whether that converges or
 * not.
 */
struct policy_state {
	uint64_t started_ms; /* of the session */
	uint64_t setup_ms;   /* when the job began; 0: not yet */
	struct fact_u64 iteration;  /* that was seen last */
	struct fact_u64 most_bytes; /* that remained in it so far; not known before pre-copy */
	uint64_t least_bytes;	    /* the same */
	struct fact_u64 low_bytes; /* least that an iteration had to send, of those that are over */
	uint64_t low_iteration;	   /* which that was */
	uint64_t low_ms; /* when that, or one that may become a new low, last went on */
	uint64_t stall_iteration; /* in which the last stall was counted */
	uint64_t stall_ms;	  /* and when */
	uint64_t stalls;	  /* counted so far */
	uint64_t first_limit_ms;  /* from which the ramp rises */
	uint64_t step;		  /* of the ramp */
	uint64_t limit_ms;	  /* that QEMU has now; 0: not known */
	uint64_t forced_ms; /* when the switchover was forced; 0: it was not */
	enum mlx5lm_reason forced_reason; /* why; UNKNOWN: only the caller wanted it */
	bool aborted;
};

struct policy_decision {
	enum mlx5lm_action action; /* CONTINUE, RAISE_DOWNTIME, FORCE_SWITCHOVER or ABORT */
	uint64_t downtime_limit_ms; /* of the two in the middle: the new limit */
	enum mlx5lm_reason reason;  /* of all but CONTINUE: STALLED, SETUP_DEADLINE or
				       TOTAL_DEADLINE; UNKNOWN if the caller forced it */
	bool stalled; /* one more stall was counted */
};

/*
 * started_ms: of the session; limit_ms: that QEMU has now, or is going to begin with, 0 if not
 * known.
 */
void job_policy_start(struct policy_state *state, const struct job_policy *policy,
		      uint64_t started_ms, uint64_t limit_ms);

/*
 * A decision is told once: what it says counts as done; only a switchover that was forced in SETUP
 * is forced again in PRE_COPY. ABORT goes before FORCE_SWITCHOVER, that before RAISE_DOWNTIME.
 *
 * SETUP and PRE_COPY: deadlines and stalls have their actions (SETUP's deadline aborts), and the
 * caller may force. What was forced gets a grace, beginning with PRE_COPY, in which only the total
 * deadline's ABORT may come; afterwards FORCE_SWITCHOVER has become ABORT, and comes by itself
 * unless only the caller has forced. SWITCHOVER and RESUME: only the total deadline, which aborts,
 * a grace after the last movement if its action is FORCE_SWITCHOVER; libvirt may refuse that then.
 * Nothing is decided in VERIFY and later.
 */
struct policy_decision job_policy_decide(const struct job_policy *policy,
					 struct policy_state *state,
					 const struct policy_sample *sample);

#define POLICY_FORCE_GRACE_MS 60000

/*
 * A stall is not counted sooner after the low or the stall before. While QEMU waits for the
 * destination to make ready for the VFs' state (switchover-ack: about 5 ms for each MB of it), the
 * guest's memory is done, and iterations take no time: they say nothing then.
 */
#define POLICY_STALL_MIN_MS 2000

/*
 * The downtime limit at a step of the ramp: geometric from limit_ms (0: QEMU's own) to the ceiling,
 * which is reached at the last step. limit_ms if there is no ceiling above it.
 */
uint64_t job_policy_ramp_ms(const struct job_policy *policy, uint64_t limit_ms, uint64_t step);

/*
 * When to look next, on the clock of last->now_ms and not later than interval_ms after it: at
 * deadlines, and sooner where the end of pre-copy is near and comes nearer, or was just forced (at
 * least POLICY_LOOK_MIN_MS apart). bandwidth: bytes per second.
 */
uint64_t job_policy_next_look_ms(const struct job_policy *policy, const struct policy_state *state,
				 const struct policy_sample *last, struct fact_u64 bandwidth,
				 uint64_t interval_ms);

#define POLICY_LOOK_MIN_MS 50

#endif

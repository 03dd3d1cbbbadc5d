// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/job_policy.h"

#include <criterion/criterion.h>

#include <inttypes.h>
#include <stdlib.h>

#define RAISE MLX5LM_ACTION_RAISE_DOWNTIME
#define FORCE MLX5LM_ACTION_FORCE_SWITCHOVER
#define ABORT MLX5LM_ACTION_ABORT
#define CONTINUE MLX5LM_ACTION_CONTINUE

#define SETUP MLX5LM_PHASE_SETUP
#define PRE_COPY MLX5LM_PHASE_PRE_COPY
#define SWITCHOVER MLX5LM_PHASE_SWITCHOVER

#define STALLED MLX5LM_REASON_STALLED
#define SETUP_DEADLINE MLX5LM_REASON_SETUP_DEADLINE
#define TOTAL_DEADLINE MLX5LM_REASON_TOTAL_DEADLINE

#define GRACE POLICY_FORCE_GRACE_MS
#define NOT_KNOWN UINT64_MAX

/* A policy and a job that it watches. */
struct watch {
	struct job_policy policy;
	struct policy_state state;
	bool force;	   /* the caller wants it, from now on */
	bool stalled;	   /* the last look counted one */
	uint64_t limit_ms; /* of the last action */
	enum mlx5lm_reason reason;
};

static struct watch start(struct job_policy policy)
{
	struct watch watch = { .policy = policy };

	if (!watch.policy.stall_iterations)
		watch.policy.stall_iterations = 3;
	if (!watch.policy.downtime_steps)
		watch.policy.downtime_steps = 5;
	job_policy_start(&watch.state, &watch.policy, 1000, 0);
	return watch;
}

static enum mlx5lm_action look(struct watch *watch, uint64_t now_ms, enum mlx5lm_phase phase,
			       uint64_t remaining, uint64_t iteration)
{
	struct policy_sample sample = { .now_ms = now_ms, .phase = phase, .force = watch->force };
	struct policy_decision decision;

	sample.remaining_bytes =
		(struct fact_u64){ .known = remaining != NOT_KNOWN, .value = remaining };
	sample.iteration = (struct fact_u64){ .known = iteration != NOT_KNOWN, .value = iteration };
	decision = job_policy_decide(&watch->policy, &watch->state, &sample);
	watch->stalled = decision.stalled;
	watch->limit_ms = decision.downtime_limit_ms;
	watch->reason = decision.reason;
	return decision.action;
}

/* A look at each of so many iterations, 1 s apart, of which each has as much to send. */
static uint64_t iterate(struct watch *watch, uint64_t now_ms, uint64_t remaining,
			uint64_t iteration, uint64_t number)
{
	uint64_t stalls = 0;

	for (uint64_t i = 0; i < number; i++) {
		look(watch, now_ms + i * 1000, PRE_COPY, remaining, iteration + i);
		stalls += watch->stalled;
	}
	return stalls;
}

Test(job_policy, the_ramp_rises_by_the_same_factor_up_to_the_ceiling)
{
	static const uint64_t expected[] = { 300, 449, 673, 1008, 1509, 2260, 2260, 2260 };
	struct job_policy policy = { .downtime_ceiling_ms = 2260, .downtime_steps = 5 };

	for (uint64_t step = 0; step < ARRAY_LENGTH(expected); step++) {
		cr_expect_eq(job_policy_ramp_ms(&policy, 300, step), expected[step]);
		cr_expect_eq(job_policy_ramp_ms(&policy, 0, step), expected[step], "QEMU's own");
	}
	cr_expect_eq(job_policy_ramp_ms(&policy, 300, UINT64_MAX), 2260);
}

Test(job_policy, a_ramp_without_room_stays_where_it_is)
{
	struct job_policy policy = { .downtime_steps = 5 };

	for (uint64_t step = 0; step < 7; step++) {
		policy.downtime_ceiling_ms = 0;
		cr_expect_eq(job_policy_ramp_ms(&policy, 300, step), 300);
		policy.downtime_ceiling_ms = 200;
		cr_expect_eq(job_policy_ramp_ms(&policy, 300, step), 300);
		policy.downtime_ceiling_ms = 300;
		cr_expect_eq(job_policy_ramp_ms(&policy, 300, step), 300);
	}
}

Test(job_policy, every_ramp_is_monotonic_and_within_its_ends)
{
	srandom(1);
	for (int i = 0; i < 500; i++) {
		struct job_policy policy = {
			.downtime_ceiling_ms = 1 + (uint64_t)random() % DOWNTIME_LIMIT_MAX_MS,
			.downtime_steps = 1 + (uint64_t)random() % 100,
		};
		uint64_t first = 1 + (uint64_t)random() % policy.downtime_ceiling_ms;
		uint64_t before = first;

		for (uint64_t step = 0; step <= policy.downtime_steps; step++) {
			uint64_t limit_ms = job_policy_ramp_ms(&policy, first, step);

			cr_assert(limit_ms >= before && limit_ms <= policy.downtime_ceiling_ms);
			before = limit_ms;
		}
		cr_assert_eq(before, policy.downtime_ceiling_ms);
		policy.downtime_ceiling_ms = UINT64_MAX;
		cr_assert_eq(job_policy_ramp_ms(&policy, first, policy.downtime_steps),
			     DOWNTIME_LIMIT_MAX_MS);
	}
}

Test(job_policy, begins_with_the_limit_that_there_is)
{
	static const struct {
		uint64_t wanted_ms, has_ms, first_ms, limit_ms;
	} cases[] = {
		{ 0, 0, 300, 0 },
		{ 0, 450, 450, 450 },
		{ 500, 0, 500, 500 },
		/* Of a session that goes on after a crash. */
		{ 500, 800, 500, 800 },
	};

	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct job_policy policy = { .downtime_limit_ms = cases[i].wanted_ms };
		struct policy_state state;

		job_policy_start(&state, &policy, 7, cases[i].has_ms);
		cr_expect_eq(state.first_limit_ms, cases[i].first_ms);
		cr_expect_eq(state.limit_ms, cases[i].limit_ms);
		cr_expect_eq(state.started_ms, 7);
	}
}

Test(job_policy, each_stall_raises_by_a_step_until_the_ceiling)
{
	static const uint64_t expected[] = { 449, 673, 1008, 1509, 2260 };
	struct watch watch =
		start((struct job_policy){ .downtime_ceiling_ms = 2260, .stall_action = RAISE });
	uint64_t iteration = 1, now_ms = 1000, stalls = 0, raises = 0;

	for (; iteration < 60; iteration++, now_ms += 1000) {
		enum mlx5lm_action action = look(&watch, now_ms, PRE_COPY, 5000, iteration);

		stalls += watch.stalled;
		/* The first is the low; from then on each third. */
		cr_expect_eq(watch.stalled, iteration > 1 && iteration % 3 == 1);
		cr_expect_eq(action, watch.stalled && stalls <= 5 ? RAISE : CONTINUE);
		if (action == RAISE) {
			cr_expect_eq(watch.limit_ms, expected[raises++]);
			cr_expect_eq(watch.reason, STALLED);
			cr_expect_eq(watch.state.limit_ms, watch.limit_ms);
		}
	}
	cr_expect_eq(raises, 5);
	cr_expect_eq(watch.state.stalls, 19);
}

Test(job_policy, steps_that_are_done_or_make_no_difference_are_skipped)
{
	struct job_policy policy = { .downtime_ceiling_ms = 302,
				     .stall_action = RAISE,
				     .downtime_steps = 100,
				     .stall_iterations = 1 };
	struct watch watch = start(policy);
	uint64_t raises = 0;

	for (uint64_t i = 0; i < 20; i++)
		raises += look(&watch, 1000 + 3000 * i, PRE_COPY, 5000, 1 + i) == RAISE;
	cr_expect_eq(raises, 2, "to 301 and 302");
	/* Somebody has raised it to 1000 already. */
	policy = (struct job_policy){ .downtime_limit_ms = 300,
				      .downtime_ceiling_ms = 2260,
				      .downtime_steps = 5,
				      .stall_iterations = 3,
				      .stall_action = RAISE };
	job_policy_start(&watch.state, &policy, 1000, 1000);
	watch.policy = policy;
	for (uint64_t i = 0; i < 4; i++)
		look(&watch, 1000 + 1000 * i, PRE_COPY, 5000, 1 + i);
	cr_expect_eq(watch.limit_ms, 1008);
}

Test(job_policy, a_saw_is_judged_by_its_peaks)
{
	struct watch watch = start((struct job_policy){ .stall_action = ABORT });
	uint64_t now_ms = 1000;

	/* Ten looks at each iteration, which begins with 10 % less and ends always at the same. */
	for (uint64_t iteration = 9, peak = 1000000; iteration < 50; iteration++) {
		for (uint64_t i = 0; i < 10; i++, now_ms += 200)
			cr_assert_eq(look(&watch, now_ms, PRE_COPY, peak - (peak - 1000) * i / 9,
					  iteration),
				     CONTINUE);
		peak = 1000 + (peak - 1000) * 9 / 10;
	}
	cr_expect_eq(watch.state.stalls, 0);
	/* The troughs go on getting lower, and the peaks do not. */
	for (uint64_t iteration = 50, trough = 500; iteration < 60; iteration++, trough -= 50) {
		look(&watch, now_ms += 1000, PRE_COPY, 50000, iteration);
		look(&watch, now_ms += 1000, PRE_COPY, trough, iteration);
		if (iteration == 51)
			cr_expect_not(watch.state.aborted);
	}
	cr_expect(watch.state.aborted);
}

Test(job_policy, a_look_before_qemu_has_counted_is_no_low)
{
	struct watch watch = start((struct job_policy){ .stall_action = CONTINUE });
	uint64_t now_ms = 1000;

	/* The counter goes up first; then what was dirtied is added. */
	look(&watch, now_ms, PRE_COPY, 0, 1);
	for (uint64_t iteration = 1, peak = 1 << 20; iteration < 40; iteration++) {
		look(&watch, now_ms += 100, PRE_COPY, 10, iteration);
		look(&watch, now_ms += 900, PRE_COPY, peak, iteration);
		peak -= peak / 20;
	}
	cr_expect_eq(watch.state.stalls, 0);
	cr_expect_gt(watch.state.low_bytes.value, 100000);
}

Test(job_policy, iterations_between_two_looks_count)
{
	struct watch watch = start((struct job_policy){ .stall_action = CONTINUE });

	look(&watch, 1000, PRE_COPY, 5000, 41);
	look(&watch, 2000, PRE_COPY, 4000, 45);
	look(&watch, 3000, PRE_COPY, 3000, 50);
	cr_expect_eq(watch.state.stalls, 0, "each look is a new low");
	look(&watch, 4000, PRE_COPY, 3000, 55);
	cr_expect_not(watch.stalled, "too soon");
	look(&watch, 5000, PRE_COPY, 3000, 60);
	cr_expect(watch.stalled);
	look(&watch, 6999, PRE_COPY, 3000, 900);
	cr_expect_not(watch.stalled, "too soon after the last");
	look(&watch, 7000, PRE_COPY, 3000, 1000);
	cr_expect(watch.stalled);
	look(&watch, 9000, PRE_COPY, 2999, 2000);
	cr_expect_not(watch.stalled, "that may be a new low");
	look(&watch, 12000, PRE_COPY, 2999, 2000);
	cr_expect_not(watch.stalled, "it still may");
	look(&watch, 12100, PRE_COPY, 3000, 2000);
	cr_expect(watch.stalled, "it is none");
}

Test(job_policy, a_new_low_begins_anew)
{
	struct watch watch = start((struct job_policy){ .stall_action = CONTINUE });

	cr_expect_eq(iterate(&watch, 1000, 5000, 7, 3), 0);
	cr_expect_eq(iterate(&watch, 4000, 4999, 10, 3), 0);
	cr_expect_eq(iterate(&watch, 7000, 4998, 13, 3), 0);
	cr_expect_eq(iterate(&watch, 10000, 4998, 16, 1), 1);
	cr_expect_eq(iterate(&watch, 11000, 5000, 17, 3), 1);
}

Test(job_policy, a_counter_that_falls_is_not_believed)
{
	struct watch watch = start((struct job_policy){ .stall_action = CONTINUE });

	look(&watch, 1000, PRE_COPY, 5000, 41);
	look(&watch, 5000, PRE_COPY, 6000, 42);
	look(&watch, 6000, PRE_COPY, 0, 1);
	cr_expect_eq(watch.state.iteration.value, 42);
	cr_expect_eq(watch.state.least_bytes, 6000);
	look(&watch, 7000, PRE_COPY, 6000, 43);
	cr_expect_not(watch.stalled);
	look(&watch, 8000, PRE_COPY, 6000, 44);
	cr_expect(watch.stalled);
}

Test(job_policy, without_a_counter_only_time_counts)
{
	struct watch watch =
		start((struct job_policy){ .stall_action = ABORT, .stall_deadline_ms = 10000 });
	uint64_t now_ms = 1000;

	for (uint64_t left = 100; left > 50; left--, now_ms += 5000)
		cr_assert_eq(look(&watch, now_ms, PRE_COPY, left, NOT_KNOWN), CONTINUE);
	/* A saw that is nowhere lower than it was. */
	for (uint64_t until_ms = now_ms + 5000; now_ms < until_ms; now_ms += 500)
		cr_assert_eq(look(&watch, now_ms, PRE_COPY, 51 + now_ms % 7, NOT_KNOWN), CONTINUE);
	cr_expect_eq(look(&watch, now_ms, PRE_COPY, 51, NOT_KNOWN), ABORT);
	cr_expect_eq(watch.reason, STALLED);
	cr_expect_eq(watch.state.stalls, 0);
}

Test(job_policy, what_is_not_known_is_no_stall)
{
	struct watch watch = start((struct job_policy){
		.stall_action = ABORT, .stall_deadline_ms = 5000, .total_deadline_ms = 100000 });

	/* Nothing is ever told, then something, then nothing again. */
	cr_expect_eq(look(&watch, 20000, PRE_COPY, NOT_KNOWN, NOT_KNOWN), CONTINUE);
	cr_expect_eq(look(&watch, 30000, PRE_COPY, NOT_KNOWN, 7), CONTINUE);
	cr_expect_eq(look(&watch, 40000, PRE_COPY, 1000, 7), CONTINUE);
	cr_expect_eq(look(&watch, 50000, PRE_COPY, NOT_KNOWN, 30), CONTINUE);
	cr_expect_eq(look(&watch, 60000, PRE_COPY, 900, 7), CONTINUE, "it has moved");
	/* The total deadline needs no numbers. */
	cr_expect_eq(look(&watch, 101000, PRE_COPY, NOT_KNOWN, NOT_KNOWN), ABORT);
	cr_expect_eq(watch.reason, TOTAL_DEADLINE);
}

Test(job_policy, a_look_without_a_counter_counts_nothing)
{
	struct watch watch = start((struct job_policy){ .stall_action = ABORT });

	iterate(&watch, 1000, 5000, 1, 3);
	cr_expect_eq(look(&watch, 8000, PRE_COPY, 1, NOT_KNOWN), CONTINUE);
	cr_expect_eq(watch.state.least_bytes, 5000);
	cr_expect_eq(look(&watch, 9000, PRE_COPY, 5000, 4), ABORT);
	watch = start((struct job_policy){ .stall_action = ABORT });
	for (uint64_t iteration = 1; iteration < 6; iteration++)
		look(&watch, 1000 + iteration, PRE_COPY, 5000, iteration);
	cr_expect_eq(look(&watch, 8000, PRE_COPY, 5000, NOT_KNOWN), CONTINUE);
	cr_expect_eq(look(&watch, 8000, PRE_COPY, 5000, 5), ABORT);
}

Test(job_policy, a_clock_that_jumps_does_no_harm)
{
	struct watch watch = start((struct job_policy){
		.stall_action = ABORT, .stall_deadline_ms = 10000, .total_deadline_ms = 1000000 });

	look(&watch, 50000, PRE_COPY, 5000, 1);
	/* Back behind the start; then an hour's sleep, after which the job has gone on. */
	cr_expect_eq(look(&watch, 10, PRE_COPY, 4000, 2), CONTINUE);
	cr_expect_eq(look(&watch, 20, PRE_COPY, 3000, 3), CONTINUE);
	cr_expect_eq(look(&watch, 900000, PRE_COPY, 2000, 4), CONTINUE);
	cr_expect_eq(look(&watch, UINT64_MAX, PRE_COPY, 1000, 5), ABORT);
	cr_expect_eq(watch.reason, TOTAL_DEADLINE);
}

Test(job_policy, the_setup_deadline_counts_from_the_job_and_aborts)
{
	static const enum mlx5lm_action actions[] = { ABORT, FORCE };

	for (size_t i = 0; i < ARRAY_LENGTH(actions); i++) {
		struct watch watch = start((struct job_policy){ .setup_deadline_ms = 5000,
								.deadline_action = actions[i] });

		cr_expect_eq(look(&watch, 90000, SETUP, NOT_KNOWN, NOT_KNOWN), CONTINUE);
		cr_expect_eq(look(&watch, 94999, SETUP, 0, 0), CONTINUE);
		cr_expect_eq(look(&watch, 95000, SETUP, 0, 0), ABORT);
		cr_expect_eq(watch.reason, SETUP_DEADLINE);
		cr_expect_eq(look(&watch, 99000, SETUP, 0, 0), CONTINUE, "once");
		/* QEMU copies, whether its numbers can be read or not. */
		watch = start(watch.policy);
		look(&watch, 90000, SETUP, NOT_KNOWN, NOT_KNOWN);
		cr_expect_eq(look(&watch, 96000, PRE_COPY, NOT_KNOWN, NOT_KNOWN), CONTINUE);
	}
}

Test(job_policy, a_look_that_fails_in_pre_copy_is_no_setup)
{
	struct watch watch = start((struct job_policy){
		.setup_deadline_ms = 5000, .stall_deadline_ms = 60000, .stall_action = CONTINUE });

	look(&watch, 1000, SETUP, 0, 0);
	look(&watch, 2000, PRE_COPY, 5000, 1);
	look(&watch, 3000, PRE_COPY, 4000, 1);
	cr_expect_eq(look(&watch, 10000, SETUP, 0, 0), CONTINUE);
	cr_expect_eq(watch.state.least_bytes, 4000);
	cr_expect_eq(look(&watch, 70000, SETUP, 0, 0), CONTINUE, "zeros show nothing");
	cr_expect_eq(look(&watch, 70000, PRE_COPY, 4000, 1), ABORT);
}

/* What a total deadline of 10 s does, at 11000, in each phase. */
Test(job_policy, the_total_deadline_in_each_phase)
{
	static const struct {
		enum mlx5lm_action deadline_action;
		enum mlx5lm_phase phase;
		enum mlx5lm_action at_deadline, a_grace_later;
	} cases[] = {
		{ ABORT, SETUP, ABORT, CONTINUE },
		{ ABORT, PRE_COPY, ABORT, CONTINUE },
		{ ABORT, SWITCHOVER, ABORT, CONTINUE },
		{ ABORT, MLX5LM_PHASE_RESUME, ABORT, CONTINUE },
		{ ABORT, MLX5LM_PHASE_VERIFY, CONTINUE, CONTINUE },
		{ ABORT, MLX5LM_PHASE_COMPLETED, CONTINUE, CONTINUE },
		{ FORCE, SETUP, FORCE, ABORT },
		{ FORCE, PRE_COPY, FORCE, ABORT },
		{ FORCE, SWITCHOVER, CONTINUE, ABORT },
		{ FORCE, MLX5LM_PHASE_RESUME, CONTINUE, ABORT },
		{ FORCE, MLX5LM_PHASE_VERIFY, CONTINUE, CONTINUE },
		/* What no option can set aborts. */
		{ MLX5LM_ACTION_UNKNOWN, PRE_COPY, ABORT, CONTINUE },
		{ RAISE, PRE_COPY, ABORT, CONTINUE },
	};

	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		enum mlx5lm_phase phase = cases[i].phase;
		struct watch watch = start((struct job_policy){
			.total_deadline_ms = 10000, .deadline_action = cases[i].deadline_action });

		cr_expect_eq(look(&watch, 10999, phase, 0, 1), CONTINUE, "%zu", i);
		cr_expect_eq(look(&watch, 11000, phase, 0, 1), cases[i].at_deadline, "%zu", i);
		if (cases[i].at_deadline != CONTINUE)
			cr_expect_eq(watch.reason, TOTAL_DEADLINE);
		cr_expect_eq(look(&watch, 10999 + GRACE, phase, 0, 1), CONTINUE, "%zu", i);
		cr_expect_eq(look(&watch, 11000 + GRACE, phase, 0, 1), cases[i].a_grace_later,
			     "%zu", i);
	}
}

Test(job_policy, a_switchover_that_moves_is_not_aborted_by_who_wants_it)
{
	struct watch watch =
		start((struct job_policy){ .total_deadline_ms = 10000, .deadline_action = FORCE });
	uint64_t now_ms, left = 1000;

	look(&watch, 5000, PRE_COPY, 100, 1);
	cr_expect_eq(look(&watch, 11000, PRE_COPY, 1000, 2), FORCE);
	for (now_ms = 12000; now_ms < 300000; now_ms += 1000)
		cr_assert_eq(look(&watch, now_ms, SWITCHOVER, --left, 2), CONTINUE);
	cr_expect_eq(look(&watch, now_ms + GRACE - 1001, SWITCHOVER, left, 2), CONTINUE);
	cr_expect_eq(look(&watch, now_ms + GRACE - 1000, SWITCHOVER, left, 2), ABORT);
}

Test(job_policy, what_the_policy_forced_in_vain_is_aborted)
{
	struct watch watch = start((struct job_policy){ .stall_action = FORCE });

	iterate(&watch, 1000, 5000, 1, 3);
	cr_expect_eq(look(&watch, 4000, PRE_COPY, 5000, 4), FORCE);
	cr_expect_eq(watch.limit_ms, DOWNTIME_LIMIT_MAX_MS);
	cr_expect_eq(watch.reason, STALLED);
	/* Stalls go on, and are no news. */
	cr_expect_eq(look(&watch, 9000, PRE_COPY, 5000, 9), CONTINUE);
	cr_expect(watch.stalled);
	cr_expect_eq(look(&watch, 3999 + GRACE, PRE_COPY, 5000, 10), CONTINUE);
	cr_expect_eq(look(&watch, 4000 + GRACE, PRE_COPY, NOT_KNOWN, NOT_KNOWN), ABORT);
	cr_expect_eq(watch.reason, STALLED);
}

Test(job_policy, what_the_caller_forces_is_not_aborted_for_that)
{
	struct watch watch = start((struct job_policy){ .stall_action = CONTINUE });

	look(&watch, 1000, PRE_COPY, 5000, 1);
	watch.force = true;
	cr_expect_eq(look(&watch, 2000, PRE_COPY, 5000, 1), FORCE);
	cr_expect_eq(watch.reason, MLX5LM_REASON_UNKNOWN);
	cr_expect_eq(look(&watch, 2100, PRE_COPY, 5000, 1), CONTINUE, "once");
	cr_expect_eq(look(&watch, 2000 + 10 * GRACE, PRE_COPY, 5000, 99), CONTINUE);
}

/* The caller forces at 4000, and then comes what the policy has to say. */
Test(job_policy, a_grace_holds_back_all_but_the_total_deadline)
{
	static const struct {
		struct job_policy policy;
		uint64_t abort_ms;
		enum mlx5lm_reason reason;
	} cases[] = {
		{ { .stall_action = ABORT }, 4000 + GRACE, STALLED },
		{ { .stall_action = FORCE }, 4000 + GRACE, STALLED },
		{ { .stall_action = RAISE, .downtime_ceiling_ms = 900 }, 0, 0 },
		{ { .stall_action = CONTINUE, .stall_deadline_ms = 5000 }, 4000 + GRACE, STALLED },
		{ { .stall_action = CONTINUE, .stall_deadline_ms = 5000, .deadline_action = FORCE },
		  4000 + GRACE,
		  STALLED },
		{ { .stall_action = CONTINUE, .total_deadline_ms = 9000 }, 10000, TOTAL_DEADLINE },
		{ { .stall_action = CONTINUE, .total_deadline_ms = 9000, .deadline_action = FORCE },
		  4000 + GRACE,
		  TOTAL_DEADLINE },
		/* Long after: what was forced did not help. */
		{ { .stall_action = CONTINUE,
		    .total_deadline_ms = 99000,
		    .deadline_action = FORCE },
		  100000,
		  TOTAL_DEADLINE },
	};

	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct watch watch = start(cases[i].policy);
		uint64_t aborted_ms = 0, iteration = 1;

		/* So that none is counted at the very end of the grace. */
		watch.policy.stall_iterations = 4;
		for (uint64_t now_ms = 1000; now_ms < 200000 && !aborted_ms; now_ms += 1000) {
			enum mlx5lm_action action, expected = CONTINUE;

			watch.force = now_ms >= 4000;
			action = look(&watch, now_ms, PRE_COPY, 5000, iteration++);
			if (now_ms == 4000)
				expected = FORCE;
			if (action == ABORT)
				aborted_ms = now_ms;
			else
				cr_expect_eq(action, expected, "%zu: %" PRIu64, i, now_ms);
		}
		/* A stall is counted with each fourth iteration. */
		if (cases[i].policy.stall_action == ABORT)
			cr_expect(aborted_ms >= cases[i].abort_ms &&
				  aborted_ms < cases[i].abort_ms + 4000);
		else
			cr_expect_eq(aborted_ms, cases[i].abort_ms, "%zu: %" PRIu64, i, aborted_ms);
		cr_expect_eq(watch.reason, cases[i].reason, "%zu", i);
	}
}

Test(job_policy, what_is_forced_in_setup_gets_its_grace_in_pre_copy)
{
	struct watch watch =
		start((struct job_policy){ .total_deadline_ms = 10000, .deadline_action = FORCE });

	watch.force = true;
	cr_expect_eq(look(&watch, 2000, SETUP, 0, 0), FORCE);
	cr_expect_eq(look(&watch, 11000, SETUP, 0, 0), CONTINUE, "it was forced already");
	cr_expect_eq(look(&watch, 50000, PRE_COPY, 5000, 1), FORCE, "libvirt may have refused it");
	cr_expect_eq(watch.limit_ms, DOWNTIME_LIMIT_MAX_MS);
	cr_expect_eq(watch.reason, TOTAL_DEADLINE);
	cr_expect_eq(look(&watch, 50100, PRE_COPY, 5000, 1), CONTINUE);
	cr_expect_eq(look(&watch, 49999 + GRACE, PRE_COPY, 5000, 1), CONTINUE);
	cr_expect_eq(look(&watch, 50000 + GRACE, PRE_COPY, 5000, 1), ABORT);
	cr_expect_eq(watch.reason, TOTAL_DEADLINE);
}

Test(job_policy, what_was_forced_in_setup_is_not_forced_again_when_it_is_too_late)
{
	struct watch watch = start((struct job_policy){ .total_deadline_ms = 10000 });

	watch.force = true;
	cr_expect_eq(look(&watch, 2000, SETUP, 0, 0), FORCE);
	cr_expect_eq(look(&watch, 11000, PRE_COPY, 5000, 1), ABORT);
	cr_expect_eq(watch.limit_ms, 0);
	cr_expect_eq(watch.reason, TOTAL_DEADLINE);
}

Test(job_policy, a_switchover_that_has_come_is_not_forced)
{
	struct watch watch = start((struct job_policy){ .stall_action = CONTINUE });

	look(&watch, 1000, PRE_COPY, 5000, 1);
	watch.force = true;
	cr_expect_eq(look(&watch, 2000, SWITCHOVER, 100, 2), CONTINUE);
	cr_expect_neq(watch.state.forced_ms, 0, "who waits for it need not wait any more");
}

Test(job_policy, of_several_the_gravest_counts)
{
	struct watch watch = start((struct job_policy){
		.stall_action = RAISE, .downtime_ceiling_ms = 900, .total_deadline_ms = 3000 });

	/* A stall, a deadline and the caller, all at once. */
	iterate(&watch, 900, 5000, 1, 3);
	watch.force = true;
	cr_expect_eq(look(&watch, 4000, PRE_COPY, 5000, 4), ABORT);
	cr_expect_eq(watch.reason, TOTAL_DEADLINE);
	cr_expect(watch.stalled);
	watch = start((struct job_policy){ .stall_action = RAISE, .downtime_ceiling_ms = 900 });
	iterate(&watch, 900, 5000, 1, 3);
	watch.force = true;
	cr_expect_eq(look(&watch, 4000, PRE_COPY, 5000, 4), FORCE);
	cr_expect_eq(watch.state.step, 0, "nothing that was not told counts as done");
}

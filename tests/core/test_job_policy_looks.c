// SPDX-License-Identifier: LGPL-2.1-or-later
/* When a policy looks, and what holds of it whatever it sees. */
#include "core/job_policy.h"

#include <criterion/criterion.h>

#include <inttypes.h>
#include <stdlib.h>

#define MIB (UINT64_C(1) << 20)

static const struct fact_u64 unknown;

/* Looks once, and tells how long after that the next look is due. */
static uint64_t gap_after(const struct job_policy *policy, struct policy_state *state,
			  struct policy_sample sample, struct fact_u64 bandwidth,
			  uint64_t interval_ms)
{
	job_policy_decide(policy, state, &sample);
	return job_policy_next_look_ms(policy, state, &sample, bandwidth, interval_ms) -
	       sample.now_ms;
}

static struct policy_sample pre_copy(uint64_t now_ms, uint64_t remaining, uint64_t iteration)
{
	return (struct policy_sample){ .now_ms = now_ms,
				       .phase = MLX5LM_PHASE_PRE_COPY,
				       .remaining_bytes = fact_u64(remaining),
				       .iteration = fact_u64(iteration) };
}

static struct policy_sample setup(uint64_t now_ms)
{
	return (struct policy_sample){ .now_ms = now_ms, .phase = MLX5LM_PHASE_SETUP };
}

Test(job_policy_looks, are_as_far_apart_as_asked_for)
{
	static const struct {
		uint64_t interval_ms, gap_ms;
	} cases[] = { { 200, 200 }, { 50, 50 }, { 60000, 60000 }, { 1, 50 }, { 0, 50 } };
	struct job_policy policy = { .stall_action = MLX5LM_ACTION_CONTINUE };
	struct policy_state state;

	job_policy_start(&state, &policy, 1000, 300);
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		uint64_t interval_ms = cases[i].interval_ms, gap_ms = cases[i].gap_ms;

		cr_expect_eq(gap_after(&policy, &state, setup(1000), unknown, interval_ms), gap_ms);
		/* Nothing is known of the end. */
		cr_expect_eq(gap_after(&policy, &state, pre_copy(2000, 0, 1), unknown, interval_ms),
			     gap_ms);
		cr_expect_eq(
			gap_after(&policy, &state, pre_copy(2000, 0, 1), fact_u64(0), interval_ms),
			gap_ms);
	}
}

Test(job_policy_looks, come_at_the_deadlines)
{
	struct job_policy policy = { .setup_deadline_ms = 5500,
				     .stall_deadline_ms = 7000,
				     .total_deadline_ms = 30000,
				     .stall_action = MLX5LM_ACTION_CONTINUE,
				     .deadline_action = MLX5LM_ACTION_FORCE_SWITCHOVER };
	struct policy_state state;

	job_policy_start(&state, &policy, 1000, 300);
	/* Setup until 7500, stall until 13000, total until 31000, grace until 73500. */
	cr_expect_eq(gap_after(&policy, &state, setup(2000), unknown, 60000), 5500);
	cr_expect_eq(gap_after(&policy, &state, setup(6500), unknown, 60000), 1000);
	cr_expect_eq(gap_after(&policy, &state, setup(7490), unknown, 60000), POLICY_LOOK_MIN_MS);
	cr_expect_eq(gap_after(&policy, &state, pre_copy(6000, 500, 1), unknown, 60000), 7000);
	cr_expect_eq(gap_after(&policy, &state, pre_copy(12000, 500, 1), unknown, 60000), 1000);
	/* Passed, but this look has no numbers: the next comes as asked for. */
	cr_expect_eq(
		gap_after(&policy, &state,
			  (struct policy_sample){ .now_ms = 13000, .phase = MLX5LM_PHASE_PRE_COPY },
			  unknown, 4000),
		4000);
	cr_expect_eq(state.forced_ms, 0);
	cr_expect_eq(gap_after(&policy, &state, pre_copy(13500, 500, 1), unknown, 60000),
		     POLICY_LOOK_MIN_MS);
	cr_expect_eq(state.forced_ms, 13500);
	cr_expect_eq(gap_after(&policy, &state, pre_copy(15000, 500, 1), unknown, 60000), 16000);
	cr_expect_eq(gap_after(&policy, &state, pre_copy(40000, 500, 1), unknown, 60000), 33500);
	cr_expect_eq(gap_after(&policy, &state, pre_copy(73500, 500, 1), unknown, 60000), 60000);
	cr_expect(state.aborted);
}

Test(job_policy_looks, heed_no_deadline_behind_an_abort)
{
	struct job_policy policy = { .stall_deadline_ms = 7000, .total_deadline_ms = 30000 };
	struct policy_state state;

	job_policy_start(&state, &policy, 1000, 300);
	gap_after(&policy, &state, pre_copy(20000, 500, 1), unknown, 60000);
	cr_expect_eq(gap_after(&policy, &state, pre_copy(28000, 500, 1), unknown, 60000), 60000);
	cr_expect(state.aborted);
}

Test(job_policy_looks, come_at_the_total_deadline_of_a_switchover)
{
	struct job_policy policy = { .total_deadline_ms = 30000,
				     .deadline_action = MLX5LM_ACTION_ABORT };
	struct policy_state state;
	struct policy_sample sample = pre_copy(10000, 0, 1);

	sample.phase = MLX5LM_PHASE_SWITCHOVER;
	job_policy_start(&state, &policy, 1000, 300);
	cr_expect_eq(gap_after(&policy, &state, sample, unknown, 60000), 21000);
	policy.deadline_action = MLX5LM_ACTION_FORCE_SWITCHOVER;
	cr_expect_eq(gap_after(&policy, &state, sample, unknown, 200000),
		     21000 + POLICY_FORCE_GRACE_MS);
}

Test(job_policy_looks, come_sooner_near_the_end_of_what_makes_progress)
{
	struct job_policy policy = { .stall_action = MLX5LM_ACTION_CONTINUE };
	struct fact_u64 bandwidth = fact_u64(1000 * MIB);
	struct policy_state state;

	job_policy_start(&state, &policy, 1000, 300);
	/* 1 MiB/ms; the last 300 MiB fit the limit. */
	cr_expect_eq(gap_after(&policy, &state, pre_copy(1000, 4000 * MIB, 1), bandwidth, 1000),
		     1000);
	cr_expect_eq(gap_after(&policy, &state, pre_copy(2000, 900 * MIB, 1), bandwidth, 1000),
		     600);
	cr_expect_eq(gap_after(&policy, &state, pre_copy(2600, 310 * MIB, 1), bandwidth, 1000),
		     POLICY_LOOK_MIN_MS);
	cr_expect_eq(gap_after(&policy, &state, pre_copy(2650, 200 * MIB, 1), bandwidth, 1000),
		     POLICY_LOOK_MIN_MS);
	/* The same again is no progress, nor is an iteration that cannot become a new low. */
	cr_expect_eq(gap_after(&policy, &state, pre_copy(2700, 200 * MIB, 1), bandwidth, 1000),
		     1000);
	cr_expect_eq(gap_after(&policy, &state, pre_copy(2800, 5000 * MIB, 2), bandwidth, 1000),
		     1000);
	cr_expect_eq(gap_after(&policy, &state, pre_copy(7000, 310 * MIB, 2), bandwidth, 1000),
		     1000);
}

Test(job_policy_looks, come_often_for_a_second_after_a_forced_switchover)
{
	struct job_policy policy = { .stall_action = MLX5LM_ACTION_CONTINUE };
	struct policy_sample sample = pre_copy(2000, 4000 * MIB, 1);
	struct policy_state state;

	job_policy_start(&state, &policy, 1000, 300);
	sample.force = true;
	cr_expect_eq(gap_after(&policy, &state, sample, unknown, 500), POLICY_LOOK_MIN_MS);
	sample.now_ms = 2999;
	cr_expect_eq(gap_after(&policy, &state, sample, unknown, 500), POLICY_LOOK_MIN_MS);
	sample.now_ms = 3000;
	cr_expect_eq(gap_after(&policy, &state, sample, unknown, 500), 500);
}

static uint64_t below(uint64_t bound)
{
	return (uint64_t)random() % bound;
}

static uint64_t one_of(uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t which = below(3);

	return which == 0 ? a : which == 1 ? b : c;
}

static struct job_policy random_policy(void)
{
	return (struct job_policy){
		.downtime_limit_ms = one_of(0, 1 + below(1000), below(DOWNTIME_LIMIT_MAX_MS)),
		.downtime_ceiling_ms = one_of(0, 1 + below(5000), below(DOWNTIME_LIMIT_MAX_MS)),
		.downtime_steps = 1 + below(100),
		.stall_iterations = one_of(1, 1 + below(5), 1 + below(1000)),
		.stall_action = (enum mlx5lm_action)below(5),
		.deadline_action = (enum mlx5lm_action)(MLX5LM_ACTION_FORCE_SWITCHOVER + below(2)),
		.stall_deadline_ms = one_of(0, 1 + below(10000), 1 + below(1000000)),
		.setup_deadline_ms = one_of(0, 1 + below(10000), 1 + below(1000000)),
		.total_deadline_ms = one_of(0, 1 + below(10000), 1 + below(1000000)),
	};
}

/* What a broken daemon, a broken clock and an odd guest could say; series go forward mostly. */
static void random_sample(struct policy_sample *sample)
{
	sample->now_ms += one_of(200, below(3000), below(100) ? 0 : below(100000));
	if (below(50) == 0)
		sample->now_ms -= below(sample->now_ms + 1);
	if (below(40) == 0)
		sample->phase = (enum mlx5lm_phase)(MLX5LM_PHASE_SETUP + below(6));
	else if (below(10) == 0)
		sample->phase = MLX5LM_PHASE_PRE_COPY;
	sample->remaining_bytes =
		one_of(0, 1, 1) ? fact_u64(one_of(below(1000), 5000, below(UINT32_MAX))) : unknown;
	sample->iteration.value += one_of(0, 1, below(20));
	sample->iteration.known = below(8) != 0;
	if (below(200) == 0)
		sample->iteration.value = one_of(0, below(100), UINT64_MAX - below(3));
	if (below(300) == 0)
		sample->force = true;
}

/* What has been decided so far in a series. */
struct tally {
	uint64_t limit_ms, aborts, forces, stalls;
	bool forced_in_setup;
};

static void check_decision(const struct job_policy *policy, const struct policy_state *state,
			   const struct policy_decision *decision, uint64_t first_ms,
			   struct tally *tally)
{
	tally->stalls += decision->stalled;
	cr_assert_eq(state->stalls, tally->stalls);
	cr_assert_eq(tally->aborts, 0, "nothing is decided behind an abort");
	switch (decision->action) {
	case MLX5LM_ACTION_CONTINUE:
		break;
	case MLX5LM_ACTION_RAISE_DOWNTIME:
		cr_assert(decision->stalled);
		cr_assert_eq(decision->reason, MLX5LM_REASON_STALLED);
		cr_assert_eq(tally->forces, 0);
		cr_assert_gt(decision->downtime_limit_ms, tally->limit_ms);
		cr_assert_gt(decision->downtime_limit_ms, first_ms);
		cr_assert_leq(decision->downtime_limit_ms, policy->downtime_ceiling_ms);
		tally->limit_ms = decision->downtime_limit_ms;
		break;
	case MLX5LM_ACTION_FORCE_SWITCHOVER:
		cr_assert_lt(tally->forces, 2);
		cr_assert(tally->forces++ == 0 || tally->forced_in_setup);
		tally->forced_in_setup = !state->most_bytes.known;
		cr_assert_eq(decision->downtime_limit_ms, DOWNTIME_LIMIT_MAX_MS);
		tally->limit_ms = decision->downtime_limit_ms;
		break;
	default:
		cr_assert_eq(decision->action, MLX5LM_ACTION_ABORT);
		cr_assert_neq(decision->reason, MLX5LM_REASON_UNKNOWN);
		tally->aborts++;
		break;
	}
	if (decision->action == MLX5LM_ACTION_CONTINUE)
		cr_assert_eq(decision->reason, MLX5LM_REASON_UNKNOWN);
}

static uint64_t run_series(void)
{
	struct job_policy policy = random_policy();
	uint64_t has_ms = one_of(0, 300, 1 + below(3000)), first_ms;
	struct policy_sample sample = { .now_ms = below(100000),
					.phase = MLX5LM_PHASE_SETUP,
					.iteration = fact_u64(below(100)) };
	struct policy_state state;
	struct tally tally = { 0 };

	first_ms = policy.downtime_limit_ms ? policy.downtime_limit_ms : has_ms ? has_ms : 300;
	tally.limit_ms = has_ms > first_ms ? has_ms : first_ms;
	job_policy_start(&state, &policy, sample.now_ms, has_ms);
	for (int i = 0; i < 200; i++) {
		uint64_t interval_ms = 50 + below(2000), next_ms;
		bool was_aborted = state.aborted;
		struct policy_decision decision;

		random_sample(&sample);
		decision = job_policy_decide(&policy, &state, &sample);
		if (was_aborted)
			cr_assert(decision.action == MLX5LM_ACTION_CONTINUE && !decision.stalled);
		else
			check_decision(&policy, &state, &decision, first_ms, &tally);
		next_ms = job_policy_next_look_ms(&policy, &state, &sample,
						  below(2) ? fact_u64(below(UINT32_MAX)) : unknown,
						  interval_ms);
		cr_assert(next_ms >= sample.now_ms + POLICY_LOOK_MIN_MS &&
			  next_ms <= sample.now_ms + interval_ms);
	}
	return (tally.aborts ? 1 : 0) | (tally.forces ? 2 : 0) |
	       (tally.limit_ms > first_ms && !tally.forces ? 4 : 0) | (tally.stalls ? 8 : 0);
}

Test(job_policy_looks, whatever_is_seen_limits_and_looks_keep_their_bounds)
{
	uint64_t seen[16] = { 0 };

	srandom(20261123);
	for (int i = 0; i < 5000; i++)
		seen[run_series()]++;
	/* The series have shown what they are for. */
	cr_expect_gt(seen[0], 25, "nothing happens");
	cr_expect_gt(seen[1] + seen[9], 25, "aborted without a force");
	cr_expect_gt(seen[3] + seen[11], 25, "aborted after a force");
	cr_expect_gt(seen[2] + seen[10], 25, "forced");
	cr_expect_gt(seen[12], 25, "raised");
	cr_expect_gt(seen[13], 25, "raised, then aborted");
}

Test(job_policy_looks, the_end_of_time_is_no_end_of_bounds)
{
	struct job_policy policy = { .stall_deadline_ms = UINT64_MAX,
				     .setup_deadline_ms = UINT64_MAX,
				     .total_deadline_ms = UINT64_MAX,
				     .stall_iterations = UINT64_MAX,
				     .downtime_steps = UINT64_MAX,
				     .deadline_action = MLX5LM_ACTION_FORCE_SWITCHOVER };
	struct policy_sample sample = pre_copy(UINT64_MAX - 10, UINT64_MAX, UINT64_MAX);
	struct policy_state state;

	job_policy_start(&state, &policy, UINT64_MAX - 20, UINT64_MAX);
	job_policy_decide(&policy, &state, &sample);
	cr_expect_eq(job_policy_next_look_ms(&policy, &state, &sample, fact_u64(1), 200),
		     UINT64_MAX);
	sample.now_ms = 0;
	job_policy_decide(&policy, &state, &sample);
	cr_expect_eq(job_policy_next_look_ms(&policy, &state, &sample, fact_u64(UINT64_MAX), 200),
		     200);
}

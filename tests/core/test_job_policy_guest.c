// SPDX-License-Identifier: LGPL-2.1-or-later
/* Whole migrations, of a guest that behaves as QEMU's do. */
#include "policy_guest.h"

#include <criterion/criterion.h>

#include <inttypes.h>

#define MIB (UINT64_C(1) << 20)
#define MINUTE_MS 60000

#define RAISE MLX5LM_ACTION_RAISE_DOWNTIME
#define FORCE MLX5LM_ACTION_FORCE_SWITCHOVER
#define ABORT MLX5LM_ACTION_ABORT
#define CONTINUE MLX5LM_ACTION_CONTINUE

/* 1 GiB at 1 MiB/ms, 300 ms: 300 MiB fit. */
static struct guest guest(void)
{
	return (struct guest){ .memory_bytes = 4096 * MIB,
			       .bytes_per_ms = MIB,
			       .dirty_bytes_per_ms = MIB / 2,
			       .working_bytes = 4096 * MIB,
			       .limit_ms = 300,
			       .now_ms = 5000,
			       .setup_ms = 5600 };
}

/* It dirties all that it works on in every iteration: 1 GiB, of which 300 MiB fit. */
static struct guest busy_guest(void)
{
	struct guest busy = guest();

	busy.dirty_bytes_per_ms = 8 * MIB;
	busy.working_bytes = 1024 * MIB;
	return busy;
}

static struct job_policy policy(enum mlx5lm_action stall_action)
{
	return (struct job_policy){ .downtime_ceiling_ms = 2000,
				    .downtime_steps = 5,
				    .stall_iterations = 3,
				    .stall_action = stall_action,
				    .deadline_action = ABORT };
}

Test(job_policy_guest, one_that_converges_is_left_alone)
{
	static const uint64_t before[] = { 0, 1, 41, UINT64_C(1) << 40 };

	for (size_t i = 0; i < ARRAY_LENGTH(before); i++) {
		struct guest converging = guest();
		struct job_policy raise = policy(RAISE);
		struct guest_story story;

		converging.iteration = before[i];
		raise.stall_deadline_ms = 3000;
		story = guest_migrate(&converging, &raise, 200, 10 * MINUTE_MS);
		cr_expect(converging.has_switched);
		cr_expect_eq(story.stalls, 0);
		cr_expect_eq(converging.limit_ms, 300);
	}
}

Test(job_policy_guest, one_that_converges_slowly_is_left_alone_at_any_interval)
{
	for (uint64_t interval_ms = 50; interval_ms <= 2000; interval_ms += 50) {
		struct guest slow = guest();
		struct job_policy abort = policy(ABORT);
		struct guest_story story;

		slow.dirty_bytes_per_ms = MIB * 80 / 100;
		story = guest_migrate(&slow, &abort, interval_ms, 10 * MINUTE_MS);
		cr_expect(slow.has_switched, "interval %" PRIu64, interval_ms);
		cr_expect_eq(story.stalls, 0);
	}
}

Test(job_policy_guest, a_first_pass_that_takes_long_is_no_stall)
{
	struct guest large = guest();
	struct job_policy abort = policy(ABORT);
	struct guest_story story;

	large.memory_bytes = 512 * 1024 * MIB;
	abort.stall_deadline_ms = 10000;
	story = guest_migrate(&large, &abort, 200, 60 * MINUTE_MS);
	cr_expect(large.has_switched);
	cr_expect_gt(large.now_ms, 512 * 1024);
	cr_expect_eq(story.stalls, 0);
}

Test(job_policy_guest, a_network_that_is_cut_in_the_first_pass_is_a_stall)
{
	struct guest cut = guest();
	struct job_policy abort = policy(ABORT);
	struct guest_story story;

	cut.cut_ms = 7000;
	abort.stall_deadline_ms = 10000;
	story = guest_migrate(&cut, &abort, 200, 10 * MINUTE_MS);
	cr_expect(cut.has_aborted);
	cr_expect_eq(story.reason, MLX5LM_REASON_STALLED);
	cr_expect_eq(story.stalls, 0, "the counter stands still");
	cr_expect(cut.now_ms >= 17000 && cut.now_ms <= 17300, "%" PRIu64, cut.now_ms);
}

Test(job_policy_guest, a_short_cut_of_the_network_is_none)
{
	struct guest cut = guest();
	struct job_policy abort = policy(ABORT);
	struct guest_story story;

	abort.stall_deadline_ms = 10000;
	cut.cut_ms = 7000;
	cut.mended_ms = 12000;
	story = guest_migrate(&cut, &abort, 200, 10 * MINUTE_MS);
	cr_expect(cut.has_switched);
	cr_expect_eq(story.stalls, 0);
}

Test(job_policy_guest, a_busy_one_stalls_in_the_third_iteration_without_a_new_low)
{
	struct guest busy = busy_guest();
	struct job_policy go_on = policy(CONTINUE);
	struct guest_story story = guest_migrate(&busy, &go_on, 100, 60000);

	/*
	 * 3.8 s for all, then 0.7 s for each iteration: the second is the low, the fifth tells, but
	 * not sooner than 2 s after the second.
	 */
	cr_expect(story.first_stall_ms >= 5600 + 3796 + 724 + POLICY_STALL_MIN_MS - 100 &&
			  story.first_stall_ms <= 5600 + 3796 + 724 + POLICY_STALL_MIN_MS + 200,
		  "%" PRIu64, story.first_stall_ms);
	/* Then every third, but where an iteration was first seen late and looks like a new low. */
	cr_expect(story.stalls >= 12 && story.stalls <= 23, "%" PRIu64, story.stalls);
	cr_expect_eq(story.raises + story.forces + story.aborts, 0);
}

Test(job_policy_guest, a_busy_one_is_raised_until_it_fits)
{
	struct guest busy = busy_guest();
	struct job_policy raise = policy(RAISE);
	struct guest_story story = guest_migrate(&busy, &raise, 200, 10 * MINUTE_MS);

	/* 300, 438, 641, 936, 1369, 2000: 1024 MiB fit the fourth step. */
	cr_expect(busy.has_switched);
	cr_expect_eq(story.raises, 4);
	cr_expect_eq(busy.limit_ms, 1369);
	cr_expect_eq(story.reason, MLX5LM_REASON_STALLED);
}

Test(job_policy_guest, at_the_ceiling_the_deadlines_decide)
{
	struct guest busy = busy_guest();
	struct job_policy raise = policy(RAISE);
	struct guest_story story;

	raise.downtime_ceiling_ms = 900;
	raise.total_deadline_ms = 2 * MINUTE_MS;
	story = guest_migrate(&busy, &raise, 200, 10 * MINUTE_MS);
	cr_expect_eq(story.raises, 5);
	cr_expect_eq(busy.limit_ms, 900);
	cr_expect(busy.has_aborted);
	cr_expect_eq(story.reason, MLX5LM_REASON_TOTAL_DEADLINE);
	cr_expect_eq(busy.now_ms, 5000 + 2 * MINUTE_MS);
}

Test(job_policy_guest, one_that_calms_down_late_is_not_raised_any_more)
{
	struct guest late = busy_guest();
	struct job_policy raise = policy(RAISE);
	struct guest_story story;

	late.calm_ms = 14000;
	raise.downtime_ceiling_ms = 900;
	story = guest_migrate(&late, &raise, 200, 10 * MINUTE_MS);
	cr_expect(late.has_switched);
	cr_expect(late.now_ms < 16000, "%" PRIu64, late.now_ms);
	cr_expect(story.raises >= 1 && story.raises <= 2, "%" PRIu64, story.raises);
}

Test(job_policy_guest, an_idle_one_whose_vf_state_does_not_fit_is_raised_until_it_does)
{
	struct guest idle = guest();
	struct job_policy raise = policy(RAISE);
	struct guest_story story;

	idle.dirty_bytes_per_ms = 0;
	idle.state_bytes = 1000 * MIB;
	story = guest_migrate(&idle, &raise, 200, 10 * MINUTE_MS);
	cr_expect(idle.has_switched);
	cr_expect_eq(story.raises, 4);
	cr_expect_eq(idle.limit_ms, 1369);
}

Test(job_policy_guest, waiting_for_the_destination_to_be_ready_is_no_stall)
{
	struct guest waiting = guest();
	struct job_policy abort = policy(ABORT);
	struct guest_story story;

	/* Four VFs of 100 MiB; iterations take no time meanwhile. */
	waiting.memory_bytes = 64 * MIB;
	waiting.dirty_bytes_per_ms = 0;
	waiting.state_bytes = 100 * MIB;
	waiting.ready_ms = 1960;
	story = guest_migrate(&waiting, &abort, 200, 10 * MINUTE_MS);
	cr_expect(waiting.has_switched);
	cr_expect_eq(story.stalls, 0);
	cr_expect_gt(waiting.iteration, 1000);
}

/* How each pair of actions ends for a guest that never converges. */
struct combination {
	enum mlx5lm_action stall_action, deadline_action;
	uint64_t ceiling_ms, stall_deadline_ms, total_deadline_ms;
	char end; /* 'm'oved, 'a'borted, goes 'o'n */
	uint64_t raises, forces;
	enum mlx5lm_reason reason; /* of the last action */
};

#define NO_REASON MLX5LM_REASON_UNKNOWN
#define STALLED MLX5LM_REASON_STALLED
#define TOTAL MLX5LM_REASON_TOTAL_DEADLINE

static const struct combination combinations[] = {
	{ CONTINUE, ABORT, 0, 0, 0, 'o', 0, 0, NO_REASON },
	{ CONTINUE, ABORT, 0, 10000, 0, 'a', 0, 0, STALLED },
	{ CONTINUE, ABORT, 0, 0, 40000, 'a', 0, 0, TOTAL },
	{ CONTINUE, ABORT, 900, 10000, 40000, 'a', 0, 0, STALLED },
	{ CONTINUE, FORCE, 0, 0, 0, 'o', 0, 0, NO_REASON },
	{ CONTINUE, FORCE, 0, 10000, 0, 'm', 0, 1, STALLED },
	{ CONTINUE, FORCE, 0, 0, 40000, 'm', 0, 1, TOTAL },
	{ RAISE, ABORT, 0, 0, 0, 'o', 0, 0, NO_REASON },
	{ RAISE, ABORT, 200, 0, 0, 'o', 0, 0, NO_REASON },
	{ RAISE, ABORT, 900, 0, 0, 'o', 5, 0, STALLED },
	{ RAISE, ABORT, 2000, 0, 0, 'm', 4, 0, STALLED },
	{ RAISE, ABORT, 900, 0, 40000, 'a', 5, 0, TOTAL },
	{ RAISE, ABORT, 900, 60000, 0, 'a', 5, 0, STALLED },
	{ RAISE, FORCE, 0, 0, 40000, 'm', 0, 1, TOTAL },
	{ RAISE, FORCE, 900, 0, 0, 'o', 5, 0, STALLED },
	{ RAISE, FORCE, 900, 0, 40000, 'm', 5, 1, TOTAL },
	{ RAISE, FORCE, 900, 60000, 0, 'm', 5, 1, STALLED },
	{ FORCE, ABORT, 0, 0, 0, 'm', 0, 1, STALLED },
	{ FORCE, ABORT, 900, 10000, 40000, 'm', 0, 1, STALLED },
	{ FORCE, FORCE, 0, 0, 0, 'm', 0, 1, STALLED },
	{ FORCE, FORCE, 900, 10000, 40000, 'm', 0, 1, STALLED },
	{ ABORT, ABORT, 0, 0, 0, 'a', 0, 0, STALLED },
	{ ABORT, ABORT, 900, 10000, 40000, 'a', 0, 0, STALLED },
	{ ABORT, FORCE, 0, 0, 0, 'a', 0, 0, STALLED },
	{ ABORT, FORCE, 900, 10000, 40000, 'a', 0, 0, STALLED },
};

static struct job_policy policy_of(const struct combination *combination)
{
	struct job_policy wanted = policy(combination->stall_action);

	wanted.deadline_action = combination->deadline_action;
	wanted.downtime_ceiling_ms = combination->ceiling_ms;
	wanted.stall_deadline_ms = combination->stall_deadline_ms;
	wanted.total_deadline_ms = combination->total_deadline_ms;
	return wanted;
}

static char end_of(const struct guest *guest)
{
	return guest->has_switched ? 'm' : guest->has_aborted ? 'a' : 'o';
}

Test(job_policy_guest, every_combination_ends_as_it_should)
{
	for (size_t i = 0; i < ARRAY_LENGTH(combinations); i++) {
		const struct combination *combination = &combinations[i];
		struct job_policy wanted = policy_of(combination);
		struct guest busy = busy_guest();
		struct guest_story story = guest_migrate(&busy, &wanted, 200, 5 * MINUTE_MS);

		cr_expect_eq(end_of(&busy), combination->end, "%zu: %c", i, end_of(&busy));
		cr_expect_eq(story.raises, combination->raises, "%zu: %" PRIu64, i, story.raises);
		cr_expect_eq(story.forces, combination->forces, "%zu", i);
		cr_expect_eq(story.aborts, combination->end == 'a', "%zu", i);
		cr_expect_eq(story.reason, combination->reason, "%zu", i);
	}
}

/* The network is cut, so that nothing that is forced can come. */
Test(job_policy_guest, no_combination_that_acts_waits_for_ever)
{
	for (size_t i = 0; i < ARRAY_LENGTH(combinations); i++) {
		const struct combination *combination = &combinations[i];
		struct job_policy wanted = policy_of(combination);
		bool has_deadline = wanted.stall_deadline_ms || wanted.total_deadline_ms;
		struct guest busy = busy_guest();
		struct guest_story story;

		busy.cut_ms = 14000;
		story = guest_migrate(&busy, &wanted, 200, 10 * MINUTE_MS);
		if (has_deadline || wanted.stall_action == ABORT || wanted.stall_action == FORCE)
			cr_expect_neq(end_of(&busy), 'o', "%zu", i);
		else
			cr_expect_eq(end_of(&busy), 'o', "%zu", i);
		if (busy.has_aborted && story.forces)
			cr_expect_eq(busy.now_ms, story.forced_ms + POLICY_FORCE_GRACE_MS, "%zu",
				     i);
	}
}

Test(job_policy_guest, looks_are_never_nearer_than_allowed_nor_farther_than_asked_for)
{
	for (uint64_t interval_ms = 50; interval_ms <= 3200; interval_ms *= 2) {
		for (size_t i = 0; i < ARRAY_LENGTH(combinations); i++) {
			struct job_policy wanted = policy_of(&combinations[i]);
			struct guest busy = busy_guest();
			struct guest_story story =
				guest_migrate(&busy, &wanted, interval_ms, 2 * MINUTE_MS);

			cr_expect_geq(story.least_gap_ms, POLICY_LOOK_MIN_MS);
			cr_expect_leq(story.largest_gap_ms, interval_ms);
		}
	}
}

Test(job_policy_guest, one_that_stands_still_is_not_looked_at_more_often)
{
	struct job_policy go_on = policy(CONTINUE);

	/* All is sent, and the destination is not ready; or nothing is sent. */
	for (int which = 0; which < 2; which++) {
		struct guest still = guest();
		struct guest_story story;

		still.dirty_bytes_per_ms = 0;
		if (which == 0)
			still.ready_ms = 10 * MINUTE_MS;
		else
			still.cut_ms = 8000;
		guest_advance(&still, 11000);
		story = guest_migrate(&still, &go_on, 200, 21000);
		cr_expect_leq(story.looks, 51, "%d: %" PRIu64, which, story.looks);
		cr_expect_geq(story.looks, 50);
	}
}

Test(job_policy_guest, a_busy_one_costs_few_looks_more)
{
	struct job_policy go_on = policy(CONTINUE);
	struct guest busy = busy_guest();
	struct guest_story story;

	guest_advance(&busy, 15000);
	story = guest_migrate(&busy, &go_on, 200, 115000);
	cr_expect_leq(story.looks, 550, "%" PRIu64, story.looks);
}

Test(job_policy_guest, the_end_of_pre_copy_is_seen_soon)
{
	struct job_policy go_on = policy(CONTINUE);
	uint64_t late_ms = 0;

	for (uint64_t memory = 1000; memory < 1200; memory++) {
		struct guest idle = guest();

		idle.dirty_bytes_per_ms = 0;
		idle.memory_bytes = memory * MIB;
		guest_migrate(&idle, &go_on, 1000, MINUTE_MS);
		cr_assert(idle.has_switched);
		/* It was over when the rest fitted. */
		late_ms = idle.now_ms - idle.counted_ms;
		cr_expect_leq(late_ms, 2 * POLICY_LOOK_MIN_MS, "%" PRIu64 " ms", late_ms);
	}
}

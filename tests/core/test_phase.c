// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/phase.h"

#include <criterion/criterion.h>

#include <stdio.h>

#include "base/cleanup.h"

#define MIB (1024 * 1024ull)

/* A job as libvirt tells it; passes 0 is what it says before QEMU has begun. */
static struct job_stats job(uint64_t total, uint64_t processed, uint64_t remaining, uint64_t passes)
{
	return (struct job_stats){
		.type = JOB_RUNNING,
		.data_total = fact_u64(total),
		.data_processed = fact_u64(processed),
		.data_remaining = fact_u64(remaining),
		.memory_total = fact_u64(total),
		.memory_remaining = fact_u64(remaining),
		.memory_iteration = fact_u64(passes),
		.downtime_ms = fact_u64(300),
	};
}

/* Feeds one look and returns what came of it: "phase:pre-copy iteration sample". */
static const char *feed_facts(struct phase_machine *machine, const struct phase_facts *facts)
{
	static char text[128];
	enum mlx5lm_event events[PHASE_MAX_EVENTS];
	size_t length = phase_feed(machine, facts, events), used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < length; i++) {
		bool named = events[i] == MLX5LM_EVENT_PHASE || events[i] == MLX5LM_EVENT_DONE;

		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s%s%s", i ? " " : "",
					 name_of(&event_names, events[i]), named ? ":" : "",
					 named ? name_of(&phase_names, machine->progress.phase)
					       : "");
	}
	return text;
}

static const char *feed(struct phase_machine *machine, enum session_stage stage,
			enum domain_state source, struct job_stats job_stats, uint64_t now_ms)
{
	const struct phase_facts facts = {
		.now_ms = now_ms, .stage = stage, .source = source, .job = job_stats
	};

	return feed_facts(machine, &facts);
}

static bool known(const struct phase_machine *machine, enum mlx5lm_progress_key key)
{
	return machine->progress.values[key].known;
}

static uint64_t value(const struct phase_machine *machine, enum mlx5lm_progress_key key)
{
	cr_assert(machine->progress.values[key].known, "key %d is not known", (int)key);
	return machine->progress.values[key].value;
}

static const struct job_stats nothing;

#define EXPECT(expected, stage, source, stats, now)                                                \
	cr_expect_str_eq(feed(&machine, stage, source, stats, now), expected)

#define EXPECT_TIME(phase, began, duration)                                                        \
	do {                                                                                       \
		const struct phase_time *time_ = &machine.times[MLX5LM_PHASE_##phase];             \
                                                                                                   \
		cr_expect(time_->began_ms.known);                                                  \
		cr_expect_eq(time_->began_ms.value, began);                                        \
		cr_expect_eq(time_->duration_ms, duration);                                        \
	} while (0)

Test(phase, a_migration_that_goes_well_as_libvirt_11_tells_it)
{
	struct job_stats done = { .type = JOB_COMPLETED,
				  .downtime_ms = fact_u64(131),
				  .time_elapsed_ms = fact_u64(2400),
				  .data_processed = fact_u64(40 * MIB),
				  .vfio_transferred = fact_u64(4198464) };
	struct phase_machine machine;

	phase_start(&machine, 1000);
	EXPECT("phase:preflight", STAGE_PREFLIGHT, DOMAIN_UNKNOWN, nothing, 1000);
	EXPECT("phase:prepare", STAGE_PREPARE, DOMAIN_UNKNOWN, nothing, 1040);
	EXPECT("phase:setup", STAGE_MIGRATE, DOMAIN_UNKNOWN, nothing, 1041);
	EXPECT("", STAGE_MIGRATE, DOMAIN_RUNNING, job(0, 0, 0, 0), 1200);
	EXPECT("phase:pre-copy iteration sample", STAGE_MIGRATE, DOMAIN_RUNNING,
	       job(64 * MIB, 4 * MIB, 48 * MIB, 1), 1400);
	cr_expect_eq(value(&machine, MLX5LM_PROGRESS_PERCENT), 23);
	EXPECT("sample", STAGE_MIGRATE, DOMAIN_RUNNING, job(64 * MIB, 12 * MIB, 16 * MIB, 1), 1600);
	cr_expect_eq(value(&machine, MLX5LM_PROGRESS_PERCENT), 71);
	/* A new pass: remaining jumps back, percent does not. */
	EXPECT("iteration sample", STAGE_MIGRATE, DOMAIN_RUNNING,
	       job(64 * MIB, 30 * MIB, 40 * MIB, 2), 1800);
	cr_expect_eq(value(&machine, MLX5LM_PROGRESS_PERCENT), 71);
	cr_expect_eq(value(&machine, MLX5LM_PROGRESS_MEMORY_REMAINING_BYTES), 40 * MIB);
	EXPECT("phase:switchover iteration sample", STAGE_MIGRATE, DOMAIN_PAUSED_BY_MIGRATION,
	       job(64 * MIB, 38 * MIB, 0, 3), 2000);
	EXPECT("phase:resume", STAGE_MIGRATE, DOMAIN_GONE, nothing, 2300);
	EXPECT("phase:verify", STAGE_VERIFY, DOMAIN_UNKNOWN, nothing, 2400);
	EXPECT("phase:clean-up", STAGE_CLEAN_UP, DOMAIN_UNKNOWN, nothing, 2450);
	cr_expect_lt(value(&machine, MLX5LM_PROGRESS_PERCENT), 100);
	EXPECT("done:completed", STAGE_COMPLETED, DOMAIN_UNKNOWN, done, 2500);
	cr_expect_eq(value(&machine, MLX5LM_PROGRESS_PERCENT), 100);
	cr_expect_eq(value(&machine, MLX5LM_PROGRESS_ELAPSED_MS), 1500);
	cr_expect_eq(value(&machine, MLX5LM_PROGRESS_DOWNTIME_MS), 131);
	cr_expect_eq(value(&machine, MLX5LM_PROGRESS_TOTAL_MS), 2400);
	cr_expect_eq(value(&machine, MLX5LM_PROGRESS_VFIO_TRANSFERRED_BYTES), 4198464);
	cr_expect_eq(value(&machine, MLX5LM_PROGRESS_ITERATION), 3);
	EXPECT_TIME(PREFLIGHT, 0, 40);
	EXPECT_TIME(PREPARE, 40, 1);
	EXPECT_TIME(SETUP, 41, 359);
	EXPECT_TIME(PRE_COPY, 400, 600);
	EXPECT_TIME(SWITCHOVER, 1000, 300);
	EXPECT_TIME(RESUME, 1300, 100);
	EXPECT_TIME(VERIFY, 1400, 50);
	EXPECT_TIME(CLEAN_UP, 1450, 50);
	EXPECT_TIME(COMPLETED, 1500, 0);
	/* Nothing comes behind the end. */
	EXPECT("", STAGE_MIGRATE, DOMAIN_RUNNING, job(64 * MIB, 1, 1, 9), 9000);
	EXPECT("", STAGE_FAILED, DOMAIN_UNKNOWN, nothing, 9000);
	cr_expect_eq(machine.progress.phase, MLX5LM_PHASE_COMPLETED);
}

Test(phase, an_abort_in_pre_copy)
{
	struct phase_machine machine;
	struct job_stats aborted = { .type = JOB_CANCELLED };

	phase_start(&machine, 0);
	feed(&machine, STAGE_MIGRATE, DOMAIN_RUNNING, job(64 * MIB, 32 * MIB, 32 * MIB, 1), 10);
	/* libvirt answers with zeros of type 5 for a moment. */
	EXPECT("", STAGE_MIGRATE, DOMAIN_RUNNING, aborted, 20);
	EXPECT("phase:verify", STAGE_VERIFY, DOMAIN_UNKNOWN, nothing, 30);
	EXPECT("phase:clean-up", STAGE_CLEAN_UP, DOMAIN_UNKNOWN, nothing, 31);
	EXPECT("done:cancelled", STAGE_CANCELLED, DOMAIN_UNKNOWN, nothing, 32);
	cr_expect_eq(value(&machine, MLX5LM_PROGRESS_PERCENT), 47, "stays where it was");
	cr_expect_not(machine.progress.values[MLX5LM_PROGRESS_DOWNTIME_MS].known);
}

Test(phase, a_failure_in_preflight)
{
	struct phase_machine machine;

	phase_start(&machine, 0);
	EXPECT("phase:preflight", STAGE_PREFLIGHT, DOMAIN_UNKNOWN, nothing, 0);
	EXPECT("phase:clean-up", STAGE_CLEAN_UP, DOMAIN_UNKNOWN, nothing, 5);
	EXPECT("done:failed", STAGE_FAILED, DOMAIN_UNKNOWN, nothing, 6);
	cr_expect_eq(value(&machine, MLX5LM_PROGRESS_PERCENT), 0);
}

Test(phase, phases_never_go_back)
{
	struct phase_machine machine;

	phase_start(&machine, 0);
	feed(&machine, STAGE_MIGRATE, DOMAIN_PAUSED_BY_MIGRATION, job(64 * MIB, 1, 0, 1), 1);
	cr_expect_eq(machine.progress.phase, MLX5LM_PHASE_SWITCHOVER);
	/* A migration that fails late resumes the source. */
	EXPECT("sample", STAGE_MIGRATE, DOMAIN_RUNNING, job(64 * MIB, 1, 1, 1), 2);
	cr_expect_eq(machine.progress.phase, MLX5LM_PHASE_SWITCHOVER);
	EXPECT("", STAGE_PREFLIGHT, DOMAIN_UNKNOWN, nothing, 3);
	cr_expect_eq(machine.progress.phase, MLX5LM_PHASE_SWITCHOVER);
}

Test(phase, a_guest_paused_by_somebody_is_no_switchover)
{
	struct phase_machine machine;

	phase_start(&machine, 0);
	EXPECT("phase:pre-copy iteration sample", STAGE_MIGRATE, DOMAIN_PAUSED,
	       job(64 * MIB, 1, 32 * MIB, 1), 1);
}

Test(phase, passes_of_an_earlier_migration_do_not_count)
{
	struct phase_machine machine;

	phase_start(&machine, 0);
	feed(&machine, STAGE_MIGRATE, DOMAIN_RUNNING, job(0, 0, 0, 0), 1);
	feed(&machine, STAGE_MIGRATE, DOMAIN_RUNNING, job(64 * MIB, 1, 64 * MIB, 41), 2);
	cr_expect_eq(value(&machine, MLX5LM_PROGRESS_ITERATION), 1);
	feed(&machine, STAGE_MIGRATE, DOMAIN_RUNNING, job(64 * MIB, 1, 64 * MIB, 43), 3);
	cr_expect_eq(value(&machine, MLX5LM_PROGRESS_ITERATION), 3);
	EXPECT("sample", STAGE_MIGRATE, DOMAIN_RUNNING, job(64 * MIB, 1, 64 * MIB, 2), 4);
	cr_expect_eq(value(&machine, MLX5LM_PROGRESS_ITERATION), 3, "a count that falls is wrong");
}

Test(phase, believes_no_number_blindly)
{
	struct phase_machine machine;
	struct job_stats wild = job(UINT64_MAX, UINT64_MAX, 1, UINT64_MAX);

	phase_start(&machine, 100);
	/* More remains than there is. */
	feed(&machine, STAGE_MIGRATE, DOMAIN_RUNNING, job(64 * MIB, 5, 65 * MIB, 1), 110);
	cr_expect_eq(value(&machine, MLX5LM_PROGRESS_PERCENT), 0);
	cr_expect_eq(value(&machine, MLX5LM_PROGRESS_MEMORY_REMAINING_BYTES), 64 * MIB);
	/* Nothing remains, and nothing was sent. */
	feed(&machine, STAGE_MIGRATE, DOMAIN_RUNNING, job(64 * MIB, 0, 0, 1), 120);
	cr_expect_eq(value(&machine, MLX5LM_PROGRESS_PERCENT), 0);
	/* Less was sent than before; a clock that stands still. */
	feed(&machine, STAGE_MIGRATE, DOMAIN_RUNNING, job(64 * MIB, 4, 64 * MIB, 1), 90);
	cr_expect_eq(value(&machine, MLX5LM_PROGRESS_DATA_PROCESSED_BYTES), 5);
	cr_expect_eq(value(&machine, MLX5LM_PROGRESS_ELAPSED_MS), 20);
	/* The largest numbers there are. */
	feed(&machine, STAGE_MIGRATE, DOMAIN_RUNNING, wild, 130);
	cr_expect_eq(value(&machine, MLX5LM_PROGRESS_PERCENT), 95);
	/* A total of a few bytes. */
	feed(&machine, STAGE_MIGRATE, DOMAIN_RUNNING, job(3, 1, 1, 1), 140);
	cr_expect_eq(value(&machine, MLX5LM_PROGRESS_PERCENT), 95);
}

Test(phase, what_a_daemon_does_not_tell_stays_unknown)
{
	struct phase_machine machine;
	struct job_stats sparse = { .type = JOB_RUNNING, .memory_total = fact_u64(64 * MIB) };

	phase_start(&machine, 0);
	EXPECT("phase:pre-copy sample", STAGE_MIGRATE, DOMAIN_RUNNING, sparse, 1);
	cr_expect_eq(value(&machine, MLX5LM_PROGRESS_MEMORY_TOTAL_BYTES), 64 * MIB);
	for (int key = MLX5LM_PROGRESS_MEMORY_REMAINING_BYTES; key < (int)PROGRESS_KEYS; key++)
		cr_expect_not(known(&machine, key), "key %d", key);
}

Test(phase, the_downtime_without_the_clocks_difference_is_preferred)
{
	struct phase_machine machine;
	struct job_stats done = { .type = JOB_COMPLETED,
				  .downtime_ms = fact_u64(90000),
				  .downtime_net_ms = fact_u64(66),
				  .time_elapsed_ms = fact_u64(99000),
				  .time_elapsed_net_ms = fact_u64(2000),
				  .memory_iteration = fact_u64(7) };

	phase_start(&machine, 0);
	feed(&machine, STAGE_COMPLETED, DOMAIN_UNKNOWN, done, 1);
	cr_expect_eq(value(&machine, MLX5LM_PROGRESS_DOWNTIME_MS), 66);
	cr_expect_eq(value(&machine, MLX5LM_PROGRESS_TOTAL_MS), 2000);
	cr_expect_not(machine.progress.values[MLX5LM_PROGRESS_ITERATION].known,
		      "7 passes, but nobody knows of which migrations");
}

Test(phase, a_guest_that_has_moved_has_final_numbers_even_if_the_session_fails)
{
	struct job_stats done = { .type = JOB_COMPLETED, .downtime_ms = fact_u64(431) };
	struct phase_machine machine;

	phase_start(&machine, 0);
	feed(&machine, STAGE_MIGRATE, DOMAIN_GONE, nothing, 1);
	EXPECT("done:failed", STAGE_FAILED, DOMAIN_UNKNOWN, done, 2);
	cr_expect_eq(value(&machine, MLX5LM_PROGRESS_DOWNTIME_MS), 431);
	cr_expect_lt(value(&machine, MLX5LM_PROGRESS_PERCENT), 100);
}

Test(phase, a_domain_that_is_gone_before_anybody_looked_ends_at_100_percent)
{
	struct phase_machine machine;

	phase_start(&machine, 0);
	feed(&machine, STAGE_PREFLIGHT, DOMAIN_UNKNOWN, nothing, 1);
	feed(&machine, STAGE_MIGRATE, DOMAIN_UNKNOWN, nothing, 2);
	EXPECT("done:completed", STAGE_COMPLETED, DOMAIN_UNKNOWN, nothing, 3);
	cr_expect_eq(value(&machine, MLX5LM_PROGRESS_PERCENT), 100);
	cr_expect_eq(value(&machine, MLX5LM_PROGRESS_ETA_MS), 0);
	cr_expect_not(known(&machine, MLX5LM_PROGRESS_DOWNTIME_MS));
	cr_expect_not(machine.times[MLX5LM_PHASE_PRE_COPY].began_ms.known, "was never seen");
	EXPECT_TIME(PREFLIGHT, 1, 1);
	EXPECT_TIME(SETUP, 2, 1);
}

/* Leads a session into a phase, 10 ms for each. */
static uint64_t lead_to(struct phase_machine *machine, enum mlx5lm_phase phase)
{
	static const struct {
		enum session_stage stage;
		enum domain_state source;
		bool copies;
	} ways[] = {
		[MLX5LM_PHASE_PREFLIGHT] = { STAGE_PREFLIGHT, DOMAIN_UNKNOWN, false },
		[MLX5LM_PHASE_PREPARE] = { STAGE_PREPARE, DOMAIN_UNKNOWN, false },
		[MLX5LM_PHASE_SETUP] = { STAGE_MIGRATE, DOMAIN_RUNNING, false },
		[MLX5LM_PHASE_PRE_COPY] = { STAGE_MIGRATE, DOMAIN_RUNNING, true },
		[MLX5LM_PHASE_SWITCHOVER] = { STAGE_MIGRATE, DOMAIN_PAUSED_BY_MIGRATION, true },
		[MLX5LM_PHASE_RESUME] = { STAGE_MIGRATE, DOMAIN_GONE, false },
		[MLX5LM_PHASE_VERIFY] = { STAGE_VERIFY, DOMAIN_UNKNOWN, false },
		[MLX5LM_PHASE_CLEAN_UP] = { STAGE_CLEAN_UP, DOMAIN_UNKNOWN, false },
	};
	uint64_t now = 0;

	for (uint32_t i = MLX5LM_PHASE_PREFLIGHT; i <= phase; i++) {
		struct job_stats stats = job(64 * MIB, 32 * MIB, 32 * MIB, 1);

		feed(machine, ways[i].stage, ways[i].source, ways[i].copies ? stats : nothing, now);
		cr_assert_eq(machine->progress.phase, i);
		now += 10;
	}
	return now;
}

static uint64_t sum_of_times(const struct phase_machine *machine)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < PHASES; i++)
		sum += machine->times[i].duration_ms;
	return sum;
}

Test(phase, a_failure_in_each_phase_closes_it)
{
	for (uint32_t phase = MLX5LM_PHASE_PREFLIGHT; phase <= MLX5LM_PHASE_CLEAN_UP; phase++) {
		struct phase_machine machine;
		uint64_t now, percent;

		phase_start(&machine, 0);
		now = lead_to(&machine, phase);
		percent = value(&machine, MLX5LM_PROGRESS_PERCENT);
		feed(&machine, STAGE_VERIFY, DOMAIN_UNKNOWN, nothing, now);
		feed(&machine, STAGE_CLEAN_UP, DOMAIN_UNKNOWN, nothing, now + 5);
		EXPECT("done:failed", STAGE_FAILED, DOMAIN_UNKNOWN, nothing, now + 7);
		cr_expect_eq(value(&machine, MLX5LM_PROGRESS_PERCENT), percent);
		cr_expect_not(known(&machine, MLX5LM_PROGRESS_ETA_MS));
		cr_expect_not(known(&machine, MLX5LM_PROGRESS_ETA_IS_ESTIMATE));
		cr_expect_not(known(&machine, MLX5LM_PROGRESS_DOWNTIME_MS));
		cr_expect(machine.times[MLX5LM_PHASE_FAILED].began_ms.known);
		cr_expect_eq(sum_of_times(&machine), now + 7, "no time is lost or counted twice");
	}
}

Test(phase, the_phase_that_lasts_has_its_time_so_far)
{
	struct phase_machine machine;

	phase_start(&machine, 0);
	feed(&machine, STAGE_PREFLIGHT, DOMAIN_UNKNOWN, nothing, 0);
	feed(&machine, STAGE_PREFLIGHT, DOMAIN_UNKNOWN, nothing, 30);
	EXPECT_TIME(PREFLIGHT, 0, 30);
}

Test(phase, who_waits_knows_for_how_many)
{
	struct phase_machine machine;
	struct phase_facts facts = { .stage = STAGE_PREPARE, .queue_position = fact_u64(2) };

	phase_start(&machine, 0);
	cr_expect_str_eq(feed_facts(&machine, &facts), "phase:prepare sample");
	cr_expect_eq(value(&machine, MLX5LM_PROGRESS_QUEUE_POSITION), 2);
	cr_expect_str_eq(feed_facts(&machine, &facts), "", "nothing has changed");
	facts.queue_position = fact_u64(1);
	cr_expect_str_eq(feed_facts(&machine, &facts), "sample");
	facts.queue_position = (struct fact_u64){ 0 };
	cr_expect_str_eq(feed_facts(&machine, &facts), "");
	cr_expect_eq(value(&machine, MLX5LM_PROGRESS_QUEUE_POSITION), 1, "as it was");
	facts.queue_position = fact_u64(0);
	cr_expect_str_eq(feed_facts(&machine, &facts), "");
	cr_expect_not(known(&machine, MLX5LM_PROGRESS_QUEUE_POSITION), "it is its turn");
	facts.queue_position = fact_u64(7);
	feed_facts(&machine, &facts);
	facts.stage = STAGE_MIGRATE;
	cr_expect_str_eq(feed_facts(&machine, &facts), "phase:setup");
	cr_expect_not(known(&machine, MLX5LM_PROGRESS_QUEUE_POSITION));
}

Test(phase, what_the_policy_does_is_told_between_iteration_and_sample)
{
	struct phase_machine machine;
	struct phase_facts facts = { .stage = STAGE_MIGRATE,
				     .source = DOMAIN_RUNNING,
				     .job = job(64 * MIB, 32 * MIB, 32 * MIB, 1),
				     .downtime_limit_ms = fact_u64(300),
				     .stalls = fact_u64(0),
				     .forecast_ms = fact_u64(420),
				     .num_vfs = fact_u64(2) };

	facts.job.throttle_percent = fact_u64(20);
	phase_start(&machine, 0);
	feed_facts(&machine, &facts);
	cr_expect_eq(value(&machine, MLX5LM_PROGRESS_STALLS), 0);
	cr_expect_eq(value(&machine, MLX5LM_PROGRESS_DOWNTIME_LIMIT_MS), 300);
	cr_expect_eq(value(&machine, MLX5LM_PROGRESS_DOWNTIME_FORECAST_MS), 420);
	cr_expect_eq(value(&machine, MLX5LM_PROGRESS_VFS), 2);
	cr_expect_eq(value(&machine, MLX5LM_PROGRESS_THROTTLE_PERCENT), 20);
	facts.job.memory_iteration = fact_u64(4);
	facts.job.throttle_percent = fact_u64(101);
	facts.acted = true;
	facts.stalls = fact_u64(1);
	facts.downtime_limit_ms = fact_u64(600);
	cr_expect_str_eq(feed_facts(&machine, &facts), "iteration stall sample");
	cr_expect_eq(value(&machine, MLX5LM_PROGRESS_STALLS), 1);
	cr_expect_eq(value(&machine, MLX5LM_PROGRESS_DOWNTIME_LIMIT_MS), 600);
	cr_expect_eq(value(&machine, MLX5LM_PROGRESS_THROTTLE_PERCENT), 20, "101 is no percentage");
	/* It may act on a look without numbers, too: a deadline. */
	facts.job = nothing;
	facts.stalls = fact_u64(0);
	cr_expect_str_eq(feed_facts(&machine, &facts), "stall");
	cr_expect_eq(value(&machine, MLX5LM_PROGRESS_STALLS), 1);
}

Test(phase, the_state_of_the_vfs_is_counted_apart_from_memory)
{
	struct phase_machine machine;
	struct job_stats stats = job(64 * MIB, 40 * MIB, 8 * MIB, 1);

	phase_start(&machine, 0);
	feed(&machine, STAGE_MIGRATE, DOMAIN_RUNNING, stats, 1);
	cr_expect_not(known(&machine, MLX5LM_PROGRESS_VFIO_TRANSFERRED_BYTES),
		      "libvirt before 10.6, or nothing sent yet");
	cr_expect_not(known(&machine, MLX5LM_PROGRESS_MEMORY_TRANSFERRED_BYTES));
	stats.vfio_transferred = fact_u64(3 * MIB);
	/* In libvirt's number they are not apart. */
	stats.memory_processed = fact_u64(40 * MIB);
	feed(&machine, STAGE_MIGRATE, DOMAIN_RUNNING, stats, 2);
	stats.vfio_transferred = fact_u64(2 * MIB);
	stats.memory_processed = fact_u64(36 * MIB);
	feed(&machine, STAGE_MIGRATE, DOMAIN_RUNNING, stats, 3);
	cr_expect_eq(value(&machine, MLX5LM_PROGRESS_VFIO_TRANSFERRED_BYTES), 3 * MIB);
	cr_expect_eq(value(&machine, MLX5LM_PROGRESS_MEMORY_TRANSFERRED_BYTES), 37 * MIB);
	cr_expect_eq(value(&machine, MLX5LM_PROGRESS_DATA_PROCESSED_BYTES), 40 * MIB);
}

Test(phase, numbers_of_another_job_are_not_of_the_migration)
{
	struct phase_machine machine;
	struct job_stats dump = job(64 * MIB, 60 * MIB, 4 * MIB, 1);

	dump.operation = JOB_OPERATION_OTHER;
	phase_start(&machine, 0);
	EXPECT("phase:setup", STAGE_MIGRATE, DOMAIN_RUNNING, dump, 1);
	cr_expect_eq(value(&machine, MLX5LM_PROGRESS_PERCENT), 0);
	cr_expect_eq(phase_of_job(DOMAIN_RUNNING, &dump), MLX5LM_PHASE_SETUP);
	dump.operation = JOB_OPERATION_MIGRATION_OUT;
	EXPECT("phase:pre-copy iteration sample", STAGE_MIGRATE, DOMAIN_RUNNING, dump, 2);
	cr_expect_eq(phase_of_job(DOMAIN_RUNNING, &dump), MLX5LM_PHASE_PRE_COPY);
	cr_expect_eq(phase_of_job(DOMAIN_PAUSED, &dump), MLX5LM_PHASE_PRE_COPY);
	cr_expect_eq(phase_of_job(DOMAIN_UNKNOWN, &dump), MLX5LM_PHASE_PRE_COPY);
	cr_expect_eq(phase_of_job(DOMAIN_PAUSED_BY_MIGRATION, &dump), MLX5LM_PHASE_SWITCHOVER);
	cr_expect_eq(phase_of_job(DOMAIN_GONE, &nothing), MLX5LM_PHASE_RESUME);
	cr_expect_eq(phase_of_job(DOMAIN_OFF, &nothing), MLX5LM_PHASE_RESUME);
}

static uint64_t random_state = 1;

/* Deterministic: xorshift64*. */
static uint64_t random_below(uint64_t bound)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (random_state * 0x2545f4914f6cdd1dull >> 16) % bound;
}

/* Nothing, zero, a few, what there is of it in real life, a lot. */
static struct fact_u64 random_fact(void)
{
	switch (random_below(6)) {
	case 0:
		return (struct fact_u64){ 0 };
	case 1:
		return fact_u64(0);
	case 2:
		return fact_u64(random_below(100));
	case 3:
		return fact_u64(UINT64_MAX - random_below(3));
	default:
		return fact_u64(random_below(1ull << (10 + random_below(30))));
	}
}

static struct phase_facts random_facts(uint64_t now_ms)
{
	static const enum session_stage stages[] = {
		STAGE_PREFLIGHT, STAGE_PREPARE, STAGE_MIGRATE,
		STAGE_MIGRATE,	 STAGE_MIGRATE, STAGE_MIGRATE
	};
	struct phase_facts facts = {
		.now_ms = random_below(20) ? now_ms : random_fact().value,
		.stage = random_below(300) ? stages[random_below(6)]
					   : STAGE_VERIFY + (enum session_stage)random_below(5),
		.source = random_below(20) ? DOMAIN_RUNNING : (enum domain_state)random_below(6),
		.downtime_limit_ms = random_fact(),
		.stalls = random_fact(),
		.queue_position = random_fact(),
		.forecast_ms = random_fact(),
		.state_bytes = random_fact(),
		.num_vfs = random_fact(),
		.acted = random_below(4) == 0,
	};
	/* All numbers lie behind one another. */
	struct fact_u64 *number = &facts.job.time_elapsed_ms;

	facts.job.type = random_below(5) ? JOB_RUNNING : (enum job_type)random_below(6);
	facts.job.operation = random_below(9) ? JOB_OPERATION_MIGRATION_OUT : JOB_OPERATION_OTHER;
	for (; number <= &facts.job.vfio_transferred; number++)
		*number = random_fact();
	return facts;
}

static const enum mlx5lm_progress_key never_less[] = {
	MLX5LM_PROGRESS_PERCENT,
	MLX5LM_PROGRESS_ELAPSED_MS,
	MLX5LM_PROGRESS_DATA_PROCESSED_BYTES,
	MLX5LM_PROGRESS_ITERATION,
	MLX5LM_PROGRESS_VFIO_TRANSFERRED_BYTES,
	MLX5LM_PROGRESS_MEMORY_TRANSFERRED_BYTES,
	MLX5LM_PROGRESS_STALLS,
};

static void check_step(const struct phase_machine *before, const struct phase_machine *after,
		       const enum mlx5lm_event *events, size_t length)
{
	const struct mlx5lm_progress *old = &before->progress, *new = &after->progress;
	const struct fact_u64 *values = new->values;
	bool final = phase_is_final(new->phase);

	cr_assert_leq(length, PHASE_MAX_EVENTS);
	cr_assert_geq(new->phase, old->phase);
	for (size_t i = 0; i < ARRAY_LENGTH(never_less); i++) {
		struct fact_u64 a = old->values[never_less[i]], b = values[never_less[i]];

		cr_assert(!a.known || (b.known && b.value >= a.value), "key %d",
			  (int)never_less[i]);
	}
	cr_assert_leq(value(after, MLX5LM_PROGRESS_PERCENT), 100);
	cr_assert_eq(value(after, MLX5LM_PROGRESS_PERCENT) == 100,
		     new->phase == MLX5LM_PHASE_COMPLETED);
	cr_assert_leq(values[MLX5LM_PROGRESS_ETA_MS].value, 24 * 3600 * 1000);
	cr_assert_eq(values[MLX5LM_PROGRESS_ETA_MS].known,
		     values[MLX5LM_PROGRESS_ETA_IS_ESTIMATE].known);
	cr_assert_leq(values[MLX5LM_PROGRESS_ETA_IS_ESTIMATE].value, 1);
	cr_assert_leq(values[MLX5LM_PROGRESS_THROTTLE_PERCENT].value, 100);
	for (size_t i = 0; i < length; i++)
		cr_assert_eq(events[i] == MLX5LM_EVENT_DONE, final && i == length - 1);
	if (phase_is_final(old->phase))
		cr_assert_eq(length, 0, "no event after DONE");
	else
		cr_assert(!final || length > 0);
	cr_assert_leq(sum_of_times(after), value(after, MLX5LM_PROGRESS_ELAPSED_MS));
}

Test(phase, whatever_a_daemon_says_nothing_goes_back_and_nothing_is_absurd)
{
	unsigned int ended = 0;

	for (int run = 0; run < 2000; run++) {
		struct phase_machine machine;
		uint64_t now = random_below(1000);

		phase_start(&machine, now);
		for (int look = 0; look < 200; look++, now += random_below(2000)) {
			const struct phase_facts facts = random_facts(now);
			const struct phase_machine before = machine;
			enum mlx5lm_event events[PHASE_MAX_EVENTS];
			size_t length = phase_feed(&machine, &facts, events);

			check_step(&before, &machine, events, length);
		}
		ended += phase_is_final(machine.progress.phase);
	}
	cr_expect_gt(ended, 200, "only %u runs came to their end", ended);
	cr_expect_lt(ended, 1800);
}

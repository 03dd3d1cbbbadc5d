// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/phase.h"

#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>

#define MIB (1024 * 1024ull)

/* A job as libvirt tells it; passes 0 is what it says before QEMU has begun. */
static struct job_stats job(uint64_t total, uint64_t processed, uint64_t remaining,
			    uint64_t passes)
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
static const char *feed(struct phase_machine *machine, enum session_stage stage,
			enum domain_state source, struct job_stats job_stats, uint64_t now_ms)
{
	static char text[128];
	const struct phase_facts facts = {
		.now_ms = now_ms, .stage = stage, .source = source, .job = job_stats
	};
	enum mlx5lm_event events[PHASE_MAX_EVENTS];
	size_t length = phase_feed(machine, &facts, events), used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < length; i++) {
		bool named = events[i] == MLX5LM_EVENT_PHASE || events[i] == MLX5LM_EVENT_DONE;

		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s%s%s",
					 i ? " " : "", name_of(&event_names, events[i]),
					 named ? ":" : "",
					 named ? name_of(&phase_names, machine->progress.phase) :
						 "");
	}
	return text;
}

static uint64_t value(const struct phase_machine *machine, enum mlx5lm_progress_key key)
{
	cr_assert(machine->progress.values[key].known, "key %d is not known", (int)key);
	return machine->progress.values[key].value;
}

static const struct job_stats nothing;

#define EXPECT(expected, stage, source, stats, now)                                                \
	cr_expect_str_eq(feed(&machine, stage, source, stats, now), expected)

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
	EXPECT("sample", STAGE_MIGRATE, DOMAIN_RUNNING, job(64 * MIB, 12 * MIB, 16 * MIB, 1),
	       1600);
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
	for (int key = MLX5LM_PROGRESS_MEMORY_REMAINING_BYTES; key < PROGRESS_KEYS; key++)
		cr_expect_not(machine.progress.values[key].known, "key %d", key);
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

Test(progress, one_line_of_json_with_what_is_known)
{
	struct mlx5lm_progress progress = { .event = MLX5LM_EVENT_SAMPLE,
					    .phase = MLX5LM_PHASE_PRE_COPY };
	char *json = NULL;

	progress.values[MLX5LM_PROGRESS_PERCENT] = fact_u64(42);
	progress.values[MLX5LM_PROGRESS_DIRTY_RATE_PAGES_PER_S] = fact_u64(UINT64_MAX);
	cr_assert_eq(progress_to_json(&progress, &json), 0);
	cr_expect_str_eq(json, "{\"event\":\"sample\",\"phase\":\"pre-copy\",\"percent\":42,"
			       "\"dirty_rate_pages_per_s\":18446744073709551615}");
	free(json);
}

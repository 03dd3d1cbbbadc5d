// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/phase.h"

#include <criterion/criterion.h>

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"

/*
 * What libvirt 11.3 told of migrations between two hosts of the lab, look by look: tests/data/series.
 * The numbers of enumerations are libvirt's.
 */

struct replay {
	struct phase_machine machine;
	struct strbuf phases; /* in their order */
	struct phase_facts facts;
	unsigned int events[MLX5LM_EVENT_STALL + 1];
	unsigned int etas, eta_changes; /* known ones; between known and not known */
	uint64_t longest_eta_ms;
	uint64_t percent;
};

static struct fact_u64 get(const json_t *stats, const char *key)
{
	const json_t *value = json_object_get(stats, key);

	return value ? fact_u64((uint64_t)json_integer_value(value)) : (struct fact_u64){ 0 };
}

static struct job_stats job_of(const json_t *look)
{
	static const enum job_type types[] = { JOB_NONE,      JOB_RUNNING, JOB_RUNNING,
					       JOB_COMPLETED, JOB_FAILED,  JOB_CANCELLED };
	const json_t *job = json_object_get(look, "job"), *stats = json_object_get(job, "stats");
	struct fact_u64 type = get(job, "type");

	if (!type.known)
		return (struct job_stats){ 0 };
	cr_assert_lt(type.value, ARRAY_LENGTH(types));
	return (struct job_stats){
		.type = types[type.value],
		.operation = get(stats, "operation").value == 5 ? JOB_OPERATION_MIGRATION_OUT
								: JOB_OPERATION_UNKNOWN,
		.time_elapsed_ms = get(stats, "time_elapsed"),
		.downtime_ms = get(stats, "downtime"),
		.setup_ms = get(stats, "setup_time"),
		.data_total = get(stats, "data_total"),
		.data_processed = get(stats, "data_processed"),
		.data_remaining = get(stats, "data_remaining"),
		.memory_total = get(stats, "memory_total"),
		.memory_remaining = get(stats, "memory_remaining"),
		.memory_bytes_per_s = get(stats, "memory_bps"),
		.memory_dirty_pages_per_s = get(stats, "memory_dirty_rate"),
		.memory_iteration = get(stats, "memory_iteration"),
		.memory_processed = get(stats, "memory_processed"),
		.memory_page_size = get(stats, "memory_page_size"),
		.throttle_percent = get(stats, "auto_converge_throttle"),
		.vfio_transferred = get(stats, "vfio_data_transferred"),
	};
}

static enum domain_state state_of(const json_t *look)
{
	const json_t *domain = json_object_get(look, "domain");
	struct fact_u64 code = get(json_object_get(domain, "error"), "code");

	if (code.known)
		return code.value == 42 ? DOMAIN_GONE : DOMAIN_UNKNOWN;
	if (get(domain, "state").value == 3)
		return get(domain, "reason").value == 2 ? DOMAIN_PAUSED_BY_MIGRATION
							: DOMAIN_PAUSED;
	return DOMAIN_RUNNING;
}

static void feed(struct replay *replay)
{
	struct phase_machine *machine = &replay->machine;
	const struct fact_u64 *values = machine->progress.values;
	bool had_eta = values[MLX5LM_PROGRESS_ETA_MS].known;
	enum mlx5lm_event events[PHASE_MAX_EVENTS];
	size_t length = phase_feed(machine, &replay->facts, events);

	for (size_t i = 0; i < length; i++) {
		replay->events[events[i]]++;
		if (events[i] == MLX5LM_EVENT_PHASE || events[i] == MLX5LM_EVENT_DONE)
			strbuf_printf(&replay->phases, "%s%s", replay->phases.length ? " " : "",
				      name_of(&phase_names, machine->progress.phase));
	}
	cr_expect_geq(values[MLX5LM_PROGRESS_PERCENT].value, replay->percent);
	replay->percent = values[MLX5LM_PROGRESS_PERCENT].value;
	if (machine->progress.phase > MLX5LM_PHASE_SWITCHOVER)
		return;
	replay->etas += values[MLX5LM_PROGRESS_ETA_MS].known;
	replay->eta_changes += values[MLX5LM_PROGRESS_ETA_MS].known != had_eta;
	if (values[MLX5LM_PROGRESS_ETA_MS].value > replay->longest_eta_ms)
		replay->longest_eta_ms = values[MLX5LM_PROGRESS_ETA_MS].value;
}

static void end(struct replay *replay, const json_t *returned)
{
	bool ok = json_is_true(json_object_get(returned, "ok"));

	replay->facts.job = (struct job_stats){ 0 };
	replay->facts.source = DOMAIN_UNKNOWN;
	replay->facts.stage = STAGE_VERIFY;
	feed(replay);
	replay->facts.stage = STAGE_CLEAN_UP;
	feed(replay);
	replay->facts.stage = ok ? STAGE_COMPLETED : STAGE_CANCELLED;
	feed(replay);
}

/* A look, what the recorder did to the migration, or the return of libvirt's call. */
static void replay_line(struct replay *replay, const json_t *line)
{
	const char *did = json_string_value(json_object_get(line, "did"));
	uint64_t limit_ms;

	replay->facts.now_ms = get(line, "t_ms").value;
	if (did && sscanf(did, "max-downtime %" SCNu64, &limit_ms) == 1)
		replay->facts.downtime_limit_ms = fact_u64(limit_ms);
	if (json_object_get(line, "returned")) {
		end(replay, json_object_get(line, "returned"));
	} else if (!did) {
		replay->facts.source = state_of(line);
		replay->facts.job = job_of(line);
		feed(replay);
	}
}

static struct replay replay_file(const char *name, uint64_t num_vfs, uint64_t state_bytes)
{
	struct replay replay = { .facts = { .stage = STAGE_MIGRATE,
					    .downtime_limit_ms = fact_u64(300),
					    .num_vfs = fact_u64(num_vfs),
					    .state_bytes = fact_u64(state_bytes) } };
	_cleanup_free_ char *path = str_printf("%s/series/%s.jsonl", TEST_DATA, name), *line = NULL;
	FILE *file = fopen(path, "re");
	size_t allocated = 0;

	cr_assert_not_null(file, "%s", path);
	phase_start(&replay.machine, 0);
	while (getline(&line, &allocated, file) > 0) {
		json_t *json = json_loads(line, 0, NULL);

		cr_assert_not_null(json, "%s", line);
		replay_line(&replay, json);
		json_decref(json);
	}
	fclose(file);
	return replay;
}

static void replay_release(struct replay *replay)
{
	strbuf_release(&replay->phases);
}

static struct fact_u64 value(const struct replay *replay, enum mlx5lm_progress_key key)
{
	return replay->machine.progress.values[key];
}

static uint64_t lasted_ms(const struct replay *replay, enum mlx5lm_phase phase)
{
	cr_assert(replay->machine.times[phase].began_ms.known);
	return replay->machine.times[phase].duration_ms;
}

#define KIB 1024ull

Test(phase_series, a_guest_without_vf_moves)
{
	struct replay replay = replay_file("plain-easy", 0, 0);

	cr_expect_str_eq(replay.phases.text, "setup pre-copy switchover verify clean-up completed");
	cr_expect_eq(value(&replay, MLX5LM_PROGRESS_PERCENT).value, 100);
	cr_expect_eq(value(&replay, MLX5LM_PROGRESS_ITERATION).value, 3);
	cr_expect_eq(replay.events[MLX5LM_EVENT_ITERATION], 2, "two passes went by between looks");
	cr_expect_not(value(&replay, MLX5LM_PROGRESS_VFIO_TRANSFERRED_BYTES).known);
	cr_expect_eq(value(&replay, MLX5LM_PROGRESS_MEMORY_TRANSFERRED_BYTES).value, 20109304);
	cr_expect_eq(value(&replay, MLX5LM_PROGRESS_DATA_PROCESSED_BYTES).value, 20109304);
	cr_expect_eq(value(&replay, MLX5LM_PROGRESS_VFS).value, 0);
	cr_expect_gt(lasted_ms(&replay, MLX5LM_PHASE_SETUP), 6000);
	cr_expect_lt(lasted_ms(&replay, MLX5LM_PHASE_PRE_COPY), 1500);
	cr_expect_lt(replay.longest_eta_ms, 4000);
	replay_release(&replay);
}

Test(phase_series, a_guest_with_a_vf_moves)
{
	struct replay replay = replay_file("vf-easy", 1, 1120 * KIB);

	cr_expect_str_eq(replay.phases.text, "setup pre-copy switchover verify clean-up completed");
	cr_expect_eq(value(&replay, MLX5LM_PROGRESS_ITERATION).value, 4);
	cr_expect_eq(value(&replay, MLX5LM_PROGRESS_VFIO_TRANSFERRED_BYTES).value, 1147184);
	/* What libvirt calls memory is all that went through QEMU's stream. */
	cr_expect_eq(value(&replay, MLX5LM_PROGRESS_MEMORY_TRANSFERRED_BYTES).value,
		     23044895 - 1147184);
	cr_expect_eq(value(&replay, MLX5LM_PROGRESS_SETUP_MS).value, 220);
	cr_expect_eq(replay.eta_changes, 1, "once known it remains so");
	cr_expect_lt(replay.longest_eta_ms, 25000);
	replay_release(&replay);
}

Test(phase_series, two_vfs_over_parallel_channels_move)
{
	struct replay replay = replay_file("two-vfs-parallel", 2, 2240 * KIB);

	cr_expect_str_eq(replay.phases.text, "setup pre-copy switchover verify clean-up completed");
	cr_expect_eq(value(&replay, MLX5LM_PROGRESS_ITERATION).value, 6);
	cr_expect_eq(value(&replay, MLX5LM_PROGRESS_VFIO_TRANSFERRED_BYTES).value, 2442360);
	/* At the change of passes one look measured 1 % of the speed. */
	cr_expect_eq(replay.eta_changes, 1);
	replay_release(&replay);
}

Test(phase_series, one_that_does_not_converge_has_no_eta_until_it_is_forced)
{
	struct replay replay = replay_file("vf-never-converges-then-max-downtime", 1, 1120 * KIB);

	cr_expect_str_eq(replay.phases.text, "setup pre-copy switchover verify clean-up completed");
	cr_expect_eq(replay.eta_changes, 3, "known in the first pass and after the last");
	cr_expect_lt(replay.longest_eta_ms, 15000);
	cr_expect_eq(value(&replay, MLX5LM_PROGRESS_DOWNTIME_LIMIT_MS).value, 2000000);
	cr_expect_eq(value(&replay, MLX5LM_PROGRESS_ITERATION).value, 6);
	replay_release(&replay);
}

Test(phase_series, one_that_is_aborted_keeps_its_percent)
{
	struct replay replay = replay_file("vf-never-converges-then-abort", 1, 1120 * KIB);

	cr_expect_str_eq(replay.phases.text, "setup pre-copy verify clean-up cancelled");
	cr_expect_eq(replay.events[MLX5LM_EVENT_DONE], 1);
	cr_expect_geq(replay.percent, 50);
	cr_expect_leq(replay.percent, 95);
	cr_expect_not(value(&replay, MLX5LM_PROGRESS_ETA_MS).known);
	replay_release(&replay);
}

Test(phase_series, a_guest_that_is_slowed_down_comes_to_an_eta_late)
{
	struct replay replay = replay_file("plain-auto-converge", 0, 0);

	cr_expect_str_eq(replay.phases.text, "setup pre-copy verify clean-up cancelled");
	cr_expect_eq(value(&replay, MLX5LM_PROGRESS_THROTTLE_PERCENT).value, 50);
	cr_expect_eq(value(&replay, MLX5LM_PROGRESS_ITERATION).value, 9);
	cr_expect_lt(replay.eta_changes, 12, "%u", replay.eta_changes);
	cr_expect_lt(replay.longest_eta_ms, 60000);
	replay_release(&replay);
}

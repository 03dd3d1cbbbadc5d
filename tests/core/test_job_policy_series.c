// SPDX-License-Identifier: LGPL-2.1-or-later
/* What a policy makes of what libvirt 11.3 told of real migrations: tests/data/series. */
#include "core/job_policy.h"

#include <criterion/criterion.h>

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "core/phase.h"

/* As libvirt numbers them. */
#define STATE_PAUSED 3
#define REASON_MIGRATION 2

/* What was decided during a series, which goes on as it was recorded whatever that is. */
struct outcome {
	unsigned int looks, stalls;
	uint64_t stalled_in[8]; /* iterations */
	uint64_t limits_ms[8];
	unsigned int raises;
	uint64_t low_bytes;
};

static struct fact_u64 get(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return value ? fact_u64((uint64_t)json_integer_value(value)) : (struct fact_u64){ 0 };
}

static struct policy_sample sample_of(const json_t *line)
{
	const json_t *domain = json_object_get(line, "domain");
	const json_t *job = json_object_get(line, "job"), *stats = json_object_get(job, "stats");
	struct job_stats parsed = {
		.type = get(job, "type").value == 2 ? JOB_RUNNING : JOB_NONE,
		.data_total = get(stats, "data_total"),
	};
	bool is_paused = get(domain, "state").value == STATE_PAUSED &&
			 get(domain, "reason").value == REASON_MIGRATION;

	return (struct policy_sample){
		.now_ms = get(line, "t_ms").value,
		.phase = phase_of_job(is_paused ? DOMAIN_PAUSED_BY_MIGRATION : DOMAIN_RUNNING,
				      &parsed),
		.remaining_bytes = get(stats, "data_remaining"),
		.iteration = get(stats, "memory_iteration"),
	};
}

static struct outcome replay(const char *name, const struct job_policy *policy)
{
	_cleanup_free_ char *path = str_printf("%s/series/%s.jsonl", TEST_DATA, name), *line = NULL;
	FILE *file = fopen(path, "re");
	struct outcome outcome = { 0 };
	struct policy_state state;
	size_t allocated = 0;

	cr_assert_not_null(file, "%s", path);
	job_policy_start(&state, policy, 0, 300);
	while (getline(&line, &allocated, file) > 0) {
		json_t *json = json_loads(line, 0, NULL);
		struct policy_sample sample;
		struct policy_decision decision;

		cr_assert_not_null(json, "%s", line);
		if (json_object_get(json, "job")) {
			sample = sample_of(json);
			decision = job_policy_decide(policy, &state, &sample);
			outcome.looks++;
			if (decision.stalled && outcome.stalls < 8)
				outcome.stalled_in[outcome.stalls++] = sample.iteration.value;
			if (decision.action == MLX5LM_ACTION_RAISE_DOWNTIME && outcome.raises < 8)
				outcome.limits_ms[outcome.raises++] = decision.downtime_limit_ms;
		}
		json_decref(json);
	}
	fclose(file);
	outcome.low_bytes = state.low_bytes.value;
	return outcome;
}

static struct job_policy raising(uint64_t stall_iterations)
{
	return (struct job_policy){ .downtime_ceiling_ms = 2260,
				    .downtime_steps = 5,
				    .stall_iterations = stall_iterations,
				    .stall_action = MLX5LM_ACTION_RAISE_DOWNTIME,
				    .stall_deadline_ms = 60000 };
}

Test(job_policy_series, what_converged_is_left_alone)
{
	static const char *const names[] = { "plain-easy", "vf-easy", "two-vfs-parallel" };

	for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
		for (uint64_t iterations = 1; iterations <= 3; iterations++) {
			struct job_policy policy = raising(iterations);
			struct outcome outcome = replay(names[i], &policy);

			cr_expect_gt(outcome.looks, 40);
			cr_expect_eq(outcome.stalls, 0, "%s: %u", names[i], outcome.stalls);
		}
	}
}

Test(job_policy_series, a_guest_as_busy_as_the_network_is_raised_at_each_third_iteration)
{
	struct job_policy policy = raising(3);
	struct outcome outcome = replay("plain-auto-converge", &policy);

	/* The first sends 60740 KiB, the second 30416, the next ones more. */
	cr_expect_eq(outcome.low_bytes, 30416 * 1024, "%" PRIu64, outcome.low_bytes);
	cr_expect_eq(outcome.stalls, 2);
	cr_expect_eq(outcome.stalled_in[0], 5);
	cr_expect_eq(outcome.stalled_in[1], 8);
	cr_expect_eq(outcome.raises, 2);
	cr_expect_eq(outcome.limits_ms[0], 449);
	cr_expect_eq(outcome.limits_ms[1], 673);
}

Test(job_policy_series, a_guest_with_a_vf_stalls_as_soon_as_the_policy_says)
{
	struct job_policy thrice = raising(3), once = raising(1);
	struct outcome outcome = replay("vf-never-converges-then-max-downtime", &once);

	/* The third has as much to send as the second; in the fourth somebody forces. */
	cr_expect_eq(outcome.low_bytes, 31040 * 1024, "%" PRIu64, outcome.low_bytes);
	cr_expect_geq(outcome.stalls, 1);
	cr_expect_eq(outcome.stalled_in[0], 3);
	cr_expect_eq(outcome.limits_ms[0], 449);
	outcome = replay("vf-never-converges-then-max-downtime", &thrice);
	cr_expect_eq(outcome.stalls, 0);
	/* This one was aborted when the third had just begun. */
	outcome = replay("vf-never-converges-then-abort", &once);
	cr_expect_eq(outcome.stalls, 0);
}

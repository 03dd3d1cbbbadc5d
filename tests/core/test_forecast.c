// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/forecast.h"

#include <criterion/criterion.h>

#include <errno.h>
#include <inttypes.h>

#include "little_memory.h"

#define MIB (UINT64_C(1) << 20)
#define GBIT_PER_S_100 UINT64_C(12500000000)

static struct forecast_facts facts_of(uint64_t num_vfs, uint64_t vf_bytes, uint64_t bytes_per_s)
{
	return (struct forecast_facts){
		.num_vfs = num_vfs,
		.vf_state_bytes = fact_u64(vf_bytes),
		.bandwidth_bytes_per_s = fact_u64(bytes_per_s),
		.switchover_ack = MLX5LM_ANSWER_YES,
	};
}

/* What others have measured; see forecast.c for who. */
static const struct {
	uint64_t num_vfs, vf_bytes;
	enum mlx5lm_answer switchover_ack;
	uint64_t channels;
	bool tls;
	uint64_t published_ms;
} points[] = {
	{ 1, 300000000, MLX5LM_ANSWER_NO, 0, false, 1900 },
	{ 1, 300000000, MLX5LM_ANSWER_YES, 0, false, 420 },
	{ 4, 100 * MIB, MLX5LM_ANSWER_YES, 0, false, 2100 },
	{ 4, 100 * MIB, MLX5LM_ANSWER_YES, 15, false, 1100 },
	{ 4, 100 * MIB, MLX5LM_ANSWER_YES, 15, true, 1200 },
	{ 4, 100 * MIB, MLX5LM_ANSWER_YES, 0, true, 2300 },
};

Test(forecast, is_within_a_quarter_of_all_published_points)
{
	for (size_t i = 0; i < ARRAY_LENGTH(points); i++) {
		struct forecast_facts facts =
			facts_of(points[i].num_vfs, points[i].vf_bytes, GBIT_PER_S_100);
		uint64_t published = points[i].published_ms, ms;

		facts.switchover_ack = points[i].switchover_ack;
		facts.channels = points[i].channels;
		facts.tls = points[i].tls;
		ms = forecast_downtime(&facts).downtime_ms;
		cr_expect(ms * 100 >= published * 75 && ms * 100 <= published * 125,
			  "point %zu: %" PRIu64 " ms, published %" PRIu64 " ms", i, ms, published);
	}
}

Test(forecast, more_of_anything_is_never_faster)
{
	for (uint64_t vfs = 1; vfs <= 16; vfs++) {
		struct forecast_facts facts = facts_of(vfs, 100 * MIB, GBIT_PER_S_100), other;
		uint64_t ms = forecast_downtime(&facts).downtime_ms;

		other = facts;
		other.num_vfs++;
		cr_expect_gt(forecast_downtime(&other).downtime_ms, ms);
		other = facts;
		other.vf_state_bytes.value *= 2;
		cr_expect_gt(forecast_downtime(&other).downtime_ms, ms);
		other = facts;
		other.bandwidth_bytes_per_s.value /= 10;
		cr_expect_gt(forecast_downtime(&other).downtime_ms, ms);
		other = facts;
		other.switchover_ack = MLX5LM_ANSWER_NO;
		cr_expect_gt(forecast_downtime(&other).downtime_ms, ms);
		other = facts;
		other.tls = true;
		cr_expect_gt(forecast_downtime(&other).downtime_ms, ms);
		other = facts;
		other.channels = 8;
		cr_expect_eq(forecast_downtime(&other).downtime_ms<ms, vfs> 1);
	}
}

Test(forecast, one_channel_is_as_good_as_none_and_more_than_vfs_are_no_help)
{
	struct forecast_facts facts = facts_of(4, 100 * MIB, GBIT_PER_S_100);
	uint64_t one = forecast_downtime(&facts).downtime_ms, four, most;

	facts.channels = 1;
	cr_expect_eq(forecast_downtime(&facts).downtime_ms, one);
	facts.channels = 4;
	four = forecast_downtime(&facts).downtime_ms;
	cr_expect_lt(four, one);
	facts.channels = UINT64_MAX;
	cr_expect_eq(forecast_downtime(&facts).downtime_ms, four);
	/* QEMU has no more than 255. */
	facts.num_vfs = 1000;
	most = forecast_downtime(&facts).downtime_ms;
	facts.channels = 255;
	cr_expect_eq(forecast_downtime(&facts).downtime_ms, most);
}

Test(forecast, an_unknown_switchover_ack_is_reckoned_as_none)
{
	struct forecast_facts facts = facts_of(1, 300000000, GBIT_PER_S_100);
	uint64_t none;

	facts.switchover_ack = MLX5LM_ANSWER_NO;
	none = forecast_downtime(&facts).downtime_ms;
	facts.switchover_ack = MLX5LM_ANSWER_UNKNOWN;
	cr_expect_eq(forecast_downtime(&facts).downtime_ms, none);
}

Test(forecast, the_least_limit_is_the_time_that_the_state_takes_rounded_up)
{
	static const struct {
		uint64_t num_vfs, vf_bytes, bytes_per_s, least_limit_ms;
	} cases[] = {
		{ 1, 1000, 1000000, 1 },
		{ 1, 1001, 1000000, 2 },
		{ 1, 1, UINT64_MAX, 1 },
		{ 1, 0, 1000, 0 },
		{ 4, 100 * MIB, 125000000, 3356 },
		{ 3, 1, 1, 3000 },
		{ 2, UINT64_MAX / 2, UINT64_MAX / 2, 2000 },
		{ 1, UINT64_MAX, UINT64_MAX, 1000 },
		{ 1, UINT64_MAX - 1, UINT64_MAX, 1000 },
		{ 1, UINT64_MAX, 1, UINT64_MAX },
		{ 1, UINT64_MAX, 1000, UINT64_MAX },
		{ UINT64_MAX, UINT64_MAX, 7, UINT64_MAX },
	};

	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct forecast_facts facts =
			facts_of(cases[i].num_vfs, cases[i].vf_bytes, cases[i].bytes_per_s);

		cr_expect_eq(forecast_downtime(&facts).least_limit_ms, cases[i].least_limit_ms,
			     "case %zu: %" PRIu64, i, forecast_downtime(&facts).least_limit_ms);
	}
}

Test(forecast, what_qemu_is_told_of_the_bandwidth_counts_for_the_limit)
{
	struct forecast_facts facts = facts_of(1, 100 * MIB, GBIT_PER_S_100);
	struct forecast before = forecast_downtime(&facts), after;

	facts.switchover_bytes_per_s = fact_u64(10 * MIB);
	after = forecast_downtime(&facts);
	cr_expect_eq(after.least_limit_ms, 10000);
	cr_expect_eq(after.downtime_ms, before.downtime_ms);
	facts.switchover_bytes_per_s = fact_u64(0);
	cr_expect_eq(forecast_downtime(&facts).least_limit_ms, before.least_limit_ms);
}

Test(forecast, what_nobody_says_is_assumed_and_told_to_be)
{
	struct forecast_facts told = facts_of(2, FORECAST_VF_STATE_BYTES, FORECAST_BYTES_PER_S);
	struct forecast_facts facts = told;
	struct forecast expected = forecast_downtime(&told), forecast;

	cr_expect_not(expected.is_assumed);
	cr_expect_eq(expected.state_bytes, 200 * MIB);
	for (int which = 0; which < 4; which++) {
		facts = told;
		if (which == 0)
			facts.vf_state_bytes = (struct fact_u64){ 0 };
		else if (which == 1)
			facts.bandwidth_bytes_per_s = (struct fact_u64){ 0 };
		else if (which == 2)
			facts.bandwidth_bytes_per_s = fact_u64(0);
		else
			facts.switchover_bytes_per_s = facts.vf_state_bytes =
				(struct fact_u64){ 0 };
		forecast = forecast_downtime(&facts);
		cr_expect(forecast.is_assumed, "%d", which);
		cr_expect_eq(forecast.state_bytes, expected.state_bytes);
		cr_expect_eq(forecast.downtime_ms, expected.downtime_ms);
		cr_expect_eq(forecast.least_limit_ms, expected.least_limit_ms);
	}
}

Test(forecast, a_domain_without_vfs_has_none)
{
	struct forecast_facts facts = facts_of(0, 100 * MIB, GBIT_PER_S_100);
	struct forecast forecast = forecast_downtime(&facts);
	struct job_policy policy = { .downtime_limit_ms = 1 };
	struct mlx5lm_findings findings = { 0 };

	cr_expect_eq(forecast.downtime_ms, 0);
	cr_expect_eq(forecast.least_limit_ms, 0);
	cr_expect_eq(forecast.state_bytes, 0);
	cr_expect_not(forecast.is_assumed);
	cr_assert_eq(forecast_check(&forecast, &policy, &findings), 0);
	cr_expect_eq(findings.length, 0);
}

Test(forecast, the_largest_numbers_do_not_wrap_around)
{
	const uint64_t large[] = {
		1, 2, 255, 1000, UINT64_C(1) << 32, UINT64_C(1) << 60, UINT64_MAX - 1, UINT64_MAX
	};

	for (size_t i = 0; i < ARRAY_LENGTH(large); i++) {
		for (size_t j = 0; j < ARRAY_LENGTH(large); j++) {
			for (size_t k = 0; k < ARRAY_LENGTH(large); k++) {
				struct forecast_facts facts =
					facts_of(large[i], large[j], large[k]);
				struct forecast forecast;
				double state = (double)large[i] * (double)large[j];
				double least_ms;

				facts.switchover_ack = MLX5LM_ANSWER_NO;
				facts.channels = UINT64_MAX;
				facts.tls = true;
				forecast = forecast_downtime(&facts);
				if (state > 0x1p64)
					state = 0x1p64;
				least_ms = state * 1000 / (double)large[k];
				cr_expect((double)forecast.state_bytes >= state * 0.999);
				cr_expect((double)forecast.least_limit_ms >=
					  (least_ms < 0x1p64 ? least_ms : 0x1p64) * 0.999);
				cr_expect_geq(forecast.downtime_ms, forecast.least_limit_ms);
			}
		}
	}
}

static const struct mlx5lm_finding *find(const struct mlx5lm_findings *findings, const char *id)
{
	for (size_t i = 0; i < findings->length; i++) {
		if (streq(findings->items[i].text[MLX5LM_FINDING_ID], id))
			return &findings->items[i];
	}
	return NULL;
}

static bool says(const struct mlx5lm_finding *finding, enum mlx5lm_finding_key key,
		 const char *words)
{
	return finding && finding->text[key] && strstr(finding->text[key], words);
}

Test(forecast, its_finding_has_the_numbers)
{
	struct forecast forecast = { .downtime_ms = 1834,
				     .least_limit_ms = 34,
				     .state_bytes = 400 * MIB };
	struct mlx5lm_findings findings = { 0 };
	struct job_policy policy = { 0 };
	const struct mlx5lm_finding *finding;

	cr_assert_eq(forecast_check(&forecast, &policy, &findings), 0);
	cr_expect_eq(findings.length, 1);
	finding = find(&findings, "session.forecast");
	cr_assert(finding);
	cr_expect_eq(finding->status, MLX5LM_STATUS_INFO);
	cr_expect_str_eq(finding->text[MLX5LM_FINDING_MESSAGE],
			 "the guest is expected to stand still for about 1834 ms: its VFs have "
			 "400 MiB of state");
	cr_expect_str_eq(finding->text[MLX5LM_FINDING_FOUND], "400 MiB of VF state");
	findings_release(&findings);
	forecast.is_assumed = true;
	cr_assert_eq(forecast_check(&forecast, &policy, &findings), 0);
	cr_expect(says(find(&findings, "session.forecast"), MLX5LM_FINDING_MESSAGE, "assumed"));
	findings_release(&findings);
}

#define RAISE MLX5LM_ACTION_RAISE_DOWNTIME
#define FORCE MLX5LM_ACTION_FORCE_SWITCHOVER
#define ABORT MLX5LM_ACTION_ABORT
#define CONTINUE MLX5LM_ACTION_CONTINUE

Test(forecast, a_limit_that_is_never_reached_is_found)
{
	static const struct {
		struct job_policy policy;
		uint64_t least_limit_ms, reach_ms; /* 0: it is reached */
	} cases[] = {
		/* QEMU's own limit is 300 ms. */
		{ { .stall_action = CONTINUE }, 300, 0 },
		{ { .stall_action = CONTINUE }, 301, 300 },
		{ { .downtime_limit_ms = 500, .stall_action = CONTINUE }, 500, 0 },
		{ { .downtime_limit_ms = 500, .stall_action = ABORT }, 501, 500 },
		{ { .downtime_ceiling_ms = 900, .downtime_steps = 5, .stall_action = RAISE },
		  900,
		  0 },
		{ { .downtime_ceiling_ms = 900, .downtime_steps = 5, .stall_action = RAISE },
		  901,
		  900 },
		/* A ceiling that nothing raises the limit to, and one below the limit. */
		{ { .downtime_ceiling_ms = 900, .downtime_steps = 5, .stall_action = CONTINUE },
		  301,
		  300 },
		{ { .downtime_ceiling_ms = 100, .downtime_steps = 5, .stall_action = RAISE },
		  301,
		  300 },
		/* A forced switchover reaches all that QEMU takes, if something forces it. */
		{ { .stall_action = FORCE }, DOWNTIME_LIMIT_MAX_MS, 0 },
		{ { .stall_action = FORCE }, DOWNTIME_LIMIT_MAX_MS + 1, DOWNTIME_LIMIT_MAX_MS },
		{ { .stall_action = CONTINUE, .deadline_action = FORCE }, 301, 300 },
		{ { .stall_action = CONTINUE, .deadline_action = FORCE, .stall_deadline_ms = 1 },
		  301,
		  0 },
		{ { .stall_action = CONTINUE, .deadline_action = FORCE, .total_deadline_ms = 1 },
		  301,
		  0 },
		{ { .stall_action = CONTINUE, .deadline_action = FORCE, .setup_deadline_ms = 1 },
		  301,
		  300 },
		{ { .stall_action = CONTINUE, .deadline_action = ABORT, .total_deadline_ms = 1 },
		  301,
		  300 },
	};

	for (size_t i = 0; i < ARRAY_LENGTH(cases) * 2; i++) {
		bool is_assumed = i % 2;
		struct forecast forecast = { .downtime_ms = 5000,
					     .least_limit_ms = cases[i / 2].least_limit_ms,
					     .state_bytes = 400 * MIB,
					     .is_assumed = is_assumed };
		struct mlx5lm_findings findings = { 0 };
		const struct mlx5lm_finding *finding;
		char reach[64];

		cr_assert_eq(forecast_check(&forecast, &cases[i / 2].policy, &findings), 0);
		finding = find(&findings, "session.downtime_limit");
		cr_expect_eq(!finding, cases[i / 2].reach_ms == 0, "case %zu", i / 2);
		if (finding && cases[i / 2].reach_ms) {
			snprintf(reach, sizeof(reach), "at most %" PRIu64 " ms",
				 cases[i / 2].reach_ms);
			cr_expect_str_eq(finding->text[MLX5LM_FINDING_FOUND], reach);
			cr_expect_eq(finding->status,
				     is_assumed ? MLX5LM_STATUS_WARN : MLX5LM_STATUS_FAIL);
		}
		findings_release(&findings);
	}
}

Test(forecast, the_remedy_names_what_to_set_and_to_what)
{
	struct forecast forecast = { .downtime_ms = 5000,
				     .least_limit_ms = 3356,
				     .state_bytes = 400 * MIB };
	struct job_policy policy = { .stall_action = CONTINUE };
	struct mlx5lm_findings findings = { 0 };
	const struct mlx5lm_finding *finding;

	cr_assert_eq(forecast_check(&forecast, &policy, &findings), 0);
	finding = find(&findings, "session.downtime_limit");
	cr_assert(finding);
	cr_expect(says(finding, MLX5LM_FINDING_REMEDY,
		       "raise the downtime ceiling to at least "
		       "3356 ms"));
	cr_expect(says(finding, MLX5LM_FINDING_REMEDY, "allow a forced switchover"));
	cr_expect(says(finding, MLX5LM_FINDING_REQUIRED, "at least 3356 ms"));
	cr_expect(says(finding, MLX5LM_FINDING_MESSAGE, "takes 3356 ms"));
	findings_release(&findings);

	forecast.is_assumed = true;
	cr_assert_eq(forecast_check(&forecast, &policy, &findings), 0);
	finding = find(&findings, "session.downtime_limit");
	cr_expect(says(finding, MLX5LM_FINDING_REMEDY, "tell the size of a VF's state"));
	cr_expect(says(finding, MLX5LM_FINDING_MESSAGE, "assumed"));
	findings_release(&findings);

	forecast.least_limit_ms = DOWNTIME_LIMIT_MAX_MS + 1;
	cr_assert_eq(forecast_check(&forecast, &policy, &findings), 0);
	finding = find(&findings, "session.downtime_limit");
	cr_expect(says(finding, MLX5LM_FINDING_REMEDY, "2000000 ms"));
	cr_expect_not(says(finding, MLX5LM_FINDING_REMEDY, "raise the downtime ceiling"));
	findings_release(&findings);
}

Test(forecast, little_memory_is_told)
{
	struct forecast forecast = { .downtime_ms = 5000, .least_limit_ms = 3356 };
	struct job_policy policy = { .stall_action = CONTINUE };
	bool failed = true;

	for (size_t number = 0; failed; number++) {
		struct mlx5lm_findings findings = { 0 };
		int r;

		little_memory_allow(number);
		r = forecast_check(&forecast, &policy, &findings);
		little_memory_end();
		failed = little_memory_failed();
		cr_expect_eq(r, failed ? -ENOMEM : 0);
		findings_release(&findings);
		cr_assert(number < 100);
		if (number == 0)
			cr_expect(failed);
	}
}

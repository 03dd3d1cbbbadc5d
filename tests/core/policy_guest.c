// SPDX-License-Identifier: LGPL-2.1-or-later
#include "policy_guest.h"

#include <criterion/criterion.h>

#include <inttypes.h>

/* What was not sent yet may well be dirtied again: that is no more than the guest works on. */
static void count_dirtied(struct guest *guest)
{
	uint64_t until_ms = guest->now_ms, bytes = guest->remaining_bytes;

	if (guest->calm_ms && guest->calm_ms < until_ms)
		until_ms = guest->calm_ms;
	if (until_ms > guest->counted_ms)
		bytes += (until_ms - guest->counted_ms) * guest->dirty_bytes_per_ms;
	if (bytes > guest->working_bytes)
		bytes = guest->working_bytes;
	if (bytes > guest->remaining_bytes)
		guest->remaining_bytes = bytes;
	guest->counted_ms = guest->now_ms;
	guest->iteration++;
}

static bool is_ready(const struct guest *guest)
{
	return guest->now_ms >= guest->setup_ms + guest->ready_ms;
}

static bool is_cut_off(const struct guest *guest)
{
	return guest->cut_ms && guest->now_ms >= guest->cut_ms &&
	       (!guest->mended_ms || guest->now_ms < guest->mended_ms);
}

static void one_ms(struct guest *guest)
{
	bool is_cut = is_cut_off(guest);
	uint64_t fits = guest->bytes_per_ms * guest->limit_ms;
	uint64_t step = is_cut ? 0 : guest->bytes_per_ms;

	guest->now_ms++;
	if (guest->now_ms < guest->setup_ms || guest->has_switched || guest->has_aborted)
		return;
	if (!guest->has_begun) {
		guest->has_begun = true;
		guest->remaining_bytes = guest->memory_bytes;
		guest->counted_ms = guest->now_ms;
		guest->iteration++;
	}
	if (!is_cut && guest->remaining_bytes <= fits) {
		count_dirtied(guest);
		if (guest->remaining_bytes + guest->state_bytes <= fits && is_ready(guest)) {
			guest->has_switched = true;
			return;
		}
	}
	guest->remaining_bytes -= step < guest->remaining_bytes ? step : guest->remaining_bytes;
}

void guest_advance(struct guest *guest, uint64_t until_ms)
{
	while (guest->now_ms < until_ms)
		one_ms(guest);
}

struct policy_sample guest_look(const struct guest *guest)
{
	return (struct policy_sample){
		.now_ms = guest->now_ms,
		.phase = guest->has_switched ? MLX5LM_PHASE_SWITCHOVER
			 : guest->has_begun  ? MLX5LM_PHASE_PRE_COPY
					     : MLX5LM_PHASE_SETUP,
		.remaining_bytes = fact_u64(guest->remaining_bytes),
		.iteration = fact_u64(guest->iteration),
	};
}

static void obey(struct guest *guest, const struct policy_decision *decision,
		 struct guest_story *story)
{
	if (decision->stalled && story->stalls++ == 0)
		story->first_stall_ms = guest->now_ms;
	switch (decision->action) {
	case MLX5LM_ACTION_ABORT:
		story->aborts++;
		guest->has_aborted = true;
		break;
	case MLX5LM_ACTION_FORCE_SWITCHOVER:
		story->forces++;
		story->forced_ms = guest->now_ms;
		guest->limit_ms = decision->downtime_limit_ms;
		break;
	case MLX5LM_ACTION_RAISE_DOWNTIME:
		cr_assert_gt(decision->downtime_limit_ms, guest->limit_ms);
		story->raises++;
		guest->limit_ms = decision->downtime_limit_ms;
		story->highest_limit_ms = guest->limit_ms;
		break;
	default:
		cr_assert_eq(decision->action, MLX5LM_ACTION_CONTINUE);
		return;
	}
	story->reason = decision->reason;
}

struct guest_story guest_migrate(struct guest *guest, const struct job_policy *policy,
				 uint64_t interval_ms, uint64_t end_ms)
{
	struct guest_story story = { .least_gap_ms = UINT64_MAX };
	struct policy_state state;

	if (policy->downtime_limit_ms)
		guest->limit_ms = policy->downtime_limit_ms;
	job_policy_start(&state, policy, guest->now_ms, guest->limit_ms);
	while (guest->now_ms < end_ms) {
		struct policy_sample sample = guest_look(guest);
		struct policy_decision decision = job_policy_decide(policy, &state, &sample);
		uint64_t next_ms, gap_ms;

		story.looks++;
		obey(guest, &decision, &story);
		if (guest->has_switched || guest->has_aborted)
			break;
		next_ms = job_policy_next_look_ms(
			policy, &state, &sample, fact_u64(guest->bytes_per_ms * 1000), interval_ms);
		cr_assert_gt(next_ms, guest->now_ms);
		gap_ms = next_ms - guest->now_ms;
		if (gap_ms < story.least_gap_ms)
			story.least_gap_ms = gap_ms;
		if (gap_ms > story.largest_gap_ms)
			story.largest_gap_ms = gap_ms;
		guest_advance(guest, next_ms);
	}
	return story;
}

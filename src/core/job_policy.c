// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/job_policy.h"

#define NEVER_MS UINT64_MAX

/* For so long after a switchover was forced it is looked for as often as allowed. */
#define FORCED_LOOKS_MS 1000

/* Halvings of an interval of doubles, after which it is as small as it gets. */
#define BISECTIONS 64

static uint64_t add_ms(uint64_t a, uint64_t b)
{
	return a < UINT64_MAX - b ? a + b : UINT64_MAX;
}

static uint64_t since_ms(uint64_t now_ms, uint64_t then_ms)
{
	return now_ms > then_ms ? now_ms - then_ms : 0;
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* 0 is "not yet" in the state. */
static uint64_t stamp_ms(const struct policy_sample *sample)
{
	return sample->now_ms ? sample->now_ms : 1;
}

static double power(double base, uint64_t exponent, double bound)
{
	double result = 1;

	while (exponent-- > 0 && result <= bound)
		result *= base;
	return result;
}

/* Not pow(): there is no other need for the library of mathematics. */
static double root(double value, uint64_t degree)
{
	double low = 1, high = value;

	for (int i = 0; i < BISECTIONS; i++) {
		double middle = low + (high - low) / 2;

		if (power(middle, degree, value) <= value)
			low = middle;
		else
			high = middle;
	}
	return low;
}

uint64_t job_policy_ramp_ms(const struct job_policy *policy, uint64_t limit_ms, uint64_t step)
{
	uint64_t first = limit_ms ? limit_ms : DOWNTIME_LIMIT_QEMU_MS;
	uint64_t ceiling = min_u64(policy->downtime_ceiling_ms, DOWNTIME_LIMIT_MAX_MS);
	double ratio;

	if (ceiling <= first || step == 0)
		return first;
	if (step >= policy->downtime_steps)
		return ceiling;
	ratio = (double)ceiling / (double)first;
	ratio = power(root(ratio, policy->downtime_steps), step, ratio);
	return min_u64((uint64_t)((double)first * ratio + 0.5), ceiling);
}

void job_policy_start(struct policy_state *state, const struct job_policy *policy,
		      uint64_t started_ms, uint64_t limit_ms)
{
	uint64_t first_ms = policy->downtime_limit_ms ? policy->downtime_limit_ms : limit_ms;

	*state = (struct policy_state){
		.started_ms = started_ms,
		.first_limit_ms = first_ms ? first_ms : DOWNTIME_LIMIT_QEMU_MS,
		.limit_ms = limit_ms ? limit_ms : first_ms,
	};
}

static bool is_forcing(const struct job_policy *policy)
{
	return policy->deadline_action == MLX5LM_ACTION_FORCE_SWITCHOVER;
}

/* May the iteration that runs still become a new low? */
static bool may_be_low(const struct policy_state *state)
{
	return !state->low_bytes.known || state->most_bytes.value < state->low_bytes.value;
}

static void begin_iteration(struct policy_state *state, const struct policy_sample *sample)
{
	if (state->iteration.known && state->most_bytes.known && may_be_low(state)) {
		state->low_bytes = state->most_bytes;
		state->low_iteration = state->iteration.value;
	}
	state->iteration = sample->iteration;
	state->most_bytes = sample->remaining_bytes;
	state->least_bytes = sample->remaining_bytes.value;
	if (may_be_low(state))
		state->low_ms = sample->now_ms;
}

/*
 * Without a counter all is one iteration, which goes on as long as less remains than ever before.
 * With one, a look that lacks it cannot be placed; a count that falls is wrong, and so may be what
 * came with it.
 */
static void take_numbers(struct policy_state *state, const struct policy_sample *sample)
{
	uint64_t remaining = sample->remaining_bytes.value;
	bool is_last = sample->phase > MLX5LM_PHASE_PRE_COPY;

	if (!state->most_bytes.known ||
	    (sample->iteration.known &&
	     (!state->iteration.known || sample->iteration.value > state->iteration.value))) {
		begin_iteration(state, sample);
		return;
	}
	if (state->iteration.known &&
	    (!sample->iteration.known || sample->iteration.value < state->iteration.value))
		return;
	state->most_bytes.value = max_u64(state->most_bytes.value, remaining);
	if (remaining >= state->least_bytes)
		return;
	state->least_bytes = remaining;
	if (is_last || may_be_low(state))
		state->low_ms = sample->now_ms;
}

/* Iterations that began and ended between two looks count: they had their chance. */
static bool count_stall(const struct job_policy *policy, struct policy_state *state,
			const struct policy_sample *sample)
{
	uint64_t iteration = max_u64(state->low_iteration, state->stall_iteration);
	uint64_t then_ms = max_u64(state->low_ms, state->stall_ms);

	if (!sample->iteration.known || may_be_low(state) ||
	    state->iteration.value < add_ms(iteration, max_u64(policy->stall_iterations, 1)) ||
	    since_ms(sample->now_ms, then_ms) < POLICY_STALL_MIN_MS)
		return false;
	state->stalls++;
	state->stall_iteration = state->iteration.value;
	state->stall_ms = sample->now_ms;
	return true;
}

/*
 * When each thing is due, on the samples' clock. What acts at these times and what looks at these
 * times has them from here.
 */
static uint64_t total_due_ms(const struct job_policy *policy, const struct policy_state *state,
			     enum mlx5lm_phase phase)
{
	uint64_t due_ms = add_ms(state->started_ms, policy->total_deadline_ms);

	if (!policy->total_deadline_ms)
		return NEVER_MS;
	if (phase <= MLX5LM_PHASE_PRE_COPY || !is_forcing(policy))
		return due_ms;
	/* A switchover is what was wanted, and while something is sent its end comes nearer. */
	due_ms = max_u64(due_ms, max_u64(state->forced_ms, state->low_ms));
	return add_ms(due_ms, POLICY_FORCE_GRACE_MS);
}

static uint64_t setup_due_ms(const struct job_policy *policy, const struct policy_state *state,
			     enum mlx5lm_phase phase)
{
	if (!policy->setup_deadline_ms || !state->setup_ms || phase != MLX5LM_PHASE_SETUP ||
	    state->most_bytes.known)
		return NEVER_MS;
	return add_ms(state->setup_ms, policy->setup_deadline_ms);
}

static uint64_t grace_due_ms(const struct policy_state *state)
{
	return state->forced_ms ? add_ms(state->forced_ms, POLICY_FORCE_GRACE_MS) : NEVER_MS;
}

static uint64_t stall_due_ms(const struct job_policy *policy, const struct policy_state *state)
{
	if (!policy->stall_deadline_ms || !state->most_bytes.known)
		return NEVER_MS;
	return add_ms(state->low_ms, policy->stall_deadline_ms);
}

static void act_abort(struct policy_state *state, struct policy_decision *decision,
		      enum mlx5lm_reason reason)
{
	state->aborted = true;
	decision->action = MLX5LM_ACTION_ABORT;
	decision->downtime_limit_ms = 0;
	decision->reason = reason;
}

/* What was forced already is not forced again, but it has to come within its grace from now on. */
static void act_force(struct policy_state *state, struct policy_decision *decision, uint64_t now_ms,
		      enum mlx5lm_reason reason)
{
	if (state->forced_reason == MLX5LM_REASON_UNKNOWN)
		state->forced_reason = reason;
	if (!state->forced_ms) {
		state->forced_ms = now_ms;
		state->limit_ms = DOWNTIME_LIMIT_MAX_MS;
		decision->action = MLX5LM_ACTION_FORCE_SWITCHOVER;
		decision->downtime_limit_ms = state->limit_ms;
		decision->reason = reason;
	} else if (reason != MLX5LM_REASON_UNKNOWN && now_ms >= grace_due_ms(state)) {
		act_abort(state, decision, reason);
	}
}

/* Steps that make no difference, and those that somebody else has made, are skipped. */
static void act_raise(const struct job_policy *policy, struct policy_state *state,
		      struct policy_decision *decision)
{
	uint64_t limit_ms = max_u64(state->limit_ms, state->first_limit_ms);

	while (state->step < max_u64(policy->downtime_steps, 1)) {
		uint64_t next_ms = job_policy_ramp_ms(policy, state->first_limit_ms, ++state->step);

		if (next_ms <= limit_ms)
			continue;
		state->limit_ms = next_ms;
		decision->action = MLX5LM_ACTION_RAISE_DOWNTIME;
		decision->downtime_limit_ms = next_ms;
		decision->reason = MLX5LM_REASON_STALLED;
		return;
	}
}

/* In SETUP libvirt fills in zeros, which say nothing. */
static bool has_numbers(const struct policy_sample *sample)
{
	return sample->phase >= MLX5LM_PHASE_PRE_COPY && sample->remaining_bytes.known;
}

/* What is wanted of a job, and why. */
struct wish {
	enum mlx5lm_action action;
	enum mlx5lm_reason reason;
};

/* The actions are numbered by how grave they are. */
static void want(struct wish *wish, enum mlx5lm_action action, enum mlx5lm_reason reason)
{
	if (action > wish->action && action <= MLX5LM_ACTION_ABORT)
		*wish = (struct wish){ action, reason };
}

static struct wish wish_before_switchover(const struct job_policy *policy,
					  const struct policy_state *state,
					  const struct policy_sample *sample, bool stalled)
{
	enum mlx5lm_action deadline_action =
		is_forcing(policy) ? MLX5LM_ACTION_FORCE_SWITCHOVER : MLX5LM_ACTION_ABORT;
	uint64_t now_ms = sample->now_ms;
	bool in_grace = state->forced_ms ? now_ms < grace_due_ms(state) : sample->force;
	struct wish wish = { .action = MLX5LM_ACTION_CONTINUE };

	if (state->forced_reason != MLX5LM_REASON_UNKNOWN && !in_grace)
		want(&wish, MLX5LM_ACTION_ABORT, state->forced_reason);
	if (now_ms >= total_due_ms(policy, state, sample->phase))
		want(&wish, deadline_action, MLX5LM_REASON_TOTAL_DEADLINE);
	/* Where nothing is copied yet, a switchover is no help. */
	if (now_ms >= setup_due_ms(policy, state, sample->phase))
		want(&wish, MLX5LM_ACTION_ABORT, MLX5LM_REASON_SETUP_DEADLINE);
	/* A look without numbers does not show that nothing has moved. */
	if (has_numbers(sample) && !in_grace && now_ms >= stall_due_ms(policy, state))
		want(&wish, deadline_action, MLX5LM_REASON_STALLED);
	if (stalled && (!in_grace || policy->stall_action == MLX5LM_ACTION_FORCE_SWITCHOVER))
		want(&wish, policy->stall_action, MLX5LM_REASON_STALLED);
	if (sample->force)
		want(&wish, MLX5LM_ACTION_FORCE_SWITCHOVER, MLX5LM_REASON_UNKNOWN);
	return wish;
}

static void decide_before_switchover(const struct job_policy *policy, struct policy_state *state,
				     const struct policy_sample *sample,
				     struct policy_decision *decision)
{
	struct wish wish = wish_before_switchover(policy, state, sample, decision->stalled);

	switch (wish.action) {
	case MLX5LM_ACTION_ABORT:
		act_abort(state, decision, wish.reason);
		break;
	case MLX5LM_ACTION_FORCE_SWITCHOVER:
		act_force(state, decision, stamp_ms(sample), wish.reason);
		break;
	case MLX5LM_ACTION_RAISE_DOWNTIME:
		act_raise(policy, state, decision);
		break;
	default:
		break;
	}
}

struct policy_decision job_policy_decide(const struct job_policy *policy,
					 struct policy_state *state,
					 const struct policy_sample *sample)
{
	struct policy_decision decision = { .action = MLX5LM_ACTION_CONTINUE };

	if (state->aborted || sample->phase >= MLX5LM_PHASE_VERIFY)
		return decision;
	if (!state->setup_ms && sample->phase >= MLX5LM_PHASE_SETUP)
		state->setup_ms = stamp_ms(sample);
	if (has_numbers(sample)) {
		/* Before, libvirt may have refused it, and it could not come. */
		if (state->forced_ms && !state->most_bytes.known) {
			state->forced_ms = 0;
			act_force(state, &decision, stamp_ms(sample), state->forced_reason);
		}
		take_numbers(state, sample);
	}
	if (sample->phase <= MLX5LM_PHASE_PRE_COPY) {
		decision.stalled = has_numbers(sample) && count_stall(policy, state, sample);
		decide_before_switchover(policy, state, sample, &decision);
		return decision;
	}
	/* It has come without being forced. */
	if (sample->force && !state->forced_ms)
		state->forced_ms = stamp_ms(sample);
	if (sample->now_ms >= total_due_ms(policy, state, sample->phase))
		act_abort(state, &decision, MLX5LM_REASON_TOTAL_DEADLINE);
	return decision;
}

/* Until so little remains that QEMU looks whether it can switch over. */
static uint64_t until_end_ms(const struct policy_state *state, const struct policy_sample *last,
			     struct fact_u64 bandwidth)
{
	uint64_t limit_ms = max_u64(state->limit_ms, state->first_limit_ms);
	double bytes_per_ms = (double)bandwidth.value / 1000;
	double left_ms;

	if (!bandwidth.known || bandwidth.value == 0 || !last->remaining_bytes.known)
		return NEVER_MS;
	left_ms = (double)last->remaining_bytes.value / bytes_per_ms - (double)limit_ms;
	if (left_ms <= 0)
		return 0;
	return left_ms < (double)DOWNTIME_LIMIT_MAX_MS ? (uint64_t)left_ms : NEVER_MS;
}

/* Those that are over have been acted upon, or wait for numbers; they need no more looks. */
static uint64_t sooner_due_ms(uint64_t next_ms, uint64_t due_ms, uint64_t now_ms)
{
	return due_ms > now_ms ? min_u64(next_ms, due_ms) : next_ms;
}

uint64_t job_policy_next_look_ms(const struct job_policy *policy, const struct policy_state *state,
				 const struct policy_sample *last, struct fact_u64 bandwidth,
				 uint64_t interval_ms)
{
	uint64_t now_ms = last->now_ms;
	uint64_t least_ms = add_ms(now_ms, POLICY_LOOK_MIN_MS);
	uint64_t next_ms = add_ms(now_ms, interval_ms);

	if (state->aborted || last->phase >= MLX5LM_PHASE_VERIFY)
		return max_u64(next_ms, least_ms);
	next_ms = sooner_due_ms(next_ms, total_due_ms(policy, state, last->phase), now_ms);
	if (last->phase <= MLX5LM_PHASE_PRE_COPY) {
		next_ms = sooner_due_ms(next_ms, setup_due_ms(policy, state, last->phase), now_ms);
		next_ms = sooner_due_ms(next_ms, stall_due_ms(policy, state), now_ms);
		next_ms = sooner_due_ms(next_ms, grace_due_ms(state), now_ms);
		if (state->forced_ms && since_ms(now_ms, state->forced_ms) < FORCED_LOOKS_MS)
			next_ms = least_ms;
	}
	/* A job that stands still is looked at as often as asked for, and no more. */
	if (last->phase == MLX5LM_PHASE_PRE_COPY && state->low_ms == now_ms)
		next_ms = min_u64(next_ms, add_ms(now_ms, until_end_ms(state, last, bandwidth)));
	return max_u64(next_ms, least_ms);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/phase.h"

/*
 * Percent: pre-copy is 0 to 95 by the share of data that is not outstanding, and each later
 * phase of a migration that goes well has a step of its own. A session that fails stays where
 * it was.
 */
#define PERCENT_PRE_COPY 95
#define PERCENT_SWITCHOVER 96
#define PERCENT_RESUME 97
#define PERCENT_COMPLETED 100

/* An ETA of more than a day tells nothing: it does not converge. */
#define ETA_MAX_MS (24 * 60 * 60 * 1000ull)
#define ETA_SMOOTHING_MS 1000u
#define SPEED_SMOOTHING_MS 3000u
/* More than any network has: so that nothing overflows. */
#define SPEED_MAX (1ull << 44)
#define LOOK_MAX_MS 60000ull

/* If libvirt does not tell: what QEMU counts dirty memory in nearly everywhere. */
#define PAGE_SIZE_BYTES 4096

static void set_value(struct phase_machine *machine, enum mlx5lm_progress_key key,
		      struct fact_u64 value)
{
	if (value.known)
		machine->progress.values[key] = value;
}

static void raise_value(struct phase_machine *machine, enum mlx5lm_progress_key key, uint64_t value)
{
	struct fact_u64 *now = &machine->progress.values[key];

	if (!now->known || value > now->value)
		*now = fact_u64(value);
}

void phase_start(struct phase_machine *machine, uint64_t now_ms)
{
	*machine = (struct phase_machine){ .started_ms = now_ms };
	machine->progress.values[MLX5LM_PROGRESS_PERCENT] = fact_u64(0);
	machine->progress.values[MLX5LM_PROGRESS_ELAPSED_MS] = fact_u64(0);
}

/* libvirt answers with zeros from the moment it has a job until QEMU has begun to migrate. */
static bool job_has_numbers(const struct job_stats *job)
{
	return job->type == JOB_RUNNING && job->operation != JOB_OPERATION_OTHER &&
	       ((job->data_total.known && job->data_total.value > 0) ||
		(job->memory_total.known && job->memory_total.value > 0));
}

enum mlx5lm_phase phase_of_job(enum domain_state source, const struct job_stats *job)
{
	switch (source) {
	case DOMAIN_PAUSED_BY_MIGRATION:
		return MLX5LM_PHASE_SWITCHOVER;
	case DOMAIN_GONE:
	case DOMAIN_OFF:
		return MLX5LM_PHASE_RESUME;
	default:
		return job_has_numbers(job) ? MLX5LM_PHASE_PRE_COPY : MLX5LM_PHASE_SETUP;
	}
}

static enum mlx5lm_phase phase_of(const struct phase_facts *facts)
{
	switch (facts->stage) {
	case STAGE_PREFLIGHT:
		return MLX5LM_PHASE_PREFLIGHT;
	case STAGE_PREPARE:
		return MLX5LM_PHASE_PREPARE;
	case STAGE_MIGRATE:
		return phase_of_job(facts->source, &facts->job);
	case STAGE_VERIFY:
		return MLX5LM_PHASE_VERIFY;
	case STAGE_CLEAN_UP:
		return MLX5LM_PHASE_CLEAN_UP;
	case STAGE_COMPLETED:
		return MLX5LM_PHASE_COMPLETED;
	case STAGE_FAILED:
		return MLX5LM_PHASE_FAILED;
	case STAGE_CANCELLED:
		return MLX5LM_PHASE_CANCELLED;
	case STAGE_NONE:
		break;
	}
	return MLX5LM_PHASE_UNKNOWN;
}

/* Percent of the data that is not outstanding, scaled to pre-copy's share. */
static void take_share(struct phase_machine *machine, const struct job_stats *job)
{
	uint64_t total = job->data_total.value;
	uint64_t remaining = job->data_remaining.value;
	uint64_t unit, percent;

	if (!job->data_total.known || !job->data_remaining.known || remaining > total)
		return;
	/* Before the first page nothing remains either. */
	if (remaining == 0 && (!job->data_processed.known || job->data_processed.value == 0))
		return;
	unit = total / PERCENT_PRE_COPY;
	percent = unit ? (total - remaining) / unit : 0;
	raise_value(machine, MLX5LM_PROGRESS_PERCENT,
		    percent < PERCENT_PRE_COPY ? percent : PERCENT_PRE_COPY);
}

/* The first pass that is seen counts as the first one of this session. */
static bool take_iteration(struct phase_machine *machine, const struct job_stats *job)
{
	struct fact_u64 before = machine->progress.values[MLX5LM_PROGRESS_ITERATION];
	uint64_t passes = job->memory_iteration.value;

	if (!job->memory_iteration.known || passes == 0)
		return false;
	if (!machine->passes_before.known)
		machine->passes_before = fact_u64(passes - 1);
	if (passes <= machine->passes_before.value)
		return false;
	raise_value(machine, MLX5LM_PROGRESS_ITERATION, passes - machine->passes_before.value);
	if (machine->progress.values[MLX5LM_PROGRESS_ITERATION].value <= before.value)
		return false;
	machine->pass_began_ms = machine->progress.values[MLX5LM_PROGRESS_ELAPSED_MS].value;
	return true;
}

static void take_amounts(struct phase_machine *machine, const struct job_stats *job)
{
	struct fact_u64 remaining = job->memory_remaining;

	set_value(machine, MLX5LM_PROGRESS_MEMORY_TOTAL_BYTES, job->memory_total);
	if (remaining.known && job->memory_total.known && remaining.value > job->memory_total.value)
		remaining = job->memory_total;
	set_value(machine, MLX5LM_PROGRESS_MEMORY_REMAINING_BYTES, remaining);
	/* What has been sent does not become less, whatever a daemon says. */
	if (job->data_processed.known)
		raise_value(machine, MLX5LM_PROGRESS_DATA_PROCESSED_BYTES,
			    job->data_processed.value);
	if (job->vfio_transferred.known)
		raise_value(machine, MLX5LM_PROGRESS_VFIO_TRANSFERRED_BYTES,
			    job->vfio_transferred.value);
	/* QEMU counts all that went through its stream, that of the VFs included. */
	if (job->memory_processed.known &&
	    job->memory_processed.value >= job->vfio_transferred.value)
		raise_value(machine, MLX5LM_PROGRESS_MEMORY_TRANSFERRED_BYTES,
			    job->memory_processed.value - job->vfio_transferred.value);
	set_value(machine, MLX5LM_PROGRESS_SETUP_MS, job->setup_ms);
}

static void take_running(struct phase_machine *machine, const struct job_stats *job)
{
	take_amounts(machine, job);
	take_share(machine, job);
	set_value(machine, MLX5LM_PROGRESS_DIRTY_RATE_PAGES_PER_S, job->memory_dirty_pages_per_s);
	set_value(machine, MLX5LM_PROGRESS_BANDWIDTH_BYTES_PER_S, job->memory_bytes_per_s);
	set_value(machine, MLX5LM_PROGRESS_DOWNTIME_EXPECTED_MS, job->downtime_ms);
	if (job->throttle_percent.value <= 100)
		set_value(machine, MLX5LM_PROGRESS_THROTTLE_PERCENT, job->throttle_percent);
}

/* What the session knows itself. */
static void take_session(struct phase_machine *machine, const struct phase_facts *facts)
{
	if (facts->now_ms >= machine->started_ms)
		raise_value(machine, MLX5LM_PROGRESS_ELAPSED_MS,
			    facts->now_ms - machine->started_ms);
	set_value(machine, MLX5LM_PROGRESS_DOWNTIME_LIMIT_MS, facts->downtime_limit_ms);
	set_value(machine, MLX5LM_PROGRESS_DOWNTIME_FORECAST_MS, facts->forecast_ms);
	set_value(machine, MLX5LM_PROGRESS_VFS, facts->num_vfs);
	if (facts->stalls.known)
		raise_value(machine, MLX5LM_PROGRESS_STALLS, facts->stalls.value);
	if (facts->state_bytes.known)
		machine->state_bytes = facts->state_bytes;
}

/* True if it waits, and for others than before. */
static bool take_queue_position(struct phase_machine *machine, const struct phase_facts *facts)
{
	struct fact_u64 *position = &machine->progress.values[MLX5LM_PROGRESS_QUEUE_POSITION];
	struct fact_u64 before = *position;

	if (facts->stage != STAGE_PREPARE)
		*position = (struct fact_u64){ 0 };
	else if (facts->queue_position.known)
		*position = facts->queue_position.value ? facts->queue_position
							: (struct fact_u64){ 0 };
	return position->known && (!before.known || position->value != before.value);
}

static void take_completed(struct phase_machine *machine, const struct job_stats *job)
{
	take_amounts(machine, job);
	/* Without a look at the beginning nobody knows how many passes were of this session. */
	if (machine->passes_before.known)
		take_iteration(machine, job);
	set_value(machine, MLX5LM_PROGRESS_DOWNTIME_MS,
		  job->downtime_net_ms.known ? job->downtime_net_ms : job->downtime_ms);
	set_value(machine, MLX5LM_PROGRESS_TOTAL_MS,
		  job->time_elapsed_net_ms.known ? job->time_elapsed_net_ms : job->time_elapsed_ms);
}

static uint64_t add_bounded(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static uint64_t multiply_bounded(uint64_t a, uint64_t b)
{
	uint64_t product;

	return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

/* UINT64_MAX if it is longer than is told. */
static uint64_t sending_time_ms(uint64_t bytes, uint64_t bytes_per_s)
{
	uint64_t seconds = bytes / bytes_per_s, rest = bytes % bytes_per_s;

	if (seconds >= ETA_MAX_MS / 1000)
		return UINT64_MAX;
	rest = bytes_per_s <= UINT64_MAX / 1000 ? rest * 1000 / bytes_per_s
						: rest / (bytes_per_s / 1000);
	return seconds * 1000 + rest;
}

/* Bytes per second. */
static uint64_t dirty_speed(const struct job_stats *job)
{
	uint64_t page_size =
		job->memory_page_size.value ? job->memory_page_size.value : PAGE_SIZE_BYTES;

	return multiply_bounded(job->memory_dirty_pages_per_s.value, page_size);
}

/* What the guest has dirtied in this pass: QEMU counts it only at the end of the pass. */
static uint64_t dirtied_bytes(const struct phase_machine *machine, const struct job_stats *job)
{
	const struct fact_u64 *values = machine->progress.values;
	struct fact_u64 memory = values[MLX5LM_PROGRESS_MEMORY_TOTAL_BYTES];
	uint64_t since_ms = values[MLX5LM_PROGRESS_ELAPSED_MS].value - machine->pass_began_ms;
	uint64_t bytes = multiply_bounded(dirty_speed(job), since_ms) / 1000;

	return memory.known && memory.value < bytes ? memory.value : bytes;
}

/* libvirt does not tell: what the forecast reckons with, less what was sent. */
static uint64_t state_left_bytes(const struct phase_machine *machine)
{
	uint64_t all = machine->state_bytes.value;
	uint64_t sent = machine->progress.values[MLX5LM_PROGRESS_VFIO_TRANSFERRED_BYTES].value;

	return all > sent ? all - sent : 0;
}

/*
 * The share of the difference that is taken over grows with the time since the last look: a single
 * look says little, and looks are not evenly spaced.
 */
static uint64_t smooth(uint64_t before, uint64_t now, uint64_t since_ms, uint32_t smoothing_ms)
{
	uint64_t share_ms = since_ms < LOOK_MAX_MS ? since_ms : LOOK_MAX_MS;
	uint64_t whole_ms = share_ms + smoothing_ms;

	if (now > before)
		return before + (now - before) * share_ms / whole_ms;
	return before - (before - now) * share_ms / whole_ms;
}

static void take_speed(struct phase_machine *machine, struct fact_u64 speed, uint64_t since_ms)
{
	if (!speed.known)
		return;
	if (speed.value > SPEED_MAX)
		speed.value = SPEED_MAX;
	/* Zero is what libvirt says before it has measured, too. */
	if (machine->speed.known)
		machine->speed.value =
			smooth(machine->speed.value, speed.value, since_ms, SPEED_SMOOTHING_MS);
	else if (speed.value > 0)
		machine->speed = speed;
}

/*
 * What is left, by the speed of now; UINT64_MAX if that cannot be told. In pre-copy the guest makes
 * more of it all the while, until the rest fits into the downtime that is allowed. What comes nearer
 * to the end by less than a tenth of the speed does not: neither of the two is known better.
 */
static uint64_t time_left_ms(const struct phase_machine *machine, const struct job_stats *job)
{
	uint64_t limit_ms = machine->progress.values[MLX5LM_PROGRESS_DOWNTIME_LIMIT_MS].value;
	uint64_t speed = machine->speed.value, dirty = dirty_speed(job);
	struct fact_u64 remaining = job->data_remaining;
	uint64_t memory, state = state_left_bytes(machine);

	if (!remaining.known)
		remaining = job->memory_remaining;
	if (!remaining.known || speed == 0)
		return UINT64_MAX;
	if (machine->progress.phase != MLX5LM_PHASE_PRE_COPY)
		return sending_time_ms(add_bounded(remaining.value, state), speed);
	memory = add_bounded(remaining.value, dirtied_bytes(machine, job));
	if (add_bounded(memory, state) <= multiply_bounded(speed, limit_ms) / 1000)
		return sending_time_ms(add_bounded(memory, state), speed);
	if (dirty >= speed - speed / 10)
		return UINT64_MAX;
	return add_bounded(sending_time_ms(memory, speed - dirty), sending_time_ms(state, speed));
}

/* anew: the first pass has ended, the only one in which nobody knows what the guest dirties. */
static void take_eta(struct phase_machine *machine, const struct job_stats *job, bool anew)
{
	struct fact_u64 *eta = &machine->progress.values[MLX5LM_PROGRESS_ETA_MS];
	struct fact_u64 *is_estimate = &machine->progress.values[MLX5LM_PROGRESS_ETA_IS_ESTIMATE];
	uint64_t now_ms = machine->progress.values[MLX5LM_PROGRESS_ELAPSED_MS].value;
	uint64_t since_ms = now_ms - machine->eta_told_ms, left_ms;

	take_speed(machine, job->memory_bytes_per_s, since_ms);
	left_ms = time_left_ms(machine, job);
	machine->eta_told_ms = now_ms;
	if (left_ms > ETA_MAX_MS) {
		*eta = *is_estimate = (struct fact_u64){ 0 };
		return;
	}
	if (eta->known && !anew) {
		uint64_t expected_ms = eta->value > since_ms ? eta->value - since_ms : 0;

		/* Once the guest stands still, nothing is added to it. */
		if (machine->progress.phase == MLX5LM_PHASE_PRE_COPY)
			left_ms = smooth(expected_ms, left_ms, since_ms, ETA_SMOOTHING_MS);
		else if (left_ms > expected_ms)
			left_ms = expected_ms;
	}
	*eta = fact_u64(left_ms);
	*is_estimate = fact_u64(machine->state_bytes.value > 0 ||
				machine->progress.values[MLX5LM_PROGRESS_VFS].value > 0);
}

/* Outside of copying: 0 once all has been sent, not known while it is not clear how it ends. */
static void end_eta(struct phase_machine *machine)
{
	enum mlx5lm_phase phase = machine->progress.phase;
	bool is_there = phase == MLX5LM_PHASE_RESUME || phase == MLX5LM_PHASE_COMPLETED;
	struct fact_u64 value = { .known = is_there };

	machine->progress.values[MLX5LM_PROGRESS_ETA_MS] = value;
	machine->progress.values[MLX5LM_PROGRESS_ETA_IS_ESTIMATE] = value;
}

static bool is_copying(enum mlx5lm_phase phase)
{
	return phase == MLX5LM_PHASE_PRE_COPY || phase == MLX5LM_PHASE_SWITCHOVER;
}

static void raise_percent(struct phase_machine *machine)
{
	switch (machine->progress.phase) {
	case MLX5LM_PHASE_SWITCHOVER:
		raise_value(machine, MLX5LM_PROGRESS_PERCENT, PERCENT_SWITCHOVER);
		break;
	case MLX5LM_PHASE_RESUME:
		raise_value(machine, MLX5LM_PROGRESS_PERCENT, PERCENT_RESUME);
		break;
	case MLX5LM_PHASE_COMPLETED:
		raise_value(machine, MLX5LM_PROGRESS_PERCENT, PERCENT_COMPLETED);
		break;
	default:
		break;
	}
}

/* How long the phase has lasted so far; in the end it is how long it did. */
static void take_time(struct phase_machine *machine)
{
	struct phase_time *time = &machine->times[machine->progress.phase];

	if (time->began_ms.known)
		time->duration_ms = machine->progress.values[MLX5LM_PROGRESS_ELAPSED_MS].value -
				    time->began_ms.value;
}

static bool change_phase(struct phase_machine *machine, enum mlx5lm_phase phase)
{
	take_time(machine);
	if (phase <= machine->progress.phase)
		return false;
	machine->progress.phase = phase;
	machine->times[phase].began_ms = machine->progress.values[MLX5LM_PROGRESS_ELAPSED_MS];
	raise_percent(machine);
	return true;
}

size_t phase_feed(struct phase_machine *machine, const struct phase_facts *facts,
		  enum mlx5lm_event events[static PHASE_MAX_EVENTS])
{
	struct mlx5lm_progress *progress = &machine->progress;
	bool iteration = false, sample, changed, has_numbers;
	size_t length = 0;

	if (phase_is_final(progress->phase))
		return 0;
	take_session(machine, facts);
	sample = take_queue_position(machine, facts);
	has_numbers = facts->stage == STAGE_MIGRATE && job_has_numbers(&facts->job);
	if (has_numbers) {
		iteration = take_iteration(machine, &facts->job);
		take_running(machine, &facts->job);
		sample = true;
	}
	/* The guest may have moved, and the session fail: not all is as it should be there. */
	if (facts->stage >= STAGE_COMPLETED && facts->job.type == JOB_COMPLETED)
		take_completed(machine, &facts->job);
	changed = change_phase(machine, phase_of(facts));
	if (!is_copying(progress->phase))
		end_eta(machine);
	else if (has_numbers)
		take_eta(machine, &facts->job,
			 iteration && progress->values[MLX5LM_PROGRESS_ITERATION].value == 2);
	if (changed && !phase_is_final(progress->phase))
		events[length++] = MLX5LM_EVENT_PHASE;
	if (iteration)
		events[length++] = MLX5LM_EVENT_ITERATION;
	if (facts->acted)
		events[length++] = MLX5LM_EVENT_STALL;
	if (sample)
		events[length++] = MLX5LM_EVENT_SAMPLE;
	if (phase_is_final(progress->phase))
		events[length++] = MLX5LM_EVENT_DONE;
	return length;
}

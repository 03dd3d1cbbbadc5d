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

static void set_value(struct phase_machine *machine, enum mlx5lm_progress_key key,
		      struct fact_u64 value)
{
	if (value.known)
		machine->progress.values[key] = value;
}

static void raise_value(struct phase_machine *machine, enum mlx5lm_progress_key key,
			uint64_t value)
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
	return job->type == JOB_RUNNING &&
	       ((job->data_total.known && job->data_total.value > 0) ||
		(job->memory_total.known && job->memory_total.value > 0));
}

static enum mlx5lm_phase phase_of_migration(const struct phase_facts *facts)
{
	switch (facts->source) {
	case DOMAIN_PAUSED_BY_MIGRATION:
		return MLX5LM_PHASE_SWITCHOVER;
	case DOMAIN_GONE:
	case DOMAIN_OFF:
		return MLX5LM_PHASE_RESUME;
	default:
		return job_has_numbers(&facts->job) ? MLX5LM_PHASE_PRE_COPY : MLX5LM_PHASE_SETUP;
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
		return phase_of_migration(facts);
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
	return machine->progress.values[MLX5LM_PROGRESS_ITERATION].value > before.value;
}

static void take_amounts(struct phase_machine *machine, const struct job_stats *job)
{
	struct fact_u64 remaining = job->memory_remaining;

	set_value(machine, MLX5LM_PROGRESS_MEMORY_TOTAL_BYTES, job->memory_total);
	if (remaining.known && job->memory_total.known &&
	    remaining.value > job->memory_total.value)
		remaining = job->memory_total;
	set_value(machine, MLX5LM_PROGRESS_MEMORY_REMAINING_BYTES, remaining);
	/* What has been sent does not become less, whatever a daemon says. */
	if (job->data_processed.known)
		raise_value(machine, MLX5LM_PROGRESS_DATA_PROCESSED_BYTES,
			    job->data_processed.value);
	if (job->vfio_transferred.known)
		raise_value(machine, MLX5LM_PROGRESS_VFIO_TRANSFERRED_BYTES,
			    job->vfio_transferred.value);
	set_value(machine, MLX5LM_PROGRESS_SETUP_MS, job->setup_ms);
}

static void take_running(struct phase_machine *machine, const struct job_stats *job)
{
	take_amounts(machine, job);
	take_share(machine, job);
	set_value(machine, MLX5LM_PROGRESS_DIRTY_RATE_PAGES_PER_S, job->memory_dirty_pages_per_s);
	set_value(machine, MLX5LM_PROGRESS_BANDWIDTH_BYTES_PER_S, job->memory_bytes_per_s);
	set_value(machine, MLX5LM_PROGRESS_DOWNTIME_EXPECTED_MS, job->downtime_ms);
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
		  job->time_elapsed_net_ms.known ? job->time_elapsed_net_ms :
						   job->time_elapsed_ms);
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

size_t phase_feed(struct phase_machine *machine, const struct phase_facts *facts,
		  enum mlx5lm_event events[static PHASE_MAX_EVENTS])
{
	struct mlx5lm_progress *progress = &machine->progress;
	enum mlx5lm_phase phase = phase_of(facts);
	bool iteration = false, sample = false;
	size_t length = 0;

	if (phase_is_final(progress->phase))
		return 0;
	if (facts->now_ms >= machine->started_ms)
		raise_value(machine, MLX5LM_PROGRESS_ELAPSED_MS,
			    facts->now_ms - machine->started_ms);
	if (facts->stage == STAGE_MIGRATE && job_has_numbers(&facts->job)) {
		iteration = take_iteration(machine, &facts->job);
		take_running(machine, &facts->job);
		sample = true;
	}
	if (phase == MLX5LM_PHASE_COMPLETED && facts->job.type == JOB_COMPLETED)
		take_completed(machine, &facts->job);
	if (phase > progress->phase) {
		progress->phase = phase;
		raise_percent(machine);
		if (!phase_is_final(phase))
			events[length++] = MLX5LM_EVENT_PHASE;
	}
	if (iteration)
		events[length++] = MLX5LM_EVENT_ITERATION;
	if (sample)
		events[length++] = MLX5LM_EVENT_SAMPLE;
	if (phase_is_final(progress->phase))
		events[length++] = MLX5LM_EVENT_DONE;
	return length;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/progress.h"

#include <errno.h>
#include <inttypes.h>

#include "base/cleanup.h"

static const char *const phases[] = { "unknown",   "preflight", "prepare",  "setup",
				      "pre-copy",  "switchover", "resume",   "verify",
				      "clean-up",  "completed", "failed",   "cancelled" };
static const char *const events[] = { "unknown", "phase", "iteration", "sample", "done", "stall" };
static const char *const hooks[] = { "unknown", "prepare", "commit", "release" };

const struct name_list phase_names = { phases, ARRAY_LENGTH(phases) };
const struct name_list event_names = { events, ARRAY_LENGTH(events) };
const struct name_list hook_names = { hooks, ARRAY_LENGTH(hooks) };

const char *const progress_keys[PROGRESS_KEYS] = {
	[MLX5LM_PROGRESS_PERCENT] = "percent",
	[MLX5LM_PROGRESS_ELAPSED_MS] = "elapsed_ms",
	[MLX5LM_PROGRESS_MEMORY_TOTAL_BYTES] = "memory_total_bytes",
	[MLX5LM_PROGRESS_MEMORY_REMAINING_BYTES] = "memory_remaining_bytes",
	[MLX5LM_PROGRESS_DATA_PROCESSED_BYTES] = "data_processed_bytes",
	[MLX5LM_PROGRESS_ITERATION] = "iteration",
	[MLX5LM_PROGRESS_DIRTY_RATE_PAGES_PER_S] = "dirty_rate_pages_per_s",
	[MLX5LM_PROGRESS_BANDWIDTH_BYTES_PER_S] = "bandwidth_bytes_per_s",
	[MLX5LM_PROGRESS_VFIO_TRANSFERRED_BYTES] = "vfio_transferred_bytes",
	[MLX5LM_PROGRESS_DOWNTIME_EXPECTED_MS] = "downtime_expected_ms",
	[MLX5LM_PROGRESS_DOWNTIME_MS] = "downtime_ms",
	[MLX5LM_PROGRESS_SETUP_MS] = "setup_ms",
	[MLX5LM_PROGRESS_TOTAL_MS] = "total_ms",
	[MLX5LM_PROGRESS_ETA_MS] = "eta_ms",
	[MLX5LM_PROGRESS_ETA_IS_ESTIMATE] = "eta_is_estimate",
	[MLX5LM_PROGRESS_MEMORY_TRANSFERRED_BYTES] = "memory_transferred_bytes",
	[MLX5LM_PROGRESS_DOWNTIME_LIMIT_MS] = "downtime_limit_ms",
	[MLX5LM_PROGRESS_DOWNTIME_FORECAST_MS] = "downtime_forecast_ms",
	[MLX5LM_PROGRESS_STALLS] = "stalls",
	[MLX5LM_PROGRESS_THROTTLE_PERCENT] = "throttle_percent",
	[MLX5LM_PROGRESS_QUEUE_POSITION] = "queue_position",
	[MLX5LM_PROGRESS_VFS] = "vfs",
};

int progress_to_json(const struct mlx5lm_progress *progress, char **ret)
{
	struct strbuf text = { 0 };

	/* Words of our own and numbers only: nothing here needs escaping. */
	strbuf_printf(&text, "{\"event\":\"%s\",\"phase\":\"%s\"",
		      name_of(&event_names, progress->event),
		      name_of(&phase_names, progress->phase));
	for (size_t i = 1; i < PROGRESS_KEYS; i++) {
		if (progress->values[i].known)
			strbuf_printf(&text, ",\"%s\":%" PRIu64, progress_keys[i],
				      progress->values[i].value);
	}
	strbuf_add(&text, "}");
	return strbuf_take(&text, ret);
}

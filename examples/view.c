// SPDX-License-Identifier: MIT-0
#include "view.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common.h"

#define BAR_WIDTH 30

struct line {
	char text[512];
	size_t length;
};

static void add(struct line *line, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void add(struct line *line, const char *format, ...)
{
	size_t room = sizeof(line->text) - line->length;
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vsnprintf(line->text + line->length, room, format, arguments);
	va_end(arguments);
	if (n > 0)
		line->length += (size_t)n < room ? (size_t)n : room - 1;
}

static bool get(const struct mlx5lm_progress *progress, enum mlx5lm_progress_key key,
		uint64_t *value)
{
	*value = 0;
	return mlx5lm_progress_get_u64(progress, key, value) == 0;
}

static double seconds(uint64_t value_ms)
{
	return (double)value_ms / 1000;
}

static double mib(uint64_t value_bytes)
{
	return (double)value_bytes / (1 << 20);
}

/* How far and how long: what one looks at first. */
static void add_state(struct line *line, const struct mlx5lm_progress *progress, bool bar)
{
	static const char full[] = "##############################";
	uint64_t percent, value, is_estimate;

	get(progress, MLX5LM_PROGRESS_ELAPSED_MS, &value);
	get(progress, MLX5LM_PROGRESS_PERCENT, &percent);
	add(line, "%6.1f s  %-10s", seconds(value),
	    mlx5lm_phase_str(mlx5lm_progress_get_phase(progress)));
	if (bar)
		add(line, " [%-*.*s]", BAR_WIDTH, (int)(percent * BAR_WIDTH / 100), full);
	add(line, " %3" PRIu64 " %%", percent);
	get(progress, MLX5LM_PROGRESS_ETA_IS_ESTIMATE, &is_estimate);
	if (get(progress, MLX5LM_PROGRESS_ETA_MS, &value) && value)
		add(line, "  %s%.1f s to go", is_estimate ? "~" : "", seconds(value));
	if (mlx5lm_progress_get_phase(progress) == MLX5LM_PHASE_PREPARE &&
	    get(progress, MLX5LM_PROGRESS_QUEUE_POSITION, &value))
		add(line, "  %" PRIu64 " before it", value);
}

/* What is copied, and how fast. */
static void add_copy(struct line *line, const struct mlx5lm_progress *progress)
{
	uint64_t value;

	if (get(progress, MLX5LM_PROGRESS_ITERATION, &value))
		add(line, "  pass %" PRIu64, value);
	if (get(progress, MLX5LM_PROGRESS_MEMORY_REMAINING_BYTES, &value))
		add(line, "  %.1f MiB left", mib(value));
	if (get(progress, MLX5LM_PROGRESS_DIRTY_RATE_PAGES_PER_S, &value))
		add(line, "  dirty %" PRIu64 " pages/s", value);
	if (get(progress, MLX5LM_PROGRESS_BANDWIDTH_BYTES_PER_S, &value) && value)
		add(line, "  sent %.1f MiB/s", mib(value));
	if (get(progress, MLX5LM_PROGRESS_THROTTLE_PERCENT, &value) && value)
		add(line, "  CPUs slowed by %" PRIu64 " %%", value);
}

/* What is of the VFs, and what the policy makes of it all. */
static void add_downtime(struct line *line, const struct mlx5lm_progress *progress)
{
	uint64_t value;

	if (get(progress, MLX5LM_PROGRESS_VFIO_TRANSFERRED_BYTES, &value) && value < 1 << 20)
		add(line, "  VF %" PRIu64 " bytes", value);
	else if (value)
		add(line, "  VF %.1f MiB", mib(value));
	if (get(progress, MLX5LM_PROGRESS_DOWNTIME_LIMIT_MS, &value) && value)
		add(line, "  downtime limit %" PRIu64 " ms", value);
	if (get(progress, MLX5LM_PROGRESS_DOWNTIME_MS, &value))
		add(line, "  downtime %" PRIu64 " ms", value);
	else if (get(progress, MLX5LM_PROGRESS_DOWNTIME_FORECAST_MS, &value) && value)
		add(line, "  forecast %" PRIu64 " ms", value);
	if (get(progress, MLX5LM_PROGRESS_STALLS, &value) && value)
		add(line, "  stalls %" PRIu64, value);
}

/* Of the terminal; a line that wrapped could not be drawn over. */
static int count_columns(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return 80;
	return size.ws_col;
}

static void draw(struct view *view, const struct mlx5lm_progress *progress)
{
	struct line state = { .length = 0 }, copy = { .length = 0 }, downtime = { .length = 0 };
	int width = count_columns() - 1;

	add_state(&state, progress, true);
	add_copy(&copy, progress);
	add_downtime(&downtime, progress);
	printf("%s\r\033[K%.*s\n\033[K%.*s\n\033[K%.*s", view->drawn ? "\033[2A" : "", width,
	       state.text, width, copy.text, width, downtime.text);
	view->drawn = true;
	if (mlx5lm_progress_get_event(progress) == MLX5LM_EVENT_DONE)
		view_end(view);
}

static void print_event(const struct mlx5lm_progress *progress)
{
	enum mlx5lm_event event = mlx5lm_progress_get_event(progress);
	struct line line = { .length = 0 };

	if (event == MLX5LM_EVENT_SAMPLE)
		return;
	add_state(&line, progress, false);
	if (event == MLX5LM_EVENT_STALL)
		add(&line, "  stalled:");
	if (event == MLX5LM_EVENT_ITERATION || event == MLX5LM_EVENT_STALL) {
		add_copy(&line, progress);
		add_downtime(&line, progress);
	}
	printf("%s\n", line.text);
}

int view_show(const struct mlx5lm_progress *progress, void *userdata)
{
	struct mlx5lm_text *text = NULL;
	struct view *view = userdata;

	if (view->json) {
		mlx5lm_progress_serialize(progress, &text);
		print_text(text);
	} else if (view->terminal) {
		draw(view, progress);
	} else {
		print_event(progress);
	}
	fflush(stdout);
	return 0;
}

void view_end(struct view *view)
{
	if (view->drawn)
		printf("\n");
	view->drawn = false;
	fflush(stdout);
}

void view_say(struct view *view, const char *format, ...)
{
	va_list arguments;

	view_end(view);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

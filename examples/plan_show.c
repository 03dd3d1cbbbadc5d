// SPDX-License-Identifier: MIT-0
/* A plan for people: as a table, while it is carried out, and what it came to. */
#include "plan_show.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common.h"

#define WHERE_SIZE 32
#define CHANGE_SIZE 128
#define TIME_SIZE 32
#define DISTURBS_SIZE 160

static const char *step_text(const struct mlx5lm_step *step, enum mlx5lm_step_key key)
{
	const char *text;

	return mlx5lm_step_get_str(step, key, &text) == 0 ? text : "";
}

static uint64_t step_number(const struct mlx5lm_step *step, enum mlx5lm_step_key key)
{
	uint64_t value = 0;

	mlx5lm_step_get_u64(step, key, &value);
	return value;
}

static uint64_t plan_number(const struct mlx5lm_plan *plan, enum mlx5lm_plan_key key)
{
	uint64_t value = 0;

	mlx5lm_plan_get_u64(plan, key, &value);
	return value;
}

static int equal_text(const struct mlx5lm_step *a, const struct mlx5lm_step *b,
		      enum mlx5lm_step_key key)
{
	return strcmp(step_text(a, key), step_text(b, key)) == 0;
}

/* Whether the two are about VFs, the second about a later one, and of one kind. */
static int same_kind(const struct mlx5lm_step *a, const struct mlx5lm_step *b)
{
	uint64_t first, second;

	return mlx5lm_step_get_u64(a, MLX5LM_STEP_VF_INDEX, &first) == 0 &&
	       mlx5lm_step_get_u64(b, MLX5LM_STEP_VF_INDEX, &second) == 0 && first < second &&
	       equal_text(a, b, MLX5LM_STEP_ID);
}

static int same_change(const struct mlx5lm_step *a, const struct mlx5lm_step *b)
{
	return same_kind(a, b) && equal_text(a, b, MLX5LM_STEP_CURRENT) &&
	       equal_text(a, b, MLX5LM_STEP_WANTED) && equal_text(a, b, MLX5LM_STEP_REASON) &&
	       step_number(a, MLX5LM_STEP_DISTURBS) == step_number(b, MLX5LM_STEP_DISTURBS) &&
	       step_number(a, MLX5LM_STEP_UNDOABLE) == step_number(b, MLX5LM_STEP_UNDOABLE);
}

/* How many steps from first on go on one line. */
static size_t run_length(const struct mlx5lm_plan *plan, size_t first,
			 int (*same)(const struct mlx5lm_step *, const struct mlx5lm_step *))
{
	size_t last = first;

	while (last + 1 < mlx5lm_plan_length(plan) &&
	       same(mlx5lm_plan_get_step(plan, last), mlx5lm_plan_get_step(plan, last + 1)))
		last++;
	return last + 1 - first;
}

/* "0000:08:00.0", "VFs 0-7", "VFs 0-2,5", or "64 VFs" if that would become too long. */
static void format_where(const struct mlx5lm_plan *plan, size_t first, size_t length,
			 char where[WHERE_SIZE])
{
	int used = snprintf(where, WHERE_SIZE, "VFs ");

	if (length == 1) {
		snprintf(where, WHERE_SIZE, "%s",
			 step_text(mlx5lm_plan_get_step(plan, first), MLX5LM_STEP_OBJECT));
		return;
	}
	for (size_t i = first, next; i < first + length && used < WHERE_SIZE; i = next) {
		uint64_t from = step_number(mlx5lm_plan_get_step(plan, i), MLX5LM_STEP_VF_INDEX);
		uint64_t to = from;

		for (next = i + 1; next < first + length; next++, to++) {
			if (step_number(mlx5lm_plan_get_step(plan, next), MLX5LM_STEP_VF_INDEX) !=
			    to + 1)
				break;
		}
		used += snprintf(where + used, (size_t)(WHERE_SIZE - used),
				 from == to ? "%s%" PRIu64 : "%s%" PRIu64 "-%" PRIu64,
				 i == first ? "" : ",", from, to);
	}
	if (used >= WHERE_SIZE)
		snprintf(where, WHERE_SIZE, "%zu VFs", length);
}

/* "legacy -> switchdev"; of "roce enable -> roce disable" the second "roce" is left out. */
static void format_change(const struct mlx5lm_step *step, char change[CHANGE_SIZE])
{
	const char *current = step_text(step, MLX5LM_STEP_CURRENT);
	const char *wanted = step_text(step, MLX5LM_STEP_WANTED);
	const char *space = strchr(current, ' ');
	size_t shared = space ? (size_t)(space - current) + 1 : 0;

	if (strncmp(current, wanted, shared) == 0)
		wanted += shared;
	snprintf(change, CHANGE_SIZE, "%s -> %s", current, wanted);
}

/* "3", or "4-11". */
static int print_numbers(char *text, size_t size, size_t first, size_t length)
{
	if (length == 1)
		return snprintf(text, size, "%zu", first + 1);
	return snprintf(text, size, "%zu-%zu", first + 1, first + length);
}

static const char *format_time(char text[TIME_SIZE], uint64_t time_ms)
{
	if (time_ms < 1000)
		snprintf(text, TIME_SIZE, "%" PRIu64 " ms", time_ms);
	else
		snprintf(text, TIME_SIZE, "%.1f s", (double)time_ms / 1000);
	return text;
}

/* "traffic of all VFs, running guests; cannot be undone" */
static const char *format_disturbs(char text[DISTURBS_SIZE], uint64_t disturbs, uint64_t undoable)
{
	static const struct {
		enum mlx5lm_disturbance bit;
		const char *name;
	} names[] = {
		{ MLX5LM_DISTURBANCE_VF_TRAFFIC, "traffic of the VF" },
		{ MLX5LM_DISTURBANCE_PF_TRAFFIC, "traffic of all VFs" },
		{ MLX5LM_DISTURBANCE_GUESTS, "running guests" },
		{ MLX5LM_DISTURBANCE_ADAPTER, "the whole adapter" },
	};
	int used = 0;

	*text = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (disturbs & names[i].bit)
			used += snprintf(text + used, (size_t)(DISTURBS_SIZE - used), "%s%s",
					 used ? ", " : "", names[i].name);
	}
	if (undoable == MLX5LM_ANSWER_NO)
		snprintf(text + used, (size_t)(DISTURBS_SIZE - used), "%scannot be undone",
			 used ? "; " : "");
	return text;
}

struct widths {
	int numbers, id, where, change;
};

static void widen(int *width, size_t length)
{
	if (*width < (int)length)
		*width = (int)length;
}

static struct widths measure(const struct mlx5lm_plan *plan)
{
	struct widths widths = { .numbers = 4, .id = 4, .where = 5, .change = 13 };
	char numbers[48], where[WHERE_SIZE], change[CHANGE_SIZE];

	for (size_t i = 0, length; i < mlx5lm_plan_length(plan); i += length) {
		const struct mlx5lm_step *step = mlx5lm_plan_get_step(plan, i);

		length = run_length(plan, i, same_change);
		format_where(plan, i, length, where);
		format_change(step, change);
		widen(&widths.numbers, (size_t)print_numbers(numbers, sizeof(numbers), i, length));
		widen(&widths.id, strlen(step_text(step, MLX5LM_STEP_ID)));
		widen(&widths.where, strlen(where));
		widen(&widths.change, strlen(change));
	}
	return widths;
}

static void print_line_of(int indent, const char *label, const struct mlx5lm_step *step,
			  enum mlx5lm_step_key key)
{
	if (*step_text(step, key))
		printf("%*s%s%s\n", indent, "", label, step_text(step, key));
}

static void print_row(const struct mlx5lm_plan *plan, size_t first, size_t length,
		      const struct widths *widths, int explain)
{
	const struct mlx5lm_step *step = mlx5lm_plan_get_step(plan, first);
	char numbers[48], where[WHERE_SIZE], change[CHANGE_SIZE];
	char time[TIME_SIZE], takes[TIME_SIZE + 8], disturbs[DISTURBS_SIZE];

	print_numbers(numbers, sizeof(numbers), first, length);
	format_where(plan, first, length, where);
	format_change(step, change);
	format_time(time, step_number(step, MLX5LM_STEP_USUAL_TIME_MS));
	snprintf(takes, sizeof(takes), "%s%s", time, length > 1 ? " each" : "");
	format_disturbs(disturbs, step_number(step, MLX5LM_STEP_DISTURBS),
			step_number(step, MLX5LM_STEP_UNDOABLE));
	printf("  %*s  %-*s  %-*s  %-*s  ", widths->numbers, numbers, widths->id,
	       step_text(step, MLX5LM_STEP_ID), widths->where, where, widths->change, change);
	printf("%-*s%s\n", *disturbs ? 13 : 0, takes, disturbs);
	if (!explain)
		return;
	print_line_of(widths->numbers + 4, "because: ", step, MLX5LM_STEP_REASON);
	print_line_of(widths->numbers + 4, "disturbs: ", step, MLX5LM_STEP_DISTURBANCE);
	print_line_of(widths->numbers + 4, "by hand: ", step, MLX5LM_STEP_COMMAND);
}

static void print_totals(const struct mlx5lm_plan *plan)
{
	size_t length = mlx5lm_plan_length(plan), fixed = 0;
	char time[TIME_SIZE], disturbs[DISTURBS_SIZE];

	for (size_t i = 0; i < length; i++)
		fixed += step_number(mlx5lm_plan_get_step(plan, i), MLX5LM_STEP_UNDOABLE) ==
			 MLX5LM_ANSWER_NO;
	printf("%zu step%s, usually %s", length, length == 1 ? "" : "s",
	       format_time(time, plan_number(plan, MLX5LM_PLAN_USUAL_TIME_MS)));
	if (*format_disturbs(disturbs, plan_number(plan, MLX5LM_PLAN_DISTURBS), 0))
		printf("; disturbs %s", disturbs);
	if (fixed)
		printf("; %zu cannot be undone", fixed);
	printf("\n");
	if (plan_number(plan, MLX5LM_PLAN_RESTART_NEEDED) == MLX5LM_ANSWER_YES)
		printf("The NV configuration holds only after a boot of the host, or a restart of "
		       "the adapter (--firmware-reset).\n");
	if (plan_number(plan, MLX5LM_PLAN_INCOMPLETE) == MLX5LM_ANSWER_YES)
		printf("What is left of the wishes has to wait for that: run this again then.\n");
}

static void print_line(const char *label, const struct mlx5lm_finding *finding,
		       enum mlx5lm_finding_key key)
{
	const char *text;

	if (mlx5lm_finding_get_str(finding, key, &text) == 0)
		printf("%s%s", label, text);
}

static void print_finding(const struct mlx5lm_finding *finding)
{
	const char *text = "", *object = "";

	mlx5lm_finding_get_str(finding, MLX5LM_FINDING_ID, &text);
	mlx5lm_finding_get_str(finding, MLX5LM_FINDING_OBJECT, &object);
	printf("  %-7s %-20s %-13s", mlx5lm_status_str(mlx5lm_finding_get_status(finding)), text,
	       object);
	print_line(" ", finding, MLX5LM_FINDING_MESSAGE);
	print_line(": ", finding, MLX5LM_FINDING_FOUND);
	print_line("; required: ", finding, MLX5LM_FINDING_REQUIRED);
	print_line("\n          to do: ", finding, MLX5LM_FINDING_REMEDY);
	printf("\n");
}

void show_plan(const struct mlx5lm_plan *plan, const char *pf, int explain)
{
	const struct mlx5lm_findings *findings = mlx5lm_plan_get_findings(plan);
	struct widths widths = measure(plan);

	if (mlx5lm_plan_length(plan)) {
		printf("plan for PF %s%s:\n", pf,
		       plan_number(plan, MLX5LM_PLAN_IS_UNDO) == MLX5LM_ANSWER_YES ?
			       ", back to what was before" : "");
		printf("  %*s  %-*s  %-*s  %-*s  %-12s disturbs\n", widths.numbers, "step",
		       widths.id, "what", widths.where, "where", widths.change, "now -> wanted",
		       "takes");
	}
	for (size_t i = 0, length; i < mlx5lm_plan_length(plan); i += length) {
		length = run_length(plan, i, same_change);
		print_row(plan, i, length, &widths, explain);
	}
	if (mlx5lm_plan_length(plan))
		print_totals(plan);
	if (mlx5lm_findings_length(findings)) {
		printf("to think about first:\n");
		for (size_t i = 0; i < mlx5lm_findings_length(findings); i++)
			print_finding(mlx5lm_findings_get(findings, i));
	}
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void print_progress(const struct progress *progress, int ended)
{
	const struct mlx5lm_step *step = mlx5lm_plan_get_step(progress->plan, progress->first);
	char numbers[48], where[WHERE_SIZE], time[TIME_SIZE];

	if (!ended && !progress->terminal)
		return;
	print_numbers(numbers, sizeof(numbers), progress->first, progress->length);
	format_where(progress->plan, progress->first, progress->length, where);
	printf("%s  %5s of %zu  %-15s  %s  ", progress->terminal ? "\r\033[K" : "", numbers,
	       mlx5lm_plan_length(progress->plan), step_text(step, MLX5LM_STEP_ID), where);
	if (progress->done == progress->length)
		printf("done");
	else if (progress->failed == progress->length)
		printf("failed");
	else if (progress->length == 1)
		printf("...");
	else
		printf("%zu of %zu done", progress->done, progress->length);
	if (progress->failed && progress->failed < progress->length)
		printf(", %zu failed", progress->failed);
	if (ended)
		printf("  %s\n", format_time(time, now_ms() - progress->started_ms));
	fflush(stdout);
}

void end_progress(struct progress *progress)
{
	if (progress->length && progress->done + progress->failed < progress->length)
		print_progress(progress, 1);
	progress->length = 0;
}

/* Begins the run that holds a step. */
static void begin_run(struct progress *progress, const struct mlx5lm_plan *plan, size_t index)
{
	end_progress(progress);
	if (plan != progress->plan && plan_number(plan, MLX5LM_PLAN_IS_UNDO) == MLX5LM_ANSWER_YES)
		printf("going back:\n");
	else if (progress->plan && plan != progress->plan)
		printf("going on:\n");
	progress->plan = plan;
	progress->first = 0;
	progress->length = run_length(plan, 0, same_kind);
	while (progress->first + progress->length <= index) {
		progress->first += progress->length;
		progress->length = run_length(plan, progress->first, same_kind);
	}
	progress->done = progress->failed = 0;
	progress->started_ms = now_ms();
}

void show_progress(struct progress *progress, const struct mlx5lm_plan *plan, size_t index,
		   enum mlx5lm_step_state state)
{
	if (plan != progress->plan || index < progress->first ||
	    index >= progress->first + progress->length)
		begin_run(progress, plan, index);
	progress->done += state == MLX5LM_STEP_STATE_DONE;
	progress->failed += state == MLX5LM_STEP_STATE_FAILED;
	print_progress(progress, progress->done + progress->failed == progress->length);
}

/* Steps that failed for another reason than the one that is shown anyway. */
static void show_failures(const struct mlx5lm_plan *plan, const struct mlx5lm_error *shown)
{
	const char *message = shown ? mlx5lm_error_get_message(shown) : "";

	for (size_t i = 0; i < mlx5lm_plan_length(plan); i++) {
		const struct mlx5lm_error *error = mlx5lm_plan_get_step_error(plan, i);

		if (error && strcmp(mlx5lm_error_get_message(error), message) != 0)
			show_error("error", error);
	}
}

/* Steps that were to undo and failed, each with why, and what a person would type. */
static void show_not_undone(const struct mlx5lm_plan *undo)
{
	for (size_t i = 0; i < mlx5lm_plan_length(undo); i++) {
		const struct mlx5lm_error *error = mlx5lm_plan_get_step_error(undo, i);

		if (!error)
			continue;
		show_error("not undone", error);
		fprintf(stderr, "  by hand: %s\n",
			step_text(mlx5lm_plan_get_step(undo, i), MLX5LM_STEP_COMMAND));
	}
}

static size_t count(const struct mlx5lm_plan *plan, enum mlx5lm_step_state state)
{
	size_t found = 0;

	for (size_t i = 0; i < mlx5lm_plan_length(plan); i++)
		found += mlx5lm_plan_get_step_state(plan, i) == state;
	return found;
}

void show_outcome(const struct mlx5lm_plan *plan, int result, const struct mlx5lm_error *error)
{
	const struct mlx5lm_plan *undo = mlx5lm_plan_get_undo(plan);
	size_t done = count(plan, MLX5LM_STEP_STATE_DONE);
	char time[TIME_SIZE];

	if (result > 0)
		printf("done, but for %d VF%s: back as before", result, result == 1 ? "" : "s");
	else
		printf(result == 0 ? "done" : "failed");
	printf(": %zu of %zu steps", done, mlx5lm_plan_length(plan));
	if (undo)
		printf(", then %zu of %zu to go back", count(undo, MLX5LM_STEP_STATE_DONE),
		       mlx5lm_plan_length(undo));
	printf(" in %s, %" PRIu64 " files written, %" PRIu64 " netlink messages\n",
	       format_time(time, plan_number(plan, MLX5LM_PLAN_TOOK_MS)),
	       plan_number(plan, MLX5LM_PLAN_WRITES), plan_number(plan, MLX5LM_PLAN_MESSAGES));
	fflush(stdout);
	show_failures(plan, error);
	show_not_undone(undo);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Snapshots of 4 KiB are parsed, put into a fleet and reported: how long does it take, is that in
 * line with their number, and how much memory stays? Side by side with Python and jq.
 */
#include <getopt.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "support/hosts.h"

#define RECORD_BYTES 4096
#define NUM_TEMPLATES 40
#define NUM_VFS 2
/* Stands in each template where the number of a host goes. */
#define MARK "7777777"
#define MAX_MARKS 16

#define MAX_SECONDS_10K 1.0
#define MAX_BYTES_KEPT 2048.0
#define MAX_GROWTH 1.3

struct template {
	char text[RECORD_BYTES + 1];
	size_t marks[MAX_MARKS];
	size_t num_marks;
};

struct figures {
	double parse_s, add_s, report_s;
	double bytes_kept; /* of a host */
	double bytes_sorted; /* of a host, with what a report has put in order */
	size_t num_classes;
};

static void must(int condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "bench-fleet: %s failed\n", what);
	exit(1);
}

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static size_t bytes_in_use(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

/* One of 40 kinds: 4 PSIDs with 10 firmware versions each. */
static struct mlx5lm_host *host_of_kind(unsigned int kind, size_t padding)
{
	struct mlx5lm_host *host = ready_host("host-" MARK, NUM_VFS);
	char text[RECORD_BYTES];

	set_text(&host->architecture, "x86_64");
	snprintf(text, sizeof(text), "MT_%010u", 838 + kind / 10);
	set_text(&host->pfs[0].psid, text);
	snprintf(text, sizeof(text), "28.%u.1000", 39 + kind % 10);
	set_text(&host->pfs[0].fw_running, text);
	for (size_t i = 0; i < NUM_VFS - 1; i++) {
		snprintf(text, sizeof(text), "guest-" MARK "-%zu", i);
		set_text(&host->pfs[0].vfs[i].in_use_by, text);
	}
	memset(text, '.', padding);
	text[padding] = '\0';
	must(host_add_note(host, "host", "hugepages_free", "not looked at %s", text) == 0,
	     "host_add_note()");
	return host;
}

static size_t write_kind(unsigned int kind, size_t padding, char *text)
{
	struct mlx5lm_host *host = host_of_kind(kind, padding);
	struct mlx5lm_text *json;
	size_t length;

	must(mlx5lm_host_serialize(host, &json) == 0, "mlx5lm_host_serialize()");
	length = mlx5lm_text_length(json);
	must(length < RECORD_BYTES, "a snapshot of less than 4 KiB");
	memcpy(text, mlx5lm_text_get_str(json), length + 1);
	mlx5lm_text_free(json);
	mlx5lm_host_free(host);
	return length;
}

static void make_template(unsigned int kind, struct template *template)
{
	size_t length = write_kind(kind, 0, template->text);

	/* With a newline it is 4 KiB to the byte. */
	length = write_kind(kind, RECORD_BYTES - 1 - length, template->text);
	must(length == RECORD_BYTES - 1, "padding");
	template->text[length] = '\n';
	template->text[RECORD_BYTES] = '\0';
	for (char *at = template->text; (at = strstr(at, MARK)); at += strlen(MARK)) {
		must(template->num_marks < MAX_MARKS, "room for the marks");
		template->marks[template->num_marks++] = (size_t)(at - template->text);
	}
	must(template->num_marks >= NUM_VFS, "marks");
}

/* The snapshot of a host, which has its number in all its names. */
static const char *record(struct template *templates, size_t number)
{
	struct template *template = &templates[number % NUM_TEMPLATES];
	char digits[32];

	snprintf(digits, sizeof(digits), "%07zu", number);
	for (size_t i = 0; i < template->num_marks; i++)
		memcpy(template->text + template->marks[i], digits, strlen(MARK));
	return template->text;
}

static void report(const struct mlx5lm_fleet *fleet, enum mlx5lm_format format)
{
	struct mlx5lm_text *text;

	must(mlx5lm_fleet_serialize(fleet, format, &text) == 0, "mlx5lm_fleet_serialize()");
	must(mlx5lm_text_length(text) > 100, "a report");
	mlx5lm_text_free(text);
}

static struct figures run(struct template *templates, size_t number)
{
	struct figures figures = { 0 };
	struct mlx5lm_fleet *fleet;
	size_t before_bytes = bytes_in_use();
	double start_s;

	must(mlx5lm_fleet_new(&fleet) == 0, "mlx5lm_fleet_new()");
	for (size_t i = 0; i < number; i++) {
		const char *json = record(templates, i);
		struct mlx5lm_host *host;
		double parsed_s;

		start_s = now_s();
		must(mlx5lm_host_parse(json, RECORD_BYTES, &host, NULL) == 0,
		     "mlx5lm_host_parse()");
		parsed_s = now_s();
		must(mlx5lm_fleet_add(fleet, host, NULL, NULL) == 0, "mlx5lm_fleet_add()");
		figures.add_s += now_s() - parsed_s;
		mlx5lm_host_free(host);
		figures.parse_s += now_s() - start_s;
	}
	figures.parse_s -= figures.add_s;
	figures.bytes_kept = (double)(bytes_in_use() - before_bytes) / (double)number;
	start_s = now_s();
	report(fleet, MLX5LM_FORMAT_JSON);
	report(fleet, MLX5LM_FORMAT_TEXT);
	figures.report_s = now_s() - start_s;
	figures.bytes_sorted = (double)(bytes_in_use() - before_bytes) / (double)number;
	figures.num_classes = mlx5lm_fleet_length_classes(fleet);
	mlx5lm_fleet_free(fleet);
	return figures;
}

static double total_s(const struct figures *figures)
{
	return figures->parse_s + figures->add_s + figures->report_s;
}

/* The best of a few runs, which is what the work takes without the neighbours. */
static struct figures measure(struct template *templates, size_t number, int runs)
{
	struct figures best = run(templates, number);
	double seconds;

	while (--runs > 0) {
		struct figures figures = run(templates, number);

		if (total_s(&figures) < total_s(&best))
			best = figures;
	}
	seconds = total_s(&best);
	printf("%7zu  %7.3f  %7.3f  %7.3f  %7.3f  %8.1f  %10.0f  %10.0f\n", number, best.parse_s,
	       best.add_s, best.report_s, seconds, seconds * 1e6 / (double)number, best.bytes_kept,
	       best.bytes_sorted);
	fflush(stdout);
	return best;
}

/* Processor time of a command, whose first number goes to *ret_number; 0 if it cannot be run. */
static double command_s(const char *command, size_t *ret_number)
{
	struct rusage before, after;
	FILE *pipe;
	int fields;

	getrusage(RUSAGE_CHILDREN, &before);
	pipe = popen(command, "r");
	must(pipe != NULL, "popen()");
	fields = fscanf(pipe, "%zu", ret_number);
	if (pclose(pipe) != 0 || fields != 1)
		return 0;
	getrusage(RUSAGE_CHILDREN, &after);
	return (double)(after.ru_utime.tv_sec - before.ru_utime.tv_sec) +
	       (double)(after.ru_utime.tv_usec - before.ru_utime.tv_usec) / 1e6 +
	       (double)(after.ru_stime.tv_sec - before.ru_stime.tv_sec) +
	       (double)(after.ru_stime.tv_usec - before.ru_stime.tv_usec) / 1e6;
}

/* False if the other has found other classes. */
static bool print_ratio(const char *name, const char *command, const struct figures *figures)
{
	size_t num_classes = 0;
	double seconds = command_s(command, &num_classes);

	if (seconds == 0) {
		printf("  %-8s not here, or it failed: not compared\n", name);
		return true;
	}
	printf("  %-8s %7.3f s, %.1f times as long%s\n", name, seconds,
	       seconds / total_s(figures),
	       num_classes == figures->num_classes ? "" : "; OTHER CLASSES");
	return num_classes == figures->num_classes;
}

static bool compare_with_scripts(struct template *templates, size_t number,
				 const struct figures *figures, const char *python,
				 const char *script)
{
	char path[] = "/tmp/bench-fleet-XXXXXX", command[1024];
	int fd = mkstemp(path);
	FILE *stream = fd < 0 ? NULL : fdopen(fd, "w");
	bool same;

	must(stream != NULL, "mkstemp()");
	for (size_t i = 0; i < number; i++)
		must(fwrite(record(templates, i), RECORD_BYTES, 1, stream) == 1, "fwrite()");
	must(fclose(stream) == 0, "fclose()");
	printf("the same %zu snapshots grouped, without any report, by\n", number);
	snprintf(command, sizeof(command), "'%s' '%s' %s %d", python, script, path, RECORD_BYTES);
	same = print_ratio("Python", command, figures);
	snprintf(command, sizeof(command),
		 "jq -n 'reduce (inputs | . as $h | .pfs[] | [([$h.architecture, .device_id, "
		 ".sriov_vf_device_id, .class_code, .psid, .fw_running] | tostring), $h.hostname]) "
		 "as $x ({}; .[$x[0]] += [$x[1]]) | length' %s 2>/dev/null", path);
	same &= print_ratio("jq", command, figures);
	unlink(path);
	return same;
}

static int print_goal(bool reached, const char *goal)
{
	printf("%s  %s\n", reached ? "reached" : "MISSED ", goal);
	return !reached;
}

int main(int argc, char **argv)
{
	static const struct option words[] = {
		{ "python", required_argument, NULL, 'p' },
		{ "script", required_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 },
	};
	struct template *templates = calloc(NUM_TEMPLATES, sizeof(*templates));
	const char *python = "python3", *script = NULL;
	struct figures small, large;
	int missed, word;
	bool same;

	while ((word = getopt_long(argc, argv, "", words, NULL)) != -1)
		*(word == 'p' ? &python : &script) = optarg;
	must(templates && script, "bench-fleet --script FILE [--python PROGRAM]");
	for (unsigned int i = 0; i < NUM_TEMPLATES; i++)
		make_template(i, &templates[i]);
	printf("processor time in s\n%7s  %7s  %7s  %7s  %7s  %8s  %10s  %10s\n", "hosts", "parse",
	       "add", "report", "all", "us/host", "bytes kept", "and sorted");
	measure(templates, 1000, 5);
	small = measure(templates, 10000, 3);
	large = measure(templates, 100000, 2);
	same = compare_with_scripts(templates, 10000, &small, python, script);
	missed = print_goal(total_s(&small) <= MAX_SECONDS_10K, "10000 snapshots in 1 s");
	missed |= print_goal(total_s(&large) <= 10 * MAX_GROWTH * total_s(&small),
			     "no more than 1.3 times as long for each of 100000 as of 10000");
	missed |= print_goal(large.bytes_sorted <= MAX_BYTES_KEPT, "2 KiB kept of each host");
	missed |= print_goal(same && small.num_classes == NUM_TEMPLATES, "40 classes, by all");
	free(templates);
	return missed;
}

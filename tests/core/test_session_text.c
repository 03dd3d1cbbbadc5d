// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/session_text.h"

#include <criterion/criterion.h>

#include <errno.h>
#include <jansson.h>
#include <stdio.h>

#include "core/text_wrap.h"
#include "little_memory.h"

#define MIB (1024 * 1024ull)

/* A report that a test may change before it is written. */
struct sample {
	struct phase_machine machine;
	struct migration migration;
	struct mlx5lm_pair pairs[40];
	struct forecast forecast;
	struct session_act acts[40];
	struct mlx5lm_findings findings, comparison;
	struct mlx5lm_error error;
	struct session_report report;
};

static void feed(struct sample *sample, uint64_t now_ms, enum session_stage stage,
		 enum domain_state source, struct job_stats job)
{
	const struct phase_facts facts = { .now_ms = now_ms,
					   .stage = stage,
					   .source = source,
					   .job = job,
					   .downtime_limit_ms = fact_u64(500),
					   .state_bytes = fact_u64(200 * MIB),
					   .num_vfs = fact_u64(1) };
	enum mlx5lm_event events[PHASE_MAX_EVENTS];

	phase_feed(&sample->machine, &facts, events);
}

static const struct job_stats nothing;

static void copy(struct sample *sample)
{
	struct job_stats job = { .type = JOB_RUNNING,
				 .data_total = fact_u64(1536 * MIB),
				 .data_processed = fact_u64(500 * MIB),
				 .data_remaining = fact_u64(1000 * MIB),
				 .memory_total = fact_u64(1536 * MIB),
				 .memory_iteration = fact_u64(1),
				 .memory_bytes_per_s = fact_u64(100 * MIB) };

	feed(sample, 0, STAGE_PREFLIGHT, DOMAIN_UNKNOWN, nothing);
	feed(sample, 41, STAGE_PREPARE, DOMAIN_UNKNOWN, nothing);
	feed(sample, 43, STAGE_MIGRATE, DOMAIN_RUNNING, nothing);
	feed(sample, 400, STAGE_MIGRATE, DOMAIN_RUNNING, job);
}

static void complete(struct sample *sample)
{
	struct job_stats job = { .type = JOB_COMPLETED,
				 .downtime_ms = fact_u64(431),
				 .setup_ms = fact_u64(12),
				 .time_elapsed_ms = fact_u64(65000),
				 .data_processed = fact_u64(3 * 1024 * MIB + 512 * MIB),
				 .memory_total = fact_u64(1536 * MIB),
				 .memory_iteration = fact_u64(4),
				 .vfio_transferred = fact_u64(204 * MIB + 300 * 1024) };

	feed(sample, 65000, STAGE_MIGRATE, DOMAIN_PAUSED_BY_MIGRATION, nothing);
	feed(sample, 65400, STAGE_VERIFY, DOMAIN_UNKNOWN, nothing);
	feed(sample, 65500, STAGE_CLEAN_UP, DOMAIN_UNKNOWN, nothing);
	feed(sample, 65507, STAGE_COMPLETED, DOMAIN_UNKNOWN, job);
	sample->report.reason = MLX5LM_REASON_NONE;
}

static void fail(struct sample *sample, enum session_stage stage, enum mlx5lm_reason reason)
{
	feed(sample, 7000, STAGE_VERIFY, DOMAIN_UNKNOWN, nothing);
	feed(sample, 7001, stage, DOMAIN_UNKNOWN, nothing);
	sample->report.reason = reason;
}

static void add_finding(struct mlx5lm_findings *findings, enum mlx5lm_status status, const char *id,
			const char *message, const char *remedy)
{
	struct mlx5lm_finding *finding = findings_add(findings, status, id, "vm1");

	finding_set(findings, finding, MLX5LM_FINDING_MESSAGE, "%s", message);
	finding_copy(findings, finding, MLX5LM_FINDING_REMEDY, remedy);
}

static struct sample *new_sample(void)
{
	struct sample *sample = calloc(1, sizeof(*sample));

	cr_assert_not_null(sample);
	phase_start(&sample->machine, 0);
	sample->migration = (struct migration){ .control = MLX5LM_CONTROL_P2P,
						.persistent = true,
						.channels = 4,
						.tls = true };
	sample->forecast = (struct forecast){ .downtime_ms = 420,
					      .least_limit_ms = 400,
					      .state_bytes = 200 * MIB };
	snprintf(sample->pairs[0].source, BDF_TEXT_SIZE, "0000:08:00.2");
	snprintf(sample->pairs[0].destination, BDF_TEXT_SIZE, "0000:3b:00.5");
	snprintf(sample->pairs[0].source_pf, BDF_TEXT_SIZE, "0000:08:00.0");
	snprintf(sample->pairs[0].destination_pf, BDF_TEXT_SIZE, "0000:3b:00.0");
	sample->report = (struct session_report){ .domain = "vm1",
						  .source_uri = "qemu:///system",
						  .destination_uri = "qemu+tls://b/system",
						  .machine = &sample->machine,
						  .migration = &sample->migration,
						  .pairs = sample->pairs,
						  .num_pairs = 1,
						  .forecast = &sample->forecast,
						  .acts = sample->acts,
						  .findings = &sample->findings };
	return sample;
}

static void free_sample(struct sample *sample)
{
	findings_release(&sample->findings);
	findings_release(&sample->comparison);
	free(sample);
}

/* The text, which has no line of more than 80 columns but for what cannot be broken. */
static char *text_of(const struct sample *sample)
{
	_cleanup_text_ struct mlx5lm_text *text = NULL;

	cr_assert_eq(session_to_plain_text(&sample->report, &text), 0);
	for (const char *line = text->text; *line; line += strcspn(line, "\n") + 1) {
		size_t length = strcspn(line, "\n");

		cr_expect(text_columns(line, length) <= TEXT_COLUMNS, "%.*s", (int)length, line);
	}
	return TAKE(text->text);
}

static json_t *json_of(const struct sample *sample)
{
	_cleanup_text_ struct mlx5lm_text *text = NULL;
	json_t *json;

	cr_assert_eq(session_to_json_text(&sample->report, &text), 0);
	json = json_loads(text->text, JSON_REJECT_DUPLICATES, NULL);
	cr_assert_not_null(json, "%s", text->text);
	return json;
}

static const char *word(json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static json_int_t integer(json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	cr_assert(json_is_integer(value), "%s", key);
	return json_integer_value(value);
}

Test(session_text, what_went_well_with_forecast_beside_downtime)
{
	struct sample *sample = new_sample();
	_cleanup_free_ char *text = NULL;

	copy(sample);
	complete(sample);
	sample->acts[0] = (struct session_act){
		.at_ms = 12345,
		.decision = { .action = MLX5LM_ACTION_RAISE_DOWNTIME,
			      .downtime_limit_ms = 500,
			      .reason = MLX5LM_REASON_STALLED,
			      .stalled = true },
	};
	sample->report.num_acts = 1;
	add_finding(&sample->findings, MLX5LM_STATUS_PASS, "session.vf_bound", "bound", NULL);
	add_finding(&sample->findings, MLX5LM_STATUS_INFO, "session.forecast", "420 ms", NULL);
	text = text_of(sample);
	cr_expect_str_eq(text,
			 "COMPLETED: domain vm1 runs at qemu+tls://b/system, after 65.507 s\n"
			 "\n"
			 "  downtime          431 ms\n"
			 "  forecast          420 ms, for 200.0 MiB of VF state\n"
			 "  downtime limit    500 ms\n"
			 "  sent              3.5 GiB\n"
			 "  guest memory      1.5 GiB, in 4 passes\n"
			 "  VF state          204.2 MiB\n"
			 "  QEMU's setup      12 ms\n"
			 "  QEMU's total      65000 ms\n"
			 "  control           p2p, 4 channels, TLS\n"
			 "\n"
			 "Phases\n"
			 "  preflight              0.041 s\n"
			 "  prepare                0.002 s\n"
			 "  setup                  0.357 s\n"
			 "  pre-copy              64.600 s\n"
			 "  switchover             0.400 s\n"
			 "  verify                 0.100 s\n"
			 "  clean-up               0.007 s\n"
			 "\n"
			 "What the policy did\n"
			 "          12.345 s  downtime limit raised to 500 ms: stalled\n"
			 "\n"
			 "VFs, from source to destination\n"
			 "  0000:08:00.2 -> 0000:3b:00.5\n"
			 "\n"
			 "Worth knowing\n"
			 "  session.forecast, vm1: 420 ms\n");
	free_sample(sample);
}

Test(session_text, what_failed_has_reason_words_and_remedy_at_the_top)
{
	struct sample *sample = new_sample();
	_cleanup_free_ char *text = NULL;

	copy(sample);
	fail(sample, STAGE_FAILED, MLX5LM_REASON_VF_LOAD);
	sample->error = (struct mlx5lm_error){
		.errnum = 5,
		.source = MLX5LM_SOURCE_LIBVIRT,
		.native = 9,
		.native_domain = 10,
		.message = (char *)"migration of domain 'vm1': the destination refused the state of "
				   "a VF; domain 'vm1' runs on at the source",
		.detail = (char *)"operation failed: migration failed.\n\nqemu-system-x86_64: error "
				  "while loading state for instance 0x0 of device "
				  "'0000:00:02.0:00.0/vfio'",
		.remedy = (char *)"compare the adapters: mlx5lm-compare a.json b.json",
	};
	sample->report.error = &sample->error;
	sample->report.num_pairs = 0;
	sample->report.forecast = NULL;
	sample->report.migration = NULL;
	text = text_of(sample);
	cr_expect_str_eq(text,
			 "FAILED, vf-load: domain vm1 from qemu:///system to qemu+tls://b/system, "
			 "after\n"
			 "  7.001 s\n"
			 "\n"
			 "  migration of domain 'vm1': the destination refused the state of a VF; "
			 "domain\n"
			 "  'vm1' runs on at the source\n"
			 "    operation failed: migration failed.\n"
			 "    qemu-system-x86_64: error while loading state for instance 0x0 of "
			 "device\n"
			 "      '0000:00:02.0:00.0/vfio'\n"
			 "  > compare the adapters:\n"
			 "    mlx5lm-compare a.json b.json\n"
			 "\n"
			 "  downtime limit    500 ms\n"
			 "  sent              500.0 MiB\n"
			 "  guest memory      1.5 GiB, in 1 pass\n"
			 "\n"
			 "Phases\n"
			 "  preflight              0.041 s\n"
			 "  prepare                0.002 s\n"
			 "  setup                  0.357 s\n"
			 "  pre-copy               6.600 s\n"
			 "  verify                 0.001 s\n");
	free_sample(sample);
}

Test(session_text, the_first_line_says_where_the_guest_is)
{
	static const char beginning[] =
		"RUNNING, pre-copy, 33 %: domain vm1 from qemu:///system to qemu+tls://b/system,\n"
		"  for 0.400 s\n"
		"  taken over from a caller that had died\n"
		"\n"
		"  left              about 12.000 s\n"
		"  forecast          420 ms, for assumed 200.0 MiB of VF state\n";
	struct sample *sample = new_sample();
	_cleanup_free_ char *fresh = text_of(sample), *running = NULL, *cancelled = NULL;

	cr_expect_str_eq(fresh, "NOT STARTED: domain vm1 from qemu:///system to "
				"qemu+tls://b/system\n"
				"\n"
				"  forecast          420 ms, for 200.0 MiB of VF state\n"
				"  control           p2p, 4 channels, TLS\n"
				"\n"
				"VFs, from source to destination\n"
				"  0000:08:00.2 -> 0000:3b:00.5\n");
	copy(sample);
	sample->report.attached = true;
	sample->forecast.is_assumed = true;
	running = text_of(sample);
	cr_expect_eq(strncmp(running, beginning, strlen(beginning)), 0, "%s", running);
	fail(sample, STAGE_CANCELLED, MLX5LM_REASON_CANCELLED);
	cancelled = text_of(sample);
	cr_expect(strstr(cancelled, "CANCELLED: domain vm1 stays at qemu:///system, after 7.001 s\n") ==
			  cancelled, "%s", cancelled);
	cr_expect_null(strstr(cancelled, "left"), "%s", cancelled);
	free_sample(sample);
}

Test(session_text, there_is_no_empty_paragraph_when_nothing_was_begun)
{
	struct sample *sample = new_sample();
	_cleanup_free_ char *text = NULL;

	feed(sample, 0, STAGE_PREFLIGHT, DOMAIN_UNKNOWN, nothing);
	sample->machine.progress.values[MLX5LM_PROGRESS_DOWNTIME_LIMIT_MS].known = false;
	feed(sample, 5, STAGE_CANCELLED, DOMAIN_UNKNOWN, nothing);
	sample->machine.progress.values[MLX5LM_PROGRESS_DOWNTIME_LIMIT_MS].known = false;
	sample->report.migration = NULL;
	sample->report.forecast = NULL;
	sample->report.num_pairs = 0;
	text = text_of(sample);
	cr_expect_str_eq(text, "CANCELLED: domain vm1 stays at qemu:///system, after 0.005 s\n"
			       "\n"
			       "Phases\n"
			       "  preflight              0.005 s\n");
	free_sample(sample);
}

Test(session_text, a_domain_without_vfs_has_no_forecast_to_show)
{
	struct sample *sample = new_sample();
	_cleanup_free_ char *text = NULL;

	sample->forecast = (struct forecast){ 0 };
	sample->report.num_pairs = 0;
	text = text_of(sample);
	cr_expect_null(strstr(text, "forecast"), "%s", text);
	cr_expect_null(strstr(text, "VF"), "%s", text);
	free_sample(sample);
}

Test(session_text, who_waits_says_for_how_many)
{
	struct sample *sample = new_sample();
	const struct phase_facts facts = { .stage = STAGE_PREPARE, .queue_position = fact_u64(2) };
	enum mlx5lm_event events[PHASE_MAX_EVENTS];
	_cleanup_free_ char *text = NULL;

	phase_feed(&sample->machine, &facts, events);
	text = text_of(sample);
	cr_expect(strstr(text, "  waits for         2 other sessions\n"), "%s", text);
	free_sample(sample);
}

Test(session_text, findings_come_with_their_remedies_and_the_hosts_last)
{
	struct sample *sample = new_sample();
	_cleanup_free_ char *text = NULL;
	struct mlx5lm_finding *finding;

	add_finding(&sample->findings, MLX5LM_STATUS_WARN, "session.switchover_ack",
		    "the destination makes ready for the VFs' state only when the guest stands still",
		    "update QEMU of the destination to 8.1 or newer");
	add_finding(&sample->findings, MLX5LM_STATUS_UNKNOWN, "session.vf_bound",
		    "nobody answers", "virsh nodedev-dumpxml pci_0000_3b_00_5");
	finding = findings_add(&sample->comparison, MLX5LM_STATUS_FAIL, "firmware.version",
			       "0000:08:00.0");
	finding_set(&sample->comparison, finding, MLX5LM_FINDING_SOURCE, "28.41.1000");
	finding_set(&sample->comparison, finding, MLX5LM_FINDING_DESTINATION, "28.39.1002");
	add_finding(&sample->comparison, MLX5LM_STATUS_INFO, "host.hostname", "differs", NULL);
	sample->report.comparison = &sample->comparison;
	sample->report.num_pairs = 0;
	sample->report.forecast = NULL;
	text = text_of(sample);
	cr_expect(strstr(text, "\n"
			       "What is not known\n"
			       "  session.vf_bound, vm1: nobody answers\n"
			       "    > virsh nodedev-dumpxml pci_0000_3b_00_5\n"
			       "\n"
			       "Warnings\n"
			       "  session.switchover_ack, vm1: the destination makes ready for the "
			       "VFs' state\n"
			       "      only when the guest stands still\n"
			       "    > update QEMU of the destination to 8.1 or newer\n"
			       "\n"
			       "What blocks, of the hosts\n"
			       "  firmware.version, 0000:08:00.0 (source: 28.41.1000, destination: "
			       "28.39.1002)\n"), "%s", text);
	cr_expect_null(strstr(text, "host.hostname"), "%s", text);
	free_sample(sample);
}

static size_t lines(const char *text)
{
	size_t number = 0;

	for (; *text; text++)
		number += *text == '\n';
	return number;
}

Test(session_text, long_lists_are_cut_and_the_last_acts_are_shown)
{
	struct sample *sample = new_sample();
	_cleanup_free_ char *text = NULL;

	copy(sample);
	for (size_t i = 0; i < 40; i++) {
		sample->pairs[i] = sample->pairs[0];
		sample->acts[i] = (struct session_act){
			.at_ms = i * 1000,
			.decision = { .action = i == 39 ? MLX5LM_ACTION_FORCE_SWITCHOVER :
							  MLX5LM_ACTION_CONTINUE,
				      .reason = i == 39 ? MLX5LM_REASON_UNKNOWN :
							  MLX5LM_REASON_STALLED },
		};
		add_finding(&sample->findings, MLX5LM_STATUS_WARN, "session.vf_bound", "no", NULL);
	}
	sample->report.num_pairs = sample->report.num_acts = 40;
	text = text_of(sample);
	cr_expect(strstr(text, "  and 24 more\n\nWarnings\n"), "%s", text);
	cr_expect_str_eq(text + strlen(text) - strlen("  and 24 more\n"), "  and 24 more\n");
	cr_expect(strstr(text, "What the policy did\n"
			       "  24 earlier ones, then\n"
			       "          24.000 s  a stall was counted\n"), "%s", text);
	cr_expect(strstr(text, "          39.000 s  switchover forced: as the caller wished\n"),
		  "%s", text);
	cr_expect_lt(lines(text), 80);
	free_sample(sample);
}

/* Name and URIs are the caller's, the words the daemon's: none moves the cursor. */
Test(session_text, no_text_from_outside_controls_the_terminal)
{
	struct sample *sample = new_sample();
	_cleanup_free_ char *text = NULL;
	json_t *json;

	sample->report.domain = "vm\033[2J";
	sample->report.destination_uri = "qemu+ssh://\377b/system";
	sample->error = (struct mlx5lm_error){ .errnum = 5,
					       .message = (char *)"a\033[31m",
					       .detail = (char *)"b\r\nc\177",
					       .remedy = (char *)"d\a" };
	sample->report.error = &sample->error;
	fail(sample, STAGE_FAILED, MLX5LM_REASON_OTHER);
	text = text_of(sample);
	for (const char *at = text; *at; at++)
		cr_expect(*at == '\n' || ((unsigned char)*at >= ' ' && *at != 127), "%d", *at);
	cr_expect(strstr(text, "    b?\n    c?\n"), "%s", text);
	json = json_of(sample);
	cr_expect_str_eq(word(json, "domain"), "vm [2J");
	cr_expect_str_eq(word(json, "destination_uri"), "qemu+ssh://?b/system");
	json_decref(json);
	free_sample(sample);
}

Test(session_text, json_has_all_of_it)
{
	struct sample *sample = new_sample();
	json_t *json, *part;

	copy(sample);
	complete(sample);
	sample->acts[0] = (struct session_act){
		.at_ms = 9,
		.decision = { .action = MLX5LM_ACTION_FORCE_SWITCHOVER,
			      .downtime_limit_ms = 2000000,
			      .reason = MLX5LM_REASON_TOTAL_DEADLINE },
	};
	sample->acts[1].decision.action = MLX5LM_ACTION_CONTINUE;
	sample->acts[1].decision.stalled = true;
	sample->report.num_acts = 2;
	sample->report.attached = true;
	sample->report.comparison = &sample->comparison;
	sample->machine.progress.values[MLX5LM_PROGRESS_DIRTY_RATE_PAGES_PER_S] =
		fact_u64(UINT64_MAX);
	add_finding(&sample->findings, MLX5LM_STATUS_PASS, "session.vf_bound", "bound", NULL);
	json = json_of(sample);
	cr_expect_str_eq(word(json, "schema"), "mlx5lm.session");
	cr_expect_eq(integer(json, "schema_version"), 1);
	cr_expect_str_eq(word(json, "phase"), "completed");
	cr_expect_str_eq(word(json, "reason"), "none");
	cr_expect(json_is_true(json_object_get(json, "attached")));
	part = json_object_get(json, "phases");
	cr_assert_eq(json_array_size(part), 8);
	cr_expect_str_eq(word(json_array_get(part, 3), "phase"), "pre-copy");
	cr_expect_eq(integer(json_array_get(part, 3), "began_ms"), 400);
	cr_expect_eq(integer(json_array_get(part, 3), "duration_ms"), 64600);
	part = json_object_get(json, "numbers");
	cr_expect_eq(integer(part, "downtime_ms"), 431);
	cr_expect_eq(integer(part, "iteration"), 4);
	cr_expect_eq(integer(part, "dirty_rate_pages_per_s"), INT64_MAX, "as much as JSON takes");
	cr_expect_null(json_object_get(part, "queue_position"), "not known, not there");
	part = json_object_get(json, "migration");
	cr_expect_str_eq(word(part, "control"), "p2p");
	cr_expect_eq(integer(part, "channels"), 4);
	part = json_object_get(json, "forecast");
	cr_expect_eq(integer(part, "downtime_ms"), 420);
	cr_expect(json_is_false(json_object_get(part, "is_assumed")));
	part = json_object_get(json, "acts");
	cr_expect_str_eq(word(json_array_get(part, 0), "action"), "force-switchover");
	cr_expect_eq(integer(json_array_get(part, 0), "downtime_limit_ms"), 2000000);
	cr_expect_str_eq(word(json_array_get(part, 0), "reason"), "total-deadline");
	cr_expect_null(json_object_get(json_array_get(part, 1), "downtime_limit_ms"));
	cr_expect(json_is_true(json_object_get(json_array_get(part, 1), "stalled")));
	part = json_array_get(json_object_get(json, "pairs"), 0);
	cr_expect_str_eq(word(part, "destination_pf"), "0000:3b:00.0");
	cr_expect_eq(json_array_size(json_object_get(json, "findings")), 1);
	cr_expect_eq(json_array_size(json_object_get(json, "comparison_findings")), 0);
	cr_expect_null(json_object_get(json, "error"));
	json_decref(json);
	free_sample(sample);
}

Test(session_text, json_of_an_error_has_libvirts_own_code)
{
	struct sample *sample = new_sample();
	json_t *json, *error;

	fail(sample, STAGE_FAILED, MLX5LM_REASON_OTHER);
	sample->error = (struct mlx5lm_error){ .errnum = 5,
					       .source = MLX5LM_SOURCE_LIBVIRT,
					       .native = 9,
					       .native_domain = 10,
					       .message = (char *)"it failed" };
	sample->report.error = &sample->error;
	sample->report.findings = NULL;
	sample->report.comparison = NULL;
	json = json_of(sample);
	error = json_object_get(json, "error");
	cr_expect_eq(integer(error, "errno"), 5);
	cr_expect_eq(integer(error, "libvirt_code"), 9);
	cr_expect_eq(integer(error, "libvirt_domain"), 10);
	cr_expect_str_eq(word(error, "message"), "it failed");
	cr_expect_null(json_object_get(error, "detail"));
	cr_expect_eq(json_array_size(json_object_get(json, "findings")), 0);
	cr_expect_null(json_object_get(json, "comparison_findings"));
	json_decref(json);
	sample->error.source = MLX5LM_SOURCE_LIBRARY;
	json = json_of(sample);
	cr_expect_null(json_object_get(json_object_get(json, "error"), "libvirt_code"));
	json_decref(json);
	free_sample(sample);
}

Test(session_text, with_little_memory_there_is_no_half_a_text)
{
	struct sample *sample = new_sample();
	int (*const writers[])(const struct session_report *report, struct mlx5lm_text **ret) = {
		session_to_json_text, session_to_plain_text
	};

	copy(sample);
	fail(sample, STAGE_FAILED, MLX5LM_REASON_OTHER);
	sample->error = (struct mlx5lm_error){ .errnum = 5,
					       .message = (char *)"it failed",
					       .detail = (char *)"one\ntwo",
					       .remedy = (char *)"look: virsh list --all" };
	sample->report.error = &sample->error;
	sample->acts[0].decision.action = MLX5LM_ACTION_ABORT;
	sample->report.num_acts = 1;
	add_finding(&sample->findings, MLX5LM_STATUS_WARN, "session.hook", "no", "do so");
	sample->report.comparison = &sample->findings;
	json_set_alloc_funcs(little_memory_malloc, free);
	for (size_t i = 0; i < 2; i++) {
		struct mlx5lm_text *text = NULL;
		size_t number = 0;
		int r = -ENOMEM;

		for (; r == -ENOMEM; number++) {
			little_memory_allow(number);
			r = writers[i](&sample->report, &text);
			little_memory_end();
			cr_assert_eq(r < 0, little_memory_failed(), "%zu allocations", number);
			cr_assert_eq(r < 0, text == NULL);
		}
		cr_expect_eq(r, 0);
		cr_expect_gt(number, 5);
		mlx5lm_text_free(text);
	}
	free_sample(sample);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
/* Prints, as a list in JSON, what is written of sessions: one with everything in it, and each phase and reason. */
#include <stdio.h>
#include <stdlib.h>

#include "core/failure.h"
#include "core/json_text.h"
#include "core/session_text.h"

static json_t *must(json_t *json)
{
	if (!json)
		abort();
	return json;
}

static void print(json_t *list, const struct session_report *report)
{
	_cleanup_text_ struct mlx5lm_text *text = NULL;

	if (session_to_json_text(report, &text))
		abort();
	json_array_append_new(list, must(json_loads(text->text, JSON_REJECT_DUPLICATES, NULL)));
}

/* Every number, every phase, every act. */
static void print_whole(json_t *list)
{
	static const struct migration migration = { .control = MLX5LM_CONTROL_DIRECT,
						    .peer_uri = "qemu+tcp://b/system",
						    .data_uri = "tcp://10.0.0.2",
						    .tls_destination = "b.example.com",
						    .tls = true };
	static const struct mlx5lm_pair pair = { .source = "0000:08:00.2",
						 .destination = "0001:3b:00.5",
						 .source_pf = "0000:08:00.0" };
	static const struct forecast forecast = { .downtime_ms = 5, .state_bytes = UINT64_MAX };
	const struct mlx5lm_error error = { .errnum = 5,
					    .source = MLX5LM_SOURCE_LIBVIRT,
					    .native = 9,
					    .native_domain = 10,
					    .message = (char *)"it failed",
					    .detail = (char *)"one line\nand another",
					    .remedy = (char *)"none" };
	struct session_act acts[MLX5LM_ACTION_ABORT + 1] = { 0 };
	struct mlx5lm_findings findings = { 0 };
	struct phase_machine machine = { .progress = { .phase = MLX5LM_PHASE_FAILED } };
	struct session_report report = {
		.domain = "vm1",
		.source_uri = "qemu:///system",
		.destination_uri = "qemu+ssh://b/system",
		.machine = &machine,
		.migration = &migration,
		.pairs = &pair,
		.num_pairs = 1,
		.forecast = &forecast,
		.acts = acts,
		.num_acts = ARRAY_LENGTH(acts),
		.findings = &findings,
		.comparison = &findings,
		.reason = MLX5LM_REASON_OTHER,
		.error = &error,
		.attached = true,
	};
	struct mlx5lm_finding *finding =
		findings_add(&findings, MLX5LM_STATUS_WARN, "session.hook", "destination");

	finding_set(&findings, finding, MLX5LM_FINDING_MESSAGE, "the hook failed");
	finding_set(&findings, finding, MLX5LM_FINDING_FOUND, "no power");
	finding_set(&findings, finding, MLX5LM_FINDING_REMEDY, "none");
	for (size_t key = 1; key < PROGRESS_KEYS; key++)
		machine.progress.values[key] = fact_u64(key);
	machine.progress.values[MLX5LM_PROGRESS_ETA_IS_ESTIMATE] = fact_u64(1);
	machine.progress.values[MLX5LM_PROGRESS_STALLS] = fact_u64(UINT64_MAX);
	for (size_t phase = MLX5LM_PHASE_PREFLIGHT; phase < PHASES; phase++)
		machine.times[phase].began_ms = fact_u64(phase);
	for (size_t i = 0; i < ARRAY_LENGTH(acts); i++)
		acts[i].decision.action = (enum mlx5lm_action)i;
	print(list, &report);
	findings_release(&findings);
}

static void print_small(json_t *list, enum mlx5lm_phase phase, enum mlx5lm_reason reason)
{
	const struct mlx5lm_error error = { .errnum = 5, .message = (char *)"it failed" };
	const struct phase_machine machine = { .progress = { .phase = phase } };
	const struct session_report report = {
		.domain = "vm1",
		.source_uri = "qemu:///system",
		.destination_uri = "qemu+ssh://b/system",
		.machine = &machine,
		.reason = reason,
		.error = phase > MLX5LM_PHASE_COMPLETED ? &error : NULL,
	};

	print(list, &report);
}

int main(void)
{
	json_t *list = must(json_array());
	_cleanup_text_ struct mlx5lm_text *text = NULL;

	print_whole(list);
	for (uint32_t phase = 0; phase < phase_names.length; phase++)
		print_small(list, (enum mlx5lm_phase)phase, MLX5LM_REASON_UNKNOWN);
	for (uint32_t reason = 0; reason < reason_names.length; reason++)
		print_small(list, MLX5LM_PHASE_FAILED, (enum mlx5lm_reason)reason);
	if (json_to_text(list, JSON_INDENT(1), &text) || puts(text->text) == EOF)
		return EXIT_FAILURE;
	return EXIT_SUCCESS;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/session_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "core/failure.h"
#include "core/json_text.h"
#include "core/session_names.h"
#include "core/text_wrap.h"

#define SCHEMA "mlx5lm.session"
#define SCHEMA_VERSION 1

/* Longer lists are cut in the text: nobody reads them, and the JSON form has them. */
#define MAX_SHOWN 16u

#define INDENT "  "
#define LABEL_COLUMNS 16
#define ROW_INDENT "                    "

static int set_number(json_t *object, const char *key, uint64_t value)
{
	json_int_t number = value > INT64_MAX ? INT64_MAX : (json_int_t)value;

	return json_object_set_new(object, key, json_integer(number));
}

static int set_bool(json_t *object, const char *key, bool value)
{
	return json_object_set_new(object, key, json_boolean(value));
}

static json_t *phases_to_json(const struct phase_machine *machine)
{
	_cleanup_json_ json_t *array = json_array();

	for (uint32_t phase = MLX5LM_PHASE_PREFLIGHT; array && phase < PHASES; phase++) {
		const struct phase_time *time = &machine->times[phase];
		json_t *object;

		if (!time->began_ms.known)
			continue;
		object = json_pack("{s:s}", "phase", name_of(&phase_names, phase));
		if (json_array_append_new(array, object) ||
		    set_number(object, "began_ms", time->began_ms.value) ||
		    set_number(object, "duration_ms", time->duration_ms))
			return NULL;
	}
	return TAKE(array);
}

static json_t *numbers_to_json(const struct mlx5lm_progress *progress)
{
	_cleanup_json_ json_t *object = json_object();

	for (size_t key = 1; object && key < PROGRESS_KEYS; key++) {
		if (progress->values[key].known &&
		    set_number(object, progress_keys[key], progress->values[key].value))
			return NULL;
	}
	return TAKE(object);
}

static json_t *migration_to_json(const struct migration *migration)
{
	_cleanup_json_ json_t *object = json_object();

	if (json_set_str(object, "control", name_of(&control_names, migration->control)) ||
	    json_set_clean_str(object, "peer_uri", migration->peer_uri) ||
	    json_set_clean_str(object, "data_uri", migration->data_uri) ||
	    json_set_clean_str(object, "tls_destination", migration->tls_destination) ||
	    set_number(object, "bandwidth_mib_per_s", migration->bandwidth_mib_per_s) ||
	    set_number(object, "switchover_bandwidth_mib_per_s",
		       migration->switchover_bandwidth_mib_per_s) ||
	    set_number(object, "channels", migration->channels) ||
	    set_bool(object, "tls", migration->tls) ||
	    set_bool(object, "persistent", migration->persistent))
		return NULL;
	return TAKE(object);
}

static json_t *forecast_to_json(const struct forecast *forecast)
{
	_cleanup_json_ json_t *object = json_object();

	if (set_number(object, "downtime_ms", forecast->downtime_ms) ||
	    set_number(object, "least_limit_ms", forecast->least_limit_ms) ||
	    set_number(object, "state_bytes", forecast->state_bytes) ||
	    set_bool(object, "is_assumed", forecast->is_assumed))
		return NULL;
	return TAKE(object);
}

/* A decision may be no more than that a stall was counted. */
static bool has_limit(const struct policy_decision *decision)
{
	return decision->action == MLX5LM_ACTION_RAISE_DOWNTIME ||
	       decision->action == MLX5LM_ACTION_FORCE_SWITCHOVER;
}

static json_t *acts_to_json(const struct session_act *acts, size_t length)
{
	_cleanup_json_ json_t *array = json_array();

	for (size_t i = 0; array && i < length; i++) {
		const struct policy_decision *decision = &acts[i].decision;
		json_t *object = json_object();

		if (json_array_append_new(array, object) ||
		    set_number(object, "at_ms", acts[i].at_ms) ||
		    json_set_str(object, "action", name_of(&action_names, decision->action)) ||
		    (has_limit(decision) &&
		     set_number(object, "downtime_limit_ms", decision->downtime_limit_ms)) ||
		    set_bool(object, "stalled", decision->stalled) ||
		    json_set_str(object, "reason", name_of(&reason_names, decision->reason)))
			return NULL;
	}
	return TAKE(array);
}

static json_t *pairs_to_json(const struct mlx5lm_pair *pairs, size_t length)
{
	_cleanup_json_ json_t *array = json_array();

	for (size_t i = 0; array && i < length; i++) {
		json_t *object =
			json_pack("{s:s, s:s, s:s, s:s}", "source", pairs[i].source, "destination",
				  pairs[i].destination, "source_pf", pairs[i].source_pf,
				  "destination_pf", pairs[i].destination_pf);

		if (json_array_append_new(array, object))
			return NULL;
	}
	return TAKE(array);
}

static json_t *error_to_json(const struct mlx5lm_error *error)
{
	_cleanup_json_ json_t *object = json_object();

	if (set_number(object, "errno", (uint64_t)error->errnum) ||
	    json_set_clean_str(object, "message", error->message) ||
	    json_set_clean_str(object, "detail", error->detail) ||
	    json_set_clean_str(object, "remedy", error->remedy) ||
	    (error->source == MLX5LM_SOURCE_LIBVIRT && error->native > 0 &&
	     (set_number(object, "libvirt_code", (uint64_t)error->native) ||
	      set_number(object, "libvirt_domain",
			 error->native_domain > 0 ? (uint64_t)error->native_domain : 0))))
		return NULL;
	return TAKE(object);
}

/* What there is only of some sessions. 0 or -1, as jansson. */
static int set_parts(json_t *json, const struct session_report *report)
{
	const struct mlx5lm_findings none = { 0 };
	const struct mlx5lm_findings *own = report->findings ? report->findings : &none;

	if (report->migration &&
	    json_object_set_new(json, "migration", migration_to_json(report->migration)))
		return -1;
	if (report->forecast &&
	    json_object_set_new(json, "forecast", forecast_to_json(report->forecast)))
		return -1;
	if (json_object_set_new(json, "acts", acts_to_json(report->acts, report->num_acts)) ||
	    json_object_set_new(json, "pairs", pairs_to_json(report->pairs, report->num_pairs)) ||
	    json_object_set_new(json, "findings", findings_to_json(own)))
		return -1;
	if (report->comparison &&
	    json_object_set_new(json, "comparison_findings", findings_to_json(report->comparison)))
		return -1;
	return report->error ? json_object_set_new(json, "error", error_to_json(report->error)) : 0;
}

int session_to_json_text(const struct session_report *report, struct mlx5lm_text **ret)
{
	const struct mlx5lm_progress *progress = &report->machine->progress;
	_cleanup_json_ json_t *json =
		json_pack("{s:s, s:i}", "schema", SCHEMA, "schema_version", SCHEMA_VERSION);

	if (json_set_clean_str(json, "domain", report->domain) ||
	    json_set_clean_str(json, "source_uri", report->source_uri) ||
	    json_set_clean_str(json, "destination_uri", report->destination_uri) ||
	    set_bool(json, "attached", report->attached) ||
	    json_set_str(json, "phase", name_of(&phase_names, progress->phase)) ||
	    json_set_str(json, "reason", name_of(&reason_names, report->reason)) ||
	    json_object_set_new(json, "phases", phases_to_json(report->machine)) ||
	    json_object_set_new(json, "numbers", numbers_to_json(progress)) ||
	    set_parts(json, report))
		return -ENOMEM;
	return json_to_text(TAKE(json), JSON_INDENT(2), ret);
}

static struct fact_u64 number(const struct session_report *report, enum mlx5lm_progress_key key)
{
	return report->machine->progress.values[key];
}

static void wrap_take(struct strbuf *buf, const char *first_indent, const char *indent, char *text)
{
	if (!text)
		buf->error = -ENOMEM;
	else
		text_wrap(buf, first_indent, indent, text);
	free(text);
}

/* A label, to the right if width is positive, and what there is to say of it. */
static void add_row(struct strbuf *buf, int width, const char *label, char *text)
{
	_cleanup_free_ char *first = str_printf(INDENT "%*s  ", width, label);

	if (!first)
		buf->error = -ENOMEM;
	wrap_take(buf, first ? first : "", ROW_INDENT, text);
}

static void add_field(struct strbuf *buf, const char *label, char *text)
{
	add_row(buf, -LABEL_COLUMNS, label, text);
}

#define TIME_TEXT_SIZE 32

/* Seconds with thousandths, for columns. */
static const char *seconds(char text[static TIME_TEXT_SIZE], uint64_t ms)
{
	snprintf(text, TIME_TEXT_SIZE, "%" PRIu64 ".%03u s", ms / 1000, (unsigned int)(ms % 1000));
	return text;
}

/* "1.5 GiB". */
static const char *amount(char text[static TIME_TEXT_SIZE], uint64_t bytes)
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	unsigned int unit = 0, tenths = 0;

	for (; bytes >= 1024 && unit + 1 < ARRAY_LENGTH(units); unit++) {
		tenths = (unsigned int)(bytes % 1024 * 10 / 1024);
		bytes /= 1024;
	}
	if (unit == 0)
		snprintf(text, TIME_TEXT_SIZE, "%" PRIu64 " bytes", bytes);
	else
		snprintf(text, TIME_TEXT_SIZE, "%" PRIu64 ".%u %s", bytes, tenths, units[unit]);
	return text;
}

static char *final_headline(const struct session_report *report, enum mlx5lm_phase phase,
			    const char *time)
{
	const char *reason = name_of(&reason_names, report->reason);

	switch (phase) {
	case MLX5LM_PHASE_COMPLETED:
		return str_printf("COMPLETED: domain %s runs at %s, after %s", report->domain,
				  report->destination_uri, time);
	case MLX5LM_PHASE_CANCELLED:
		return str_printf("CANCELLED: domain %s stays at %s, after %s", report->domain,
				  report->source_uri, time);
	default:
		return str_printf("FAILED, %s: domain %s from %s to %s, after %s", reason,
				  report->domain, report->source_uri, report->destination_uri,
				  time);
	}
}

static void add_headline(struct strbuf *buf, const struct session_report *report)
{
	enum mlx5lm_phase phase = report->machine->progress.phase;
	struct fact_u64 elapsed = number(report, MLX5LM_PROGRESS_ELAPSED_MS);
	char text[TIME_TEXT_SIZE];
	const char *time = seconds(text, elapsed.value);

	if (phase == MLX5LM_PHASE_UNKNOWN)
		wrap_take(buf, "", INDENT,
			  str_printf("NOT STARTED: domain %s from %s to %s", report->domain,
				     report->source_uri, report->destination_uri));
	else if (phase_is_final(phase))
		wrap_take(buf, "", INDENT, final_headline(report, phase, time));
	else
		wrap_take(buf, "", INDENT,
			  str_printf("RUNNING, %s, %" PRIu64 " %%: domain %s from %s to %s, for %s",
				     name_of(&phase_names, phase),
				     number(report, MLX5LM_PROGRESS_PERCENT).value, report->domain,
				     report->source_uri, report->destination_uri, time));
	if (report->attached)
		text_wrap(buf, INDENT, INDENT, "taken over from a caller that had died");
}

/* libvirt's words may be several lines. */
static void add_lines(struct strbuf *buf, const char *text)
{
	for (size_t length; *text; text += length + (text[length] == '\n')) {
		length = strcspn(text, "\n");
		if (length > 0)
			wrap_take(buf, INDENT INDENT, INDENT INDENT INDENT, strndup(text, length));
	}
}

static void add_error(struct strbuf *buf, const struct mlx5lm_error *error)
{
	if (!error)
		return;
	strbuf_add(buf, "\n");
	if (error->message)
		text_wrap(buf, INDENT, INDENT, error->message);
	if (error->detail)
		add_lines(buf, error->detail);
	if (error->remedy)
		text_wrap_remedy(buf, INDENT "> ", INDENT INDENT, error->remedy);
}

/* Forecast and real one side by side, as the one is judged by the other. */
static void add_downtime(struct strbuf *buf, const struct session_report *report)
{
	struct fact_u64 real = number(report, MLX5LM_PROGRESS_DOWNTIME_MS);
	struct fact_u64 limit = number(report, MLX5LM_PROGRESS_DOWNTIME_LIMIT_MS);
	const struct forecast *forecast = report->forecast;
	char size[TIME_TEXT_SIZE];

	if (real.known)
		add_field(buf, "downtime", str_printf("%" PRIu64 " ms", real.value));
	if (forecast && forecast->state_bytes > 0)
		add_field(buf, "forecast",
			  str_printf("%" PRIu64 " ms, for %s%s of VF state", forecast->downtime_ms,
				     forecast->is_assumed ? "assumed " : "",
				     amount(size, forecast->state_bytes)));
	if (limit.known)
		add_field(buf, "downtime limit", str_printf("%" PRIu64 " ms", limit.value));
}

static void add_amounts(struct strbuf *buf, const struct session_report *report)
{
	struct fact_u64 sent = number(report, MLX5LM_PROGRESS_DATA_PROCESSED_BYTES);
	struct fact_u64 memory = number(report, MLX5LM_PROGRESS_MEMORY_TOTAL_BYTES);
	struct fact_u64 passes = number(report, MLX5LM_PROGRESS_ITERATION);
	struct fact_u64 state = number(report, MLX5LM_PROGRESS_VFIO_TRANSFERRED_BYTES);
	struct fact_u64 setup = number(report, MLX5LM_PROGRESS_SETUP_MS);
	struct fact_u64 total = number(report, MLX5LM_PROGRESS_TOTAL_MS);
	char text[TIME_TEXT_SIZE];

	if (sent.known)
		add_field(buf, "sent", strdup(amount(text, sent.value)));
	if (memory.known && passes.known)
		add_field(buf, "guest memory",
			  str_printf("%s, in %" PRIu64 " pass%s", amount(text, memory.value),
				     passes.value, passes.value == 1 ? "" : "es"));
	else if (memory.known)
		add_field(buf, "guest memory", strdup(amount(text, memory.value)));
	if (state.known)
		add_field(buf, "VF state", strdup(amount(text, state.value)));
	if (setup.known)
		add_field(buf, "QEMU's setup", str_printf("%" PRIu64 " ms", setup.value));
	if (total.known)
		add_field(buf, "QEMU's total", str_printf("%" PRIu64 " ms", total.value));
}

static void add_way(struct strbuf *buf, const struct migration *migration)
{
	struct strbuf way = { 0 };
	char *text;

	strbuf_add(&way, name_of(&control_names, migration->control));
	if (migration->channels)
		strbuf_printf(&way, ", %" PRIu64 " channel%s", migration->channels,
			      migration->channels == 1 ? "" : "s");
	if (migration->tls)
		strbuf_add(&way, ", TLS");
	if (migration->bandwidth_mib_per_s)
		strbuf_printf(&way, ", at most %" PRIu64 " MiB/s", migration->bandwidth_mib_per_s);
	if (strbuf_take(&way, &text) < 0)
		text = NULL;
	add_field(buf, "control", text);
}

static void add_numbers(struct strbuf *buf, const struct session_report *report)
{
	struct fact_u64 eta = number(report, MLX5LM_PROGRESS_ETA_MS);
	struct fact_u64 waits = number(report, MLX5LM_PROGRESS_QUEUE_POSITION);
	char text[TIME_TEXT_SIZE];

	if (waits.known)
		add_field(buf, "waits for",
			  str_printf("%" PRIu64 " other session%s", waits.value,
				     waits.value == 1 ? "" : "s"));
	if (eta.known && !phase_is_final(report->machine->progress.phase))
		add_field(buf, "left", str_printf("about %s", seconds(text, eta.value)));
	add_downtime(buf, report);
	add_amounts(buf, report);
	if (report->migration)
		add_way(buf, report->migration);
}

static void add_pairs(struct strbuf *buf, const struct session_report *report)
{
	if (report->num_pairs)
		strbuf_add(buf, "\nVFs, from source to destination\n");
	for (size_t i = 0; i < report->num_pairs && i < MAX_SHOWN; i++)
		strbuf_printf(buf, INDENT "%s -> %s\n", report->pairs[i].source,
			      report->pairs[i].destination);
	if (report->num_pairs > MAX_SHOWN)
		strbuf_printf(buf, INDENT "and %zu more\n", report->num_pairs - MAX_SHOWN);
}

static void add_phases(struct strbuf *buf, const struct phase_machine *machine)
{
	char text[TIME_TEXT_SIZE];

	if (machine->progress.phase == MLX5LM_PHASE_UNKNOWN)
		return;
	strbuf_add(buf, "\nPhases\n");
	for (uint32_t phase = MLX5LM_PHASE_PREFLIGHT; phase < MLX5LM_PHASE_COMPLETED; phase++) {
		const struct phase_time *time = &machine->times[phase];

		if (time->began_ms.known)
			strbuf_printf(buf, INDENT "%-*s  %12s\n", LABEL_COLUMNS,
				      name_of(&phase_names, phase),
				      seconds(text, time->duration_ms));
	}
}

static char *act_text(const struct policy_decision *decision)
{
	const char *why = decision->reason == MLX5LM_REASON_UNKNOWN
				  ? "as the caller wished"
				  : name_of(&reason_names, decision->reason);

	switch (decision->action) {
	case MLX5LM_ACTION_RAISE_DOWNTIME:
		return str_printf("downtime limit raised to %" PRIu64 " ms: %s",
				  decision->downtime_limit_ms, why);
	case MLX5LM_ACTION_FORCE_SWITCHOVER:
		return str_printf("switchover forced: %s", why);
	case MLX5LM_ACTION_ABORT:
		return str_printf("aborted: %s", why);
	default:
		return strdup("a stall was counted");
	}
}

static void add_acts(struct strbuf *buf, const struct session_report *report)
{
	size_t first = report->num_acts > MAX_SHOWN ? report->num_acts - MAX_SHOWN : 0;

	if (report->num_acts)
		strbuf_add(buf, "\nWhat the policy did\n");
	/* How it ended matters most. */
	if (first)
		strbuf_printf(buf, INDENT "%zu earlier ones, then\n", first);
	for (size_t i = first; i < report->num_acts; i++) {
		char time[TIME_TEXT_SIZE];

		add_row(buf, LABEL_COLUMNS, seconds(time, report->acts[i].at_ms),
			act_text(&report->acts[i].decision));
	}
}

static void add_finding(struct strbuf *buf, const struct mlx5lm_finding *finding)
{
	const char *const *text = finding->text;
	struct strbuf line = { 0 };
	char *taken;

	strbuf_printf(&line, "%s, %s", text[MLX5LM_FINDING_ID], text[MLX5LM_FINDING_OBJECT]);
	if (text[MLX5LM_FINDING_MESSAGE])
		strbuf_printf(&line, ": %s", text[MLX5LM_FINDING_MESSAGE]);
	if (text[MLX5LM_FINDING_SOURCE] && text[MLX5LM_FINDING_DESTINATION])
		strbuf_printf(&line, " (source: %s, destination: %s)", text[MLX5LM_FINDING_SOURCE],
			      text[MLX5LM_FINDING_DESTINATION]);
	if (text[MLX5LM_FINDING_FOUND] && text[MLX5LM_FINDING_REQUIRED])
		strbuf_printf(&line, " (found: %s, required: %s)", text[MLX5LM_FINDING_FOUND],
			      text[MLX5LM_FINDING_REQUIRED]);
	wrap_take(buf, INDENT, INDENT INDENT INDENT, strbuf_take(&line, &taken) ? NULL : taken);
	if (text[MLX5LM_FINDING_REMEDY])
		text_wrap_remedy(buf, INDENT INDENT "> ", INDENT INDENT INDENT,
				 text[MLX5LM_FINDING_REMEDY]);
}

static void add_findings(struct strbuf *buf, const struct mlx5lm_findings *findings,
			 enum mlx5lm_status status, const char *heading)
{
	size_t shown = 0, total = findings ? findings_count(findings, status) : 0;

	if (total)
		strbuf_printf(buf, "\n%s\n", heading);
	for (size_t i = 0; shown < total && shown < MAX_SHOWN; i++) {
		if (findings->items[i].status != status)
			continue;
		add_finding(buf, &findings->items[i]);
		shown++;
	}
	if (total > MAX_SHOWN)
		strbuf_printf(buf, INDENT "and %zu more\n", total - MAX_SHOWN);
}

int session_to_plain_text(const struct session_report *report, struct mlx5lm_text **ret)
{
	struct strbuf buf = { 0 }, numbers = { 0 };
	char *text;

	add_headline(&buf, report);
	add_error(&buf, report->error);
	add_numbers(&numbers, report);
	if (numbers.length > 0)
		strbuf_printf(&buf, "\n%s", numbers.text);
	if (numbers.error)
		buf.error = numbers.error;
	strbuf_release(&numbers);
	add_phases(&buf, report->machine);
	add_acts(&buf, report);
	add_pairs(&buf, report);
	add_findings(&buf, report->findings, MLX5LM_STATUS_FAIL, "What failed");
	add_findings(&buf, report->findings, MLX5LM_STATUS_UNKNOWN, "What is not known");
	add_findings(&buf, report->findings, MLX5LM_STATUS_WARN, "Warnings");
	add_findings(&buf, report->findings, MLX5LM_STATUS_INFO, "Worth knowing");
	add_findings(&buf, report->comparison, MLX5LM_STATUS_FAIL, "What blocks, of the hosts");
	add_findings(&buf, report->comparison, MLX5LM_STATUS_UNKNOWN,
		     "What is not known, of the hosts");
	add_findings(&buf, report->comparison, MLX5LM_STATUS_WARN, "Warnings, of the hosts");
	return strbuf_take(&buf, &text) < 0 ? -ENOMEM : text_new_take(text, ret);
}

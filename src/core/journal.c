// SPDX-License-Identifier: LGPL-2.1-or-later
/* The format is described in doc/journal.md. */
#include "core/journal.h"

#include <errno.h>

#include "core/bdf.h"
#include "core/before.h"
#include "core/config_json.h"
#include "core/derive.h"
#include "core/json_text.h"
#include "core/report_json.h"

#define JOURNAL_SCHEMA "mlx5lm.journal"
#define JOURNAL_SCHEMA_VERSION 1

static const struct json_kind journal_kind = {
	.name = "journal",
	/* The snapshot is one level below the line that holds it. */
	.max_depth = REPORT_MAX_DEPTH + 1,
	.remedy = "the journal is damaged and cannot be recovered from: look at the PF "
		  "(mlx5lm-probe), remove the file, and configure the PF anew",
};

/* Longest text of a step that is kept. */
#define WORD_LENGTH 128

static const char *const end_names[] = {
	[JOURNAL_DONE] = "done",
	[JOURNAL_UNDONE] = "undone",
};

/* The snapshot of a host that has nothing but this PF. */
static json_t *before_to_json(const struct mlx5lm_host *before, const struct mlx5lm_pf *pf)
{
	/* Borrows all it has, so that nothing is copied. */
	const struct mlx5lm_host host = {
		.hostname = before->hostname,
		.boot_id = before->boot_id,
		.kernel_release = before->kernel_release,
		.pfs = (struct mlx5lm_pf *)pf,
		.num_pfs = 1,
	};

	return report_to_json(&host);
}

char *journal_begin_line(const struct mlx5lm_host *before, const struct mlx5lm_pf *pf,
			 const struct mlx5lm_config *wanted, uint64_t pid)
{
	_cleanup_json_ json_t *line =
		json_pack("{s:s, s:i, s:s, s:I}", "schema", JOURNAL_SCHEMA, "schema_version",
			  JOURNAL_SCHEMA_VERSION, "pf", pf->bdf, "pid", (json_int_t)pid);

	if (!line || json_set_str(line, "boot_id", before->boot_id) ||
	    json_object_set_new(line, "before", before_to_json(before, pf)) ||
	    json_object_set_new(line, "wanted", config_to_json(wanted)))
		return NULL;
	return json_to_line(TAKE(line));
}

/* What before_learn_ports() has found of its VFs: all else is in the first line. */
static json_t *ports_to_json(const struct mlx5lm_host *before, const struct mlx5lm_pf *pf)
{
	struct mlx5lm_pf ports = { .bdf = pf->bdf, .num_vfs = pf->num_vfs };
	json_t *json = NULL;

	ports.vfs = calloc(pf->num_vfs + 1, sizeof(*ports.vfs));
	if (!ports.vfs)
		return NULL;
	for (size_t i = 0; i < pf->num_vfs; i++) {
		ports.vfs[i].bdf = pf->vfs[i].bdf;
		ports.vfs[i].index = pf->vfs[i].index;
	}
	if (before_learn_ports(&ports, pf) == 0)
		json = before_to_json(before, &ports);
	/* The addresses are copies, all else is borrowed. */
	for (size_t i = 0; i < pf->num_vfs; i++)
		free(ports.vfs[i].hw_addr);
	free(ports.vfs);
	return json;
}

char *journal_before_line(const struct mlx5lm_host *before, const struct mlx5lm_pf *pf)
{
	_cleanup_json_ json_t *line = json_object();

	if (!line || json_object_set_new(line, "before", ports_to_json(before, pf)))
		return NULL;
	return json_to_line(TAKE(line));
}

char *journal_step_line(const struct mlx5lm_step *first, size_t length, bool undo)
{
	_cleanup_json_ json_t *line = json_pack("{s:s}", "step", step_id(first->kind));

	if (!line || json_object_set_new(
			     line, "object",
			     json_clean_string(first->object ? first->object : "?", WORD_LENGTH)))
		return NULL;
	if (length > 1 && json_object_set_new(line, "others", json_integer((json_int_t)length - 1)))
		return NULL;
	if (undo && json_object_set_new(line, "undo", json_true()))
		return NULL;
	return json_to_line(TAKE(line));
}

char *journal_end_line(enum journal_end end)
{
	return json_to_line(json_pack("{s:s}", "end", end_names[end]));
}

/* A line that is being read, and the journal it goes into. */
struct reading {
	struct journal *journal;
	size_t number; /* of the line, from 1 on */
	struct mlx5lm_error **reterr;
};

static int refuse(const struct reading *reading, const char *format, ...) _printf_(2, 3);

static int refuse(const struct reading *reading, const char *format, ...)
{
	_cleanup_free_ char *place = str_printf("line %zu:", reading->number);
	va_list args;
	int r;

	if (!place)
		return error_no_memory(reading->reterr);
	va_start(args, format);
	r = json_refuse(reading->reterr, &journal_kind, place, format, args);
	va_end(args);
	return r;
}

/* Says which line an error is about that the reader of a part of it has made. */
static int refuse_part(const struct reading *reading, struct mlx5lm_error *error)
{
	int r;

	if (error->errnum == ENOMEM)
		return error_pass(reading->reterr, error);
	r = refuse(reading, "%s", error->message);
	if (error->detail)
		error_add_detail(reading->reterr, "%s", error->detail);
	mlx5lm_error_free(error);
	return r;
}

/* A short text of the line without control characters. */
static int read_word(const struct reading *reading, const json_t *line, const char *key, char **ret)
{
	const json_t *value = json_object_get(line, key);

	if (!json_is_string(value) || !json_string_length(value) ||
	    json_string_length(value) > WORD_LENGTH ||
	    json_has_control(json_string_value(value), json_string_length(value)))
		return refuse(reading, "%s is not a short text", key);
	return str_replace(ret, json_string_value(value)) < 0 ? error_no_memory(reading->reterr)
							      : 0;
}

static int read_number(const struct reading *reading, const json_t *line, const char *key,
		       uint64_t *ret)
{
	const json_t *value = json_object_get(line, key);

	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return refuse(reading, "%s is not a number from 0 on", key);
	*ret = (uint64_t)json_integer_value(value);
	return 0;
}

static int read_before(const struct reading *reading, json_t *line, struct mlx5lm_host **ret)
{
	_cleanup_host_ struct mlx5lm_host *host = NULL;
	struct mlx5lm_error *error = NULL;

	if (report_from_json(json_object_get(line, "before"), &host, &error) < 0)
		return refuse_part(reading, error);
	if (host->num_pfs != 1 || !streq(host->pfs[0].bdf, reading->journal->pf_bdf))
		return refuse(reading, "before is not about %s alone", reading->journal->pf_bdf);
	if (host_derive(host) < 0)
		return error_no_memory(reading->reterr);
	*ret = TAKE(host);
	return 0;
}

static int read_schema(const struct reading *reading, const json_t *line)
{
	uint64_t version;
	int r;

	if (!streq(json_string_value(json_object_get(line, "schema")), JOURNAL_SCHEMA))
		return refuse(reading, "schema is not \"" JOURNAL_SCHEMA "\"");
	r = read_number(reading, line, "schema_version", &version);
	if (r < 0 || version == JOURNAL_SCHEMA_VERSION)
		return r;
	r = refuse(reading, "schema_version is %" JSON_INTEGER_FORMAT ", this library reads %d",
		   (json_int_t)version, JOURNAL_SCHEMA_VERSION);
	error_add_remedy(reading->reterr, "recover with the version of libmlx5lm that wrote it");
	return r;
}

static int read_begin(const struct reading *reading, json_t *line)
{
	struct journal *journal = reading->journal;
	struct mlx5lm_error *error = NULL;
	struct bdf bdf;
	int r;

	r = read_schema(reading, line);
	if (r == 0)
		r = read_word(reading, line, "pf", &journal->pf_bdf);
	if (r == 0 && bdf_parse(journal->pf_bdf, &bdf) < 0)
		r = refuse(reading, "pf is not a PCI address");
	if (r == 0)
		r = read_word(reading, line, "boot_id", &journal->boot_id);
	if (r == 0)
		r = read_number(reading, line, "pid", &journal->pid);
	if (r == 0)
		r = read_before(reading, line, &journal->before);
	if (r < 0)
		return r;
	r = config_from_json(json_object_get(line, "wanted"), &journal->wanted, &error);
	return r < 0 ? refuse_part(reading, error) : 0;
}

static int read_more_before(const struct reading *reading, json_t *line)
{
	_cleanup_host_ struct mlx5lm_host *more = NULL;
	int r;

	r = read_before(reading, line, &more);
	if (r < 0)
		return r;
	if (before_learn_ports(&reading->journal->before->pfs[0], &more->pfs[0]) < 0)
		return error_no_memory(reading->reterr);
	return 0;
}

static int read_step(const struct reading *reading, const json_t *line)
{
	_cleanup_free_ char *step = NULL, *object = NULL;
	struct journal *journal = reading->journal;
	uint64_t others = 0;
	char *last;
	int r;

	r = read_word(reading, line, "step", &step);
	if (r == 0)
		r = read_word(reading, line, "object", &object);
	if (r == 0 && json_object_get(line, "others"))
		r = read_number(reading, line, "others", &others);
	if (r < 0)
		return r;
	last = others ? str_printf("%s of %s and %" JSON_INTEGER_FORMAT " more", step, object,
				   (json_int_t)others)
		      : str_printf("%s of %s", step, object);
	if (!last)
		return error_no_memory(reading->reterr);
	free(journal->last);
	journal->last = last;
	/* One that had ended is undone later by the same journal. */
	journal->end = JOURNAL_OPEN;
	return 0;
}

static int read_end(const struct reading *reading, const json_t *line)
{
	const char *word = json_string_value(json_object_get(line, "end"));

	for (size_t i = 0; i < ARRAY_LENGTH(end_names); i++) {
		if (!streq(word, end_names[i]))
			continue;
		reading->journal->end = (enum journal_end)i;
		return 0;
	}
	return refuse(reading, "end is neither done nor undone");
}

static int read_line(const struct reading *reading, const char *text, size_t length)
{
	_cleanup_json_ json_t *line = NULL;
	json_error_t problem;

	if (json_find_too_deep(text, length, journal_kind.max_depth) < length)
		return refuse(reading, "nested deeper than %u", journal_kind.max_depth);
	line = json_loadb(text, length, JSON_REJECT_DUPLICATES, &problem);
	if (!line && json_error_code(&problem) == json_error_out_of_memory)
		return error_no_memory(reading->reterr);
	if (!line)
		return refuse(reading, "no valid JSON at byte %d", problem.position);
	if (reading->number == 1)
		return read_begin(reading, line);
	if (json_object_get(line, "before"))
		return read_more_before(reading, line);
	if (json_object_get(line, "step"))
		return read_step(reading, line);
	if (json_object_get(line, "end"))
		return read_end(reading, line);
	return refuse(reading, "has neither before, step nor end");
}

int journal_parse(const char *text, size_t length, struct journal *ret,
		  struct mlx5lm_error **reterr)
{
	_cleanup_journal_ struct journal journal = { 0 };
	struct reading reading = { .journal = &journal, .reterr = reterr };
	/* Where an append was cut short by a power failure, some file systems leave zeros. */
	const char *end = text + strnlen(text, length), *stop;

	for (; (stop = memchr(text, '\n', (size_t)(end - text))); text = stop + 1) {
		int r;

		reading.number++;
		r = read_line(&reading, text, (size_t)(stop - text));
		if (r < 0)
			return r;
	}
	/* What is left has no end: it was being written, and what it announces was not begun. */
	if (!reading.number) {
		reading.number = 1;
		return refuse(&reading, "is not whole");
	}
	*ret = journal;
	journal = (struct journal){ 0 };
	return 0;
}

void journal_release(struct journal *journal)
{
	free(journal->pf_bdf);
	free(journal->boot_id);
	mlx5lm_host_free(journal->before);
	mlx5lm_config_free(journal->wanted);
	free(journal->last);
	*journal = (struct journal){ 0 };
}

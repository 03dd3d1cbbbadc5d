// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/check_rules.h"

#include <errno.h>
#include <stdio.h>

/* Long enough for a number in both forms. */
#define NUMBER_SIZE 48

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);

	return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

/* What a placeholder of a source stands for; NULL if there is no such thing. */
static const char *placeholder(const struct about *about, const char *item_name, const char *name,
			       size_t length, char number[static NUMBER_SIZE])
{
	const struct mlx5lm_vf *vf = about->vf;

	if (length == 4 && strncmp(name, "name", length) == 0)
		return item_name;
	if (!about->pf)
		return NULL;
	if (length == 2 && strncmp(name, "pf", length) == 0)
		return about->pf->bdf;
	if (length == 3 && strncmp(name, "bdf", length) == 0)
		return vf ? vf->bdf : about->pf->bdf;
	if (!vf)
		return NULL;
	if (length == 4 && strncmp(name, "port", length) == 0 && vf->port_index.known)
		snprintf(number, NUMBER_SIZE, "%" PRIu64, vf->port_index.value);
	else if (length == 5 && strncmp(name, "index", length) == 0 && vf->index.known)
		snprintf(number, NUMBER_SIZE, "%" PRIu64, vf->index.value);
	else
		return NULL;
	return number;
}

static void add_source(struct strbuf *line, const struct about *about, const char *item_name,
		       const char *source)
{
	const char *open, *end;

	for (; (open = strchr(source, '{')) && (end = strchr(open, '}')); source = end + 1) {
		char number[NUMBER_SIZE];
		const char *text = placeholder(about, item_name, open + 1,
					       (size_t)(end - open - 1), number);

		strbuf_printf(line, "%.*s%s", (int)(open - source), source, text ? text : "?");
	}
	strbuf_add(line, source);
}

/* "the source it names": the fact of the same object whose name ends in "source". */
static const char *named_source(const struct fact_table *table, const void *object)
{
	for (size_t i = 0; i < table->length; i++) {
		const struct fact_field *field = &table->fields[i];

		if (field->type == FACT_STR && ends_with(field->name, "source"))
			return *(char **)fact_at(field, object);
	}
	return NULL;
}

/* 0 if the fact is known. */
static int add_value(struct strbuf *line, const struct fact_field *field, const void *object)
{
	const void *fact = fact_at(field, object);

	if (field->type == FACT_STR) {
		const char *text = *(char *const *)fact;

		if (!text)
			return -1;
		strbuf_add(line, text);
	} else if (field->type == FACT_ENUM) {
		uint32_t value = *(const uint32_t *)fact;

		if (!value)
			return -1;
		strbuf_add(line, name_of(field->names, value));
	} else {
		const struct fact_u64 *number = fact;

		if (!number->known)
			return -1;
		strbuf_printf(line, "%" PRIu64, number->value);
		/* The kernel prints these in hexadecimal. */
		if (ends_with(field->name, "_id") || streq(field->name, "class") ||
		    ends_with(field->name, "_flags"))
			strbuf_printf(line, " (0x%04" PRIx64 ")", number->value);
	}
	return 0;
}

static const struct note *find_note(const struct mlx5lm_host *host, const struct about *about,
				    const char *fact)
{
	const char *const objects[] = {
		about->vf ? about->vf->bdf : NULL,
		about->pf ? about->pf->bdf : NULL,
		"host",
		"libvirt",
	};

	for (size_t i = 0; i < ARRAY_LENGTH(objects); i++) {
		const struct note *note = objects[i] ? host_find_note(host, objects[i], fact) :
						       NULL;

		if (note)
			return note;
	}
	return NULL;
}

static const struct fact_field *find_field(const struct fact_table *table, size_t offset)
{
	for (size_t i = 0; i < table->length; i++) {
		if (table->fields[i].offset == offset)
			return &table->fields[i];
	}
	return NULL;
}

static void flush(struct checker *checker, struct mlx5lm_finding *finding, struct strbuf *line)
{
	_cleanup_free_ char *text = NULL;

	if (strbuf_take(line, &text) < 0)
		checker->findings->error = -ENOMEM;
	else
		finding_explain(checker->findings, finding, "%s", text);
}

/* What the object is called, where its source does not say it. */
static const char *object_name(const struct about *about, const char *item_name)
{
	if (about->vf)
		return about->vf->bdf;
	if (about->pf)
		return about->pf->bdf;
	return item_name ? item_name : "the host";
}

void explain(struct checker *checker, struct mlx5lm_finding *finding, struct about about,
	     const struct fact_table *table, const void *object, size_t offset)
{
	const struct fact_field *field = find_field(table, offset);
	const char *item_name = NULL, *source;
	const struct note *note;
	struct strbuf line = { 0 };

	if (table == &module_table)
		item_name = ((const struct mlx5lm_module *)object)->name;
	source = field->source;
	if (ends_with(source, " it names")) {
		source = named_source(table, object);
		strbuf_printf(&line, "%s%s%s of %s", source ? source : "", source ? ", " : "",
			      field->name, object_name(&about, item_name));
	} else {
		add_source(&line, &about, item_name, source);
	}
	strbuf_add(&line, ": ");
	if (add_value(&line, field, object) < 0) {
		/* Those on modules are on the list of them. */
		note = find_note(checker->host, &about,
				 item_name ? host_modules.name : field->name);
		strbuf_printf(&line, "not known%s%s", note ? ": " : "", note ? note->text : "");
	}
	flush(checker, finding, &line);
}

static void add_nv_value(struct strbuf *line, const char *what, const struct fact_u64 *value)
{
	if (value->known)
		strbuf_printf(line, "%s %" PRIu64 ", ", what, value->value);
	else
		strbuf_printf(line, "%s not known, ", what);
}

void explain_nv(struct checker *checker, struct mlx5lm_finding *finding,
		const struct mlx5lm_pf *pf, const char *name)
{
	const struct mlx5lm_nv *nv = pf_find_nv(pf, name);
	const struct note *note = find_note(checker->host, &(struct about){ pf, NULL }, "nv");
	struct strbuf line = { 0 };

	strbuf_printf(&line, "%s%s%s, %s of %s: ", pf->nv_source ? pf->nv_source : "NV configuration",
		      pf->nv_source_version ? " " : "",
		      pf->nv_source_version ? pf->nv_source_version : "", name, pf->bdf);
	if (nv) {
		add_nv_value(&line, "default", &nv->default_value);
		add_nv_value(&line, "current", &nv->current);
		add_nv_value(&line, "next boot", &nv->next_boot);
		strbuf_printf(&line, "supported %s", name_of(&answer_names, nv->supported));
	} else {
		strbuf_printf(&line, "not known%s%s", note ? ": " : "", note ? note->text : "");
	}
	flush(checker, finding, &line);
}

void explain_config(struct checker *checker, struct mlx5lm_finding *finding, const char *name)
{
	const struct mlx5lm_host *host = checker->host;
	const char *value = host_find_config(host, name);
	const struct note *note = find_note(host, &ABOUT_HOST, "kernel_config");

	if (value)
		finding_explain(checker->findings, finding, "%s CONFIG_%s: %s",
				host->kernel_config_source ? host->kernel_config_source :
							     "kernel configuration",
				name, value);
	else
		finding_explain(checker->findings, finding,
				"kernel configuration CONFIG_%s: not known%s%s", name,
				note ? ": " : "", note ? note->text : "");
}

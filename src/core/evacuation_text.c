// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/evacuation.h"

#include <errno.h>
#include <inttypes.h>

#include "core/json_text.h"
#include "core/text_wrap.h"

#define SCHEMA "mlx5lm.evacuation"
#define SCHEMA_VERSION 1

/* Columns of names in a table; a longer one makes its own line longer. */
#define MAX_COLUMN 24u

static json_t *move_to_json(const struct mlx5lm_move *move)
{
	_cleanup_json_ json_t *json = json_object();
	_cleanup_json_ json_t *vfs = json_array();

	if (!json || json_set_clean_str(json, "domain", move->domain) ||
	    json_set_clean_str(json, "destination", move->destination) || json_object_set(json, "vfs", vfs))
		return NULL;
	for (size_t i = 0; i < move->num_vfs; i++) {
		if (json_array_append_new(vfs,
					  json_pack("{s:s, s:s}", "source", move->vfs[i].source,
						    "destination", move->vfs[i].destination)))
			return NULL;
	}
	return TAKE(json);
}

/* The moves of a wave are neighbours. */
static size_t wave_end(const struct mlx5lm_evacuation *evacuation, size_t start, uint64_t *ret_vfs)
{
	size_t end = start;

	*ret_vfs = 0;
	while (end < evacuation->num_moves &&
	       evacuation->moves[end].wave == evacuation->moves[start].wave)
		*ret_vfs += evacuation->moves[end++].num_vfs;
	return end;
}

static json_t *wave_to_json(const struct mlx5lm_move *moves, size_t length, uint64_t num_vfs)
{
	_cleanup_json_ json_t *list = json_array();
	_cleanup_json_ json_t *json = NULL;

	for (size_t i = 0; list && i < length; i++) {
		if (json_array_append_new(list, move_to_json(&moves[i])))
			return NULL;
	}
	json = json_pack("{s:I, s:I}", "wave", (json_int_t)moves->wave, "num_vfs",
			 (json_int_t)num_vfs);
	if (!json || !list ||
	    (moves->downtime_ms.known &&
	     json_object_set_new(json, "downtime_ms",
				 json_integer(moves->downtime_ms.value > INT64_MAX
						      ? INT64_MAX
						      : (json_int_t)moves->downtime_ms.value))) ||
	    json_object_set(json, "moves", list))
		return NULL;
	return TAKE(json);
}

int evacuation_to_json_text(const struct mlx5lm_evacuation *evacuation, struct mlx5lm_text **ret)
{
	_cleanup_json_ json_t *waves = json_array();
	_cleanup_json_ json_t *json = NULL;
	uint64_t num_vfs;
	size_t end;

	for (size_t start = 0; waves && start < evacuation->num_moves; start = end) {
		end = wave_end(evacuation, start, &num_vfs);
		if (json_array_append_new(
			    waves, wave_to_json(&evacuation->moves[start], end - start, num_vfs)))
			return -ENOMEM;
	}
	json = json_pack("{s:s, s:i}", "schema", SCHEMA, "schema_version", SCHEMA_VERSION);
	if (!json || !waves || json_set_clean_str(json, "host", evacuation->host) ||
	    json_set_str(json, "optimal", name_of(&answer_names, evacuation->optimal)) ||
	    json_object_set_new(json, "num_left", json_integer((json_int_t)evacuation->num_left)) ||
	    json_object_set(json, "waves", waves) ||
	    json_object_set_new(json, "findings", findings_to_json(&evacuation->findings)))
		return -ENOMEM;
	return json_to_text(TAKE(json), JSON_INDENT(2), ret);
}

/* A name, with spaces up to the next column. */
static void add_cell(struct strbuf *buf, const char *name, size_t width)
{
	size_t length = strlen(name), columns = text_columns(name, length);

	text_add(buf, name, length);
	strbuf_printf(buf, "%*s", (int)(columns < width ? width - columns : 0) + 2, "");
}

struct widths {
	size_t domain, destination, source;
};

static void widen(size_t *width, const char *text)
{
	size_t columns = text_columns(text, strlen(text));

	if (columns > *width)
		*width = columns < MAX_COLUMN ? columns : MAX_COLUMN;
}

static struct widths measure(const struct mlx5lm_evacuation *evacuation)
{
	struct widths widths = { .domain = strlen("domain"), .destination = strlen("goes to") };

	for (size_t i = 0; i < evacuation->num_moves; i++) {
		const struct mlx5lm_move *move = &evacuation->moves[i];

		widen(&widths.domain, move->domain);
		widen(&widths.destination, move->destination);
		for (size_t j = 0; j < move->num_vfs; j++)
			widen(&widths.source, move->vfs[j].source);
	}
	return widths;
}

static const char *plural(uint64_t number)
{
	return number == 1 ? "" : "s";
}

static void add_move(struct strbuf *buf, const struct mlx5lm_move *move,
		     const struct widths *widths)
{
	for (size_t i = 0; i < move->num_vfs; i++) {
		strbuf_add(buf, "  ");
		add_cell(buf, i == 0 ? move->domain : "", widths->domain);
		add_cell(buf, i == 0 ? move->destination : "", widths->destination);
		add_cell(buf, move->vfs[i].source, widths->source);
		strbuf_printf(buf, "%s\n", move->vfs[i].destination);
	}
}

static void add_waves(struct strbuf *buf, const struct mlx5lm_evacuation *evacuation)
{
	struct widths widths = measure(evacuation);
	uint64_t num_vfs;
	size_t end;

	for (size_t start = 0; start < evacuation->num_moves; start = end) {
		const struct mlx5lm_move *first = &evacuation->moves[start];

		end = wave_end(evacuation, start, &num_vfs);
		strbuf_printf(buf, "\nWave %" PRIu64 ": %" PRIu64 " VF%s", first->wave, num_vfs,
			      plural(num_vfs));
		if (first->downtime_ms.known)
			strbuf_printf(buf, ", at most %" PRIu64 " ms of downtime by the network",
				      first->downtime_ms.value);
		strbuf_add(buf, "\n  ");
		add_cell(buf, "domain", widths.domain);
		add_cell(buf, "goes to", widths.destination);
		add_cell(buf, "VF", widths.source);
		strbuf_add(buf, "becomes\n");
		for (size_t i = start; i < end; i++)
			add_move(buf, &evacuation->moves[i], &widths);
	}
}

static void add_finding(struct strbuf *buf, const struct mlx5lm_finding *finding)
{
	const char *remedy = finding->text[MLX5LM_FINDING_REMEDY];
	char *line = str_printf("%s: %s", finding->text[MLX5LM_FINDING_OBJECT],
				finding->text[MLX5LM_FINDING_MESSAGE]);

	if (!line || text_wrap(buf, "  ", "    ", line) ||
	    (remedy && text_wrap_remedy(buf, "    > ", "      ", remedy)))
		buf->error = -ENOMEM;
	free(line);
}

static void add_summary(struct strbuf *buf, const struct mlx5lm_evacuation *evacuation)
{
	char *line;

	if (evacuation->num_moves == 0 && evacuation->num_left == 0)
		line = str_printf("Host %s has no domains with VFs.", evacuation->host);
	else
		line = str_printf(
			"Evacuation of host %s: %zu domain%s can go in %" PRIu64 " wave%s, %" PRIu64
			" %s.%s",
			evacuation->host, evacuation->num_moves, plural(evacuation->num_moves),
			evacuation->num_waves, plural(evacuation->num_waves), evacuation->num_left,
			evacuation->num_left == 1 ? "stays" : "stay",
			evacuation->optimal == MLX5LM_ANSWER_YES
				? " No plan does better."
				: " There may be a better plan: there are too many to tell.");
	if (!line || text_wrap(buf, "", "", line))
		buf->error = -ENOMEM;
	free(line);
}

int evacuation_to_plain_text(const struct mlx5lm_evacuation *evacuation, struct mlx5lm_text **ret)
{
	struct strbuf buf = { 0 };
	char *text;

	add_summary(&buf, evacuation);
	add_waves(&buf, evacuation);
	if (evacuation->findings.length > 0)
		strbuf_add(&buf, "\nStaying:\n");
	for (size_t i = 0; i < evacuation->findings.length; i++)
		add_finding(&buf, &evacuation->findings.items[i]);
	return strbuf_take(&buf, &text) ? -ENOMEM : text_new_take(text, ret);
}

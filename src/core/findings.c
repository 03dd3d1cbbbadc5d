// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/findings.h"

#include <errno.h>
#include <stdio.h>

#include "base/array.h"
#include "core/json_text.h"

/* Enough for all texts of a comparison of two common hosts. */
#define CHUNK_SIZE 4064

const char *const status_names[] = {
	[MLX5LM_STATUS_UNKNOWN] = "unknown", [MLX5LM_STATUS_PASS] = "pass",
	[MLX5LM_STATUS_INFO] = "info",	     [MLX5LM_STATUS_WARN] = "warn",
	[MLX5LM_STATUS_FAIL] = "fail",
};

static const char *const text_names[FINDING_NUM_TEXTS] = {
	[MLX5LM_FINDING_ID] = "id",
	[MLX5LM_FINDING_OBJECT] = "object",
	[MLX5LM_FINDING_FOUND] = "found",
	[MLX5LM_FINDING_REQUIRED] = "required",
	[MLX5LM_FINDING_SOURCE] = "source",
	[MLX5LM_FINDING_DESTINATION] = "destination",
	[MLX5LM_FINDING_MESSAGE] = "message",
	[MLX5LM_FINDING_REMEDY] = "remedy",
	[MLX5LM_FINDING_SCOPE] = "scope",
	[MLX5LM_FINDING_EXPLAIN] = "explain",
	[MLX5LM_FINDING_SIDE] = "side",
};

/* size bytes that are not taken before findings_take(); NULL when out of memory. */
static char *findings_room(struct mlx5lm_findings *findings, size_t size)
{
	struct findings_chunk *chunk = findings->chunks;
	size_t chunk_size = size > CHUNK_SIZE ? size : CHUNK_SIZE;

	if (chunk && chunk->size - chunk->used >= size)
		return chunk->text + chunk->used;
	if (chunk_size <= SIZE_MAX - sizeof(*chunk))
		chunk = malloc(sizeof(*chunk) + chunk_size);
	else
		chunk = NULL;
	if (!chunk) {
		findings->error = -ENOMEM;
		return NULL;
	}
	chunk->next = findings->chunks;
	chunk->size = chunk_size;
	chunk->used = 0;
	findings->chunks = chunk;
	return chunk->text;
}

static void findings_take(struct mlx5lm_findings *findings, size_t size)
{
	findings->chunks->used += size;
}

#define EACH_BYTE(value) (UINT64_C(0x0101010101010101) * (value))
#define HIGH_BITS EACH_BYTE(0x80)

/* Is a byte of these eight a control character? (Others may be told as well if one is.) */
static bool has_control(uint64_t bytes)
{
	uint64_t deleted = bytes ^ EACH_BYTE(0x7f);

	return (((bytes - EACH_BYTE(0x20)) & ~bytes) | ((deleted - EACH_BYTE(0x01)) & ~deleted)) &
	       HIGH_BITS;
}

/* Not iscntrl(): the locale of the program has no say in it. Eight at a time: it adds up. */
static void clean_line(char *line, size_t length)
{
	for (size_t i = 0; i < length; i += sizeof(uint64_t)) {
		size_t end = length - i < sizeof(uint64_t) ? length : i + sizeof(uint64_t);
		uint64_t bytes;

		if (end == i + sizeof(bytes)) {
			memcpy(&bytes, line + i, sizeof(bytes));
			if (!has_control(bytes))
				continue;
		}
		for (size_t j = i; j < end; j++) {
			if ((unsigned char)line[j] < 0x20 || line[j] == 0x7f)
				line[j] = '?';
		}
	}
}

static const char *copy_line(struct mlx5lm_findings *findings, const char *text)
{
	size_t length = strlen(text);
	char *line = findings_room(findings, length + 1);

	if (!line)
		return NULL;
	memcpy(line, text, length + 1);
	clean_line(line, length);
	findings_take(findings, length + 1);
	return line;
}

int findings_reserve(struct mlx5lm_findings *findings, size_t number)
{
	if (array_reserve(&findings->items, &findings->allocated, findings->length + number,
			  sizeof(findings->items[0])))
		findings->error = -ENOMEM;
	return findings->error;
}

struct mlx5lm_finding *findings_add(struct mlx5lm_findings *findings, enum mlx5lm_status status,
				    const char *id, const char *object)
{
	struct mlx5lm_finding *finding;

	if (findings->length == findings->allocated && findings_reserve(findings, 1))
		return NULL;
	finding = &findings->items[findings->length++];
	*finding = (struct mlx5lm_finding){ .status = status };
	finding->text[MLX5LM_FINDING_ID] = id;
	/* Most are about what the one before is about. */
	if (findings->length > 1 && streq(finding[-1].text[MLX5LM_FINDING_OBJECT], object))
		finding->text[MLX5LM_FINDING_OBJECT] = finding[-1].text[MLX5LM_FINDING_OBJECT];
	else
		finding_copy(findings, finding, MLX5LM_FINDING_OBJECT, object);
	return finding;
}

void finding_point(struct mlx5lm_finding *finding, enum mlx5lm_finding_key key, const char *text)
{
	if (finding && text && *text)
		finding->text[key] = text;
}

void finding_copy(struct mlx5lm_findings *findings, struct mlx5lm_finding *finding,
		  enum mlx5lm_finding_key key, const char *text)
{
	if (finding && text)
		finding->text[key] = *text ? copy_line(findings, text) : NULL;
}

void finding_copy_value(struct mlx5lm_findings *findings, struct mlx5lm_finding *finding,
			enum mlx5lm_finding_key key, const char *text)
{
	if (text && *text)
		finding_copy(findings, finding, key, text);
	else
		finding_point(finding, key, text ? "empty" : "unknown");
}

/* One line of print, its length in *ret_length; NULL when out of memory. */
_printf_(2, 0)
static const char *print_line(struct mlx5lm_findings *findings, const char *format, va_list args,
			      size_t *ret_length)
{
	size_t room = findings->chunks ? findings->chunks->size - findings->chunks->used : 0;
	char *line = room ? findings->chunks->text + findings->chunks->used : NULL;
	va_list again;
	int length;

	va_copy(again, args);
	length = vsnprintf(line, room, format, args);
	if (length < 0) {
		findings->error = -ENOMEM;
		line = NULL;
	} else if ((size_t)length >= room) {
		line = findings_room(findings, (size_t)length + 1);
		if (line)
			vsnprintf(line, (size_t)length + 1, format, again);
	}
	va_end(again);
	if (!line)
		return NULL;
	clean_line(line, (size_t)length);
	*ret_length = (size_t)length;
	return line;
}

void finding_set(struct mlx5lm_findings *findings, struct mlx5lm_finding *finding,
		 enum mlx5lm_finding_key key, const char *format, ...)
{
	const char *line;
	size_t length;
	va_list args;

	if (!finding || !format || !*format)
		return;
	va_start(args, format);
	line = print_line(findings, format, args, &length);
	va_end(args);
	finding->text[key] = line && length ? line : NULL;
	if (finding->text[key])
		findings_take(findings, length + 1);
}

/* Room for length more bytes behind the evidence there is. 0 or -ENOMEM. */
static int grow_explain(struct mlx5lm_findings *findings, struct mlx5lm_finding *finding,
			size_t length)
{
	size_t needed = finding->explain_length + length, size = finding->explain_allocated;
	char *room;

	if (needed <= size)
		return 0;
	size = size ? size : 128;
	while (size < needed)
		size *= 2;
	room = findings_room(findings, size);
	if (!room)
		return -ENOMEM;
	findings_take(findings, size);
	if (finding->explain_length)
		memcpy(room, finding->explain, finding->explain_length);
	finding->explain = room;
	finding->explain_allocated = size;
	return 0;
}

void finding_explain(struct mlx5lm_findings *findings, struct mlx5lm_finding *finding,
		     const char *format, ...)
{
	_cleanup_free_ char *line = NULL;
	size_t length;
	va_list args;

	if (!finding)
		return;
	va_start(args, format);
	line = str_vprintf(format, args);
	va_end(args);
	length = line ? strlen(line) : 0;
	/* A newline between this line and the one before it, and the NUL. */
	if (!line || grow_explain(findings, finding, length + 2)) {
		findings->error = -ENOMEM;
		return;
	}
	clean_line(line, length);
	if (finding->explain_length)
		finding->explain[finding->explain_length++] = '\n';
	memcpy(finding->explain + finding->explain_length, line, length + 1);
	finding->explain_length += length;
	finding->text[MLX5LM_FINDING_EXPLAIN] = finding->explain;
}

int findings_move(struct mlx5lm_findings *to, struct mlx5lm_findings *from)
{
	struct findings_chunk **last = &from->chunks;

	if (findings_reserve(to, from->length)) {
		findings_release(from);
		return -ENOMEM;
	}
	for (size_t i = 0; i < from->length; i++)
		to->items[to->length++] = from->items[i];
	if (from->error)
		to->error = from->error;
	/* The texts belong to the other list now. */
	while (*last)
		last = &(*last)->next;
	*last = to->chunks;
	to->chunks = TAKE(from->chunks);
	findings_release(from);
	return 0;
}

enum mlx5lm_status findings_status(const struct mlx5lm_findings *findings)
{
	/* How much each status says about the whole, by its value. */
	static const int weight[] = {
		[MLX5LM_STATUS_PASS] = 0, [MLX5LM_STATUS_INFO] = 0,    [MLX5LM_STATUS_WARN] = 1,
		[MLX5LM_STATUS_UNKNOWN] = 2, [MLX5LM_STATUS_FAIL] = 3,
	};
	enum mlx5lm_status worst = MLX5LM_STATUS_PASS;

	for (size_t i = 0; i < findings->length; i++) {
		if (weight[findings->items[i].status] > weight[worst])
			worst = findings->items[i].status;
	}
	return worst;
}

size_t findings_count(const struct mlx5lm_findings *findings, enum mlx5lm_status status)
{
	size_t number = 0;

	for (size_t i = 0; i < findings->length; i++)
		number += findings->items[i].status == status;
	return number;
}

static json_t *finding_to_json(const struct mlx5lm_finding *finding)
{
	_cleanup_json_ json_t *object = json_object();

	if (!object ||
	    json_set_str(object, "id", finding->text[MLX5LM_FINDING_ID]) ||
	    json_set_str(object, "status", status_names[finding->status]))
		return NULL;
	for (size_t key = MLX5LM_FINDING_OBJECT; key < FINDING_NUM_TEXTS; key++) {
		if (json_set_str(object, text_names[key], finding->text[key]))
			return NULL;
	}
	return TAKE(object);
}

json_t *findings_to_json(const struct mlx5lm_findings *findings)
{
	_cleanup_json_ json_t *array = json_array();

	for (size_t i = 0; array && i < findings->length; i++) {
		if (json_array_append_new(array, finding_to_json(&findings->items[i])))
			return NULL;
	}
	return TAKE(array);
}

void findings_release(struct mlx5lm_findings *findings)
{
	while (findings->chunks) {
		struct findings_chunk *chunk = findings->chunks;

		findings->chunks = chunk->next;
		free(chunk);
	}
	free(findings->items);
	*findings = (struct mlx5lm_findings){ 0 };
}

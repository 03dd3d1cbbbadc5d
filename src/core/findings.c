// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/findings.h"

#include <ctype.h>
#include <errno.h>

#include "base/array.h"
#include "core/json_text.h"

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
};

struct mlx5lm_finding *findings_add(struct mlx5lm_findings *findings, enum mlx5lm_status status,
				    const char *id, const char *object)
{
	struct mlx5lm_finding *finding;

	if (array_reserve(&findings->items, &findings->allocated, findings->length + 1,
			  sizeof(*finding))) {
		findings->error = -ENOMEM;
		return NULL;
	}
	finding = &findings->items[findings->length++];
	*finding = (struct mlx5lm_finding){ .status = status };
	finding_set(findings, finding, MLX5LM_FINDING_ID, "%s", id);
	finding_set(findings, finding, MLX5LM_FINDING_OBJECT, "%s", object);
	return finding;
}

/* One line of print; NULL when out of memory. */
static char *print_line(struct mlx5lm_findings *findings, const char *format, va_list args)
{
	char *line = str_vprintf(format, args);

	if (!line)
		findings->error = -ENOMEM;
	for (char *c = line; c && *c; c++) {
		if (iscntrl((unsigned char)*c))
			*c = '?';
	}
	return line;
}

void finding_set(struct mlx5lm_findings *findings, struct mlx5lm_finding *finding,
		 enum mlx5lm_finding_key key, const char *format, ...)
{
	va_list args;

	if (!finding || !format || !*format)
		return;
	free(finding->text[key]);
	va_start(args, format);
	finding->text[key] = print_line(findings, format, args);
	va_end(args);
	if (finding->text[key] && !*finding->text[key]) {
		free(finding->text[key]);
		finding->text[key] = NULL;
	}
}

void finding_explain(struct mlx5lm_findings *findings, struct mlx5lm_finding *finding,
		     const char *format, ...)
{
	_cleanup_free_ char *line = NULL;
	char **text;
	size_t length;
	va_list args;

	if (!finding)
		return;
	va_start(args, format);
	line = print_line(findings, format, args);
	va_end(args);
	if (!line)
		return;
	text = &finding->text[MLX5LM_FINDING_EXPLAIN];
	length = strlen(line);
	/* A newline between this line and the one before it, and the NUL. */
	if (array_reserve(text, &finding->explain_allocated, finding->explain_length + length + 2,
			  1)) {
		findings->error = -ENOMEM;
		return;
	}
	if (finding->explain_length)
		(*text)[finding->explain_length++] = '\n';
	memcpy(*text + finding->explain_length, line, length + 1);
	finding->explain_length += length;
}

int findings_move(struct mlx5lm_findings *to, struct mlx5lm_findings *from)
{
	if (array_reserve(&to->items, &to->allocated, to->length + from->length,
			  sizeof(to->items[0]))) {
		findings_release(from);
		to->error = -ENOMEM;
		return -ENOMEM;
	}
	for (size_t i = 0; i < from->length; i++)
		to->items[to->length++] = from->items[i];
	if (from->error)
		to->error = from->error;
	/* The texts belong to the other list now. */
	from->length = 0;
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
	for (size_t i = 0; i < findings->length; i++) {
		for (size_t key = 0; key < FINDING_NUM_TEXTS; key++)
			free(findings->items[i].text[key]);
	}
	free(findings->items);
	*findings = (struct mlx5lm_findings){ 0 };
}

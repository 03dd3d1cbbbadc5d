// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/host_nv.h"

#include <errno.h>

#include "base/clock.h"
#include "core/nv.h"
#include "sys/nvtool.h"

/* The one that distributions have first. */
static const char *const tool_names[] = { "mstconfig", "mlxconfig" };

/* A query takes some seconds where the firmware is busy. One that hangs shall not cost it all. */
#define RUN_TIMEOUT_MS 15000

/* name -d BDF -e -j FILE q, the parameters and the end. */
#define MAX_ARGUMENTS (7 + NV_COUNT + 1)

struct tool {
	const char *name;
	char *path;
	char *version;
	bool json;
};

static void tool_release(struct tool *tool)
{
	free(tool->path);
	free(tool->version);
}

static int run(const struct tool *tool, const char *const *arguments, uint64_t until_ms,
	       struct nvtool_result *ret)
{
	uint64_t latest_ms = (uint64_t)clock_now_ms() + RUN_TIMEOUT_MS;

	return nvtool_run(tool->path, arguments, until_ms < latest_ms ? until_ms : latest_ms, ret);
}

/* A tool that does not even tell its version is asked all the same, in the older way. */
static int read_version(struct tool *tool, uint64_t until_ms)
{
	const char *const arguments[] = { tool->name, "--version", NULL };
	_cleanup_nvtool_result_ struct nvtool_result result = { 0 };
	int r;

	r = run(tool, arguments, until_ms, &result);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	r = nv_parse_version(result.output, result.output_length, &tool->version);
	tool->json = nv_version_has_json(tool->version);
	return r;
}

/* Leaves tool->path NULL if none is installed. 0 or -ENOMEM. */
static int find_tool(const struct root *root, uint64_t until_ms, struct tool *tool)
{
	int r = -ENOENT;

	for (size_t i = 0; r == -ENOENT && i < ARRAY_LENGTH(tool_names); i++) {
		tool->name = tool_names[i];
		r = nvtool_find(root, tool->name, &tool->path);
	}
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	return read_version(tool, until_ms);
}

/* What is asked about one PF, query by query. */
struct question {
	unsigned int asked; /* NV_ALL without what the tool has refused */
	bool json;
	bool answered;
	char *reason; /* why there is no answer; of the first query that has none */
};

static void question_release(struct question *question)
{
	free(question->reason);
}

static void make_arguments(const struct tool *tool, const char *bdf,
			   const struct question *question,
			   const char *arguments[static MAX_ARGUMENTS])
{
	size_t length = 0;

	arguments[length++] = tool->name;
	arguments[length++] = "-d";
	arguments[length++] = bdf;
	arguments[length++] = "-e";
	if (question->json) {
		arguments[length++] = "-j";
		arguments[length++] = NVTOOL_FILE;
	}
	arguments[length++] = "q";
	for (unsigned int i = 0; i < NV_COUNT; i++) {
		if (question->asked & 1U << i)
			arguments[length++] = nv_name(i);
	}
	arguments[length] = NULL;
}

static int set_reason(struct question *question, const char *words)
{
	return question->reason ? 0 : str_replace(&question->reason, words);
}

/* 1 if it is worth to ask again, in another way; 0 if not; -ENOMEM. */
static int read_refusal(struct question *question, const struct nvtool_result *result,
			struct mlx5lm_pf *pf)
{
	_cleanup_free_ char *words = NULL;
	unsigned int asked = question->asked;
	int r;

	r = nv_parse_refusal(result->output, result->output_length, pf, &question->asked, &words);
	if (r == 0 && words)
		r = set_reason(question, words);
	if (r < 0)
		return r;
	if (question->asked != asked) {
		question->answered = true;
		return question->asked != 0;
	}
	/* Without a word about the device, it is the file that the tool does not like. */
	if (question->json && (!words || strstr(words, "-j"))) {
		question->json = false;
		return 1;
	}
	return set_reason(question, "its answer is not understood");
}

static const char *why_it_failed(int r)
{
	switch (r) {
	case -ETIMEDOUT:
		return "it did not answer in time";
	case -EFBIG:
		return "it answers without end";
	default:
		return strerror(-r);
	}
}

static int query(const struct tool *tool, struct question *question, struct mlx5lm_pf *pf,
		 uint64_t until_ms)
{
	_cleanup_nvtool_result_ struct nvtool_result result = { 0 };
	const char *arguments[MAX_ARGUMENTS];
	int r;

	make_arguments(tool, pf->bdf, question, arguments);
	r = run(tool, arguments, until_ms, &result);
	if (r < 0)
		return r == -ENOMEM ? r : set_reason(question, why_it_failed(r));
	r = question->json ? nv_parse_json(result.file, result.file_length, pf) :
			     nv_parse_text(result.output, result.output_length, pf);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return read_refusal(question, &result, pf);
	question->answered = true;
	return result.exit_code ? 0 : nv_mark_missing(pf, question->asked);
}

static int ask_tool(const struct tool *tool, struct question *question, struct mlx5lm_pf *pf,
		    uint64_t until_ms)
{
	int r;

	/* Each round but the last asks for less, or no more for JSON. */
	do {
		r = query(tool, question, pf, until_ms);
	} while (r > 0);
	if (r < 0 || !question->answered)
		return r;
	if (str_replace(&pf->nv_source, tool->name) < 0)
		return -ENOMEM;
	return str_replace(&pf->nv_source_version, tool->version);
}

static int add_note(struct mlx5lm_host *host, const struct mlx5lm_pf *pf, const char *why)
{
	_cleanup_free_ char *command = nv_command(pf->bdf);

	if (!command)
		return -ENOMEM;
	return host_add_note(host, pf->bdf, "nv nv_source nv_pending",
			     "NV configuration is not %sknown: %s; %s shows it",
			     pf->num_nvs ? "fully " : "", why, command);
}

static int add_pf(struct mlx5lm_host *host, struct mlx5lm_pf *pf, const struct tool *tool,
		  const char *why, uint64_t until_ms)
{
	_cleanup_(question_release) struct question question = {
		.asked = NV_ALL,
		.json = tool->json,
	};
	_cleanup_free_ char *words = NULL;
	int r;

	r = nv_from_params(pf);
	if (r == 0 && tool->path)
		r = ask_tool(tool, &question, pf, until_ms);
	if (r < 0 || nv_is_complete(pf))
		return r;
	if (!tool->path)
		return add_note(host, pf, why);
	words = str_printf("%s: %s", tool->path, question.reason ?: "does not tell all of it");
	return words ? add_note(host, pf, words) : -ENOMEM;
}

int host_add_nv(struct mlx5lm_host *host, const struct root *root, bool tools, uint64_t until_ms)
{
	_cleanup_(tool_release) struct tool tool = { 0 };
	const char *why = "neither mstconfig nor mlxconfig is installed";
	int r = 0;

	if (!root->native)
		why = "the root is another machine's";
	else if (!tools)
		why = "the caller does not want a tool to be run";
	else if (host->num_pfs)
		r = find_tool(root, until_ms, &tool);
	for (size_t i = 0; r == 0 && i < host->num_pfs; i++)
		r = add_pf(host, &host->pfs[i], &tool, why, until_ms);
	return r;
}

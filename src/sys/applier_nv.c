// SPDX-License-Identifier: LGPL-2.1-or-later
/* The NV configuration of the adapter, and the restart that makes it the one in effect. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/array.h"
#include "base/clock.h"
#include "sys/applier_internal.h"
#include "sys/nvtool.h"

/* A tool's words are quoted up to here. */
#define MAX_WORDS 200

/* What devlink calls the parameters that it has. */
static const struct nv_param {
	const char *nv;
	const char *name;
	bool is_flag;
} nv_params[] = {
	{ "SRIOV_EN", "enable_sriov", true },
	{ "NUM_OF_VFS", "total_vfs", false },
};

static const struct nv_param *find_param(const char *nv)
{
	for (size_t i = 0; i < ARRAY_LENGTH(nv_params); i++) {
		if (streq(nv_params[i].nv, nv))
			return &nv_params[i];
	}
	return NULL;
}

/*
 * Sends the one request of the window, by a thread with a deadline: the kernel asks firmware
 * before it returns from the send. *words, of a failure, is the caller's.
 */
static int send_request(struct applier *applier, struct netlink_window *window,
			unsigned int timeout_ms, char **words)
{
	int r;

	r = applier_send_window(applier, &applier->netlink, &window, timeout_ms);
	/* It is the thread's now. */
	if (!window)
		return r;
	/* What was not sent has no end. */
	if (window->ends[0].ended)
		r = window->ends[0].result;
	if (r == 0)
		applier_log_words(applier, window->ends[0].words);
	else
		*words = TAKE(window->ends[0].words);
	netlink_window_release(window);
	free(window);
	return r;
}

static int param_failed(const struct applier *applier, const struct mlx5lm_step *step,
			const struct nv_param *param, const char *words, int r,
			struct mlx5lm_error **reterr)
{
	char what[128];

	snprintf(what, sizeof(what), "set %s (devlink parameter %s) to %" PRIu64, step->text,
		 param->name, step->value);
	applier_netlink_failed(applier->pf_bdf, what, words, r, reterr);
	if (r == -EOPNOTSUPP)
		error_add_remedy(reterr,
				 "set it for the whole adapter: mstconfig -d %s -y set %s=%" PRIu64,
				 applier->pf_bdf, step->text, step->value);
	else if (r == -ETIMEDOUT)
		error_add_remedy(reterr,
				 "the firmware still works at it: devlink dev param show pci/%s "
				 "name %s; dmesg | tail",
				 applier->pf_bdf, param->name);
	return r;
}

static int verify_param(struct applier *applier, const struct mlx5lm_step *step,
			const struct nv_param *param, struct mlx5lm_error **reterr)
{
	_cleanup_(devlink_params_release) struct devlink_params params = { 0 };
	const char *found = NULL;
	char wanted[24];
	int r;

	r = devlink_get_params(applier->netlink, applier->pf_bdf, &params);
	if (r < 0)
		return applier_netlink_failed(applier->pf_bdf, "read the devlink parameters",
					      applier->netlink->words, r, reterr);
	for (size_t i = 0; i < params.length; i++) {
		if (streq(params.items[i].name, param->name))
			found = params.items[i].permanent;
	}
	if (param->is_flag)
		snprintf(wanted, sizeof(wanted), "%s", step->value ? "true" : "false");
	else
		snprintf(wanted, sizeof(wanted), "%" PRIu64, step->value);
	if (streq(found, wanted))
		return 0;
	return error_set(reterr, MLX5LM_ERROR_VERIFY_FAILED, EIO, MLX5LM_SOURCE_NVCONFIG,
			 "%s: %s (devlink parameter %s) is %s after %s was set", applier->pf_bdf,
			 step->text, param->name, found ? found : "unknown", wanted);
}

static int set_param(struct applier *applier, const struct mlx5lm_step *step,
		     struct mlx5lm_error **reterr)
{
	const struct nv_param *param = find_param(step->text);
	_cleanup_free_ char *words = NULL;
	struct netlink_window *window;
	struct nlmsghdr *request;
	int r;

	if (!param || step->value > (param->is_flag ? 1 : UINT32_MAX))
		return error_invalid(reterr, "%s: devlink cannot set %s to %" PRIu64,
				     applier->pf_bdf, step->text ? step->text : "", step->value);
	r = applier_get_netlink(applier, reterr);
	if (r < 0)
		return r;
	window = calloc(1, sizeof(*window));
	if (!window)
		return error_no_memory(reterr);
	request = param->is_flag ?
			  devlink_start_param_flag(applier->netlink, netlink_window_room(window),
						   applier->pf_bdf, param->name, step->value) :
			  devlink_start_param_u32(applier->netlink, netlink_window_room(window),
						  applier->pf_bdf, param->name,
						  (uint32_t)step->value);
	netlink_window_add(window, request);
	r = send_request(applier, window, NV_TIMEOUT_MS, &words);
	return r < 0 ? param_failed(applier, step, param, words, r, reterr) :
		       verify_param(applier, step, param, reterr);
}

/* One line of a stream of the tool, as words for people. */
static char *copy_words(const char *line, size_t length)
{
	char *words;

	while (length && line[0] == ' ') {
		line++;
		length--;
	}
	words = strndup(line, length < MAX_WORDS ? length : MAX_WORDS);
	for (char *c = words; c && *c; c++) {
		if (!isprint((unsigned char)*c))
			*c = '?';
	}
	if (words)
		str_trim_end(words);
	return words;
}

/* The first line with the mark, or else (no mark) the first that is not empty; NULL if none. */
static char *find_words(const char *text, size_t length, const char *mark)
{
	const char *end = text + length, *next;

	for (const char *line = text; line < end; line = next) {
		const char *stop = memchr(line, '\n', (size_t)(end - line)) ?: end;
		size_t skipped = strlen(mark);

		next = stop < end ? stop + 1 : end;
		if ((size_t)(stop - line) > skipped && memcmp(line, mark, skipped) == 0)
			return copy_words(line + skipped, (size_t)(stop - line) - skipped);
	}
	return NULL;
}

/* mstconfig and mlxconfig tell their errors on the standard output. */
static char *read_refusal(const struct nvtool_result *result)
{
	char *words = find_words(result->output, result->output_length, "-E-");

	if (!words)
		words = find_words(result->errors, result->errors_length, "");
	return words ? words : str_printf("it ended with code %d", result->exit_code);
}

/* A run of a tool for all its steps at once, and how it ended. */
struct tool_run {
	struct applier *applier;
	const char *name;
	char *assignments; /* "SRIOV_EN=1 NUM_OF_VFS=16" */
	int result;
	char *words;
};

static void tool_run_release(struct tool_run *tool)
{
	free(tool->assignments);
	free(tool->words);
}

static int run_tool(struct tool_run *tool, const char *const *arguments)
{
	unsigned int timeout_ms = applier_timeout_ms(tool->applier, NV_TIMEOUT_MS);
	_cleanup_nvtool_result_ struct nvtool_result result = { 0 };
	_cleanup_free_ char *path = NULL;
	int r;

	r = nvtool_find(tool->applier->root, tool->name, &path);
	if (r < 0)
		return r;
	tool->applier->num_tools++;
	r = nvtool_run(path, arguments, (uint64_t)clock_now_ms() + timeout_ms, &result);
	/* Not the same as a tool that is not there. */
	if (r == -ENOENT)
		r = -ENOEXEC;
	if (r < 0 || !result.exit_code)
		return r;
	tool->words = read_refusal(&result);
	return tool->words ? -EIO : -ENOMEM;
}

static int tool_failed(const struct tool_run *tool, struct mlx5lm_error **reterr)
{
	const char *bdf = tool->applier->pf_bdf;
	int r = tool->result;

	if (r == -ENOMEM)
		return error_no_memory(reterr);
	if (r == -ETIMEDOUT) {
		error_set(reterr, MLX5LM_ERROR_TIMEOUT, -r, MLX5LM_SOURCE_NVCONFIG,
			  "%s: %s did not end in time and was ended", bdf, tool->name);
		error_add_remedy(reterr, "see what it came to: %s -d %s -e q", tool->name, bdf);
	} else {
		error_set(reterr, applier_code(r), -r, MLX5LM_SOURCE_NVCONFIG, "%s: %s %s: %s", bdf,
			  tool->name, tool->words ? "refuses to set it" : "cannot be run",
			  tool->words ? tool->words : strerror(-r));
		if (r == -ENOENT)
			error_add_remedy(reterr, "install it: %s has it",
					 streq(tool->name, "mstconfig") ? "mstflint" : "MFT");
		else
			error_add_remedy(reterr, "see what it says: %s -d %s set %s", tool->name,
					 bdf, tool->assignments ? tool->assignments : "");
	}
	if (tool->assignments)
		error_add_detail(reterr, "%s -d %s -y set %s", tool->name, bdf, tool->assignments);
	return r;
}

/* Makes "name -d BDF -y set A=1 B=2" of the steps before run->next, and runs it. */
static int run_steps(const struct run *run, struct tool_run *tool)
{
	_cleanup_(strv_release) struct strv pairs = { 0 };
	_cleanup_(strbuf_release) struct strbuf text = { 0 };
	_cleanup_free_ const char **arguments = calloc(run->next + 6, sizeof(*arguments));
	size_t length = 0;
	int r;

	if (!arguments)
		return -ENOMEM;
	arguments[length++] = tool->name;
	arguments[length++] = "-d";
	arguments[length++] = run->applier->pf_bdf;
	arguments[length++] = "-y";
	arguments[length++] = "set";
	for (size_t i = 0; i < run->next; i++) {
		const struct mlx5lm_step *step = run->steps[i];

		r = strv_take(&pairs, str_printf("%s=%" PRIu64, step->text, step->value));
		if (r < 0)
			return r;
		arguments[length++] = pairs.items[i];
		strbuf_printf(&text, "%s%s", i ? " " : "", pairs.items[i]);
	}
	r = strbuf_take(&text, &tool->assignments);
	return r < 0 ? r : run_tool(tool, arguments);
}

/* Read back by whoever reads the facts anew: what the tool prints is not for this layer. */
static void set_by_tool(struct run *run)
{
	_cleanup_(tool_run_release) struct tool_run tool = {
		.applier = run->applier,
		.name = run->steps[0]->backend,
	};
	size_t i;

	while (run_start(run, &i))
		;
	if (!run->next)
		return;
	tool.result = run_steps(run, &tool);
	for (i = 0; i < run->next; i++) {
		struct mlx5lm_error *error = NULL;
		int r = tool.result < 0 ? tool_failed(&tool, &error) : 0;

		run_end(run, i, r, error);
	}
}

/* Who sets what is not known here: each such step fails. */
static void refuse(struct run *run)
{
	size_t i;

	while (run_start(run, &i)) {
		const char *backend = run->steps[i]->backend;
		struct mlx5lm_error *error = NULL;
		int r = error_invalid(&error, "%s: \"%s\" sets no NV configuration",
				      run->applier->pf_bdf, backend ? backend : "");

		run_end(run, i, r, error);
	}
}

int applier_set_nv(struct applier *applier, const struct mlx5lm_step *const *steps, size_t length,
		   const struct applier_watch *watch)
{
	struct run run = { .applier = applier, .steps = steps, .length = length, .watch = watch };
	const char *backend = length ? steps[0]->backend : NULL;

	if (streq(backend, "devlink"))
		run_each(&run, set_param);
	else if (streq(backend, "mstconfig") || streq(backend, "mlxconfig"))
		set_by_tool(&run);
	else
		refuse(&run);
	return run.cancelled && run.next < length ? -ECANCELED : run.result;
}

static int reset_failed(const struct applier *applier, const char *words, int r,
			struct mlx5lm_error **reterr)
{
	const char *bdf = applier->pf_bdf;

	applier_netlink_failed(bdf, "restart the adapter's firmware", words, r, reterr);
	switch (-r) {
	case EINVAL:
		error_add_remedy(reterr, "the firmware wants a reboot of the host: reboot");
		break;
	case EOPNOTSUPP:
		error_add_remedy(reterr,
				 "restart it another way: mstfwreset -d %s -y reset; or reboot",
				 bdf);
		break;
	case EBUSY:
		error_add_remedy(reterr, "a restart is under way, or another host of the adapter "
					 "does not agree: try again in a minute, or reboot");
		break;
	case ETIMEDOUT:
		error_add_remedy(reterr,
				 "not all hosts of the adapter agreed in time, or it still "
				 "restarts: devlink dev info pci/%s; dmesg | tail; or reboot",
				 bdf);
		break;
	case EPERM:
	case ENODEV:
		break;
	default:
		error_add_remedy(reterr, "the kernel may say more: dmesg | tail; or reboot");
	}
	return r;
}

/* VFs do not outlive it, and the kernel but warns. */
static int refuse_with_vfs(const struct applier *applier, struct mlx5lm_error **reterr)
{
	size_t num_vfs = 0;
	int r = applier_count_vfs(applier, &num_vfs, reterr);

	if (r < 0 || !num_vfs)
		return r;
	r = error_set(reterr, MLX5LM_ERROR_BUSY, EBUSY, MLX5LM_SOURCE_SYSFS,
		      "%s: the adapter is not restarted while there are VFs (%zu)", applier->pf_bdf,
		      num_vfs);
	error_add_remedy(reterr, "remove them first: echo 0 > /sys/bus/pci/devices/%s/sriov_numvfs",
			 applier->pf_bdf);
	return r;
}

int applier_reset_firmware(struct applier *applier, const struct mlx5lm_step *step,
			   struct mlx5lm_error **reterr)
{
	_cleanup_free_ char *words = NULL;
	struct netlink_window *window;
	int r;

	(void)step;
	r = refuse_with_vfs(applier, reterr);
	if (r == 0)
		r = applier_get_netlink(applier, reterr);
	if (r < 0)
		return r;
	window = calloc(1, sizeof(*window));
	if (!window)
		return error_no_memory(reterr);
	applier->ports_known = false;
	netlink_window_add(window, devlink_start_reload(applier->netlink,
							netlink_window_room(window),
							applier->pf_bdf));
	r = send_request(applier, window, FIRMWARE_RESET_TIMEOUT_MS, &words);
	return r < 0 ? reset_failed(applier, words, r, reterr) : 0;
}

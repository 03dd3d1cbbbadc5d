// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/applier.h"

#include <errno.h>

#include "sys/applier_internal.h"
#include "sys/kmsg.h"

int applier_new(const struct root *root, const struct log *log, const char *pf_bdf,
		struct applier **ret, struct mlx5lm_error **reterr)
{
	_cleanup_applier_ struct applier *applier = NULL;
	int r;

	if (!root->native) {
		r = error_set(reterr, MLX5LM_ERROR_READ_ONLY_ROOT, EROFS, MLX5LM_SOURCE_LIBRARY,
			      "%s: %s is not the tree of the running kernel, so nothing is changed",
			      pf_bdf, root->path);
		error_add_remedy(reterr, "apply the plan on the host itself, with its own /proc "
					 "and /sys below the root");
		return r;
	}
	applier = calloc(1, sizeof(*applier));
	if (!applier)
		return error_no_memory(reterr);
	applier->pf_fd = -1;
	applier->pf_log_fd = -1;
	applier->vf_log_fd = -1;
	applier->log = log;
	write_lanes_init(&applier->lanes, root->fd);
	applier->root = root_ref((struct root *)root);
	if (str_replace(&applier->pf_bdf, pf_bdf) < 0)
		return error_no_memory(reterr);
	applier->pf_fd = pci_open(root, pf_bdf);
	if (applier->pf_fd < 0) {
		r = applier->pf_fd;
		return error_set(reterr, error_code_from_errno(-r), -r, MLX5LM_SOURCE_SYSFS,
				 "%s: cannot open the PF: %s", pf_bdf, strerror(-r));
	}
	/* Each remembers how far it was read. */
	kmsg_open(root, &applier->pf_log_fd);
	kmsg_open(root, &applier->vf_log_fd);
	*ret = TAKE(applier);
	return 0;
}

void applier_free(struct applier *applier)
{
	if (!applier)
		return;
	write_lanes_release(&applier->lanes);
	close_p(&applier->pf_fd);
	close_p(&applier->pf_log_fd);
	close_p(&applier->vf_log_fd);
	netlink_free(applier->netlink);
	netlink_free(applier->route);
	devlink_ports_release(&applier->ports);
	rtnl_links_release(&applier->links);
	root_unref(applier->root);
	free(applier->pf_bdf);
	free(applier);
}

enum mlx5lm_error_code applier_code(int r)
{
	switch (-r) {
	case EINVAL:
		return MLX5LM_ERROR_IO;
	case ERANGE:
		return MLX5LM_ERROR_NOT_SUPPORTED;
	case EROFS: /* of /sys; the root is the right machine */
		return MLX5LM_ERROR_PERMISSION;
	default:
		return error_code_from_errno(-r);
	}
}

char *applier_read_log(struct applier *applier, const char *vf_bdf)
{
	struct strbuf lines = { 0 };
	char *text = NULL;

	if (applier->pf_log_fd >= 0)
		kmsg_read_syndromes(applier->pf_log_fd, applier->pf_bdf, &lines);
	if (applier->vf_log_fd >= 0 && vf_bdf)
		kmsg_read_syndromes(applier->vf_log_fd, vf_bdf, &lines);
	if (!lines.length || strbuf_take(&lines, &text) < 0) {
		strbuf_release(&lines);
		return NULL;
	}
	str_trim_end(text);
	return text;
}

bool run_start(struct run *run, size_t *index)
{
	if (run->cancelled || run->next == run->length)
		return false;
	*index = run->next;
	if (run->watch->fn(run->watch->data, *index, MLX5LM_STEP_STATE_STARTED, NULL) < 0) {
		run->cancelled = true;
		return false;
	}
	run->next++;
	return true;
}

void run_end(struct run *run, size_t index, int r, struct mlx5lm_error *error)
{
	enum mlx5lm_step_state state = r < 0 ? MLX5LM_STEP_STATE_FAILED : MLX5LM_STEP_STATE_DONE;

	if (r < 0 && !run->result)
		run->result = r;
	if (run->watch->fn(run->watch->data, index, state, error) < 0)
		run->cancelled = true;
}

static int refuse_unknown(struct applier *applier, const struct mlx5lm_step *step,
			  struct mlx5lm_error **reterr)
{
	return error_invalid(reterr, "%s: step %u is not known", applier->pf_bdf,
			     (unsigned int)step->kind);
}

static step_fn step_function(enum step_kind kind)
{
	switch (kind) {
	case STEP_AUTOPROBE:
		return applier_set_autoprobe;
	case STEP_ESWITCH_MODE:
		return applier_set_eswitch_mode;
	case STEP_NUM_VFS:
		return applier_set_num_vfs;
	case STEP_LOAD_MODULE:
		return applier_load_module;
	case STEP_FIRMWARE_RESET:
		return applier_reset_firmware;
	default:
		return refuse_unknown;
	}
}

static int do_pf_step(struct applier *applier, const struct mlx5lm_step *step,
		      struct mlx5lm_error **reterr)
{
	return step_function(step->kind)(applier, step, reterr);
}

void run_each(struct run *run, step_fn fn)
{
	size_t i;

	while (run_start(run, &i)) {
		_cleanup_free_ char *lines = NULL;
		struct mlx5lm_error *error = NULL;
		int r = fn(run->applier, run->steps[i], &error);

		if (r < 0)
			lines = applier_read_log(run->applier, NULL);
		if (lines)
			error_append_detail(&error, "%s", lines);
		run_end(run, i, r, error);
	}
}

int applier_run(struct applier *applier, const struct mlx5lm_step *const *steps, size_t length,
		const struct applier_watch *watch)
{
	struct run run = { .applier = applier, .steps = steps, .length = length, .watch = watch };

	if (!length)
		return 0;
	switch (steps[0]->kind) {
	case STEP_NV:
		return applier_set_nv(applier, steps, length, watch);
	case STEP_UNBIND:
	case STEP_MSIX_COUNT:
	case STEP_DRIVER_OVERRIDE:
	case STEP_BIND:
		applier_write_vfs(&run);
		break;
	case STEP_HW_ADDR:
	case STEP_PORT_ATTR:
	case STEP_MAX_IO_EQS:
		applier_set_ports(&run);
		break;
	case STEP_REPRESENTOR:
		applier_set_representors(&run);
		break;
	default:
		run_each(&run, do_pf_step);
	}
	return run.cancelled && run.next < length ? -ECANCELED : run.result;
}

struct applier_counts applier_get_counts(const struct applier *applier)
{
	return (struct applier_counts){
		.writes = applier->lanes.num_writes + applier->num_tools,
		.messages = applier->num_messages,
	};
}

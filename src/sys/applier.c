// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/applier.h"

#include <errno.h>

#include "base/error.h"
#include "sys/applier_internal.h"
#include "sys/deadline.h"
#include "sys/modules.h"
#include "sys/pci.h"

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
	applier->log = log;
	applier->root = root_ref((struct root *)root);
	if (str_replace(&applier->pf_bdf, pf_bdf) < 0)
		return error_no_memory(reterr);
	applier->pf_fd = pci_open(root, pf_bdf);
	if (applier->pf_fd < 0) {
		r = applier->pf_fd;
		return error_set(reterr, error_code_from_errno(-r), -r, MLX5LM_SOURCE_SYSFS,
				 "%s: cannot open the PF: %s", pf_bdf, strerror(-r));
	}
	*ret = TAKE(applier);
	return 0;
}

void applier_free(struct applier *applier)
{
	if (!applier)
		return;
	if (applier->pf_fd >= 0)
		close(applier->pf_fd);
	netlink_free(applier->netlink);
	devlink_ports_release(&applier->ports);
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

/* A module being loaded, which may outlive the step that wanted it. */
struct load {
	struct root *root;
	char *name;
	struct mlx5lm_error *error;
};

static int load_run(void *data)
{
	struct load *load = data;

	return modules_load(load->root, load->name, &load->error);
}

static void load_free(void *data)
{
	struct load *load = data;

	root_unref(load->root);
	free(load->name);
	mlx5lm_error_free(load->error);
	free(load);
}

static struct load *load_new(struct root *root, const char *name)
{
	struct load *load = calloc(1, sizeof(*load));

	if (!load)
		return NULL;
	load->name = strdup(name);
	if (!load->name) {
		free(load);
		return NULL;
	}
	load->root = root_ref(root);
	return load;
}

static int load_late(const struct applier *applier, const char *name, int r,
		     struct mlx5lm_error **reterr)
{
	error_set(reterr, error_code_from_errno(-r), -r, MLX5LM_SOURCE_KMOD,
		  "module %s was not loaded within %u s: %s", name,
		  applier_timeout_ms(applier, MODULE_TIMEOUT_MS) / 1000, strerror(-r));
	error_add_remedy(reterr, "its init function still runs; dmesg | tail");
	return r;
}

int applier_load_module(struct applier *applier, const struct mlx5lm_step *step,
			struct mlx5lm_error **reterr)
{
	struct load *load;
	int r, result = 0;

	if (modules_is_loaded(applier->root, step->text))
		return 0;
	load = load_new(applier->root, step->text);
	if (!load)
		return error_no_memory(reterr);
	r = deadline_call(load_run, load, load_free, applier_timeout_ms(applier, MODULE_TIMEOUT_MS),
			  &result);
	if (r == -ETIMEDOUT)
		return load_late(applier, step->text, r, reterr);
	if (r < 0)
		load_late(applier, step->text, r, reterr);
	else if (result < 0)
		r = error_pass(reterr, TAKE(load->error));
	load_free(load);
	if (r < 0 || modules_is_loaded(applier->root, step->text))
		return r;
	r = error_set(reterr, MLX5LM_ERROR_VERIFY_FAILED, EIO, MLX5LM_SOURCE_KMOD,
		      "module %s was loaded but sysfs does not show it", step->text);
	error_add_remedy(reterr, "dmesg | tail");
	return r;
}

static int run_one(struct applier *applier, const struct mlx5lm_step *step,
		   struct mlx5lm_error **reterr)
{
	switch (step->kind) {
	case STEP_AUTOPROBE:
		return applier_set_autoprobe(applier, step, reterr);
	case STEP_ESWITCH_MODE:
		return applier_set_eswitch_mode(applier, step, reterr);
	case STEP_NUM_VFS:
		return applier_set_num_vfs(applier, step, reterr);
	case STEP_LOAD_MODULE:
		return applier_load_module(applier, step, reterr);
	case STEP_UNBIND:
		return applier_unbind(applier, step, reterr);
	case STEP_HW_ADDR:
		return applier_set_hw_addr(applier, step, reterr);
	case STEP_PORT_ATTR:
		return applier_set_port_attr(applier, step, reterr);
	case STEP_DRIVER_OVERRIDE:
		return applier_set_driver_override(applier, step, reterr);
	case STEP_BIND:
		return applier_bind(applier, step, reterr);
	default:
		break;
	}
	return error_invalid(reterr, "%s: step %u is not known", applier->pf_bdf,
			     (unsigned int)step->kind);
}

int applier_run(struct applier *applier, const struct mlx5lm_step *const *steps, size_t length,
		const struct applier_watch *watch)
{
	int result = 0;

	for (size_t i = 0; i < length; i++) {
		struct mlx5lm_error *error = NULL;
		int r = watch->fn(watch->data, i, MLX5LM_STEP_STATE_STARTED, NULL);

		if (r < 0)
			return -ECANCELED;
		r = run_one(applier, steps[i], &error);
		watch->fn(watch->data, i, r < 0 ? MLX5LM_STEP_STATE_FAILED : MLX5LM_STEP_STATE_DONE,
			  error);
		if (r < 0 && !result)
			result = r;
	}
	return result;
}

struct applier_counts applier_get_counts(const struct applier *applier)
{
	(void)applier;
	return (struct applier_counts){ 0 };
}

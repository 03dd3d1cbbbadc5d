// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>

#include "sys/applier_internal.h"
#include "sys/deadline.h"
#include "sys/modules.h"

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

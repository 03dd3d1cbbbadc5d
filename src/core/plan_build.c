// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The order of the steps is that of the kernel: port functions exist only in switchdev mode,
 * their attributes "should be configured before binding virtual function device to the driver"
 * (Documentation/networking/devlink/devlink-port.rst), and mlx5_vfio_pci looks at migratable
 * once, when it binds (drivers/vfio/pci/mlx5/cmd.c, mlx5vf_cmd_set_migratable()). All VFs take
 * one kind of step before any takes the next, so that these can run side by side.
 */
#include "core/plan_build.h"

#include <errno.h>

#include "core/plan_internal.h"
#include "core/vf_ready.h"

#define FOR_EACH_VF(vf, planner)                                                                   \
	for (struct vf_plan *vf = (planner)->vfs; vf < (planner)->vfs + (planner)->num_vf_plans;   \
	     vf++)

static void add_unbinds(struct planner *planner)
{
	FOR_EACH_VF(vf, planner) {
		if (vf->unbind)
			plan_add_unbind(planner, vf);
	}
}

static void add_port_settings(struct planner *planner)
{
	FOR_EACH_VF(vf, planner) {
		if (vf->hw_addr)
			plan_add_hw_addr(planner, vf);
	}
	for (uint32_t attr = 1; attr < CONFIG_NUM_ATTRS; attr++) {
		FOR_EACH_VF(vf, planner) {
			if (vf->attr[attr])
				plan_add_attr(planner, vf, attr);
		}
	}
	FOR_EACH_VF(vf, planner) {
		if (vf->max_io_eqs.known)
			plan_add_max_io_eqs(planner, vf);
	}
}

/* The override that a VF has before the steps on its driver. */
static const char *override_now(const struct vf_plan *vf)
{
	return vf->now && vf->now->driver_override ? vf->now->driver_override : "";
}

static void add_drivers(struct planner *planner)
{
	FOR_EACH_VF(vf, planner) {
		if (vf->msix_count.known)
			plan_add_msix_count(planner, vf);
	}
	FOR_EACH_VF(vf, planner) {
		if (vf->override)
			plan_add_override(planner, vf, override_now(vf), vf->override);
	}
	FOR_EACH_VF(vf, planner) {
		if (vf->bind)
			plan_add_bind(planner, vf);
	}
	FOR_EACH_VF(vf, planner) {
		if (vf->override_after)
			plan_add_override(planner, vf,
					  vf->override ? vf->override : override_now(vf),
					  vf->override_after);
	}
	FOR_EACH_VF(vf, planner) {
		if (vf->representor_state)
			plan_add_representor(planner, vf);
	}
}

static int add_module(struct planner *planner, const char *name)
{
	const struct mlx5lm_module *module = host_find_module(planner->host, name);
	uint32_t state = module ? module->state : MLX5LM_MODULE_UNKNOWN;

	if (state == MLX5LM_MODULE_LOADED || state == MLX5LM_MODULE_BUILTIN)
		return 0;
	if (state == MLX5LM_MODULE_MISSING) {
		error_set(planner->reterr, MLX5LM_ERROR_NOT_FOUND, ENOENT, MLX5LM_SOURCE_KMOD,
			  "kernel %s has no module %s",
			  planner->host->kernel_release ? planner->host->kernel_release : "",
			  name);
		error_add_remedy(planner->reterr,
				 "install a kernel built with CONFIG_MLX5_VFIO_PCI");
		return -ENOENT;
	}
	if (planner->host->kernel_modules_disabled == MLX5LM_ANSWER_YES) {
		error_set(planner->reterr, MLX5LM_ERROR_NOT_SUPPORTED, EOPNOTSUPP,
			  MLX5LM_SOURCE_KMOD, "module %s is not loaded, and the kernel loads no "
			  "more modules: /proc/sys/kernel/modules_disabled", name);
		error_add_remedy(planner->reterr,
				 "echo %s > /etc/modules-load.d/%s.conf, then reboot", name, name);
		return -EOPNOTSUPP;
	}
	plan_add_load_module(planner, name, state);
	return 0;
}

static int add_modules(struct planner *planner)
{
	FOR_EACH_VF(vf, planner) {
		if (streq(vf->bind, VARIANT_DRIVER))
			return add_module(planner, VARIANT_DRIVER);
	}
	return 0;
}

/* No VFs yet, or no more. */
static uint64_t num_vfs_now(const struct planner *planner)
{
	return planner->reset ? 0 : planner->pf->sriov_num_vfs.value;
}

static void add_vfs_and_mode(struct planner *planner)
{
	bool vfs_first = planner->config->order == CONFIG_VFS_FIRST;

	if (planner->recreate && num_vfs_now(planner))
		plan_add_num_vfs(planner, num_vfs_now(planner), 0,
				 "the kernel changes the number of VFs only from 0 and to 0");
	if (planner->mode_changes && !vfs_first)
		plan_add_eswitch(planner);
	if (planner->recreate && planner->num_vfs)
		plan_add_num_vfs(planner, 0, planner->num_vfs,
				 planner->mode_changes && !vfs_first ?
					 "the wanted number of VFs; in their final mode at once" :
					 "the wanted number of VFs");
	if (planner->mode_changes && vfs_first)
		plan_add_eswitch(planner);
}

static int add_pf_steps(struct planner *planner)
{
	const struct mlx5lm_pf *pf = planner->pf;
	bool leaves_ports = planner->mode_changes &&
			    planner->eswitch_mode == MLX5LM_ESWITCH_LEGACY;
	bool early = planner->mode_changes && plan_keeps_vfs(planner);
	int r;

	/* Else each new VF would be probed by mlx5_core, only to be unbound again. */
	if (planner->autoprobe_off && pf->sriov_autoprobe == MLX5LM_ANSWER_YES)
		plan_add_autoprobe(planner, true, false,
				   "no driver takes the new VFs before they are set up");
	/* A change of mode takes the vports from below a driver, so those that go, go before. */
	if (early)
		add_unbinds(planner);
	if (early && leaves_ports)
		add_port_settings(planner);
	add_vfs_and_mode(planner);
	r = add_modules(planner);
	if (r < 0)
		return r;
	if (!early)
		add_unbinds(planner);
	if (!leaves_ports)
		add_port_settings(planner);
	add_drivers(planner);
	return 0;
}

/* sriov_drivers_autoprobe is ours only for the time of the plan. */
static void add_last_autoprobe(struct planner *planner)
{
	uint32_t before = planner->pf->sriov_autoprobe, wanted = planner->config->autoprobe;
	uint32_t now = before;

	if (planner->autoprobe_off && before == MLX5LM_ANSWER_YES)
		now = MLX5LM_ANSWER_NO;
	if (!wanted)
		wanted = before;
	if (now && wanted && now != wanted)
		plan_add_autoprobe(planner, now == MLX5LM_ANSWER_YES,
				   wanted == MLX5LM_ANSWER_YES, "as it was before");
}

static void add_reset(struct planner *planner)
{
	if (!planner->reset)
		return;
	if (planner->pf->sriov_num_vfs.value)
		plan_add_num_vfs(planner, planner->pf->sriov_num_vfs.value, 0,
				 "VFs do not outlive a restart of the adapter in good order");
	plan_add_firmware_reset(planner);
}

static int build(struct planner *planner)
{
	int r = plan_check_wishes(planner);

	if (r == 0)
		r = plan_nv(planner);
	if (r == 0)
		r = plan_find_goal(planner);
	if (r < 0)
		return r;
	add_reset(planner);
	if (!planner->list->incomplete) {
		r = plan_find_vf_changes(planner);
		if (r == 0)
			r = add_pf_steps(planner);
		if (r < 0)
			return r;
		add_last_autoprobe(planner);
	}
	if (plan_add_findings(planner) < 0)
		planner->out_of_memory = true;
	return planner->out_of_memory ? error_no_memory(planner->reterr) : 0;
}

int plan_build(const struct mlx5lm_host *host, const struct mlx5lm_pf *pf,
	       const struct mlx5lm_config *config, struct step_list *ret,
	       struct mlx5lm_error **reterr)
{
	_cleanup_step_list_ struct step_list list = { 0 };
	struct planner planner = {
		.host = host,
		.pf = pf,
		.config = config,
		.reterr = reterr,
		.list = &list,
	};
	int r;

	list.findings = calloc(1, sizeof(*list.findings));
	if (!list.findings)
		return error_no_memory(reterr);
	r = build(&planner);
	free(planner.vfs);
	if (r < 0)
		return r;
	*ret = list;
	list = (struct step_list){ 0 };
	return 0;
}

size_t step_batch_length(const struct mlx5lm_step *steps, size_t length)
{
	size_t i = 1;

	if (!length)
		return 0;
	/* A tool sets several parameters in one run. */
	if (steps->kind == STEP_NV) {
		while (i < length && steps[i].kind == STEP_NV &&
		       streq(steps[i].backend, steps->backend))
			i++;
		return i;
	}
	if (!step_is_of_vf(steps->kind))
		return 1;
	/* Phases go through the VFs in order: one that is not behind the last begins another. */
	while (i < length && steps[i].kind == steps->kind &&
	       steps[i].vf_index > steps[i - 1].vf_index)
		i++;
	return i;
}

static bool same_text(const char *a, const char *b)
{
	return (!a && !b) || streq(a, b);
}

static bool same_step(const struct mlx5lm_step *a, const struct mlx5lm_step *b)
{
	return a->kind == b->kind && a->vf_index == b->vf_index && a->attr == b->attr &&
	       a->value == b->value && same_text(a->text, b->text) &&
	       same_text(a->backend, b->backend) && same_text(a->current, b->current);
}

ssize_t step_list_differ(const struct step_list *a, const struct step_list *b)
{
	size_t length = a->length < b->length ? a->length : b->length;

	for (size_t i = 0; i < length; i++) {
		if (!same_step(&a->steps[i], &b->steps[i]))
			return (ssize_t)i;
	}
	return a->length == b->length ? -1 : (ssize_t)length;
}

void step_list_release(struct step_list *list)
{
	for (size_t i = 0; i < list->length; i++)
		step_release(&list->steps[i]);
	free(list->steps);
	mlx5lm_findings_free(list->findings);
	*list = (struct step_list){ 0 };
}

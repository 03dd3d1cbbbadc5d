// SPDX-License-Identifier: LGPL-2.1-or-later
/* The steps on a PF and on its adapter, with what a person is told of them. */
#include <errno.h>

#include "base/array.h"
#include "core/nv.h"
#include "core/plan_internal.h"

/*
 * Usual times. num-vfs: the kernel sleeps for 1 s when VFs go and for 100 ms when they come
 * (drivers/pci/iov.c); 2,500 VFs take the PCI core 250 ms, the vports of mlx5 some firmware
 * commands each. NV: "mstconfig q" took 5.0 s in openshift/sriov-network-operator#48. The others
 * are orders of magnitude.
 */
enum {
	NV_TOOL_MS = 5000,
	NV_DEVLINK_MS = 100,
	FIRMWARE_RESET_MS = 15000,
	AUTOPROBE_MS = 1,
	ESWITCH_MODE_MS = 1000,
	ESWITCH_MODE_VF_MS = 20,
	NUM_VFS_OFF_MS = 1000,
	NUM_VFS_ON_MS = 100,
	NUM_VFS_VF_MS = 10,
	LOAD_MODULE_MS = 100,
};

char *plan_keep(struct planner *planner, char *string)
{
	if (!string)
		planner->out_of_memory = true;
	return string;
}

struct mlx5lm_step *plan_add_step(struct planner *planner, enum step_kind kind, uint64_t value)
{
	struct step_list *list = planner->list;
	struct mlx5lm_step *step;

	if (array_reserve(&list->steps, &list->allocated, list->length + 1, sizeof(*step))) {
		planner->out_of_memory = true;
		return NULL;
	}
	step = &list->steps[list->length++];
	*step = (struct mlx5lm_step){ .kind = kind, .value = value };
	return step;
}

/* The name that devlink has for a parameter; NULL if it has none. */
static const char *devlink_name(unsigned int index)
{
	static const char *const names[PLAN_NUM_NV] = {
		[PLAN_SRIOV_EN] = "enable_sriov",
		[PLAN_NUM_OF_VFS] = "total_vfs",
	};

	return names[index];
}

void plan_add_nv(struct planner *planner, unsigned int index, const struct mlx5lm_nv *nv,
		 const char *backend)
{
	uint64_t value = planner->config->nv[index].value;
	struct mlx5lm_step *step = plan_add_step(planner, STEP_NV, value);
	bool devlink = streq(backend, "devlink");

	if (!step)
		return;
	step->text = TEXT("%s", nv_name(index));
	step->backend = TEXT("%s", backend);
	step->usual_time_ms = devlink ? NV_DEVLINK_MS : NV_TOOL_MS;
	step->cannot_be_undone = true;
	step->object = TEXT("%s", planner->pf->bdf);
	step->current = TEXT("%s=%" PRIu64, nv_name(index), nv->next_boot.value);
	step->wanted = TEXT("%s=%" PRIu64, nv_name(index), value);
	step->reason = TEXT("first, for it holds only after a restart of the adapter");
	if (!devlink)
		step->command = TEXT("%s -d %s -y set %s=%" PRIu64, backend, planner->pf->bdf,
				     nv_name(index), value);
	else if (index == PLAN_SRIOV_EN)
		step->command = TEXT("devlink dev param set pci/%s name %s value %s cmode "
				     "permanent", planner->pf->bdf, devlink_name(index),
				     value ? "true" : "false");
	else
		step->command = TEXT("devlink dev param set pci/%s name %s value %" PRIu64
				     " cmode permanent", planner->pf->bdf, devlink_name(index),
				     value);
}

void plan_add_firmware_reset(struct planner *planner)
{
	struct mlx5lm_step *step = plan_add_step(planner, STEP_FIRMWARE_RESET, 0);

	if (!step)
		return;
	step->usual_time_ms = FIRMWARE_RESET_MS;
	step->disturbs = MLX5LM_DISTURBANCE_ADAPTER | MLX5LM_DISTURBANCE_PF_TRAFFIC;
	step->disturbance = TEXT("the whole adapter is away for some seconds, with all its ports");
	step->cannot_be_undone = true;
	step->object = TEXT("%s", planner->pf->bdf);
	step->current = TEXT("NV configuration pending");
	step->wanted = TEXT("in effect");
	step->reason = TEXT("the NV configuration waits for it; without VFs, which do not "
			    "outlive it");
	step->command = TEXT("devlink dev reload pci/%s action fw_activate", planner->pf->bdf);
}

void plan_add_autoprobe(struct planner *planner, bool current, bool wanted, const char *reason)
{
	struct mlx5lm_step *step = plan_add_step(planner, STEP_AUTOPROBE, wanted);

	if (!step)
		return;
	step->usual_time_ms = AUTOPROBE_MS;
	step->object = TEXT("%s", planner->pf->bdf);
	step->current = TEXT("%d", current);
	step->wanted = TEXT("%d", wanted);
	step->reason = TEXT("%s", reason);
	step->command = TEXT("echo %d > /sys/bus/pci/devices/%s/sriov_drivers_autoprobe", wanted,
			     planner->pf->bdf);
}

/* Why, and why here if that is not the usual order. */
static char *order_reason(struct planner *planner, const char *reason)
{
	const char *order = planner->config->order_reason;

	return order ? TEXT("%s; %s", reason, order) : TEXT("%s", reason);
}

static void add_eswitch_disturbance(struct planner *planner, struct mlx5lm_step *step)
{
	const struct mlx5lm_pf *pf = planner->pf;

	step->disturbs = MLX5LM_DISTURBANCE_PF_TRAFFIC;
	for (size_t i = 0; plan_keeps_vfs(planner) && i < pf->num_vfs; i++) {
		_cleanup_free_ char *user = NULL;

		if (!vf_is_used(&pf->vfs[i]))
			continue;
		user = plan_keep(planner, vf_user(&pf->vfs[i]));
		step->disturbs |= MLX5LM_DISTURBANCE_GUESTS;
		step->disturbance = TEXT("traffic of the PF and all its VFs stops for a moment, "
					 "that of %s too", user ? user : "");
		return;
	}
	step->disturbance = TEXT("traffic of the PF and all its VFs stops for a moment");
}

void plan_add_eswitch(struct planner *planner)
{
	const char *mode = name_of(&eswitch_mode_names, planner->eswitch_mode);
	struct mlx5lm_step *step =
		plan_add_step(planner, STEP_ESWITCH_MODE, planner->eswitch_mode);

	if (!step)
		return;
	step->usual_time_ms = ESWITCH_MODE_MS;
	if (plan_keeps_vfs(planner) || planner->config->order == CONFIG_VFS_FIRST)
		step->usual_time_ms += (uint32_t)planner->num_vfs * ESWITCH_MODE_VF_MS;
	add_eswitch_disturbance(planner, step);
	step->object = TEXT("%s", planner->pf->bdf);
	step->current = TEXT("%s", name_of(&eswitch_mode_names, planner->pf->eswitch_mode));
	step->wanted = TEXT("%s", mode);
	step->reason = order_reason(planner, planner->eswitch_mode == MLX5LM_ESWITCH_LEGACY ?
				    "wanted; VF ports and representors go away" :
				    "only switchdev mode has VF ports with port functions");
	step->command = TEXT("devlink dev eswitch set pci/%s mode %s", planner->pf->bdf, mode);
}

void plan_add_num_vfs(struct planner *planner, uint64_t current, uint64_t wanted,
		      const char *reason)
{
	struct mlx5lm_step *step = plan_add_step(planner, STEP_NUM_VFS, wanted);

	if (!step)
		return;
	step->usual_time_ms = wanted ? NUM_VFS_ON_MS : NUM_VFS_OFF_MS;
	step->usual_time_ms += (uint32_t)(wanted ? wanted : current) * NUM_VFS_VF_MS;
	if (!wanted) {
		step->disturbs = MLX5LM_DISTURBANCE_PF_TRAFFIC;
		step->disturbance = TEXT("all VFs of the PF go away, with what was set of them");
	}
	step->object = TEXT("%s", planner->pf->bdf);
	step->current = TEXT("%" PRIu64, current);
	step->wanted = TEXT("%" PRIu64, wanted);
	step->reason = order_reason(planner, reason);
	step->command = TEXT("echo %" PRIu64 " > /sys/bus/pci/devices/%s/sriov_numvfs", wanted,
			     planner->pf->bdf);
}

void plan_add_load_module(struct planner *planner, const char *name, uint32_t state)
{
	struct mlx5lm_step *step = plan_add_step(planner, STEP_LOAD_MODULE, 0);

	if (!step)
		return;
	step->usual_time_ms = LOAD_MODULE_MS;
	step->cannot_be_undone = true;
	step->text = TEXT("%s", name);
	step->object = TEXT("%s", name);
	step->current = TEXT("%s", name_of(&module_state_names, state));
	step->wanted = TEXT("loaded");
	step->reason = TEXT("a driver must be there before a VF can be bound");
	step->command = TEXT("modprobe %s", name);
}

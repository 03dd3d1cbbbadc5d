// SPDX-License-Identifier: LGPL-2.1-or-later
/* The steps on a VF, with what a person is told of them. */
#include <errno.h>

#include "core/plan_internal.h"
#include "core/shell_word.h"
#include "core/vf_ready.h"

/*
 * Usual times. bind: 8 VFs more took 1.9 s more until mlx5_core was ready in
 * k8snetworkplumbingwg/sriov-network-operator#1015. A port setting is a firmware command or two,
 * a sysfs write without a driver behind it next to nothing.
 */
enum {
	UNBIND_MS = 100,
	PORT_MS = 2,
	MSIX_COUNT_MS = 2,
	OVERRIDE_MS = 1,
	BIND_MS = 240,
	REPRESENTOR_MS = 2,
};

static struct mlx5lm_step *add(struct planner *planner, const struct vf_plan *vf,
			       enum step_kind kind, uint64_t value, uint32_t usual_time_ms,
			       const char *reason)
{
	struct mlx5lm_step *step = plan_add_step(planner, kind, value);

	if (!step)
		return NULL;
	step->vf_index = vf->index;
	step->usual_time_ms = usual_time_ms;
	step->object = TEXT("%s", vf->name);
	step->reason = TEXT("%s", reason);
	return step;
}

static void stops_traffic(struct planner *planner, struct mlx5lm_step *step)
{
	step->disturbs = MLX5LM_DISTURBANCE_VF_TRAFFIC;
	step->disturbance = TEXT("traffic of this VF stops");
}

void plan_add_unbind(struct planner *planner, const struct vf_plan *vf)
{
	struct mlx5lm_step *step =
		add(planner, vf, STEP_UNBIND, 0, UNBIND_MS,
		    "what a driver reads when it binds is changed on an unbound VF");
	_cleanup_free_ char *driver = plan_keep(planner, shell_word(vf->unbind));

	if (!step || !driver)
		return;
	stops_traffic(planner, step);
	step->text = TEXT("%s", vf->unbind);
	step->current = TEXT("%s", vf->unbind);
	step->wanted = TEXT("none");
	step->command = TEXT("echo %s > /sys/bus/pci/drivers/%s/unbind", vf->shell, driver);
}

void plan_add_hw_addr(struct planner *planner, const struct vf_plan *vf)
{
	struct mlx5lm_step *step = add(planner, vf, STEP_HW_ADDR, 0, PORT_MS,
				       "the guest's MAC address; the same on both hosts");
	_cleanup_free_ char *hw_addr = plan_keep(planner, shell_word(vf->hw_addr));

	if (!step || !hw_addr)
		return;
	if (vf->now && vf->now->driver && !vf->unbind)
		stops_traffic(planner, step);
	step->text = TEXT("%s", vf->hw_addr);
	step->current = TEXT("%s", vf->now && vf->now->hw_addr ? vf->now->hw_addr : "unknown");
	step->wanted = TEXT("%s", vf->hw_addr);
	step->command = TEXT("devlink port function set \"$(vf_port %s %u)\" hw_addr %s",
			     planner->pf->bdf, vf->index, hw_addr);
}

void plan_add_attr(struct planner *planner, const struct vf_plan *vf, enum mlx5lm_port_attr attr)
{
	const char *wanted = name_of(&port_attr_state_names, vf->attr[attr]);
	const char *name = name_of(&port_attr_names, attr);
	struct mlx5lm_step *step =
		add(planner, vf, STEP_PORT_ATTR, vf->attr[attr], PORT_MS,
		    attr == MLX5LM_PORT_ATTR_MIGRATABLE ?
			    "before the bind: " VARIANT_DRIVER " looks at it only then" :
			    "before the bind: the driver reads it once");

	if (!step)
		return;
	step->attr = attr;
	step->current = TEXT("%s %s", name,
			     name_of(&port_attr_state_names,
				     vf->now ? vf_attr_state(vf->now, attr) : 0));
	step->wanted = TEXT("%s %s", name, wanted);
	step->command = TEXT("devlink port function set \"$(vf_port %s %u)\" %s %s",
			     planner->pf->bdf, vf->index, name, wanted);
}

static char *number_text(struct planner *planner, const struct fact_u64 *number)
{
	return number && number->known ? TEXT("%" PRIu64, number->value) : TEXT("unknown");
}

void plan_add_max_io_eqs(struct planner *planner, const struct vf_plan *vf)
{
	struct mlx5lm_step *step = add(planner, vf, STEP_MAX_IO_EQS, vf->max_io_eqs.value, PORT_MS,
				       "before the bind: the driver reads it once");

	if (!step)
		return;
	step->current = number_text(planner, vf->now ? &vf->now->max_io_eqs : NULL);
	step->wanted = TEXT("%" PRIu64, vf->max_io_eqs.value);
	step->command = TEXT("devlink port function set \"$(vf_port %s %u)\" max_io_eqs %" PRIu64,
			     planner->pf->bdf, vf->index, vf->max_io_eqs.value);
}

void plan_add_msix_count(struct planner *planner, const struct vf_plan *vf)
{
	struct mlx5lm_step *step =
		add(planner, vf, STEP_MSIX_COUNT, vf->msix_count.value, MSIX_COUNT_MS,
		    "before the bind: the kernel changes it only while no driver has the VF");

	if (!step)
		return;
	step->current = number_text(planner, vf->now ? &vf->now->msix_count : NULL);
	step->wanted = TEXT("%" PRIu64, vf->msix_count.value);
	step->command = TEXT("echo %" PRIu64 " > /sys/bus/pci/devices/%s/sriov_vf_msix_count",
			     vf->msix_count.value, vf->shell);
}

static const char *override_reason(const struct vf_plan *vf, const char *wanted)
{
	if (!*wanted && vf->bind)
		return "the VF is to go to the driver that the kernel chooses from now on";
	if (!*wanted)
		return "no driver of its own is wanted";
	if (vf->override_after && !streq(vf->override_after, wanted))
		return "only for the bind: without autoprobe the kernel binds no VF without one";
	return "only a VF with an override binds to this driver";
}

void plan_add_override(struct planner *planner, const struct vf_plan *vf, const char *current,
		       const char *wanted)
{
	struct mlx5lm_step *step = add(planner, vf, STEP_DRIVER_OVERRIDE, 0, OVERRIDE_MS,
				       override_reason(vf, wanted));
	_cleanup_free_ char *word = plan_keep(planner, *wanted ? shell_word(wanted) : strdup(""));

	if (!step || !word)
		return;
	step->text = TEXT("%s", wanted);
	step->current = TEXT("%s", *current ? current : "none");
	step->wanted = TEXT("%s", *wanted ? wanted : "none");
	step->command = TEXT("echo %s > /sys/bus/pci/devices/%s/driver_override", word, vf->shell);
}

void plan_add_bind(struct planner *planner, const struct vf_plan *vf)
{
	struct mlx5lm_step *step = add(planner, vf, STEP_BIND, 0, BIND_MS,
				       "last, when everything it looks at is set");

	if (!step)
		return;
	step->text = TEXT("%s", vf->bind);
	step->current = TEXT("none");
	step->wanted = TEXT("%s", vf->bind);
	step->command = TEXT("echo %s > /sys/bus/pci/drivers_probe", vf->shell);
}

void plan_add_representor(struct planner *planner, const struct vf_plan *vf)
{
	const char *wanted = name_of(&admin_state_names, vf->representor_state);
	struct mlx5lm_step *step =
		add(planner, vf, STEP_REPRESENTOR, vf->representor_state, REPRESENTOR_MS,
		    "last: its VF is ready for traffic now");

	if (!step)
		return;
	if (vf->representor_state == MLX5LM_ADMIN_STATE_DOWN)
		stops_traffic(planner, step);
	step->current = TEXT("%s", name_of(&admin_state_names,
					   vf->now ? vf->now->representor_state : 0));
	step->wanted = TEXT("%s", wanted);
	step->command = TEXT("ip link set dev \"$(vf_netdev %s %u)\" %s", planner->pf->bdf,
			     vf->index, wanted);
}

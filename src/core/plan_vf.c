// SPDX-License-Identifier: LGPL-2.1-or-later
/* What differs between a VF as it is, or as it comes into being, and what is wanted of it. */
#include <errno.h>
#include <stdio.h>
#include <strings.h>

#include "core/plan_internal.h"
#include "core/vf_ready.h"

/* VFs are sorted by index, and as a rule none is missing. */
static const struct mlx5lm_vf *find_vf(const struct mlx5lm_pf *pf, uint32_t index)
{
	if (index < pf->num_vfs && pf->vfs[index].index.known &&
	    pf->vfs[index].index.value == index)
		return &pf->vfs[index];
	return pf_find_vf(pf, index);
}

static void name_vf(const struct planner *planner, struct vf_plan *vf, const struct bdf *base)
{
	const struct mlx5lm_pf *pf = planner->pf;
	struct bdf bdf;

	if (vf->now && vf->now->bdf) {
		snprintf(vf->name, sizeof(vf->name), "%s", vf->now->bdf);
		snprintf(vf->shell, sizeof(vf->shell), "%s", vf->now->bdf);
		return;
	}
	snprintf(vf->shell, sizeof(vf->shell), "\"$(vf_bdf %s %u)\"", pf->bdf, vf->index);
	if (pf->sriov_offset.known && pf->sriov_stride.known && base &&
	    bdf_of_vf(base, pf->sriov_offset.value, pf->sriov_stride.value, vf->index, &bdf) == 0)
		bdf_format(&bdf, vf->name);
	else
		snprintf(vf->name, sizeof(vf->name), "VF %u", vf->index);
}

/* Are there ports at some time between the steps, so that they can be set? */
static bool has_ports(const struct planner *planner)
{
	return planner->eswitch_mode == MLX5LM_ESWITCH_SWITCHDEV ||
	       (planner->pf->eswitch_mode == MLX5LM_ESWITCH_SWITCHDEV && plan_keeps_vfs(planner));
}

/* The VF as its port shows it now; NULL if it is not to be seen. */
static const struct mlx5lm_vf *seen_port(const struct planner *planner, const struct vf_plan *vf)
{
	return planner->pf->eswitch_mode == MLX5LM_ESWITCH_SWITCHDEV ? vf->now : NULL;
}

/*
 * What a VF in use had before, it has still, for nothing of it is ever changed: that its port is
 * not to be seen is no reason to keep the other settings from going back.
 */
static bool leave_alone(const struct planner *planner, const struct vf_plan *vf)
{
	return planner->config->is_undo && vf->now &&
	       (seen_port(planner, vf) || vf_is_used(vf->now));
}

/* Of VFs that are going to be, those that were tell what kernel and firmware offer. */
static bool is_denied(const struct planner *planner, enum mlx5lm_port_attr attr)
{
	const struct mlx5lm_pf *pf = planner->pf;

	return pf->eswitch_mode == MLX5LM_ESWITCH_SWITCHDEV && pf->num_vfs &&
	       vf_attr_state(&pf->vfs[0], attr) == MLX5LM_PORT_ATTR_STATE_UNSUPPORTED;
}

static int find_attr_change(const struct planner *planner, struct vf_plan *vf,
			    enum mlx5lm_port_attr attr, uint32_t wanted)
{
	const struct mlx5lm_vf *seen = seen_port(planner, vf);
	uint32_t state = seen ? vf_attr_state(seen, attr) : MLX5LM_PORT_ATTR_STATE_UNKNOWN;

	if (!wanted || state == wanted)
		return 0;
	if (!seen && !vf->now && is_denied(planner, attr))
		state = MLX5LM_PORT_ATTR_STATE_UNSUPPORTED;
	if (state == MLX5LM_PORT_ATTR_STATE_UNSUPPORTED) {
		/* What is not offered is off, but for RoCE, which is there without being asked. */
		if (planner->config->is_undo || (wanted == MLX5LM_PORT_ATTR_STATE_DISABLED &&
						 attr != MLX5LM_PORT_ATTR_ROCE))
			return 0;
		return plan_refuse_attr(planner, vf->name, attr);
	}
	if (state == MLX5LM_PORT_ATTR_STATE_UNKNOWN && leave_alone(planner, vf))
		return 0;
	if (seen && state == MLX5LM_PORT_ATTR_STATE_UNKNOWN)
		return plan_refuse_unknown(planner, vf->name, name_of(&port_attr_names, attr),
					   name_of(&port_attr_names, attr));
	vf->attr[attr] = wanted;
	return 0;
}

static int find_max_io_eqs_change(const struct planner *planner, struct vf_plan *vf)
{
	struct fact_u64 wanted = config_max_io_eqs(planner->config, vf->index);
	const struct mlx5lm_vf *seen = seen_port(planner, vf);

	if (!wanted.known ||
	    (seen && seen->max_io_eqs.known && seen->max_io_eqs.value == wanted.value))
		return 0;
	if (!(seen && seen->max_io_eqs.known) && leave_alone(planner, vf))
		return 0;
	/* The port is there, and does not show it. */
	if (seen && !seen->max_io_eqs.known && seen->port_index.known)
		return plan_refuse_max_io_eqs(planner, vf->name);
	if (seen && !seen->max_io_eqs.known)
		return plan_refuse_unknown(planner, vf->name, "max_io_eqs", "max_io_eqs");
	vf->max_io_eqs = wanted;
	return 0;
}

static void find_hw_addr_change(const struct planner *planner, struct vf_plan *vf)
{
	const char *wanted = config_hw_addr(planner->config, vf->index);
	const struct mlx5lm_vf *seen = seen_port(planner, vf);
	const char *now = seen ? seen->hw_addr : NULL;

	/* The kernel clears the address when VFs go. */
	if (!vf->now)
		now = "00:00:00:00:00:00";
	if (!wanted || (now && strcasecmp(now, wanted) == 0))
		return;
	if (!now && leave_alone(planner, vf))
		return;
	vf->hw_addr = wanted;
}

static int find_port_changes(const struct planner *planner, struct vf_plan *vf)
{
	int r;

	if (!has_ports(planner))
		return 0;
	find_hw_addr_change(planner, vf);
	for (uint32_t attr = 1; attr < CONFIG_NUM_ATTRS; attr++) {
		r = find_attr_change(planner, vf, attr,
				     config_attr(planner->config, vf->index, attr));
		if (r < 0)
			return r;
	}
	return find_max_io_eqs_change(planner, vf);
}

static int find_msix_change(const struct planner *planner, struct vf_plan *vf)
{
	struct fact_u64 wanted = config_msix_count(planner->config, vf->index);
	const struct fact_u64 *total = &planner->pf->sriov_vf_total_msix;

	if (!wanted.known ||
	    (vf->now && vf->now->msix_count.known && vf->now->msix_count.value == wanted.value))
		return 0;
	if (planner->config->is_undo && (!total->known || !total->value ||
					 (vf->now && !vf->now->msix_count.known)))
		return 0;
	if (!total->known || !total->value)
		return plan_refuse_msix(planner, vf->name);
	if (vf->now && !vf->now->msix_count.known)
		return plan_refuse_unknown(planner, vf->name, "msix_count",
					   "its number of MSI-X vectors");
	vf->msix_count = wanted;
	return 0;
}

static int find_representor_change(const struct planner *planner, struct vf_plan *vf)
{
	uint32_t wanted = config_representor_state(planner->config, vf->index);
	const struct mlx5lm_vf *seen = seen_port(planner, vf);

	/* Representors come new with each change of mode, and are down at first. */
	if (!wanted || planner->eswitch_mode != MLX5LM_ESWITCH_SWITCHDEV)
		return 0;
	if (seen && seen->representor_state == wanted)
		return 0;
	if (seen && !seen->representor_state && !planner->config->is_undo)
		return plan_refuse_unknown(planner, vf->name, "representor_state",
					   "the state of its representor");
	if (seen && !seen->representor_state)
		return 0;
	vf->representor_state = wanted;
	return 0;
}

/*
 * Attributes, event queues and vectors are read when a driver binds, and firmware refuses some of
 * them while one has the VF. mlx5_core takes its address then, too; VFIO never looks at it.
 */
static bool needs_rebind(const struct planner *planner, const struct vf_plan *vf)
{
	const struct mlx5lm_vf *now = vf->now;

	if (vf->max_io_eqs.known || vf->msix_count.known)
		return true;
	for (uint32_t attr = 1; attr < CONFIG_NUM_ATTRS; attr++) {
		if (vf->attr[attr])
			return true;
	}
	if (vf->hw_addr && streq(now->driver, "mlx5_core"))
		return true;
	/* Bound before migratable was enabled: the driver did not see it. */
	return !planner->config->is_undo && !planner->config->rebound &&
	       vf_bind_state(now) == MLX5LM_BIND_STATE_NEEDS_REBIND &&
	       streq(config_driver(planner->config, vf->index), VARIANT_DRIVER) &&
	       config_attr(planner->config, vf->index, MLX5LM_PORT_ATTR_MIGRATABLE) ==
		       MLX5LM_PORT_ATTR_STATE_ENABLED;
}

/*
 * The kernel binds a VF whose PF has autoprobe off only if it has an override (Linux,
 * drivers/pci/pci-driver.c, pci_device_can_probe()), and only mlx5_core without one at all. Else
 * the VF gets an override for the time of the bind.
 */
static void find_override(const struct planner *planner, struct vf_plan *vf)
{
	const char *now = vf->now && vf->now->driver_override ? vf->now->driver_override : "";
	const char *wanted = config_driver_override(planner->config, vf->index);
	bool autoprobe = planner->pf->sriov_autoprobe == MLX5LM_ANSWER_YES &&
			 !planner->autoprobe_off;
	const char *for_bind;

	if (!wanted)
		wanted = now;
	if (!vf->bind) {
		vf->override = streq(now, wanted) ? NULL : wanted;
		return;
	}
	for_bind = vf->bind;
	if (!*wanted && autoprobe && streq(vf->bind, "mlx5_core"))
		for_bind = "";
	vf->override = streq(now, for_bind) ? NULL : for_bind;
	vf->override_after = streq(wanted, for_bind) ? NULL : wanted;
}

static void find_driver_changes(const struct planner *planner, struct vf_plan *vf)
{
	const char *wanted = config_driver(planner->config, vf->index);
	const char *bound = vf->now ? vf->now->driver : NULL;

	if (bound && ((wanted && !streq(bound, wanted)) || needs_rebind(planner, vf)))
		vf->unbind = bound;
	if (!wanted)
		wanted = bound;
	if (wanted && *wanted && (!bound || vf->unbind))
		vf->bind = wanted;
	find_override(planner, vf);
}

/* What its user would notice. That its representor comes up, or the next driver, harms nobody. */
static int check_user(const struct planner *planner, const struct vf_plan *vf)
{
	if (!vf->now || !vf_is_used(vf->now))
		return 0;
	if (vf->unbind)
		return plan_refuse_used(planner, vf->now, "unbinding it");
	if (vf->hw_addr)
		return plan_refuse_used(planner, vf->now, "changing its address");
	if (vf->representor_state == MLX5LM_ADMIN_STATE_DOWN)
		return plan_refuse_used(planner, vf->now, "taking its representor down");
	return 0;
}

/* A VF that the number says is there, and of which nothing is known. */
static int check_known(const struct planner *planner, const struct vf_plan *vf, bool *known)
{
	bool wanted = config_find_vf(planner->config, vf->index) ||
		      config_find_vf(planner->config, MLX5LM_VF_ALL);

	*known = vf->now || !plan_keeps_vfs(planner);
	if (*known || !wanted || planner->config->is_undo)
		return 0;
	return plan_refuse_unknown(planner, planner->pf->bdf, "vfs", vf->name);
}

static int find_changes(const struct planner *planner, struct vf_plan *vf)
{
	bool known;
	int r;

	r = check_known(planner, vf, &known);
	if (r < 0 || !known)
		return r;
	r = find_port_changes(planner, vf);
	if (r == 0)
		r = find_msix_change(planner, vf);
	if (r == 0)
		r = find_representor_change(planner, vf);
	if (r < 0)
		return r;
	find_driver_changes(planner, vf);
	return check_user(planner, vf);
}

int plan_find_vf_changes(struct planner *planner)
{
	struct bdf base;
	bool has_base = planner->pf->bdf && bdf_parse(planner->pf->bdf, &base) == 0;
	int r = 0;

	planner->vfs = calloc(planner->num_vfs + 1, sizeof(*planner->vfs));
	if (!planner->vfs)
		return error_no_memory(planner->reterr);
	for (uint32_t i = 0; r == 0 && i < planner->num_vfs; i++) {
		struct vf_plan *vf = &planner->vfs[planner->num_vf_plans++];

		vf->index = i;
		vf->now = planner->recreate ? NULL : find_vf(planner->pf, i);
		name_vf(planner, vf, has_base ? &base : NULL);
		r = find_changes(planner, vf);
	}
	if (r == 0)
		r = plan_check_hw_addrs(planner);
	return r < 0 ? r : plan_check_msix(planner);
}

uint32_t plan_final_attr(const struct planner *planner, const struct vf_plan *vf,
			 enum mlx5lm_port_attr attr)
{
	uint32_t wanted = config_attr(planner->config, vf->index, attr);

	return wanted || !vf->now ? wanted : vf_attr_state(vf->now, attr);
}

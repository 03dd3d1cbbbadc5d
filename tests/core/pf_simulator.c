// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pf_simulator.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/hosts.h"

#define VARIANT "mlx5_vfio_pci"

static void set_name(char *name, size_t size, const char *value)
{
	if ((size_t)snprintf(name, size, "%s", value) >= size)
		abort();
}

#define SET_NAME(name, value) set_name(name, sizeof(name), value)

static uint32_t attr_fact(const struct sim_vf *vf, enum mlx5lm_port_attr attr)
{
	return vf->attr[attr] ? MLX5LM_PORT_ATTR_STATE_ENABLED : MLX5LM_PORT_ATTR_STATE_DISABLED;
}

static void probe_vf(const struct simulator *sim, uint32_t index, struct mlx5lm_pf *pf)
{
	const struct sim_vf *vf = &sim->vfs[index];
	struct mlx5lm_vf *fact;
	char bdf[32];

	if (pf_add_vf(pf, &fact))
		abort();
	snprintf(bdf, sizeof(bdf), "0000:08:00.%u", index + 2);
	set_text(&fact->bdf, bdf);
	fact->index = fact_u64(index);
	set_text(&fact->driver, *vf->driver ? vf->driver : NULL);
	set_text(&fact->driver_override, *vf->override ? vf->override : NULL);
	fact->msix_count = fact_u64(vf->msix_count);
	if (!sim->switchdev)
		return;
	set_text(&fact->hw_addr, vf->hw_addr);
	fact->port_index = fact_u64(index + 1);
	fact->roce = attr_fact(vf, MLX5LM_PORT_ATTR_ROCE);
	fact->migratable = attr_fact(vf, MLX5LM_PORT_ATTR_MIGRATABLE);
	fact->ipsec_crypto = attr_fact(vf, MLX5LM_PORT_ATTR_IPSEC_CRYPTO);
	fact->ipsec_packet = attr_fact(vf, MLX5LM_PORT_ATTR_IPSEC_PACKET);
	fact->max_io_eqs = fact_u64(vf->max_io_eqs);
	fact->representor_state = vf->representor_up ? MLX5LM_ADMIN_STATE_UP :
						       MLX5LM_ADMIN_STATE_DOWN;
}

struct mlx5lm_host *sim_probe(const struct simulator *sim)
{
	struct mlx5lm_host *host = bare_host("a");
	struct mlx5lm_pf *pf = &host->pfs[0];

	pf->eswitch_mode = sim->switchdev ? MLX5LM_ESWITCH_SWITCHDEV : MLX5LM_ESWITCH_LEGACY;
	pf->sriov_autoprobe = sim->autoprobe ? MLX5LM_ANSWER_YES : MLX5LM_ANSWER_NO;
	pf->sriov_num_vfs = fact_u64(sim->num_vfs);
	pf->sriov_total_vfs = fact_u64(SIM_MAX_VFS);
	pf->sriov_vf_total_msix = fact_u64(256);
	for (size_t i = 0; i < host->num_modules; i++) {
		if (streq(host->modules[i].name, VARIANT) && sim->variant_loaded)
			host->modules[i].state = MLX5LM_MODULE_LOADED;
	}
	for (uint32_t i = 0; i < sim->num_vfs; i++)
		probe_vf(sim, i, pf);
	return host;
}

void sim_create_vf(const struct simulator *sim, struct sim_vf *vf)
{
	*vf = (struct sim_vf){ .max_io_eqs = 12, .msix_count = 11 };
	SET_NAME(vf->hw_addr, "00:00:00:00:00:00");
	SET_NAME(vf->driver, sim->autoprobe ? "mlx5_core" : "");
	vf->attr[MLX5LM_PORT_ATTR_ROCE] = true;
}

static int set_num_vfs(struct simulator *sim, uint64_t value)
{
	if (value > SIM_MAX_VFS)
		return -ERANGE;
	if (value && sim->num_vfs && value != sim->num_vfs)
		return -EBUSY;
	if (value == sim->num_vfs)
		return 0;
	memset(sim->vfs, 0, sizeof(sim->vfs));
	sim->num_vfs = value;
	sim->recreated = true;
	for (uint64_t i = 0; i < value; i++)
		sim_create_vf(sim, &sim->vfs[i]);
	return 0;
}

static int set_eswitch_mode(struct simulator *sim, bool switchdev)
{
	if (sim->switchdev == switchdev)
		return 0;
	sim->switchdev = switchdev;
	for (uint64_t i = 0; i < sim->num_vfs; i++)
		sim->vfs[i].representor_up = false;
	return 0;
}

/* pci_match_device() and pci_device_can_probe() of drivers/pci/pci-driver.c. */
static int bind(const struct simulator *sim, struct sim_vf *vf, const char *driver)
{
	if (*vf->driver)
		return -EBUSY;
	if (streq(driver, VARIANT) && !sim->variant_loaded)
		return -ENOENT;
	if (*vf->override ? !streq(vf->override, driver) :
			    !streq(driver, "mlx5_core") || !sim->autoprobe)
		return -ENODEV;
	SET_NAME(vf->driver, driver);
	return 0;
}

static int unbind(struct sim_vf *vf, const char *driver)
{
	if (!streq(vf->driver, driver))
		return -ENODEV;
	SET_NAME(vf->driver, "");
	return 0;
}

/* What firmware refuses while a driver has the VF, and needs a port. */
static int set_port(const struct simulator *sim, struct sim_vf *vf, const struct mlx5lm_step *step)
{
	if (!sim->switchdev)
		return -ENODEV;
	if (step->kind == STEP_REPRESENTOR) {
		vf->representor_up = step->value == MLX5LM_ADMIN_STATE_UP;
		return 0;
	}
	if (step->kind == STEP_HW_ADDR) {
		SET_NAME(vf->hw_addr, step->text);
		return 0;
	}
	if (*vf->driver)
		return -EINVAL;
	if (step->kind == STEP_PORT_ATTR)
		vf->attr[step->attr] = step->value == MLX5LM_PORT_ATTR_STATE_ENABLED;
	else
		vf->max_io_eqs = step->value;
	return 0;
}

static int run_vf(const struct simulator *sim, struct sim_vf *vf, const struct mlx5lm_step *step)
{
	switch (step->kind) {
	case STEP_UNBIND:
		return unbind(vf, step->text);
	case STEP_BIND:
		return bind(sim, vf, step->text);
	case STEP_DRIVER_OVERRIDE:
		SET_NAME(vf->override, step->text);
		return 0;
	case STEP_MSIX_COUNT:
		if (*vf->driver)
			return -EBUSY;
		vf->msix_count = step->value;
		return 0;
	default:
		return set_port(sim, vf, step);
	}
}

int sim_run(struct simulator *sim, const struct mlx5lm_step *step)
{
	switch (step->kind) {
	case STEP_AUTOPROBE:
		sim->autoprobe = step->value;
		return 0;
	case STEP_ESWITCH_MODE:
		return set_eswitch_mode(sim, step->value == MLX5LM_ESWITCH_SWITCHDEV);
	case STEP_NUM_VFS:
		return set_num_vfs(sim, step->value);
	case STEP_LOAD_MODULE:
		sim->variant_loaded = true;
		return 0;
	default:
		if (!step_is_of_vf(step->kind) || step->vf_index >= sim->num_vfs)
			return -ENODEV;
		return run_vf(sim, &sim->vfs[step->vf_index], step);
	}
}

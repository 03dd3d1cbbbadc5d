// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/vf_ready.h"

#include <errno.h>
#include <inttypes.h>

#include "base/cleanup.h"
#include "core/bdf.h"

void vf_unfit_release(struct vf_unfit *unfit)
{
	free(unfit->reason);
	free(unfit->remedy);
	*unfit = (struct vf_unfit){ 0 };
}

static int unfit(struct vf_unfit *ret, bool unknown, char *reason, char *remedy)
{
	*ret = (struct vf_unfit){ .reason = reason, .remedy = remedy, .unknown = unknown };
	if (reason && remedy)
		return 0;
	vf_unfit_release(ret);
	return -ENOMEM;
}

static char *enable_command(const struct mlx5lm_pf *pf, const struct mlx5lm_vf *vf)
{
	if (!vf->port_index.known)
		return str_printf("devlink port function set <port of %s> migratable enable",
				  vf->bdf);
	return str_printf("devlink port function set pci/%s/%" PRIu64
			  " migratable enable, while the VF is unbound",
			  pf->bdf, vf->port_index.value);
}

static int check_migratable(const struct mlx5lm_pf *pf, const struct mlx5lm_vf *vf,
			    struct vf_unfit *ret)
{
	switch (vf->migratable) {
	case MLX5LM_PORT_ATTR_STATE_ENABLED:
		return 0;
	case MLX5LM_PORT_ATTR_STATE_DISABLED:
		return unfit(ret, false, str_printf("migratable is disabled"),
			     enable_command(pf, vf));
	case MLX5LM_PORT_ATTR_STATE_UNSUPPORTED:
		return unfit(ret, false,
			     str_printf("kernel or firmware offers no migratable attribute"),
			     str_printf("mlxconfig -d %s s VF_MIGRATION_MODE=2, then reboot", pf->bdf));
	default:
		if (pf->eswitch_mode == MLX5LM_ESWITCH_LEGACY)
			return unfit(ret, false,
				     str_printf("the eswitch of %s is in legacy mode, which has "
						"no port function", pf->bdf),
				     str_printf("devlink dev eswitch set pci/%s mode switchdev",
						pf->bdf));
		return unfit(ret, true, str_printf("migratable is not known"),
			     str_printf("probe with CAP_NET_ADMIN"));
	}
}

static char *bind_command(const struct mlx5lm_vf *vf)
{
	_cleanup_free_ char *unbind = NULL;

	unbind = vf->driver ? str_printf("echo %s > /sys/bus/pci/drivers/%s/unbind; ", vf->bdf,
					 vf->driver) :
			      strdup("");
	if (!unbind)
		return NULL;
	return str_printf("%secho " VARIANT_DRIVER " > /sys/bus/pci/devices/%s/driver_override; "
			  "echo %s > /sys/bus/pci/drivers_probe", unbind, vf->bdf, vf->bdf);
}

static int check_driver(const struct mlx5lm_vf *vf, struct vf_unfit *ret)
{
	if (streq(vf->driver, VARIANT_DRIVER))
		return 0;
	return unfit(ret, false,
		     vf->driver ? str_printf("it is bound to %s instead of " VARIANT_DRIVER,
					     vf->driver) :
				  str_printf("it is not bound to " VARIANT_DRIVER),
		     bind_command(vf));
}

int vf_check_role(const struct mlx5lm_pf *pf, const struct mlx5lm_vf *vf, enum vf_role role,
		  struct vf_unfit *ret)
{
	int r;

	*ret = (struct vf_unfit){ 0 };
	r = check_migratable(pf, vf, ret);
	if (r < 0 || ret->reason)
		return r;
	r = check_driver(vf, ret);
	if (r < 0 || ret->reason)
		return r;
	if (!vf->iommu_group.known)
		return unfit(ret, false, str_printf("it has no IOMMU group"),
			     str_printf("boot with intel_iommu=on, or enable the IOMMU in the "
					"firmware setup"));
	if (role == VF_DESTINATION && vf->in_use_by)
		return unfit(ret, false, str_printf("domain %s uses it", vf->in_use_by),
			     str_printf("choose another VF"));
	return 0;
}

const struct mlx5lm_vf *host_find_vf(const struct mlx5lm_host *host, const char *bdf,
				     const struct mlx5lm_pf **ret_pf)
{
	for (size_t i = 0; i < host->num_pfs; i++) {
		const struct mlx5lm_pf *pf = &host->pfs[i];

		for (size_t j = 0; j < pf->num_vfs; j++) {
			if (!bdf_equal(pf->vfs[j].bdf, bdf))
				continue;
			if (ret_pf)
				*ret_pf = pf;
			return &pf->vfs[j];
		}
	}
	return NULL;
}

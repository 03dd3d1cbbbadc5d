// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>

#include "core/plan_build.h"

static uint32_t settable(uint32_t state)
{
	return state == MLX5LM_PORT_ATTR_STATE_ENABLED ||
			       state == MLX5LM_PORT_ATTR_STATE_DISABLED ?
		       state : MLX5LM_PORT_ATTR_STATE_UNKNOWN;
}

static int add_vf(struct mlx5lm_config *config, const struct mlx5lm_pf *pf,
		  const struct mlx5lm_vf *now)
{
	struct vf_config *vf = config_get_vf(config, (uint32_t)now->index.value);

	if (!vf || str_replace(&vf->hw_addr, now->hw_addr) ||
	    str_replace(&vf->driver, now->driver ? now->driver : "") ||
	    str_replace(&vf->driver_override, now->driver_override ? now->driver_override : ""))
		return -ENOMEM;
	for (uint32_t attr = 1; attr < CONFIG_NUM_ATTRS; attr++)
		vf->attr[attr] = settable(vf_attr_state(now, attr));
	vf->max_io_eqs = now->max_io_eqs;
	vf->representor_state = now->representor_state;
	/* Only with vectors to share out can it have been changed. */
	if (pf->sriov_vf_total_msix.known && pf->sriov_vf_total_msix.value)
		vf->msix_count = now->msix_count;
	return 0;
}

int config_from_pf(const struct mlx5lm_pf *pf, struct mlx5lm_config **ret)
{
	_cleanup_config_ struct mlx5lm_config *config = calloc(1, sizeof(*config));

	if (!config)
		return -ENOMEM;
	config->is_undo = true;
	config->num_vfs = pf->sriov_num_vfs;
	config->eswitch_mode = pf->eswitch_mode;
	config->autoprobe = pf->sriov_autoprobe;
	for (size_t i = 0; i < pf->num_vfs; i++) {
		if (pf->vfs[i].index.known && add_vf(config, pf, &pf->vfs[i]) < 0)
			return -ENOMEM;
	}
	*ret = TAKE(config);
	return 0;
}

static int keep_driver(struct mlx5lm_config *wanted, const struct mlx5lm_vf *before)
{
	uint32_t index = (uint32_t)before->index.value;
	struct vf_config *vf;

	if (config_driver(wanted, index))
		return 0;
	vf = config_get_vf(wanted, index);
	if (!vf || str_replace(&vf->driver, before->driver ? before->driver : "") ||
	    str_replace(&vf->driver_override,
			before->driver_override ? before->driver_override : ""))
		return -ENOMEM;
	return 0;
}

int config_keep(struct mlx5lm_config *wanted, const struct mlx5lm_pf *before)
{
	bool stay = !wanted->num_vfs.known || (before->sriov_num_vfs.known &&
					       before->sriov_num_vfs.value == wanted->num_vfs.value);

	if (!wanted->autoprobe)
		wanted->autoprobe = before->sriov_autoprobe;
	for (size_t i = 0; stay && i < before->num_vfs; i++) {
		if (before->vfs[i].index.known && keep_driver(wanted, &before->vfs[i]) < 0)
			return -ENOMEM;
	}
	return 0;
}

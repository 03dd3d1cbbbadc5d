// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/before.h"

#include <errno.h>

#include "core/plan_build.h"

static int learn_port(struct mlx5lm_vf *before, const struct mlx5lm_vf *now)
{
	if (!before->hw_addr && str_replace(&before->hw_addr, now->hw_addr))
		return -ENOMEM;
	before->roce = before->roce ?: now->roce;
	before->migratable = before->migratable ?: now->migratable;
	before->ipsec_crypto = before->ipsec_crypto ?: now->ipsec_crypto;
	before->ipsec_packet = before->ipsec_packet ?: now->ipsec_packet;
	if (!before->max_io_eqs.known)
		before->max_io_eqs = now->max_io_eqs;
	return 0;
}

int before_learn_ports(struct mlx5lm_pf *before, const struct mlx5lm_pf *now)
{
	for (size_t i = 0; i < before->num_vfs; i++) {
		struct mlx5lm_vf *vf = &before->vfs[i];
		const struct mlx5lm_vf *other =
			vf->index.known ? pf_find_vf(now, vf->index.value) : NULL;

		if (other && learn_port(vf, other) < 0)
			return -ENOMEM;
	}
	return 0;
}

static const struct vf_config *find_vf(const struct mlx5lm_config *config, uint32_t vf_index)
{
	for (size_t i = 0; i < config->num_vf_configs; i++) {
		if (config->vfs[i].vf_index == vf_index)
			return &config->vfs[i];
	}
	return NULL;
}

static int give_up(struct mlx5lm_config *config, const struct vf_config *old, uint32_t vf_index,
		   bool is_new)
{
	struct vf_config *vf = config_get_vf(config, vf_index);

	if (!vf || str_replace(&vf->hw_addr, old->hw_addr) ||
	    str_replace(&vf->driver, is_new ? "" : old->driver) ||
	    str_replace(&vf->driver_override, is_new ? "" : old->driver_override))
		return -ENOMEM;
	memcpy(vf->attr, old->attr, sizeof(vf->attr));
	vf->max_io_eqs = old->max_io_eqs;
	vf->msix_count = old->msix_count;
	vf->representor_state = old->representor_state;
	if (is_new && vf->attr[MLX5LM_PORT_ATTR_MIGRATABLE])
		vf->attr[MLX5LM_PORT_ATTR_MIGRATABLE] = MLX5LM_PORT_ATTR_STATE_DISABLED;
	return 0;
}

int before_give_up_vfs(const struct mlx5lm_pf *before, const struct mlx5lm_pf *now, bool recreated,
		       const bool *failed, size_t length, struct mlx5lm_config *config)
{
	_cleanup_config_ struct mlx5lm_config *old = NULL;
	int r;

	r = config_from_pf(recreated ? now : before, &old);
	for (uint32_t i = 0; r == 0 && i < length; i++) {
		const struct vf_config *vf = failed[i] ? find_vf(old, i) : NULL;

		if (vf)
			r = give_up(config, vf, i, recreated);
	}
	config->is_undo = true;
	return r;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/config.h"

#include <errno.h>

#include "export.h"

MLX5LM_EXPORT int mlx5lm_config_new(struct mlx5lm_config **ret)
{
	struct mlx5lm_config *config;

	if (!ret)
		return -EINVAL;
	config = calloc(1, sizeof(*config));
	if (!config)
		return -ENOMEM;
	*ret = config;
	return 0;
}

MLX5LM_EXPORT int mlx5lm_config_set_num_vfs(struct mlx5lm_config *config, uint32_t num_vfs)
{
	if (!config || num_vfs > CONFIG_MAX_VFS)
		return -EINVAL;
	config->num_vfs = fact_u64(num_vfs);
	return 0;
}

MLX5LM_EXPORT int mlx5lm_config_set_eswitch_mode(struct mlx5lm_config *config,
						 enum mlx5lm_eswitch_mode mode)
{
	if (!config || (mode != MLX5LM_ESWITCH_LEGACY && mode != MLX5LM_ESWITCH_SWITCHDEV))
		return -EINVAL;
	config->eswitch_mode = mode;
	return 0;
}

static bool is_vf_index(uint32_t vf_index)
{
	return vf_index < CONFIG_MAX_VFS || vf_index == MLX5LM_VF_ALL;
}

MLX5LM_EXPORT int mlx5lm_config_set_vf_hw_addr(struct mlx5lm_config *config, uint32_t vf_index,
					       const char *hw_addr)
{
	char canonical[HW_ADDR_TEXT_SIZE];
	struct vf_config *vf;

	if (!config || vf_index >= CONFIG_MAX_VFS || !hw_addr ||
	    hw_addr_parse(hw_addr, canonical) < 0)
		return -EINVAL;
	vf = config_get_vf(config, vf_index);
	return vf ? str_replace(&vf->hw_addr, canonical) : -ENOMEM;
}

MLX5LM_EXPORT int mlx5lm_config_set_vf_attr(struct mlx5lm_config *config, uint32_t vf_index,
					    enum mlx5lm_port_attr attr,
					    enum mlx5lm_port_attr_state state)
{
	struct vf_config *vf;

	if (!config || !is_vf_index(vf_index) || attr == MLX5LM_PORT_ATTR_UNKNOWN ||
	    (unsigned int)attr >= CONFIG_NUM_ATTRS ||
	    (state != MLX5LM_PORT_ATTR_STATE_DISABLED && state != MLX5LM_PORT_ATTR_STATE_ENABLED))
		return -EINVAL;
	vf = config_get_vf(config, vf_index);
	if (!vf)
		return -ENOMEM;
	vf->attr[attr] = state;
	return 0;
}

MLX5LM_EXPORT int mlx5lm_config_set_vf_driver(struct mlx5lm_config *config, uint32_t vf_index,
					      const char *driver)
{
	struct vf_config *vf;

	if (!config || !is_vf_index(vf_index) || !driver ||
	    (!streq(driver, "") && !streq(driver, "mlx5_vfio_pci") && !streq(driver, "mlx5_core")))
		return -EINVAL;
	vf = config_get_vf(config, vf_index);
	return vf ? str_replace(&vf->driver, driver) : -ENOMEM;
}

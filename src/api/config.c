// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/config.h"

#include <errno.h>

#include "core/config_json.h"
#include "core/json_text.h"
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

/* The settings to write a wish to: 0, -EINVAL or -ENOMEM. */
static int get_vf(struct mlx5lm_config *config, uint32_t vf_index, struct vf_config **ret)
{
	if (!config || (vf_index >= CONFIG_MAX_VFS && vf_index != MLX5LM_VF_ALL))
		return -EINVAL;
	*ret = config_get_vf(config, vf_index);
	return *ret ? 0 : -ENOMEM;
}

MLX5LM_EXPORT int mlx5lm_config_set_vf_hw_addr(struct mlx5lm_config *config, uint32_t vf_index,
					       const char *hw_addr)
{
	char canonical[HW_ADDR_TEXT_SIZE];
	struct vf_config *vf;
	int r;

	if (!hw_addr || vf_index == MLX5LM_VF_ALL || hw_addr_parse(hw_addr, canonical) < 0)
		return -EINVAL;
	r = get_vf(config, vf_index, &vf);
	return r < 0 ? r : str_replace(&vf->hw_addr, canonical);
}

MLX5LM_EXPORT int mlx5lm_config_set_vf_attr(struct mlx5lm_config *config, uint32_t vf_index,
					    enum mlx5lm_port_attr attr,
					    enum mlx5lm_port_attr_state state)
{
	struct vf_config *vf;
	int r;

	if (attr == MLX5LM_PORT_ATTR_UNKNOWN || (unsigned int)attr >= CONFIG_NUM_ATTRS ||
	    (state != MLX5LM_PORT_ATTR_STATE_DISABLED && state != MLX5LM_PORT_ATTR_STATE_ENABLED))
		return -EINVAL;
	r = get_vf(config, vf_index, &vf);
	if (r < 0)
		return r;
	vf->attr[attr] = state;
	return 0;
}

MLX5LM_EXPORT int mlx5lm_config_set_vf_driver(struct mlx5lm_config *config, uint32_t vf_index,
					      const char *driver)
{
	struct vf_config *vf;
	int r;

	if (!driver || !config_knows_driver(driver))
		return -EINVAL;
	r = get_vf(config, vf_index, &vf);
	return r < 0 ? r : str_replace(&vf->driver, driver);
}

MLX5LM_EXPORT int mlx5lm_config_set_vf_max_io_eqs(struct mlx5lm_config *config, uint32_t vf_index,
						  uint32_t max_io_eqs)
{
	struct vf_config *vf;
	int r;

	if (max_io_eqs == 0 || max_io_eqs > CONFIG_MAX_IO_EQS)
		return -EINVAL;
	r = get_vf(config, vf_index, &vf);
	if (r < 0)
		return r;
	vf->max_io_eqs = fact_u64(max_io_eqs);
	return 0;
}

MLX5LM_EXPORT int mlx5lm_config_set_vf_msix_count(struct mlx5lm_config *config, uint32_t vf_index,
						  uint32_t msix_count)
{
	struct vf_config *vf;
	int r;

	if (msix_count == 0 || msix_count > CONFIG_MAX_MSIX)
		return -EINVAL;
	r = get_vf(config, vf_index, &vf);
	if (r < 0)
		return r;
	vf->msix_count = fact_u64(msix_count);
	return 0;
}

MLX5LM_EXPORT int mlx5lm_config_set_vf_representor_state(struct mlx5lm_config *config,
							 uint32_t vf_index,
							 enum mlx5lm_admin_state state)
{
	struct vf_config *vf;
	int r;

	if (state != MLX5LM_ADMIN_STATE_UP && state != MLX5LM_ADMIN_STATE_DOWN)
		return -EINVAL;
	r = get_vf(config, vf_index, &vf);
	if (r < 0)
		return r;
	vf->representor_state = state;
	return 0;
}

static void forget_driver(struct vf_config *vf)
{
	free(vf->driver);
	vf->driver = NULL;
	vf->attr[MLX5LM_PORT_ATTR_MIGRATABLE] = MLX5LM_PORT_ATTR_STATE_UNKNOWN;
}

MLX5LM_EXPORT int mlx5lm_config_set_vf_release(struct mlx5lm_config *config, uint32_t vf_index)
{
	_cleanup_free_ char *driver = NULL;
	struct vf_config *vf;
	int r;

	r = get_vf(config, vf_index, &vf);
	if (r < 0)
		return r;
	driver = strdup("mlx5_core");
	if (!driver)
		return -ENOMEM;
	/* Else what one VF was to be before would go before what all are to be now. */
	for (size_t i = 0; vf_index == MLX5LM_VF_ALL && i < config->num_vf_configs; i++)
		forget_driver(&config->vfs[i]);
	forget_driver(vf);
	vf->driver = TAKE(driver);
	vf->attr[MLX5LM_PORT_ATTR_MIGRATABLE] = MLX5LM_PORT_ATTR_STATE_DISABLED;
	return 0;
}

MLX5LM_EXPORT int mlx5lm_config_set_nv(struct mlx5lm_config *config, const char *name,
				       uint64_t value)
{
	uint64_t max;
	int index;

	if (!config || !name)
		return -EINVAL;
	index = config_find_nv(name, &max);
	if (index < 0 || value > max)
		return -EINVAL;
	config->nv[index] = fact_u64(value);
	return 0;
}

MLX5LM_EXPORT int mlx5lm_config_set_firmware_reset(struct mlx5lm_config *config, int allowed)
{
	if (!config)
		return -EINVAL;
	config->firmware_reset = allowed;
	return 0;
}

MLX5LM_EXPORT int mlx5lm_config_set_live_guests(struct mlx5lm_config *config, int allowed)
{
	if (!config)
		return -EINVAL;
	config->live_guests = allowed;
	return 0;
}

MLX5LM_EXPORT int mlx5lm_config_parse(const char *json, size_t length, struct mlx5lm_config **ret,
				      struct mlx5lm_error **reterr)
{
	if (!json || !ret)
		return error_invalid(reterr, "a document and a place for the wanted state are "
				     "needed");
	return config_parse(json, length, ret, reterr);
}

MLX5LM_EXPORT int mlx5lm_config_serialize(const struct mlx5lm_config *config,
					  struct mlx5lm_text **ret)
{
	if (!config || !ret)
		return -EINVAL;
	return json_to_text(config_to_json(config), JSON_INDENT(2), ret);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/config.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "base/array.h"
#include "export.h"

MLX5LM_EXPORT void mlx5lm_config_free(struct mlx5lm_config *config)
{
	if (!config)
		return;
	for (size_t i = 0; i < config->num_vf_configs; i++) {
		free(config->vfs[i].hw_addr);
		free(config->vfs[i].driver);
	}
	free(config->vfs);
	free(config);
}

static struct vf_config *find(const struct mlx5lm_config *config, uint32_t vf_index)
{
	for (size_t i = 0; i < config->num_vf_configs; i++) {
		if (config->vfs[i].vf_index == vf_index)
			return &config->vfs[i];
	}
	return NULL;
}

struct vf_config *config_get_vf(struct mlx5lm_config *config, uint32_t vf_index)
{
	struct vf_config *vf = find(config, vf_index);

	if (vf)
		return vf;
	if (array_reserve(&config->vfs, &config->allocated, config->num_vf_configs + 1,
			  sizeof(*vf)))
		return NULL;
	vf = &config->vfs[config->num_vf_configs++];
	*vf = (struct vf_config){ .vf_index = vf_index };
	return vf;
}

int config_copy(const struct mlx5lm_config *config, struct mlx5lm_config **ret)
{
	_cleanup_config_ struct mlx5lm_config *copy = calloc(1, sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	copy->num_vfs = config->num_vfs;
	copy->eswitch_mode = config->eswitch_mode;
	for (size_t i = 0; i < config->num_vf_configs; i++) {
		const struct vf_config *from = &config->vfs[i];
		struct vf_config *to = config_get_vf(copy, from->vf_index);

		if (!to || str_replace(&to->hw_addr, from->hw_addr) ||
		    str_replace(&to->driver, from->driver))
			return -ENOMEM;
		memcpy(to->attr, from->attr, sizeof(to->attr));
	}
	*ret = TAKE(copy);
	return 0;
}

const char *config_hw_addr(const struct mlx5lm_config *config, uint32_t vf_index)
{
	const struct vf_config *vf = find(config, vf_index);

	return vf ? vf->hw_addr : NULL;
}

const char *config_driver(const struct mlx5lm_config *config, uint32_t vf_index)
{
	const struct vf_config *vf = find(config, vf_index);

	if (vf && vf->driver)
		return vf->driver;
	vf = find(config, MLX5LM_VF_ALL);
	return vf ? vf->driver : NULL;
}

uint32_t config_attr(const struct mlx5lm_config *config, uint32_t vf_index,
		     enum mlx5lm_port_attr attr)
{
	const struct vf_config *vf = find(config, vf_index);

	if (vf && vf->attr[attr])
		return vf->attr[attr];
	vf = find(config, MLX5LM_VF_ALL);
	return vf ? vf->attr[attr] : MLX5LM_PORT_ATTR_STATE_UNKNOWN;
}

int hw_addr_parse(const char *text, char ret[static HW_ADDR_TEXT_SIZE])
{
	unsigned int byte[6], nonzero = 0;
	char rest;

	if (strlen(text) != HW_ADDR_TEXT_SIZE - 1)
		return -EINVAL;
	for (size_t i = 0; i < HW_ADDR_TEXT_SIZE - 1; i++) {
		if (i % 3 == 2 ? text[i] != ':' : !isxdigit((unsigned char)text[i]))
			return -EINVAL;
	}
	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%c", &byte[0], &byte[1], &byte[2], &byte[3],
		   &byte[4], &byte[5], &rest) != 6)
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_LENGTH(byte); i++)
		nonzero |= byte[i];
	/* Bit 0 of the first byte marks a group address. */
	if (!nonzero || byte[0] & 1)
		return -EINVAL;
	snprintf(ret, HW_ADDR_TEXT_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", byte[0] & 0xff,
		 byte[1] & 0xff, byte[2] & 0xff, byte[3] & 0xff, byte[4] & 0xff, byte[5] & 0xff);
	return 0;
}

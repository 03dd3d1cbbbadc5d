// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/config.h"

#include <errno.h>
#include <stdio.h>

#include "base/array.h"
#include "base/hw_addr.h"
#include "core/vf_ready.h"
#include "export.h"

MLX5LM_EXPORT void mlx5lm_config_free(struct mlx5lm_config *config)
{
	if (!config)
		return;
	for (size_t i = 0; i < config->num_vf_configs; i++) {
		free(config->vfs[i].hw_addr);
		free(config->vfs[i].driver);
		free(config->vfs[i].driver_override);
	}
	free(config->vfs);
	free(config->order_reason);
	free(config);
}

/* Place of the first VF whose index is not less: vfs is sorted, and a plan asks for each VF. */
static size_t find_place(const struct mlx5lm_config *config, uint32_t vf_index)
{
	size_t low = 0, high = config->num_vf_configs;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (config->vfs[middle].vf_index < vf_index)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct vf_config *config_find_vf(const struct mlx5lm_config *config, uint32_t vf_index)
{
	size_t place = find_place(config, vf_index);

	return place < config->num_vf_configs && config->vfs[place].vf_index == vf_index ?
		       &config->vfs[place] : NULL;
}

struct vf_config *config_get_vf(struct mlx5lm_config *config, uint32_t vf_index)
{
	size_t place = find_place(config, vf_index);
	struct vf_config *vf;

	if (place < config->num_vf_configs && config->vfs[place].vf_index == vf_index)
		return &config->vfs[place];
	if (array_reserve(&config->vfs, &config->allocated, config->num_vf_configs + 1,
			  sizeof(*vf)))
		return NULL;
	vf = &config->vfs[place];
	memmove(vf + 1, vf, (config->num_vf_configs - place) * sizeof(*vf));
	*vf = (struct vf_config){ .vf_index = vf_index };
	config->num_vf_configs++;
	return vf;
}

static int copy_vf(struct mlx5lm_config *config, const struct vf_config *from)
{
	struct vf_config *to = config_get_vf(config, from->vf_index);

	if (!to)
		return -ENOMEM;
	*to = *from;
	/* What is the other's must not be released as ours. */
	to->hw_addr = to->driver = to->driver_override = NULL;
	if (str_replace(&to->hw_addr, from->hw_addr) || str_replace(&to->driver, from->driver) ||
	    str_replace(&to->driver_override, from->driver_override))
		return -ENOMEM;
	return 0;
}

int config_copy(const struct mlx5lm_config *config, struct mlx5lm_config **ret)
{
	_cleanup_config_ struct mlx5lm_config *copy = calloc(1, sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	*copy = *config;
	copy->vfs = NULL;
	copy->num_vf_configs = copy->allocated = 0;
	copy->order_reason = NULL;
	if (str_replace(&copy->order_reason, config->order_reason))
		return -ENOMEM;
	for (size_t i = 0; i < config->num_vf_configs; i++) {
		if (copy_vf(copy, &config->vfs[i]))
			return -ENOMEM;
	}
	*ret = TAKE(copy);
	return 0;
}

static const struct vf_config nothing_wanted;

static const struct vf_config *own(const struct mlx5lm_config *config, uint32_t vf_index)
{
	const struct vf_config *vf = config_find_vf(config, vf_index);

	return vf ? vf : &nothing_wanted;
}

static const struct vf_config *for_all(const struct mlx5lm_config *config)
{
	return own(config, MLX5LM_VF_ALL);
}

const char *config_hw_addr(const struct mlx5lm_config *config, uint32_t vf_index)
{
	return own(config, vf_index)->hw_addr;
}

const char *config_driver(const struct mlx5lm_config *config, uint32_t vf_index)
{
	const char *driver = own(config, vf_index)->driver;

	return driver ? driver : for_all(config)->driver;
}

uint32_t config_attr(const struct mlx5lm_config *config, uint32_t vf_index,
		     enum mlx5lm_port_attr attr)
{
	uint32_t state = own(config, vf_index)->attr[attr];

	return state ? state : for_all(config)->attr[attr];
}

struct fact_u64 config_max_io_eqs(const struct mlx5lm_config *config, uint32_t vf_index)
{
	struct fact_u64 wanted = own(config, vf_index)->max_io_eqs;

	return wanted.known ? wanted : for_all(config)->max_io_eqs;
}

struct fact_u64 config_msix_count(const struct mlx5lm_config *config, uint32_t vf_index)
{
	struct fact_u64 wanted = own(config, vf_index)->msix_count;

	return wanted.known ? wanted : for_all(config)->msix_count;
}

uint32_t config_representor_state(const struct mlx5lm_config *config, uint32_t vf_index)
{
	uint32_t state = own(config, vf_index)->representor_state;

	return state ? state : for_all(config)->representor_state;
}

const char *config_driver_override(const struct mlx5lm_config *config, uint32_t vf_index)
{
	const char *override = own(config, vf_index)->driver_override;
	const char *driver = config_driver(config, vf_index);

	if (override || !driver)
		return override;
	/* The variant driver takes only VFs that ask for it by name. */
	return streq(driver, VARIANT_DRIVER) ? driver : "";
}

bool config_knows_driver(const char *driver)
{
	return streq(driver, "") || streq(driver, "mlx5_core") ||
	       streq(driver, VARIANT_DRIVER);
}

int config_find_nv(const char *name, uint64_t *max)
{
	static const struct {
		const char *name;
		uint64_t max;
	} settable[] = {
		{ "SRIOV_EN", 1 },
		{ "NUM_OF_VFS", CONFIG_MAX_VFS },
		{ "VF_MIGRATION_MODE", 2 },
	};

	for (size_t i = 0; i < ARRAY_LENGTH(settable); i++) {
		if (!streq(settable[i].name, name))
			continue;
		*max = settable[i].max;
		for (int index = 0; index < NV_COUNT; index++) {
			if (streq(nv_name((unsigned int)index), name))
				return index;
		}
	}
	return -1;
}

int hw_addr_parse(const char *text, char ret[static HW_ADDR_TEXT_SIZE])
{
	uint8_t byte[HW_ADDR_LENGTH], nonzero = 0;

	if (hw_addr_read(text, byte) < 0)
		return -EINVAL;
	for (size_t i = 0; i < HW_ADDR_LENGTH; i++)
		nonzero |= byte[i];
	/* Bit 0 of the first byte marks a group address. */
	if (!nonzero || byte[0] & 1)
		return -EINVAL;
	snprintf(ret, HW_ADDR_TEXT_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", byte[0], byte[1],
		 byte[2], byte[3], byte[4], byte[5]);
	return 0;
}

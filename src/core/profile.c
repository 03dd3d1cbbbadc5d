// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/profile.h"

#include "base/cleanup.h"
#include "base/str.h"

static const struct profile_adapter nvidia_doca_2_9_adapters[] = {
	{ 0x1021, "ConnectX-7", { { 28, 41, 1000 } } },
	{ 0xa2dc, "BlueField-3", { { 32, 41, 1000 } } },
};

static const struct mlx5lm_profile profiles[] = {
	{
		.name = "nvidia-doca-2.9",
		.source = "NVIDIA, SR-IOV Live Migration, DOCA 2.9",
		.adapters = nvidia_doca_2_9_adapters,
		.num_adapters = ARRAY_LENGTH(nvidia_doca_2_9_adapters),
		.kernel_min = { { 6, 7, 0 } },
		.libvirt_min = { { 8, 6, 0 } },
		.qemu_min = { { 8, 1, 0 } },
	},
};

/* PFs whose VFs have the id 101e (Linux, drivers/net/ethernet/mellanox/mlx5/core/main.c). */
static const struct {
	uint16_t device_id;
	const char *model;
} models[] = {
	{ 0x101d, "ConnectX-6 Dx" }, { 0x101f, "ConnectX-6 Lx" }, { 0x1021, "ConnectX-7" },
	{ 0x1023, "ConnectX-8" },    { 0x1025, "ConnectX-9" },	  { 0x1027, "ConnectX-10" },
	{ 0xa2d6, "BlueField-2" },   { 0xa2dc, "BlueField-3" },	  { 0xa2df, "BlueField-4" },
};

const struct mlx5lm_profile *profile_find(const char *name)
{
	if (!name)
		return &profiles[0];
	for (size_t i = 0; i < ARRAY_LENGTH(profiles); i++) {
		if (streq(profiles[i].name, name))
			return &profiles[i];
	}
	return NULL;
}

const struct profile_adapter *profile_find_adapter(const struct mlx5lm_profile *profile,
						   uint64_t device_id)
{
	for (size_t i = 0; i < profile->num_adapters; i++) {
		if (profile->adapters[i].device_id == device_id)
			return &profile->adapters[i];
	}
	return NULL;
}

const char *adapter_model(uint64_t device_id)
{
	for (size_t i = 0; i < ARRAY_LENGTH(models); i++) {
		if (models[i].device_id == device_id)
			return models[i].model;
	}
	return NULL;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/profile.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"

static const struct profile_adapter nvidia_doca_2_9_adapters[] = {
	{ 0x1021, "ConnectX-7", { { 28, 41, 1000 } } },
	{ 0xa2dc, "BlueField-3", { { 32, 41, 1000 } } },
};

static const struct profile_adapter rhel_10_adapters[] = {
	{ 0x1021, "ConnectX-7", { { 28, 36, 1010 } } },
};

/* Red Hat supports the driver of its own kernel only. */
static const struct profile_severity rhel_10_severities[] = {
	{ "module.out_of_tree", MLX5LM_STATUS_FAIL },
};

/* The newest of each family first; the first of all is the default. */
static const struct mlx5lm_profile profiles[] = {
	{
		.name = "nvidia-doca-2.9",
		.source = "NVIDIA, SR-IOV Live Migration, DOCA 2.9",
		.adapters = nvidia_doca_2_9_adapters,
		.num_adapters = ARRAY_LENGTH(nvidia_doca_2_9_adapters),
		.kernel_min = { { 6, 7, 0 } },
		.libvirt_min = { { 8, 6, 0 } },
		.qemu_min = { { 8, 1, 0 } },
		.iproute2_min = { { 6, 2, 0 } },
		.guest_viommu = true,
	},
	{
		.name = "rhel-10",
		.source = "Red Hat, Live migrating a VM with an attached Mellanox virtual "
			  "function, RHEL 10",
		.adapters = rhel_10_adapters,
		.num_adapters = ARRAY_LENGTH(rhel_10_adapters),
		.max_migrating_vfs_per_pf = 4,
		.severities = rhel_10_severities,
		.num_severities = ARRAY_LENGTH(rhel_10_severities),
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

/* Is known "nvidia-doca-2.9" and name that or "nvidia-doca"? */
static bool has_name(const char *known, const char *name)
{
	const char *version = strrchr(known, '-');

	return streq(known, name) || (strlen(name) == (size_t)(version - known) &&
				      strncmp(known, name, strlen(name)) == 0);
}

const struct mlx5lm_profile *profile_find(const char *name)
{
	if (!name)
		return &profiles[0];
	for (size_t i = 0; i < ARRAY_LENGTH(profiles); i++) {
		if (has_name(profiles[i].name, name))
			return &profiles[i];
	}
	return NULL;
}

const char *profile_known_name(size_t index)
{
	return index < ARRAY_LENGTH(profiles) ? profiles[index].name : NULL;
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

enum mlx5lm_status profile_severity(const struct mlx5lm_profile *profile, const char *id,
				    enum mlx5lm_status status)
{
	if (status == MLX5LM_STATUS_PASS)
		return status;
	for (size_t i = 0; i < profile->num_severities; i++) {
		enum mlx5lm_status wanted = profile->severities[i].status;

		if (!streq(profile->severities[i].id, id))
			continue;
		/* What is not known is no failure, but may be of no interest. */
		if (status == MLX5LM_STATUS_UNKNOWN && wanted != MLX5LM_STATUS_INFO)
			return status;
		return wanted;
	}
	return status;
}

int profile_copy(const struct mlx5lm_profile *profile, struct mlx5lm_profile **ret)
{
	_cleanup_profile_ struct mlx5lm_profile *copy = calloc(1, sizeof(*copy));
	struct profile_adapter *adapters = calloc(profile->num_adapters + 1, sizeof(*adapters));
	struct profile_severity *severities =
		calloc(profile->num_severities + 1, sizeof(*severities));

	if (!copy || !adapters || !severities) {
		free(adapters);
		free(severities);
		return -ENOMEM;
	}
	*copy = *profile;
	copy->adapters = adapters;
	copy->severities = severities;
	copy->name = strdup(profile->name);
	copy->source = profile->source ? strdup(profile->source) : NULL;
	for (size_t i = 0; i < profile->num_adapters; i++) {
		adapters[i] = profile->adapters[i];
		adapters[i].model = strdup(profile->adapters[i].model);
	}
	for (size_t i = 0; i < profile->num_severities; i++) {
		severities[i] = profile->severities[i];
		severities[i].id = strdup(profile->severities[i].id);
	}
	if (!copy->name || (profile->source && !copy->source))
		return -ENOMEM;
	for (size_t i = 0; i < copy->num_adapters; i++) {
		if (!copy->adapters[i].model)
			return -ENOMEM;
	}
	for (size_t i = 0; i < copy->num_severities; i++) {
		if (!copy->severities[i].id)
			return -ENOMEM;
	}
	*ret = TAKE(copy);
	return 0;
}

void profile_release(struct mlx5lm_profile *profile)
{
	for (size_t i = 0; i < profile->num_adapters; i++)
		free((char *)profile->adapters[i].model);
	for (size_t i = 0; i < profile->num_severities; i++)
		free((char *)profile->severities[i].id);
	free((struct profile_adapter *)profile->adapters);
	free((struct profile_severity *)profile->severities);
	free((char *)profile->source);
	free((char *)profile->name);
	*profile = (struct mlx5lm_profile){ 0 };
}

void profile_free(struct mlx5lm_profile *profile)
{
	if (!profile)
		return;
	profile_release(profile);
	free(profile);
}

const char *adapter_model(uint64_t device_id)
{
	for (size_t i = 0; i < ARRAY_LENGTH(models); i++) {
		if (models[i].device_id == device_id)
			return models[i].model;
	}
	return NULL;
}

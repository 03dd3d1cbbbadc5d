/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_PROFILE_H
#define CORE_PROFILE_H

#include <mlx5lm/check.h>
#include <stdint.h>

#include "core/version_rule.h"

/* What an adapter of the profile needs. */
struct profile_adapter {
	uint16_t device_id; /* of the PF: VFs of all generations share 101e */
	const char *model;
	struct version firmware_min;
};

struct mlx5lm_profile {
	const char *name;
	const char *source; /* the document the numbers are from */
	const struct profile_adapter *adapters;
	size_t num_adapters;
	struct version kernel_min;
	struct version libvirt_min;
	struct version qemu_min;
};

/* NULL name: the default one. NULL if there is none of that name. */
const struct mlx5lm_profile *profile_find(const char *name);
const struct profile_adapter *profile_find_adapter(const struct mlx5lm_profile *profile,
						   uint64_t device_id);

/* Model name of any PF whose VFs mlx5_vfio_pci can drive; NULL for others. */
const char *adapter_model(uint64_t device_id);

#endif

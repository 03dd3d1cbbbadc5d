/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_PROFILE_H
#define CORE_PROFILE_H

#include <mlx5lm/check.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "core/version_rule.h"

/* What an adapter of the profile needs. */
struct profile_adapter {
	uint16_t device_id; /* of the PF: VFs of all generations share 101e */
	const char *model;
	struct version firmware_min;
};

/* How a finding that is in the way is to be taken. */
struct profile_severity {
	const char *id;
	enum mlx5lm_status status; /* INFO, WARN or FAIL */
};

/*
 * Requirements as data. A minimum of 0.0.0 is none. The library's own profiles are constants;
 * all others own what they point to, and profile_release() is for these only.
 */
struct mlx5lm_profile {
	const char *name;
	const char *source; /* the document the numbers are from */
	const struct profile_adapter *adapters;
	size_t num_adapters;
	struct version kernel_min;
	struct version libvirt_min;
	struct version qemu_min;
	struct version iproute2_min;
	uint32_t max_migrating_vfs_per_pf; /* 0: no limit */
	bool guest_viommu;		   /* guests may have a vIOMMU */
	const struct profile_severity *severities;
	size_t num_severities;
};

/* NULL name: the default one; without its version: the newest. NULL if there is none. */
const struct mlx5lm_profile *profile_find(const char *name);
const char *profile_known_name(size_t index);

const struct profile_adapter *profile_find_adapter(const struct mlx5lm_profile *profile,
						   uint64_t device_id);
/* How the profile takes a finding of this status. */
enum mlx5lm_status profile_severity(const struct mlx5lm_profile *profile, const char *id,
				    enum mlx5lm_status status);

int profile_copy(const struct mlx5lm_profile *profile, struct mlx5lm_profile **ret);
void profile_release(struct mlx5lm_profile *profile);
void profile_free(struct mlx5lm_profile *profile);
DEFINE_CLEANUP(struct mlx5lm_profile *, profile_free)
#define _cleanup_profile_ _cleanup_(profile_free_p)

/* Model name of any PF whose VFs mlx5_vfio_pci can drive; NULL for others. */
const char *adapter_model(uint64_t device_id);

#endif

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/check_ids.h"

const char *const check_ids[] = {
	/* the host */
	"kernel.version",
	"module.mlx5_core",
	"module.vfio",
	"module.vfio_pci",
	"module.mlx5_vfio_pci",
	"module.vfio_backend",
	"module.out_of_tree",
	"kernel.modules_disabled",
	"kernel.lockdown",
	"iommu.active",
	"vfio.noiommu",
	"vfio.unsafe_interrupts",
	"vfio.ids",
	"kernel.migratable_disable",
	"kernel.chunk_mode",
	"kernel.vfio_mlx5_fixes",
	"libvirt.connection",
	"libvirt.version",
	"libvirt.migration",
	"qemu.version",
	"iproute2.version",
	"profile.limits",
	"privileges",
	"adapter.present",
	/* a PF */
	"adapter.model",
	"adapter.link_type",
	"pf.driver",
	"firmware.psid",
	"firmware.version",
	"firmware.pending",
	"nv.config",
	"nv.sriov_en",
	"nv.num_of_vfs",
	"nv.vf_migration_mode",
	"nv.link_type",
	"sriov.total_vfs",
	"eswitch.manager",
	"eswitch.mode",
	"pf.migratable",
	"kernel.precopy_required",
	"vf.ready",
	"vf.msix_differs",
	/* a VF */
	"vf.unfit",
	"vf.bad_bind",
	"vf.iommu_group",
	"vf.migration",
	"vf.dirty_tracking",
	"vf.in_use",
};

const size_t num_check_ids = ARRAY_LENGTH(check_ids);

bool check_id_is_known(const char *id)
{
	for (size_t i = 0; i < num_check_ids; i++) {
		if (streq(check_ids[i], id))
			return true;
	}
	return false;
}

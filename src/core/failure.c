// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/failure.h"

#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"

/* The first that fits counts: narrow words before wide ones. */
static const struct {
	const char *words;
	const char *remedy;
} hints[] = {
	/* QEMU 10.0 and 11.1 spell the beginning of this differently. */
	{ "migration is not supported in kernel",
	  "the VF of the source must be migratable and bound to mlx5_vfio_pci when the domain "
	  "starts: mlx5lm-probe shows both" },
	{ "doesn't support device and IOMMU dirty tracking",
	  "the kernel of the source needs CONFIG_IOMMUFD_DRIVER (dirty page logging of VFIO)" },
	{ "not supported with vIOMMU", "remove <iommu> from the domain" },
	{ "not supported with postcopy", "start the migration without post-copy" },
	{ "support P2P migration", "give the domain VFs that all support P2P migration" },
	{ "load of migration failed",
	  "look at the destination's kernel log (dmesg | grep mlx5): firmware refuses the state "
	  "of a VF of another PSID or version" },
	{ "migrate guest to the same host",
	  "both daemons have the same host UUID: set host_uuid in libvirtd.conf of one" },
	{ "must be manually detached from the host",
	  "bind the destination's VF to mlx5_vfio_pci, or use managed='yes' in the domain" },
	{ "is in use by driver", "another domain uses the destination's VF: choose another one" },
	{ "already exists with uuid",
	  "the destination has this domain already: virsh list --all shows it" },
	{ "Unsafe migration", "the domain's disks must be on shared storage with cache='none'" },
	{ "unable to connect to server",
	  "the source must reach the destination's migration ports (49152-49215), or set a data "
	  "URI" },
};

const char *failure_remedy(const char *words)
{
	for (size_t i = 0; words && i < ARRAY_LENGTH(hints); i++) {
		if (strstr(words, hints[i].words))
			return hints[i].remedy;
	}
	return NULL;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_IOMMU_GROUPS_H
#define SYS_IOMMU_GROUPS_H

#include "facts.h"
#include "sys/pci.h"

/*
 * Whether VFIO may have the IOMMU groups of all VFs of the host: nothing else in them is in the
 * hands of a driver that does DMA for the host. 0 or -ENOMEM.
 */
int iommu_groups_probe(const struct pci_bus *bus, struct mlx5lm_host *host);

#endif

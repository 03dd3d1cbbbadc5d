/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_PROBE_VFIO_H
#define SYS_PROBE_VFIO_H

#include "facts.h"
#include "sys/pci.h"

/*
 * What VFIO tells of the VFs that are bound to its drivers: device, who has it open, migration
 * as debugfs shows it. With open_vfs, where debugfs did not tell all, the VFs themselves are asked
 * on threads until until_ms. Asking resets a VF, so that only those are asked of which it is
 * known that nobody uses them. -ENOMEM is the only failure.
 */
int probe_vfio(const struct pci_bus *bus, bool open_vfs, uint64_t until_ms,
	       struct mlx5lm_host *host);

#endif

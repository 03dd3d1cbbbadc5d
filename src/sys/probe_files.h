/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_PROBE_FILES_H
#define SYS_PROBE_FILES_H

#include "facts.h"
#include "sys/pci.h"

/*
 * The facts of a PF and its VFs in files that may wait: for the lock of a device that somebody
 * changes, for that of all network devices, for a function that is being reset, for firmware.
 * They are read on threads. The first function starts that, the second, which comes in any case,
 * adds to the PF what was read until until_ms. -ENOMEM is the only failure.
 */
struct file_jobs;

int probe_files_start(const struct pci_bus *bus, const struct mlx5lm_pf *pf, uint64_t until_ms,
		      struct file_jobs **ret);
int probe_files_finish(struct file_jobs *jobs, struct mlx5lm_pf *pf, struct mlx5lm_host *host);

#endif

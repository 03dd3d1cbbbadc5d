/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_PROBE_DEVLINK_H
#define SYS_PROBE_DEVLINK_H

#include "facts.h"

/*
 * Adds what devlink knows of a PF and its VFs, which have been read before. Waits no longer
 * than a few seconds for it. -ENOMEM is the only failure.
 */
int probe_devlink(struct mlx5lm_pf *pf, struct mlx5lm_host *host);

#endif

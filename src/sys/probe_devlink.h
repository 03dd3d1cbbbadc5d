/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_PROBE_DEVLINK_H
#define SYS_PROBE_DEVLINK_H

#include "facts.h"
#include "sys/root.h"

/*
 * What devlink knows of a PF and its VFs. It is asked on a thread, for it may wait for somebody
 * who reconfigures the PF; the first function starts that, the second, which comes in any case,
 * adds to the PF what is known until until_ms. -ENOMEM is the only failure.
 */
struct devlink_questions;

int probe_devlink_start(const struct root *root, const struct mlx5lm_pf *pf, uint64_t until_ms,
			struct devlink_questions **ret);
int probe_devlink_finish(struct devlink_questions *asked, struct mlx5lm_pf *pf,
			 struct mlx5lm_host *host);

#endif

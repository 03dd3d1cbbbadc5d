/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef API_HOST_NV_H
#define API_HOST_NV_H

#include "facts.h"
#include "sys/root.h"

/*
 * Completes a snapshot by the NV configuration of each PF: from the devlink parameters that are
 * in there already, and from mstconfig or mlxconfig if tools is true, one of them is installed
 * and the root is this machine's. What is missing becomes a note. 0 or -ENOMEM.
 */
int host_add_nv(struct mlx5lm_host *host, const struct root *root, bool tools, uint64_t until_ms);

#endif

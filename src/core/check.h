/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_CHECK_H
#define CORE_CHECK_H

#include "core/findings.h"
#include "core/profile.h"
#include "facts.h"

/*
 * Holds a host against a profile. scope: NULL or "host", or the BDF of a PF or a VF. 0, -ENOMEM,
 * or -ENOENT if the host has no such function.
 */
int check_host(const struct mlx5lm_host *host, const struct mlx5lm_profile *profile,
	       const char *scope, struct mlx5lm_findings *findings);

#endif

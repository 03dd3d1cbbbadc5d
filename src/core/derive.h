/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_DERIVE_H
#define CORE_DERIVE_H

#include "facts.h"

/*
 * Fills in the facts of a snapshot that follow from its other facts: the adapters' model and
 * link type, the kernel's version as a number, how each VF is bound, whether NV configuration
 * is pending. What a document of another host says of them counts for nothing. 0 or -ENOMEM.
 */
int host_derive(struct mlx5lm_host *host);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_MEMORY_H
#define SYS_MEMORY_H

#include <stddef.h>

#include "facts.h"
#include "sys/root.h"

/* Memory, huge pages and the limit on locked memory. -ENOMEM is the only failure. */
int memory_probe(const struct root *root, struct mlx5lm_host *host);

/* A limit as the kernel gives it; none is the largest number. */
struct fact_u64 memory_limit(uint64_t limit_bytes);

#endif

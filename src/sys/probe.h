/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_PROBE_H
#define SYS_PROBE_H

#include "base/log.h"
#include "facts.h"
#include "sys/root.h"

/* All facts of the host but those of libvirt. What cannot be read becomes a note. */
int probe_host(const struct root *root, const struct log *log, struct mlx5lm_host **ret,
	       struct mlx5lm_error **reterr);

/* The same with this one PF only, for a look before and after a change. -ENOENT without it. */
int probe_pf(const struct root *root, const struct log *log, const char *pf_bdf,
	     struct mlx5lm_host **ret, struct mlx5lm_error **reterr);

#endif

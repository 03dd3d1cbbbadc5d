/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_PROBE_H
#define SYS_PROBE_H

#include "base/log.h"
#include "facts.h"
#include "sys/root.h"

struct probe_options {
	uint64_t until_ms; /* of base/clock.h: what is not known by then stays unknown */
	bool open_vfs;	   /* ask VFIO about VFs that nobody uses; this resets them */
};

/* All facts of the host but those of libvirt. What cannot be read becomes a note. */
int probe_host(const struct root *root, const struct log *log, const struct probe_options *options,
	       struct mlx5lm_host **ret, struct mlx5lm_error **reterr);

/*
 * The same with this one PF only, for a look before and after a change: opens no VF and takes
 * no longer than some seconds. -ENOENT without the PF.
 */
int probe_pf(const struct root *root, const struct log *log, const char *pf_bdf,
	     struct mlx5lm_host **ret, struct mlx5lm_error **reterr);

#endif

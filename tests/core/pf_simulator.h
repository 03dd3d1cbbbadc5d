/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PF_SIMULATOR_H
#define PF_SIMULATOR_H

#include "core/config.h"
#include "facts.h"

#define SIM_MAX_VFS 4
#define SIM_NUM_ATTRS (MLX5LM_PORT_ATTR_IPSEC_PACKET + 1)

/* "" is none. */
struct sim_vf {
	char driver[16];
	char override[16];
	char hw_addr[18];
	bool attr[SIM_NUM_ATTRS];
	uint64_t max_io_eqs;
	uint64_t msix_count;
	bool representor_up;
};

/* A PF with the rules of the kernel, as far as steps meet them; can be copied. */
struct simulator {
	bool switchdev;
	bool autoprobe;
	bool variant_loaded;
	uint64_t num_vfs;
	struct sim_vf vfs[SIM_MAX_VFS];
	bool recreated; /* since it was set to false */
};

/* A snapshot with what can be seen of it. Aborts when out of memory. */
struct mlx5lm_host *sim_probe(const struct simulator *sim);

/* Does a step. 0, or -errno as the kernel, with nothing changed. */
int sim_run(struct simulator *sim, const struct mlx5lm_step *step);

/* A new VF as the kernel and firmware make it. */
void sim_create_vf(const struct simulator *sim, struct sim_vf *vf);

#endif

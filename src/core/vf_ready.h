/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_VF_READY_H
#define CORE_VF_READY_H

#include "facts.h"

#define VARIANT_DRIVER "mlx5_vfio_pci"

enum vf_role {
	VF_SOURCE,	/* gives its state away; a domain may hold it */
	VF_DESTINATION, /* takes a state over; nobody may hold it */
};

/* Why a VF cannot play a role now, with what mends it. */
struct vf_unfit {
	const char *id; /* of the finding that says so */
	char *reason;	/* NULL: it can */
	char *remedy;
	bool unknown; /* the reason is that a fact is not known */
	bool busy;    /* the reason is that somebody uses it */
};

/* 0 or -ENOMEM. The first reason found counts. */
int vf_check_role(const struct mlx5lm_pf *pf, const struct mlx5lm_vf *vf, enum vf_role role,
		  struct vf_unfit *ret);
/* The points it consists of, in its order; *ret is zeroed before. */
int vf_check_migratable(const struct mlx5lm_pf *pf, const struct mlx5lm_vf *vf,
			struct vf_unfit *ret);
int vf_check_bind(const struct mlx5lm_vf *vf, struct vf_unfit *ret);
int vf_check_iommu(const struct mlx5lm_vf *vf, struct vf_unfit *ret);
void vf_unfit_release(struct vf_unfit *unfit);
#define _cleanup_vf_unfit_ _cleanup_(vf_unfit_release)

/* How it is bound, by its other facts: enum mlx5lm_bind_state. */
uint32_t vf_bind_state(const struct mlx5lm_vf *vf);

/* Finds a VF of a host by its BDF, however it is written. */
const struct mlx5lm_vf *host_find_vf(const struct mlx5lm_host *host, const char *bdf,
				     const struct mlx5lm_pf **ret_pf);

#endif

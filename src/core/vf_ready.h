/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_VF_READY_H
#define CORE_VF_READY_H

#include "facts.h"

#define VARIANT_DRIVER "mlx5_vfio_pci"

enum vf_role {
	VF_SOURCE,	/* gives its state away; a domain may hold it */
	VF_DESTINATION, /* takes a state over; nobody may hold it */
};

/* The first point that keeps a VF from playing a role now. */
enum vf_objection {
	VF_NO_OBJECTION,
	VF_MIGRATABLE_DISABLED,
	VF_MIGRATABLE_UNSUPPORTED,
	VF_MIGRATABLE_UNKNOWN,
	VF_ESWITCH_LEGACY, /* has no port functions, so that migratable is not to be seen */
	VF_UNBOUND,
	VF_WRONG_DRIVER,
	VF_NEEDS_REBIND,
	VF_NO_MIGRATION,
	VF_NO_IOMMU_GROUP,
	VF_GROUP_NOT_VIABLE,
	VF_USED_BY_DOMAIN,
	VF_USED_BY_PROCESS,
};

enum vf_objection vf_find_objection(const struct mlx5lm_pf *pf, const struct mlx5lm_vf *vf,
				    enum vf_role role);

/* Why a VF cannot play a role now, with what mends it. */
struct vf_unfit {
	const char *id; /* of the finding that says so */
	char *reason;	/* NULL: it can */
	char *remedy;
	bool unknown; /* the reason is that a fact is not known */
	bool busy;    /* the reason is that somebody uses it */
};

/* The same as vf_find_objection(), in words. 0 or -ENOMEM. */
int vf_check_role(const struct mlx5lm_pf *pf, const struct mlx5lm_vf *vf, enum vf_role role,
		  struct vf_unfit *ret);
/* The points it consists of, in its order; *ret is zeroed before. */
int vf_check_migratable(const struct mlx5lm_pf *pf, const struct mlx5lm_vf *vf,
			struct vf_unfit *ret);
int vf_check_bind(const struct mlx5lm_vf *vf, struct vf_unfit *ret);
int vf_check_iommu(const struct mlx5lm_vf *vf, struct vf_unfit *ret);
void vf_unfit_release(struct vf_unfit *unfit);
#define _cleanup_vf_unfit_ _cleanup_(vf_unfit_release)

/*
 * Can a plan make the VF ready to take a state over? Only if nobody uses it, and if firmware and
 * IOMMU do not stand in the way; or it is ready already.
 */
bool vf_is_makeable(const struct mlx5lm_pf *pf, const struct mlx5lm_vf *vf);
/* The command that does; NULL when out of memory. The PF's BDF must be one. */
char *vf_make_command(const struct mlx5lm_pf *pf, const struct mlx5lm_vf *vf);

/* By a domain, or by a process that has it open. */
bool vf_is_used(const struct mlx5lm_vf *vf);

/* How it is bound, by its other facts: enum mlx5lm_bind_state. */
uint32_t vf_bind_state(const struct mlx5lm_vf *vf);

/* Finds a VF of a host by its BDF, however it is written. */
const struct mlx5lm_vf *host_find_vf(const struct mlx5lm_host *host, const char *bdf,
				     const struct mlx5lm_pf **ret_pf);

#endif

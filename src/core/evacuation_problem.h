/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_EVACUATION_PROBLEM_H
#define CORE_EVACUATION_PROBLEM_H

#include "core/evacuation.h"

/*
 * What there is to solve, in numbers: how many VFs of which PF and class each domain takes along,
 * and how many the hosts have free. Classes and source PFs are counted anew, only those that
 * matter.
 */

#define NONE UINT32_MAX	     /* no host, no wave */
#define UNLIMITED UINT32_MAX /* more than there can be */

enum stay_reason {
	STAY_GOES = 0,
	STAY_VF_UNKNOWN,    /* the snapshot does not have all of its VFs as they should be */
	STAY_NOT_READY,	    /* a VF cannot give its state away */
	STAY_CLASS_UNKNOWN, /* nobody knows who could take a VF over */
	STAY_DOWNTIME,	    /* alone it would stand still for too long */
	STAY_NO_CLASS,	    /* no other host has PFs of all classes it needs */
	STAY_NO_ROOM,	    /* none of those has enough free VFs, even if nobody else goes there */
	STAY_FULL,	    /* others get them */
};

/* A domain of the host that gets empty. */
struct evacuee {
	const char *name;
	uint32_t domain; /* as fleet_vf.domain counts */
	uint32_t num_vfs;
	enum stay_reason stays;
	uint32_t culprit_pf, culprit_vf; /* NOT_READY, CLASS_UNKNOWN: places in the host */
	const uint32_t *out;		 /* VFs it has of each source PF */
	const uint32_t *need;		 /* VFs it needs of each class */
};

/* Of a host that could take domains in: a PF of a class that is needed. */
struct shelter_pf {
	uint32_t cls;
	uint32_t pf; /* place in the host's */
	uint32_t free;
};

struct shelter {
	const struct fleet_host *host;
	uint32_t first_pf, num_pfs; /* places in the problem's; by class, most free ones first */
	uint32_t type;		    /* those of one type have the same numbers; neighbours */
	uint64_t num_free;
};

struct evacuation_problem {
	const struct mlx5lm_fleet *fleet;
	const struct fleet_host *source;
	uint32_t max_vfs_per_pf, max_vfs_per_wave;
	struct evacuee *evacuees; /* those that could go first, the largest first */
	uint32_t num_evacuees;
	uint32_t num_goers;
	uint32_t num_pfs; /* of the source, with VFs that domains have */
	uint32_t *local_pfs; /* place in the source's -> number here, or NONE */
	uint32_t num_classes;
	uint32_t *class_of_pf;	/* [number of source PF] */
	uint32_t *pfs_of_class; /* how many source PFs are of it */
	uint32_t *out, *need;	/* the rows of all evacuees */
	struct shelter_pf *shelter_pfs;
	size_t num_shelter_pfs, allocated_shelter_pfs;
	struct shelter *all; /* with PFs of a class that is needed, free or not; by name */
	size_t num_all, allocated_all;
	struct shelter *shelters; /* those worth looking at, the most free VFs first */
	uint32_t num_shelters;
	bool complete; /* no other host could make a plan better */
};

/* 0 or -ENOMEM. */
int problem_make(const struct mlx5lm_fleet *fleet, size_t source,
		 const struct mlx5lm_evacuation_options *options,
		 struct evacuation_problem *problem);
void problem_release(struct evacuation_problem *problem);
#define _cleanup_problem_ _cleanup_(problem_release)

/* In evacuation_shelters.c: who could take whom in; which of them are worth it. 0 or -ENOMEM. */
int problem_find_shelters(struct evacuation_problem *problem, const bool *excluded);
int problem_choose_shelters(struct evacuation_problem *problem);

/* VFs of a class that are free on a host, counting at most so many of each PF. */
uint64_t shelter_reach(const struct evacuation_problem *problem, const struct shelter *shelter,
		       uint32_t cls, uint64_t max_vfs_per_pf);
/* Whether an evacuee finds room there if it is the only one. */
bool shelter_suits(const struct evacuation_problem *problem, const struct shelter *shelter,
		   const struct evacuee *evacuee);

/* How long num_vfs VFs that share the network keep guests standing still; rounded up. */
uint64_t evacuation_downtime_ms(const struct mlx5lm_evacuation_options *options, uint64_t num_vfs);

#endif

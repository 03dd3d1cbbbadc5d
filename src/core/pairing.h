/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_PAIRING_H
#define CORE_PAIRING_H

#include <mlx5lm/compare.h>

#include "core/domain_xml.h"
#include "core/vf_ready.h"
#include "facts.h"

/* Which VF of the destination takes over which VF of the source. */

/* What a caller wants of it. */
struct pairing_wishes {
	struct vf_mappings wanted; /* chosen by the caller */
	struct strv excluded;	   /* BDFs of the destination, as bdf_format() writes them */
	char *destination_pf;	   /* BDF; NULL: any */
	enum mlx5lm_numa_policy numa_policy; /* 0 is PREFER */
	bool makeable;
};

void pairing_wishes_release(struct pairing_wishes *wishes);

struct mlx5lm_pair {
	char source[BDF_TEXT_SIZE];
	char destination[BDF_TEXT_SIZE];
	char source_pf[BDF_TEXT_SIZE];
	char destination_pf[BDF_TEXT_SIZE];
	bool ready;
	char *remedy; /* NULL if ready */
	/* borrowed from the snapshots while they are compared */
	const struct mlx5lm_vf *source_vf, *destination_vf;
};

/* Why a VF of the source has no counterpart. */
enum unpaired_reason {
	UNPAIRED_NOT_A_VF = 1,	  /* the source's snapshot has no such mlx5 VF */
	UNPAIRED_SOURCE_UNFIT,	  /* it is not ready to be migrated itself */
	UNPAIRED_NO_PF,		  /* no PF of the destination matches: pf_rules */
	UNPAIRED_NO_VF,		  /* none is left behind a matching PF that is free and ready */
	UNPAIRED_WANTED_MISSING,  /* the destination's snapshot has not the VF that is wanted */
	UNPAIRED_WANTED_UNFIT,	  /* it has it, but it cannot take part */
	UNPAIRED_CONSTRAINT,	  /* there are some, but exclusion, PF or NUMA node forbid them */
	UNPAIRED_NOT_OF_DOMAIN,	  /* the caller wants it somewhere, but the domain has not got it */
};

struct unpaired {
	char source[BDF_TEXT_SIZE];
	const struct mlx5lm_pf *source_pf; /* NULL if NOT_A_VF */
	enum unpaired_reason reason;
	/* NO_PF: the PF that differs least, or that of the wanted VF; NULL if there is none */
	const struct mlx5lm_pf *nearest;
	bool busy;    /* WANTED_UNFIT: somebody uses it */
	bool unknown; /* for all that is known it might have one */
	bool in_use;  /* a domain has the source VF */
	char *text;   /* one line for people that does not name the source VF */
	char *remedy;
};

struct pairing {
	struct mlx5lm_pair *pairs; /* in the order of the source VFs */
	size_t num_pairs;
	size_t allocated_pairs;
	struct unpaired *unpaired;
	size_t num_unpaired;
	size_t allocated_unpaired;
	size_t num_source_vfs; /* that can give their state away, and so were to be placed */
};

/*
 * Places the VFs of a domain, or without one each VF of the source that is ready. What the caller
 * wants comes first, but must not break its own constraints. The others get a largest matching: a
 * VF has no counterpart only if no choice for the others would give it one. Of these it is one with
 * as few makeable VFs as can be. Then each VF in its turn gets the best that leaves these two
 * numbers as they are: a ready one before a makeable one; one with as many MSI-X vectors; one on its NUMA node (PREFER); one behind
 * the PF to which others of its PF go, else behind one to which none of another PF go (they may be
 * each other's reserve); the same index; the first. NUMA nodes of which neither is known are the
 * same. unpaired is in the order of the source VFs, too. 0 or -ENOMEM.
 */
int pairing_make(const struct mlx5lm_host *source, const struct mlx5lm_host *destination,
		 const struct domain_xml *domain, const struct pairing_wishes *wishes,
		 struct pairing *ret);
/*
 * The pairs as domain_xml_map() takes them, with what the destination's libvirt needs of the
 * driver; domain: the one that they were made for. 0 or -ENOMEM.
 */
int pairing_get_mappings(const struct pairing *pairing, const struct domain_xml *domain,
			 const struct mlx5lm_host *destination, struct vf_mappings *ret);
void pairing_release(struct pairing *pairing);
#define _cleanup_pairing_ _cleanup_(pairing_release)

#endif

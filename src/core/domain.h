/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_DOMAIN_H
#define CORE_DOMAIN_H

#include <mlx5lm/domain.h>

#include "core/domain_xml.h"
#include "core/findings.h"
#include "facts.h"

/* A domain, as its XML and libvirt tell of it; and what stands in the way of its migration. */

struct mlx5lm_domain {
	char *xml;
	struct domain_xml parsed;
	uint32_t cpu;	/* enum mlx5lm_answer, of the destination that was asked */
	char *cpu_uri;	/* who was asked */
	char *cpu_note; /* what it said, or why nobody needed to be asked */
};

/* xml need not end with a NUL. */
int domain_new(const char *xml, size_t length, struct mlx5lm_domain **ret,
	       struct mlx5lm_error **reterr);
/* NULL when out of memory. */
struct mlx5lm_domain *domain_copy(const struct mlx5lm_domain *domain);

DEFINE_CLEANUP(struct mlx5lm_domain *, mlx5lm_domain_free)
#define _cleanup_mlx5lm_domain_ _cleanup_(mlx5lm_domain_free_p)

/* Does its <cpu> name a model that another host can be asked about? */
bool domain_names_cpu(const struct mlx5lm_domain *domain);

/*
 * Keeps what is known without asking, of a domain that names no model: YES if any host of its
 * architecture will do, UNKNOWN if it takes what CPU the host has. 0 or -ENOMEM.
 */
int domain_set_unnamed_cpu(struct mlx5lm_domain *domain);

/*
 * Findings "domain.*"; what is as it should be makes none but domain.vfs (PASS or FAIL). The
 * snapshots may be NULL. 0 or -ENOMEM.
 */
int domain_check(const struct mlx5lm_domain *domain, const struct mlx5lm_host *source,
		 const struct mlx5lm_host *destination, uint64_t migrate_flags,
		 struct mlx5lm_findings *findings);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_PREFLIGHT_H
#define CORE_PREFLIGHT_H

#include "core/domain.h"
#include "core/findings.h"
#include "core/pairing.h"
#include "facts_libvirt.h"

/*
 * Decides by which free, ready VF of the destination each VF of the domain is taken over: as
 * wanted, else as pairing_make() pairs them. The error names the VF that is unfit, or the point in
 * which the hosts differ.
 */
int preflight_map_vfs(const struct mlx5lm_host *source, const struct mlx5lm_host *destination,
		      const struct domain_xml *domain, const struct pairing_wishes *wishes,
		      struct vf_mappings *ret, struct mlx5lm_error **reterr);

/* An error for the first finding that blocks, and the reason that it is. -EOPNOTSUPP. */
int preflight_refuse(const struct mlx5lm_findings *findings, enum mlx5lm_reason *ret_reason,
		     struct mlx5lm_error **reterr);

/* What stands in the way of a domain without VFs. 0 or -ENOMEM. */
int preflight_check_plain(const struct mlx5lm_domain *domain, uint64_t migrate_flags,
			  struct mlx5lm_findings *findings);

/*
 * The same question to the daemons as they are now, because snapshots age: is it another host,
 * is the domain not there already, does nobody hold the VFs?
 */
int preflight_check_daemons(const struct libvirt_facts *source,
			    const struct libvirt_facts *destination,
			    const struct domain_xml *domain, const struct vf_mappings *mappings,
			    struct mlx5lm_error **reterr);

/*
 * What the destination has to be told of the drivers depends on the daemon that runs there now,
 * too; the snapshot's may have been another one, or not known.
 */
void preflight_choose_drivers(const struct mlx5lm_host *destination,
			      const struct libvirt_facts *daemon, const struct domain_xml *domain,
			      struct vf_mappings *mappings);

#endif

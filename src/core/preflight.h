/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_PREFLIGHT_H
#define CORE_PREFLIGHT_H

#include "core/domain_xml.h"
#include "facts_libvirt.h"

/* What goes where. */
struct vf_mappings {
	struct vf_mapping *items;
	size_t length;
	size_t allocated;
};

void vf_mappings_release(struct vf_mappings *mappings);
#define _cleanup_vf_mappings_ _cleanup_(vf_mappings_release)

/* 0 or -ENOMEM. */
int vf_mappings_add(struct vf_mappings *mappings, const char *source, const char *destination);

const struct vf_mapping *vf_mappings_find(const struct vf_mappings *mappings, const char *source);
bool vf_mappings_has_destination(const struct vf_mappings *mappings, const char *destination);

/*
 * Decides by which VF of the destination each VF of the domain is taken over: as wanted, else
 * as the hosts' comparison pairs them, else by any other free, ready VF behind a matching PF.
 * The error names the VF that is unfit, or the point in which the hosts differ.
 */
int preflight_map_vfs(const struct mlx5lm_host *source, const struct mlx5lm_host *destination,
		      const struct domain_xml *domain, const struct vf_mappings *wanted,
		      struct vf_mappings *ret, struct mlx5lm_error **reterr);

/*
 * The same question to the daemons as they are now, because snapshots age: is it another host,
 * is the domain not there already, does nobody hold the VFs?
 */
int preflight_check_daemons(const struct libvirt_facts *source,
			    const struct libvirt_facts *destination,
			    const struct domain_xml *domain, const struct vf_mappings *mappings,
			    struct mlx5lm_error **reterr);

#endif

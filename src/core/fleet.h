/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_FLEET_H
#define CORE_FLEET_H

#include <mlx5lm/fleet.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "core/compare_rules.h"
#include "core/findings.h"
#include "facts.h"

/*
 * Many hosts: of each only what counts is kept, and each text once for all of them. Index of a
 * host: the order in which they were added. A host is a member of a class for each kind of PF it
 * has (fleet_pf.cls).
 */

/* A VF, in 8 bytes. */
struct fleet_vf {
	uint16_t index;	 /* VF index */
	uint8_t devfn;
	uint8_t bus;	 /* with the PF's PCI domain: the BDF */
	uint8_t free;	 /* can take a VF's state over: vf_check_role(VF_DESTINATION) has no objection */
	uint8_t ready;	 /* can give its own away: VF_SOURCE */
	uint16_t domain; /* 1 and up: place in the host's domains; 0: none has it */
};

struct fleet_pf {
	uint32_t cls;	     /* index of its class, in order of appearance */
	uint32_t pci_domain; /* of PF and VFs */
	uint8_t bus;
	uint8_t devfn;
	int16_t numa_node; /* -1: not known */
	uint32_t num_vfs;
	struct fleet_vf *vfs; /* sorted by index */
};

struct fleet_host {
	const char *name;
	uint32_t num_pfs;
	uint32_t num_domains;
	struct fleet_pf *pfs;
	const char **domains; /* names of those that have VFs */
};

int fleet_new(struct mlx5lm_fleet **ret);
void fleet_free(struct mlx5lm_fleet *fleet);

DEFINE_CLEANUP(struct mlx5lm_fleet *, fleet_free)
#define _cleanup_fleet_ _cleanup_(fleet_free_p)

/* name NULL: the hostname. 0, -EINVAL, -EEXIST or -ENOMEM; the fleet is as before if it fails. */
int fleet_add(struct mlx5lm_fleet *fleet, const struct mlx5lm_host *host, const char *name,
	      struct mlx5lm_error **reterr);

/* In order of appearance, as fleet_pf.cls counts; struct mlx5lm_class is the public view. */
const struct fleet_host *fleet_get_host(const struct mlx5lm_fleet *fleet, size_t index);
/* -ENOENT if there is none of that name. */
int fleet_find_host(const struct mlx5lm_fleet *fleet, const char *name, size_t *ret_index);
size_t fleet_num_hosts(const struct mlx5lm_fleet *fleet);
size_t fleet_num_classes(const struct mlx5lm_fleet *fleet);
/* Whether VFs can move among the hosts of a class: nothing that decides is unknown. */
bool fleet_class_is_known(const struct mlx5lm_fleet *fleet, uint32_t cls);

/* The class of this place in the order of size, which is the public one; NULL: there is none. */
const struct mlx5lm_class *fleet_get_class(const struct mlx5lm_fleet *fleet, size_t index);
size_t class_num_hosts(const struct mlx5lm_class *cls);
const char *class_get_host(const struct mlx5lm_class *cls, size_t index);
/* What the PFs of a class have of a rule, by the id of its finding; NULL: it is not known. */
const char *class_get_value(const struct mlx5lm_class *cls, const char *rule_id);
bool class_is_known(const struct mlx5lm_class *cls);
/* -ENODATA if there is none. */
int class_get_nearest(const struct mlx5lm_class *cls, size_t *ret_index);

/* A finding for each difference, as mlx5lm_fleet_join() says. 0, -ENOENT or -ENOMEM. */
int fleet_join(const struct mlx5lm_fleet *fleet, size_t from, size_t to,
	       struct mlx5lm_findings *findings);

/* In core/fleet_text.c. */
int fleet_to_json_text(const struct mlx5lm_fleet *fleet, struct mlx5lm_text **ret);
int fleet_to_plain_text(const struct mlx5lm_fleet *fleet, struct mlx5lm_text **ret);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_COMPARE_INTERNAL_H
#define CORE_COMPARE_INTERNAL_H

#include "core/compare.h"
#include "core/compare_rules.h"

/* What the files of the comparison share. */

/* Ids of its findings that are not those of pf_rules. */
extern const char *const compare_ids[];
extern const size_t num_compare_ids;

/* For the rules: they have findings and the finding at hand. */
#define SIDE(side) finding_point(finding, MLX5LM_FINDING_SIDE, side)
#define REMEDY(...) finding_set(findings, finding, MLX5LM_FINDING_REMEDY, __VA_ARGS__)

/* A finding; what is NULL is unknown. id and message are static. */
struct mlx5lm_finding *compare_point(struct mlx5lm_findings *findings, enum mlx5lm_status status,
				     const char *id, const char *object, const char *source,
				     const char *destination, const char *message);

/* "source", "destination", "both", or NULL: whose fault it is. */
const char *side_of(bool source, bool destination);

/* A number in decimal, behind prefix; returns the end. */
char *put_number(char *at, const char *prefix, uint64_t value);

/* The points of the hosts themselves. domain may be NULL. 0 or -ENOMEM. */
int compare_host_rules(const struct mlx5lm_host *source, const struct mlx5lm_host *destination,
		       const struct mlx5lm_domain *domain, struct mlx5lm_findings *findings);

/* What will change of two PFs with their next restart. */
void compare_pending(const struct mlx5lm_pf *source, const struct mlx5lm_pf *destination,
		     struct mlx5lm_findings *findings);

/* The PF that has a VF of the host. */
const struct mlx5lm_pf *host_pf_of_vf(const struct mlx5lm_host *host, const struct mlx5lm_vf *vf);

/* What differs of the VFs of a pair; nothing if nothing does. */
void compare_pair(const struct mlx5lm_host *source, const struct mlx5lm_host *destination,
		  const struct mlx5lm_pair *pair, struct mlx5lm_findings *findings);

/* A finding about a VF that has no counterpart. blocks: it has to move. */
void compare_unpaired(const struct mlx5lm_host *source, const struct mlx5lm_host *destination,
		      const struct unpaired *unpaired, bool blocks,
		      struct mlx5lm_findings *findings);

#endif

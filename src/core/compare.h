/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_COMPARE_H
#define CORE_COMPARE_H

#include <mlx5lm/compare.h>

#include "base/text.h"
#include "core/domain.h"
#include "core/findings.h"
#include "core/pairing.h"
#include "facts.h"

struct mlx5lm_compare_options {
	struct mlx5lm_domain *domain; /* NULL: none */
	struct pairing_wishes wishes;
	uint64_t migrate_flags;
};

struct mlx5lm_comparison {
	enum mlx5lm_verdict verdict;
	struct mlx5lm_findings findings;
	struct pairing pairing;
	char *source_name; /* hostname, for the text; NULL if not known */
	char *destination_name;
	char *domain_name;
	char *destination_xml; /* NULL: no domain, or not all of its VFs have a pair */
};

/* options may be NULL. 0 or -ENOMEM, or what the domain's XML makes fail (with an error). */
int compare_hosts(const struct mlx5lm_host *source, const struct mlx5lm_host *destination,
		  const struct mlx5lm_compare_options *options,
		  struct mlx5lm_comparison *comparison, struct mlx5lm_error **reterr);
void comparison_release(struct mlx5lm_comparison *comparison);
#define _cleanup_comparison_ _cleanup_(comparison_release)

/* In core/compare_text.c. */
int comparison_to_json_text(const struct mlx5lm_comparison *comparison, struct mlx5lm_text **ret);
int comparison_to_plain_text(const struct mlx5lm_comparison *comparison, struct mlx5lm_text **ret);

extern const char *const verdict_names[];

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_FAILURE_H
#define CORE_FAILURE_H

#include "base/error.h"
#include "core/outcome.h"

/*
 * Why a migration failed, in the caller's terms. libvirt's codes tell little, and the words of
 * libvirt, QEMU and the kernel are no interface and differ between releases: a text that is not
 * known becomes MLX5LM_REASON_OTHER, and the words are kept as they are.
 */

/* Which end says it, or whose connection it is about, if that is known. */
enum failure_side {
	FAILURE_ANY,
	FAILURE_SOURCE,
	FAILURE_DESTINATION,
};

/* By libvirt's code (error->native), the library's code, and the words. UNKNOWN for NULL. */
enum mlx5lm_reason failure_reason(const struct mlx5lm_error *error, enum failure_side side);

/* What helps against it; NULL if nothing is known. */
const char *failure_remedy(enum mlx5lm_reason reason);

/* By where the domain is: SPLIT_BRAIN, OUTCOME_UNKNOWN, or UNKNOWN if that says nothing. */
enum mlx5lm_reason failure_of_outcome(enum domain_state source, enum domain_state destination);

extern const struct name_list reason_names;

#endif

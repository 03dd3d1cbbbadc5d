/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_CHECK_IDS_H
#define CORE_CHECK_IDS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/findings.h"

/*
 * Ids of all findings of mlx5lm_check(), in the order in which they come: doc/findings.md has an
 * entry for each.
 */
extern const char *const check_ids[];
extern const size_t num_check_ids;

bool check_id_is_known(const char *id);

#endif

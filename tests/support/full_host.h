/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SUPPORT_FULL_HOST_H
#define SUPPORT_FULL_HOST_H

#include "facts.h"

/*
 * A snapshot in which every fact of every table is known: num_pfs PFs with num_vfs VFs each,
 * and a note as long as a real one for each VF. Numbers and words differ from object to
 * object, and all addresses and names are such that the snapshot can be read again. Aborts
 * when out of memory.
 */
struct mlx5lm_host *full_host(size_t num_pfs, size_t num_vfs);

#endif

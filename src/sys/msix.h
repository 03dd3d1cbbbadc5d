/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_MSIX_H
#define SYS_MSIX_H

#include <stdint.h>

#include "facts.h"

/*
 * The size of a function's MSI-X table, read from its configuration space (the file "config").
 * *offset is where to look for the capability first, 0 if that is not known, and tells where it
 * was: the VFs of a PF have it in one place. *ret stays unknown without the capability. 0, or
 * -EPERM if only the first 64 bytes can be read, which is all that sysfs gives to users, or -EIO
 * if not even those.
 */
int msix_read_count(int config_fd, uint8_t *offset, struct fact_u64 *ret);

#endif

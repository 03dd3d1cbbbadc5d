/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_HOST_LIBVIRT_H
#define CORE_HOST_LIBVIRT_H

#include "facts_libvirt.h"

/*
 * Puts what libvirt says into a snapshot: URI, versions, host UUID, and which running domain
 * uses which VF. What libvirt did not tell becomes a note. 0 or -ENOMEM.
 */
int host_add_libvirt(struct mlx5lm_host *host, const struct libvirt_facts *facts);

/* The active domain that has a device; *ret is left alone if there is none. 0 or -ENOMEM. */
int libvirt_facts_find_user(const struct libvirt_facts *facts, const char *bdf, const char **ret);

#endif

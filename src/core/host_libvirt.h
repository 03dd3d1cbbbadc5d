/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_HOST_LIBVIRT_H
#define CORE_HOST_LIBVIRT_H

#include "base/error.h"
#include "facts_libvirt.h"

/*
 * Puts what libvirt says into a snapshot: URI, versions, what its capabilities tell, and which
 * running domain uses which VF. What libvirt did not tell becomes a note, and the privilege
 * "libvirt" is known for certain. 0 or -ENOMEM.
 */
int host_add_libvirt(struct mlx5lm_host *host, const struct libvirt_facts *facts);

/* The same if the daemon could not be asked; facts has what is known without it. */
int host_add_libvirt_failure(struct mlx5lm_host *host, const struct libvirt_facts *facts,
			     const struct mlx5lm_error *error);

/* The same if nothing was asked, with a note that says why. */
int host_skip_libvirt(struct mlx5lm_host *host, const char *why);

/* The active domain that has a device; *ret is left alone if there is none. 0 or -ENOMEM. */
int libvirt_facts_find_user(const struct libvirt_facts *facts, const char *bdf, const char **ret);

#endif

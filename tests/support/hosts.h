/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SUPPORT_HOSTS_H
#define SUPPORT_HOSTS_H

#include "facts.h"

/*
 * A snapshot of a host that is ready: one ConnectX-7 PF 0000:08:00.0 in switchdev mode with
 * num_vfs VFs that are migratable and bound to mlx5_vfio_pci. Aborts when out of memory.
 */
struct mlx5lm_host *ready_host(const char *hostname, size_t num_vfs);

/* The same of which everything is known that is compared. */
struct mlx5lm_host *fully_known_host(const char *name, size_t num_vfs);

/* Gives a domain a PCI device of the host. */
struct domain_xml;
void add_hostdev(struct domain_xml *domain, const char *bdf);

/* A snapshot of the same host before anything was configured: legacy mode, no VFs. */
struct mlx5lm_host *bare_host(const char *hostname);

/* Replaces a text of a snapshot. */
void set_text(char **text, const char *value);

#endif

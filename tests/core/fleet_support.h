/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TEST_FLEET_SUPPORT_H
#define TEST_FLEET_SUPPORT_H

#include <criterion/criterion.h>
#include <stdio.h>

#include "core/fleet.h"
#include "support/hosts.h"

/* A host with other firmware; NULL: not known. */
static inline struct mlx5lm_host *host_with_firmware(const char *name, const char *version)
{
	struct mlx5lm_host *host = ready_host(name, 1);

	set_text(&host->pfs[0].fw_running, version);
	return host;
}

static inline struct mlx5lm_host *host_with_psid(const char *name, const char *psid)
{
	struct mlx5lm_host *host = ready_host(name, 1);

	set_text(&host->pfs[0].psid, psid);
	return host;
}

static inline void set_migration_mode(struct mlx5lm_host *host, uint64_t mode)
{
	struct mlx5lm_nv *nv;

	cr_assert_eq(pf_add_nv(&host->pfs[0], &nv), 0);
	set_text(&nv->name, "VF_MIGRATION_MODE");
	nv->current = fact_u64(mode);
}

static inline struct mlx5lm_fleet *new_fleet(void)
{
	struct mlx5lm_fleet *fleet = NULL;

	cr_assert_eq(fleet_new(&fleet), 0);
	return fleet;
}

/* Adds a host under its own name, and releases it. */
static inline void add(struct mlx5lm_fleet *fleet, struct mlx5lm_host *host)
{
	cr_assert_eq(fleet_add(fleet, host, NULL, NULL), 0);
	mlx5lm_host_free(host);
}

/* number hosts "<prefix>0", "<prefix>1", ... with this firmware. */
static inline void add_many(struct mlx5lm_fleet *fleet, size_t number, const char *prefix,
			    const char *firmware)
{
	char name[64];

	for (size_t i = 0; i < number; i++) {
		snprintf(name, sizeof(name), "%s%zu", prefix, i);
		add(fleet, host_with_firmware(name, firmware));
	}
}

#endif

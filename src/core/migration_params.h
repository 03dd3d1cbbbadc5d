/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_MIGRATION_PARAMS_H
#define CORE_MIGRATION_PARAMS_H

#include "base/error.h"
#include "core/findings.h"
#include "facts_libvirt.h"

/*
 * What libvirt is told of a migration, by what the caller wants and what both daemons and QEMUs
 * can do. Old daemons refuse flags and parameters they do not know.
 */

/* Channels if the library chooses: each VF gets one, within these. */
#define CHANNELS_MIN 2
#define CHANNELS_MAX 16

struct migration_wishes {
	struct migration wanted; /* channels only if has_channels */
	bool has_channels;
	uint64_t num_vfs;
};

/*
 * Fills ret: wanted, with channels chosen. What was asked for and cannot be had is refused with
 * MLX5LM_ERROR_NOT_SUPPORTED, the version that has it and whose is too old. What is good to know
 * becomes a finding "session.*": session.switchover_ack (WARN if a daemon or QEMU is too old for it,
 * UNKNOWN if not known, PASS), session.vfio_channels (INFO: several VFs, and a QEMU that sends
 * their state over one connection), session.progress (INFO: libvirt before 10.6 does not tell of the
 * VFs' bytes).
 */
int migration_params_choose(const struct migration_wishes *wishes,
			    const struct libvirt_facts *source,
			    const struct libvirt_facts *destination, struct migration *ret,
			    struct mlx5lm_findings *findings, struct mlx5lm_error **reterr);

/* Will switchover-ack be used? enum mlx5lm_answer. */
uint32_t migration_has_switchover_ack(const struct libvirt_facts *source,
				      const struct libvirt_facts *destination);

/* Do the VFs' states go over the channels? */
bool migration_channels_carry_vfs(const struct migration *migration,
				  const struct libvirt_facts *source,
				  const struct libvirt_facts *destination);

/* The same as a set of virDomainMigrateFlags, for the checks of the domain. */
uint64_t migration_flags(const struct migration *migration);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef API_SESSION_OPTIONS_H
#define API_SESSION_OPTIONS_H

#include <mlx5lm/session.h>

#include "core/preflight.h"

struct mlx5lm_session_options {
	char *domain;
	char *source_uri;
	char *destination_uri;
	char *data_uri; /* NULL: libvirt chooses */
	struct mlx5lm_host *source;
	struct mlx5lm_host *destination;
	struct vf_mappings vfs;
	uint32_t downtime_limit_ms; /* 0: QEMU's own */
	uint64_t bandwidth_mib_per_s; /* 0: unlimited */
	uint64_t total_deadline_ms; /* 0: none */
	bool persistent;
	uint32_t interval_ms;
};

/* 0 or -ENOMEM. */
int session_options_copy(const struct mlx5lm_session_options *options,
			 struct mlx5lm_session_options **ret);

DEFINE_CLEANUP(struct mlx5lm_session_options *, mlx5lm_session_options_free)
#define _cleanup_session_options_ _cleanup_(mlx5lm_session_options_free_p)

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef API_SESSION_OPTIONS_H
#define API_SESSION_OPTIONS_H

#include <mlx5lm/session.h>

#include "core/domain_xml.h"
#include "core/job_policy.h"

struct mlx5lm_session_options {
	char *domain;
	char *source_uri;
	char *destination_uri;
	char *peer_uri; /* NULL: the destination's */
	char *data_uri; /* NULL: libvirt chooses */
	char *tls_destination;
	char *journal_dir; /* NULL: no journal */
	struct _virConnect *connection; /* the caller's, to the source; NULL: source_uri */
	struct mlx5lm_host *source;
	struct mlx5lm_host *destination;
	struct vf_mappings vfs;
	struct job_policy policy;
	uint64_t control; /* enum mlx5lm_control */
	uint64_t persistent;
	uint64_t bandwidth_mib_per_s;
	uint64_t switchover_bandwidth_mib_per_s;
	struct fact_u64 channels;
	uint64_t tls;
	uint64_t interval_ms;
	struct fact_u64 stall_action; /* enum mlx5lm_action */
	uint64_t deadline_action;
	uint64_t connect_deadline_ms;
	uint64_t answer_deadline_ms;
	struct fact_u64 vf_state_bytes;
	struct fact_u64 link_mib_per_s;
	uint64_t makeable;
};

/* 0 or -ENOMEM. */
int session_options_copy(const struct mlx5lm_session_options *options,
			 struct mlx5lm_session_options **ret);

/* One thing that is missing or contradicts another; NULL if all is well. */
const char *session_options_complaint(const struct mlx5lm_session_options *options);

/* The policy, with what was left open. */
void session_options_get_policy(const struct mlx5lm_session_options *options,
				struct job_policy *ret);

DEFINE_CLEANUP(struct mlx5lm_session_options *, mlx5lm_session_options_free)
#define _cleanup_session_options_ _cleanup_(mlx5lm_session_options_free_p)

#endif

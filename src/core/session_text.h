/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_SESSION_TEXT_H
#define CORE_SESSION_TEXT_H

#include "base/text.h"
#include "core/findings.h"
#include "core/forecast.h"
#include "core/pairing.h"
#include "core/phase.h"
#include "facts_libvirt.h"

/* What a session did and how it ended, to be written. */

/* One thing that the policy did. */
struct session_act {
	uint64_t at_ms; /* since the start */
	struct policy_decision decision;
};

struct session_report {
	const char *domain;
	const char *source_uri;
	const char *destination_uri;
	const struct phase_machine *machine;
	const struct migration *migration; /* NULL: not decided yet */
	const struct mlx5lm_pair *pairs;
	size_t num_pairs;
	const struct forecast *forecast; /* NULL: none */
	const struct session_act *acts;
	size_t num_acts;
	const struct mlx5lm_findings *findings; /* of the session */
	const struct mlx5lm_findings *comparison; /* of the hosts and the domain; NULL: none */
	enum mlx5lm_reason reason;
	const struct mlx5lm_error *error; /* NULL: none */
	bool attached;
};

/* 0 or -ENOMEM. */
int session_to_json_text(const struct session_report *report, struct mlx5lm_text **ret);
int session_to_plain_text(const struct session_report *report, struct mlx5lm_text **ret);

#endif

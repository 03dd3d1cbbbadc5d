/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_FORECAST_H
#define CORE_FORECAST_H

#include "core/findings.h"
#include "core/job_policy.h"
#include "facts.h"

/*
 * How long a guest is going to stand still, told before its migration. The model and the points it
 * was fitted to are in forecast.c and doc/session.md.
 */

/* What the state of a VF takes if nobody says it: published for ConnectX-7. */
#define FORECAST_VF_STATE_BYTES ((uint64_t)100 << 20)

/* What the network carries if nobody says it. */
#define FORECAST_BYTES_PER_S UINT64_C(1250000000)

struct forecast_facts {
	uint64_t num_vfs;
	struct fact_u64 vf_state_bytes; /* of each; not known: FORECAST_VF_STATE_BYTES */
	struct fact_u64 bandwidth_bytes_per_s; /* least of link and limit; not known: 10 Gbit/s */
	struct fact_u64 switchover_bytes_per_s; /* QEMU reckons with; not known: the same */
	uint32_t switchover_ack; /* enum mlx5lm_answer: does the destination make ready for the
				    state while the guest runs? Unknown is reckoned as no */
	uint64_t channels;  /* parallel ones that carry the VFs' state; 0: one for all */
	bool tls;
};

struct forecast {
	uint64_t downtime_ms;	 /* that is expected; 0 of a domain without VFs */
	uint64_t least_limit_ms; /* a downtime limit below this never lets QEMU switch over */
	uint64_t state_bytes;	 /* that was reckoned with, of all VFs */
	bool is_assumed; /* nobody said how large the state is, or how fast it moves */
};

struct forecast forecast_downtime(const struct forecast_facts *facts);

/*
 * Findings session.forecast (INFO) and session.downtime_limit: FAIL if the policy can never reach
 * least_limit_ms, WARN if that is only assumed; none if it can. Nothing is said of a domain without
 * VFs. 0 or -ENOMEM.
 */
int forecast_check(const struct forecast *forecast, const struct job_policy *policy,
		   struct mlx5lm_findings *findings);

#endif

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/forecast.h"

#include <inttypes.h>

/*
 * The model, and the published points that it was fitted to, in milliseconds:
 *
 *   downtime = (VFs * (450 + 4.93 * MB of one if there is no switchover-ack) / overlap
 *               + state / bandwidth) * (1.09 with TLS)
 *   overlap  = 1 + 0.3 * (min(VFs, channels) - 1)
 *
 *   VFs  state    ack  channels  TLS  published  model
 *   1    300 MB   no   one       no   1900       1954   4.93 = (1900 - 420) / 300
 *   1    300 MB   yes  one       no    420        474   450: halfway between what this one and
 *   4    400 MiB  yes  one       no   2100       1834   this one ask for (396 and 517)
 *   4    400 MiB  yes  15        no   1100        982   0.3 = (2100 / 1100 - 1) / (4 - 1)
 *   4    400 MiB  yes  15        yes  1200       1071   1.09 = 1200 / 1100 = 2300 / 2100
 *   4    400 MiB  yes  one       yes  2300       2000
 *
 * The first two: A. Horon, qemu-devel, 20230521151808.24804-1-avihaih@nvidia.com, whose network is
 * not told: 100 Gbit/s is assumed. The others: M. Szmigiero, qemu-devel,
 * cover.1713269378.git.maciej.szmigiero@oracle.com, ConnectX-7, 100 Gbit/s. Four constants and six
 * points: a fit, no law.
 */
#define VF_MS 450
#define ALLOCATION_MS UINT64_C(1480) /* for so many bytes: */
#define ALLOCATION_BYTES UINT64_C(300000000)
#define OVERLAP_TENTHS 3
#define TLS_PERCENT 109

/* QEMU's most. */
#define MAX_CHANNELS 255

#define MIB_BITS 20

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t add_u64(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static uint64_t multiply_u64(uint64_t a, uint64_t b)
{
	uint64_t product;

	return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

/* a * b / c, rounded up, where the product may not fit; b and c are small. */
static uint64_t scale_u64(uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t rest = a % c * b;

	return add_u64(multiply_u64(a / c, b), rest / c + (rest % c != 0));
}

/* Rounded up. */
static uint64_t transfer_ms(uint64_t bytes, uint64_t bytes_per_s)
{
	uint64_t whole_s = bytes / bytes_per_s, rest = bytes % bytes_per_s;

	/* Of speeds that large the last digits do not matter. */
	if (rest > UINT64_MAX / 1000) {
		rest /= 1000;
		bytes_per_s /= 1000;
	}
	rest *= 1000;
	return add_u64(multiply_u64(whole_s, 1000),
		       rest / bytes_per_s + (rest % bytes_per_s != 0));
}

static bool is_told(struct fact_u64 speed)
{
	return speed.known && speed.value > 0;
}

struct forecast forecast_downtime(const struct forecast_facts *facts)
{
	bool has_state = facts->vf_state_bytes.known;
	uint64_t vf_bytes = has_state ? facts->vf_state_bytes.value : FORECAST_VF_STATE_BYTES;
	bool has_speed = is_told(facts->bandwidth_bytes_per_s);
	bool has_threshold = is_told(facts->switchover_bytes_per_s);
	uint64_t speed = has_speed ? facts->bandwidth_bytes_per_s.value : FORECAST_BYTES_PER_S;
	uint64_t threshold = has_threshold ? facts->switchover_bytes_per_s.value : speed;
	uint64_t parallel = min_u64(min_u64(facts->channels, facts->num_vfs), MAX_CHANNELS);
	uint64_t vf_ms = VF_MS, overlap_tenths = 10;
	struct forecast forecast = { 0 };

	if (facts->num_vfs == 0)
		return forecast;
	if (parallel > 1)
		overlap_tenths += OVERLAP_TENTHS * (parallel - 1);
	if (facts->switchover_ack != MLX5LM_ANSWER_YES)
		vf_ms = add_u64(vf_ms, scale_u64(vf_bytes, ALLOCATION_MS, ALLOCATION_BYTES));
	forecast.state_bytes = multiply_u64(facts->num_vfs, vf_bytes);
	forecast.least_limit_ms = transfer_ms(forecast.state_bytes, threshold);
	forecast.downtime_ms =
		add_u64(scale_u64(multiply_u64(facts->num_vfs, vf_ms), 10, overlap_tenths),
			transfer_ms(forecast.state_bytes, speed));
	if (facts->tls)
		forecast.downtime_ms = scale_u64(forecast.downtime_ms, TLS_PERCENT, 100);
	forecast.is_assumed = !has_state || !(has_speed || has_threshold);
	return forecast;
}

/* The largest limit that is going to be reached if nothing else ends pre-copy. */
static uint64_t reach_ms(const struct job_policy *policy)
{
	uint64_t wanted_ms = policy->downtime_limit_ms;
	uint64_t limit_ms = wanted_ms ? wanted_ms : DOWNTIME_LIMIT_QEMU_MS;
	bool has_deadline = policy->stall_deadline_ms || policy->total_deadline_ms;

	if (policy->stall_action == MLX5LM_ACTION_FORCE_SWITCHOVER ||
	    (policy->deadline_action == MLX5LM_ACTION_FORCE_SWITCHOVER && has_deadline))
		return DOWNTIME_LIMIT_MAX_MS;
	if (policy->stall_action == MLX5LM_ACTION_RAISE_DOWNTIME)
		return job_policy_ramp_ms(policy, limit_ms, UINT64_MAX);
	return limit_ms;
}

#define SET(key, ...) finding_set(findings, finding, MLX5LM_FINDING_##key, __VA_ARGS__)

static void tell_forecast(const struct forecast *forecast, struct mlx5lm_findings *findings)
{
	struct mlx5lm_finding *finding =
		findings_add(findings, MLX5LM_STATUS_INFO, "session.forecast", "domain");
	uint64_t mib = scale_u64(forecast->state_bytes, 1, UINT64_C(1) << MIB_BITS);

	SET(SCOPE, "domain");
	SET(FOUND, "%" PRIu64 " MiB of VF state%s", mib, forecast->is_assumed ? ", assumed" : "");
	SET(MESSAGE,
	    "the guest is expected to stand still for about %" PRIu64 " ms: its VFs have %" PRIu64
	    " MiB of state%s",
	    forecast->downtime_ms, mib,
	    forecast->is_assumed ? "; size or speed of the network are assumed" : "");
}

static void tell_limit(const struct forecast *forecast, uint64_t reach,
		       struct mlx5lm_findings *findings)
{
	enum mlx5lm_status status = forecast->is_assumed ? MLX5LM_STATUS_WARN : MLX5LM_STATUS_FAIL;
	struct mlx5lm_finding *finding =
		findings_add(findings, status, "session.downtime_limit", "domain");
	uint64_t least = forecast->least_limit_ms;
	const char *first = "";

	if (forecast->is_assumed)
		first = "tell the size of a VF's state and what the network carries; ";
	SET(SCOPE, "domain");
	SET(FOUND, "at most %" PRIu64 " ms", reach);
	SET(REQUIRED, "at least %" PRIu64 " ms", least);
	SET(MESSAGE,
	    "the downtime limit rises to %" PRIu64 " ms at most, and the VFs' state alone takes %s%"
	    PRIu64 " ms: QEMU would never switch over",
	    reach, forecast->is_assumed ? "an assumed " : "", least);
	if (least > DOWNTIME_LIMIT_MAX_MS)
		SET(REMEDY, "%suse a faster network: QEMU takes no downtime limit above %d ms",
		    first, DOWNTIME_LIMIT_MAX_MS);
	else
		SET(REMEDY,
		    "%sraise the downtime ceiling to at least %" PRIu64
		    " ms, with stalls that raise the limit, or allow a forced switchover",
		    first, least);
}

int forecast_check(const struct forecast *forecast, const struct job_policy *policy,
		   struct mlx5lm_findings *findings)
{
	uint64_t reach = reach_ms(policy);

	if (forecast->downtime_ms == 0)
		return 0;
	tell_forecast(forecast, findings);
	if (forecast->least_limit_ms > reach)
		tell_limit(forecast, reach, findings);
	return findings->error;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
/* Plans against all plans there are; and large ones, of which at least the rules must hold. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "evacuation_support.h"

#define NUM_SMALL_CASES 20000
#define NUM_LARGE_CASES 300
#define MAX_DOMAINS 6
#define MAX_HOSTS 5 /* with the source */
#define PFS 2
#define CLASSES 2

/* All there is to a small case. */
struct small_case {
	uint32_t num_domains, num_hosts;
	uint32_t source_class[PFS];
	uint32_t has[MAX_DOMAINS][PFS]; /* VFs of each PF of the source */
	uint32_t cls[MAX_HOSTS][PFS];	/* of the PFs of a destination */
	uint32_t num_free[MAX_HOSTS][PFS];
	uint32_t limit, per_wave;
};

/* A plan that is being made. */
struct attempt {
	const struct small_case *job;
	uint32_t num_left, num_waves;
	uint32_t max_left, max_waves; /* what it has to keep below: see is_too_much() */
	uint32_t taken[MAX_HOSTS][PFS];
	uint32_t wave_domains[MAX_DOMAINS], wave_vfs[MAX_DOMAINS];
	uint32_t wave_out[MAX_DOMAINS][PFS], wave_in[MAX_DOMAINS][MAX_HOSTS][PFS];
};

static bool can_do_better(struct attempt *attempt, uint32_t domain);

static bool wave_is_allowed(const struct attempt *attempt, uint32_t wave)
{
	const struct small_case *job = attempt->job;

	if (attempt->wave_vfs[wave] > job->per_wave)
		return false;
	for (uint32_t pf = 0; attempt->wave_domains[wave] > 1 && pf < PFS; pf++) {
		if (attempt->wave_out[wave][pf] > job->limit)
			return false;
		for (uint32_t host = 1; host < job->num_hosts; host++) {
			if (attempt->wave_in[wave][host][pf] > job->limit)
				return false;
		}
	}
	return true;
}

/* Tries each wave for a domain whose VFs are spread over the PFs of host like this. */
static bool try_each_wave(struct attempt *attempt, uint32_t domain, uint32_t host,
			  const uint32_t *spread)
{
	const uint32_t *has = attempt->job->has[domain];
	uint32_t waves = attempt->num_waves;
	bool found = false;

	for (uint32_t wave = 0; wave <= waves && !found; wave++) {
		if (wave == waves)
			attempt->num_waves++;
		attempt->wave_domains[wave]++;
		for (uint32_t pf = 0; pf < PFS; pf++) {
			attempt->wave_out[wave][pf] += has[pf];
			attempt->wave_vfs[wave] += has[pf];
			attempt->wave_in[wave][host][pf] += spread[pf];
			attempt->taken[host][pf] += spread[pf];
		}
		/* More domains in a wave never make it allowed again. */
		found = wave_is_allowed(attempt, wave) && can_do_better(attempt, domain + 1);
		attempt->wave_domains[wave]--;
		for (uint32_t pf = 0; pf < PFS; pf++) {
			attempt->wave_out[wave][pf] -= has[pf];
			attempt->wave_vfs[wave] -= has[pf];
			attempt->wave_in[wave][host][pf] -= spread[pf];
			attempt->taken[host][pf] -= spread[pf];
		}
		attempt->num_waves = waves;
	}
	return found;
}

static bool spread_is_allowed(const struct attempt *attempt, uint32_t domain, uint32_t host,
			      const uint32_t *spread)
{
	const struct small_case *job = attempt->job;
	uint32_t need[CLASSES] = { 0 }, get[CLASSES] = { 0 };

	for (uint32_t pf = 0; pf < PFS; pf++) {
		if (attempt->taken[host][pf] + spread[pf] > job->num_free[host][pf])
			return false;
		need[job->source_class[pf]] += job->has[domain][pf];
		get[job->cls[host][pf]] += spread[pf];
	}
	return need[0] == get[0] && need[1] == get[1];
}

/* Whether there is a plan that leaves fewer, or as few in fewer waves. */
static bool can_do_better(struct attempt *attempt, uint32_t domain)
{
	const struct small_case *job = attempt->job;
	uint32_t spread[PFS];
	bool found;

	/* As many left, but not in fewer waves; neither gets less on the way. */
	if (attempt->num_left > attempt->max_left ||
	    (attempt->num_left == attempt->max_left && attempt->num_waves >= attempt->max_waves))
		return false;
	if (domain == job->num_domains)
		return true;
	for (uint32_t host = 1; host < job->num_hosts; host++) {
		for (spread[0] = 0; spread[0] <= job->num_free[host][0]; spread[0]++) {
			for (spread[1] = 0; spread[1] <= job->num_free[host][1]; spread[1]++) {
				if (spread_is_allowed(attempt, domain, host, spread) &&
				    try_each_wave(attempt, domain, host, spread))
					return true;
			}
		}
	}
	attempt->num_left++;
	found = can_do_better(attempt, domain + 1);
	attempt->num_left--;
	return found;
}

static struct small_case make_case(uint64_t *seed)
{
	struct small_case job = {
		.num_domains = 1 + random_below(seed, MAX_DOMAINS),
		.num_hosts = 2 + random_below(seed, MAX_HOSTS - 1),
		.limit = 1 + random_below(seed, 4),
		.per_wave = random_below(seed, 4) ? UINT32_MAX : 2 + random_below(seed, 4),
	};
	uint32_t pfs = 1 + random_below(seed, PFS), most_free = 1 + random_below(seed, 7);

	for (uint32_t pf = 0; pf < PFS; pf++)
		job.source_class[pf] = random_below(seed, 3) == 0;
	for (uint32_t domain = 0; domain < job.num_domains; domain++) {
		for (uint32_t vfs = 1 + random_below(seed, 3); vfs > 0; vfs--)
			job.has[domain][random_below(seed, pfs)]++;
	}
	for (uint32_t host = 1; host < job.num_hosts; host++) {
		for (uint32_t pf = 0; pf < PFS; pf++) {
			job.cls[host][pf] = random_below(seed, 3) == 0;
			if (pf == 0 || random_below(seed, 2))
				job.num_free[host][pf] = random_below(seed, most_free + 1);
		}
	}
	return job;
}

static struct mlx5lm_fleet *fleet_of(const struct small_case *job)
{
	struct mlx5lm_fleet *fleet = hand_made_fleet();
	char name[16];

	add_host(fleet, "source");
	for (uint32_t pf = 0; pf < PFS; pf++)
		add_pf(fleet, job->source_class[pf], 3 * MAX_DOMAINS);
	for (uint32_t domain = 0; domain < job->num_domains; domain++) {
		for (uint32_t pf = 0; pf < PFS; pf++) {
			snprintf(name, sizeof(name), "vm%u", domain);
			if (job->has[domain][pf] > 0)
				give(fleet, name, pf, job->has[domain][pf]);
		}
	}
	for (uint32_t host = 1; host < job->num_hosts; host++) {
		snprintf(name, sizeof(name), "host%u", host);
		add_host(fleet, name);
		for (uint32_t pf = 0; pf < PFS; pf++)
			add_pf(fleet, job->cls[host][pf], job->num_free[host][pf]);
	}
	return fleet;
}

static struct mlx5lm_evacuation_options options_of(const struct small_case *job)
{
	struct mlx5lm_evacuation_options options = { .max_vfs_per_pf = job->limit };

	/* A second for each VF. */
	if (job->per_wave != UINT32_MAX) {
		options.bandwidth_mib_per_s = 16;
		options.state_bytes_per_vf = 16 << 20;
		options.downtime_limit_ms = 1000u * job->per_wave + 999;
	}
	return options;
}

Test(evacuation_optimal, no_plan_of_all_is_better_than_one_that_is_said_to_be_the_best,
     .timeout = 110)
{
	uint64_t seed = 5;
	uint32_t with_left = 0, with_waves = 0;

	for (uint32_t i = 0; i < NUM_SMALL_CASES; i++) {
		struct small_case job = make_case(&seed);
		struct mlx5lm_fleet *fleet = fleet_of(&job);
		struct mlx5lm_evacuation_options options = options_of(&job);
		struct mlx5lm_evacuation *evacuation = evacuate(fleet, &options);
		struct attempt attempt = {
			.job = &job,
			.max_left = (uint32_t)evacuation->num_left,
			.max_waves = (uint32_t)evacuation->num_waves,
		};

		cr_assert_eq(evacuation->optimal, MLX5LM_ANSWER_YES, "case %u", i);
		expect_valid(fleet, &options, evacuation);
		cr_assert_not(can_do_better(&attempt, 0),
			      "case %u: there is a better plan than %u left, %u waves", i,
			      attempt.max_left, attempt.max_waves);
		with_left += evacuation->num_left > 0 && evacuation->num_moves > 0;
		with_waves += evacuation->num_waves > 1;
		evacuation_free(evacuation);
		release_fleet(fleet);
	}
	/* The cases are such that there was something to decide. */
	cr_assert_gt(with_left, NUM_SMALL_CASES / 8);
	cr_assert_gt(with_waves, NUM_SMALL_CASES / 4);
}

/* Up to 127 VFs on each of one or two PFs, a fleet with little or much room. */
static struct mlx5lm_fleet *large_fleet(uint64_t *seed)
{
	struct mlx5lm_fleet *fleet = hand_made_fleet();
	uint32_t pfs = 1 + random_below(seed, PFS), classes = 1 + random_below(seed, CLASSES);
	uint32_t hosts = 1 + random_below(seed, 200), most_free = 1 + random_below(seed, 12);
	uint32_t largest = 1 + random_below(seed, 6), left[PFS] = { 127, 127 };
	char name[16];

	add_host(fleet, "source");
	for (uint32_t pf = 0; pf < pfs; pf++)
		add_pf(fleet, random_below(seed, classes), 127);
	for (uint32_t domain = 0; domain < 1 + random_below(seed, 150); domain++) {
		for (uint32_t pf = 0; pf < pfs; pf++) {
			uint32_t vfs = random_below(seed, largest + 1);

			if (vfs == 0 || vfs > left[pf])
				continue;
			left[pf] -= vfs;
			snprintf(name, sizeof(name), "vm%u", domain);
			give(fleet, name, pf, vfs);
		}
	}
	for (uint32_t host = 0; host < hosts; host++) {
		snprintf(name, sizeof(name), "host%u", host);
		add_host(fleet, name);
		for (uint32_t pf = 0; pf < 1 + random_below(seed, 3); pf++)
			add_pf(fleet, random_below(seed, classes), random_below(seed, most_free));
	}
	return fleet;
}

Test(evacuation_optimal, large_plans_keep_to_the_rules, .timeout = 110)
{
	uint64_t seed = 7;
	uint32_t proven = 0;

	for (uint32_t i = 0; i < NUM_LARGE_CASES; i++) {
		struct mlx5lm_fleet *fleet = large_fleet(&seed);
		struct mlx5lm_evacuation_options options = {
			.max_vfs_per_pf = random_below(&seed, 6),
		};
		struct mlx5lm_evacuation *evacuation;

		if (random_below(&seed, 3) == 0) {
			options.bandwidth_mib_per_s = 1000;
			options.state_bytes_per_vf = 10000000;
			options.downtime_limit_ms = 10 + random_below(&seed, 100);
		}
		evacuation = evacuate(fleet, &options);
		expect_valid(fleet, &options, evacuation);
		proven += evacuation->optimal == MLX5LM_ANSWER_YES;
		evacuation_free(evacuation);
		release_fleet(fleet);
	}
	cr_assert_gt(proven, NUM_LARGE_CASES / 2, "%u of %u large plans are known to be the best",
		     proven, NUM_LARGE_CASES);
}

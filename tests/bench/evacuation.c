// SPDX-License-Identifier: LGPL-2.1-or-later
/* How long does it take to plan the evacuation of a host with many VMs in a large fleet? */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "support/hosts.h"

/* A plan for the largest host of today in a large fleet; measured where nothing else runs. */
#define MAX_MS 50.0

static void must(int r, const char *what)
{
	if (r >= 0)
		return;
	fprintf(stderr, "bench-evacuation: %s failed\n", what);
	exit(1);
}

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* A fleet: so many hosts, on which all VFs are free or few are. */
struct job {
	const char *name;
	size_t num_hosts, num_vfs;
	bool mixed; /* domains of one, two and three VFs in turn; else of one */
	size_t vfs_per_host, one_free_of; /* 0: all are */
	double max_ms;			  /* 0: only shown */
};

static void use_vf(struct mlx5lm_vf *vf, const char *prefix, size_t number)
{
	char name[32];

	snprintf(name, sizeof(name), "%s%zu", prefix, number);
	set_text(&vf->in_use_by, name);
}

static void add(struct mlx5lm_fleet *fleet, struct mlx5lm_host *host)
{
	must(mlx5lm_fleet_add(fleet, host, NULL, NULL), "mlx5lm_fleet_add()");
	mlx5lm_host_free(host);
}

static struct mlx5lm_fleet *make_fleet(const struct job *job)
{
	/* Of six VFs, the first has a domain of its own, and so on. */
	static const size_t mixture[] = { 0, 1, 1, 2, 2, 2 };
	struct mlx5lm_host *host = ready_host("source", job->num_vfs);
	struct mlx5lm_fleet *fleet;
	char name[32];

	must(mlx5lm_fleet_new(&fleet), "mlx5lm_fleet_new()");
	for (size_t i = 0; i < job->num_vfs; i++) {
		/* Behind the 254th, on the next bus. */
		snprintf(name, sizeof(name), "0000:%02zx:%02zx.%zx", 8 + (i + 2) / 256,
			 (i + 2) % 256 / 8, (i + 2) % 8);
		set_text(&host->pfs[0].vfs[i].bdf, name);
		use_vf(&host->pfs[0].vfs[i], "vm", job->mixed ? i / 6 * 3 + mixture[i % 6] : i);
	}
	add(fleet, host);
	for (size_t i = 0; i < job->num_hosts; i++) {
		snprintf(name, sizeof(name), "host%zu", i);
		host = ready_host(name, job->vfs_per_host);
		for (size_t j = 0; j < job->vfs_per_host; j++) {
			/* How many are free differs from host to host. */
			if (job->one_free_of && (i * 7 + j * 13) % job->one_free_of)
				use_vf(&host->pfs[0].vfs[j], "other", j);
		}
		add(fleet, host);
	}
	return fleet;
}

static int run(const struct job *job)
{
	struct mlx5lm_fleet *fleet = make_fleet(job);
	struct mlx5lm_evacuation *evacuation;
	uint64_t waves, left, optimal;
	double best = 1e9;

	for (int i = 0; i < 3; i++) {
		double start = now_ms(), took;

		must(mlx5lm_evacuation_new(fleet, "source", NULL, &evacuation, NULL),
		     "mlx5lm_evacuation_new()");
		took = now_ms() - start;
		best = took < best ? took : best;
		must(mlx5lm_evacuation_get_u64(evacuation, MLX5LM_EVACUATION_NUM_WAVES, &waves),
		     "the number of waves");
		must(mlx5lm_evacuation_get_u64(evacuation, MLX5LM_EVACUATION_NUM_LEFT, &left),
		     "the number of domains left");
		must(mlx5lm_evacuation_get_u64(evacuation, MLX5LM_EVACUATION_OPTIMAL, &optimal),
		     "whether it is the best");
		mlx5lm_evacuation_free(evacuation);
	}
	mlx5lm_fleet_free(fleet);
	printf("%-26s %4zu VFs, %6zu hosts: %8.2f ms, %4llu waves, %4llu left%s\n", job->name,
	       job->num_vfs, job->num_hosts, best, (unsigned long long)waves,
	       (unsigned long long)left, optimal == MLX5LM_ANSWER_YES ? ", the best" : "");
	return job->max_ms > 0 && best > job->max_ms;
}

int main(void)
{
	static const struct job jobs[] = {
		{ "all free", 10000, 127, false, 16, 0, MAX_MS },
		{ "one in 16 free", 10000, 127, false, 16, 16, MAX_MS },
		{ "mixed, all free", 10000, 127, true, 16, 0, MAX_MS },
		{ "mixed, four free of 32", 10000, 127, true, 32, 8, MAX_MS },
		{ "mixed, too few", 20, 127, true, 32, 8, MAX_MS },
		{ "all free", 100000, 127, false, 8, 0, 0 },
		{ "all free", 10000, 4096, false, 16, 0, 0 },
		{ "one in 16 free", 10000, 4096, false, 16, 16, 0 },
		{ "mixed, four free of 32", 10000, 4096, true, 32, 8, 0 },
		{ "mixed, too few", 1000, 4096, true, 32, 8, 0 },
	};
	int failed = 0;

	for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++)
		failed |= run(&jobs[i]);
	if (failed)
		fprintf(stderr, "bench-evacuation: took more than %.0f ms\n", MAX_MS);
	return failed;
}

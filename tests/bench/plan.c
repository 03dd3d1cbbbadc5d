// SPDX-License-Identifier: LGPL-2.1-or-later
/* Does the time of planning grow in line with the number of VFs? */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "support/hosts.h"

#define PF "0000:08:00.0"

/* What costs more than so many times its share grows faster than the number of VFs. */
#define MAX_GROWTH 2.0

/* Small numbers are over too soon to be timed once. */
#define VFS_TO_PLAN 20000

static const size_t sizes[] = { 127, 1000, 4096 };

#define NUM_SIZES (sizeof(sizes) / sizeof(sizes[0]))

static void must(int r, const char *what)
{
	if (r >= 0)
		return;
	fprintf(stderr, "bench-plan: %s failed\n", what);
	exit(1);
}

static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static struct mlx5lm_config *wish(size_t num_vfs, bool each)
{
	struct mlx5lm_config *config;
	char hw_addr[32];

	must(mlx5lm_config_new(&config), "mlx5lm_config_new()");
	must(mlx5lm_config_set_num_vfs(config, (uint32_t)num_vfs), "the number of VFs");
	must(mlx5lm_config_set_eswitch_mode(config, MLX5LM_ESWITCH_SWITCHDEV), "the mode");
	for (size_t i = 0; i < (each ? num_vfs : 1); i++) {
		uint32_t index = each ? (uint32_t)i : MLX5LM_VF_ALL;

		must(mlx5lm_config_set_vf_attr(config, index, MLX5LM_PORT_ATTR_MIGRATABLE,
					       MLX5LM_PORT_ATTR_STATE_ENABLED), "migratable");
		must(mlx5lm_config_set_vf_driver(config, index, "mlx5_vfio_pci"), "the driver");
		snprintf(hw_addr, sizeof(hw_addr), "02:11:00:00:%02zx:%02zx", i >> 8, i & 0xff);
		if (each)
			must(mlx5lm_config_set_vf_hw_addr(config, index, hw_addr), "the address");
	}
	return config;
}

/* One job on a host of so many VFs; what it makes is released in the time. */
struct job {
	const char *name;
	bool ready; /* the VFs are there */
	bool each;  /* each VF has wishes of its own */
	enum mlx5lm_plan_format format;
};

static const struct job jobs[] = {
	{ "plan, one wish for all", false, false, MLX5LM_PLAN_FORMAT_UNKNOWN },
	{ "plan, nothing to do", true, false, MLX5LM_PLAN_FORMAT_UNKNOWN },
	{ "wishes for each VF, plan", false, true, MLX5LM_PLAN_FORMAT_UNKNOWN },
	{ "wishes for each VF, change all", true, true, MLX5LM_PLAN_FORMAT_UNKNOWN },
	{ "plan as JSON", false, false, MLX5LM_PLAN_FORMAT_JSON },
	{ "plan as shell commands", false, false, MLX5LM_PLAN_FORMAT_SHELL },
};

static struct mlx5lm_host *make_host(const struct job *job, size_t num_vfs)
{
	struct mlx5lm_host *host = job->ready ? ready_host("a", num_vfs) : bare_host("a");

	host->pfs[0].sriov_total_vfs = fact_u64(num_vfs);
	/* The addresses of ready_host() are enough for one bus. */
	for (size_t i = 0; i < host->pfs[0].num_vfs; i++) {
		char bdf[64];

		snprintf(bdf, sizeof(bdf), "0000:%02zx:%02zx.%zx", 8 + (i + 2) / 256,
			 (i + 2) / 8 % 32, (i + 2) % 8);
		set_text(&host->pfs[0].vfs[i].bdf, bdf);
	}
	return host;
}

static void do_job(const struct job *job, const struct mlx5lm_host *host, size_t num_vfs)
{
	struct mlx5lm_config *config = wish(num_vfs, job->each);
	struct mlx5lm_text *text = NULL;
	struct mlx5lm_plan *plan;

	must(mlx5lm_plan_new(host, PF, config, &plan, NULL), "mlx5lm_plan_new()");
	if (job->format)
		must(mlx5lm_plan_serialize(plan, job->format, &text), "mlx5lm_plan_serialize()");
	mlx5lm_text_free(text);
	mlx5lm_plan_free(plan);
	mlx5lm_config_free(config);
}

/* Microseconds of processor time for each VF, at best. */
static double measure(const struct job *job, size_t num_vfs)
{
	struct mlx5lm_host *host = make_host(job, num_vfs);
	double best_us = 0;

	for (size_t i = 0; i < 3 + VFS_TO_PLAN / num_vfs; i++) {
		double us = now_us();

		do_job(job, host, num_vfs);
		us = (now_us() - us) / (double)num_vfs;
		if (i == 0 || us < best_us)
			best_us = us;
	}
	mlx5lm_host_free(host);
	return best_us;
}

int main(void)
{
	bool linear = true;

	printf("processor time in us for each VF:  ");
	for (size_t i = 0; i < NUM_SIZES; i++)
		printf("%9zu", sizes[i]);
	printf(" VFs\n");
	for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
		double us[NUM_SIZES];

		printf("  %-33s", jobs[i].name);
		for (size_t j = 0; j < NUM_SIZES; j++) {
			us[j] = measure(&jobs[i], sizes[j]);
			printf("%9.2f", us[j]);
		}
		printf("%s\n", us[NUM_SIZES - 1] > MAX_GROWTH * us[0] ? "  grows too fast" : "");
		linear &= us[NUM_SIZES - 1] <= MAX_GROWTH * us[0];
	}
	printf("%s  no more than %.0f times as long for each VF of %zu as of %zu\n",
	       linear ? "reached" : "MISSED ", MAX_GROWTH, sizes[NUM_SIZES - 1], sizes[0]);
	return !linear;
}

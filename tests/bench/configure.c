// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * How much processor time does the library need to make VFs ready? The kernel is played by another
 * process (kernel.h), so that its part is not counted.
 */
#include <mlx5lm/mlx5lm.h>

#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kernel.h"

#define PF "0000:08:00.0"
#define MAX_KINDS 16
#define MAX_RUNS 10000
#define MAX_USER_US 200

/* What else runs on a host: who holds a VF is looked for among them. */
#define NUM_PROCESSES 100
#define NUM_FDS 10

static const char usage[] =
	"Usage: bench-configure [--runs N] [--vfs N]\n"
	"Processor time that the library needs to configure N VFs (default 127),\n"
	"of N runs (default 20). Exit status 1 if it is over the goal.\n";

static const struct option words[] = {
	{ "runs", required_argument, NULL, 'r' },
	{ "vfs", required_argument, NULL, 'n' },
	{ NULL, 0, NULL, 0 },
};

struct kind {
	char id[32];
	unsigned long steps;
	double cpu_us; /* of the process itself, user and system */
};

/* Shared between the process that measures and those that are measured. */
struct cost {
	double user_us, system_us;
	double children_user_us, children_system_us;
	uint64_t writes, messages, steps;
	struct kind kinds[MAX_KINDS];
};

struct bench {
	unsigned int runs, num_vfs;
	char start[64]; /* file that puts the PF into its first state */
	char journal[64];
	char root[64];
	struct mlx5lm_ctx *ctx;
	struct mlx5lm_probe_options *options;
	struct mlx5lm_config *config;
	struct cost *cost;
	double last_us; /* processor time when the last step ended */
};

static _Noreturn void die(const char *what, struct mlx5lm_error *error)
{
	fprintf(stderr, "bench-configure: %s%s%s\n", what, error ? ": " : "",
		error ? mlx5lm_error_get_message(error) : "");
	exit(1);
}

static double cpu_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void start_from(const struct bench *bench, const char *state)
{
	int fd = open(bench->start, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, state, strlen(state)) != (ssize_t)strlen(state))
		die("cannot go back to the start", NULL);
	close(fd);
}

static struct mlx5lm_host *probe(const struct bench *bench)
{
	struct mlx5lm_error *error = NULL;
	struct mlx5lm_host *host;

	if (mlx5lm_host_probe(bench->ctx, bench->options, &host, &error) < 0)
		die("probe", error);
	return host;
}

static struct mlx5lm_plan *plan(const struct bench *bench, const struct mlx5lm_host *host)
{
	struct mlx5lm_error *error = NULL;
	struct mlx5lm_plan *plan;

	if (mlx5lm_plan_new(host, PF, bench->config, &plan, &error) < 0)
		die("plan", error);
	return plan;
}

/* Steps that run side by side end one after the other: their cost is in the first of them. */
static int count_step(const struct mlx5lm_plan *plan, size_t index, enum mlx5lm_step_state state,
		      void *userdata)
{
	struct bench *bench = userdata;
	struct kind *kind = bench->cost->kinds;
	const char *id = "";
	double now_us;

	if (state == MLX5LM_STEP_STATE_STARTED)
		return 0;
	mlx5lm_step_get_str(mlx5lm_plan_get_step(plan, index), MLX5LM_STEP_ID, &id);
	while (kind < bench->cost->kinds + MAX_KINDS - 1 && kind->id[0] &&
	       strcmp(kind->id, id) != 0)
		kind++;
	snprintf(kind->id, sizeof(kind->id), "%s", id);
	now_us = cpu_us();
	kind->cpu_us += now_us - bench->last_us;
	kind->steps++;
	bench->last_us = now_us;
	return 0;
}

static void apply(struct bench *bench, struct mlx5lm_plan *plan, const char *journal)
{
	struct mlx5lm_error *error = NULL;

	if (mlx5lm_plan_set_journal(plan, journal) < 0 ||
	    mlx5lm_plan_set_progress(plan, count_step, bench, NULL) < 0)
		die("out of memory", NULL);
	bench->last_us = cpu_us();
	if (mlx5lm_plan_apply(plan, bench->ctx, &error) != 0)
		die("apply", error);
	bench->cost->steps = mlx5lm_plan_length(plan);
	mlx5lm_plan_get_u64(plan, MLX5LM_PLAN_WRITES, &bench->cost->writes);
	mlx5lm_plan_get_u64(plan, MLX5LM_PLAN_MESSAGES, &bench->cost->messages);
}

static void configure(struct bench *bench, const char *state, const char *journal)
{
	struct mlx5lm_host *host;
	struct mlx5lm_plan *steps;

	if (state)
		start_from(bench, state);
	host = probe(bench);
	steps = plan(bench, host);
	if ((mlx5lm_plan_length(steps) == 0) != !state)
		die("the VFs are not as they should be before the run", NULL);
	apply(bench, steps, journal);
	mlx5lm_plan_free(steps);
	mlx5lm_host_free(host);
}

static void run_configure(struct bench *bench)
{
	configure(bench, "0", bench->journal);
}

static void run_without_journal(struct bench *bench)
{
	configure(bench, "0", NULL);
}

static void run_again(struct bench *bench)
{
	configure(bench, NULL, bench->journal);
}

static void run_taken(struct bench *bench)
{
	char state[64];

	snprintf(state, sizeof(state), "%u mlx5_core", bench->num_vfs);
	configure(bench, state, bench->journal);
}

static void run_probe(struct bench *bench)
{
	mlx5lm_host_free(probe(bench));
}

static void run_plan(struct bench *bench)
{
	static struct mlx5lm_host *host;

	if (!host) {
		start_from(bench, "0");
		host = probe(bench);
	}
	mlx5lm_plan_free(plan(bench, host));
}

static double us(struct timeval time)
{
	return (double)time.tv_sec * 1e6 + (double)time.tv_usec;
}

/*
 * In a process of its own, since the kernel splits the time of a process into user and system by
 * what its clock tick meets, over all of its life. Children that write a few files live too short
 * for that, and what they spend in the kernel is mostly counted as user: so they are told apart.
 */
static struct cost measure(struct bench *bench, void (*run)(struct bench *bench), unsigned int runs)
{
	int status;
	pid_t pid;

	*bench->cost = (struct cost){ 0 };
	pid = fork();
	if (pid == 0) {
		struct rusage self, children;

		for (unsigned int i = 0; i < runs; i++)
			run(bench);
		getrusage(RUSAGE_SELF, &self);
		getrusage(RUSAGE_CHILDREN, &children);
		bench->cost->user_us = us(self.ru_utime) / runs;
		bench->cost->system_us = us(self.ru_stime) / runs;
		bench->cost->children_user_us = us(children.ru_utime) / runs;
		bench->cost->children_system_us = us(children.ru_stime) / runs;
		for (size_t i = 0; i < MAX_KINDS; i++)
			bench->cost->kinds[i].cpu_us /= runs;
		exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		die("a measurement failed", NULL);
	return *bench->cost;
}

static void print(const struct bench *bench, const char *name, struct cost cost)
{
	double n = bench->num_vfs;

	printf("  %-34s%9.1f%9.1f%9.1f%9.1f\n", name, cost.user_us / n, cost.system_us / n,
	       cost.children_user_us / n, cost.children_system_us / n);
}

static struct cost minus(struct cost a, struct cost b)
{
	a.user_us -= b.user_us;
	a.system_us -= b.system_us;
	a.children_user_us -= b.children_user_us;
	a.children_system_us -= b.children_system_us;
	return a;
}

static void print_kinds(const struct bench *bench, const struct cost *cost)
{
	printf("of the steps, user and system together, without children:\n");
	for (size_t i = 0; i < MAX_KINDS && cost->kinds[i].id[0]; i++)
		printf("  %-34s%9.1f\n", cost->kinds[i].id, cost->kinds[i].cpu_us / bench->num_vfs);
}

static int report(struct bench *bench)
{
	struct cost empty_probe, steps, without, whole, again, taken, ready_probe;
	double user_us;

	steps = measure(bench, run_plan, bench->runs);
	empty_probe = measure(bench, run_probe, bench->runs);
	without = measure(bench, run_without_journal, bench->runs);
	ready_probe = measure(bench, run_probe, bench->runs);
	again = measure(bench, run_again, bench->runs);
	taken = measure(bench, run_taken, bench->runs);
	whole = measure(bench, run_configure, bench->runs);
	printf("processor time in us for each of %u VFs, mean of %u runs:\n", bench->num_vfs,
	       bench->runs);
	printf("(children are short-lived, so most of what they spend in the kernel counts as "
	       "user)\n");
	printf("  %-34s%18s%18s\n", "", "library", "its children");
	printf("  %-34s%9s%9s%9s%9s\n", "", "user", "system", "user", "system");
	print(bench, "legacy, no VFs -> ready", whole);
	print(bench, "  of it: probe before", empty_probe);
	print(bench, "  of it: plan", steps);
	print(bench, "  of it: journal", minus(whole, without));
	print(bench, "  of it: apply and verify", minus(minus(without, empty_probe), steps));
	print(bench, "VFs on mlx5_core, legacy -> ready", taken);
	print(bench, "again, nothing to do", again);
	print(bench, "probe of VFs that are ready", ready_probe);
	print_kinds(bench, &whole);
	printf("%" PRIu64 " steps, %.2f writes and %.2f netlink messages for each VF\n",
	       whole.steps, (double)whole.writes / bench->num_vfs,
	       (double)whole.messages / bench->num_vfs);
	user_us = (whole.user_us + whole.children_user_us) / bench->num_vfs;
	printf("%s  at most %d us of user time for each VF, children too: %.1f\n",
	       user_us <= MAX_USER_US ? "reached" : "MISSED ", MAX_USER_US, user_us);
	return user_us > MAX_USER_US;
}

static void prepare(struct bench *bench)
{
	if (mlx5lm_ctx_new(&bench->ctx) < 0 || mlx5lm_config_new(&bench->config) < 0 ||
	    mlx5lm_ctx_set_root(bench->ctx, bench->root, NULL) < 0 ||
	    mlx5lm_probe_options_new(&bench->options) < 0 ||
	    mlx5lm_probe_options_set_libvirt_uri(bench->options, NULL) < 0 ||
	    mlx5lm_config_set_num_vfs(bench->config, bench->num_vfs) < 0 ||
	    mlx5lm_config_set_eswitch_mode(bench->config, MLX5LM_ESWITCH_SWITCHDEV) < 0 ||
	    mlx5lm_config_set_vf_attr(bench->config, MLX5LM_VF_ALL, MLX5LM_PORT_ATTR_MIGRATABLE,
				      MLX5LM_PORT_ATTR_STATE_ENABLED) < 0 ||
	    mlx5lm_config_set_vf_driver(bench->config, MLX5LM_VF_ALL, "mlx5_vfio_pci") < 0)
		die("cannot prepare", NULL);
	bench->cost = mmap(NULL, sizeof(*bench->cost), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (bench->cost == MAP_FAILED)
		die("out of memory", NULL);
}

static struct tree *make_tree(const struct tree_pf *pf)
{
	struct tree *tree = tree_new();
	char target[32];

	tree_add_host(tree, true);
	tree_add_loaded_module(tree, "mlx5_core", NULL);
	tree_add_loaded_module(tree, "mlx5_vfio_pci", NULL);
	tree_add_loaded_module(tree, "vfio_pci", NULL);
	tree_add_pf(tree, pf);
	tree_write(tree, "", "sys/bus/pci/drivers/mlx5_vfio_pci/bind");
	tree_write(tree, "", "sys/bus/pci/drivers/mlx5_vfio_pci/unbind");
	tree_write(tree, "", KERNEL_START_FILE);
	tree_make_dir(tree, "journal");
	for (int i = 0; i < NUM_PROCESSES * NUM_FDS; i++) {
		snprintf(target, sizeof(target), "socket:[%d]", i);
		tree_write(tree, "process\n", "proc/%d/comm", 1000 + i / NUM_FDS);
		tree_link(tree, target, "proc/%d/fd/%d", 1000 + i / NUM_FDS, i % NUM_FDS);
	}
	return tree;
}

static unsigned int parse(const char *text, unsigned int max)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (*end || !number || number > max) {
		fputs(usage, stderr);
		exit(3);
	}
	return (unsigned int)number;
}

int main(int argc, char **argv)
{
	struct bench bench = { .runs = 20, .num_vfs = 127 };
	struct tree_pf pf = { .bdf = PF, .device_id = 0x1021 };
	int word, fds[2], status;
	struct tree *tree;
	pid_t pid;

	while ((word = getopt_long(argc, argv, "", words, NULL)) != -1) {
		if (word == 'r')
			bench.runs = parse(optarg, MAX_RUNS);
		else
			bench.num_vfs = parse(word == 'n' ? optarg : "", 4096);
	}
	pf.total_vfs = bench.num_vfs;
	tree = make_tree(&pf);
	snprintf(bench.root, sizeof(bench.root), "%s", tree_path(tree));
	snprintf(bench.start, sizeof(bench.start), "%.40s/" KERNEL_START_FILE, bench.root);
	snprintf(bench.journal, sizeof(bench.journal), "%.40s/journal", bench.root);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		die("no socket", NULL);
	pid = fork();
	if (pid == 0) {
		kernel_trap(fds[1]);
		prepare(&bench);
		exit(report(&bench));
	}
	if (pid < 0)
		die("no process", NULL);
	kernel_play(tree, &pf, fds[0], pid);
	waitpid(pid, &status, 0);
	tree_free(tree);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

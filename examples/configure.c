// SPDX-License-Identifier: MIT-0
/* Brings a PF to a wanted state, such as "N VFs ready for live migration". */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common.h"
#include "plan_show.h"
#include "wishes.h"

#define JOURNAL_DIR "/var/lib/mlx5lm"

static const char usage[] =
	"Usage: mlx5lm-configure --pf BDF WISH... [OPTION]...\n"
	"       mlx5lm-configure --pf BDF --undo | --recover WAY [OPTION]...\n"
	"Shows the steps from what the PF is to what is wanted. Changes nothing without\n"
	"--apply; then each step is read back, and all is undone if one fails.\n\n"
	"Wishes; what none is about stays as it is:\n"
	"  --vfs N           N VFs ready for live migration: switchdev mode, migratable,\n"
	"                    bound to mlx5_vfio_pci; 0 removes them, back to legacy mode\n"
	"  --mode MODE       legacy or switchdev\n"
	"  --vf I:KEY=VALUE  a setting of VF number I, or of \"all\":\n"
	"                    hw_addr=ADDRESS, driver=mlx5_vfio_pci|mlx5_core| (none),\n"
	"                    roce|migratable|ipsec_crypto|ipsec_packet=enable|disable,\n"
	"                    max_io_eqs=N, msix_count=N, representor=up|down\n"
	"  --mac I=ADDRESS   the same as --vf I:hw_addr=ADDRESS\n"
	"  --release I       VF number I, or \"all\", back to the host: not migratable,\n"
	"                    bound to mlx5_core\n"
	"  --nv NAME=VALUE   SRIOV_EN, NUM_OF_VFS or VF_MIGRATION_MODE of the adapter's\n"
	"                    NV configuration; implies --nv-tools\n"
	"  --config FILE     all of these in JSON; other wishes go before it\n"
	"  --firmware-reset  restart the adapter if its NV configuration needs that\n"
	"  --live-guests     change the eswitch mode even if a guest has a VF\n\n"
	"Instead of wishes:\n"
	"  --undo            back to what was before the last --apply\n"
	"  --recover WAY     end one that was interrupted: finish or undo\n\n"
	"Options:\n"
	"  --apply           do it; Ctrl-C undoes it\n"
	"  --dry-run         change nothing, as without --apply\n"
	"  --explain         show the reason of each step, and the command for it\n"
	"  --json            print the plan as JSON; with --apply when it is over\n"
	"  --shell           print the plan as shell commands\n"
	"  --keep-good       if a VF fails, put it back as it was and finish the others\n"
	"  --stop            if a step fails, leave all as it is then, for --recover\n"
	"  --journal DIR     where to note what was before (default " JOURNAL_DIR ";\n"
	"                    \"\" notes nothing: no --undo, no --recover)\n"
	"  --nv-tools        run mstconfig or mlxconfig to read the NV configuration\n"
	"  --libvirt URI     ask this libvirt daemon which VFs are in use (default\n"
	"                    qemu:///system; \"\" asks none)\n"
	"  --timeout SECONDS how long looking at the host may take (default 30)\n"
	"  --root DIR        look at the host below DIR\n"
	"  --host FILE       plan for the host that mlx5lm-probe --json wrote to FILE\n"
	"  --help, --version\n\n"
	"Exit status: 0 done, shown or nothing to do, 1 failed, 2 unknown, 3 usage.\n";

static const struct option long_options[] = {
	{ "pf", required_argument, NULL, 'p' },	      { "vfs", required_argument, NULL, 'n' },
	{ "mode", required_argument, NULL, 'o' },     { "vf", required_argument, NULL, 'f' },
	{ "mac", required_argument, NULL, 'm' },      { "release", required_argument, NULL, 'r' },
	{ "nv", required_argument, NULL, 'N' },	      { "config", required_argument, NULL, 'c' },
	{ "firmware-reset", no_argument, NULL, 'F' }, { "live-guests", no_argument, NULL, 'G' },
	{ "undo", no_argument, NULL, 'u' },	      { "recover", required_argument, NULL, 'R' },
	{ "apply", no_argument, NULL, 'a' },	      { "dry-run", no_argument, NULL, 'd' },
	{ "explain", no_argument, NULL, 'e' },	      { "json", no_argument, NULL, 'j' },
	{ "shell", no_argument, NULL, 's' },	      { "keep-good", no_argument, NULL, 'k' },
	{ "stop", no_argument, NULL, 'S' },	      { "journal", required_argument, NULL, 'J' },
	{ "nv-tools", no_argument, NULL, 't' },	      { "libvirt", required_argument, NULL, 'l' },
	{ "timeout", required_argument, NULL, 'T' },  { "root", required_argument, NULL, 'D' },
	{ "host", required_argument, NULL, 'H' },     { "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'v' },	      { NULL, 0, NULL, 0 },
};

/* What the command line asks for. */
struct job {
	struct mlx5lm_probe_options *probe;
	struct wish *wishes;
	size_t num_wishes;
	enum mlx5lm_recovery way;
	enum mlx5lm_failure_policy policy;
	const char *pf, *journal, *root, *host;
	int form; /* 'j', 's', or text */
	int apply, dry_run, explain;
};

static volatile sig_atomic_t cancelled;

/* The step that runs is finished; killing the process would leave it in between. */
static void cancel(int signal_number)
{
	static const char message[] = "\ncancelled: what has begun is finished first\n";

	(void)signal_number;
	if (!cancelled && write(STDERR_FILENO, message, sizeof(message) - 1) < 0)
		cancelled = 1;
	cancelled = 1;
}

static void catch_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = cancel, .sa_flags = SA_RESTART }, before;

	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		/* nohup and shells want some ignored. */
		if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	}
	/* That nobody reads the progress any more is no reason to stop half-way. */
	signal(SIGPIPE, SIG_IGN);
}

static int on_step(const struct mlx5lm_plan *plan, size_t index, enum mlx5lm_step_state state,
		   void *userdata)
{
	if (userdata)
		show_progress(userdata, plan, index, state);
	return cancelled ? -1 : 0;
}

static enum mlx5lm_recovery parse_way(const char *text)
{
	if (strcmp(text, "finish") == 0)
		return MLX5LM_RECOVERY_FINISH;
	if (strcmp(text, "undo") == 0)
		return MLX5LM_RECOVERY_UNDO;
	fprintf(stderr, "error: %s: expected finish or undo\n", text);
	exit(EXIT_USAGE);
}

static int set_probe_option(struct mlx5lm_probe_options *options, int option, const char *value)
{
	switch (option) {
	case 'l':
		return mlx5lm_probe_options_set_libvirt_uri(options, *value ? value : NULL);
	case 'T':
		return mlx5lm_probe_options_set_timeout_ms(
			options, (uint32_t)parse_number(value, 1000000) * 1000);
	case 't':
	case 'N':
		return mlx5lm_probe_options_set_nv_tools(options, 1);
	default:
		return 0;
	}
}

static void set_option(struct job *job, int option, char *value)
{
	switch (option) {
	case 'p':
		job->pf = value;
		break;
	case 'u':
		job->way = MLX5LM_RECOVERY_UNDO;
		break;
	case 'R':
		job->way = parse_way(value);
		break;
	case 'a':
		job->apply = 1;
		break;
	case 'd':
		job->dry_run = 1;
		break;
	case 'e':
		job->explain = 1;
		break;
	case 'j':
	case 's':
		job->form = option;
		break;
	case 'k':
		job->policy = MLX5LM_FAILURE_POLICY_KEEP_GOOD_VFS;
		break;
	case 'S':
		job->policy = MLX5LM_FAILURE_POLICY_STOP;
		break;
	case 'J':
		job->journal = *value ? value : NULL;
		break;
	case 'D':
		job->root = value;
		break;
	case 'H':
		job->host = value;
		break;
	case 'l':
	case 'T':
	case 't':
		break;
	default:
		job->wishes[job->num_wishes++] = (struct wish){ option, value };
	}
}

/* Negative to go on, else the exit status. */
static int parse(int argc, char **argv, struct job *job)
{
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (option) {
		case 'h':
			fputs(usage, stdout);
			return EXIT_READY;
		case 'v':
			printf("mlx5lm-configure %s\n", mlx5lm_version_str());
			return EXIT_READY;
		case '?':
			fputs("See mlx5lm-configure --help.\n", stderr);
			return EXIT_USAGE;
		}
		if (set_probe_option(job->probe, option, optarg) < 0) {
			fprintf(stderr, "error: %s: not usable\n", optarg);
			return EXIT_USAGE;
		}
		set_option(job, option, optarg);
	}
	return -1;
}

/* What makes no sense together, or NULL. */
static const char *find_mistake(const struct job *job, int unused)
{
	if (unused)
		return "all words belong to options";
	if (!job->pf)
		return "--pf is needed";
	if (!job->num_wishes && !job->way)
		return "a wish is needed, --undo or --recover";
	if (job->num_wishes && job->way)
		return "--undo and --recover go without wishes";
	if (job->way && !job->journal)
		return "--undo and --recover need a journal";
	if (job->way && job->host)
		return "--undo and --recover are for this host";
	if (job->apply && (job->dry_run || job->form == 's' || job->host))
		return "--apply goes with none of --dry-run, --shell, --host";
	return NULL;
}

/* The plan; else NULL, and the exit status. */
static struct mlx5lm_plan *make_plan(const struct job *job, struct mlx5lm_ctx *ctx, int *ret)
{
	struct mlx5lm_config *config = NULL;
	struct mlx5lm_error *error = NULL;
	struct mlx5lm_plan *plan = NULL;
	struct mlx5lm_host *host = NULL;
	int r = 0;

	if (job->way) {
		r = mlx5lm_plan_recover(ctx, job->journal, job->pf, job->way, &plan, &error);
	} else {
		config = new_config(job->wishes, job->num_wishes);
		if (job->host)
			host = read_host(job->host);
		else
			r = mlx5lm_host_probe(ctx, job->probe, &host, &error);
		if (r == 0)
			r = mlx5lm_plan_new(host, job->pf, config, &plan, &error);
	}
	mlx5lm_host_free(host);
	mlx5lm_config_free(config);
	if (r < 0)
		print_error(error);
	/* Facts are missing: nothing says that it cannot be done. */
	*ret = r == -EPERM || (r == -ENODATA && !job->way) ? EXIT_UNKNOWN : EXIT_NOT_READY;
	return plan;
}

/* The journal's directory is this program's to make; without it the library refuses. */
static int set_journal(const struct job *job, struct mlx5lm_plan *plan)
{
	if (job->way || !job->journal)
		return 0;
	if (mkdir(job->journal, 0700) < 0 && errno != EEXIST)
		fprintf(stderr, "warning: %s: %s\n", job->journal, strerror(errno));
	return mlx5lm_plan_set_journal(plan, job->journal);
}

static int apply(const struct job *job, struct mlx5lm_plan *plan, struct mlx5lm_ctx *ctx)
{
	struct progress progress = { .terminal = isatty(STDOUT_FILENO) };
	struct mlx5lm_error *error = NULL;
	int r;

	if (set_journal(job, plan) < 0 || mlx5lm_plan_set_failure_policy(plan, job->policy) < 0 ||
	    mlx5lm_plan_set_progress(plan, on_step, job->form ? NULL : &progress, NULL) < 0) {
		fprintf(stderr, "error: out of memory\n");
		return EXIT_NOT_READY;
	}
	catch_signals();
	r = mlx5lm_plan_apply(plan, ctx, &error);
	if (!job->form && (job->way || mlx5lm_plan_length(plan))) {
		end_progress(&progress);
		show_outcome(plan, r, error);
	}
	if (r < 0)
		print_error(error);
	return r == 0 ? EXIT_READY : EXIT_NOT_READY;
}

static void print_form(const struct job *job, const struct mlx5lm_plan *plan)
{
	struct mlx5lm_text *text = NULL;

	mlx5lm_plan_serialize(plan, job->form == 's' ? MLX5LM_PLAN_FORMAT_SHELL :
						       MLX5LM_PLAN_FORMAT_JSON, &text);
	print_text(text);
}

static int run(const struct job *job)
{
	struct mlx5lm_error *error = NULL;
	struct mlx5lm_ctx *ctx = new_ctx();
	struct mlx5lm_plan *plan;
	int status;

	if (job->root && mlx5lm_ctx_set_root(ctx, job->root, &error) < 0)
		die(error);
	plan = make_plan(job, ctx, &status);
	if (plan) {
		status = EXIT_READY;
		if (!job->form)
			show_plan(plan, job->pf, job->explain);
		if (!job->form && mlx5lm_plan_length(plan) == 0)
			printf("nothing to do: PF %s is as %s\n", job->pf,
			       job->way == MLX5LM_RECOVERY_UNDO ? "before" : "wanted");
		/* Without steps, too: there may be a journal to close, or that must not be open. */
		if (job->apply)
			status = apply(job, plan, ctx);
		else if (!job->form && (job->way || mlx5lm_plan_length(plan)))
			printf("nothing has been changed; --apply does it\n");
		if (job->form)
			print_form(job, plan);
	}
	mlx5lm_plan_free(plan);
	mlx5lm_ctx_unref(ctx);
	return status;
}

int main(int argc, char **argv)
{
	struct job job = {
		.policy = MLX5LM_FAILURE_POLICY_UNDO,
		.journal = JOURNAL_DIR,
	};
	const char *mistake;
	int status;

	job.wishes = calloc((size_t)argc, sizeof(*job.wishes));
	if (!job.wishes || mlx5lm_probe_options_new(&job.probe) < 0 ||
	    mlx5lm_probe_options_set_libvirt_uri(job.probe, "qemu:///system") < 0) {
		fprintf(stderr, "error: out of memory\n");
		return EXIT_NOT_READY;
	}
	status = parse(argc, argv, &job);
	if (status < 0) {
		mistake = find_mistake(&job, optind < argc);
		if (mistake)
			fprintf(stderr, "error: %s\nSee mlx5lm-configure --help.\n", mistake);
		status = mistake ? EXIT_USAGE : run(&job);
	}
	mlx5lm_probe_options_free(job.probe);
	free(job.wishes);
	return status;
}

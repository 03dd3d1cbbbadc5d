// SPDX-License-Identifier: MIT-0
/*
 * Moves a domain with its VFs live to another host, in an event loop of its own: poll() on the
 * session's file descriptor and on a signalfd, so that Ctrl-C cancels.
 */
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common.h"

static const char usage[] =
	"Usage: mlx5lm-migrate --domain NAME --to URI --destination FILE [OPTION]...\n"
	"Moves a running libvirt domain that owns mlx5 VFs live to another host.\n\n"
	"  --domain NAME        name or UUID of the domain\n"
	"  --to URI             libvirt URI of the destination\n"
	"  --destination FILE   snapshot of the destination (mlx5lm-probe --json there)\n"
	"  --from URI           libvirt URI of the source (default qemu:///system)\n"
	"  --source FILE        snapshot of the source (default: probe this host)\n"
	"  --vf SOURCE=DEST     destination VF for a VF of the domain (default: paired)\n"
	"  --data-uri URI       where QEMU sends the data, such as tcp://10.0.0.2\n"
	"  --downtime MS        downtime limit in milliseconds\n"
	"  --bandwidth MIB      bandwidth limit in MiB/s\n"
	"  --deadline S         cancel if it takes longer, in seconds\n"
	"  --json               one line of JSON for each event\n"
	"  --help, --version\n\n"
	"Ctrl-C cancels and leaves the domain where it is.\n"
	"Exit status: 0 done, 1 failed or cancelled, 2 unknown, 3 usage.\n";

struct view {
	int json;
	int terminal;
};

static uint64_t number(const struct mlx5lm_progress *progress, enum mlx5lm_progress_key key)
{
	uint64_t value = 0;

	mlx5lm_progress_get_u64(progress, key, &value);
	return value;
}

static void print_bar(const struct mlx5lm_progress *progress)
{
	static const char full[] = "##############################";
	unsigned int percent = (unsigned int)number(progress, MLX5LM_PROGRESS_PERCENT);

	printf("\r\033[K%5.1f s %-10s [%-30.*s] %3u %%  %6.1f MiB left  pass %" PRIu64
	       "  VF state %" PRIu64 " bytes",
	       (double)number(progress, MLX5LM_PROGRESS_ELAPSED_MS) / 1000,
	       mlx5lm_phase_str(mlx5lm_progress_get_phase(progress)),
	       (int)(percent * 30 / 100), full, percent,
	       (double)number(progress, MLX5LM_PROGRESS_MEMORY_REMAINING_BYTES) / (1 << 20),
	       number(progress, MLX5LM_PROGRESS_ITERATION),
	       number(progress, MLX5LM_PROGRESS_VFIO_TRANSFERRED_BYTES));
}

static int show(const struct mlx5lm_progress *progress, void *userdata)
{
	const struct view *view = userdata;
	struct mlx5lm_text *text = NULL;

	if (view->json) {
		mlx5lm_progress_serialize(progress, &text);
		print_text(text);
	} else if (view->terminal) {
		print_bar(progress);
		if (mlx5lm_progress_get_event(progress) == MLX5LM_EVENT_DONE)
			printf("\n");
	} else if (mlx5lm_progress_get_event(progress) != MLX5LM_EVENT_SAMPLE) {
		printf("%8.1f s  %-10s  %3" PRIu64 " %%\n",
		       (double)number(progress, MLX5LM_PROGRESS_ELAPSED_MS) / 1000,
		       mlx5lm_phase_str(mlx5lm_progress_get_phase(progress)),
		       number(progress, MLX5LM_PROGRESS_PERCENT));
	}
	fflush(stdout);
	return 0;
}

static void print_result(const struct mlx5lm_progress *progress)
{
	uint64_t value;

	printf("migrated in %.1f s", (double)number(progress, MLX5LM_PROGRESS_ELAPSED_MS) / 1000);
	if (mlx5lm_progress_get_u64(progress, MLX5LM_PROGRESS_DOWNTIME_MS, &value) == 0)
		printf(", downtime %" PRIu64 " ms", value);
	if (mlx5lm_progress_get_u64(progress, MLX5LM_PROGRESS_DATA_PROCESSED_BYTES, &value) == 0)
		printf(", %" PRIu64 " bytes", value);
	if (mlx5lm_progress_get_u64(progress, MLX5LM_PROGRESS_VFIO_TRANSFERRED_BYTES, &value) == 0)
		printf(", VF state %" PRIu64 " bytes", value);
	printf("\n");
}

/* Blocks SIGINT and SIGTERM for all threads to come; they arrive on a file descriptor. */
static int open_signals(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int run(struct mlx5lm_session *session, int signal_fd)
{
	struct pollfd fds[] = {
		{ .fd = mlx5lm_session_get_fd(session), .events = POLLIN },
		{ .fd = signal_fd, .events = POLLIN },
	};
	struct mlx5lm_error *error = NULL;
	struct signalfd_siginfo info;
	int r = mlx5lm_session_start(session, &error);

	if (r < 0)
		die(error);
	do {
		poll(fds, 2, -1);
		if (read(signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
			mlx5lm_session_cancel(session);
		r = mlx5lm_session_dispatch(session, &error);
	} while (r > 0);
	if (r < 0)
		die(error);
	if (mlx5lm_session_get_result(session, &error) < 0) {
		print_error(error);
		return EXIT_NOT_READY;
	}
	return EXIT_READY;
}

/* Sets one option of the session; negative if it does not like the value. */
static int set_option(struct mlx5lm_session_options *options, int option, char *value)
{
	const char *destination;

	switch (option) {
	case 'd':
		return mlx5lm_session_options_set_domain(options, value);
	case 't':
		return mlx5lm_session_options_set_destination_uri(options, value);
	case 'u':
		return mlx5lm_session_options_set_data_uri(options, value);
	case 'v':
		destination = split_at_equals(value);
		return mlx5lm_session_options_set_vf(options, value, destination);
	case 'm':
		return mlx5lm_session_options_set_downtime_limit_ms(
			options, (uint32_t)parse_number(value, UINT32_MAX));
	case 'b':
		return mlx5lm_session_options_set_bandwidth_mib_per_s(
			options, parse_number(value, UINT32_MAX));
	case 'e':
		return mlx5lm_session_options_set_total_deadline_ms(
			options, (uint64_t)parse_number(value, 1000000) * 1000);
	default:
		return -1;
	}
}

static const struct option long_options[] = {
	{ "domain", required_argument, NULL, 'd' },   { "to", required_argument, NULL, 't' },
	{ "from", required_argument, NULL, 'f' },     { "data-uri", required_argument, NULL, 'u' },
	{ "vf", required_argument, NULL, 'v' },	      { "downtime", required_argument, NULL, 'm' },
	{ "bandwidth", required_argument, NULL, 'b' }, { "deadline", required_argument, NULL, 'e' },
	{ "destination", required_argument, NULL, 'D' }, { "source", required_argument, NULL, 'S' },
	{ "json", no_argument, NULL, 'j' },	      { "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },	      { NULL, 0, NULL, 0 },
};

/* What the command line asks for. */
struct job {
	struct mlx5lm_session_options *options;
	struct mlx5lm_host *source;
	struct mlx5lm_host *destination;
	const char *from;
	struct view view;
};

static void release(struct job *job)
{
	mlx5lm_session_options_free(job->options);
	mlx5lm_host_free(job->source);
	mlx5lm_host_free(job->destination);
}

/* Negative to go on, else the exit status. */
static int parse(int argc, char **argv, struct job *job)
{
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (option) {
		case 'D':
			job->destination = read_host(optarg);
			break;
		case 'S':
			job->source = read_host(optarg);
			break;
		case 'f':
			job->from = optarg;
			break;
		case 'j':
			job->view.json = 1;
			break;
		case 'h':
			fputs(usage, stdout);
			return EXIT_READY;
		case 'V':
			printf("mlx5lm-migrate %s\n", mlx5lm_version_str());
			return EXIT_READY;
		case '?':
			fputs(usage, stderr);
			return EXIT_USAGE;
		default:
			if (set_option(job->options, option, optarg) < 0) {
				fprintf(stderr, "error: %s: not usable\n", optarg);
				return EXIT_USAGE;
			}
		}
	}
	if (!job->destination || optind < argc) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	return -1;
}

static int migrate(struct job *job, int signal_fd)
{
	struct mlx5lm_error *error = NULL;
	struct mlx5lm_session *session;
	struct mlx5lm_ctx *ctx = new_ctx();
	int status;

	if (!job->source)
		job->source = probe_host(ctx, job->from);
	if (mlx5lm_session_options_set_source_uri(job->options, job->from) < 0 ||
	    mlx5lm_session_options_set_hosts(job->options, job->source, job->destination) < 0)
		return EXIT_NOT_READY;
	if (mlx5lm_session_new(ctx, job->options, &session, &error) < 0) {
		print_error(error);
		mlx5lm_ctx_unref(ctx);
		return EXIT_USAGE;
	}
	mlx5lm_session_set_progress(session, show, &job->view, NULL);
	status = run(session, signal_fd);
	if (status == EXIT_READY && !job->view.json)
		print_result(mlx5lm_session_get_progress(session));
	mlx5lm_session_unref(session);
	mlx5lm_ctx_unref(ctx);
	return status;
}

int main(int argc, char **argv)
{
	struct job job = {
		.from = "qemu:///system",
		.view.terminal = isatty(STDOUT_FILENO),
	};
	int status, signal_fd = open_signals();

	if (mlx5lm_session_options_new(&job.options) < 0)
		return EXIT_NOT_READY;
	status = parse(argc, argv, &job);
	if (status < 0)
		status = migrate(&job, signal_fd);
	release(&job);
	close(signal_fd);
	return status;
}

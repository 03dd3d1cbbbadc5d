// SPDX-License-Identifier: MIT-0
/*
 * Moves a domain with its VFs live to another host, in an event loop of its own: poll() on the
 * session's file descriptor and on a signalfd, so that Ctrl-C cancels. The command line is in
 * job.c, what is seen of it in view.c, and what is done at the destination in destination.c.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common.h"
#include "destination.h"
#include "job.h"

/* What a signal is about. */
struct control {
	struct job *job;
	struct mlx5lm_session *session; /* NULL: not begun */
	int signal_fd;
	int count;
};

/* Blocks them for all threads to come; they arrive on a file descriptor. */
static int open_signals(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGQUIT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	/* An agent that has gone, or a reader of the progress, is no reason to drop a guest. */
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Without the clean-up that would wait for the end. */
static _Noreturn void leave(const struct control *control)
{
	struct job *job = control->job;

	if (!control->session)
		_exit(EXIT_NOT_READY);
	if (job->direct)
		view_say(&job->view, "left: the migration ends with this program, and the guest "
			 "stays at the source");
	else if (job->journal)
		view_say(&job->view, "left: what the daemons do goes on; to take it over:\n"
			 "  mlx5lm-migrate --attach %s --journal %s %s", job->domain, job->journal,
			 job->target_uri ? job->target_uri : "");
	else
		view_say(&job->view, "left: what the daemons do goes on; virsh domjobabort %s "
			 "ends it", job->domain);
	_exit(EXIT_UNKNOWN);
}

static void take_signal(void *userdata)
{
	struct control *control = userdata;
	struct signalfd_siginfo info;

	if (read(control->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	if (!control->session || info.ssi_signo == SIGQUIT || ++control->count > 2)
		leave(control);
	mlx5lm_session_cancel(control->session);
	if (control->count == 2)
		view_say(&control->job->view, "it is being cancelled; once more leaves at once");
	else if (control->job->view.terminal && !control->job->view.json)
		view_say(&control->job->view, "cancelling");
}

static int wait_for_end(struct mlx5lm_session *session, struct control *control)
{
	struct pollfd fds[] = {
		{ .fd = mlx5lm_session_get_fd(session), .events = POLLIN },
		{ .fd = control->signal_fd, .events = POLLIN },
	};
	struct mlx5lm_error *error = NULL;
	int r = mlx5lm_session_start(session, &error);

	while (r >= 0) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			break;
		if (fds[1].revents)
			take_signal(control);
		r = mlx5lm_session_dispatch(session, &error);
		if (r == 0)
			return 0;
	}
	if (error)
		print_error(error);
	return -1;
}

static void write_report(const struct mlx5lm_session *session, const char *path)
{
	struct mlx5lm_text *text = NULL;
	FILE *file = fopen(path, "we");

	if (!file) {
		fprintf(stderr, "warning: %s: %s\n", path, strerror(errno));
		return;
	}
	mlx5lm_session_serialize(session, MLX5LM_FORMAT_JSON, &text);
	print_text_to(file, text);
	if (fclose(file) != 0)
		fprintf(stderr, "warning: %s: %s\n", path, strerror(errno));
}

/* What a program or a person needs of the end; the exit status. */
static int show_end(const struct job *job, const struct mlx5lm_session *session)
{
	enum mlx5lm_reason reason = mlx5lm_session_get_reason(session);
	struct mlx5lm_error *error = NULL;
	struct mlx5lm_text *text = NULL;
	int r = mlx5lm_session_get_result(session, &error);

	if (job->report)
		write_report(session, job->report);
	if (!job->view.json) {
		mlx5lm_session_serialize(session, MLX5LM_FORMAT_TEXT, &text);
		print_text(text);
		fflush(stdout);
	}
	if (r == 0)
		return EXIT_READY;
	/* Who sees the report has read it. */
	if (job->view.json || !job->view.terminal || !isatty(STDERR_FILENO))
		print_error(error);
	else
		mlx5lm_error_free(error);
	return reason == MLX5LM_REASON_OUTCOME_UNKNOWN ? EXIT_UNKNOWN : EXIT_NOT_READY;
}

/* The two hosts, if the domain may have VFs. Negative if one cannot be had. */
static int look(struct job *job, struct mlx5lm_ctx *ctx, struct destination *destination,
		struct mlx5lm_host **source)
{
	if (job->attach || (!job->target_uri && !job->destination_file))
		return 0;
	destination->host = job->target_uri ? destination_probe(destination) :
					      read_host(job->destination_file);
	if (!destination->host)
		return -1;
	*source = job->source_file ? read_host(job->source_file) : probe_host(ctx, job->from);
	destination->source = *source;
	return mlx5lm_session_options_set_hosts(job->options, *source, destination->host);
}

static int new_session(struct job *job, struct mlx5lm_ctx *ctx, struct destination *destination,
		       struct mlx5lm_session **session)
{
	struct mlx5lm_error *error = NULL;
	int r = job->attach ?
			mlx5lm_session_attach(ctx, job->journal, job->domain, session, &error) :
			mlx5lm_session_new(ctx, job->options, session, &error);

	if (r < 0) {
		print_error(error);
		return job->attach ? EXIT_NOT_READY : EXIT_USAGE;
	}
	mlx5lm_session_set_progress(*session, view_show, &job->view, NULL);
	if (job->target_uri)
		mlx5lm_session_set_hook(*session, destination_hook, destination, NULL);
	return EXIT_READY;
}

static int migrate(struct job *job, struct destination *destination, struct control *control)
{
	struct mlx5lm_session *session = NULL;
	struct mlx5lm_host *source = NULL;
	struct mlx5lm_ctx *ctx = new_ctx();
	int status = EXIT_NOT_READY;

	if (look(job, ctx, destination, &source) == 0)
		status = new_session(job, ctx, destination, &session);
	if (session) {
		control->session = session;
		status = EXIT_NOT_READY;
		if (wait_for_end(session, control) == 0)
			status = show_end(job, session);
	}
	mlx5lm_session_unref(session);
	mlx5lm_host_free(destination->host);
	mlx5lm_host_free(source);
	mlx5lm_ctx_unref(ctx);
	return status;
}

/* The same, with an agent at the other side. */
static int migrate_with_agent(struct job *job, struct control *control)
{
	struct destination destination = { .source = NULL };
	int status, r;

	if (!job->target_uri)
		return migrate(job, &destination, control);
	r = remote_open(&destination.remote, &job->target, job->agent);
	if (r < 0) {
		fprintf(stderr, "error: ssh: %s\n", strerror(-r));
		return EXIT_NOT_READY;
	}
	destination.remote.signal_fd = control->signal_fd;
	destination.remote.on_signal = take_signal;
	destination.remote.userdata = control;
	status = migrate(job, &destination, control);
	remote_close(&destination.remote);
	return status;
}

int main(int argc, char **argv)
{
	struct job job = {
		.from = "qemu:///system",
		.agent = "mlx5lm-agent",
		.view.terminal = isatty(STDOUT_FILENO),
	};
	struct control control = { .job = &job };
	int status;

	control.signal_fd = open_signals();
	if (control.signal_fd < 0 || mlx5lm_session_options_new(&job.options) < 0) {
		fprintf(stderr, "error: out of memory\n");
		return EXIT_NOT_READY;
	}
	status = job_parse(&job, argc, argv);
	if (status < 0)
		status = migrate_with_agent(&job, &control);
	job_release(&job);
	close(control.signal_fd);
	return status;
}

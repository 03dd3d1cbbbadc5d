// SPDX-License-Identifier: MIT-0
/*
 * Several migrations in one thread, in an epoll loop that has more to do: a timer of its own, here
 * for a summary each second, and signals. Ctrl-C cancels all of them.
 */
#include <errno.h>
#include <inttypes.h>
#include <mlx5lm/mlx5lm.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define MAX_MIGRATIONS 32
#define MAX_AT_ONCE 2

struct migration {
	const char *domain;
	struct mlx5lm_session *session; /* NULL: over */
};

struct loop {
	int epoll_fd, timer_fd, signal_fd;
	struct migration migrations[MAX_MIGRATIONS];
	int num_migrations, num_running, num_failed;
};

static _Noreturn void die(const char *what, const char *why)
{
	fprintf(stderr, "error: %s: %s\n", what, why);
	exit(1);
}

/* What is told of the descriptor when it is readable: a migration, or the address of an fd. */
static void watch(struct loop *loop, int fd, void *what)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = what };

	if (fd < 0 || epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		die("epoll", strerror(errno));
}

static int on_event(const struct mlx5lm_progress *progress, void *userdata)
{
	const struct migration *migration = userdata;

	if (mlx5lm_progress_get_event(progress) != MLX5LM_EVENT_SAMPLE)
		printf("%s: %s: %s\n", migration->domain,
		       mlx5lm_event_str(mlx5lm_progress_get_event(progress)),
		       mlx5lm_phase_str(mlx5lm_progress_get_phase(progress)));
	return 0;
}

static void end_migration(struct loop *loop, struct migration *migration)
{
	struct mlx5lm_error *error = NULL;

	if (mlx5lm_session_get_result(migration->session, &error) < 0) {
		fprintf(stderr, "%s: %s: %s\n", migration->domain,
			mlx5lm_reason_str(mlx5lm_session_get_reason(migration->session)),
			mlx5lm_error_get_message(error));
		mlx5lm_error_free(error);
		loop->num_failed++;
	}
	/* The descriptor goes with the session, and with it out of the epoll set. */
	migration->session = mlx5lm_session_unref(migration->session);
	loop->num_running--;
}

static void dispatch(struct loop *loop, struct migration *migration)
{
	/* None: it ended by an event of the same epoll_wait(). */
	if (migration->session && mlx5lm_session_dispatch(migration->session, NULL) <= 0)
		end_migration(loop, migration);
}

static void show_summary(const struct loop *loop)
{
	uint64_t count;

	if (read(loop->timer_fd, &count, sizeof(count)) < 0)
		return;
	for (int i = 0; i < loop->num_migrations; i++) {
		const struct mlx5lm_progress *progress =
			mlx5lm_session_get_progress(loop->migrations[i].session);
		uint64_t percent = 0;

		if (mlx5lm_progress_get_u64(progress, MLX5LM_PROGRESS_PERCENT, &percent) == 0)
			printf("%s %" PRIu64 " %%  ", loop->migrations[i].domain, percent);
	}
	printf("\n");
}

static void cancel_all(struct loop *loop)
{
	struct signalfd_siginfo info;

	if (read(loop->signal_fd, &info, sizeof(info)) < 0)
		return;
	for (int i = 0; i < loop->num_migrations; i++)
		mlx5lm_session_cancel(loop->migrations[i].session);
}

static void run(struct loop *loop)
{
	struct epoll_event events[8];
	int n;

	while (loop->num_running) {
		n = epoll_wait(loop->epoll_fd, events, 8, -1);
		if (n < 0 && errno != EINTR)
			die("epoll", strerror(errno));
		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr == &loop->timer_fd)
				show_summary(loop);
			else if (events[i].data.ptr == &loop->signal_fd)
				cancel_all(loop);
			else
				dispatch(loop, events[i].data.ptr);
		}
		fflush(stdout);
	}
}

static void begin(struct loop *loop, struct mlx5lm_ctx *ctx, struct mlx5lm_session_options *options,
		  const char *domain)
{
	struct migration *migration = &loop->migrations[loop->num_migrations++];
	struct mlx5lm_error *error = NULL;

	migration->domain = domain;
	mlx5lm_session_options_set_str(options, MLX5LM_SESSION_DOMAIN, domain);
	if (mlx5lm_session_new(ctx, options, &migration->session, &error) < 0)
		die(domain, mlx5lm_error_get_message(error));
	mlx5lm_session_set_progress(migration->session, on_event, migration, NULL);
	watch(loop, mlx5lm_session_get_fd(migration->session), migration);
	if (mlx5lm_session_start(migration->session, &error) < 0)
		die(domain, mlx5lm_error_get_message(error));
	loop->num_running++;
}

static void read_snapshots(struct mlx5lm_ctx *ctx, const char *path,
			   struct mlx5lm_session_options *options)
{
	static char json[1 << 18];
	struct mlx5lm_host *source = NULL, *destination = NULL;
	struct mlx5lm_error *error = NULL;
	FILE *file = fopen(path, "re");
	size_t length = file ? fread(json, 1, sizeof(json), file) : 0;

	if (!file)
		die(path, strerror(errno));
	fclose(file);
	if (mlx5lm_host_probe(ctx, NULL, &source, &error) < 0 ||
	    mlx5lm_host_parse(json, length, &destination, &error) < 0)
		die(path, mlx5lm_error_get_message(error));
	mlx5lm_session_options_set_hosts(options, source, destination);
	mlx5lm_host_free(source);
	mlx5lm_host_free(destination);
}

int main(int argc, char **argv)
{
	const struct itimerspec second = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	struct mlx5lm_session_options *options;
	struct loop loop = { .epoll_fd = epoll_create1(EPOLL_CLOEXEC) };
	struct mlx5lm_ctx *ctx;
	sigset_t signals;

	if (argc < 4 || argc - 3 > MAX_MIGRATIONS) {
		fprintf(stderr, "Usage: watch-epoll DESTINATION-URI DESTINATION-SNAPSHOT VM...\n");
		return 3;
	}
	/* Before the first session: its threads inherit the mask. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	loop.signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	loop.timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	watch(&loop, loop.signal_fd, &loop.signal_fd);
	watch(&loop, loop.timer_fd, &loop.timer_fd);
	timerfd_settime(loop.timer_fd, 0, &second, NULL);
	if (mlx5lm_ctx_new(&ctx) < 0 || mlx5lm_session_options_new(&options) < 0)
		die("start", "out of memory");
	mlx5lm_ctx_set_max_sessions(ctx, MAX_AT_ONCE, 0);
	mlx5lm_session_options_set_str(options, MLX5LM_SESSION_DESTINATION_URI, argv[1]);
	read_snapshots(ctx, argv[2], options);
	for (int i = 3; i < argc; i++)
		begin(&loop, ctx, options, argv[i]);
	run(&loop);
	mlx5lm_session_options_free(options);
	mlx5lm_ctx_unref(ctx);
	return loop.num_failed ? 1 : 0;
}

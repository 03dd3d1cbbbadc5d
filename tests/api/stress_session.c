// SPDX-License-Identifier: LGPL-2.1-or-later

/*
 * Fifty sessions at once with mixed fates, each in a thread of its own, some cancelled by yet
 * another one at an arbitrary moment. A plain program, because Criterion cannot run under
 * ThreadSanitizer, which is what it is for: meson setup -Db_sanitize=thread.
 */

#include <mlx5lm/mlx5lm.h>

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "support/fake_libvirt.h"
#include "support/hosts.h"

#define SESSIONS 50

#define DOMAIN(device)                                                                             \
	"<domain type='kvm'><name>%s</name><uuid>%s</uuid><memory>1048576</memory>"                \
	"<os><type arch='x86_64' machine='pc-q35-9.2'>hvm</type></os>"                             \
	"<devices>" device "</devices></domain>"
#define VF                                                                                         \
	"<hostdev mode='subsystem' type='pci' managed='no'><source>"                               \
	"<address domain='0' bus='0x08' slot='0' function='2'/></source></hostdev>"

enum fate {
	LEFT_ALONE,
	CANCELLED,
	ABANDONED, /* unref while it runs */
	FETCHED,   /* by mlx5lm_session_next_event() */
	HOOKED,
	HOOK_FAILS,
	FAILS,
	FORCED,	   /* never converges, until somebody forces the switchover */
	HUNG,	   /* the source's daemon stops answering */
	ATTACHED,  /* to the migration of a process that was killed */
	QUEUED,	   /* to the same two hosts as the others of this fate, three at a time */
	FATES,
};

struct run {
	enum fate fate;
	useconds_t delay_us;
	char name[32], uuid[48];
	char here_uri[32], there_uri[32];
	struct fake_daemon *here, *there;
	struct mlx5lm_session *session;
	int result;
	int done_events;
	char hooks[64];
	pthread_t thread, other;
	int has_other;
};

static char dir[] = "/tmp/mlx5lm-stress-XXXXXX";

static void must(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "stress_session: %s\n", what);
	exit(1);
}

static void must_of(int ok, const struct run *run, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "stress_session: %s (fate %d, result %d, hooks '%s'): %s\n", run->name,
		(int)run->fate, run->result, run->hooks, what);
	exit(1);
}

static int count_done(const struct mlx5lm_progress *progress, void *userdata)
{
	struct run *run = userdata;

	run->done_events += mlx5lm_progress_get_event(progress) == MLX5LM_EVENT_DONE;
	return 0;
}

static int note_hook(struct mlx5lm_session *session, enum mlx5lm_hook hook, void *userdata)
{
	struct run *run = userdata;
	size_t length = strlen(run->hooks);

	(void)session;
	snprintf(run->hooks + length, sizeof(run->hooks) - length, "%s ", mlx5lm_hook_str(hook));
	usleep(1000);
	return run->fate == HOOK_FAILS && hook == MLX5LM_HOOK_PREPARE ? -EIO : 0;
}

static int fetch_all(struct run *run)
{
	const struct mlx5lm_progress *progress;
	int r;

	do {
		r = mlx5lm_session_next_event(run->session, UINT32_MAX, &progress, NULL);
		if (r > 0)
			count_done(progress, run);
	} while (r > 0);
	must_of(r == -ENODATA, run, "events do not end with the last one");
	return mlx5lm_session_get_result(run->session, NULL);
}

static void *migrate(void *argument)
{
	struct run *run = argument;

	if (run->fate == ABANDONED || run->fate == FETCHED)
		must_of(mlx5lm_session_start(run->session, NULL) == 0, run, "start fails");
	if (run->fate == ABANDONED)
		usleep(run->delay_us);
	else if (run->fate == FETCHED)
		run->result = fetch_all(run);
	else
		run->result = mlx5lm_session_run(run->session, NULL);
	mlx5lm_session_unref(run->session);
	return NULL;
}

/* Does something to a session from outside at an arbitrary moment. */
static void *disturb(void *argument)
{
	struct run *run = argument;

	usleep(run->delay_us);
	if (run->fate == CANCELLED)
		mlx5lm_session_cancel(run->session);
	else if (run->fate == FORCED)
		mlx5lm_session_force_switchover(run->session);
	mlx5lm_session_unref(run->session);
	return NULL;
}

static void set_guest(struct run *run)
{
	struct fake_domain *guest;
	char xml[1024];

	if (run->fate == QUEUED)
		snprintf(xml, sizeof(xml), DOMAIN(""), run->name, run->uuid);
	else
		snprintf(xml, sizeof(xml), DOMAIN(VF), run->name, run->uuid);
	guest = fake_domain(run->here, run->name, run->uuid, xml);
	guest->script = (struct fake_script){
		.end = run->fate == FAILS ? FAKE_FAILS : FAKE_MOVES,
		.code = VIR_ERR_OPERATION_FAILED,
		.message = "words of libvirt",
		.pre_copy_polls = 3,
		.switchover_polls = 1,
		.converges_at_ms = run->fate == FORCED ? 2000000 : 0,
	};
}

/* Those of the queue share theirs. */
static void set_world(struct run *run, size_t index)
{
	static struct fake_daemon *queue_here, *queue_there;
	bool queued = run->fate == QUEUED;
	int number = queued ? -1 : (int)index;

	snprintf(run->name, sizeof(run->name), "guest-%zu", index);
	snprintf(run->uuid, sizeof(run->uuid), "00000000-0000-4000-8000-%012zu", index);
	snprintf(run->here_uri, sizeof(run->here_uri), "fake://%d-a", number);
	snprintf(run->there_uri, sizeof(run->there_uri), "fake://%d-b", number);
	if (!queued || !queue_here) {
		run->here = fake_daemon(run->here_uri, run->here_uri);
		run->there = fake_daemon(run->there_uri, run->there_uri);
		fake_set_device(run->there, "0000:08:00.2", "mlx5_vfio_pci");
	}
	if (queued && !queue_here) {
		queue_here = run->here;
		queue_there = run->there;
	}
	if (queued) {
		run->here = queue_here;
		run->there = queue_there;
	}
	set_guest(run);
}

static struct mlx5lm_session *new_session(struct run *run, struct mlx5lm_ctx *ctx)
{
	struct mlx5lm_host *source = ready_host("a", 1), *destination = ready_host("b", 1);
	struct mlx5lm_session_options *options;
	struct mlx5lm_session *session;

	must(mlx5lm_session_options_new(&options) == 0, "no options");
	mlx5lm_session_options_set_str(options, MLX5LM_SESSION_DOMAIN, run->name);
	mlx5lm_session_options_set_str(options, MLX5LM_SESSION_SOURCE_URI, run->here_uri);
	mlx5lm_session_options_set_str(options, MLX5LM_SESSION_DESTINATION_URI, run->there_uri);
	mlx5lm_session_options_set_u64(options, MLX5LM_SESSION_INTERVAL_MS, 50);
	mlx5lm_session_options_set_u64(options, MLX5LM_SESSION_ANSWER_DEADLINE_MS,
				       run->fate == HUNG ? 1000 : 60000);
	if (run->fate == ATTACHED)
		mlx5lm_session_options_set_str(options, MLX5LM_SESSION_JOURNAL_DIR, dir);
	mlx5lm_session_options_set_hosts(options, source, destination);
	must(mlx5lm_session_new(ctx, options, &session, NULL) == 0, "no session");
	mlx5lm_session_options_free(options);
	mlx5lm_host_free(source);
	mlx5lm_host_free(destination);
	return session;
}

static void run_until_pre_copy_and_die(struct mlx5lm_session *session)
{
	const struct mlx5lm_progress *progress = mlx5lm_session_get_progress(session);
	struct pollfd fd = { .fd = mlx5lm_session_get_fd(session), .events = POLLIN };

	must(mlx5lm_session_start(session, NULL) == 0, "the one that is to die does not start");
	while (mlx5lm_progress_get_phase(progress) != MLX5LM_PHASE_PRE_COPY) {
		poll(&fd, 1, 1000);
		must(mlx5lm_session_dispatch(session, NULL) == 1, "it ends before its time");
	}
	raise(SIGKILL);
}

/* Another process begins, and is killed. */
static void begin_elsewhere(struct run *run, struct mlx5lm_ctx *ctx)
{
	int status = 0;
	pid_t child = fork();

	must(child >= 0, "no process");
	if (child == 0)
		run_until_pre_copy_and_die(new_session(run, ctx));
	must(waitpid(child, &status, 0) == child && WIFSIGNALED(status) &&
		     WTERMSIG(status) == SIGKILL, "the process was not killed in its time");
}

/* Its migration goes on. */
static struct mlx5lm_session *inherit_session(struct run *run, struct mlx5lm_ctx *ctx)
{
	struct mlx5lm_session *session = NULL;

	fake_start_job(run->here, run->name, run->there, "", VIR_MIGRATE_PEER2PEER);
	must(mlx5lm_session_attach(ctx, dir, run->name, &session, NULL) == 0, "cannot attach");
	return session;
}

static void prepare(struct run *run, struct mlx5lm_ctx *ctx, size_t index)
{
	run->delay_us = (useconds_t)(index * 6000);
	run->session = run->fate == ATTACHED ? inherit_session(run, ctx) : new_session(run, ctx);
	mlx5lm_session_set_progress(run->session, count_done, run, NULL);
	if (run->fate == HOOKED || run->fate == HOOK_FAILS || run->fate == ATTACHED ||
	    run->fate == FAILS)
		mlx5lm_session_set_hook(run->session, note_hook, run, NULL);
	if (run->fate == HUNG)
		fake_hang(run->here, FAKE_CALL_JOB);
	run->has_other = run->fate == CANCELLED || run->fate == FORCED;
	if (run->has_other)
		mlx5lm_session_ref(run->session);
}

static void check(const struct run *run)
{
	const struct fake_domain *here = fake_find(run->here, run->name);
	const struct fake_domain *there = fake_find(run->there, run->name);
	int stays = here && here->state == VIR_DOMAIN_RUNNING;
	int moved = there && there->state == VIR_DOMAIN_RUNNING;

	must_of(stays + moved == 1, run, "a guest runs nowhere or twice");
	if (run->fate == ABANDONED)
		return;
	must_of(run->done_events == 1, run, "not one final event");
	must_of((run->result == 0) == moved, run, "the result is not what happened");
	switch (run->fate) {
	case CANCELLED:
		must_of(moved || run->result == -ECANCELED, run, "another result");
		break;
	case HOOKED:
		must_of(moved && !strcmp(run->hooks, "prepare commit "), run, "other hooks");
		break;
	case HOOK_FAILS:
		must_of(stays && !strcmp(run->hooks, "prepare release "), run, "other hooks");
		break;
	case FAILS:
		must_of(stays && strstr(run->hooks, "release "), run, "other hooks");
		break;
	case ATTACHED:
		must_of(moved && !strcmp(run->hooks, "commit "), run, "other hooks");
		break;
	case HUNG:
		must_of(stays, run, "it moved though nobody could know");
		break;
	default:
		must_of(moved, run, "a session that nobody cancelled did not complete");
		break;
	}
}

static size_t count_in(const char *name)
{
	DIR *directory = opendir(name);
	size_t length = 0;

	must(directory != NULL, "no /proc");
	while (readdir(directory))
		length++;
	closedir(directory);
	return length;
}

/* Sessions that were given up leave what hung to itself; it ends when the daemons are back. */
static void wait_for_rest(struct run *runs, size_t threads)
{
	fake_let_go();
	for (size_t i = 0; i < SESSIONS; i++) {
		if (runs[i].fate == HUNG)
			fake_restart(runs[i].here);
	}
	for (int i = 0; i < 10000; i++) {
		if (fake_calls().open_objects == 0 && fake_calls().jobs == 0 &&
		    count_in("/proc/self/task") == threads)
			return;
		usleep(1000);
	}
	must(fake_calls().open_objects == 0, "objects of libvirt are left open");
	must(fake_calls().jobs == 0, "a migration goes on");
	must(0, "a thread is left");
}

static void *tell_id(void *id)
{
	*(pid_t *)id = gettid();
	return NULL;
}

/*
 * ThreadSanitizer has a thread of its own, which comes with the first one. That one may be listed
 * for a moment after it was joined.
 */
static size_t count_threads_before(void)
{
	pthread_t thread;
	char path[64];
	pid_t id = 0;

	must(!pthread_create(&thread, NULL, tell_id, &id), "thread");
	pthread_join(thread, NULL);
	snprintf(path, sizeof(path), "/proc/self/task/%d", (int)id);
	while (access(path, F_OK) == 0)
		usleep(100);
	return count_in("/proc/self/task");
}

static void run_all(struct run *runs, struct mlx5lm_ctx *ctx)
{
	for (size_t i = 0; i < SESSIONS; i++)
		prepare(&runs[i], ctx, i);
	mlx5lm_ctx_unref(ctx);
	for (size_t i = 0; i < SESSIONS; i++) {
		struct run *run = &runs[i];

		if (run->has_other)
			must(!pthread_create(&run->other, NULL, disturb, run), "thread");
		must(!pthread_create(&run->thread, NULL, migrate, run), "thread");
	}
	for (size_t i = 0; i < SESSIONS; i++) {
		pthread_join(runs[i].thread, NULL);
		if (runs[i].has_other)
			pthread_join(runs[i].other, NULL);
	}
}

int main(void)
{
	static struct run runs[SESSIONS];
	size_t threads, fds;
	struct mlx5lm_ctx *ctx;

	threads = count_threads_before();
	fds = count_in("/proc/self/fd");
	fake_reset();
	must(mkdtemp(dir) != NULL, "no directory");
	must(mlx5lm_ctx_new(&ctx) == 0, "no context");
	mlx5lm_ctx_set_max_sessions(ctx, 3, 0);
	/* Processes are made before there are threads: ThreadSanitizer wants it so. */
	for (size_t i = 0; i < SESSIONS; i++) {
		runs[i].fate = (enum fate)(i % FATES);
		set_world(&runs[i], i);
		if (runs[i].fate == ATTACHED)
			begin_elsewhere(&runs[i], ctx);
	}
	run_all(runs, ctx);
	wait_for_rest(runs, threads);
	for (size_t i = 0; i < SESSIONS; i++)
		check(&runs[i]);
	must(count_in("/proc/self/fd") == fds, "file descriptors are left open");
	must(rmdir(dir) == 0, "a journal is left");
	fake_reset();
	return 0;
}

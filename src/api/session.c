// SPDX-License-Identifier: LGPL-2.1-or-later
#include <mlx5lm/session.h>

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

#include "api/context.h"
#include "api/session_worker.h"
#include "base/clock.h"
#include "base/text.h"
#include "export.h"
#include "sys/domain.h"

/* Between two attempts to abort: the job may not be there yet, or a request may be lost. */
#define ABORT_RETRY_MS 50
#define ABORT_REPEAT_MS 1000

struct mlx5lm_session {
	struct refcount refcount;
	struct mlx5lm_ctx *ctx;
	struct mlx5lm_session_options *options;
	int epoll_fd;
	int wake_fd;  /* counts what the worker and mlx5lm_session_cancel() announce */
	int timer_fd; /* the next sample, abort or deadline */
	atomic_int cancel; /* enum cancel_reason; the first one stays */

	mlx5lm_session_fn fn;
	void *userdata;
	mlx5lm_destroy_fn destroy;
	bool in_callback;

	bool started;
	struct worker *worker; /* until it is joined */
	enum session_stage stage;
	struct phase_machine machine;
	uint64_t next_sample_ms;
	uint64_t next_abort_ms;
	struct mlx5lm_error *error; /* of a final phase */
};

static uint64_t monotonic_ms(void)
{
	return (uint64_t)clock_now_ms();
}

static void session_free(struct mlx5lm_session *session)
{
	if (session->destroy)
		session->destroy(session->userdata);
	if (session->epoll_fd >= 0)
		close(session->epoll_fd);
	if (session->wake_fd >= 0)
		close(session->wake_fd);
	if (session->timer_fd >= 0)
		close(session->timer_fd);
	mlx5lm_session_options_free(session->options);
	mlx5lm_ctx_unref(session->ctx);
	mlx5lm_error_free(session->error);
	free(session);
}

DEFINE_CLEANUP(struct mlx5lm_session *, session_free)

static int watch_fd(const struct mlx5lm_session *session, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	if (fd < 0)
		return -errno;
	return epoll_ctl(session->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int open_fds(struct mlx5lm_session *session)
{
	int r;

	session->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (session->epoll_fd < 0)
		return -errno;
	session->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = watch_fd(session, session->wake_fd);
	if (r < 0)
		return r;
	session->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	return watch_fd(session, session->timer_fd);
}

MLX5LM_EXPORT int mlx5lm_session_new(struct mlx5lm_ctx *ctx,
				     const struct mlx5lm_session_options *options,
				     struct mlx5lm_session **ret, struct mlx5lm_error **reterr)
{
	_cleanup_(session_free_p) struct mlx5lm_session *session = NULL;
	int r;

	if (!ctx || !options || !ret)
		return error_invalid(reterr, "a context, options and a place for the session "
					     "are needed");
	if (!options->domain || !options->destination_uri || !options->source)
		return error_invalid(reterr, "a session needs a domain, a destination URI and "
					     "both hosts");
	session = calloc(1, sizeof(*session));
	if (!session)
		return error_no_memory(reterr);
	refcount_init(&session->refcount);
	session->epoll_fd = session->wake_fd = session->timer_fd = -1;
	atomic_init(&session->cancel, CANCEL_NONE);
	session->ctx = mlx5lm_ctx_ref(ctx);
	if (session_options_copy(options, &session->options) < 0)
		return error_no_memory(reterr);
	r = open_fds(session);
	if (r < 0)
		return error_set(reterr, error_code_from_errno(-r), -r, MLX5LM_SOURCE_LIBRARY,
				 "no file descriptors for a session");
	*ret = TAKE(session);
	return 0;
}

MLX5LM_EXPORT struct mlx5lm_session *mlx5lm_session_ref(struct mlx5lm_session *session)
{
	if (session)
		refcount_get(&session->refcount);
	return session;
}

static void cancel(struct mlx5lm_session *session, enum cancel_reason reason)
{
	int none = CANCEL_NONE;

	if (atomic_compare_exchange_strong(&session->cancel, &none, reason))
		eventfd_write(session->wake_fd, 1);
}

static bool is_cancelled(const struct mlx5lm_session *session)
{
	return atomic_load(&session->cancel) != CANCEL_NONE;
}

MLX5LM_EXPORT int mlx5lm_session_cancel(struct mlx5lm_session *session)
{
	if (!session)
		return -EINVAL;
	cancel(session, CANCEL_BY_CALLER);
	return 0;
}

/* Asks libvirt to stop the job, again and again until the worker is past it. */
static void abort_if_due(struct mlx5lm_session *session)
{
	struct _virDomain *domain;
	uint64_t now_ms = monotonic_ms();
	int r;

	if (!is_cancelled(session) || now_ms < session->next_abort_ms)
		return;
	domain = worker_watched_domain(session->worker);
	if (!domain)
		return;
	r = domain_abort_job(domain, NULL);
	session->next_abort_ms = now_ms + (r < 0 ? ABORT_RETRY_MS : ABORT_REPEAT_MS);
}

static void clear(int fd)
{
	uint64_t count;
	ssize_t length;

	/* Nothing to read is as good: the descriptor is only to become quiet. */
	length = read(fd, &count, sizeof(count));
	(void)length;
}

/* Waits for the worker's end without callbacks, for an owner that does not want the rest. */
static void abandon(struct mlx5lm_session *session)
{
	struct pollfd wake = { .fd = session->wake_fd, .events = POLLIN };
	enum session_stage stages[WORKER_MAX_STAGES];
	struct worker_result result;

	cancel(session, CANCEL_BY_CALLER);
	while (session->stage < STAGE_COMPLETED) {
		size_t length = worker_take_stages(session->worker, stages);

		if (length)
			session->stage = stages[length - 1];
		if (session->stage == STAGE_MIGRATE)
			abort_if_due(session);
		if (session->stage < STAGE_COMPLETED) {
			poll(&wake, 1, ABORT_RETRY_MS);
			clear(session->wake_fd);
		}
	}
	worker_join(session->worker, &result);
	mlx5lm_error_free(result.error);
}

MLX5LM_EXPORT struct mlx5lm_session *mlx5lm_session_unref(struct mlx5lm_session *session)
{
	if (session && refcount_put(&session->refcount)) {
		if (session->worker)
			abandon(session);
		session_free(session);
	}
	return NULL;
}

MLX5LM_EXPORT int mlx5lm_session_set_progress(struct mlx5lm_session *session, mlx5lm_session_fn fn,
					      void *userdata, mlx5lm_destroy_fn destroy)
{
	if (!session || session->in_callback) {
		if (destroy)
			destroy(userdata);
		return session ? -EBUSY : -EINVAL;
	}
	if (session->destroy)
		session->destroy(session->userdata);
	session->fn = fn;
	session->userdata = userdata;
	session->destroy = destroy;
	return 0;
}

static int refuse_reentry(struct mlx5lm_error **reterr)
{
	return error_set(reterr, MLX5LM_ERROR_BUSY, EBUSY, MLX5LM_SOURCE_LIBRARY,
			 "only mlx5lm_session_cancel() may be called from a session's callback");
}

/* UINT64_MAX stops it. */
static void set_timer(struct mlx5lm_session *session, uint64_t at_ms)
{
	struct itimerspec when = { 0 };

	if (at_ms != UINT64_MAX) {
		when.it_value.tv_sec = (time_t)(at_ms / 1000);
		/* All zeros would stop it; long past is as good as now. */
		when.it_value.tv_nsec = (long)(at_ms % 1000) * 1000000 + 1;
	}
	timerfd_settime(session->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static uint64_t deadline_ms(const struct mlx5lm_session *session)
{
	uint64_t limit_ms = session->options->total_deadline_ms;

	return limit_ms ? session->machine.started_ms + limit_ms : UINT64_MAX;
}

/* Sets the timer to what is due next, or to nothing. */
static void arm(struct mlx5lm_session *session)
{
	uint64_t at_ms = is_cancelled(session) ? UINT64_MAX : deadline_ms(session);

	if (session->stage == STAGE_MIGRATE) {
		if (session->next_sample_ms < at_ms)
			at_ms = session->next_sample_ms;
		if (is_cancelled(session) && session->next_abort_ms < at_ms)
			at_ms = session->next_abort_ms;
	}
	set_timer(session, session->worker ? at_ms : UINT64_MAX);
}

MLX5LM_EXPORT int mlx5lm_session_start(struct mlx5lm_session *session,
				       struct mlx5lm_error **reterr)
{
	int r;

	if (!session)
		return error_invalid(reterr, "a session is needed");
	if (session->in_callback)
		return refuse_reentry(reterr);
	if (session->started)
		return error_set(reterr, MLX5LM_ERROR_INVALID_ARGUMENT, EALREADY,
				 MLX5LM_SOURCE_LIBRARY, "the session was started before");
	phase_start(&session->machine, monotonic_ms());
	r = worker_start(session->options, &session->cancel, session->wake_fd, &session->worker);
	if (r < 0)
		return error_set(reterr, error_code_from_errno(-r), -r, MLX5LM_SOURCE_LIBRARY,
				 "no thread for a session");
	session->started = true;
	arm(session);
	return 0;
}

MLX5LM_EXPORT int mlx5lm_session_get_fd(const struct mlx5lm_session *session)
{
	return session ? session->epoll_fd : -EINVAL;
}

static void feed(struct mlx5lm_session *session, enum domain_state source,
		 const struct job_stats *job)
{
	const struct phase_facts facts = {
		.now_ms = monotonic_ms(),
		.stage = session->stage,
		.source = source,
		.job = *job,
	};
	struct mlx5lm_progress *progress = &session->machine.progress;
	enum mlx5lm_event events[PHASE_MAX_EVENTS];
	size_t length = phase_feed(&session->machine, &facts, events);

	for (size_t i = 0; i < length; i++) {
		int r = 0;

		if (events[i] == MLX5LM_EVENT_PHASE || events[i] == MLX5LM_EVENT_DONE)
			log_info(&session->ctx->log, "migration of %s: %s",
				 session->options->domain, mlx5lm_phase_str(progress->phase));
		if (!session->fn)
			continue;
		progress->event = events[i];
		session->in_callback = true;
		r = session->fn(progress, session->userdata);
		session->in_callback = false;
		if (r < 0)
			cancel(session, CANCEL_BY_CALLER);
	}
	progress->event = MLX5LM_EVENT_UNKNOWN;
}

static void sample_if_due(struct mlx5lm_session *session)
{
	struct _virDomain *domain;
	struct job_stats job;

	if (monotonic_ms() < session->next_sample_ms)
		return;
	domain = worker_watched_domain(session->worker);
	domain_get_job(domain, &job);
	feed(session, domain_get_state(domain), &job);
	/* From the end of the reading: a daemon that is slow is not asked more often. */
	session->next_sample_ms = monotonic_ms() + session->options->interval_ms;
}

static void finish(struct mlx5lm_session *session)
{
	struct worker_result result;

	worker_join(TAKE(session->worker), &result);
	session->error = result.error;
	session->stage = result.stage;
	feed(session, DOMAIN_UNKNOWN, &result.job);
}

static void advance(struct mlx5lm_session *session)
{
	static const struct job_stats none = { 0 };
	enum session_stage stages[WORKER_MAX_STAGES];
	size_t length = worker_take_stages(session->worker, stages);

	for (size_t i = 0; i < length; i++) {
		session->stage = stages[i];
		if (session->stage >= STAGE_COMPLETED)
			finish(session);
		else
			feed(session, DOMAIN_UNKNOWN, &none);
	}
}

MLX5LM_EXPORT int mlx5lm_session_dispatch(struct mlx5lm_session *session,
					  struct mlx5lm_error **reterr)
{
	if (!session || !session->started)
		return error_invalid(reterr, "a session that was started is needed");
	if (session->in_callback)
		return refuse_reentry(reterr);
	/* arm() quiets the timer by setting it anew. */
	clear(session->wake_fd);
	if (!session->worker)
		return 0;
	if (monotonic_ms() >= deadline_ms(session))
		cancel(session, CANCEL_BY_DEADLINE);
	advance(session);
	if (session->stage == STAGE_MIGRATE) {
		abort_if_due(session);
		sample_if_due(session);
		/* The callback may have cancelled. */
		abort_if_due(session);
	}
	arm(session);
	return session->worker ? 1 : 0;
}

MLX5LM_EXPORT int mlx5lm_session_run(struct mlx5lm_session *session, struct mlx5lm_error **reterr)
{
	int r = 0;

	if (!session)
		return error_invalid(reterr, "a session is needed");
	if (session->in_callback)
		return refuse_reentry(reterr);
	if (!session->started)
		r = mlx5lm_session_start(session, reterr);
	if (r < 0)
		return r;
	while (session->worker) {
		struct pollfd fd = { .fd = session->epoll_fd, .events = POLLIN };

		/* Interrupted by a signal is as good: dispatch does what is due, or nothing. */
		poll(&fd, 1, -1);
		mlx5lm_session_dispatch(session, NULL);
	}
	return mlx5lm_session_get_result(session, reterr);
}

MLX5LM_EXPORT int mlx5lm_session_get_result(const struct mlx5lm_session *session,
					    struct mlx5lm_error **reterr)
{
	if (!session)
		return error_invalid(reterr, "a session is needed");
	if (session->in_callback)
		return refuse_reentry(reterr);
	if (!session->started || session->worker)
		return -EINPROGRESS;
	if (!session->error)
		return 0;
	if (reterr)
		*reterr = error_copy(session->error);
	return -session->error->errnum;
}

MLX5LM_EXPORT const struct mlx5lm_progress *
mlx5lm_session_get_progress(const struct mlx5lm_session *session)
{
	return session ? &session->machine.progress : NULL;
}

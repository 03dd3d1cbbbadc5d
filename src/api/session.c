// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/session_internal.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

#include "api/session_attach.h"
#include "api/session_watcher.h"
#include "api/session_worker.h"
#include "base/clock.h"
#include "export.h"
#include "sys/kernel.h"

static uint64_t now_ms(void)
{
	return (uint64_t)clock_now_ms();
}

static void forget_progress(struct mlx5lm_session *session)
{
	if (session->destroy)
		session->destroy(session->userdata);
	session->fn = NULL;
	session->destroy = NULL;
}

static void forget_hook(struct mlx5lm_session *session)
{
	if (session->hook_destroy)
		session->hook_destroy(session->hook_userdata);
	session->hook_fn = NULL;
	session->hook_destroy = NULL;
}

static void session_free(struct mlx5lm_session *session)
{
	forget_progress(session);
	forget_hook(session);
	if (session->epoll_fd >= 0)
		close(session->epoll_fd);
	if (session->timer_fd >= 0)
		close(session->timer_fd);
	session_news_release(&session->news);
	mlx5lm_comparison_free(session->old_comparison);
	mlx5lm_error_free(session->hook_error);
	mlx5lm_host_free(session->new_destination);
	mlx5lm_error_free(session->end.error);
	if (session->link)
		session_link_unref(session->link);
	mlx5lm_ctx_unref(session->ctx);
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
	r = watch_fd(session, session->link->wake_fd);
	if (r < 0)
		return r;
	session->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	return watch_fd(session, session->timer_fd);
}

/* Takes options and record over, whatever happens. */
static int session_make(struct mlx5lm_ctx *ctx, struct mlx5lm_session_options *options,
			struct session_record *record, struct mlx5lm_session **ret,
			struct mlx5lm_error **reterr)
{
	_cleanup_(session_free_p) struct mlx5lm_session *session = calloc(1, sizeof(*session));
	int r = session ? 0 : -ENOMEM;

	if (r == 0) {
		refcount_init(&session->refcount);
		session->epoll_fd = session->timer_fd = -1;
		session->ctx = mlx5lm_ctx_ref(ctx);
		r = session_link_new(ctx->turns, options, record, &session->link);
	}
	if (r == 0)
		session->link->boot_id = kernel_read_boot_id(ctx->root);
	if (r < 0) {
		mlx5lm_session_options_free(options);
		if (record)
			session_record_release(record);
		free(record);
	} else {
		r = open_fds(session);
	}
	if (r == -ENOMEM)
		return error_no_memory(reterr);
	if (r < 0)
		return error_set(reterr, error_code_from_errno(-r), -r, MLX5LM_SOURCE_LIBRARY,
				 "no file descriptors for a session");
	*ret = TAKE(session);
	return 0;
}

MLX5LM_EXPORT int mlx5lm_session_new(struct mlx5lm_ctx *ctx,
				     const struct mlx5lm_session_options *options,
				     struct mlx5lm_session **ret, struct mlx5lm_error **reterr)
{
	struct mlx5lm_session_options *copy;
	const char *complaint;

	if (!ctx || !options || !ret)
		return error_invalid(reterr, "a context, options and a place for the session "
					     "are needed");
	complaint = session_options_complaint(options);
	if (complaint)
		return error_invalid(reterr, "%s", complaint);
	if (session_options_copy(options, &copy) < 0)
		return error_no_memory(reterr);
	return session_make(ctx, copy, NULL, ret, reterr);
}

MLX5LM_EXPORT int mlx5lm_session_attach(struct mlx5lm_ctx *ctx, const char *journal_dir,
					const char *domain, struct mlx5lm_session **ret,
					struct mlx5lm_error **reterr)
{
	_cleanup_attachment_ struct attachment attachment = { 0 };
	struct mlx5lm_session *session;
	int r;

	if (!ctx || !journal_dir || !*journal_dir || !domain || !*domain || !ret)
		return error_invalid(reterr, "a context, the directory of the journal, a domain and "
					     "a place for the session are needed");
	r = session_attach_read(journal_dir, domain, &attachment, reterr);
	if (r < 0)
		return r;
	r = session_make(ctx, TAKE(attachment.options), TAKE(attachment.record), &session, reterr);
	if (r < 0)
		return r;
	session->link->file = TAKE(attachment.file);
	/* After a reboot, or on another host, nobody knows any more when it began. */
	if (streq(session->link->boot_id, session->link->record->boot_id))
		session->link->age_ms = attachment.age_ms;
	*ret = session;
	return 0;
}

MLX5LM_EXPORT struct mlx5lm_session *mlx5lm_session_ref(struct mlx5lm_session *session)
{
	if (session)
		refcount_get(&session->refcount);
	return session;
}

MLX5LM_EXPORT int mlx5lm_session_cancel(struct mlx5lm_session *session)
{
	if (!session)
		return -EINVAL;
	session_link_cancel(session->link, MLX5LM_REASON_CANCELLED);
	return 0;
}

MLX5LM_EXPORT int mlx5lm_session_force_switchover(struct mlx5lm_session *session)
{
	if (!session)
		return -EINVAL;
	session_link_force(session->link);
	return 0;
}

MLX5LM_EXPORT int mlx5lm_session_set_progress(struct mlx5lm_session *session, mlx5lm_session_fn fn,
					      void *userdata, mlx5lm_destroy_fn destroy)
{
	if (!session || session->in_callback) {
		if (destroy)
			destroy(userdata);
		return session ? -EBUSY : -EINVAL;
	}
	forget_progress(session);
	session->fn = fn;
	session->userdata = userdata;
	session->destroy = destroy;
	return 0;
}

MLX5LM_EXPORT int mlx5lm_session_set_hook(struct mlx5lm_session *session,
					  mlx5lm_session_hook_fn fn, void *userdata,
					  mlx5lm_destroy_fn destroy)
{
	if (!session || session->started) {
		if (destroy)
			destroy(userdata);
		return session ? -EALREADY : -EINVAL;
	}
	forget_hook(session);
	session->hook_fn = fn;
	session->hook_userdata = userdata;
	session->hook_destroy = destroy;
	session->link->has_hook = fn != NULL;
	return 0;
}

MLX5LM_EXPORT int mlx5lm_session_set_hook_error(struct mlx5lm_session *session,
						const char *message, const char *remedy)
{
	struct mlx5lm_error *error = NULL;

	if (!session || !session->in_hook || !message || !*message)
		return -EINVAL;
	error_set(&error, MLX5LM_ERROR_MIGRATION, ECANCELED, MLX5LM_SOURCE_LIBRARY,
		  "the hook '%s' failed: %s", mlx5lm_hook_str(session->in_hook), message);
	if (remedy)
		error_add_remedy(&error, "%s", remedy);
	mlx5lm_error_free(session->hook_error);
	session->hook_error = error;
	return mlx5lm_error_get_code(error) == MLX5LM_ERROR_NO_MEMORY ? -ENOMEM : 0;
}

MLX5LM_EXPORT int mlx5lm_session_set_destination(struct mlx5lm_session *session,
						 struct mlx5lm_host *destination)
{
	if (!session || session->in_hook != MLX5LM_HOOK_PREPARE || !destination)
		return -EINVAL;
	refcount_get(&destination->refcount);
	mlx5lm_host_free(session->new_destination);
	session->new_destination = destination;
	return 0;
}

static int start_threads(struct mlx5lm_session *session)
{
	static void *(*const functions[LINK_THREADS])(void *) = {
		[LINK_WORKER] = session_worker,
		[LINK_WATCHER] = session_watcher,
	};
	struct session_link *link = session->link;
	int r = 0;

	/* The worker last: it is what would have to be stopped. */
	for (int i = LINK_THREADS - 1; r == 0 && i >= 0; i--) {
		r = session_link_start_thread(link, (enum link_thread)i, functions[i],
					      &session->threads[i]);
		session->has_thread[i] = r == 0;
	}
	return r;
}

MLX5LM_EXPORT int mlx5lm_session_start(struct mlx5lm_session *session,
				       struct mlx5lm_error **reterr)
{
	bool running[LINK_THREADS];
	struct session_link *link;
	int r;

	if (!session)
		return error_invalid(reterr, "a session is needed");
	if (session->in_callback)
		return session_refuse_reentry(reterr);
	if (session->started)
		return error_set(reterr, MLX5LM_ERROR_INVALID_ARGUMENT, EALREADY,
				 MLX5LM_SOURCE_LIBRARY, "the session was started before");
	link = session->link;
	link->began_ms = now_ms();
	link->started_ms = link->began_ms > link->age_ms ? link->began_ms - link->age_ms : 0;
	phase_start(&session->machine, link->started_ms);
	session->now = session->machine.progress;
	session->started = true;
	r = start_threads(session);
	if (r < 0) {
		session->started = false;
		session_link_abandon(link, running, &session->end);
		session_join(session);
		return error_set(reterr, error_code_from_errno(-r), -r, MLX5LM_SOURCE_LIBRARY,
				 "no threads for a session");
	}
	session_arm(session);
	return 0;
}

MLX5LM_EXPORT int mlx5lm_session_get_fd(const struct mlx5lm_session *session)
{
	return session ? session->epoll_fd : -EINVAL;
}

/* Waits for the threads without callbacks, for an owner that does not want the rest. */
static void abandon(struct mlx5lm_session *session)
{
	session_link_cancel(session->link, MLX5LM_REASON_CANCELLED);
	while (!session->ended) {
		session_advance(session);
		if (!session->ended)
			session_wait_due(session, UINT64_MAX);
	}
}

MLX5LM_EXPORT struct mlx5lm_session *mlx5lm_session_unref(struct mlx5lm_session *session)
{
	if (session && refcount_put(&session->refcount)) {
		if (session->started)
			abandon(session);
		session_free(session);
	}
	return NULL;
}

MLX5LM_EXPORT int mlx5lm_session_get_result(const struct mlx5lm_session *session,
					    struct mlx5lm_error **reterr)
{
	if (!session)
		return error_invalid(reterr, "a session is needed");
	if (session->in_callback)
		return session_refuse_reentry(reterr);
	if (!session->ended)
		return -EINPROGRESS;
	if (!session->end.error)
		return 0;
	if (reterr)
		*reterr = error_copy(session->end.error);
	return -session->end.error->errnum;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/session_link.h"

#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>

#include "base/clock.h"
#include "sys/domain.h"
#include "sys/libvirt.h"

/* What a call may take that a cancelled session waits for, before anything was started. */
#define CANCEL_GRACE_MS 1000

static void announce(struct session_link *link)
{
	pthread_cond_broadcast(&link->changed);
	/* Cannot fail: the counter is far from its limit. */
	eventfd_write(link->wake_fd, 1);
}

int session_link_new(struct turns *turns, struct mlx5lm_session_options *options,
		     struct session_record *record, struct session_link **ret)
{
	struct session_link *link = calloc(1, sizeof(*link));
	pthread_condattr_t monotonic;

	if (!link)
		return -ENOMEM;
	link->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (link->wake_fd < 0) {
		free(link);
		return -errno;
	}
	refcount_init(&link->refcount);
	atomic_init(&link->cancel, MLX5LM_REASON_UNKNOWN);
	atomic_init(&link->force, false);
	pthread_mutex_init(&link->mutex, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&link->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	link->turns = turns_ref(turns);
	link->options = options;
	link->record = record;
	if (record)
		link->policy = record->policy;
	else
		session_options_get_policy(options, &link->policy);
	*ret = link;
	return 0;
}

struct session_link *session_link_ref(struct session_link *link)
{
	refcount_get(&link->refcount);
	return link;
}

void session_news_release(struct session_news *news)
{
	mlx5lm_comparison_free(news->comparison);
	findings_release(&news->findings);
	*news = (struct session_news){ 0 };
}

void session_link_unref(struct session_link *link)
{
	if (!refcount_put(&link->refcount))
		return;
	domain_free(link->watched);
	libvirt_close(link->watching);
	libvirt_close(link->peer);
	session_news_release(&link->news);
	mlx5lm_error_free(link->hook_error);
	mlx5lm_error_free(link->commit_error);
	mlx5lm_error_free(link->failure);
	mlx5lm_host_free(link->new_destination);
	mlx5lm_error_free(link->end.error);
	mlx5lm_session_options_free(link->options);
	if (link->record)
		session_record_release(link->record);
	free(link->record);
	free(link->boot_id);
	session_file_close(link->file);
	turns_unref(link->turns);
	close(link->wake_fd);
	pthread_cond_destroy(&link->changed);
	pthread_mutex_destroy(&link->mutex);
	free(link);
}

int session_link_start_thread(struct session_link *link, enum link_thread thread,
			      void *(*fn)(void *), pthread_t *ret)
{
	sigset_t all, before;
	int r;

	session_link_ref(link);
	link->threads[thread] = true;
	/* Signals of the host program belong to its own threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(ret, NULL, fn, link);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r) {
		link->threads[thread] = false;
		session_link_unref(link);
	}
	return -r;
}

void session_link_end_thread(struct session_link *link, enum link_thread thread)
{
	pthread_mutex_lock(&link->mutex);
	link->threads[thread] = false;
	announce(link);
	pthread_mutex_unlock(&link->mutex);
	session_link_unref(link);
}

void session_link_cancel(struct session_link *link, enum mlx5lm_reason reason)
{
	int none = MLX5LM_REASON_UNKNOWN;

	if (!atomic_compare_exchange_strong(&link->cancel, &none, reason))
		return;
	pthread_mutex_lock(&link->mutex);
	link->cancelled_ms = (uint64_t)clock_now_ms();
	announce(link);
	pthread_mutex_unlock(&link->mutex);
	turns_wake(link->turns);
}

enum mlx5lm_reason session_link_cancelled(const struct session_link *link)
{
	return (enum mlx5lm_reason)atomic_load(&link->cancel);
}

bool session_link_reach(struct session_link *link, enum session_stage stage)
{
	bool go_on;

	pthread_mutex_lock(&link->mutex);
	go_on = !link->given_up;
	if (go_on) {
		link->stage = stage;
		link->stages[link->num_stages++] = stage;
		announce(link);
	}
	pthread_mutex_unlock(&link->mutex);
	return go_on;
}

bool session_link_is_given_up(struct session_link *link)
{
	bool given_up;

	pthread_mutex_lock(&link->mutex);
	given_up = link->given_up;
	pthread_mutex_unlock(&link->mutex);
	return given_up;
}

void session_link_enter_call(struct session_link *link, enum link_thread thread,
			     enum failure_side side, bool endless)
{
	pthread_mutex_lock(&link->mutex);
	link->calls[thread] = (struct link_call){ .since_ms = (uint64_t)clock_now_ms(),
						  .side = side,
						  .endless = endless };
	pthread_mutex_unlock(&link->mutex);
}

void session_link_leave_call(struct session_link *link, enum link_thread thread)
{
	pthread_mutex_lock(&link->mutex);
	link->calls[thread].since_ms = 0;
	pthread_mutex_unlock(&link->mutex);
}

/* With the lock. */
static uint64_t patience_with(const struct session_link *link, const struct link_call *call)
{
	uint64_t deadline_ms = link->options->answer_deadline_ms, at_ms = UINT64_MAX;

	if (!call->endless)
		at_ms = call->since_ms + deadline_ms;
	else if (link->over_ms)
		at_ms = link->over_ms + deadline_ms;
	if (!link->cancelled_ms)
		return at_ms;
	if (session_link_cancelled(link) == MLX5LM_REASON_CONNECT_DEADLINE)
		deadline_ms = 0;
	else if (link->stage < STAGE_MIGRATE)
		deadline_ms = CANCEL_GRACE_MS;
	else if (!call->endless)
		return at_ms;
	return link->cancelled_ms + deadline_ms < at_ms ? link->cancelled_ms + deadline_ms : at_ms;
}

uint64_t session_link_patience_ms(struct session_link *link, enum failure_side *ret_side)
{
	uint64_t earliest_ms = UINT64_MAX;

	*ret_side = FAILURE_ANY;
	pthread_mutex_lock(&link->mutex);
	for (int i = 0; i < LINK_THREADS; i++) {
		const struct link_call *call = &link->calls[i];
		uint64_t at_ms = call->since_ms ? patience_with(link, call) : UINT64_MAX;

		if (at_ms < earliest_ms) {
			earliest_ms = at_ms;
			*ret_side = call->side;
		}
	}
	pthread_mutex_unlock(&link->mutex);
	return earliest_ms;
}

void session_link_connected(struct session_link *link)
{
	pthread_mutex_lock(&link->mutex);
	link->connected = true;
	pthread_cond_broadcast(&link->changed);
	pthread_mutex_unlock(&link->mutex);
}

void session_link_publish(struct session_link *link, struct session_news *news)
{
	pthread_mutex_lock(&link->mutex);
	if (news->comparison) {
		mlx5lm_comparison_free(link->news.comparison);
		link->news.comparison = TAKE(news->comparison);
	}
	if (findings_move(&link->news.findings, &news->findings) < 0)
		link->news.findings.error = -ENOMEM;
	if (news->has_migration) {
		link->news.migration = news->migration;
		link->news.has_migration = true;
	}
	if (news->has_forecast) {
		link->news.forecast = news->forecast;
		link->news.has_forecast = true;
	}
	if (news->num_vfs.known)
		link->news.num_vfs = news->num_vfs;
	if (news->queue_position.known)
		link->news.queue_position = news->queue_position;
	announce(link);
	pthread_mutex_unlock(&link->mutex);
	*news = (struct session_news){ 0 };
}

void session_link_watch(struct session_link *link, struct _virConnect *connection,
			struct _virDomain *domain, struct _virConnect *peer, uint64_t limit_ms)
{
	struct _virConnect *mine = NULL;

	if (peer && libvirt_ref(peer, &mine) < 0)
		mine = NULL;
	pthread_mutex_lock(&link->mutex);
	link->peer = mine;
	link->watching = connection;
	link->watched = domain;
	link->limit_ms = limit_ms;
	announce(link);
	pthread_mutex_unlock(&link->mutex);
}

int session_link_ask_hook(struct session_link *link, enum mlx5lm_hook hook,
			  struct mlx5lm_host **ret_destination, struct mlx5lm_error **reterr)
{
	struct mlx5lm_error *error;
	int r;

	if (!link->has_hook)
		return 1;
	pthread_mutex_lock(&link->mutex);
	link->hook_asked = hook;
	link->hook_answered = false;
	announce(link);
	while (!link->hook_answered && !link->given_up)
		pthread_cond_wait(&link->changed, &link->mutex);
	link->hook_asked = MLX5LM_HOOK_UNKNOWN;
	r = link->hook_answered ? link->hook_result : -ECANCELED;
	error = TAKE(link->hook_error);
	if (ret_destination)
		*ret_destination = TAKE(link->new_destination);
	pthread_mutex_unlock(&link->mutex);
	if (r >= 0) {
		mlx5lm_error_free(error);
		return r;
	}
	if (error)
		return error_pass(reterr, error);
	return error_set(reterr, MLX5LM_ERROR_TIMEOUT, -r, MLX5LM_SOURCE_LIBRARY,
			 "the session was given up");
}

bool session_link_wait_over(struct session_link *link)
{
	bool over;

	pthread_mutex_lock(&link->mutex);
	while (!link->over_ms && !link->given_up)
		pthread_cond_wait(&link->changed, &link->mutex);
	over = !link->given_up;
	pthread_mutex_unlock(&link->mutex);
	return over;
}

void session_link_force(struct session_link *link)
{
	pthread_mutex_lock(&link->mutex);
	atomic_store(&link->force, true);
	pthread_cond_broadcast(&link->changed);
	pthread_mutex_unlock(&link->mutex);
}

void session_link_abandon(struct session_link *link, bool running[static LINK_THREADS],
			  struct session_end *ret)
{
	pthread_mutex_lock(&link->mutex);
	link->given_up = true;
	memcpy(running, link->threads, sizeof(link->threads));
	if (link->end.stage != STAGE_NONE) {
		*ret = link->end;
		link->end.error = NULL;
	}
	pthread_cond_broadcast(&link->changed);
	pthread_mutex_unlock(&link->mutex);
	turns_wake(link->turns);
}

void session_link_know(struct session_link *link, enum domain_state at_source,
		       const struct mlx5lm_error *failure)
{
	pthread_mutex_lock(&link->mutex);
	link->at_source = at_source;
	if (failure && !link->failure)
		link->failure = error_copy(failure);
	pthread_mutex_unlock(&link->mutex);
}

/* The migration was started: what the last answers said is all that is known. */
static void explain_open_end(struct session_link *link, struct mlx5lm_error **error)
{
	const char *name = link->record ? link->record->domain : link->options->domain;
	const char *remedy;
	char *where;

	pthread_mutex_lock(&link->mutex);
	where = outcome_text(name, link->at_source, DOMAIN_UNKNOWN);
	remedy = outcome_remedy(link->at_source, DOMAIN_UNKNOWN);
	error_append_message(error, "; %s", where ? where : "where the guest runs is not known");
	if (link->failure && link->failure->detail)
		error_add_detail(error, "%s", link->failure->detail);
	if (remedy)
		error_add_remedy(error, "%s", remedy);
	pthread_mutex_unlock(&link->mutex);
	free(where);
}

void session_link_explain_silence(struct session_link *link, enum session_stage stage,
				  enum failure_side side, enum mlx5lm_reason cancelled,
				  struct session_end *ret)
{
	const struct mlx5lm_session_options *options = link->options;
	bool here = side != FAILURE_DESTINATION;
	const char *uri = here ? options->source_uri : options->destination_uri;
	bool started = stage >= STAGE_MIGRATE || link->record;
	uint64_t waited_ms = cancelled == MLX5LM_REASON_CONNECT_DEADLINE ?
				     options->connect_deadline_ms : options->answer_deadline_ms;

	*ret = (struct session_end){ .stage = STAGE_FAILED };
	if (cancelled == MLX5LM_REASON_CANCELLED && !started) {
		ret->stage = STAGE_CANCELLED;
		ret->reason = cancelled;
		error_set(&ret->error, MLX5LM_ERROR_CANCELLED, ECANCELED, MLX5LM_SOURCE_LIBRARY,
			  "cancelled before the migration was started");
		return;
	}
	if (!started && cancelled)
		ret->reason = cancelled;
	else
		ret->reason = here ? MLX5LM_REASON_SOURCE_DAEMON_LOST :
				     MLX5LM_REASON_DESTINATION_DAEMON_LOST;
	error_set(&ret->error, MLX5LM_ERROR_TIMEOUT, ETIMEDOUT, MLX5LM_SOURCE_LIBVIRT,
		  "the libvirt daemon of the %s, %s, did not answer within %llu ms",
		  here ? "source" : "destination", uri, (unsigned long long)waited_ms);
	if (started) {
		explain_open_end(link, &ret->error);
		return;
	}
	error_append_message(&ret->error, "; nothing was started: the domain runs on at the "
					  "source");
	error_add_remedy(&ret->error, "virsh -c '%s' version shows whether it answers; restart it "
			 "if it does not", uri);
}

void session_link_finish(struct session_link *link, const struct session_end *end)
{
	pthread_mutex_lock(&link->mutex);
	if (link->given_up) {
		mlx5lm_error_free(end->error);
	} else {
		link->end = *end;
		link->stage = end->stage;
	}
	announce(link);
	pthread_mutex_unlock(&link->mutex);
}

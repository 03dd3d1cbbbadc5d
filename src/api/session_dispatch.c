// SPDX-License-Identifier: LGPL-2.1-or-later
/* What a session does on its caller's thread: it takes what its threads have found, and tells it. */
#include "api/session_internal.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

#include "base/clock.h"
#include "export.h"

static uint64_t now_ms(void)
{
	return (uint64_t)clock_now_ms();
}

int session_refuse_reentry(struct mlx5lm_error **reterr)
{
	return error_set(reterr, MLX5LM_ERROR_BUSY, EBUSY, MLX5LM_SOURCE_LIBRARY,
			 "a callback of this session is running: not all may be called from it");
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

void session_arm(struct mlx5lm_session *session)
{
	uint64_t look_ms = now_ms() + session->link->options->answer_deadline_ms;
	enum failure_side side;
	uint64_t at_ms = session_link_patience_ms(session->link, &side);

	/* Calls that begin from now on do not wake us: patience with them ends later than this. */
	if (look_ms < at_ms)
		at_ms = look_ms;
	set_timer(session, session->ended ? UINT64_MAX : at_ms);
}

void session_join(struct mlx5lm_session *session)
{
	for (int i = 0; i < LINK_THREADS; i++) {
		if (session->has_thread[i])
			pthread_join(session->threads[i], NULL);
		session->has_thread[i] = false;
	}
}

static void drop_event(struct mlx5lm_session *session, size_t index)
{
	for (size_t i = index; i + 1 < session->num_events; i++)
		session->events[(session->first_event + i) % SESSION_MAX_EVENTS] =
			session->events[(session->first_event + i + 1) % SESSION_MAX_EVENTS];
	session->num_events--;
}

/* Keeps an event until it is told. Of samples the newest is enough; nothing else is lost. */
static void queue_event(struct mlx5lm_session *session, enum mlx5lm_event event)
{
	struct session_event *place;

	for (size_t i = 0; i < session->num_events && event == MLX5LM_EVENT_SAMPLE; i++) {
		place = &session->events[(session->first_event + i) % SESSION_MAX_EVENTS];
		if (place->progress.event == MLX5LM_EVENT_SAMPLE) {
			drop_event(session, i);
			break;
		}
	}
	if (session->num_events == SESSION_MAX_EVENTS) {
		/* Nobody fetches them: phases and the end are few, so it is iterations that go. */
		for (size_t i = 0; i < session->num_events; i++) {
			place = &session->events[(session->first_event + i) % SESSION_MAX_EVENTS];
			if (place->progress.event == MLX5LM_EVENT_ITERATION ||
			    place->progress.event == MLX5LM_EVENT_STALL) {
				drop_event(session, i);
				break;
			}
		}
	}
	place = &session->events[(session->first_event + session->num_events++) %
				 SESSION_MAX_EVENTS];
	place->progress = session->machine.progress;
	place->progress.event = event;
}

/* The watcher looks more often at times than the caller wants to be told. */
static bool is_too_early(struct mlx5lm_session *session, uint64_t at_ms)
{
	if (at_ms < session->last_sample_ms + session->link->options->interval_ms)
		return true;
	session->last_sample_ms = at_ms;
	return false;
}

static void feed(struct mlx5lm_session *session, const struct phase_facts *facts)
{
	enum mlx5lm_event events[PHASE_MAX_EVENTS];
	size_t length = phase_feed(&session->machine, facts, events);

	for (size_t i = 0; i < length; i++) {
		if (events[i] == MLX5LM_EVENT_SAMPLE && !facts->queue_position.known &&
		    is_too_early(session, facts->now_ms))
			continue;
		if (events[i] == MLX5LM_EVENT_PHASE || events[i] == MLX5LM_EVENT_DONE)
			log_info(&session->ctx->log, "migration of %s: %s",
				 session->link->options->domain,
				 mlx5lm_phase_str(session->machine.progress.phase));
		queue_event(session, events[i]);
	}
}

static void feed_stage(struct mlx5lm_session *session, enum session_stage stage)
{
	const struct phase_facts facts = { .now_ms = now_ms(), .stage = stage };

	session->stage = stage;
	feed(session, &facts);
}

static void feed_look(struct mlx5lm_session *session, const struct session_look *look)
{
	const struct phase_facts facts = {
		.now_ms = look->at_ms,
		.stage = session->stage,
		.source = look->source,
		.job = look->job,
		.downtime_limit_ms = { .known = look->downtime_limit_ms != 0,
				       .value = look->downtime_limit_ms },
		.stalls = fact_u64(look->stalls),
		.acted = look->acted,
	};

	/* One that was on its way when the job ended. */
	if (session->stage == STAGE_MIGRATE)
		feed(session, &facts);
}

static void take_news(struct mlx5lm_session *session, struct session_news *news)
{
	struct phase_facts facts = { .now_ms = now_ms(), .stage = session->stage };

	if (news->comparison) {
		/* The caller may still look at the one before. */
		mlx5lm_comparison_free(session->old_comparison);
		session->old_comparison = session->news.comparison;
		session->news.comparison = TAKE(news->comparison);
	}
	if (findings_move(&session->news.findings, &news->findings) < 0)
		session->news.findings.error = -ENOMEM;
	if (news->has_migration) {
		session->news.migration = news->migration;
		session->news.has_migration = true;
	}
	if (news->has_forecast) {
		session->news.forecast = news->forecast;
		session->news.has_forecast = true;
		facts.forecast_ms = fact_u64(news->forecast.downtime_ms);
		facts.state_bytes = fact_u64(news->forecast.state_bytes);
	}
	facts.num_vfs = news->num_vfs;
	facts.queue_position = news->queue_position;
	feed(session, &facts);
	findings_release(&news->findings);
}

/* Calls the hook; whoever waits for it is answered by the caller of this. */
static int call_hook(struct mlx5lm_session *session, enum mlx5lm_hook hook)
{
	int r;

	if (hook == MLX5LM_HOOK_COMMIT && session->committed)
		return session->commit_result;
	session->prepared |= hook == MLX5LM_HOOK_PREPARE;
	mlx5lm_error_free(TAKE(session->hook_error));
	session->in_hook = hook;
	session->in_callback = true;
	r = session->hook_fn(session, hook, session->hook_userdata);
	session->in_callback = false;
	session->in_hook = MLX5LM_HOOK_UNKNOWN;
	if (hook == MLX5LM_HOOK_COMMIT) {
		session->committed = true;
		session->commit_result = r;
	}
	return r;
}

/* Why a hook has failed, as it has told itself if it has. */
static struct mlx5lm_error *error_of_hook(const struct mlx5lm_session *session,
					  enum mlx5lm_hook hook, int r)
{
	struct mlx5lm_error *error = NULL;

	if (session->hook_error) {
		error = error_copy(session->hook_error);
		error_set_errno(&error, -r);
	} else {
		error_set(&error, MLX5LM_ERROR_MIGRATION, -r, MLX5LM_SOURCE_LIBRARY,
			  "the hook '%s' failed", mlx5lm_hook_str(hook));
	}
	return error;
}

/* The guest stands still: its traffic may go to the other side from now on. */
static void commit_if_due(struct mlx5lm_session *session)
{
	enum mlx5lm_phase phase = session->machine.progress.phase;
	struct session_link *link = session->link;
	int r;

	if (!session->hook_fn || session->committed ||
	    (phase != MLX5LM_PHASE_SWITCHOVER && phase != MLX5LM_PHASE_RESUME))
		return;
	r = call_hook(session, MLX5LM_HOOK_COMMIT);
	if (r >= 0)
		return;
	pthread_mutex_lock(&link->mutex);
	link->commit_error = error_of_hook(session, MLX5LM_HOOK_COMMIT, r);
	pthread_mutex_unlock(&link->mutex);
	session_link_cancel(link, MLX5LM_REASON_HOOK);
}

static void serve_hook(struct mlx5lm_session *session)
{
	struct session_link *link = session->link;
	enum mlx5lm_hook hook;
	bool skipped;
	int r = 0;

	pthread_mutex_lock(&link->mutex);
	hook = link->hook_answered ? MLX5LM_HOOK_UNKNOWN : link->hook_asked;
	pthread_mutex_unlock(&link->mutex);
	if (hook == MLX5LM_HOOK_UNKNOWN)
		return;
	skipped = hook == MLX5LM_HOOK_PREPARE &&
		  session_link_cancelled(link) != MLX5LM_REASON_UNKNOWN;
	if (!skipped)
		r = call_hook(session, hook);
	pthread_mutex_lock(&link->mutex);
	link->hook_answered = true;
	link->hook_result = r < 0 ? r : skipped;
	mlx5lm_error_free(link->hook_error);
	link->hook_error = r < 0 ? error_of_hook(session, hook, r) : NULL;
	mlx5lm_host_free(link->new_destination);
	link->new_destination = TAKE(session->new_destination);
	pthread_cond_broadcast(&link->changed);
	pthread_mutex_unlock(&link->mutex);
}

static void end(struct mlx5lm_session *session)
{
	struct phase_facts facts = { .now_ms = now_ms(),
				     .stage = session->end.stage,
				     .job = session->end.job };

	session->stage = session->end.stage;
	session->ended = true;
	feed(session, &facts);
}

/* The threads are left to themselves: what they wait for does not answer. */
static void give_up(struct mlx5lm_session *session, enum failure_side side)
{
	struct session_link *link = session->link;
	enum mlx5lm_reason cancelled = session_link_cancelled(link);
	bool running[LINK_THREADS];

	session_link_abandon(link, running, &session->end);
	for (int i = 0; i < LINK_THREADS; i++) {
		if (session->has_thread[i] && running[i])
			pthread_detach(session->threads[i]);
		else if (session->has_thread[i])
			pthread_join(session->threads[i], NULL);
		session->has_thread[i] = false;
	}
	/* The worker may have ended, and only the watcher still waits for its answer. */
	if (session->end.stage != STAGE_NONE)
		return;
	session_link_explain_silence(link, session->stage, side, cancelled, &session->end);
	/* Nothing was started: what was prepared can be taken back without any doubt. */
	if (session->stage == STAGE_PREPARE && session->prepared)
		call_hook(session, MLX5LM_HOOK_RELEASE);
}

/* Takes over what the threads have found since; true if both have ended. */
static bool collect(struct mlx5lm_session *session)
{
	struct session_link *link = session->link;
	enum session_stage stages[LINK_MAX_STAGES];
	struct session_look looks[LINK_MAX_LOOKS];
	struct session_news news;
	size_t num_stages, num_looks;
	bool over;

	pthread_mutex_lock(&link->mutex);
	num_stages = link->num_stages;
	memcpy(stages, link->stages, num_stages * sizeof(stages[0]));
	num_looks = link->num_looks;
	memcpy(looks, link->looks, num_looks * sizeof(looks[0]));
	news = link->news;
	link->news = (struct session_news){ 0 };
	link->num_stages = link->num_looks = 0;
	over = link->end.stage != STAGE_NONE && !link->threads[LINK_WORKER] &&
	       !link->threads[LINK_WATCHER];
	if (over) {
		session->end = link->end;
		link->end.error = NULL;
	}
	pthread_mutex_unlock(&link->mutex);

	/* Looks belong to the job, whose stage comes before what follows it. */
	for (size_t i = 0; i < num_stages && stages[i] <= STAGE_MIGRATE; i++)
		feed_stage(session, stages[i]);
	take_news(session, &news);
	for (size_t i = 0; i < num_looks; i++)
		feed_look(session, &looks[i]);
	for (size_t i = 0; i < num_stages; i++) {
		if (stages[i] > STAGE_MIGRATE)
			feed_stage(session, stages[i]);
	}
	return over;
}

static void clear(int fd)
{
	uint64_t count;
	ssize_t length;

	/* Nothing to read is as good: the descriptor is only to become quiet. */
	length = read(fd, &count, sizeof(count));
	(void)length;
}

/* Does what is due, but for telling the events. */
void session_advance(struct mlx5lm_session *session)
{
	enum failure_side side;

	/* arm() quiets the timer by setting it anew. */
	clear(session->link->wake_fd);
	if (session->ended)
		return;
	if (collect(session)) {
		session_join(session);
		end(session);
	} else if (session_link_patience_ms(session->link, &side) <= now_ms()) {
		give_up(session, side);
		end(session);
	} else {
		commit_if_due(session);
		serve_hook(session);
	}
	session_arm(session);
}

static bool take_event(struct mlx5lm_session *session)
{
	if (!session->num_events) {
		session->now = session->machine.progress;
		session->now.event = MLX5LM_EVENT_UNKNOWN;
		return false;
	}
	session->now = session->events[session->first_event].progress;
	session->first_event = (session->first_event + 1) % SESSION_MAX_EVENTS;
	session->num_events--;
	return true;
}

static void tell_events(struct mlx5lm_session *session)
{
	while (take_event(session)) {
		int r = 0;

		session->told_end |= session->now.event == MLX5LM_EVENT_DONE;
		if (!session->fn)
			continue;
		session->in_callback = true;
		r = session->fn(&session->now, session->userdata);
		session->in_callback = false;
		if (r < 0)
			session_link_cancel(session->link, MLX5LM_REASON_CANCELLED);
	}
}

static int check_started(const struct mlx5lm_session *session, struct mlx5lm_error **reterr)
{
	if (!session || !session->started)
		return error_invalid(reterr, "a session that was started is needed");
	return session->in_callback ? session_refuse_reentry(reterr) : 0;
}

MLX5LM_EXPORT int mlx5lm_session_dispatch(struct mlx5lm_session *session,
					  struct mlx5lm_error **reterr)
{
	int r = check_started(session, reterr);

	if (r < 0)
		return r;
	session_advance(session);
	tell_events(session);
	return session->ended ? 0 : 1;
}

/* Sleeps until something is due; false if the time is over. */
bool session_wait_due(const struct mlx5lm_session *session, uint64_t until_ms)
{
	struct pollfd fd = { .fd = session->epoll_fd, .events = POLLIN };
	uint64_t now = now_ms();
	int timeout_ms = -1;

	if (until_ms != UINT64_MAX)
		timeout_ms = until_ms > now ? (int)(until_ms - now < INT32_MAX ? until_ms - now :
										 INT32_MAX) : 0;
	/* Interrupted by a signal is as good: what is due is looked at, and may be nothing. */
	poll(&fd, 1, timeout_ms);
	return until_ms == UINT64_MAX || now_ms() < until_ms || fd.revents;
}

MLX5LM_EXPORT int mlx5lm_session_next_event(struct mlx5lm_session *session, uint32_t timeout_ms,
					    const struct mlx5lm_progress **ret,
					    struct mlx5lm_error **reterr)
{
	uint64_t until_ms = timeout_ms == UINT32_MAX ? UINT64_MAX : now_ms() + timeout_ms;
	int r = check_started(session, reterr);

	if (r < 0)
		return r;
	if (!ret)
		return error_invalid(reterr, "a place for the event is needed");
	for (;;) {
		session_advance(session);
		if (take_event(session)) {
			session->told_end |= session->now.event == MLX5LM_EVENT_DONE;
			*ret = &session->now;
			/* Others wait: the descriptor must stay readable for who polls it. */
			if (session->num_events)
				eventfd_write(session->link->wake_fd, 1);
			return 1;
		}
		if (session->told_end)
			return -ENODATA;
		if (!session_wait_due(session, until_ms))
			return 0;
	}
}

MLX5LM_EXPORT int mlx5lm_session_run(struct mlx5lm_session *session, struct mlx5lm_error **reterr)
{
	int r = 0;

	if (!session)
		return error_invalid(reterr, "a session is needed");
	if (session->in_callback)
		return session_refuse_reentry(reterr);
	if (!session->started)
		r = mlx5lm_session_start(session, reterr);
	if (r < 0)
		return r;
	while (mlx5lm_session_dispatch(session, NULL) > 0)
		session_wait_due(session, UINT64_MAX);
	return mlx5lm_session_get_result(session, reterr);
}

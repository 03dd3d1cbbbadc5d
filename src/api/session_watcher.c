// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/session_watcher.h"

#include <errno.h>
#include <sys/eventfd.h>

#include "base/clock.h"
#include "sys/domain.h"
#include "sys/libvirt.h"

/* Between two attempts to abort: the job may not be there yet, or a request may be lost. */
#define ABORT_RETRY_MS 50
#define ABORT_REPEAT_MS 1000
/* libvirt may say for a moment that there is no job when there is one still or already. */
#define LOOKS_UNTIL_OVER 3
/* Between two questions for numbers while the guest stands still. */
#define STILL_LOOK_MS 2000

struct watcher {
	struct session_link *link;
	struct _virConnect *connection;
	struct _virDomain *domain; /* NULL: nothing to look at yet */
	struct _virConnect *peer;  /* NULL: none to look after */
	struct policy_state state;
	struct policy_sample sample;
	struct fact_u64 bandwidth;
	uint64_t last_look_ms;
	uint64_t last_job_ms;
	uint64_t next_look_ms;
	uint64_t next_abort_ms;
	bool saw_job;
	unsigned int idle_looks; /* in a row that showed no job (any more) */
};

static uint64_t now_ms(void)
{
	return (uint64_t)clock_now_ms();
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Deadlines of what comes before the job: the policy's own begin with it. */
static uint64_t early_deadline_ms(const struct session_link *link, enum mlx5lm_reason *reason)
{
	uint64_t total_ms = link->policy.total_deadline_ms;
	uint64_t at_ms = total_ms ? link->started_ms + total_ms : UINT64_MAX;
	uint64_t connect_ms = link->options->connect_deadline_ms;

	*reason = MLX5LM_REASON_TOTAL_DEADLINE;
	if (!link->connected && link->began_ms + connect_ms < at_ms) {
		at_ms = link->began_ms + connect_ms;
		*reason = MLX5LM_REASON_CONNECT_DEADLINE;
	}
	return at_ms;
}

static void take_job(struct watcher *watcher)
{
	struct session_link *link = watcher->link;

	watcher->connection = TAKE(link->watching);
	watcher->domain = TAKE(link->watched);
	watcher->peer = TAKE(link->peer);
	job_policy_start(&watcher->state, &link->policy, link->started_ms, link->limit_ms);
}

/*
 * With the lock. Nobody may come to fetch the looks for a while: one that shows the same phase as the
 * next is no loss, and there are fewer phases than places.
 */
static void make_room(struct session_link *link)
{
	size_t i = 0;

	while (i + 2 < link->num_looks &&
	       phase_of_job(link->looks[i].source, &link->looks[i].job) !=
		       phase_of_job(link->looks[i + 1].source, &link->looks[i + 1].job))
		i++;
	link->looks[i + 1].acted |= link->looks[i].acted;
	link->num_looks--;
	memmove(&link->looks[i], &link->looks[i + 1],
		(link->num_looks - i) * sizeof(link->looks[0]));
}

/* With the lock. */
static void publish(struct session_link *link, const struct session_look *look)
{
	if (link->num_looks == LINK_MAX_LOOKS)
		make_room(link);
	link->looks[link->num_looks++] = *look;
	eventfd_write(link->wake_fd, 1);
}

/* With the lock. */
static void note_act(struct session_link *link, const struct policy_decision *decision)
{
	if (link->num_acts < LINK_MAX_ACTS)
		link->acts[link->num_acts++] = (struct session_act){
			.at_ms = now_ms() - link->started_ms, .decision = *decision
		};
}

/*
 * The job of an attached session has nobody whose call returns when it is over. Of a new one it is
 * for the session's patience with that call.
 */
static void look_whether_over(struct watcher *watcher, const struct session_look *look)
{
	struct session_link *link = watcher->link;
	bool left = look->source == DOMAIN_GONE || look->source == DOMAIN_OFF;
	bool idle = look->job.type == JOB_NONE || look->job.type == JOB_COMPLETED ||
		    look->job.type == JOB_FAILED || look->job.type == JOB_CANCELLED;

	watcher->saw_job |= look->job.type == JOB_RUNNING || link->record;
	watcher->idle_looks = idle ? watcher->idle_looks + 1 : 0;
	if (link->over_ms || !watcher->saw_job ||
	    (!left && watcher->idle_looks < LOOKS_UNTIL_OVER))
		return;
	link->over_ms = look->at_ms;
	pthread_cond_broadcast(&link->changed);
}

static void act(struct watcher *watcher, const struct policy_decision *decision)
{
	struct session_link *link = watcher->link;

	switch (decision->action) {
	case MLX5LM_ACTION_RAISE_DOWNTIME:
	case MLX5LM_ACTION_FORCE_SWITCHOVER:
		session_link_enter_call(link, LINK_WATCHER, FAILURE_SOURCE, false);
		/* That fails where the job has just ended; what matters is seen with the next look. */
		domain_set_max_downtime(watcher->domain, decision->downtime_limit_ms, NULL);
		session_link_leave_call(link, LINK_WATCHER);
		break;
	case MLX5LM_ACTION_ABORT:
		session_link_cancel(link, decision->reason);
		break;
	default:
		break;
	}
}

/*
 * The numbers come from QEMU's monitor, and what libvirt does there while the guest stands still is part
 * of the downtime: it is not held up then.
 */
static bool may_ask_job(struct watcher *watcher, enum domain_state source)
{
	uint64_t now = now_ms();

	if (source == DOMAIN_PAUSED_BY_MIGRATION && now < watcher->last_job_ms + STILL_LOOK_MS)
		return false;
	watcher->last_job_ms = now;
	return true;
}

static void look(struct watcher *watcher)
{
	/* Only a hook has use for the moment of the switchover: more looks near it cost downtime. */
	const struct fact_u64 unknown = { 0 };
	struct session_link *link = watcher->link;
	struct session_look look = { 0 };
	struct policy_decision decision;

	session_link_enter_call(link, LINK_WATCHER, FAILURE_SOURCE, false);
	look.source = domain_get_state(watcher->domain);
	if (may_ask_job(watcher, look.source))
		domain_get_job(watcher->domain, &look.job);
	session_link_leave_call(link, LINK_WATCHER);
	look.at_ms = watcher->last_look_ms = now_ms();
	if (look.job.memory_bytes_per_s.known)
		watcher->bandwidth = look.job.memory_bytes_per_s;
	watcher->sample = (struct policy_sample){
		.now_ms = look.at_ms,
		.phase = phase_of_job(look.source, &look.job),
		.remaining_bytes = look.job.data_remaining,
		.iteration = look.job.memory_iteration,
		.force = atomic_load(&link->force),
	};
	decision = job_policy_decide(&link->policy, &watcher->state, &watcher->sample);
	look.acted = decision.stalled || decision.action != MLX5LM_ACTION_CONTINUE;
	act(watcher, &decision);
	look.downtime_limit_ms = watcher->state.limit_ms;
	look.stalls = watcher->state.stalls;
	pthread_mutex_lock(&link->mutex);
	if (look.acted)
		note_act(link, &decision);
	look_whether_over(watcher, &look);
	publish(link, &look);
	pthread_mutex_unlock(&link->mutex);
	watcher->next_look_ms = job_policy_next_look_ms(&link->policy, &watcher->state,
							&watcher->sample,
							link->has_hook ? watcher->bandwidth :
									 unknown,
							link->options->interval_ms);
	/* From the end of the reading: a daemon that is slow is not asked more often. */
	if (watcher->next_look_ms < now_ms() + POLICY_LOOK_MIN_MS)
		watcher->next_look_ms = now_ms() + POLICY_LOOK_MIN_MS;
}

/*
 * In direct control nobody tells libvirt's client that the destination has gone until the data is
 * through, which may be never: keepalive needs an event loop.
 */
static void look_after_peer(struct watcher *watcher)
{
	if (watcher->peer && !libvirt_is_alive(watcher->peer))
		session_link_cancel(watcher->link, MLX5LM_REASON_DESTINATION_DAEMON_LOST);
}

/* Asks libvirt to stop the job, again and again until the worker is past it. */
static void abort_job(struct watcher *watcher)
{
	int r;

	session_link_enter_call(watcher->link, LINK_WATCHER, FAILURE_SOURCE, false);
	r = domain_abort_job(watcher->domain, NULL);
	session_link_leave_call(watcher->link, LINK_WATCHER);
	watcher->next_abort_ms = now_ms() + (r < 0 ? ABORT_RETRY_MS : ABORT_REPEAT_MS);
}

static bool must_force(const struct watcher *watcher)
{
	return atomic_load(&watcher->link->force) && !watcher->state.forced_ms;
}

/* Waits with the lock until something is due; false when there is nothing to do any more. */
static bool wait_due(struct watcher *watcher)
{
	struct session_link *link = watcher->link;

	for (;;) {
		enum mlx5lm_reason reason;
		uint64_t due_ms = UINT64_MAX;
		struct timespec until;

		if (link->given_up || link->stage > STAGE_MIGRATE)
			return false;
		if (!watcher->domain && link->watched)
			take_job(watcher);
		if (watcher->domain) {
			due_ms = watcher->next_look_ms;
			if (session_link_cancelled(link))
				due_ms = min_u64(due_ms, watcher->next_abort_ms);
			if (must_force(watcher))
				due_ms = min_u64(due_ms,
						 watcher->last_look_ms + POLICY_LOOK_MIN_MS);
		} else if (!session_link_cancelled(link)) {
			due_ms = early_deadline_ms(link, &reason);
			if (now_ms() >= due_ms) {
				pthread_mutex_unlock(&link->mutex);
				session_link_cancel(link, reason);
				pthread_mutex_lock(&link->mutex);
				continue;
			}
		}
		if (now_ms() >= due_ms)
			return true;
		if (due_ms == UINT64_MAX) {
			pthread_cond_wait(&link->changed, &link->mutex);
			continue;
		}
		until.tv_sec = (time_t)(due_ms / 1000);
		until.tv_nsec = (long)(due_ms % 1000) * 1000000;
		pthread_cond_timedwait(&link->changed, &link->mutex, &until);
	}
}

void *session_watcher(void *argument)
{
	struct watcher watcher = { .link = argument };
	struct session_link *link = argument;
	bool go_on;

	for (;;) {
		pthread_mutex_lock(&link->mutex);
		go_on = wait_due(&watcher);
		pthread_mutex_unlock(&link->mutex);
		if (!go_on)
			break;
		if (session_link_cancelled(link) && now_ms() >= watcher.next_abort_ms)
			abort_job(&watcher);
		if (now_ms() >= watcher.next_look_ms || must_force(&watcher))
			look(&watcher);
		look_after_peer(&watcher);
	}
	domain_free(watcher.domain);
	libvirt_close(watcher.connection);
	libvirt_close(watcher.peer);
	session_link_end_thread(link, LINK_WATCHER);
	return NULL;
}

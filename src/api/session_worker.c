// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/session_worker.h"

#include <errno.h>

/* Libvirt's blocking call, while the watcher looks on. */
static int migrate(struct worker *worker, struct mlx5lm_error **reterr)
{
	struct session_link *link = worker->link;
	_cleanup_error_ struct mlx5lm_error *failure = NULL;
	struct migration migration = worker->migration;
	uint64_t limit_ms = link->policy.downtime_limit_ms;

	if (!limit_ms)
		limit_ms = worker->old_downtime_limit_ms.value;
	migration.destination_xml = worker->destination_xml;
	if (!session_link_reach(link, STAGE_MIGRATE))
		return -ECANCELED;
	worker->started = true;
	session_link_watch(link, TAKE(worker->watching), TAKE(worker->watched),
			   migration.control == MLX5LM_CONTROL_DIRECT ? worker->to : NULL,
			   limit_ms);
	session_link_enter_call(link, LINK_WORKER, FAILURE_SOURCE, true);
	domain_migrate(worker->domain, worker->to, &migration, &failure);
	session_link_leave_call(link, LINK_WORKER);
	if (!session_link_reach(link, STAGE_VERIFY))
		return -ECANCELED;
	return worker_verify(worker, failure, reterr);
}

static int run_new(struct worker *worker, struct mlx5lm_error **reterr)
{
	int r;

	if (!session_link_reach(worker->link, STAGE_PREFLIGHT))
		return -ECANCELED;
	r = worker_preflight(worker, reterr);
	if (r < 0)
		return r;
	if (!session_link_reach(worker->link, STAGE_PREPARE))
		return -ECANCELED;
	r = worker_prepare(worker, reterr);
	return r < 0 ? r : migrate(worker, reterr);
}

/* The job runs, or has run, without us. */
static int run_attached(struct worker *worker, struct mlx5lm_error **reterr)
{
	struct session_link *link = worker->link;
	int r;

	if (!session_link_reach(link, STAGE_PREFLIGHT))
		return -ECANCELED;
	r = worker_attach(worker, reterr);
	if (r < 0)
		return r;
	if (r > 0) {
		if (!session_link_reach(link, STAGE_MIGRATE))
			return -ECANCELED;
		session_link_watch(link, TAKE(worker->watching), TAKE(worker->watched), NULL, 0);
		if (!session_link_wait_over(link))
			return -ECANCELED;
	}
	if (!session_link_reach(link, STAGE_VERIFY))
		return -ECANCELED;
	return worker_verify(worker, NULL, reterr);
}

/* Where the error alone does not tell it better. */
static enum mlx5lm_reason reason_of(const struct worker *worker, const struct mlx5lm_error *error)
{
	bool here = worker->side == FAILURE_SOURCE;
	enum mlx5lm_reason reason;

	if (worker->reason != MLX5LM_REASON_UNKNOWN)
		return worker->reason;
	if (session_link_cancelled(worker->link) &&
	    (error->code == MLX5LM_ERROR_CANCELLED || error->code == MLX5LM_ERROR_TIMEOUT))
		return session_link_cancelled(worker->link);
	reason = failure_reason(error, worker->side);
	if (reason != MLX5LM_REASON_OTHER && reason != MLX5LM_REASON_DATA_CONNECTION)
		return reason;
	switch (error->code) {
	case MLX5LM_ERROR_CONNECT:
		return here ? MLX5LM_REASON_SOURCE_UNREACHABLE :
			      MLX5LM_REASON_DESTINATION_UNREACHABLE;
	case MLX5LM_ERROR_INCOMPATIBLE:
		return MLX5LM_REASON_HOSTS_INCOMPATIBLE;
	case MLX5LM_ERROR_VF:
		return error->errnum == EBUSY ? MLX5LM_REASON_VF_IN_USE : MLX5LM_REASON_VF_UNFIT;
	case MLX5LM_ERROR_DOMAIN:
		return error->errnum == EEXIST ? MLX5LM_REASON_DOMAIN_EXISTS :
						 MLX5LM_REASON_DOMAIN_UNFIT;
	case MLX5LM_ERROR_NO_MEMORY:
		return MLX5LM_REASON_RESOURCES;
	default:
		return reason;
	}
}

static enum session_stage final_stage(const struct worker *worker)
{
	const struct mlx5lm_error *error = worker->end.error;

	if (!error)
		return STAGE_COMPLETED;
	if (error->code != MLX5LM_ERROR_CANCELLED)
		return STAGE_FAILED;
	/* CANCELLED promises that the domain runs at the source. */
	return worker->at_source == DOMAIN_UNKNOWN || worker->at_source == DOMAIN_RUNNING ?
		       STAGE_CANCELLED :
		       STAGE_FAILED;
}

/* Was it never started, or does the guest run on at the source for certain? */
static bool has_stayed(const struct worker *worker)
{
	return !worker->started ||
	       outcome_of(worker->at_source, worker->at_destination) == OUTCOME_STAYED;
}

/* Where the guest is not known, what was prepared for it is left: it may have it already. */
static void release(struct worker *worker)
{
	_cleanup_error_ struct mlx5lm_error *error = NULL;
	struct session_news news = { 0 };
	struct mlx5lm_finding *finding;

	if (session_link_ask_hook(worker->link, MLX5LM_HOOK_RELEASE, NULL, &error) >= 0)
		return;
	finding = findings_add(&news.findings, MLX5LM_STATUS_WARN, "session.hook", "destination");
	finding_set(&news.findings, finding, MLX5LM_FINDING_MESSAGE,
		    "the hook 'release' failed: what was prepared may be left there");
	finding_set(&news.findings, finding, MLX5LM_FINDING_FOUND, "%s",
		    error ? error->message : "");
	if (error && error->remedy)
		finding_set(&news.findings, finding, MLX5LM_FINDING_REMEDY, "%s", error->remedy);
	session_link_publish(worker->link, &news);
}

/* Leaves the source as it was found, and the journal only where somebody still needs it. */
static void clean_up(struct worker *worker)
{
	bool stayed = has_stayed(worker);

	if (!session_link_reach(worker->link, STAGE_CLEAN_UP))
		return;
	if (worker->end.error && stayed && worker->prepared)
		release(worker);
	if (worker->end.error && worker->limits_downtime && worker->domain &&
	    worker->at_source != DOMAIN_GONE) {
		worker_enter(worker, FAILURE_SOURCE);
		domain_set_max_downtime(worker->domain, worker->old_downtime_limit_ms.value, NULL);
		worker_leave(worker);
	}
	if (!worker->end.error || stayed || worker->at_destination == DOMAIN_RUNNING)
		session_file_remove(TAKE(worker->file));
}

static void worker_release(struct worker *worker)
{
	if (worker->has_turn)
		turns_leave(worker->link->turns, &worker->ticket);
	queue_ticket_release(&worker->ticket);
	session_file_close(worker->file);
	domain_free(worker->domain);
	domain_free(worker->watched);
	libvirt_close(worker->watching);
	libvirt_close(worker->from);
	libvirt_close(worker->to);
	mlx5lm_domain_free(worker->parsed);
	libvirt_facts_release(&worker->from_facts);
	libvirt_facts_release(&worker->to_facts);
	free(worker->xml);
	free(worker->destination_xml);
	free(worker->name);
	free(worker->uuid);
	vf_mappings_release(&worker->mappings);
	pairing_release(&worker->pairing);
	mlx5lm_host_free(worker->destination);
}

static void work(struct worker *worker)
{
	struct mlx5lm_error *error = NULL;
	int r;

	r = worker->link->record ? run_attached(worker, &error) : run_new(worker, &error);
	if (r < 0 && !error)
		error_no_memory(&error);
	worker->end.error = error;
	worker->end.reason = error ? reason_of(worker, error) : MLX5LM_REASON_NONE;
	clean_up(worker);
	worker->end.stage = final_stage(worker);
}

void *session_worker(void *argument)
{
	struct session_link *link = argument;
	struct worker worker = {
		.link = link,
		.options = link->options,
		.wanted = &link->options->vfs,
		.makeable = link->options->makeable,
		.destination = link->options->destination,
	};

	if (worker.destination)
		refcount_get(&worker.destination->refcount);
	work(&worker);
	/* Before the session says that it is over: nothing of it is left then. */
	worker_release(&worker);
	session_link_finish(link, &worker.end);
	session_link_end_thread(link, LINK_WORKER);
	return NULL;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/session_worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>

#include "core/failure.h"
#include "core/outcome.h"
#include "sys/domain.h"
#include "sys/libvirt.h"

/* How long both ends may take to agree where the domain is. */
#define SETTLE_TRIES 100
#define SETTLE_PAUSE_MS 50
#define TRIES_PER_RECONNECT 20

struct worker {
	const struct mlx5lm_session_options *options;
	const atomic_int *cancel;
	int wake_fd;
	pthread_t thread;

	pthread_mutex_t mutex; /* of the next three */
	enum session_stage stages[WORKER_MAX_STAGES];
	size_t num_stages;
	struct _virDomain *watched;

	/* Of the thread alone until it is joined. */
	struct _virConnect *source;
	struct _virConnect *destination;
	struct _virConnect *watching;
	struct _virDomain *domain;
	struct _virDomain *watched_domain;
	struct domain_xml xml;
	struct vf_mappings mappings;
	char *destination_xml;
	bool persistent;
	struct fact_u64 old_downtime_limit_ms;
	enum domain_state at_source;
	enum domain_state at_destination;
	struct worker_result result;
};

static void reach(struct worker *worker, enum session_stage stage)
{
	pthread_mutex_lock(&worker->mutex);
	worker->stages[worker->num_stages++] = stage;
	if (stage == STAGE_MIGRATE)
		worker->watched = worker->watched_domain;
	pthread_mutex_unlock(&worker->mutex);
	/* Cannot fail: the counter is far from its limit. */
	eventfd_write(worker->wake_fd, 1);
}

size_t worker_take_stages(struct worker *worker, enum session_stage stages[WORKER_MAX_STAGES])
{
	size_t length;

	pthread_mutex_lock(&worker->mutex);
	length = worker->num_stages;
	memcpy(stages, worker->stages, length * sizeof(stages[0]));
	worker->num_stages = 0;
	pthread_mutex_unlock(&worker->mutex);
	return length;
}

struct _virDomain *worker_watched_domain(struct worker *worker)
{
	struct _virDomain *domain;

	pthread_mutex_lock(&worker->mutex);
	domain = worker->watched;
	pthread_mutex_unlock(&worker->mutex);
	return domain;
}

/* Nothing has been started yet: a wish to cancel ends it here. */
static int check_cancel(const struct worker *worker, struct mlx5lm_error **reterr)
{
	switch (atomic_load(worker->cancel)) {
	case CANCEL_BY_CALLER:
		return error_set(reterr, MLX5LM_ERROR_CANCELLED, ECANCELED, MLX5LM_SOURCE_LIBRARY,
				 "cancelled before the migration was started");
	case CANCEL_BY_DEADLINE:
		return error_set(reterr, MLX5LM_ERROR_TIMEOUT, ETIMEDOUT, MLX5LM_SOURCE_LIBRARY,
				 "the deadline passed before the migration was started");
	default:
		return 0;
	}
}

static int connect_all(struct worker *worker, struct mlx5lm_error **reterr)
{
	const struct mlx5lm_session_options *options = worker->options;
	int r;

	r = check_cancel(worker, reterr);
	if (r == 0)
		r = libvirt_open(options->source_uri, &worker->source, reterr);
	if (r == 0)
		r = libvirt_open(options->source_uri, &worker->watching, reterr);
	if (r == 0)
		r = check_cancel(worker, reterr);
	if (r == 0)
		r = libvirt_open(options->destination_uri, &worker->destination, reterr);
	if (r == 0)
		r = check_cancel(worker, reterr);
	return r;
}

static int find_domain(struct worker *worker, struct mlx5lm_error **reterr)
{
	const char *name = worker->options->domain;
	enum domain_state state;
	int r;

	r = domain_find(worker->source, name, &worker->domain, reterr);
	if (r == 0)
		r = domain_find(worker->watching, name, &worker->watched_domain, reterr);
	if (r < 0) {
		error_add_remedy(reterr, "virsh -c '%s' list --all shows the domains",
				 worker->options->source_uri);
		return r;
	}
	state = domain_get_state(worker->domain);
	if (state == DOMAIN_RUNNING)
		return 0;
	return error_set(reterr, MLX5LM_ERROR_DOMAIN, EOPNOTSUPP, MLX5LM_SOURCE_LIBRARY,
			 "domain '%s' is not running at the source", name);
}

static int check_daemons(struct worker *worker, struct mlx5lm_error **reterr)
{
	const struct mlx5lm_session_options *options = worker->options;
	_cleanup_libvirt_facts_ struct libvirt_facts source = { 0 }, destination = { 0 };
	int r;

	r = libvirt_read(worker->source, options->source_uri, &source, reterr);
	if (r == 0)
		r = libvirt_read(worker->destination, options->destination_uri, &destination,
				 reterr);
	if (r < 0)
		return r;
	preflight_choose_drivers(options->destination, &destination, &worker->xml,
				 &worker->mappings);
	return preflight_check_daemons(&source, &destination, &worker->xml, &worker->mappings,
				       reterr);
}

static int preflight(struct worker *worker, char **ret_xml, struct mlx5lm_error **reterr)
{
	const struct mlx5lm_session_options *options = worker->options;
	_cleanup_free_ char *xml = NULL;
	int r;

	r = connect_all(worker, reterr);
	if (r == 0)
		r = find_domain(worker, reterr);
	if (r == 0)
		r = domain_get_xml(worker->domain, true, &xml, reterr);
	if (r == 0)
		r = domain_xml_parse(xml, &worker->xml, reterr);
	if (r == 0)
		r = preflight_map_vfs(options->source, options->destination, &worker->xml,
				      &options->vfs, &worker->mappings, reterr);
	if (r == 0)
		r = check_daemons(worker, reterr);
	if (r == 0)
		r = domain_is_persistent(worker->domain, reterr);
	if (r < 0)
		return r;
	worker->persistent = r > 0 && options->persistent;
	*ret_xml = TAKE(xml);
	return 0;
}

static int limit_downtime(struct worker *worker, struct mlx5lm_error **reterr)
{
	uint64_t old_ms;
	int r;

	if (!worker->options->downtime_limit_ms)
		return 0;
	r = domain_get_max_downtime(worker->domain, &old_ms, reterr);
	if (r == 0)
		r = domain_set_max_downtime(worker->domain, worker->options->downtime_limit_ms,
					    reterr);
	if (r == 0)
		worker->old_downtime_limit_ms = fact_u64(old_ms);
	return r;
}

static int prepare(struct worker *worker, struct mlx5lm_error **reterr)
{
	_cleanup_free_ char *xml = NULL;
	int r;

	reach(worker, STAGE_PREFLIGHT);
	r = preflight(worker, &xml, reterr);
	if (r < 0)
		return r;
	reach(worker, STAGE_PREPARE);
	r = domain_xml_map(xml, worker->mappings.items, worker->mappings.length,
			   &worker->destination_xml, reterr);
	if (r == 0)
		r = limit_downtime(worker, reterr);
	if (r == 0)
		r = check_cancel(worker, reterr);
	return r;
}

/* The domain as the other end sees it now, over a new connection if the old one broke. */
static enum domain_state look(struct _virConnect **connection, const char *uri, const char *uuid,
			      bool may_connect)
{
	_cleanup_domain_ struct _virDomain *domain = NULL;
	enum domain_state state = DOMAIN_UNKNOWN;
	int r;

	if (!*connection && (!may_connect || libvirt_open(uri, connection, NULL) < 0))
		return DOMAIN_UNKNOWN;
	r = domain_find(*connection, uuid, &domain, NULL);
	if (r == 0)
		state = domain_get_state(domain);
	else if (r == -ENOENT)
		state = DOMAIN_GONE;
	if (state == DOMAIN_UNKNOWN && !libvirt_is_alive(*connection))
		libvirt_close(TAKE(*connection));
	return state;
}

static enum outcome find_outcome(struct worker *worker)
{
	static const struct timespec pause = { .tv_nsec = SETTLE_PAUSE_MS * 1000000 };
	const struct mlx5lm_session_options *options = worker->options;
	enum outcome outcome = OUTCOME_OPEN;

	for (int i = 0; i < SETTLE_TRIES && outcome == OUTCOME_OPEN; i++) {
		bool may_connect = i % TRIES_PER_RECONNECT == 1;

		if (i > 0)
			nanosleep(&pause, NULL);
		worker->at_source = look(&worker->source, options->source_uri, worker->xml.uuid,
					 may_connect);
		worker->at_destination = look(&worker->destination, options->destination_uri,
					      worker->xml.uuid, may_connect);
		outcome = outcome_of(worker->at_source, worker->at_destination);
	}
	return outcome;
}

/* Does the domain at the destination have the VFs it was meant to get? */
static int verify_vfs(struct worker *worker, struct _virDomain *domain,
		      struct mlx5lm_error **reterr)
{
	_cleanup_domain_xml_ struct domain_xml there = { 0 };
	_cleanup_free_ char *xml = NULL;
	int r;

	r = domain_get_xml(domain, false, &xml, reterr);
	if (r == 0)
		r = domain_xml_parse(xml, &there, reterr);
	for (size_t i = 0; r == 0 && i < worker->mappings.length; i++) {
		const char *bdf = worker->mappings.items[i].destination;

		if (!domain_xml_has(&there, bdf))
			r = error_set(reterr, MLX5LM_ERROR_VERIFY_FAILED, ENODEV,
				      MLX5LM_SOURCE_LIBRARY,
				      "domain '%s' runs at the destination without the VF %s",
				      worker->xml.name, bdf);
	}
	return r;
}

static int verify_moved(struct worker *worker, struct mlx5lm_error **reterr)
{
	_cleanup_domain_ struct _virDomain *domain = NULL;
	int r;

	r = domain_find(worker->destination, worker->xml.uuid, &domain, reterr);
	if (r == 0)
		r = verify_vfs(worker, domain, reterr);
	if (r < 0)
		return r;
	/* A transient domain's statistics have gone with it from the source. */
	domain_get_completed_job(domain, &worker->result.job);
	return 0;
}

/* The same failure with the place of the domain behind it, and with what helps. */
static struct mlx5lm_error *tell_where(const struct worker *worker,
				       const struct mlx5lm_error *failure)
{
	_cleanup_free_ char *where =
		outcome_text(worker->xml.name, worker->at_source, worker->at_destination);
	const char *remedy = outcome_remedy(worker->at_source, worker->at_destination);
	struct mlx5lm_error *error = NULL;

	error_set(&error, failure->code, failure->errnum, failure->source, "%s; %s",
		  failure->message, where ? where : "out of memory");
	if (failure->detail)
		error_add_detail(&error, "%s", failure->detail);
	if (!remedy)
		remedy = failure_remedy(failure->detail);
	if (remedy)
		error_add_remedy(&error, "%s", remedy);
	return error;
}

/* Why the domain has not moved, in the caller's terms. */
static int explain(const struct worker *worker, const struct mlx5lm_error *failure,
		   struct mlx5lm_error **reterr)
{
	int reason = atomic_load(worker->cancel);
	bool stayed = outcome_of(worker->at_source, worker->at_destination) == OUTCOME_STAYED;
	_cleanup_error_ struct mlx5lm_error *error = NULL;

	if (reason == CANCEL_BY_DEADLINE)
		error_set(&error, MLX5LM_ERROR_TIMEOUT, ETIMEDOUT, MLX5LM_SOURCE_LIBRARY,
			  "the deadline of %llu ms passed",
			  (unsigned long long)worker->options->total_deadline_ms);
	else if (reason == CANCEL_BY_CALLER && stayed)
		error_set(&error, MLX5LM_ERROR_CANCELLED, ECANCELED, MLX5LM_SOURCE_LIBRARY,
			  "the migration was cancelled");
	else if (failure && (stayed || failure->code != MLX5LM_ERROR_CANCELLED))
		error = error_copy(failure);
	else if (failure)
		error_set(&error, MLX5LM_ERROR_MIGRATION, EIO, failure->source, "%s",
			  failure->message);
	else
		error_set(&error, MLX5LM_ERROR_VERIFY_FAILED, EIO, MLX5LM_SOURCE_LIBRARY,
			  "libvirt reports success, but the domain cannot be seen running at the "
			  "destination alone");
	if (failure && !error->detail && failure->detail)
		error_add_detail(&error, "%s", failure->detail);
	return error_pass(reterr, tell_where(worker, error));
}

/* Enough when libvirt has reported success and only the source does not answer any more. */
static bool runs_there(const struct worker *worker)
{
	return worker->at_destination == DOMAIN_RUNNING && worker->at_source == DOMAIN_UNKNOWN;
}

static int migrate(struct worker *worker, struct mlx5lm_error **reterr)
{
	const struct migration migration = {
		.destination_uri = worker->options->destination_uri,
		.xml = worker->destination_xml,
		.data_uri = worker->options->data_uri,
		.bandwidth_mib_per_s = worker->options->bandwidth_mib_per_s,
		.persistent = worker->persistent,
	};
	_cleanup_error_ struct mlx5lm_error *failure = NULL;

	reach(worker, STAGE_MIGRATE);
	domain_migrate(worker->domain, &migration, &failure);
	reach(worker, STAGE_VERIFY);
	if (find_outcome(worker) == OUTCOME_MOVED || (!failure && runs_there(worker)))
		return verify_moved(worker, reterr);
	return explain(worker, failure, reterr);
}

static enum session_stage final_stage(const struct worker *worker)
{
	const struct mlx5lm_error *error = worker->result.error;

	if (!error)
		return STAGE_COMPLETED;
	if (error->code != MLX5LM_ERROR_CANCELLED)
		return STAGE_FAILED;
	/* CANCELLED promises that the domain runs at the source. */
	return worker->at_source == DOMAIN_UNKNOWN || worker->at_source == DOMAIN_RUNNING ?
		       STAGE_CANCELLED :
		       STAGE_FAILED;
}

/* Leaves the source as it was found. */
static void clean_up(struct worker *worker)
{
	reach(worker, STAGE_CLEAN_UP);
	if (worker->result.error && worker->old_downtime_limit_ms.known &&
	    worker->at_source != DOMAIN_GONE)
		domain_set_max_downtime(worker->domain, worker->old_downtime_limit_ms.value, NULL);
	domain_free(TAKE(worker->domain));
	libvirt_close(TAKE(worker->source));
	libvirt_close(TAKE(worker->destination));
}

static void *work(void *argument)
{
	struct worker *worker = argument;
	struct mlx5lm_error *error = NULL;
	int r;

	r = prepare(worker, &error);
	if (r == 0)
		r = migrate(worker, &error);
	worker->result.error = error;
	clean_up(worker);
	worker->result.stage = final_stage(worker);
	reach(worker, worker->result.stage);
	return NULL;
}

static int start_thread(struct worker *worker)
{
	sigset_t all, before;
	int r;

	/* Signals of the host program belong to its own threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&worker->thread, NULL, work, worker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -r;
}

int worker_start(const struct mlx5lm_session_options *options, const atomic_int *cancel,
		 int wake_fd, struct worker **ret)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	int r;

	if (!worker)
		return -ENOMEM;
	worker->options = options;
	worker->cancel = cancel;
	worker->wake_fd = wake_fd;
	pthread_mutex_init(&worker->mutex, NULL);
	r = start_thread(worker);
	if (r < 0) {
		pthread_mutex_destroy(&worker->mutex);
		free(worker);
		return r;
	}
	*ret = worker;
	return 0;
}

void worker_join(struct worker *worker, struct worker_result *ret)
{
	pthread_join(worker->thread, NULL);
	pthread_mutex_destroy(&worker->mutex);
	domain_free(worker->watched_domain);
	libvirt_close(worker->watching);
	domain_xml_release(&worker->xml);
	vf_mappings_release(&worker->mappings);
	free(worker->destination_xml);
	*ret = worker->result;
	free(worker);
}

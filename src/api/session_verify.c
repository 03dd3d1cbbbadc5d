// SPDX-License-Identifier: LGPL-2.1-or-later
/* What became of the guest, and whether all is as it should be. */
#include "api/session_worker.h"

#include <errno.h>
#include <time.h>

#include "base/clock.h"
#include "core/host_libvirt.h"
#include "core/nodedev_xml.h"
#include "core/outcome.h"
#include "core/vf_ready.h"

/* How long both ends may take to agree where the domain is. */
#define SETTLE_TRIES 100
#define SETTLE_PAUSE_MS 50
#define TRIES_PER_RECONNECT 20

/* The domain as the other end sees it now, over a new connection if the old one broke. */
static enum domain_state look(struct worker *worker, enum failure_side side, bool may_connect)
{
	const struct mlx5lm_session_options *options = worker->options;
	bool source = side == FAILURE_SOURCE;
	struct _virConnect **connection = source ? &worker->from : &worker->to;
	const char *uri = source ? options->source_uri : options->destination_uri;
	_cleanup_domain_ struct _virDomain *domain = NULL;
	enum domain_state state = DOMAIN_UNKNOWN;
	int r = 0;

	worker_enter(worker, side);
	if (!*connection)
		r = may_connect ? libvirt_open(uri, connection, NULL) : -ENOTCONN;
	if (r == 0) {
		r = domain_find(*connection, worker->uuid, &domain, NULL);
		if (r == 0)
			state = domain_get_state(domain);
		else if (r == -ENOENT)
			state = DOMAIN_GONE;
		if (state == DOMAIN_UNKNOWN && !libvirt_is_alive(*connection))
			libvirt_close(TAKE(*connection));
	}
	worker_leave(worker);
	return state;
}

static enum outcome find_outcome(struct worker *worker, const struct mlx5lm_error *failure)
{
	static const struct timespec pause = { .tv_nsec = SETTLE_PAUSE_MS * 1000000 };
	uint64_t until_ms = (uint64_t)clock_now_ms() + worker->options->answer_deadline_ms;
	enum outcome outcome = OUTCOME_OPEN;

	for (int i = 0; outcome == OUTCOME_OPEN; i++) {
		bool may_connect = i % TRIES_PER_RECONNECT == 1;

		if (session_link_is_given_up(worker->link) ||
		    (i >= SETTLE_TRIES && (uint64_t)clock_now_ms() >= until_ms))
			break;
		if (i > 0)
			nanosleep(&pause, NULL);
		worker->at_source = look(worker, FAILURE_SOURCE, may_connect);
		session_link_know(worker->link, worker->at_source, failure);
		worker->at_destination = look(worker, FAILURE_DESTINATION, may_connect);
		outcome = outcome_of(worker->at_source, worker->at_destination);
		/* Two ends that answer and say the same for five seconds will not change their minds. */
		if (i >= SETTLE_TRIES && worker->at_source != DOMAIN_UNKNOWN &&
		    worker->at_destination != DOMAIN_UNKNOWN)
			break;
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

	r = domain_get_xml(domain, DOMAIN_XML_LIVE, &xml, reterr);
	if (r == 0)
		r = domain_xml_parse(xml, &there, reterr);
	for (size_t i = 0; r == 0 && i < worker->pairing.num_pairs; i++) {
		const char *bdf = worker->pairing.pairs[i].destination;

		if (!domain_xml_has(&there, bdf))
			r = error_set(reterr, MLX5LM_ERROR_VERIFY_FAILED, ENODEV,
				      MLX5LM_SOURCE_LIBRARY,
				      "domain '%s' runs at the destination without the VF %s",
				      worker->name, bdf);
	}
	return r;
}

/* A finding about the driver of a destination VF, as the daemon there tells it. */
static void check_driver(struct worker *worker, const char *bdf, struct mlx5lm_findings *findings)
{
	_cleanup_free_ char *xml = NULL, *driver = NULL;
	struct mlx5lm_finding *finding;
	enum mlx5lm_status status = MLX5LM_STATUS_UNKNOWN;
	int r;

	worker_enter(worker, FAILURE_DESTINATION);
	r = libvirt_get_pci_xml(worker->to, bdf, &xml, NULL);
	worker_leave(worker);
	if (r == 0)
		r = nodedev_xml_driver(xml, &driver, NULL);
	if (r == 0)
		status = streq(driver, VARIANT_DRIVER) || streq(driver, "mlx5-vfio-pci") ?
				 MLX5LM_STATUS_PASS : MLX5LM_STATUS_FAIL;
	finding = findings_add(findings, status, "session.vf_bound", bdf);
	finding_set(findings, finding, MLX5LM_FINDING_MESSAGE, "%s",
		    status == MLX5LM_STATUS_UNKNOWN ?
			    "the destination's daemon does not tell which driver the VF has" :
			    "driver of the VF that the guest has now");
	finding_set(findings, finding, MLX5LM_FINDING_FOUND, "%s",
		    r < 0 ? "unknown" : *driver ? driver : "none");
	finding_set(findings, finding, MLX5LM_FINDING_REQUIRED, "%s", VARIANT_DRIVER);
	if (status != MLX5LM_STATUS_PASS)
		finding_set(findings, finding, MLX5LM_FINDING_REMEDY,
			    "look at the destination: readlink /sys/bus/pci/devices/%s/driver",
			    bdf);
}

static void check_source_vf(const struct libvirt_facts *source, int known, const char *bdf,
			    struct mlx5lm_findings *findings)
{
	struct mlx5lm_finding *finding;
	const char *user = NULL;
	enum mlx5lm_status status;
	int r = known;

	if (r == 0)
		r = libvirt_facts_find_user(source, bdf, &user);
	if (r < 0)
		status = MLX5LM_STATUS_UNKNOWN;
	else
		status = user ? MLX5LM_STATUS_FAIL : MLX5LM_STATUS_PASS;
	finding = findings_add(findings, status, "session.source_vf_free", bdf);
	finding_set(findings, finding, MLX5LM_FINDING_MESSAGE, "%s",
		    r < 0 ? "the source's daemon does not tell who has the VF" :
			    "the VF that the guest had is free again");
	finding_set(findings, finding, MLX5LM_FINDING_FOUND, "%s",
		    r < 0 ? "unknown" : user ? user : "free");
	finding_set(findings, finding, MLX5LM_FINDING_REQUIRED, "free");
	if (status != MLX5LM_STATUS_PASS)
		finding_set(findings, finding, MLX5LM_FINDING_REMEDY,
			    "look at the source: virsh list --all");
}

/* What the daemons do not tell is a finding; what is wrong ends the session as a failure. */
static int check_devices(struct worker *worker, struct mlx5lm_error **reterr)
{
	_cleanup_libvirt_facts_ struct libvirt_facts source = { 0 };
	struct session_news news = { 0 };
	int known = -ENOTCONN, r = 0;

	if (worker->from && worker->pairing.num_pairs) {
		worker_enter(worker, FAILURE_SOURCE);
		known = libvirt_read(worker->from, worker->options->source_uri, &source, NULL);
		worker_leave(worker);
	}
	for (size_t i = 0; i < worker->pairing.num_pairs; i++) {
		const struct mlx5lm_pair *pair = &worker->pairing.pairs[i];

		check_driver(worker, pair->destination, &news.findings);
		check_source_vf(&source, known, pair->source, &news.findings);
	}
	if (findings_count(&news.findings, MLX5LM_STATUS_FAIL)) {
		r = preflight_refuse(&news.findings, &worker->reason, reterr);
		error_set_code(reterr, MLX5LM_ERROR_VERIFY_FAILED);
		error_add_prefix(reterr, "the guest runs at the destination, but: ");
	}
	session_link_publish(worker->link, &news);
	return r;
}

static int commit(struct worker *worker, struct mlx5lm_error **reterr)
{
	int r = session_link_ask_hook(worker->link, MLX5LM_HOOK_COMMIT, NULL, reterr);

	if (r < 0)
		error_add_prefix(reterr, "the guest runs at the destination, but: ");
	return r;
}

/* Numbers of a migration that went well, and the guest's devices. */
static int verify_guest(struct worker *worker, struct mlx5lm_error **reterr)
{
	_cleanup_domain_ struct _virDomain *domain = NULL;
	int r;

	worker_enter(worker, FAILURE_DESTINATION);
	r = domain_find(worker->to, worker->uuid, &domain, reterr);
	/* A transient domain's statistics have gone with it from the source. */
	if (r == 0)
		domain_get_completed_job(domain, &worker->end.job);
	if (r == 0)
		r = verify_vfs(worker, domain, reterr);
	worker_leave(worker);
	if (r == 0)
		r = check_devices(worker, reterr);
	if (r < 0)
		worker->reason = MLX5LM_REASON_VERIFY;
	return r;
}

static int verify_moved(struct worker *worker, struct mlx5lm_error **reterr)
{
	_cleanup_error_ struct mlx5lm_error *error = NULL;
	/* First of all: the guest's traffic waits for it. */
	int committed = commit(worker, reterr);
	int r = verify_guest(worker, &error);

	if (committed < 0) {
		worker->reason = MLX5LM_REASON_HOOK;
		return committed;
	}
	return r < 0 ? error_pass(reterr, TAKE(error)) : 0;
}

/* The same failure with the place of the domain behind it, and with what helps. */
static struct mlx5lm_error *tell_where(const struct worker *worker,
				       const struct mlx5lm_error *failure)
{
	_cleanup_free_ char *where =
		outcome_text(worker->name, worker->at_source, worker->at_destination);
	const char *remedy = outcome_remedy(worker->at_source, worker->at_destination);
	struct mlx5lm_error *error = NULL;

	error_set(&error, failure->code, failure->errnum, failure->source, "%s; %s",
		  failure->message, where ? where : "out of memory");
	if (failure->detail)
		error_add_detail(&error, "%s", failure->detail);
	if (!remedy)
		remedy = failure->remedy ? failure->remedy : failure_remedy(worker->reason);
	if (remedy)
		error_add_remedy(&error, "%s", remedy);
	return error;
}

static void say_why_cancelled(const struct worker *worker, enum mlx5lm_reason reason,
			      struct mlx5lm_error **error)
{
	const struct job_policy *policy = &worker->link->policy;

	switch (reason) {
	case MLX5LM_REASON_CANCELLED:
		error_set(error, MLX5LM_ERROR_CANCELLED, ECANCELED, MLX5LM_SOURCE_LIBRARY,
			  "the migration was cancelled");
		break;
	case MLX5LM_REASON_STALLED:
		error_set(error, MLX5LM_ERROR_TIMEOUT, ETIMEDOUT, MLX5LM_SOURCE_LIBRARY,
			  "the migration made no progress: the guest dirties memory as fast as it is "
			  "sent");
		break;
	case MLX5LM_REASON_SETUP_DEADLINE:
		error_set(error, MLX5LM_ERROR_TIMEOUT, ETIMEDOUT, MLX5LM_SOURCE_LIBRARY,
			  "QEMU at the destination was not ready within %llu ms",
			  (unsigned long long)policy->setup_deadline_ms);
		break;
	case MLX5LM_REASON_HOOK:
		pthread_mutex_lock(&worker->link->mutex);
		*error = error_copy(worker->link->commit_error);
		pthread_mutex_unlock(&worker->link->mutex);
		break;
	case MLX5LM_REASON_DESTINATION_DAEMON_LOST:
		error_set(error, MLX5LM_ERROR_CONNECT, ECONNRESET, MLX5LM_SOURCE_LIBVIRT,
			  "the connection to the libvirt daemon at %s broke",
			  worker->options->destination_uri);
		break;
	default:
		error_set(error, MLX5LM_ERROR_TIMEOUT, ETIMEDOUT, MLX5LM_SOURCE_LIBRARY,
			  "the deadline of %llu ms passed",
			  (unsigned long long)policy->total_deadline_ms);
		break;
	}
}

/* Why the domain has not moved, in the caller's terms. */
static int explain(struct worker *worker, const struct mlx5lm_error *failure,
		   struct mlx5lm_error **reterr)
{
	enum mlx5lm_reason cancelled = session_link_cancelled(worker->link);
	enum mlx5lm_reason where = failure_of_outcome(worker->at_source, worker->at_destination);
	bool stayed = outcome_of(worker->at_source, worker->at_destination) == OUTCOME_STAYED;
	_cleanup_error_ struct mlx5lm_error *error = NULL;

	if (cancelled && (stayed || cancelled != MLX5LM_REASON_CANCELLED)) {
		worker->reason = cancelled;
		say_why_cancelled(worker, cancelled, &error);
	} else if (failure) {
		worker->reason = failure_reason(failure, worker->lost);
		error = error_copy(failure);
		if (!stayed && error->code == MLX5LM_ERROR_CANCELLED)
			error_set_code(&error, MLX5LM_ERROR_MIGRATION);
	} else if (worker->link->record && stayed) {
		worker->reason = MLX5LM_REASON_OTHER;
		error_set(&error, MLX5LM_ERROR_MIGRATION, EIO, MLX5LM_SOURCE_LIBRARY,
			  "the migration failed, or was aborted, after its caller had died");
	} else {
		worker->reason = stayed ? MLX5LM_REASON_OTHER : MLX5LM_REASON_OUTCOME_UNKNOWN;
		error_set(&error, MLX5LM_ERROR_VERIFY_FAILED, EIO, MLX5LM_SOURCE_LIBRARY,
			  "libvirt reports success, but the domain cannot be seen running at the "
			  "destination alone");
	}
	/* Where the guest is counts for more, unless it is certain to run at the source at least. */
	if (where == MLX5LM_REASON_SPLIT_BRAIN ||
	    (where != MLX5LM_REASON_UNKNOWN && (worker->at_source != DOMAIN_RUNNING ||
						worker->reason == MLX5LM_REASON_OTHER)))
		worker->reason = where;
	if (failure && !error->detail && failure->detail)
		error_add_detail(&error, "%s", failure->detail);
	return error_pass(reterr, tell_where(worker, error));
}

/* Enough when libvirt has reported success and only the source does not answer any more. */
static bool runs_there(const struct worker *worker)
{
	return worker->at_destination == DOMAIN_RUNNING && worker->at_source == DOMAIN_UNKNOWN;
}

int worker_verify(struct worker *worker, const struct mlx5lm_error *failure,
		  struct mlx5lm_error **reterr)
{
	bool reported = !failure && !worker->link->record;

	/* Before new connections take their place: the same words are said of either daemon. */
	if (!libvirt_is_alive(worker->from))
		worker->lost = FAILURE_SOURCE;
	else if (!libvirt_is_alive(worker->to))
		worker->lost = FAILURE_DESTINATION;
	if (find_outcome(worker, failure) == OUTCOME_MOVED || (reported && runs_there(worker)))
		return verify_moved(worker, reterr);
	return explain(worker, failure, reterr);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
/* What a session does before libvirt is told to migrate. */
#include "api/session_worker.h"

#include <errno.h>

#include "core/host_libvirt.h"
#include "core/migration_params.h"
#include "sys/domain_ask.h"

int worker_check(const struct worker *worker, struct mlx5lm_error **reterr)
{
	switch (session_link_cancelled(worker->link)) {
	case MLX5LM_REASON_UNKNOWN:
		break;
	case MLX5LM_REASON_CANCELLED:
		return error_set(reterr, MLX5LM_ERROR_CANCELLED, ECANCELED, MLX5LM_SOURCE_LIBRARY,
				 "cancelled before the migration was started");
	case MLX5LM_REASON_CONNECT_DEADLINE:
		return error_set(reterr, MLX5LM_ERROR_TIMEOUT, ETIMEDOUT, MLX5LM_SOURCE_LIBRARY,
				 "the daemons could not be connected to within %llu ms",
				 (unsigned long long)worker->options->connect_deadline_ms);
	default:
		return error_set(reterr, MLX5LM_ERROR_TIMEOUT, ETIMEDOUT, MLX5LM_SOURCE_LIBRARY,
				 "the deadline passed before the migration was started");
	}
	if (session_link_is_given_up(worker->link))
		return error_set(reterr, MLX5LM_ERROR_TIMEOUT, ETIMEDOUT, MLX5LM_SOURCE_LIBRARY,
				 "the session was given up");
	return 0;
}

static int open_one(struct worker *worker, enum failure_side side, const char *uri,
		    struct _virConnect **ret, struct mlx5lm_error **reterr)
{
	int r = worker_check(worker, reterr);

	if (r < 0)
		return r;
	worker_enter(worker, side);
	r = libvirt_open(uri, ret, reterr);
	worker_leave(worker);
	return r;
}

/* On connections of our own if they can be had, else on the caller's. */
static int open_like(struct worker *worker, struct mlx5lm_error **reterr)
{
	struct _virConnect *connection = worker->options->connection;
	const char *uri = worker->options->source_uri;
	int r;

	if (open_one(worker, FAILURE_SOURCE, uri, &worker->from, NULL) == 0 &&
	    open_one(worker, FAILURE_SOURCE, uri, &worker->watching, NULL) == 0)
		return 0;
	r = worker_check(worker, reterr);
	if (r == 0 && !worker->from)
		r = libvirt_ref(connection, &worker->from);
	if (r == 0 && !worker->watching)
		r = libvirt_ref(connection, &worker->watching);
	return r == -EINVAL ? error_invalid(reterr, "libvirt does not take the connection") : r;
}

int worker_connect(struct worker *worker, struct mlx5lm_error **reterr)
{
	const struct mlx5lm_session_options *options = worker->options;
	int r;

	if (options->connection) {
		r = open_like(worker, reterr);
	} else {
		r = open_one(worker, FAILURE_SOURCE, options->source_uri, &worker->from, reterr);
		if (r == 0)
			r = open_one(worker, FAILURE_SOURCE, options->source_uri,
				     &worker->watching, reterr);
	}
	if (r == 0)
		r = open_one(worker, FAILURE_DESTINATION, options->destination_uri, &worker->to,
			     reterr);
	if (r < 0)
		return r;
	session_link_connected(worker->link);
	return worker_check(worker, reterr);
}

static int find_domain(struct worker *worker, struct mlx5lm_error **reterr)
{
	const char *name = worker->options->domain;
	enum domain_state state;
	int r;

	r = domain_find(worker->from, name, &worker->domain, reterr);
	if (r == 0)
		r = domain_find(worker->watching, name, &worker->watched, reterr);
	if (r < 0) {
		if (r == -ENOENT)
			worker->reason = MLX5LM_REASON_DOMAIN_GONE;
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

static int parse_domain(struct worker *worker, const char *xml, struct mlx5lm_error **reterr)
{
	int r = domain_new(xml, strlen(xml), &worker->parsed, reterr);

	if (r < 0)
		return r;
	if (str_replace(&worker->name, worker->parsed->parsed.name) < 0 ||
	    str_replace(&worker->uuid, worker->parsed->parsed.uuid) < 0)
		return error_no_memory(reterr);
	if (!worker->uuid)
		return error_set(reterr, MLX5LM_ERROR_INVALID_DOCUMENT, EBADMSG,
				 MLX5LM_SOURCE_LIBVIRT, "the domain's XML has no UUID");
	return 0;
}

static int read_domain(struct worker *worker, struct mlx5lm_error **reterr)
{
	/* The comparison is shown to people: its XML has no passwords. */
	_cleanup_free_ char *xml = NULL;
	int r;

	worker_enter(worker, FAILURE_SOURCE);
	r = find_domain(worker, reterr);
	if (r == 0)
		r = domain_get_xml(worker->domain, DOMAIN_XML_MIGRATABLE, &xml, reterr);
	if (r == 0)
		r = domain_get_xml(worker->domain, DOMAIN_XML_COMPLETE, &worker->xml, reterr);
	if (r == 0)
		r = domain_is_persistent(worker->domain, reterr);
	worker_leave(worker);
	if (r < 0)
		return r;
	worker->migration.persistent = r > 0 && worker->options->persistent;
	return parse_domain(worker, xml, reterr);
}

static int read_daemons(struct worker *worker, struct mlx5lm_error **reterr)
{
	int r;

	libvirt_facts_release(&worker->from_facts);
	libvirt_facts_release(&worker->to_facts);
	worker->from_facts = worker->to_facts = (struct libvirt_facts){ 0 };
	worker_enter(worker, FAILURE_SOURCE);
	r = libvirt_read(worker->from, worker->options->source_uri, &worker->from_facts, reterr);
	worker_leave(worker);
	if (r < 0)
		return r;
	worker_enter(worker, FAILURE_DESTINATION);
	r = libvirt_read(worker->to, worker->options->destination_uri, &worker->to_facts, reterr);
	worker_leave(worker);
	return r;
}

/* A daemon that cannot compare leaves the answer open; the comparison says so. */
static int ask_cpu(struct worker *worker, struct mlx5lm_error **reterr)
{
	struct mlx5lm_domain *domain = worker->parsed;
	const struct cpu_question question = {
		.arch = domain->parsed.arch,
		.machine = domain->parsed.machine,
		.virt_type = domain->parsed.type,
		.cpu = domain->parsed.cpu,
	};

	if (!domain_names_cpu(domain))
		return domain_set_unnamed_cpu(domain) < 0 ? error_no_memory(reterr) : 0;
	worker_enter(worker, FAILURE_DESTINATION);
	domain_compare_cpu(worker->to, worker->options->destination_uri, &question, &domain->cpu,
			   &domain->cpu_note, NULL);
	worker_leave(worker);
	return str_replace(&domain->cpu_uri, worker->options->destination_uri) < 0 ?
		       error_no_memory(reterr) : 0;
}

static int choose_params(struct worker *worker, struct session_news *news,
			 struct mlx5lm_error **reterr)
{
	const struct mlx5lm_session_options *options = worker->options;
	struct migration_wishes wishes = {
		.wanted = {
			.control = (enum mlx5lm_control)options->control,
			.peer_uri = options->peer_uri ? options->peer_uri :
							options->destination_uri,
			.data_uri = options->data_uri,
			.tls_destination = options->tls_destination,
			.bandwidth_mib_per_s = options->bandwidth_mib_per_s,
			.switchover_bandwidth_mib_per_s = options->switchover_bandwidth_mib_per_s,
			.channels = options->channels.value,
			.tls = options->tls,
			.persistent = worker->migration.persistent,
		},
		.has_channels = options->channels.known,
		.num_vfs = worker->parsed->parsed.num_hostdevs,
	};
	int r;

	r = migration_params_choose(&wishes, &worker->from_facts, &worker->to_facts,
				    &worker->migration, &news->findings, reterr);
	if (r < 0)
		return r;
	news->migration = worker->migration;
	news->has_migration = true;
	return 0;
}

static struct fact_u64 least(struct fact_u64 a, struct fact_u64 b)
{
	if (!a.known || (b.known && b.value < a.value))
		return b;
	return a;
}

static int foresee(struct worker *worker, struct session_news *news, struct mlx5lm_error **reterr)
{
	const struct mlx5lm_session_options *options = worker->options;
	const struct migration *migration = &worker->migration;
	struct fact_u64 limit = { 0 }, link = { 0 };
	struct forecast_facts facts = {
		.num_vfs = worker->parsed->parsed.num_hostdevs,
		.vf_state_bytes = options->vf_state_bytes,
		.switchover_ack = migration_has_switchover_ack(&worker->from_facts,
							       &worker->to_facts),
		.channels = migration_channels_carry_vfs(migration, &worker->from_facts,
							 &worker->to_facts) ?
				    migration->channels : 0,
		.tls = migration->tls,
	};

	if (migration->bandwidth_mib_per_s)
		limit = fact_u64(migration->bandwidth_mib_per_s << 20);
	if (options->link_mib_per_s.known)
		link = fact_u64(options->link_mib_per_s.value << 20);
	facts.bandwidth_bytes_per_s = least(limit, link);
	if (migration->switchover_bandwidth_mib_per_s)
		facts.switchover_bytes_per_s =
			fact_u64(migration->switchover_bandwidth_mib_per_s << 20);
	news->num_vfs = fact_u64(facts.num_vfs);
	news->forecast = worker->forecast = forecast_downtime(&facts);
	news->has_forecast = true;
	if (forecast_check(&news->forecast, &worker->link->policy, &news->findings) < 0)
		return error_no_memory(reterr);
	if (findings_count(&news->findings, MLX5LM_STATUS_FAIL) == 0)
		return 0;
	return preflight_refuse(&news->findings, &worker->reason, reterr);
}

static int compare(struct worker *worker, struct session_news *news, struct mlx5lm_error **reterr)
{
	const struct mlx5lm_session_options *options = worker->options;
	struct mlx5lm_compare_options wishes = {
		.domain = worker->parsed,
		.wishes = { .wanted = *worker->wanted, .makeable = worker->makeable },
		.migrate_flags = migration_flags(&worker->migration),
	};
	int r;

	if (!options->source)
		return error_set(reterr, MLX5LM_ERROR_INVALID_ARGUMENT, EINVAL,
				 MLX5LM_SOURCE_LIBRARY,
				 "domain '%s' has a VF: snapshots of both hosts are needed",
				 worker->name);
	vf_mappings_release(&worker->mappings);
	worker->mappings = (struct vf_mappings){ 0 };
	r = preflight_map_vfs(options->source, worker->destination, &worker->parsed->parsed,
			      &wishes.wishes, &worker->mappings, reterr);
	if (r < 0)
		return r;
	news->comparison = calloc(1, sizeof(*news->comparison));
	if (!news->comparison)
		return error_no_memory(reterr);
	r = compare_hosts(options->source, worker->destination, &wishes, news->comparison, reterr);
	if (r < 0)
		return r;
	if (news->comparison->verdict == MLX5LM_VERDICT_INCOMPATIBLE)
		return preflight_refuse(&news->comparison->findings, &worker->reason,
					reterr);
	preflight_choose_drivers(worker->destination, &worker->to_facts, &worker->parsed->parsed,
				 &worker->mappings);
	return 0;
}

static int compare_plain(struct worker *worker, struct session_news *news,
			 struct mlx5lm_error **reterr)
{
	struct mlx5lm_findings findings = { 0 };
	int r = preflight_check_plain(worker->parsed, migration_flags(&worker->migration),
				      &findings);

	if (r < 0)
		r = error_no_memory(reterr);
	else if (findings_count(&findings, MLX5LM_STATUS_FAIL))
		r = preflight_refuse(&findings, &worker->reason, reterr);
	if (findings_move(&news->findings, &findings) < 0 && r == 0)
		r = error_no_memory(reterr);
	findings_release(&findings);
	return r;
}

static int check_ends(struct worker *worker, struct session_news *news,
		      struct mlx5lm_error **reterr)
{
	int r;

	if (worker->parsed->parsed.num_hostdevs)
		r = compare(worker, news, reterr);
	else
		r = compare_plain(worker, news, reterr);
	if (r == 0)
		r = preflight_check_daemons(&worker->from_facts, &worker->to_facts,
					    &worker->parsed->parsed, &worker->mappings, reterr);
	return r;
}

int worker_preflight(struct worker *worker, struct mlx5lm_error **reterr)
{
	struct session_news news = { 0 };
	int r;

	r = worker_connect(worker, reterr);
	if (r == 0)
		r = read_domain(worker, reterr);
	if (r == 0)
		r = read_daemons(worker, reterr);
	if (r == 0)
		r = ask_cpu(worker, reterr);
	if (r == 0)
		r = choose_params(worker, &news, reterr);
	if (r == 0)
		r = check_ends(worker, &news, reterr);
	if (r == 0)
		r = foresee(worker, &news, reterr);
	session_link_publish(worker->link, &news);
	return r;
}

static bool must_stop(void *link)
{
	return session_link_cancelled(link) || session_link_is_given_up(link);
}

/* 1 if it had to wait, so that what was looked at may have changed. */
static int wait_for_turn(struct worker *worker, const struct pairing *pairing,
			 struct mlx5lm_error **reterr)
{
	const struct mlx5lm_session_options *options = worker->options;
	struct turns *turns = worker->link->turns;
	struct session_news news = { 0 };
	size_t position = SIZE_MAX;
	bool waited = false;

	if (queue_ticket_init(&worker->ticket, options->source_uri, options->destination_uri,
			      pairing->pairs, pairing->num_pairs) < 0 ||
	    turns_enter(turns, &worker->ticket) < 0)
		return error_no_memory(reterr);
	worker->has_turn = true;
	while (turns_wait(turns, &worker->ticket, must_stop, worker->link, &position)) {
		news.queue_position = fact_u64(position);
		session_link_publish(worker->link, &news);
		if (position == 0)
			return waited;
		waited = true;
	}
	return worker_check(worker, reterr);
}

/* What the hook has told of the destination counts: the same pairs, but now they must be ready. */
static int compare_again(struct worker *worker, struct mlx5lm_host *destination,
			 struct mlx5lm_error **reterr)
{
	_cleanup_vf_mappings_ struct vf_mappings chosen = worker->mappings;
	struct session_news news = { 0 };
	int r;

	worker->mappings = (struct vf_mappings){ 0 };
	mlx5lm_host_free(worker->destination);
	worker->destination = destination;
	worker->wanted = &chosen;
	worker->makeable = false;
	r = check_ends(worker, &news, reterr);
	worker->wanted = &worker->options->vfs;
	session_link_publish(worker->link, &news);
	return r;
}

static int call_prepare(struct worker *worker, struct mlx5lm_error **reterr)
{
	struct mlx5lm_host *destination = NULL;
	int r;

	r = session_link_ask_hook(worker->link, MLX5LM_HOOK_PREPARE, &destination, reterr);
	worker->prepared = r <= 0;
	if (r < 0) {
		mlx5lm_host_free(destination);
		worker->reason = MLX5LM_REASON_HOOK;
		return r;
	}
	return destination ? compare_again(worker, destination, reterr) : 0;
}

static int read_limit(struct worker *worker, struct mlx5lm_error **reterr)
{
	uint64_t limit_ms;
	int r;

	worker_enter(worker, FAILURE_SOURCE);
	r = domain_get_max_downtime(worker->domain, &limit_ms, reterr);
	worker_leave(worker);
	if (r == 0)
		worker->old_downtime_limit_ms = fact_u64(limit_ms);
	return r;
}

static int set_limit(struct worker *worker, struct mlx5lm_error **reterr)
{
	uint64_t limit_ms = worker->link->policy.downtime_limit_ms;
	int r;

	if (!limit_ms)
		return 0;
	worker_enter(worker, FAILURE_SOURCE);
	r = domain_set_max_downtime(worker->domain, limit_ms, reterr);
	worker_leave(worker);
	worker->limits_downtime = true;
	return r;
}

static int map_xml(struct worker *worker, struct mlx5lm_error **reterr)
{
	if (worker->mappings.length == 0) {
		/* Given nevertheless: it becomes the definition, too. */
		worker->destination_xml = strdup(worker->xml);
		return worker->destination_xml ? 0 : error_no_memory(reterr);
	}
	return domain_xml_map(worker->xml, worker->mappings.items, worker->mappings.length,
			      &worker->destination_xml, reterr);
}

/* The pairs, which the comparison keeps for the caller. */
static int copy_pairs(struct worker *worker, struct mlx5lm_error **reterr)
{
	const struct pairing_wishes wishes = { .wanted = *worker->wanted,
					       .makeable = worker->makeable };

	if (!worker->mappings.length)
		return 0;
	if (pairing_make(worker->options->source, worker->destination, &worker->parsed->parsed,
			 &wishes, &worker->pairing) < 0)
		return error_no_memory(reterr);
	return 0;
}

int worker_prepare(struct worker *worker, struct mlx5lm_error **reterr)
{
	int r, waited;

	r = copy_pairs(worker, reterr);
	if (r < 0)
		return r;
	waited = r = wait_for_turn(worker, &worker->pairing, reterr);
	if (waited > 0)
		r = read_daemons(worker, reterr);
	if (waited > 0 && r == 0)
		r = preflight_check_daemons(&worker->from_facts, &worker->to_facts,
					    &worker->parsed->parsed, &worker->mappings, reterr);
	if (r == 0)
		r = read_limit(worker, reterr);
	if (r == 0)
		r = worker_open_journal(worker, reterr);
	if (r == 0)
		r = worker_check(worker, reterr);
	if (r == 0)
		r = call_prepare(worker, reterr);
	if (r == 0)
		r = map_xml(worker, reterr);
	if (r == 0)
		r = worker_check(worker, reterr);
	return r < 0 ? r : set_limit(worker, reterr);
}

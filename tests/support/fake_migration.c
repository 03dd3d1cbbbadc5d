// SPDX-License-Identifier: LGPL-2.1-or-later
#include "support/fake_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define MEMORY_BYTES (1ULL << 20)
#define PAGE_BYTES 4096

/* Since libvirt 11.1: newer than the headers may be. */
#define PARAM_SWITCHOVER_BANDWIDTH "bandwidth.avail.switchover"

/* A migration that runs. Domains move in their arrays, so that they are looked up each time. */
struct run {
	struct fake_daemon *from, *to;
	int from_life, to_life;
	char name[64];
	char uuid[FAKE_UUID_SIZE];
	unsigned int flags;
	struct fake_script script;
	/* What libvirt says of it in the end; code 0: success. */
	int code, domain;
	char message[256];
};

enum wait_end {
	WAIT_REACHED,
	WAIT_ABORTED,
	WAIT_DIED, /* the domain at the source */
	WAIT_SOURCE_LOST,
	WAIT_DESTINATION_LOST,
};

static bool past_setup(const struct fake_domain *domain)
{
	return domain->polls >= domain->script.setup_polls;
}

static bool past_pre_copy(const struct fake_domain *domain)
{
	return domain->polls >= domain->script.setup_polls + domain->script.pre_copy_polls &&
	       domain->max_downtime_ms >= domain->script.converges_at_ms;
}

/* Looks at the job since the setup, this one included. */
static struct fake_sample sample_of(const struct fake_domain *domain)
{
	const struct fake_script *script = &domain->script;
	unsigned long long looks = (unsigned long long)(domain->polls - script->setup_polls) + 1;
	struct fake_sample sample = {
		.iteration = looks,
		.dirty_pages_per_s = 100,
		.bytes_per_s = MEMORY_BYTES,
	};

	if (script->num_samples)
		sample = script->samples[looks <= script->num_samples ? looks - 1 :
									script->num_samples - 1];
	else if (script->converges_at_ms)
		sample.remaining = MEMORY_BYTES / 2;
	else if (looks < 8)
		sample.remaining = MEMORY_BYTES - looks * (MEMORY_BYTES / 8);
	sample.iteration += (unsigned long long)script->job_iteration;
	return sample;
}

struct param_list {
	virTypedParameterPtr *items;
	int *length;
	int allocated;
};

static void add(struct param_list *list, const char *name, unsigned long long value)
{
	virTypedParamsAddULLong(list->items, list->length, &list->allocated, name, value);
}

static void tell_completed(struct param_list *list)
{
	virTypedParamsAddInt(list->items, list->length, &list->allocated, "operation",
			     VIR_DOMAIN_JOB_OPERATION_MIGRATION_IN);
	add(list, "downtime", 70);
	add(list, "downtime_net", 66);
	add(list, "time_elapsed", 1234);
	add(list, "setup_time", 5);
	add(list, "data_processed", MEMORY_BYTES * 2);
	add(list, "vfio_data_transferred", 4096);
}

static void tell_running(const struct fake_domain *domain, struct param_list *list)
{
	struct fake_sample sample = { 0 };
	bool copies = past_setup(domain);
	unsigned long long sent = 0;

	if (copies) {
		sample = sample_of(domain);
		sent = (unsigned long long)(domain->polls - domain->script.setup_polls + 1) *
		       (MEMORY_BYTES / 8);
	}
	virTypedParamsAddInt(list->items, list->length, &list->allocated, "operation",
			     domain->script.is_dump ? VIR_DOMAIN_JOB_OPERATION_DUMP :
						      VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT);
	add(list, "data_total", copies ? MEMORY_BYTES : 0);
	add(list, "data_processed", sent);
	add(list, "data_remaining", sample.remaining);
	add(list, "memory_total", copies ? MEMORY_BYTES : 0);
	add(list, "memory_processed", sent);
	add(list, "memory_remaining", sample.remaining);
	add(list, "memory_page_size", PAGE_BYTES);
	add(list, "memory_iteration", copies ? sample.iteration : 0);
	add(list, "memory_dirty_rate", sample.dirty_pages_per_s);
	add(list, "memory_bps", sample.bytes_per_s);
	if (domain->script.throttle)
		virTypedParamsAddInt(list->items, list->length, &list->allocated,
				     "auto_converge_throttle", domain->script.throttle);
	if (copies && domain->script.vfio_bytes)
		add(list, "vfio_data_transferred", domain->script.vfio_bytes);
	add(list, "some_key_of_the_future", 1);
	virTypedParamsAddString(list->items, list->length, &list->allocated, "errmsg", "text");
}

int virDomainGetJobStats(virDomainPtr domain, int *type, virTypedParameterPtr *params, int *length,
			 unsigned int flags)
{
	bool completed = flags & VIR_DOMAIN_JOB_STATS_COMPLETED;
	struct fake_domain *found =
		fake_enter(domain, completed ? FAKE_CALL_COMPLETED_JOB : FAKE_CALL_JOB);
	struct param_list list = { .items = params, .length = length };

	if (!found)
		return -1;
	/* Else they would be gone for the next who asks. */
	if (completed && !(flags & VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED))
		abort();
	*length = 0;
	*params = NULL;
	*type = VIR_DOMAIN_JOB_NONE;
	if (completed && found->completed) {
		*type = VIR_DOMAIN_JOB_COMPLETED;
		tell_completed(&list);
	} else if (!completed) {
		fake_counts.polls++;
		if (found->polls >= 0) {
			*type = VIR_DOMAIN_JOB_UNBOUNDED;
			tell_running(found, &list);
			found->polls++;
			pthread_cond_broadcast(&fake_changed);
		}
	}
	fake_leave();
	return 0;
}

int virDomainAbortJob(virDomainPtr domain)
{
	struct fake_domain *found = fake_enter(domain, FAKE_CALL_ABORT);
	int r = 0;

	if (!found)
		return -1;
	if (!fake_counts.aborts++)
		fake_counts.first_abort_ms = (unsigned long long)clock_now_ms();
	if (found->polls < 0 || found->script.refused_aborts-- > 0) {
		r = fake_raise(domain->connection, 0, VIR_ERR_OPERATION_INVALID,
			       "no job is active on the domain");
	} else if ((!past_pre_copy(found) || found->script.late_aborts) &&
		   found->script.ignored_aborts-- <= 0) {
		found->aborted = true;
		pthread_cond_broadcast(&fake_changed);
	}
	fake_leave();
	return r;
}

#define KEEP(to, param) snprintf(to, sizeof(to), "%s", (param)->value.s)

static void record_param(const virTypedParameter *param)
{
	struct fake_calls *counts = &fake_counts;
	const char *field = param->field;

	if (!strcmp(field, VIR_MIGRATE_PARAM_BANDWIDTH))
		counts->bandwidth = param->value.ul;
	else if (!strcmp(field, PARAM_SWITCHOVER_BANDWIDTH))
		counts->switchover_bandwidth = param->value.ul;
	else if (!strcmp(field, VIR_MIGRATE_PARAM_PARALLEL_CONNECTIONS) &&
		 param->type == VIR_TYPED_PARAM_INT)
		counts->channels = param->value.i;
	else if (!strcmp(field, VIR_MIGRATE_PARAM_TLS_DESTINATION))
		KEEP(counts->tls_destination, param);
	else if (!strcmp(field, VIR_MIGRATE_PARAM_URI))
		KEEP(counts->data_uri, param);
	else if (!strcmp(field, VIR_MIGRATE_PARAM_DEST_XML))
		KEEP(counts->destination_xml, param);
	else if (!strcmp(field, VIR_MIGRATE_PARAM_PERSIST_XML))
		KEEP(counts->persistent_xml, param);
	else
		abort();
}

static void record(virTypedParameterPtr params, unsigned int length, unsigned int flags)
{
	fake_counts.migrations++;
	fake_counts.flags = flags;
	for (unsigned int i = 0; i < length; i++)
		record_param(&params[i]);
}

/* Waits for the end of a phase. */
static enum wait_end wait_until(struct run *run, bool (*is_past)(const struct fake_domain *))
{
	for (;;) {
		const struct fake_domain *domain = fake_find_domain(run->from, NULL, run->uuid);

		if (run->from->refuses || run->from->life != run->from_life)
			return WAIT_SOURCE_LOST;
		if (run->to->refuses || run->to->life != run->to_life)
			return WAIT_DESTINATION_LOST;
		if (!domain)
			return WAIT_DIED;
		if (domain->aborted)
			return WAIT_ABORTED;
		if (is_past(domain))
			return WAIT_REACHED;
		pthread_cond_wait(&fake_changed, &fake_lock);
	}
}

static bool past_switchover(const struct fake_domain *domain)
{
	return domain->polls >= domain->script.setup_polls + domain->script.pre_copy_polls +
				       domain->script.switchover_polls;
}

static void fail(struct run *run, int domain, int code, const char *message)
{
	run->domain = domain;
	run->code = code;
	snprintf(run->message, sizeof(run->message), "%s", message ? message : "failed");
}

/* It ended before its time: the domain runs on at the source, if it still does. */
static void break_off(struct run *run, enum wait_end end)
{
	struct fake_domain *source = fake_find_domain(run->from, NULL, run->uuid);
	struct fake_domain *target = fake_find_domain(run->to, NULL, run->uuid);

	if (source) {
		source->polls = -1;
		source->state = VIR_DOMAIN_RUNNING;
		source->reason = 0;
	}
	if (target)
		fake_remove_domain(run->to, target);
	switch (end) {
	case WAIT_ABORTED:
		fail(run, 0, VIR_ERR_OPERATION_ABORTED,
		     "operation aborted: job 'migration out' canceled by client");
		break;
	case WAIT_DIED:
		fail(run, 0, VIR_ERR_OPERATION_FAILED, "operation failed: domain is not running");
		break;
	case WAIT_SOURCE_LOST:
		fail(run, VIR_FROM_RPC, VIR_ERR_SYSTEM_ERROR,
		     "End of file while reading data: Input/output error");
		break;
	default:
		fail(run, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR, "client socket is closed");
		break;
	}
}

static bool has_moved(enum fake_end end)
{
	return end == FAKE_MOVES || end == FAKE_MOVES_BUT_FAILS || end == FAKE_LOSES_VF ||
	       end == FAKE_SOURCE_DIES;
}

static void settle_source(struct run *run, struct fake_domain *source)
{
	enum fake_end end = run->script.end;

	source->polls = -1;
	source->state = VIR_DOMAIN_RUNNING;
	source->reason = 0;
	if (end == FAKE_SOURCE_PAUSED)
		source->state = VIR_DOMAIN_PAUSED;
	else if (end == FAKE_SOURCE_OFF)
		source->state = VIR_DOMAIN_SHUTOFF;
	else if (has_moved(end) && source->persistent &&
		 !(run->flags & VIR_MIGRATE_UNDEFINE_SOURCE))
		source->state = VIR_DOMAIN_SHUTOFF;
	else if (has_moved(end))
		fake_remove_domain(run->from, source);
}

/* It went to its end, whatever that is. */
static void settle(struct run *run)
{
	struct fake_domain *source = fake_find_domain(run->from, NULL, run->uuid);
	struct fake_domain *target = fake_find_domain(run->to, NULL, run->uuid);
	enum fake_end end = run->script.end;

	if (source)
		settle_source(run, source);
	if (target && (has_moved(end) || end == FAKE_BOTH_RUN)) {
		target->state = VIR_DOMAIN_RUNNING;
		target->reason = VIR_DOMAIN_RUNNING_MIGRATED;
		target->completed = true;
	} else if (target) {
		fake_remove_domain(run->to, target);
	}
	run->to->refuses |= end == FAKE_DESTINATION_DIES;
	run->from->refuses |= end == FAKE_SOURCE_DIES;
	if (end != FAKE_MOVES && end != FAKE_STAYS_BUT_SUCCEEDS && end != FAKE_LOSES_VF &&
	    end != FAKE_SOURCE_DIES)
		fail(run, run->script.domain, run->script.code, run->script.message);
}

/* Both domains are there; the migration goes its way. */
static void carry_out(struct run *run)
{
	struct fake_domain *source;
	enum wait_end end;

	end = wait_until(run, past_pre_copy);
	if (end == WAIT_REACHED) {
		source = fake_find_domain(run->from, NULL, run->uuid);
		source->state = VIR_DOMAIN_PAUSED;
		source->reason = VIR_DOMAIN_PAUSED_MIGRATION;
		end = wait_until(run, past_switchover);
	}
	if (end == WAIT_REACHED)
		settle(run);
	else
		break_off(run, end);
}

static void begin(struct run *run, struct fake_daemon *from, struct fake_domain *source,
		  struct fake_daemon *to, const char *xml, unsigned int flags)
{
	struct fake_domain *target;

	*run = (struct run){
		.from = from,
		.to = to,
		.from_life = from->life,
		.to_life = to->life,
		.flags = flags,
		.script = source->script,
	};
	memcpy(run->name, source->name, sizeof(run->name));
	memcpy(run->uuid, source->uuid, sizeof(run->uuid));
	source->polls = 0;
	source->aborted = false;
	target = fake_domain(to, run->name, run->uuid,
			     run->script.end == FAKE_LOSES_VF || !*xml ? source->xml : xml);
	target->state = VIR_DOMAIN_PAUSED;
	target->reason = VIR_DOMAIN_PAUSED_MIGRATION;
	fake_counts.jobs++;
}

static void end(void)
{
	fake_counts.jobs--;
	pthread_cond_broadcast(&fake_changed);
}

/* Takes the lock. 0 or, with the error raised, -1. */
static int migrate(virDomainPtr domain, struct fake_daemon *to, const char *peer,
		   virTypedParameterPtr params, unsigned int length, unsigned int flags)
{
	struct fake_daemon *from = domain->connection->daemon;
	struct fake_domain *source = fake_enter(domain, FAKE_CALL_MIGRATE);
	struct run run;
	int r = 0;

	if (!source)
		return -1;
	record(params, length, flags);
	if (!to || to->refuses) {
		r = fake_raise(domain->connection, VIR_FROM_RPC, VIR_ERR_SYSTEM_ERROR,
			       "unable to connect to server at '%s'", peer);
	} else if (source->polls >= 0) {
		r = fake_raise(domain->connection, 0, VIR_ERR_OPERATION_TIMEOUT,
			       "Timed out during operation: cannot acquire state change lock");
	} else if (fake_find_domain(to, NULL, domain->uuid)) {
		r = fake_raise(domain->connection, 0, VIR_ERR_OPERATION_FAILED,
			       "operation failed: domain '%s' already exists with uuid %s",
			       domain->name, domain->uuid);
	} else {
		begin(&run, from, source, to, fake_counts.destination_xml, flags);
		carry_out(&run);
		fake_hold(from, FAKE_CALL_MIGRATE_END);
		if (run.code)
			r = fake_raise(domain->connection, run.domain, run.code, "%s",
				       run.message);
		end();
	}
	fake_leave();
	return r;
}

int virDomainMigrateToURI3(virDomainPtr domain, const char *uri, virTypedParameterPtr params,
			   unsigned int length, unsigned int flags)
{
	struct fake_daemon *to;

	if (!(flags & VIR_MIGRATE_PEER2PEER))
		abort();
	pthread_mutex_lock(&fake_lock);
	snprintf(fake_counts.peer_uri, sizeof(fake_counts.peer_uri), "%s", uri);
	to = fake_find_daemon(uri);
	pthread_mutex_unlock(&fake_lock);
	return migrate(domain, to, uri, params, length, flags);
}

virDomainPtr virDomainMigrate3(virDomainPtr domain, virConnectPtr destination,
			       virTypedParameterPtr params, unsigned int length,
			       unsigned int flags)
{
	virDomainPtr moved = NULL;

	if (flags & VIR_MIGRATE_PEER2PEER)
		abort();
	pthread_mutex_lock(&fake_lock);
	fake_counts.direct = true;
	pthread_mutex_unlock(&fake_lock);
	if (migrate(domain, destination->daemon, destination->daemon->uri, params, length,
		    flags) < 0)
		return NULL;
	pthread_mutex_lock(&fake_lock);
	moved = fake_new_domain(destination, domain->name, domain->uuid);
	pthread_mutex_unlock(&fake_lock);
	return moved;
}

static void *run_alone(void *argument)
{
	struct run *run = argument;

	pthread_mutex_lock(&fake_lock);
	carry_out(run);
	end();
	pthread_mutex_unlock(&fake_lock);
	free(run);
	return NULL;
}

void fake_start_job(struct fake_daemon *from, const char *name, struct fake_daemon *to,
		    const char *destination_xml, unsigned int flags)
{
	struct run *run = calloc(1, sizeof(*run));
	struct fake_domain *source;
	pthread_t thread;

	pthread_mutex_lock(&fake_lock);
	source = fake_find_domain(from, name, NULL);
	if (!run || !source)
		abort();
	begin(run, from, source, to, destination_xml, flags);
	pthread_mutex_unlock(&fake_lock);
	if (pthread_create(&thread, NULL, run_alone, run))
		abort();
	pthread_detach(thread);
}

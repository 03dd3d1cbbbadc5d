// SPDX-License-Identifier: LGPL-2.1-or-later
/* The journal of a session, and how another process goes on with it. */
#include "api/session_attach.h"

#include <errno.h>
#include <time.h>

#include "api/session_worker.h"
#include "base/clock.h"
#include "core/session_record.h"
#include "sys/session_file.h"

/* Goes on while the host sleeps, and is the same for all its processes. */
static uint64_t boottime_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int fill_record(const struct worker *worker, struct session_record *record)
{
	const struct mlx5lm_session_options *options = worker->options;
	const struct session_link *link = worker->link;

	record->pid = (uint64_t)getpid();
	record->began_ms = boottime_ms() - ((uint64_t)clock_now_ms() - link->began_ms);
	record->control = worker->migration.control;
	record->persistent = worker->migration.persistent;
	record->prepared = link->has_hook;
	record->old_downtime_limit_ms = worker->old_downtime_limit_ms;
	record->interval_ms = options->interval_ms;
	record->answer_deadline_ms = options->answer_deadline_ms;
	record->connect_deadline_ms = options->connect_deadline_ms;
	record->policy = link->policy;
	record->forecast = worker->forecast;
	record->pairs = worker->pairing.pairs;
	record->num_pairs = worker->pairing.num_pairs;
	if (str_replace(&record->boot_id, link->boot_id) < 0 ||
	    str_replace(&record->domain, worker->name) < 0 ||
	    str_replace(&record->uuid, worker->uuid) < 0 ||
	    str_replace(&record->source_uri, options->source_uri) < 0 ||
	    str_replace(&record->destination_uri, options->destination_uri) < 0)
		return -ENOMEM;
	return 0;
}

int worker_open_journal(struct worker *worker, struct mlx5lm_error **reterr)
{
	const char *dir = worker->options->journal_dir;
	struct session_record record = { 0 };
	_cleanup_free_ char *text = NULL;
	int r;

	if (!dir)
		return 0;
	if (fill_record(worker, &record) == 0)
		text = session_record_text(&record);
	/* They are the worker's. */
	record.pairs = NULL;
	record.num_pairs = 0;
	session_record_release(&record);
	if (!text)
		return error_no_memory(reterr);
	r = session_file_create(dir, worker->uuid, &worker->file, reterr);
	return r < 0 ? r : session_file_write(worker->file, text, reterr);
}

static int copy_pairs(const struct session_record *record, struct pairing *ret)
{
	ret->pairs = calloc(record->num_pairs, sizeof(ret->pairs[0]));
	if (!ret->pairs && record->num_pairs)
		return -ENOMEM;
	ret->num_pairs = record->num_pairs;
	for (size_t i = 0; i < record->num_pairs; i++) {
		ret->pairs[i] = record->pairs[i];
		ret->pairs[i].remedy = NULL; /* that one is the record's */
	}
	return 0;
}

static int find_job(struct worker *worker, struct mlx5lm_error **reterr)
{
	struct job_stats job = { 0 };
	enum domain_state state = DOMAIN_GONE;
	int r;

	worker_enter(worker, FAILURE_SOURCE);
	r = domain_find(worker->from, worker->uuid, &worker->domain, reterr);
	if (r == 0)
		r = domain_find(worker->watching, worker->uuid, &worker->watched, reterr);
	if (r == 0) {
		domain_get_job(worker->watched, &job);
		state = domain_get_state(worker->watched);
	}
	worker_leave(worker);
	if (r == -ENOENT) {
		/* It may well have moved in the meantime. */
		if (reterr) {
			mlx5lm_error_free(*reterr);
			*reterr = NULL;
		}
		return 0;
	}
	if (r < 0)
		return r;
	if (state == DOMAIN_PAUSED_BY_MIGRATION)
		return 1;
	return job.type == JOB_RUNNING && job.operation != JOB_OPERATION_OTHER;
}

int worker_attach(struct worker *worker, struct mlx5lm_error **reterr)
{
	const struct session_record *record = worker->link->record;
	struct session_news news = { 0 };
	int r;

	worker->started = true;
	worker->file = TAKE(worker->link->file);
	worker->prepared = record->prepared && worker->link->has_hook;
	worker->old_downtime_limit_ms = record->old_downtime_limit_ms;
	worker->limits_downtime = record->old_downtime_limit_ms.known;
	worker->migration = (struct migration){ .control = record->control,
						.persistent = record->persistent };
	if (str_replace(&worker->name, record->domain) < 0 ||
	    str_replace(&worker->uuid, record->uuid) < 0 ||
	    copy_pairs(record, &worker->pairing) < 0)
		return error_no_memory(reterr);
	news.num_vfs = fact_u64(record->num_pairs);
	news.forecast = record->forecast;
	news.has_forecast = record->forecast.state_bytes != 0;
	news.migration = worker->migration;
	news.has_migration = true;
	session_link_publish(worker->link, &news);
	r = worker_connect(worker, reterr);
	return r < 0 ? r : find_job(worker, reterr);
}

/* The options that the first session had, as far as they still matter. */
static int make_options(const struct session_record *record, struct mlx5lm_session_options **ret)
{
	_cleanup_session_options_ struct mlx5lm_session_options *options = NULL;

	if (mlx5lm_session_options_new(&options) < 0 ||
	    str_replace(&options->domain, record->uuid) < 0 ||
	    str_replace(&options->source_uri, record->source_uri) < 0 ||
	    str_replace(&options->destination_uri, record->destination_uri) < 0)
		return -ENOMEM;
	options->interval_ms = record->interval_ms;
	options->answer_deadline_ms = record->answer_deadline_ms;
	options->connect_deadline_ms = record->connect_deadline_ms;
	options->policy = record->policy;
	*ret = TAKE(options);
	return 0;
}

static char *name_in(const char *text, size_t length)
{
	_cleanup_session_record_ struct session_record record = { 0 };

	if (session_record_parse(text, length, &record, NULL) < 0)
		return NULL;
	return TAKE(record.domain);
}

static int refuse_torn(const char *domain, struct mlx5lm_error **reterr)
{
	error_set(reterr, MLX5LM_ERROR_INVALID_DOCUMENT, EBADMSG, MLX5LM_SOURCE_LIBRARY,
		  "the journal of domain '%s' is empty: its session died before it had begun",
		  domain);
	error_add_remedy(reterr, "nothing was started: begin the migration anew");
	return -EBADMSG;
}

int session_attach_read(const char *journal_dir, const char *domain, struct attachment *ret,
			struct mlx5lm_error **reterr)
{
	_cleanup_free_ char *text = NULL;
	uint64_t now_ms = boottime_ms();
	size_t length;
	int r;

	r = session_file_open(journal_dir, domain, name_in, &ret->file, &text, &length, reterr);
	if (r < 0)
		return r;
	if (length == 0)
		return refuse_torn(domain, reterr);
	ret->record = calloc(1, sizeof(*ret->record));
	if (!ret->record)
		return error_no_memory(reterr);
	r = session_record_parse(text, length, ret->record, reterr);
	if (r < 0)
		return r;
	if (make_options(ret->record, &ret->options) < 0)
		return error_no_memory(reterr);
	ret->age_ms = now_ms > ret->record->began_ms ? now_ms - ret->record->began_ms : 0;
	return 0;
}

void attachment_release(struct attachment *attachment)
{
	session_file_close(attachment->file);
	if (attachment->record)
		session_record_release(attachment->record);
	free(attachment->record);
	mlx5lm_session_options_free(attachment->options);
	*attachment = (struct attachment){ 0 };
}

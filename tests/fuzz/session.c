// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The journal of a session that was found on a disk. What is accepted has nothing that an option
 * would refuse, is written and read again without a change, and can be queued for its hosts.
 */
#include <errno.h>

#include "core/bdf.h"
#include "core/session_queue.h"
#include "core/session_record.h"
#include "fuzz.h"

/* The sum of two can be turned into nanoseconds. */
#define MAX_TIME_MS (INT64_MAX / 2000000)

static int parse(const char *text, size_t length, struct session_record *ret)
{
	_cleanup_error_ struct mlx5lm_error *error = NULL;
	int r = session_record_parse(text, length, ret, &error);

	MUST(r == 0 || r == -EBADMSG);
	MUST(r == 0 || (error->code == MLX5LM_ERROR_INVALID_DOCUMENT && error->message[0] &&
			error->remedy));
	return r;
}

static void check_policy(const struct job_policy *policy)
{
	MUST(policy->downtime_limit_ms <= DOWNTIME_LIMIT_MAX_MS);
	MUST(policy->downtime_ceiling_ms <= DOWNTIME_LIMIT_MAX_MS);
	MUST(policy->downtime_steps >= 1 && policy->downtime_steps <= 100);
	MUST(policy->stall_iterations >= 1 && policy->stall_iterations <= 1000);
	MUST(policy->stall_action >= MLX5LM_ACTION_CONTINUE &&
	     policy->stall_action <= MLX5LM_ACTION_ABORT);
	MUST(policy->deadline_action == MLX5LM_ACTION_FORCE_SWITCHOVER ||
	     policy->deadline_action == MLX5LM_ACTION_ABORT);
	MUST(policy->stall_deadline_ms <= MAX_TIME_MS && policy->setup_deadline_ms <= MAX_TIME_MS &&
	     policy->total_deadline_ms <= MAX_TIME_MS);
}

static void check_pair(const struct mlx5lm_pair *pair)
{
	struct bdf bdf;

	MUST(bdf_parse(pair->source, &bdf) == 0 && bdf_parse(pair->source_pf, &bdf) == 0);
	MUST(bdf_parse(pair->destination, &bdf) == 0 && bdf_parse(pair->destination_pf, &bdf) == 0);
	MUST(pair->ready == !pair->remedy && !pair->source_vf && !pair->destination_vf);
}

static void check_record(const struct session_record *record)
{
	MUST(record->domain[0] && record->source_uri[0] && record->destination_uri[0]);
	MUST(str_is_uuid(record->uuid) && (!record->boot_id || str_is_uuid(record->boot_id)));
	MUST(record->pid >= 1 && record->pid <= INT32_MAX && record->began_ms <= MAX_TIME_MS);
	MUST(record->control == MLX5LM_CONTROL_P2P || record->control == MLX5LM_CONTROL_DIRECT);
	MUST(record->interval_ms >= 50 && record->interval_ms <= 60000);
	MUST(record->answer_deadline_ms >= 1000 && record->answer_deadline_ms <= 3600000);
	MUST(record->connect_deadline_ms >= 1 && record->connect_deadline_ms <= MAX_TIME_MS);
	check_policy(&record->policy);
	for (size_t i = 0; i < record->num_pairs; i++)
		check_pair(&record->pairs[i]);
}

static void check_written(const struct session_record *record)
{
	_cleanup_session_record_ struct session_record again = { 0 };
	_cleanup_free_ char *first = session_record_text(record), *second = NULL;

	MUST(first && strchr(first, '\n') == first + strlen(first) - 1);
	MUST(parse(first, strlen(first), &again) == 0);
	second = session_record_text(&again);
	MUST(streq(first, second));
}

static void check_queued(const struct session_record *record)
{
	struct session_queue queue = { .max_per_host = 1, .max_per_pf = 1 };
	struct queue_ticket first, second;

	MUST(queue_ticket_init(&first, record->source_uri, record->destination_uri, record->pairs,
			       record->num_pairs) == 0);
	MUST(queue_ticket_init(&second, record->destination_uri, record->source_uri, NULL, 0) == 0);
	MUST(session_queue_enter(&queue, &first) == 0 && first.runs);
	MUST(session_queue_enter(&queue, &second) == 0 && !second.runs);
	session_queue_leave(&queue, &first);
	MUST(second.runs);
	queue_ticket_release(&first);
	queue_ticket_release(&second);
	session_queue_release(&queue);
}

enum fuzz_result fuzz_one(const uint8_t *data, size_t size)
{
	_cleanup_session_record_ struct session_record record = { 0 };

	if (parse((const char *)data, size, &record) < 0)
		return FUZZ_REFUSED;
	check_record(&record);
	check_written(&record);
	check_queued(&record);
	return FUZZ_ACCEPTED;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_SESSION_RECORD_H
#define CORE_SESSION_RECORD_H

#include "base/error.h"
#include "core/domain_xml.h"
#include "core/forecast.h"
#include "core/job_policy.h"
#include "core/pairing.h"
#include "facts_libvirt.h"

/*
 * What the journal of a session says, so that another process can go on with it: one JSON object,
 * schema doc/schema/session-journal-1.json, written before libvirt is told to migrate.
 */
#define SESSION_RECORD_MAX_BYTES (4u * 1024 * 1024) /* more than 4096 pairs take */

struct session_record {
	char *domain; /* name */
	char *uuid;
	char *source_uri;
	char *destination_uri;
	char *boot_id; /* of the host that the caller ran on; NULL, or no UUID: not known */
	uint64_t pid;
	uint64_t began_ms; /* CLOCK_BOOTTIME of that host, milliseconds: the total deadline counts on */
	enum mlx5lm_control control;
	bool persistent;
	bool prepared; /* the PREPARE hook was called: RELEASE is owed if the domain stays */
	struct fact_u64 old_downtime_limit_ms; /* to be given back if the domain stays */
	uint64_t interval_ms;
	uint64_t answer_deadline_ms;
	uint64_t connect_deadline_ms;
	struct job_policy policy;
	struct forecast forecast;
	struct mlx5lm_pair *pairs; /* when they are read they have no snapshots behind them */
	size_t num_pairs;
	size_t allocated_pairs;
};

/*
 * One line with its end; NULL when out of memory. Members must be in the bounds of their options;
 * control characters and what is no UTF-8 are replaced, so that it can be read again in any case.
 */
char *session_record_text(const struct session_record *record);

/* -EBADMSG with an error that says what is wrong; all of text is outside input. */
int session_record_parse(const char *text, size_t length, struct session_record *ret,
			 struct mlx5lm_error **reterr);
void session_record_release(struct session_record *record);
#define _cleanup_session_record_ _cleanup_(session_record_release)

#endif

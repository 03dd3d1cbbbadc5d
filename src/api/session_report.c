// SPDX-License-Identifier: LGPL-2.1-or-later
/* What a session tells of itself. */
#include "api/session_internal.h"

#include <errno.h>

#include "export.h"

MLX5LM_EXPORT const struct mlx5lm_progress *
mlx5lm_session_get_progress(const struct mlx5lm_session *session)
{
	return session ? &session->now : NULL;
}

MLX5LM_EXPORT enum mlx5lm_reason mlx5lm_session_get_reason(const struct mlx5lm_session *session)
{
	return session && session->ended ? session->end.reason : MLX5LM_REASON_UNKNOWN;
}

MLX5LM_EXPORT const struct mlx5lm_comparison *
mlx5lm_session_get_comparison(const struct mlx5lm_session *session)
{
	return session ? session->news.comparison : NULL;
}

MLX5LM_EXPORT const struct mlx5lm_findings *
mlx5lm_session_get_findings(const struct mlx5lm_session *session)
{
	return session ? &session->news.findings : NULL;
}

static const struct mlx5lm_pair *pairs_of(const struct mlx5lm_session *session, size_t *length)
{
	const struct session_record *record = session->link->record;

	if (record) {
		*length = record->num_pairs;
		return record->pairs;
	}
	*length = session->news.comparison ? session->news.comparison->pairing.num_pairs : 0;
	return *length ? session->news.comparison->pairing.pairs : NULL;
}

MLX5LM_EXPORT size_t mlx5lm_session_length_pairs(const struct mlx5lm_session *session)
{
	size_t length = 0;

	if (session)
		pairs_of(session, &length);
	return length;
}

MLX5LM_EXPORT const struct mlx5lm_pair *
mlx5lm_session_get_pair(const struct mlx5lm_session *session, size_t index)
{
	const struct mlx5lm_pair *pairs;
	size_t length;

	if (!session)
		return NULL;
	pairs = pairs_of(session, &length);
	return index < length ? &pairs[index] : NULL;
}

MLX5LM_EXPORT int mlx5lm_session_serialize(const struct mlx5lm_session *session,
					   enum mlx5lm_format format, struct mlx5lm_text **ret)
{
	struct session_report report;
	struct session_link *link;
	int r;

	if (!session || !ret ||
	    (format != MLX5LM_FORMAT_JSON && format != MLX5LM_FORMAT_TEXT))
		return -EINVAL;
	link = session->link;
	report = (struct session_report){
		.domain = link->record ? link->record->domain : link->options->domain,
		.source_uri = link->options->source_uri,
		.destination_uri = link->options->destination_uri,
		.machine = &session->machine,
		.migration = session->news.has_migration ? &session->news.migration : NULL,
		.forecast = session->news.has_forecast ? &session->news.forecast : NULL,
		.acts = link->acts,
		.findings = &session->news.findings,
		.comparison = session->news.comparison ? &session->news.comparison->findings :
							 NULL,
		.reason = session->end.reason,
		.error = session->end.error,
		.attached = link->record != NULL,
	};
	report.pairs = pairs_of(session, &report.num_pairs);
	/* The watcher adds to its acts, but never changes one. */
	pthread_mutex_lock(&link->mutex);
	report.num_acts = link->num_acts;
	pthread_mutex_unlock(&link->mutex);
	if (format == MLX5LM_FORMAT_JSON)
		r = session_to_json_text(&report, ret);
	else
		r = session_to_plain_text(&report, ret);
	return r;
}

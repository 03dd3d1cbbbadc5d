// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A profile that somebody wrote. What is accepted is written and read again without a change,
 * and hosts can be held against it.
 */
#include <errno.h>

#include "base/error.h"
#include "base/text.h"
#include "fuzz.h"
#include "support/hosts.h"

static int parse(const char *json, size_t length, struct mlx5lm_profile **ret)
{
	struct mlx5lm_error *error = NULL;
	int r = mlx5lm_profile_parse(json, length, ret, &error);

	if (r < 0) {
		MUST(r == -EBADMSG || r == -EFBIG);
		MUST(mlx5lm_error_get_code(error) == MLX5LM_ERROR_INVALID_DOCUMENT);
		MUST(mlx5lm_error_get_message(error)[0]);
	}
	mlx5lm_error_free(error);
	return r;
}

static void check_written(const struct mlx5lm_profile *profile)
{
	_cleanup_text_ struct mlx5lm_text *first = NULL, *second = NULL;
	struct mlx5lm_profile *copy = NULL;

	MUST(mlx5lm_profile_serialize(profile, &first) == 0);
	MUST(parse(first->text, first->length, &copy) == 0);
	MUST(streq(mlx5lm_profile_get_name(profile), mlx5lm_profile_get_name(copy)));
	MUST(mlx5lm_profile_serialize(copy, &second) == 0);
	MUST(first->length == second->length);
	MUST(memcmp(first->text, second->text, first->length) == 0);
	mlx5lm_profile_free(copy);
}

static void check_applied(const struct mlx5lm_profile *profile, const struct mlx5lm_host *host)
{
	_cleanup_text_ struct mlx5lm_text *text = NULL;
	struct mlx5lm_findings *findings = NULL;

	MUST(mlx5lm_check(host, profile, NULL, &findings, NULL) == 0);
	MUST(mlx5lm_findings_serialize(findings, &text) == 0);
	mlx5lm_findings_free(findings);
}

enum fuzz_result fuzz_one(const uint8_t *data, size_t size)
{
	static struct mlx5lm_host *ready, *bare;
	struct mlx5lm_profile *profile = NULL;

	if (!ready) {
		ready = ready_host("ready", 2);
		bare = bare_host("bare");
	}
	if (parse((const char *)data, size, &profile) < 0)
		return FUZZ_REFUSED;
	check_written(profile);
	check_applied(profile, ready);
	check_applied(profile, bare);
	mlx5lm_profile_free(profile);
	return FUZZ_ACCEPTED;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A wanted state that somebody wrote. What is accepted is written and read again without a
 * change, and a plan can be made of it, which may be refused with a reason.
 */
#include <errno.h>

#include "base/error.h"
#include "base/text.h"
#include "core/config.h"
#include "fuzz.h"
#include "support/hosts.h"

static int parse(const char *json, size_t length, struct mlx5lm_config **ret)
{
	static const struct {
		int errnum;
		enum mlx5lm_error_code code;
	} known[] = {
		{ EBADMSG, MLX5LM_ERROR_INVALID_DOCUMENT },
		{ EFBIG, MLX5LM_ERROR_INVALID_DOCUMENT },
		{ EADDRNOTAVAIL, MLX5LM_ERROR_HW_ADDR },
		{ EEXIST, MLX5LM_ERROR_HW_ADDR_TAKEN },
		{ ERANGE, MLX5LM_ERROR_VF_INDEX },
		{ ERANGE, MLX5LM_ERROR_TOO_MANY_VFS },
	};
	struct mlx5lm_error *error = NULL;
	int r = mlx5lm_config_parse(json, length, ret, &error);
	bool found = r == 0;

	for (size_t i = 0; i < ARRAY_LENGTH(known); i++)
		found = found || (r == -known[i].errnum && error->code == known[i].code);
	MUST(found);
	MUST(r == 0 || (error->message[0] && error->remedy));
	mlx5lm_error_free(error);
	return r;
}

static void check_written(const struct mlx5lm_config *config)
{
	_cleanup_text_ struct mlx5lm_text *first = NULL, *second = NULL, *third = NULL;
	_cleanup_config_ struct mlx5lm_config *again = NULL, *copy = NULL;

	MUST(mlx5lm_config_serialize(config, &first) == 0);
	MUST(parse(first->text, first->length, &again) == 0);
	MUST(mlx5lm_config_serialize(again, &second) == 0);
	MUST(streq(first->text, second->text));
	MUST(config_copy(config, &copy) == 0);
	MUST(mlx5lm_config_serialize(copy, &third) == 0);
	MUST(streq(first->text, third->text));
}

static void check_planned(const struct mlx5lm_host *host, const struct mlx5lm_config *config)
{
	_cleanup_text_ struct mlx5lm_text *json = NULL, *shell = NULL;
	_cleanup_error_ struct mlx5lm_error *error = NULL;
	struct mlx5lm_plan *plan = NULL;

	if (mlx5lm_plan_new(host, host->pfs[0].bdf, config, &plan, &error) < 0) {
		MUST(error->message[0]);
		return;
	}
	MUST(mlx5lm_plan_serialize(plan, MLX5LM_PLAN_FORMAT_JSON, &json) == 0);
	MUST(mlx5lm_plan_serialize(plan, MLX5LM_PLAN_FORMAT_SHELL, &shell) == 0);
	mlx5lm_plan_free(plan);
}

enum fuzz_result fuzz_one(const uint8_t *data, size_t size)
{
	static struct mlx5lm_host *ready, *bare;
	_cleanup_config_ struct mlx5lm_config *config = NULL;

	if (!ready) {
		ready = ready_host("ready", 4);
		bare = bare_host("bare");
	}
	if (parse((const char *)data, size, &config) < 0)
		return FUZZ_REFUSED;
	check_written(config);
	check_planned(ready, config);
	check_planned(bare, config);
	return FUZZ_ACCEPTED;
}

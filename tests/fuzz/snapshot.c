// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A host snapshot from another host. What is accepted is written and read again without a change,
 * and check, compare and plan can deal with it, whatever it says.
 */
#include <errno.h>

#include "base/text.h"
#include "facts.h"
#include "fuzz.h"
#include "support/hosts.h"

#define LIMIT (8u << 20)

static int parse(const char *json, size_t length, struct mlx5lm_host **ret)
{
	struct mlx5lm_error *error = NULL;
	int r = mlx5lm_host_parse_with_limit(json, length, LIMIT, ret, &error);

	if (r < 0) {
		MUST(r == -EBADMSG || r == -EFBIG);
		MUST(mlx5lm_error_get_code(error) == MLX5LM_ERROR_INVALID_DOCUMENT);
		MUST(mlx5lm_error_get_message(error)[0]);
	}
	mlx5lm_error_free(error);
	return r;
}

static void check_written(const struct mlx5lm_host *host)
{
	_cleanup_text_ struct mlx5lm_text *first = NULL, *second = NULL;
	_cleanup_host_ struct mlx5lm_host *copy = NULL;

	MUST(mlx5lm_host_serialize(host, &first) == 0);
	MUST(first->length == strlen(first->text));
	MUST(parse(first->text, first->length, &copy) == 0);
	MUST(mlx5lm_host_serialize(copy, &second) == 0);
	MUST(first->length == second->length);
	MUST(memcmp(first->text, second->text, first->length) == 0);
}

static void check_findings(const struct mlx5lm_host *host)
{
	_cleanup_text_ struct mlx5lm_text *text = NULL;
	struct mlx5lm_findings *findings = NULL;

	MUST(mlx5lm_check(host, NULL, NULL, &findings, NULL) == 0);
	MUST(mlx5lm_findings_length(findings) > 0);
	MUST(mlx5lm_findings_serialize(findings, &text) == 0);
	mlx5lm_findings_free(findings);
}

static void check_compared(const struct mlx5lm_host *source, const struct mlx5lm_host *destination)
{
	_cleanup_text_ struct mlx5lm_text *json = NULL, *plain = NULL;
	struct mlx5lm_comparison *comparison = NULL;

	MUST(mlx5lm_compare(source, destination, NULL, &comparison, NULL) == 0);
	MUST(mlx5lm_comparison_serialize(comparison, MLX5LM_FORMAT_JSON, &json) == 0);
	MUST(mlx5lm_comparison_serialize(comparison, MLX5LM_FORMAT_TEXT, &plain) == 0);
	mlx5lm_comparison_free(comparison);
}

static struct mlx5lm_config *wishes(void)
{
	struct mlx5lm_config *config;

	MUST(mlx5lm_config_new(&config) == 0);
	MUST(mlx5lm_config_set_num_vfs(config, 2) == 0);
	MUST(mlx5lm_config_set_eswitch_mode(config, MLX5LM_ESWITCH_SWITCHDEV) == 0);
	MUST(mlx5lm_config_set_vf_hw_addr(config, 1, "02:00:00:00:00:01") == 0);
	MUST(mlx5lm_config_set_vf_attr(config, MLX5LM_VF_ALL, MLX5LM_PORT_ATTR_MIGRATABLE,
				       MLX5LM_PORT_ATTR_STATE_ENABLED) == 0);
	MUST(mlx5lm_config_set_vf_driver(config, MLX5LM_VF_ALL, "mlx5_vfio_pci") == 0);
	return config;
}

/* A plan may be refused, with a reason. */
static void check_planned(const struct mlx5lm_host *host, const struct mlx5lm_pf *pf,
			  const struct mlx5lm_config *config)
{
	_cleanup_text_ struct mlx5lm_text *json = NULL, *shell = NULL;
	struct mlx5lm_error *error = NULL;
	struct mlx5lm_plan *plan = NULL;

	if (mlx5lm_plan_new(host, pf->bdf, config, &plan, &error) == 0) {
		MUST(mlx5lm_plan_serialize(plan, MLX5LM_PLAN_FORMAT_JSON, &json) == 0);
		MUST(mlx5lm_plan_serialize(plan, MLX5LM_PLAN_FORMAT_SHELL, &shell) == 0);
		mlx5lm_plan_free(plan);
	} else {
		MUST(mlx5lm_error_get_message(error)[0]);
	}
	mlx5lm_error_free(error);
}

enum fuzz_result fuzz_one(const uint8_t *data, size_t size)
{
	static struct mlx5lm_host *other;
	static struct mlx5lm_config *config;
	_cleanup_host_ struct mlx5lm_host *host = NULL;

	if (!other) {
		other = ready_host("other", 2);
		config = wishes();
	}
	if (parse((const char *)data, size, &host) < 0)
		return FUZZ_REFUSED;
	check_written(host);
	check_findings(host);
	check_compared(host, other);
	check_compared(other, host);
	check_compared(host, host);
	for (size_t i = 0; i < host->num_pfs && i < 4; i++)
		check_planned(host, &host->pfs[i], config);
	return FUZZ_ACCEPTED;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "plan_support.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "support/hosts.h"

struct mlx5lm_config *new_config(void)
{
	struct mlx5lm_config *config = calloc(1, sizeof(*config));

	if (!config)
		abort();
	return config;
}

struct mlx5lm_config *ready_config(uint32_t num_vfs)
{
	struct mlx5lm_config *config = new_config();
	struct vf_config *all = config_get_vf(config, MLX5LM_VF_ALL);

	if (!all)
		abort();
	config->num_vfs = fact_u64(num_vfs);
	config->eswitch_mode = MLX5LM_ESWITCH_SWITCHDEV;
	all->attr[MLX5LM_PORT_ATTR_MIGRATABLE] = MLX5LM_PORT_ATTR_STATE_ENABLED;
	set_text(&all->driver, "mlx5_vfio_pci");
	return config;
}

struct step_list make_plan(const struct mlx5lm_host *host, struct mlx5lm_config *config)
{
	_cleanup_error_ struct mlx5lm_error *error = NULL;
	struct step_list list = { 0 };

	cr_assert_eq(plan_build(host, &host->pfs[0], config, &list, &error), 0, "%s",
		     mlx5lm_error_get_message(error));
	mlx5lm_config_free(config);
	return list;
}

void expect_steps(struct mlx5lm_host *host, struct mlx5lm_config *config,
		  const enum step_kind *kinds)
{
	struct step_list list = make_plan(host, config);
	size_t length = 0;

	while (kinds[length])
		length++;
	for (size_t i = 0; i < length && i < list.length; i++)
		cr_expect_eq(list.steps[i].kind, kinds[i], "step %zu is %s, not %s", i,
			     step_id(list.steps[i].kind), step_id(kinds[i]));
	cr_expect_eq(list.length, length, "%zu steps instead of %zu", list.length, length);
	step_list_release(&list);
	mlx5lm_host_free(host);
}

struct mlx5lm_error *expect_refusal(struct mlx5lm_host *host, struct mlx5lm_config *config,
				    int errnum, enum mlx5lm_error_code code, const char *message,
				    const char *remedy)
{
	struct mlx5lm_error *error = NULL;
	struct step_list list = { 0 };

	cr_assert_eq(plan_build(host, &host->pfs[0], config, &list, &error), -errnum, "%s",
		     error ? error->message : "not refused");
	cr_expect_eq(error->errnum, errnum);
	cr_expect_eq(error->code, code, "%s", mlx5lm_error_code_str(error->code));
	cr_expect(!message || strstr(error->message, message), "%s", error->message);
	cr_expect(!remedy || (error->remedy && strstr(error->remedy, remedy)), "%s",
		  error->remedy ? error->remedy : "no remedy");
	cr_expect_eq(list.length, 0);
	mlx5lm_config_free(config);
	mlx5lm_host_free(host);
	return error;
}

void add_nv(struct mlx5lm_pf *pf, const char *name, uint64_t current, uint64_t next_boot)
{
	struct mlx5lm_nv *nv;

	if (pf_add_nv(pf, &nv))
		abort();
	set_text(&nv->name, name);
	set_text(&pf->nv_source, "mstconfig");
	nv->supported = MLX5LM_ANSWER_YES;
	nv->current = fact_u64(current);
	nv->next_boot = fact_u64(next_boot);
	if (current != next_boot)
		pf->nv_pending = MLX5LM_ANSWER_YES;
}

void add_privilege(struct mlx5lm_host *host, const char *name, bool granted, const char *needs)
{
	struct mlx5lm_privilege *privilege;

	if (host_add_privilege(host, &privilege))
		abort();
	set_text(&privilege->name, name);
	set_text(&privilege->needs, needs);
	privilege->granted = granted ? MLX5LM_ANSWER_YES : MLX5LM_ANSWER_NO;
}

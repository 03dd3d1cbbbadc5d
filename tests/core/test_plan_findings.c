// SPDX-License-Identifier: LGPL-2.1-or-later
#include <criterion/criterion.h>

#include "plan_support.h"
#include "support/hosts.h"

/* The finding with an id, or NULL. */
static const struct mlx5lm_finding *find(const struct step_list *list, const char *id)
{
	for (size_t i = 0; i < list->findings->length; i++) {
		if (streq(list->findings->items[i].text[MLX5LM_FINDING_ID], id))
			return &list->findings->items[i];
	}
	return NULL;
}

/* Plans and frees all; with a status and words of a text, or status 0: there is none of the id. */
static void expect_finding(struct mlx5lm_host *host, struct mlx5lm_config *config, const char *id,
			   enum mlx5lm_status status, enum mlx5lm_finding_key key, const char *words)
{
	struct step_list list = make_plan(host, config);
	const struct mlx5lm_finding *finding = find(&list, id);

	cr_assert_eq(!finding, !status, "%s", id);
	if (finding) {
		cr_expect_eq(finding->status, status);
		cr_expect_not_null(finding->text[MLX5LM_FINDING_MESSAGE]);
		cr_expect_not_null(finding->text[MLX5LM_FINDING_REMEDY]);
		cr_expect(finding->text[key] && strstr(finding->text[key], words), "%s",
			  finding->text[key] ? finding->text[key] : "no text");
	}
	step_list_release(&list);
	mlx5lm_host_free(host);
}

Test(plan_findings, a_plan_without_steps_has_findings_to_look_at)
{
	struct mlx5lm_host *host = ready_host("a", 1);
	struct step_list list = make_plan(host, new_config());

	cr_assert_not_null(list.findings);
	cr_expect_eq(list.findings->length, 0);
	step_list_release(&list);
	mlx5lm_host_free(host);
}

Test(plan_findings, five_migratable_vfs_are_more_than_red_hat_supports)
{
	expect_finding(bare_host("a"), ready_config(5), "plan.vf_limit", MLX5LM_STATUS_WARN,
		       MLX5LM_FINDING_REQUIRED, "at most 4");
	expect_finding(bare_host("a"), ready_config(4), "plan.vf_limit", 0, 0, NULL);
}

Test(plan_findings, ipsec_and_migratable_do_not_go_well_together)
{
	struct mlx5lm_host *host = ready_host("a", 2);

	host->pfs[0].vfs[1].ipsec_packet = MLX5LM_PORT_ATTR_STATE_ENABLED;
	expect_finding(host, ready_config(2), "plan.migratable_ipsec", MLX5LM_STATUS_WARN,
		       MLX5LM_FINDING_FOUND, "1 VFs");
	expect_finding(ready_host("a", 2), ready_config(2), "plan.migratable_ipsec", 0, 0, NULL);
}

Test(plan_findings, roce_is_remarked_on_only_if_it_is_asked_for)
{
	struct mlx5lm_config *config = ready_config(2);

	config_get_vf(config, 1)->attr[MLX5LM_PORT_ATTR_ROCE] = MLX5LM_PORT_ATTR_STATE_ENABLED;
	expect_finding(ready_host("a", 2), config, "plan.migratable_roce", MLX5LM_STATUS_INFO,
		       MLX5LM_FINDING_FOUND, "1 VFs");
	expect_finding(ready_host("a", 2), ready_config(2), "plan.migratable_roce", 0, 0, NULL);
}

Test(plan_findings, settings_of_vfs_that_go_are_lost)
{
	struct mlx5lm_config *config = new_config();

	expect_finding(ready_host("a", 2), ready_config(4), "plan.settings_lost",
		       MLX5LM_STATUS_WARN, MLX5LM_FINDING_REQUIRED, "ip link set ... vf");
	expect_finding(bare_host("a"), ready_config(4), "plan.settings_lost", 0, 0, NULL);
	config->eswitch_mode = MLX5LM_ESWITCH_LEGACY;
	expect_finding(ready_host("a", 2), config, "plan.settings_lost", MLX5LM_STATUS_WARN,
		       MLX5LM_FINDING_REQUIRED, "representors");
}

Test(plan_findings, guests_that_are_disturbed_are_named)
{
	struct mlx5lm_host *host = ready_host("a", 2);
	struct mlx5lm_config *config = new_config();

	set_text(&host->pfs[0].vfs[1].in_use_by, "guest");
	config->eswitch_mode = MLX5LM_ESWITCH_LEGACY;
	config->live_guests = true;
	expect_finding(host, config, "plan.live_guests", MLX5LM_STATUS_WARN, MLX5LM_FINDING_EXPLAIN,
		       "VF 0000:08:00.3 is used by domain guest");
}

Test(plan_findings, what_waits_for_a_restart_is_told)
{
	struct mlx5lm_host *host = bare_host("a");
	struct mlx5lm_config *config = ready_config(200);

	add_nv(&host->pfs[0], "NUM_OF_VFS", 127, 127);
	config->nv[1] = fact_u64(200);
	expect_finding(host, config, "plan.after_restart", MLX5LM_STATUS_WARN,
		       MLX5LM_FINDING_EXPLAIN, "NUM_OF_VFS=200");
	host = bare_host("a");
	config = new_config();
	add_nv(&host->pfs[0], "NUM_OF_VFS", 127, 127);
	config->nv[1] = fact_u64(200);
	expect_finding(host, config, "plan.after_restart", MLX5LM_STATUS_INFO,
		       MLX5LM_FINDING_REMEDY, "reboot");
}

Test(plan_findings, an_attribute_that_no_port_has_shown_may_not_be_offered)
{
	expect_finding(bare_host("a"), ready_config(1), "plan.unknown_attr", MLX5LM_STATUS_INFO,
		       MLX5LM_FINDING_FOUND, "migratable");
	expect_finding(ready_host("a", 1), ready_config(2), "plan.unknown_attr", 0, 0, NULL);
}

Test(plan_findings, the_variant_driver_wants_migratable)
{
	struct mlx5lm_config *config = ready_config(2);

	config_get_vf(config, 1)->attr[MLX5LM_PORT_ATTR_MIGRATABLE] =
		MLX5LM_PORT_ATTR_STATE_DISABLED;
	expect_finding(bare_host("a"), config, "plan.bind_without_migratable", MLX5LM_STATUS_WARN,
		       MLX5LM_FINDING_FOUND, "1 VFs");
}

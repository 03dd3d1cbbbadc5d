// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/derive.h"

#include <criterion/criterion.h>

#include "support/hosts.h"

Test(derive, a_snapshot_gets_what_follows_from_its_facts)
{
	struct mlx5lm_host *host = ready_host("a", 1);

	cr_assert_eq(host_derive(host), 0);
	cr_expect_eq(host->kernel_version.value, 6012107);
	cr_expect_str_eq(host->pfs[0].model, "ConnectX-7");
	cr_expect_eq(host->pfs[0].link_type, MLX5LM_LINK_TYPE_ETHERNET);
	cr_expect_eq(host->pfs[0].nv_pending, MLX5LM_ANSWER_UNKNOWN);
	cr_expect_eq(host->pfs[0].vfs[0].bind_state, MLX5LM_BIND_STATE_GOOD);
	mlx5lm_host_free(host);
}

Test(derive, what_a_document_says_of_them_counts_for_nothing)
{
	struct mlx5lm_host *host = ready_host("a", 1);

	set_text(&host->kernel_release, "unreadable");
	host->kernel_version = fact_u64(9999999);
	host->pfs[0].device_id = (struct fact_u64){ 0 };
	set_text(&host->pfs[0].model, "ConnectX-7");
	host->pfs[0].class_code = fact_u64(0x010802);
	host->pfs[0].link_type = MLX5LM_LINK_TYPE_ETHERNET;
	set_text(&host->pfs[0].vfs[0].driver, "vfio-pci");
	host->pfs[0].vfs[0].bind_state = MLX5LM_BIND_STATE_GOOD;
	cr_assert_eq(host_derive(host), 0);
	cr_expect_not(host->kernel_version.known);
	cr_expect_null(host->pfs[0].model);
	cr_expect_eq(host->pfs[0].link_type, MLX5LM_LINK_TYPE_UNKNOWN);
	cr_expect_eq(host->pfs[0].vfs[0].bind_state, MLX5LM_BIND_STATE_WRONG_DRIVER);
	mlx5lm_host_free(host);
}

Test(derive, nv_configuration_is_pending_if_any_parameter_will_change)
{
	struct mlx5lm_host *host = bare_host("a");
	struct mlx5lm_nv *nv;

	for (size_t i = 0; i < 3; i++)
		cr_assert_eq(pf_add_nv(&host->pfs[0], &nv), 0);
	nv = host->pfs[0].nvs;
	/* devlink tells the next boot only: that says nothing of a change. */
	nv[0].next_boot = fact_u64(1);
	cr_assert_eq(host_derive(host), 0);
	cr_expect_eq(host->pfs[0].nv_pending, MLX5LM_ANSWER_UNKNOWN);
	nv[1].current = nv[1].next_boot = fact_u64(8);
	cr_assert_eq(host_derive(host), 0);
	cr_expect_eq(host->pfs[0].nv_pending, MLX5LM_ANSWER_NO);
	nv[2].current = fact_u64(0);
	nv[2].next_boot = fact_u64(2);
	cr_assert_eq(host_derive(host), 0);
	cr_expect_eq(host->pfs[0].nv_pending, MLX5LM_ANSWER_YES);
	mlx5lm_host_free(host);
}

Test(derive, infiniband_is_told_by_the_class)
{
	struct mlx5lm_host *host = bare_host("a");

	host->pfs[0].class_code = fact_u64(0x020700);
	cr_assert_eq(host_derive(host), 0);
	cr_expect_eq(host->pfs[0].link_type, MLX5LM_LINK_TYPE_INFINIBAND);
	mlx5lm_host_free(host);
}

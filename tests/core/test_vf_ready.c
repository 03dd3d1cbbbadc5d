// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/vf_ready.h"

#include <criterion/criterion.h>

#include "support/hosts.h"

/* The first reason against the host's first VF in a role contains part; NULL: there is none. */
static void expect_reason(struct mlx5lm_host *host, enum vf_role role, const char *part)
{
	_cleanup_vf_unfit_ struct vf_unfit unfit = { 0 };

	cr_assert_eq(vf_check_role(&host->pfs[0], &host->pfs[0].vfs[0], role, &unfit), 0);
	if (!part)
		cr_expect_null(unfit.reason, "%s", unfit.reason);
	else
		cr_expect(unfit.reason && strstr(unfit.reason, part), "%s", unfit.reason);
	cr_expect_eq(!unfit.reason, !unfit.remedy);
	mlx5lm_host_free(host);
}

Test(vf_ready, a_ready_vf_can_play_both_roles)
{
	expect_reason(ready_host("a", 1), VF_SOURCE, NULL);
	expect_reason(ready_host("a", 1), VF_DESTINATION, NULL);
}

Test(vf_ready, a_used_vf_can_only_be_the_source)
{
	struct mlx5lm_host *host = ready_host("a", 1);

	set_text(&host->pfs[0].vfs[0].in_use_by, "guest");
	expect_reason(host, VF_SOURCE, NULL);
	host = ready_host("a", 1);
	set_text(&host->pfs[0].vfs[0].in_use_by, "guest");
	expect_reason(host, VF_DESTINATION, "domain guest uses it");
	host = ready_host("a", 1);
	host->pfs[0].vfs[0].in_use_pid = fact_u64(17);
	expect_reason(host, VF_DESTINATION, "process 17 (?) uses it");
}

Test(vf_ready, a_device_that_refuses_migration_needs_a_rebind)
{
	struct mlx5lm_host *host = ready_host("a", 1);

	host->pfs[0].vfs[0].vfio_migration = MLX5LM_ANSWER_NO;
	expect_reason(host, VF_SOURCE, "needs a rebind");
}

Test(vf_ready, a_group_must_be_viable)
{
	struct mlx5lm_host *host = ready_host("a", 1);

	host->pfs[0].vfs[0].iommu_group_viable = MLX5LM_ANSWER_NO;
	expect_reason(host, VF_SOURCE, "another function of its IOMMU group 20");
	host = ready_host("a", 1);
	host->pfs[0].vfs[0].iommu_group_viable = MLX5LM_ANSWER_UNKNOWN;
	expect_reason(host, VF_SOURCE, NULL);
}

Test(vf_ready, an_attribute_that_is_not_known_is_no_no)
{
	struct mlx5lm_host *host = ready_host("a", 1);
	_cleanup_vf_unfit_ struct vf_unfit unfit = { 0 };

	host->pfs[0].vfs[0].migratable = MLX5LM_PORT_ATTR_STATE_UNKNOWN;
	cr_assert_eq(vf_check_role(&host->pfs[0], &host->pfs[0].vfs[0], VF_SOURCE, &unfit), 0);
	cr_expect(unfit.unknown);
	cr_expect_str_eq(unfit.id, "vf.unfit");
	mlx5lm_host_free(host);
}

Test(vf_ready, the_way_a_vf_is_bound_follows_from_its_facts)
{
	static const struct {
		const char *driver;
		uint32_t migratable, migration, state;
	} cases[] = {
		{ NULL, 3, 0, MLX5LM_BIND_STATE_UNBOUND },
		{ "vfio-pci", 3, 1, MLX5LM_BIND_STATE_WRONG_DRIVER },
		{ "mlx5_vfio_pci", 3, 2, MLX5LM_BIND_STATE_NEEDS_REBIND },
		{ "mlx5_vfio_pci", 2, 2, MLX5LM_BIND_STATE_GOOD },
		{ "mlx5_vfio_pci", 3, 0, MLX5LM_BIND_STATE_GOOD },
	};

	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		const struct mlx5lm_vf vf = {
			.driver = (char *)cases[i].driver,
			.migratable = cases[i].migratable,
			.vfio_migration = cases[i].migration,
		};

		cr_expect_eq(vf_bind_state(&vf), cases[i].state, "case %zu", i);
	}
}

Test(vf_ready, a_vf_is_found_by_its_address_however_it_is_written)
{
	struct mlx5lm_host *host = ready_host("a", 2);
	const struct mlx5lm_pf *pf;

	cr_expect_eq(host_find_vf(host, "08:00.3", &pf), &host->pfs[0].vfs[1]);
	cr_expect_eq(pf, &host->pfs[0]);
	cr_expect_null(host_find_vf(host, "08:00.0", NULL));
	mlx5lm_host_free(host);
}

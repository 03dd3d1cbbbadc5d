// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/vf_ready.h"

#include <criterion/criterion.h>

#include "plan_support.h"
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

static void disable(struct mlx5lm_pf *pf, struct mlx5lm_vf *vf)
{
	(void)pf;
	vf->migratable = MLX5LM_PORT_ATTR_STATE_DISABLED;
}

static void deny(struct mlx5lm_pf *pf, struct mlx5lm_vf *vf)
{
	(void)pf;
	vf->migratable = MLX5LM_PORT_ATTR_STATE_UNSUPPORTED;
}

static void forget(struct mlx5lm_pf *pf, struct mlx5lm_vf *vf)
{
	(void)pf;
	vf->migratable = MLX5LM_PORT_ATTR_STATE_UNKNOWN;
}

static void leave_switchdev(struct mlx5lm_pf *pf, struct mlx5lm_vf *vf)
{
	pf->eswitch_mode = MLX5LM_ESWITCH_LEGACY;
	vf->migratable = MLX5LM_PORT_ATTR_STATE_UNKNOWN;
}

static void unbind(struct mlx5lm_pf *pf, struct mlx5lm_vf *vf)
{
	(void)pf;
	set_text(&vf->driver, NULL);
}

static void bind_other(struct mlx5lm_pf *pf, struct mlx5lm_vf *vf)
{
	(void)pf;
	set_text(&vf->driver, "vfio-pci");
}

static void bind_early(struct mlx5lm_pf *pf, struct mlx5lm_vf *vf)
{
	(void)pf;
	vf->vfio_migration = MLX5LM_ANSWER_NO;
}

static void leave_group(struct mlx5lm_pf *pf, struct mlx5lm_vf *vf)
{
	(void)pf;
	vf->iommu_group.known = false;
}

static void share_group(struct mlx5lm_pf *pf, struct mlx5lm_vf *vf)
{
	(void)pf;
	vf->iommu_group_viable = MLX5LM_ANSWER_NO;
}

static void give_to_domain(struct mlx5lm_pf *pf, struct mlx5lm_vf *vf)
{
	(void)pf;
	set_text(&vf->in_use_by, "guest");
}

static void give_to_process(struct mlx5lm_pf *pf, struct mlx5lm_vf *vf)
{
	(void)pf;
	vf->in_use_pid = fact_u64(17);
}

static void change_nothing(struct mlx5lm_pf *pf, struct mlx5lm_vf *vf)
{
	(void)pf;
	(void)vf;
}

/* Ways for a VF to be unfit. */
static const struct {
	void (*make)(struct mlx5lm_pf *pf, struct mlx5lm_vf *vf);
	enum vf_objection objection;
	bool makeable;
} troubles[] = {
	{ change_nothing, VF_NO_OBJECTION, true },
	{ disable, VF_MIGRATABLE_DISABLED, true },
	{ deny, VF_MIGRATABLE_UNSUPPORTED, false },
	{ forget, VF_MIGRATABLE_UNKNOWN, false },
	{ leave_switchdev, VF_ESWITCH_LEGACY, true },
	{ unbind, VF_UNBOUND, true },
	{ bind_other, VF_WRONG_DRIVER, true },
	{ bind_early, VF_NEEDS_REBIND, true },
	{ leave_group, VF_NO_IOMMU_GROUP, false },
	{ share_group, VF_GROUP_NOT_VIABLE, false },
	{ give_to_domain, VF_USED_BY_DOMAIN, false },
	{ give_to_process, VF_USED_BY_PROCESS, false },
};

Test(vf_ready, each_objection_has_its_words_and_a_plan_mends_some)
{
	for (size_t i = 0; i < ARRAY_LENGTH(troubles); i++) {
		struct mlx5lm_host *host = ready_host("a", 1);
		struct mlx5lm_pf *pf = &host->pfs[0];
		struct mlx5lm_vf *vf = &pf->vfs[0];
		_cleanup_vf_unfit_ struct vf_unfit unfit = { 0 };

		troubles[i].make(pf, vf);
		cr_expect_eq(vf_find_objection(pf, vf, VF_DESTINATION), troubles[i].objection,
			     "case %zu", i);
		cr_assert_eq(vf_check_role(pf, vf, VF_DESTINATION, &unfit), 0);
		cr_expect_eq(!unfit.reason, !troubles[i].objection, "case %zu", i);
		cr_expect_eq(unfit.busy, vf_is_used(vf));
		cr_expect_eq(unfit.unknown, troubles[i].objection == VF_MIGRATABLE_UNKNOWN);
		cr_expect_eq(vf_is_makeable(pf, vf), troubles[i].makeable, "case %zu", i);
		mlx5lm_host_free(host);
	}
}

/* What vf_make_command() asks for. */
static int plan(const struct mlx5lm_host *host, struct step_list *list)
{
	struct mlx5lm_config *config = new_config();
	struct vf_config *vf = config_get_vf(config, 0);
	int r;

	cr_assert_not_null(vf);
	if (host->pfs[0].eswitch_mode == MLX5LM_ESWITCH_LEGACY)
		config->eswitch_mode = MLX5LM_ESWITCH_SWITCHDEV;
	vf->attr[MLX5LM_PORT_ATTR_MIGRATABLE] = MLX5LM_PORT_ATTR_STATE_ENABLED;
	set_text(&vf->driver, VARIANT_DRIVER);
	r = plan_build(host, &host->pfs[0], config, list, NULL);
	mlx5lm_config_free(config);
	return r;
}

Test(vf_ready, for_what_can_be_made_ready_there_is_a_plan)
{
	for (size_t i = 0; i < ARRAY_LENGTH(troubles); i++) {
		struct mlx5lm_host *host = ready_host("a", 1);
		struct step_list list = { 0 };
		int r;

		troubles[i].make(&host->pfs[0], &host->pfs[0].vfs[0]);
		r = plan(host, &list);
		if (troubles[i].makeable) {
			cr_expect_eq(r, 0, "case %zu", i);
			cr_expect_eq(list.length > 0, troubles[i].objection != VF_NO_OBJECTION,
				     "case %zu", i);
		} else if (troubles[i].objection < VF_ESWITCH_LEGACY) {
			cr_expect_lt(r, 0, "case %zu", i);
		}
		step_list_release(&list);
		mlx5lm_host_free(host);
	}
}

Test(vf_ready, two_troubles_are_mended_only_if_each_can_be)
{
	for (size_t i = 0; i < ARRAY_LENGTH(troubles); i++) {
		for (size_t j = 0; j < ARRAY_LENGTH(troubles); j++) {
			struct mlx5lm_host *host = ready_host("a", 1);
			struct mlx5lm_pf *pf = &host->pfs[0];

			/* These two set the same fact. */
			if (troubles[i].objection <= VF_ESWITCH_LEGACY &&
			    troubles[j].objection <= VF_ESWITCH_LEGACY) {
				mlx5lm_host_free(host);
				continue;
			}
			troubles[i].make(pf, &pf->vfs[0]);
			troubles[j].make(pf, &pf->vfs[0]);
			cr_expect_eq(vf_is_makeable(pf, &pf->vfs[0]),
				     troubles[i].makeable && troubles[j].makeable,
				     "cases %zu and %zu", i, j);
			mlx5lm_host_free(host);
		}
	}
}

Test(vf_ready, a_plan_needs_the_driver_the_index_and_an_eswitch_that_may_change)
{
	struct mlx5lm_host *host = ready_host("a", 2);
	struct mlx5lm_pf *pf = &host->pfs[0];
	struct mlx5lm_vf *vf = &pf->vfs[0];
	_cleanup_free_ char *command = NULL;
	struct mlx5lm_nv *nv;

	leave_switchdev(pf, vf);
	cr_expect(vf_is_makeable(pf, vf));
	command = vf_make_command(pf, vf);
	cr_expect_str_eq(command, "mlx5lm-configure --pf 0000:08:00.0 --mode switchdev --vf "
				  "0:migratable=enable --vf 0:driver=mlx5_vfio_pci --apply");
	give_to_domain(pf, &pf->vfs[1]);
	cr_expect_not(vf_is_makeable(pf, vf), "the other guest would feel it");
	set_text(&pf->vfs[1].in_use_by, NULL);
	pf->eswitch_manager = MLX5LM_ANSWER_NO;
	cr_expect_not(vf_is_makeable(pf, vf), "the Arm side has to do it");
	pf->eswitch_manager = MLX5LM_ANSWER_UNKNOWN;
	cr_assert_eq(pf_add_nv(pf, &nv), 0);
	set_text(&nv->name, "VF_MIGRATION_MODE");
	cr_expect(vf_is_makeable(pf, vf), "its value is not known");
	nv->current = fact_u64(2);
	cr_expect(vf_is_makeable(pf, vf));
	nv->current = fact_u64(1);
	cr_expect_not(vf_is_makeable(pf, vf), "firmware is told not to do it");
	pf->eswitch_mode = MLX5LM_ESWITCH_SWITCHDEV;
	disable(pf, vf);
	cr_expect(vf_is_makeable(pf, vf), "the port shows that it does");
	vf->index.known = false;
	cr_expect_not(vf_is_makeable(pf, vf));
	vf->index.known = true;
	set_text(&pf->driver, NULL);
	cr_expect_not(vf_is_makeable(pf, vf));
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

	cr_expect_eq(host_find_vf(host, "0000:08:00.3", NULL), &host->pfs[0].vfs[1]);
	cr_expect_eq(host_find_vf(host, "08:00.3", &pf), &host->pfs[0].vfs[1]);
	cr_expect_eq(pf, &host->pfs[0]);
	cr_expect_null(host_find_vf(host, "08:00.0", NULL));
	mlx5lm_host_free(host);
}

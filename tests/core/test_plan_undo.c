// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * From every state a plan leads to what is wanted, and from wherever it was cut off there are
 * ways back and on: tried on generated states and wishes, against the rules of the kernel.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "base/error.h"
#include "core/before.h"
#include "core/plan_build.h"
#include "pf_simulator.h"
#include "support/hosts.h"

#define NUM_CASES 3000

static const char *const drivers[] = { "", "mlx5_core", "mlx5_vfio_pci", "vfio-pci" };

/* Numbers that are the same in each run. */
static uint32_t next(uint64_t *seed, uint32_t below)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33) % below;
}

static void make_hw_addr(char text[static 18], uint64_t *seed, uint32_t index)
{
	snprintf(text, 18, "02:00:00:00:%02x:%02x", next(seed, 200), (uint8_t)index);
}

static struct simulator make_state(uint64_t *seed)
{
	struct simulator sim = {
		.switchdev = next(seed, 2),
		.autoprobe = next(seed, 4) > 0,
		.num_vfs = next(seed, SIM_MAX_VFS + 1),
	};

	for (uint32_t i = 0; i < sim.num_vfs; i++) {
		struct sim_vf *vf = &sim.vfs[i];

		sim_create_vf(&sim, vf);
		strcpy(vf->driver, drivers[next(seed, 4)]);
		strcpy(vf->override, next(seed, 2) ? vf->driver : drivers[next(seed, 4)]);
		sim.variant_loaded = sim.variant_loaded || strstr(vf->driver, "mlx5_vfio");
		if (next(seed, 2))
			make_hw_addr(vf->hw_addr, seed, i);
		for (uint32_t attr = 1; attr < SIM_NUM_ATTRS; attr++)
			vf->attr[attr] = next(seed, 2);
		vf->max_io_eqs = 10 + next(seed, 3);
		vf->msix_count = 10 + next(seed, 3);
		vf->representor_up = sim.switchdev && next(seed, 2);
	}
	return sim;
}

static void make_vf_wish(struct mlx5lm_config *config, uint32_t index, uint64_t *seed, bool ports)
{
	static const uint32_t states[] = { MLX5LM_PORT_ATTR_STATE_UNKNOWN,
					   MLX5LM_PORT_ATTR_STATE_DISABLED,
					   MLX5LM_PORT_ATTR_STATE_ENABLED };
	struct vf_config *vf = config_get_vf(config, index);
	char hw_addr[18];

	if (next(seed, 3))
		set_text(&vf->driver, drivers[next(seed, 3)]);
	if (!next(seed, 4))
		vf->msix_count = fact_u64(10 + next(seed, 3));
	if (!ports)
		return;
	if (index != MLX5LM_VF_ALL && next(seed, 2)) {
		make_hw_addr(hw_addr, seed, index);
		set_text(&vf->hw_addr, hw_addr);
	}
	for (uint32_t attr = 1; attr < SIM_NUM_ATTRS; attr++)
		vf->attr[attr] = states[next(seed, ARRAY_LENGTH(states))];
	if (!next(seed, 3))
		vf->max_io_eqs = fact_u64(10 + next(seed, 3));
	vf->representor_state = next(seed, 3);
}

static struct mlx5lm_config *make_wish(uint64_t *seed, const struct simulator *sim)
{
	struct mlx5lm_config *config = calloc(1, sizeof(*config));
	uint64_t num_vfs = sim->num_vfs;
	bool ports;

	cr_assert_not_null(config);
	if (next(seed, 2)) {
		num_vfs = next(seed, SIM_MAX_VFS + 1);
		config->num_vfs = fact_u64(num_vfs);
	}
	if (next(seed, 2))
		config->eswitch_mode = next(seed, 4) ? MLX5LM_ESWITCH_SWITCHDEV :
						       MLX5LM_ESWITCH_LEGACY;
	config->order = next(seed, 2) ? CONFIG_SWITCHDEV_FIRST : CONFIG_VFS_FIRST;
	ports = config->eswitch_mode ? config->eswitch_mode == MLX5LM_ESWITCH_SWITCHDEV :
				       sim->switchdev;
	if (num_vfs && next(seed, 2))
		make_vf_wish(config, MLX5LM_VF_ALL, seed, ports);
	for (uint32_t i = 0; i < num_vfs; i++) {
		if (next(seed, 2))
			make_vf_wish(config, i, seed, ports);
	}
	return config;
}

static int plan(const struct simulator *sim, const struct mlx5lm_config *config,
		struct step_list *list)
{
	_cleanup_error_ struct mlx5lm_error *error = NULL;
	struct mlx5lm_host *host = sim_probe(sim);
	int r = plan_build(host, &host->pfs[0], config, list, &error);

	cr_expect(r == 0 || r == -EEXIST, "refused: %s", mlx5lm_error_get_message(error));
	mlx5lm_host_free(host);
	return r;
}

static void run(struct simulator *sim, const struct step_list *list, const char *what)
{
	for (size_t i = 0; i < list->length; i++) {
		int r = sim_run(sim, &list->steps[i]);

		cr_assert_eq(r, 0, "%s: step %zu, %s of %s: %d", what, i,
			     step_id(list->steps[i].kind), list->steps[i].object, r);
	}
}

/* Plans from a state, and goes there; the plan after that has to be empty. */
static void go(struct simulator *sim, const struct mlx5lm_config *config, const char *what)
{
	struct step_list list = { 0 };

	cr_assert_eq(plan(sim, config, &list), 0, "%s", what);
	run(sim, &list, what);
	step_list_release(&list);
	cr_assert_eq(plan(sim, config, &list), 0, "%s", what);
	cr_assert_eq(list.length, 0, "%s: %s is left to do", what,
		     list.length ? step_id(list.steps[0].kind) : "nothing");
	step_list_release(&list);
}

static void expect_vf_met(const struct simulator *sim, const struct mlx5lm_config *config,
			  uint32_t index, const struct sim_vf *before)
{
	const struct sim_vf *vf = &sim->vfs[index];
	const char *driver = config_driver(config, index);
	const char *hw_addr = config_hw_addr(config, index);
	struct fact_u64 eqs = config_max_io_eqs(config, index);
	struct fact_u64 msix = config_msix_count(config, index);
	uint32_t up = config_representor_state(config, index);

	if (driver) {
		cr_assert_str_eq(vf->driver, driver);
		cr_assert_str_eq(vf->override, streq(driver, "mlx5_vfio_pci") ? driver : "");
	} else if (before) {
		cr_assert_str_eq(vf->driver, before->driver);
		cr_assert_str_eq(vf->override, before->override);
	}
	cr_assert(!hw_addr || streq(vf->hw_addr, hw_addr));
	cr_assert(!eqs.known || vf->max_io_eqs == eqs.value);
	cr_assert(!msix.known || vf->msix_count == msix.value);
	cr_assert(!up || vf->representor_up == (up == MLX5LM_ADMIN_STATE_UP));
	for (uint32_t attr = 1; attr < SIM_NUM_ATTRS; attr++) {
		uint32_t state = config_attr(config, index, attr);

		cr_assert(!state || vf->attr[attr] == (state == MLX5LM_PORT_ATTR_STATE_ENABLED));
		cr_assert(state || !before || vf->attr[attr] == before->attr[attr]);
	}
}

/* Looks at the wish itself, and not through the planner. */
static void expect_met(const struct simulator *sim, const struct mlx5lm_config *config,
		       const struct simulator *before)
{
	bool stay = before->num_vfs == sim->num_vfs;

	cr_assert(!config->num_vfs.known || sim->num_vfs == config->num_vfs.value);
	cr_assert(config->num_vfs.known || stay);
	cr_assert(!config->eswitch_mode ||
		  sim->switchdev == (config->eswitch_mode == MLX5LM_ESWITCH_SWITCHDEV));
	cr_assert(config->eswitch_mode || sim->switchdev == before->switchdev);
	cr_assert_eq(sim->autoprobe, before->autoprobe);
	for (uint32_t i = 0; i < sim->num_vfs; i++)
		expect_vf_met(sim, config, i, stay ? &before->vfs[i] : NULL);
}

/* VFs that are no longer the same ones never get back what nobody could see of them. */
static void expect_same(const struct simulator *sim, const struct simulator *start, size_t prefix)
{
	cr_assert_eq(sim->num_vfs, start->num_vfs);
	cr_assert_eq(sim->switchdev, start->switchdev);
	cr_assert_eq(sim->autoprobe, start->autoprobe);
	for (uint32_t i = 0; i < start->num_vfs; i++) {
		const struct sim_vf *a = &sim->vfs[i], *b = &start->vfs[i];

		cr_assert_str_eq(a->driver, b->driver, "VF %u after %zu steps", i, prefix);
		cr_assert_str_eq(a->override, b->override, "VF %u after %zu steps", i, prefix);
		cr_assert_eq(a->msix_count, b->msix_count);
		cr_assert_eq(a->representor_up, b->representor_up);
		if (!start->switchdev && sim->recreated)
			continue;
		cr_assert_str_eq(a->hw_addr, b->hw_addr, "VF %u after %zu steps", i, prefix);
		cr_assert_arr_eq(a->attr, b->attr, sizeof(a->attr));
		cr_assert_eq(a->max_io_eqs, b->max_io_eqs);
	}
}

/* What mlx5lm_plan_apply() learns of ports that were not to be seen before. */
static void learn(struct mlx5lm_host *before, const struct simulator *start,
		  const struct simulator *sim)
{
	struct mlx5lm_host *now;

	if (start->switchdev || !sim->switchdev || sim->recreated)
		return;
	now = sim_probe(sim);
	cr_assert_eq(before_learn_ports(&before->pfs[0], &now->pfs[0]), 0);
	mlx5lm_host_free(now);
}

static void try_back_and_on(const struct simulator *start, const struct simulator *sim,
			    const struct mlx5lm_host *before, const struct mlx5lm_config *wish,
			    size_t prefix)
{
	struct simulator back = *sim, on = *sim;
	struct mlx5lm_config *config;

	cr_assert_eq(config_from_pf(&before->pfs[0], &config), 0);
	go(&back, config, "back");
	expect_same(&back, start, prefix);
	mlx5lm_config_free(config);
	cr_assert_eq(config_copy(wish, &config), 0);
	cr_assert_eq(config_keep(config, &before->pfs[0]), 0);
	go(&on, config, "on");
	expect_met(&on, wish, start);
	mlx5lm_config_free(config);
}

/* 0 if the wish was refused. */
static size_t try_case(uint64_t seed)
{
	struct simulator start = make_state(&seed), sim = start;
	struct mlx5lm_config *wish = make_wish(&seed, &start);
	struct mlx5lm_host *before = sim_probe(&start);
	struct step_list list = { 0 };
	size_t length = 0;

	if (plan(&sim, wish, &list) == 0) {
		try_back_and_on(&start, &sim, before, wish, 0);
		for (size_t i = 0; i < list.length; i++) {
			cr_assert_eq(sim_run(&sim, &list.steps[i]), 0, "step %zu, %s of %s", i,
				     step_id(list.steps[i].kind), list.steps[i].object);
			if (list.steps[i].kind == STEP_ESWITCH_MODE)
				learn(before, &start, &sim);
			try_back_and_on(&start, &sim, before, wish, i + 1);
		}
		expect_met(&sim, wish, &start);
		length = list.length;
		step_list_release(&list);
		cr_assert_eq(plan(&sim, wish, &list), 0);
		cr_assert_eq(list.length, 0, "%s is left to do",
			     list.length ? step_id(list.steps[0].kind) : "nothing");
	}
	step_list_release(&list);
	mlx5lm_host_free(before);
	mlx5lm_config_free(wish);
	return length;
}

Test(plan_undo, the_state_that_is_needs_no_steps)
{
	for (uint64_t i = 0; i < NUM_CASES; i++) {
		uint64_t seed = i;
		struct simulator sim = make_state(&seed);
		struct mlx5lm_host *host = sim_probe(&sim);
		struct mlx5lm_config *config;
		struct step_list list = { 0 };

		cr_assert_eq(config_from_pf(&host->pfs[0], &config), 0);
		cr_assert_eq(plan_build(host, &host->pfs[0], config, &list, NULL), 0);
		cr_assert_eq(list.length, 0, "case %zu: %s", (size_t)i,
			     list.length ? step_id(list.steps[0].kind) : "");
		step_list_release(&list);
		mlx5lm_config_free(config);
		mlx5lm_host_free(host);
	}
}

Test(plan_undo, from_every_step_there_is_a_way_back_and_a_way_on)
{
	size_t num_plans = 0, num_steps = 0;

	for (uint64_t i = 0; i < NUM_CASES; i++) {
		size_t length = try_case(i);

		num_plans += length > 0;
		num_steps += length;
	}
	/* Or else nothing was tried. */
	cr_assert_gt(num_plans, NUM_CASES * 8 / 10);
	cr_assert_gt(num_steps, NUM_CASES * 5);
}

Test(plan_undo, what_is_not_known_of_a_pf_is_left_as_it_is)
{
	struct mlx5lm_host *host = ready_host("a", 2);
	struct mlx5lm_config *config;
	struct step_list list = { 0 };

	cr_assert_eq(config_from_pf(&host->pfs[0], &config), 0);
	host->pfs[0].eswitch_mode = 0;
	host->pfs[0].vfs[0].migratable = 0;
	host->pfs[0].vfs[0].msix_count = (struct fact_u64){ 0 };
	host->pfs[0].vfs[1].roce = MLX5LM_PORT_ATTR_STATE_UNSUPPORTED;
	cr_assert_eq(plan_build(host, &host->pfs[0], config, &list, NULL), 0);
	cr_assert_eq(list.length, 0);
	step_list_release(&list);
	mlx5lm_config_free(config);
	mlx5lm_host_free(host);
}

Test(plan_undo, a_mode_goes_back_under_a_guest_whose_port_cannot_be_seen)
{
	struct mlx5lm_host *host = ready_host("a", 1);
	struct mlx5lm_config *config;
	struct step_list list = { 0 };
	struct mlx5lm_vf *vf = &host->pfs[0].vfs[0];

	cr_assert_eq(config_from_pf(&host->pfs[0], &config), 0);
	config->live_guests = true;
	host->pfs[0].eswitch_mode = MLX5LM_ESWITCH_LEGACY;
	vf->migratable = vf->roce = 0;
	set_text(&vf->hw_addr, NULL);
	set_text(&vf->in_use_by, "guest");
	cr_assert_eq(plan_build(host, &host->pfs[0], config, &list, NULL), 0);
	cr_assert_eq(list.length, 1);
	cr_expect_eq(list.steps[0].kind, STEP_ESWITCH_MODE);
	cr_expect(list.steps[0].disturbs & MLX5LM_DISTURBANCE_GUESTS);
	step_list_release(&list);
	mlx5lm_config_free(config);
	mlx5lm_host_free(host);
}

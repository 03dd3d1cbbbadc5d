// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What mlx5lm-agent makes of its requests, on a host that is a table: a look at it makes a snapshot
 * of the table, and the steps of a plan that is applied change it. All between is the library.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent.h"

#define PF "0000:40:00.0"
#define OTHER_PF "0000:41:00.0"
#define NUM_VFS 3

struct vf {
	char hw_addr[18], driver[16], migratable[8], representor[8], user[16];
};

static struct vf host[2 * NUM_VFS]; /* of PF, then of OTHER_PF */
static int num_probes, num_applied, refusals, refusal_errno, frees_after;
static struct agent agent;
static json_t *answer;

static const char *bdf_of(int vf)
{
	static const char *const names[] = { "0000:40:00.2", "0000:40:00.3", "0000:40:00.4",
					     "0000:41:00.2", "0000:41:00.3", "0000:41:00.4" };

	return names[vf];
}

static json_t *new_pf(const char *bdf, int first)
{
	json_t *vfs = json_array();

	for (int i = first; i < first + NUM_VFS; i++) {
		json_t *vf = json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:i}", "bdf", bdf_of(i),
				       "index", i - first, "hw_addr", host[i].hw_addr, "migratable",
				       host[i].migratable, "representor", "eth9", "representor_state",
				       host[i].representor, "roce", "enable", "iommu_group", 8 + i);

		json_object_set_new(vf, "port_index", json_integer(1 + i));
		if (*host[i].driver)
			json_object_set_new(vf, "driver", json_string(host[i].driver));
		if (*host[i].user)
			json_object_set_new(vf, "in_use_by", json_string(host[i].user));
		json_array_append_new(vfs, vf);
	}
	return json_pack("{s:s, s:i, s:i, s:s, s:s, s:i, s:i, s:i, s:i, s:s, s:o}", "bdf", bdf,
			 "device_id", 0x1021, "class", 0x20000, "driver", "mlx5_core",
			 "eswitch_mode", "switchdev", "sriov_total_vfs", 8, "sriov_num_vfs", NUM_VFS,
			 "sriov_offset", 2, "sriov_stride", 1, "sriov_autoprobe", "yes", "vfs", vfs);
}

int __wrap_mlx5lm_host_probe(struct mlx5lm_ctx *ctx, const struct mlx5lm_probe_options *options,
			     struct mlx5lm_host **ret, struct mlx5lm_error **reterr);
int __wrap_mlx5lm_plan_apply(struct mlx5lm_plan *plan, struct mlx5lm_ctx *ctx,
			     struct mlx5lm_error **reterr);
int __wrap_nanosleep(const struct timespec *time, struct timespec *rest);

int __wrap_mlx5lm_host_probe(struct mlx5lm_ctx *ctx, const struct mlx5lm_probe_options *options,
			     struct mlx5lm_host **ret, struct mlx5lm_error **reterr)
{
	json_t *document = json_pack("{s:s, s:i, s:s, s:[{s:s, s:s}], s:[o, o]}", "schema",
				     "mlx5lm.host", "schema_version", 1, "hostname", "b", "modules",
				     "name", "mlx5_vfio_pci", "state", "loaded", "pfs",
				     new_pf(PF, 0), new_pf(OTHER_PF, NUM_VFS));
	char *text = json_dumps(document, 0);
	int r;

	(void)ctx;
	(void)options;
	num_probes++;
	r = mlx5lm_host_parse(text, strlen(text), ret, reterr);
	free(text);
	json_decref(document);
	return r;
}

static void set(char *value, size_t size, const char *text)
{
	cr_assert_lt(strlen(text), size);
	strcpy(value, text);
}

static void do_step(const char *id, const char *bdf, const char *wanted)
{
	for (int i = 0; i < 2 * NUM_VFS; i++) {
		struct vf *vf = &host[i];

		if (strcmp(bdf, bdf_of(i)) != 0)
			continue;
		if (strcmp(id, "unbind") == 0)
			set(vf->driver, sizeof(vf->driver), "");
		else if (strcmp(id, "bind") == 0)
			set(vf->driver, sizeof(vf->driver), wanted);
		else if (strcmp(id, "hw-addr") == 0)
			set(vf->hw_addr, sizeof(vf->hw_addr), wanted);
		else if (strcmp(id, "port-attr") == 0)
			set(vf->migratable, sizeof(vf->migratable), strchr(wanted, ' ') + 1);
		else if (strcmp(id, "representor") == 0)
			set(vf->representor, sizeof(vf->representor), wanted);
		else
			cr_assert_str_eq(id, "driver-override");
	}
}

/* As often as refusals says, refused with an error that the library gives for another reason. */
int __wrap_mlx5lm_plan_apply(struct mlx5lm_plan *plan, struct mlx5lm_ctx *ctx,
			     struct mlx5lm_error **reterr)
{
	const char *id, *object, *wanted;

	(void)ctx;
	if (refusals) {
		struct mlx5lm_config *none = NULL;

		refusals--;
		mlx5lm_config_parse("{", 1, &none, reterr);
		return -refusal_errno;
	}
	num_applied++;
	for (size_t i = 0; i < mlx5lm_plan_length(plan); i++) {
		const struct mlx5lm_step *step = mlx5lm_plan_get_step(plan, i);

		mlx5lm_step_get_str(step, MLX5LM_STEP_ID, &id);
		mlx5lm_step_get_str(step, MLX5LM_STEP_OBJECT, &object);
		if (mlx5lm_step_get_str(step, MLX5LM_STEP_WANTED, &wanted) < 0)
			wanted = "";
		do_step(id, object, wanted);
	}
	return 0;
}

/* Time passes: QEMU lets go of its VFs after so many naps. */
int __wrap_nanosleep(const struct timespec *time, struct timespec *rest)
{
	(void)time;
	(void)rest;
	if (frees_after && --frees_after == 0) {
		for (int i = 0; i < 2 * NUM_VFS; i++)
			host[i].user[0] = '\0';
	}
	return 0;
}

static void set_up(void)
{
	for (int i = 0; i < 2 * NUM_VFS; i++) {
		host[i] = (struct vf){ .driver = "mlx5_core", .migratable = "disable",
				       .representor = "up" };
		snprintf(host[i].hw_addr, sizeof(host[i].hw_addr), "02:00:00:00:00:%02x", 16 + i);
	}
	cr_assert_eq(mlx5lm_ctx_new(&agent.ctx), 0);
}

static void tear_down(void)
{
	json_decref(answer);
	agent_end(&agent);
	mlx5lm_ctx_unref(agent.ctx);
}

TestSuite(agent_vfs, .init = set_up, .fini = tear_down);

typedef int (*method_fn)(struct agent *agent, const json_t *params, json_t **ret);

/* Takes params. The code of the error, or "" for a result. */
static const char *ask(method_fn method, json_t *params)
{
	int r;

	cr_assert(params);
	json_decref(answer);
	answer = NULL;
	r = method(&agent, params, &answer);
	json_decref(params);
	cr_assert(answer);
	return r < 0 ? json_string_value(json_object_get(answer, "code")) : "";
}

static json_t *want(const char *pf, int index, const char *hw_addr)
{
	return json_pack("{s:s, s:{s:s, s:i, s:[{s:i, s:s, s:s, s:s, s:s}]}}", "pf", pf, "config",
			 "schema", "mlx5lm.config", "schema_version", 1, "vfs", "index", index,
			 "hw_addr", hw_addr, "migratable", "enable", "driver", "mlx5_vfio_pci",
			 "representor_state", "down");
}

static const char *prepare(int vf)
{
	return ask(agent_apply, want(vf < NUM_VFS ? PF : OTHER_PF, vf % NUM_VFS,
				     "02:aa:00:00:00:01"));
}

static const char *change(method_fn method, int a, int b)
{
	json_t *vfs = json_array();

	json_array_append_new(vfs, json_string(bdf_of(a)));
	if (b >= 0)
		json_array_append_new(vfs, json_string(bdf_of(b)));
	return ask(method, json_pack("{s:o}", "vfs", vfs));
}

static void assert_is(int vf, const char *hw_addr, const char *driver, const char *migratable,
		      const char *representor)
{
	cr_expect_str_eq(host[vf].hw_addr, hw_addr);
	cr_expect_str_eq(host[vf].driver, driver);
	cr_expect_str_eq(host[vf].migratable, migratable);
	cr_expect_str_eq(host[vf].representor, representor);
}

static void assert_is_prepared(int vf)
{
	assert_is(vf, "02:aa:00:00:00:01", "mlx5_vfio_pci", "enable", "down");
}

static void assert_is_as_before(int vf)
{
	char hw_addr[18];

	snprintf(hw_addr, sizeof(hw_addr), "02:00:00:00:00:%02x", 16 + vf);
	assert_is(vf, hw_addr, "mlx5_core", "disable", "up");
}

Test(agent_vfs, a_plan_changes_nothing)
{
	cr_assert_str_eq(ask(agent_plan, want(PF, 0, "02:aa:00:00:00:01")), "");
	cr_assert_gt(json_array_size(json_object_get(answer, "steps")), 3);
	cr_assert_eq(num_applied, 0);
	assert_is_as_before(0);
}

Test(agent_vfs, a_vf_is_made_ready_committed_and_stays_so)
{
	cr_assert_str_eq(prepare(1), "");
	assert_is_prepared(1);
	strcpy(host[1].user, "guest");
	cr_assert_str_eq(change(agent_commit, 1, -1), "");
	assert_is(1, "02:aa:00:00:00:01", "mlx5_vfio_pci", "enable", "up");
	host[1].user[0] = '\0';
	agent_end(&agent);
	assert_is(1, "02:aa:00:00:00:01", "mlx5_vfio_pci", "enable", "up");
	assert_is_as_before(0);
}

Test(agent_vfs, a_release_brings_back_what_was)
{
	cr_assert_str_eq(prepare(1), "");
	cr_assert_str_eq(change(agent_release, 1, -1), "");
	assert_is_as_before(1);
}

Test(agent_vfs, a_release_takes_a_commit_back_as_well)
{
	cr_assert_str_eq(prepare(1), "");
	cr_assert_str_eq(change(agent_commit, 1, -1), "");
	cr_assert_str_eq(change(agent_release, 1, -1), "");
	assert_is_as_before(1);
}

Test(agent_vfs, the_end_of_the_connection_brings_back_all_that_was_not_committed)
{
	cr_assert_str_eq(prepare(0), "");
	cr_assert_str_eq(ask(agent_apply, want(PF, 1, "02:aa:00:00:00:02")), "");
	cr_assert_str_eq(prepare(3), "");
	cr_assert_str_eq(change(agent_commit, 1, -1), "");
	agent_end(&agent);
	assert_is_as_before(0);
	assert_is(1, "02:aa:00:00:00:02", "mlx5_vfio_pci", "enable", "up");
	assert_is_as_before(3);
}

Test(agent_vfs, what_another_agent_did_meanwhile_is_left_alone)
{
	cr_assert_str_eq(prepare(0), "");
	host[2] = (struct vf){ "02:bb:00:00:00:01", "mlx5_vfio_pci", "enable", "down", "" };
	cr_assert_str_eq(change(agent_release, 0, -1), "");
	assert_is_as_before(0);
	assert_is(2, "02:bb:00:00:00:01", "mlx5_vfio_pci", "enable", "down");
}

Test(agent_vfs, a_vf_that_is_prepared_twice_goes_back_to_what_it_was_at_first)
{
	cr_assert_str_eq(prepare(0), "");
	cr_assert_str_eq(ask(agent_apply, want(PF, 0, "02:aa:00:00:00:07")), "");
	cr_assert_str_eq(change(agent_release, 0, -1), "");
	assert_is_as_before(0);
}

Test(agent_vfs, a_vf_without_an_address_keeps_that_of_the_guest)
{
	strcpy(host[0].hw_addr, "00:00:00:00:00:00");
	cr_assert_str_eq(prepare(0), "");
	cr_assert_str_eq(change(agent_release, 0, -1), "");
	assert_is(0, "02:aa:00:00:00:01", "mlx5_core", "disable", "up");
}

Test(agent_vfs, a_vf_that_had_no_driver_has_none_again)
{
	host[0].driver[0] = '\0';
	cr_assert_str_eq(prepare(0), "");
	cr_assert_str_eq(change(agent_release, 0, -1), "");
	cr_assert_str_eq(host[0].driver, "");
}

Test(agent_vfs, a_release_waits_for_qemu_to_let_go)
{
	cr_assert_str_eq(prepare(0), "");
	strcpy(host[0].user, "guest");
	frees_after = 5;
	cr_assert_str_eq(change(agent_release, 0, -1), "");
	assert_is_as_before(0);
}

Test(agent_vfs, a_vf_that_stays_in_use_is_left_and_the_others_are_not)
{
	cr_assert_str_eq(prepare(0), "");
	cr_assert_str_eq(ask(agent_apply, want(PF, 1, "02:aa:00:00:00:02")), "");
	cr_assert_str_eq(ask(agent_apply, want(OTHER_PF, 0, "02:aa:00:00:00:03")), "");
	strcpy(host[0].user, "guest");
	agent_end(&agent);
	assert_is_prepared(0);
	assert_is_as_before(1);
	assert_is_as_before(3);
}

Test(agent_vfs, a_release_of_a_vf_in_use_names_it_and_its_user)
{
	cr_assert_str_eq(prepare(0), "");
	strcpy(host[0].user, "guest");
	cr_assert_str_eq(change(agent_release, 0, -1), "busy");
	cr_assert(strstr(json_string_value(json_object_get(answer, "message")), bdf_of(0)));
	cr_assert(strstr(json_string_value(json_object_get(answer, "message")), "domain guest"));
}

Test(agent_vfs, a_vf_of_another_connection_gets_its_representor_down_and_keeps_the_rest)
{
	host[0] = (struct vf){ "02:aa:00:00:00:01", "mlx5_vfio_pci", "enable", "up", "" };
	cr_assert_str_eq(change(agent_release, 0, -1), "");
	assert_is_prepared(0);
}

Test(agent_vfs, one_look_and_one_plan_do_for_all_vfs_of_a_pf)
{
	strcpy(host[0].representor, "down");
	strcpy(host[1].representor, "down");
	cr_assert_str_eq(change(agent_commit, 0, 1), "");
	cr_assert_eq(num_probes, 1);
	cr_assert_eq(num_applied, 1);
	cr_assert_str_eq(host[0].representor, "up");
	cr_assert_str_eq(host[1].representor, "up");
}

Test(agent_vfs, vfs_of_two_pfs_are_committed_by_one_request)
{
	strcpy(host[0].representor, "down");
	strcpy(host[4].representor, "down");
	cr_assert_str_eq(change(agent_commit, 0, 4), "");
	cr_assert_str_eq(host[0].representor, "up");
	cr_assert_str_eq(host[4].representor, "up");
	cr_assert_eq(num_applied, 2);
}

Test(agent_vfs, a_pf_that_somebody_else_configures_is_waited_for)
{
	for (int i = 0; i < 2; i++) {
		refusals = 3;
		refusal_errno = i ? EBUSY : ESTALE;
		cr_assert_str_eq(prepare(i ? 0 : 3), "");
		assert_is_prepared(i ? 0 : 3);
	}
	refusals = 3;
	cr_assert_str_eq(change(agent_commit, 0, -1), "");
	cr_assert_str_eq(host[0].representor, "up");
}

Test(agent_vfs, but_not_for_ever)
{
	refusals = 1000;
	refusal_errno = EBUSY;
	cr_assert_str_neq(prepare(0), "");
	cr_assert_gt(refusals, 900);
	cr_assert_eq(agent.num_held, 0);
	cr_assert_eq(agent.num_snapshots, 0);
}

Test(agent_vfs, a_plan_that_failed_leaves_nothing_to_be_taken_back)
{
	refusals = 1;
	refusal_errno = EIO;
	cr_assert_str_eq(prepare(0), "invalid-document");
	cr_assert_eq(agent.num_held, 0);
	agent_end(&agent);
	cr_assert_eq(num_applied, 0);
	assert_is_as_before(0);
}

Test(agent_vfs, one_connection_applies_no_more_often_than_it_can_remember)
{
	for (int i = 0; i < MAX_SNAPSHOTS; i++)
		cr_assert_str_eq(prepare(0), "");
	cr_assert_str_eq(prepare(0), "busy");
	agent_end(&agent);
	assert_is_as_before(0);
}

Test(agent_vfs, an_address_that_another_vf_has_is_refused)
{
	cr_assert_str_eq(ask(agent_apply, want(PF, 0, host[1].hw_addr)), "hw-addr-taken");
	assert_is_as_before(0);
}

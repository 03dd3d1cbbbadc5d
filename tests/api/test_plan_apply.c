// SPDX-License-Identifier: LGPL-2.1-or-later
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <mlx5lm/mlx5lm.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/hosts.h"
#include "support/tree.h"

#define PF "0000:08:00.0"
#define PF_DIR "sys/bus/pci/devices/" PF "/"

static struct tree *tree;
static struct mlx5lm_ctx *ctx;
static struct mlx5lm_host *host;
static struct mlx5lm_config *config;
static struct mlx5lm_plan *plan, *recovery;
static struct mlx5lm_error *error;
static char journal_dir[] = "/tmp/mlx5lm-journal-XXXXXX";

/* A tree that the library takes for this machine: it is no kernel, so VFs do not come of it. */
static void setup(void)
{
	tree = tree_new();
	tree_add_host(tree, true);
	tree_add_pf(tree, &(struct tree_pf){ .bdf = PF, .device_id = 0x1021, .total_vfs = 127 });
	cr_assert_eq(mlx5lm_ctx_new(&ctx), 0);
	cr_assert_eq(mlx5lm_ctx_set_root(ctx, tree_path(tree), NULL), 0);
	host = bare_host("a");
	cr_assert_eq(mlx5lm_config_new(&config), 0);
	cr_assert_eq(mlx5lm_config_set_num_vfs(config, 1), 0);
	cr_assert_eq(mlx5lm_plan_new(host, PF, config, &plan, NULL), 0);
	cr_assert_not_null(mkdtemp(journal_dir));
	cr_assert_eq(mlx5lm_plan_set_journal(plan, journal_dir), 0);
}

static void teardown(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/mlx5lm-%s.journal", journal_dir, PF);
	unlink(path);
	rmdir(journal_dir);
	mlx5lm_error_free(error);
	mlx5lm_plan_free(recovery);
	mlx5lm_plan_free(plan);
	mlx5lm_config_free(config);
	mlx5lm_host_free(host);
	mlx5lm_ctx_unref(ctx);
	tree_free(tree);
}

TestSuite(plan_apply, .init = setup, .fini = teardown);

static void forget_error(void)
{
	mlx5lm_error_free(error);
	error = NULL;
}

static void expect_code(enum mlx5lm_error_code code)
{
	cr_expect_eq(mlx5lm_error_get_code(error), code, "%s", mlx5lm_error_get_message(error));
}

/* The write of the number fails at once instead of after a deadline. */
static void break_num_vfs(void)
{
	tree_remove(tree, PF_DIR "sriov_numvfs");
}

static int stop_at_first(const struct mlx5lm_plan *which, size_t index,
			 enum mlx5lm_step_state state, void *userdata)
{
	(void)which;
	(void)userdata;
	return index == 0 && state == MLX5LM_STEP_STATE_DONE ? -1 : 0;
}

Test(plan_apply, a_pf_that_another_configures_is_left_alone)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/" PF_DIR "rescan", tree_path(tree));
	fd = open(path, O_WRONLY | O_CLOEXEC);
	cr_assert_geq(fd, 0);
	cr_assert_eq(flock(fd, LOCK_EX | LOCK_NB), 0);
	cr_expect_eq(mlx5lm_plan_apply(plan, ctx, &error), -EBUSY);
	expect_code(MLX5LM_ERROR_BUSY);
	cr_expect_str_eq(tree_read(tree, PF_DIR "sriov_drivers_autoprobe"), "1");
	close(fd);
}

Test(plan_apply, a_step_that_fails_is_undone_and_named)
{
	const struct mlx5lm_plan *undo;
	uint64_t is_undo = 0;

	break_num_vfs();
	cr_expect_eq(mlx5lm_plan_apply(plan, ctx, &error), -ENOENT);
	cr_expect(strstr(mlx5lm_error_get_message(error), "step 2 of 3 (num-vfs of " PF ")"));
	cr_expect(strstr(mlx5lm_error_get_detail(error), "all is undone"));
	cr_expect_eq(mlx5lm_plan_get_step_state(plan, 0), MLX5LM_STEP_STATE_DONE);
	cr_expect_eq(mlx5lm_plan_get_step_state(plan, 1), MLX5LM_STEP_STATE_FAILED);
	cr_expect_eq(mlx5lm_plan_get_step_state(plan, 2), MLX5LM_STEP_STATE_SKIPPED);
	cr_expect_not_null(mlx5lm_plan_get_step_error(plan, 1));
	cr_expect_null(mlx5lm_plan_get_step_error(plan, 0));
	undo = mlx5lm_plan_get_undo(plan);
	cr_assert_not_null(undo);
	cr_assert_eq(mlx5lm_plan_get_u64(undo, MLX5LM_PLAN_IS_UNDO, &is_undo), 0);
	cr_expect_eq(is_undo, MLX5LM_ANSWER_YES);
	cr_expect_eq(mlx5lm_plan_length(undo), 1);
	cr_expect_str_eq(tree_read(tree, PF_DIR "sriov_drivers_autoprobe"), "1");
	forget_error();
	cr_expect_eq(mlx5lm_plan_recover(ctx, journal_dir, PF, MLX5LM_RECOVERY_FINISH, &recovery,
					 &error), -ENODATA);
}

Test(plan_apply, cancelling_undoes_as_well)
{
	cr_assert_eq(mlx5lm_plan_set_progress(plan, stop_at_first, NULL, NULL), 0);
	cr_expect_eq(mlx5lm_plan_apply(plan, ctx, &error), -ECANCELED);
	expect_code(MLX5LM_ERROR_CANCELLED);
	cr_expect_str_eq(tree_read(tree, PF_DIR "sriov_drivers_autoprobe"), "1");
	cr_expect_eq(mlx5lm_plan_get_step_state(plan, 1), MLX5LM_STEP_STATE_SKIPPED);
}

Test(plan_apply, who_only_stops_has_to_recover_first)
{
	break_num_vfs();
	cr_assert_eq(mlx5lm_plan_set_failure_policy(plan, MLX5LM_FAILURE_POLICY_STOP), 0);
	cr_expect_eq(mlx5lm_plan_apply(plan, ctx, &error), -ENOENT);
	cr_expect_str_eq(tree_read(tree, PF_DIR "sriov_drivers_autoprobe"), "1");
	forget_error();
	cr_expect_eq(mlx5lm_plan_apply(plan, ctx, &error), -EUCLEAN);
	expect_code(MLX5LM_ERROR_RECOVERY_NEEDED);
	cr_expect(strstr(mlx5lm_error_get_remedy(error), "--recover"));
	forget_error();
	cr_assert_eq(mlx5lm_plan_recover(ctx, journal_dir, PF, MLX5LM_RECOVERY_FINISH, &recovery,
					 NULL), 0);
	cr_expect_eq(mlx5lm_plan_length(recovery), 3);
	mlx5lm_plan_free(recovery);
	cr_assert_eq(mlx5lm_plan_recover(ctx, journal_dir, PF, MLX5LM_RECOVERY_UNDO, &recovery,
					 NULL), 0);
	cr_expect_eq(mlx5lm_plan_length(recovery), 0);
	cr_expect_eq(mlx5lm_plan_apply(recovery, ctx, &error), 0);
	/* The journal is closed: the plan may be tried again. */
	cr_expect_eq(mlx5lm_plan_apply(plan, ctx, &error), -ENOENT);
}

Test(plan_apply, a_damaged_journal_is_no_licence_to_go_on)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/mlx5lm-%s.journal", journal_dir, PF);
	file = fopen(path, "w");
	cr_assert_not_null(file);
	fputs("{\"schema\": \"something else\"}\n", file);
	fclose(file);
	chmod(path, 0600);
	cr_expect_eq(mlx5lm_plan_apply(plan, ctx, &error), -EBADMSG);
	cr_expect_str_eq(tree_read(tree, PF_DIR "sriov_drivers_autoprobe"), "1");
}

Test(plan_apply, a_journal_that_cannot_be_kept_is_found_out_before_the_first_step)
{
	cr_assert_eq(mlx5lm_plan_set_journal(plan, "/nonexistent/mlx5lm"), 0);
	cr_expect_lt(mlx5lm_plan_apply(plan, ctx, &error), 0);
	cr_expect(strstr(mlx5lm_error_get_message(error), "/nonexistent/mlx5lm"));
	cr_expect_str_eq(tree_read(tree, PF_DIR "sriov_drivers_autoprobe"), "1");
}

Test(plan_apply, without_a_journal_there_is_nothing_to_recover)
{
	cr_expect_eq(mlx5lm_plan_recover(ctx, journal_dir, PF, MLX5LM_RECOVERY_UNDO, &recovery,
					 &error), -ENOENT);
	cr_expect_null(recovery);
}

Test(plan_apply, what_was_not_applied_cannot_be_rolled_back)
{
	cr_expect_eq(mlx5lm_plan_rollback(plan, ctx, &error), -ENODATA);
}

Test(plan_apply, settings_that_make_no_sense_are_refused)
{
	cr_expect_eq(mlx5lm_plan_set_failure_policy(plan, MLX5LM_FAILURE_POLICY_UNKNOWN), -EINVAL);
	cr_expect_eq(mlx5lm_plan_set_failure_policy(NULL, MLX5LM_FAILURE_POLICY_UNDO), -EINVAL);
	cr_expect_eq(mlx5lm_plan_set_journal(plan, ""), -EINVAL);
	cr_expect_eq(mlx5lm_plan_recover(ctx, journal_dir, PF, MLX5LM_RECOVERY_UNKNOWN, &recovery,
					 NULL), -EINVAL);
}

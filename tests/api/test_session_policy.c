// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/session_scene.h"

#include <errno.h>
#include <unistd.h>

static void each(void)
{
	fake_reset();
}

TestSuite(session_policy, .init = each, .fini = fake_reset, .timeout = 120);

/* A guest that dirties memory as fast as it is sent: it moves only with such a limit. */
static void set_busy(struct scene *scene, unsigned long long converges_at_ms)
{
	set_scene(scene, "s");
	scene->guest->script.converges_at_ms = converges_at_ms;
	set_u64(scene, MLX5LM_SESSION_DOWNTIME_LIMIT_MS, 300);
	set_u64(scene, MLX5LM_SESSION_STALL_ITERATIONS, 1);
}

static unsigned long long highest_limit(void)
{
	struct fake_calls calls = fake_calls();
	unsigned long long highest = 0;

	for (int i = 0; i < calls.num_downtimes; i++)
		highest = calls.downtimes_ms[i] > highest ? calls.downtimes_ms[i] : highest;
	return highest;
}

Test(session_policy, raises_the_downtime_limit_in_steps_until_the_guest_moves)
{
	struct fake_calls calls;
	struct scene scene;

	set_busy(&scene, 700);
	set_u64(&scene, MLX5LM_SESSION_DOWNTIME_CEILING_MS, 1000);
	set_u64(&scene, MLX5LM_SESSION_DOWNTIME_STEPS, 4);
	cr_expect_eq(run(&scene), 0, "%s", mlx5lm_error_get_message(scene.error));
	calls = fake_calls();
	cr_assert_geq(calls.num_downtimes, 3);
	cr_expect_eq(calls.downtimes_ms[0], 300);
	for (int i = 1; i < calls.num_downtimes; i++) {
		cr_expect_gt(calls.downtimes_ms[i], calls.downtimes_ms[i - 1]);
		cr_expect_leq(calls.downtimes_ms[i], 1000);
	}
	cr_expect_geq(highest_limit(), 700);
	cr_expect_eq(number(&scene, MLX5LM_PROGRESS_DOWNTIME_LIMIT_MS), highest_limit());
	cr_expect_geq(number(&scene, MLX5LM_PROGRESS_STALLS), 2);
	cr_expect_geq(scene.counts[MLX5LM_EVENT_STALL], 2);
	expect_guest(&scene, true);
	end_scene(&scene);
}

Test(session_policy, never_goes_above_the_ceiling)
{
	struct scene scene;

	set_busy(&scene, 5000);
	set_u64(&scene, MLX5LM_SESSION_DOWNTIME_CEILING_MS, 1000);
	set_u64(&scene, MLX5LM_SESSION_DOWNTIME_STEPS, 2);
	/* Two stalls come first, each of at least POLICY_STALL_MIN_MS. */
	set_u64(&scene, MLX5LM_SESSION_TOTAL_DEADLINE_MS, 7000);
	cr_expect_eq(run(&scene), -ETIMEDOUT);
	expect_reason(&scene, MLX5LM_REASON_TOTAL_DEADLINE);
	cr_expect_eq(highest_limit(), 1000);
	cr_expect_eq(scene.guest->max_downtime_ms, 300, "given back");
	expect_guest(&scene, false);
	end_scene(&scene);
}

Test(session_policy, forces_the_switchover_at_a_stall)
{
	struct scene scene;

	set_busy(&scene, 2000000);
	set_u64(&scene, MLX5LM_SESSION_STALL_ACTION, MLX5LM_ACTION_FORCE_SWITCHOVER);
	cr_expect_eq(run(&scene), 0, "%s", mlx5lm_error_get_message(scene.error));
	cr_expect_eq(highest_limit(), 2000000);
	expect_guest(&scene, true);
	end_scene(&scene);
}

Test(session_policy, aborts_at_a_stall)
{
	struct scene scene;

	set_busy(&scene, 2000000);
	set_u64(&scene, MLX5LM_SESSION_STALL_ACTION, MLX5LM_ACTION_ABORT);
	cr_expect_lt(run(&scene), 0);
	cr_expect_eq(phase_of(&scene), MLX5LM_PHASE_FAILED);
	expect_reason(&scene, MLX5LM_REASON_STALLED);
	cr_expect_not_null(mlx5lm_error_get_remedy(scene.error));
	cr_expect_geq(fake_calls().aborts, 1);
	expect_guest(&scene, false);
	end_scene(&scene);
}

Test(session_policy, only_counts_stalls_if_that_is_wanted)
{
	struct scene scene;

	set_busy(&scene, 2000000);
	set_u64(&scene, MLX5LM_SESSION_STALL_ACTION, MLX5LM_ACTION_CONTINUE);
	run_until(&scene, MLX5LM_PHASE_PRE_COPY);
	while (scene.counts[MLX5LM_EVENT_STALL] < 3) {
		cr_assert_eq(mlx5lm_session_dispatch(scene.session, NULL), 1);
		usleep(10000);
	}
	cr_expect_geq(number(&scene, MLX5LM_PROGRESS_STALLS), 3);
	cr_expect_eq(highest_limit(), 300);
	cr_expect_eq(fake_calls().aborts, 0);
	mlx5lm_session_cancel(scene.session);
	cr_expect_eq(finish(&scene), -ECANCELED);
	expect_cancelled(&scene);
}

Test(session_policy, leaves_a_migration_alone_that_converges)
{
	struct scene scene;

	set_scene(&scene, "s");
	set_u64(&scene, MLX5LM_SESSION_DOWNTIME_CEILING_MS, 1000);
	set_u64(&scene, MLX5LM_SESSION_STALL_DEADLINE_MS, 5000);
	cr_expect_eq(run(&scene), 0);
	cr_expect_eq(highest_limit(), 0, "not even set");
	cr_expect_eq(scene.counts[MLX5LM_EVENT_STALL], 0);
	cr_expect_eq(number(&scene, MLX5LM_PROGRESS_STALLS), 0);
	end_scene(&scene);
}

/* A deadline of these, and what comes of it. */
static void expect_deadline(enum mlx5lm_session_key key, enum mlx5lm_action action,
			    enum mlx5lm_reason reason)
{
	struct scene scene;

	fake_reset();
	set_busy(&scene, 2000000);
	set_u64(&scene, MLX5LM_SESSION_STALL_ACTION, MLX5LM_ACTION_CONTINUE);
	set_u64(&scene, key, 500);
	set_u64(&scene, MLX5LM_SESSION_DEADLINE_ACTION, action);
	cr_expect_eq(run(&scene) == 0, action == MLX5LM_ACTION_FORCE_SWITCHOVER);
	expect_reason(&scene, reason);
	expect_guest(&scene, action == MLX5LM_ACTION_FORCE_SWITCHOVER);
	end_scene(&scene);
}

Test(session_policy, a_deadline_aborts_or_forces_as_is_wanted)
{
	expect_deadline(MLX5LM_SESSION_STALL_DEADLINE_MS, MLX5LM_ACTION_ABORT,
			MLX5LM_REASON_STALLED);
	expect_deadline(MLX5LM_SESSION_STALL_DEADLINE_MS, MLX5LM_ACTION_FORCE_SWITCHOVER,
			MLX5LM_REASON_NONE);
	expect_deadline(MLX5LM_SESSION_TOTAL_DEADLINE_MS, MLX5LM_ACTION_ABORT,
			MLX5LM_REASON_TOTAL_DEADLINE);
	expect_deadline(MLX5LM_SESSION_TOTAL_DEADLINE_MS, MLX5LM_ACTION_FORCE_SWITCHOVER,
			MLX5LM_REASON_NONE);
}

Test(session_policy, a_setup_that_does_not_end_is_aborted)
{
	struct scene scene;

	set_scene(&scene, "s");
	scene.guest->script.setup_polls = FOREVER;
	set_u64(&scene, MLX5LM_SESSION_SETUP_DEADLINE_MS, 300);
	cr_expect_lt(run(&scene), 0);
	expect_reason(&scene, MLX5LM_REASON_SETUP_DEADLINE);
	expect_error(&scene, MLX5LM_ERROR_TIMEOUT, "300 ms");
	expect_guest(&scene, false);
	end_scene(&scene);
}

Test(session_policy, the_caller_can_force_the_switchover)
{
	struct scene scene;

	set_busy(&scene, 2000000);
	run_until(&scene, MLX5LM_PHASE_PRE_COPY);
	cr_expect_eq(mlx5lm_session_force_switchover(scene.session), 0);
	cr_expect_eq(finish(&scene), 0);
	cr_expect_eq(highest_limit(), 2000000);
	expect_guest(&scene, true);
	end_scene(&scene);
}

Test(session_policy, a_switchover_that_is_forced_before_the_start_is_remembered)
{
	struct scene scene;

	set_busy(&scene, 2000000);
	make_session(&scene);
	cr_expect_eq(mlx5lm_session_force_switchover(scene.session), 0);
	cr_expect_eq(finish(&scene), 0);
	cr_expect_eq(highest_limit(), 2000000);
	end_scene(&scene);
}

Test(session_policy, a_limit_that_libvirt_does_not_take_is_no_end)
{
	struct scene scene;

	set_busy(&scene, 2000000);
	set_u64(&scene, MLX5LM_SESSION_STALL_ACTION, MLX5LM_ACTION_FORCE_SWITCHOVER);
	run_until(&scene, MLX5LM_PHASE_PRE_COPY);
	fake_fail(scene.here, FAKE_CALL_SET_DOWNTIME, 1, VIR_ERR_OPERATION_TIMEOUT, "locked");
	mlx5lm_session_force_switchover(scene.session);
	for (int i = 0; i < 20; i++) {
		mlx5lm_session_dispatch(scene.session, NULL);
		usleep(50000);
	}
	mlx5lm_session_cancel(scene.session);
	finish(&scene);
	cr_expect(phase_of(&scene) == MLX5LM_PHASE_COMPLETED ||
		  phase_of(&scene) == MLX5LM_PHASE_CANCELLED);
	end_scene(&scene);
}

Test(session_policy, what_it_did_is_written_down)
{
	struct mlx5lm_text *text = NULL;
	struct scene scene;

	set_busy(&scene, 600);
	set_u64(&scene, MLX5LM_SESSION_DOWNTIME_CEILING_MS, 1000);
	cr_expect_eq(run(&scene), 0);
	cr_assert_eq(mlx5lm_session_serialize(scene.session, MLX5LM_FORMAT_JSON, &text), 0);
	cr_expect_not_null(strstr(mlx5lm_text_get_str(text), "raise-downtime"));
	mlx5lm_text_free(text);
	end_scene(&scene);
}

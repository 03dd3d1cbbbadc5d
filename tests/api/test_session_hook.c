// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/session_scene.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"

static struct scene scene;

/* What the hook does, and what it was called for. */
static struct {
	char log[128];
	enum mlx5lm_hook fails_at;
	enum mlx5lm_hook cancels_at;
	struct mlx5lm_host *tells; /* at PREPARE, of the destination */
	int tell_result;
	size_t pairs;
	bool had_comparison;
	int reentry;
	int destroyed;
	useconds_t takes_us;
} hook;

static void each(void)
{
	fake_reset();
	memset(&hook, 0, sizeof(hook));
}

TestSuite(session_hook, .init = each, .fini = fake_reset, .timeout = 60);

static int note_hook(struct mlx5lm_session *session, enum mlx5lm_hook which, void *userdata)
{
	size_t length = strlen(hook.log);

	cr_expect_eq(userdata, &hook);
	cr_expect_eq(session, scene.session);
	cr_expect(pthread_equal(scene.thread, pthread_self()), "hook on another thread");
	snprintf(hook.log + length, sizeof(hook.log) - length, "%s ", mlx5lm_hook_str(which));
	usleep(hook.takes_us);
	if (which == MLX5LM_HOOK_PREPARE) {
		hook.pairs = mlx5lm_session_length_pairs(session);
		hook.had_comparison = mlx5lm_session_get_comparison(session) != NULL;
		if (hook.tells)
			hook.tell_result = mlx5lm_session_set_destination(session, hook.tells);
	} else {
		cr_expect_eq(mlx5lm_session_set_destination(session, NULL), -EINVAL);
	}
	hook.reentry = mlx5lm_session_dispatch(session, NULL);
	cr_expect_eq(mlx5lm_session_run(session, NULL), -EBUSY);
	cr_expect_eq(mlx5lm_session_start(session, NULL), -EBUSY);
	if (which == hook.cancels_at)
		cr_expect_eq(mlx5lm_session_cancel(session), 0);
	if (which != hook.fails_at)
		return 0;
	cr_expect_eq(mlx5lm_session_set_hook_error(session, "words of the hook",
						   "what the hook advises"), 0);
	return -ENXIO;
}

static void count_hook_destroy(void *userdata)
{
	cr_expect_eq(userdata, &hook);
	hook.destroyed++;
}

static void hook_session(void)
{
	make_session(&scene);
	cr_assert_eq(mlx5lm_session_set_hook(scene.session, note_hook, &hook, count_hook_destroy),
		     0);
}

static int run_hooked(void)
{
	hook_session();
	return finish(&scene);
}

static void end_hooked(void)
{
	end_scene(&scene);
	mlx5lm_host_free(TAKE(hook.tells));
	cr_expect_eq(hook.destroyed, 1);
}

Test(session_hook, prepares_before_and_commits_at_the_switchover)
{
	set_scene(&scene, "h");
	cr_expect_eq(run_hooked(), 0, "%s", mlx5lm_error_get_message(scene.error));
	cr_expect_str_eq(hook.log, "prepare commit ");
	cr_expect_eq(hook.pairs, 1);
	cr_expect(hook.had_comparison);
	cr_expect_eq(hook.reentry, -EBUSY);
	expect_guest(&scene, true);
	end_hooked();
}

Test(session_hook, runs_in_next_event_too)
{
	const struct mlx5lm_progress *progress;
	int r;

	set_scene(&scene, "h");
	hook_session();
	cr_assert_eq(mlx5lm_session_start(scene.session, NULL), 0);
	do {
		r = mlx5lm_session_next_event(scene.session, 5000, &progress, NULL);
	} while (r > 0);
	cr_expect_eq(r, -ENODATA);
	cr_expect_str_eq(hook.log, "prepare commit ");
	expect_guest(&scene, true);
	end_hooked();
}

Test(session_hook, one_that_takes_its_time_is_waited_for)
{
	set_scene(&scene, "h");
	hook.takes_us = 300000;
	cr_expect_eq(run_hooked(), 0);
	cr_expect_str_eq(hook.log, "prepare commit ");
	end_hooked();
}

Test(session_hook, is_not_called_for_what_the_preflight_refuses)
{
	set_scene(&scene, "h");
	scene.guest->state = VIR_DOMAIN_PAUSED;
	cr_expect_lt(run_hooked(), 0);
	cr_expect_str_eq(hook.log, "");
	end_hooked();
}

Test(session_hook, that_cannot_prepare_ends_it_with_its_own_words_and_is_released)
{
	set_scene(&scene, "h");
	hook.fails_at = MLX5LM_HOOK_PREPARE;
	cr_expect_eq(run_hooked(), -ENXIO);
	cr_expect_str_eq(hook.log, "prepare release ");
	expect_reason(&scene, MLX5LM_REASON_HOOK);
	cr_assert_not_null(scene.error);
	cr_expect_not_null(strstr(mlx5lm_error_get_message(scene.error), "words of the hook"));
	cr_expect_str_eq(mlx5lm_error_get_remedy(scene.error), "what the hook advises");
	cr_expect_eq(fake_calls().migrations, 0);
	expect_guest(&scene, false);
	end_hooked();
}

Test(session_hook, that_cannot_commit_aborts_while_that_is_possible)
{
	set_scene(&scene, "h");
	scene.guest->script.switchover_polls = FOREVER;
	scene.guest->script.late_aborts = true;
	hook.fails_at = MLX5LM_HOOK_COMMIT;
	cr_expect_lt(run_hooked(), 0);
	cr_expect_str_eq(hook.log, "prepare commit release ");
	expect_reason(&scene, MLX5LM_REASON_HOOK);
	cr_expect_not_null(strstr(mlx5lm_error_get_message(scene.error), "words of the hook"), "%s",
			   mlx5lm_error_get_message(scene.error));
	expect_guest(&scene, false);
	end_hooked();
}

Test(session_hook, that_cannot_commit_once_the_guest_has_moved_is_told_and_nothing_is_released)
{
	set_scene(&scene, "h");
	hook.fails_at = MLX5LM_HOOK_COMMIT;
	run_hooked();
	cr_expect_str_eq(hook.log, "prepare commit ");
	expect_guest(&scene, true);
	cr_expect(mlx5lm_session_get_reason(scene.session) == MLX5LM_REASON_HOOK ||
		  mlx5lm_session_get_reason(scene.session) == MLX5LM_REASON_VERIFY, "%s",
		  mlx5lm_reason_str(mlx5lm_session_get_reason(scene.session)));
	end_hooked();
}

Test(session_hook, is_released_when_the_migration_fails)
{
	set_scene(&scene, "h");
	scene.guest->script.end = FAKE_FAILS;
	cr_expect_eq(run_hooked(), -EIO);
	cr_expect_str_eq(hook.log, "prepare commit release ", "%s", hook.log);
	expect_guest(&scene, false);
	end_hooked();
}

Test(session_hook, is_released_when_it_is_cancelled)
{
	set_scene(&scene, "h");
	scene.guest->script.pre_copy_polls = FOREVER;
	scene.cancel_call_in = MLX5LM_PHASE_PRE_COPY;
	cr_expect_eq(run_hooked(), -ECANCELED);
	cr_expect_str_eq(hook.log, "prepare release ");
	expect_cancelled(&scene);
	cr_expect_eq(hook.destroyed, 1);
}

Test(session_hook, may_cancel)
{
	set_scene(&scene, "h");
	hook.cancels_at = MLX5LM_HOOK_PREPARE;
	cr_expect_eq(run_hooked(), -ECANCELED);
	cr_expect_str_eq(hook.log, "prepare release ");
	cr_expect_eq(fake_calls().migrations, 0);
	expect_cancelled(&scene);
}

Test(session_hook, a_release_that_fails_does_not_hide_why)
{
	set_scene(&scene, "h");
	scene.guest->script.end = FAKE_FAILS;
	hook.fails_at = MLX5LM_HOOK_RELEASE;
	cr_expect_eq(run_hooked(), -EIO);
	expect_reason(&scene, MLX5LM_REASON_OTHER);
	cr_expect_str_eq(hook.log, "prepare commit release ");
	expect_error(&scene, MLX5LM_ERROR_MIGRATION, "runs on at the source");
	end_hooked();
}

Test(session_hook, is_released_when_a_daemon_hangs_before_anything_was_started)
{
	set_scene(&scene, "h");
	set_u64(&scene, MLX5LM_SESSION_ANSWER_DEADLINE_MS, 1000);
	set_u64(&scene, MLX5LM_SESSION_DOWNTIME_LIMIT_MS, 900);
	fake_hang(scene.here, FAKE_CALL_SET_DOWNTIME);
	cr_expect_lt(run_hooked(), 0);
	cr_expect_str_eq(hook.log, "prepare release ");
	expect_reason(&scene, MLX5LM_REASON_SOURCE_DAEMON_LOST);
	cr_expect_eq(fake_calls().migrations, 0);
	drop_scene(&scene);
	fake_let_go();
	while (fake_calls().open_objects)
		usleep(1000);
	cr_expect_eq(fake_calls().migrations, 0, "nor afterwards");
}

/* The destination's VFs as they are before somebody makes them ready. */
static void unready(struct mlx5lm_host *host)
{
	for (size_t i = 0; i < host->pfs[0].num_vfs; i++)
		set_text(&host->pfs[0].vfs[i].driver, "mlx5_core");
}

Test(session_hook, vfs_that_are_to_be_made_ready_are_not_taken_without_being_asked)
{
	set_scene(&scene, "h");
	unready(scene.destination);
	cr_expect_lt(run_hooked(), 0);
	expect_reason(&scene, MLX5LM_REASON_VF_UNFIT);
	cr_expect_str_eq(hook.log, "");
	end_hooked();
}

Test(session_hook, makes_vfs_ready_and_tells_so)
{
	set_scene(&scene, "h");
	unready(scene.destination);
	set_u64(&scene, MLX5LM_SESSION_MAKEABLE, 1);
	hook.tells = ready_host("b", 4);
	cr_expect_eq(run_hooked(), 0, "%s", mlx5lm_error_get_message(scene.error));
	cr_expect_eq(hook.tell_result, 0);
	cr_expect_str_eq(hook.log, "prepare commit ");
	expect_guest(&scene, true);
	end_hooked();
}

Test(session_hook, is_believed_if_it_tells_nothing)
{
	set_scene(&scene, "h");
	unready(scene.destination);
	set_u64(&scene, MLX5LM_SESSION_MAKEABLE, 1);
	cr_expect_eq(run_hooked(), 0, "%s", mlx5lm_error_get_message(scene.error));
	expect_guest(&scene, true);
	end_hooked();
}

Test(session_hook, what_it_tells_is_compared_again)
{
	set_scene(&scene, "h");
	hook.tells = ready_host("b", 4);
	set_text(&hook.tells->pfs[0].fw_running, "28.43.1014");
	cr_expect_lt(run_hooked(), 0);
	cr_expect_str_eq(hook.log, "prepare release ");
	expect_reason(&scene, MLX5LM_REASON_HOSTS_INCOMPATIBLE);
	cr_expect_eq(fake_calls().migrations, 0);
	end_hooked();
}

Test(session_hook, is_set_before_the_start_or_not_at_all)
{
	int others = 0;

	set_scene(&scene, "h");
	scene.guest->script.pre_copy_polls = FOREVER;
	cr_expect_eq(mlx5lm_session_set_hook(NULL, note_hook, &hook, count_hook_destroy), -EINVAL);
	others += hook.destroyed;
	cr_expect_eq(others, 1);
	run_until(&scene, MLX5LM_PHASE_PRE_COPY);
	cr_expect_eq(mlx5lm_session_set_hook(scene.session, note_hook, &hook, count_hook_destroy),
		     -EALREADY);
	cr_expect_eq(hook.destroyed, 2);
	mlx5lm_session_cancel(scene.session);
	finish(&scene);
	cr_expect_str_eq(hook.log, "");
	expect_cancelled(&scene);
}

Test(session_hook, functions_for_it_are_refused_elsewhere)
{
	set_scene(&scene, "h");
	make_session(&scene);
	cr_expect_eq(mlx5lm_session_set_hook_error(scene.session, "a", NULL), -EINVAL);
	cr_expect_eq(mlx5lm_session_set_destination(scene.session, NULL), -EINVAL);
	end_scene(&scene);
}

Test(session_hook, a_session_that_waits_for_it_can_be_dropped)
{
	set_scene(&scene, "h");
	hook_session();
	cr_assert_eq(mlx5lm_session_start(scene.session, NULL), 0);
	/* Nobody dispatches, so that it waits for ever. */
	usleep(200000);
	cr_expect_eq(fake_calls().migrations, 0);
	end_hooked();
	cr_expect_str_eq(hook.log, "");
	expect_guest(&scene, false);
}

Test(session_hook, of_a_domain_without_vfs_is_called_without_pairs)
{
	set_scene(&scene, "h");
	set_plain(&scene);
	cr_expect_eq(run_hooked(), 0);
	cr_expect_str_eq(hook.log, "prepare commit ");
	cr_expect_eq(hook.pairs, 0);
	cr_expect_not(hook.had_comparison);
	end_hooked();
}

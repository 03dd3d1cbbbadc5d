// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/session_scene.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Where the journals are, and the one of the guest there. */
static char dir[64], journal[128];
static struct scene scene;
static char hook_log[64];

static void each(void)
{
	fake_reset();
	snprintf(dir, sizeof(dir), "/tmp/mlx5lm-session-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	snprintf(journal, sizeof(journal), "%s/mlx5lm-" GUEST_UUID ".session", dir);
	hook_log[0] = '\0';
}

static void release(void)
{
	unlink(journal);
	rmdir(dir);
	fake_reset();
}

TestSuite(session_attach, .init = each, .fini = release, .timeout = 60);

static size_t files_in_dir(void)
{
	/* Besides itself and its parent. */
	return count_in(dir) - 2;
}

static int note_hook(struct mlx5lm_session *session, enum mlx5lm_hook hook, void *userdata)
{
	size_t length = strlen(hook_log);

	(void)session;
	(void)userdata;
	snprintf(hook_log + length, sizeof(hook_log) - length, "%s ", mlx5lm_hook_str(hook));
	return 0;
}

/* A session of another process that is killed in the middle; the world is each process's own. */
static void die_in_pre_copy(void (*set)(struct scene *scene))
{
	int status = 0;
	pid_t child = fork();

	cr_assert_geq(child, 0);
	if (child == 0) {
		set_scene(&scene, "t");
		scene.guest->script.pre_copy_polls = FOREVER;
		set_str(&scene, MLX5LM_SESSION_JOURNAL_DIR, dir);
		if (set)
			set(&scene);
		make_session(&scene);
		mlx5lm_session_set_hook(scene.session, note_hook, NULL, NULL);
		run_until(&scene, MLX5LM_PHASE_PRE_COPY);
		raise(SIGKILL);
		_exit(1);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "status %x", status);
	cr_assert_eq(files_in_dir(), 1, "%s is not there", journal);
}

/* The same two hosts as this process sees them, with nothing started. */
static void see_hosts(void)
{
	set_scene(&scene, "t");
	mlx5lm_session_options_free(TAKE(scene.options));
}

static void attach(const char *domain)
{
	cr_assert_eq(mlx5lm_session_attach(scene.ctx, dir, domain, &scene.session, &scene.error), 0,
		     "%s", mlx5lm_error_get_message(scene.error));
	mlx5lm_session_set_progress(scene.session, note_event, &scene, count_destroy);
	mlx5lm_session_set_hook(scene.session, note_hook, NULL, NULL);
}

/* The dead one's migration, going on with nobody to wait for it. */
static void see_job(void)
{
	see_hosts();
	fake_start_job(scene.here, "guest", scene.there, guest_xml,
		       VIR_MIGRATE_LIVE | VIR_MIGRATE_PEER2PEER);
}

static void end_attached(void)
{
	end_scene(&scene);
	cr_expect_eq(files_in_dir(), 0, "the journal is left");
}

Test(session_attach, goes_on_with_a_migration_whose_caller_died)
{
	const char *bdf = NULL;

	die_in_pre_copy(NULL);
	see_job();
	attach("guest");
	cr_assert_eq(mlx5lm_session_length_pairs(scene.session), 1);
	cr_expect_eq(mlx5lm_pair_get_str(mlx5lm_session_get_pair(scene.session, 0),
					 MLX5LM_PAIR_SOURCE, &bdf), 0);
	cr_expect_str_eq(bdf, "0000:08:00.2");
	cr_expect_eq(finish(&scene), 0, "%s", mlx5lm_error_get_message(scene.error));
	cr_expect_eq(phase_of(&scene), MLX5LM_PHASE_COMPLETED);
	expect_reason(&scene, MLX5LM_REASON_NONE);
	cr_expect_not_null(strstr(scene.events, "pre-copy switchover"), "%s", scene.events);
	cr_expect_str_eq(hook_log, "commit ");
	cr_expect_eq(number(&scene, MLX5LM_PROGRESS_DOWNTIME_MS), 66);
	cr_expect_eq(fake_calls().migrations, 0, "it does not start another one");
	expect_guest(&scene, true);
	end_attached();
}

Test(session_attach, finds_the_domain_by_its_uuid_as_well)
{
	die_in_pre_copy(NULL);
	see_job();
	attach(GUEST_UUID);
	cr_expect_eq(finish(&scene), 0);
	end_attached();
}

static void set_policy(struct scene *of)
{
	of->guest->script.converges_at_ms = 700;
	set_u64(of, MLX5LM_SESSION_DOWNTIME_LIMIT_MS, 300);
	set_u64(of, MLX5LM_SESSION_DOWNTIME_CEILING_MS, 1000);
	set_u64(of, MLX5LM_SESSION_DOWNTIME_STEPS, 2);
	set_u64(of, MLX5LM_SESSION_STALL_ITERATIONS, 1);
}

Test(session_attach, goes_on_with_the_policy)
{
	struct fake_calls calls;

	die_in_pre_copy(set_policy);
	see_hosts();
	scene.guest->script.converges_at_ms = 700;
	fake_start_job(scene.here, "guest", scene.there, guest_xml, VIR_MIGRATE_PEER2PEER);
	attach("guest");
	cr_expect_eq(finish(&scene), 0, "%s", mlx5lm_error_get_message(scene.error));
	calls = fake_calls();
	cr_assert_geq(calls.num_downtimes, 1);
	cr_expect_geq(calls.downtimes_ms[calls.num_downtimes - 1], 700);
	cr_expect_leq(calls.downtimes_ms[calls.num_downtimes - 1], 1000);
	expect_guest(&scene, true);
	end_attached();
}

Test(session_attach, can_cancel)
{
	die_in_pre_copy(NULL);
	see_hosts();
	scene.guest->script.pre_copy_polls = FOREVER;
	fake_start_job(scene.here, "guest", scene.there, guest_xml, VIR_MIGRATE_PEER2PEER);
	attach("guest");
	scene.cancel_call_in = MLX5LM_PHASE_PRE_COPY;
	cr_expect_eq(finish(&scene), -ECANCELED);
	cr_expect_str_eq(hook_log, "release ");
	expect_cancelled(&scene);
	cr_expect_eq(files_in_dir(), 0);
}

Test(session_attach, finds_a_guest_that_has_moved_in_the_meantime)
{
	struct fake_domain *moved;

	die_in_pre_copy(NULL);
	see_hosts();
	fake_kill(scene.here, "guest");
	moved = fake_domain(scene.there, "guest", GUEST_UUID, guest_xml);
	moved->reason = VIR_DOMAIN_RUNNING_MIGRATED;
	moved->completed = true;
	attach("guest");
	cr_expect_eq(finish(&scene), 0, "%s", mlx5lm_error_get_message(scene.error));
	cr_expect_str_eq(hook_log, "commit ");
	expect_guest(&scene, true);
	end_attached();
}

/* A migration that ended with its caller, or after it. */
static void expect_stayed(void)
{
	see_hosts();
	attach("guest");
	cr_expect_lt(finish(&scene), 0);
	cr_expect_eq(phase_of(&scene), MLX5LM_PHASE_FAILED);
	cr_expect_neq(mlx5lm_session_get_reason(scene.session), MLX5LM_REASON_UNKNOWN);
	cr_expect_neq(mlx5lm_session_get_reason(scene.session), MLX5LM_REASON_NONE);
	cr_expect_not_null(strstr(mlx5lm_error_get_message(scene.error), "runs on at the source"),
			   "%s", mlx5lm_error_get_message(scene.error));
	cr_expect_str_eq(hook_log, "release ");
	expect_guest(&scene, false);
	end_attached();
}

Test(session_attach, finds_a_guest_that_has_stayed)
{
	die_in_pre_copy(NULL);
	expect_stayed();
}

static void set_direct(struct scene *of)
{
	set_u64(of, MLX5LM_SESSION_CONTROL, MLX5LM_CONTROL_DIRECT);
}

Test(session_attach, finds_the_guest_of_a_direct_migration_at_the_source)
{
	die_in_pre_copy(set_direct);
	expect_stayed();
}

static void set_limit(struct scene *of)
{
	set_u64(of, MLX5LM_SESSION_DOWNTIME_LIMIT_MS, 900);
}

Test(session_attach, gives_the_downtime_limit_back_that_the_dead_one_had_raised)
{
	die_in_pre_copy(set_limit);
	see_hosts();
	scene.guest->max_downtime_ms = 900;
	attach("guest");
	cr_expect_lt(finish(&scene), 0);
	cr_expect_eq(scene.guest->max_downtime_ms, 300);
	end_attached();
}

Test(session_attach, without_a_journal_there_is_nothing_to_attach_to)
{
	see_hosts();
	cr_expect_eq(mlx5lm_session_attach(scene.ctx, dir, "guest", &scene.session, &scene.error),
		     -ENOENT);
	cr_expect_null(scene.session);
	end_scene(&scene);
}

Test(session_attach, one_that_is_never_started_leaves_the_journal_to_others)
{
	die_in_pre_copy(NULL);
	see_job();
	attach("guest");
	drop_scene(&scene);
	cr_expect_eq(files_in_dir(), 1);
	fake_reset();
	see_job();
	attach("guest");
	cr_expect_eq(finish(&scene), 0);
	end_attached();
}

Test(session_attach, a_journal_that_somebody_works_on_is_busy)
{
	struct mlx5lm_session *second = NULL;
	struct mlx5lm_ctx *ctx;

	set_scene(&scene, "t");
	cr_assert_eq(mlx5lm_ctx_new(&ctx), 0);
	scene.guest->script.pre_copy_polls = FOREVER;
	set_str(&scene, MLX5LM_SESSION_JOURNAL_DIR, dir);
	run_until(&scene, MLX5LM_PHASE_PRE_COPY);
	cr_expect_eq(mlx5lm_session_attach(ctx, dir, "guest", &second, NULL), -EBUSY);
	cr_expect_null(second);
	mlx5lm_ctx_unref(ctx);
	mlx5lm_session_cancel(scene.session);
	cr_expect_eq(finish(&scene), -ECANCELED);
	expect_cancelled(&scene);
	cr_expect_eq(files_in_dir(), 0);
}

Test(session_attach, a_journal_goes_with_the_session_that_wrote_it)
{
	set_scene(&scene, "t");
	set_str(&scene, MLX5LM_SESSION_JOURNAL_DIR, dir);
	cr_expect_eq(run(&scene), 0);
	end_attached();
}

Test(session_attach, a_journal_of_a_dead_one_forbids_a_new_session)
{
	die_in_pre_copy(NULL);
	set_scene(&scene, "t");
	set_str(&scene, MLX5LM_SESSION_JOURNAL_DIR, dir);
	cr_expect_eq(run(&scene), -EBUSY);
	cr_expect_eq(fake_calls().migrations, 0);
	cr_assert_not_null(scene.error);
	cr_expect_not_null(strstr(mlx5lm_error_get_remedy(scene.error), "attach"), "%s",
			   mlx5lm_error_get_remedy(scene.error));
	cr_expect_eq(files_in_dir(), 1, "it is not this one's to remove");
	end_scene(&scene);
}

static void expect_refused(int result)
{
	see_hosts();
	cr_expect_eq(mlx5lm_session_attach(scene.ctx, dir, GUEST_UUID, &scene.session,
					   &scene.error), result);
	cr_expect_null(scene.session);
	cr_expect_not_null(mlx5lm_error_get_message(scene.error));
	end_scene(&scene);
}

Test(session_attach, a_session_that_lost_its_daemon_leaves_the_journal_to_the_next)
{
	set_scene(&scene, "t");
	scene.guest->script.pre_copy_polls = FOREVER;
	set_str(&scene, MLX5LM_SESSION_JOURNAL_DIR, dir);
	set_u64(&scene, MLX5LM_SESSION_ANSWER_DEADLINE_MS, 1000);
	make_session(&scene);
	mlx5lm_session_set_hook(scene.session, note_hook, NULL, NULL);
	run_until(&scene, MLX5LM_PHASE_PRE_COPY);
	fake_hang(scene.here, FAKE_CALL_JOB);
	cr_expect_lt(finish(&scene), 0);
	cr_expect_str_eq(hook_log, "prepare ", "nobody knows whether it may be released");
	drop_scene(&scene);
	cr_expect_eq(files_in_dir(), 1);
	fake_let_go();
	fake_restart(scene.here);
	while (fake_calls().open_objects)
		usleep(1000);
	fake_reset();
	hook_log[0] = '\0';
	expect_stayed();
}

Test(session_attach, a_damaged_journal_is_refused)
{
	die_in_pre_copy(NULL);
	cr_assert_eq(truncate(journal, 40), 0);
	expect_refused(-EBADMSG);
}

Test(session_attach, a_journal_that_others_may_have_written_is_refused)
{
	die_in_pre_copy(NULL);
	cr_assert_eq(chmod(journal, 0666), 0);
	expect_refused(-EPERM);
}

Test(session_attach, a_directory_that_is_not_there_ends_it_before_anything_is_started)
{
	set_scene(&scene, "t");
	set_str(&scene, MLX5LM_SESSION_JOURNAL_DIR, "/nowhere/at/all");
	cr_expect_eq(run(&scene), -ENOENT);
	cr_expect_eq(fake_calls().migrations, 0);
	expect_guest(&scene, false);
	end_scene(&scene);
}

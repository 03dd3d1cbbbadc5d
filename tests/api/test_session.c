// SPDX-License-Identifier: LGPL-2.1-or-later
#include <mlx5lm/mlx5lm.h>

#include <criterion/criterion.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "base/error.h"
#include "support/fake_libvirt.h"
#include "support/hosts.h"

#define UUID "6f0e4bb1-6d3a-4b7a-9c6c-0a4a5a1f0001"

static const char guest_xml[] =
	"<domain type='kvm' id='1'>\n  <name>guest</name>\n  <uuid>" UUID "</uuid>\n"
	"  <devices>\n    <hostdev mode='subsystem' type='pci' managed='no'>\n"
	"      <driver name='vfio'/>\n      <source>\n"
	"        <address domain='0x0000' bus='0x08' slot='0x00' function='0x2'/>\n"
	"      </source>\n      <address type='pci' domain='0x0000' bus='0x06' slot='0x00' "
	"function='0x0'/>\n    </hostdev>\n  </devices>\n</domain>\n";

/* Two daemons, a guest with VF 0 at the first one, and a session that is about to move it. */
struct scene {
	char source_uri[32], destination_uri[32];
	struct fake_daemon *here, *there;
	struct fake_domain *guest;
	struct mlx5lm_host *source, *destination;
	struct mlx5lm_ctx *ctx;
	struct mlx5lm_session_options *options;
	struct mlx5lm_session *session;
	struct mlx5lm_error *error;
	char events[1024]; /* names of phases and events as they came */
	uint64_t last_percent;
	enum mlx5lm_phase cancel_in; /* by the callback's return */
	enum mlx5lm_phase cancel_call_in; /* by mlx5lm_session_cancel() */
	int reentry;
	int destroyed;
	pthread_t thread; /* that the callback must run on */
};

static void set_scene(struct scene *scene, const char *name)
{
	char uuid[40];

	*scene = (struct scene){ .thread = pthread_self() };
	snprintf(scene->source_uri, sizeof(scene->source_uri), "fake://%s-a", name);
	snprintf(scene->destination_uri, sizeof(scene->destination_uri), "fake://%s-b", name);
	snprintf(uuid, sizeof(uuid), "host-%s-a", name);
	scene->here = fake_daemon(scene->source_uri, uuid);
	snprintf(uuid, sizeof(uuid), "host-%s-b", name);
	scene->there = fake_daemon(scene->destination_uri, uuid);
	scene->guest = fake_domain(scene->here, "guest", UUID, guest_xml);
	scene->guest->script = (struct fake_script){
		.setup_polls = 1,
		.pre_copy_polls = 3,
		.switchover_polls = 2,
		.code = VIR_ERR_OPERATION_FAILED,
		.message = "migration failed: words of libvirt",
	};
	scene->source = ready_host("a", 2);
	scene->destination = ready_host("b", 4);
	cr_assert_eq(mlx5lm_ctx_new(&scene->ctx), 0);
	cr_assert_eq(mlx5lm_session_options_new(&scene->options), 0);
	cr_assert_eq(mlx5lm_session_options_set_domain(scene->options, "guest"), 0);
	cr_assert_eq(mlx5lm_session_options_set_source_uri(scene->options, scene->source_uri), 0);
	cr_assert_eq(mlx5lm_session_options_set_destination_uri(scene->options,
								scene->destination_uri), 0);
	cr_assert_eq(mlx5lm_session_options_set_hosts(scene->options, scene->source,
						      scene->destination), 0);
	cr_assert_eq(mlx5lm_session_options_set_interval_ms(scene->options, 50), 0);
}

static int note_event(const struct mlx5lm_progress *progress, void *userdata)
{
	struct scene *scene = userdata;
	enum mlx5lm_event event = mlx5lm_progress_get_event(progress);
	enum mlx5lm_phase phase = mlx5lm_progress_get_phase(progress);
	size_t length = strlen(scene->events);
	uint64_t percent = 0;

	cr_expect(pthread_equal(scene->thread, pthread_self()), "callback on another thread");
	cr_expect_eq(mlx5lm_progress_get_u64(progress, MLX5LM_PROGRESS_PERCENT, &percent), 0);
	cr_expect_geq(percent, scene->last_percent);
	cr_expect_leq(percent, 100);
	scene->last_percent = percent;
	/* Too short to be seen each time. */
	if (phase != MLX5LM_PHASE_RESUME &&
	    (event == MLX5LM_EVENT_PHASE || event == MLX5LM_EVENT_DONE))
		snprintf(scene->events + length, sizeof(scene->events) - length, "%s%s ",
			 event == MLX5LM_EVENT_DONE ? "done:" : "", mlx5lm_phase_str(phase));
	scene->reentry = mlx5lm_session_dispatch(scene->session, NULL);
	cr_expect_eq(mlx5lm_session_run(scene->session, NULL), -EBUSY);
	cr_expect_eq(mlx5lm_session_start(scene->session, NULL), -EBUSY);
	cr_expect_eq(mlx5lm_session_get_result(scene->session, NULL), -EBUSY);
	if (scene->cancel_call_in && phase == scene->cancel_call_in)
		cr_expect_eq(mlx5lm_session_cancel(scene->session), 0);
	return scene->cancel_in && phase == scene->cancel_in ? -1 : 0;
}

static void count_destroy(void *userdata)
{
	((struct scene *)userdata)->destroyed++;
}

static void make_session(struct scene *scene)
{
	cr_assert_eq(mlx5lm_session_new(scene->ctx, scene->options, &scene->session, NULL), 0);
	/* The session has what it needs. */
	mlx5lm_session_options_free(scene->options);
	mlx5lm_host_free(scene->source);
	mlx5lm_host_free(scene->destination);
	mlx5lm_ctx_unref(scene->ctx);
	cr_assert_eq(mlx5lm_session_set_progress(scene->session, note_event, scene, count_destroy),
		     0);
}

static int run(struct scene *scene)
{
	make_session(scene);
	return mlx5lm_session_run(scene->session, &scene->error);
}

static enum mlx5lm_phase phase_of(const struct scene *scene)
{
	return mlx5lm_progress_get_phase(mlx5lm_session_get_progress(scene->session));
}

/* Releases everything and sees that nothing of libvirt is left open. */
static void end_scene(struct scene *scene)
{
	struct fake_calls calls;

	scene->session = mlx5lm_session_unref(scene->session);
	mlx5lm_error_free(scene->error);
	calls = fake_calls();
	cr_expect_eq(calls.open_objects, 0, "%d objects of libvirt leaked", calls.open_objects);
	cr_expect_eq(calls.loud_errors, 0, "libvirt would have printed");
	cr_expect_eq(scene->destroyed, 1);
}

static void expect_guest(const struct scene *scene, bool moved)
{
	const struct fake_domain *here = fake_find(scene->here, "guest");
	const struct fake_domain *there = fake_find(scene->there, "guest");

	cr_expect_eq(there != NULL, moved);
	cr_expect_eq(here && here->state == VIR_DOMAIN_RUNNING, !moved);
}

static void expect_error(const struct scene *scene, enum mlx5lm_error_code code, const char *words)
{
	const char *message = mlx5lm_error_get_message(scene->error);

	cr_assert_not_null(scene->error);
	cr_expect_eq(mlx5lm_error_get_code(scene->error), code, "%s: %s",
		     mlx5lm_error_code_str(mlx5lm_error_get_code(scene->error)), message);
	cr_expect_not_null(strstr(message, words), "'%s' lacks '%s'", message, words);
}

static void each(void)
{
	fake_reset();
}

TestSuite(session, .init = each, .fini = fake_reset, .timeout = 60);

Test(session, moves_the_guest_and_tells_every_phase_in_order)
{
	struct scene scene;
	uint64_t value = 0;

	set_scene(&scene, "s");
	cr_expect_eq(run(&scene), 0, "%s", mlx5lm_error_get_message(scene.error));
	cr_expect_str_eq(scene.events, "preflight prepare setup pre-copy switchover verify "
				       "clean-up done:completed ");
	expect_guest(&scene, true);
	cr_expect_eq(scene.last_percent, 100);
	cr_expect_eq(scene.reentry, -EBUSY);
	cr_expect_eq(mlx5lm_progress_get_u64(mlx5lm_session_get_progress(scene.session),
					     MLX5LM_PROGRESS_DOWNTIME_MS, &value), 0);
	cr_expect_eq(value, 66, "the downtime without the clocks' difference");
	cr_expect_eq(mlx5lm_progress_get_u64(mlx5lm_session_get_progress(scene.session),
					     MLX5LM_PROGRESS_VFIO_TRANSFERRED_BYTES, &value), 0);
	cr_expect_eq(value, 4096);
	cr_expect_eq(mlx5lm_session_dispatch(scene.session, NULL), 0);
	cr_expect_eq(mlx5lm_session_get_result(scene.session, NULL), 0);
	end_scene(&scene);
}

Test(session, passes_both_xmls_with_the_wanted_vf_and_never_post_copy)
{
	struct scene scene;
	struct fake_calls calls;

	set_scene(&scene, "s");
	cr_assert_eq(mlx5lm_session_options_set_vf(scene.options, "08:00.2", "0000:08:00.5"), 0);
	cr_assert_eq(mlx5lm_session_options_set_bandwidth_mib_per_s(scene.options, 77), 0);
	cr_assert_eq(mlx5lm_session_options_set_data_uri(scene.options, "tcp://10.0.0.2"), 0);
	cr_expect_eq(run(&scene), 0);
	calls = fake_calls();
	cr_expect_eq(calls.flags, VIR_MIGRATE_LIVE | VIR_MIGRATE_PEER2PEER,
		     "a transient domain stays transient");
	cr_expect_not_null(strstr(calls.destination_xml, "slot='0x00' function='0x5'"));
	cr_expect_str_eq(calls.destination_xml, calls.persistent_xml);
	cr_expect_eq(calls.bandwidth, 77);
	cr_expect_str_eq(calls.data_uri, "tcp://10.0.0.2");
	end_scene(&scene);
}

Test(session, the_destination_is_told_of_the_driver_that_it_would_not_choose)
{
	static const char device[] = "<hostdev mode='subsystem' type='pci' managed='no'>\n"
				     "      <driver name='vfio'/>";
	_cleanup_free_ char *xml = NULL;
	const char *at = strstr(guest_xml, device);
	struct scene scene;
	struct fake_calls calls;

	cr_assert_not_null(at);
	xml = str_printf("%.*s<hostdev mode='subsystem' type='pci' managed='yes'>\n"
			 "      <driver name='vfio' model='vfio-pci'/>%s", (int)(at - guest_xml),
			 guest_xml, at + strlen(device));
	set_scene(&scene, "d");
	set_text(&scene.guest->xml, xml);
	cr_expect_eq(run(&scene), 0);
	calls = fake_calls();
	cr_expect_not_null(strstr(calls.destination_xml, "managed='yes'"));
	cr_expect_not_null(strstr(calls.destination_xml,
				  "<driver name='vfio' model='mlx5_vfio_pci'/>"));
	cr_expect_null(strstr(calls.destination_xml, "vfio-pci"));
	end_scene(&scene);
}

Test(session, takes_a_persistent_definition_along_unless_told_not_to)
{
	for (int persistent = 0; persistent <= 1; persistent++) {
		unsigned int flags = VIR_MIGRATE_PERSIST_DEST | VIR_MIGRATE_UNDEFINE_SOURCE;
		struct scene scene;

		fake_reset();
		set_scene(&scene, "s");
		scene.guest->persistent = true;
		mlx5lm_session_options_set_persistent(scene.options, persistent);
		cr_expect_eq(run(&scene), 0);
		cr_expect_eq(fake_calls().flags & flags, persistent ? flags : 0);
		cr_expect_eq(fake_find(scene.here, "guest") == NULL, persistent);
		end_scene(&scene);
	}
}

Test(session, without_a_daemon_fails_before_anything_is_started)
{
	struct scene scene;

	set_scene(&scene, "s");
	fake_refuse(scene.there);
	cr_expect_lt(run(&scene), 0);
	expect_error(&scene, MLX5LM_ERROR_CONNECT, scene.destination_uri);
	cr_expect_not_null(mlx5lm_error_get_detail(scene.error));
	cr_expect_not_null(mlx5lm_error_get_remedy(scene.error));
	cr_expect_eq(fake_calls().migrations, 0);
	cr_expect_str_eq(scene.events, "preflight clean-up done:failed ");
	end_scene(&scene);
}

Test(session, refuses_a_wrong_destination_vf_by_name_before_any_migration)
{
	struct scene scene;

	set_scene(&scene, "s");
	cr_assert_eq(mlx5lm_session_options_set_vf(scene.options, "0000:08:00.2", "0000:08:01.7"),
		     0);
	cr_expect_eq(run(&scene), -ENODEV);
	expect_error(&scene, MLX5LM_ERROR_VF, "0000:08:01.7");
	cr_expect_eq(fake_calls().migrations, 0);
	expect_guest(&scene, false);
	end_scene(&scene);
}

Test(session, refuses_a_host_with_other_firmware_before_any_migration)
{
	struct scene scene;

	set_scene(&scene, "s");
	set_text(&scene.destination->pfs[0].fw_running, "28.43.1014");
	cr_expect_lt(run(&scene), 0);
	expect_error(&scene, MLX5LM_ERROR_INCOMPATIBLE, "28.43.1014");
	cr_expect_eq(fake_calls().migrations, 0);
	end_scene(&scene);
}

Test(session, refuses_a_vf_that_was_taken_since_the_snapshot)
{
	struct scene scene;
	struct fake_domain *other;

	set_scene(&scene, "s");
	other = fake_domain(scene.there, "other", "00000000-0000-4000-8000-000000000002",
			    guest_xml);
	cr_assert_not_null(other);
	cr_expect_eq(run(&scene), -EBUSY);
	expect_error(&scene, MLX5LM_ERROR_VF, "domain other uses it");
	cr_expect_eq(fake_calls().migrations, 0);
	end_scene(&scene);
}

Test(session, refuses_a_paused_domain_an_unknown_one_and_the_same_host)
{
	struct scene scene;

	set_scene(&scene, "s");
	scene.guest->state = VIR_DOMAIN_PAUSED;
	cr_expect_lt(run(&scene), 0);
	expect_error(&scene, MLX5LM_ERROR_DOMAIN, "not running");
	end_scene(&scene);

	fake_reset();
	set_scene(&scene, "s");
	cr_assert_eq(mlx5lm_session_options_set_domain(scene.options, "nobody"), 0);
	cr_expect_eq(run(&scene), -ENOENT);
	expect_error(&scene, MLX5LM_ERROR_NOT_FOUND, "nobody");
	end_scene(&scene);

	fake_reset();
	set_scene(&scene, "s");
	cr_assert_eq(mlx5lm_session_options_set_destination_uri(scene.options, scene.source_uri),
		     0);
	cr_expect_lt(run(&scene), 0);
	expect_error(&scene, MLX5LM_ERROR_INCOMPATIBLE, "same host");
	cr_expect_eq(fake_calls().migrations, 0);
	end_scene(&scene);
}

Test(session, tells_libvirts_words_and_where_the_domain_is_when_migration_fails)
{
	struct scene scene;

	set_scene(&scene, "s");
	scene.guest->script.end = FAKE_FAILS;
	cr_expect_eq(run(&scene), -EIO);
	cr_expect_eq(phase_of(&scene), MLX5LM_PHASE_FAILED);
	expect_error(&scene, MLX5LM_ERROR_MIGRATION, "runs on at the source");
	cr_expect_str_eq(mlx5lm_error_get_detail(scene.error),
			 "migration failed: words of libvirt");
	expect_guest(&scene, false);
	end_scene(&scene);
}

/* A migration with an odd end: its final phase and, unless completed, words of its error. */
static void expect_end(enum fake_end end, enum mlx5lm_error_code code, const char *words)
{
	struct scene scene;

	set_scene(&scene, "s");
	scene.guest->script.end = end;
	cr_assert_eq(mlx5lm_session_options_set_vf(scene.options, "0000:08:00.2", "0000:08:00.4"),
		     0);
	cr_expect_eq(run(&scene) == 0, code == MLX5LM_ERROR_UNKNOWN);
	cr_expect_eq(phase_of(&scene),
		     code ? MLX5LM_PHASE_FAILED : MLX5LM_PHASE_COMPLETED);
	if (code)
		expect_error(&scene, code, words);
	end_scene(&scene);
}

Test(session, completes_when_the_domain_has_moved_although_the_call_failed)
{
	expect_end(FAKE_MOVES_BUT_FAILS, MLX5LM_ERROR_UNKNOWN, NULL);
}

Test(session, completes_when_the_source_daemon_dies_after_success)
{
	expect_end(FAKE_SOURCE_DIES, MLX5LM_ERROR_UNKNOWN, NULL);
}

Test(session, fails_when_the_domain_has_stayed_although_the_call_succeeded)
{
	expect_end(FAKE_STAYS_BUT_SUCCEEDS, MLX5LM_ERROR_VERIFY_FAILED, "runs on at the source");
}

Test(session, fails_when_the_domain_has_moved_without_its_vf)
{
	expect_end(FAKE_LOSES_VF, MLX5LM_ERROR_VERIFY_FAILED, "without the VF 0000:08:00.4");
}

Test(session, names_a_split_brain)
{
	expect_end(FAKE_BOTH_RUN, MLX5LM_ERROR_MIGRATION,
		   "running at the source and running at the destination");
}

Test(session, tells_of_a_source_that_was_left_paused)
{
	expect_end(FAKE_SOURCE_PAUSED, MLX5LM_ERROR_MIGRATION,
		   "paused at the source and not there at the destination");
}

Test(session, tells_of_a_destination_that_answers_no_more)
{
	expect_end(FAKE_DESTINATION_DIES, MLX5LM_ERROR_MIGRATION,
		   "running at the source and in an unknown state at the destination");
}

static void expect_cancelled(struct scene *scene)
{
	cr_expect_eq(phase_of(scene), MLX5LM_PHASE_CANCELLED);
	expect_error(scene, MLX5LM_ERROR_CANCELLED, "cancelled");
	expect_guest(scene, false);
	end_scene(scene);
}

Test(session, cancelled_before_the_start_makes_no_libvirt_call)
{
	struct scene scene;

	set_scene(&scene, "s");
	make_session(&scene);
	cr_expect_eq(mlx5lm_session_cancel(scene.session), 0);
	cr_expect_eq(mlx5lm_session_run(scene.session, &scene.error), -ECANCELED);
	cr_expect_eq(fake_calls().connects, 0);
	expect_cancelled(&scene);
}

static void *cancel_soon(void *argument)
{
	struct scene *scene = argument;

	usleep(20000);
	mlx5lm_session_cancel(scene->session);
	fake_let_go();
	return NULL;
}

Test(session, cancelled_during_preflight_starts_nothing)
{
	struct scene scene;
	pthread_t thread;

	set_scene(&scene, "s");
	fake_hold_connect(scene.there);
	make_session(&scene);
	cr_assert_eq(pthread_create(&thread, NULL, cancel_soon, &scene), 0);
	cr_expect_eq(mlx5lm_session_run(scene.session, &scene.error), -ECANCELED);
	pthread_join(thread, NULL);
	cr_expect_eq(fake_calls().migrations, 0);
	expect_cancelled(&scene);
}

Test(session, cancelled_while_it_copies_aborts_the_job_until_libvirt_has_it)
{
	static const enum mlx5lm_phase phases[] = { MLX5LM_PHASE_SETUP, MLX5LM_PHASE_PRE_COPY };

	for (size_t i = 0; i < 2; i++) {
		struct scene scene;

		fake_reset();
		set_scene(&scene, "s");
		scene.guest->script.refused_aborts = 2;
		scene.guest->script.pre_copy_polls = 1000;
		scene.cancel_call_in = phases[i];
		cr_expect_eq(run(&scene), -ECANCELED);
		cr_expect_geq(fake_calls().aborts, 3);
		expect_cancelled(&scene);
	}
}

Test(session, a_negative_return_of_the_callback_cancels)
{
	struct scene scene;

	set_scene(&scene, "s");
	scene.guest->script.pre_copy_polls = 1000;
	scene.cancel_in = MLX5LM_PHASE_PRE_COPY;
	cr_expect_eq(run(&scene), -ECANCELED);
	cr_expect_str_eq(scene.events, "preflight prepare setup pre-copy verify clean-up "
				       "done:cancelled ");
	expect_cancelled(&scene);
}

Test(session, cancelled_after_the_switchover_completes)
{
	static const enum mlx5lm_phase phases[] = { MLX5LM_PHASE_SWITCHOVER, MLX5LM_PHASE_VERIFY,
						    MLX5LM_PHASE_CLEAN_UP };

	for (size_t i = 0; i < 3; i++) {
		struct scene scene;

		fake_reset();
		set_scene(&scene, "s");
		scene.cancel_call_in = phases[i];
		cr_expect_eq(run(&scene), 0);
		cr_expect_eq(phase_of(&scene), MLX5LM_PHASE_COMPLETED);
		expect_guest(&scene, true);
		end_scene(&scene);
	}
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static atomic_ullong cancelled_at_ms;

static void *cancel_later(void *argument)
{
	usleep(300000);
	atomic_store(&cancelled_at_ms, now_ms());
	mlx5lm_session_cancel(argument);
	return NULL;
}

Test(session, cancel_from_another_thread_ends_a_long_interval_at_once)
{
	struct scene scene;
	pthread_t thread;
	uint64_t took_ms;

	set_scene(&scene, "s");
	scene.guest->script.pre_copy_polls = 1000;
	mlx5lm_session_options_set_interval_ms(scene.options, 60000);
	make_session(&scene);
	cr_assert_eq(pthread_create(&thread, NULL, cancel_later, scene.session), 0);
	cr_expect_eq(mlx5lm_session_run(scene.session, &scene.error), -ECANCELED);
	took_ms = now_ms() - atomic_load(&cancelled_at_ms);
	pthread_join(thread, NULL);
	/* 50 ms is the promise; a loaded machine gets ten times as much. */
	cr_expect_lt(took_ms, 500, "took %llu ms", (unsigned long long)took_ms);
	expect_cancelled(&scene);
}

Test(session, a_deadline_cancels_and_is_named)
{
	struct scene scene;

	set_scene(&scene, "s");
	scene.guest->script.pre_copy_polls = 100000;
	mlx5lm_session_options_set_total_deadline_ms(scene.options, 300);
	cr_expect_eq(run(&scene), -ETIMEDOUT);
	cr_expect_eq(phase_of(&scene), MLX5LM_PHASE_FAILED);
	expect_error(&scene, MLX5LM_ERROR_TIMEOUT, "300 ms");
	expect_error(&scene, MLX5LM_ERROR_TIMEOUT, "runs on at the source");
	expect_guest(&scene, false);
	end_scene(&scene);
}

Test(session, gives_the_downtime_limit_back_after_a_failure)
{
	struct scene scene;

	set_scene(&scene, "s");
	scene.guest->script.pre_copy_polls = 1000;
	scene.cancel_in = MLX5LM_PHASE_PRE_COPY;
	mlx5lm_session_options_set_downtime_limit_ms(scene.options, 5000);
	cr_expect_eq(run(&scene), -ECANCELED);
	cr_expect_eq(scene.guest->max_downtime_ms, 300);
	expect_cancelled(&scene);
}

Test(session, the_last_unref_of_a_running_session_cancels_and_waits)
{
	struct scene scene;

	set_scene(&scene, "s");
	scene.guest->script.pre_copy_polls = 1000;
	make_session(&scene);
	cr_expect_eq(mlx5lm_session_start(scene.session, NULL), 0);
	while (phase_of(&scene) != MLX5LM_PHASE_PRE_COPY)
		cr_assert_eq(mlx5lm_session_dispatch(scene.session, NULL), 1);
	end_scene(&scene);
	expect_guest(&scene, false);
	cr_expect_geq(fake_calls().aborts, 1);
}

Test(session, unref_without_any_dispatch_cancels_too)
{
	struct scene scene;

	set_scene(&scene, "s");
	scene.guest->script.pre_copy_polls = 1000;
	make_session(&scene);
	cr_expect_eq(mlx5lm_session_start(scene.session, NULL), 0);
	while (fake_calls().migrations == 0)
		usleep(1000);
	end_scene(&scene);
	expect_guest(&scene, false);
}

Test(session, unref_of_a_session_that_was_never_started_is_quiet)
{
	struct scene scene;

	set_scene(&scene, "s");
	make_session(&scene);
	cr_expect_eq(mlx5lm_session_get_result(scene.session, NULL), -EINPROGRESS);
	cr_expect_eq(mlx5lm_session_dispatch(scene.session, NULL), -EINVAL);
	end_scene(&scene);
	cr_expect_eq(fake_calls().connects, 0);
}

Test(session, its_fd_is_readable_only_when_something_is_due)
{
	struct scene scene;
	struct pollfd fd;
	int wakeups = 0;

	set_scene(&scene, "s");
	scene.guest->script.pre_copy_polls = 1000;
	mlx5lm_session_options_set_interval_ms(scene.options, 200);
	make_session(&scene);
	fd = (struct pollfd){ .fd = mlx5lm_session_get_fd(scene.session), .events = POLLIN };
	cr_expect_eq(poll(&fd, 1, 0), 0, "not before the start");
	cr_expect_eq(mlx5lm_session_start(scene.session, NULL), 0);
	for (uint64_t end = now_ms() + 1000; now_ms() < end; wakeups++) {
		poll(&fd, 1, 1000);
		cr_assert_eq(mlx5lm_session_dispatch(scene.session, NULL), 1);
	}
	/* 5 or 6 samples and 3 stages; a busy loop would make thousands. */
	cr_expect_leq(wakeups, 12);
	cr_expect_geq(wakeups, 4);
	mlx5lm_session_cancel(scene.session);
	cr_expect_eq(mlx5lm_session_run(scene.session, &scene.error), -ECANCELED);
	cr_expect_eq(poll(&fd, 1, 0), 0, "not after the end");
	expect_cancelled(&scene);
}

static atomic_int signalled_on_caller;
static pthread_t caller;

static void note_signal(int number)
{
	(void)number;
	atomic_store(&signalled_on_caller, pthread_equal(pthread_self(), caller) ? 1 : -1);
}

Test(session, leaves_the_host_programs_signals_to_its_own_threads)
{
	struct sigaction action = { .sa_handler = note_signal };
	struct scene scene;

	caller = pthread_self();
	sigaction(SIGUSR1, &action, NULL);
	set_scene(&scene, "s");
	scene.guest->script.pre_copy_polls = 1000;
	make_session(&scene);
	cr_expect_eq(mlx5lm_session_start(scene.session, NULL), 0);
	/* Blocked here, a signal of the process goes to any other thread that lets it through. */
	sigset_t set, before;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, &before);
	kill(getpid(), SIGUSR1);
	usleep(50000);
	cr_expect_eq(atomic_load(&signalled_on_caller), 0);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	cr_expect_eq(atomic_load(&signalled_on_caller), 1);
	mlx5lm_session_cancel(scene.session);
	mlx5lm_session_run(scene.session, &scene.error);
	expect_cancelled(&scene);
}

static void *run_a_few(void *argument)
{
	struct scene *scene = argument;

	scene->thread = pthread_self();
	scene->session = NULL;
	return (void *)(intptr_t)run(scene);
}

Test(session, several_run_at_once_in_threads_of_their_own)
{
	static struct scene scenes[4];
	pthread_t threads[4];
	char name[8];

	for (size_t i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "s%zu", i);
		set_scene(&scenes[i], name);
		if (i == 3) {
			scenes[i].cancel_in = MLX5LM_PHASE_PRE_COPY;
			scenes[i].guest->script.pre_copy_polls = 1000;
		}
	}
	for (size_t i = 0; i < 4; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, run_a_few, &scenes[i]), 0);
	for (size_t i = 0; i < 4; i++) {
		void *result;

		pthread_join(threads[i], &result);
		cr_expect_eq((intptr_t)result, i == 3 ? -ECANCELED : 0);
		expect_guest(&scenes[i], i != 3);
		mlx5lm_session_unref(scenes[i].session);
		mlx5lm_error_free(scenes[i].error);
	}
	cr_expect_eq(fake_calls().open_objects, 0);
}

Test(session, needs_a_domain_a_destination_and_both_hosts)
{
	struct mlx5lm_session_options *options;
	struct mlx5lm_session *session = NULL;
	struct mlx5lm_host *host = ready_host("a", 1);
	struct mlx5lm_ctx *ctx;

	cr_assert_eq(mlx5lm_ctx_new(&ctx), 0);
	cr_assert_eq(mlx5lm_session_options_new(&options), 0);
	cr_expect_eq(mlx5lm_session_new(ctx, options, &session, NULL), -EINVAL);
	mlx5lm_session_options_set_domain(options, "guest");
	cr_expect_eq(mlx5lm_session_new(ctx, options, &session, NULL), -EINVAL);
	mlx5lm_session_options_set_destination_uri(options, "fake://b");
	cr_expect_eq(mlx5lm_session_new(ctx, options, &session, NULL), -EINVAL);
	mlx5lm_session_options_set_hosts(options, host, host);
	cr_expect_eq(mlx5lm_session_new(ctx, NULL, &session, NULL), -EINVAL);
	cr_expect_null(session);
	cr_expect_eq(mlx5lm_session_new(ctx, options, &session, NULL), 0);
	mlx5lm_session_unref(session);
	mlx5lm_session_options_free(options);
	mlx5lm_host_free(host);
	mlx5lm_ctx_unref(ctx);
}

Test(session, options_refuse_what_cannot_be)
{
	struct mlx5lm_session_options *options;

	cr_assert_eq(mlx5lm_session_options_new(&options), 0);
	cr_expect_eq(mlx5lm_session_options_set_domain(options, ""), -EINVAL);
	cr_expect_eq(mlx5lm_session_options_set_domain(NULL, "a"), -EINVAL);
	cr_expect_eq(mlx5lm_session_options_set_source_uri(options, NULL), -EINVAL);
	cr_expect_eq(mlx5lm_session_options_set_vf(options, "8.2", "08:00.3"), -EINVAL);
	cr_expect_eq(mlx5lm_session_options_set_vf(options, "08:00.2", "08:00.3"), 0);
	cr_expect_eq(mlx5lm_session_options_set_vf(options, "0000:08:00.2", "08:00.4"), -EEXIST);
	cr_expect_eq(mlx5lm_session_options_set_vf(options, "08:00.4", "0000:08:00.3"), -EEXIST);
	cr_expect_eq(mlx5lm_session_options_set_downtime_limit_ms(options, 0), -EINVAL);
	cr_expect_eq(mlx5lm_session_options_set_downtime_limit_ms(options, 2000001), -EINVAL);
	cr_expect_eq(mlx5lm_session_options_set_interval_ms(options, 49), -EINVAL);
	cr_expect_eq(mlx5lm_session_options_set_interval_ms(options, 60001), -EINVAL);
	cr_expect_eq(mlx5lm_session_options_set_persistent(options, 2), -EINVAL);
	cr_expect_eq(mlx5lm_session_options_set_bandwidth_mib_per_s(options, UINT64_MAX), -EINVAL);
	cr_expect_eq(mlx5lm_session_options_set_total_deadline_ms(options, UINT64_MAX), -EINVAL);
	mlx5lm_session_options_free(options);
}

Test(session, null_is_an_error_and_never_a_crash)
{
	cr_expect_eq(mlx5lm_session_run(NULL, NULL), -EINVAL);
	cr_expect_eq(mlx5lm_session_start(NULL, NULL), -EINVAL);
	cr_expect_eq(mlx5lm_session_cancel(NULL), -EINVAL);
	cr_expect_eq(mlx5lm_session_get_fd(NULL), -EINVAL);
	cr_expect_eq(mlx5lm_session_get_result(NULL, NULL), -EINVAL);
	cr_expect_null(mlx5lm_session_unref(NULL));
	cr_expect_null(mlx5lm_session_get_progress(NULL));
	cr_expect_eq(mlx5lm_progress_get_phase(NULL), MLX5LM_PHASE_UNKNOWN);
	cr_expect_eq(mlx5lm_progress_get_u64(NULL, MLX5LM_PROGRESS_PERCENT, NULL), -EINVAL);
}

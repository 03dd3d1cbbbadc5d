// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/session_scene.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/str.h"
#include "base/cleanup.h"

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
	set_u64(&scene, MLX5LM_SESSION_BANDWIDTH_MIB_PER_S, 77);
	set_str(&scene, MLX5LM_SESSION_DATA_URI, "tcp://10.0.0.2");
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
		set_u64(&scene, MLX5LM_SESSION_PERSISTENT, persistent);
		cr_expect_eq(run(&scene), 0);
		cr_expect_eq(fake_calls().flags & flags, persistent ? flags : 0);
		cr_expect_eq(fake_find(scene.here, "guest") == NULL, persistent);
		end_scene(&scene);
	}
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
	set_u64(&scene, MLX5LM_SESSION_INTERVAL_MS, 200);
	make_session(&scene);
	fd = (struct pollfd){ .fd = mlx5lm_session_get_fd(scene.session), .events = POLLIN };
	cr_expect_eq(poll(&fd, 1, 0), 0, "not before the start");
	cr_expect_eq(mlx5lm_session_start(scene.session, NULL), 0);
	for (uint64_t end = now_ms() + 1000; now_ms() < end; wakeups++) {
		poll(&fd, 1, 1000);
		cr_assert_eq(mlx5lm_session_dispatch(scene.session, NULL), 1);
	}
	/* 5 or 6 samples and 3 stages; a busy loop would make thousands. */
	cr_expect_leq(wakeups, 16);
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
		drop_scene(&scenes[i]);
	}
	cr_expect_eq(fake_calls().open_objects, 0);
}

Test(session, of_a_domain_without_vfs_needs_no_snapshots)
{
	struct scene scene;

	set_scene(&scene, "p");
	set_plain(&scene);
	cr_expect_eq(run(&scene), 0, "%s", mlx5lm_error_get_message(scene.error));
	expect_reason(&scene, MLX5LM_REASON_NONE);
	expect_guest(&scene, true);
	cr_expect_null(mlx5lm_session_get_comparison(scene.session));
	cr_expect_eq(mlx5lm_session_length_pairs(scene.session), 0);
	cr_expect_eq(number(&scene, MLX5LM_PROGRESS_VFS), 0);
	end_scene(&scene);
}

Test(session, of_a_domain_with_a_vf_needs_them)
{
	struct scene scene;

	set_scene(&scene, "p");
	set_plain(&scene);
	set_text(&scene.guest->xml, guest_xml);
	cr_expect_eq(run(&scene), -EINVAL);
	expect_error(&scene, MLX5LM_ERROR_INVALID_ARGUMENT, "snapshots");
	cr_expect_eq(fake_calls().migrations, 0);
	end_scene(&scene);
}

Test(session, tells_what_moves_where)
{
	const struct mlx5lm_pair *pair;
	const char *bdf = NULL;
	struct scene scene;

	set_scene(&scene, "s");
	cr_assert_eq(mlx5lm_session_options_set_vf(scene.options, "08:00.2", "0000:08:00.4"), 0);
	cr_expect_eq(run(&scene), 0);
	cr_expect_not_null(mlx5lm_session_get_comparison(scene.session));
	cr_assert_eq(mlx5lm_session_length_pairs(scene.session), 1);
	pair = mlx5lm_session_get_pair(scene.session, 0);
	cr_assert_not_null(pair);
	cr_expect_eq(mlx5lm_pair_get_str(pair, MLX5LM_PAIR_SOURCE, &bdf), 0);
	cr_expect_str_eq(bdf, "0000:08:00.2");
	cr_expect_eq(mlx5lm_pair_get_str(pair, MLX5LM_PAIR_DESTINATION, &bdf), 0);
	cr_expect_str_eq(bdf, "0000:08:00.4");
	cr_expect_null(mlx5lm_session_get_pair(scene.session, 1));
	cr_expect_eq(number(&scene, MLX5LM_PROGRESS_VFS), 1);
	end_scene(&scene);
}

Test(session, tells_all_numbers_that_libvirt_has)
{
	static const struct fake_sample sample[] = { { 600 << 10, 3, 50, 2 << 20 } };
	struct scene scene;

	set_scene(&scene, "s");
	scene.guest->script.pre_copy_polls = FOREVER;
	scene.guest->script.samples = sample;
	scene.guest->script.num_samples = 1;
	scene.guest->script.vfio_bytes = 4711;
	scene.guest->script.throttle = 20;
	run_until(&scene, MLX5LM_PHASE_PRE_COPY);
	cr_expect_eq(number(&scene, MLX5LM_PROGRESS_MEMORY_TOTAL_BYTES), 1 << 20);
	cr_expect_eq(number(&scene, MLX5LM_PROGRESS_MEMORY_REMAINING_BYTES), 600 << 10);
	cr_expect_geq(number(&scene, MLX5LM_PROGRESS_MEMORY_TRANSFERRED_BYTES), (1 << 17) - 4711);
	cr_expect_geq(number(&scene, MLX5LM_PROGRESS_DATA_PROCESSED_BYTES), 1 << 17);
	cr_expect_eq(number(&scene, MLX5LM_PROGRESS_DIRTY_RATE_PAGES_PER_S), 50);
	cr_expect_eq(number(&scene, MLX5LM_PROGRESS_BANDWIDTH_BYTES_PER_S), 2 << 20);
	cr_expect_eq(number(&scene, MLX5LM_PROGRESS_VFIO_TRANSFERRED_BYTES), 4711);
	cr_expect_eq(number(&scene, MLX5LM_PROGRESS_THROTTLE_PERCENT), 20);
	/* Each second 2 MiB go and 200 KiB come anew. */
	cr_expect_gt(number(&scene, MLX5LM_PROGRESS_ETA_MS), 0);
	cr_expect_leq(number(&scene, MLX5LM_PROGRESS_ETA_IS_ESTIMATE), 1);
	cr_expect_geq(number(&scene, MLX5LM_PROGRESS_DOWNTIME_FORECAST_MS), 1);
	mlx5lm_session_cancel(scene.session);
	cr_expect_eq(finish(&scene), -ECANCELED);
	expect_cancelled(&scene);
}

Test(session, moves_several_vfs_at_once)
{
	static const char hostdev[] = "<hostdev mode='subsystem' type='pci' managed='no'><source>"
				      "<address domain='0' bus='0x08' slot='0' function='3'/>"
				      "</source></hostdev>";
	static const char end[] = "  </devices>";
	const char *at = strstr(guest_xml, end);
	_cleanup_free_ char *xml = str_printf("%.*s%s%s", (int)(at - guest_xml), guest_xml, hostdev,
					      at);
	struct fake_calls calls;
	struct scene scene;

	set_scene(&scene, "s");
	set_text(&scene.guest->xml, xml);
	cr_assert_eq(mlx5lm_session_options_set_vf(scene.options, "08:00.2", "08:00.5"), 0);
	cr_assert_eq(mlx5lm_session_options_set_vf(scene.options, "08:00.3", "08:00.4"), 0);
	cr_expect_eq(run(&scene), 0, "%s", mlx5lm_error_get_message(scene.error));
	calls = fake_calls();
	cr_expect_eq(mlx5lm_session_length_pairs(scene.session), 2);
	cr_expect_not_null(strstr(calls.destination_xml, "function='0x5'"));
	cr_expect_not_null(strstr(calls.destination_xml, "function='0x4'"));
	cr_expect_eq(calls.channels, 2, "QEMU 10 sends the VFs' states side by side");
	expect_guest(&scene, true);
	end_scene(&scene);
}

Test(session, writes_down_what_it_did)
{
	struct mlx5lm_text *text = NULL;
	struct scene scene;

	set_scene(&scene, "s");
	cr_expect_eq(run(&scene), 0);
	cr_assert_eq(mlx5lm_session_serialize(scene.session, MLX5LM_FORMAT_JSON, &text), 0);
	cr_expect_not_null(strstr(mlx5lm_text_get_str(text), "0000:08:00.2"));
	cr_expect_not_null(strstr(mlx5lm_text_get_str(text), "completed"));
	mlx5lm_text_free(text);
	cr_assert_eq(mlx5lm_session_serialize(scene.session, MLX5LM_FORMAT_TEXT, &text), 0);
	cr_expect_not_null(strstr(mlx5lm_text_get_str(text), "guest"));
	mlx5lm_text_free(text);
	end_scene(&scene);
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
	cr_expect_eq(mlx5lm_session_force_switchover(NULL), -EINVAL);
	cr_expect_eq(mlx5lm_session_next_event(NULL, 0, NULL, NULL), -EINVAL);
	cr_expect_eq(mlx5lm_session_get_reason(NULL), MLX5LM_REASON_UNKNOWN);
	cr_expect_null(mlx5lm_session_get_comparison(NULL));
	cr_expect_null(mlx5lm_session_get_findings(NULL));
	cr_expect_eq(mlx5lm_session_length_pairs(NULL), 0);
	cr_expect_null(mlx5lm_session_get_pair(NULL, 0));
	cr_expect_eq(mlx5lm_session_serialize(NULL, MLX5LM_FORMAT_JSON, NULL), -EINVAL);
	cr_expect_eq(mlx5lm_session_set_hook_error(NULL, "a", NULL), -EINVAL);
	cr_expect_eq(mlx5lm_session_set_destination(NULL, NULL), -EINVAL);
	cr_expect_eq(mlx5lm_session_attach(NULL, NULL, NULL, NULL, NULL), -EINVAL);
}

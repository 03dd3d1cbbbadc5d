// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/session_scene.h"

#include <errno.h>
#include <stdio.h>

static void each(void)
{
	fake_reset();
}

TestSuite(session_control, .init = each, .fini = fake_reset, .timeout = 60);

Test(session_control, direct_migrates_over_the_callers_own_connections)
{
	struct fake_calls calls;
	struct scene scene;

	set_scene(&scene, "c");
	set_u64(&scene, MLX5LM_SESSION_CONTROL, MLX5LM_CONTROL_DIRECT);
	cr_expect_eq(run(&scene), 0, "%s", mlx5lm_error_get_message(scene.error));
	calls = fake_calls();
	cr_expect(calls.direct);
	cr_expect_eq(calls.flags, VIR_MIGRATE_LIVE);
	cr_expect_str_eq(calls.destination_xml, calls.persistent_xml);
	cr_expect_str_eq(scene.events, "preflight prepare setup pre-copy switchover verify "
				       "clean-up done:completed ");
	expect_guest(&scene, true);
	end_scene(&scene);
}

Test(session_control, direct_can_be_cancelled)
{
	struct scene scene;

	set_scene(&scene, "c");
	scene.guest->script.pre_copy_polls = FOREVER;
	set_u64(&scene, MLX5LM_SESSION_CONTROL, MLX5LM_CONTROL_DIRECT);
	scene.cancel_call_in = MLX5LM_PHASE_PRE_COPY;
	cr_expect_eq(run(&scene), -ECANCELED);
	expect_cancelled(&scene);
}

Test(session_control, all_that_is_wanted_reaches_libvirt)
{
	struct fake_calls calls;
	struct scene scene;

	set_scene(&scene, "c");
	fake_add_uri(scene.there, "fake://as-the-source-sees-it");
	set_str(&scene, MLX5LM_SESSION_PEER_URI, "fake://as-the-source-sees-it");
	set_str(&scene, MLX5LM_SESSION_DATA_URI, "tcp://10.0.0.2");
	set_str(&scene, MLX5LM_SESSION_TLS_DESTINATION, "b.example");
	set_u64(&scene, MLX5LM_SESSION_TLS, 1);
	set_u64(&scene, MLX5LM_SESSION_CHANNELS, 4);
	set_u64(&scene, MLX5LM_SESSION_BANDWIDTH_MIB_PER_S, 1000);
	set_u64(&scene, MLX5LM_SESSION_SWITCHOVER_BANDWIDTH_MIB_PER_S, 900);
	cr_expect_eq(run(&scene), 0, "%s", mlx5lm_error_get_message(scene.error));
	calls = fake_calls();
	cr_expect_eq(calls.flags, VIR_MIGRATE_LIVE | VIR_MIGRATE_PEER2PEER | VIR_MIGRATE_TLS |
					  VIR_MIGRATE_PARALLEL);
	cr_expect_str_eq(calls.peer_uri, "fake://as-the-source-sees-it");
	cr_expect_str_eq(calls.data_uri, "tcp://10.0.0.2");
	cr_expect_str_eq(calls.tls_destination, "b.example");
	cr_expect_eq(calls.channels, 4);
	cr_expect_eq(calls.bandwidth, 1000);
	cr_expect_eq(calls.switchover_bandwidth, 900);
	end_scene(&scene);
}

Test(session_control, never_allows_post_copy)
{
	static const enum mlx5lm_control controls[] = { MLX5LM_CONTROL_P2P,
							MLX5LM_CONTROL_DIRECT };

	for (size_t i = 0; i < 2; i++) {
		struct scene scene;

		fake_reset();
		set_scene(&scene, "c");
		set_u64(&scene, MLX5LM_SESSION_CONTROL, controls[i]);
		cr_expect_eq(run(&scene), 0);
		cr_expect_eq(fake_calls().flags & VIR_MIGRATE_POSTCOPY, 0);
		end_scene(&scene);
	}
}

/* What an old daemon does not know is refused, with its version, before anything is started. */
static void expect_too_old(unsigned long here, unsigned long there, enum mlx5lm_session_key key,
			   const char *words)
{
	struct scene scene;

	fake_reset();
	set_scene(&scene, "c");
	fake_set_versions(scene.here, here, 10000002);
	fake_set_versions(scene.there, there, 10000002);
	set_u64(&scene, key, 100);
	cr_expect_lt(run(&scene), 0);
	expect_error(&scene, MLX5LM_ERROR_NOT_SUPPORTED, words);
	cr_expect_not_null(mlx5lm_error_get_remedy(scene.error));
	cr_expect_neq(mlx5lm_session_get_reason(scene.session), MLX5LM_REASON_UNKNOWN);
	cr_expect_eq(fake_calls().migrations, 0);
	end_scene(&scene);
}

Test(session_control, what_a_daemon_is_too_old_for_is_refused_by_name)
{
	expect_too_old(11000000, 11003000, MLX5LM_SESSION_SWITCHOVER_BANDWIDTH_MIB_PER_S,
		       "11.0.0");
	expect_too_old(11003000, 11000000, MLX5LM_SESSION_SWITCHOVER_BANDWIDTH_MIB_PER_S,
		       "11.0.0");
	expect_too_old(5001000, 11003000, MLX5LM_SESSION_CHANNELS, "5.1.0");
}

Test(session_control, an_old_daemon_migrates_with_a_warning)
{
	const struct mlx5lm_finding *finding;
	struct scene scene;

	set_scene(&scene, "c");
	fake_set_versions(scene.there, 9000000, 10000002);
	cr_expect_eq(run(&scene), 0, "%s", mlx5lm_error_get_message(scene.error));
	finding = session_finding(&scene, "session.switchover_ack");
	cr_assert_not_null(finding);
	cr_expect_eq(mlx5lm_finding_get_status(finding), MLX5LM_STATUS_WARN);
	end_scene(&scene);
}

Test(session_control, two_new_daemons_use_switchover_ack)
{
	const struct mlx5lm_finding *finding;
	struct scene scene;

	set_scene(&scene, "c");
	cr_expect_eq(run(&scene), 0);
	finding = session_finding(&scene, "session.switchover_ack");
	cr_assert_not_null(finding);
	cr_expect_eq(mlx5lm_finding_get_status(finding), MLX5LM_STATUS_PASS);
	end_scene(&scene);
}

Test(session_control, a_connection_of_the_caller_names_the_source_and_stays_open)
{
	struct scene scene;
	virConnectPtr theirs;
	virDomainPtr domain;

	set_scene(&scene, "c");
	theirs = virConnectOpen(scene.source_uri);
	cr_assert_not_null(theirs);
	set_str(&scene, MLX5LM_SESSION_SOURCE_URI, "fake://somewhere-else");
	cr_assert_eq(mlx5lm_session_options_set_source_connection(scene.options, theirs), 0);
	cr_expect_eq(run(&scene), 0, "%s", mlx5lm_error_get_message(scene.error));
	expect_guest(&scene, true);
	drop_scene(&scene);
	/* It is still the caller's: open, and as loud as it was. */
	cr_expect_eq(fake_calls().open_objects, 1);
	cr_expect_eq(fake_calls().loud_errors, 0);
	domain = virDomainLookupByName(theirs, "nobody");
	cr_expect_null(domain);
	cr_expect_eq(fake_calls().loud_errors, 1);
	virConnectClose(theirs);
	cr_expect_eq(fake_calls().open_objects, 0);
}

Test(session_control, a_connection_of_the_caller_is_shared_if_no_other_can_be_had)
{
	struct scene scene;
	virConnectPtr theirs;

	set_scene(&scene, "c");
	theirs = virConnectOpen(scene.source_uri);
	cr_assert_not_null(theirs);
	cr_assert_eq(mlx5lm_session_options_set_source_connection(scene.options, theirs), 0);
	fake_fail(scene.here, FAKE_CALL_CONNECT, FOREVER, VIR_ERR_AUTH_FAILED, "one at a time");
	cr_expect_eq(run(&scene), 0, "%s", mlx5lm_error_get_message(scene.error));
	expect_guest(&scene, true);
	drop_scene(&scene);
	cr_expect_eq(fake_calls().open_objects, 1);
	virConnectClose(theirs);
	cr_expect_eq(fake_calls().open_objects, 0);
}

Test(session_control, a_connection_is_given_back_with_the_options_that_had_it)
{
	struct mlx5lm_session_options *options;
	virConnectPtr theirs;

	fake_daemon("fake://a", "host-a");
	theirs = virConnectOpen("fake://a");
	cr_assert_eq(mlx5lm_session_options_new(&options), 0);
	cr_expect_eq(mlx5lm_session_options_set_source_connection(options, theirs), 0);
	cr_expect_eq(mlx5lm_session_options_set_source_connection(options, theirs), 0);
	virConnectClose(theirs);
	cr_expect_eq(fake_calls().open_objects, 1);
	cr_expect_eq(mlx5lm_session_options_set_source_connection(options, NULL), 0);
	cr_expect_eq(fake_calls().open_objects, 0);
	mlx5lm_session_options_free(options);
}

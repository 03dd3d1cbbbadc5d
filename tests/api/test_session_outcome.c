// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/session_scene.h"

#include <errno.h>
#include <stdio.h>

static void each(void)
{
	fake_reset();
}

TestSuite(session_outcome, .init = each, .fini = fake_reset, .timeout = 120);

Test(session_outcome, without_a_daemon_fails_before_anything_is_started)
{
	struct scene scene;

	set_scene(&scene, "s");
	fake_refuse(scene.there);
	cr_expect_lt(run(&scene), 0);
	expect_error(&scene, MLX5LM_ERROR_CONNECT, scene.destination_uri);
	expect_reason(&scene, MLX5LM_REASON_DESTINATION_UNREACHABLE);
	cr_expect_not_null(mlx5lm_error_get_detail(scene.error));
	cr_expect_not_null(mlx5lm_error_get_remedy(scene.error));
	cr_expect_eq(fake_calls().migrations, 0);
	cr_expect_str_eq(scene.events, "preflight clean-up done:failed ");
	end_scene(&scene);
}

Test(session_outcome, refuses_a_wrong_destination_vf_by_name_before_any_migration)
{
	struct scene scene;

	set_scene(&scene, "s");
	cr_assert_eq(mlx5lm_session_options_set_vf(scene.options, "0000:08:00.2", "0000:08:01.7"),
		     0);
	cr_expect_eq(run(&scene), -ENODEV);
	expect_error(&scene, MLX5LM_ERROR_VF, "0000:08:01.7");
	expect_reason(&scene, MLX5LM_REASON_VF_UNFIT);
	cr_expect_eq(fake_calls().migrations, 0);
	expect_guest(&scene, false);
	end_scene(&scene);
}

Test(session_outcome, refuses_a_host_with_other_firmware_before_any_migration)
{
	struct scene scene;

	set_scene(&scene, "s");
	set_text(&scene.destination->pfs[0].fw_running, "28.43.1014");
	cr_expect_lt(run(&scene), 0);
	expect_error(&scene, MLX5LM_ERROR_INCOMPATIBLE, "28.43.1014");
	expect_reason(&scene, MLX5LM_REASON_HOSTS_INCOMPATIBLE);
	cr_expect_eq(fake_calls().migrations, 0);
	end_scene(&scene);
}

Test(session_outcome, refuses_a_vf_that_was_taken_since_the_snapshot)
{
	struct scene scene;
	struct fake_domain *other;

	set_scene(&scene, "s");
	other = fake_domain(scene.there, "other", "00000000-0000-4000-8000-000000000002",
			    guest_xml);
	cr_assert_not_null(other);
	cr_expect_eq(run(&scene), -EBUSY);
	expect_error(&scene, MLX5LM_ERROR_VF, "domain other uses it");
	expect_reason(&scene, MLX5LM_REASON_VF_IN_USE);
	cr_expect_eq(fake_calls().migrations, 0);
	end_scene(&scene);
}

Test(session_outcome, refuses_a_paused_domain_an_unknown_one_and_the_same_host)
{
	struct scene scene;

	set_scene(&scene, "s");
	scene.guest->state = VIR_DOMAIN_PAUSED;
	cr_expect_lt(run(&scene), 0);
	expect_error(&scene, MLX5LM_ERROR_DOMAIN, "not running");
	expect_reason(&scene, MLX5LM_REASON_DOMAIN_UNFIT);
	end_scene(&scene);

	fake_reset();
	set_scene(&scene, "s");
	set_str(&scene, MLX5LM_SESSION_DOMAIN, "nobody");
	cr_expect_eq(run(&scene), -ENOENT);
	expect_error(&scene, MLX5LM_ERROR_NOT_FOUND, "nobody");
	expect_reason(&scene, MLX5LM_REASON_DOMAIN_GONE);
	end_scene(&scene);

	fake_reset();
	set_scene(&scene, "s");
	set_str(&scene, MLX5LM_SESSION_DESTINATION_URI, scene.source_uri);
	cr_expect_lt(run(&scene), 0);
	expect_error(&scene, MLX5LM_ERROR_INCOMPATIBLE, "same host");
	expect_reason(&scene, MLX5LM_REASON_SAME_HOST);
	cr_expect_eq(fake_calls().migrations, 0);
	end_scene(&scene);
}

Test(session_outcome, tells_libvirts_words_and_where_the_domain_is_when_migration_fails)
{
	struct scene scene;

	set_scene(&scene, "s");
	scene.guest->script.end = FAKE_FAILS;
	cr_expect_eq(run(&scene), -EIO);
	cr_expect_eq(phase_of(&scene), MLX5LM_PHASE_FAILED);
	expect_error(&scene, MLX5LM_ERROR_MIGRATION, "runs on at the source");
	cr_expect_str_eq(mlx5lm_error_get_detail(scene.error),
			 "migration failed: words of libvirt");
	expect_reason(&scene, MLX5LM_REASON_OTHER);
	expect_guest(&scene, false);
	end_scene(&scene);
}

/* A migration with an odd end: its final phase and, unless completed, words of its error. */
static void expect_end(enum fake_end end, enum mlx5lm_error_code code, const char *words,
		       enum mlx5lm_reason reason)
{
	struct scene scene;

	set_scene(&scene, "s");
	scene.guest->script.end = end;
	set_u64(&scene, MLX5LM_SESSION_ANSWER_DEADLINE_MS, 1000);
	cr_assert_eq(mlx5lm_session_options_set_vf(scene.options, "0000:08:00.2", "0000:08:00.4"),
		     0);
	cr_expect_eq(run(&scene) == 0, code == MLX5LM_ERROR_UNKNOWN);
	cr_expect_eq(phase_of(&scene),
		     code ? MLX5LM_PHASE_FAILED : MLX5LM_PHASE_COMPLETED);
	if (code)
		expect_error(&scene, code, words);
	expect_reason(&scene, reason);
	end_scene(&scene);
}

Test(session_outcome, completes_when_the_domain_has_moved_although_the_call_failed)
{
	expect_end(FAKE_MOVES_BUT_FAILS, MLX5LM_ERROR_UNKNOWN, NULL, MLX5LM_REASON_NONE);
}

Test(session_outcome, completes_when_the_source_daemon_dies_after_success)
{
	expect_end(FAKE_SOURCE_DIES, MLX5LM_ERROR_UNKNOWN, NULL, MLX5LM_REASON_NONE);
}

Test(session_outcome, fails_when_the_domain_has_stayed_although_the_call_succeeded)
{
	expect_end(FAKE_STAYS_BUT_SUCCEEDS, MLX5LM_ERROR_VERIFY_FAILED, "runs on at the source",
		   MLX5LM_REASON_OTHER);
}

Test(session_outcome, fails_when_the_domain_has_moved_without_its_vf)
{
	expect_end(FAKE_LOSES_VF, MLX5LM_ERROR_VERIFY_FAILED, "without the VF 0000:08:00.4",
		   MLX5LM_REASON_VERIFY);
}

Test(session_outcome, names_a_split_brain)
{
	expect_end(FAKE_BOTH_RUN, MLX5LM_ERROR_MIGRATION,
		   "running at the source and running at the destination",
		   MLX5LM_REASON_SPLIT_BRAIN);
}

Test(session_outcome, tells_of_a_source_that_was_left_paused)
{
	expect_end(FAKE_SOURCE_PAUSED, MLX5LM_ERROR_MIGRATION,
		   "paused at the source and not there at the destination",
		   MLX5LM_REASON_OTHER);
}

Test(session_outcome, tells_of_a_destination_that_answers_no_more)
{
	expect_end(FAKE_DESTINATION_DIES, MLX5LM_ERROR_MIGRATION,
		   "running at the source and in an unknown state at the destination",
		   MLX5LM_REASON_OUTCOME_UNKNOWN);
}

/* What libvirt reports, and the reason that it becomes. */
static const struct {
	int code, domain;
	const char *message;
	enum mlx5lm_reason reason;
} failures[] = {
	{ VIR_ERR_OPERATION_INVALID, 0,
	  "Requested operation is not valid: cannot migrate domain: 0000:08:00.2: VFIO migration "
	  "is not supported in kernel", MLX5LM_REASON_NO_KERNEL_SUPPORT },
	{ VIR_ERR_OPERATION_INVALID, 0,
	  "Requested operation is not valid: cannot migrate domain: 0000:08:00.2: VFIO device "
	  "doesn't support device and IOMMU dirty tracking", MLX5LM_REASON_NO_DIRTY_TRACKING },
	{ VIR_ERR_OPERATION_INVALID, 0,
	  "Requested operation is not valid: cannot migrate domain: 0000:08:00.2: Migration is "
	  "currently not supported with vIOMMU enabled", MLX5LM_REASON_VIOMMU },
	{ VIR_ERR_OPERATION_INVALID, 0,
	  "Requested operation is not valid: cannot migrate domain: Multiple VFIO devices "
	  "migration is supported only if all of them support P2P migration",
	  MLX5LM_REASON_NO_P2P },
	{ VIR_ERR_OPERATION_ABORTED, 0,
	  "operation aborted: job 'migration out' canceled by client",
	  MLX5LM_REASON_ABORTED_ELSEWHERE },
	{ VIR_ERR_OPERATION_TIMEOUT, 0,
	  "Timed out during operation: cannot acquire state change lock (held by "
	  "monitor=remoteDispatchDomainMigratePerform3Params)", MLX5LM_REASON_JOB_LOCK },
	{ VIR_ERR_MIGRATE_UNSAFE, 0,
	  "Unsafe migration: Migration may lead to data corruption if disks use cache other than "
	  "none or directsync", MLX5LM_REASON_DISK },
	{ VIR_ERR_CPU_INCOMPATIBLE, VIR_FROM_CPU,
	  "the CPU is incompatible with host CPU: Host CPU does not provide required features: amx",
	  MLX5LM_REASON_CPU },
	{ VIR_ERR_CONFIG_UNSUPPORTED, VIR_FROM_DOMAIN,
	  "unsupported configuration: Target domain host device count 0 does not match source 1",
	  MLX5LM_REASON_DOMAIN_XML },
	{ VIR_ERR_INTERNAL_ERROR, VIR_FROM_RPC, "internal error: client socket is closed",
	  MLX5LM_REASON_DESTINATION_DAEMON_LOST },
	{ VIR_ERR_OPERATION_FAILED, 0,
	  "migration failed. Message from the source host: operation failed: job 'migration out' "
	  "failed: Channel error: Input/output error. Message from the destination host: internal "
	  "error: QEMU unexpectedly closed the monitor (vm='guest')",
	  MLX5LM_REASON_DESTINATION_QEMU_DIED },
};

Test(session_outcome, what_libvirt_reports_becomes_a_typed_reason)
{
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		struct scene scene;

		fake_reset();
		set_scene(&scene, "s");
		scene.guest->script.end = FAKE_FAILS;
		scene.guest->script.code = failures[i].code;
		scene.guest->script.domain = failures[i].domain;
		scene.guest->script.message = failures[i].message;
		cr_expect_lt(run(&scene), 0);
		cr_expect_eq(phase_of(&scene),
			     failures[i].reason == MLX5LM_REASON_ABORTED_ELSEWHERE ?
				     MLX5LM_PHASE_CANCELLED : MLX5LM_PHASE_FAILED);
		expect_reason(&scene, failures[i].reason);
		cr_assert_not_null(scene.error);
		cr_expect_str_eq(mlx5lm_error_get_detail(scene.error), failures[i].message);
		cr_expect_not_null(mlx5lm_error_get_remedy(scene.error), "%s has no remedy",
				   mlx5lm_reason_str(failures[i].reason));
		expect_guest(&scene, false);
		end_scene(&scene);
	}
}

Test(session_outcome, names_a_source_that_cannot_be_reached)
{
	struct scene scene;

	set_scene(&scene, "s");
	fake_refuse(scene.here);
	cr_expect_lt(run(&scene), 0);
	expect_error(&scene, MLX5LM_ERROR_CONNECT, scene.source_uri);
	expect_reason(&scene, MLX5LM_REASON_SOURCE_UNREACHABLE);
	end_scene(&scene);
}

Test(session_outcome, names_a_daemon_that_does_not_know_the_caller)
{
	struct scene scene;

	set_scene(&scene, "s");
	fake_fail(scene.there, FAKE_CALL_CONNECT, 1, VIR_ERR_AUTH_FAILED, "authentication failed");
	cr_expect_eq(run(&scene), -EACCES);
	expect_error(&scene, MLX5LM_ERROR_PERMISSION, scene.destination_uri);
	expect_reason(&scene, MLX5LM_REASON_AUTHENTICATION);
	end_scene(&scene);
}

Test(session_outcome, names_a_domain_that_the_destination_has_already)
{
	struct scene scene;

	set_scene(&scene, "s");
	fake_domain(scene.there, "guest", GUEST_UUID, plain_xml);
	cr_expect_lt(run(&scene), 0);
	expect_reason(&scene, MLX5LM_REASON_DOMAIN_EXISTS);
	cr_expect_eq(fake_calls().migrations, 0);
	end_scene(&scene);
}

Test(session_outcome, names_a_cpu_that_the_destination_lacks_before_any_migration)
{
	static const char device[] = "  <devices>";
	struct scene scene;
	char xml[2048];
	const char *at = strstr(guest_xml, device);

	set_scene(&scene, "s");
	snprintf(xml, sizeof(xml), "%.*s  <cpu mode='custom'><model>Skylake-Server</model></cpu>%s",
		 (int)(at - guest_xml), guest_xml, at);
	set_text(&scene.guest->xml, xml);
	fake_set_cpu(scene.there, VIR_CPU_COMPARE_ERROR, VIR_ERR_CPU_INCOMPATIBLE);
	cr_expect_lt(run(&scene), 0);
	expect_reason(&scene, MLX5LM_REASON_CPU);
	cr_expect_eq(fake_calls().migrations, 0);
	end_scene(&scene);
}

Test(session_outcome, names_a_limit_that_can_never_be_kept)
{
	struct scene scene;

	set_scene(&scene, "s");
	set_u64(&scene, MLX5LM_SESSION_VF_STATE_BYTES, UINT64_C(1) << 30);
	set_u64(&scene, MLX5LM_SESSION_LINK_MIB_PER_S, 100);
	set_u64(&scene, MLX5LM_SESSION_DOWNTIME_LIMIT_MS, 10);
	cr_expect_lt(run(&scene), 0);
	expect_reason(&scene, MLX5LM_REASON_NEVER_CONVERGES);
	cr_expect_not_null(session_finding(&scene, "session.downtime_limit"));
	cr_expect_eq(fake_calls().migrations, 0);
	end_scene(&scene);
}

Test(session_outcome, foretells_the_downtime)
{
	struct scene scene;

	set_scene(&scene, "s");
	set_u64(&scene, MLX5LM_SESSION_VF_STATE_BYTES, UINT64_C(100) << 20);
	set_u64(&scene, MLX5LM_SESSION_LINK_MIB_PER_S, 1000);
	set_u64(&scene, MLX5LM_SESSION_DOWNTIME_LIMIT_MS, 2000);
	cr_expect_eq(run(&scene), 0);
	cr_expect_not_null(session_finding(&scene, "session.forecast"));
	/* Not less than the state takes on the line. */
	cr_expect_geq(number(&scene, MLX5LM_PROGRESS_DOWNTIME_FORECAST_MS), 100);
	cr_expect_leq(number(&scene, MLX5LM_PROGRESS_DOWNTIME_FORECAST_MS), 10000);
	end_scene(&scene);
}

Test(session_outcome, names_the_qemu_that_died_at_the_source)
{
	struct scene scene;

	set_scene(&scene, "s");
	scene.guest->script.pre_copy_polls = FOREVER;
	run_until(&scene, MLX5LM_PHASE_PRE_COPY);
	fake_kill(scene.here, "guest");
	cr_expect_lt(finish(&scene), 0);
	cr_expect_eq(phase_of(&scene), MLX5LM_PHASE_FAILED);
	expect_reason(&scene, MLX5LM_REASON_SOURCE_QEMU_DIED);
	end_scene(&scene);
}

Test(session_outcome, names_the_destinations_daemon_that_died)
{
	struct scene scene;

	set_scene(&scene, "s");
	set_u64(&scene, MLX5LM_SESSION_ANSWER_DEADLINE_MS, 1000);
	scene.guest->script.pre_copy_polls = FOREVER;
	run_until(&scene, MLX5LM_PHASE_PRE_COPY);
	fake_refuse(scene.there);
	cr_expect_lt(finish(&scene), 0);
	cr_expect_eq(phase_of(&scene), MLX5LM_PHASE_FAILED);
	cr_expect(mlx5lm_session_get_reason(scene.session) ==
			  MLX5LM_REASON_DESTINATION_DAEMON_LOST ||
		  mlx5lm_session_get_reason(scene.session) == MLX5LM_REASON_OUTCOME_UNKNOWN,
		  "%s", mlx5lm_reason_str(mlx5lm_session_get_reason(scene.session)));
	expect_guest(&scene, false);
	end_scene(&scene);
}

/* A daemon that is killed and started again: where the guest is can be found out. */
static void expect_restart(bool at_source, enum mlx5lm_reason reason)
{
	struct scene scene;

	set_scene(&scene, "s");
	scene.guest->script.pre_copy_polls = FOREVER;
	run_until(&scene, MLX5LM_PHASE_PRE_COPY);
	fake_restart(at_source ? scene.here : scene.there);
	cr_expect_lt(finish(&scene), 0);
	cr_expect_eq(phase_of(&scene), MLX5LM_PHASE_FAILED);
	expect_reason(&scene, reason);
	expect_error(&scene, MLX5LM_ERROR_MIGRATION, "runs on at the source");
	expect_guest(&scene, false);
	end_scene(&scene);
}

Test(session_outcome, names_a_daemon_that_was_restarted_and_where_the_guest_is)
{
	expect_restart(true, MLX5LM_REASON_SOURCE_DAEMON_LOST);
	fake_reset();
	expect_restart(false, MLX5LM_REASON_DESTINATION_DAEMON_LOST);
}

Test(session_outcome, of_a_vf_that_has_another_driver_at_the_destination_is_not_taken_for_good)
{
	struct scene scene;

	set_scene(&scene, "s");
	cr_assert_eq(mlx5lm_session_options_set_vf(scene.options, "08:00.2", "08:00.4"), 0);
	run_until(&scene, MLX5LM_PHASE_PRE_COPY);
	fake_set_device(scene.there, "0000:08:00.4", "mlx5_core");
	cr_expect_lt(finish(&scene), 0);
	expect_reason(&scene, MLX5LM_REASON_VERIFY);
	expect_error(&scene, MLX5LM_ERROR_VERIFY_FAILED, "0000:08:00.4");
	expect_guest(&scene, true);
	end_scene(&scene);
}

Test(session_outcome, is_proven_as_far_as_the_daemons_tell)
{
	struct scene scene;

	set_scene(&scene, "s");
	fake_fail(scene.here, FAKE_CALL_DEVICE, 100, VIR_ERR_NO_SUPPORT, "no node devices");
	fake_fail(scene.there, FAKE_CALL_DEVICE, 100, VIR_ERR_NO_SUPPORT, "no node devices");
	cr_expect_eq(run(&scene), 0, "%s", mlx5lm_error_get_message(scene.error));
	cr_expect_eq(phase_of(&scene), MLX5LM_PHASE_COMPLETED);
	end_scene(&scene);
}

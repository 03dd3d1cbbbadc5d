// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/domain.h"

#include <criterion/criterion.h>

#include <errno.h>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "support/fake_libvirt.h"
#include "sys/libvirt.h"

#define UUID "6f0e4bb1-6d3a-4b7a-9c6c-0a4a5a1f0001"

static struct fake_daemon *here, *there;
static struct fake_domain *guest;
static struct _virConnect *connection;
static struct _virDomain *domain;
static struct mlx5lm_error *error;

static void open_domain(void)
{
	fake_reset();
	error = NULL;
	here = fake_daemon("fake://a", "host-a");
	there = fake_daemon("fake://b", "host-b");
	guest = fake_domain(here, "guest", UUID, "<domain/>");
	cr_assert_eq(libvirt_open("fake://a", &connection, NULL), 0);
	cr_assert_eq(domain_find(connection, "guest", &domain, NULL), 0);
}

static void close_domain(void)
{
	mlx5lm_error_free(error);
	domain_free(domain);
	libvirt_close(connection);
	cr_expect_eq(fake_calls().open_objects, 0);
	cr_expect_eq(fake_calls().loud_errors, 0);
	fake_reset();
}

TestSuite(domain, .init = open_domain, .fini = close_domain, .timeout = 30);

Test(domain, is_found_by_name_and_by_uuid)
{
	struct _virDomain *found = NULL;

	cr_assert_eq(domain_find(connection, UUID, &found, &error), 0);
	domain_free(found);
	found = NULL;
	cr_expect_eq(domain_find(connection, "nobody", &found, &error), -ENOENT);
	cr_expect_null(found);
	cr_expect_eq(mlx5lm_error_get_code(error), MLX5LM_ERROR_NOT_FOUND);
	cr_expect_str_eq(mlx5lm_error_get_detail(error), "Domain not found");
}

Test(domain, a_name_is_not_tried_as_a_uuid_where_libvirt_would_print_that_it_is_none)
{
	struct _virDomain *found = NULL;
	struct _virConnect *loud = virConnectOpen("fake://a");

	cr_assert_eq(domain_find(loud, "guest", &found, NULL), 0);
	domain_free(found);
	libvirt_close(loud);
	cr_expect_eq(fake_calls().loud_errors, 0);
}

Test(domain, a_name_that_looks_like_a_uuid_is_found)
{
	static const char name[] = "00000000-0000-4000-8000-00000000000f";
	struct _virDomain *found = NULL;

	fake_domain(here, name, "00000000-0000-4000-8000-000000000002", "<domain/>");
	cr_assert_eq(domain_find(connection, name, &found, NULL), 0);
	domain_free(found);
}

Test(domain, each_form_of_its_xml_has_its_flags)
{
	static const struct {
		enum domain_xml_form form;
		unsigned int flags;
	} cases[] = {
		{ DOMAIN_XML_LIVE, 0 },
		{ DOMAIN_XML_MIGRATABLE, VIR_DOMAIN_XML_MIGRATABLE },
		{ DOMAIN_XML_COMPLETE, VIR_DOMAIN_XML_MIGRATABLE | VIR_DOMAIN_XML_SECURE },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *xml = NULL;

		cr_assert_eq(domain_get_xml(domain, cases[i].form, &xml, NULL), 0);
		cr_expect_str_eq(xml, "<domain/>");
		cr_expect_eq(fake_calls().xml_flags, cases[i].flags, "case %zu", i);
		free(xml);
	}
}

Test(domain, states_are_told_apart)
{
	static const struct {
		int state, reason;
		enum domain_state expected;
	} cases[] = {
		{ VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_MIGRATED, DOMAIN_RUNNING },
		{ VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER, DOMAIN_PAUSED },
		{ VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_MIGRATION, DOMAIN_PAUSED_BY_MIGRATION },
		{ VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_MIGRATED, DOMAIN_OFF },
		{ VIR_DOMAIN_CRASHED, 0, DOMAIN_OFF },
		{ 4711, 0, DOMAIN_UNKNOWN },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		guest->state = cases[i].state;
		guest->reason = cases[i].reason;
		cr_expect_eq(domain_get_state(domain), cases[i].expected, "case %zu", i);
	}
	memset(guest->uuid, 'x', 4);
	cr_expect_eq(domain_get_state(domain), DOMAIN_GONE);
	fake_refuse(here);
	cr_expect_eq(domain_get_state(domain), DOMAIN_UNKNOWN);
	cr_expect_not(libvirt_is_alive(connection));
}

Test(domain, statistics_tolerate_keys_they_do_not_know)
{
	struct job_stats job;

	domain_get_job(domain, &job);
	cr_expect_eq(job.type, JOB_NONE);
	cr_expect_not(job.data_total.known);
	guest->polls = 0;
	domain_get_job(domain, &job);
	cr_expect_eq(job.type, JOB_RUNNING);
	cr_expect(job.data_total.known);
	cr_expect_eq(job.data_total.value, 1 << 20);
	cr_expect_eq(job.operation, JOB_OPERATION_MIGRATION_OUT);
	cr_expect_eq(job.memory_processed.value, 1 << 17);
	cr_expect_eq(job.memory_page_size.value, 4096);
	cr_expect_eq(job.memory_dirty_pages_per_s.value, 100);
	cr_expect_not(job.vfio_transferred.known);
	cr_expect_not(job.throttle_percent.known);
	guest->script.throttle = 20;
	guest->script.vfio_bytes = 77;
	domain_get_job(domain, &job);
	cr_expect_eq(job.throttle_percent.value, 20, "which libvirt tells as an int");
	cr_expect_eq(job.vfio_transferred.value, 77);
	guest->script.is_dump = true;
	domain_get_job(domain, &job);
	cr_expect_eq(job.operation, JOB_OPERATION_OTHER);
	guest->completed = true;
	domain_get_completed_job(domain, &job);
	cr_expect_eq(job.operation, JOB_OPERATION_OTHER, "it came in");
	cr_expect_eq(job.type, JOB_COMPLETED);
	cr_expect_eq(job.downtime_net_ms.value, 66);
	cr_expect_eq(job.vfio_transferred.value, 4096);
	fake_refuse(here);
	domain_get_job(domain, &job);
	cr_expect_eq(job.type, JOB_UNKNOWN);
	cr_expect_not(job.data_total.known);
}

Test(domain, aborting_without_a_job_is_told_apart_from_failing)
{
	cr_expect_eq(domain_abort_job(domain, &error), -ESRCH);
	fake_refuse(here);
	cr_expect_eq(domain_abort_job(domain, NULL), -EIO);
}

Test(domain, libvirts_codes_become_ours_with_its_words)
{
	static const struct {
		int libvirt;
		enum mlx5lm_error_code code;
		int errnum;
	} cases[] = {
		{ VIR_ERR_OPERATION_ABORTED, MLX5LM_ERROR_CANCELLED, ECANCELED },
		{ VIR_ERR_OPERATION_INVALID, MLX5LM_ERROR_DOMAIN, EOPNOTSUPP },
		{ VIR_ERR_CONFIG_UNSUPPORTED, MLX5LM_ERROR_DOMAIN, EOPNOTSUPP },
		{ VIR_ERR_CPU_INCOMPATIBLE, MLX5LM_ERROR_INCOMPATIBLE, EOPNOTSUPP },
		{ VIR_ERR_ACCESS_DENIED, MLX5LM_ERROR_PERMISSION, EACCES },
		{ VIR_ERR_OPERATION_TIMEOUT, MLX5LM_ERROR_TIMEOUT, ETIMEDOUT },
		{ VIR_ERR_ARGUMENT_UNSUPPORTED, MLX5LM_ERROR_NOT_SUPPORTED, EOPNOTSUPP },
		{ VIR_ERR_INTERNAL_ERROR, MLX5LM_ERROR_MIGRATION, EIO },
		{ 4711, MLX5LM_ERROR_MIGRATION, EIO },
	};
	const struct migration migration = { .control = MLX5LM_CONTROL_P2P,
					     .peer_uri = "fake://b" };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		guest->script = (struct fake_script){ .end = FAKE_FAILS,
						      .code = cases[i].libvirt,
						      .domain = VIR_FROM_RPC,
						      .message = "words of libvirt" };
		cr_expect_eq(domain_migrate(domain, NULL, &migration, &error), -cases[i].errnum,
			     "case %zu", i);
		cr_assert_not_null(error);
		cr_expect_eq(mlx5lm_error_get_code(error), cases[i].code, "case %zu", i);
		cr_expect_eq(mlx5lm_error_get_source(error), MLX5LM_SOURCE_LIBVIRT);
		cr_expect_str_eq(mlx5lm_error_get_detail(error), "words of libvirt");
		cr_expect_eq(error->native, cases[i].libvirt);
		cr_expect_eq(error->native_domain, VIR_FROM_RPC);
		mlx5lm_error_free(error);
		error = NULL;
	}
}

Test(domain, the_downtime_limit_can_be_read_and_set)
{
	uint64_t ms = 0;

	cr_expect_eq(domain_get_max_downtime(domain, &ms, NULL), 0);
	cr_expect_eq(ms, 300);
	cr_expect_eq(domain_set_max_downtime(domain, 700, NULL), 0);
	cr_expect_eq(guest->max_downtime_ms, 700);
	fake_refuse(here);
	cr_expect_lt(domain_set_max_downtime(domain, 1, NULL), 0);
}

/* All that can be said of a migration. */
static const struct migration full = {
	.control = MLX5LM_CONTROL_P2P,
	.peer_uri = "fake://b",
	.destination_xml = "<domain><name>there</name></domain>",
	.data_uri = "tcp://10.0.0.2",
	.tls_destination = "host-b.example",
	.bandwidth_mib_per_s = 77,
	.switchover_bandwidth_mib_per_s = 99,
	.channels = 4,
	.tls = true,
	.persistent = true,
};

static void expect_params(unsigned int flags)
{
	struct fake_calls calls = fake_calls();

	cr_expect_eq(calls.flags,
		     flags | VIR_MIGRATE_LIVE | VIR_MIGRATE_TLS | VIR_MIGRATE_PARALLEL |
			     VIR_MIGRATE_PERSIST_DEST | VIR_MIGRATE_UNDEFINE_SOURCE);
	cr_expect_str_eq(calls.destination_xml, full.destination_xml);
	cr_expect_str_eq(calls.persistent_xml, full.destination_xml);
	cr_expect_str_eq(calls.data_uri, full.data_uri);
	cr_expect_str_eq(calls.tls_destination, full.tls_destination);
	cr_expect_eq(calls.bandwidth, 77);
	cr_expect_eq(calls.switchover_bandwidth, 99);
	cr_expect_eq(calls.channels, 4);
}

Test(domain, a_peer_to_peer_migration_is_told_everything)
{
	cr_expect_eq(domain_migrate(domain, NULL, &full, NULL), 0);
	expect_params(VIR_MIGRATE_PEER2PEER);
	cr_expect_not(fake_calls().direct);
	cr_expect_str_eq(fake_calls().peer_uri, "fake://b");
	cr_expect_not_null(fake_find(there, "guest"));
}

Test(domain, a_direct_migration_is_told_everything_and_leaves_no_object_behind)
{
	struct migration migration = full;
	struct _virConnect *destination;

	migration.control = MLX5LM_CONTROL_DIRECT;
	migration.peer_uri = NULL;
	cr_assert_eq(libvirt_open("fake://b", &destination, NULL), 0);
	cr_expect_eq(domain_migrate(domain, destination, &migration, NULL), 0);
	expect_params(0);
	cr_expect(fake_calls().direct);
	cr_expect_not_null(fake_find(there, "guest"));
	libvirt_close(destination);
}

Test(domain, a_direct_migration_that_fails_is_told_as_any)
{
	const struct migration migration = { .control = MLX5LM_CONTROL_DIRECT };
	struct _virConnect *destination;

	guest->script = (struct fake_script){ .end = FAKE_FAILS,
					      .code = VIR_ERR_MIGRATE_UNSAFE,
					      .message = "words of libvirt" };
	cr_assert_eq(libvirt_open("fake://b", &destination, NULL), 0);
	cr_expect_eq(domain_migrate(domain, destination, &migration, &error), -EOPNOTSUPP);
	cr_expect_eq(error->native, VIR_ERR_MIGRATE_UNSAFE);
	cr_expect_null(fake_find(there, "guest"));
	libvirt_close(destination);
}

Test(domain, what_is_not_said_of_a_migration_is_left_to_libvirt)
{
	const struct migration migration = { .control = MLX5LM_CONTROL_P2P,
					     .peer_uri = "fake://b",
					     .tls_destination = "without TLS" };
	struct fake_calls calls;

	cr_expect_eq(domain_migrate(domain, NULL, &migration, NULL), 0);
	calls = fake_calls();
	cr_expect_eq(calls.flags, VIR_MIGRATE_LIVE | VIR_MIGRATE_PEER2PEER);
	cr_expect_str_eq(calls.destination_xml, "");
	cr_expect_str_eq(calls.persistent_xml, "");
	cr_expect_str_eq(calls.data_uri, "");
	cr_expect_str_eq(calls.tls_destination, "");
	cr_expect_eq(calls.channels, 0);
	cr_expect_eq(calls.bandwidth, 0);
}

Test(domain, a_migration_to_nowhere_is_refused)
{
	const struct migration direct = { .control = MLX5LM_CONTROL_DIRECT };
	const struct migration p2p = { .control = MLX5LM_CONTROL_P2P };

	cr_expect_eq(domain_migrate(domain, NULL, &direct, NULL), -EINVAL);
	cr_expect_eq(domain_migrate(domain, connection, &p2p, NULL), -EINVAL);
	cr_expect_eq(fake_calls().migrations, 0);
}

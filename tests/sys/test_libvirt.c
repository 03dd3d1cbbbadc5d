// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/libvirt.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <time.h>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "base/clock.h"
#include "support/fake_libvirt.h"

#define UUID "6a7e1a7c-0d36-4f1c-9d6e-0b8f2c9d0001"
#define LONG_MS 20000

static struct fake_daemon *here;
static struct libvirt_probe *probe;
static struct libvirt_facts facts;
static struct mlx5lm_error *error;

static void setup(void)
{
	fake_reset();
	here = fake_daemon("fake://a", "host-a");
}

static void teardown(void)
{
	libvirt_facts_release(&facts);
	mlx5lm_error_free(error);
	cr_expect_eq(fake_calls().open_objects, 0);
	cr_expect_eq(fake_calls().loud_errors, 0);
}

TestSuite(libvirt, .init = setup, .fini = teardown);

static uint64_t in_ms(unsigned int ms)
{
	return (uint64_t)clock_now_ms() + ms;
}

static int ask(const char *uri, unsigned int timeout_ms)
{
	cr_assert_eq(libvirt_probe_start(uri, &probe, &error), 0);
	return libvirt_probe_finish(probe, in_ms(timeout_ms), &facts, &error);
}

Test(libvirt, a_probe_lists_active_domains_and_versions)
{
	struct fake_domain *off = fake_domain(here, "off", "off-uuid", "<domain/>");

	fake_domain(here, "guest", UUID, "<domain/>");
	off->state = 5; /* shut off */
	cr_assert_eq(ask("fake://a", LONG_MS), 0);
	cr_expect_str_eq(facts.uri, "fake://a");
	cr_assert_eq(facts.num_domains, 1);
	cr_expect_str_eq(facts.domains[0].name, "guest");
	cr_expect_str_eq(facts.domains[0].uuid, UUID);
	cr_expect_str_eq(facts.domains[0].xml, "<domain/>");
	cr_expect_eq(facts.client_version.value, 9000000);
	cr_expect_eq(facts.daemon_version.value, 11003000);
	cr_expect_eq(facts.qemu_version.value, 10000002);
	cr_expect_not_null(strstr(facts.capabilities_xml, "host-a"));
	cr_expect_eq(facts.num_notes, 0);
}

Test(libvirt, without_a_daemon_the_client_is_known)
{
	cr_expect_eq(ask("fake://nowhere", LONG_MS), -ENOTCONN);
	cr_expect_eq(mlx5lm_error_get_code(error), MLX5LM_ERROR_CONNECT);
	cr_expect_not_null(strstr(mlx5lm_error_get_message(error), "fake://nowhere"));
	cr_expect_str_eq(facts.uri, "fake://nowhere");
	cr_expect_eq(facts.client_version.value, 9000000);
	cr_expect_not(facts.daemon_version.known);
}

/* The thread goes on when it is let go, and releases all: teardown looks. */
static void let_thread_end(void)
{
	const struct timespec tick = { .tv_nsec = 10000000 };

	fake_let_go();
	for (int i = 0; i < 500 && fake_calls().closes == 0; i++)
		nanosleep(&tick, NULL);
}

static void expect_late(unsigned int timeout_ms)
{
	int64_t begin_ms = clock_now_ms(), took_ms;

	cr_expect_eq(ask("fake://a", timeout_ms), -ETIMEDOUT);
	took_ms = clock_now_ms() - begin_ms;
	cr_expect(took_ms >= timeout_ms && took_ms < timeout_ms + 500, "%lld ms",
		  (long long)took_ms);
	cr_expect_eq(mlx5lm_error_get_code(error), MLX5LM_ERROR_TIMEOUT);
	cr_expect_eq(mlx5lm_error_get_source(error), MLX5LM_SOURCE_LIBVIRT);
	cr_expect_not_null(strstr(mlx5lm_error_get_message(error), "fake://a"));
	cr_expect_not_null(strstr(mlx5lm_error_get_remedy(error), "virsh -c 'fake://a'"));
	cr_expect_str_eq(facts.uri, "fake://a");
	cr_expect_eq(facts.client_version.value, 9000000);
	cr_expect_not(facts.daemon_version.known);
}

Test(libvirt, a_daemon_that_does_not_let_in_costs_the_deadline)
{
	fake_hold_connect(here);
	expect_late(200);
	let_thread_end();
}

Test(libvirt, a_daemon_that_does_not_answer_costs_the_deadline)
{
	fake_hold_answer(here);
	expect_late(200);
	cr_expect_eq(fake_calls().open_objects, 1);
	let_thread_end();
}

Test(libvirt, a_deadline_that_has_passed_costs_nothing)
{
	fake_hold_connect(here);
	expect_late(0);
	let_thread_end();
}

Test(libvirt, the_daemon_answers_while_others_are_asked)
{
	const struct timespec tick = { .tv_nsec = 10000000 };

	cr_assert_eq(libvirt_probe_start("fake://a", &probe, &error), 0);
	for (int i = 0; i < 500 && fake_calls().connects == 0; i++)
		nanosleep(&tick, NULL);
	cr_expect_eq(fake_calls().connects, 1);
	cr_expect_eq(libvirt_probe_finish(probe, in_ms(LONG_MS), &facts, &error), 0);
}

Test(libvirt, a_probe_can_be_abandoned)
{
	fake_hold_connect(here);
	cr_assert_eq(libvirt_probe_start("fake://a", &probe, &error), 0);
	libvirt_probe_abandon(probe);
	let_thread_end();
}

Test(libvirt, a_connection_of_the_caller_is_shared_and_left_as_it_is)
{
	struct _virConnect *theirs = virConnectOpen("fake://a"), *ours = NULL;
	struct _virDomain *found = NULL;
	char *uri = NULL;

	cr_assert_eq(libvirt_ref(theirs, &ours), 0);
	cr_expect_eq(fake_calls().connects, 1);
	cr_assert_eq(libvirt_get_uri(ours, &uri, NULL), 0);
	cr_expect_str_eq(uri, "fake://a");
	free(uri);
	libvirt_close(ours);
	cr_expect_eq(fake_calls().closes, 0);
	/* Were it silenced, the caller would miss its own errors. */
	found = virDomainLookupByName(theirs, "nobody");
	cr_expect_null(found);
	cr_expect_eq(fake_calls().loud_errors, 1);
	virConnSetErrorFunc(theirs, NULL, NULL);
	libvirt_close(theirs);
	fake_reset();
}

Test(libvirt, no_connection_cannot_be_shared)
{
	struct _virConnect *ours = NULL;

	cr_expect_eq(libvirt_ref(NULL, &ours), -EINVAL);
	cr_expect_null(ours);
}

Test(libvirt, a_device_of_the_host_is_read_by_its_address)
{
	struct _virConnect *connection;
	char *xml = NULL;

	fake_set_device(here, "0000:08:00.2", "mlx5_vfio_pci");
	cr_assert_eq(libvirt_open("fake://a", &connection, NULL), 0);
	cr_expect_eq(libvirt_get_pci_xml(connection, "0000:08:00.2", &xml, NULL), 0);
	cr_expect_not_null(strstr(xml, "<name>mlx5_vfio_pci</name>"));
	free(xml);
	xml = NULL;
	cr_expect_eq(libvirt_get_pci_xml(connection, "0000:08:00.3", &xml, &error), -ENOENT);
	cr_expect_null(xml);
	cr_expect_not_null(strstr(mlx5lm_error_get_message(error), "0000:08:00.3"));
	fake_fail(here, FAKE_CALL_DEVICE, 1, VIR_ERR_NO_SUPPORT, "no node device driver");
	cr_expect_eq(libvirt_get_pci_xml(connection, "0000:08:00.2", &xml, NULL), -EOPNOTSUPP);
	libvirt_close(connection);
}

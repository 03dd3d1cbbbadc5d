// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/domain_ask.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <time.h>

#include "base/clock.h"
#include "support/fake_libvirt.h"
#include "sys/libvirt.h"

#define URI "fake://a"
#define UUID "6a7e1a7c-0d36-4f1c-9d6e-0b8f2c9d0001"
#define LONG_MS 20000
#define SHORT_MS 50

static const struct cpu_question question = {
	.arch = "x86_64",
	.machine = "pc-q35-9.2",
	.virt_type = "kvm",
	.cpu = "<cpu/>",
};

static struct fake_daemon *daemon_a;
static struct mlx5lm_error *error;
static char *text;
static uint32_t answer;

static void setup(void)
{
	fake_reset();
	daemon_a = fake_daemon(URI, "host-a");
	fake_domain(daemon_a, "guest", UUID, "<domain/>");
}

static void teardown(void)
{
	mlx5lm_error_free(error);
	free(text);
	cr_expect_eq(fake_calls().open_objects, 0);
	cr_expect_eq(fake_calls().loud_errors, 0);
}

TestSuite(domain_ask, .init = setup, .fini = teardown);

static void expect_error(int r, int errnum, enum mlx5lm_error_code code, const char *words)
{
	cr_assert_eq(r, -errnum, "%d", r);
	cr_expect_null(text);
	cr_expect_eq(mlx5lm_error_get_code(error), code);
	cr_expect_not_null(strstr(mlx5lm_error_get_message(error), words), "%s",
			   mlx5lm_error_get_message(error));
}

/* A thread that was left behind ends in its own time. */
static void let_go(void)
{
	fake_let_go();
	for (int i = 0; i < 2000 && fake_calls().open_objects; i++)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

Test(domain_ask, the_xml_is_that_of_a_migration_without_passwords)
{
	cr_assert_eq(domain_ask_xml(URI, "guest", LONG_MS, &text, &error), 0);
	cr_expect_str_eq(text, "<domain/>");
	cr_expect_eq(fake_calls().xml_flags, VIR_DOMAIN_XML_MIGRATABLE);
}

Test(domain_ask, a_domain_is_found_by_its_uuid)
{
	cr_assert_eq(domain_ask_xml(URI, UUID, LONG_MS, &text, &error), 0);
	cr_expect_str_eq(text, "<domain/>");
}

Test(domain_ask, a_domain_that_is_not_there)
{
	expect_error(domain_ask_xml(URI, "other", LONG_MS, &text, &error), ENOENT,
		     MLX5LM_ERROR_NOT_FOUND, "'other'");
}

Test(domain_ask, a_daemon_that_is_not_there)
{
	fake_refuse(daemon_a);
	expect_error(domain_ask_xml(URI, "guest", LONG_MS, &text, &error), ENOTCONN,
		     MLX5LM_ERROR_CONNECT, URI);
}

Test(domain_ask, a_daemon_that_accepts_and_never_answers_costs_the_deadline)
{
	const int64_t begin = clock_now_ms();

	fake_hold_answer(daemon_a);
	expect_error(domain_ask_xml(URI, "guest", SHORT_MS, &text, &error), ETIMEDOUT,
		     MLX5LM_ERROR_TIMEOUT, "in time");
	cr_expect_geq(clock_now_ms() - begin, SHORT_MS);
	cr_expect_lt(clock_now_ms() - begin, LONG_MS);
	let_go();
}

Test(domain_ask, a_connection_that_is_never_made_costs_the_deadline)
{
	fake_hold_connect(daemon_a);
	expect_error(domain_ask_cpu(URI, &question, SHORT_MS, &answer, &text, &error), ETIMEDOUT,
		     MLX5LM_ERROR_TIMEOUT, "in time");
	cr_expect_eq(answer, 0);
	let_go();
}

Test(domain_ask, the_cpu_is_compared_for_the_kind_of_guest)
{
	cr_assert_eq(domain_ask_cpu(URI, &question, LONG_MS, &answer, &text, &error), 0);
	cr_expect_eq(answer, MLX5LM_ANSWER_YES);
	cr_expect_null(text);
	cr_expect_str_eq(fake_calls().cpu_question, "|x86_64|pc-q35-9.2|kvm|<cpu/>");
	cr_expect_eq(fake_calls().cpu_flags, VIR_CONNECT_COMPARE_CPU_FAIL_INCOMPATIBLE);
	fake_set_cpu(daemon_a, VIR_CPU_COMPARE_IDENTICAL, 0);
	cr_assert_eq(domain_ask_cpu(URI, &question, LONG_MS, &answer, &text, &error), 0);
	cr_expect_eq(answer, MLX5LM_ANSWER_YES);
}

Test(domain_ask, what_is_not_known_of_the_guest_is_left_to_libvirt)
{
	const struct cpu_question plain = { .cpu = "<cpu/>" };

	cr_assert_eq(domain_ask_cpu(URI, &plain, LONG_MS, &answer, &text, &error), 0);
	cr_expect_str_eq(fake_calls().cpu_question, "||||<cpu/>");
}

Test(domain_ask, a_cpu_that_lacks_features_is_an_answer_with_their_names)
{
	fake_set_cpu(daemon_a, VIR_CPU_COMPARE_ERROR, VIR_ERR_CPU_INCOMPATIBLE);
	cr_assert_eq(domain_ask_cpu(URI, &question, LONG_MS, &answer, &text, &error), 0);
	cr_expect_eq(answer, MLX5LM_ANSWER_NO);
	cr_expect_str_eq(text, "the host lacks: avx512f, amx-tile");
}

Test(domain_ask, a_daemon_that_only_says_no)
{
	fake_set_cpu(daemon_a, VIR_CPU_COMPARE_INCOMPATIBLE, 0);
	cr_assert_eq(domain_ask_cpu(URI, &question, LONG_MS, &answer, &text, &error), 0);
	cr_expect_eq(answer, MLX5LM_ANSWER_NO);
	cr_expect_not_null(text);
}

Test(domain_ask, a_daemon_that_cannot_compare_is_no_answer)
{
	fake_set_cpu(daemon_a, VIR_CPU_COMPARE_ERROR, VIR_ERR_NO_SUPPORT);
	expect_error(domain_ask_cpu(URI, &question, LONG_MS, &answer, &text, &error), EOPNOTSUPP,
		     MLX5LM_ERROR_NOT_SUPPORTED, "cannot compare CPUs");
	cr_expect_eq(answer, 0);
}

Test(domain_ask, a_daemon_without_rights_for_the_caller)
{
	fake_set_cpu(daemon_a, VIR_CPU_COMPARE_ERROR, VIR_ERR_ACCESS_DENIED);
	expect_error(domain_ask_cpu(URI, &question, LONG_MS, &answer, &text, &error), EACCES,
		     MLX5LM_ERROR_PERMISSION, "cannot compare CPUs");
}

Test(domain_ask, a_cpu_is_compared_over_a_connection_that_is_open)
{
	struct _virConnect *connection;

	cr_assert_eq(libvirt_open(URI, &connection, NULL), 0);
	cr_assert_eq(domain_compare_cpu(connection, URI, &question, &answer, &text, &error), 0);
	cr_expect_eq(answer, MLX5LM_ANSWER_YES);
	cr_expect_eq(fake_calls().connects, 1);
	fake_set_cpu(daemon_a, VIR_CPU_COMPARE_ERROR, VIR_ERR_CPU_INCOMPATIBLE);
	cr_assert_eq(domain_compare_cpu(connection, URI, &question, &answer, &text, &error), 0);
	cr_expect_eq(answer, MLX5LM_ANSWER_NO);
	cr_expect_str_eq(text, "the host lacks: avx512f, amx-tile");
	libvirt_close(connection);
}

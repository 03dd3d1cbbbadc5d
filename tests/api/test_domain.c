// SPDX-License-Identifier: LGPL-2.1-or-later
#include <criterion/criterion.h>
#include <errno.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <mlx5lm/mlx5lm.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/fake_libvirt.h"
#include "support/hosts.h"

#define URI "fake://a"
#define UUID "6a7e1a7c-0d36-4f1c-9d6e-0b8f2c9d0001"
#define VF "<hostdev type='pci'><source><address bus='8' slot='0' function='2'/></source></hostdev>"
#define DOMAIN(settings)                                                                           \
	"<domain type='kvm'><name>guest</name><uuid>" UUID "</uuid>" settings "<devices>" VF       \
	"</devices></domain>"
#define CPU "<cpu mode='custom'><model>Icelake-Server</model></cpu>"

static struct fake_daemon *daemon_a;
static struct mlx5lm_ctx *ctx;
static struct mlx5lm_domain *domain;
static struct mlx5lm_error *error;

static void setup(void)
{
	fake_reset();
	daemon_a = fake_daemon(URI, "host-a");
	cr_assert_eq(mlx5lm_ctx_new(&ctx), 0);
}

static void teardown(void)
{
	mlx5lm_domain_free(domain);
	mlx5lm_error_free(error);
	mlx5lm_ctx_unref(ctx);
	cr_expect_eq(fake_calls().open_objects, 0);
}

TestSuite(domain, .init = setup, .fini = teardown);

static void parse(const char *xml)
{
	mlx5lm_domain_free(domain);
	domain = NULL;
	cr_assert_eq(mlx5lm_domain_parse(xml, strlen(xml), &domain, &error), 0, "%s",
		     mlx5lm_error_get_message(error));
}

static void expect_text(enum mlx5lm_domain_key key, const char *expected)
{
	const char *text = NULL;

	cr_assert_eq(mlx5lm_domain_get_str(domain, key, &text), 0);
	cr_expect_str_eq(text, expected);
}

static void expect_number(enum mlx5lm_domain_key key, uint64_t expected)
{
	uint64_t number = 0;

	cr_assert_eq(mlx5lm_domain_get_u64(domain, key, &number), 0);
	cr_expect_eq(number, expected);
}

Test(domain, a_domain_tells_what_it_is)
{
	static const char xml[] = DOMAIN("<memory unit='MiB'>3</memory>"
					 "<maxMemory unit='MiB' slots='1'>4</maxMemory>");
	uint64_t number;
	const char *text;

	parse(xml);
	expect_text(MLX5LM_DOMAIN_NAME, "guest");
	expect_text(MLX5LM_DOMAIN_UUID, UUID);
	expect_text(MLX5LM_DOMAIN_XML, xml);
	expect_number(MLX5LM_DOMAIN_MEMORY_BYTES, 4 << 20);
	cr_expect_eq(mlx5lm_domain_get_u64(domain, MLX5LM_DOMAIN_CPU, &number), -ENODATA);
	cr_expect_eq(mlx5lm_domain_get_u64(domain, MLX5LM_DOMAIN_NAME, &number), -EINVAL);
	cr_expect_eq(mlx5lm_domain_get_str(domain, MLX5LM_DOMAIN_CPU, &text), -EINVAL);
	cr_expect_eq(mlx5lm_domain_get_str(domain, (enum mlx5lm_domain_key)99, &text), -EINVAL);
	cr_expect_eq(mlx5lm_domain_length_hostdevs(domain), 1);
	cr_expect_str_eq(mlx5lm_domain_get_hostdev(domain, 0), "0000:08:00.2");
	cr_expect_null(mlx5lm_domain_get_hostdev(domain, 1));
	parse(DOMAIN(""));
	cr_expect_eq(mlx5lm_domain_get_u64(domain, MLX5LM_DOMAIN_MEMORY_BYTES, &number), -ENODATA);
}

Test(domain, null_is_refused_or_nothing)
{
	struct mlx5lm_findings *findings = NULL;
	const char *text;
	uint64_t number;

	cr_expect_eq(mlx5lm_domain_parse(NULL, 1, &domain, NULL), -EINVAL);
	cr_expect_eq(mlx5lm_domain_parse("", 0, NULL, NULL), -EINVAL);
	cr_expect_eq(mlx5lm_domain_read(NULL, URI, "a", 0, &domain, NULL), -EINVAL);
	cr_expect_eq(mlx5lm_domain_read(ctx, URI, NULL, 0, &domain, NULL), -EINVAL);
	cr_expect_eq(mlx5lm_domain_read(ctx, URI, "a", 0, NULL, NULL), -EINVAL);
	cr_expect_eq(mlx5lm_domain_ask_destination(NULL, ctx, URI, 0, NULL), -EINVAL);
	cr_expect_eq(mlx5lm_domain_get_str(NULL, MLX5LM_DOMAIN_NAME, &text), -EINVAL);
	cr_expect_eq(mlx5lm_domain_get_u64(NULL, MLX5LM_DOMAIN_CPU, &number), -EINVAL);
	cr_expect_eq(mlx5lm_domain_check(NULL, NULL, NULL, 0, &findings, NULL), -EINVAL);
	cr_expect_eq(mlx5lm_domain_length_hostdevs(NULL), 0);
	cr_expect_null(mlx5lm_domain_get_hostdev(NULL, 0));
	mlx5lm_domain_free(NULL);
	parse(DOMAIN(CPU));
	cr_expect_eq(mlx5lm_domain_ask_destination(domain, NULL, URI, 0, NULL), -EINVAL);
	cr_expect_eq(mlx5lm_domain_ask_destination(domain, ctx, NULL, 0, NULL), -EINVAL);
	cr_expect_eq(mlx5lm_domain_check(domain, NULL, NULL, 0, NULL, NULL), -EINVAL);
}

static void expect_refused(const char *xml, size_t length, const char *words)
{
	cr_expect_eq(mlx5lm_domain_parse(xml, length, &domain, &error), -EBADMSG);
	cr_assert_null(domain);
	cr_expect_not_null(strstr(mlx5lm_error_get_message(error), words), "%s",
			   mlx5lm_error_get_message(error));
	mlx5lm_error_free(error);
	error = NULL;
}

Test(domain, bytes_that_are_no_text_are_refused)
{
	static const char xml[] = DOMAIN("") "\0<hostdev/>";
	const size_t length = 10 * 1024 * 1024;
	char *large = malloc(length + 1);

	expect_refused(xml, sizeof(xml) - 1, "NUL byte");
	expect_refused(xml, 20, "line 1");
	expect_refused(xml, 0, "well-formed");
	cr_assert_not_null(large);
	memset(large, ' ', length + 1);
	memcpy(large, xml, strlen(xml));
	expect_refused(large, length + 1, "10 MiB");
	free(large);
}

Test(domain, what_stands_behind_the_length_is_not_read)
{
	static const char xml[] = DOMAIN("");
	char *exact = malloc(strlen(xml));

	cr_assert_not_null(exact);
	memcpy(exact, xml, strlen(xml));
	cr_expect_eq(mlx5lm_domain_parse(exact, strlen(xml), &domain, &error), 0);
	expect_text(MLX5LM_DOMAIN_XML, xml);
	free(exact);
	mlx5lm_domain_free(domain);
	domain = NULL;
	cr_expect_eq(mlx5lm_domain_parse(DOMAIN("") "<", strlen(xml), &domain, &error), 0);
}

Test(domain, a_domain_is_read_from_libvirt)
{
	fake_domain(daemon_a, "guest", UUID, DOMAIN(""));
	cr_assert_eq(mlx5lm_domain_read(ctx, URI, "guest", 0, &domain, &error), 0);
	expect_text(MLX5LM_DOMAIN_XML, DOMAIN(""));
	cr_expect_eq(fake_calls().closes, 1);
}

Test(domain, without_a_uri_it_is_the_system_daemon)
{
	fake_domain(fake_daemon("qemu:///system", "host-b"), "guest", UUID, DOMAIN(""));
	cr_assert_eq(mlx5lm_domain_read(ctx, NULL, UUID, 0, &domain, &error), 0);
	expect_text(MLX5LM_DOMAIN_NAME, "guest");
}

Test(domain, what_libvirt_sends_is_not_trusted)
{
	fake_domain(daemon_a, "guest", UUID, "<!DOCTYPE a><domain/>");
	cr_expect_eq(mlx5lm_domain_read(ctx, URI, "guest", 0, &domain, &error), -EBADMSG);
	cr_expect_null(domain);
}

Test(domain, reading_ends_with_a_reason)
{
	cr_expect_eq(mlx5lm_domain_read(ctx, URI, "guest", 0, &domain, &error), -ENOENT);
	mlx5lm_error_free(error);
	error = NULL;
	fake_hold_connect(daemon_a);
	cr_expect_eq(mlx5lm_domain_read(ctx, URI, "guest", 50, &domain, &error), -ETIMEDOUT);
	cr_expect_null(domain);
	fake_let_go();
	while (fake_calls().closes < 2)
		usleep(1000);
}

Test(domain, the_destination_is_asked_about_the_cpu)
{
	parse(DOMAIN("<os><type arch='x86_64' machine='q35'>hvm</type></os>" CPU));
	cr_assert_eq(mlx5lm_domain_ask_destination(domain, ctx, URI, 0, &error), 0);
	expect_number(MLX5LM_DOMAIN_CPU, MLX5LM_ANSWER_YES);
	cr_expect_str_eq(fake_calls().cpu_question,
			 "|x86_64|q35|kvm|<cpu mode=\"custom\"><model>Icelake-Server</model></cpu>");
	fake_set_cpu(daemon_a, VIR_CPU_COMPARE_ERROR, VIR_ERR_CPU_INCOMPATIBLE);
	cr_assert_eq(mlx5lm_domain_ask_destination(domain, ctx, URI, 0, &error), 0);
	expect_number(MLX5LM_DOMAIN_CPU, MLX5LM_ANSWER_NO);
}

Test(domain, an_answer_stays_until_there_is_another)
{
	parse(DOMAIN(CPU));
	cr_assert_eq(mlx5lm_domain_ask_destination(domain, ctx, URI, 0, &error), 0);
	fake_set_cpu(daemon_a, VIR_CPU_COMPARE_ERROR, VIR_ERR_INTERNAL_ERROR);
	cr_expect_eq(mlx5lm_domain_ask_destination(domain, ctx, URI, 0, &error), -EIO);
	expect_number(MLX5LM_DOMAIN_CPU, MLX5LM_ANSWER_YES);
}

Test(domain, nobody_is_asked_about_no_cpu)
{
	uint64_t number;

	parse(DOMAIN(""));
	cr_assert_eq(mlx5lm_domain_ask_destination(domain, ctx, URI, 0, &error), 0);
	expect_number(MLX5LM_DOMAIN_CPU, MLX5LM_ANSWER_YES);
	parse(DOMAIN("<cpu mode='host-passthrough'/>"));
	cr_assert_eq(mlx5lm_domain_ask_destination(domain, ctx, URI, 0, &error), 0);
	cr_expect_eq(mlx5lm_domain_get_u64(domain, MLX5LM_DOMAIN_CPU, &number), -ENODATA);
	cr_expect_eq(fake_calls().connects, 0);
}

Test(domain, the_root_of_another_machine_has_no_daemons)
{
	char path[] = "/tmp/mlx5lm-XXXXXX";

	cr_assert_not_null(mkdtemp(path));
	cr_assert_eq(mlx5lm_ctx_set_root(ctx, path, NULL), 0);
	cr_expect_eq(mlx5lm_domain_read(ctx, URI, "guest", 0, &domain, &error), -EROFS);
	cr_expect_eq(mlx5lm_error_get_code(error), MLX5LM_ERROR_READ_ONLY_ROOT);
	parse(DOMAIN(CPU));
	cr_expect_eq(mlx5lm_domain_ask_destination(domain, ctx, URI, 0, NULL), -EROFS);
	cr_expect_eq(fake_calls().connects, 0);
	rmdir(path);
}

Test(domain, what_stands_in_the_way_is_found)
{
	struct mlx5lm_host *host = ready_host("a", 2);
	struct mlx5lm_findings *findings = NULL;
	struct mlx5lm_text *text = NULL;

	parse(DOMAIN(""));
	cr_assert_eq(mlx5lm_domain_check(domain, host, NULL, 0, &findings, &error), 0);
	cr_expect_eq(mlx5lm_findings_get_status(findings), MLX5LM_STATUS_PASS);
	mlx5lm_findings_free(findings);
	cr_assert_eq(mlx5lm_domain_check(domain, host, NULL, VIR_MIGRATE_POSTCOPY, &findings,
					 &error), 0);
	cr_expect_eq(mlx5lm_findings_get_status(findings), MLX5LM_STATUS_FAIL);
	cr_assert_eq(mlx5lm_findings_serialize(findings, &text), 0);
	cr_expect_not_null(strstr(mlx5lm_text_get_str(text), "domain.postcopy"));
	mlx5lm_text_free(text);
	mlx5lm_findings_free(findings);
	mlx5lm_host_free(host);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
/* The real client library against sockets that are no good. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "sys/libvirt.h"

static char directory[] = "/tmp/mlx5lm-socket-XXXXXX";
static struct sockaddr_un address = { .sun_family = AF_UNIX };
static char uri[256];
static struct libvirt_facts facts;
static struct mlx5lm_error *error;

static void setup(void)
{
	cr_assert_not_null(mkdtemp(directory));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/sock", directory);
	snprintf(uri, sizeof(uri), "qemu+unix:///system?socket=%s", address.sun_path);
}

static void teardown(void)
{
	libvirt_facts_release(&facts);
	mlx5lm_error_free(error);
	unlink(address.sun_path);
	rmdir(directory);
}

TestSuite(libvirt_socket, .init = setup, .fini = teardown);

static int ask(unsigned int timeout_ms)
{
	struct libvirt_probe *probe;

	cr_assert_eq(libvirt_probe_start(uri, &probe, &error), 0);
	return libvirt_probe_finish(probe, (uint64_t)clock_now_ms() + timeout_ms, &facts, &error);
}

static int listen_there(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_geq(fd, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(listen(fd, 1), 0);
	return fd;
}

Test(libvirt_socket, one_that_accepts_and_never_answers_costs_the_deadline)
{
	int fd = listen_there();
	int64_t begin_ms = clock_now_ms(), took_ms;

	cr_expect_eq(ask(1000), -ETIMEDOUT);
	took_ms = clock_now_ms() - begin_ms;
	cr_expect(took_ms >= 1000 && took_ms < 2000, "%lld ms", (long long)took_ms);
	cr_expect_eq(mlx5lm_error_get_code(error), MLX5LM_ERROR_TIMEOUT);
	cr_expect(facts.client_version.known);
	cr_expect_geq(facts.client_version.value, 6000000);
	cr_expect_not(facts.daemon_version.known);
	close(fd);
}

Test(libvirt_socket, one_that_hangs_up_is_a_connect_error)
{
	int fd = listen_there(), peer;
	struct libvirt_probe *probe;

	cr_assert_eq(libvirt_probe_start(uri, &probe, &error), 0);
	peer = accept(fd, NULL, NULL);
	cr_assert_geq(peer, 0);
	close(peer);
	close(fd);
	cr_expect_lt(libvirt_probe_finish(probe, (uint64_t)clock_now_ms() + 20000, &facts, &error),
		     0);
	cr_expect_neq(mlx5lm_error_get_code(error), MLX5LM_ERROR_TIMEOUT);
	cr_expect_not_null(mlx5lm_error_get_detail(error));
}

Test(libvirt_socket, one_that_is_not_there_is_a_connect_error)
{
	cr_expect_eq(ask(20000), -ENOENT);
	cr_expect_eq(mlx5lm_error_get_code(error), MLX5LM_ERROR_CONNECT);
	cr_expect_not_null(strstr(mlx5lm_error_get_message(error), uri));
}

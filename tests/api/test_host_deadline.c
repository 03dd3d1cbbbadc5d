// SPDX-License-Identifier: LGPL-2.1-or-later
/* All that a probe asks outside hangs at once: it costs the deadline, and the rest is there. */
#include <criterion/criterion.h>
#include <mlx5lm/mlx5lm.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/tree.h"

#define TIMEOUT_MS 1500

static struct tree *tree;
static struct mlx5lm_ctx *ctx;
static struct mlx5lm_probe_options *options;
static struct mlx5lm_host *host;

static void setup(void)
{
	tree = tree_new();
	tree_add_host(tree, true);
	tree_add_pf(tree, &(struct tree_pf){ .bdf = "0000:08:00.0",
					     .device_id = 0x1021,
					     .total_vfs = 4 });
	cr_assert_eq(mlx5lm_ctx_new(&ctx), 0);
	cr_assert_eq(mlx5lm_ctx_set_root(ctx, tree_path(tree), NULL), 0);
	cr_assert_eq(mlx5lm_probe_options_new(&options), 0);
	cr_assert_eq(mlx5lm_probe_options_set_timeout_ms(options, TIMEOUT_MS), 0);
}

static void teardown(void)
{
	mlx5lm_host_free(host);
	mlx5lm_probe_options_free(options);
	mlx5lm_ctx_unref(ctx);
	tree_free(tree);
}

TestSuite(host_deadline, .init = setup, .fini = teardown);

static void add_hanging_tool(void)
{
	char path[512];

	tree_write(tree, "#!/bin/sh\nexec sleep 1000\n", "usr/bin/mstconfig");
	snprintf(path, sizeof(path), "%s/usr/bin/mstconfig", tree_path(tree));
	cr_assert_eq(chmod(path, 0755), 0);
	cr_assert_eq(mlx5lm_probe_options_set_nv_tools(options, 1), 0);
}

/* A socket that takes connections and never answers. */
static int add_dead_daemon(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char uri[256];

	snprintf(address.sun_path, sizeof(address.sun_path), "%.80s/socket", tree_path(tree));
	cr_assert_geq(fd, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(listen(fd, 1), 0);
	snprintf(uri, sizeof(uri), "qemu+unix:///system?socket=%s", address.sun_path);
	cr_assert_eq(mlx5lm_probe_options_set_libvirt_uri(options, uri), 0);
	return fd;
}

static bool has_note(const char *object, const char *words)
{
	for (size_t i = 0; i < mlx5lm_host_length_notes(host); i++) {
		const char *note = mlx5lm_host_get_note(host, i);

		if (strncmp(note, object, strlen(object)) == 0 && strstr(note, words))
			return true;
	}
	return false;
}

Test(host_deadline, a_tool_and_a_daemon_that_hang_cost_the_deadline_once)
{
	int64_t begin_ms = clock_now_ms(), took_ms;
	const char *text = NULL;
	uint64_t number = 0;
	int fd;

	add_hanging_tool();
	fd = add_dead_daemon();
	cr_assert_eq(mlx5lm_host_probe(ctx, options, &host, NULL), 0);
	took_ms = clock_now_ms() - begin_ms;
	cr_expect(took_ms >= TIMEOUT_MS && took_ms < TIMEOUT_MS + 1000, "%lld ms",
		  (long long)took_ms);
	cr_expect(has_note("libvirt", "did not answer in time"));
	cr_expect(has_note("0000:08:00.0", "/usr/bin/mstconfig: it did not answer in time"));
	cr_expect_eq(mlx5lm_host_get_str(host, MLX5LM_HOST_KERNEL_RELEASE, &text), 0);
	cr_expect_str_eq(text, TREE_RELEASE);
	cr_expect_eq(mlx5lm_host_get_u64(host, MLX5LM_HOST_LIBVIRT_CLIENT_VERSION, &number), 0);
	cr_expect_lt(mlx5lm_host_get_u64(host, MLX5LM_HOST_LIBVIRT_DAEMON_VERSION, &number), 0);
	cr_expect_eq(mlx5lm_pf_get_u64(mlx5lm_host_get_pf(host, 0), MLX5LM_PF_SRIOV_TOTAL_VFS,
				       &number),
		     0);
	cr_expect_eq(number, 4);
	close(fd);
}

Test(host_deadline, nobody_is_asked_who_was_not_named)
{
	cr_assert_eq(mlx5lm_probe_options_set_libvirt_uri(options, NULL), 0);
	cr_assert_eq(mlx5lm_host_probe(ctx, options, &host, NULL), 0);
	cr_expect(has_note("libvirt", "it was not asked: the caller named no daemon"));
	cr_expect(has_note("0000:08:00.0", "the caller does not want a tool to be run"));
}

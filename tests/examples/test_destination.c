// SPDX-License-Identifier: LGPL-2.1-or-later
/* What mlx5lm-migrate asks of the agent, and when: libvirt and the agent are stand-ins. */
#include "api/session_scene.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common.h"
#include "destination.h"

#define MAC "02:4d:4c:58:35:07"

static char folder[] = "/tmp/mlx5lm-test-XXXXXX";
static struct destination destination;
static struct scene scene;
static char asked[16384];

/* common.c has names that the library uses inside, and would not link with it. */
void print_error(struct mlx5lm_error *error)
{
	cr_expect_fail("%s", mlx5lm_error_get_message(error));
	mlx5lm_error_free(error);
}

static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void write_file(const char *name, const char *text)
{
	FILE *file = fopen(path_of(name), "w");

	cr_assert(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

static void set_path(void)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s:%s", folder, getenv("PATH"));
	cr_assert_eq(setenv("PATH", path, 1), 0);
	cr_assert_eq(setenv("FAKE_SSH", folder, 1), 0);
}

static void set_up(void)
{
	struct target target = { .host = (char *)"b" };
	struct mlx5lm_text *text = NULL;
	struct mlx5lm_host *source;

	fake_reset();
	signal(SIGPIPE, SIG_IGN);
	cr_assert(mkdtemp(folder));
	cr_assert_eq(symlink(FAKE_SSH_PATH, path_of("ssh")), 0);
	set_path();
	set_scene(&scene, "e");
	source = ready_host("a", 2);
	set_text(&source->pfs[0].vfs[0].hw_addr, MAC);
	cr_assert_eq(remote_open(&destination.remote, &target, "mlx5lm-agent"), 0);
	destination.source = source;
	destination.host = ready_host("b", 4);
	cr_assert_eq(mlx5lm_host_serialize(destination.host, &text), 0);
	write_file("probe.json", mlx5lm_text_get_str(text));
	mlx5lm_text_free(text);
}

static void tear_down(void)
{
	const char *const names[] = { "ssh", "log", "probe.json", "fail-apply", "fail-commit",
				      "fail-release", "die-apply", "die-commit" };

	drop_scene(&scene);
	mlx5lm_host_free((struct mlx5lm_host *)destination.source);
	mlx5lm_host_free(destination.host);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		unlink(path_of(names[i]));
	cr_expect_eq(rmdir(folder), 0);
	fake_reset();
}

TestSuite(destination, .init = set_up, .fini = tear_down, .timeout = 60);

static int migrate(void)
{
	make_session(&scene);
	cr_assert_eq(mlx5lm_session_set_hook(scene.session, destination_hook, &destination, NULL),
		     0);
	return mlx5lm_session_run(scene.session, &scene.error);
}

/* The methods that were asked for, in their order; asked has the params, too. */
static const char *end_and_list(void)
{
	static char methods[256];
	size_t length;
	FILE *file;

	remote_close(&destination.remote);
	file = fopen(path_of("log"), "r");
	cr_assert(file);
	length = fread(asked, 1, sizeof(asked) - 1, file);
	fclose(file);
	asked[length] = '\0';
	methods[0] = '\0';
	for (const char *line = asked; *line; line = strchr(line, '\n') + 1) {
		strncat(methods, line, strcspn(line, " \n"));
		strcat(methods, " ");
	}
	return methods;
}

Test(destination, the_vf_is_made_ready_without_traffic_and_gets_it_at_the_switchover)
{
	cr_expect_eq(migrate(), 0, "%s", mlx5lm_error_get_message(scene.error));
	cr_expect_str_eq(end_and_list(), "apply probe commit end ");
	cr_expect(strstr(asked, "apply {\"config\": {\"schema\": \"mlx5lm.config\", "
				"\"schema_version\": 1, \"vfs\": [{\"driver\": \"mlx5_vfio_pci\", "
				"\"hw_addr\": \"" MAC "\", \"index\": 0, \"migratable\": \"enable\", "
				"\"representor_state\": \"down\"}]}, \"pf\": \"0000:08:00.0\"}"),
		  "%s", asked);
	cr_expect(strstr(asked, "commit {\"vfs\": [\"0000:08:00.2\"]}"), "%s", asked);
	expect_guest(&scene, true);
}

Test(destination, the_vf_that_was_named_is_the_one_that_is_prepared)
{
	cr_assert_eq(mlx5lm_session_options_set_vf(scene.options, "08:00.2", "08:00.5"), 0);
	cr_expect_eq(migrate(), 0);
	cr_expect_str_eq(end_and_list(), "apply probe commit end ");
	cr_expect(strstr(asked, "\"index\": 3"), "%s", asked);
	cr_expect(strstr(asked, "commit {\"vfs\": [\"0000:08:00.5\"]}"), "%s", asked);
}

Test(destination, a_vf_without_an_address_takes_none_along)
{
	set_text(&((struct mlx5lm_host *)destination.source)->pfs[0].vfs[0].hw_addr,
		 "00:00:00:00:00:00");
	cr_expect_eq(migrate(), 0);
	cr_expect_str_eq(end_and_list(), "apply probe commit end ");
	cr_expect_not(strstr(asked, "hw_addr"), "%s", asked);
}

Test(destination, what_cannot_be_prepared_is_told_with_its_remedy_and_nothing_is_started)
{
	write_file("fail-apply", "0000:08:00.0 is \033[2J in use");
	cr_expect_lt(migrate(), 0);
	expect_reason(&scene, MLX5LM_REASON_HOOK);
	cr_expect(strstr(mlx5lm_error_get_message(scene.error), "0000:08:00.0 is  [2J in use: why"),
		  "%s", mlx5lm_error_get_message(scene.error));
	cr_expect_str_eq(mlx5lm_error_get_remedy(scene.error), "do this");
	cr_expect_eq(fake_calls().migrations, 0);
	expect_guest(&scene, false);
	cr_expect_not(strstr(end_and_list(), "commit"), "%s", asked);
}

Test(destination, a_migration_that_fails_releases_what_was_prepared)
{
	scene.guest->script.end = FAKE_FAILS;
	cr_expect_lt(migrate(), 0);
	expect_guest(&scene, false);
	cr_expect(strstr(end_and_list(), "release end "), "%s", asked);
	cr_expect(strstr(asked, "release {\"vfs\": [\"0000:08:00.2\"]}"), "%s", asked);
}

Test(destination, one_that_is_cancelled_does_so_too)
{
	scene.cancel_in = MLX5LM_PHASE_PRE_COPY;
	scene.guest->script.pre_copy_polls = 1000;
	cr_expect_eq(migrate(), -ECANCELED);
	cr_expect_str_eq(end_and_list(), "apply probe release end ");
}

Test(destination, an_agent_that_dies_is_named_and_the_guest_stays)
{
	write_file("die-apply", "");
	cr_expect_lt(migrate(), 0);
	expect_reason(&scene, MLX5LM_REASON_HOOK);
	cr_expect(strstr(mlx5lm_error_get_message(scene.error), "the agent at b has ended"), "%s",
		  mlx5lm_error_get_message(scene.error));
	expect_guest(&scene, false);
	cr_expect_eq(fake_calls().migrations, 0);
	end_and_list();
}

Test(destination, a_commit_that_fails_aborts_and_releases)
{
	write_file("fail-commit", "no");
	scene.guest->script.late_aborts = true;
	scene.guest->script.switchover_polls = FOREVER;
	cr_expect_lt(migrate(), 0);
	expect_reason(&scene, MLX5LM_REASON_HOOK);
	cr_expect(strstr(mlx5lm_error_get_message(scene.error), "no: why"), "%s",
		  mlx5lm_error_get_message(scene.error));
	expect_guest(&scene, false);
	cr_expect_str_eq(end_and_list(), "apply probe commit release end ");
}

Test(destination, a_release_that_fails_does_not_hide_why_it_was_due)
{
	write_file("fail-release", "no");
	scene.guest->script.end = FAKE_FAILS;
	cr_expect_lt(migrate(), 0);
	cr_expect(strstr(mlx5lm_error_get_detail(scene.error), "words of libvirt"));
	end_and_list();
}

Test(destination, a_guest_without_vfs_asks_nothing_of_the_agent)
{
	set_plain(&scene);
	cr_expect_eq(migrate(), 0, "%s", mlx5lm_error_get_message(scene.error));
	cr_expect_str_eq(end_and_list(), "end ");
}

Test(destination, targets_are_taken_apart)
{
	struct target target;
	char *uri;

	cr_assert_eq(target_parse("ssh://me@[fe80::1]:22/", &target), 0);
	cr_expect_str_eq(target.user, "me");
	cr_expect_str_eq(target.host, "fe80::1");
	cr_expect_str_eq(target.port, "22");
	uri = target_libvirt_uri(&target);
	cr_expect_str_eq(uri, "qemu+ssh://me@[fe80::1]:22/system");
	free(uri);
	target_release(&target);
	migrate();
	end_and_list();
}

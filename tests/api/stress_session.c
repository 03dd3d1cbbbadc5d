// SPDX-License-Identifier: LGPL-2.1-or-later

/*
 * Fifty sessions at once, each in a thread of its own and cancelled or not by yet another one
 * at an arbitrary moment. A plain program, because Criterion cannot run under ThreadSanitizer,
 * which is what it is for: meson setup -Db_sanitize=thread.
 */

#include <mlx5lm/mlx5lm.h>

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <libvirt/libvirt.h>

#include "support/fake_libvirt.h"
#include "support/hosts.h"

#define SESSIONS 50
#define UUID "6f0e4bb1-6d3a-4b7a-9c6c-0a4a5a1f0001"

static const char guest_xml[] =
	"<domain><name>guest</name><uuid>" UUID "</uuid><devices><hostdev type='pci'><source>"
	"<address domain='0' bus='0x08' slot='0' function='2'/></source></hostdev></devices>"
	"</domain>";

enum fate {
	LEFT_ALONE,
	CANCELLED,
	ABANDONED, /* unref while it runs */
	FATES,
};

struct run {
	enum fate fate;
	useconds_t delay_us;
	struct fake_daemon *here, *there;
	struct mlx5lm_session *session;
	int result;
	int done_events;
	pthread_t thread, canceller;
};

static void must(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "stress_session: %s\n", what);
	exit(1);
}

static int count_done(const struct mlx5lm_progress *progress, void *userdata)
{
	struct run *run = userdata;

	run->done_events += mlx5lm_progress_get_event(progress) == MLX5LM_EVENT_DONE;
	return 0;
}

static void *cancel(void *argument)
{
	struct run *run = argument;

	usleep(run->delay_us);
	mlx5lm_session_cancel(run->session);
	mlx5lm_session_unref(run->session);
	return NULL;
}

static void *migrate(void *argument)
{
	struct run *run = argument;

	if (run->fate == ABANDONED) {
		must(mlx5lm_session_start(run->session, NULL) == 0, "start fails");
		usleep(run->delay_us);
	} else {
		run->result = mlx5lm_session_run(run->session, NULL);
	}
	mlx5lm_session_unref(run->session);
	return NULL;
}

static void prepare(struct run *run, struct mlx5lm_ctx *ctx, size_t index)
{
	struct mlx5lm_host *source = ready_host("a", 1), *destination = ready_host("b", 1);
	struct mlx5lm_session_options *options;
	struct fake_domain *guest;
	char here[32], there[32];

	snprintf(here, sizeof(here), "fake://%zu-a", index);
	snprintf(there, sizeof(there), "fake://%zu-b", index);
	run->here = fake_daemon(here, here);
	run->there = fake_daemon(there, there);
	guest = fake_domain(run->here, "guest", UUID, guest_xml);
	guest->script = (struct fake_script){ .pre_copy_polls = 3, .switchover_polls = 1 };
	run->fate = index % FATES;
	run->delay_us = (useconds_t)(index * 6000);
	must(mlx5lm_session_options_new(&options) == 0, "no options");
	mlx5lm_session_options_set_domain(options, "guest");
	mlx5lm_session_options_set_source_uri(options, here);
	mlx5lm_session_options_set_destination_uri(options, there);
	mlx5lm_session_options_set_hosts(options, source, destination);
	mlx5lm_session_options_set_interval_ms(options, 50);
	must(mlx5lm_session_new(ctx, options, &run->session, NULL) == 0, "no session");
	mlx5lm_session_set_progress(run->session, count_done, run, NULL);
	mlx5lm_session_options_free(options);
	mlx5lm_host_free(source);
	mlx5lm_host_free(destination);
}

static void check(const struct run *run)
{
	const struct fake_domain *here = fake_find(run->here, "guest");
	const struct fake_domain *there = fake_find(run->there, "guest");
	int stays = here && here->state == VIR_DOMAIN_RUNNING;
	int moved = there && there->state == VIR_DOMAIN_RUNNING;

	must(stays + moved == 1, "a guest runs nowhere or twice");
	if (run->fate == ABANDONED)
		return;
	must(run->done_events == 1, "not one final event");
	must(run->result == (moved ? 0 : -ECANCELED), "the result is not what happened");
	must(run->fate != LEFT_ALONE || moved, "a session that nobody cancelled did not complete");
}

static size_t open_fds(void)
{
	DIR *directory = opendir("/proc/self/fd");
	size_t length = 0;

	must(directory != NULL, "no /proc");
	while (readdir(directory))
		length++;
	closedir(directory);
	return length;
}

int main(void)
{
	static struct run runs[SESSIONS];
	size_t fds = open_fds();
	struct mlx5lm_ctx *ctx;

	fake_reset();
	must(mlx5lm_ctx_new(&ctx) == 0, "no context");
	for (size_t i = 0; i < SESSIONS; i++)
		prepare(&runs[i], ctx, i);
	mlx5lm_ctx_unref(ctx);
	for (size_t i = 0; i < SESSIONS; i++) {
		if (runs[i].fate == CANCELLED) {
			mlx5lm_session_ref(runs[i].session);
			must(!pthread_create(&runs[i].canceller, NULL, cancel, &runs[i]), "thread");
		}
		must(!pthread_create(&runs[i].thread, NULL, migrate, &runs[i]), "thread");
	}
	for (size_t i = 0; i < SESSIONS; i++) {
		pthread_join(runs[i].thread, NULL);
		if (runs[i].fate == CANCELLED)
			pthread_join(runs[i].canceller, NULL);
	}
	for (size_t i = 0; i < SESSIONS; i++)
		check(&runs[i]);
	must(fake_calls().open_objects == 0, "objects of libvirt are left open");
	must(open_fds() == fds, "file descriptors are left open");
	fake_reset();
	return 0;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/session_scene.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cleanup.h"

static void each(void)
{
	fake_reset();
}

TestSuite(session_events, .init = each, .fini = fake_reset, .timeout = 120);

#define MAX_EVENTS 256

/* Fetches all that comes until the end, or until nothing comes for so long. */
static size_t fetch(struct scene *scene, uint32_t timeout_ms, char *phases, size_t size,
		    enum mlx5lm_event events[static MAX_EVENTS], int *ret)
{
	const struct mlx5lm_progress *progress = NULL;
	size_t length = 0, used = 0;

	*phases = '\0';
	for (;;) {
		*ret = mlx5lm_session_next_event(scene->session, timeout_ms, &progress, NULL);
		if (*ret <= 0)
			return length;
		cr_assert_lt(length, MAX_EVENTS);
		events[length] = mlx5lm_progress_get_event(progress);
		if ((events[length] == MLX5LM_EVENT_PHASE || events[length] == MLX5LM_EVENT_DONE) &&
		    mlx5lm_progress_get_phase(progress) != MLX5LM_PHASE_RESUME)
			used += (size_t)snprintf(phases + used, size - used, "%s ",
						 mlx5lm_phase_str(
							 mlx5lm_progress_get_phase(progress)));
		length++;
	}
}

static const char all_phases[] =
	"preflight prepare setup pre-copy switchover verify clean-up completed ";

Test(session_events, can_be_fetched_one_by_one)
{
	enum mlx5lm_event events[MAX_EVENTS];
	struct scene scene;
	char phases[512];
	size_t length;
	int r;

	set_scene(&scene, "e");
	make_session(&scene);
	cr_assert_eq(mlx5lm_session_start(scene.session, NULL), 0);
	length = fetch(&scene, 5000, phases, sizeof(phases), events, &r);
	cr_expect_eq(r, -ENODATA);
	cr_expect_str_eq(phases, all_phases);
	cr_assert_gt(length, 0);
	cr_expect_eq(events[length - 1], MLX5LM_EVENT_DONE);
	cr_expect_str_eq(scene.events, "", "the callback is not called");
	cr_expect_eq(mlx5lm_session_get_result(scene.session, NULL), 0);
	cr_expect_eq(mlx5lm_session_next_event(scene.session, 0, NULL, NULL), -EINVAL);
	end_scene(&scene);
}

Test(session_events, that_are_not_fetched_are_kept_but_for_samples)
{
	enum mlx5lm_event events[MAX_EVENTS];
	size_t length, samples = 0;
	struct scene scene;
	char phases[512];
	int r;

	set_scene(&scene, "e");
	scene.guest->script.pre_copy_polls = 20;
	make_session(&scene);
	cr_assert_eq(mlx5lm_session_start(scene.session, NULL), 0);
	for (int i = 0; i < 500 && (!fake_find(scene.there, "guest") || fake_calls().jobs); i++)
		usleep(10000);
	usleep(300000);
	length = fetch(&scene, 5000, phases, sizeof(phases), events, &r);
	cr_expect_eq(r, -ENODATA);
	cr_expect_str_eq(phases, all_phases);
	for (size_t i = 0; i < length; i++)
		samples += events[i] == MLX5LM_EVENT_SAMPLE;
	cr_expect_geq(samples, 1);
	cr_expect_lt(samples, 12, "%zu samples, though nobody fetched them", samples);
	end_scene(&scene);
}

Test(session_events, are_waited_for_no_longer_than_asked)
{
	static const struct fake_sample still[] = { { 1 << 19, 1, 100, 1 << 20 } };
	enum mlx5lm_event events[MAX_EVENTS];
	uint64_t begin_ms, took_ms;
	struct scene scene;
	char phases[512];
	int r;

	set_scene(&scene, "e");
	scene.guest->script.pre_copy_polls = FOREVER;
	scene.guest->script.samples = still;
	scene.guest->script.num_samples = 1;
	set_u64(&scene, MLX5LM_SESSION_INTERVAL_MS, 60000);
	make_session(&scene);
	cr_assert_eq(mlx5lm_session_start(scene.session, NULL), 0);
	fetch(&scene, 1000, phases, sizeof(phases), events, &r);
	cr_expect_eq(r, 0);
	begin_ms = now_ms();
	fetch(&scene, 300, phases, sizeof(phases), events, &r);
	took_ms = now_ms() - begin_ms;
	cr_expect_eq(r, 0);
	cr_expect(took_ms >= 300 && took_ms < 1500, "%llu ms", (unsigned long long)took_ms);
	begin_ms = now_ms();
	fetch(&scene, 0, phases, sizeof(phases), events, &r);
	cr_expect_eq(r, 0);
	cr_expect_lt(now_ms() - begin_ms, 200);
	mlx5lm_session_cancel(scene.session);
	cr_expect_eq(finish(&scene), -ECANCELED);
	expect_cancelled(&scene);
}

Test(session_events, tell_each_iteration_and_samples_at_the_asked_rate)
{
	static const struct fake_sample passes[] = {
		{ 900000, 1, 100, 1 << 20 }, { 800000, 1, 100, 1 << 20 },
		{ 700000, 1, 100, 1 << 20 }, { 600000, 2, 100, 1 << 20 },
		{ 500000, 2, 100, 1 << 20 }, { 400000, 2, 100, 1 << 20 },
		{ 300000, 3, 100, 1 << 20 }, { 200000, 3, 100, 1 << 20 },
		{ 100000, 3, 100, 1 << 20 }, { 50000, 4, 100, 1 << 20 },
	};
	uint64_t begin_ms, took_ms;
	struct scene scene;

	set_scene(&scene, "e");
	scene.guest->script.job_iteration = 7;
	scene.guest->script.samples = passes;
	scene.guest->script.num_samples = sizeof(passes) / sizeof(passes[0]);
	scene.guest->script.pre_copy_polls = 10;
	set_u64(&scene, MLX5LM_SESSION_INTERVAL_MS, 200);
	begin_ms = now_ms();
	cr_expect_eq(run(&scene), 0);
	took_ms = now_ms() - begin_ms;
	cr_expect_geq(scene.counts[MLX5LM_EVENT_ITERATION], 3);
	cr_expect_leq(scene.counts[MLX5LM_EVENT_ITERATION], 4);
	cr_expect_leq(scene.last_iteration, 4, "not those of migrations before");
	cr_expect_geq(scene.counts[MLX5LM_EVENT_SAMPLE], 5);
	cr_expect_leq(scene.counts[MLX5LM_EVENT_SAMPLE], (int)(took_ms / 200) + 2);
	cr_expect_eq(scene.counts[MLX5LM_EVENT_DONE], 1);
	end_scene(&scene);
}

static uint64_t cpu_ms(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
	       (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
}

Test(session_events, wake_nobody_in_vain_while_nothing_happens)
{
	static const struct fake_sample still[] = { { 1 << 19, 1, 100, 1 << 20 } };
	uint64_t end_ms, cpu_before_ms;
	int wakeups = 0, polls;
	struct scene scene;
	struct pollfd fd;

	set_scene(&scene, "e");
	scene.guest->script.pre_copy_polls = FOREVER;
	scene.guest->script.samples = still;
	scene.guest->script.num_samples = 1;
	set_u64(&scene, MLX5LM_SESSION_INTERVAL_MS, 200);
	run_until(&scene, MLX5LM_PHASE_PRE_COPY);
	fd = (struct pollfd){ .fd = mlx5lm_session_get_fd(scene.session), .events = POLLIN };
	polls = fake_calls().polls;
	cpu_before_ms = cpu_ms();
	end_ms = now_ms() + 10000;
	while (now_ms() < end_ms) {
		if (poll(&fd, 1, (int)(end_ms - now_ms()) + 1) > 0)
			wakeups++;
		cr_assert_eq(mlx5lm_session_dispatch(scene.session, NULL), 1);
	}
	polls = fake_calls().polls - polls;
	fprintf(stderr, "10 s at 200 ms: %d wake-ups, %d polls, %llu ms of CPU\n", wakeups, polls,
		    (unsigned long long)(cpu_ms() - cpu_before_ms));
	cr_expect_leq(wakeups, 55, "%d", wakeups);
	cr_expect_geq(wakeups, 30, "%d", wakeups);
	cr_expect_leq(polls, 55, "%d", polls);
	/* 1 % of a core is the promise; sanitizers take more. */
	cr_expect_leq(cpu_ms() - cpu_before_ms, 500);
	mlx5lm_session_cancel(scene.session);
	cr_expect_eq(finish(&scene), -ECANCELED);
	expect_cancelled(&scene);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/session_scene.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"

#define GUEST(devices)                                                                             \
	"<domain type='kvm' id='1'>\n  <name>guest</name>\n  <uuid>" GUEST_UUID "</uuid>\n"        \
	"  <memory unit='KiB'>1048576</memory>\n"                                                  \
	"  <os>\n    <type arch='x86_64' machine='pc-q35-9.2'>hvm</type>\n  </os>\n"               \
	"  <devices>\n" devices "  </devices>\n</domain>\n"

const char guest_xml[] =
	GUEST("    <hostdev mode='subsystem' type='pci' managed='no'>\n"
	      "      <driver name='vfio'/>\n      <source>\n"
	      "        <address domain='0x0000' bus='0x08' slot='0x00' function='0x2'/>\n"
	      "      </source>\n      <address type='pci' domain='0x0000' bus='0x06' slot='0x00' "
	      "function='0x0'/>\n    </hostdev>\n");
const char plain_xml[] = GUEST("");

uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

size_t count_in(const char *directory)
{
	DIR *opened = opendir(directory);
	size_t length = 0;

	cr_assert_not_null(opened);
	while (readdir(opened))
		length++;
	closedir(opened);
	return length;
}

static void *tell_id(void *id)
{
	*(pid_t *)id = gettid();
	return NULL;
}

/*
 * The sanitizer of threads has one of its own, which comes with the first one. That one may be
 * listed for a moment after it was joined.
 */
static size_t threads_before(void)
{
	pthread_t thread;
	char path[64];
	pid_t id = 0;

	cr_assert_eq(pthread_create(&thread, NULL, tell_id, &id), 0);
	pthread_join(thread, NULL);
	snprintf(path, sizeof(path), "/proc/self/task/%d", (int)id);
	while (access(path, F_OK) == 0)
		usleep(100);
	return count_in("/proc/self/task");
}

static void set_daemons(struct scene *scene, const char *name)
{
	char uuid[40], bdf[16];

	snprintf(scene->source_uri, sizeof(scene->source_uri), "fake://%s-a", name);
	snprintf(scene->destination_uri, sizeof(scene->destination_uri), "fake://%s-b", name);
	snprintf(uuid, sizeof(uuid), "host-%s-a", name);
	scene->here = fake_daemon(scene->source_uri, uuid);
	snprintf(uuid, sizeof(uuid), "host-%s-b", name);
	scene->there = fake_daemon(scene->destination_uri, uuid);
	for (int function = 2; function < 6; function++) {
		snprintf(bdf, sizeof(bdf), "0000:08:00.%d", function);
		fake_set_device(scene->here, bdf, "mlx5_vfio_pci");
		fake_set_device(scene->there, bdf, "mlx5_vfio_pci");
	}
	scene->guest = fake_domain(scene->here, "guest", GUEST_UUID, guest_xml);
	scene->guest->script = (struct fake_script){
		.setup_polls = 1,
		.pre_copy_polls = 3,
		.switchover_polls = 2,
		.code = VIR_ERR_OPERATION_FAILED,
		.message = "migration failed: words of libvirt",
	};
}

static void set_options(struct scene *scene)
{
	cr_assert_eq(mlx5lm_session_options_new(&scene->options), 0);
	set_str(scene, MLX5LM_SESSION_DOMAIN, "guest");
	set_str(scene, MLX5LM_SESSION_SOURCE_URI, scene->source_uri);
	set_str(scene, MLX5LM_SESSION_DESTINATION_URI, scene->destination_uri);
	set_u64(scene, MLX5LM_SESSION_INTERVAL_MS, 50);
	if (scene->source)
		cr_assert_eq(mlx5lm_session_options_set_hosts(scene->options, scene->source,
							      scene->destination), 0);
}

void set_scene(struct scene *scene, const char *name)
{
	*scene = (struct scene){
		.thread = pthread_self(),
		.threads = threads_before(),
		.fds = count_in("/proc/self/fd"),
	};
	set_daemons(scene, name);
	scene->source = ready_host("a", 2);
	scene->destination = ready_host("b", 4);
	cr_assert_eq(mlx5lm_ctx_new(&scene->ctx), 0);
	set_options(scene);
}

void set_str(struct scene *scene, enum mlx5lm_session_key key, const char *value)
{
	cr_assert_eq(mlx5lm_session_options_set_str(scene->options, key, value), 0);
}

void set_u64(struct scene *scene, enum mlx5lm_session_key key, uint64_t value)
{
	cr_assert_eq(mlx5lm_session_options_set_u64(scene->options, key, value), 0);
}

void set_plain(struct scene *scene)
{
	mlx5lm_host_free(TAKE(scene->source));
	mlx5lm_host_free(TAKE(scene->destination));
	mlx5lm_session_options_free(TAKE(scene->options));
	set_text(&scene->guest->xml, plain_xml);
	set_options(scene);
}

static void note_phase(struct scene *scene, enum mlx5lm_event event, enum mlx5lm_phase phase)
{
	size_t length = strlen(scene->events);

	if (phase != MLX5LM_PHASE_RESUME &&
	    (event == MLX5LM_EVENT_PHASE || event == MLX5LM_EVENT_DONE))
		snprintf(scene->events + length, sizeof(scene->events) - length, "%s%s ",
			 event == MLX5LM_EVENT_DONE ? "done:" : "", mlx5lm_phase_str(phase));
}

static void note_numbers(struct scene *scene, const struct mlx5lm_progress *progress,
			 enum mlx5lm_event event)
{
	uint64_t percent = 0, iteration = 0;

	cr_expect_eq(mlx5lm_progress_get_u64(progress, MLX5LM_PROGRESS_PERCENT, &percent), 0);
	cr_expect_geq(percent, scene->last_percent);
	cr_expect_leq(percent, 100);
	scene->last_percent = percent;
	if (event == MLX5LM_EVENT_ITERATION) {
		cr_expect_eq(mlx5lm_progress_get_u64(progress, MLX5LM_PROGRESS_ITERATION,
						     &iteration), 0);
		cr_expect_gt(iteration, scene->last_iteration);
		scene->last_iteration = iteration;
	}
}

int note_event(const struct mlx5lm_progress *progress, void *userdata)
{
	struct scene *scene = userdata;
	enum mlx5lm_event event = mlx5lm_progress_get_event(progress);
	enum mlx5lm_phase phase = mlx5lm_progress_get_phase(progress);

	cr_expect(pthread_equal(scene->thread, pthread_self()), "callback on another thread");
	cr_expect_eq(scene->counts[MLX5LM_EVENT_DONE], 0, "DONE is the last one");
	scene->counts[event]++;
	if (phase == MLX5LM_PHASE_PRE_COPY)
		scene->counts_in_pre_copy[event]++;
	note_numbers(scene, progress, event);
	note_phase(scene, event, phase);
	scene->reentry = mlx5lm_session_dispatch(scene->session, NULL);
	cr_expect_eq(mlx5lm_session_run(scene->session, NULL), -EBUSY);
	cr_expect_eq(mlx5lm_session_start(scene->session, NULL), -EBUSY);
	cr_expect_eq(mlx5lm_session_get_result(scene->session, NULL), -EBUSY);
	cr_expect_eq(mlx5lm_session_next_event(scene->session, 0, &progress, NULL), -EBUSY);
	if (scene->cancel_call_in && phase == scene->cancel_call_in)
		cr_expect_eq(mlx5lm_session_cancel(scene->session), 0);
	return scene->cancel_in && phase == scene->cancel_in ? -1 : 0;
}

void count_destroy(void *userdata)
{
	((struct scene *)userdata)->destroyed++;
}

void make_session(struct scene *scene)
{
	cr_assert_eq(mlx5lm_session_new(scene->ctx, scene->options, &scene->session, &scene->error),
		     0, "%s", mlx5lm_error_get_message(scene->error));
	/* The session has what it needs. */
	mlx5lm_session_options_free(TAKE(scene->options));
	mlx5lm_host_free(TAKE(scene->source));
	mlx5lm_host_free(TAKE(scene->destination));
	mlx5lm_ctx_unref(TAKE(scene->ctx));
	cr_assert_eq(mlx5lm_session_set_progress(scene->session, note_event, scene, count_destroy),
		     0);
}

int run(struct scene *scene)
{
	make_session(scene);
	return mlx5lm_session_run(scene->session, &scene->error);
}

void run_until(struct scene *scene, enum mlx5lm_phase phase)
{
	if (!scene->session)
		make_session(scene);
	if (phase_of(scene) == MLX5LM_PHASE_UNKNOWN)
		cr_assert_eq(mlx5lm_session_start(scene->session, NULL), 0);
	while (phase_of(scene) != phase) {
		struct pollfd fd = { .fd = mlx5lm_session_get_fd(scene->session),
				     .events = POLLIN };

		poll(&fd, 1, 1000);
		cr_assert_eq(mlx5lm_session_dispatch(scene->session, NULL), 1, "it ended in %s",
			     mlx5lm_phase_str(phase_of(scene)));
	}
}

int finish(struct scene *scene)
{
	return mlx5lm_session_run(scene->session, &scene->error);
}

enum mlx5lm_phase phase_of(const struct scene *scene)
{
	return mlx5lm_progress_get_phase(mlx5lm_session_get_progress(scene->session));
}

uint64_t number(const struct scene *scene, enum mlx5lm_progress_key key)
{
	uint64_t value = UINT64_MAX;

	cr_expect_eq(mlx5lm_progress_get_u64(mlx5lm_session_get_progress(scene->session), key,
					     &value), 0, "key %d is not known", (int)key);
	return value;
}

void drop_scene(struct scene *scene)
{
	bool made = scene->session != NULL;

	scene->session = mlx5lm_session_unref(scene->session);
	mlx5lm_error_free(TAKE(scene->error));
	mlx5lm_session_options_free(TAKE(scene->options));
	mlx5lm_host_free(TAKE(scene->source));
	mlx5lm_host_free(TAKE(scene->destination));
	scene->ctx = mlx5lm_ctx_unref(scene->ctx);
	cr_expect_eq(scene->destroyed, made);
}

/* A thread that has ended may be listed for a moment longer. */
static size_t count_threads(size_t wanted)
{
	uint64_t end_ms = now_ms() + 2000;

	while (count_in("/proc/self/task") != wanted && now_ms() < end_ms)
		usleep(1000);
	return count_in("/proc/self/task");
}

void end_scene(struct scene *scene)
{
	struct fake_calls calls;

	drop_scene(scene);
	calls = fake_calls();
	cr_expect_eq(calls.open_objects, 0, "%d objects of libvirt leaked", calls.open_objects);
	cr_expect_eq(calls.loud_errors, 0, "libvirt would have printed");
	cr_expect_eq(count_threads(scene->threads), scene->threads, "a thread is left");
	cr_expect_eq(count_in("/proc/self/fd"), scene->fds, "a descriptor is left");
}

void expect_guest(const struct scene *scene, bool moved)
{
	const struct fake_domain *here = fake_find(scene->here, "guest");
	const struct fake_domain *there = fake_find(scene->there, "guest");

	cr_expect_eq(there != NULL, moved);
	cr_expect_eq(here && here->state == VIR_DOMAIN_RUNNING, !moved);
}

void expect_error(const struct scene *scene, enum mlx5lm_error_code code, const char *words)
{
	const char *message = mlx5lm_error_get_message(scene->error);

	cr_assert_not_null(scene->error);
	cr_expect_eq(mlx5lm_error_get_code(scene->error), code, "%s: %s",
		     mlx5lm_error_code_str(mlx5lm_error_get_code(scene->error)), message);
	cr_expect_not_null(strstr(message, words), "'%s' lacks '%s'", message, words);
}

void expect_reason(const struct scene *scene, enum mlx5lm_reason reason)
{
	enum mlx5lm_reason found = mlx5lm_session_get_reason(scene->session);

	cr_expect_eq(found, reason, "%s instead of %s: %s", mlx5lm_reason_str(found),
		     mlx5lm_reason_str(reason),
		     scene->error ? mlx5lm_error_get_message(scene->error) : "no error");
}

void expect_cancelled(struct scene *scene)
{
	cr_expect_eq(phase_of(scene), MLX5LM_PHASE_CANCELLED);
	expect_error(scene, MLX5LM_ERROR_CANCELLED, "cancelled");
	expect_reason(scene, MLX5LM_REASON_CANCELLED);
	expect_guest(scene, false);
	end_scene(scene);
}

const struct mlx5lm_finding *session_finding(const struct scene *scene, const char *id)
{
	const struct mlx5lm_findings *findings = mlx5lm_session_get_findings(scene->session);

	for (size_t i = 0; i < mlx5lm_findings_length(findings); i++) {
		const struct mlx5lm_finding *finding = mlx5lm_findings_get(findings, i);
		const char *found = NULL;

		mlx5lm_finding_get_str(finding, MLX5LM_FINDING_ID, &found);
		if (streq(found, id))
			return finding;
	}
	return NULL;
}

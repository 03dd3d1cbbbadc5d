// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/session_scene.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"

#define SESSIONS 10

/* Guests of one host, and their sessions, which share a context. */
static struct {
	struct fake_daemon *here;
	struct mlx5lm_host *source, *destination;
	struct mlx5lm_ctx *ctx;
	struct mlx5lm_session *sessions[SESSIONS];
	size_t order[SESSIONS]; /* in which they were let in */
	size_t num_order;
	int most_at_once;
} crowd;

static void each(void)
{
	fake_reset();
	memset(&crowd, 0, sizeof(crowd));
	crowd.here = fake_daemon("fake://a", "host-a");
	fake_daemon("fake://b", "host-b");
	crowd.source = ready_host("a", SESSIONS);
	crowd.destination = ready_host("b", SESSIONS);
	cr_assert_eq(mlx5lm_ctx_new(&crowd.ctx), 0);
}

static void release(void)
{
	for (size_t i = 0; i < SESSIONS; i++)
		mlx5lm_session_unref(crowd.sessions[i]);
	mlx5lm_host_free(crowd.source);
	mlx5lm_host_free(crowd.destination);
	mlx5lm_ctx_unref(crowd.ctx);
	cr_expect_eq(fake_calls().open_objects, 0);
	fake_reset();
}

TestSuite(session_queue, .init = each, .fini = release, .timeout = 120);

static int note_start(const struct mlx5lm_progress *progress, void *userdata)
{
	struct mlx5lm_session **session = userdata;

	if (mlx5lm_progress_get_event(progress) == MLX5LM_EVENT_PHASE &&
	    mlx5lm_progress_get_phase(progress) == MLX5LM_PHASE_SETUP)
		crowd.order[crowd.num_order++] = (size_t)(session - crowd.sessions);
	return 0;
}

static char *xml_of(size_t index, bool has_vf)
{
	char *xml = str_printf(
		"<domain type='kvm'><name>guest-%zu</name><uuid>00000000-0000-4000-8000-%012zu"
		"</uuid><memory>1048576</memory><os><type arch='x86_64' machine='pc-q35-9.2'>hvm"
		"</type></os><devices>%s", index, index, has_vf ? "" : "</devices></domain>");
	char *whole;

	cr_assert_not_null(xml);
	if (!has_vf)
		return xml;
	whole = str_printf("%s<hostdev mode='subsystem' type='pci' managed='no'><source><address "
			   "domain='0' bus='0x08' slot='%zu' function='%zu'/></source></hostdev>"
			   "</devices></domain>", xml, (index + 2) / 8, (index + 2) % 8);
	free(xml);
	cr_assert_not_null(whole);
	return whole;
}

/* The index-th guest, and a session that is going to move it. */
static void add_session_until(size_t index, bool has_vf, uint64_t total_deadline_ms)
{
	_cleanup_free_ char *xml = xml_of(index, has_vf);
	struct mlx5lm_session_options *options;
	struct fake_domain *guest;
	char name[32], uuid[48];

	snprintf(name, sizeof(name), "guest-%zu", index);
	snprintf(uuid, sizeof(uuid), "00000000-0000-4000-8000-%012zu", index);
	guest = fake_domain(crowd.here, name, uuid, xml);
	guest->script = (struct fake_script){ .setup_polls = 1,
					      .pre_copy_polls = 3,
					      .switchover_polls = 1 };
	cr_assert_eq(mlx5lm_session_options_new(&options), 0);
	mlx5lm_session_options_set_str(options, MLX5LM_SESSION_DOMAIN, name);
	mlx5lm_session_options_set_str(options, MLX5LM_SESSION_SOURCE_URI, "fake://a");
	mlx5lm_session_options_set_str(options, MLX5LM_SESSION_DESTINATION_URI, "fake://b");
	mlx5lm_session_options_set_u64(options, MLX5LM_SESSION_INTERVAL_MS, 50);
	mlx5lm_session_options_set_u64(options, MLX5LM_SESSION_TOTAL_DEADLINE_MS,
				       total_deadline_ms);
	if (has_vf) {
		const char *bdf = crowd.source->pfs[0].vfs[index].bdf;

		mlx5lm_session_options_set_hosts(options, crowd.source, crowd.destination);
		cr_assert_eq(mlx5lm_session_options_set_vf(options, bdf, bdf), 0);
	}
	cr_assert_eq(mlx5lm_session_new(crowd.ctx, options, &crowd.sessions[index], NULL), 0);
	mlx5lm_session_set_progress(crowd.sessions[index], note_start, &crowd.sessions[index],
				    NULL);
	mlx5lm_session_options_free(options);
}

static void add_session(size_t index, bool has_vf)
{
	add_session_until(index, has_vf, 0);
}

/* Dispatches all that were started, until is_over() says so. */
static void dispatch_until(bool (*is_over)(void))
{
	uint64_t end_ms = now_ms() + 60000;

	while (!is_over()) {
		struct pollfd fds[SESSIONS];
		nfds_t length = 0;
		int jobs;

		for (size_t i = 0; i < SESSIONS; i++) {
			if (crowd.sessions[i])
				fds[length++] = (struct pollfd){
					.fd = mlx5lm_session_get_fd(crowd.sessions[i]),
					.events = POLLIN,
				};
		}
		poll(fds, length, 20);
		for (size_t i = 0; i < SESSIONS; i++) {
			if (crowd.sessions[i])
				mlx5lm_session_dispatch(crowd.sessions[i], NULL);
		}
		jobs = fake_calls().jobs;
		crowd.most_at_once = jobs > crowd.most_at_once ? jobs : crowd.most_at_once;
		cr_assert_lt(now_ms(), end_ms, "it does not come to an end");
	}
}

static enum mlx5lm_phase phase_at(size_t index)
{
	return mlx5lm_progress_get_phase(mlx5lm_session_get_progress(crowd.sessions[index]));
}

static bool all_ended(void)
{
	for (size_t i = 0; i < SESSIONS; i++) {
		if (crowd.sessions[i] &&
		    mlx5lm_session_get_result(crowd.sessions[i], NULL) == -EINPROGRESS)
			return false;
	}
	return true;
}

static size_t last_started;

static bool last_is_in_the_queue(void)
{
	uint64_t position;

	return phase_at(last_started) > MLX5LM_PHASE_PREPARE ||
	       (phase_at(last_started) == MLX5LM_PHASE_PREPARE &&
		mlx5lm_progress_get_u64(mlx5lm_session_get_progress(crowd.sessions[last_started]),
					MLX5LM_PROGRESS_QUEUE_POSITION, &position) == 0);
}

/* One behind the other, so that the order in which they came is known. */
static void start(size_t index)
{
	cr_assert_eq(mlx5lm_session_start(crowd.sessions[index], NULL), 0);
	last_started = index;
	dispatch_until(last_is_in_the_queue);
}

static void expect_all_completed(size_t number)
{
	for (size_t i = 0; i < number; i++) {
		struct mlx5lm_error *error = NULL;

		cr_expect_eq(mlx5lm_session_get_result(crowd.sessions[i], &error), 0, "%zu: %s", i,
			     error ? mlx5lm_error_get_message(error) : "");
		mlx5lm_error_free(error);
	}
}

Test(session_queue, without_a_limit_all_run_at_once)
{
	for (size_t i = 0; i < SESSIONS; i++)
		add_session(i, false);
	for (size_t i = 0; i < SESSIONS; i++)
		cr_assert_eq(mlx5lm_session_start(crowd.sessions[i], NULL), 0);
	dispatch_until(all_ended);
	expect_all_completed(SESSIONS);
	cr_expect_gt(crowd.most_at_once, 2);
}

Test(session_queue, a_limit_of_the_host_is_kept_and_they_come_in_order)
{
	cr_expect_eq(mlx5lm_ctx_set_max_sessions(crowd.ctx, 2, 0), 0);
	for (size_t i = 0; i < SESSIONS; i++)
		add_session(i, false);
	for (size_t i = 0; i < SESSIONS; i++)
		start(i);
	dispatch_until(all_ended);
	expect_all_completed(SESSIONS);
	cr_expect_eq(crowd.most_at_once, 2, "%d", crowd.most_at_once);
	cr_assert_eq(crowd.num_order, SESSIONS);
	/* Two run at once: neighbours may overtake one another, no others. */
	for (size_t i = 0; i < SESSIONS; i++)
		cr_expect(crowd.order[i] + 1 >= i && crowd.order[i] <= i + 1, "%zu came as %zu",
			  crowd.order[i], i);
}

Test(session_queue, one_at_a_time_comes_exactly_in_order)
{
	cr_expect_eq(mlx5lm_ctx_set_max_sessions(crowd.ctx, 1, 0), 0);
	for (size_t i = 0; i < 5; i++)
		add_session(i, false);
	for (size_t i = 0; i < 5; i++)
		start(i);
	dispatch_until(all_ended);
	expect_all_completed(5);
	cr_expect_eq(crowd.most_at_once, 1);
	for (size_t i = 0; i < 5; i++)
		cr_expect_eq(crowd.order[i], i);
}

Test(session_queue, a_limit_of_the_pf_holds_back_only_those_who_need_it)
{
	cr_expect_eq(mlx5lm_ctx_set_max_sessions(crowd.ctx, 0, 1), 0);
	for (size_t i = 0; i < 3; i++)
		add_session(i, true);
	add_session(3, false);
	/* The first one does not end before the last one has. */
	fake_hang(crowd.here, FAKE_CALL_MIGRATE_END);
	for (size_t i = 0; i < 4; i++)
		start(i);
	cr_expect_gt(phase_at(3), MLX5LM_PHASE_PREPARE, "it needs no PF");
	cr_expect_eq(phase_at(1), MLX5LM_PHASE_PREPARE);
	cr_expect_eq(phase_at(2), MLX5LM_PHASE_PREPARE);
	fake_let_go();
	dispatch_until(all_ended);
	expect_all_completed(4);
}

Test(session_queue, one_that_waits_can_be_cancelled_and_the_next_moves_up)
{
	uint64_t position = 0;

	cr_expect_eq(mlx5lm_ctx_set_max_sessions(crowd.ctx, 1, 0), 0);
	for (size_t i = 0; i < 3; i++)
		add_session(i, false);
	fake_hang(crowd.here, FAKE_CALL_MIGRATE_END);
	for (size_t i = 0; i < 3; i++)
		start(i);
	cr_expect_eq(mlx5lm_progress_get_u64(mlx5lm_session_get_progress(crowd.sessions[2]),
					     MLX5LM_PROGRESS_QUEUE_POSITION, &position), 0);
	cr_expect_eq(position, 2);
	mlx5lm_session_cancel(crowd.sessions[1]);
	cr_expect_eq(mlx5lm_session_run(crowd.sessions[1], NULL), -ECANCELED);
	fake_let_go();
	dispatch_until(all_ended);
	cr_expect_eq(mlx5lm_session_get_result(crowd.sessions[0], NULL), 0);
	cr_expect_eq(mlx5lm_session_get_reason(crowd.sessions[1]), MLX5LM_REASON_CANCELLED);
	cr_expect_eq(mlx5lm_session_get_result(crowd.sessions[2], NULL), 0);
	cr_expect_eq(fake_calls().migrations, 2);
}

Test(session_queue, one_that_waits_can_be_dropped_at_once)
{
	uint64_t begin_ms;

	cr_expect_eq(mlx5lm_ctx_set_max_sessions(crowd.ctx, 1, 0), 0);
	for (size_t i = 0; i < 2; i++)
		add_session(i, false);
	fake_hang(crowd.here, FAKE_CALL_MIGRATE_END);
	for (size_t i = 0; i < 2; i++)
		start(i);
	begin_ms = now_ms();
	crowd.sessions[1] = mlx5lm_session_unref(crowd.sessions[1]);
	cr_expect_lt(now_ms() - begin_ms, 500);
	fake_let_go();
	dispatch_until(all_ended);
	cr_expect_eq(mlx5lm_session_get_result(crowd.sessions[0], NULL), 0);
	cr_expect_eq(fake_calls().migrations, 1);
}

Test(session_queue, the_total_deadline_counts_while_one_waits)
{
	uint64_t begin_ms, took_ms;

	cr_expect_eq(mlx5lm_ctx_set_max_sessions(crowd.ctx, 1, 0), 0);
	add_session(0, false);
	add_session_until(1, false, 700);
	fake_hang(crowd.here, FAKE_CALL_MIGRATE_END);
	begin_ms = now_ms();
	for (size_t i = 0; i < 2; i++)
		start(i);
	cr_expect_eq(mlx5lm_session_run(crowd.sessions[1], NULL), -ETIMEDOUT);
	took_ms = now_ms() - begin_ms;
	cr_expect(took_ms >= 700 && took_ms < 2500, "%llu ms", (unsigned long long)took_ms);
	cr_expect_eq(mlx5lm_session_get_reason(crowd.sessions[1]), MLX5LM_REASON_TOTAL_DEADLINE);
	fake_let_go();
	dispatch_until(all_ended);
	cr_expect_eq(mlx5lm_session_get_result(crowd.sessions[0], NULL), 0);
	cr_expect_eq(fake_calls().migrations, 1);
}

static bool all_are_let_in(void)
{
	for (size_t i = 0; i < 4; i++) {
		if (phase_at(i) <= MLX5LM_PHASE_PREPARE)
			return false;
	}
	return true;
}

Test(session_queue, a_higher_limit_lets_in_who_waits)
{
	cr_expect_eq(mlx5lm_ctx_set_max_sessions(crowd.ctx, 1, 0), 0);
	for (size_t i = 0; i < 4; i++)
		add_session(i, false);
	fake_hang(crowd.here, FAKE_CALL_MIGRATE_END);
	for (size_t i = 0; i < 4; i++)
		start(i);
	cr_expect_eq(phase_at(1), MLX5LM_PHASE_PREPARE);
	cr_expect_eq(mlx5lm_ctx_set_max_sessions(crowd.ctx, 0, 0), 0);
	dispatch_until(all_are_let_in);
	fake_let_go();
	dispatch_until(all_ended);
	expect_all_completed(4);
}

Test(session_queue, needs_a_context)
{
	cr_expect_eq(mlx5lm_ctx_set_max_sessions(NULL, 1, 1), -EINVAL);
}

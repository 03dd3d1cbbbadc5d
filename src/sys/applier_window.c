// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/applier_window.h"

#include <errno.h>

/* The steps of a window, and those of all windows that went well and are still to be verified. */
struct batch {
	struct run *run;
	const struct window_kind *kind;
	struct netlink **netlink;
	struct netlink_window *window;
	size_t indices[NETLINK_WINDOW];
	size_t *unverified;
	size_t num_unverified;
	bool stuck;
};

static int add_request(struct batch *batch, const struct mlx5lm_step *step,
		       struct mlx5lm_error **reterr)
{
	struct applier *applier = batch->run->applier;
	struct nlmsghdr *request;
	int r;

	if (!batch->window)
		return error_no_memory(reterr);
	r = batch->kind->begin(applier, reterr);
	if (r < 0)
		return r;
	request = batch->kind->make(applier, step, netlink_window_room(batch->window), reterr);
	if (!request)
		return -EINVAL;
	netlink_window_add(batch->window, request);
	return 0;
}

/* The next steps, as many as fit. */
static void fill_window(struct batch *batch)
{
	size_t index;

	batch->window = calloc(1, sizeof(*batch->window));
	while ((!batch->window || batch->window->length < NETLINK_WINDOW) &&
	       run_start(batch->run, &index)) {
		struct mlx5lm_error *error = NULL;

		if (add_request(batch, batch->run->steps[index], &error) == 0)
			batch->indices[batch->window->length - 1] = index;
		else
			run_end(batch->run, index, -error->errnum, error);
	}
}

/* Tells of those that failed; the others are to be verified. sent: of those without an end. */
static void take_ends(struct batch *batch, size_t length, int sent)
{
	struct applier *applier = batch->run->applier;
	const struct netlink_window *window = batch->window;
	_cleanup_free_ char *lines = NULL;
	bool read = false;

	for (size_t i = 0; i < length; i++) {
		bool ended = window && window->ends[i].ended;
		int r = ended ? window->ends[i].result : sent;
		const char *words = ended ? window->ends[i].words : NULL;
		struct mlx5lm_error *error = NULL;
		size_t index = batch->indices[i];

		if (r == 0) {
			applier_log_words(applier, words);
			batch->unverified[batch->num_unverified++] = index;
			continue;
		}
		/* What firmware said to one of them cannot be told from what it said to others. */
		if (!read)
			lines = applier_read_log(applier, NULL);
		read = true;
		batch->kind->failed(applier, batch->run->steps[index], words, r, &error);
		if (lines)
			error_append_detail(&error, "%s", lines);
		run_end(batch->run, index, r, error);
	}
}

static void send_window(struct batch *batch)
{
	size_t length = batch->window ? batch->window->length : 0;
	int r;

	if (!length)
		return;
	r = applier_send_window(batch->run->applier, batch->netlink, &batch->window,
				batch->kind->timeout_ms);
	batch->stuck = !batch->window;
	take_ends(batch, length, r);
}

static void release_window(struct batch *batch)
{
	if (batch->window)
		netlink_window_release(batch->window);
	free(TAKE(batch->window));
}

static void end_late(const struct batch *batch, size_t index)
{
	struct run *run = batch->run;
	struct mlx5lm_error *error = NULL;

	batch->kind->failed(run->applier, run->steps[index], NULL, -ETIMEDOUT, &error);
	run_end(run, index, -ETIMEDOUT, error);
}

/* Nothing gets past a request that does not end. */
static void end_all_late(const struct batch *batch)
{
	size_t index;

	for (size_t i = 0; i < batch->num_unverified; i++)
		end_late(batch, batch->unverified[i]);
	while (run_start(batch->run, &index))
		end_late(batch, index);
}

/* All with one look. */
static void verify_all(const struct batch *batch)
{
	struct applier *applier = batch->run->applier;
	_cleanup_error_ struct mlx5lm_error *unread = NULL;

	if (batch->num_unverified)
		batch->kind->look(applier, &unread);
	for (size_t i = 0; i < batch->num_unverified; i++) {
		size_t index = batch->unverified[i];
		struct mlx5lm_error *error = NULL;

		if (unread)
			error = error_copy(unread);
		else
			batch->kind->verify(applier, batch->run->steps[index], &error);
		run_end(batch->run, index, error ? -error->errnum : 0, error);
	}
}

void applier_run_windows(struct run *run, const struct window_kind *kind, struct netlink **netlink)
{
	struct batch batch = { .run = run, .kind = kind, .netlink = netlink };

	batch.unverified = calloc(run->length, sizeof(*batch.unverified));
	if (!batch.unverified) {
		run->result = -ENOMEM;
		return;
	}
	while (run->next < run->length && !run->cancelled && !batch.stuck) {
		fill_window(&batch);
		send_window(&batch);
		release_window(&batch);
	}
	if (batch.stuck)
		end_all_late(&batch);
	else
		verify_all(&batch);
	free(batch.unverified);
}

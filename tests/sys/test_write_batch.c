// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/write_batch.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "support/tree.h"

#define NUM_FILES 40
/* Nothing that only works may come near it, however slow and busy the machine. */
#define TIMEOUT_MS 20000
/* Of those that hang, which cost it. */
#define HANG_TIMEOUT_MS 200

static struct tree *tree;
static int root_fd;
static struct write_lanes lanes;

static void open_tree(void)
{
	tree = tree_new();
	for (int i = 0; i < NUM_FILES; i++)
		tree_write(tree, "", "sys/file%d", i);
	root_fd = open(tree_path(tree), O_PATH | O_DIRECTORY | O_CLOEXEC);
	write_lanes_init(&lanes, root_fd);
}

static void close_tree(void)
{
	write_lanes_release(&lanes);
	close(root_fd);
	tree_free(tree);
}

TestSuite(write_batch, .init = open_tree, .fini = close_tree);

/* Writes "text N" to file N. */
struct job {
	size_t length;
	size_t next;
	size_t stop_at; /* as if somebody cancelled before it; 0: nobody does */
	size_t kill_at; /* when it is asked for, the first lane is killed; 0: never */
	unsigned int hang_first, hang_num; /* files that are FIFOs without a reader */
	char path[64];
	char text[64];
	int results[NUM_FILES];
	bool missing[NUM_FILES];
	size_t num_ended;
};

static bool hangs(const struct job *job, size_t i)
{
	return i >= job->hang_first && i < job->hang_first + job->hang_num;
}

static bool next(void *data, struct file_write *ret)
{
	struct job *job = data;

	if (job->next == job->length || (job->stop_at && job->next == job->stop_at))
		return false;
	if (job->kill_at && job->next == job->kill_at)
		kill(lanes.lanes[0].pid, SIGKILL);
	snprintf(job->path, sizeof(job->path), "sys/file%zu", job->next);
	snprintf(job->text, sizeof(job->text), "text %zu", job->next);
	*ret = (struct file_write){
		.id = job->next,
		.path = job->path,
		.text = job->text,
		.timeout_ms = hangs(job, job->next) ? HANG_TIMEOUT_MS : TIMEOUT_MS,
	};
	job->next++;
	return true;
}

static void ended(void *data, size_t id, int result, bool missing)
{
	struct job *job = data;

	cr_assert_lt(id, job->next);
	cr_assert_eq(job->results[id], 1);
	job->results[id] = result;
	job->missing[id] = missing;
	job->num_ended++;
}

static void run(struct job *job, size_t length, size_t max_lanes)
{
	const struct write_batch batch = {
		.next = next, .ended = ended, .data = job, .max_lanes = max_lanes
	};

	job->length = length;
	for (unsigned int i = 0; i < NUM_FILES; i++) {
		if (hangs(job, i))
			tree_make_fifo(tree, "sys/file%u", i);
		job->results[i] = 1;
	}
	write_lanes_run(&lanes, &batch);
	cr_assert_eq(job->num_ended, job->next);
}

static size_t num_children(void)
{
	size_t number = 0;

	for (size_t i = 0; i < WRITE_LANES; i++)
		number += lanes.lanes[i].fd >= 0;
	return number;
}

static void check_written(const struct job *job, size_t i)
{
	char text[64];

	snprintf(text, sizeof(text), "text %zu", i);
	cr_assert_eq(job->results[i], 0, "file %zu: %d", i, job->results[i]);
	cr_assert_str_eq(tree_read(tree, "sys/file%zu", i), text);
}

Test(write_batch, writes_every_file_once)
{
	struct job job = { 0 };

	run(&job, NUM_FILES, 4);
	for (size_t i = 0; i < NUM_FILES; i++)
		check_written(&job, i);
	cr_assert_eq(lanes.num_writes, NUM_FILES);
	cr_assert_eq(num_children(), 4);
}

Test(write_batch, children_stay_for_the_next_batch)
{
	struct job first = { 0 }, second = { 0 };
	pid_t pid;

	run(&first, 1, 4);
	pid = lanes.lanes[0].pid;
	cr_assert_eq(num_children(), 1);
	run(&second, 1, 4);
	cr_assert_eq(lanes.lanes[0].pid, pid);
	cr_assert_eq(num_children(), 1);
}

Test(write_batch, one_that_hangs_does_not_stop_the_others)
{
	struct job job = { .hang_first = 3, .hang_num = 1 };
	int64_t start_ms = clock_now_ms();

	run(&job, NUM_FILES, 2);
	for (size_t i = 0; i < NUM_FILES; i++) {
		if (i != 3)
			check_written(&job, i);
	}
	cr_assert_eq(job.results[3], -ETIMEDOUT);
	cr_assert_geq(clock_now_ms() - start_ms, HANG_TIMEOUT_MS);
}

Test(write_batch, those_that_hang_wait_side_by_side)
{
	struct job job = { .hang_num = 12 };
	int64_t start_ms = clock_now_ms();

	run(&job, NUM_FILES, WRITE_LANES);
	for (size_t i = 0; i < NUM_FILES; i++)
		cr_assert_eq(job.results[i], i < 12 ? -ETIMEDOUT : 0);
	/* One after the other they would take 12 times as long. */
	cr_assert_lt(clock_now_ms() - start_ms, 10 * HANG_TIMEOUT_MS);
}

Test(write_batch, children_that_hang_give_way_to_new_ones)
{
	struct job job = { .hang_num = 4 };

	run(&job, NUM_FILES, 1);
	for (size_t i = 4; i < NUM_FILES; i++)
		check_written(&job, i);
	cr_assert_eq(num_children(), 1);
}

Test(write_batch, waiting_costs_no_processor_time)
{
	struct rusage before, after;
	struct job job = { .hang_num = 4 };
	int64_t us;

	getrusage(RUSAGE_SELF, &before);
	run(&job, 4, 4);
	getrusage(RUSAGE_SELF, &after);
	us = (after.ru_utime.tv_sec - before.ru_utime.tv_sec) * 1000000 + after.ru_utime.tv_usec -
	     before.ru_utime.tv_usec;
	cr_assert_lt(us, HANG_TIMEOUT_MS * 1000 / 4);
}

Test(write_batch, who_is_told_to_stop_gets_no_more_work)
{
	struct job job = { .stop_at = 7 };

	run(&job, NUM_FILES, 4);
	cr_assert_eq(job.num_ended, 7);
	cr_assert_str_eq(tree_read(tree, "sys/file7"), "");
}

Test(write_batch, a_missing_file_is_told_from_a_failed_write)
{
	struct job job = { 0 };

	tree_remove(tree, "sys/file0");
	tree_remove(tree, "sys/file1");
	tree_make_dir(tree, "sys/file1");
	run(&job, 2, 1);
	cr_assert_eq(job.results[0], -ENOENT);
	cr_assert(job.missing[0]);
	cr_assert_eq(job.results[1], -EISDIR);
	cr_assert_not(job.missing[1]);
	cr_assert_eq(lanes.num_writes, 0);
}

Test(write_batch, nothing_leads_out_of_the_root)
{
	tree_write(tree, "", "elsewhere");
	tree_remove(tree, "sys/file0");
	tree_link(tree, "../elsewhere", "sys/file0");
	cr_assert_eq(write_lanes_write(&lanes, "sys/file0", "text", TIMEOUT_MS), -ELOOP);
	cr_assert_eq(
		write_lanes_write(&lanes, "../../../../../../../../dev/null", "text", TIMEOUT_MS),
		-ENOENT);
	cr_assert_str_eq(tree_read(tree, "elsewhere"), "");
}

Test(write_batch, a_child_that_is_killed_ends_its_write_and_not_the_others)
{
	struct job job = { .kill_at = 1, .hang_num = 1 };

	run(&job, NUM_FILES, 2);
	cr_assert_eq(job.results[0], -EIO);
	for (size_t i = 1; i < NUM_FILES; i++)
		check_written(&job, i);
}

Test(write_batch, a_text_that_is_too_long_is_not_cut)
{
	static char text[8192];

	memset(text, 'x', sizeof(text) - 1);
	cr_assert_eq(write_lanes_write(&lanes, "sys/file0", text, TIMEOUT_MS), -ENAMETOOLONG);
	cr_assert_str_eq(tree_read(tree, "sys/file0"), "");
}

static size_t count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t number = 0;

	while (readdir(dir))
		number++;
	closedir(dir);
	return number;
}

Test(write_batch, leaves_neither_children_nor_descriptors)
{
	size_t fds = count_fds();
	struct job job = { 0 };

	run(&job, NUM_FILES, WRITE_LANES);
	cr_assert_gt(count_fds(), fds);
	write_lanes_release(&lanes);
	cr_assert_eq(count_fds(), fds);
	cr_assert_eq(waitpid(-1, NULL, __WALL | WNOHANG), -1);
	cr_assert_eq(errno, ECHILD);
	write_lanes_init(&lanes, root_fd);
}

Test(write_batch, with_few_descriptors_fewer_children_do_all_of_it)
{
	struct rlimit limit, before;
	struct job job = { 0 };
	int free_fds[5];

	/* One stays with each child, and its birth takes two. */
	for (size_t i = 0; i < ARRAY_LENGTH(free_fds); i++)
		free_fds[i] = fcntl(root_fd, F_DUPFD_CLOEXEC, 0);
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	limit = before;
	limit.rlim_cur = (rlim_t)free_fds[ARRAY_LENGTH(free_fds) - 1] + 1;
	for (size_t i = 0; i < ARRAY_LENGTH(free_fds); i++)
		close(free_fds[i]);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	run(&job, NUM_FILES, WRITE_LANES);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	for (size_t i = 0; i < NUM_FILES; i++)
		check_written(&job, i);
	cr_assert_eq(num_children(), ARRAY_LENGTH(free_fds) - 1);
}

Test(write_batch, without_any_child_each_write_fails)
{
	struct rlimit limit, before;
	struct job job = { 0 };

	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	limit = before;
	limit.rlim_cur = 0;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	run(&job, NUM_FILES, 4);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	for (size_t i = 0; i < NUM_FILES; i++)
		cr_assert_eq(job.results[i], -EMFILE);
}

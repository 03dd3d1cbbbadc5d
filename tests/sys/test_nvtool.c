// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/nvtool.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"
#include "support/tree.h"

#define LONG_MS 20000

static struct tree *tree;
static struct root *root;

static void setup(void)
{
	tree = tree_new();
	tree_add_host(tree, true);
	cr_assert_eq(root_open(tree_path(tree), &root, NULL), 0);
}

static void teardown(void)
{
	root_unref(root);
	tree_free(tree);
}

TestSuite(nvtool, .init = setup, .fini = teardown);

static void add_tool(const char *path, const char *script)
{
	char full[512];

	tree_write(tree, script, "%s", path);
	snprintf(full, sizeof(full), "%s/%s", tree_path(tree), path);
	cr_assert_eq(chmod(full, 0755), 0);
}

static uint64_t in_ms(unsigned int ms)
{
	return (uint64_t)clock_now_ms() + ms;
}

/* Runs the script with one argument. */
static int run(const char *script, uint64_t until_ms, struct nvtool_result *result)
{
	static const char *const arguments[] = { "mstconfig", "an argument; with 'quotes'", NULL };
	_cleanup_free_ char *path = NULL;

	add_tool("usr/bin/mstconfig", script);
	cr_assert_eq(nvtool_find(root, "mstconfig", &path), 0);
	return nvtool_run(path, arguments, until_ms, result);
}

static void expect_text(const char *text, size_t length, const char *expected)
{
	cr_expect_eq(length, strlen(expected), "%.*s", (int)length, text);
	cr_expect_eq(strncmp(text, expected, length), 0, "%.*s", (int)length, text);
}

Test(nvtool, is_looked_for_below_the_root)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ char *other = NULL;
	char expected[512];

	cr_expect_eq(nvtool_find(root, "mstconfig", &path), -ENOENT);
	tree_write(tree, "", "usr/bin/mstconfig"); /* nobody may execute it */
	tree_make_dir(tree, "usr/sbin/mstconfig");
	add_tool("usr/local/sbin/mstconfig", "#!/bin/sh\n");
	add_tool("bin/mstconfig", "#!/bin/sh\n");
	cr_assert_eq(nvtool_find(root, "mstconfig", &path), 0);
	snprintf(expected, sizeof(expected), "%s/usr/local/sbin/mstconfig", tree_path(tree));
	cr_expect_str_eq(path, expected);
	cr_expect_eq(nvtool_find(root, "mlxconfig", &other), -ENOENT);
}

Test(nvtool, a_link_does_not_lead_out_of_the_root)
{
	_cleanup_free_ char *path = NULL;
	char expected[512];

	tree_link(tree, "/bin/sh", "usr/bin/mstconfig");
	cr_expect_eq(nvtool_find(root, "mstconfig", &path), -ENOENT);
	add_tool("opt/tools/mstconfig-4.31", "#!/bin/sh\n");
	tree_remove(tree, "usr/bin/mstconfig");
	tree_link(tree, "/opt/tools/mstconfig-4.31", "usr/bin/mstconfig");
	cr_assert_eq(nvtool_find(root, "mstconfig", &path), 0);
	snprintf(expected, sizeof(expected), "%s/opt/tools/mstconfig-4.31", tree_path(tree));
	cr_expect_str_eq(path, expected);
}

Test(nvtool, its_streams_and_its_exit_code_are_told_apart)
{
	_cleanup_nvtool_result_ struct nvtool_result result = { 0 };

	cr_assert_eq(run("#!/bin/sh\necho out\necho err >&2\necho \"$1\"\nexit 3\n",
			 in_ms(LONG_MS), &result),
		     0);
	cr_expect_eq(result.exit_code, 3);
	expect_text(result.output, result.output_length, "out\nan argument; with 'quotes'\n");
	expect_text(result.errors, result.errors_length, "err\n");
	cr_expect_eq(result.file_length, 0);
}

Test(nvtool, the_file_that_it_writes_is_read_back)
{
	_cleanup_nvtool_result_ struct nvtool_result result = { 0 };

	cr_assert_eq(run("#!/bin/sh\necho '{}' >" NVTOOL_FILE "\n"
			 "cat " NVTOOL_FILE "\necho '{\"a\": 1}' >" NVTOOL_FILE "\n",
			 in_ms(LONG_MS), &result),
		     0);
	cr_expect_eq(result.exit_code, 0);
	expect_text(result.output, result.output_length, "{}\n");
	expect_text(result.file, result.file_length, "{\"a\": 1}\n");
}

Test(nvtool, its_surroundings_are_fixed)
{
	_cleanup_nvtool_result_ struct nvtool_result result = { 0 };
	int fd = open("/", O_PATH); /* the application's, and not closed by exec */

	setenv("LD_PRELOAD", "", 1);
	setenv("LC_ALL", "de_DE.UTF-8", 1);
	cr_assert_eq(run("#!/bin/sh\nenv | grep -v -e '^PWD=' -e '^_=' -e '^SHLVL=' -e OLDPWD |"
			 " sort\nreadlink /proc/self/fd/0\nexec ls /proc/self/fd\n",
			 in_ms(LONG_MS), &result),
		     0);
	expect_text(result.output, result.output_length,
		    "LC_ALL=C\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\n/dev/null\n"
		    "0\n1\n2\n3\n4\n"); /* 4 is the directory that ls reads */
	close(fd);
}

Test(nvtool, what_the_application_ignores_and_blocks_the_tool_does_not)
{
	_cleanup_nvtool_result_ struct nvtool_result result = { 0 };
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	signal(SIGCHLD, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	cr_assert_eq(run("#!/bin/sh\ngrep -e SigBlk -e SigIgn /proc/self/status\nexit 5\n",
			 in_ms(LONG_MS), &result),
		     0);
	cr_expect_eq(result.exit_code, 5);
	expect_text(result.output, result.output_length,
		    "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

Test(nvtool, one_that_is_killed_says_by_what)
{
	_cleanup_nvtool_result_ struct nvtool_result result = { 0 };

	cr_assert_eq(run("#!/bin/sh\nkill -SEGV $$\n", in_ms(LONG_MS), &result), 0);
	cr_expect_eq(result.exit_code, 128 + SIGSEGV);
}

static volatile sig_atomic_t num_signals;

static void count_signal(int number)
{
	(void)number;
	num_signals++;
}

Test(nvtool, the_application_sees_no_child)
{
	_cleanup_nvtool_result_ struct nvtool_result result = { 0 };

	signal(SIGCHLD, count_signal);
	cr_assert_eq(run("#!/bin/sh\n/bin/true\n", in_ms(LONG_MS), &result), 0);
	cr_expect_eq(num_signals, 0);
	cr_expect_eq(waitpid(-1, NULL, __WALL), -1);
	cr_expect_eq(errno, ECHILD);
}

static bool is_gone(pid_t pid)
{
	const struct timespec tick = { .tv_nsec = 10000000 };

	for (int i = 0; i < 500 && kill(pid, 0) == 0; i++)
		nanosleep(&tick, NULL);
	return kill(pid, 0) < 0 && errno == ESRCH;
}

static pid_t read_pid(const char *name)
{
	return atoi(tree_read(tree, "%s", name));
}

Test(nvtool, one_that_hangs_is_killed_with_all_that_it_started)
{
	_cleanup_nvtool_result_ struct nvtool_result result = { 0 };
	int64_t begin_ms = clock_now_ms(), took_ms;
	char script[1024];

	snprintf(script, sizeof(script),
		 "#!/bin/sh\ntrap '' TERM INT HUP\necho $$ >%1$s/tool\n"
		 "sleep 1000 &\necho $! >%1$s/child\nwait\n",
		 tree_path(tree));
	cr_assert_eq(run(script, in_ms(500), &result), -ETIMEDOUT);
	took_ms = clock_now_ms() - begin_ms;
	cr_expect(took_ms >= 500 && took_ms < 1500, "%lld ms", (long long)took_ms);
	cr_expect(is_gone(read_pid("tool")));
	cr_expect(is_gone(read_pid("child")));
	cr_expect_eq(waitpid(-1, NULL, __WALL), -1);
}

Test(nvtool, what_it_leaves_behind_ends_with_it)
{
	_cleanup_nvtool_result_ struct nvtool_result result = { 0 };
	int64_t begin_ms = clock_now_ms();
	char script[1024];

	snprintf(script, sizeof(script), "#!/bin/sh\nsleep 1000 &\necho $! >%s/child\necho done\n",
		 tree_path(tree));
	cr_assert_eq(run(script, in_ms(LONG_MS), &result), 0);
	cr_expect_lt(clock_now_ms() - begin_ms, LONG_MS / 2);
	expect_text(result.output, result.output_length, "done\n");
	cr_expect(is_gone(read_pid("child")));
}

Test(nvtool, one_that_never_stops_talking_is_stopped)
{
	static const char *const scripts[] = {
		"#!/bin/sh\nexec cat /dev/zero\n",
		"#!/bin/sh\nexec cat /dev/zero >&2\n",
		"#!/bin/sh\nexec cat /dev/zero >" NVTOOL_FILE "\n",
		"#!/bin/sh\ncat /dev/zero\nexit 0\n",
	};

	for (size_t i = 0; i < ARRAY_LENGTH(scripts); i++) {
		_cleanup_nvtool_result_ struct nvtool_result result = { 0 };

		cr_expect_eq(run(scripts[i], in_ms(LONG_MS), &result), -EFBIG, "%s", scripts[i]);
		cr_expect_null(result.buffer);
	}
}

Test(nvtool, much_but_not_too_much_comes_whole)
{
	_cleanup_nvtool_result_ struct nvtool_result result = { 0 };

	cr_assert_eq(run("#!/bin/sh\nhead -c 262143 /dev/zero\nhead -c 262143 /dev/zero >&2\n"
			 "head -c 262143 /dev/zero >" NVTOOL_FILE "\n",
			 in_ms(LONG_MS), &result),
		     0);
	cr_expect_eq(result.output_length, NVTOOL_MAX_BYTES - 1);
	cr_expect_eq(result.errors_length, NVTOOL_MAX_BYTES - 1);
	cr_expect_eq(result.file_length, NVTOOL_MAX_BYTES - 1);
}

Test(nvtool, one_that_cannot_begin_says_why)
{
	_cleanup_nvtool_result_ struct nvtool_result result = { 0 };

	cr_expect_eq(run("no program\n", in_ms(LONG_MS), &result), -ENOEXEC);
	cr_expect_eq(run("#!/nowhere/sh\n", in_ms(LONG_MS), &result), -ENOENT);
	cr_expect_eq(run("#!/bin/sh\n", (uint64_t)clock_now_ms(), &result), -ETIMEDOUT);
	cr_expect_null(result.buffer);
}

static int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	cr_assert_not_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

Test(nvtool, no_descriptor_is_left_open)
{
	static const char *const scripts[] = { "#!/bin/sh\nexit 0\n", "no program\n",
					       "#!/bin/sh\nexec cat /dev/zero\n",
					       "#!/bin/sh\nexec sleep 1000\n" };
	int before = count_fds();

	for (size_t i = 0; i < ARRAY_LENGTH(scripts); i++) {
		_cleanup_nvtool_result_ struct nvtool_result result = { 0 };

		run(scripts[i], in_ms(500), &result);
	}
	cr_expect_eq(count_fds(), before);
}

static void *run_often(void *data)
{
	static const char *const arguments[] = { "mstconfig", NULL };

	for (int i = 0; i < 10; i++) {
		_cleanup_nvtool_result_ struct nvtool_result result = { 0 };

		if (nvtool_run(data, arguments, in_ms(LONG_MS), &result) < 0 ||
		    result.exit_code != 7 || result.output_length != 3)
			return data;
	}
	return NULL;
}

/*
 * What the child calls, the thread sanitizer puts its own code in front of, which may wait there
 * for a lock that another thread held when the child was made.
 */
#ifdef __has_feature
#define UNDER_TSAN __has_feature(thread_sanitizer)
#elif defined(__SANITIZE_THREAD__)
#define UNDER_TSAN 1
#else
#define UNDER_TSAN 0
#endif
#define NUM_THREADS (UNDER_TSAN ? 1 : 4)

Test(nvtool, threads_run_their_own)
{
	_cleanup_free_ char *path = NULL;
	pthread_t threads[NUM_THREADS];
	void *failed;

	add_tool("usr/bin/mstconfig", "#!/bin/sh\necho hi\nexit 7\n");
	cr_assert_eq(nvtool_find(root, "mstconfig", &path), 0);
	for (size_t i = 0; i < ARRAY_LENGTH(threads); i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, run_often, path), 0);
	for (size_t i = 0; i < ARRAY_LENGTH(threads); i++) {
		cr_assert_eq(pthread_join(threads[i], &failed), 0);
		cr_expect_null(failed);
	}
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/pf_lock.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "support/tree.h"
#include "sys/child.h"

#define PF "0000:08:00.0"
#define LOCK_FILE "sys/devices/pci0000:00/" PF "/rescan"

static const struct tree_pf pf_a = { .bdf = PF, .device_id = 0x1021, .total_vfs = 8 };
static const struct tree_pf pf_b = { .bdf = "0000:09:00.0", .device_id = 0x1021, .total_vfs = 8 };

static struct tree *tree;
static struct root *root;
static struct mlx5lm_error *error;

static void setup(void)
{
	tree = tree_new();
	tree_add_host(tree, true);
	tree_add_pf(tree, &pf_a);
	tree_add_pf(tree, &pf_b);
	cr_assert_eq(root_open(tree_path(tree), &root, NULL), 0);
}

static void teardown(void)
{
	mlx5lm_error_free(error);
	root_unref(root);
	tree_free(tree);
}

TestSuite(pf_lock, .init = setup, .fini = teardown);

static void path_of(const char *path, char full[static 256])
{
	snprintf(full, 256, "%s/%s", tree_path(tree), path);
}

Test(pf_lock, only_one_has_it_and_closing_gives_it_back)
{
	int first = -1, second = -1;

	cr_assert_eq(pf_lock(root, PF, &first, NULL), 0);
	cr_assert_eq(pf_lock(root, PF, &second, &error), -EBUSY);
	cr_expect_eq(error->code, MLX5LM_ERROR_BUSY);
	cr_expect_eq(second, -1);
	close(first);
	cr_assert_eq(pf_lock(root, PF, &second, NULL), 0);
	close(second);
}

Test(pf_lock, another_pf_is_another_lock)
{
	int first = -1, second = -1;

	cr_assert_eq(pf_lock(root, PF, &first, NULL), 0);
	cr_assert_eq(pf_lock(root, pf_b.bdf, &second, NULL), 0);
	close(first);
	close(second);
}

Test(pf_lock, nothing_is_written_to_the_file)
{
	int fd = -1;

	cr_assert_eq(pf_lock(root, PF, &fd, NULL), 0);
	close(fd);
	cr_expect_str_eq(tree_read(tree, LOCK_FILE), "");
}

Test(pf_lock, goes_with_the_process_however_it_ends)
{
	int ready[2], fd = -1;
	pid_t pid;
	char byte;

	cr_assert_eq(pipe(ready), 0);
	pid = fork();
	cr_assert_geq(pid, 0);
	if (pid == 0) {
		if (pf_lock(root, PF, &fd, NULL) < 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(1);
	}
	cr_assert_eq(read(ready[0], &byte, 1), 1);
	cr_assert_eq(pf_lock(root, PF, &fd, NULL), -EBUSY);
	cr_assert_eq(kill(pid, SIGKILL), 0);
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
	cr_assert_eq(pf_lock(root, PF, &fd, NULL), 0);
	close(fd);
}

static void hang(const void *data, int out_fd)
{
	(void)data;
	if (write(out_fd, "x", 1) == 1)
		pause();
}

/* A child of ours that is stuck in the kernel would have it for as long. */
Test(pf_lock, a_child_that_does_not_end_does_not_keep_it)
{
	int fds[2], fd = -1;
	pid_t pid;
	char byte;

	cr_assert_eq(pipe(fds), 0);
	cr_assert_eq(pf_lock(root, PF, &fd, NULL), 0);
	pid = child_start(hang, NULL, fds[0], fds[1]);
	cr_assert_gt(pid, 0);
	/* From here on it has closed what it need not have. */
	cr_assert_eq(read(fds[0], &byte, 1), 1);
	close(fd);
	cr_expect_eq(pf_lock(root, PF, &fd, &error), 0, "%s", error ? error->message : "");
	cr_assert_eq(kill(pid, SIGKILL), 0);
	child_reap(pid);
	close(fd);
}

/* What the kernel would list of the lock, which here is another file system's. */
static void list_lock(const char *format_end)
{
	char path[256], line[256];
	struct stat st;

	path_of(LOCK_FILE, path);
	cr_assert_eq(stat(path, &st), 0);
	snprintf(line, sizeof(line), "1: POSIX  ADVISORY  WRITE 1 08:02:%lu 0 EOF\n"
		 "2: FLOCK  ADVISORY  WRITE %s %02x:%02x:%lu 0 EOF\n",
		 (unsigned long)st.st_ino, format_end, major(st.st_dev), minor(st.st_dev),
		 (unsigned long)st.st_ino);
	tree_write(tree, line, "proc/locks");
}

Test(pf_lock, its_owner_is_named)
{
	int first = -1, second = -1;

	cr_assert_eq(pf_lock(root, PF, &first, NULL), 0);
	list_lock("4711");
	tree_write(tree, "an-agent\n", "proc/4711/comm");
	cr_assert_eq(pf_lock(root, PF, &second, &error), -EBUSY);
	cr_expect_str_eq(error->message, PF ": process 4711 (an-agent) is at work on it");
	close(first);
}

Test(pf_lock, an_owner_that_is_not_to_be_seen_is_another_process)
{
	int first = -1, second = -1;

	cr_assert_eq(pf_lock(root, PF, &first, NULL), 0);
	tree_write(tree, "nonsense\n\n1: FLOCK\n", "proc/locks");
	cr_assert_eq(pf_lock(root, PF, &second, &error), -EBUSY);
	cr_expect_str_eq(error->message, PF ": another process is at work on it");
	mlx5lm_error_free(error);
	error = NULL;
	list_lock("4711"); /* of another PID namespace, or gone by now */
	cr_assert_eq(pf_lock(root, PF, &second, &error), -EBUSY);
	cr_expect_str_eq(error->message, PF ": process 4711 (?) is at work on it");
	close(first);
}

Test(pf_lock, who_may_not_open_the_file_does_not_get_it)
{
	char path[256];
	int fd = -1, r;

	path_of("", path);
	cr_assert_eq(chmod(path, 0755), 0);
	path_of(LOCK_FILE, path);
	cr_assert_eq(chmod(path, 0200), 0);
	if (geteuid() == 0)
		cr_assert_eq(seteuid(65534), 0);
	r = pf_lock(root, PF, &fd, &error);
	if (getuid() == 0)
		cr_assert_eq(seteuid(0), 0);
	/* An owner who is not root may write his own file: of sysfs he is never the owner. */
	if (getuid() != 0) {
		cr_expect_eq(r, 0);
		close(fd);
		return;
	}
	cr_assert_eq(r, -EACCES);
	cr_expect_eq(error->code, MLX5LM_ERROR_PERMISSION);
	cr_expect_str_eq(error->remedy, "run as root");
}

Test(pf_lock, a_pf_that_is_not_there_is_told)
{
	int fd = -1;

	cr_assert_eq(pf_lock(root, "0000:0a:00.0", &fd, &error), -ENOENT);
	cr_expect_eq(error->code, MLX5LM_ERROR_NOT_FOUND);
	cr_expect_not_null(strstr(error->message, "0000:0a:00.0"));
	tree_remove(tree, LOCK_FILE);
	cr_assert_eq(pf_lock(root, PF, &fd, NULL), -ENOENT);
	tree_link(tree, "/dev/null", LOCK_FILE);
	cr_assert_eq(pf_lock(root, PF, &fd, NULL), -ELOOP);
	cr_expect_eq(fd, -1);
}

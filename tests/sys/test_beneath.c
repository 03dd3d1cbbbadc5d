// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/beneath.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/tree.h"

static struct tree *tree;
static int root_fd;

static void open_tree(void)
{
	tree = tree_new();
	root_fd = open(tree_path(tree), O_PATH | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(root_fd, 0);
	tree_write(tree, "inside", "etc/hostname");
	tree_write(tree, "deep", "a/b/c/file");
	tree_link(tree, "/etc/hostname", "a/absolute");
	tree_link(tree, "../../../../../../../../etc/hostname", "a/above");
	tree_link(tree, "/", "a/top");
	tree_link(tree, "b/../b/./c", "a/winding");
	tree_link(tree, "loop", "loop");
	tree_link(tree, "nowhere", "dangling");
}

static void close_tree(void)
{
	close(root_fd);
	tree_free(tree);
}

TestSuite(beneath, .init = open_tree, .fini = close_tree);

static const struct expected {
	const char *path;
	int flags;
	const char *text; /* what is in there */
	int error;	  /* or what the failure is */
} cases[] = {
	{ "etc/hostname", O_RDONLY, "inside", 0 },
	{ "/etc/hostname", O_RDONLY, "inside", 0 },
	{ "a/absolute", O_RDONLY, "inside", 0 },
	{ "a/above", O_RDONLY, "inside", 0 },
	{ "../../../etc/hostname", O_RDONLY, "inside", 0 },
	{ "a/top/etc/hostname", O_RDONLY, "inside", 0 },
	{ "a/winding/file", O_RDONLY, "deep", 0 },
	{ "a//b/./c/../c/file", O_RDONLY, "deep", 0 },
	{ "loop", O_RDONLY, NULL, -ELOOP },
	{ "loop/x", O_RDONLY, NULL, -ELOOP },
	{ "dangling", O_RDONLY, NULL, -ENOENT },
	{ "missing/file", O_RDONLY, NULL, -ENOENT },
	{ "etc/hostname/x", O_RDONLY, NULL, -ENOTDIR },
	{ "a/absolute", O_RDONLY | O_NOFOLLOW, NULL, -ELOOP },
	{ "etc/hostname", O_PATH | O_DIRECTORY, NULL, -ENOTDIR },
};

static void check(int (*open_fn)(int, const char *, int), const struct expected *expected)
{
	char text[16] = "";
	int fd = open_fn(root_fd, expected->path, expected->flags);

	if (!expected->text) {
		cr_assert_eq(fd, expected->error, "%s: %d", expected->path, fd);
		return;
	}
	cr_assert_geq(fd, 0, "%s: %d", expected->path, fd);
	cr_assert_gt(read(fd, text, sizeof(text) - 1), 0);
	cr_assert_str_eq(text, expected->text, "%s", expected->path);
	cr_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
}

Test(beneath, the_kernel_stays_in_the_root)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check(beneath_open, &cases[i]);
}

Test(beneath, the_walk_by_hand_does_the_same)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check(beneath_walk, &cases[i]);
}

Test(beneath, a_walk_to_a_directory_gives_a_place_to_open_from)
{
	int fd = beneath_walk(root_fd, "a/top/a/b", O_PATH | O_DIRECTORY);

	cr_assert_geq(fd, 0);
	cr_assert_eq(faccessat(fd, "c/file", F_OK, 0), 0);
	close(fd);
}

Test(beneath, a_walk_that_is_too_deep_ends)
{
	char path[2 * 100 + 1] = "";

	tree_link(tree, ".", "self");
	for (int i = 0; i < 100; i++)
		sprintf(path + 2 * i, "d/");
	for (int i = 1; i <= 100; i++)
		tree_make_dir(tree, "%.*s", 2 * i, path);
	cr_assert_eq(beneath_walk(root_fd, path, O_PATH), -ENAMETOOLONG);
}

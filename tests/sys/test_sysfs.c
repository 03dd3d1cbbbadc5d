// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/sysfs.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <unistd.h>

#include "support/tree.h"

static struct tree *tree;
static struct root *root;
static int fd;

static void open_tree(void)
{
	tree = tree_new();
	tree_add_host(tree, false);
	tree_make_dir(tree, "sys/dir");
	cr_assert_eq(root_open(tree_path(tree), &root, NULL), 0);
	fd = sysfs_open_dir(root, "sys/%s", "dir");
	cr_assert_geq(fd, 0);
}

static void close_tree(void)
{
	close(fd);
	root_unref(root);
	tree_free(tree);
}

TestSuite(sysfs, .init = open_tree, .fini = close_tree);

Test(sysfs, cuts_white_space_at_the_end)
{
	char text[SYSFS_TEXT_SIZE];

	tree_write(tree, "a b \n\n", "sys/dir/file");
	cr_assert_eq(sysfs_read(fd, "file", text), 0);
	cr_assert_str_eq(text, "a b");
}

Test(sysfs, refuses_more_text_than_any_attribute_has)
{
	char text[SYSFS_TEXT_SIZE], much[SYSFS_TEXT_SIZE + 1];

	memset(much, 'x', sizeof(much) - 1);
	much[sizeof(much) - 1] = '\0';
	tree_write(tree, much, "sys/dir/file");
	cr_assert_eq(sysfs_read(fd, "file", text), -EMSGSIZE);
}

Test(sysfs, what_is_no_plain_text_is_not_passed_on)
{
	static const char *const bad[] = { "a\xff", "\xc3\xa4", "a\x1b[31m", "\x7f", "a\rb" };
	char text[SYSFS_TEXT_SIZE], *string = NULL;
	struct strv names = { 0 };

	for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
		tree_write(tree, bad[i], "sys/dir/file");
		tree_link(tree, bad[i], "sys/dir/link");
		cr_assert_eq(sysfs_read(fd, "file", text), -EBADMSG, "%zu", i);
		cr_assert_eq(sysfs_read_str(fd, "file", &string), -EBADMSG, "%zu", i);
		cr_assert_eq(sysfs_read_link(fd, "link", text), -EBADMSG, "%zu", i);
	}
	tree_write_bytes(tree, "a\0b", 3, "sys/dir/file");
	cr_assert_eq(sysfs_read(fd, "file", text), -EBADMSG);
	cr_assert_null(string);
	tree_write(tree, "1", "sys/dir/n\xff");
	cr_assert_eq(sysfs_list(fd, ".", &names), -EBADMSG);
	cr_assert_eq(names.length, 0);
}

Test(sysfs, lines_are_for_those_who_take_them_apart)
{
	char text[SYSFS_TEXT_SIZE], *string = NULL;

	tree_write(tree, "one\n\ttwo\n", "sys/dir/file");
	cr_assert_eq(sysfs_read(fd, "file", text), 0);
	cr_assert_str_eq(text, "one\n\ttwo");
	cr_assert_eq(sysfs_read_str(fd, "file", &string), -EBADMSG);
	cr_assert_null(string);
}

Test(sysfs, reads_numbers_of_both_bases)
{
	uint64_t value;

	tree_write(tree, "0x15b3\n", "sys/dir/hex");
	tree_write(tree, "127\n", "sys/dir/decimal");
	tree_write(tree, "-1\n", "sys/dir/negative");
	cr_assert_eq(sysfs_read_u64(fd, "hex", 16, &value), 0);
	cr_assert_eq(value, 0x15b3);
	cr_assert_eq(sysfs_read_u64(fd, "decimal", 10, &value), 0);
	cr_assert_eq(value, 127);
	cr_assert_eq(sysfs_read_u64(fd, "negative", 10, &value), -EINVAL);
	cr_assert_eq(value, 127);
}

Test(sysfs, an_empty_file_leaves_a_text_unknown)
{
	char *text = NULL;

	tree_write(tree, "\n", "sys/dir/file");
	cr_assert_eq(sysfs_read_str(fd, "file", &text), 0);
	cr_assert_null(text);
}

Test(sysfs, does_not_follow_a_link_in_place_of_a_file)
{
	char text[SYSFS_TEXT_SIZE];

	tree_link(tree, "/etc/passwd", "sys/dir/file");
	cr_assert_eq(sysfs_read(fd, "file", text), -ELOOP);
}

Test(sysfs, does_not_wait_for_the_writer_of_a_fifo)
{
	char text[SYSFS_TEXT_SIZE] = "x";

	tree_make_fifo(tree, "sys/dir/file");
	cr_assert_eq(sysfs_read(fd, "file", text), 0);
	cr_assert_str_eq(text, "");
}

Test(sysfs, gives_the_last_part_of_a_link)
{
	char text[SYSFS_TEXT_SIZE];

	tree_link(tree, "../../bus/pci/drivers/mlx5_core", "sys/dir/driver");
	cr_assert_eq(sysfs_read_link(fd, "driver", text), 0);
	cr_assert_str_eq(text, "mlx5_core");
	cr_assert_eq(sysfs_read_link(fd, "missing", text), -ENOENT);
	tree_link(tree, "../..//", "sys/dir/odd");
	cr_assert_eq(sysfs_read_link(fd, "odd", text), -EBADMSG);
}

Test(sysfs, lists_names_in_order)
{
	struct strv names = { 0 };

	tree_write(tree, "", "sys/dir/b");
	tree_write(tree, "", "sys/dir/a");
	cr_assert_eq(sysfs_list(fd, ".", &names), 0);
	cr_assert_eq(names.length, 2);
	cr_assert_str_eq(names.items[0], "a");
	strv_release(&names);
	cr_assert_eq(sysfs_list(fd, "a", &names), -ENOTDIR);
}

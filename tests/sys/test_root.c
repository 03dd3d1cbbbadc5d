// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/root.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>

#include "base/error.h"
#include "support/tree.h"

Test(root, the_running_machine_is_native)
{
	_cleanup_root_ struct root *root = NULL;

	cr_assert_eq(root_open("/", &root, NULL), 0);
	cr_assert(root->native);
}

Test(root, a_tree_with_the_boot_id_of_this_machine_is_native)
{
	_cleanup_root_ struct root *root = NULL;
	struct tree *tree = tree_new();

	tree_add_host(tree, true);
	cr_assert_eq(root_open(tree_path(tree), &root, NULL), 0);
	cr_assert(root->native);
	tree_free(tree);
}

Test(root, a_tree_of_another_machine_is_not_native)
{
	_cleanup_root_ struct root *root = NULL;
	struct tree *tree = tree_new();

	tree_add_host(tree, false);
	cr_assert_eq(root_open(tree_path(tree), &root, NULL), 0);
	cr_assert_not(root->native);
	tree_free(tree);
}

Test(root, a_tree_without_a_boot_id_is_not_native)
{
	_cleanup_root_ struct root *root = NULL;
	struct tree *tree = tree_new();

	tree_make_dir(tree, "proc/sys/kernel/random");
	cr_assert_eq(root_open(tree_path(tree), &root, NULL), 0);
	cr_assert_not(root->native);
	tree_free(tree);
}

Test(root, a_link_to_the_boot_id_of_this_machine_does_not_make_a_tree_native)
{
	_cleanup_root_ struct root *root = NULL;
	struct tree *tree = tree_new();

	tree_link(tree, "/proc/sys/kernel/random/boot_id", "proc/sys/kernel/random/boot_id");
	cr_assert_eq(root_open(tree_path(tree), &root, NULL), 0);
	cr_assert_not(root->native);
	tree_free(tree);
}

Test(root, what_cannot_be_opened_is_an_error_that_names_it)
{
	struct mlx5lm_error *error = NULL;
	struct root *root = NULL;

	cr_assert_eq(root_open("/nowhere/at/all", &root, &error), -ENOENT);
	cr_assert_null(root);
	cr_assert(strstr(error->message, "/nowhere/at/all"));
	mlx5lm_error_free(error);
	cr_assert_eq(root_open("/etc/passwd", &root, NULL), -ENOTDIR);
	cr_assert_eq(root_open("", &root, NULL), -EINVAL);
	cr_assert_eq(root_open(NULL, &root, NULL), -EINVAL);
}

Test(root, its_descriptor_is_not_inherited)
{
	_cleanup_root_ struct root *root = NULL;

	cr_assert_eq(root_open("/", &root, NULL), 0);
	cr_assert(fcntl(root->fd, F_GETFD) & FD_CLOEXEC);
}

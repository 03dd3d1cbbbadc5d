// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/holder.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/tree.h"
#include "sys/pci.h"

static const struct tree_pf pf = { .bdf = "0000:08:00.0",
				   .device_id = 0x1021,
				   .total_vfs = 8,
				   .num_vfs = 2,
				   .vf_driver = "mlx5_vfio_pci" };

static struct tree *tree;
static struct root *root;
static int fd;

static void open_tree(void)
{
	tree = tree_new();
	tree_add_host(tree, false);
	tree_add_pf(tree, &pf);
	tree_write(tree, "qemu-system-x86\n", "proc/4711/comm");
	tree_link(tree, "/dev/null", "proc/4711/fd/0");
	cr_assert_eq(root_open(tree_path(tree), &root, NULL), 0);
	fd = pci_open(root, "0000:08:00.2");
	cr_assert_geq(fd, 0);
}

static void close_tree(void)
{
	close(fd);
	root_unref(root);
	tree_free(tree);
}

TestSuite(holder, .init = open_tree, .fini = close_tree);

Test(holder, nobody_holds_it)
{
	char *holder = NULL;

	tree_link(tree, "/dev/vfio/101", "proc/4711/fd/9");
	cr_assert_eq(holder_find(root, fd, &holder), 0);
	cr_assert_null(holder);
}

Test(holder, names_who_has_its_group)
{
	char *holder = NULL;

	tree_link(tree, "/dev/vfio/100", "proc/4711/fd/9");
	cr_assert_eq(holder_find(root, fd, &holder), 0);
	cr_assert_str_eq(holder, "4711 (qemu-system-x86)");
	free(holder);
}

Test(holder, names_who_has_its_device_node)
{
	char *holder = NULL;

	tree_make_dir(tree, "sys/devices/pci0000:00/0000:08:00.2/vfio-dev/vfio3");
	tree_link(tree, "/dev/vfio/devices/vfio3", "proc/4711/fd/9");
	cr_assert_eq(holder_find(root, fd, &holder), 0);
	cr_assert_str_eq(holder, "4711 (qemu-system-x86)");
	free(holder);
}

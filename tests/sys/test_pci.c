// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/pci.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "support/tree.h"

Test(pci, computes_the_addresses_of_vfs_as_the_kernel_does)
{
	char text[PCI_BDF_SIZE];

	cr_assert_eq(pci_vf_address("0000:40:00.0", 2, 1, 0, text), 0);
	cr_assert_str_eq(text, "0000:40:00.2");
	cr_assert_eq(pci_vf_address("0000:40:00.0", 2, 1, 126, text), 0);
	cr_assert_str_eq(text, "0000:40:10.0");
	cr_assert_eq(pci_vf_address("0000:08:00.1", 255, 1, 3, text), 0);
	cr_assert_str_eq(text, "0000:09:00.3");
	cr_assert_eq(pci_vf_address("10000:08:00.0", 16, 4, 2, text), 0);
	cr_assert_str_eq(text, "10000:08:03.0");
}

Test(pci, no_vf_lies_beyond_the_last_bus)
{
	char text[PCI_BDF_SIZE];

	cr_assert_eq(pci_vf_address("0000:ff:1f.0", 2, 1, 6, text), -EINVAL);
	cr_assert_eq(pci_vf_address("0000:40:00.0", UINT64_MAX, 1, 0, text), -EINVAL);
	cr_assert_eq(pci_vf_address("0000:40:00.0", 1, UINT64_MAX, 3, text), -EINVAL);
	cr_assert_eq(pci_vf_address("../40:00.0", 1, 1, 0, text), -EINVAL);
}

Test(pci, finds_drivers_in_the_lists_of_those_that_vfs_have)
{
	struct tree *tree = tree_new();
	struct root *root = NULL;
	struct pci_bus bus = { .fd = -1 };

	tree_add_host(tree, false);
	tree_link(tree, "../../../../devices/x", "sys/bus/pci/drivers/vfio-pci/0000:08:00.2");
	cr_assert_eq(root_open(tree_path(tree), &root, NULL), 0);
	cr_assert_eq(pci_bus_open(root, &bus), 0);
	cr_assert_str_eq(pci_bus_find_driver(&bus, "0000:08:00.2"), "vfio-pci");
	cr_assert_null(pci_bus_find_driver(&bus, "0000:08:00.3"));
	cr_assert_not(bus.is_sysfs);
	pci_bus_release(&bus);
	root_unref(root);
	tree_free(tree);
}

/* What a tree says is a link of sysfs may lead anywhere. */
Test(pci, follows_no_link_out_of_a_tree_that_is_not_sysfs)
{
	struct tree *tree = tree_new();
	char text[SYSFS_TEXT_SIZE];
	struct root *root = NULL;
	struct pci_bus bus = { .fd = -1 };

	tree_add_host(tree, false);
	tree_link(tree, "../../../../../../../../proc/self", "sys/bus/pci/devices/0000:08:00.0");
	cr_assert_eq(root_open(tree_path(tree), &root, NULL), 0);
	cr_assert_eq(pci_bus_open(root, &bus), 0);
	cr_assert_lt(pci_bus_open_function(&bus, "0000:08:00.0"), 0);
	cr_assert_lt(pci_bus_read_link(&bus, "0000:08:00.0", "exe", text), 0);
	pci_bus_release(&bus);
	root_unref(root);
	tree_free(tree);
}

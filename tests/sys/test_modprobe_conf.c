// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/modprobe_conf.h"

#include <criterion/criterion.h>

#include "support/tree.h"

static struct tree *tree;
static struct modprobe_conf conf;

static void open_tree(void)
{
	tree = tree_new();
}

static void close_tree(void)
{
	modprobe_conf_release(&conf);
	tree_free(tree);
}

TestSuite(modprobe_conf, .init = open_tree, .fini = close_tree);

static void read_conf(const char *cmdline)
{
	_cleanup_root_ struct root *root = NULL;

	cr_assert_eq(root_open(tree_path(tree), &root, NULL), 0);
	cr_assert_eq(modprobe_conf_read(root, cmdline, &conf), 0);
}

static enum mlx5lm_answer is_blacklisted(const char *module)
{
	return modprobe_conf_is_blacklisted(&conf, module);
}

Test(modprobe_conf, reads_blacklists_of_files_and_command_line)
{
	tree_write(tree, "# blacklist vfio\nblacklist mlx5-vfio-pci\n\n  blacklist\tiommufd # x\n",
		   "etc/modprobe.d/a.conf");
	read_conf("modprobe.blacklist=x,mlx5_core module_blacklist=vfio-pci");
	cr_assert_eq(is_blacklisted("mlx5_vfio_pci"), MLX5LM_ANSWER_YES);
	cr_assert_eq(is_blacklisted("iommufd"), MLX5LM_ANSWER_YES);
	cr_assert_eq(is_blacklisted("mlx5_core"), MLX5LM_ANSWER_YES);
	cr_assert_eq(is_blacklisted("vfio_pci"), MLX5LM_ANSWER_YES);
	cr_assert_eq(is_blacklisted("vfio"), MLX5LM_ANSWER_NO);
}

Test(modprobe_conf, only_files_that_end_in_conf_count)
{
	tree_write(tree, "blacklist vfio\n", "etc/modprobe.d/a.conf.dpkg-old");
	tree_write(tree, "blacklist vfio\n", "etc/modprobe.d/.conf");
	tree_write(tree, "blacklist vfio\n", "etc/modprobe.d/.a.conf");
	read_conf("");
	cr_assert_eq(is_blacklisted("vfio"), MLX5LM_ANSWER_NO);
}

Test(modprobe_conf, a_file_of_etc_hides_that_of_the_same_name)
{
	tree_write(tree, "blacklist vfio\n", "usr/lib/modprobe.d/a.conf");
	tree_link(tree, "/dev/null", "etc/modprobe.d/a.conf");
	tree_write(tree, "blacklist iommufd\n", "run/modprobe.d/b.conf");
	read_conf("");
	cr_assert_eq(is_blacklisted("vfio"), MLX5LM_ANSWER_NO);
	cr_assert_eq(is_blacklisted("iommufd"), MLX5LM_ANSWER_YES);
	cr_assert_null(conf.missing);
}

Test(modprobe_conf, a_link_does_not_lead_out_of_the_root)
{
	tree_link(tree, "/etc/modprobe.d", "etc/modprobe.d");
	tree_write(tree, "blacklist vfio\n", "here.conf");
	tree_link(tree, "../../../../../../../../here.conf", "lib/modprobe.d/a.conf");
	read_conf("");
	cr_assert_eq(is_blacklisted("vfio"), MLX5LM_ANSWER_YES);
}

Test(modprobe_conf, what_cannot_be_read_leaves_the_rest_unknown)
{
	tree_write(tree, "blacklist vfio\n", "etc/modprobe.d/a.conf");
	read_conf(NULL);
	cr_assert_eq(is_blacklisted("vfio"), MLX5LM_ANSWER_YES);
	cr_assert_eq(is_blacklisted("iommufd"), MLX5LM_ANSWER_UNKNOWN);
	cr_assert_str_eq(conf.missing, "proc/cmdline");
}

Test(modprobe_conf, a_directory_that_is_none_leaves_the_rest_unknown)
{
	tree_write(tree, "", "etc/modprobe.d");
	read_conf("");
	cr_assert_eq(is_blacklisted("vfio"), MLX5LM_ANSWER_UNKNOWN);
}

Test(modprobe_conf, the_last_option_counts)
{
	tree_write(tree, "options vfio-pci ids=15b3:101e disable_vga=1\noptions kvm nested=1\n",
		   "etc/modprobe.d/a.conf");
	tree_write(tree, "options vfio_pci \\\n ids=8086:1\n", "etc/modprobe.d/b.conf");
	read_conf("vfio-pci.ids=1:2 vfio_iommu_type1.allow_unsafe_interrupts=1 kvm.x=1");
	cr_assert_str_eq(modprobe_conf_option(&conf, "vfio_pci.ids"), "8086:1");
	cr_assert_str_eq(modprobe_conf_option(&conf, "vfio_iommu_type1.allow_unsafe_interrupts"),
			 "1");
	cr_assert_str_eq(modprobe_conf_option(&conf, "vfio_pci.disable_vga"), "1");
	cr_assert_null(modprobe_conf_option(&conf, "kvm.nested"));
	cr_assert_null(modprobe_conf_option(&conf, "vfio_pci.id"));
}

Test(modprobe_conf, nonsense_is_passed_over)
{
	cr_assert_eq(modprobe_conf_parse("blacklist\noptions\noptions vfio\noptions vfio =\n\\\n\\"
					 "blacklist \xff\xfe\ninstall vfio /bin/false\n"
					 "blacklist iommufd", &conf),
		     0);
	cr_assert_eq(conf.blacklist.length, 1);
	cr_assert_eq(is_blacklisted("iommufd"), MLX5LM_ANSWER_YES);
}

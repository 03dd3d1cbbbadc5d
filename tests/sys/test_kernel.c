// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/kernel.h"

#include <criterion/criterion.h>

#include "support/tree.h"

static struct tree *tree;
static struct mlx5lm_host *host;

static void open_tree(void)
{
	tree = tree_new();
	tree_add_host(tree, false);
	cr_assert_eq(host_new(&host), 0);
}

static void close_tree(void)
{
	mlx5lm_host_free(host);
	tree_free(tree);
}

TestSuite(kernel, .init = open_tree, .fini = close_tree);

static void probe(void)
{
	_cleanup_root_ struct root *root = NULL;

	cr_assert_eq(root_open(tree_path(tree), &root, NULL), 0);
	cr_assert_eq(kernel_probe(root, host), 0);
}

/* All notes but those on facts that only the running kernel tells. */
static size_t count_notes(void)
{
	size_t count = 0;

	for (size_t i = 0; i < host->num_notes; i++)
		count += !streq(host->notes[i].facts, "page_size_bytes") &&
			 !streq(host->notes[i].facts, "memlock_limit_bytes");
	return count;
}

Test(kernel, reads_who_the_host_is)
{
	probe();
	cr_assert_str_eq(host->kernel_release, TREE_RELEASE);
	cr_assert_str_eq(host->hostname, "host-a");
	cr_assert_str_eq(host->boot_id, TREE_BOOT_ID);
	cr_assert_str_eq(host->architecture, "x86_64");
	cr_assert_eq(host->iommu_active, MLX5LM_ANSWER_YES);
	cr_assert_str_eq(host->kernel_cmdline, "intel_iommu=on iommu=pt");
	cr_assert_eq(host->kernel_tainted.value, 0);
	cr_assert_eq(host->kernel_modules_disabled, MLX5LM_ANSWER_NO);
	cr_assert_eq(host->kernel_lockdown, MLX5LM_LOCKDOWN_NONE);
	cr_assert_str_eq(host_find_config(host, "MLX5_VFIO_PCI"), "m");
	cr_assert_eq(host->memory_total_bytes.value, UINT64_C(16) << 30);
	cr_assert_eq(count_notes(), 0);
}

Test(kernel, an_empty_class_means_that_no_iommu_works)
{
	tree_remove(tree, "sys/class/iommu/dmar0");
	probe();
	cr_assert_eq(host->iommu_active, MLX5LM_ANSWER_NO);
}

Test(kernel, without_the_class_the_groups_tell)
{
	tree_remove(tree, "sys/class/iommu");
	probe();
	cr_assert_eq(host->iommu_active, MLX5LM_ANSWER_YES);
}

Test(kernel, without_either_the_iommu_is_unknown_and_not_missing)
{
	tree_remove(tree, "sys/class/iommu");
	tree_remove(tree, "sys/kernel/iommu_groups");
	probe();
	cr_assert_eq(host->iommu_active, MLX5LM_ANSWER_UNKNOWN);
	cr_assert_not_null(host_find_note(host, "host", "iommu_active"));
	cr_assert_eq(count_notes(), 1);
}

Test(kernel, the_architecture_of_another_machine_is_not_that_of_this_one)
{
	tree_remove(tree, "proc/sys/kernel/arch");
	probe();
	cr_assert_null(host->architecture);
	cr_assert_not_null(host_find_note(host, "host", "architecture"));
	cr_assert_eq(count_notes(), 1);
}

Test(kernel, each_missing_file_is_noted)
{
	static const char *const facts[] = { "kernel_release",	     "hostname",
					     "boot_id",		     "architecture",
					     "kernel_config",	     "kernel_cmdline",
					     "kernel_tainted",	     "kernel_modules_disabled",
					     "memory_total_bytes",   "hugepages_free",
					     "kernel_config_source" };

	tree_remove(tree, "proc");
	probe();
	cr_assert_null(host->kernel_release);
	for (size_t i = 0; i < ARRAY_LENGTH(facts); i++)
		cr_assert_not_null(host_find_note(host, "host", facts[i]), "%s", facts[i]);
}

Test(kernel, text_that_json_cannot_hold_is_unknown)
{
	tree_write(tree, "host\xff", "proc/sys/kernel/hostname");
	tree_write(tree, "6.12\x1b[2J", "proc/sys/kernel/osrelease");
	probe();
	cr_assert_null(host->hostname);
	cr_assert_null(host->kernel_release);
	cr_assert_not_null(host_find_note(host, "host", "hostname"));
	cr_assert_not_null(host_find_note(host, "host", "kernel_release"));
}

Test(kernel, the_bracketed_word_is_the_lockdown_in_force)
{
	tree_write(tree, "none [integrity] confidentiality\n", "sys/kernel/security/lockdown");
	probe();
	cr_assert_eq(host->kernel_lockdown, MLX5LM_LOCKDOWN_INTEGRITY);
}

Test(kernel, a_lockdown_without_brackets_or_of_a_new_kind_is_unknown)
{
	static const char *const texts[] = { "none integrity\n", "[none integrity\n", "]none[\n",
					     "[]\n", "[paranoia]\n", "" };

	for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
		mlx5lm_host_free(host);
		cr_assert_eq(host_new(&host), 0);
		tree_write(tree, texts[i], "sys/kernel/security/lockdown");
		probe();
		cr_assert_eq(host->kernel_lockdown, MLX5LM_LOCKDOWN_UNKNOWN, "%s", texts[i]);
		cr_assert_not_null(host_find_note(host, "host", "kernel_lockdown"));
	}
}

Test(kernel, a_kernel_whose_securityfs_has_no_lockdown_is_not_locked_down)
{
	tree_remove(tree, "sys/kernel/security/lockdown");
	probe();
	cr_assert_eq(host->kernel_lockdown, MLX5LM_LOCKDOWN_NONE);
}

Test(kernel, without_securityfs_the_lockdown_is_unknown)
{
	tree_remove(tree, "sys/kernel/security");
	tree_remove(tree, "boot");
	tree_make_dir(tree, "sys/kernel/security");
	probe();
	cr_assert_eq(host->kernel_lockdown, MLX5LM_LOCKDOWN_UNKNOWN);
	cr_assert_not_null(host_find_note(host, "host", "kernel_lockdown"));
}

Test(kernel, a_kernel_built_without_lockdown_is_not_locked_down)
{
	tree_remove(tree, "sys/kernel/security");
	probe();
	cr_assert_str_eq(host_find_config(host, "SECURITY_LOCKDOWN_LSM"), "n");
	cr_assert_eq(host->kernel_lockdown, MLX5LM_LOCKDOWN_NONE);
}

Test(kernel, knows_when_no_module_can_be_loaded)
{
	tree_write(tree, "1\n", "proc/sys/kernel/modules_disabled");
	tree_write(tree, "4097\n", "proc/sys/kernel/tainted");
	probe();
	cr_assert_eq(host->kernel_modules_disabled, MLX5LM_ANSWER_YES);
	cr_assert_eq(host->kernel_tainted.value, 4097);
}

Test(kernel, a_kernel_without_modules_loads_none)
{
	tree_remove(tree, "proc/sys/kernel/modules_disabled");
	tree_write(tree, "# CONFIG_MODULES is not set\n", "boot/config-" TREE_RELEASE);
	probe();
	cr_assert_eq(host->kernel_modules_disabled, MLX5LM_ANSWER_YES);
}

Test(kernel, what_only_the_running_kernel_tells_is_unknown_of_another)
{
	probe();
	cr_assert_not(host->page_size_bytes.known);
	cr_assert_not(host->memlock_limit_bytes.known);
	cr_assert_not_null(host_find_note(host, "host", "page_size_bytes"));
	cr_assert_not_null(host_find_note(host, "host", "memlock_limit_bytes"));
}

Test(kernel, the_running_kernel_tells_its_page_size)
{
	tree_add_host(tree, true);
	probe();
	cr_assert_eq(host->page_size_bytes.value, (uint64_t)getpagesize());
	cr_assert(host->memlock_limit_bytes.known);
	cr_assert_eq(host->num_notes, 0);
}

Test(kernel, a_fifo_for_a_file_does_not_stop_the_probe)
{
	tree_make_fifo(tree, "proc/cmdline");
	tree_make_fifo(tree, "proc/meminfo");
	tree_make_fifo(tree, "boot/config-" TREE_RELEASE);
	probe();
	cr_assert_null(host->kernel_cmdline);
	cr_assert_eq(count_notes(), 3);
}

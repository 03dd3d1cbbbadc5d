// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/memory.h"

#include <criterion/criterion.h>
#include <sys/resource.h>

#include "support/tree.h"

static struct tree *tree;
static struct mlx5lm_host *host;

static void open_tree(void)
{
	tree = tree_new();
	tree_add_host(tree, true);
	cr_assert_eq(host_new(&host), 0);
}

static void close_tree(void)
{
	mlx5lm_host_free(host);
	tree_free(tree);
}

TestSuite(memory, .init = open_tree, .fini = close_tree);

static void probe(void)
{
	_cleanup_root_ struct root *root = NULL;

	cr_assert_eq(root_open(tree_path(tree), &root, NULL), 0);
	cr_assert_eq(memory_probe(root, host), 0);
}

Test(memory, reads_memory_and_huge_pages)
{
	probe();
	cr_assert_eq(host->memory_total_bytes.value, UINT64_C(16) << 30);
	cr_assert_eq(host->hugepage_size_bytes.value, 2 << 20);
	cr_assert_eq(host->hugepages_total.value, 1024);
	cr_assert_eq(host->hugepages_free.value, 512);
	cr_assert_eq(host->num_notes, 0);
}

Test(memory, a_kernel_without_huge_pages_says_so)
{
	tree_write(tree, "MemTotal: 1024 kB\nXHugePages_Total: 5\n", "proc/meminfo");
	probe();
	cr_assert_eq(host->memory_total_bytes.value, 1 << 20);
	cr_assert_not(host->hugepages_total.known);
	cr_assert_not_null(host_find_note(host, "host", "hugepages_total"));
}

Test(memory, nonsense_is_unknown)
{
	tree_write(tree, "MemTotal: -5 kB\nHugePages_Total: 99999999999999999999\n"
			 "HugePages_Free: x\nHugepagesize: 18446744073709551615 kB\n",
		   "proc/meminfo");
	probe();
	cr_assert_not(host->memory_total_bytes.known);
	cr_assert_not(host->hugepages_total.known);
	cr_assert_not(host->hugepages_free.known);
	cr_assert_not(host->hugepage_size_bytes.known);
	cr_assert_eq(host->num_notes, 2);
}

Test(memory, a_missing_file_is_noted)
{
	tree_remove(tree, "proc/meminfo");
	probe();
	cr_assert_not(host->memory_total_bytes.known);
	cr_assert_not_null(host_find_note(host, "host", "memory_total_bytes"));
}

Test(memory, the_limit_on_locked_memory_is_that_of_this_process)
{
	struct rlimit limit;

	cr_assert_eq(getrlimit(RLIMIT_MEMLOCK, &limit), 0);
	limit.rlim_cur = 4096;
	cr_assert_eq(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
	probe();
	cr_assert_eq(host->memlock_limit_bytes.value, 4096);
}

Test(memory, no_limit_is_the_largest_number)
{
	cr_assert_eq(memory_limit(RLIM_INFINITY).value, INT64_MAX);
	cr_assert_eq(memory_limit(4096).value, 4096);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/vfio_users.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/tree.h"

static struct tree *tree;
static struct root *root;
static struct mlx5lm_host *host;
static struct mlx5lm_vf *vfs;
static struct vfio_vfs list;

/* Two VFs on mlx5_vfio_pci and one on mlx5_core, in groups 100 to 102. */
static void open_host(void)
{
	static const char *const drivers[] = { "mlx5_vfio_pci", "mlx5_vfio_pci", "mlx5_core" };
	struct mlx5lm_pf *pf;

	tree = tree_new();
	tree_add_host(tree, false);
	tree_write(tree, "qemu-system-x86\n", "proc/4711/comm");
	tree_link(tree, "/dev/null", "proc/4711/fd/0");
	cr_assert_eq(root_open(tree_path(tree), &root, NULL), 0);
	cr_assert_eq(host_new(&host), 0);
	cr_assert_eq(host_add_pf(host, &pf), 0);
	cr_assert_eq(str_replace(&pf->bdf, "0000:08:00.0"), 0);
	for (unsigned int i = 0; i < 3; i++) {
		struct mlx5lm_vf *vf;

		cr_assert_eq(pf_add_vf(pf, &vf), 0);
		cr_assert_eq(str_replace(&vf->driver, drivers[i]), 0);
		vf->iommu_group = fact_u64(100 + i);
	}
	vfs = pf->vfs;
	cr_assert_eq(vfio_vfs_list(host, &list), 0);
	cr_assert_eq(list.length, 2);
}

static void close_host(void)
{
	vfio_vfs_release(&list);
	mlx5lm_host_free(host);
	root_unref(root);
	tree_free(tree);
}

TestSuite(vfio_users, .init = open_host, .fini = close_host);

static void look(void)
{
	cr_assert_eq(vfio_users_probe(root, &list, host), 0);
}

Test(vfio_users, a_driver_that_nobody_uses_spares_the_look_at_processes)
{
	tree_write(tree, "0\n", "sys/module/mlx5_vfio_pci/refcnt");
	/* Were they looked at, this one would be found. */
	tree_link(tree, "/dev/vfio/100", "proc/4711/fd/9");
	look();
	cr_assert_not(vfs[0].in_use_pid.known);
	cr_assert_eq(list.items[0].is_free, MLX5LM_ANSWER_YES);
	cr_assert_eq(list.items[1].is_free, MLX5LM_ANSWER_YES);
	cr_assert_eq(host->num_notes, 0);
}

Test(vfio_users, finds_who_has_a_group_open)
{
	tree_write(tree, "1\n", "sys/module/mlx5_vfio_pci/refcnt");
	tree_link(tree, "/dev/vfio/101", "proc/4711/fd/9");
	look();
	cr_assert_not(vfs[0].in_use_pid.known);
	cr_assert_eq(vfs[1].in_use_pid.value, 4711);
	cr_assert_str_eq(vfs[1].in_use_comm, "qemu-system-x86");
	cr_assert_eq(list.items[0].is_free, MLX5LM_ANSWER_YES);
	cr_assert_eq(list.items[1].is_free, MLX5LM_ANSWER_NO);
}

Test(vfio_users, finds_who_has_a_node_open)
{
	tree_write(tree, "1\n", "sys/module/mlx5_vfio_pci/refcnt");
	cr_assert_eq(str_replace(&vfs[0].vfio_device, "vfio7"), 0);
	tree_link(tree, "/dev/vfio/devices/vfio7", "proc/4711/fd/9");
	tree_link(tree, "/dev/vfio/devices/vfio70", "proc/4711/fd/10");
	look();
	cr_assert_eq(vfs[0].in_use_pid.value, 4711);
	cr_assert_eq(list.items[1].is_free, MLX5LM_ANSWER_YES);
}

Test(vfio_users, one_pass_finds_the_users_of_all)
{
	tree_write(tree, "2\n", "sys/module/mlx5_vfio_pci/refcnt");
	tree_write(tree, "other\n", "proc/12/comm");
	tree_link(tree, "/dev/vfio/100", "proc/12/fd/3");
	tree_link(tree, "/dev/vfio/101", "proc/4711/fd/9");
	look();
	cr_assert_eq(vfs[0].in_use_pid.value, 12);
	cr_assert_eq(vfs[1].in_use_pid.value, 4711);
}

Test(vfio_users, without_a_use_count_the_processes_are_looked_at)
{
	tree_link(tree, "/dev/vfio/100", "proc/4711/fd/9");
	look();
	cr_assert_eq(vfs[0].in_use_pid.value, 4711);
	cr_assert_eq(list.items[1].is_free, MLX5LM_ANSWER_YES);
}

Test(vfio_users, a_use_that_no_process_explains_leaves_all_in_doubt)
{
	tree_write(tree, "1\n", "sys/module/mlx5_vfio_pci/refcnt");
	look();
	cr_assert_eq(list.items[0].is_free, MLX5LM_ANSWER_UNKNOWN);
	cr_assert_eq(list.items[1].is_free, MLX5LM_ANSWER_UNKNOWN);
	cr_assert_eq(host->num_notes, 1);
	cr_assert_not_null(host_find_note(host, "0000:08:00.0", "in_use_pid"));
}

Test(vfio_users, more_uses_than_processes_leave_the_rest_in_doubt)
{
	tree_write(tree, "2\n", "sys/module/mlx5_vfio_pci/refcnt");
	tree_link(tree, "/dev/vfio/101", "proc/4711/fd/9");
	look();
	cr_assert_eq(list.items[0].is_free, MLX5LM_ANSWER_UNKNOWN);
	cr_assert_eq(list.items[1].is_free, MLX5LM_ANSWER_NO);
}

/* Lets everybody into a directory of the tree, which mkdtemp() made for one user only. */
static void give_away(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", tree_path(tree), name);
	cr_assert_eq(chmod(path, 0755), 0);
}

/* A user whom permissions bind, if the test runs as root. */
static void become(uid_t user)
{
	if (getuid() == 0)
		cr_assert_eq(seteuid(user), 0);
}

Test(vfio_users, descriptors_that_cannot_be_read_are_noted_and_prove_nothing)
{
	char fds[256];

	tree_write(tree, "1\n", "sys/module/mlx5_vfio_pci/refcnt");
	give_away("");
	snprintf(fds, sizeof(fds), "%s/proc/4711/fd", tree_path(tree));
	cr_assert_eq(chmod(fds, 0), 0);
	become(65534);
	look();
	become(0);
	cr_assert_eq(chmod(fds, 0755), 0);
	cr_assert_eq(list.items[0].is_free, MLX5LM_ANSWER_UNKNOWN);
	cr_assert(strstr(host_find_note(host, "0000:08:00.0", "in_use_pid")->text, "run as root"));
}

Test(vfio_users, a_vf_on_another_driver_is_not_listed)
{
	cr_assert_eq(list.items[0].vf, &vfs[0]);
	cr_assert_eq(list.items[1].vf, &vfs[1]);
}

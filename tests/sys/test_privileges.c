// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/privileges.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/stat.h>

#include "support/tree.h"

#define NOBODY 65534

static const char *const all_names[] = {
	"read-eswitch-mode", "read-msix",   "nv",	  "firmware-reset",  "autoprobe",
	"eswitch-mode",	     "num-vfs",	    "load-module", "unbind",	     "bind",
	"driver-override",   "hw-addr",	    "port-attr",  "max-io-eqs",	     "msix-count",
	"representor",	     "open-vfio",   "nv-config",  "libvirt",
};

static struct mlx5lm_host *host;
static struct rights rights;

static void open_host(void)
{
	static char path[] = "/file";
	struct mlx5lm_pf *pf;

	cr_assert_eq(host_new(&host), 0);
	cr_assert_eq(host_add_pf(host, &pf), 0);
	host->kernel_lockdown = MLX5LM_LOCKDOWN_NONE;
	host->kernel_modules_disabled = MLX5LM_ANSWER_NO;
	rights = (struct rights){
		.native = true,
		.is_root = true,
		.caps_known = true,
		.caps = UINT64_MAX,
		.initial_user_ns = MLX5LM_ANSWER_YES,
		.files_known = true,
	};
	for (size_t i = 0; i < NUM_RIGHT_FILES; i++)
		rights.files[i].path = path;
}

static void close_host(void)
{
	mlx5lm_host_free(host);
}

TestSuite(privileges, .init = open_host, .fini = close_host);

static const struct mlx5lm_privilege *find(const char *name)
{
	const struct mlx5lm_privilege *privilege = host_find_privilege(host, name);

	cr_assert_not_null(privilege, "%s", name);
	return privilege;
}

/* All steps have this answer but those named, which have the other one. */
static void assert_granted(enum mlx5lm_answer all, const char *const *names,
			   enum mlx5lm_answer other)
{
	cr_assert_eq(host->num_privileges, ARRAY_LENGTH(all_names));
	for (size_t i = 0; i < ARRAY_LENGTH(all_names); i++) {
		const struct mlx5lm_privilege *privilege = &host->privileges[i];
		enum mlx5lm_answer expected = all;

		for (const char *const *name = names; *name; name++) {
			if (streq(*name, all_names[i]))
				expected = other;
		}
		cr_expect_str_eq(privilege->name, all_names[i]);
		cr_expect_eq(privilege->granted, expected, "%s: %s", privilege->name,
			     privilege->needs);
		cr_expect_not_null(privilege->needs);
	}
}

#define ASSERT_ALL(all)                                                                            \
	assert_granted(all, (const char *const[]){ NULL }, MLX5LM_ANSWER_UNKNOWN)
#define ASSERT_BUT(all, other, ...)                                                                \
	assert_granted(all, (const char *const[]){ __VA_ARGS__, NULL }, other)

static void judge(void)
{
	cr_assert_eq(privileges_judge(&rights, host), 0);
}

Test(privileges, who_may_do_all_is_told_so)
{
	judge();
	ASSERT_ALL(MLX5LM_ANSWER_YES);
	cr_assert_str_eq(find("eswitch-mode")->needs, "CAP_NET_ADMIN");
	cr_assert_str_eq(find("num-vfs")->needs, "write access to /file");
}

Test(privileges, without_cap_net_admin_devlink_is_closed)
{
	rights.caps &= ~(UINT64_C(1) << CAP_NET_ADMIN);
	judge();
	ASSERT_BUT(MLX5LM_ANSWER_YES, MLX5LM_ANSWER_NO, "read-eswitch-mode", "firmware-reset",
		   "eswitch-mode", "hw-addr", "port-attr", "max-io-eqs", "representor");
	cr_assert_str_eq(find("hw-addr")->needs, "CAP_NET_ADMIN: missing");
}

Test(privileges, without_cap_sys_admin_configuration_space_is_closed)
{
	rights.caps &= ~(UINT64_C(1) << CAP_SYS_ADMIN);
	judge();
	ASSERT_BUT(MLX5LM_ANSWER_YES, MLX5LM_ANSWER_NO, "read-msix", "nv", "nv-config");
}

Test(privileges, without_cap_sys_module_no_module_is_loaded)
{
	rights.caps &= ~(UINT64_C(1) << CAP_SYS_MODULE);
	judge();
	ASSERT_BUT(MLX5LM_ANSWER_YES, MLX5LM_ANSWER_NO, "load-module");
}

Test(privileges, capabilities_of_another_user_namespace_do_not_count)
{
	rights.initial_user_ns = MLX5LM_ANSWER_NO;
	judge();
	ASSERT_BUT(MLX5LM_ANSWER_YES, MLX5LM_ANSWER_NO, "read-eswitch-mode", "read-msix", "nv",
		   "firmware-reset", "eswitch-mode", "load-module", "hw-addr", "port-attr",
		   "max-io-eqs", "representor", "nv-config");
	cr_assert_not_null(strstr(find("port-attr")->needs, "initial user namespace"));
}

Test(privileges, what_the_kernel_does_not_tell_is_unknown)
{
	rights.caps_known = false;
	judge();
	ASSERT_BUT(MLX5LM_ANSWER_YES, MLX5LM_ANSWER_UNKNOWN, "read-eswitch-mode", "read-msix", "nv",
		   "firmware-reset", "eswitch-mode", "load-module", "hw-addr", "port-attr",
		   "max-io-eqs", "representor", "nv-config");
}

Test(privileges, a_namespace_that_is_not_known_makes_no_yes)
{
	rights.initial_user_ns = MLX5LM_ANSWER_UNKNOWN;
	judge();
	cr_assert_eq(find("eswitch-mode")->granted, MLX5LM_ANSWER_UNKNOWN);
	cr_assert_eq(find("num-vfs")->granted, MLX5LM_ANSWER_YES);
}

Test(privileges, read_only_sysfs_is_a_no_for_what_is_written_there)
{
	for (enum right_file i = RIGHT_AUTOPROBE; i <= RIGHT_BIND; i++)
		rights.files[i].result = -EROFS;
	judge();
	ASSERT_BUT(MLX5LM_ANSWER_YES, MLX5LM_ANSWER_NO, "autoprobe", "num-vfs", "nv-config",
		   "nv", "msix-count", "driver-override", "unbind", "bind");
	cr_assert_str_eq(find("bind")->needs, "write access to /file: Read-only file system");
}

Test(privileges, a_missing_file_says_nothing_of_rights)
{
	rights.files[RIGHT_NUM_VFS].result = -ENOENT;
	judge();
	ASSERT_BUT(MLX5LM_ANSWER_YES, MLX5LM_ANSWER_UNKNOWN, "num-vfs");
}

Test(privileges, without_a_pf_there_is_nothing_to_look_at)
{
	for (enum right_file i = RIGHT_AUTOPROBE; i <= RIGHT_DRIVER_OVERRIDE; i++)
		rights.files[i].path = NULL;
	judge();
	ASSERT_BUT(MLX5LM_ANSWER_YES, MLX5LM_ANSWER_UNKNOWN, "autoprobe", "num-vfs", "nv",
		   "nv-config", "msix-count", "driver-override");
	cr_assert_str_eq(find("num-vfs")->needs, "write access to a PF: there is none");
}

Test(privileges, a_no_outdoes_an_unknown)
{
	rights.files[RIGHT_CONFIG].path = NULL;
	rights.caps = 0;
	judge();
	cr_assert_eq(find("nv-config")->granted, MLX5LM_ANSWER_NO);
	cr_assert_str_eq(find("nv-config")->needs,
			 "CAP_SYS_ADMIN: missing; write access to a PF: there is none");
}

/* P15 */
Test(privileges, lockdown_keeps_mstconfig_out)
{
	host->kernel_lockdown = MLX5LM_LOCKDOWN_INTEGRITY;
	judge();
	ASSERT_BUT(MLX5LM_ANSWER_YES, MLX5LM_ANSWER_NO, "nv", "nv-config");
	cr_assert_not_null(strstr(find("nv-config")->needs, "locked down"));
	cr_assert_not_null(strstr(find("load-module")->needs, "signed modules"));
}

Test(privileges, with_fwctl_lockdown_leaves_a_way)
{
	struct mlx5lm_module *module;

	cr_assert_eq(host_add_module(host, &module), 0);
	cr_assert_eq(str_replace(&module->name, "mlx5_fwctl"), 0);
	module->state = MLX5LM_MODULE_LOADED;
	host->kernel_lockdown = MLX5LM_LOCKDOWN_CONFIDENTIALITY;
	judge();
	ASSERT_BUT(MLX5LM_ANSWER_YES, MLX5LM_ANSWER_UNKNOWN, "nv", "nv-config");
}

Test(privileges, devlink_leaves_a_way_to_some_of_the_nv_configuration)
{
	struct mlx5lm_param *param;

	cr_assert_eq(pf_add_param(&host->pfs[0], &param), 0);
	cr_assert_eq(str_replace(&param->name, "total_vfs"), 0);
	cr_assert_eq(str_replace(&param->permanent, "16"), 0);
	rights.caps = UINT64_C(1) << CAP_NET_ADMIN;
	judge();
	cr_assert_eq(find("nv")->granted, MLX5LM_ANSWER_UNKNOWN);
	cr_assert_str_eq(find("nv")->needs,
			 "CAP_SYS_ADMIN: missing; write access to /file; but devlink sets "
			 "SRIOV_EN and NUM_OF_VFS");
	cr_assert_eq(find("nv-config")->granted, MLX5LM_ANSWER_NO);
	close_host();
	open_host();
	rights.caps = UINT64_C(1) << CAP_NET_ADMIN;
	judge();
	cr_assert_eq(find("nv")->granted, MLX5LM_ANSWER_NO, "without the parameter");
}

Test(privileges, a_lockdown_that_is_not_known_makes_no_yes)
{
	host->kernel_lockdown = MLX5LM_LOCKDOWN_UNKNOWN;
	judge();
	ASSERT_BUT(MLX5LM_ANSWER_YES, MLX5LM_ANSWER_UNKNOWN, "nv", "nv-config");
}

Test(privileges, a_locked_down_kernel_may_refuse_a_foreign_driver)
{
	struct mlx5lm_module *module;

	cr_assert_eq(host_add_module(host, &module), 0);
	cr_assert_eq(str_replace(&module->name, "mlx5_vfio_pci"), 0);
	module->in_tree = MLX5LM_ANSWER_NO;
	host->kernel_lockdown = MLX5LM_LOCKDOWN_INTEGRITY;
	judge();
	cr_assert_eq(find("load-module")->granted, MLX5LM_ANSWER_UNKNOWN);
}

/* P15 */
Test(privileges, a_bluefield_in_dpu_mode_is_managed_from_its_arm_side)
{
	host->pfs[0].eswitch_manager = MLX5LM_ANSWER_NO;
	judge();
	ASSERT_BUT(MLX5LM_ANSWER_YES, MLX5LM_ANSWER_NO, "nv", "eswitch-mode", "hw-addr",
		   "port-attr", "max-io-eqs", "nv-config");
	cr_assert_not_null(strstr(find("nv-config")->needs, "Arm side"));
}

Test(privileges, a_kernel_that_loads_no_modules_is_told)
{
	host->kernel_modules_disabled = MLX5LM_ANSWER_YES;
	judge();
	ASSERT_BUT(MLX5LM_ANSWER_YES, MLX5LM_ANSWER_NO, "load-module");
}

Test(privileges, a_vfio_node_to_come_is_roots)
{
	rights.files[RIGHT_VFIO_DEVICE].path = NULL;
	judge();
	cr_assert_eq(find("open-vfio")->granted, MLX5LM_ANSWER_YES);
	close_host();
	open_host();
	rights.files[RIGHT_VFIO_DEVICE].path = NULL;
	rights.caps &= ~(UINT64_C(1) << CAP_DAC_OVERRIDE);
	judge();
	cr_assert_eq(find("open-vfio")->granted, MLX5LM_ANSWER_UNKNOWN);
}

Test(privileges, who_is_not_root_has_to_ask_libvirt)
{
	rights.is_root = false;
	judge();
	ASSERT_BUT(MLX5LM_ANSWER_YES, MLX5LM_ANSWER_UNKNOWN, "libvirt");
}

Test(privileges, a_filter_that_forbids_to_ask_makes_it_unknown)
{
	rights.files_known = false;
	judge();
	cr_assert_eq(find("num-vfs")->granted, MLX5LM_ANSWER_UNKNOWN);
	cr_assert_eq(find("eswitch-mode")->granted, MLX5LM_ANSWER_YES);
}

Test(privileges, another_machine_can_only_be_read)
{
	rights.native = false;
	judge();
	ASSERT_ALL(MLX5LM_ANSWER_NO);
}

static const struct tree_pf pf_a = { .bdf = "0000:08:00.0",
				     .device_id = 0x1021,
				     .total_vfs = 8,
				     .num_vfs = 1,
				     .vf_driver = "mlx5_vfio_pci" };

static void protect(const struct tree *tree, const char *path, mode_t mode)
{
	char full[256];

	snprintf(full, sizeof(full), "%s/%s", tree_path(tree), path);
	cr_assert_eq(chmod(full, mode), 0);
}

/* A host with the modes that the kernel and udev give. */
static struct tree *make_tree(bool native)
{
	struct tree *tree = tree_new();

	tree_add_host(tree, native);
	tree_add_pf(tree, &pf_a);
	tree_write(tree, "", "sys/devices/pci0000:00/0000:08:00.0/config");
	tree_write(tree, "", "dev/vfio/vfio");
	tree_write(tree, "", "dev/vfio/100");
	tree_write(tree, "", "run/libvirt/libvirt-sock");
	protect(tree, "", 0755);
	protect(tree, "dev/vfio/vfio", 0666);
	protect(tree, "dev/vfio/100", 0400);
	protect(tree, "run/libvirt/libvirt-sock", 0777);
	protect(tree, "sys/bus/pci/drivers/mlx5_vfio_pci/bind", 0);
	protect(tree, "sys/bus/pci/drivers/mlx5_vfio_pci/unbind", 0);
	protect(tree, "sys/devices/pci0000:00/0000:08:00.0/config", 0444);
	protect(tree, "sys/devices/pci0000:00/0000:08:00.0/sriov_numvfs", 0444);
	protect(tree, "sys/devices/pci0000:00/0000:08:00.0/sriov_drivers_autoprobe", 0444);
	tree_write(tree, "", "sys/devices/pci0000:00/0000:08:00.2/sriov_vf_msix_count");
	protect(tree, "sys/devices/pci0000:00/0000:08:00.2/sriov_vf_msix_count", 0);
	protect(tree, "sys/devices/pci0000:00/0000:08:00.2/driver_override", 0444);
	return tree;
}

static void probe(const struct tree *tree)
{
	_cleanup_root_ struct root *root = NULL;
	struct mlx5lm_vf *vf;

	cr_assert_eq(str_replace(&host->pfs[0].bdf, pf_a.bdf), 0);
	cr_assert_eq(pf_add_vf(&host->pfs[0], &vf), 0);
	cr_assert_eq(str_replace(&vf->bdf, "0000:08:00.2"), 0);
	cr_assert_eq(str_replace(&vf->driver, "mlx5_vfio_pci"), 0);
	vf->iommu_group = fact_u64(100);
	cr_assert_eq(root_open(tree_path(tree), &root, NULL), 0);
	cr_assert_eq(privileges_probe(root, host), 0);
}

/* P16. The kernel takes the capabilities away with the effective user id, and gives them back. */
Test(privileges, nobody_may_do_nothing)
{
	struct tree *tree = make_tree(true);
	bool is_root = geteuid() == 0;

	if (is_root)
		cr_assert_eq(seteuid(NOBODY), 0);
	probe(tree);
	if (is_root)
		cr_assert_eq(seteuid(0), 0);
	ASSERT_BUT(MLX5LM_ANSWER_NO, MLX5LM_ANSWER_UNKNOWN, "libvirt");
	cr_assert_str_eq(find("num-vfs")->needs,
			 "write access to /sys/bus/pci/devices/0000:08:00.0/sriov_numvfs: "
			 "Permission denied");
	cr_assert_str_eq(find("msix-count")->needs,
			 "write access to /sys/bus/pci/devices/0000:08:00.2/sriov_vf_msix_count: "
			 "Permission denied");
	cr_assert_str_eq(find("open-vfio")->needs,
			 "read and write access to /dev/vfio/vfio; read and write access to "
			 "/dev/vfio/100: Permission denied");
	tree_free(tree);
}

Test(privileges, root_may_do_all)
{
	struct tree *tree = make_tree(true);

	probe(tree);
	if (geteuid() == 0)
		ASSERT_ALL(MLX5LM_ANSWER_YES);
	else
		cr_assert_eq(find("load-module")->granted, MLX5LM_ANSWER_NO);
	tree_free(tree);
}

Test(privileges, of_a_recorded_machine_nothing_is_asked)
{
	struct tree *tree = make_tree(false);

	probe(tree);
	ASSERT_ALL(MLX5LM_ANSWER_NO);
	tree_free(tree);
}

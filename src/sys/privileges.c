// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "sys/pci.h"
#include "sys/sysfs.h"

/* Linux, include/linux/proc_ns.h, PROC_USER_INIT_INO: the same in every kernel since 3.8. */
#define INITIAL_USER_NS_INODE 0xEFFFFFFDu

#define NOT_KNOWN "not known of this one"

/* What to ask of each file, and what it is called where there is none. */
static const struct {
	int mode;
	const char *right;
	const char *object;
} files[NUM_RIGHT_FILES] = {
	[RIGHT_AUTOPROBE] = { W_OK, "write", "a PF" },
	[RIGHT_NUM_VFS] = { W_OK, "write", "a PF" },
	[RIGHT_CONFIG] = { W_OK, "write", "a PF" },
	[RIGHT_MSIX_COUNT] = { W_OK, "write", "a PF" },
	[RIGHT_DRIVER_OVERRIDE] = { W_OK, "write", "a PF" },
	[RIGHT_UNBIND] = { W_OK, "write", "a driver" },
	[RIGHT_BIND] = { W_OK, "write", "a driver" },
	[RIGHT_VFIO] = { R_OK | W_OK, "read and write", "/dev/vfio/vfio" },
	[RIGHT_VFIO_DEVICE] = { R_OK | W_OK, "read and write", "a VF bound to VFIO" },
	[RIGHT_LIBVIRT] = { W_OK, "write", "a socket of libvirt" },
};

/* What is known of one step so far. */
struct verdict {
	uint32_t granted; /* enum mlx5lm_answer */
	struct strbuf needs;
};

/* One thing that the step needs. A no outdoes an unknown, which outdoes a yes. */
static void need(struct verdict *verdict, uint32_t answer, const char *what, const char *why)
{
	if (answer == MLX5LM_ANSWER_NO || verdict->granted == MLX5LM_ANSWER_YES)
		verdict->granted = answer;
	strbuf_printf(&verdict->needs, "%s%s%s%s", verdict->needs.length ? "; " : "", what,
		      answer == MLX5LM_ANSWER_YES ? "" : ": ",
		      answer == MLX5LM_ANSWER_YES ? "" : why);
}

static int add(struct verdict *verdict, const char *name, struct mlx5lm_host *host)
{
	struct mlx5lm_privilege *privilege;

	if (host_add_privilege(host, &privilege) < 0 ||
	    str_replace(&privilege->name, name) < 0) {
		strbuf_release(&verdict->needs);
		return -ENOMEM;
	}
	privilege->granted = verdict->granted;
	return strbuf_take(&verdict->needs, &privilege->needs);
}

/* The kernel asks for these in the initial user namespace: root in a container is not enough. */
static void need_cap(struct verdict *verdict, const struct rights *rights, int cap)
{
	const char *name = cap == CAP_NET_ADMIN ? "CAP_NET_ADMIN" :
			   cap == CAP_SYS_ADMIN ? "CAP_SYS_ADMIN" :
						  "CAP_SYS_MODULE";

	if (!rights->caps_known)
		need(verdict, MLX5LM_ANSWER_UNKNOWN, name, "capabilities cannot be read");
	else if (!(rights->caps >> cap & 1))
		need(verdict, MLX5LM_ANSWER_NO, name, "missing");
	else if (rights->initial_user_ns == MLX5LM_ANSWER_NO)
		need(verdict, MLX5LM_ANSWER_NO, name,
		     "there, but not in the initial user namespace");
	else
		need(verdict, rights->initial_user_ns, name,
		     "whether it is there in the initial user namespace is not known");
}

static void need_file(struct verdict *verdict, const struct rights *rights, enum right_file file)
{
	const struct file_access *access = &rights->files[file];
	uint32_t answer = MLX5LM_ANSWER_UNKNOWN;
	const char *why = strerror(-access->result);
	_cleanup_free_ char *what = NULL;

	if (!rights->files_known)
		why = "not known, faccessat2() is forbidden";
	else if (!access->path)
		why = "there is none";
	else if (access->result == 0)
		answer = MLX5LM_ANSWER_YES;
	/* That a file is not there is no matter of rights. */
	else if (access->result == -EACCES || access->result == -EPERM || access->result == -EROFS)
		answer = MLX5LM_ANSWER_NO;
	what = str_printf("%s access to %s", files[file].right,
			  access->path ? access->path : files[file].object);
	if (what)
		need(verdict, answer, what, why);
	else
		verdict->needs.error = -ENOMEM;
}

/* The host side of a BlueField in DPU mode: firmware lets only the Arm side do it. */
static void need_host_side(const struct rights *rights, const struct mlx5lm_host *host,
			   struct verdict *verdict)
{
	(void)rights;
	if (host->num_pfs && host->pfs[0].eswitch_manager == MLX5LM_ANSWER_NO)
		need(verdict, MLX5LM_ANSWER_NO, "an adapter that is managed from this side",
		     "the Arm side of the BlueField manages it");
}

static void need_loading(const struct rights *rights, const struct mlx5lm_host *host,
			 struct verdict *verdict)
{
	const struct mlx5lm_module *driver = host_find_module(host, "mlx5_vfio_pci");
	bool foreign = driver && driver->in_tree == MLX5LM_ANSWER_NO;

	(void)rights;
	if (host->kernel_modules_disabled == MLX5LM_ANSWER_YES)
		need(verdict, MLX5LM_ANSWER_NO, "a kernel that loads modules",
		     "this one does not: /proc/sys/kernel/modules_disabled");
	else if (host->kernel_modules_disabled == MLX5LM_ANSWER_UNKNOWN)
		need(verdict, MLX5LM_ANSWER_UNKNOWN, "a kernel that loads modules", NOT_KNOWN);
	if (host->kernel_lockdown > MLX5LM_LOCKDOWN_NONE)
		need(verdict, foreign ? MLX5LM_ANSWER_UNKNOWN : MLX5LM_ANSWER_YES,
		     "signed modules, for the kernel is locked down",
		     "mlx5_vfio_pci did not come with the kernel, and may have no signature");
}

static void need_device(const struct rights *rights, const struct mlx5lm_host *host,
			struct verdict *verdict)
{
	(void)host;
	/* A node that comes when a VF is bound is root's, unless udev is told otherwise. */
	if (!rights->files[RIGHT_VFIO_DEVICE].path && rights->caps_known &&
	    rights->caps >> CAP_DAC_OVERRIDE & 1)
		need(verdict, MLX5LM_ANSWER_YES, "CAP_DAC_OVERRIDE", "");
	else
		need_file(verdict, rights, RIGHT_VFIO_DEVICE);
}

/* mstconfig speaks to the adapter through configuration space, which lockdown protects. */
static void need_unlocked(const struct rights *rights, const struct mlx5lm_host *host,
			  struct verdict *verdict)
{
	const struct mlx5lm_module *fwctl = host_find_module(host, "mlx5_fwctl");
	bool has_fwctl = fwctl && fwctl->state == MLX5LM_MODULE_LOADED;

	need_host_side(rights, host, verdict);
	if (host->kernel_lockdown == MLX5LM_LOCKDOWN_UNKNOWN)
		need(verdict, MLX5LM_ANSWER_UNKNOWN, "a kernel that is not locked down", NOT_KNOWN);
	else if (host->kernel_lockdown != MLX5LM_LOCKDOWN_NONE)
		need(verdict, has_fwctl ? MLX5LM_ANSWER_UNKNOWN : MLX5LM_ANSWER_NO,
		     "a kernel that is not locked down, or mlx5_fwctl and mstflint 4.36",
		     has_fwctl ? "locked down, but mlx5_fwctl is loaded" :
				 "locked down, so nobody writes to configuration space");
}

/* devlink sets some of the parameters without a tool, on kernels and adapters that let it. */
static bool devlink_has_nv(const struct mlx5lm_host *host)
{
	const struct mlx5lm_param *param =
		host->num_pfs ? pf_find_param(&host->pfs[0], "total_vfs") : NULL;

	return param && param->permanent;
}

static void need_nv(const struct rights *rights, const struct mlx5lm_host *host,
		    struct verdict *verdict)
{
	need_cap(verdict, rights, CAP_SYS_ADMIN);
	need_file(verdict, rights, RIGHT_CONFIG);
	need_unlocked(rights, host, verdict);
	if (verdict->granted != MLX5LM_ANSWER_NO || !devlink_has_nv(host) || !rights->caps_known ||
	    !(rights->caps >> CAP_NET_ADMIN & 1) || rights->initial_user_ns == MLX5LM_ANSWER_NO)
		return;
	verdict->granted = MLX5LM_ANSWER_UNKNOWN;
	strbuf_add(&verdict->needs, "; but devlink sets SRIOV_EN and NUM_OF_VFS");
}

static void need_leave(const struct rights *rights, const struct mlx5lm_host *host,
		       struct verdict *verdict)
{
	(void)host;
	if (rights->files[RIGHT_LIBVIRT].path && !rights->is_root)
		need(verdict, MLX5LM_ANSWER_UNKNOWN, "leave of libvirt (polkit)",
		     "it tells when it is asked");
}

#define NONE (-1)

static const struct {
	const char *name;
	int cap;
	int file; /* enum right_file */
	void (*need_more)(const struct rights *rights, const struct mlx5lm_host *host,
			  struct verdict *verdict);
} steps[] = {
	{ "read-eswitch-mode", CAP_NET_ADMIN, NONE, NULL },
	{ "read-msix", CAP_SYS_ADMIN, NONE, NULL },
	{ "nv", NONE, NONE, need_nv },
	{ "firmware-reset", CAP_NET_ADMIN, NONE, NULL },
	{ "autoprobe", NONE, RIGHT_AUTOPROBE, NULL },
	{ "eswitch-mode", CAP_NET_ADMIN, NONE, need_host_side },
	{ "num-vfs", NONE, RIGHT_NUM_VFS, NULL },
	{ "load-module", CAP_SYS_MODULE, NONE, need_loading },
	{ "unbind", NONE, RIGHT_UNBIND, NULL },
	{ "bind", NONE, RIGHT_BIND, NULL },
	{ "driver-override", NONE, RIGHT_DRIVER_OVERRIDE, NULL },
	{ "hw-addr", CAP_NET_ADMIN, NONE, need_host_side },
	{ "port-attr", CAP_NET_ADMIN, NONE, need_host_side },
	{ "max-io-eqs", CAP_NET_ADMIN, NONE, need_host_side },
	{ "msix-count", NONE, RIGHT_MSIX_COUNT, NULL },
	{ "representor", CAP_NET_ADMIN, NONE, NULL },
	{ "open-vfio", NONE, RIGHT_VFIO, need_device },
	{ "nv-config", CAP_SYS_ADMIN, RIGHT_CONFIG, need_unlocked },
	{ "libvirt", NONE, RIGHT_LIBVIRT, need_leave },
};

int privileges_judge(const struct rights *rights, struct mlx5lm_host *host)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LENGTH(steps); i++) {
		struct verdict verdict = { .granted = MLX5LM_ANSWER_YES };

		/* The library changes no machine but its own, and asks no other kernel. */
		if (!rights->native)
			need(&verdict, MLX5LM_ANSWER_NO, "a root directory that is this machine's",
			     "it shows another machine, or a recorded one");
		if (rights->native && steps[i].cap != NONE)
			need_cap(&verdict, rights, steps[i].cap);
		if (rights->native && steps[i].file != NONE)
			need_file(&verdict, rights, (enum right_file)steps[i].file);
		if (rights->native && steps[i].need_more)
			steps[i].need_more(rights, host, &verdict);
		r = add(&verdict, steps[i].name, host);
	}
	return r;
}

static void rights_release(struct rights *rights)
{
	for (size_t i = 0; i < NUM_RIGHT_FILES; i++)
		free(rights->files[i].path);
}

/* Asks for the access to dir/name below the root, unless one that is there was asked for. */
static int try_access(const struct root *root, struct rights *rights, enum right_file file,
		      const char *dir, const char *name)
{
	struct file_access *ret = &rights->files[file];
	_cleanup_close_ int fd = -1;

	if (ret->path && ret->result != -ENOENT)
		return 0;
	free(ret->path);
	ret->path = str_printf("/%s/%s", dir, name);
	if (!ret->path)
		return -ENOMEM;
	fd = sysfs_open_dir(root, "%s", dir);
	ret->result = fd < 0 ? fd : faccessat(fd, name, files[file].mode, AT_EACCESS) ? -errno : 0;
	return 0;
}

static int try_function(const struct root *root, struct rights *rights, enum right_file file,
			const char *bdf, const char *name)
{
	_cleanup_free_ char *dir = str_printf(PCI_DEVICES "/%s", bdf);

	return dir ? try_access(root, rights, file, dir, name) : -ENOMEM;
}

static int try_pf(const struct root *root, struct rights *rights, const struct mlx5lm_pf *pf)
{
	const char *vf_bdf = pf->num_vfs ? pf->vfs[0].bdf : NULL;
	int r;

	r = try_function(root, rights, RIGHT_AUTOPROBE, pf->bdf, "sriov_drivers_autoprobe");
	if (r == 0)
		r = try_function(root, rights, RIGHT_NUM_VFS, pf->bdf, "sriov_numvfs");
	if (r == 0)
		r = try_function(root, rights, RIGHT_CONFIG, pf->bdf, "config");
	if (r == 0 && vf_bdf)
		r = try_function(root, rights, RIGHT_MSIX_COUNT, vf_bdf, "sriov_vf_msix_count");
	if (r == 0)
		r = try_function(root, rights, RIGHT_MSIX_COUNT, pf->bdf, "sriov_numvfs");
	return r < 0 ? r : try_function(root, rights, RIGHT_DRIVER_OVERRIDE,
					vf_bdf ? vf_bdf : pf->bdf, "driver_override");
}

/* All drivers' files have the same owner and mode. */
static int try_drivers(const struct root *root, struct rights *rights)
{
	static const char *const dirs[] = { "sys/bus/pci/drivers/mlx5_vfio_pci",
					    "sys/bus/pci/drivers/mlx5_core" };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LENGTH(dirs); i++) {
		r = try_access(root, rights, RIGHT_UNBIND, dirs[i], "unbind");
		if (r == 0)
			r = try_access(root, rights, RIGHT_BIND, dirs[i], "bind");
	}
	return r;
}

static const struct mlx5lm_vf *find_vfio_vf(const struct mlx5lm_host *host)
{
	for (size_t i = 0; i < host->num_pfs; i++) {
		for (size_t j = 0; j < host->pfs[i].num_vfs; j++) {
			const struct mlx5lm_vf *vf = &host->pfs[i].vfs[j];

			if (vf->iommu_group.known &&
			    (streq(vf->driver, "mlx5_vfio_pci") || streq(vf->driver, "vfio-pci")))
				return vf;
		}
	}
	return NULL;
}

static int try_vfio(const struct root *root, struct rights *rights, const struct mlx5lm_host *host)
{
	const struct mlx5lm_vf *vf = find_vfio_vf(host);
	char group[24];
	int r;

	r = try_access(root, rights, RIGHT_VFIO, "dev/vfio", "vfio");
	if (r == 0)
		r = try_access(root, rights, RIGHT_VFIO, "dev", "iommu");
	if (r < 0 || !vf)
		return r;
	snprintf(group, sizeof(group), "%" PRIu64, vf->iommu_group.value);
	if (vf->vfio_device)
		r = try_access(root, rights, RIGHT_VFIO_DEVICE, "dev/vfio/devices",
			       vf->vfio_device);
	return r < 0 ? r : try_access(root, rights, RIGHT_VFIO_DEVICE, "dev/vfio", group);
}

static int try_files(const struct root *root, struct rights *rights, const struct mlx5lm_host *host)
{
	int r = 0;

	/* Seccomp filters older than faccessat2() answer EPERM, which says nothing of a file. */
	if (faccessat(root->fd, ".", F_OK, AT_EACCESS) < 0)
		return 0;
	rights->files_known = true;
	if (host->num_pfs)
		r = try_pf(root, rights, &host->pfs[0]);
	if (r == 0)
		r = try_drivers(root, rights);
	if (r == 0)
		r = try_vfio(root, rights, host);
	if (r == 0)
		r = try_access(root, rights, RIGHT_LIBVIRT, "run/libvirt", "virtqemud-sock");
	return r < 0 ? r : try_access(root, rights, RIGHT_LIBVIRT, "run/libvirt", "libvirt-sock");
}

static void read_capabilities(struct rights *rights)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	struct stat st;

	rights->is_root = geteuid() == 0;
	if (syscall(SYS_capget, &header, data) == 0) {
		rights->caps = data[0].effective | (uint64_t)data[1].effective << 32;
		rights->caps_known = true;
	}
	if (stat("/proc/self/ns/user", &st) == 0)
		rights->initial_user_ns = st.st_ino == INITIAL_USER_NS_INODE ? MLX5LM_ANSWER_YES :
									     MLX5LM_ANSWER_NO;
}

int privileges_probe(const struct root *root, struct mlx5lm_host *host)
{
	_cleanup_(rights_release) struct rights rights = { .native = root->native };
	int r = 0;

	if (root->native) {
		read_capabilities(&rights);
		r = try_files(root, &rights, host);
	}
	return r < 0 ? r : privileges_judge(&rights, host);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "sys/applier_internal.h"
#include "sys/applier_vf.h"
#include "sys/notices.h"
#include "sys/vfs.h"

int applier_write_failed(const char *object, const char *name, const char *text, int r,
			 struct mlx5lm_error **reterr)
{
	error_set(reterr, applier_code(r), -r, MLX5LM_SOURCE_SYSFS,
		  "%s: cannot write \"%s\" to %s: %s", object, text, name, strerror(-r));
	if (r == -EACCES || r == -EPERM)
		error_add_remedy(reterr, "run as root");
	else if (r == -EROFS)
		error_add_remedy(reterr, "mount sysfs for writing: mount -o remount,rw /sys");
	else
		error_add_remedy(reterr, "the kernel may say more: dmesg | tail");
	return r;
}

int applier_verify_failed(const char *object, const char *name, const char *wanted,
			  const char *found, struct mlx5lm_error **reterr)
{
	int r = error_set(reterr, MLX5LM_ERROR_VERIFY_FAILED, EIO, MLX5LM_SOURCE_SYSFS,
			  "%s: %s is %s after %s was written", object, name,
			  found ? found : "not set", wanted);

	error_add_remedy(reterr, "something else changes it, or the kernel refused: dmesg | tail");
	return r;
}

/* A file of the PF; name is one of ours. */
static int write_file(struct applier *applier, const char *name, const char *text,
		      unsigned int timeout_ms)
{
	char path[128];

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/%s", applier->pf_bdf, name);
	return write_lanes_write(&applier->lanes, path, text,
				 applier_timeout_ms(applier, timeout_ms));
}

int applier_set_autoprobe(struct applier *applier, const struct mlx5lm_step *step,
			  struct mlx5lm_error **reterr)
{
	static const char name[] = "sriov_drivers_autoprobe";
	const char *text = step->value ? "1" : "0";
	char found[SYSFS_TEXT_SIZE];
	int r;

	r = write_file(applier, name, text, FILE_TIMEOUT_MS);
	if (r < 0)
		return applier_write_failed(applier->pf_bdf, name, text, r, reterr);
	r = sysfs_read(applier->pf_fd, name, found);
	if (r < 0 || !streq(found, text))
		return applier_verify_failed(applier->pf_bdf, name, text, r < 0 ? NULL : found,
					     reterr);
	return 0;
}

int applier_count_vfs(const struct applier *applier, size_t *ret, struct mlx5lm_error **reterr)
{
	int r = vfs_count(applier->pf_fd, ret);

	return r < 0 ? error_set(reterr, applier_code(r), -r, MLX5LM_SOURCE_SYSFS,
				 "%s: cannot count its VFs: %s", applier->pf_bdf, strerror(-r))
		     : 0;
}

/*
 * Taking VFs from their users blocks in the kernel until those let go, and asks a virtual machine
 * to give them up. So who can be seen to hold one is named. 0, or -errnum.
 */
static int check_not_held(struct applier *applier, size_t num_vfs, int errnum,
			  struct mlx5lm_error **reterr)
{
	_cleanup_(vf_users_release) struct vf_users users = { 0 };
	int r;

	r = vf_users_init(&users, num_vfs);
	for (uint32_t i = 0; r == 0 && i < num_vfs; i++) {
		_cleanup_(vf_release) struct vf vf = { .fd = -1 };

		if (vf_open(applier, i, &vf, NULL) == 0)
			r = vf_users_add(&users, i, &vf);
	}
	if (r == 0)
		r = vf_users_find(&users, applier->root);
	if (r < 0)
		return error_no_memory(reterr);
	for (uint32_t i = 0; i < num_vfs; i++) {
		_cleanup_(vf_release) struct vf vf = { .fd = -1 };

		if (vf_users_get(&users, i) && vf_open(applier, i, &vf, NULL) == 0)
			return vf_held_error(&vf, vf_users_get(&users, i), errnum, reterr);
	}
	return 0;
}

static int num_vfs_failed(struct applier *applier, const char *text, int r,
			  struct mlx5lm_error **reterr)
{
	const char *bdf = applier->pf_bdf;

	applier_write_failed(bdf, "sriov_numvfs", text, r, reterr);
	switch (-r) {
	case ETIMEDOUT:
		error_add_remedy(reterr, "the write still waits, most likely for a VF that a "
					 "process holds: fuser -v /dev/vfio/*");
		break;
	case EBUSY:
		error_add_remedy(reterr,
				 "the number can only go through 0: echo 0 > "
				 "/sys/bus/pci/devices/%s/sriov_numvfs",
				 bdf);
		break;
	case ERANGE:
		error_add_remedy(reterr,
				 "raise NUM_OF_VFS in the NV configuration: "
				 "mstconfig -d %s set SRIOV_EN=1 NUM_OF_VFS=%s",
				 bdf, text);
		break;
	case ENOENT:
		error_add_remedy(reterr,
				 "bind mlx5_core: echo %s > "
				 "/sys/bus/pci/drivers/mlx5_core/bind",
				 bdf);
		break;
	case ENOMEM:
		error_add_remedy(reterr, "enable SR-IOV and ARI in the firmware setup of the "
					 "machine, or boot with pci=realloc");
		break;
	}
	return r;
}

/* How many there are of what is waited for. */
struct found {
	size_t vfs;
	size_t ports;
	bool ports_wanted;
};

static int look(struct applier *applier, uint64_t wanted, struct found *found,
		struct mlx5lm_error **reterr)
{
	int r = applier_count_vfs(applier, &found->vfs, reterr);

	found->ports = 0;
	if (r < 0 || !found->ports_wanted || found->vfs != wanted)
		return r;
	r = applier_read_ports(applier, reterr);
	found->ports = applier->ports.length;
	return r;
}

static int too_few(const struct applier *applier, uint64_t wanted, const struct found *found,
		   struct mlx5lm_error **reterr)
{
	int r = error_set(reterr, MLX5LM_ERROR_TIMEOUT, ETIMEDOUT,
			  found->vfs == wanted ? MLX5LM_SOURCE_DEVLINK : MLX5LM_SOURCE_SYSFS,
			  "%s: %" PRIu64 " VFs were asked for, but there are %zu", applier->pf_bdf,
			  wanted, found->vfs);

	if (found->vfs == wanted)
		error_add_detail(reterr, "devlink shows ports of %zu of them", found->ports);
	error_add_remedy(reterr, "the driver made less than it was told: dmesg | tail");
	return r;
}

int applier_wait_for_vfs(struct applier *applier, const struct notices *notices, uint64_t wanted,
			 struct mlx5lm_error **reterr)
{
	int64_t deadline_ms = clock_now_ms() + applier_timeout_ms(applier, FILE_TIMEOUT_MS);
	struct found found = { 0 };
	uint32_t mode = MLX5LM_ESWITCH_UNKNOWN;
	bool late = false;
	int r;

	/* Without an eswitch to ask, there are no ports to wait for. */
	if (wanted)
		applier_read_eswitch_mode(applier, &mode, NULL);
	found.ports_wanted = mode == MLX5LM_ESWITCH_SWITCHDEV;
	for (;;) {
		r = look(applier, wanted, &found, reterr);
		if (r < 0)
			return r;
		if (found.vfs == wanted && (!found.ports_wanted || found.ports == wanted))
			return 0;
		/* The last look is one behind the deadline. */
		if (late)
			return too_few(applier, wanted, &found, reterr);
		late = notices_wait(notices, deadline_ms) < 0;
	}
}

int applier_set_num_vfs(struct applier *applier, const struct mlx5lm_step *step,
			struct mlx5lm_error **reterr)
{
	_cleanup_notices_ struct notices notices = { -1, -1 };
	char text[32];
	size_t now = 0;
	int r;

	/* The same number is no change; any other takes all VFs away. */
	r = applier_count_vfs(applier, &now, reterr);
	if (r == 0 && now != step->value)
		r = check_not_held(applier, now, EBUSY, reterr);
	if (r < 0)
		return r;
	applier_get_netlink(applier, NULL);
	notices_open(&notices, applier->netlink);
	snprintf(text, sizeof(text), "%" PRIu64, step->value);
	applier->ports_known = false;
	r = write_file(applier, "sriov_numvfs", text, NUM_VFS_TIMEOUT_MS);
	if (r == -ETIMEDOUT && check_not_held(applier, now, ETIMEDOUT, reterr) == -ETIMEDOUT)
		return r;
	if (r < 0)
		return num_vfs_failed(applier, text, r, reterr);
	return applier_wait_for_vfs(applier, &notices, step->value, reterr);
}

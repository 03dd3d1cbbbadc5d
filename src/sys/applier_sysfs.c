// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/applier_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "sys/holder.h"
#include "sys/pci.h"
#include "sys/slow_write.h"
#include "sys/sysfs.h"
#include "sys/vfs.h"

#define POLL_INTERVAL_MS 20

static void sleep_ms(long ms)
{
	nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000 }, NULL);
}

static int write_failed(const char *object, const char *name, const char *text, int r,
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

static int verify_failed(const char *object, const char *name, const char *wanted,
			 const char *found, struct mlx5lm_error **reterr)
{
	int r = error_set(reterr, MLX5LM_ERROR_VERIFY_FAILED, EIO, MLX5LM_SOURCE_SYSFS,
			  "%s: %s is %s after %s was written", object, name,
			  found ? found : "not set", wanted);

	error_add_remedy(reterr, "something else changes it, or the kernel refused: dmesg | tail");
	return r;
}

/* The VF of a step: its directory and its address. */
struct vf {
	char *bdf;
	int fd;
};

static void vf_release(struct vf *vf)
{
	free(vf->bdf);
	close_p(&vf->fd);
}

static int vf_open(const struct applier *applier, const struct mlx5lm_step *step, struct vf *vf,
		   struct mlx5lm_error **reterr)
{
	int r;

	r = pci_vf_bdf(applier->pf_fd, step->vf_index, &vf->bdf);
	if (r == 0)
		r = vf->fd = pci_open(applier->root, vf->bdf);
	if (r >= 0)
		return 0;
	error_set(reterr, error_code_from_errno(-r), -r, MLX5LM_SOURCE_SYSFS,
		  "%s: there is no VF %" PRIu32 ": %s", applier->pf_bdf, step->vf_index,
		  strerror(-r));
	error_add_remedy(reterr, "plan again: the VFs have changed");
	return r;
}

int applier_set_autoprobe(struct applier *applier, const struct mlx5lm_step *step,
			  struct mlx5lm_error **reterr)
{
	static const char name[] = "sriov_drivers_autoprobe";
	const char *text = step->value ? "1" : "0";
	char found[SYSFS_TEXT_SIZE];
	int r;

	r = slow_write(applier->pf_fd, name, text, applier_timeout_ms(applier, FILE_TIMEOUT_MS));
	if (r < 0)
		return write_failed(applier->pf_bdf, name, text, r, reterr);
	r = sysfs_read(applier->pf_fd, name, found);
	if (r < 0 || !streq(found, text))
		return verify_failed(applier->pf_bdf, name, text, r < 0 ? NULL : found, reterr);
	return 0;
}

/* Whether a virtual machine may have it; only VFIO drivers hand functions out. */
static bool is_on_vfio(int fd)
{
	char driver[SYSFS_TEXT_SIZE];

	return sysfs_read_link(fd, "driver", driver) == 0 && strstr(driver, "vfio");
}

static int held_error(const char *bdf, const char *holder, int errnum, struct mlx5lm_error **reterr)
{
	int r = error_set(reterr, error_code_from_errno(errnum), errnum, MLX5LM_SOURCE_VFIO,
			  "%s: the VF is in use by process %s", bdf, holder);

	error_add_remedy(reterr, "migrate or shut down the virtual machine first");
	return r;
}

/*
 * Taking a VF from its user blocks in the kernel until the user lets go, and asks a virtual
 * machine to give it up. So who can be seen to hold it is named, and nothing is done.
 */
static int refuse_if_held(const struct applier *applier, int fd, const char *bdf,
			  struct mlx5lm_error **reterr)
{
	_cleanup_free_ char *holder = NULL;

	if (!is_on_vfio(fd))
		return 0;
	if (holder_find(applier->root, fd, &holder) < 0)
		return error_no_memory(reterr);
	return holder ? held_error(bdf, holder, EBUSY, reterr) : 0;
}

static int refuse_if_any_held(const struct applier *applier, size_t num_vfs,
			      struct mlx5lm_error **reterr)
{
	int r;

	for (uint32_t i = 0; i < num_vfs; i++) {
		_cleanup_(vf_release) struct vf vf = { .fd = -1 };

		if (pci_vf_bdf(applier->pf_fd, i, &vf.bdf) < 0)
			continue;
		vf.fd = pci_open(applier->root, vf.bdf);
		if (vf.fd < 0)
			continue;
		r = refuse_if_held(applier, vf.fd, vf.bdf, reterr);
		if (r < 0)
			return r;
	}
	return 0;
}

static int num_vfs_failed(const struct applier *applier, const char *text, int r,
			  struct mlx5lm_error **reterr)
{
	const char *bdf = applier->pf_bdf;

	write_failed(bdf, "sriov_numvfs", text, r, reterr);
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
				 "mlxconfig -d %s set SRIOV_EN=1 NUM_OF_VFS=%s",
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

/* Waits until the kernel shows as many VFs as were asked for, and a port of each. */
static int wait_for_vfs(struct applier *applier, uint64_t wanted, bool with_ports,
			struct mlx5lm_error **reterr)
{
	int64_t deadline_ms = clock_now_ms() + applier_timeout_ms(applier, FILE_TIMEOUT_MS);
	size_t found = 0, ports = 0;
	int r;

	for (;;) {
		r = vfs_count(applier->pf_fd, &found);
		if (r < 0)
			return error_set(reterr, error_code_from_errno(-r), -r, MLX5LM_SOURCE_SYSFS,
					 "%s: cannot count the VFs: %s", applier->pf_bdf,
					 strerror(-r));
		if (with_ports && found == wanted) {
			r = applier_read_ports(applier, reterr);
			if (r < 0)
				return r;
			ports = applier->ports.length;
		}
		if (found == wanted && (!with_ports || ports == wanted))
			return 0;
		if (clock_now_ms() >= deadline_ms)
			break;
		sleep_ms(POLL_INTERVAL_MS);
	}
	r = error_set(reterr, MLX5LM_ERROR_TIMEOUT, ETIMEDOUT,
		      found == wanted ? MLX5LM_SOURCE_DEVLINK : MLX5LM_SOURCE_SYSFS,
		      "%s: %" PRIu64 " VFs were asked for, but there are %zu", applier->pf_bdf,
		      wanted, found);
	if (found == wanted)
		error_add_detail(reterr, "devlink shows ports of %zu of them", ports);
	error_add_remedy(reterr, "the driver made less than it was told: dmesg | tail");
	return r;
}

int applier_set_num_vfs(struct applier *applier, const struct mlx5lm_step *step,
			struct mlx5lm_error **reterr)
{
	uint32_t mode = MLX5LM_ESWITCH_UNKNOWN;
	char text[32];
	size_t now = 0;
	int r;

	/* The same number is no change; any other takes all VFs away. */
	r = vfs_count(applier->pf_fd, &now);
	if (r == 0 && now != step->value)
		r = refuse_if_any_held(applier, now, reterr);
	else if (r < 0)
		r = error_set(reterr, error_code_from_errno(-r), -r, MLX5LM_SOURCE_SYSFS,
			      "%s: cannot count the VFs: %s", applier->pf_bdf, strerror(-r));
	if (r < 0)
		return r;
	snprintf(text, sizeof(text), "%" PRIu64, step->value);
	applier->ports_known = false;
	r = slow_write(applier->pf_fd, "sriov_numvfs", text,
		       applier_timeout_ms(applier, NUM_VFS_TIMEOUT_MS));
	if (r < 0)
		return num_vfs_failed(applier, text, r, reterr);
	/* Without an eswitch to ask, there are no ports to wait for. */
	if (step->value)
		applier_read_eswitch_mode(applier, &mode, NULL);
	return wait_for_vfs(applier, step->value, mode == MLX5LM_ESWITCH_SWITCHDEV, reterr);
}

/* Opens drivers/<name>; a name with a slash in it would lead elsewhere. */
static int open_driver(const struct applier *applier, const char *object, const char *driver,
		       struct mlx5lm_error **reterr)
{
	int r = -EINVAL;

	if (driver && driver[0] && driver[0] != '.' && !strchr(driver, '/'))
		r = sysfs_open_dir(applier->root, "sys/bus/pci/drivers/%s", driver);
	if (r >= 0)
		return r;
	error_set(reterr, error_code_from_errno(-r), -r, MLX5LM_SOURCE_SYSFS,
		  "%s: there is no PCI driver \"%s\": %s", object, driver ? driver : "",
		  strerror(-r));
	if (r == -ENOENT)
		error_add_remedy(reterr, "load it: modprobe %s", driver);
	return r;
}

/* 1 if wanted is bound already, 0 if nothing is, -ESTALE if something else is. */
static int check_driver(const struct vf *vf, const char *wanted, struct mlx5lm_error **reterr)
{
	_cleanup_free_ char *driver = NULL;
	int r;

	r = pci_read_driver(vf->fd, &driver);
	if (r < 0)
		return error_set(reterr, error_code_from_errno(-r), -r, MLX5LM_SOURCE_SYSFS,
				 "%s: cannot read its driver: %s", vf->bdf, strerror(-r));
	if (!driver)
		return 0;
	if (streq(driver, wanted))
		return 1;
	r = error_set(reterr, MLX5LM_ERROR_STATE_CHANGED, ESTALE, MLX5LM_SOURCE_SYSFS,
		      "%s: driver %s is bound, not %s", vf->bdf, driver, wanted);
	error_add_remedy(reterr, "plan again");
	return r;
}

static int unbind_failed(const struct applier *applier, const struct vf *vf, int r,
			 struct mlx5lm_error **reterr)
{
	_cleanup_free_ char *holder = NULL;

	if (r != -ETIMEDOUT)
		return write_failed(vf->bdf, "unbind", vf->bdf, r, reterr);
	holder_find(applier->root, vf->fd, &holder);
	if (holder)
		return held_error(vf->bdf, holder, ETIMEDOUT, reterr);
	write_failed(vf->bdf, "unbind", vf->bdf, r, reterr);
	error_add_remedy(reterr, "the driver still waits for whoever uses the VF: "
				 "fuser -v /dev/vfio/*");
	return r;
}

int applier_unbind(struct applier *applier, const struct mlx5lm_step *step,
		   struct mlx5lm_error **reterr)
{
	_cleanup_(vf_release) struct vf vf = { .fd = -1 };
	_cleanup_close_ int driver_fd = -1;
	int r;

	r = vf_open(applier, step, &vf, reterr);
	if (r == 0)
		r = check_driver(&vf, step->text, reterr);
	if (r <= 0)
		return r;
	r = refuse_if_held(applier, vf.fd, vf.bdf, reterr);
	if (r < 0)
		return r;
	driver_fd = open_driver(applier, vf.bdf, step->text, reterr);
	if (driver_fd < 0)
		return driver_fd;
	r = slow_write(driver_fd, "unbind", vf.bdf, applier_timeout_ms(applier, UNBIND_TIMEOUT_MS));
	if (r < 0)
		return unbind_failed(applier, &vf, r, reterr);
	r = check_driver(&vf, step->text, reterr);
	return r > 0 ? verify_failed(vf.bdf, "driver", "unbind", step->text, reterr) : r;
}

int applier_set_driver_override(struct applier *applier, const struct mlx5lm_step *step,
				struct mlx5lm_error **reterr)
{
	_cleanup_(vf_release) struct vf vf = { .fd = -1 };
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ char *found = NULL;
	const char *wanted = step->text ? step->text : "";
	int r;

	r = vf_open(applier, step, &vf, reterr);
	if (r < 0)
		return r;
	/* A write of nothing does nothing: an empty line clears it. */
	text = str_printf("%s\n", wanted);
	if (!text)
		return error_no_memory(reterr);
	r = slow_write(vf.fd, "driver_override", text,
		       applier_timeout_ms(applier, FILE_TIMEOUT_MS));
	if (r < 0)
		return write_failed(vf.bdf, "driver_override", wanted, r, reterr);
	r = pci_read_driver_override(vf.fd, &found);
	if (r < 0 || !streq(found ? found : "", wanted))
		return verify_failed(vf.bdf, "driver_override", wanted, found, reterr);
	return 0;
}

static int bind_failed(const struct vf *vf, const char *driver, int r, struct mlx5lm_error **reterr)
{
	error_set(reterr, applier_code(r), -r, MLX5LM_SOURCE_SYSFS, "%s: cannot bind %s: %s",
		  vf->bdf, driver, strerror(-r));
	switch (-r) {
	case EACCES:
	case EPERM:
		error_add_remedy(reterr, "run as root");
		break;
	case EROFS:
		error_add_remedy(reterr, "mount sysfs for writing: mount -o remount,rw /sys");
		break;
	case EIO:
	case ENODEV:
		error_add_remedy(reterr,
				 "the VF is not set aside for it: echo %s > "
				 "/sys/bus/pci/devices/%s/driver_override",
				 driver, vf->bdf);
		break;
	case EINVAL:
		error_add_remedy(reterr, "VFIO needs a working IOMMU (intel_iommu=on on the kernel "
					 "command line); dmesg | tail");
		break;
	default:
		error_add_remedy(reterr, "the driver says why: dmesg | tail");
	}
	return r;
}

int applier_bind(struct applier *applier, const struct mlx5lm_step *step,
		 struct mlx5lm_error **reterr)
{
	_cleanup_(vf_release) struct vf vf = { .fd = -1 };
	_cleanup_close_ int driver_fd = -1;
	int r;

	r = vf_open(applier, step, &vf, reterr);
	if (r == 0)
		r = check_driver(&vf, step->text, reterr);
	if (r != 0)
		return r < 0 ? r : 0;
	driver_fd = open_driver(applier, vf.bdf, step->text, reterr);
	if (driver_fd < 0)
		return driver_fd;
	r = slow_write(driver_fd, "bind", vf.bdf, applier_timeout_ms(applier, BIND_TIMEOUT_MS));
	if (r < 0)
		return bind_failed(&vf, step->text, r, reterr);
	r = check_driver(&vf, step->text, reterr);
	if (r == 0)
		return verify_failed(vf.bdf, "driver", "bind", NULL, reterr);
	return r < 0 ? r : 0;
}

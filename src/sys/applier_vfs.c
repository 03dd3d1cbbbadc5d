// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

#include "sys/applier_internal.h"
#include "sys/applier_vf.h"
#include "sys/msix.h"

/*
 * A driver takes its time to probe or remove a VF, mostly waiting for firmware. The other files
 * are written in no time, or need one firmware command.
 */
#define BIND_LANES WRITE_LANES
#define MSIX_LANES 8
#define FILE_LANES 2

/* A name of a driver, so that it can be part of a path. */
#define MAX_DRIVER 128

struct vf_batch {
	struct run *run;
	struct vf_users users; /* by the steps' indices */
	char path[MAX_DRIVER + 64];
	char text[MAX_DRIVER + 2];
};

static bool is_driver_name(const char *name)
{
	return name && name[0] && name[0] != '.' && !strpbrk(name, "/\n") &&
	       strlen(name) < MAX_DRIVER;
}

static int no_driver(const struct vf *vf, const char *driver, int r, struct mlx5lm_error **reterr)
{
	error_set(reterr, error_code_from_errno(-r), -r, MLX5LM_SOURCE_SYSFS,
		  "%s: there is no PCI driver \"%s\": %s", vf->bdf, driver ? driver : "",
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

/* The next functions fill in what is to be written: 1, 0 if nothing has to be, or -errno. */

/* file: "bind" or "unbind" of the driver in step->text. */
static int prepare_driver(struct vf_batch *batch, const struct mlx5lm_step *step,
			  const struct vf *vf, const char *file, struct mlx5lm_error **reterr)
{
	int r = check_driver(vf, step->text, reterr);

	if (r < 0 || r == (step->kind == STEP_BIND))
		return r < 0 ? r : 0;
	if (!is_driver_name(step->text))
		return no_driver(vf, step->text, -EINVAL, reterr);
	snprintf(batch->path, sizeof(batch->path), "sys/bus/pci/drivers/%s/%s", step->text, file);
	snprintf(batch->text, sizeof(batch->text), "%s", vf->bdf);
	return 1;
}

static int prepare_override(struct vf_batch *batch, const struct mlx5lm_step *step,
			    const struct vf *vf, struct mlx5lm_error **reterr)
{
	const char *driver = step->text ? step->text : "";

	if (driver[0] && !is_driver_name(driver))
		return no_driver(vf, driver, -EINVAL, reterr);
	snprintf(batch->path, sizeof(batch->path), PCI_DEVICES "/%s/driver_override", vf->bdf);
	/* A write of nothing does nothing: an empty line clears it. */
	snprintf(batch->text, sizeof(batch->text), "%s\n", driver);
	return 1;
}

static int prepare(struct vf_batch *batch, size_t index, struct mlx5lm_error **reterr)
{
	const struct mlx5lm_step *step = batch->run->steps[index];
	_cleanup_(vf_release) struct vf vf = { .fd = -1 };
	const struct holding *holding = vf_users_get(&batch->users, index);
	int r;

	r = vf_open(batch->run->applier, step->vf_index, &vf, reterr);
	if (r < 0)
		return r;
	switch (step->kind) {
	case STEP_UNBIND:
		r = prepare_driver(batch, step, &vf, "unbind", reterr);
		/* It would block until the user lets go, see check_not_held(). */
		return r > 0 && holding ? vf_held_error(&vf, holding, EBUSY, reterr) : r;
	case STEP_BIND:
		return prepare_driver(batch, step, &vf, "bind", reterr);
	case STEP_DRIVER_OVERRIDE:
		return prepare_override(batch, step, &vf, reterr);
	default:
		snprintf(batch->path, sizeof(batch->path), PCI_DEVICES "/%s/sriov_vf_msix_count",
			 vf.bdf);
		snprintf(batch->text, sizeof(batch->text), "%" PRIu64, step->value);
		return 1;
	}
}

static int unbind_failed(const struct applier *applier, const struct mlx5lm_step *step,
			 const struct vf *vf, int r, struct mlx5lm_error **reterr)
{
	_cleanup_(vf_users_release) struct vf_users users = { 0 };

	/* By now the kernel shows no driver any more, though that one still waits. */
	if (r == -ETIMEDOUT && strstr(step->text, "vfio") && vf_users_init(&users, 1) == 0) {
		users.any = holder_find_nodes(vf->fd, &users.holdings[0]) == 0;
		vf_users_find(&users, applier->root);
	}
	if (vf_users_get(&users, 0))
		return vf_held_error(vf, vf_users_get(&users, 0), ETIMEDOUT, reterr);
	error_set(reterr, applier_code(r), -r, MLX5LM_SOURCE_SYSFS,
		  "%s: cannot unbind it from %s (/sys/bus/pci/drivers/%s/unbind): %s", vf->bdf,
		  step->text, step->text, strerror(-r));
	if (r == -ETIMEDOUT)
		error_add_remedy(reterr, "the driver still waits for whoever uses the VF: "
					 "fuser -v /dev/vfio/*");
	else if (r == -EACCES || r == -EPERM)
		error_add_remedy(reterr, "run as root");
	else
		error_add_remedy(reterr, "the kernel may say more: dmesg | tail");
	return r;
}

static int bind_failed(const struct mlx5lm_step *step, const struct vf *vf, int r,
		       struct mlx5lm_error **reterr)
{
	error_set(reterr, applier_code(r), -r, MLX5LM_SOURCE_SYSFS,
		  "%s: cannot bind %s (/sys/bus/pci/drivers/%s/bind): %s", vf->bdf, step->text,
		  step->text, strerror(-r));
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
				 step->text, vf->bdf);
		break;
	case EINVAL:
		error_add_remedy(reterr, "VFIO needs a working IOMMU (intel_iommu=on on the kernel "
					 "command line); dmesg | tail");
		break;
	case ETIMEDOUT:
		error_add_remedy(reterr, "the driver's probe still runs: dmesg | tail");
		break;
	default:
		error_add_remedy(reterr, "the driver says why: dmesg | tail");
	}
	return r;
}

static int finish_driver(const struct vf_batch *batch, const struct mlx5lm_step *step,
			 const struct vf *vf, int written, bool missing,
			 struct mlx5lm_error **reterr)
{
	bool bind = step->kind == STEP_BIND;
	int r;

	if (missing)
		return no_driver(vf, step->text, written, reterr);
	/* What somebody else was faster to do is done as well. */
	r = check_driver(vf, step->text, written < 0 ? NULL : reterr);
	if (r >= 0 && r == bind && written != -ETIMEDOUT)
		return 0;
	if (written < 0)
		return bind ? bind_failed(step, vf, written, reterr)
			    : unbind_failed(batch->run->applier, step, vf, written, reterr);
	if (r < 0)
		return r;
	return applier_verify_failed(vf->bdf, "driver", bind ? "bind" : "unbind",
				     bind ? NULL : step->text, reterr);
}

static int finish_override(const struct mlx5lm_step *step, const struct vf *vf, int written,
			   struct mlx5lm_error **reterr)
{
	const char *wanted = step->text ? step->text : "";
	_cleanup_free_ char *found = NULL;
	int r;

	if (written < 0)
		return applier_write_failed(vf->bdf, "driver_override", wanted, written, reterr);
	r = pci_read_driver_override(vf->fd, &found);
	if (r < 0 || !streq(found ? found : "", wanted))
		return applier_verify_failed(vf->bdf, "driver_override", wanted, found, reterr);
	return 0;
}

static int msix_failed(const struct applier *applier, const struct mlx5lm_step *step,
		       const struct vf *vf, int r, struct mlx5lm_error **reterr)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, step->value);
	applier_write_failed(vf->bdf, "sriov_vf_msix_count", text, r, reterr);
	switch (-r) {
	case EBUSY:
		error_add_remedy(reterr,
				 "a driver has the VF, unbind it first: echo %s > "
				 "/sys/bus/pci/devices/%s/driver/unbind",
				 vf->bdf, vf->bdf);
		break;
	case ENOENT:
	case EOPNOTSUPP:
		error_add_remedy(reterr, "kernel (Linux 5.13), driver or firmware cannot change "
					 "it: leave it as it is");
		break;
	case EOVERFLOW:
	case ENOSPC:
		error_add_remedy(reterr,
				 "fewer vectors for this VF or others; all VFs together have "
				 "those of /sys/bus/pci/devices/%s/sriov_vf_total_msix",
				 applier->pf_bdf);
		break;
	case EINVAL:
		error_add_remedy(reterr, "the firmware wants a VF to have more: a higher number, "
					 "or 0 for the driver's default");
		break;
	}
	return r;
}

static int finish_msix(const struct applier *applier, const struct mlx5lm_step *step,
		       const struct vf *vf, int written, struct mlx5lm_error **reterr)
{
	_cleanup_close_ int config_fd = -1;
	struct fact_u64 count = { 0 };
	char wanted[24], found[24] = "unknown";
	uint8_t offset = 0;

	if (written < 0)
		return msix_failed(applier, step, vf, written, reterr);
	/* What the driver's default is, only the driver knows. */
	if (!step->value)
		return 0;
	config_fd = openat(vf->fd, "config", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (config_fd >= 0)
		msix_read_count(config_fd, &offset, &count);
	if (count.known && count.value == step->value)
		return 0;
	snprintf(wanted, sizeof(wanted), "%" PRIu64, step->value);
	if (count.known)
		snprintf(found, sizeof(found), "%" PRIu64, count.value);
	return applier_verify_failed(vf->bdf, "the size of its MSI-X table", wanted, found, reterr);
}

static int finish(const struct vf_batch *batch, size_t index, int written, bool missing,
		  struct mlx5lm_error **reterr)
{
	const struct mlx5lm_step *step = batch->run->steps[index];
	_cleanup_(vf_release) struct vf vf = { .fd = -1 };
	int r;

	r = vf_open(batch->run->applier, step->vf_index, &vf, reterr);
	if (r < 0)
		return r;
	switch (step->kind) {
	case STEP_UNBIND:
	case STEP_BIND:
		return finish_driver(batch, step, &vf, written, missing, reterr);
	case STEP_DRIVER_OVERRIDE:
		return finish_override(step, &vf, written, reterr);
	default:
		return finish_msix(batch->run->applier, step, &vf, written, reterr);
	}
}

/* A failure may have been explained in the kernel log, in the name of the VF or of the PF. */
static void end_step(const struct vf_batch *batch, size_t index, int r, struct mlx5lm_error *error)
{
	struct applier *applier = batch->run->applier;
	_cleanup_free_ char *bdf = NULL;
	_cleanup_free_ char *lines = NULL;

	if (r < 0) {
		pci_vf_bdf(applier->pf_fd, batch->run->steps[index]->vf_index, &bdf);
		lines = applier_read_log(applier, bdf);
	}
	if (lines)
		error_append_detail(&error, "%s", lines);
	run_end(batch->run, index, r, error);
}

static uint8_t *stuck_bit(struct applier *applier, uint32_t vf_index, uint8_t *mask)
{
	*mask = (uint8_t)(1U << vf_index % 8);
	return &applier->stuck_vfs[vf_index % MAX_VFS / 8];
}

/* Writes about one VF wait for each other in the kernel: it is locked. */
static bool is_stuck(struct applier *applier, uint32_t vf_index)
{
	uint8_t mask, *bits = stuck_bit(applier, vf_index, &mask);

	return *bits & mask;
}

static void note_end(struct applier *applier, uint32_t vf_index, int result)
{
	uint8_t mask, *bits = stuck_bit(applier, vf_index, &mask);

	*bits = (uint8_t)(result == -ETIMEDOUT ? *bits | mask : *bits & ~mask);
}

static bool next_write(void *data, struct file_write *ret)
{
	static const unsigned int timeouts_ms[NUM_STEP_KINDS] = {
		[STEP_UNBIND] = UNBIND_TIMEOUT_MS,
		[STEP_MSIX_COUNT] = MSIX_TIMEOUT_MS,
		[STEP_DRIVER_OVERRIDE] = FILE_TIMEOUT_MS,
		[STEP_BIND] = BIND_TIMEOUT_MS,
	};
	struct vf_batch *batch = data;
	size_t i;

	while (run_start(batch->run, &i)) {
		struct mlx5lm_error *error = NULL;
		int r = prepare(batch, i, &error);

		if (r > 0) {
			const struct mlx5lm_step *step = batch->run->steps[i];
			unsigned int usual = timeouts_ms[step->kind];

			if (step->kind == STEP_UNBIND && strstr(step->text, "vfio"))
				usual = UNBIND_VFIO_TIMEOUT_MS;
			if (is_stuck(batch->run->applier, step->vf_index))
				usual = STUCK_TIMEOUT_MS;

			*ret = (struct file_write){
				.id = i,
				.path = batch->path,
				.text = batch->text,
				.timeout_ms = applier_timeout_ms(batch->run->applier, usual),
			};
			return true;
		}
		end_step(batch, i, r, error);
	}
	return false;
}

static void write_ended(void *data, size_t id, int result, bool missing)
{
	const struct vf_batch *batch = data;
	struct mlx5lm_error *error = NULL;
	int r = finish(batch, id, result, missing, &error);

	note_end(batch->run->applier, batch->run->steps[id]->vf_index, result);
	end_step(batch, id, r, error);
}

static size_t num_lanes(enum step_kind kind)
{
	switch (kind) {
	case STEP_UNBIND:
	case STEP_BIND:
		return BIND_LANES;
	case STEP_MSIX_COUNT:
		return MSIX_LANES;
	default:
		return FILE_LANES;
	}
}

/* One pass over the processes for all. */
static int find_users(struct vf_batch *batch)
{
	const struct run *run = batch->run;
	int r = vf_users_init(&batch->users, run->length);

	for (size_t i = 0; r == 0 && i < run->length; i++) {
		_cleanup_(vf_release) struct vf vf = { .fd = -1 };

		if (vf_open(run->applier, run->steps[i]->vf_index, &vf, NULL) == 0)
			r = vf_users_add(&batch->users, i, &vf);
	}
	return r < 0 ? r : vf_users_find(&batch->users, run->applier->root);
}

void applier_write_vfs(struct run *run)
{
	struct vf_batch batch = { .run = run };
	const struct write_batch writes = {
		.next = next_write,
		.ended = write_ended,
		.data = &batch,
		.max_lanes = num_lanes(run->steps[0]->kind),
	};

	if (run->steps[0]->kind == STEP_UNBIND && find_users(&batch) < 0)
		run->result = -ENOMEM;
	else
		write_lanes_run(&run->applier->lanes, &writes);
	vf_users_release(&batch.users);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/vfs.h"

#include <errno.h>
#include <fcntl.h>

#include "base/cleanup.h"
#include "sys/child.h"
#include "sys/pci.h"
#include "sys/sysfs.h"

/* A VF takes microseconds. What takes as long as this waits for somebody. */
#define STUCK_MS 1000
#define MAX_STUCK 3

enum {
	CONFIG_CAPABILITIES = 0x34,
	CONFIG_HEADER_SIZE = 0x40,
	CAPABILITY_MSIX = 0x11,
	MSIX_CONTROL = 2,
	MSIX_TABLE_SIZE = 0x7ff,
	MAX_CAPABILITIES = 48, /* as many as fit */
};

static bool read_config(int fd, off_t offset, void *data, size_t size)
{
	return pread(fd, data, size, offset) == (ssize_t)size;
}

/* -EPERM if only the first 64 bytes can be read, which is all that sysfs gives to users. */
static int read_msix_count(int dir_fd, struct fact_u64 *ret)
{
	_cleanup_close_ int fd = -1;
	uint8_t at, capability[2], control[2];

	fd = openat(dir_fd, "config", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!read_config(fd, CONFIG_CAPABILITIES, &at, sizeof(at)))
		return -EIO;
	for (int i = 0; i < MAX_CAPABILITIES && at >= CONFIG_HEADER_SIZE; i++) {
		if (!read_config(fd, at & ~3, capability, sizeof(capability)))
			return -EPERM;
		if (capability[0] == CAPABILITY_MSIX) {
			if (!read_config(fd, (at & ~3) + MSIX_CONTROL, control, sizeof(control)))
				return -EPERM;
			*ret = fact_u64(((control[0] | control[1] << 8) & MSIX_TABLE_SIZE) + 1u);
			return 0;
		}
		at = capability[1];
	}
	return 0;
}

static void read_iommu_group(int fd, struct fact_u64 *ret)
{
	char text[SYSFS_TEXT_SIZE];
	uint64_t group;

	if (sysfs_read_link(fd, "iommu_group", text) == 0 && str_to_u64(text, 10, &group) == 0)
		*ret = fact_u64(group);
}

/* What can be read at once, whatever the VF is doing. */
static int read_vf(const struct root *root, struct mlx5lm_vf *vf, bool *lacks_rights)
{
	_cleanup_close_ int fd = pci_open(root, vf->bdf);

	if (fd < 0)
		return fd;
	pci_read_number(fd, "vendor", 16, &vf->vendor_id);
	pci_read_number(fd, "device", 16, &vf->device_id);
	read_iommu_group(fd, &vf->iommu_group);
	if (read_msix_count(fd, &vf->msix_count) == -EPERM)
		*lacks_rights = true;
	if (pci_read_driver(fd, &vf->driver) == -ENOMEM)
		return -ENOMEM;
	/*
	 * The kernel shows it under the lock that an unbind holds as long as it waits for the
	 * VF's user. It takes the link to the driver away before it waits.
	 */
	return vf->driver && pci_read_driver_override(fd, &vf->driver_override) == -ENOMEM ? -ENOMEM
											   : 0;
}

/* What a child tells of one VF. */
struct override {
	uint32_t item; /* of pf->vfs */
	char text[SYSFS_TEXT_SIZE];
};

/* The rest of a PF's VFs, for a child that may get stuck with one. */
struct overrides {
	const struct root *root;
	const struct mlx5lm_pf *pf;
	size_t first;
};

static void read_overrides(const void *data, int out_fd)
{
	const struct overrides *job = data;

	for (size_t i = job->first; i < job->pf->num_vfs; i++) {
		struct override override = { .item = (uint32_t)i };
		int fd;

		if (job->pf->vfs[i].driver || !job->pf->vfs[i].bdf)
			continue;
		fd = pci_open(job->root, job->pf->vfs[i].bdf);
		if (fd < 0 || sysfs_read(fd, "driver_override", override.text) < 0)
			override.text[0] = '\0';
		if (fd >= 0)
			close(fd);
		/* No more than PIPE_BUF bytes: all of it or nothing arrives. */
		if (write(out_fd, &override, sizeof(override)) != sizeof(override))
			return;
	}
}

static int take_overrides(struct mlx5lm_pf *pf, const struct override *overrides, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		struct mlx5lm_vf *vf = &pf->vfs[overrides[i].item];

		if (pci_take_driver_override(overrides[i].text, &vf->driver_override) < 0)
			return -ENOMEM;
	}
	return 0;
}

static size_t next_without_driver(const struct mlx5lm_pf *pf, size_t first)
{
	while (first < pf->num_vfs && pf->vfs[first].driver)
		first++;
	return first;
}

/* The driver_override of the VFs without a driver. */
static int probe_overrides(const struct root *root, struct mlx5lm_pf *pf, struct mlx5lm_host *host)
{
	struct overrides job = { .root = root, .pf = pf, .first = next_without_driver(pf, 0) };
	_cleanup_free_ struct override *found = NULL;
	int r;

	if (job.first == pf->num_vfs)
		return 0;
	found = calloc(pf->num_vfs, sizeof(*found));
	if (!found)
		return -ENOMEM;
	for (int stuck = 0; job.first < pf->num_vfs && stuck < MAX_STUCK; stuck++) {
		size_t length, taken;

		r = child_run(read_overrides, &job, root->fd, STUCK_MS, found,
			      pf->num_vfs * sizeof(*found), &length);
		taken = length / sizeof(*found);
		if (take_overrides(pf, found, taken) < 0)
			return -ENOMEM;
		if (r == 0)
			return 0;
		if (taken)
			job.first = found[taken - 1].item + 1;
		job.first = next_without_driver(pf, job.first);
		if (job.first == pf->num_vfs)
			return 0;
		r = host_add_note(
			host, pf->bdf, "driver_override",
			r == -ETIMEDOUT
				? "driver_override of VF %s is not known: a change of it waits "
				  "in the kernel, most likely for a process that holds it; "
				  "fuser -v /dev/vfio/*"
				: "driver_override of VF %s is not known",
			pf->vfs[job.first].bdf);
		if (r < 0)
			return r;
		job.first++;
	}
	return 0;
}

static int compare_numbers(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The numbers of the links virtfnN. */
static int list_indices(int pf_fd, uint32_t **ret, size_t *ret_length)
{
	static const char prefix[] = "virtfn";
	_cleanup_(strv_release) struct strv names = { 0 };
	uint32_t *indices;
	size_t length = 0;
	uint64_t index;
	int r;

	r = sysfs_list(pf_fd, ".", &names);
	if (r < 0)
		return r;
	indices = calloc(names.length + 1, sizeof(*indices));
	if (!indices)
		return -ENOMEM;
	for (size_t i = 0; i < names.length; i++) {
		const char *name = names.items[i];

		if (strncmp(name, prefix, sizeof(prefix) - 1) == 0 &&
		    str_to_u64(name + sizeof(prefix) - 1, 10, &index) == 0 && index <= UINT16_MAX)
			indices[length++] = (uint32_t)index;
	}
	qsort(indices, length, sizeof(*indices), compare_numbers);
	*ret = indices;
	*ret_length = length;
	return 0;
}

int vfs_count(int pf_fd, size_t *ret)
{
	_cleanup_free_ uint32_t *indices = NULL;

	return list_indices(pf_fd, &indices, ret);
}

static int add_vfs(int pf_fd, struct mlx5lm_pf *pf, struct mlx5lm_host *host)
{
	_cleanup_free_ uint32_t *indices = NULL;
	size_t length = 0;
	int r;

	r = list_indices(pf_fd, &indices, &length);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return host_add_note(host, pf->bdf, NULL, "VFs are not known: %s", strerror(-r));
	for (size_t i = 0; i < length; i++) {
		_cleanup_free_ char *bdf = NULL;
		struct mlx5lm_vf *vf;

		r = pci_vf_bdf(pf_fd, indices[i], &bdf);
		if (r == 0)
			r = pf_add_vf(pf, &vf);
		if (r == -ENOMEM)
			return r;
		if (r < 0) {
			r = host_add_note(host, pf->bdf, NULL, "VF %u is not known: %s", indices[i],
					  strerror(-r));
			if (r < 0)
				return r;
			continue;
		}
		vf->index = fact_u64(indices[i]);
		vf->bdf = TAKE(bdf);
	}
	pf->sriov_num_vfs = fact_u64(length);
	return 0;
}

int vfs_probe(const struct root *root, int pf_fd, struct mlx5lm_pf *pf, struct mlx5lm_host *host)
{
	bool lacks_rights = false;
	int r;

	r = add_vfs(pf_fd, pf, host);
	for (size_t i = 0; r == 0 && i < pf->num_vfs; i++) {
		r = read_vf(root, &pf->vfs[i], &lacks_rights);
		if (r < 0 && r != -ENOMEM)
			r = host_add_note(host, pf->bdf, NULL, "VF %s is not known: %s",
					  pf->vfs[i].bdf, strerror(-r));
	}
	if (r == 0 && lacks_rights)
		r = host_add_note(host, pf->bdf, "msix_count",
				  "MSI-X counts of VFs are not known: configuration "
				  "space is for CAP_SYS_ADMIN; run as root");
	return r < 0 ? r : probe_overrides(root, pf, host);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/vfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/cleanup.h"

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

void vf_dir_open(struct vf_dir *dir, const struct root *root, int pf_fd, bool is_sysfs)
{
	*dir = (struct vf_dir){ .root = root, .pf_fd = pf_fd, .is_sysfs = is_sysfs, .parent_fd = -1 };
	if (is_sysfs)
		dir->parent_fd = openat(pf_fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

void vf_dir_release(struct vf_dir *dir)
{
	close_p(&dir->parent_fd);
}

/* name is one of ours, and short. */
static void join(char path[static 64], const char *bdf, const char *name)
{
	stpcpy(stpcpy(stpcpy(path, bdf), "/"), name);
}

/*
 * In sysfs VFs are neighbours of their PF (Linux, drivers/pci/iov.c, pci_iov_add_virtfn), which
 * is a third of the way that leads over the link in the PF's directory. What a tree of another
 * origin says is only believed as far as it is an address.
 */
int vf_dir_open_file(const struct vf_dir *dir, uint32_t index, const char *bdf, const char *name)
{
	_cleanup_close_ int vf_fd = -1;
	char path[64];
	int fd = -1, flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;

	if (dir->parent_fd >= 0) {
		join(path, bdf, name);
		fd = openat(dir->parent_fd, path, flags);
	}
	if (fd < 0 && dir->is_sysfs) {
		snprintf(path, sizeof(path), "virtfn%u/%s", index, name);
		fd = openat(dir->pf_fd, path, flags);
	}
	if (dir->is_sysfs)
		return fd < 0 ? -errno : fd;
	vf_fd = pci_open(dir->root, bdf);
	if (vf_fd < 0)
		return vf_fd;
	fd = openat(vf_fd, name, flags);
	return fd < 0 ? -errno : fd;
}

int vf_dir_read(const struct vf_dir *dir, uint32_t index, const char *bdf, const char *name,
		char text[static SYSFS_TEXT_SIZE])
{
	_cleanup_close_ int fd = vf_dir_open_file(dir, index, bdf, name);

	return fd < 0 ? fd : sysfs_read_fd(fd, text);
}

static int read_link(const struct vf_dir *dir, uint32_t index, const char *bdf, const char *name,
		     char text[static SYSFS_TEXT_SIZE])
{
	_cleanup_close_ int vf_fd = -1;
	char path[64];

	if (dir->parent_fd >= 0) {
		join(path, bdf, name);
		if (sysfs_read_link(dir->parent_fd, path, text) == 0)
			return 0;
	}
	if (dir->is_sysfs) {
		snprintf(path, sizeof(path), "virtfn%u/%s", index, name);
		return sysfs_read_link(dir->pf_fd, path, text);
	}
	vf_fd = pci_open(dir->root, bdf);
	return vf_fd < 0 ? vf_fd : sysfs_read_link(vf_fd, name, text);
}

static int read_iommu_group(const struct vf_dir *dir, struct mlx5lm_vf *vf)
{
	char text[SYSFS_TEXT_SIZE];
	uint32_t index = (uint32_t)vf->index.value;
	uint64_t group;
	int r;

	r = read_link(dir, index, vf->bdf, "iommu_group", text);
	if (r == 0 && str_to_u64(text, 10, &group) == 0)
		vf->iommu_group = fact_u64(group);
	if (r != -ENOENT)
		return r;
	/* No group, or no function any more? */
	r = vf_dir_open_file(dir, index, vf->bdf, "class");
	if (r < 0)
		return r;
	close(r);
	return 0;
}

static int read_driver(const struct pci_bus *bus, const struct vf_dir *dir, struct mlx5lm_vf *vf)
{
	const char *known = pci_bus_find_driver(bus, vf->bdf);
	char text[SYSFS_TEXT_SIZE];

	if (known)
		return str_replace(&vf->driver, known);
	if (read_link(dir, (uint32_t)vf->index.value, vf->bdf, "driver", text) < 0)
		return 0;
	return str_replace(&vf->driver, text);
}

static int read_vf(const struct pci_bus *bus, const struct vf_dir *dir, const struct mlx5lm_pf *pf,
		   struct mlx5lm_vf *vf)
{
	char text[SYSFS_TEXT_SIZE];
	uint64_t id;
	int r;

	r = read_iommu_group(dir, vf);
	if (r < 0)
		return r;
	/* By the SR-IOV capability all VFs have the vendor of the PF and one device id. */
	vf->vendor_id = pf->vendor_id;
	vf->device_id = pf->sriov_vf_device_id;
	if (!vf->device_id.known &&
	    vf_dir_read(dir, (uint32_t)vf->index.value, vf->bdf, "device", text) == 0 &&
	    str_to_u64(text, 16, &id) == 0)
		vf->device_id = fact_u64(id);
	return read_driver(bus, dir, vf);
}

/* The kernel computes the addresses by the same rule, and its list of functions confirms it. */
static int find_bdf(const struct pci_bus *bus, const struct vf_dir *dir, const struct mlx5lm_pf *pf,
		    uint32_t index, char **ret)
{
	char text[PCI_BDF_SIZE];

	if (dir->is_sysfs && pf->sriov_offset.known && pf->sriov_stride.known &&
	    pci_vf_address(pf->bdf, pf->sriov_offset.value, pf->sriov_stride.value, index, text) ==
		    0 &&
	    pci_bus_find(bus, text) >= 0)
		return str_replace(ret, text);
	return pci_vf_bdf(dir->pf_fd, index, ret);
}

static int add_vfs(const struct pci_bus *bus, const struct vf_dir *dir, struct mlx5lm_pf *pf,
		   struct mlx5lm_host *host)
{
	_cleanup_free_ uint32_t *indices = NULL;
	size_t length = 0;
	int r;

	r = list_indices(dir->pf_fd, &indices, &length);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return host_add_note(host, pf->bdf, "sriov_num_vfs vfs", "VFs are not known: %s",
				     strerror(-r));
	for (size_t i = 0; i < length; i++) {
		_cleanup_free_ char *bdf = NULL;
		struct mlx5lm_vf *vf;

		r = find_bdf(bus, dir, pf, indices[i], &bdf);
		if (r == 0)
			r = pf_add_vf(pf, &vf);
		if (r == -ENOMEM)
			return r;
		if (r < 0) {
			r = host_add_note(host, pf->bdf, "vfs", "VF %u is not known: %s",
					  indices[i], strerror(-r));
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

int vfs_probe(const struct pci_bus *bus, int pf_fd, struct mlx5lm_pf *pf, struct mlx5lm_host *host)
{
	_cleanup_(vf_dir_release) struct vf_dir dir;
	int r;

	vf_dir_open(&dir, bus->root, pf_fd, bus->is_sysfs);
	r = add_vfs(bus, &dir, pf, host);
	for (size_t i = 0; r == 0 && i < pf->num_vfs; i++) {
		r = read_vf(bus, &dir, pf, &pf->vfs[i]);
		if (r < 0 && r != -ENOMEM)
			r = host_add_note(host, pf->vfs[i].bdf,
					  "vendor_id device_id driver driver_override iommu_group "
					  "iommu_group_viable msix_count vfio_device",
					  "the VF is not known: %s", strerror(-r));
	}
	return r;
}

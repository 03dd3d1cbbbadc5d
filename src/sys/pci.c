// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/pci.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/statfs.h>

#include "base/cleanup.h"
#include "sys/sysfs.h"
#include "sys/vfs.h"

#define VENDOR_MELLANOX 0x15b3
#define CLASS_NETWORK 0x02

struct address {
	uint32_t domain;
	uint32_t bus;
	uint32_t device;
	uint32_t function;
};

/* As the kernel writes them. By hand, as it is done for each VF and sscanf() takes its time. */
static bool take_hex(const char **at, int min_digits, int max_digits, uint32_t *ret)
{
	int digits = 0;

	for (*ret = 0; digits < max_digits; digits++, (*at)++) {
		char c = **at;

		if (c >= '0' && c <= '9')
			*ret = *ret << 4 | (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			*ret = *ret << 4 | (uint32_t)(c - 'a' + 10);
		else
			break;
	}
	return digits >= min_digits;
}

static bool parse_bdf(const char *text, struct address *ret)
{
	/* A domain may have more than four digits (Intel VMD). */
	return take_hex(&text, 4, 8, &ret->domain) && *text++ == ':' &&
	       take_hex(&text, 2, 2, &ret->bus) && *text++ == ':' &&
	       take_hex(&text, 2, 2, &ret->device) && *text++ == '.' &&
	       take_hex(&text, 1, 1, &ret->function) && !*text;
}

bool pci_is_bdf(const char *text)
{
	struct address address;

	return parse_bdf(text, &address);
}

int pci_open(const struct root *root, const char *bdf)
{
	if (!pci_is_bdf(bdf))
		return -EINVAL;
	return sysfs_open_dir(root, PCI_DEVICES "/%s", bdf);
}

/* -ENODEV if the function is something else. */
static int check_is_pf(int fd)
{
	uint64_t vendor, class_code;
	int r;

	r = sysfs_read_u64(fd, "vendor", 16, &vendor);
	if (r < 0)
		return r;
	if (vendor != VENDOR_MELLANOX)
		return -ENODEV;
	r = sysfs_read_u64(fd, "class", 16, &class_code);
	if (r < 0)
		return r;
	if (class_code >> 16 != CLASS_NETWORK || sysfs_exists(fd, "physfn"))
		return -ENODEV;
	return 0;
}

int pci_bus_open(const struct root *root, struct pci_bus *ret)
{
	_cleanup_(pci_bus_release) struct pci_bus bus = {
		.root = root,
		.fd = -1,
		.drivers = { { .name = "mlx5_vfio_pci" },
			     { .name = "mlx5_core" },
			     { .name = "vfio-pci" } },
	};
	struct statfs fs;
	int r;

	bus.fd = sysfs_open_dir(root, PCI_DEVICES);
	if (bus.fd < 0)
		return bus.fd;
	bus.is_sysfs = fstatfs(bus.fd, &fs) == 0 && fs.f_type == SYSFS_MAGIC;
	r = sysfs_list(bus.fd, ".", &bus.names);
	for (size_t i = 0; r == 0 && i < ARRAY_LENGTH(bus.drivers); i++) {
		_cleanup_close_ int fd =
			sysfs_open_dir(root, "sys/bus/pci/drivers/%s", bus.drivers[i].name);

		/* Without the list each function is asked for its driver. */
		if (fd >= 0 && sysfs_list(fd, ".", &bus.drivers[i].bdfs) == -ENOMEM)
			r = -ENOMEM;
	}
	if (r < 0)
		return r;
	*ret = bus;
	bus = (struct pci_bus){ .fd = -1 };
	return 0;
}

void pci_bus_release(struct pci_bus *bus)
{
	close_p(&bus->fd);
	strv_release(&bus->names);
	for (size_t i = 0; i < ARRAY_LENGTH(bus->drivers); i++)
		strv_release(&bus->drivers[i].bdfs);
}

static int compare_names(const void *key, const void *item)
{
	return strcmp(key, *(char *const *)item);
}

static ssize_t find_name(const struct strv *names, const char *name)
{
	char **found = names->length ? bsearch(name, names->items, names->length,
					       sizeof(names->items[0]), compare_names)
				     : NULL;

	return found ? found - names->items : -1;
}

ssize_t pci_bus_find(const struct pci_bus *bus, const char *bdf)
{
	return find_name(&bus->names, bdf);
}

const char *pci_bus_find_driver(const struct pci_bus *bus, const char *bdf)
{
	for (size_t i = 0; i < ARRAY_LENGTH(bus->drivers); i++) {
		if (find_name(&bus->drivers[i].bdfs, bdf) >= 0)
			return bus->drivers[i].name;
	}
	return NULL;
}

int pci_bus_open_function(const struct pci_bus *bus, const char *bdf)
{
	int fd;

	if (!bus->is_sysfs)
		return pci_open(bus->root, bdf);
	if (!pci_is_bdf(bdf))
		return -EINVAL;
	fd = openat(bus->fd, bdf, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int pci_bus_read_link(const struct pci_bus *bus, const char *bdf, const char *name,
		      char text[static SYSFS_TEXT_SIZE])
{
	_cleanup_close_ int fd = -1;
	char path[64];

	if (!pci_is_bdf(bdf))
		return -EINVAL;
	if (bus->is_sysfs) {
		snprintf(path, sizeof(path), "%s/%s", bdf, name);
		return sysfs_read_link(bus->fd, path, text);
	}
	fd = pci_open(bus->root, bdf);
	return fd < 0 ? fd : sysfs_read_link(fd, name, text);
}

int pci_vf_address(const char *pf_bdf, uint64_t offset, uint64_t stride, uint64_t index,
		   char text[static PCI_BDF_SIZE])
{
	struct address pf;
	uint64_t id;

	if (!parse_bdf(pf_bdf, &pf) || offset > UINT16_MAX || stride > UINT16_MAX ||
	    index > UINT16_MAX)
		return -EINVAL;
	id = (pf.bus << 8 | pf.device << 3 | pf.function) + offset + stride * index;
	if (id > UINT16_MAX)
		return -EINVAL;
	snprintf(text, PCI_BDF_SIZE, "%04x:%02x:%02x.%x", pf.domain, (unsigned int)(id >> 8),
		 (unsigned int)(id >> 3 & 0x1f), (unsigned int)(id & 7));
	return 0;
}

int pci_read_driver(int fd, char **ret)
{
	char text[SYSFS_TEXT_SIZE];
	int r;

	r = sysfs_read_link(fd, "driver", text);
	if (r == -ENOENT)
		return str_replace(ret, NULL);
	return r < 0 ? r : str_replace(ret, text);
}

int pci_take_driver_override(const char *text, char **ret)
{
	return str_replace(ret, text[0] && !streq(text, "(null)") ? text : NULL);
}

int pci_read_driver_override(int fd, char **ret)
{
	char text[SYSFS_TEXT_SIZE];
	int r;

	r = sysfs_read(fd, "driver_override", text);
	return r < 0 ? r : pci_take_driver_override(text, ret);
}

int pci_vf_bdf(int pf_fd, uint32_t vf_index, char **ret)
{
	char name[32], bdf[SYSFS_TEXT_SIZE];
	int r;

	snprintf(name, sizeof(name), "virtfn%u", vf_index);
	r = sysfs_read_link(pf_fd, name, bdf);
	if (r < 0)
		return r;
	return pci_is_bdf(bdf) ? str_replace(ret, bdf) : -EBADMSG;
}

void pci_read_number(int fd, const char *name, int base, struct fact_u64 *ret)
{
	uint64_t value;

	if (sysfs_read_u64(fd, name, base, &value) == 0)
		*ret = fact_u64(value);
}

static int probe_sriov(int fd, struct mlx5lm_pf *pf, struct mlx5lm_host *host)
{
	uint64_t autoprobe;
	int r;

	pci_read_number(fd, "sriov_totalvfs", 10, &pf->sriov_total_vfs);
	if (!pf->sriov_total_vfs.known)
		return host_add_note(host, pf->bdf, "sriov_total_vfs",
				     "SR-IOV is not known: the function shows no SR-IOV "
				     "capability; see SRIOV_EN in its NV configuration");
	pci_read_number(fd, "sriov_offset", 10, &pf->sriov_offset);
	pci_read_number(fd, "sriov_stride", 10, &pf->sriov_stride);
	pci_read_number(fd, "sriov_vf_device", 16, &pf->sriov_vf_device_id);
	r = sysfs_read_u64(fd, "sriov_drivers_autoprobe", 10, &autoprobe);
	if (r == 0)
		pf->sriov_autoprobe = autoprobe ? MLX5LM_ANSWER_YES : MLX5LM_ANSWER_NO;
	return 0;
}

static void read_numbers(int fd, struct mlx5lm_pf *pf)
{
	pci_read_number(fd, "vendor", 16, &pf->vendor_id);
	pci_read_number(fd, "device", 16, &pf->device_id);
	pci_read_number(fd, "subsystem_vendor", 16, &pf->subsystem_vendor_id);
	pci_read_number(fd, "subsystem_device", 16, &pf->subsystem_device_id);
	pci_read_number(fd, "revision", 16, &pf->revision);
	pci_read_number(fd, "class", 16, &pf->class_code);
	pci_read_number(fd, "numa_node", 10, &pf->numa_node); /* -1 is no number */
}

/* A function without a link says "Unknown" and 0. */
static int read_pcie_link(int fd, struct mlx5lm_pf *pf)
{
	pci_read_number(fd, "current_link_width", 10, &pf->pcie_link_width);
	if (!pf->pcie_link_width.value)
		pf->pcie_link_width.known = false;
	if (sysfs_read_str(fd, "current_link_speed", &pf->pcie_link_speed) == -ENOMEM)
		return -ENOMEM;
	return streq(pf->pcie_link_speed, "Unknown") ? str_replace(&pf->pcie_link_speed, NULL) : 0;
}

static int read_rdma_device(int fd, struct mlx5lm_pf *pf)
{
	_cleanup_(strv_release) struct strv names = { 0 };

	if (sysfs_list(fd, "infiniband", &names) == -ENOMEM)
		return -ENOMEM;
	if (names.length)
		pf->rdma_device = TAKE(names.items[0]);
	return 0;
}

int pci_probe_pf(const struct pci_bus *bus, const char *bdf, struct mlx5lm_host *host)
{
	_cleanup_close_ int fd = -1;
	struct mlx5lm_pf *pf;
	int r;

	fd = pci_bus_open_function(bus, bdf);
	if (fd < 0)
		return fd;
	r = check_is_pf(fd);
	if (r < 0)
		return r;
	r = host_add_pf(host, &pf);
	if (r < 0)
		return r;
	if (str_replace(&pf->bdf, bdf) < 0)
		return -ENOMEM;
	read_numbers(fd, pf);
	if (pci_read_driver(fd, &pf->driver) == -ENOMEM || read_pcie_link(fd, pf) == -ENOMEM ||
	    read_rdma_device(fd, pf) == -ENOMEM)
		return -ENOMEM;
	r = probe_sriov(fd, pf, host);
	if (r == 0 && pf->sriov_total_vfs.known)
		r = vfs_probe(bus, fd, pf, host);
	return r;
}

/* VFs stand behind their PF in the list: none of them has to be looked at to see what it is. */
static void pass_over_vfs(const struct pci_bus *bus, const struct mlx5lm_pf *pf, bool *passed)
{
	for (size_t i = 0; i < pf->num_vfs; i++) {
		ssize_t at = pci_bus_find(bus, pf->vfs[i].bdf);

		if (at >= 0)
			passed[at] = true;
	}
}

int pci_probe_pfs(const struct pci_bus *bus, struct mlx5lm_host *host)
{
	_cleanup_free_ bool *passed = calloc(bus->names.length + 1, sizeof(*passed));

	if (!passed)
		return -ENOMEM;
	for (size_t i = 0; i < bus->names.length; i++) {
		size_t known = host->num_pfs;

		if (passed[i])
			continue;
		/* A device that goes while we look is not there. */
		if (pci_probe_pf(bus, bus->names.items[i], host) == -ENOMEM)
			return -ENOMEM;
		if (host->num_pfs > known)
			pass_over_vfs(bus, &host->pfs[known], passed);
	}
	return 0;
}

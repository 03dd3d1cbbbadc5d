// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/pci.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "sys/sysfs.h"
#include "sys/vfs.h"
#include "sys/vpd.h"

#define VENDOR_MELLANOX 0x15b3
#define CLASS_NETWORK 0x02

/* As much as any card has. Each four bytes are a round trip to the firmware. */
#define VPD_SIZE 2048

bool pci_is_bdf(const char *text)
{
	unsigned int domain, bus, device, function;
	int length = 0;

	/* A domain may have more than four digits (Intel VMD). */
	if (sscanf(text, "%x:%2x:%2x.%1x%n", &domain, &bus, &device, &function, &length) != 4)
		return false;
	return !text[length] && length >= 12 && length <= 16 && isxdigit((unsigned char)text[0]) &&
	       strspn(text, "0123456789abcdef:.") == (size_t)length;
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

int pci_list_pfs(const struct root *root, struct strv *ret)
{
	_cleanup_(strv_release) struct strv names = { 0 };
	_cleanup_close_ int fd = -1;
	int r;

	fd = sysfs_open_dir(root, PCI_DEVICES);
	if (fd < 0)
		return fd;
	r = sysfs_list(fd, ".", &names);
	if (r < 0)
		return r;
	for (size_t i = 0; i < names.length; i++) {
		_cleanup_close_ int device_fd = pci_open(root, names.items[i]);

		/* A device that goes while we look is not there. */
		if (device_fd < 0 || check_is_pf(device_fd) < 0)
			continue;
		if (strv_take(ret, TAKE(names.items[i])) < 0)
			return -ENOMEM;
	}
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

/* The uplink. In switchdev mode the representors of the VFs stand in the same directory. */
static int probe_netdev(int pf_fd, struct mlx5lm_pf *pf)
{
	_cleanup_(strv_release) struct strv names = { 0 };
	_cleanup_close_ int net_fd = -1;
	char port[SYSFS_TEXT_SIZE];

	net_fd = openat(pf_fd, "net", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (net_fd < 0 || sysfs_list(net_fd, ".", &names) < 0)
		return 0;
	for (size_t i = 0; i < names.length; i++) {
		_cleanup_close_ int fd = openat(net_fd, names.items[i],
						O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		/* Outside switchdev mode it has no name (EOPNOTSUPP); the uplink is "p0". */
		if (fd < 0 || (sysfs_read(fd, "phys_port_name", port) == 0 && port[0] &&
			       !(port[0] == 'p' && isdigit((unsigned char)port[1]))))
			continue;
		pf->netdev = TAKE(names.items[i]);
		return 0;
	}
	return 0;
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

int pci_probe_pf(const struct root *root, const char *bdf, struct mlx5lm_host *host)
{
	_cleanup_close_ int fd = -1;
	struct mlx5lm_pf *pf;
	int r;

	fd = pci_open(root, bdf);
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
	pci_read_number(fd, "vendor", 16, &pf->vendor_id);
	pci_read_number(fd, "device", 16, &pf->device_id);
	pci_read_number(fd, "subsystem_vendor", 16, &pf->subsystem_vendor_id);
	pci_read_number(fd, "subsystem_device", 16, &pf->subsystem_device_id);
	pci_read_number(fd, "revision", 16, &pf->revision);
	pci_read_number(fd, "class", 16, &pf->class_code);
	pci_read_number(fd, "numa_node", 10, &pf->numa_node); /* -1 is no number */
	if (pci_read_driver(fd, &pf->driver) == -ENOMEM)
		return -ENOMEM;
	r = probe_netdev(fd, pf);
	if (r == 0)
		r = probe_sriov(fd, pf, host);
	if (r == 0 && pf->sriov_total_vfs.known)
		r = vfs_probe(root, fd, pf, host);
	return r;
}

int pci_read_vpd_serial(const struct root *root, const char *bdf, char **ret)
{
	_cleanup_close_ int dir_fd = -1;
	_cleanup_close_ int fd = -1;
	uint8_t data[VPD_SIZE];
	ssize_t length;

	dir_fd = pci_open(root, bdf);
	if (dir_fd < 0)
		return dir_fd;
	fd = openat(dir_fd, "vpd", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	length = read(fd, data, sizeof(data));
	if (length < 0)
		return -errno;
	return vpd_serial_number(data, (size_t)length, ret);
}

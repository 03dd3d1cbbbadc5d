/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_PCI_H
#define SYS_PCI_H

#include "facts.h"
#include "sys/root.h"
#include "sys/sysfs.h"

#define PCI_DEVICES "sys/bus/pci/devices"

/* Longest text of an address with its NUL. */
#define PCI_BDF_SIZE 17

/* Whether text is an address as the kernel writes it, so that it may be part of a path. */
bool pci_is_bdf(const char *text);

/* The directory of a function. */
int pci_open(const struct root *root, const char *bdf);

/*
 * The functions of a machine, as their directory lists them. On sysfs itself links are the
 * kernel's own and lead nowhere else, so that they are followed as they are, which is cheap; in
 * any other tree every path is resolved beneath the root.
 */
struct pci_bus {
	const struct root *root;
	int fd;
	bool is_sysfs;
	struct strv names; /* of all functions, sorted */
	/* Those bound to the drivers that VFs have as a rule. */
	struct pci_driver {
		const char *name;
		struct strv bdfs; /* sorted */
	} drivers[3];
};

/* 0 or -errno; -ENOENT if the root has no sys/bus/pci. */
int pci_bus_open(const struct root *root, struct pci_bus *ret);
void pci_bus_release(struct pci_bus *bus);

/* The directory (O_PATH) of a function. */
int pci_bus_open_function(const struct pci_bus *bus, const char *bdf);

/* The target of a link of a function, as sysfs_read_link(). */
int pci_bus_read_link(const struct pci_bus *bus, const char *bdf, const char *name,
		      char text[static SYSFS_TEXT_SIZE]);

/* The driver it is bound to, if that is one of bus->drivers; NULL otherwise. */
const char *pci_bus_find_driver(const struct pci_bus *bus, const char *bdf);

/* The place of a function in bus->names, or -1. */
ssize_t pci_bus_find(const struct pci_bus *bus, const char *bdf);

/*
 * Add a PF, or all of them, with their VFs to the host: the facts in files that can be read at
 * once, whatever happens to the functions. The first returns -ENOENT or -ENODEV if there is no
 * such function or it is not an mlx5 PF; -ENOMEM is the only failure of the second.
 */
int pci_probe_pf(const struct pci_bus *bus, const char *bdf, struct mlx5lm_host *host);
int pci_probe_pfs(const struct pci_bus *bus, struct mlx5lm_host *host);

/* The address of VF index by the rule of the SR-IOV capability. 0 or -EINVAL. */
int pci_vf_address(const char *pf_bdf, uint64_t offset, uint64_t stride, uint64_t index,
		   char text[static PCI_BDF_SIZE]);

/* The address of a VF, by the PF's link virtfnN. */
int pci_vf_bdf(int pf_fd, uint32_t vf_index, char **ret);

/* Reads one number and forgives that it is not there: it stays unknown then. */
void pci_read_number(int fd, const char *name, int base, struct fact_u64 *ret);

/* The name of the driver that is bound; NULL if there is none. 0 or -errno. */
int pci_read_driver(int fd, char **ret);

/* The driver a function is set aside for; NULL if there is none. 0 or -errno. */
int pci_read_driver_override(int fd, char **ret);

/* The same of the text of the file, which says "(null)" for none. */
int pci_take_driver_override(const char *text, char **ret);

#endif

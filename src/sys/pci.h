/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_PCI_H
#define SYS_PCI_H

#include "facts.h"
#include "sys/root.h"

#define PCI_DEVICES "sys/bus/pci/devices"

/* Whether text is an address as the kernel writes it, so that it may be part of a path. */
bool pci_is_bdf(const char *text);

/* The directory of a function. */
int pci_open(const struct root *root, const char *bdf);

/* The addresses of all mlx5 PFs, sorted. -ENOENT if the root has no sys/bus/pci. */
int pci_list_pfs(const struct root *root, struct strv *ret);

/*
 * Adds a PF with its VFs, as sysfs and configuration space show them, to the host.
 * -ENOENT or -ENODEV if there is no such function or it is not an mlx5 PF.
 */
int pci_probe_pf(const struct root *root, const char *bdf, struct mlx5lm_host *host);

/* The serial number of the vital product data, for a PF that devlink knows none of. */
int pci_read_vpd_serial(const struct root *root, const char *bdf, char **ret);

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

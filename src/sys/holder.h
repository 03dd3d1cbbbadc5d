/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_HOLDER_H
#define SYS_HOLDER_H

#include "facts.h"
#include "sys/root.h"
#include "sys/sysfs.h"

/* A function that may be open through VFIO, and who has it open. */
struct holding {
	char group[SYSFS_TEXT_SIZE];  /* number of its IOMMU group, or "" */
	char device[SYSFS_TEXT_SIZE]; /* "vfio0", or "" */
	struct fact_u64 pid;	      /* known if somebody is seen */
	char comm[SYSFS_TEXT_SIZE];
};

/*
 * Who has which of the functions open, in one pass over the processes. Nobody seen is no proof:
 * other processes' descriptors are for root (*complete is false if some could not be read), and
 * containers hide processes. 0 or -ENOMEM.
 */
int holder_find_all(const struct root *root, struct holding *holdings, size_t length,
		    bool *complete);

/* Fills in by which nodes a function could be open. 0 or -ENOMEM. */
int holder_find_nodes(int function_fd, struct holding *holding);

/* Who has it open, of one function, as "1234 (qemu-system-x86)" in *ret; NULL if nobody is seen. */
int holder_find(const struct root *root, int function_fd, char **ret);

#endif

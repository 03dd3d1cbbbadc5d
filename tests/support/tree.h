/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SUPPORT_TREE_H
#define SUPPORT_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A directory that looks like the root of a host to the library: the parts of /proc, /sys and
 * /lib/modules that it reads. Lies in a fresh temporary directory. Whatever fails in here ends
 * the test program.
 */
struct tree;

struct tree *tree_new(void);
const char *tree_path(const struct tree *tree);
void tree_free(struct tree *tree); /* removes the directory */

/* One file, link or directory by its path below the tree, as made by printf(); parents come. */
void tree_write(struct tree *tree, const char *text, const char *format, ...)
	__attribute__((__format__(__printf__, 3, 4)));
void tree_write_bytes(struct tree *tree, const void *data, size_t length, const char *format, ...)
	__attribute__((__format__(__printf__, 4, 5)));
void tree_link(struct tree *tree, const char *target, const char *format, ...)
	__attribute__((__format__(__printf__, 3, 4)));
void tree_make_dir(struct tree *tree, const char *format, ...)
	__attribute__((__format__(__printf__, 2, 3)));
void tree_make_fifo(struct tree *tree, const char *format, ...)
	__attribute__((__format__(__printf__, 2, 3)));
void tree_remove(struct tree *tree, const char *format, ...)
	__attribute__((__format__(__printf__, 2, 3)));

/* The text of a file, without white space at its end; valid until the next call. */
const char *tree_read(struct tree *tree, const char *format, ...)
	__attribute__((__format__(__printf__, 2, 3)));

#define TREE_RELEASE "6.12.95+deb12-amd64"
#define TREE_BOOT_ID "11111111-2222-3333-4444-555555555555"

/*
 * Kernel with its configuration, host name "host-a", 16 GiB of memory, an active IOMMU, no
 * lockdown, an empty PCI bus. If native is true the boot id is that of the running kernel, and
 * the library takes the tree for this machine.
 */
void tree_add_host(struct tree *tree, bool native);

/* A module that is loaded; srcversion may be NULL. */
void tree_add_loaded_module(struct tree *tree, const char *name, const char *srcversion);

/* Modules of /lib/modules: with a path, or built into the kernel (a NULL ends the lists). */
void tree_add_module_dir(struct tree *tree, const char *const *names, const char *const *builtin);

/* Aliases of modules, as depmod writes them (a NULL ends the lists). */
void tree_add_module_aliases(struct tree *tree, const char *const *patterns,
			     const char *const *modules);

struct tree_pf {
	const char *bdf;	/* "0000:08:00.0" */
	unsigned int device_id; /* 0x1021 */
	unsigned int total_vfs; /* 0: no SR-IOV capability */
	unsigned int num_vfs;
	unsigned int first_offset; /* of the VFs' addresses; 0 stands for 2 */
	const char *serial_number; /* in the vital product data; NULL for none */
	const char *vf_driver;	   /* bound to all VFs; NULL for none */
};

/* A PF on mlx5_core, with its VFs; VF n is in IOMMU group 100 + n and has 64 MSI-X vectors. */
void tree_add_pf(struct tree *tree, const struct tree_pf *pf);

/* The address of VF index of a PF, in text[13]. */
void tree_vf_bdf(const struct tree_pf *pf, unsigned int index, char text[static 13]);

#endif

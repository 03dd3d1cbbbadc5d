/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_VFS_H
#define SYS_VFS_H

#include "facts.h"
#include "sys/pci.h"

/*
 * Adds to pf the VFs that its directory pf_fd shows, with what links tell of them: those can be
 * read at once, whatever a VF is doing. -ENOMEM is the only failure.
 */
int vfs_probe(const struct pci_bus *bus, int pf_fd, struct mlx5lm_pf *pf, struct mlx5lm_host *host);

/* How many links virtfnN a PF has. sriov_numvfs is never asked: reading it waits for changes. */
int vfs_count(int pf_fd, size_t *ret);

/* Where the files of a PF's VFs are found. */
struct vf_dir {
	const struct root *root;
	int pf_fd; /* borrowed */
	bool is_sysfs; /* as in struct pci_bus */
	int parent_fd; /* of the PF, and so of its VFs; only in sysfs */
};

void vf_dir_open(struct vf_dir *dir, const struct root *root, int pf_fd, bool is_sysfs);
void vf_dir_release(struct vf_dir *dir);

/* A file of a VF, for reading; its text, as sysfs_read(). */
int vf_dir_open_file(const struct vf_dir *dir, uint32_t index, const char *bdf, const char *name);
int vf_dir_read(const struct vf_dir *dir, uint32_t index, const char *bdf, const char *name,
		char text[static SYSFS_TEXT_SIZE]);

#endif

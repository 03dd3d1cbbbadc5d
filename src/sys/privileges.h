/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_PRIVILEGES_H
#define SYS_PRIVILEGES_H

#include "facts.h"
#include "sys/root.h"

/*
 * Which later steps this process could do, found out without doing any of them. It comes last,
 * when the PFs are known. -ENOMEM is the only failure.
 */
int privileges_probe(const struct root *root, struct mlx5lm_host *host);

/* Files that tell by their own rights what could be done with them. */
enum right_file {
	RIGHT_AUTOPROBE, /* of the first PF, as the next two */
	RIGHT_NUM_VFS,
	RIGHT_CONFIG,
	RIGHT_MSIX_COUNT, /* of its first VF, or else its RIGHT_NUM_VFS: both are root's alone */
	RIGHT_DRIVER_OVERRIDE, /* of its first VF, or of the PF itself */
	RIGHT_UNBIND,	       /* of mlx5_vfio_pci, or else of mlx5_core, as the next */
	RIGHT_BIND,
	RIGHT_VFIO,	   /* /dev/vfio/vfio, or else /dev/iommu */
	RIGHT_VFIO_DEVICE, /* of a VF that is bound to VFIO */
	RIGHT_LIBVIRT,	   /* the socket */
	NUM_RIGHT_FILES
};

struct file_access {
	char *path; /* as the host calls it; NULL: there is nothing to try it on */
	int result; /* 0 or -errno */
};

/* What the kernel lets this process do. */
struct rights {
	bool native; /* the root is that of the running kernel */
	bool is_root; /* by effective user id */
	bool caps_known;
	uint64_t caps;		  /* effective; a bit for each CAP_... of linux/capability.h */
	uint32_t initial_user_ns; /* enum mlx5lm_answer */
	bool files_known;	  /* the kernel tells without doing */
	struct file_access files[NUM_RIGHT_FILES];
};

/* Adds the privileges that follow from the rights, in a fixed order. 0 or -ENOMEM. */
int privileges_judge(const struct rights *rights, struct mlx5lm_host *host);

#endif

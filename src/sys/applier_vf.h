/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_APPLIER_VF_H
#define SYS_APPLIER_VF_H

#include "sys/applier_internal.h"
#include "sys/holder.h"

/* A VF: its address and its directory. */
struct vf {
	char *bdf;
	int fd;
};

int vf_open(const struct applier *applier, uint32_t vf_index, struct vf *vf,
	    struct mlx5lm_error **reterr);
void vf_release(struct vf *vf);

/* Who has VFs open, of many in one pass over the processes. */
struct vf_users {
	struct holding *holdings;
	size_t length;
	bool any; /* may be open at all */
};

int vf_users_init(struct vf_users *users, size_t length);
int vf_users_add(struct vf_users *users, size_t index, const struct vf *vf);
int vf_users_find(struct vf_users *users, const struct root *root);

/* NULL if nobody is seen. */
const struct holding *vf_users_get(const struct vf_users *users, size_t index);
void vf_users_release(struct vf_users *users);

int vf_held_error(const struct vf *vf, const struct holding *holding, int errnum,
		  struct mlx5lm_error **reterr);

#endif

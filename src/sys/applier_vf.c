// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/applier_vf.h"

#include <errno.h>
#include <inttypes.h>

void vf_release(struct vf *vf)
{
	free(vf->bdf);
	close_p(&vf->fd);
}

int vf_open(const struct applier *applier, uint32_t vf_index, struct vf *vf,
	    struct mlx5lm_error **reterr)
{
	int r;

	r = pci_vf_bdf(applier->pf_fd, vf_index, &vf->bdf);
	if (r == 0)
		r = vf->fd = pci_open(applier->root, vf->bdf);
	if (r >= 0)
		return 0;
	error_set(reterr, error_code_from_errno(-r), -r, MLX5LM_SOURCE_SYSFS,
		  "%s: there is no VF %" PRIu32 ": %s", applier->pf_bdf, vf_index, strerror(-r));
	error_add_remedy(reterr, "plan again: the VFs have changed");
	return r;
}

int vf_users_init(struct vf_users *users, size_t length)
{
	users->holdings = calloc(length + 1, sizeof(*users->holdings));
	if (!users->holdings)
		return -ENOMEM;
	users->length = length;
	return 0;
}

int vf_users_add(struct vf_users *users, size_t index, const struct vf *vf)
{
	char driver[SYSFS_TEXT_SIZE];

	/* Only VFIO drivers hand functions out. */
	if (sysfs_read_link(vf->fd, "driver", driver) < 0 || !strstr(driver, "vfio"))
		return 0;
	users->any = true;
	return holder_find_nodes(vf->fd, &users->holdings[index]);
}

int vf_users_find(struct vf_users *users, const struct root *root)
{
	bool complete;

	return users->any ? holder_find_all(root, users->holdings, users->length, &complete) : 0;
}

const struct holding *vf_users_get(const struct vf_users *users, size_t index)
{
	return index < users->length && users->holdings[index].pid.known ? &users->holdings[index]
									 : NULL;
}

void vf_users_release(struct vf_users *users)
{
	free(users->holdings);
}

int vf_held_error(const struct vf *vf, const struct holding *holding, int errnum,
		  struct mlx5lm_error **reterr)
{
	int r = error_set(reterr, error_code_from_errno(errnum), errnum, MLX5LM_SOURCE_VFIO,
			  "%s: the VF is in use by process %" PRIu64 " (%s)", vf->bdf,
			  holding->pid.value, holding->comm[0] ? holding->comm : "?");

	error_add_remedy(reterr, "migrate or shut down the virtual machine first");
	return r;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/vfio_users.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "sys/holder.h"

#define IN_USE_FACTS "in_use_pid in_use_comm"

/* There are as many VFIO drivers for PCI in the kernel, and no more for one kind of card. */
#define MAX_DRIVERS 8

struct driver {
	const char *name;
	struct fact_u64 num_open; /* devices; during a migration it counts its streams, too */
	uint64_t num_found;
};

struct drivers {
	struct driver items[MAX_DRIVERS];
	size_t length;
};

static bool is_vfio_driver(const char *driver)
{
	return driver && strstr(driver, "vfio");
}

int vfio_vfs_list(struct mlx5lm_host *host, struct vfio_vfs *ret)
{
	for (size_t i = 0; i < host->num_pfs; i++) {
		struct mlx5lm_pf *pf = &host->pfs[i];

		for (size_t j = 0; j < pf->num_vfs; j++) {
			if (!is_vfio_driver(pf->vfs[j].driver))
				continue;
			if (array_reserve(&ret->items, &ret->allocated, ret->length + 1,
					  sizeof(ret->items[0])) < 0)
				return -ENOMEM;
			ret->items[ret->length++] = (struct vfio_vf){ .pf = pf, .vf = &pf->vfs[j] };
		}
	}
	return 0;
}

void vfio_vfs_release(struct vfio_vfs *vfs)
{
	free(vfs->items);
	*vfs = (struct vfio_vfs){ 0 };
}

static void read_num_open(const struct root *root, struct driver *driver)
{
	_cleanup_close_ int fd = -1;
	char module[64];
	uint64_t count;

	if (snprintf(module, sizeof(module), "%s", driver->name) >= (int)sizeof(module) ||
	    strchr(module, '/'))
		return;
	for (char *c = module; *c; c++)
		*c = *c == '-' ? '_' : *c;
	fd = sysfs_open_dir(root, "sys/module/%s", module);
	if (fd >= 0 && sysfs_read_u64(fd, "refcnt", 10, &count) == 0)
		driver->num_open = fact_u64(count);
}

/* NULL if there are more drivers than there can be. */
static struct driver *find_driver(const struct root *root, struct drivers *drivers,
				  const char *name)
{
	struct driver *driver;

	for (size_t i = 0; i < drivers->length; i++) {
		if (streq(drivers->items[i].name, name))
			return &drivers->items[i];
	}
	if (drivers->length == MAX_DRIVERS)
		return NULL;
	driver = &drivers->items[drivers->length++];
	driver->name = name;
	read_num_open(root, driver);
	return driver;
}

static bool nothing_open(const struct driver *driver)
{
	return driver && driver->num_open.known && !driver->num_open.value;
}

static void fill(struct holding *holding, const struct mlx5lm_vf *vf)
{
	if (vf->iommu_group.known)
		snprintf(holding->group, sizeof(holding->group), "%" PRIu64, vf->iommu_group.value);
	if (vf->vfio_device)
		snprintf(holding->device, sizeof(holding->device), "%s", vf->vfio_device);
}

static int take_user(struct vfio_vf *item, const struct holding *holding)
{
	item->is_free = MLX5LM_ANSWER_NO;
	item->vf->in_use_pid = holding->pid;
	return holding->comm[0] ? str_replace(&item->vf->in_use_comm, holding->comm) : 0;
}

/* One note for all VFs of a PF: those follow one another in the list. */
static int note_once(struct mlx5lm_host *host, const struct vfio_vfs *vfs, size_t at,
		     const char *text)
{
	for (size_t i = 0; i < at; i++) {
		if (vfs->items[i].pf == vfs->items[at].pf &&
		    vfs->items[i].is_free == MLX5LM_ANSWER_UNKNOWN)
			return 0;
	}
	return host_add_note(host, vfs->items[at].pf->bdf, IN_USE_FACTS, "%s", text);
}

static int judge(const struct root *root, struct vfio_vfs *vfs, struct drivers *drivers,
		 bool complete, struct mlx5lm_host *host)
{
	for (size_t i = 0; i < vfs->length; i++) {
		struct vfio_vf *item = &vfs->items[i];
		const struct driver *driver = find_driver(root, drivers, item->vf->driver);
		int r = 0;

		if (item->is_free != MLX5LM_ANSWER_UNKNOWN)
			continue;
		if (!complete)
			r = note_once(host, vfs, i,
				      "who has VFs open is not known: descriptors of other "
				      "processes are for root; run as root");
		else if (driver && driver->num_open.known && !driver->num_found)
			r = note_once(
				host, vfs, i,
				"who has VFs open is not known: the driver's use count says "
				"that some device is, but the process is not seen; run outside "
				"of containers");
		/* The count may be of another card's device, but it may be of this VF. */
		else if (!driver || !driver->num_open.known ||
			 driver->num_found >= driver->num_open.value)
			item->is_free = MLX5LM_ANSWER_YES;
		if (r < 0)
			return r;
	}
	return 0;
}

int vfio_users_probe(const struct root *root, struct vfio_vfs *vfs, struct mlx5lm_host *host)
{
	_cleanup_free_ struct holding *holdings = NULL;
	struct drivers drivers = { 0 };
	bool complete, any_open = false;
	int r;

	for (size_t i = 0; i < vfs->length; i++) {
		struct vfio_vf *item = &vfs->items[i];

		if (nothing_open(find_driver(root, &drivers, item->vf->driver)))
			item->is_free = MLX5LM_ANSWER_YES;
		else
			any_open = true;
	}
	if (!any_open)
		return 0;
	holdings = calloc(vfs->length, sizeof(*holdings));
	if (!holdings)
		return -ENOMEM;
	for (size_t i = 0; i < vfs->length; i++) {
		if (vfs->items[i].is_free == MLX5LM_ANSWER_UNKNOWN)
			fill(&holdings[i], vfs->items[i].vf);
	}
	r = holder_find_all(root, holdings, vfs->length, &complete);
	for (size_t i = 0; r == 0 && i < vfs->length; i++) {
		struct driver *driver = find_driver(root, &drivers, vfs->items[i].vf->driver);

		if (!holdings[i].pid.known)
			continue;
		if (driver)
			driver->num_found++;
		r = take_user(&vfs->items[i], &holdings[i]);
	}
	return r < 0 ? r : judge(root, vfs, &drivers, complete, host);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/probe_vfio.h"

#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <sys/statfs.h>

#include "sys/vfio.h"
#include "sys/vfio_ask.h"
#include "sys/vfio_users.h"

#define MIGRATION_FACTS "vfio_migration vfio_migration_flags vfio_dirty_tracking"

/* The function that a link of /sys/class/vfio-dev belongs to: ".../0000:08:00.2/vfio-dev/vfio0". */
static const char *function_of(char *target)
{
	char *end = strstr(target, "/vfio-dev/"), *start;

	if (!end)
		return NULL;
	*end = '\0';
	start = strrchr(target, '/');
	return start ? start + 1 : target;
}

static struct vfio_vf *find_vf(const struct vfio_vfs *vfs, const char *bdf)
{
	for (size_t i = 0; i < vfs->length; i++) {
		if (streq(vfs->items[i].vf->bdf, bdf))
			return &vfs->items[i];
	}
	return NULL;
}

/* One link per device of the host instead of one directory per VF. */
static int read_class(int class_fd, const struct strv *names, const struct vfio_vfs *vfs)
{
	char target[PATH_MAX];

	for (size_t i = 0; i < names->length; i++) {
		ssize_t length = readlinkat(class_fd, names->items[i], target, sizeof(target) - 1);
		struct vfio_vf *item;

		if (length < 0)
			continue;
		target[length] = '\0';
		item = find_vf(vfs, function_of(target));
		if (item && str_replace(&item->vf->vfio_device, names->items[i]) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* A recorded tree may lack the class. */
static int read_devices_one_by_one(const struct pci_bus *bus, const struct vfio_vfs *vfs)
{
	for (size_t i = 0; i < vfs->length; i++) {
		struct mlx5lm_vf *vf = vfs->items[i].vf;
		_cleanup_(strv_release) struct strv names = { 0 };
		_cleanup_close_ int fd = pci_bus_open_function(bus, vf->bdf);

		if (fd >= 0 && sysfs_list(fd, "vfio-dev", &names) == -ENOMEM)
			return -ENOMEM;
		if (names.length)
			vf->vfio_device = TAKE(names.items[0]);
	}
	return 0;
}

static int find_devices(const struct pci_bus *bus, const struct vfio_vfs *vfs)
{
	_cleanup_(strv_release) struct strv names = { 0 };
	_cleanup_close_ int fd = sysfs_open_dir(bus->root, "sys/class/vfio-dev");
	int r;

	r = fd < 0 ? fd : sysfs_list(fd, ".", &names);
	if (r == -ENOMEM)
		return r;
	return r < 0 ? read_devices_one_by_one(bus, vfs) : read_class(fd, &names, vfs);
}

static int note_no_rights(const struct vfio_vfs *vfs, struct mlx5lm_host *host)
{
	const struct mlx5lm_pf *noted = NULL;

	/* A kernel without it has nothing to hide. */
	if (streq(host_find_config(host, "VFIO_DEBUGFS"), "n"))
		return 0;
	for (size_t i = 0; i < vfs->length; i++) {
		if (vfs->items[i].pf == noted)
			continue;
		noted = vfs->items[i].pf;
		if (host_add_note(host, noted->bdf, MIGRATION_FACTS,
				  "what VFIO offers for VFs is not known: debugfs is for root; run "
				  "as root") < 0)
			return -ENOMEM;
	}
	return 0;
}

static int read_debugfs(const struct root *root, const struct vfio_vfs *vfs,
			struct mlx5lm_host *host)
{
	_cleanup_close_ int fd = sysfs_open_dir(root, "sys/kernel/debug/vfio");
	struct statfs fs;
	bool is_debugfs;

	if (fd == -EACCES || fd == -EPERM)
		return note_no_rights(vfs, host);
	if (fd < 0)
		return 0;
	is_debugfs = fstatfs(fd, &fs) == 0 && fs.f_type == DEBUGFS_MAGIC;
	for (size_t i = 0; i < vfs->length; i++) {
		struct mlx5lm_vf *vf = vfs->items[i].vf;
		struct vfio_answer answer;

		if (vfio_read_debugfs(root, is_debugfs ? fd : -1, vf->bdf, &answer) == 0 &&
		    vfio_take_answer(vf, &answer, "debugfs") < 0)
			return -ENOMEM;
	}
	return 0;
}

int probe_vfio(const struct pci_bus *bus, bool open_vfs, uint64_t until_ms,
	       struct mlx5lm_host *host)
{
	_cleanup_(vfio_vfs_release) struct vfio_vfs vfs = { 0 };
	int r;

	r = vfio_vfs_list(host, &vfs);
	if (r < 0 || !vfs.length)
		return r;
	r = find_devices(bus, &vfs);
	if (r == 0)
		r = vfio_users_probe(bus->root, &vfs, host);
	if (r == 0)
		r = read_debugfs(bus->root, &vfs, host);
	if (r == 0 && open_vfs && bus->root->native)
		r = vfio_ask_all((struct root *)bus->root, &vfs, until_ms, host);
	return r;
}

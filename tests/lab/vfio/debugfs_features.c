// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/debug/vfio/<device>/migration/features, which vfio.ko has from Linux 6.18 on: a line for each of
 * stop-copy, p2p, pre-copy and dirty-tracking. It stands in for debugfs.c of Linux 6.12, which has only `state`.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include <linux/vfio.h>
#include "vfio.h"

static void make_state_file(struct vfio_device *vdev);
#define vfio_device_debugfs_init make_state_file
#include "debugfs.c"
#undef vfio_device_debugfs_init

static const struct {
	unsigned int flag;
	const char *word;
} flag_words[] = {
	{ VFIO_MIGRATION_STOP_COPY, "stop-copy" },
	{ VFIO_MIGRATION_P2P, "p2p" },
	{ VFIO_MIGRATION_PRE_COPY, "pre-copy" },
};

static int show_features(struct seq_file *file, void *unused)
{
	const struct vfio_device *vdev =
		container_of((struct device *)file->private, struct vfio_device, device);

	for (size_t i = 0; i < ARRAY_SIZE(flag_words); i++)
		if (vdev->migration_flags & flag_words[i].flag)
			seq_printf(file, "%s\n", flag_words[i].word);
	if (vdev->log_ops)
		seq_puts(file, "dirty-tracking\n");
	return 0;
}

void vfio_device_debugfs_init(struct vfio_device *vdev)
{
	struct dentry *dir;

	make_state_file(vdev);
	if (!vdev->mig_ops)
		return;
	dir = debugfs_lookup("migration", vdev->debug_root);
	if (IS_ERR_OR_NULL(dir))
		return;
	debugfs_create_devm_seqfile(&vdev->device, "features", dir, show_features);
	dput(dir);
}

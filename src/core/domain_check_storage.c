// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/domain_check_rules.h"

/* As libvirt counts: since then it drops a file's cache at the destination. */
#define QEMU_DROPS_CACHE 4000000

static void check_transient(struct domain_checker *checker, const struct domain_device *disk)
{
	struct mlx5lm_finding *finding;

	if (!disk->transient)
		return;
	finding = device_point(checker, "domain.transient", MLX5LM_STATUS_FAIL, SIDE_SOURCE, disk,
			       "libvirt does not migrate a transient disk");
	FOUND("%s is <transient/>", or_unknown(disk->name));
	REQUIRED("disks that keep what is written");
	REMEDY("virsh edit %s: remove <transient/>, and start the guest anew", checker->name);
}

/* Will libvirt copy it? */
static bool is_copied(const struct domain_checker *checker, const struct domain_device *disk)
{
	return checker->flags & (MIGRATE_NON_SHARED_DISK | MIGRATE_NON_SHARED_INC) &&
	       !disk->shareable && !disk->read_only;
}

static void check_place(struct domain_checker *checker, const struct domain_device *disk)
{
	bool nvme = streq(disk->type, "nvme");
	struct mlx5lm_finding *finding;

	finding = device_point(checker, "domain.disk", MLX5LM_STATUS_WARN, SIDE_EITHER, disk,
			       nvme ? "an NVMe drive of this host is not at the destination" :
				      "the XML does not tell whether the destination reaches this disk, "
				      "too; if not, the migration is refused, or the guest loses it");
	FOUND("%s: %s%s%s", or_unknown(disk->name), or_unknown(disk->type),
	      disk->source ? " " : "", disk->source ? disk->source : "");
	REQUIRED("storage that both hosts reach under the same name");
	if (nvme)
		REMEDY("move the disk to storage that both hosts reach: virsh blockcopy %s",
		       checker->name);
	else
		REMEDY("see that it is shared; or migrate with VIR_MIGRATE_NON_SHARED_DISK "
		       "(virsh migrate --copy-storage-all)");
}

static void check_cache(struct domain_checker *checker, const struct domain_device *disk)
{
	struct fact_u64 qemu = qemu_version(checker->source);
	struct mlx5lm_finding *finding;

	if (!disk->detail || streq(disk->detail, "none") || streq(disk->detail, "directsync") ||
	    disk->shareable || checker->flags & MIGRATE_UNSAFE ||
	    (qemu.known && qemu.value >= QEMU_DROPS_CACHE))
		return;
	finding = device_point(checker, "domain.cache", MLX5LM_STATUS_WARN, SIDE_SOURCE, disk,
			       "libvirt calls a migration unsafe if the source caches a disk and its "
			       "QEMU is older than 4.0");
	FOUND("%s: cache='%s'", or_unknown(disk->name), disk->detail);
	REQUIRED("cache='none' or 'directsync', or QEMU 4.0 or newer");
	REMEDY("virsh edit %s: cache='none', and start the guest anew", checker->name);
}

static void check_disk(struct domain_checker *checker, const struct domain_device *disk)
{
	bool network = streq(disk->type, "network");

	check_transient(checker, disk);
	/* An NVMe drive has an address instead. */
	if ((!disk->source && !streq(disk->type, "nvme")) || is_copied(checker, disk))
		return;
	if (!network && !(checker->flags & MIGRATE_UNSAFE))
		check_place(checker, disk);
	if (!network && !disk->read_only)
		check_cache(checker, disk);
}

static void check_media(struct domain_checker *checker, const struct domain_device *drive)
{
	_cleanup_free_ char *target = NULL;
	struct mlx5lm_finding *finding;

	if (!drive->source || streq(drive->type, "network"))
		return;
	target = device_word(checker, drive, "TARGET");
	finding = device_point(checker, "domain.media", MLX5LM_STATUS_WARN, SIDE_SOURCE, drive,
			       "the migration fails if the destination does not have this medium");
	FOUND("%s: %s", or_unknown(drive->name), drive->source);
	REQUIRED("an empty drive, or a file that both hosts have");
	REMEDY("virsh change-media %s %s --eject", checker->name, or_unknown(target));
}

static void check_kernel(struct domain_checker *checker)
{
	const char *kernel = checker->parsed->kernel;
	struct mlx5lm_finding *finding;

	if (!kernel)
		return;
	finding = domain_point(checker, "domain.kernel", MLX5LM_STATUS_WARN, SIDE_DESTINATION,
			       "QEMU does not start at the destination if this file, and those "
			       "that are booted with it, are not there");
	FOUND("<kernel> %s", kernel);
	REQUIRED("the same files at both ends");
	REMEDY("copy the files of <os> to the destination");
}

void domain_check_storage(struct domain_checker *checker)
{
	for (size_t i = 0; i < checker->parsed->num_devices; i++) {
		const struct domain_device *device = &checker->parsed->devices[i];

		if (device->kind == DEVICE_DISK)
			check_disk(checker, device);
		else if (device->kind == DEVICE_MEDIA)
			check_media(checker, device);
	}
	check_kernel(checker);
}

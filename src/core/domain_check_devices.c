// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/domain_check_rules.h"

#include <arpa/inet.h>

/* As libvirt and QEMU count. */
#define LIBVIRT_MOVES_VIRTIOFS 10000000
#define QEMU_MOVES_VIRTIOFS 8002000

static void check_viommu(struct domain_checker *checker, const struct domain_device *viommu)
{
	struct mlx5lm_finding *finding;

	finding = device_point(checker, "domain.viommu", MLX5LM_STATUS_FAIL, SIDE_SOURCE, viommu,
			       "QEMU does not migrate VFIO devices of a guest with an IOMMU of its "
			       "own");
	FOUND("<iommu model='%s'>", or_unknown(viommu->model));
	REQUIRED("no virtual IOMMU");
	REMEDY("virsh edit %s: remove <iommu>, and start the guest anew", checker->name);
}

/* How devices of the host other than PCI's fare. */
static const struct {
	const char *type, *model; /* model NULL: any */
	enum mlx5lm_status status;
	const char *message;
} hostdevs[] = {
	{ "usb", NULL, MLX5LM_STATUS_WARN,
	  "the guest loses this USB device: the destination offers one of the same address or none" },
	{ "scsi", NULL, MLX5LM_STATUS_WARN,
	  "a SCSI device is migrated without its state, and must be the same one at both ends" },
	{ "mdev", "vfio-ccw", MLX5LM_STATUS_FAIL, "QEMU does not migrate a vfio-ccw device" },
	{ "mdev", "vfio-ap", MLX5LM_STATUS_FAIL, "QEMU does not migrate a vfio-ap device" },
	{ "mdev", NULL, MLX5LM_STATUS_WARN,
	  "a mediated device is migrated only if its driver can do it, and the destination has one of "
	  "the same UUID" },
	{ "scsi_host", NULL, MLX5LM_STATUS_FAIL, "QEMU does not migrate a vhost-scsi adapter" },
	{ "capabilities", NULL, MLX5LM_STATUS_FAIL,
	  "libvirt migrates no domain with a device of this mode" },
};

static void check_hostdev(struct domain_checker *checker, const struct domain_device *hostdev)
{
	enum mlx5lm_status status = MLX5LM_STATUS_WARN;
	const char *message = "a device of the host of a kind that this library does not know";
	_cleanup_free_ char *alias = device_word(checker, hostdev, "ALIAS");
	struct mlx5lm_finding *finding;

	for (size_t i = 0; i < ARRAY_LENGTH(hostdevs); i++) {
		if (!streq(hostdev->type, hostdevs[i].type) ||
		    (hostdevs[i].model && !streq(hostdev->model, hostdevs[i].model)))
			continue;
		status = hostdevs[i].status;
		message = hostdevs[i].message;
		break;
	}
	finding = device_point(checker, "domain.hostdev", status, SIDE_SOURCE, hostdev, message);
	FOUND("<hostdev type='%s'>%s%s", or_unknown(hostdev->type), hostdev->name ? " " : "",
	      hostdev->name ? hostdev->name : "");
	REQUIRED("devices of the host that can be migrated");
	REMEDY("detach it before the migration: virsh detach-device-alias %s %s", checker->name,
	       or_unknown(alias));
}

static void check_vdpa(struct domain_checker *checker, const struct domain_device *vdpa)
{
	struct mlx5lm_finding *finding;

	finding = device_point(checker, "domain.vdpa", MLX5LM_STATUS_WARN, SIDE_SOURCE, vdpa,
			       "a vDPA device is migrated only if its driver can do it, and stands "
			       "at the same place at the destination");
	FOUND("%s %s", or_unknown(vdpa->type), or_unknown(vdpa->source));
	REQUIRED("devices that can be migrated");
	REMEDY("detach it before the migration (virsh detach-device %s FILE)", checker->name);
}

static void check_filesystem(struct domain_checker *checker,
			     const struct domain_device *filesystem)
{
	bool virtiofs = streq(filesystem->type, "virtiofs");
	struct fact_u64 libvirt = libvirt_version(checker->source);
	struct fact_u64 qemu = qemu_version(checker->source);
	bool old = virtiofs && (is_older(&libvirt, LIBVIRT_MOVES_VIRTIOFS) ||
				is_older(&qemu, QEMU_MOVES_VIRTIOFS));
	struct mlx5lm_finding *finding;

	finding = device_point(checker, "domain.filesystem",
			       old ? MLX5LM_STATUS_FAIL : MLX5LM_STATUS_WARN, SIDE_SOURCE,
			       filesystem,
			       old	? "libvirt or QEMU of the source does not migrate virtiofs" :
			       virtiofs ? "virtiofs is migrated only if virtiofsd can do it, and needs "
					  "the same folder at both ends" :
					  "QEMU does not migrate a guest that has mounted a folder of "
					  "the host");
	FOUND("<filesystem> %s, %s", or_unknown(filesystem->type), or_unknown(filesystem->name));
	REQUIRED("no folders of the host");
	REMEDY("unmount it in the guest, and detach it (virsh detach-device %s FILE)",
	       checker->name);
}

static void check_shmem(struct domain_checker *checker, const struct domain_device *shmem)
{
	struct mlx5lm_finding *finding;

	if (streq(shmem->type, "master"))
		return;
	finding = device_point(checker, "domain.shmem", MLX5LM_STATUS_FAIL, SIDE_SOURCE, shmem,
			       "libvirt migrates shared memory only with role='master'");
	FOUND("<shmem name='%s'>, role %s", or_unknown(shmem->name), or_unknown(shmem->type));
	REQUIRED("role='master'");
	REMEDY("detach it (virsh detach-device %s FILE), or give it role='master'", checker->name);
}

/* Of an emulator's state libvirt takes care itself. */
static void check_tpm(struct domain_checker *checker, const struct domain_device *tpm)
{
	bool passthrough = streq(tpm->type, "passthrough");
	struct mlx5lm_finding *finding;

	if (!passthrough && !streq(tpm->type, "external"))
		return;
	finding = device_point(checker, "domain.tpm", MLX5LM_STATUS_WARN, SIDE_SOURCE, tpm,
			       passthrough ? "the guest uses the TPM of the host: that of the "
					     "destination has other keys" :
					     "somebody else runs the TPM of the guest, and has to "
					     "move its state");
	FOUND("<backend type='%s'>", tpm->type);
	REQUIRED("<backend type='emulator'>");
	REMEDY("virsh edit %s: <backend type='emulator' version='2.0'/>, and start the guest anew",
	       checker->name);
}

static void check_crypto(struct domain_checker *checker, const struct domain_device *crypto)
{
	struct mlx5lm_finding *finding;

	finding = device_point(checker, "domain.crypto", MLX5LM_STATUS_FAIL, SIDE_SOURCE, crypto,
			       "QEMU does not migrate a virtio-crypto device");
	FOUND("<crypto model='%s'>", or_unknown(crypto->model));
	REQUIRED("devices that can be migrated");
	REMEDY("detach it (virsh detach-device %s FILE)", checker->name);
}

static void check_dimm(struct domain_checker *checker, const struct domain_device *memory)
{
	struct mlx5lm_finding *finding;

	if (!streq(memory->model, "dimm") || memory->is_bound)
		return;
	finding = device_point(checker, "domain.dimm", MLX5LM_STATUS_FAIL, SIDE_SOURCE, memory,
			       "libvirt does not migrate a DIMM whose slot it does not know");
	FOUND("<memory model='dimm'> without slot");
	REQUIRED("<address type='dimm' slot='...'/>");
	REMEDY("read the live XML of the running domain: virsh dumpxml --migratable %s",
	       checker->name);
}

static void check_video(struct domain_checker *checker, const struct domain_device *video)
{
	struct mlx5lm_finding *finding;

	if (!video->is_accelerated)
		return;
	finding = device_point(checker, "domain.video", MLX5LM_STATUS_FAIL, SIDE_SOURCE, video,
			       "QEMU does not migrate a guest that draws with the host's GPU");
	FOUND("<acceleration accel3d='yes'>, model %s", or_unknown(video->model));
	REQUIRED("video without accel3d");
	REMEDY("virsh edit %s: accel3d='no', and start the guest anew", checker->name);
}

/* Addresses that each host has; names are looked up at each end anew. */
static bool is_anywhere(const char *address)
{
	struct in6_addr v6;
	struct in_addr v4;

	if (inet_pton(AF_INET, address, &v4) == 1)
		return v4.s_addr == 0 || (ntohl(v4.s_addr) >> 24) == 127;
	if (inet_pton(AF_INET6, address, &v6) == 1)
		return IN6_IS_ADDR_UNSPECIFIED(&v6) || IN6_IS_ADDR_LOOPBACK(&v6);
	return true;
}

static void check_listen(struct domain_checker *checker, const struct domain_device *graphics)
{
	struct mlx5lm_finding *finding;

	if (!graphics->source || is_anywhere(graphics->source))
		return;
	finding = device_point(checker, "domain.listen", MLX5LM_STATUS_WARN, SIDE_SOURCE, graphics,
			       "the destination has another address: QEMU cannot listen on this one "
			       "there");
	FOUND("%s on %s", or_unknown(graphics->type), graphics->source);
	REQUIRED("an address that each host has, such as 0.0.0.0 or 127.0.0.1");
	REMEDY("change <listen> in the destination's XML, or for good: virsh edit %s",
	       checker->name);
}

void domain_check_devices(struct domain_checker *checker)
{
	static void (*const rules[])(struct domain_checker *checker,
				     const struct domain_device *device) = {
		[DEVICE_HOSTDEV] = check_hostdev, [DEVICE_VDPA] = check_vdpa,
		[DEVICE_VIOMMU] = check_viommu,	  [DEVICE_FILESYSTEM] = check_filesystem,
		[DEVICE_SHMEM] = check_shmem,	  [DEVICE_TPM] = check_tpm,
		[DEVICE_CRYPTO] = check_crypto,	  [DEVICE_MEMORY] = check_dimm,
		[DEVICE_VIDEO] = check_video,	  [DEVICE_GRAPHICS] = check_listen,
	};

	for (size_t i = 0; i < checker->parsed->num_devices; i++) {
		const struct domain_device *device = &checker->parsed->devices[i];

		/* Disks and pools of VFs have rules elsewhere. */
		if (device->kind < ARRAY_LENGTH(rules) && rules[device->kind])
			rules[device->kind](checker, device);
	}
}

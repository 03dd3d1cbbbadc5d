// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/domain_check_rules.h"

#include <errno.h>

#include "core/vf_ready.h"

/* As libvirt counts. The second is the first that RHEL has given the feature of the third. */
#define LIBVIRT_ASKS_QEMU_IN_RHEL 8005000
#define LIBVIRT_ASKS_QEMU 8006000
#define LIBVIRT_KNOWS_VARIANT_DRIVERS 9007000
#define LIBVIRT_CHOOSES_VARIANT_DRIVER 10000000
#define QEMU_SEVERAL_VFIO 8002000

static struct mlx5lm_finding *hostdev_point(struct domain_checker *checker, const char *id,
					    enum mlx5lm_status status, const char *side,
					    const struct hostdev *hostdev, const char *message)
{
	struct mlx5lm_finding *finding = domain_point(checker, id, status, side, message);

	finding_set(checker->findings, finding, MLX5LM_FINDING_OBJECT, "%s", hostdev->bdf);
	return finding;
}

static void check_is_vf(struct domain_checker *checker)
{
	const struct domain_xml *parsed = checker->parsed;
	_cleanup_free_ char *text = NULL;
	struct strbuf list = { 0 };
	struct mlx5lm_finding *finding;
	size_t missing = 0;

	for (size_t i = 0; i < parsed->num_hostdevs; i++) {
		const struct hostdev *hostdev = &parsed->hostdevs[i];
		const struct mlx5lm_pf *pf;

		strbuf_printf(&list, "%s%s", i ? ", " : "", hostdev->bdf);
		if (!checker->source || host_find_vf(checker->source, hostdev->bdf, &pf))
			continue;
		missing++;
		finding = hostdev_point(checker, "domain.vfs", MLX5LM_STATUS_FAIL, SIDE_SOURCE,
					hostdev, "a PCI device of the domain that is no mlx5 VF of "
						 "the source's snapshot");
		FOUND("%s", hostdev->bdf);
		REQUIRED("an mlx5 VF");
		REMEDY("detach it (virsh detach-device %s), or take a new snapshot", checker->name);
	}
	if (strbuf_take(&list, &text) < 0) {
		checker->findings->error = -ENOMEM;
		return;
	}
	if (missing)
		return;
	finding = domain_point(checker, "domain.vfs",
			       checker->source ? MLX5LM_STATUS_PASS : MLX5LM_STATUS_UNKNOWN, NULL,
			       checker->source ? "PCI devices of the domain are mlx5 VFs" :
						 "without a snapshot of the source it cannot be "
						 "told whether the domain's devices are mlx5 VFs");
	FOUND("%s", text);
	REQUIRED("mlx5 VFs");
	if (!checker->source)
		REMEDY("take a snapshot of the source");
}

static void check_has_vf(struct domain_checker *checker)
{
	struct mlx5lm_finding *finding;

	finding = domain_point(checker, "domain.vfs", MLX5LM_STATUS_FAIL, SIDE_SOURCE,
			       "the domain has no PCI device of the host: there is nothing for a "
			       "session to do, libvirt alone can migrate it");
	FOUND("none");
	REQUIRED("mlx5 VFs");
	REMEDY("look at the live XML of the running domain: virsh dumpxml --migratable %s",
	       checker->name);
}

/* libvirt calls interfaces net0 and up, but hostdev0 and up if a pool has given them a VF. */
static void check_pool(struct domain_checker *checker, const struct domain_device *interface)
{
	struct mlx5lm_finding *finding;
	bool has_vf = interface->detail && !strncmp(interface->detail, "hostdev", 7);

	if (interface->is_bound || (interface->detail && !strncmp(interface->detail, "net", 3)))
		return;
	finding = device_point(checker, "domain.pool",
			       has_vf ? MLX5LM_STATUS_WARN : MLX5LM_STATUS_INFO,
			       has_vf ? SIDE_SOURCE : NULL, interface,
			       has_vf ? "a VF from a pool of libvirt: libvirt chooses its "
					"counterpart, which is neither paired nor looked at here" :
					"if this network of libvirt is a pool of VFs, libvirt "
					"chooses the VF at each end");
	FOUND("network %s", or_unknown(interface->source));
	REQUIRED("VFs that the domain's XML names");
	if (has_vf)
		REMEDY("take <interface type='hostdev'> with the VF's address instead of the "
		       "network");
}

/* The source's libvirt may have left it alone, or be older than <driver model=''>. */
static bool is_bound_well(const struct domain_checker *checker, const struct hostdev *hostdev)
{
	const struct mlx5lm_pf *pf;
	const struct mlx5lm_vf *vf =
		checker->source ? host_find_vf(checker->source, hostdev->bdf, &pf) : NULL;

	return vf && streq(vf->driver, VARIANT_DRIVER);
}

static void check_model(struct domain_checker *checker, const struct hostdev *hostdev)
{
	const char *model = hostdev->driver_model;
	bool bound = is_bound_well(checker, hostdev);
	struct mlx5lm_finding *finding;

	/* Of a device that libvirt does not manage, it does not look at it. */
	if (!hostdev->managed || !model || streq(model, VARIANT_DRIVER) ||
	    streq(model, "mlx5-vfio-pci"))
		return;
	finding = hostdev_point(checker, "domain.driver",
				bound ? MLX5LM_STATUS_WARN : MLX5LM_STATUS_FAIL, SIDE_SOURCE,
				hostdev,
				bound ? "libvirt would bind the VF to a driver that cannot migrate it "
					"when the guest is started anew" :
					"libvirt binds the VF to a driver that cannot migrate it");
	FOUND("managed='yes', model='%s'", model);
	REQUIRED("model='" VARIANT_DRIVER "'");
	REMEDY("virsh edit %s: <driver name='vfio' model='" VARIANT_DRIVER "'/>%s", checker->name,
	       bound ? "" : ", and start the guest anew");
}

static void check_driver(struct domain_checker *checker, const struct hostdev *hostdev)
{
	struct mlx5lm_finding *finding;

	check_model(checker, hostdev);
	if (!hostdev->driver_name || streq(hostdev->driver_name, "vfio"))
		return;
	finding = hostdev_point(checker, "domain.driver", MLX5LM_STATUS_FAIL, SIDE_SOURCE, hostdev,
				"the device is not assigned by VFIO, which alone can migrate it");
	FOUND("driver %s", hostdev->driver_name);
	REQUIRED("driver vfio");
	REMEDY("virsh edit %s: <driver name='vfio'/>, and start the guest anew", checker->name);
}

static void check_unplugged(struct domain_checker *checker, const struct hostdev *hostdev)
{
	struct mlx5lm_finding *finding;

	if (!hostdev->is_unplugged)
		return;
	finding = hostdev_point(checker, "domain.teaming", MLX5LM_STATUS_INFO, NULL, hostdev,
				"QEMU unplugs this VF before it migrates, and the guest goes on with "
				"its virtio interface: the state of the VF stays behind");
	FOUND("<teaming type='transient'>");
}

/*
 * What the destination's libvirt does with a VF that is bound to the variant driver. Before it
 * chooses drivers, the XML that domain_xml_map() makes has managed='no'.
 */
static void check_managed(struct domain_checker *checker)
{
	const struct domain_xml *parsed = checker->parsed;
	struct fact_u64 libvirt = libvirt_version(checker->destination);
	bool managed = false, old = is_older(&libvirt, LIBVIRT_KNOWS_VARIANT_DRIVERS);
	struct mlx5lm_finding *finding;
	struct version version;

	for (size_t i = 0; i < parsed->num_hostdevs; i++)
		managed |= parsed->hostdevs[i].managed;
	if (!parsed->num_hostdevs || !is_older(&libvirt, LIBVIRT_CHOOSES_VARIANT_DRIVER) ||
	    (!old && !managed))
		return;
	version = version_from_libvirt(libvirt.value);
	finding = domain_point(checker, "domain.managed",
			       old ? MLX5LM_STATUS_FAIL : MLX5LM_STATUS_INFO,
			       old ? SIDE_DESTINATION : NULL,
			       old ? "the destination's libvirt does not take a VF that is bound to "
				     VARIANT_DRIVER :
				     "the destination's libvirt may bind a managed VF to vfio-pci: the "
				     "XML that this library makes for it has managed='no'");
	FOUND("libvirt " VERSION_FORMAT ", managed='%s'", VERSION_ARGS(version),
	      managed ? "yes" : "no");
	REQUIRED("libvirt 9.7.0 or newer; 10.0.0 for managed='yes'");
	if (old)
		REMEDY("install a newer libvirt at the destination");
}

static void check_libvirt(struct domain_checker *checker, const struct mlx5lm_host *host,
			  const char *side)
{
	struct fact_u64 libvirt = libvirt_version(host);
	struct mlx5lm_finding *finding;
	struct version version;

	if (!checker->parsed->num_hostdevs || !is_older(&libvirt, LIBVIRT_ASKS_QEMU))
		return;
	version = version_from_libvirt(libvirt.value);
	finding = domain_point(checker, "domain.libvirt",
			       is_older(&libvirt, LIBVIRT_ASKS_QEMU_IN_RHEL) ? MLX5LM_STATUS_FAIL :
									       MLX5LM_STATUS_WARN,
			       side, "this libvirt refuses to migrate a domain with a PCI device of "
				     "the host (but 8.5.0 of RHEL does not)");
	FOUND("libvirt " VERSION_FORMAT, VERSION_ARGS(version));
	REQUIRED("libvirt 8.6.0 or newer");
	REMEDY("install a newer libvirt, and restart its daemon");
}

/* What is known of a VF's P2P states. */
static enum mlx5lm_status p2p_status(const struct mlx5lm_vf *vf)
{
	if (vf->vfio_migration_flags.known)
		return vf->vfio_migration_flags.value & MLX5LM_VFIO_MIGRATION_P2P ?
			       MLX5LM_STATUS_PASS :
			       MLX5LM_STATUS_FAIL;
	/* It has had them since its first release. */
	return streq(vf->driver, VARIANT_DRIVER) ? MLX5LM_STATUS_INFO : MLX5LM_STATUS_UNKNOWN;
}

static enum mlx5lm_status source_p2p(const struct domain_checker *checker)
{
	enum mlx5lm_status worst = MLX5LM_STATUS_PASS;

	for (size_t i = 0; checker->source && i < checker->parsed->num_hostdevs; i++) {
		const struct mlx5lm_pf *pf;
		const struct mlx5lm_vf *vf = host_find_vf(checker->source,
							  checker->parsed->hostdevs[i].bdf, &pf);
		/* What is no VF fails as such. */
		enum mlx5lm_status status = vf ? p2p_status(vf) : MLX5LM_STATUS_PASS;

		if (status == MLX5LM_STATUS_FAIL)
			return status;
		if (status == MLX5LM_STATUS_UNKNOWN || worst == MLX5LM_STATUS_PASS)
			worst = status;
	}
	return checker->source ? worst : MLX5LM_STATUS_UNKNOWN;
}

/* One that has them will do: which VFs are taken is not known here. */
static enum mlx5lm_status destination_p2p(const struct domain_checker *checker)
{
	const struct mlx5lm_host *host = checker->destination;
	bool fails = false, unknown = false, likely = false;

	for (size_t i = 0; host && i < host->num_pfs; i++) {
		for (size_t j = 0; j < host->pfs[i].num_vfs; j++) {
			enum mlx5lm_status status = p2p_status(&host->pfs[i].vfs[j]);

			if (status == MLX5LM_STATUS_PASS)
				return status;
			fails |= status == MLX5LM_STATUS_FAIL;
			likely |= status == MLX5LM_STATUS_INFO;
			unknown |= status == MLX5LM_STATUS_UNKNOWN;
		}
	}
	if (likely)
		return MLX5LM_STATUS_INFO;
	return fails && !unknown ? MLX5LM_STATUS_FAIL : MLX5LM_STATUS_UNKNOWN;
}

static const char *p2p_text(enum mlx5lm_status status)
{
	switch (status) {
	case MLX5LM_STATUS_PASS:
		return "yes";
	case MLX5LM_STATUS_FAIL:
		return "no";
	case MLX5LM_STATUS_INFO:
		return "not seen, but " VARIANT_DRIVER " has it";
	default:
		return "unknown";
	}
}

static void check_p2p(struct domain_checker *checker, size_t num_vfs)
{
	enum mlx5lm_status source = source_p2p(checker), destination = destination_p2p(checker);
	enum mlx5lm_status worst = MLX5LM_STATUS_INFO;
	struct mlx5lm_finding *finding;

	if (source == MLX5LM_STATUS_PASS && destination == MLX5LM_STATUS_PASS)
		return;
	if (source == MLX5LM_STATUS_FAIL || destination == MLX5LM_STATUS_FAIL)
		worst = MLX5LM_STATUS_FAIL;
	else if (source == MLX5LM_STATUS_UNKNOWN || destination == MLX5LM_STATUS_UNKNOWN)
		worst = MLX5LM_STATUS_UNKNOWN;
	finding = domain_point(checker, "domain.several_vfs", worst,
			       worst != MLX5LM_STATUS_FAIL	 ? NULL :
			       source != MLX5LM_STATUS_FAIL	 ? SIDE_DESTINATION :
			       destination != MLX5LM_STATUS_FAIL ? SIDE_SOURCE :
								   SIDE_BOTH,
			       "QEMU migrates several VFs only if all have the P2P states of VFIO");
	FOUND("%zu VFs; P2P at the source: %s; at the destination: %s", num_vfs, p2p_text(source),
	      p2p_text(destination));
	REQUIRED("P2P at both ends, or one VF");
	REMEDY(worst == MLX5LM_STATUS_INFO ? NULL : "%s",
	       worst == MLX5LM_STATUS_FAIL ?
		       "bind the VFs to " VARIANT_DRIVER " of a newer kernel, or leave the guest "
		       "one VF" :
		       "take snapshots with open_vfs, or on a kernel with vfio debugfs (6.18)");
}

static void check_several(struct domain_checker *checker)
{
	const struct domain_xml *parsed = checker->parsed;
	struct fact_u64 source = qemu_version(checker->source);
	struct fact_u64 destination = qemu_version(checker->destination);
	bool old_source = is_older(&source, QEMU_SEVERAL_VFIO);
	bool old_destination = is_older(&destination, QEMU_SEVERAL_VFIO);
	struct mlx5lm_finding *finding;
	size_t num_vfs = 0;

	for (size_t i = 0; i < parsed->num_hostdevs; i++)
		num_vfs += !parsed->hostdevs[i].is_unplugged;
	if (num_vfs < 2)
		return;
	if (!old_source && !old_destination) {
		check_p2p(checker, num_vfs);
		return;
	}
	finding = domain_point(checker, "domain.several_vfs", MLX5LM_STATUS_FAIL,
			       !old_source	? SIDE_DESTINATION :
			       !old_destination ? SIDE_SOURCE :
						  SIDE_BOTH,
			       "QEMU migrates only one VFIO device before 8.2");
	FOUND("%zu VFs", num_vfs);
	REQUIRED("QEMU 8.2.0 or newer at both ends, or one VF");
	REMEDY("install a newer QEMU and start the guest anew, or leave the guest one VF");
}

void domain_check_vfs(struct domain_checker *checker)
{
	const struct domain_xml *parsed = checker->parsed;

	if (parsed->num_hostdevs)
		check_is_vf(checker);
	else
		check_has_vf(checker);
	for (size_t i = 0; i < parsed->num_devices; i++) {
		if (parsed->devices[i].kind == DEVICE_NETWORK)
			check_pool(checker, &parsed->devices[i]);
	}
	for (size_t i = 0; i < parsed->num_hostdevs; i++) {
		check_driver(checker, &parsed->hostdevs[i]);
		check_unplugged(checker, &parsed->hostdevs[i]);
	}
	check_libvirt(checker, checker->source, SIDE_SOURCE);
	check_libvirt(checker, checker->destination, SIDE_DESTINATION);
	check_managed(checker);
	check_several(checker);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/check.h"

#include <inttypes.h>

#include "core/vf_ready.h"

#define HOST "host"
#define PCI_CLASS_NETWORK_ETHERNET 0x0200

/* What a rule found out; NULL texts are left out. */
struct point {
	const char *id;
	const char *object;
	enum mlx5lm_status status;
	const char *message;
};

static struct mlx5lm_finding *add(struct mlx5lm_findings *findings, struct point point)
{
	struct mlx5lm_finding *finding =
		findings_add(findings, point.status, point.id, point.object);

	finding_set(findings, finding, MLX5LM_FINDING_MESSAGE, "%s", point.message);
	return finding;
}

#define FOUND(...) finding_set(findings, finding, MLX5LM_FINDING_FOUND, __VA_ARGS__)
#define REQUIRED(...) finding_set(findings, finding, MLX5LM_FINDING_REQUIRED, __VA_ARGS__)
#define REMEDY(...) finding_set(findings, finding, MLX5LM_FINDING_REMEDY, __VA_ARGS__)

#define VERSION_FORMAT "%u.%u.%u"
#define VERSION_ARGS(v) (v).part[0], (v).part[1], (v).part[2]

/* A version that only warns: distributions backport features without changing the number. */
static void check_version(struct mlx5lm_findings *findings, const char *id, const char *what,
			  const struct version *found, const char *found_text,
			  const struct version *required, const char *unknown_remedy)
{
	struct mlx5lm_finding *finding;
	enum mlx5lm_status status = MLX5LM_STATUS_UNKNOWN;

	if (found)
		status = version_compare(found, required) < 0 ? MLX5LM_STATUS_WARN :
								MLX5LM_STATUS_PASS;
	finding = add(findings, (struct point){ id, HOST, status, what });
	if (found_text)
		FOUND("%s", found_text);
	else if (found)
		FOUND(VERSION_FORMAT, VERSION_ARGS(*found));
	REQUIRED(VERSION_FORMAT " or newer", VERSION_ARGS(*required));
	if (status == MLX5LM_STATUS_WARN)
		REMEDY("update, unless your distribution has backported VF live migration");
	else if (status == MLX5LM_STATUS_UNKNOWN)
		REMEDY("%s", unknown_remedy);
}

static void check_kernel(struct mlx5lm_findings *findings, const struct mlx5lm_host *host,
			 const struct mlx5lm_profile *profile)
{
	struct version version;
	bool known = host->kernel_release && version_parse(host->kernel_release, &version) == 0;

	check_version(findings, "kernel.version", "version of the kernel", known ? &version : NULL,
		      host->kernel_release, &profile->kernel_min,
		      "make proc/sys/kernel/osrelease readable below the root");
}

static void check_module(struct mlx5lm_findings *findings, const struct mlx5lm_host *host,
			 const char *id, const char *name, const char *config)
{
	const struct mlx5lm_module *module = host_find_module(host, name);
	uint32_t state = module ? module->state : MLX5LM_MODULE_UNKNOWN;
	struct mlx5lm_finding *finding;
	enum mlx5lm_status status = MLX5LM_STATUS_PASS;

	if (state == MLX5LM_MODULE_UNKNOWN)
		status = MLX5LM_STATUS_UNKNOWN;
	else if (state == MLX5LM_MODULE_MISSING)
		status = MLX5LM_STATUS_FAIL;
	finding = add(findings, (struct point){ id, HOST, status, "kernel module" });
	FOUND("%s", name_of(&module_state_names, state));
	REQUIRED("%s loaded, loadable or built in", name);
	if (status == MLX5LM_STATUS_FAIL)
		REMEDY("install a kernel built with %s", config);
	else if (status == MLX5LM_STATUS_UNKNOWN)
		REMEDY("make lib/modules readable below the root, or: modprobe %s", name);
}

static void check_iommu(struct mlx5lm_findings *findings, const struct mlx5lm_host *host)
{
	struct mlx5lm_finding *finding;
	enum mlx5lm_status status = MLX5LM_STATUS_UNKNOWN;

	if (host->iommu_active == MLX5LM_ANSWER_YES)
		status = MLX5LM_STATUS_PASS;
	else if (host->iommu_active == MLX5LM_ANSWER_NO)
		status = MLX5LM_STATUS_FAIL;
	finding = add(findings, (struct point){ "iommu.active", HOST, status, "IOMMU" });
	FOUND("%s", name_of(&answer_names, host->iommu_active));
	REQUIRED("yes");
	if (status != MLX5LM_STATUS_PASS)
		REMEDY("enable VT-d or AMD-Vi in the firmware setup and boot with intel_iommu=on "
		       "(Intel)");
}

static void check_daemon(struct mlx5lm_findings *findings, const struct mlx5lm_host *host,
			 const struct mlx5lm_profile *profile)
{
	struct version libvirt = version_from_libvirt(host->libvirt_daemon_version.value);
	struct version qemu = version_from_libvirt(host->qemu_version.value);
	const char *remedy = "start libvirtd or virtqemud, and probe with a libvirt URI that "
			     "reaches it: virsh -c qemu:///system version";

	check_version(findings, "libvirt.version", "version of the libvirt daemon",
		      host->libvirt_daemon_version.known ? &libvirt : NULL, NULL,
		      &profile->libvirt_min, remedy);
	check_version(findings, "qemu.version", "version of QEMU",
		      host->qemu_version.known ? &qemu : NULL, NULL, &profile->qemu_min, remedy);
}

static void check_adapter(struct mlx5lm_findings *findings, const struct mlx5lm_pf *pf,
			  const struct mlx5lm_profile *profile)
{
	const char *model = adapter_model(pf->device_id.value);
	struct mlx5lm_finding *finding;
	enum mlx5lm_status status = MLX5LM_STATUS_FAIL;

	if (!pf->device_id.known)
		status = MLX5LM_STATUS_UNKNOWN;
	else if (profile_find_adapter(profile, pf->device_id.value))
		status = MLX5LM_STATUS_PASS;
	else if (model)
		status = MLX5LM_STATUS_WARN;
	finding = add(findings, (struct point){ "adapter.model", pf->bdf, status, "adapter" });
	FOUND("%s (15b3:%04" PRIx64 ")", model ? model : "other", pf->device_id.value);
	for (size_t i = 0; i < profile->num_adapters; i++) {
		const char *so_far = finding ? finding->text[MLX5LM_FINDING_REQUIRED] : NULL;
		_cleanup_free_ char *before = so_far ? strdup(so_far) : NULL;

		REQUIRED("%s%s%s", before ? before : "", before ? " or " : "",
			 profile->adapters[i].model);
	}
	if (status == MLX5LM_STATUS_WARN)
		REMEDY("its VFs are served by " VARIANT_DRIVER ", but %s does not list it: test "
		       "before you rely on it", profile->source);
	else if (status == MLX5LM_STATUS_FAIL)
		REMEDY("use a ConnectX-7 or BlueField-3");
}

static void check_link_type(struct mlx5lm_findings *findings, const struct mlx5lm_pf *pf)
{
	bool ethernet = pf->class_code.value >> 8 == PCI_CLASS_NETWORK_ETHERNET;
	struct mlx5lm_finding *finding;
	enum mlx5lm_status status = ethernet ? MLX5LM_STATUS_PASS : MLX5LM_STATUS_FAIL;

	if (!pf->class_code.known)
		status = MLX5LM_STATUS_UNKNOWN;
	finding = add(findings, (struct point){ "adapter.link_type", pf->bdf, status, "link type" });
	FOUND("%s", ethernet ? "Ethernet" : "not Ethernet");
	REQUIRED("Ethernet");
	if (status == MLX5LM_STATUS_FAIL)
		REMEDY("mlxconfig -d %s s LINK_TYPE_P1=2, then reboot", pf->bdf);
}

static void check_pf_driver(struct mlx5lm_findings *findings, const struct mlx5lm_pf *pf)
{
	bool bound = streq(pf->driver, "mlx5_core");
	struct mlx5lm_finding *finding =
		add(findings, (struct point){ "pf.driver", pf->bdf,
					      bound ? MLX5LM_STATUS_PASS : MLX5LM_STATUS_FAIL,
					      "driver of the PF" });

	FOUND("%s", pf->driver ? pf->driver : "none");
	REQUIRED("mlx5_core");
	if (!bound)
		REMEDY("modprobe mlx5_core; echo %s > /sys/bus/pci/drivers/mlx5_core/bind", pf->bdf);
}

static void check_firmware(struct mlx5lm_findings *findings, const struct mlx5lm_pf *pf,
			   const struct mlx5lm_profile *profile)
{
	const struct profile_adapter *adapter =
		profile_find_adapter(profile, pf->device_id.value);
	struct mlx5lm_finding *finding;
	enum mlx5lm_status status = MLX5LM_STATUS_UNKNOWN;
	struct version running;

	if (adapter && pf->fw_running && version_parse(pf->fw_running, &running) == 0)
		status = version_compare(&running, &adapter->firmware_min) < 0 ?
				 MLX5LM_STATUS_FAIL : MLX5LM_STATUS_PASS;
	else if (!adapter && pf->fw_running)
		status = MLX5LM_STATUS_INFO;
	finding = add(findings, (struct point){ "firmware.version", pf->bdf, status,
						"running firmware" });
	if (pf->fw_running)
		FOUND("%s", pf->fw_running);
	if (adapter)
		REQUIRED(VERSION_FORMAT " or newer", VERSION_ARGS(adapter->firmware_min));
	if (status == MLX5LM_STATUS_FAIL)
		REMEDY("update the firmware of %s, for example with mstflint, and reboot", pf->bdf);
	else if (status == MLX5LM_STATUS_UNKNOWN)
		REMEDY("bind mlx5_core to the PF; then: devlink dev info pci/%s", pf->bdf);

	if (!pf->fw_running || !pf->fw_stored)
		return;
	status = streq(pf->fw_running, pf->fw_stored) ? MLX5LM_STATUS_PASS : MLX5LM_STATUS_WARN;
	finding = add(findings, (struct point){ "firmware.pending", pf->bdf, status,
						"stored firmware" });
	FOUND("running %s, stored %s", pf->fw_running, pf->fw_stored);
	REQUIRED("the same");
	if (status == MLX5LM_STATUS_WARN)
		REMEDY("activate it before you compare hosts: devlink dev reload pci/%s action "
		       "fw_activate, or reboot", pf->bdf);
}

static void check_psid(struct mlx5lm_findings *findings, const struct mlx5lm_pf *pf)
{
	struct mlx5lm_finding *finding =
		add(findings, (struct point){ "firmware.psid", pf->bdf,
					      pf->psid ? MLX5LM_STATUS_PASS : MLX5LM_STATUS_UNKNOWN,
					      "PSID" });

	if (pf->psid)
		FOUND("%s", pf->psid);
	REQUIRED("known, and the same on both hosts");
	if (!pf->psid)
		REMEDY("bind mlx5_core to the PF; then: devlink dev info pci/%s", pf->bdf);
}

static void check_sriov(struct mlx5lm_findings *findings, const struct mlx5lm_pf *pf)
{
	struct mlx5lm_finding *finding;
	bool available = pf->sriov_total_vfs.known && pf->sriov_total_vfs.value > 0;

	finding = add(findings, (struct point){ "sriov.total_vfs", pf->bdf,
						available ? MLX5LM_STATUS_PASS : MLX5LM_STATUS_FAIL,
						"VFs the PF offers" });
	FOUND("%" PRIu64, pf->sriov_total_vfs.value);
	REQUIRED("1 or more");
	if (!available)
		REMEDY("mlxconfig -d %s s SRIOV_EN=1 NUM_OF_VFS=4 VF_MIGRATION_MODE=2, then reboot",
		       pf->bdf);
}

static void check_eswitch(struct mlx5lm_findings *findings, const struct mlx5lm_pf *pf)
{
	struct mlx5lm_finding *finding;
	enum mlx5lm_status status = MLX5LM_STATUS_PASS;

	if (pf->eswitch_mode == MLX5LM_ESWITCH_UNKNOWN)
		status = MLX5LM_STATUS_UNKNOWN;
	else if (pf->eswitch_mode == MLX5LM_ESWITCH_LEGACY)
		status = MLX5LM_STATUS_FAIL;
	finding = add(findings, (struct point){ "eswitch.mode", pf->bdf, status, "eswitch mode" });
	FOUND("%s", name_of(&eswitch_mode_names, pf->eswitch_mode));
	REQUIRED("switchdev");
	if (status == MLX5LM_STATUS_FAIL)
		REMEDY("devlink dev eswitch set pci/%s mode switchdev", pf->bdf);
	else if (status == MLX5LM_STATUS_UNKNOWN)
		REMEDY("probe with CAP_NET_ADMIN, which the kernel wants for reading it");
}

/* Each VF that is not ready is only a warning: a host may keep VFs for other work. */
static int check_vfs(struct mlx5lm_findings *findings, const struct mlx5lm_pf *pf)
{
	struct mlx5lm_finding *finding;
	size_t ready = 0, unknown = 0;
	enum mlx5lm_status status;

	for (size_t i = 0; i < pf->num_vfs; i++) {
		_cleanup_vf_unfit_ struct vf_unfit unfit = { 0 };
		int r = vf_check_role(pf, &pf->vfs[i], VF_SOURCE, &unfit);

		if (r < 0)
			return r;
		if (!unfit.reason) {
			ready++;
			continue;
		}
		unknown += unfit.unknown;
		finding = add(findings, (struct point){ "vf.unfit", pf->vfs[i].bdf,
							unfit.unknown ? MLX5LM_STATUS_UNKNOWN :
									MLX5LM_STATUS_WARN,
							unfit.reason });
		REMEDY("%s", unfit.remedy);
	}
	status = ready ? MLX5LM_STATUS_PASS : unknown ? MLX5LM_STATUS_UNKNOWN : MLX5LM_STATUS_FAIL;
	finding = add(findings, (struct point){ "vf.ready", pf->bdf, status,
						"VFs ready for live migration" });
	FOUND("%zu of %zu", ready, pf->num_vfs);
	REQUIRED("1 or more");
	if (status == MLX5LM_STATUS_FAIL && !pf->num_vfs)
		REMEDY("create VFs: mlx5lm-configure --pf %s --vfs 2", pf->bdf);
	else if (status == MLX5LM_STATUS_FAIL)
		REMEDY("see vf.unfit for each VF, or: mlx5lm-configure --pf %s --vfs %zu", pf->bdf,
		       pf->num_vfs);
	return 0;
}

static int check_pf(struct mlx5lm_findings *findings, const struct mlx5lm_pf *pf,
		    const struct mlx5lm_profile *profile)
{
	check_adapter(findings, pf, profile);
	check_link_type(findings, pf);
	check_pf_driver(findings, pf);
	check_psid(findings, pf);
	check_firmware(findings, pf, profile);
	check_sriov(findings, pf);
	check_eswitch(findings, pf);
	return check_vfs(findings, pf);
}

int check_host(const struct mlx5lm_host *host, const struct mlx5lm_profile *profile,
	       const char *scope, struct mlx5lm_findings *findings)
{
	(void)scope;
	struct mlx5lm_finding *finding;

	check_kernel(findings, host, profile);
	check_module(findings, host, "module.mlx5_core", "mlx5_core", "CONFIG_MLX5_CORE");
	check_module(findings, host, "module.mlx5_vfio_pci", VARIANT_DRIVER,
		     "CONFIG_MLX5_VFIO_PCI");
	check_module(findings, host, "module.vfio_pci", "vfio_pci", "CONFIG_VFIO_PCI");
	check_iommu(findings, host);
	check_daemon(findings, host, profile);

	finding = add(findings, (struct point){ "adapter.present", HOST,
						host->num_pfs ? MLX5LM_STATUS_PASS :
								MLX5LM_STATUS_FAIL,
						"mlx5 adapters" });
	FOUND("%zu", host->num_pfs);
	REQUIRED("1 or more");
	if (!host->num_pfs)
		REMEDY("look for the adapter with: lspci -d 15b3:");
	for (size_t i = 0; i < host->num_pfs; i++) {
		int r = check_pf(findings, &host->pfs[i], profile);

		if (r < 0)
			return r;
	}
	return findings->error;
}

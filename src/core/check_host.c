// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/check_rules.h"

#include <stdio.h>
#include <strings.h>

static bool nv_may_have_to_change(const struct mlx5lm_host *host)
{
	for (size_t i = 0; i < host->num_pfs; i++) {
		if (!pf_proves_nv(&host->pfs[i]))
			return true;
	}
	return false;
}

/* Lockdown stands in the way of tools that reach the adapter through PCI configuration space. */
static void check_lockdown(struct checker *checker)
{
	const struct mlx5lm_host *host = checker->host;
	bool locked = host->kernel_lockdown > MLX5LM_LOCKDOWN_NONE;
	struct mlx5lm_finding *finding;
	enum mlx5lm_status status = MLX5LM_STATUS_PASS;

	if (locked && nv_may_have_to_change(host))
		status = MLX5LM_STATUS_WARN;
	else if (host->kernel_lockdown != MLX5LM_LOCKDOWN_NONE)
		status = MLX5LM_STATUS_INFO;
	finding = point(checker, ABOUT_HOST, "kernel.lockdown", status,
			locked ? "the kernel is locked down: mstconfig and mstflint cannot write "
				 "to the adapter; devlink, SR-IOV and VFIO work" :
				 "lockdown of the kernel, which stops mstconfig and mstflint");
	FOUND("%s", name_of(&lockdown_names, host->kernel_lockdown));
	REQUIRED("none, for changes of the NV configuration and the firmware");
	if (status == MLX5LM_STATUS_WARN)
		REMEDY("change the NV configuration with Secure Boot off, or through fwctl "
		       "(Linux 6.15, mstflint 4.36)");
	EXPLAIN_HOST(kernel_lockdown);
}

static void check_iommu(struct checker *checker)
{
	const struct mlx5lm_host *host = checker->host;
	struct mlx5lm_finding *finding;
	enum mlx5lm_status status = MLX5LM_STATUS_UNKNOWN;

	if (host->iommu_active == MLX5LM_ANSWER_YES)
		status = MLX5LM_STATUS_PASS;
	else if (host->iommu_active == MLX5LM_ANSWER_NO)
		status = MLX5LM_STATUS_FAIL;
	finding = point(checker, ABOUT_HOST, "iommu.active", status, "IOMMU");
	FOUND("%s", name_of(&answer_names, host->iommu_active));
	REQUIRED("yes");
	if (status == MLX5LM_STATUS_UNKNOWN)
		REMEDY("make sys/class/iommu and sys/kernel/iommu_groups readable below the root");
	else if (status == MLX5LM_STATUS_FAIL)
		REMEDY("enable VT-d or AMD-Vi in the firmware setup and boot with intel_iommu=on "
		       "(Intel)");
	EXPLAIN_HOST(iommu_active);
	EXPLAIN_HOST(kernel_cmdline);
}

static void check_unsafe(struct checker *checker)
{
	struct mlx5lm_finding *finding;

	if (checker->host->vfio_noiommu == MLX5LM_ANSWER_YES) {
		finding = point(checker, ABOUT_HOST, "vfio.noiommu", MLX5LM_STATUS_WARN,
				"VFIO may work without IOMMU: no device of this kind can be "
				"given to a guest or migrated");
		FOUND("yes");
		REQUIRED("no");
		REMEDY("echo N > /sys/module/vfio/parameters/enable_unsafe_noiommu_mode");
		EXPLAIN_HOST(vfio_noiommu);
	}
	if (checker->host->vfio_unsafe_interrupts == MLX5LM_ANSWER_YES) {
		finding = point(checker, ABOUT_HOST, "vfio.unsafe_interrupts", MLX5LM_STATUS_WARN,
				"VFIO works without interrupt remapping: a guest can raise any "
				"interrupt of the host");
		FOUND("yes");
		REQUIRED("no");
		REMEDY("enable interrupt remapping in the firmware setup, then: echo N > "
		       "/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts");
		EXPLAIN_HOST(vfio_unsafe_interrupts);
	}
}

/* Does an id of vfio-pci's list ("15b3:101e:...") name a VF or a PF of ours? */
static bool is_stolen(const struct mlx5lm_host *host, const char *id)
{
	char own[16];

	if (strncasecmp(id, "15b3:101e", 9) == 0)
		return true;
	for (size_t i = 0; i < host->num_pfs; i++) {
		snprintf(own, sizeof(own), "15b3:%04" PRIx64,
			 host->pfs[i].device_id.value & 0xffff);
		if (host->pfs[i].device_id.known && strncasecmp(id, own, 9) == 0)
			return true;
	}
	return false;
}

static void check_stolen_ids(struct checker *checker)
{
	const char *ids = checker->host->vfio_pci_ids;
	struct mlx5lm_finding *finding;

	for (const char *id = ids; id; id = strchr(id, ',')) {
		id += *id == ',';
		if (!is_stolen(checker->host, id))
			continue;
		finding = point(checker, ABOUT_HOST, "vfio.ids", MLX5LM_STATUS_WARN,
				"vfio-pci takes functions of the adapter for itself; it cannot "
				"migrate them");
		FOUND("%s", ids);
		REQUIRED("no id of an mlx5 function");
		REMEDY("take %.9s out of vfio-pci.ids= on the kernel's command line and of "
		       "\"options vfio-pci ids=\" in /etc/modprobe.d, then reboot; until then: "
		       "echo 15b3 %.4s > /sys/bus/pci/drivers/vfio-pci/remove_id", id, id + 5);
		EXPLAIN_HOST(vfio_pci_ids);
		return;
	}
}

void check_platform(struct checker *checker)
{
	check_lockdown(checker);
	check_iommu(checker);
	check_unsafe(checker);
	check_stolen_ids(checker);
}

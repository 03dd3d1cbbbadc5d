// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/check_rules.h"

#include <errno.h>

#define ON_THE_MACHINE "probe on the machine itself"

static void check_adapter(struct checker *checker, const struct mlx5lm_pf *pf)
{
	const struct mlx5lm_profile *profile = checker->profile;
	const char *model = adapter_model(pf->device_id.value);
	struct strbuf wanted = { 0 };
	_cleanup_free_ char *text = NULL;
	struct mlx5lm_finding *finding;
	enum mlx5lm_status status = MLX5LM_STATUS_FAIL;

	if (!pf->device_id.known)
		status = MLX5LM_STATUS_UNKNOWN;
	else if (profile_find_adapter(profile, pf->device_id.value))
		status = MLX5LM_STATUS_PASS;
	else if (model)
		status = MLX5LM_STATUS_WARN;
	finding = point(checker, ABOUT_PF(pf), "adapter.model", status, "adapter");
	if (pf->device_id.known)
		FOUND("%s (15b3:%04" PRIx64 ")", model ? model : "other", pf->device_id.value);
	else
		FOUND("unknown");
	for (size_t i = 0; i < profile->num_adapters; i++)
		strbuf_printf(&wanted, "%s%s", i ? " or " : "", profile->adapters[i].model);
	if (strbuf_take(&wanted, &text) < 0)
		checker->findings->error = -ENOMEM;
	else
		REQUIRED("%s", text);
	if (status == MLX5LM_STATUS_WARN)
		REMEDY("its VFs are served by " VARIANT_DRIVER ", but %s does not list it: test "
		       "before you rely on it",
		       profile->source ? profile->source : profile->name);
	else if (status == MLX5LM_STATUS_FAIL)
		REMEDY("use a %s", text ? text : "listed adapter");
	else if (status == MLX5LM_STATUS_UNKNOWN)
		REMEDY("look with: lspci -n -s %s", pf->bdf);
	EXPLAIN_PF(pf, device_id);
}

static void check_link_type(struct checker *checker, const struct mlx5lm_pf *pf)
{
	const char *port = pf->bdf && pf->bdf[strlen(pf->bdf) - 1] == '1' ? "P2" : "P1";
	const struct mlx5lm_nv *nv = pf_find_nv(pf, port[1] == '2' ? "LINK_TYPE_P2" :
								    "LINK_TYPE_P1");
	bool ethernet = pf->class_code.value >> 8 == 0x0200;
	struct mlx5lm_finding *finding;
	enum mlx5lm_status status = ethernet ? MLX5LM_STATUS_PASS : MLX5LM_STATUS_FAIL;

	if (!pf->class_code.known)
		status = MLX5LM_STATUS_UNKNOWN;
	finding = point(checker, ABOUT_PF(pf), "adapter.link_type", status, "link type");
	FOUND("%s", !pf->class_code.known ? "unknown" : ethernet ? "Ethernet" : "not Ethernet");
	REQUIRED("Ethernet");
	if (status == MLX5LM_STATUS_FAIL && nv && nv->next_boot.known && nv->next_boot.value == 2)
		REMEDY("reboot: LINK_TYPE_%s=2 is stored and waits for it", port);
	else if (status == MLX5LM_STATUS_FAIL)
		REMEDY("%s -d %s set LINK_TYPE_%s=2, then reboot", nv_tool(pf), pf->bdf, port);
	else if (status == MLX5LM_STATUS_UNKNOWN)
		REMEDY("look with: lspci -n -s %s", pf->bdf);
	EXPLAIN_PF(pf, class_code);
}

static void check_driver(struct checker *checker, const struct mlx5lm_pf *pf)
{
	bool bound = streq(pf->driver, "mlx5_core");
	struct mlx5lm_finding *finding;

	if (!bound && module_is_missing(checker->host, "mlx5_core")) {
		point_follows(checker, ABOUT_PF(pf), "pf.driver", "driver of the PF",
			      "module.mlx5_core");
		return;
	}
	finding = point(checker, ABOUT_PF(pf), "pf.driver",
			bound ? MLX5LM_STATUS_PASS : MLX5LM_STATUS_FAIL, "driver of the PF");
	FOUND("%s", pf->driver ? pf->driver : "none");
	REQUIRED("mlx5_core");
	if (!bound && pf->driver)
		REMEDY("modprobe mlx5_core; echo %s > /sys/bus/pci/devices/%s/driver/unbind; "
		       "echo > /sys/bus/pci/devices/%s/driver_override; "
		       "echo %s > /sys/bus/pci/drivers/mlx5_core/bind", pf->bdf, pf->bdf, pf->bdf,
		       pf->bdf);
	else if (!bound)
		REMEDY("modprobe mlx5_core; echo %s > /sys/bus/pci/drivers/mlx5_core/bind",
		       pf->bdf);
	EXPLAIN_PF(pf, driver);
}

static void check_psid(struct checker *checker, const struct mlx5lm_pf *pf)
{
	struct mlx5lm_finding *finding = point(checker, ABOUT_PF(pf), "firmware.psid",
					       pf->psid ? MLX5LM_STATUS_PASS :
							  MLX5LM_STATUS_UNKNOWN,
					       "PSID");

	FOUND("%s", pf->psid ? pf->psid : "unknown");
	REQUIRED("known, and the same on both hosts");
	if (!pf->psid && is_recorded(checker->host))
		REMEDY(ON_THE_MACHINE);
	else if (!pf->psid)
		REMEDY("devlink dev info pci/%s", pf->bdf);
	EXPLAIN_PF(pf, psid);
}

/* The first number of a version is the adapter's: 28 is ConnectX-7, 32 BlueField-3. */
static enum mlx5lm_status compare_firmware(const struct mlx5lm_pf *pf,
					   const struct profile_adapter *adapter)
{
	struct version running;

	if (!pf->fw_running || version_parse(pf->fw_running, &running) < 0)
		return MLX5LM_STATUS_UNKNOWN;
	if (!adapter)
		return MLX5LM_STATUS_INFO;
	if (running.part[0] != adapter->firmware_min.part[0])
		return MLX5LM_STATUS_WARN;
	return version_compare(&running, &adapter->firmware_min) < 0 ? MLX5LM_STATUS_FAIL :
								       MLX5LM_STATUS_PASS;
}

static void check_firmware(struct checker *checker, const struct mlx5lm_pf *pf)
{
	const struct profile_adapter *adapter =
		profile_find_adapter(checker->profile, pf->device_id.value);
	enum mlx5lm_status status = compare_firmware(pf, adapter);
	struct mlx5lm_finding *finding = point(checker, ABOUT_PF(pf), "firmware.version", status,
					       "running firmware");

	FOUND("%s", pf->fw_running ? pf->fw_running : "unknown");
	if (adapter)
		REQUIRED("%u.%u.%04u or newer", VERSION_ARGS(adapter->firmware_min));
	else
		REQUIRED("any: %s has no minimum for this adapter", checker->profile->name);
	if (status == MLX5LM_STATUS_FAIL)
		REMEDY("update the firmware of %s, for example with mstflint, and reboot", pf->bdf);
	else if (status == MLX5LM_STATUS_WARN)
		REMEDY("the profile's minimum is of another branch of the firmware: correct it");
	else if (status == MLX5LM_STATUS_UNKNOWN && is_recorded(checker->host))
		REMEDY(ON_THE_MACHINE);
	else if (status == MLX5LM_STATUS_UNKNOWN)
		REMEDY("devlink dev info pci/%s", pf->bdf);
	EXPLAIN_PF(pf, fw_running);
	EXPLAIN_PF(pf, device_id);
}

static void check_pending(struct checker *checker, const struct mlx5lm_pf *pf)
{
	struct mlx5lm_finding *finding;
	enum mlx5lm_status status;

	if (!pf->fw_running || !pf->fw_stored)
		return;
	status = streq(pf->fw_running, pf->fw_stored) ? MLX5LM_STATUS_PASS : MLX5LM_STATUS_WARN;
	finding = point(checker, ABOUT_PF(pf), "firmware.pending", status, "stored firmware");
	FOUND("running %s, stored %s", pf->fw_running, pf->fw_stored);
	REQUIRED("the same");
	if (status == MLX5LM_STATUS_WARN)
		REMEDY("activate it before you compare hosts: devlink dev reload pci/%s action "
		       "fw_activate, or reboot", pf->bdf);
	EXPLAIN_PF(pf, fw_running);
	EXPLAIN_PF(pf, fw_stored);
}

static void check_sriov(struct checker *checker, const struct mlx5lm_pf *pf)
{
	bool available = pf->sriov_total_vfs.known && pf->sriov_total_vfs.value > 0;
	const char *cause = nv_fails(pf, "SRIOV_EN")   ? "nv.sriov_en" :
			    nv_fails(pf, "NUM_OF_VFS") ? "nv.num_of_vfs" : NULL;
	struct mlx5lm_finding *finding;

	if (!available && cause) {
		finding = point_follows(checker, ABOUT_PF(pf), "sriov.total_vfs",
					"VFs the PF offers", cause);
		EXPLAIN_PF(pf, sriov_total_vfs);
		return;
	}
	finding = point(checker, ABOUT_PF(pf), "sriov.total_vfs",
			available ? MLX5LM_STATUS_PASS : MLX5LM_STATUS_FAIL, "VFs the PF offers");
	if (pf->sriov_total_vfs.known)
		FOUND("%" PRIu64, pf->sriov_total_vfs.value);
	else
		FOUND("no SR-IOV capability");
	REQUIRED("1 or more");
	if (!available && pf->nv_pending == MLX5LM_ANSWER_YES)
		REMEDY("reboot: the new NV configuration is stored and waits for it");
	else if (!available)
		REMEDY("%s -d %s set SRIOV_EN=1 NUM_OF_VFS=4 VF_MIGRATION_MODE=2, then reboot; if "
		       "it is set so already, enable SR-IOV in the firmware setup", nv_tool(pf),
		       pf->bdf);
	EXPLAIN_PF(pf, sriov_total_vfs);
}

/* False if nothing can be configured from this side. */
static bool check_manager(struct checker *checker, const struct mlx5lm_pf *pf)
{
	bool other = pf->eswitch_manager == MLX5LM_ANSWER_NO;
	struct mlx5lm_finding *finding;

	if (pf->eswitch_manager == MLX5LM_ANSWER_UNKNOWN)
		return true;
	finding = point(checker, ABOUT_PF(pf), "eswitch.manager",
			other ? MLX5LM_STATUS_FAIL : MLX5LM_STATUS_PASS,
			"who manages the eswitch");
	FOUND("%s", other ? "the Arm side of the DPU" : "this host");
	REQUIRED("this host");
	if (other)
		REMEDY("configure the ports on the Arm side: devlink port function set there, on "
		       "the ports with \"external true\"; or put the DPU into NIC mode");
	EXPLAIN_PF(pf, eswitch_manager);
	return !other;
}

static void check_eswitch(struct checker *checker, const struct mlx5lm_pf *pf)
{
	bool shown = pf->eswitch_mode == MLX5LM_ESWITCH_UNKNOWN && pf_offers_migratable(pf);
	struct mlx5lm_finding *finding;
	enum mlx5lm_status status = MLX5LM_STATUS_PASS;

	if (pf->eswitch_mode == MLX5LM_ESWITCH_UNKNOWN && !shown)
		status = MLX5LM_STATUS_UNKNOWN;
	else if (pf->eswitch_mode == MLX5LM_ESWITCH_LEGACY)
		status = MLX5LM_STATUS_FAIL;
	finding = point(checker, ABOUT_PF(pf), "eswitch.mode", status, "eswitch mode");
	FOUND("%s", shown ? "switchdev, as VFs have port functions" :
			    name_of(&eswitch_mode_names, pf->eswitch_mode));
	REQUIRED("switchdev");
	if (status == MLX5LM_STATUS_FAIL)
		REMEDY("devlink dev eswitch set pci/%s mode switchdev", pf->bdf);
	else if (status == MLX5LM_STATUS_UNKNOWN && is_recorded(checker->host))
		REMEDY(ON_THE_MACHINE);
	else if (status == MLX5LM_STATUS_UNKNOWN)
		REMEDY("probe with CAP_NET_ADMIN, which the kernel wants for reading it");
	EXPLAIN_PF(pf, eswitch_mode);
	if (shown)
		EXPLAIN_VF(pf, &pf->vfs[0], migratable);
}

void check_pf(struct checker *checker, const struct mlx5lm_pf *pf)
{
	/* What only mlx5_core tells follows from its being there. */
	bool bound = streq(pf->driver, "mlx5_core");

	check_adapter(checker, pf);
	check_link_type(checker, pf);
	check_driver(checker, pf);
	if (bound || pf->psid)
		check_psid(checker, pf);
	if (bound || pf->fw_running)
		check_firmware(checker, pf);
	check_pending(checker, pf);
	check_nv(checker, pf);
	check_sriov(checker, pf);
	if (bound && check_manager(checker, pf))
		check_eswitch(checker, pf);
}

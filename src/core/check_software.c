// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/check_rules.h"

#include <errno.h>

static bool is_asked(const struct version *minimum)
{
	return minimum->part[0] || minimum->part[1] || minimum->part[2];
}

/* A version against a minimum; found is NULL if it is not known. */
static struct mlx5lm_finding *version_point(struct checker *checker, const char *id,
					    const char *message, const struct version *found,
					    const struct version *minimum,
					    enum mlx5lm_status if_older)
{
	enum mlx5lm_status status = MLX5LM_STATUS_PASS;
	struct mlx5lm_finding *finding;

	if (is_asked(minimum) && !found)
		status = MLX5LM_STATUS_UNKNOWN;
	else if (is_asked(minimum) && version_compare(found, minimum) < 0)
		status = if_older;
	finding = point(checker, ABOUT_HOST, id, status, message);
	if (found)
		FOUND(VERSION_FORMAT, VERSION_ARGS(*found));
	else
		FOUND("unknown");
	if (is_asked(minimum))
		REQUIRED(VERSION_FORMAT " or newer", VERSION_ARGS(*minimum));
	else
		REQUIRED("any: %s names none", checker->profile->name);
	return finding;
}

/* What shows that this kernel can do it, whatever its version says; false if nothing does. */
static bool find_proof(const struct mlx5lm_host *host, const struct mlx5lm_pf **ret_pf,
		       const struct mlx5lm_vf **ret_vf)
{
	for (size_t i = 0; i < host->num_pfs; i++) {
		for (size_t j = 0; j < host->pfs[i].num_vfs; j++) {
			const struct mlx5lm_vf *vf = &host->pfs[i].vfs[j];

			if (vf->migratable != MLX5LM_PORT_ATTR_STATE_ENABLED &&
			    vf->migratable != MLX5LM_PORT_ATTR_STATE_DISABLED &&
			    !(vf->vfio_migration_flags.value & MLX5LM_VFIO_MIGRATION_PRE_COPY))
				continue;
			*ret_pf = &host->pfs[i];
			*ret_vf = vf;
			return true;
		}
	}
	return false;
}

void check_kernel(struct checker *checker)
{
	const struct mlx5lm_host *host = checker->host;
	const struct mlx5lm_pf *pf = NULL;
	const struct mlx5lm_vf *vf = NULL;
	struct mlx5lm_finding *finding;
	struct version version;
	bool known = host->kernel_release && version_parse(host->kernel_release, &version) == 0;
	bool proven = find_proof(host, &pf, &vf);
	bool old = known && version_compare(&version, &checker->profile->kernel_min) < 0;

	finding = version_point(checker, "kernel.version",
				old && proven ? "version of the kernel; it looks old, but the "
						"kernel itself shows the feature" :
						"version of the kernel",
				known ? &version : NULL, &checker->profile->kernel_min,
				proven ? MLX5LM_STATUS_WARN : MLX5LM_STATUS_FAIL);
	if (host->kernel_release)
		FOUND("%s", host->kernel_release);
	if (old && proven)
		REMEDY("none needed if your distribution supports VF live migration with it");
	else if (old)
		REMEDY("boot a newer kernel; if your distribution has backported the feature to "
		       "this one, create a VF in switchdev mode and probe again: its port "
		       "function shows it");
	else if (!known)
		REMEDY("make proc/sys/kernel/osrelease readable below the root");
	EXPLAIN_HOST(kernel_release);
	if (!old || !proven)
		return;
	EXPLAIN_VF(pf, vf, migratable);
	if (vf->vfio_migration_flags.known)
		EXPLAIN_VF(pf, vf, vfio_migration_flags);
}

static void check_libvirt_migration(struct checker *checker)
{
	const struct mlx5lm_host *host = checker->host;
	struct mlx5lm_finding *finding;
	enum mlx5lm_status status = MLX5LM_STATUS_UNKNOWN;

	if (host->libvirt_live_migration == MLX5LM_ANSWER_YES)
		status = MLX5LM_STATUS_PASS;
	else if (host->libvirt_live_migration == MLX5LM_ANSWER_NO)
		status = MLX5LM_STATUS_FAIL;
	finding = point(checker, ABOUT_HOST, "libvirt.migration", status,
			"live migration, by libvirt's capabilities");
	FOUND("%s%s%s", name_of(&answer_names, host->libvirt_live_migration),
	      host->libvirt_migration_transports ? ", by " : "",
	      host->libvirt_migration_transports ? host->libvirt_migration_transports : "");
	REQUIRED("yes");
	if (status != MLX5LM_STATUS_PASS)
		REMEDY("look with: virsh -c %s capabilities; the daemon's driver must be QEMU",
		       host->libvirt_uri ? host->libvirt_uri : "qemu:///system");
	EXPLAIN_HOST(libvirt_live_migration);
	EXPLAIN_HOST(libvirt_migration_transports);
}

/* Without a connection nothing is known; that is one point, not four. */
static void check_libvirt(struct checker *checker)
{
	const struct mlx5lm_host *host = checker->host;
	bool connected = host->libvirt_daemon_version.known || host->qemu_version.known;
	struct version libvirt = version_from_libvirt(host->libvirt_daemon_version.value);
	struct version qemu = version_from_libvirt(host->qemu_version.value);
	struct mlx5lm_finding *finding;

	finding = point(checker, ABOUT_HOST, "libvirt.connection",
			connected ? MLX5LM_STATUS_PASS : MLX5LM_STATUS_UNKNOWN,
			"connection to the libvirt daemon");
	if (host->libvirt_uri)
		FOUND("%s%s", connected ? "" : "none to ", host->libvirt_uri);
	else
		FOUND(connected ? "yes" : "none: no daemon was asked");
	REQUIRED("yes");
	if (!connected)
		REMEDY("start libvirtd or virtqemud, and probe with a libvirt URI that reaches "
		       "it: virsh -c %s version",
		       host->libvirt_uri ? host->libvirt_uri : "qemu:///system");
	EXPLAIN_HOST(libvirt_client_version);
	EXPLAIN_HOST(libvirt_daemon_version);
	if (!connected) {
		point_follows(checker, ABOUT_HOST, "libvirt.version",
			      "version of the libvirt daemon", "libvirt.connection");
		point_follows(checker, ABOUT_HOST, "libvirt.migration",
			      "live migration, by libvirt's capabilities", "libvirt.connection");
		point_follows(checker, ABOUT_HOST, "qemu.version", "version of QEMU",
			      "libvirt.connection");
		return;
	}
	finding = version_point(checker, "libvirt.version", "version of the libvirt daemon",
				host->libvirt_daemon_version.known ? &libvirt : NULL,
				&checker->profile->libvirt_min, MLX5LM_STATUS_FAIL);
	if (finding && finding->status != MLX5LM_STATUS_PASS)
		REMEDY("install a newer libvirt, and restart its daemon");
	EXPLAIN_HOST(libvirt_daemon_version);
	EXPLAIN_HOST(libvirt_client_version);
	check_libvirt_migration(checker);
	finding = version_point(checker, "qemu.version", "version of QEMU",
				host->qemu_version.known ? &qemu : NULL,
				&checker->profile->qemu_min, MLX5LM_STATUS_FAIL);
	if (finding && finding->status != MLX5LM_STATUS_PASS)
		REMEDY("install a newer QEMU, and start the guests anew");
	EXPLAIN_HOST(qemu_version);
}

/* What the profile says of things that no look at the host can show. */
static void check_remarks(struct checker *checker)
{
	const struct mlx5lm_profile *profile = checker->profile;
	struct mlx5lm_finding *finding;

	if (is_asked(&profile->iproute2_min)) {
		finding = point(checker, ABOUT_HOST, "iproute2.version", MLX5LM_STATUS_INFO,
				"version of iproute2, for the devlink commands named here; "
				"this library needs none");
		FOUND("not looked at");
		REQUIRED(VERSION_FORMAT " or newer", VERSION_ARGS(profile->iproute2_min));
	}
	if (!profile->max_migrating_vfs_per_pf && profile->guest_viommu)
		return;
	finding = point(checker, ABOUT_HOST, "profile.limits", MLX5LM_STATUS_INFO,
			"what the vendor supports");
	REQUIRED("%s", profile->guest_viommu ? "few VFs at a time" : "guests without vIOMMU");
	if (profile->max_migrating_vfs_per_pf)
		REQUIRED("at most %" PRIu32 " VFs of a PF in migration at a time%s",
			 profile->max_migrating_vfs_per_pf,
			 profile->guest_viommu ? "" : "; guests without vIOMMU");
}

void check_software(struct checker *checker)
{
	check_libvirt(checker);
	check_remarks(checker);
}

/* Is an equal text among those of the privileges before this one? */
static bool is_repeated(const struct mlx5lm_host *host, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (host->privileges[i].granted == MLX5LM_ANSWER_NO &&
		    streq(host->privileges[i].needs, host->privileges[index].needs))
			return true;
	}
	return false;
}

/* What a look from here cannot do is nothing against the host: never more than INFO. */
void check_privileges(struct checker *checker)
{
	const struct mlx5lm_host *host = checker->host;
	struct strbuf steps = { 0 }, needs = { 0 };
	_cleanup_free_ char *steps_text = NULL;
	_cleanup_free_ char *needs_text = NULL;
	struct mlx5lm_finding *finding;
	size_t known = 0;

	for (size_t i = 0; i < host->num_privileges; i++) {
		const struct mlx5lm_privilege *privilege = &host->privileges[i];

		known += privilege->granted != MLX5LM_ANSWER_UNKNOWN;
		if (privilege->granted != MLX5LM_ANSWER_NO)
			continue;
		strbuf_printf(&steps, "%s%s", steps.length ? ", " : "", privilege->name);
		if (privilege->needs && !is_repeated(host, i))
			strbuf_printf(&needs, "%s%s", needs.length ? "; " : "", privilege->needs);
	}
	if (strbuf_take(&steps, &steps_text) < 0 || strbuf_take(&needs, &needs_text) < 0) {
		strbuf_release(&needs);
		checker->findings->error = -ENOMEM;
		return;
	}
	finding = point(checker, ABOUT_HOST, "privileges",
			known && !*steps_text ? MLX5LM_STATUS_PASS : MLX5LM_STATUS_INFO,
			"steps that this process could do");
	if (!known)
		FOUND("unknown");
	else if (*steps_text)
		FOUND("not: %s", steps_text);
	else
		FOUND("all");
	REQUIRED("for configuring VFs and for migrating them, not for this look");
	if (*steps_text && is_recorded(host))
		REMEDY("probe on the machine itself: nothing is ever changed in another root");
	else if (*steps_text)
		REMEDY("run as root%s%s", *needs_text ? ", or with: " : "", needs_text);
	for (size_t i = 0; i < host->num_privileges; i++) {
		const struct mlx5lm_privilege *privilege = &host->privileges[i];

		finding_explain(checker->findings, finding, "privilege %s: %s%s%s",
				privilege->name ? privilege->name : "?",
				name_of(&answer_names, privilege->granted),
				privilege->needs ? ": " : "",
				privilege->needs ? privilege->needs : "");
	}
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/compare_internal.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "core/version_rule.h"

#define FAIL MLX5LM_STATUS_FAIL
#define WARN MLX5LM_STATUS_WARN
#define INFO MLX5LM_STATUS_INFO
#define PASS MLX5LM_STATUS_PASS

/* As libvirt counts. */
#define QEMU_SWITCHOVER_ACK 8001000
#define QEMU_MULTIFD 10000000
/* The release between these two that brought it is not known to us. */
#define LIBVIRT_NO_SWITCHOVER_ACK 10000000
#define LIBVIRT_SWITCHOVER_ACK 11002000

static void set_version(struct rule_value *ret, const struct fact_u64 *fact)
{
	struct version version = version_from_libvirt(fact->value);
	char *at = ret->buf;

	if (!fact->known)
		return;
	for (int i = 0; i < 3; i++)
		at = put_number(at, i ? "." : "", version.part[i]);
	ret->text = ret->buf;
}

static void get_libvirt(const struct mlx5lm_host *host, const struct mlx5lm_pf *pf,
			struct rule_value *ret)
{
	(void)pf;
	set_version(ret, &host->libvirt_daemon_version);
}

static void get_switchover_ack(const struct mlx5lm_host *host, const struct mlx5lm_pf *pf,
			       struct rule_value *ret)
{
	const struct fact_u64 *libvirt = &host->libvirt_daemon_version, *qemu = &host->qemu_version;

	(void)pf;
	if ((qemu->known && qemu->value < QEMU_SWITCHOVER_ACK) ||
	    (libvirt->known && libvirt->value < LIBVIRT_NO_SWITCHOVER_ACK))
		ret->text = "no";
	else if (qemu->known && libvirt->known && libvirt->value >= LIBVIRT_SWITCHOVER_ACK)
		ret->text = "yes";
}

static void get_multifd(const struct mlx5lm_host *host, const struct mlx5lm_pf *pf,
			struct rule_value *ret)
{
	(void)pf;
	if (host->qemu_version.known)
		ret->text = host->qemu_version.value >= QEMU_MULTIFD ? "yes" : "no";
}

/* Only where the number of the kernel tells it. */
static void get_chunk_mode(const struct mlx5lm_host *host, const struct mlx5lm_pf *pf,
			   struct rule_value *ret)
{
	struct version version;

	(void)pf;
	if (!host->kernel_release || version_parse(host->kernel_release, &version) < 0 ||
	    !version_is_plain(host->kernel_release))
		return;
	ret->text = version_compare(&version, &(struct version){ { 6, 7, 0 } }) < 0 ?
			    "in one piece" : "in chunks";
}

static void mend_lacking(struct mlx5lm_findings *findings, struct mlx5lm_finding *finding,
			 const struct rule_case *values)
{
	const char *side = streq(values->source, "no") ? "source" : "destination";

	SIDE(side);
	REMEDY("update libvirt and QEMU of the %s (11.2 and 8.1 have it)", side);
}

static void mend_multifd(struct mlx5lm_findings *findings, struct mlx5lm_finding *finding,
			 const struct rule_case *values)
{
	const char *side = streq(values->source, "no") ? "source" : "destination";

	SIDE(side);
	REMEDY("update QEMU of the %s to 10.0 or newer", side);
}

static void mend_chunk_mode(struct mlx5lm_findings *findings, struct mlx5lm_finding *finding,
			    const struct rule_case *values)
{
	const char *side = streq(values->source, "in one piece") ? "source" : "destination";

	SIDE(side);
	REMEDY("boot Linux 6.7 or newer on the %s if VFs have that much state", side);
}

static const struct compare_rule host_rules[] = {
	{ "libvirt.version", "libvirt", INFO, INFO, RULE_SOFTWARE, get_libvirt,
	  "the libvirt daemons have different versions", NULL },
	{ "libvirt.switchover_ack", "switchover-ack", WARN, INFO, RULE_SOFTWARE,
	  get_switchover_ack,
	  "the guest is stopped before the destination has loaded what was sent of its VFs' state",
	  mend_lacking },
	{ "qemu.multifd", "VF state over several connections", INFO, INFO, RULE_SOFTWARE,
	  get_multifd, "VF state goes over one connection, because one QEMU knows no other way",
	  mend_multifd },
	{ "kernel.chunk_mode", "transfer of a VF's state", WARN, INFO, RULE_SOFTWARE,
	  get_chunk_mode, "a VF with more than 4 GiB of state cannot move between these kernels",
	  mend_chunk_mode },
};

static struct mlx5lm_finding *point(struct mlx5lm_findings *findings, enum mlx5lm_status status,
				    const char *id, const char *source, const char *destination,
				    const char *message)
{
	return compare_point(findings, status, id, "host", source, destination, message);
}

/* One kernel has one boot id; libvirt refuses a host with its own UUID. */
static void compare_identity(const struct mlx5lm_host *source,
			     const struct mlx5lm_host *destination,
			     struct mlx5lm_findings *findings)
{
	const char *a = source->libvirt_uuid, *b = destination->libvirt_uuid;
	struct mlx5lm_finding *finding;

	if (streq(source->boot_id, destination->boot_id)) {
		finding = point(findings, FAIL, "host.same", source->boot_id, destination->boot_id,
				"both snapshots are of one running kernel");
		REMEDY("take one snapshot on each of two hosts");
	} else if (streq(a, b)) {
		finding = point(findings, FAIL, "host.same", a, b,
				"both snapshots have the same libvirt host UUID");
		SIDE("either");
		REMEDY("if these are two machines, set host_uuid in libvirtd.conf");
	} else if (a && b) {
		point(findings, PASS, "host.same", a, b, "two hosts");
	} else if (source->boot_id && destination->boot_id) {
		point(findings, PASS, "host.same", source->boot_id, destination->boot_id,
		      "two hosts");
	} else {
		point(findings, INFO, "host.same", a ? a : source->boot_id,
		      b ? b : destination->boot_id, "not known whether these are two hosts");
	}
}

/* The state is sent raw before 6.2; from 6.9 on in records; between these the firmware decides. */
static int wire_format(const struct version *version)
{
	return (version_compare(version, &(struct version){ { 6, 2, 0 } }) >= 0) +
	       (version_compare(version, &(struct version){ { 6, 9, 0 } }) >= 0);
}

/* The flags of a VF tell its format, whatever kernel it is. */
static bool knows_format(const struct mlx5lm_host *host)
{
	for (size_t i = 0; i < host->num_pfs; i++) {
		for (size_t j = 0; j < host->pfs[i].num_vfs; j++) {
			if (host->pfs[i].vfs[j].vfio_migration_flags.known)
				return true;
		}
	}
	return false;
}

static void compare_kernels(const struct mlx5lm_host *source, const struct mlx5lm_host *destination,
			    struct mlx5lm_findings *findings)
{
	const char *a = source->kernel_release, *b = destination->kernel_release;
	struct mlx5lm_finding *finding;
	struct version x, y;

	if (!a || !b || version_parse(a, &x) < 0 || version_parse(b, &y) < 0) {
		point(findings, INFO, "kernel.version", a, b, "kernel: not known of both");
	} else if (streq(a, b)) {
		point(findings, PASS, "kernel.version", a, b, "kernel");
	} else if (wire_format(&x) == wire_format(&y) ||
		   (knows_format(source) && knows_format(destination))) {
		point(findings, INFO, "kernel.version", a, b,
		      "the kernels have different versions");
	} else {
		finding = point(findings, WARN, "kernel.version", a, b,
				version_is_plain(a) && version_is_plain(b) ?
					"the format of a VF's state has changed between these "
					"kernels (6.2, 6.9)" :
					"the format of a VF's state has changed between these "
					"kernels (6.2, 6.9), unless a distribution has backported "
					"it");
		SIDE(version_compare(&x, &y) < 0 ? "source" : "destination");
		REMEDY("boot the newer kernel on both hosts, or let both look whether VFs have "
		       "pre-copy, as root: mlx5lm-probe --open-vfs --json");
	}
}

static void compare_qemu(const struct mlx5lm_host *source, const struct mlx5lm_host *destination,
			 struct mlx5lm_findings *findings)
{
	struct mlx5lm_finding *finding;
	struct rule_value a, b;
	bool is_older;

	a.text = b.text = NULL;
	set_version(&a, &source->qemu_version);
	set_version(&b, &destination->qemu_version);
	if (!a.text || !b.text) {
		point(findings, INFO, "qemu.version", a.text, b.text, "QEMU: not known of both");
		return;
	}
	if (source->qemu_version.value == destination->qemu_version.value) {
		point(findings, PASS, "qemu.version", a.text, b.text, "QEMU");
		return;
	}
	is_older = destination->qemu_version.value < source->qemu_version.value;
	finding = point(findings, WARN, "qemu.version", a.text, b.text,
			is_older ? "migration to an older QEMU works only with a machine type that "
				   "it knows" :
				   "the way back leads to an older QEMU, which must know the "
				   "machine type");
	SIDE(is_older ? "destination" : "source");
	REMEDY("update QEMU of the %s, or give the guest a machine type that both know",
	       is_older ? "destination" : "source");
}

/* Is a word of one list in the other? Lists are separated by spaces. */
static bool have_common_word(const char *a, const char *b)
{
	for (a += strspn(a, " "); *a; a += strspn(a, " ")) {
		size_t length = strcspn(a, " ");

		for (const char *at = b + strspn(b, " "); *at; at += strspn(at, " ")) {
			size_t other = strcspn(at, " ");

			if (length == other && memcmp(a, at, length) == 0)
				return true;
			at += other;
		}
		a += length;
	}
	return false;
}

static void compare_transports(const struct mlx5lm_host *source,
			       const struct mlx5lm_host *destination,
			       struct mlx5lm_findings *findings)
{
	const char *a = source->libvirt_migration_transports;
	const char *b = destination->libvirt_migration_transports;
	struct mlx5lm_finding *finding;

	if (!a || !b) {
		point(findings, INFO, "libvirt.transports", a, b,
		      "migration transports: not known of both");
	} else if (have_common_word(a, b)) {
		point(findings, streq(a, b) ? PASS : INFO, "libvirt.transports", a, b,
		      streq(a, b) ? "migration transports" :
				    "some migration transports are common");
	} else {
		finding = point(findings, WARN, "libvirt.transports", a, b,
				"the libvirt daemons have no migration transport in common");
		SIDE("either");
		REMEDY("migrate through the daemons' own connection (virsh migrate --p2p "
		       "--tunnelled), or update libvirt");
	}
}

/* A point that both hosts must say yes to. */
static void compare_needs(const char *id, const char *what, uint32_t source, uint32_t destination,
			  const char *message, const char *remedy,
			  struct mlx5lm_findings *findings)
{
	bool at_source = source == MLX5LM_ANSWER_NO;
	bool at_destination = destination == MLX5LM_ANSWER_NO;
	bool unknown = !source || !destination;
	struct mlx5lm_finding *finding;

	finding = point(findings, at_source || at_destination ? FAIL : unknown ? INFO : PASS, id,
			name_of(&answer_names, source), name_of(&answer_names, destination),
			at_source || at_destination ? message : what);
	if (!at_source && !at_destination)
		return;
	SIDE(side_of(at_source, at_destination));
	finding_point(finding, MLX5LM_FINDING_REMEDY, remedy);
}

/* If the destination itself was asked whether it has the guest's CPU, its answer counts. */
static void compare_cpus(const struct mlx5lm_host *source, const struct mlx5lm_host *destination,
			 const struct mlx5lm_domain *domain, struct mlx5lm_findings *findings)
{
	bool asked = domain && domain->cpu;
	const struct {
		const char *id, *what, *a, *b;
		enum mlx5lm_status differs;
		const char *message, *remedy;
	} points[] = {
		{ "cpu.vendor", "CPU vendor", source->cpu_vendor, destination->cpu_vendor, FAIL,
		  "a running guest does not survive the move to a CPU of another vendor",
		  "choose a destination with a CPU of the same vendor" },
		{ "cpu.model", "CPU model", source->cpu_model, destination->cpu_model, WARN,
		  "the guest's CPU model must be one that both CPUs have",
		  "give the guest the CPU model of the older one, or ask the destination's libvirt "
		  "whether it has the guest's CPU" },
	};

	for (size_t i = 0; i < ARRAY_LENGTH(points); i++) {
		const char *a = points[i].a, *b = points[i].b;
		struct mlx5lm_finding *finding;

		if (a && b && !streq(a, b)) {
			finding = point(findings, asked ? INFO : points[i].differs, points[i].id, a,
					b, asked ? "differs, but the destination was asked for the "
						   "guest's CPU" : points[i].message);
			if (!asked)
				finding_point(finding, MLX5LM_FINDING_REMEDY, points[i].remedy);
		} else {
			point(findings, a && b ? PASS : INFO, points[i].id, a, b, points[i].what);
		}
	}
}

int compare_host_rules(const struct mlx5lm_host *source, const struct mlx5lm_host *destination,
		       const struct mlx5lm_domain *domain, struct mlx5lm_findings *findings)
{
	compare_identity(source, destination, findings);
	compare_needs("iommu.active", "IOMMU", source->iommu_active, destination->iommu_active,
		      "VFIO gives no device to a guest without an IOMMU",
		      "enable VT-d or AMD-Vi in the firmware setup, and boot with intel_iommu=on "
		      "on Intel", findings);
	compare_cpus(source, destination, domain, findings);
	compare_kernels(source, destination, findings);
	compare_needs("libvirt.migration", "live migration of the libvirt daemon",
		      source->libvirt_live_migration, destination->libvirt_live_migration,
		      "this libvirt daemon's driver cannot migrate",
		      "connect to the QEMU driver (qemu:///system)", findings);
	compare_transports(source, destination, findings);
	compare_qemu(source, destination, findings);
	for (size_t i = 0; i < ARRAY_LENGTH(host_rules); i++) {
		struct rule_value a, b;

		a.text = b.text = NULL;
		host_rules[i].get(source, NULL, &a);
		host_rules[i].get(destination, NULL, &b);
		rule_compare(&host_rules[i], &a, &b, NULL, NULL, findings);
	}
	return findings->error;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
/* One fact of one host changed at a time: that is found, and nothing else. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "compare_support.h"
#include "core/compare_internal.h"
#include "support/hosts.h"

#define FAIL MLX5LM_STATUS_FAIL
#define WARN MLX5LM_STATUS_WARN
#define INFO MLX5LM_STATUS_INFO
#define UNKNOWN MLX5LM_STATUS_UNKNOWN

/* A fact of the destination, by where it is. */
enum place { HOST, PF, VF, NV_NOW, NV_NEXT };

struct row {
	const char *id;
	enum mlx5lm_status status;
	const char *side; /* NULL: none */
	enum place place;
	size_t offset; /* of a place that is no NV */
	const char *nv;
	/* What it is changed to: a text, a number, an enum's value; none of these: unknown. */
	enum { TO_UNKNOWN_TEXT, TO_UNKNOWN_NUMBER, TO_TEXT, TO_NUMBER, TO_ENUM } to;
	const char *text;
	uint64_t number;
	const char *also; /* another finding that the fact makes */
};

#define IN_HOST(member) HOST, offsetof(struct mlx5lm_host, member), NULL
#define IN_PF(member) PF, offsetof(struct mlx5lm_pf, member), NULL
#define IN_VF(member) VF, offsetof(struct mlx5lm_vf, member), NULL
#define IN_NV(name) NV_NOW, 0, name
#define IN_NEXT_NV(name) NV_NEXT, 0, name
#define TEXT(value) TO_TEXT, value, 0
#define NUMBER(value) TO_NUMBER, NULL, value
#define ENUM(value) TO_ENUM, NULL, value
#define NO_TEXT TO_UNKNOWN_TEXT, NULL, 0
#define NO_NUMBER TO_UNKNOWN_NUMBER, NULL, 0
#define NO_ENUM TO_ENUM, NULL, 0

static const struct row rows[] = {
	{ "host.same", FAIL, "either", IN_HOST(libvirt_uuid), TEXT("a"), NULL },
	{ "host.same", FAIL, NULL, IN_HOST(boot_id), TEXT("a"), NULL },
	{ "host.architecture", FAIL, NULL, IN_HOST(architecture), TEXT("aarch64"), NULL },
	{ "host.architecture", UNKNOWN, "destination", IN_HOST(architecture), NO_TEXT, NULL },
	{ "host.page_size", WARN, "either", IN_HOST(page_size_bytes), NUMBER(65536), NULL },
	{ "host.page_size", INFO, NULL, IN_HOST(page_size_bytes), NO_NUMBER, NULL },
	{ "iommu.active", FAIL, "destination", IN_HOST(iommu_active), ENUM(MLX5LM_ANSWER_NO),
	  NULL },
	{ "iommu.active", INFO, NULL, IN_HOST(iommu_active), NO_ENUM, NULL },
	{ "cpu.vendor", FAIL, NULL, IN_HOST(cpu_vendor), TEXT("AMD"), NULL },
	{ "cpu.vendor", INFO, NULL, IN_HOST(cpu_vendor), NO_TEXT, NULL },
	{ "cpu.model", WARN, NULL, IN_HOST(cpu_model), TEXT("Skylake-Server"), NULL },
	{ "cpu.model", INFO, NULL, IN_HOST(cpu_model), NO_TEXT, NULL },
	{ "kernel.version", INFO, NULL, IN_HOST(kernel_release), TEXT("6.12.9"), NULL },
	{ "libvirt.migration", FAIL, "destination", IN_HOST(libvirt_live_migration),
	  ENUM(MLX5LM_ANSWER_NO), NULL },
	{ "libvirt.migration", INFO, NULL, IN_HOST(libvirt_live_migration), NO_ENUM, NULL },
	{ "libvirt.transports", WARN, "either", IN_HOST(libvirt_migration_transports),
	  TEXT("unix tc"), NULL },
	{ "libvirt.transports", INFO, NULL, IN_HOST(libvirt_migration_transports),
	  TEXT("unix tcp"), NULL },
	{ "libvirt.transports", INFO, NULL, IN_HOST(libvirt_migration_transports), NO_TEXT, NULL },
	{ "libvirt.version", INFO, NULL, IN_HOST(libvirt_daemon_version), NUMBER(11004000), NULL },
	{ "qemu.version", WARN, "destination", IN_HOST(qemu_version), NUMBER(10000001), NULL },
	{ "qemu.version", WARN, "source", IN_HOST(qemu_version), NUMBER(10000003), NULL },
	{ "adapter.device_id", FAIL, NULL, IN_PF(device_id), NUMBER(0xa2dc), NULL },
	{ "adapter.device_id", UNKNOWN, "destination", IN_PF(device_id), NO_NUMBER, NULL },
	{ "adapter.vf_device_id", FAIL, NULL, IN_PF(sriov_vf_device_id), NUMBER(0x101c), NULL },
	{ "adapter.vf_device_id", UNKNOWN, "destination", IN_PF(sriov_vf_device_id), NO_NUMBER,
	  NULL },
	{ "adapter.class", FAIL, "destination", IN_PF(class_code), NUMBER(0x020700), NULL },
	{ "adapter.class", FAIL, "destination", IN_PF(class_code), NUMBER(0x028000), NULL },
	{ "adapter.class", UNKNOWN, "destination", IN_PF(class_code), NO_NUMBER, NULL },
	{ "adapter.subsystem", WARN, NULL, IN_PF(subsystem_vendor_id), NUMBER(0x1028), NULL },
	{ "adapter.subsystem", WARN, NULL, IN_PF(subsystem_device_id), NUMBER(0x0084), NULL },
	{ "adapter.subsystem", INFO, NULL, IN_PF(subsystem_device_id), NO_NUMBER, NULL },
	{ "adapter.revision", INFO, NULL, IN_PF(revision), NUMBER(1), NULL },
	{ "adapter.revision", INFO, NULL, IN_PF(revision), NO_NUMBER, NULL },
	{ "firmware.psid", FAIL, NULL, IN_PF(psid), TEXT("MT_0000000999"), NULL },
	{ "firmware.psid", UNKNOWN, "destination", IN_PF(psid), NO_TEXT, NULL },
	{ "firmware.pending", WARN, "destination", IN_PF(fw_stored), TEXT("28.42.1000"), NULL },
	{ "firmware.pending", INFO, NULL, IN_PF(fw_stored), NO_TEXT, NULL },
	/* What runs is not what is stored then: a restart would bring it back. */
	{ "firmware.version", FAIL, "destination", IN_PF(fw_running), TEXT("28.39.1002"),
	  "firmware.pending" },
	{ "firmware.version", FAIL, "destination", IN_PF(fw_running), TEXT("28.42.1000"),
	  "firmware.pending" },
	{ "firmware.version", FAIL, "destination", IN_PF(fw_running), TEXT("32.41.1000"),
	  "firmware.pending" },
	{ "firmware.version", FAIL, "destination", IN_PF(fw_running), TEXT("custom"),
	  "firmware.pending" },
	{ "firmware.version", UNKNOWN, "destination", IN_PF(fw_running), NO_TEXT,
	  "firmware.pending" },
	/* Nor is what is set what will be. */
	{ "nv.vf_migration_mode", FAIL, "destination", IN_NV("VF_MIGRATION_MODE"), NUMBER(1),
	  "nv.pending" },
	{ "nv.sriov_en", WARN, "destination", IN_NV("SRIOV_EN"), NUMBER(0), "nv.pending" },
	{ "nv.sriov_en", INFO, NULL, IN_NV("SRIOV_EN"), NO_NUMBER, NULL },
	{ "nv.num_of_vfs", INFO, "destination", IN_NV("NUM_OF_VFS"), NUMBER(8), "nv.pending" },
	{ "nv.num_of_vfs", INFO, "source", IN_NV("NUM_OF_VFS"), NUMBER(127), "nv.pending" },
	{ "nv.num_of_vfs", INFO, NULL, IN_NV("NUM_OF_VFS"), NO_NUMBER, NULL },
	{ "nv.link_type", WARN, "destination", IN_NV("LINK_TYPE_P1"), NUMBER(1), "nv.pending" },
	{ "nv.link_type", INFO, NULL, IN_NV("LINK_TYPE_P1"), NO_NUMBER, NULL },
	{ "nv.pending", WARN, "destination", IN_NEXT_NV("SRIOV_EN"), NUMBER(0), NULL },
	{ "nv.pending", WARN, "destination", IN_NEXT_NV("NUM_OF_VFS"), NUMBER(0), NULL },
	{ "nv.pending", WARN, "destination", IN_NEXT_NV("VF_MIGRATION_MODE"), NUMBER(0), NULL },
	{ "nv.pending", WARN, "destination", IN_NEXT_NV("LINK_TYPE_P1"), NUMBER(1), NULL },
	/* A point that follows from a version is told beside it. */
	{ "kernel.chunk_mode", WARN, "destination", IN_HOST(kernel_release), TEXT("6.6.9"),
	  "kernel.version" },
	{ "kernel.chunk_mode", INFO, NULL, IN_HOST(kernel_release), TEXT("6.12.0-1-amd64"),
	  "kernel.version" },
	{ "kernel.version", INFO, NULL, IN_HOST(kernel_release), NO_TEXT, "kernel.chunk_mode" },
	{ "libvirt.switchover_ack", WARN, "destination", IN_HOST(libvirt_daemon_version),
	  NUMBER(9000000), "libvirt.version" },
	{ "libvirt.switchover_ack", INFO, NULL, IN_HOST(libvirt_daemon_version), NUMBER(10005000),
	  "libvirt.version" },
	{ "libvirt.version", INFO, NULL, IN_HOST(libvirt_daemon_version), NO_NUMBER,
	  "libvirt.switchover_ack" },
	{ "qemu.multifd", INFO, "destination", IN_HOST(qemu_version), NUMBER(9002000),
	  "qemu.version" },
	{ "pf.migratable", WARN, "destination", IN_VF(migratable),
	  ENUM(MLX5LM_PORT_ATTR_STATE_UNSUPPORTED), "vf.free" },
	{ "pf.migratable", INFO, NULL, IN_VF(migratable), NO_ENUM, "vf.free" },
	{ "vf.pre_copy", FAIL, "destination", IN_VF(vfio_migration_flags), NUMBER(3), NULL },
	{ "vf.p2p", WARN, "destination", IN_VF(vfio_migration_flags), NUMBER(5), NULL },
	{ "vf.dirty_tracking", WARN, "destination", IN_VF(vfio_dirty_tracking),
	  ENUM(MLX5LM_ANSWER_NO), NULL },
	{ "vf.roce", WARN, "destination", IN_VF(roce), ENUM(MLX5LM_PORT_ATTR_STATE_DISABLED),
	  NULL },
	{ "vf.ipsec_crypto", WARN, "destination", IN_VF(ipsec_crypto),
	  ENUM(MLX5LM_PORT_ATTR_STATE_ENABLED), NULL },
	{ "vf.ipsec_packet", WARN, "destination", IN_VF(ipsec_packet),
	  ENUM(MLX5LM_PORT_ATTR_STATE_ENABLED), NULL },
	{ "vf.max_io_eqs", WARN, "destination", IN_VF(max_io_eqs), NUMBER(16), NULL },
	{ "vf.msix_count", FAIL, "destination", IN_VF(msix_count), NUMBER(5), NULL },
	{ "vf.hw_addr", INFO, "destination", IN_VF(hw_addr), TEXT("02:00:00:00:00:99"), NULL },
	{ "vf.numa_node", INFO, NULL, IN_PF(numa_node), NUMBER(1), NULL },
	{ "vf.free", FAIL, "destination", IN_VF(in_use_by), TEXT("guest"), NULL },
	{ "vf.free", FAIL, "destination", IN_VF(in_use_pid), NUMBER(77), NULL },
	{ "vf.free", FAIL, "destination", IN_VF(driver), TEXT("vfio-pci"), NULL },
};

static void *field_of(const struct row *row, struct mlx5lm_host *host)
{
	char *object = (char *)host;
	struct mlx5lm_nv *nv;

	if (row->place == PF)
		object = (char *)&host->pfs[0];
	if (row->place == VF)
		object = (char *)&host->pfs[0].vfs[0];
	if (!row->nv)
		return object + row->offset;
	nv = fact_list_find(&pf_nvs, &host->pfs[0], row->nv);
	cr_assert_not_null(nv);
	return row->place == NV_NOW ? &nv->current : &nv->next_boot;
}

static void change(const struct row *row, struct mlx5lm_host *host)
{
	void *field = field_of(row, host);

	switch (row->to) {
	case TO_UNKNOWN_TEXT:
	case TO_TEXT:
		set_text(field, row->text);
		break;
	case TO_UNKNOWN_NUMBER:
		*(struct fact_u64 *)field = (struct fact_u64){ 0 };
		break;
	case TO_NUMBER:
		*(struct fact_u64 *)field = fact_u64(row->number);
		break;
	case TO_ENUM:
		*(uint32_t *)field = (uint32_t)row->number;
		break;
	}
}

static const char *other_side(const char *side)
{
	if (streq(side, "source"))
		return "destination";
	return streq(side, "destination") ? "source" : side;
}

static void expect_only(const struct two_hosts *hosts, const struct row *row, const char *side,
			const char *what)
{
	const struct mlx5lm_findings *findings = &hosts->comparison.findings;
	bool found = false, also = !row->also;

	for (size_t i = 0; i < findings->length; i++) {
		const struct mlx5lm_finding *finding = &findings->items[i];

		if (finding->status == MLX5LM_STATUS_PASS)
			continue;
		if (streq(finding->text[MLX5LM_FINDING_ID], row->also)) {
			also = true;
			continue;
		}
		if (!streq(finding->text[MLX5LM_FINDING_ID], row->id)) {
			cr_expect_fail("%s: %s is found, too: %s", what,
				       finding->text[MLX5LM_FINDING_ID],
				       finding->text[MLX5LM_FINDING_MESSAGE]);
			continue;
		}
		found = true;
		cr_expect_eq(finding->status, row->status, "%s: %s", what,
			     status_names[finding->status]);
		cr_expect(side ? streq(finding->text[MLX5LM_FINDING_SIDE], side) :
				 !finding->text[MLX5LM_FINDING_SIDE], "%s: %s", what,
			  finding->text[MLX5LM_FINDING_SIDE] ?
				  finding->text[MLX5LM_FINDING_SIDE] : "no side");
		cr_expect(finding->status == INFO || finding->text[MLX5LM_FINDING_REMEDY],
			  "%s: no remedy", what);
	}
	cr_expect(found, "%s is not found", what);
	cr_expect(also, "%s: %s is not found", what, row->also);
}

static enum mlx5lm_verdict verdict_of(enum mlx5lm_status status)
{
	return status == FAIL	 ? MLX5LM_VERDICT_INCOMPATIBLE :
	       status == UNKNOWN ? MLX5LM_VERDICT_UNKNOWN : MLX5LM_VERDICT_COMPATIBLE;
}

Test(compare_fields, two_known_hosts_differ_in_nothing)
{
	struct two_hosts hosts = known_hosts(2, 2);

	compare_both(&hosts);
	for (size_t i = 0; i < hosts.comparison.findings.length; i++) {
		const struct mlx5lm_finding *finding = &hosts.comparison.findings.items[i];

		cr_expect_eq(finding->status, MLX5LM_STATUS_PASS, "%s",
			     finding->text[MLX5LM_FINDING_ID]);
	}
	cr_expect_eq(hosts.comparison.verdict, MLX5LM_VERDICT_COMPATIBLE);
	two_hosts_release(&hosts);
}

Test(compare_fields, each_field_that_is_changed_is_found_and_no_other)
{
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		struct two_hosts hosts = known_hosts(1, 1);
		char what[100];

		snprintf(what, sizeof(what), "row %zu, %s", i, rows[i].id);
		change(&rows[i], hosts.destination);
		compare_both(&hosts);
		expect_only(&hosts, &rows[i], rows[i].side, what);
		if (!rows[i].also)
			cr_expect_eq(hosts.comparison.verdict, verdict_of(rows[i].status), "%s",
				     what);
		two_hosts_release(&hosts);
	}
}

/* Who the source is matters for VFs that are not paired, and for what QEMU asks of a source. */
static bool depends_on_direction(const struct row *row)
{
	return streq(row->id, "vf.free") || streq(row->also, "vf.free") ||
	       streq(row->id, "vf.dirty_tracking");
}

Test(compare_fields, the_source_is_looked_at_like_the_destination)
{
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		struct two_hosts hosts = known_hosts(1, 1);
		const char *side = other_side(rows[i].side);
		char what[100];

		if (depends_on_direction(&rows[i])) {
			two_hosts_release(&hosts);
			continue;
		}
		/* The destination's VF is given what the source's has, whichever was changed. */
		if (streq(rows[i].side, "destination") && rows[i].place == VF &&
		    !streq(rows[i].id, "vf.pre_copy") && !streq(rows[i].id, "vf.p2p"))
			side = "destination";
		snprintf(what, sizeof(what), "row %zu, %s at the source", i, rows[i].id);
		set_text(&hosts.source->libvirt_uuid, "b");
		set_text(&hosts.source->boot_id, "b");
		set_text(&hosts.destination->libvirt_uuid, "a");
		set_text(&hosts.destination->boot_id, "a");
		change(&rows[i], hosts.source);
		compare_both(&hosts);
		expect_only(&hosts, &rows[i], side, what);
		two_hosts_release(&hosts);
	}
}

/* What more than one fact makes. */
static void make_raw_kernel(struct two_hosts *hosts)
{
	hosts->destination->pfs[0].vfs[0].vfio_migration_flags.known = false;
	set_text(&hosts->destination->kernel_release, "6.1.90");
}

static void take_adapter(struct two_hosts *hosts)
{
	pf_release(&hosts->destination->pfs[0]);
	hosts->destination->num_pfs = 0;
}

static void add_pfs(struct mlx5lm_host *host, size_t number)
{
	while (host->num_pfs < number) {
		struct mlx5lm_pf *pf;
		char bdf[32];

		cr_assert_eq(host_add_pf(host, &pf), 0);
		snprintf(bdf, sizeof(bdf), "%04zx:10:00.0", host->num_pfs);
		set_text(&pf->bdf, bdf);
	}
}

/* Puts the PF of another host behind those there are. */
static struct mlx5lm_pf *add_pf(struct two_hosts *hosts, size_t num_vfs)
{
	struct mlx5lm_host *other = fully_known_host("c", num_vfs);
	struct mlx5lm_pf *pf;

	cr_assert_eq(host_add_pf(hosts->destination, &pf), 0);
	*pf = other->pfs[0];
	other->num_pfs = 0;
	mlx5lm_host_free(other);
	set_text(&pf->bdf, "0000:09:00.0");
	if (num_vfs)
		set_text(&pf->vfs[0].bdf, "0000:09:00.2");
	return pf;
}

/* A second one that does other work. */
static void add_other_pf(struct two_hosts *hosts)
{
	add_pf(hosts, 1)->device_id = fact_u64(0x101d);
}

static void add_many_pfs(struct two_hosts *hosts)
{
	add_pfs(hosts->destination, 65);
}

static void spoil_source(struct two_hosts *hosts)
{
	set_text(&hosts->source->pfs[0].vfs[0].driver, "vfio-pci");
}

static void forget_source(struct two_hosts *hosts)
{
	hosts->source->pfs[0].vfs[0].migratable = MLX5LM_PORT_ATTR_STATE_UNKNOWN;
	/* So that only this is in question. */
	hosts->destination->pfs[0].vfs[0].migratable = MLX5LM_PORT_ATTR_STATE_UNKNOWN;
}

/* The PF that is nearest has no VFs, and that with VFs is another adapter. */
static void part_from_source(struct two_hosts *hosts)
{
	struct mlx5lm_pf *nearest = add_pf(hosts, 0);

	set_text(&nearest->fw_running, "28.42.1000");
	set_text(&nearest->fw_stored, "28.42.1000");
	set_text(&hosts->destination->pfs[0].psid, "MT_0000000999");
	hosts->destination->pfs[0].device_id = fact_u64(0x101d);
}

static const struct {
	const char *id;
	enum mlx5lm_status status;
	void (*change)(struct two_hosts *hosts);
} cases[] = {
	{ "kernel.version", WARN, make_raw_kernel },
	{ "adapter.present", FAIL, take_adapter },
	{ "adapter.unpaired", INFO, add_other_pf },
	{ "adapter.limit", INFO, add_many_pfs },
	{ "vf.ready", FAIL, spoil_source },
	{ "vf.ready", UNKNOWN, forget_source },
	{ "vf.pf", FAIL, part_from_source },
};

Test(compare_fields, what_more_than_one_fact_makes_is_found)
{
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct two_hosts hosts = known_hosts(1, 1);
		const struct mlx5lm_finding *finding;

		cases[i].change(&hosts);
		compare_both(&hosts);
		finding = find_id(&hosts.comparison, cases[i].id);
		cr_assert_not_null(finding, "%s", cases[i].id);
		cr_expect_eq(finding->status, cases[i].status, "%s: %s", cases[i].id,
			     status_names[finding->status]);
		two_hosts_release(&hosts);
	}
}

/* These are about options or a domain: test_compare_domain.c. */
static bool is_tested_with_domain(const char *id)
{
	return streq(id, "vf.source") || streq(id, "vf.wanted") || streq(id, "vf.constraint") ||
	       streq(id, "vf.makeable");
}

static bool has_row(const char *id)
{
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		if (streq(rows[i].id, id))
			return true;
	}
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		if (streq(cases[i].id, id))
			return true;
	}
	return false;
}

Test(compare_fields, each_point_has_a_row)
{
	for (size_t i = 0; i < num_pf_rules; i++)
		cr_expect(has_row(pf_rules[i].id), "%s", pf_rules[i].id);
	for (size_t i = 0; i < num_compare_ids; i++)
		cr_expect(has_row(compare_ids[i]) || is_tested_with_domain(compare_ids[i]), "%s",
			  compare_ids[i]);
}

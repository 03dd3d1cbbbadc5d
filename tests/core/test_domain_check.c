// SPDX-License-Identifier: LGPL-2.1-or-later
/* What depends on the hosts, on the flags or on a number; tests/data/domains has the rest. */
#include "core/domain.h"

#include <criterion/criterion.h>
#include <libvirt/libvirt.h>

#include "core/domain_check_rules.h"
#include "support/hosts.h"

#define GIB (UINT64_C(1) << 30)
#define LIVE (VIR_MIGRATE_LIVE | VIR_MIGRATE_PEER2PEER)
#define DOMAIN(settings, devices)                                                                  \
	"<domain type='kvm'><name>guest</name><uuid>u</uuid>" settings "<devices>" devices         \
	"</devices></domain>"
#define VF(number, attributes)                                                                     \
	"<hostdev mode='subsystem' type='pci' " attributes "><source><address domain='0' bus='8' " \
	"slot='0' function='" number "'/></source></hostdev>"
#define ONE_VF VF("2", "managed='no'")
#define TWO_VFS ONE_VF VF("3", "managed='no'")

static struct mlx5lm_host *source, *destination;
static struct mlx5lm_domain *domain;
static struct mlx5lm_findings findings;

static void setup(void)
{
	source = ready_host("a", 4);
	destination = ready_host("b", 4);
}

static void forget(void)
{
	mlx5lm_domain_free(domain);
	domain = NULL;
	findings_release(&findings);
}

static void teardown(void)
{
	forget();
	mlx5lm_host_free(source);
	mlx5lm_host_free(destination);
}

TestSuite(domain_check, .init = setup, .fini = teardown);

static void read_xml(const char *xml)
{
	forget();
	cr_assert_eq(domain_new(xml, strlen(xml), &domain, NULL), 0, "%s", xml);
}

static void look(uint64_t flags)
{
	findings_release(&findings);
	cr_assert_eq(domain_check(domain, source, destination, flags, &findings), 0);
}

static void check(const char *xml)
{
	read_xml(xml);
	look(LIVE);
}

static const struct mlx5lm_finding *find(const char *id)
{
	for (size_t i = 0; i < findings.length; i++) {
		if (streq(findings.items[i].text[MLX5LM_FINDING_ID], id))
			return &findings.items[i];
	}
	return NULL;
}

/* status NULL: there is none. */
static void expect(const char *id, const char *status, const char *side)
{
	const struct mlx5lm_finding *finding = find(id);
	const char *found_side;

	if (!status) {
		cr_expect_null(finding, "%s %s", id, finding ? status_names[finding->status] : "");
		return;
	}
	cr_assert_not_null(finding, "no %s", id);
	found_side = finding->text[MLX5LM_FINDING_SIDE];
	cr_expect_str_eq(status_names[finding->status], status, "%s", id);
	cr_expect(side ? streq(found_side, side) : !found_side, "%s: side %s", id,
		  found_side ? found_side : "none");
}

static void expect_text(const char *id, enum mlx5lm_finding_key key, const char *words)
{
	const struct mlx5lm_finding *finding = find(id);

	cr_assert_not_null(finding, "no %s", id);
	cr_assert_not_null(finding->text[key], "%s", id);
	cr_expect_not_null(strstr(finding->text[key], words), "%s: '%s' lacks '%s'", id,
			   finding->text[key], words);
}

Test(domain_check, flags_are_those_of_libvirt)
{
	cr_expect_eq((int)MIGRATE_LIVE, (int)VIR_MIGRATE_LIVE);
	cr_expect_eq((int)MIGRATE_TUNNELLED, (int)VIR_MIGRATE_TUNNELLED);
	cr_expect_eq((int)MIGRATE_NON_SHARED_DISK, (int)VIR_MIGRATE_NON_SHARED_DISK);
	cr_expect_eq((int)MIGRATE_NON_SHARED_INC, (int)VIR_MIGRATE_NON_SHARED_INC);
	cr_expect_eq((int)MIGRATE_UNSAFE, (int)VIR_MIGRATE_UNSAFE);
	cr_expect_eq((int)MIGRATE_OFFLINE, (int)VIR_MIGRATE_OFFLINE);
	cr_expect_eq((int)MIGRATE_AUTO_CONVERGE, (int)VIR_MIGRATE_AUTO_CONVERGE);
	cr_expect_eq((int)MIGRATE_POSTCOPY, (int)VIR_MIGRATE_POSTCOPY);
	cr_expect_eq((int)MIGRATE_PARALLEL, (int)VIR_MIGRATE_PARALLEL);
#if LIBVIR_CHECK_VERSION(8, 5, 0)
	cr_expect_eq((int)MIGRATE_POSTCOPY_RESUME, (int)VIR_MIGRATE_POSTCOPY_RESUME);
#endif
}

Test(domain_check, a_domain_with_nothing_in_the_way_makes_one_finding)
{
	check(DOMAIN("", ONE_VF));
	cr_expect_eq(findings.length, 1);
	expect("domain.vfs", "pass", NULL);
	expect_text("domain.vfs", MLX5LM_FINDING_FOUND, "0000:08:00.2");
}

Test(domain_check, each_device_that_is_no_vf_of_the_source_fails_by_its_address)
{
	check(DOMAIN("", VF("7", "") ONE_VF));
	expect("domain.vfs", "fail", "source");
	expect_text("domain.vfs", MLX5LM_FINDING_OBJECT, "0000:08:00.7");
	expect_text("domain.vfs", MLX5LM_FINDING_REMEDY, "virsh detach-device guest");
}

Test(domain_check, without_a_source_it_cannot_be_told_what_the_devices_are)
{
	mlx5lm_host_free(source);
	source = NULL;
	check(DOMAIN("", ONE_VF));
	expect("domain.vfs", "unknown", NULL);
}

Test(domain_check, unknown_flags_are_no_flags)
{
	read_xml(DOMAIN("", ONE_VF));
	look(0);
	cr_expect_eq(findings.length, 1);
}

Test(domain_check, flags_that_a_vf_does_not_take)
{
	read_xml(DOMAIN("", ONE_VF));
	look(LIVE | VIR_MIGRATE_POSTCOPY);
	expect("domain.postcopy", "fail", NULL);
	look(LIVE | MIGRATE_POSTCOPY_RESUME);
	expect("domain.postcopy", "fail", NULL);
	look(LIVE | VIR_MIGRATE_TUNNELLED);
	expect("domain.tunnelled", "warn", NULL);
	expect("domain.flags", NULL, NULL);
	look(LIVE | VIR_MIGRATE_TUNNELLED | VIR_MIGRATE_PARALLEL);
	expect("domain.flags", "fail", NULL);
	look(LIVE | VIR_MIGRATE_NON_SHARED_DISK | VIR_MIGRATE_NON_SHARED_INC);
	expect("domain.flags", "fail", NULL);
	look(LIVE | VIR_MIGRATE_NON_SHARED_INC | VIR_MIGRATE_PARALLEL | VIR_MIGRATE_TLS);
	expect("domain.flags", NULL, NULL);
	look(VIR_MIGRATE_OFFLINE | VIR_MIGRATE_PERSIST_DEST);
	expect("domain.flags", "fail", NULL);
	look(VIR_MIGRATE_PEER2PEER);
	expect("domain.flags", "warn", NULL);
}

Test(domain_check, a_libvirt_that_does_not_ask_qemu_fails_on_either_side)
{
	static const struct {
		uint64_t source, destination;
		const char *status, *side;
	} cases[] = {
		{ 8004000, 11003000, "fail", "source" },
		{ 11003000, 8004000, "fail", "destination" },
		{ 8005000, 11003000, "warn", "source" },
		{ 8006000, 11003000, NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		source->libvirt_daemon_version = fact_u64(cases[i].source);
		destination->libvirt_daemon_version = fact_u64(cases[i].destination);
		check(DOMAIN("", ONE_VF));
		expect("domain.libvirt", cases[i].status, cases[i].side);
	}
	source->libvirt_daemon_version = (struct fact_u64){ 0 };
	check(DOMAIN("", ONE_VF));
	expect("domain.libvirt", NULL, NULL);
}

Test(domain_check, the_destinations_libvirt_must_leave_the_vf_to_its_driver)
{
	static const struct {
		uint64_t version;
		const char *managed, *unmanaged;
	} cases[] = {
		{ 9006000, "fail", "fail" },
		{ 9007000, "info", NULL },
		{ 9999999, "info", NULL },
		{ 10000000, NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		destination->libvirt_daemon_version = fact_u64(cases[i].version);
		check(DOMAIN("", VF("2", "managed='yes'")));
		expect("domain.managed", cases[i].managed,
		       streq(cases[i].managed, "fail") ? "destination" : NULL);
		check(DOMAIN("", ONE_VF));
		expect("domain.managed", cases[i].unmanaged, "destination");
	}
	destination->libvirt_daemon_version = (struct fact_u64){ 0 };
	check(DOMAIN("", VF("2", "managed='yes'")));
	expect("domain.managed", NULL, NULL);
}

#define DRIVER(attributes, managed)                                                                \
	"<hostdev type='pci' managed='" managed "'><driver " attributes "/><source><address "      \
	"bus='8' slot='0' function='2'/></source></hostdev>"

static void set_driver(struct mlx5lm_host *host, const char *driver)
{
	for (size_t i = 0; i < host->pfs[0].num_vfs; i++)
		set_text(&host->pfs[0].vfs[i].driver, driver);
}

Test(domain_check, a_driver_that_libvirt_would_bind_must_be_the_variant_driver)
{
	/* As it happens, it is bound well now. */
	check(DOMAIN("", DRIVER("model='vfio-pci'", "yes")));
	expect("domain.driver", "warn", "source");
	expect_text("domain.driver", MLX5LM_FINDING_OBJECT, "0000:08:00.2");
	set_driver(source, "vfio-pci");
	check(DOMAIN("", DRIVER("model='vfio-pci'", "yes")));
	expect("domain.driver", "fail", "source");
	check(DOMAIN("", DRIVER("model='vfio-pci'", "no")));
	expect("domain.driver", NULL, NULL);
	check(DOMAIN("", DRIVER("model='mlx5_vfio_pci'", "yes")));
	expect("domain.driver", NULL, NULL);
	check(DOMAIN("", DRIVER("model='mlx5-vfio-pci'", "yes")));
	expect("domain.driver", NULL, NULL);
	check(DOMAIN("", DRIVER("name='kvm'", "no")));
	expect("domain.driver", "fail", "source");
}

static void set_flags(struct mlx5lm_host *host, uint64_t flags)
{
	for (size_t i = 0; i < host->pfs[0].num_vfs; i++)
		host->pfs[0].vfs[i].vfio_migration_flags = fact_u64(flags);
}

Test(domain_check, several_vfs_need_p2p_at_both_ends)
{
	const uint64_t with = MLX5LM_VFIO_MIGRATION_STOP_COPY | MLX5LM_VFIO_MIGRATION_P2P;
	const uint64_t without = MLX5LM_VFIO_MIGRATION_STOP_COPY;

	check(DOMAIN("", TWO_VFS));
	expect("domain.several_vfs", "info", NULL);
	set_flags(source, with);
	set_flags(destination, with);
	check(DOMAIN("", TWO_VFS));
	expect("domain.several_vfs", NULL, NULL);
	source->pfs[0].vfs[1].vfio_migration_flags = fact_u64(without);
	check(DOMAIN("", TWO_VFS));
	expect("domain.several_vfs", "fail", "source");
	check(DOMAIN("", ONE_VF));
	expect("domain.several_vfs", NULL, NULL);
	set_flags(destination, without);
	check(DOMAIN("", TWO_VFS));
	expect("domain.several_vfs", "fail", "both");
	set_flags(source, with);
	check(DOMAIN("", TWO_VFS));
	expect("domain.several_vfs", "fail", "destination");
	/* One will be found. */
	destination->pfs[0].vfs[3].vfio_migration_flags = fact_u64(with);
	check(DOMAIN("", TWO_VFS));
	expect("domain.several_vfs", NULL, NULL);
}

Test(domain_check, p2p_of_another_driver_is_not_known)
{
	set_driver(source, "vfio-pci");
	check(DOMAIN("", TWO_VFS));
	expect("domain.several_vfs", "unknown", NULL);
	mlx5lm_host_free(destination);
	destination = NULL;
	set_driver(source, "mlx5_vfio_pci");
	check(DOMAIN("", TWO_VFS));
	expect("domain.several_vfs", "unknown", NULL);
}

Test(domain_check, several_vfs_need_a_qemu_that_can_do_it)
{
	destination->qemu_version = fact_u64(8001005);
	check(DOMAIN("", TWO_VFS));
	expect("domain.several_vfs", "fail", "destination");
	source->qemu_version = fact_u64(8001005);
	check(DOMAIN("", TWO_VFS));
	expect("domain.several_vfs", "fail", "both");
	check(DOMAIN("", ONE_VF));
	expect("domain.several_vfs", NULL, NULL);
}

Test(domain_check, a_vf_that_is_unplugged_before_does_not_count)
{
	check(DOMAIN("", ONE_VF "<interface type='hostdev'><source><address bus='8' slot='0' "
			 "function='3'/></source><teaming type='transient' persistent='ua-a'/>"
			 "</interface>"));
	expect("domain.teaming", "info", NULL);
	expect("domain.several_vfs", NULL, NULL);
}

#define CPU "<cpu mode='custom'><model>Icelake-Server</model></cpu>"
#define PASSTHROUGH "<cpu mode='host-passthrough'/>"

Test(domain_check, the_destinations_answer_about_the_cpu_counts)
{
	check(DOMAIN(CPU, ONE_VF));
	expect("domain.cpu", "info", NULL);
	domain->cpu = MLX5LM_ANSWER_NO;
	set_text(&domain->cpu_note, "the host lacks: avx512f");
	set_text(&domain->cpu_uri, "qemu+tls://b/system");
	look(LIVE);
	expect("domain.cpu", "fail", "either");
	expect_text("domain.cpu", MLX5LM_FINDING_FOUND, "avx512f");
	expect_text("domain.cpu", MLX5LM_FINDING_EXPLAIN, "qemu+tls://b/system");
	domain->cpu = MLX5LM_ANSWER_YES;
	look(LIVE);
	expect("domain.cpu", "pass", NULL);
}

Test(domain_check, a_cpu_that_nobody_needs_to_be_asked_about)
{
	read_xml(DOMAIN("", ONE_VF));
	cr_assert_eq(domain_set_unnamed_cpu(domain), 0);
	cr_expect_eq(domain->cpu, MLX5LM_ANSWER_YES);
	look(LIVE);
	expect("domain.cpu", "pass", NULL);
	read_xml(DOMAIN(PASSTHROUGH, ONE_VF));
	cr_assert_eq(domain_set_unnamed_cpu(domain), 0);
	cr_expect_eq(domain->cpu, MLX5LM_ANSWER_UNKNOWN);
	read_xml(DOMAIN("<cpu><topology sockets='1' cores='2' threads='1'/></cpu>", ONE_VF));
	cr_expect_not(domain_names_cpu(domain));
	cr_assert_eq(domain_set_unnamed_cpu(domain), 0);
	cr_expect_eq(domain->cpu, MLX5LM_ANSWER_YES);
}

Test(domain_check, a_passed_through_cpu_warns_unless_both_hosts_have_the_same)
{
	check(DOMAIN(PASSTHROUGH, ONE_VF));
	expect("domain.cpu", "warn", "source");
	set_text(&source->cpu_model, "Icelake-Server");
	set_text(&destination->cpu_model, "Icelake-Server");
	set_text(&source->cpu_vendor, "Intel");
	set_text(&destination->cpu_vendor, "Intel");
	check(DOMAIN(PASSTHROUGH, ONE_VF));
	expect("domain.cpu", "info", "source");
	set_text(&destination->cpu_model, "Skylake-Server");
	check(DOMAIN("<cpu mode='maximum'/>", ONE_VF));
	expect("domain.cpu", "warn", "source");
}

Test(domain_check, kvm_needs_a_host_of_the_guests_architecture)
{
	set_text(&source->architecture, "x86_64");
	set_text(&destination->architecture, "aarch64");
	check(DOMAIN("<os><type arch='x86_64' machine='q35'>hvm</type></os>", ONE_VF));
	expect("domain.arch", "fail", NULL);
	expect_text("domain.arch", MLX5LM_FINDING_FOUND, "destination: aarch64");
	set_text(&destination->architecture, "x86_64");
	check(DOMAIN("<os><type arch='i686' machine='pc'>hvm</type></os>", ONE_VF));
	expect("domain.arch", NULL, NULL);
}

Test(domain_check, a_machine_type_that_is_newer_than_qemu_warns)
{
	static const struct {
		const char *xml, *status;
	} cases[] = {
		{ DOMAIN("<os><type machine='pc-q35-10.0'>hvm</type></os>", ONE_VF), NULL },
		{ DOMAIN("<os><type machine='pc-q35-10.1'>hvm</type></os>", ONE_VF), "warn" },
		{ DOMAIN("<os><type machine='pc-i440fx-11.0'>hvm</type></os>", ONE_VF), "warn" },
		{ DOMAIN("<os><type machine='pc-q35-rhel99.0.0'>hvm</type></os>", ONE_VF), NULL },
		{ DOMAIN("<os><type machine='q35'>hvm</type></os>", ONE_VF), NULL },
		{ DOMAIN("<os><type machine='pc-q35-'>hvm</type></os>", ONE_VF), NULL },
		{ DOMAIN("<os><type machine='a-99999999999.9'>hvm</type></os>", ONE_VF), NULL },
	};

	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		check(cases[i].xml);
		expect("domain.machine", cases[i].status, "destination");
	}
}

Test(domain_check, memory_up_to_what_the_adapter_can_track)
{
	check(DOMAIN("<memory unit='TiB'>4</memory>", ONE_VF));
	expect("domain.memory", NULL, NULL);
	check(DOMAIN("<memory unit='b'>4398046511105</memory>", ONE_VF));
	expect("domain.memory", "fail", "source");
	check(DOMAIN("<memory unit='GiB'>4</memory><maxMemory slots='2' unit='TiB'>5</maxMemory>",
		     ONE_VF));
	expect("domain.memory", "fail", "source");
}

Test(domain_check, vfio_locks_memory_that_the_destination_must_have)
{
	destination->memory_total_bytes = fact_u64(8 * GIB);
	check(DOMAIN("<memory unit='GiB'>8</memory>", ONE_VF));
	expect("domain.memory_fits", "fail", "destination");
	check(DOMAIN("<memory unit='GiB'>7</memory><maxMemory slots='2' unit='GiB'>64</maxMemory>",
		     ONE_VF));
	expect("domain.memory_fits", NULL, NULL);
}

#define HUGE(pages)                                                                                \
	DOMAIN("<memory unit='b'>3145729</memory><memoryBacking><hugepages>" pages                 \
	       "</hugepages></memoryBacking>", ONE_VF)

Test(domain_check, huge_pages_must_be_free_at_the_destination)
{
	check(HUGE(""));
	expect("domain.hugepages", "unknown", "destination");
	destination->hugepage_size_bytes = fact_u64(2 << 20);
	destination->hugepages_free = fact_u64(1);
	check(HUGE(""));
	expect("domain.hugepages", "fail", "destination");
	expect_text("domain.hugepages", MLX5LM_FINDING_FOUND, "1 of 2 pages of 2048 KiB");
	destination->hugepages_free = fact_u64(2);
	check(HUGE("<page size='2' unit='M' nodeset='0'/><page size='2048' nodeset='1'/>"));
	expect("domain.hugepages", NULL, NULL);
	check(HUGE("<page size='2' unit='M'/><page size='1' unit='G' nodeset='1'/>"));
	expect("domain.hugepages", "unknown", "destination");
	check(HUGE("<page size='1' unit='G'/>"));
	expect("domain.hugepages", "unknown", "destination");
}

Test(domain_check, a_daemon_without_rights_needs_a_high_limit_of_locked_memory)
{
	destination->memlock_limit_bytes = fact_u64(8 * GIB);
	check(DOMAIN("<memory unit='GiB'>8</memory>", ONE_VF));
	expect("domain.memlock", NULL, NULL);
	set_text(&destination->libvirt_uri, "qemu:///session");
	check(DOMAIN("<memory unit='GiB'>8</memory>", ONE_VF));
	expect("domain.memlock", "warn", "destination");
	destination->memlock_limit_bytes = fact_u64(9 * GIB);
	check(DOMAIN("<memory unit='GiB'>8</memory>", ONE_VF));
	expect("domain.memlock", NULL, NULL);
}

#define DISK(attributes, children)                                                                 \
	"<disk device='disk' " attributes "><target dev='vda'/>" children "</disk>"
#define FILE_SOURCE "<source file='/a'/>"

Test(domain_check, what_a_disk_needs_depends_on_flags_and_qemu)
{
	read_xml(DOMAIN("", ONE_VF DISK("type='file'", FILE_SOURCE "<driver cache='writeback'/>")));
	look(LIVE);
	expect("domain.disk", "warn", "either");
	expect("domain.cache", NULL, NULL);
	look(LIVE | VIR_MIGRATE_NON_SHARED_DISK);
	expect("domain.disk", NULL, NULL);
	source->qemu_version = fact_u64(3001000);
	look(LIVE);
	expect("domain.cache", "warn", "source");
	look(LIVE | VIR_MIGRATE_UNSAFE);
	expect("domain.cache", NULL, NULL);
	expect("domain.disk", NULL, NULL);
	/* What is shared is not copied. */
	read_xml(DOMAIN("", ONE_VF DISK("type='file'", FILE_SOURCE "<shareable/>")));
	look(LIVE | VIR_MIGRATE_NON_SHARED_DISK);
	expect("domain.disk", "warn", "either");
	check(DOMAIN("", ONE_VF DISK("type='network'", "<source name='a'/>")));
	expect("domain.disk", NULL, NULL);
	check(DOMAIN("", ONE_VF DISK("type='file'", "")));
	expect("domain.disk", NULL, NULL);
}

Test(domain_check, virtiofs_needs_a_libvirt_and_a_qemu_that_migrate_it)
{
	static const char xml[] =
		DOMAIN("", ONE_VF "<filesystem><driver type='virtiofs'/><target dir='t'/>"
				  "</filesystem>");

	check(xml);
	expect("domain.filesystem", "warn", "source");
	source->qemu_version = fact_u64(8001000);
	check(xml);
	expect("domain.filesystem", "fail", "source");
}

Test(domain_check, addresses_to_listen_on_that_each_host_has)
{
	static const struct {
		const char *xml, *status;
	} cases[] = {
#define LISTEN(address) DOMAIN("", ONE_VF "<graphics type='vnc' listen='" address "'/>")
		{ LISTEN("127.0.0.1"), NULL },	   { LISTEN("127.0.1.1"), NULL },
		{ LISTEN("0.0.0.0"), NULL },	   { LISTEN("::"), NULL },
		{ LISTEN("::1"), NULL },	   { LISTEN("console.example"), NULL },
		{ LISTEN("192.0.2.1"), "warn" },   { LISTEN("2001:db8::1"), "warn" },
	};

	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		check(cases[i].xml);
		expect("domain.listen", cases[i].status, "source");
	}
}

Test(domain_check, names_go_into_commands_as_one_word)
{
	check("<domain type='kvm'><name>a'b; $(reboot)</name><uuid>u</uuid><devices>" ONE_VF
	      "<disk device='cdrom' type='file'><source file='/a'/><target dev='`x`'/></disk>"
	      "</devices></domain>");
	expect_text("domain.media", MLX5LM_FINDING_REMEDY,
		    "virsh change-media 'a'\\''b; $(reboot)' '`x`' --eject");
}

Test(domain_check, a_device_is_found_by_its_line)
{
	check("<domain type='kvm'><name>a</name><uuid>u</uuid>\n<devices>\n" ONE_VF
	      "\n<iommu model='intel'/>\n</devices></domain>");
	expect("domain.viommu", "fail", "source");
	expect_text("domain.viommu", MLX5LM_FINDING_EXPLAIN, "line 4");
}

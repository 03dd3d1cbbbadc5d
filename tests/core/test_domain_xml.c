// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/domain_xml.h"

#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/xml.h"

#define HEAD                                                                                       \
	"<domain type='kvm' id='3' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>\n"     \
	"  <name>guest</name>\n  <uuid>6f0e4bb1-6d3a-4b7a-9c6c-0a4a5a1f0001</uuid>\n"
#define TAIL "</domain>\n"
#define HOSTDEV(address)                                                                           \
	"    <hostdev mode='subsystem' type='pci' managed='yes'>\n"                                \
	"      <driver name='vfio' model='mlx5_vfio_pci'/>\n"                                      \
	"      <source>\n        " address "\n      </source>\n"                                   \
	"      <alias name='hostdev0'/>\n"                                                         \
	"      <address type='pci' domain='0x0000' bus='0x06' slot='0x00' function='0x0'/>\n"      \
	"    </hostdev>\n"
#define VF2 "<address domain='0x0000' bus='0x08' slot='0x00' function='0x2'/>"
#define INTERFACE(address)                                                                         \
	"    <interface type='hostdev'>\n      <mac address='52:54:00:00:00:01'/>\n"               \
	"      <source>\n        " address "\n      </source>\n    </interface>\n"

static const char guest[] = HEAD
	"  <description>text with <![CDATA[<address bus='0x08'/>]]> &amp; more</description>\n"
	"  <!-- <hostdev><source><address bus='0x08'/></source></hostdev> -->\n"
	"  <?tool <address ?>\n"
	"  <metadata><a:note xmlns:a='urn:a' quoted=\"a > b\">x</a:note></metadata>\n"
	"  <devices>\n" HOSTDEV(VF2)
	INTERFACE("<address type=\"pci\" domain=\"0x0000\" bus=\"0x08\" slot=\"0x00\" "
		  "function=\"0x3\"/>")
	"    <hostdev mode='subsystem' type='usb'><source><vendor id='0x1234'/></source>"
	"</hostdev>\n"
	"    <interface type='bridge'><source bridge='br0'/></interface>\n"
	"  </devices>\n" TAIL;

static struct mlx5lm_error *error;

static void forget_error(void)
{
	mlx5lm_error_free(error);
	error = NULL;
}

static void expect_refused(const char *xml, const char *words)
{
	struct domain_xml domain = { 0 };

	cr_expect_eq(domain_xml_parse(xml, &domain, &error), -EBADMSG);
	cr_assert_not_null(error, "accepted: %.200s", xml);
	cr_expect_eq(mlx5lm_error_get_code(error), MLX5LM_ERROR_INVALID_DOCUMENT);
	cr_expect_not_null(strstr(mlx5lm_error_get_message(error), words), "'%s' lacks '%s'",
			   mlx5lm_error_get_message(error), words);
	cr_expect_null(domain.hostdevs);
	forget_error();
}

Test(domain_xml, lists_the_pci_devices_of_the_host)
{
	_cleanup_domain_xml_ struct domain_xml domain = { 0 };

	cr_assert_eq(domain_xml_parse(guest, &domain, &error), 0);
	cr_expect_str_eq(domain.name, "guest");
	cr_expect_str_eq(domain.uuid, "6f0e4bb1-6d3a-4b7a-9c6c-0a4a5a1f0001");
	cr_assert_eq(domain.num_hostdevs, 2);
	cr_expect_str_eq(domain.hostdevs[0].bdf, "0000:08:00.2");
	cr_expect_str_eq(domain.hostdevs[0].driver_model, "mlx5_vfio_pci");
	cr_expect(domain.hostdevs[0].managed);
	cr_expect_not(domain.hostdevs[0].is_interface);
	cr_expect_str_eq(domain.hostdevs[1].bdf, "0000:08:00.3");
	cr_expect_not(domain.hostdevs[1].managed);
	cr_expect(domain.hostdevs[1].is_interface);
	cr_expect_null(domain.hostdevs[1].driver_model);
	cr_expect(domain_xml_has(&domain, "08:00.3"));
	cr_expect_not(domain_xml_has(&domain, "0000:06:00.0"), "that is the guest's address");
}

static char *replaced(const char *text, const char *what, const char *with)
{
	const char *at = strstr(text, what);
	char *result;

	cr_assert_not_null(at, "no %s", what);
	cr_assert_gt(asprintf(&result, "%.*s%s%s", (int)(at - text), text, with,
			      at + strlen(what)), 0);
	return result;
}

Test(domain_xml, reads_addresses_as_libvirt_does)
{
	static const struct {
		const char *address, *bdf, *mapped;
	} cases[] = {
		{ "<address bus='64' slot='1' function='2'/>", "0000:40:01.2",
		  "<address domain='0x0001' bus='0x41' slot='1' function='2'/>" },
		{ "<address domain='0' bus='0x40' slot='0x01' function='0x2'/>", "0000:40:01.2",
		  "<address domain='0x0001' bus='0x41' slot='0x01' function='0x2'/>" },
		{ "<address\tbus = '0X40'\n slot='01' function=\"2\"></address>", "0000:40:01.2",
		  "<address domain='0x0001'\tbus = '0x41'\n slot='01' function=\"2\"></address>" },
		{ "<address bus='&#x34;0' slot='1' function='2'/>", "0000:28:01.2",
		  "<address domain='0x0001' bus='0x41' slot='1' function='2'/>" },
		{ "<address domain='0x10000' bus='0x40' slot='1' function='2'/>",
		  "10000:40:01.2",
		  "<address domain='0x0001' bus='0x41' slot='1' function='2'/>" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_free_ char *xml = replaced(guest, VF2, cases[i].address);
		_cleanup_free_ char *mapped = NULL, *expected = NULL;
		_cleanup_domain_xml_ struct domain_xml domain = { 0 };
		struct vf_mapping mapping = { .destination = "0001:41:01.2" };

		cr_assert_eq(domain_xml_parse(xml, &domain, &error), 0, "case %zu: %s", i,
			     mlx5lm_error_get_message(error));
		cr_expect_str_eq(domain.hostdevs[0].bdf, cases[i].bdf);
		snprintf(mapping.source, sizeof(mapping.source), "%s", cases[i].bdf);
		cr_assert_eq(domain_xml_map(xml, &mapping, 1, &mapped, &error), 0, "case %zu", i);
		expected = replaced(guest, VF2, cases[i].mapped);
		cr_expect_str_eq(mapped, expected);
	}
}

Test(domain_xml, refuses_addresses_that_are_none)
{
	static const char *const addresses[] = {
		"<address bus='0x08' slot='0x00'/>",
		"<address slot='0x00' function='0x2'/>",
		"<address bus='0x100' slot='0x00' function='0x2'/>",
		"<address bus='0x08' slot='0x20' function='0x2'/>",
		"<address bus='0x08' slot='0x00' function='8'/>",
		"<address bus='-8' slot='0x00' function='0x2'/>",
		"<address bus=' 8' slot='0x00' function='0x2'/>",
		"<address bus='' slot='0x00' function='0x2'/>",
		"<address bus='8 ' slot='0x00' function='0x2'/>",
		"<address bus='a0' slot='0x00' function='0x2'/>",
		"<address bus='0x' slot='0x00' function='0x2'/>",
		"<address domain='0x100000000' bus='8' slot='0' function='2'/>",
		"<address bus='99999999999999999999' slot='0' function='2'/>",
	};

	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		_cleanup_free_ char *xml = replaced(guest, VF2, addresses[i]);

		expect_refused(xml, "<address> in line");
	}
}

Test(domain_xml, refuses_a_device_without_source_and_one_that_stands_there_twice)
{
	_cleanup_free_ char *without = replaced(guest, VF2, "");
	_cleanup_free_ char *twice = replaced(
		guest, VF2, "<address domain='0' bus='8' slot='0' function='3'/>");

	expect_refused(without, "no source address");
	expect_refused(twice, "twice");
}

Test(domain_xml, refuses_what_is_no_domain)
{
	expect_refused("", "well-formed");
	expect_refused("<domain>", "well-formed");
	expect_refused("<network/>", "<domain> expected");
	expect_refused("<domain><uuid>a</uuid></domain>", "missing");
	expect_refused("<domain><name>a</name></domain>", "missing");
	expect_refused(HEAD "<a b=c/>" TAIL, "well-formed");
	expect_refused(HEAD "&unknown;" TAIL, "well-formed");
	expect_refused(HEAD "\xc3\x28" TAIL, "well-formed");
	expect_refused(HEAD TAIL "<second/>", "well-formed");
}

Test(domain_xml, refuses_a_dtd_before_it_is_read)
{
	expect_refused("<!DOCTYPE domain [\n<!ENTITY a \"lol\">\n"
		       "<!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">\n"
		       "<!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\">\n"
		       "<!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;\">\n"
		       "<!ENTITY e \"&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;\">\n"
		       "<!ENTITY f \"&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;\">\n"
		       "<!ENTITY g \"&f;&f;&f;&f;&f;&f;&f;&f;&f;&f;\">\n"
		       "]>\n<domain><name>&g;</name></domain>", "document type");
	expect_refused("<!DOCTYPE domain SYSTEM \"file:///etc/passwd\"><domain/>",
		       "document type");
	expect_refused("<!DOCTYPE domain SYSTEM \"http://127.0.0.1:1/x\"><domain/>",
		       "document type");
	expect_refused("<!DOCTYPE domain [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>"
		       "<domain><name>&x;</name></domain>", "document type");
}

static char *nested(size_t depth)
{
	char *xml = malloc(sizeof(HEAD TAIL) + depth * 7);

	cr_assert_not_null(xml);
	strcpy(xml, HEAD);
	for (size_t i = 0; i < depth; i++)
		strcat(xml, "<a>");
	for (size_t i = 0; i < depth; i++)
		strcat(xml, "</a>");
	strcat(xml, TAIL);
	return xml;
}

Test(domain_xml, refuses_deep_nesting)
{
	_cleanup_free_ char *fits = nested(DOMAIN_XML_MAX_DEPTH - 1);
	_cleanup_free_ char *deep = nested(DOMAIN_XML_MAX_DEPTH);
	_cleanup_free_ char *deeper = nested(5000);
	_cleanup_domain_xml_ struct domain_xml domain = { 0 };

	cr_expect_eq(domain_xml_parse(fits, &domain, NULL), 0);
	expect_refused(deep, "too deeply");
	expect_refused(deeper, "refused");
}

Test(domain_xml, refuses_a_huge_document)
{
	size_t length = DOMAIN_XML_MAX_BYTES;
	_cleanup_free_ char *xml = malloc(length + 2);

	cr_assert_not_null(xml);
	memset(xml, ' ', length + 1);
	memcpy(xml, HEAD, sizeof(HEAD) - 1);
	memcpy(xml + length + 1 - (sizeof(TAIL) - 1), TAIL, sizeof(TAIL));
	expect_refused(xml, "too large");
}

/* Elements behind the name, as many as fit; each with attributes. */
static char *repeated(const char *begin, const char *item, size_t times, const char *end)
{
	struct strbuf xml = { 0 };
	char *text;

	strbuf_add(&xml, HEAD);
	strbuf_add(&xml, begin);
	for (size_t i = 0; i < times; i++)
		strbuf_printf(&xml, item, i);
	strbuf_add(&xml, end);
	strbuf_add(&xml, TAIL);
	cr_assert_eq(strbuf_take(&xml, &text), 0);
	return text;
}

Test(domain_xml, refuses_an_element_with_too_many_attributes)
{
	_cleanup_free_ char *fits = repeated("<a", " b%zu='1'", XML_MAX_ATTRIBUTES, "/>");
	_cleanup_free_ char *more = repeated("\n<a", " b%zu=\"1\"", XML_MAX_ATTRIBUTES + 1, "/>");
	_cleanup_free_ char *spaces =
		repeated("<a", " xmlns:b%zu='urn:a'", XML_MAX_ATTRIBUTES + 1, "/>");
	_cleanup_domain_xml_ struct domain_xml domain = { 0 };

	cr_expect_eq(domain_xml_parse(fits, &domain, NULL), 0);
	expect_refused(more, "too many attributes in line 5");
	expect_refused(spaces, "too many attributes in line 4");
}

Test(domain_xml, a_million_attributes_are_refused_at_once)
{
	_cleanup_free_ char *xml = repeated("<a", " b%zu=''", 500000, "/>");
	const clock_t begin = clock();

	expect_refused(xml, "too many attributes");
	cr_expect_lt((double)(clock() - begin) / CLOCKS_PER_SEC, 1.0);
}

Test(domain_xml, refuses_an_attribute_that_is_too_long)
{
	_cleanup_free_ char *fits = repeated("<a b='", "x", XML_MAX_VALUE_BYTES, "'/>");
	_cleanup_free_ char *longer =
		repeated("<!-- ' --><a b='", "x", XML_MAX_VALUE_BYTES + 1, "'/>");
	_cleanup_domain_xml_ struct domain_xml domain = { 0 };
	int r = domain_xml_parse(fits, &domain, &error);

	cr_expect_eq(r, 0, "%s", mlx5lm_error_get_message(error));
	expect_refused(longer, "an attribute is too long in line 4");
}

Test(domain_xml, refuses_too_many_elements)
{
	_cleanup_free_ char *fits = repeated("", "<a/>", XML_MAX_ELEMENTS - 3, "");
	_cleanup_free_ char *more = repeated("", "<a/>", XML_MAX_ELEMENTS - 2, "");
	_cleanup_domain_xml_ struct domain_xml domain = { 0 };

	cr_expect_eq(domain_xml_parse(fits, &domain, NULL), 0);
	expect_refused(more, "too many elements");
}

Test(domain_xml, more_devices_of_other_kinds_than_a_guest_can_have_are_refused)
{
	_cleanup_free_ char *fits =
		repeated("<devices>", "<shmem/>", DOMAIN_XML_MAX_DEVICES, "</devices>");
	_cleanup_free_ char *more =
		repeated("<devices>", "<shmem/>", DOMAIN_XML_MAX_DEVICES + 1, "</devices>");
	_cleanup_domain_xml_ struct domain_xml domain = { 0 };

	cr_expect_eq(domain_xml_parse(fits, &domain, NULL), 0);
	expect_refused(more, "too many devices");
}

Test(domain_xml, names_the_line_of_what_it_refuses)
{
	expect_refused("<domain>\n\n<!DOCTYPE a>", "line 3");
	expect_refused("\n<!DOCTYPE a [\n]><a/>", "document type declaration in line 2");
	expect_refused(HEAD "<a>\x01</a>" TAIL, "line 4");
	expect_refused(HEAD "<description>\x1b[2J</description>" TAIL, "line 4");
	expect_refused(HEAD "\n\n<devices>\n<hostdev type='pci'/>\n</devices>" TAIL, "line 7");
	expect_refused(HEAD "<devices>", "line 4");
}

Test(domain_xml, a_truncated_document_is_refused_wherever_it_ends)
{
	for (size_t length = 0; length < sizeof(guest) - 2; length++) {
		_cleanup_free_ char *xml = strndup(guest, length);
		struct domain_xml domain = { 0 };

		cr_assert_eq(domain_xml_parse(xml, &domain, NULL), -EBADMSG, "%zu bytes", length);
	}
}

static void expect_memory(const char *settings, uint64_t memory, uint64_t most)
{
	_cleanup_free_ char *xml = str_printf(HEAD "%s" TAIL, settings);
	_cleanup_domain_xml_ struct domain_xml domain = { 0 };

	cr_assert_eq(domain_xml_parse(xml, &domain, NULL), 0, "%s", settings);
	cr_expect_eq(domain.memory_bytes.value, memory, "%s: %ju", settings,
		     (uintmax_t)domain.memory_bytes.value);
	cr_expect_eq(domain.max_memory_bytes.value, most, "%s: %ju", settings,
		     (uintmax_t)domain.max_memory_bytes.value);
}

Test(domain_xml, reads_amounts_of_memory_as_libvirt_does)
{
	expect_memory("", 0, 0);
	expect_memory("<memory>2</memory>", 2048, 2048);
	expect_memory("<memory unit='b'>2</memory>", 2, 2);
	expect_memory("<memory unit='bytes'>2</memory>", 2, 2);
	expect_memory("<memory unit='KB'>2</memory>", 2000, 2000);
	expect_memory("<memory unit='k'> 2\n</memory>", 2048, 2048);
	expect_memory("<memory unit='KiB'>2</memory>", 2048, 2048);
	expect_memory("<memory unit='MB'>2</memory>", 2000000, 2000000);
	expect_memory("<memory unit='M'>2</memory>", 2 << 20, 2 << 20);
	expect_memory("<memory unit='MiB'>2</memory>", 2 << 20, 2 << 20);
	expect_memory("<memory unit='g'>1</memory>", 1 << 30, 1 << 30);
	expect_memory("<memory unit='TiB'>1</memory>", UINT64_C(1) << 40, UINT64_C(1) << 40);
	expect_memory("<memory unit='PiB'>1</memory>", UINT64_C(1) << 50, UINT64_C(1) << 50);
	expect_memory("<memory unit='E'>15</memory>", UINT64_C(15) << 60, UINT64_C(15) << 60);
	expect_memory("<memory>1</memory><maxMemory slots='2' unit='MiB'>1</maxMemory>", 1024,
		      1 << 20);
	expect_memory("<memory unit='MiB'>1</memory><maxMemory unit='KiB'>1</maxMemory>", 1 << 20,
		      1 << 20);
}

Test(domain_xml, refuses_what_is_no_amount_of_memory)
{
	static const char *const amounts[] = {
		"<memory/>",
		"<memory>x</memory>",
		"<memory>-1</memory>",
		"<memory>+1</memory>",
		"<memory>1.5</memory>",
		"<memory>0x10</memory>",
		"<memory>1 2</memory>",
		"<memory>99999999999999999999</memory>",
		"<memory>18014398509481984</memory>",
		"<memory unit='E'>16</memory>",
		"<memory unit='EiB'>18446744073709551615</memory>",
		"<memory unit=''>1</memory>",
		"<memory unit='Kb '>1</memory>",
		"<memory unit='Kibi'>1</memory>",
		"<memory unit='X'>1</memory>",
		"<maxMemory unit='q'>1</maxMemory>",
		"<memtune><hard_limit>many</hard_limit></memtune>",
		"<memoryBacking><hugepages><page size='2k'/></hugepages></memoryBacking>",
		"<memoryBacking><hugepages><page/></hugepages></memoryBacking>",
	};

	for (size_t i = 0; i < ARRAY_LENGTH(amounts); i++) {
		_cleanup_free_ char *xml = str_printf(HEAD "%s" TAIL, amounts[i]);

		expect_refused(xml, "in line 4: it is no amount of memory");
	}
}

Test(domain_xml, keeps_what_a_migration_needs_to_know)
{
	_cleanup_domain_xml_ struct domain_xml domain = { 0 };

	cr_assert_eq(domain_xml_parse(
		HEAD "<os><type arch='x86_64' machine='pc-q35-9.2'>hvm</type>"
		"<kernel>/boot/a</kernel></os><cpu mode='custom'><model>Icelake</model></cpu>\n"
		"<devices><emulator>/usr/bin/qemu</emulator>\n"
		"<disk type='block' device='lun'><driver cache='none'/><source dev='/dev/a'/>"
		"<target dev='sda'/><readonly/><shareable/></disk>"
		"<hostdev mode='subsystem' type='mdev' model='vfio-ap'><alias name='ua-a'/>"
		"</hostdev></devices>" TAIL, &domain, NULL), 0);
	cr_expect_str_eq(domain.type, "kvm");
	cr_expect_str_eq(domain.arch, "x86_64");
	cr_expect_str_eq(domain.machine, "pc-q35-9.2");
	cr_expect_str_eq(domain.kernel, "/boot/a");
	cr_expect_str_eq(domain.cpu, "<cpu mode=\"custom\"><model>Icelake</model></cpu>");
	cr_assert_eq(domain.num_devices, 2);
	cr_expect_eq(domain.devices[0].kind, DEVICE_DISK);
	cr_expect_str_eq(domain.devices[0].type, "block");
	cr_expect_str_eq(domain.devices[0].name, "sda");
	cr_expect_str_eq(domain.devices[0].source, "/dev/a");
	cr_expect_str_eq(domain.devices[0].detail, "none");
	cr_expect(domain.devices[0].read_only && domain.devices[0].shareable);
	cr_expect_not(domain.devices[0].transient);
	cr_expect_eq(domain.devices[0].line, 6);
	cr_expect_eq(domain.devices[1].kind, DEVICE_HOSTDEV);
	cr_expect_str_eq(domain.devices[1].model, "vfio-ap");
	cr_expect_str_eq(domain.devices[1].name, "ua-a");
}

#define QEMU_OPTIONS(options) HEAD "<qemu:commandline>" options "</qemu:commandline>" TAIL

Test(domain_xml, finds_migration_switched_off_in_options_of_qemu)
{
	static const struct {
		const char *xml;
		bool off, adds;
	} cases[] = {
		{ QEMU_OPTIONS("<qemu:arg value='a,enable-migration=off'/>"), true, false },
		{ QEMU_OPTIONS("<qemu:arg value='a,x-enable-migration=off,b'/>"), true, false },
		{ QEMU_OPTIONS("<qemu:arg value='enable-migration=on,enable-migration=off'/>"), true,
		  false },
		{ QEMU_OPTIONS("<qemu:arg value='enable-migration=on'/>"), false, false },
		{ QEMU_OPTIONS("<qemu:arg value='enable-migration'/>"), false, false },
		{ QEMU_OPTIONS("<qemu:arg value='{\"driver\":\"vfio-pci\",\"enable-migration\": "
			       "false}'/>"), true, true },
		{ QEMU_OPTIONS("<arg value='enable-migration=off'/>"), false, false },
		{ HEAD "<commandline><arg value='enable-migration=off'/></commandline>" TAIL, false,
		  false },
	};

	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		_cleanup_domain_xml_ struct domain_xml domain = { 0 };

		cr_assert_eq(domain_xml_parse(cases[i].xml, &domain, NULL), 0, "case %zu", i);
		cr_expect_eq(domain.qemu_disables_migration, cases[i].off, "case %zu", i);
		cr_expect_eq(domain.qemu_adds_vfio, cases[i].adds, "case %zu", i);
	}
}

Test(domain_xml, devices_of_another_namespace_do_not_count)
{
	_cleanup_domain_xml_ struct domain_xml domain = { 0 };

	cr_assert_eq(domain_xml_parse(HEAD "<metadata><iommu model='a'/></metadata><devices>"
				      "<qemu:iommu/><a xmlns='urn:a'><iommu/></a></devices>" TAIL,
				      &domain, NULL), 0);
	cr_expect_eq(domain.num_devices, 0);
}

Test(domain_xml, an_element_of_another_namespace_is_none_of_libvirts)
{
	_cleanup_free_ char *xml = replaced(
		guest, VF2, "<qemu:address domain='0' bus='8' slot='0' function='2'/>");

	expect_refused(xml, "no source address");
}

Test(domain_xml, more_devices_than_a_guest_can_have_are_refused)
{
	struct strbuf xml = { 0 };
	_cleanup_free_ char *text = NULL;

	strbuf_add(&xml, "<domain><name>a</name><uuid>b</uuid><devices>");
	for (unsigned int i = 0; i <= DOMAIN_XML_MAX_HOSTDEVS; i++)
		strbuf_printf(&xml, "<hostdev type='pci'><source><address domain='0' bus='%u' "
			      "slot='%u' function='%u'/></source></hostdev>", i / 256,
			      i / 8 % 32, i % 8);
	strbuf_add(&xml, "</devices></domain>");
	cr_assert_eq(strbuf_take(&xml, &text), 0);
	expect_refused(text, "too many devices");
}

Test(capabilities_xml, gives_the_hosts_uuid)
{
	_cleanup_free_ char *uuid = NULL;
	char *none = NULL;

	cr_assert_eq(capabilities_xml_uuid("<capabilities><host><uuid>abc</uuid></host>"
					   "</capabilities>", &uuid, NULL), 0);
	cr_expect_str_eq(uuid, "abc");
	cr_expect_eq(capabilities_xml_uuid("<capabilities><host/></capabilities>", &none, &error),
		     -EBADMSG);
	cr_expect_null(none);
	forget_error();
}

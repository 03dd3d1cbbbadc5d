// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/domain_xml.h"

#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

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

Test(domain_xml, changes_only_the_source_addresses)
{
	const struct vf_mapping mappings[] = {
		{ .source = "0000:08:00.3", .destination = "0001:3b:01.7" },
		{ .source = "0000:08:00.2", .destination = "0000:3b:00.2" },
	};
	_cleanup_free_ char *mapped = NULL, *step = NULL, *expected = NULL;

	cr_assert_eq(domain_xml_map(guest, mappings, 2, &mapped, &error), 0, "%s",
		     mlx5lm_error_get_message(error));
	step = replaced(guest, VF2,
			"<address domain='0x0000' bus='0x3b' slot='0x00' function='0x2'/>");
	expected = replaced(step,
			    "<address type=\"pci\" domain=\"0x0000\" bus=\"0x08\" slot=\"0x00\" "
			    "function=\"0x3\"/>",
			    "<address type=\"pci\" domain=\"0x0001\" bus=\"0x3b\" slot=\"0x01\" "
			    "function=\"0x7\"/>");
	cr_expect_str_eq(mapped, expected);
}

Test(domain_xml, two_vfs_may_change_places)
{
	const struct vf_mapping mappings[] = {
		{ .source = "0000:08:00.2", .destination = "0000:08:00.3" },
		{ .source = "0000:08:00.3", .destination = "0000:08:00.2" },
	};
	_cleanup_domain_xml_ struct domain_xml domain = { 0 };
	_cleanup_free_ char *mapped = NULL;

	cr_assert_eq(domain_xml_map(guest, mappings, 2, &mapped, NULL), 0);
	cr_assert_eq(domain_xml_parse(mapped, &domain, NULL), 0);
	cr_expect_str_eq(domain.hostdevs[0].bdf, "0000:08:00.3");
	cr_expect_str_eq(domain.hostdevs[1].bdf, "0000:08:00.2");
}

Test(domain_xml, the_same_addresses_leave_every_byte)
{
	const struct vf_mapping same = { .source = "0000:08:00.2", .destination = "0000:08:00.2" };
	_cleanup_free_ char *mapped = NULL;

	cr_assert_eq(domain_xml_map(guest, &same, 1, &mapped, NULL), 0);
	cr_expect_str_eq(mapped, guest);
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

Test(domain_xml, a_vf_that_the_domain_lacks_cannot_be_mapped)
{
	const struct vf_mapping mapping = { .source = "0000:08:00.7",
					    .destination = "0000:08:00.2" };
	char *mapped = NULL;

	cr_expect_eq(domain_xml_map(guest, &mapping, 1, &mapped, &error), -ENODEV);
	cr_expect_not_null(strstr(mlx5lm_error_get_message(error), "0000:08:00.7"));
	cr_expect_null(mapped);
	forget_error();
}

Test(domain_xml, two_devices_cannot_become_one)
{
	const struct vf_mapping mapping = { .source = "0000:08:00.2",
					    .destination = "0000:08:00.3" };
	char *mapped = NULL;

	cr_expect_eq(domain_xml_map(guest, &mapping, 1, &mapped, &error), -EBADMSG);
	cr_expect_null(mapped);
	forget_error();
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

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/domain_xml.h"

#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/hosts.h"

#define HEAD                                                                                       \
	"<domain type='kvm' id='3' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>\n"     \
	"  <name>guest</name>\n  <uuid>6f0e4bb1-6d3a-4b7a-9c6c-0a4a5a1f0001</uuid>\n"
#define TAIL "</domain>\n"
#define VF2 "<address domain='0x0000' bus='0x08' slot='0x00' function='0x2'/>"
#define VF3                                                                                        \
	"<address type=\"pci\" domain=\"0x0000\" bus=\"0x08\" slot=\"0x00\" function=\"0x3\"/>"
#define DEVICE_TAG "<hostdev mode='subsystem' type='pci' managed='yes'>"
#define DRIVER "<driver name='vfio' model='mlx5_vfio_pci'/>"
#define INTERFACE_TAG "<interface type=\"hostdev\" managed=\"yes\" >"

static const char guest[] = HEAD
	"  <description>text with <![CDATA[<address bus='0x08'/>]]> &amp; more</description>\n"
	"  <!-- <hostdev managed='yes'><source><address bus='0x08'/></source></hostdev> -->\n"
	"  <?tool <address ?>\n"
	"  <metadata><a:note xmlns:a='urn:a' quoted=\"a > b\">x</a:note></metadata>\n"
	"  <devices>\n"
	"    " DEVICE_TAG "\n"
	"      " DRIVER "\n"
	"      <source>\n        <!-- VF 0 -->" VF2 "\n      </source>\n"
	"      <alias name='hostdev0'/>\n"
	"      <address type='pci' domain='0x0000' bus='0x06' slot='0x00' function='0x0'/>\n"
	"    </hostdev>\n"
	"    " INTERFACE_TAG "\n      <mac address='52:54:00:00:00:01'/>\n"
	"      <source>\n        " VF3 "\n      </source>\n"
	"      <qemu:driver model='other'/>\n    </interface>\n"
	"    <hostdev mode='subsystem' type='usb' managed='yes'><driver model='x'/>"
	"<source><vendor id='0x1234'/></source></hostdev>\n"
	"    <interface type='bridge'><source bridge='br0'/><driver name='vhost'/></interface>\n"
	"  </devices>\n" TAIL;

static struct mlx5lm_error *error;

static void forget_error(void)
{
	mlx5lm_error_free(error);
	error = NULL;
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

/* Of the guest: each pair of texts is exchanged, and nothing else may be. */
static void expect_mapped(const char *xml, const struct vf_mapping *mappings, size_t num_mappings,
			  const char *const (*exchanged)[2], size_t num_exchanged)
{
	_cleanup_free_ char *mapped = NULL, *expected = strdup(xml);

	cr_assert_eq(domain_xml_map(xml, mappings, num_mappings, &mapped, &error), 0, "%s",
		     mlx5lm_error_get_message(error));
	for (size_t i = 0; i < num_exchanged; i++) {
		char *next = replaced(expected, exchanged[i][0], exchanged[i][1]);

		free(expected);
		expected = next;
	}
	cr_expect_str_eq(mapped, expected);
}

#define EXPECT_MAPPED(xml, mappings, ...)                                                          \
	do {                                                                                       \
		static const char *const exchanged_[][2] = { __VA_ARGS__ };                        \
		expect_mapped(xml, mappings, ARRAY_LENGTH(mappings), exchanged_,                   \
			      ARRAY_LENGTH(exchanged_));                                           \
	} while (0)

static void expect_same(const char *xml, const struct vf_mapping *mappings, size_t num_mappings)
{
	expect_mapped(xml, mappings, num_mappings, NULL, 0);
}

Test(domain_map, changes_only_the_source_addresses)
{
	static const struct vf_mapping mappings[] = {
		{ .source = "0000:08:00.3", .destination = "0001:3b:01.7" },
		{ .source = "0000:08:00.2", .destination = "0000:3b:00.2" },
	};

	EXPECT_MAPPED(guest, mappings,
		      { VF2, "<address domain='0x0000' bus='0x3b' slot='0x00' function='0x2'/>" },
		      { VF3, "<address type=\"pci\" domain=\"0x0001\" bus=\"0x3b\" slot=\"0x01\" "
			     "function=\"0x7\"/>" });
}

Test(domain_map, two_vfs_may_change_places)
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

Test(domain_map, the_same_addresses_leave_every_byte)
{
	static const struct vf_mapping same[] = {
		{ .source = "0000:08:00.2", .destination = "0000:08:00.2" },
		{ .source = "08:00.3", .destination = "08:00.3" },
	};

	expect_same(guest, same, 2);
	expect_same(guest, NULL, 0);
}

Test(domain_map, addresses_may_be_written_in_many_ways)
{
	static const struct vf_mapping mapping[] = {
		{ .source = "0000:08:00.2", .destination = "0001:41:01.7" },
	};
	static const struct {
		const char *before, *after;
	} cases[] = {
		{ "<address\tbus = '0X8'\n slot='00' function=\"2\"></address>",
		  "<address domain='0x0001'\tbus = '0x41'\n slot='0x01' function=\"0x7\"></address>" },
		{ "<address bus='&#x38;' slot='0' function='2' domain='&#48;'  />",
		  "<address bus='0x41' slot='0x01' function='0x7' domain='0x0001'  />" },
		{ "<address note='a > b &lt; \"c\"' bus='8' slot='0' function='2' type='pci'/>",
		  "<address domain='0x0001' note='a > b &lt; \"c\"' bus='0x41' slot='0x01' "
		  "function='0x7' type='pci'/>" },
		{ "<address domain='0' bus='8' slot='0' function='2'><!-- > --></address>",
		  "<address domain='0x0001' bus='0x41' slot='0x01' function='0x7'><!-- > "
		  "--></address>" },
		{ "<address domain='0' bus='8' slot='0' function='2' multifunction='on'\n/>",
		  "<address domain='0x0001' bus='0x41' slot='0x01' function='0x7' "
		  "multifunction='on'\n/>" },
	};

	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		_cleanup_free_ char *xml = replaced(guest, VF2, cases[i].before);
		const char *const exchanged[][2] = { { cases[i].before, cases[i].after } };

		expect_mapped(xml, mapping, 1, exchanged, 1);
	}
}

Test(domain_map, a_model_is_set_where_it_is_wrong)
{
	static const struct vf_mapping mapping[] = {
		{ "0000:08:00.2", "0000:08:00.4", MAP_MODEL },
	};
	_cleanup_free_ char *plain = replaced(guest, "model='mlx5_vfio_pci'", "model='vfio-pci'");
	_cleanup_free_ char *without = replaced(guest, " model='mlx5_vfio_pci'", "");

	EXPECT_MAPPED(guest, mapping, { "function='0x2'", "function='0x4'" });
	EXPECT_MAPPED(plain, mapping, { "function='0x2'", "function='0x4'" },
		      { "model='vfio-pci'", "model='mlx5_vfio_pci'" });
	EXPECT_MAPPED(without, mapping, { "function='0x2'", "function='0x4'" },
		      { "<driver name='vfio'", "<driver model='mlx5_vfio_pci' name='vfio'" });
}

Test(domain_map, a_model_is_added_where_there_is_none)
{
	static const struct vf_mapping mappings[] = {
		{ "0000:08:00.2", "0000:08:00.3", MAP_MODEL },
		{ "0000:08:00.3", "0000:08:00.2", MAP_MODEL },
	};
	_cleanup_free_ char *without = replaced(guest, "      " DRIVER "\n", "");
	_cleanup_free_ char *dense = replaced(without, DEVICE_TAG "\n      ", DEVICE_TAG);

	/* In a namespace of its own it is none of libvirt's. */
	EXPECT_MAPPED(without, mappings,
		      { DEVICE_TAG, DEVICE_TAG "\n      <driver model='mlx5_vfio_pci'/>" },
		      { "function='0x2'", "function='0x3'" },
		      { INTERFACE_TAG, INTERFACE_TAG "\n      <driver model='mlx5_vfio_pci'/>" },
		      { "function=\"0x3\"", "function=\"0x2\"" });
	EXPECT_MAPPED(dense, mappings,
		      { DEVICE_TAG, DEVICE_TAG "<driver model='mlx5_vfio_pci'/>" },
		      { "function='0x2'", "function='0x3'" },
		      { INTERFACE_TAG, INTERFACE_TAG "\n      <driver model='mlx5_vfio_pci'/>" },
		      { "function=\"0x3\"", "function=\"0x2\"" });
}

Test(domain_map, an_old_libvirt_is_told_to_leave_the_driver_alone)
{
	static const struct vf_mapping mappings[] = {
		{ "0000:08:00.2", "0000:08:00.2", MAP_UNMANAGED },
		{ "0000:08:00.3", "0000:08:00.3", MAP_UNMANAGED },
	};
	_cleanup_free_ char *alone = replaced(guest, DRIVER, "<driver\n\tmodel = \"mlx5_vfio_pci\" />");
	_cleanup_free_ char *behind = replaced(guest, "      " DRIVER "\n", "");
	_cleanup_free_ char *last = replaced(behind, "<alias name='hostdev0'/>",
					     "<alias name='hostdev0'/>" DRIVER);

	EXPECT_MAPPED(guest, mappings,
		      { DEVICE_TAG, "<hostdev mode='subsystem' type='pci' managed='no'>" },
		      { DRIVER, "<driver name='vfio'/>" },
		      { INTERFACE_TAG, "<interface type=\"hostdev\" managed=\"no\" >" });
	EXPECT_MAPPED(alone, mappings,
		      { DEVICE_TAG, "<hostdev mode='subsystem' type='pci' managed='no'>" },
		      { "<driver\n\tmodel = \"mlx5_vfio_pci\" />", "<driver />" },
		      { INTERFACE_TAG, "<interface type=\"hostdev\" managed=\"no\" >" });
	EXPECT_MAPPED(last, mappings,
		      { DEVICE_TAG, "<hostdev mode='subsystem' type='pci' managed='no'>" },
		      { DRIVER, "<driver name='vfio'/>" },
		      { INTERFACE_TAG, "<interface type=\"hostdev\" managed=\"no\" >" });
}

Test(domain_map, to_map_again_changes_nothing)
{
	static const struct vf_mapping mappings[] = {
		{ "0000:08:00.2", "0001:3b:00.4", MAP_UNMANAGED },
		{ "0000:08:00.3", "0001:3b:00.5", MAP_MODEL },
	};
	static const struct vf_mapping same[] = {
		{ "0001:3b:00.4", "0001:3b:00.4", MAP_UNMANAGED },
		{ "0001:3b:00.5", "0001:3b:00.5", MAP_MODEL },
	};
	_cleanup_free_ char *mapped = NULL;

	cr_assert_eq(domain_xml_map(guest, mappings, 2, &mapped, &error), 0);
	expect_same(mapped, same, 2);
}

Test(domain_map, many_devices_are_mapped_at_once)
{
	struct strbuf before = { 0 }, after = { 0 };
	_cleanup_free_ char *xml = NULL, *expected = NULL, *mapped = NULL;
	struct vf_mapping mappings[DOMAIN_XML_MAX_HOSTDEVS];

	strbuf_add(&before, HEAD "<devices>");
	strbuf_add(&after, HEAD "<devices>");
	for (unsigned int i = 0; i < ARRAY_LENGTH(mappings); i++) {
		static const char format[] = "<hostdev type='pci'><source><address domain='0' "
					     "bus='0x%02x' slot='0x%02x' function='0x%x'/>"
					     "</source></hostdev>\n<!-- > -->";

		strbuf_printf(&before, format, 8, i / 8, i % 8);
		strbuf_printf(&after, format, 9, i / 8, i % 8);
		snprintf(mappings[i].source, BDF_TEXT_SIZE, "0000:08:%02x.%x", i / 8, i % 8);
		snprintf(mappings[i].destination, BDF_TEXT_SIZE, "0000:09:%02x.%x", i / 8, i % 8);
		mappings[i].driver = MAP_KEEP;
	}
	strbuf_add(&before, "</devices>" TAIL);
	strbuf_add(&after, "</devices>" TAIL);
	cr_assert_eq(strbuf_take(&before, &xml), 0);
	cr_assert_eq(strbuf_take(&after, &expected), 0);
	cr_assert_eq(domain_xml_map(xml, mappings, ARRAY_LENGTH(mappings), &mapped, &error), 0,
		     "%s", mlx5lm_error_get_message(error));
	cr_expect_str_eq(mapped, expected);
}

Test(domain_map, a_vf_that_the_domain_lacks_cannot_be_mapped)
{
	const struct vf_mapping mapping = { .source = "0000:08:00.7",
					    .destination = "0000:08:00.2" };
	char *mapped = NULL;

	cr_expect_eq(domain_xml_map(guest, &mapping, 1, &mapped, &error), -ENODEV);
	cr_expect_not_null(strstr(mlx5lm_error_get_message(error), "0000:08:00.7"));
	cr_expect_null(mapped);
	forget_error();
}

Test(domain_map, two_devices_cannot_become_one)
{
	const struct vf_mapping mapping = { .source = "0000:08:00.2",
					    .destination = "0000:08:00.3" };
	char *mapped = NULL;

	cr_expect_eq(domain_xml_map(guest, &mapping, 1, &mapped, &error), -EBADMSG);
	cr_expect_null(mapped);
	forget_error();
}

Test(domain_map, what_is_no_address_is_refused)
{
	const struct vf_mapping mapping = { .source = "0000:08:00.2", .destination = "nowhere" };
	char *mapped = NULL;

	cr_expect_lt(domain_xml_map(guest, &mapping, 1, &mapped, &error), 0);
	cr_expect_eq(mlx5lm_error_get_code(error), MLX5LM_ERROR_INVALID_DOCUMENT);
	cr_expect_null(mapped);
	forget_error();
	cr_expect_eq(domain_xml_map("<domain", &mapping, 1, &mapped, &error), -EBADMSG);
	cr_expect_null(mapped);
	forget_error();
}

Test(domain_map, an_interface_of_a_default_namespace_is_none_of_libvirts)
{
	_cleanup_free_ char *xml = replaced(guest, "<interface type=\"hostdev\"",
					    "<interface xmlns='urn:a' type=\"hostdev\"");
	const struct vf_mapping mapping = { .source = "0000:08:00.3",
					    .destination = "0000:08:00.4" };
	char *mapped = NULL;

	cr_expect_eq(domain_xml_map(xml, &mapping, 1, &mapped, NULL), -ENODEV);
	cr_expect_null(mapped);
}

/* The way for a device of this model at a libvirt of this version; 0: not known. */
static enum map_driver way(uint64_t version, bool managed, const char *model, uint32_t state)
{
	struct mlx5lm_host *host = ready_host("b", 1);
	const struct hostdev hostdev = { .managed = managed, .driver_model = (char *)model };
	enum map_driver driver;

	for (size_t i = 0; i < host->num_modules; i++) {
		if (streq(host->modules[i].name, "mlx5_vfio_pci"))
			host->modules[i].state = state;
	}
	driver = domain_map_driver(host, (struct fact_u64){ version != 0, version }, &hostdev);
	mlx5lm_host_free(host);
	return driver;
}

Test(domain_map, the_driver_is_left_to_a_libvirt_that_knows_it)
{
	const uint32_t loaded = MLX5LM_MODULE_LOADED, builtin = MLX5LM_MODULE_BUILTIN;

	cr_expect_eq(way(11003000, true, NULL, loaded), MAP_KEEP);
	cr_expect_eq(way(10000000, true, "mlx5_vfio_pci", loaded), MAP_KEEP);
	cr_expect_eq(way(10000000, true, "mlx5-vfio-pci", loaded), MAP_KEEP);
	cr_expect_eq(way(10000000, false, NULL, builtin), MAP_KEEP);
	cr_expect_eq(way(10000000, false, "vfio-pci", loaded), MAP_KEEP);
	cr_expect_eq(way(10000000, true, "vfio-pci", loaded), MAP_MODEL, "it would be bound");
	cr_expect_eq(way(10000000, true, NULL, builtin), MAP_MODEL, "it would not be found");
	cr_expect_eq(way(9010000, true, NULL, loaded), MAP_UNMANAGED);
	cr_expect_eq(way(9010000, true, "mlx5_vfio_pci", loaded), MAP_UNMANAGED);
	cr_expect_eq(way(9010000, false, "mlx5_vfio_pci", loaded), MAP_UNMANAGED);
	cr_expect_eq(way(9010000, false, NULL, loaded), MAP_KEEP);
	cr_expect_eq(way(0, true, "vfio-pci", builtin), MAP_KEEP);
}

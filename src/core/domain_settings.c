// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/domain_xml_parts.h"

#include <errno.h>
#include <strings.h>

#include "core/xml.h"

#define QEMU_NAMESPACE "http://libvirt.org/schemas/domain/qemu/1.0"

/* While the settings are read; fault is the first element that is no amount. */
struct reader {
	bool no_memory;
	const xmlNode *fault;
};

/* How many bytes libvirt's name of a unit stands for; 0 if it is none. */
static uint64_t unit_bytes(const char *unit)
{
	static const char letters[] = "kmgtpe";
	const char *letter;
	uint64_t base, bytes = 1;

	if (!strcasecmp(unit, "b") || !strcasecmp(unit, "byte") || !strcasecmp(unit, "bytes"))
		return 1;
	letter = unit[0] ? strchr(letters, unit[0] | 0x20) : NULL;
	if (!letter)
		return 0;
	if (!unit[1] || !strcasecmp(unit + 1, "iB"))
		base = 1024;
	else if (!strcasecmp(unit + 1, "B"))
		base = 1000;
	else
		return 0;
	for (const char *at = letters; at <= letter; at++)
		bytes *= base;
	return bytes;
}

static bool to_bytes(const char *number, const char *unit, struct fact_u64 *ret)
{
	uint64_t amount, bytes;

	while (*number == ' ' || *number == '\n' || *number == '\t' || *number == '\r')
		number++;
	bytes = unit_bytes(unit ? unit : "KiB");
	if (!bytes || *number < '0' || *number > '9' || str_to_u64(number, 10, &amount) < 0 ||
	    __builtin_mul_overflow(amount, bytes, &amount))
		return false;
	*ret = fact_u64(amount);
	return true;
}

/* The amount that stands in an element, or in an attribute of it. */
static struct fact_u64 read_amount(struct reader *reader, const xmlNode *node,
				   const char *attribute)
{
	_cleanup_free_ char *number = NULL, *unit = NULL;
	struct fact_u64 amount = { 0 };

	if (!node)
		return amount;
	number = attribute ? xml_attribute(node, attribute, &reader->no_memory) :
			     xml_content(node, &reader->no_memory);
	unit = xml_attribute(node, "unit", &reader->no_memory);
	if (reader->no_memory)
		return amount;
	if (number)
		str_trim_end(number);
	if ((!number || !to_bytes(number, unit, &amount)) && !reader->fault)
		reader->fault = node;
	return amount;
}

/* An attribute of an element that may be missing. */
static char *read_attribute(struct reader *reader, const xmlNode *node, const char *name)
{
	return node ? xml_attribute(node, name, &reader->no_memory) : NULL;
}

static char *read_text(struct reader *reader, const xmlNode *parent, const char *name)
{
	const xmlNode *node = parent ? xml_child(parent, name) : NULL;

	return node ? xml_content(node, &reader->no_memory) : NULL;
}

static bool has(struct reader *reader, const xmlNode *node, const char *name, const char *value)
{
	return node && xml_attribute_is(node, name, value, &reader->no_memory);
}

static void read_hugepages(struct reader *reader, const xmlNode *hugepages,
			   struct domain_xml *domain)
{
	domain->has_hugepages = true;
	for (const xmlNode *node = hugepages->children; node; node = node->next) {
		struct fact_u64 size;

		if (!xml_is(node, "page"))
			continue;
		size = read_amount(reader, node, "size");
		if (domain->hugepage_bytes.known && domain->hugepage_bytes.value != size.value)
			domain->has_several_hugepage_sizes = true;
		domain->hugepage_bytes = size;
	}
}

static void read_memory(struct reader *reader, const xmlNode *root, struct domain_xml *domain)
{
	const xmlNode *backing = xml_child(root, "memoryBacking");
	const xmlNode *tune = xml_child(root, "memtune");
	const xmlNode *hugepages = backing ? xml_child(backing, "hugepages") : NULL;

	domain->memory_bytes = read_amount(reader, xml_child(root, "memory"), NULL);
	domain->max_memory_bytes = read_amount(reader, xml_child(root, "maxMemory"), NULL);
	if (domain->max_memory_bytes.value < domain->memory_bytes.value)
		domain->max_memory_bytes = domain->memory_bytes;
	if (tune)
		domain->memory_hard_limit_bytes =
			read_amount(reader, xml_child(tune, "hard_limit"), NULL);
	if (hugepages)
		read_hugepages(reader, hugepages, domain);
}

static void read_cpu(struct reader *reader, const xmlNode *root, struct domain_xml *domain)
{
	const xmlNode *cpu = xml_child(root, "cpu");
	const xmlNode *clock = xml_child(root, "clock");

	for (const xmlNode *node = clock ? clock->children : NULL; node; node = node->next) {
		if (xml_is(node, "timer") && has(reader, node, "name", "tsc") &&
		    xmlHasProp(node, (const xmlChar *)"frequency"))
			domain->has_tsc_frequency = true;
	}
	if (!cpu)
		return;
	domain->cpu = xml_element_text(cpu, &reader->no_memory);
	domain->cpu_mode = read_attribute(reader, cpu, "mode");
	domain->has_cpu_model = xml_child(cpu, "model") != NULL;
	domain->cpu_is_not_migratable = has(reader, cpu, "migratable", "off");
	for (const xmlNode *node = cpu->children; node; node = node->next) {
		if (xml_is(node, "feature") && has(reader, node, "name", "invtsc") &&
		    !has(reader, node, "policy", "disable") &&
		    !has(reader, node, "policy", "forbid"))
			domain->has_invtsc = true;
	}
}

static void read_os(struct reader *reader, const xmlNode *root, struct domain_xml *domain)
{
	const xmlNode *os = xml_child(root, "os");
	const xmlNode *type = os ? xml_child(os, "type") : NULL;
	const xmlNode *features = xml_child(root, "features");
	const xmlNode *hyperv = features ? xml_child(features, "hyperv") : NULL;

	domain->type = read_attribute(reader, root, "type");
	domain->arch = read_attribute(reader, type, "arch");
	domain->machine = read_attribute(reader, type, "machine");
	domain->kernel = read_text(reader, os, "kernel");
	domain->has_hyperv_passthrough = has(reader, hyperv, "mode", "passthrough");
	domain->launch_security =
		read_attribute(reader, xml_child(root, "launchSecurity"), "type");
}

static void read_pinning(const xmlNode *root, struct domain_xml *domain)
{
	const xmlNode *cputune = xml_child(root, "cputune");
	const xmlNode *numatune = xml_child(root, "numatune");

	domain->is_pinned = (cputune && (xml_child(cputune, "vcpupin") ||
					 xml_child(cputune, "emulatorpin"))) ||
			    (numatune && (xml_child(numatune, "memory") ||
					  xml_child(numatune, "memnode")));
}

/* "enable-migration=off" of an option, "enable-migration":false of one in JSON. */
static bool switches_migration_off(const char *option)
{
	static const char *const values[] = { "=off", "=no", "=false", "\":false", "\": false" };
	static const char name[] = "enable-migration";

	for (const char *at = strstr(option, name); at; at = strstr(at, name)) {
		at += sizeof(name) - 1;
		for (size_t i = 0; i < ARRAY_LENGTH(values); i++) {
			if (!strncmp(at, values[i], strlen(values[i])))
				return true;
		}
	}
	return false;
}

static bool is_of_qemu(const xmlNode *node, const char *name)
{
	return node->type == XML_ELEMENT_NODE && node->ns && streq((const char *)node->name, name) &&
	       streq((const char *)node->ns->href, QEMU_NAMESPACE);
}

static void read_qemu_option(struct reader *reader, const xmlNode *node, struct domain_xml *domain)
{
	_cleanup_free_ char *value = NULL;

	if (is_of_qemu(node, "commandline") || is_of_qemu(node, "override"))
		domain->has_qemu_options = true;
	value = read_attribute(reader, node, "value");
	if (!value)
		return;
	if (is_of_qemu(node, "arg")) {
		domain->qemu_disables_migration |= switches_migration_off(value);
		domain->qemu_adds_vfio |= strstr(value, "vfio-pci") != NULL;
	} else if (is_of_qemu(node, "property") &&
		   (has(reader, node, "name", "enable-migration") ||
		    has(reader, node, "name", "x-enable-migration"))) {
		domain->qemu_disables_migration |= streq(value, "off") || streq(value, "false") ||
						   streq(value, "no");
	}
}

static void read_qemu_options(struct reader *reader, const xmlNode *root,
			      struct domain_xml *domain)
{
	for (const xmlNode *child = root->children; child; child = child->next) {
		if (!is_of_qemu(child, "commandline") && !is_of_qemu(child, "override"))
			continue;
		for (const xmlNode *node = child; node; node = xml_next(child, node)) {
			if (node->type == XML_ELEMENT_NODE)
				read_qemu_option(reader, node, domain);
		}
	}
}

int domain_xml_read_settings(struct domain_xml *domain, const xmlNode *root,
			     const xmlNode **ret_fault)
{
	struct reader reader = { 0 };

	read_os(&reader, root, domain);
	read_memory(&reader, root, domain);
	read_cpu(&reader, root, domain);
	read_pinning(root, domain);
	read_qemu_options(&reader, root, domain);
	if (reader.no_memory)
		return -ENOMEM;
	*ret_fault = reader.fault;
	return reader.fault ? -EBADMSG : 0;
}

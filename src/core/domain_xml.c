// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/domain_xml.h"

#include <errno.h>

#include "base/array.h"
#include "core/xml.h"

static const char *const what = "domain XML";

/* Of capabilities: of a CPU model or a transport, and of transports. */
#define MAX_NAME_LENGTH 128
#define MAX_TRANSPORTS 16

static int bad(struct mlx5lm_error **reterr, const xmlNode *node, const char *why)
{
	return error_set(reterr, MLX5LM_ERROR_INVALID_DOCUMENT, EBADMSG, MLX5LM_SOURCE_LIBRARY,
			 "%s refused: <%s> in line %ld: %s", what, (const char *)node->name,
			 xmlGetLineNo(node), why);
}

/* A part of an address, "0x40" or "64" as libvirt reads them. */
static int parse_part(const xmlNode *address, const char *name, bool required, uint64_t max,
		      uint64_t *ret, struct mlx5lm_error **reterr)
{
	bool no_memory = false;
	_cleanup_free_ char *text = xml_attribute(address, name, &no_memory);

	if (no_memory)
		return error_no_memory(reterr);
	*ret = 0;
	if (!text)
		return required ? bad(reterr, address, "an attribute of the address is missing") :
				  0;
	if (text[0] < '0' || text[0] > '9' || str_to_u64(text, 0, ret) < 0 || *ret > max)
		return bad(reterr, address, "an attribute of the address is no such number");
	return 0;
}

static int parse_address(const xmlNode *address, char bdf_text[static BDF_TEXT_SIZE],
			 struct mlx5lm_error **reterr)
{
	uint64_t domain, bus, slot, function;
	struct bdf bdf;
	int r;

	r = parse_part(address, "domain", false, UINT32_MAX, &domain, reterr);
	if (r == 0)
		r = parse_part(address, "bus", true, 0xff, &bus, reterr);
	if (r == 0)
		r = parse_part(address, "slot", true, 0x1f, &slot, reterr);
	if (r == 0)
		r = parse_part(address, "function", true, 7, &function, reterr);
	if (r < 0)
		return r;
	bdf = (struct bdf){ .domain = (uint32_t)domain,
			    .bus = (uint8_t)bus,
			    .device = (uint8_t)slot,
			    .function = (uint8_t)function };
	bdf_format(&bdf, bdf_text);
	return 0;
}

static int attribute_is(const xmlNode *node, const char *name, const char *value)
{
	bool no_memory = false;
	_cleanup_free_ char *text = xml_attribute(node, name, &no_memory);

	return no_memory ? -ENOMEM : streq(text, value);
}

/* 1 if the element stands for a PCI device of the host, 0 if not. */
static int is_hostdev(const xmlNode *node)
{
	int r;

	if (xml_is(node, "interface"))
		return attribute_is(node, "type", "hostdev");
	if (!xml_is(node, "hostdev"))
		return 0;
	r = attribute_is(node, "type", "pci");
	if (r <= 0)
		return r;
	/* subsystem is libvirt's default */
	r = attribute_is(node, "mode", "capabilities");
	return r < 0 ? r : !r;
}

static const struct hostdev *find(const struct domain_xml *domain, const char *bdf)
{
	for (size_t i = 0; i < domain->num_hostdevs; i++) {
		if (bdf_equal(domain->hostdevs[i].bdf, bdf))
			return &domain->hostdevs[i];
	}
	return NULL;
}

bool domain_xml_has(const struct domain_xml *domain, const char *bdf)
{
	return find(domain, bdf) != NULL;
}

static int fill_hostdev(const xmlNode *node, const xmlNode *address, struct hostdev *hostdev,
			struct mlx5lm_error **reterr)
{
	const xmlNode *driver = xml_child(node, "driver");
	bool no_memory = false;
	int managed;

	managed = attribute_is(node, "managed", "yes");
	if (driver)
		hostdev->driver_model = xml_attribute(driver, "model", &no_memory);
	if (no_memory || managed < 0)
		return error_no_memory(reterr);
	hostdev->managed = managed;
	hostdev->is_interface = xml_is(node, "interface");
	return parse_address(address, hostdev->bdf, reterr);
}

static int add_hostdev(struct domain_xml *domain, const xmlNode *node,
		       struct mlx5lm_error **reterr)
{
	const xmlNode *source = xml_child(node, "source");
	const xmlNode *address = source ? xml_child(source, "address") : NULL;
	struct hostdev hostdev = { 0 };
	int r;

	if (domain->num_hostdevs == DOMAIN_XML_MAX_HOSTDEVS)
		return bad(reterr, node, "there are too many devices of the host");
	if (!address)
		return bad(reterr, node, "it has no source address");
	r = fill_hostdev(node, address, &hostdev, reterr);
	if (r == 0 && find(domain, hostdev.bdf))
		r = bad(reterr, address, "the same device stands there twice");
	if (r == 0 && array_reserve(&domain->hostdevs, &domain->allocated_hostdevs,
				    domain->num_hostdevs + 1, sizeof(hostdev)))
		r = error_no_memory(reterr);
	if (r < 0) {
		free(hostdev.driver_model);
		return r;
	}
	domain->hostdevs[domain->num_hostdevs++] = hostdev;
	return 0;
}

/* Finds the place of each hostdev's source address, which domain_xml_map() edits. */
static void number_elements(struct domain_xml *domain, const xmlNode *root)
{
	const xmlNode *devices = xml_child(root, "devices");
	size_t element = 0, next = 0;

	for (const xmlNode *node = root; node; node = xml_next(root, node)) {
		if (node->type != XML_ELEMENT_NODE)
			continue;
		/* Hostdevs were added in document order, each with the first address of its source. */
		if (next < domain->num_hostdevs && xml_is(node, "address") &&
		    xml_is(node->parent, "source") && node->parent->parent->parent == devices &&
		    is_hostdev(node->parent->parent) > 0 &&
		    xml_child(node->parent->parent, "source") == node->parent &&
		    xml_child(node->parent, "address") == node)
			domain->hostdevs[next++].element = element;
		element++;
	}
}

static int parse_devices(struct domain_xml *domain, const xmlNode *root,
			 struct mlx5lm_error **reterr)
{
	const xmlNode *devices = xml_child(root, "devices");
	int r = 0;

	for (const xmlNode *node = devices ? devices->children : NULL; node; node = node->next) {
		r = is_hostdev(node);
		if (r < 0)
			return error_no_memory(reterr);
		if (r > 0)
			r = add_hostdev(domain, node, reterr);
		if (r < 0)
			return r;
	}
	return 0;
}

static int parse_child_text(const xmlNode *root, const char *name, char **ret,
			    struct mlx5lm_error **reterr)
{
	const xmlNode *node = xml_child(root, name);
	bool no_memory = false;

	if (!node)
		return bad(reterr, root, "its name or uuid is missing");
	*ret = xml_content(node, &no_memory);
	return no_memory ? error_no_memory(reterr) : 0;
}

int domain_xml_parse(const char *xml, struct domain_xml *ret, struct mlx5lm_error **reterr)
{
	_cleanup_xml_ xmlDoc *document = NULL;
	_cleanup_domain_xml_ struct domain_xml domain = { 0 };
	const xmlNode *root;
	int r;

	r = xml_parse(xml, what, DOMAIN_XML_MAX_BYTES, DOMAIN_XML_MAX_DEPTH, &document, reterr);
	if (r < 0)
		return r;
	root = xmlDocGetRootElement(document);
	if (!xml_is(root, "domain"))
		return bad(reterr, root, "<domain> expected");
	r = parse_child_text(root, "name", &domain.name, reterr);
	if (r == 0)
		r = parse_child_text(root, "uuid", &domain.uuid, reterr);
	if (r == 0)
		r = parse_devices(&domain, root, reterr);
	if (r < 0)
		return r;
	number_elements(&domain, root);
	*ret = domain;
	domain = (struct domain_xml){ 0 };
	return 0;
}

void domain_xml_release(struct domain_xml *domain)
{
	for (size_t i = 0; i < domain->num_hostdevs; i++)
		free(domain->hostdevs[i].driver_model);
	free(domain->hostdevs);
	free(domain->name);
	free(domain->uuid);
	*domain = (struct domain_xml){ 0 };
}

/* Replaces length bytes at offset. */
static int splice(char **text, size_t offset, size_t length, const char *with)
{
	char *spliced = str_printf("%.*s%s%s", (int)offset, *text, with, *text + offset + length);

	if (!spliced)
		return -ENOMEM;
	free(*text);
	*text = spliced;
	return 0;
}

static int set_part(char **text, size_t tag, const char *name, unsigned int old_value,
		    unsigned int value, int digits)
{
	_cleanup_free_ char *number = str_printf("0x%0*x", digits, value);
	_cleanup_free_ char *attribute = NULL;
	size_t offset, length;
	int r;

	if (!number)
		return -ENOMEM;
	if (value == old_value)
		return 0;
	r = xml_find_attribute(*text, tag, name, &offset, &length);
	if (r == 0)
		return splice(text, offset, length, number);
	if (r != -ENOENT)
		return r;
	/* Only the PCI domain may be left out. */
	attribute = str_printf(" %s='%s'", name, number);
	if (!attribute)
		return -ENOMEM;
	return splice(text, tag + strlen("<address"), 0, attribute);
}

static int set_address(char **text, const struct hostdev *hostdev, const char *destination)
{
	struct bdf from, to;
	size_t tag;
	int r;

	if (bdf_parse(hostdev->bdf, &from) < 0 || bdf_parse(destination, &to) < 0)
		return -EINVAL;
	r = xml_find_tag(*text, hostdev->element, &tag);
	if (r < 0)
		return r;
	if (strncmp(*text + tag, "<address", strlen("<address")) != 0)
		return -EBADMSG;
	r = set_part(text, tag, "domain", from.domain, to.domain, 4);
	if (r == 0)
		r = set_part(text, tag, "bus", from.bus, to.bus, 2);
	if (r == 0)
		r = set_part(text, tag, "slot", from.device, to.device, 2);
	if (r == 0)
		r = set_part(text, tag, "function", from.function, to.function, 1);
	return r;
}

static const struct vf_mapping *find_mapping(const struct vf_mapping *mappings, size_t num_mappings,
				       const char *source)
{
	for (size_t i = 0; i < num_mappings; i++) {
		if (bdf_equal(mappings[i].source, source))
			return &mappings[i];
	}
	return NULL;
}

/* Reads the result again: exactly the wanted addresses, and the same domain otherwise. */
static int check_mapped(const struct domain_xml *domain, const char *mapped_xml,
			const struct vf_mapping *mappings, size_t num_mappings,
			struct mlx5lm_error **reterr)
{
	_cleanup_domain_xml_ struct domain_xml mapped = { 0 };
	bool same;
	int r;

	r = domain_xml_parse(mapped_xml, &mapped, reterr);
	if (r < 0)
		return r;
	same = streq(domain->name, mapped.name) && streq(domain->uuid, mapped.uuid) &&
	       domain->num_hostdevs == mapped.num_hostdevs;
	for (size_t i = 0; same && i < mapped.num_hostdevs; i++) {
		const char *source = domain->hostdevs[i].bdf;
		const struct vf_mapping *mapping = find_mapping(mappings, num_mappings, source);

		same = bdf_equal(mapped.hostdevs[i].bdf, mapping ? mapping->destination : source) &&
		       mapped.hostdevs[i].element == domain->hostdevs[i].element;
	}
	if (!same)
		return error_set(reterr, MLX5LM_ERROR_INVALID_DOCUMENT, EBADMSG,
				 MLX5LM_SOURCE_LIBRARY,
				 "%s of '%s' could not be changed for the destination", what,
				 domain->name);
	return 0;
}

int domain_xml_map(const char *xml, const struct vf_mapping *mappings, size_t num_mappings, char **ret,
		   struct mlx5lm_error **reterr)
{
	_cleanup_domain_xml_ struct domain_xml domain = { 0 };
	_cleanup_free_ char *text = NULL;
	int r;

	r = domain_xml_parse(xml, &domain, reterr);
	if (r < 0)
		return r;
	text = strdup(xml);
	if (!text)
		return error_no_memory(reterr);
	for (size_t i = 0; i < num_mappings; i++) {
		const struct hostdev *hostdev = find(&domain, mappings[i].source);

		if (!hostdev)
			return error_set(reterr, MLX5LM_ERROR_VF, ENODEV, MLX5LM_SOURCE_LIBRARY,
					 "domain '%s' does not have the VF %s", domain.name,
					 mappings[i].source);
		r = set_address(&text, hostdev, mappings[i].destination);
		if (r == -ENOMEM)
			return error_no_memory(reterr);
		if (r < 0)
			return error_set(reterr, MLX5LM_ERROR_INVALID_DOCUMENT, -r,
					 MLX5LM_SOURCE_LIBRARY,
					 "%s of '%s': the address of %s could not be replaced",
					 what, domain.name, mappings[i].source);
	}
	r = check_mapped(&domain, text, mappings, num_mappings, reterr);
	if (r < 0)
		return r;
	*ret = TAKE(text);
	return 0;
}

void capabilities_release(struct capabilities *capabilities)
{
	free(capabilities->uuid);
	free(capabilities->migration_transports);
	free(capabilities->cpu_model);
	free(capabilities->cpu_vendor);
	*capabilities = (struct capabilities){ 0 };
}

/* A name that libvirt has for something: no spaces, and not without end. */
static bool is_name(const char *text)
{
	size_t length = strnlen(text, MAX_NAME_LENGTH + 1);

	for (size_t i = 0; i < length; i++) {
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	}
	return length && length <= MAX_NAME_LENGTH;
}

/* *ret is left alone if there is no such element, or no name in it. 0 or -ENOMEM. */
static int read_name(const xmlNode *parent, const char *name, char **ret)
{
	const xmlNode *node = parent ? xml_child(parent, name) : NULL;
	_cleanup_free_ char *text = NULL;
	bool no_memory = false;

	if (!node)
		return 0;
	text = xml_content(node, &no_memory);
	if (no_memory)
		return -ENOMEM;
	if (is_name(text))
		*ret = TAKE(text);
	return 0;
}

static int read_transports(const xmlNode *features, char **ret)
{
	const xmlNode *list = xml_child(features, "uri_transports");
	_cleanup_(strv_release) struct strv names = { 0 };
	_cleanup_(strbuf_release) struct strbuf text = { 0 };
	bool no_memory = false;

	for (const xmlNode *node = list ? list->children : NULL; node; node = node->next) {
		_cleanup_free_ char *name = NULL;

		if (!xml_is(node, "uri_transport") || names.length == MAX_TRANSPORTS)
			continue;
		name = xml_content(node, &no_memory);
		if (no_memory || (is_name(name) && strv_take(&names, TAKE(name)) < 0))
			return -ENOMEM;
	}
	strv_sort(&names);
	for (size_t i = 0; i < names.length; i++) {
		if (i == 0 || !streq(names.items[i], names.items[i - 1]))
			strbuf_printf(&text, "%s%s", i ? " " : "", names.items[i]);
	}
	return names.length ? strbuf_take(&text, ret) : 0;
}

static int read_host(const xmlNode *host, struct capabilities *capabilities)
{
	const xmlNode *uuid = xml_child(host, "uuid");
	const xmlNode *cpu = xml_child(host, "cpu");
	const xmlNode *features = xml_child(host, "migration_features");
	bool no_memory = false;

	if (uuid)
		capabilities->uuid = xml_content(uuid, &no_memory);
	if (no_memory || read_name(cpu, "model", &capabilities->cpu_model) < 0 ||
	    read_name(cpu, "vendor", &capabilities->cpu_vendor) < 0)
		return -ENOMEM;
	if (!features)
		return 0;
	capabilities->live_migration = xml_child(features, "live") ? MLX5LM_ANSWER_YES :
								     MLX5LM_ANSWER_NO;
	return read_transports(features, &capabilities->migration_transports);
}

int capabilities_xml_parse(const char *xml, struct capabilities *ret, struct mlx5lm_error **reterr)
{
	_cleanup_capabilities_ struct capabilities capabilities = { 0 };
	_cleanup_xml_ xmlDoc *document = NULL;
	const xmlNode *host;
	int r;

	r = xml_parse(xml, "capabilities XML", DOMAIN_XML_MAX_BYTES, DOMAIN_XML_MAX_DEPTH,
		      &document, reterr);
	if (r < 0)
		return r;
	host = xml_child(xmlDocGetRootElement(document), "host");
	if (host && read_host(host, &capabilities) < 0)
		return error_no_memory(reterr);
	*ret = capabilities;
	capabilities = (struct capabilities){ 0 };
	return 0;
}

int capabilities_xml_uuid(const char *xml, char **ret, struct mlx5lm_error **reterr)
{
	_cleanup_capabilities_ struct capabilities capabilities = { 0 };
	int r;

	r = capabilities_xml_parse(xml, &capabilities, reterr);
	if (r < 0)
		return r;
	if (!capabilities.uuid)
		return error_set(reterr, MLX5LM_ERROR_INVALID_DOCUMENT, EBADMSG,
				 MLX5LM_SOURCE_LIBRARY, "capabilities XML has no host UUID");
	*ret = TAKE(capabilities.uuid);
	return 0;
}

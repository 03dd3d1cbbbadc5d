// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/domain_xml.h"

#include <errno.h>

#include "base/array.h"
#include "core/domain_xml_parts.h"
#include "core/xml.h"

static const char *const what = "domain XML";

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

/* Does the element stand for a PCI device of the host? */
static bool is_hostdev(const xmlNode *node, bool *no_memory)
{
	if (xml_is(node, "interface"))
		return xml_attribute_is(node, "type", "hostdev", no_memory);
	/* subsystem is libvirt's default mode */
	return xml_is(node, "hostdev") && xml_attribute_is(node, "type", "pci", no_memory) &&
	       !xml_attribute_is(node, "mode", "capabilities", no_memory);
}

const struct hostdev *domain_xml_find(const struct domain_xml *domain, const char *bdf)
{
	for (size_t i = 0; i < domain->num_hostdevs; i++) {
		if (bdf_equal(domain->hostdevs[i].bdf, bdf))
			return &domain->hostdevs[i];
	}
	return NULL;
}

bool domain_xml_has(const struct domain_xml *domain, const char *bdf)
{
	return domain_xml_find(domain, bdf) != NULL;
}

static int fill_hostdev(const xmlNode *node, const xmlNode *address, struct hostdev *hostdev,
			struct mlx5lm_error **reterr)
{
	const xmlNode *driver = xml_child(node, "driver");
	const xmlNode *teaming = xml_child(node, "teaming");
	bool no_memory = false;

	hostdev->managed = xml_attribute_is(node, "managed", "yes", &no_memory);
	hostdev->is_interface = xml_is(node, "interface");
	if (driver) {
		hostdev->driver_model = xml_attribute(driver, "model", &no_memory);
		hostdev->driver_name = xml_attribute(driver, "name", &no_memory);
	}
	if (teaming)
		hostdev->is_unplugged = xml_attribute_is(teaming, "type", "transient", &no_memory);
	if (no_memory)
		return error_no_memory(reterr);
	return parse_address(address, hostdev->bdf, reterr);
}

static void hostdev_release(struct hostdev *hostdev)
{
	free(hostdev->driver_model);
	free(hostdev->driver_name);
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
	if (r == 0 && domain_xml_find(domain, hostdev.bdf))
		r = bad(reterr, address, "the same device stands there twice");
	if (r == 0 && array_reserve(&domain->hostdevs, &domain->allocated_hostdevs,
				    domain->num_hostdevs + 1, sizeof(hostdev)))
		r = error_no_memory(reterr);
	if (r < 0) {
		hostdev_release(&hostdev);
		return r;
	}
	domain->hostdevs[domain->num_hostdevs++] = hostdev;
	return 0;
}

/* Is this the first <address> of the first <source> of a hostdev? */
static bool is_source_address(const xmlNode *node, const xmlNode *devices)
{
	bool no_memory = false; /* each was asked before */

	return xml_is(node, "address") && xml_is(node->parent, "source") &&
	       node->parent->parent->parent == devices &&
	       is_hostdev(node->parent->parent, &no_memory) &&
	       xml_child(node->parent->parent, "source") == node->parent &&
	       xml_child(node->parent, "address") == node;
}

/* Hostdevs were added in document order; a <driver> may stand before or behind the <source>. */
static void number_elements(struct domain_xml *domain, const xmlNode *root)
{
	const xmlNode *devices = xml_child(root, "devices"), *device = NULL;
	size_t element = 0, device_element = 0, driver_element = 0, next = 0;
	struct hostdev *hostdev = NULL;

	for (const xmlNode *node = root; node; node = xml_next(root, node)) {
		if (node->type != XML_ELEMENT_NODE)
			continue;
		if (devices && node->parent == devices) {
			device = node;
			device_element = element;
			driver_element = 0;
			hostdev = NULL;
		} else if (device && node->parent == device && !driver_element &&
			   xml_is(node, "driver")) {
			driver_element = element;
			if (hostdev)
				hostdev->driver_element = element;
		} else if (next < domain->num_hostdevs && is_source_address(node, devices)) {
			hostdev = &domain->hostdevs[next++];
			hostdev->element = element;
			hostdev->device_element = device_element;
			hostdev->driver_element = driver_element;
		}
		element++;
	}
}

static int parse_devices(struct domain_xml *domain, const xmlNode *root,
			 struct mlx5lm_error **reterr)
{
	const xmlNode *devices = xml_child(root, "devices");
	bool no_memory = false;
	int r = 0;

	for (const xmlNode *node = devices ? devices->children : NULL; node; node = node->next) {
		if (is_hostdev(node, &no_memory))
			r = add_hostdev(domain, node, reterr);
		else if (!no_memory)
			r = domain_xml_add_device(domain, node, &no_memory);
		if (no_memory || r == -ENOMEM)
			return error_no_memory(reterr);
		if (r == -E2BIG)
			return bad(reterr, node, "there are too many devices");
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
	const xmlNode *root, *fault = NULL;
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
	if (r == 0)
		r = domain_xml_read_settings(&domain, root, &fault);
	if (r == -ENOMEM)
		return error_no_memory(reterr);
	if (fault)
		return bad(reterr, fault, "it is no amount of memory");
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
		hostdev_release(&domain->hostdevs[i]);
	free(domain->hostdevs);
	for (size_t i = 0; i < domain->num_devices; i++)
		domain_device_release(&domain->devices[i]);
	free(domain->devices);
	free(domain->name);
	free(domain->uuid);
	free(domain->type);
	free(domain->arch);
	free(domain->machine);
	free(domain->kernel);
	free(domain->cpu);
	free(domain->cpu_mode);
	free(domain->launch_security);
	*domain = (struct domain_xml){ 0 };
}

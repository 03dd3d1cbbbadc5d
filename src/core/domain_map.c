// SPDX-License-Identifier: LGPL-2.1-or-later
/* The destination's XML: the source's with a few bytes exchanged. */
#include "core/domain_xml.h"

#include <errno.h>
#include <stdio.h>

#include "base/array.h"
#include "core/vf_ready.h"
#include "core/xml.h"

static const char *const what = "domain XML";

/* As libvirt counts: it knows <driver model=''>, and which driver a VF needs. */
#define LIBVIRT_PICKS_DRIVER 10000000

/* Bytes of the text that give way to others: first to bytes of the text itself, then to with. */
struct edit {
	size_t offset, length;
	size_t copy_offset, copy_length;
	char with[64];
};

struct mapper {
	const char *xml;
	struct domain_xml domain;
	struct edit *edits;
	size_t num_edits;
	size_t allocated_edits;
};

static void mapper_release(struct mapper *mapper)
{
	domain_xml_release(&mapper->domain);
	free(mapper->edits);
}

enum map_driver domain_map_driver(const struct mlx5lm_host *destination,
				  struct fact_u64 libvirt_version, const struct hostdev *hostdev)
{
	const struct mlx5lm_module *module = host_find_module(destination, VARIANT_DRIVER);
	const char *model = hostdev->driver_model;

	if (!libvirt_version.known)
		return MAP_KEEP;
	if (libvirt_version.value < LIBVIRT_PICKS_DRIVER)
		return hostdev->managed || model ? MAP_UNMANAGED : MAP_KEEP;
	if (!hostdev->managed || streq(model, VARIANT_DRIVER) || streq(model, "mlx5-vfio-pci"))
		return MAP_KEEP;
	/* The aliases of drivers that are built in are in a file that libvirt does not read. */
	if (model || (module && module->state == MLX5LM_MODULE_BUILTIN))
		return MAP_MODEL;
	return MAP_KEEP;
}

static struct edit *add_edit(struct mapper *mapper, size_t offset, size_t length)
{
	struct edit *edit;

	if (array_reserve(&mapper->edits, &mapper->allocated_edits, mapper->num_edits + 1,
			  sizeof(*edit)))
		return NULL;
	edit = &mapper->edits[mapper->num_edits++];
	*edit = (struct edit){ .offset = offset, .length = length };
	return edit;
}

/* Sets an attribute of the start tag at tag, of which the name is known. */
static int set_attribute(struct mapper *mapper, size_t tag, const char *element, const char *name,
			 const char *value)
{
	size_t offset = tag + 1 + strlen(element), length = 0;
	struct edit *edit;
	int r;

	if (strncmp(mapper->xml + tag + 1, element, strlen(element)) != 0)
		return -EBADMSG;
	r = xml_find_attribute(mapper->xml, tag, name, &offset, &length);
	if (r < 0 && r != -ENOENT)
		return r;
	edit = add_edit(mapper, offset, length);
	if (!edit)
		return -ENOMEM;
	if (r == 0)
		snprintf(edit->with, sizeof(edit->with), "%s", value);
	else
		snprintf(edit->with, sizeof(edit->with), " %s='%s'", name, value);
	return 0;
}

/* With the white space before it. */
static int drop_attribute(struct mapper *mapper, size_t tag, const char *name)
{
	size_t offset, length, begin;
	int r = xml_find_attribute(mapper->xml, tag, name, &offset, &length);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	begin = offset - 1; /* the quote */
	while (mapper->xml[--begin] != '=')
		;
	while (strchr(" \t\r\n", mapper->xml[begin - 1]))
		begin--;
	begin -= strlen(name);
	while (strchr(" \t\r\n", mapper->xml[begin - 1]))
		begin--;
	return add_edit(mapper, begin, offset + length + 1 - begin) ? 0 : -ENOMEM;
}

static int set_part(struct mapper *mapper, size_t tag, const char *name, unsigned int old_value,
		    unsigned int value, int digits)
{
	char number[16];

	if (value == old_value)
		return 0;
	snprintf(number, sizeof(number), "0x%0*x", digits, value);
	return set_attribute(mapper, tag, "address", name, number);
}

static int set_address(struct mapper *mapper, size_t tag, const struct hostdev *hostdev,
		       const char *destination)
{
	struct bdf from, to;
	int r;

	if (bdf_parse(hostdev->bdf, &from) < 0 || bdf_parse(destination, &to) < 0)
		return -EINVAL;
	/* Only the PCI domain may be left out. */
	r = set_part(mapper, tag, "domain", from.domain, to.domain, 4);
	if (r == 0)
		r = set_part(mapper, tag, "bus", from.bus, to.bus, 2);
	if (r == 0)
		r = set_part(mapper, tag, "slot", from.device, to.device, 2);
	if (r == 0)
		r = set_part(mapper, tag, "function", from.function, to.function, 1);
	return r;
}

/* The first child of the device, in a line of its own if others are. */
static int add_driver(struct mapper *mapper, size_t device_tag)
{
	size_t offset = xml_tag_end(mapper->xml, device_tag);
	struct edit *edit = add_edit(mapper, offset, 0);

	if (!edit)
		return -ENOMEM;
	edit->copy_offset = offset;
	edit->copy_length = strspn(mapper->xml + offset, " \t\r\n");
	snprintf(edit->with, sizeof(edit->with), "<driver model='" VARIANT_DRIVER "'/>");
	return 0;
}

static int find_tag(const struct mapper *mapper, size_t known_tag, size_t known_element,
		    size_t element, size_t *ret)
{
	int r = xml_find_tag(mapper->xml + known_tag, element - known_element, ret);

	if (r == 0)
		*ret += known_tag;
	return r;
}

static bool keeps_model(const struct hostdev *hostdev, enum map_driver driver)
{
	return driver == MAP_KEEP ||
	       (driver == MAP_MODEL && streq(hostdev->driver_model, VARIANT_DRIVER)) ||
	       (driver == MAP_UNMANAGED && !hostdev->driver_model);
}

static int set_driver(struct mapper *mapper, const struct hostdev *hostdev, size_t device_tag,
		      enum map_driver driver)
{
	size_t driver_tag;
	int r = 0;

	if (driver == MAP_UNMANAGED && hostdev->managed)
		r = set_attribute(mapper, device_tag,
				  hostdev->is_interface ? "interface" : "hostdev", "managed", "no");
	if (r < 0 || keeps_model(hostdev, driver))
		return r;
	if (!hostdev->driver_element)
		return add_driver(mapper, device_tag);
	r = find_tag(mapper, device_tag, hostdev->device_element, hostdev->driver_element,
		     &driver_tag);
	if (r < 0)
		return r;
	if (driver == MAP_UNMANAGED)
		return drop_attribute(mapper, driver_tag, "model");
	return set_attribute(mapper, driver_tag, "driver", "model", VARIANT_DRIVER);
}

static const struct vf_mapping *find_mapping(const struct vf_mapping *mappings,
					     size_t num_mappings, const char *source)
{
	for (size_t i = 0; i < num_mappings; i++) {
		if (bdf_equal(mappings[i].source, source))
			return &mappings[i];
	}
	return NULL;
}

static int make_edits(struct mapper *mapper, const struct vf_mapping *mappings,
		      size_t num_mappings, struct mlx5lm_error **reterr)
{
	size_t tag = 0, tag_element = 0;
	int r;

	for (size_t i = 0; i < mapper->domain.num_hostdevs; i++) {
		const struct hostdev *hostdev = &mapper->domain.hostdevs[i];
		const struct vf_mapping *mapping =
			find_mapping(mappings, num_mappings, hostdev->bdf);
		size_t address_tag;

		if (!mapping)
			continue;
		/* From one to the next: the document may be long. */
		if (tag_element == 0)
			r = xml_find_tag(mapper->xml, hostdev->device_element, &tag);
		else
			r = find_tag(mapper, tag, tag_element, hostdev->device_element, &tag);
		tag_element = hostdev->device_element;
		if (r == 0)
			r = find_tag(mapper, tag, tag_element, hostdev->element, &address_tag);
		if (r == 0)
			r = set_address(mapper, address_tag, hostdev, mapping->destination);
		if (r == 0)
			r = set_driver(mapper, hostdev, tag, mapping->driver);
		if (r == -ENOMEM)
			return error_no_memory(reterr);
		if (r < 0)
			return error_set(reterr, MLX5LM_ERROR_INVALID_DOCUMENT, -r,
					 MLX5LM_SOURCE_LIBRARY,
					 "%s of '%s': the address or driver of %s could not be "
					 "replaced", what, mapper->domain.name, hostdev->bdf);
	}
	return 0;
}

static int compare_edits(const void *a, const void *b)
{
	const struct edit *x = a, *y = b;

	return (x->offset > y->offset) - (x->offset < y->offset);
}

/* NULL when out of memory. */
static char *apply_edits(const struct mapper *mapper)
{
	size_t length = strlen(mapper->xml), done = 0, room = length + 1;
	char *text, *at;

	for (size_t i = 0; i < mapper->num_edits; i++)
		room += mapper->edits[i].copy_length + sizeof(mapper->edits[i].with);
	text = at = malloc(room);
	if (!text)
		return NULL;
	if (mapper->num_edits)
		qsort(mapper->edits, mapper->num_edits, sizeof(*mapper->edits), compare_edits);
	for (size_t i = 0; i < mapper->num_edits; i++) {
		const struct edit *edit = &mapper->edits[i];

		at = mempcpy(at, mapper->xml + done, edit->offset - done);
		at = mempcpy(at, mapper->xml + edit->copy_offset, edit->copy_length);
		at = stpcpy(at, edit->with);
		done = edit->offset + edit->length;
	}
	memcpy(at, mapper->xml + done, length - done + 1);
	return text;
}

static bool is_meant(const struct hostdev *before, const struct hostdev *after,
		     const struct vf_mapping *mapping)
{
	const char *bdf = mapping ? mapping->destination : before->bdf;
	enum map_driver driver = mapping ? mapping->driver : MAP_KEEP;
	bool managed = before->managed && driver != MAP_UNMANAGED;

	if (!bdf_equal(after->bdf, bdf) || after->managed != managed ||
	    after->is_interface != before->is_interface)
		return false;
	switch (driver) {
	case MAP_MODEL:
		return streq(after->driver_model, VARIANT_DRIVER);
	case MAP_UNMANAGED:
		return !after->driver_model;
	default:
		return before->driver_model ? streq(after->driver_model, before->driver_model) :
					      !after->driver_model;
	}
}

/* Reads the result again: the wanted addresses and drivers, and the same domain otherwise. */
static int check_mapped(const struct mapper *mapper, const char *mapped_xml,
			const struct vf_mapping *mappings, size_t num_mappings,
			struct mlx5lm_error **reterr)
{
	const struct domain_xml *domain = &mapper->domain;
	_cleanup_domain_xml_ struct domain_xml mapped = { 0 };
	size_t added = 0;
	bool same;
	int r;

	r = domain_xml_parse(mapped_xml, &mapped, reterr);
	if (r < 0)
		return r;
	same = streq(domain->name, mapped.name) && streq(domain->uuid, mapped.uuid) &&
	       domain->num_hostdevs == mapped.num_hostdevs;
	for (size_t i = 0; same && i < mapped.num_hostdevs; i++) {
		const struct hostdev *hostdev = &domain->hostdevs[i];
		const struct vf_mapping *mapping =
			find_mapping(mappings, num_mappings, hostdev->bdf);

		added += mapping && mapping->driver == MAP_MODEL && !hostdev->driver_element;
		same = is_meant(hostdev, &mapped.hostdevs[i], mapping) &&
		       mapped.hostdevs[i].element == hostdev->element + added;
	}
	if (!same)
		return error_set(reterr, MLX5LM_ERROR_INVALID_DOCUMENT, EBADMSG,
				 MLX5LM_SOURCE_LIBRARY,
				 "%s of '%s' could not be changed for the destination", what,
				 domain->name);
	return 0;
}

int domain_xml_map(const char *xml, const struct vf_mapping *mappings, size_t num_mappings,
		   char **ret, struct mlx5lm_error **reterr)
{
	_cleanup_(mapper_release) struct mapper mapper = { .xml = xml };
	_cleanup_free_ char *text = NULL;
	int r;

	r = domain_xml_parse(xml, &mapper.domain, reterr);
	if (r < 0)
		return r;
	for (size_t i = 0; i < num_mappings; i++) {
		if (!domain_xml_has(&mapper.domain, mappings[i].source))
			return error_set(reterr, MLX5LM_ERROR_VF, ENODEV, MLX5LM_SOURCE_LIBRARY,
					 "domain '%s' does not have the VF %s", mapper.domain.name,
					 mappings[i].source);
	}
	r = make_edits(&mapper, mappings, num_mappings, reterr);
	if (r < 0)
		return r;
	text = apply_edits(&mapper);
	if (!text)
		return error_no_memory(reterr);
	r = check_mapped(&mapper, text, mappings, num_mappings, reterr);
	if (r < 0)
		return r;
	*ret = TAKE(text);
	return 0;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/domain_xml_parts.h"

#include <errno.h>

#include "base/array.h"
#include "core/xml.h"

void domain_device_release(struct domain_device *device)
{
	free(device->type);
	free(device->model);
	free(device->name);
	free(device->source);
	free(device->detail);
}

/* An attribute of the element itself, or of a child of it; NULL if there is none. */
static char *get(const xmlNode *node, const char *child, const char *attribute, bool *no_memory)
{
	const xmlNode *at = child ? xml_child(node, child) : node;

	return at ? xml_attribute(at, attribute, no_memory) : NULL;
}

/* The first that a source has of these: what it is depends on the type, which libvirt checks. */
static char *get_source(const xmlNode *node, bool *no_memory)
{
	static const char *const attributes[] = { "file", "dev",     "name", "volume",
						  "dir",  "network", "path", "socket" };
	char *text = NULL;

	for (size_t i = 0; !text && i < ARRAY_LENGTH(attributes); i++)
		text = get(node, "source", attributes[i], no_memory);
	return text;
}

static void read_disk(const xmlNode *node, struct domain_device *disk, bool *no_memory)
{
	disk->kind = DEVICE_DISK;
	if (xml_attribute_is(node, "device", "cdrom", no_memory) ||
	    xml_attribute_is(node, "device", "floppy", no_memory))
		disk->kind = DEVICE_MEDIA;
	disk->type = get(node, NULL, "type", no_memory);
	disk->name = get(node, "target", "dev", no_memory);
	disk->detail = get(node, "driver", "cache", no_memory);
	disk->source = get_source(node, no_memory);
	disk->read_only = xml_child(node, "readonly");
	disk->shareable = xml_child(node, "shareable");
	disk->transient = xml_child(node, "transient");
	if (streq(disk->type, "vhostvdpa"))
		disk->kind = DEVICE_VDPA;
}

static void read_interface(const xmlNode *node, struct domain_device *interface, bool *no_memory)
{
	const xmlNode *target = xml_child(node, "target");

	if (xml_attribute_is(node, "type", "vdpa", no_memory))
		interface->kind = DEVICE_VDPA;
	else if (xml_attribute_is(node, "type", "network", no_memory))
		interface->kind = DEVICE_NETWORK;
	else
		return;
	interface->type = get(node, NULL, "type", no_memory);
	interface->name = get(node, "mac", "address", no_memory);
	interface->source = get_source(node, no_memory);
	interface->detail = get(node, "alias", "name", no_memory);
	interface->is_bound = target && xmlHasProp(target, (const xmlChar *)"dev");
}

static void read_hostdev(const xmlNode *node, struct domain_device *hostdev, bool *no_memory)
{
	hostdev->kind = DEVICE_HOSTDEV;
	hostdev->type = get(node, NULL, "type", no_memory);
	if (xml_attribute_is(node, "mode", "capabilities", no_memory)) {
		free(hostdev->type);
		hostdev->type = get(node, NULL, "mode", no_memory);
	}
	hostdev->model = get(node, NULL, "model", no_memory);
	hostdev->name = get(node, "alias", "name", no_memory);
}

static void read_filesystem(const xmlNode *node, struct domain_device *filesystem,
			    bool *no_memory)
{
	filesystem->kind = DEVICE_FILESYSTEM;
	filesystem->type = get(node, "driver", "type", no_memory);
	filesystem->name = get(node, "target", "dir", no_memory);
	filesystem->source = get_source(node, no_memory);
}

static void read_memory(const xmlNode *node, struct domain_device *memory, bool *no_memory)
{
	const xmlNode *address = xml_child(node, "address");

	memory->kind = DEVICE_MEMORY;
	memory->model = get(node, NULL, "model", no_memory);
	memory->name = get(node, "alias", "name", no_memory);
	memory->is_bound = address && xml_attribute_is(address, "type", "dimm", no_memory);
}

static void read_video(const xmlNode *node, struct domain_device *video, bool *no_memory)
{
	const xmlNode *model = xml_child(node, "model");
	const xmlNode *acceleration = model ? xml_child(model, "acceleration") : NULL;

	video->kind = DEVICE_VIDEO;
	video->model = get(node, "model", "type", no_memory);
	video->is_accelerated =
		acceleration && xml_attribute_is(acceleration, "accel3d", "yes", no_memory);
}

static void read_graphics(const xmlNode *node, struct domain_device *graphics, bool *no_memory)
{
	graphics->kind = DEVICE_GRAPHICS;
	graphics->type = get(node, NULL, "type", no_memory);
	/* The child tells more: with a type of network, libvirt looks the address up anew. */
	if (!xml_child(node, "listen"))
		graphics->source = get(node, NULL, "listen", no_memory);
	else if (xml_attribute_is(xml_child(node, "listen"), "type", "address", no_memory))
		graphics->source = get(node, "listen", "address", no_memory);
}

static void read_viommu(const xmlNode *node, struct domain_device *viommu, bool *no_memory)
{
	viommu->kind = DEVICE_VIOMMU;
	viommu->model = get(node, NULL, "model", no_memory);
}

static void read_shmem(const xmlNode *node, struct domain_device *shmem, bool *no_memory)
{
	shmem->kind = DEVICE_SHMEM;
	shmem->type = get(node, NULL, "role", no_memory);
	shmem->name = get(node, NULL, "name", no_memory);
}

static void read_tpm(const xmlNode *node, struct domain_device *tpm, bool *no_memory)
{
	tpm->kind = DEVICE_TPM;
	tpm->type = get(node, "backend", "type", no_memory);
	tpm->model = get(node, NULL, "model", no_memory);
}

static void read_crypto(const xmlNode *node, struct domain_device *crypto, bool *no_memory)
{
	crypto->kind = DEVICE_CRYPTO;
	crypto->model = get(node, NULL, "model", no_memory);
}

static const struct {
	const char *element;
	void (*read)(const xmlNode *node, struct domain_device *device, bool *no_memory);
} readers[] = {
	{ "disk", read_disk },	   { "interface", read_interface },
	{ "hostdev", read_hostdev }, { "filesystem", read_filesystem },
	{ "memory", read_memory }, { "video", read_video },
	{ "graphics", read_graphics }, { "iommu", read_viommu },
	{ "shmem", read_shmem },   { "tpm", read_tpm },
	{ "crypto", read_crypto },
};

int domain_xml_add_device(struct domain_xml *domain, const xmlNode *node, bool *no_memory)
{
	struct domain_device device = { .line = xmlGetLineNo(node) };

	for (size_t i = 0; i < ARRAY_LENGTH(readers); i++) {
		if (xml_is(node, readers[i].element))
			readers[i].read(node, &device, no_memory);
	}
	if (!device.kind)
		return 0;
	if (*no_memory || domain->num_devices == DOMAIN_XML_MAX_DEVICES ||
	    array_reserve(&domain->devices, &domain->allocated_devices, domain->num_devices + 1,
			  sizeof(device)) < 0) {
		domain_device_release(&device);
		return domain->num_devices == DOMAIN_XML_MAX_DEVICES ? -E2BIG : -ENOMEM;
	}
	domain->devices[domain->num_devices++] = device;
	return 0;
}

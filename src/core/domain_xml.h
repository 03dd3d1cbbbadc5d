/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_DOMAIN_XML_H
#define CORE_DOMAIN_XML_H

#include "base/error.h"
#include "core/bdf.h"
#include "facts.h"

/*
 * Reads libvirt's domain XML, which is not trusted: no DTD, no entities of its own, no network,
 * at most 10 MiB, 64 levels, 65536 elements, 64 attributes of an element, and 64 KiB of an
 * attribute (core/xml.h).
 */

#define DOMAIN_XML_MAX_BYTES (10 * 1024 * 1024)
#define DOMAIN_XML_MAX_DEPTH 64
/* More than QEMU has slots for; each is compared with all others. */
#define DOMAIN_XML_MAX_HOSTDEVS 256

/* A PCI device of the host that the domain has: <hostdev> or <interface type='hostdev'>. */
struct hostdev {
	char bdf[BDF_TEXT_SIZE]; /* <source><address>, as bdf_format() writes it */
	char *driver_model;	 /* <driver model=''>, may be NULL */
	char *driver_name;	 /* <driver name=''>, may be NULL */
	bool managed;
	bool is_interface;
	bool is_unplugged; /* <teaming type='transient'>: the guest loses it for the migration */
	/* Places among all elements of the document, which domain_xml_map() edits. */
	size_t element;	       /* of the <address> */
	size_t device_element; /* of the <hostdev> or <interface> itself */
	size_t driver_element; /* of its <driver>; 0: it has none */
};

/* What else may stand in the way, by its element. */
enum device_kind {
	DEVICE_DISK = 1,    /* type: file, block, network, ...; detail: the cache mode */
	DEVICE_MEDIA,	    /* a CD-ROM or floppy drive; type as of a disk */
	DEVICE_HOSTDEV,	    /* no PCI device; type: usb, mdev, ...; model: vfio-ccw, ... */
	DEVICE_NETWORK,	    /* interface of a network of libvirt; detail: its alias */
	DEVICE_VDPA,	    /* interface or disk */
	DEVICE_VIOMMU,	    /* model: intel, smmuv3, virtio, ... */
	DEVICE_FILESYSTEM,  /* type: virtiofs, path, ... */
	DEVICE_SHMEM,	    /* type: its role */
	DEVICE_TPM,	    /* type: emulator, passthrough, external */
	DEVICE_CRYPTO,	    /* model: virtio */
	DEVICE_MEMORY,	    /* model: dimm, ... */
	DEVICE_VIDEO,	    /* model: virtio, ... */
	DEVICE_GRAPHICS,    /* type: vnc, spice, ...; source: a listen address */
};

struct domain_device {
	enum device_kind kind;
	/* attributes, or NULL */
	char *type;
	char *model;
	char *name;   /* what people know it by: target, alias, ... */
	char *source; /* file, device, network, address */
	char *detail;
	bool read_only, shareable, transient; /* of a disk */
	bool is_bound; /* a DIMM: to a slot; a network's interface: to a device of the host */
	bool is_accelerated; /* of a video device: by the host's GPU */
	long line;
};

/* More than QEMU has slots for. */
#define DOMAIN_XML_MAX_DEVICES 4096

struct domain_xml {
	char *name;
	char *uuid;
	struct hostdev *hostdevs;
	size_t num_hostdevs;
	size_t allocated_hostdevs;
	struct domain_device *devices;
	size_t num_devices;
	size_t allocated_devices;
	char *type; /* "kvm" */
	char *arch;
	char *machine; /* "pc-q35-9.2" */
	char *kernel; /* a file of the host that it boots */
	struct fact_u64 memory_bytes; /* with the DIMMs that are plugged in */
	struct fact_u64 max_memory_bytes; /* with those that can be */
	struct fact_u64 memory_hard_limit_bytes;
	bool has_hugepages;
	bool has_several_hugepage_sizes;
	struct fact_u64 hugepage_bytes; /* not known: the host's default */
	char *cpu; /* <cpu>, with all that is in it */
	char *cpu_mode;
	bool has_cpu_model;
	bool cpu_is_not_migratable; /* migratable='off' */
	bool has_invtsc;
	bool has_tsc_frequency;
	bool has_hyperv_passthrough;
	bool is_pinned;	       /* to CPUs or memory of the host */
	char *launch_security; /* "sev" */
	/* in the namespace of QEMU: what libvirt hands on without looking at it */
	bool has_qemu_options;
	bool qemu_disables_migration; /* enable-migration=off */
	bool qemu_adds_vfio;	      /* a VFIO device that libvirt does not know */
};

/* What the destination's XML says of a device's driver. */
enum map_driver {
	MAP_KEEP,      /* the same as the source's */
	MAP_MODEL,     /* <driver model='mlx5_vfio_pci'/> */
	MAP_UNMANAGED, /* managed='no', and no model */
};

/* A VF of the domain and the one that takes over. */
struct vf_mapping {
	char source[BDF_TEXT_SIZE];
	char destination[BDF_TEXT_SIZE];
	enum map_driver driver; /* pairing_get_mappings() sets it */
};

/* What goes where; in core/pairing.c. */
struct vf_mappings {
	struct vf_mapping *items;
	size_t length;
	size_t allocated;
};

void vf_mappings_release(struct vf_mappings *mappings);
#define _cleanup_vf_mappings_ _cleanup_(vf_mappings_release)

/* 0, -EINVAL if one is no BDF, or -ENOMEM. */
int vf_mappings_add(struct vf_mappings *mappings, const char *source, const char *destination);

const struct vf_mapping *vf_mappings_find(const struct vf_mappings *mappings, const char *source);
bool vf_mappings_has_destination(const struct vf_mappings *mappings, const char *destination);

int domain_xml_parse(const char *xml, struct domain_xml *ret, struct mlx5lm_error **reterr);
void domain_xml_release(struct domain_xml *domain);

#define _cleanup_domain_xml_ _cleanup_(domain_xml_release)

/* A device of the domain; NULL if it does not have it. */
const struct hostdev *domain_xml_find(const struct domain_xml *domain, const char *bdf);

/* Does the domain have this device? */
bool domain_xml_has(const struct domain_xml *domain, const char *bdf);

/*
 * What a destination needs to be told of a device's driver. libvirt_version: of the daemon there,
 * as libvirt counts; if it is not known, all is kept. Since 10.0 libvirt binds a managed VF to the
 * variant driver that the modules' aliases name, or to the one of <driver model=''>; before, it
 * bound vfio-pci whatever was there, so that an older one must leave the VF, which is bound
 * already, alone.
 */
enum map_driver domain_map_driver(const struct mlx5lm_host *destination,
				  struct fact_u64 libvirt_version,
				  const struct hostdev *hostdev);

/*
 * Makes the destination's XML: source addresses, and drivers if need be, are replaced as the
 * mappings say, and every other byte stays. Each source of a mapping must be a device of the
 * domain. The result is read again, and refused if it is not what was meant.
 */
int domain_xml_map(const char *xml, const struct vf_mapping *mappings, size_t num_mappings,
		   char **ret, struct mlx5lm_error **reterr);

/* What libvirt's capabilities XML says of the host; what it does not say is NULL or unknown. */
struct capabilities {
	char *uuid;
	uint32_t live_migration;    /* enum mlx5lm_answer */
	char *migration_transports; /* sorted, separated by spaces */
	char *cpu_model;
	char *cpu_vendor;
};

int capabilities_xml_parse(const char *xml, struct capabilities *ret, struct mlx5lm_error **reterr);
void capabilities_release(struct capabilities *capabilities);

#define _cleanup_capabilities_ _cleanup_(capabilities_release)

/* Text of <capabilities><host><uuid>, without which the document is refused. */
int capabilities_xml_uuid(const char *xml, char **ret, struct mlx5lm_error **reterr);

#endif

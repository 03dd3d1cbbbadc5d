/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_DOMAIN_XML_H
#define CORE_DOMAIN_XML_H

#include "base/error.h"
#include "core/bdf.h"
#include "facts.h"

/*
 * Reads libvirt's domain XML, which is not trusted: no DTD, no entities of its own, no network,
 * at most 10 MiB and 64 levels.
 */

#define DOMAIN_XML_MAX_BYTES (10 * 1024 * 1024)
#define DOMAIN_XML_MAX_DEPTH 64
/* More than QEMU has slots for; each is compared with all others. */
#define DOMAIN_XML_MAX_HOSTDEVS 256

/* A PCI device of the host that the domain has: <hostdev> or <interface type='hostdev'>. */
struct hostdev {
	char bdf[BDF_TEXT_SIZE]; /* <source><address>, as bdf_format() writes it */
	char *driver_model;	 /* <driver model=''>, may be NULL */
	bool managed;
	bool is_interface;
	size_t element; /* place of the <address> among all elements of the document */
};

struct domain_xml {
	char *name;
	char *uuid;
	struct hostdev *hostdevs;
	size_t num_hostdevs;
	size_t allocated_hostdevs;
};

/* A VF of the domain and the one that takes over. */
struct vf_mapping {
	char source[BDF_TEXT_SIZE];
	char destination[BDF_TEXT_SIZE];
};

int domain_xml_parse(const char *xml, struct domain_xml *ret, struct mlx5lm_error **reterr);
void domain_xml_release(struct domain_xml *domain);

#define _cleanup_domain_xml_ _cleanup_(domain_xml_release)

/* Does the domain have this device? */
bool domain_xml_has(const struct domain_xml *domain, const char *bdf);

/*
 * Makes the destination's XML: source addresses are replaced as the mappings say, and every other
 * byte stays. Each source of a mapping must be a device of the domain.
 */
int domain_xml_map(const char *xml, const struct vf_mapping *mappings, size_t num_mappings, char **ret,
		   struct mlx5lm_error **reterr);

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

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_DOMAIN_XML_PARTS_H
#define CORE_DOMAIN_XML_PARTS_H

#include <libxml/tree.h>

#include "core/domain_xml.h"

/* For domain_xml.c: the parts of a domain that no VF stands in. */

/*
 * Notes an element of <devices>, if it may stand in the way. 0, -ENOMEM (or *no_memory is set), or
 * -E2BIG if there are too many of them.
 */
int domain_xml_add_device(struct domain_xml *domain, const xmlNode *node, bool *no_memory);
void domain_device_release(struct domain_device *device);

/*
 * What stands outside of <devices>. 0, -ENOMEM, or -EBADMSG: then *ret_fault is the element that
 * should be an amount of memory.
 */
int domain_xml_read_settings(struct domain_xml *domain, const xmlNode *root,
			     const xmlNode **ret_fault);

#endif

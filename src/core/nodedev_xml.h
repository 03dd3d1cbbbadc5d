/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_NODEDEV_XML_H
#define CORE_NODEDEV_XML_H

#include "base/error.h"

/* libvirt's XML of a device of a host, which is not trusted. */
#define NODEDEV_XML_MAX_BYTES (1024 * 1024)
#define NODEDEV_XML_MAX_DEPTH 16

/* The driver that the device is bound to; "" if it has none. -EBADMSG if this is no such XML. */
int nodedev_xml_driver(const char *xml, char **ret, struct mlx5lm_error **reterr);

#endif

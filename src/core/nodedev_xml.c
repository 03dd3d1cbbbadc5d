// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/nodedev_xml.h"

#include <errno.h>

#include "core/xml.h"

/* More than the kernel has for a module's name. */
#define MAX_DRIVER_LENGTH 64

static bool is_driver(const char *name)
{
	size_t length = strnlen(name, MAX_DRIVER_LENGTH + 1);

	for (size_t i = 0; i < length; i++) {
		if (name[i] <= ' ' || name[i] > '~' || name[i] == '/')
			return false;
	}
	return length && length <= MAX_DRIVER_LENGTH;
}

static int refuse(struct mlx5lm_error **reterr, const char *what)
{
	return error_set(reterr, MLX5LM_ERROR_INVALID_DOCUMENT, EBADMSG, MLX5LM_SOURCE_LIBRARY,
			 "node device XML %s", what);
}

int nodedev_xml_driver(const char *xml, char **ret, struct mlx5lm_error **reterr)
{
	_cleanup_xml_ xmlDoc *document = NULL;
	_cleanup_free_ char *name = NULL;
	const xmlNode *device, *driver;
	bool no_memory = false;
	int r;

	r = xml_parse(xml, "node device XML", NODEDEV_XML_MAX_BYTES, NODEDEV_XML_MAX_DEPTH,
		      &document, reterr);
	if (r < 0)
		return r;
	device = xmlDocGetRootElement(document);
	if (!xml_is(device, "device"))
		return refuse(reterr, "has no <device>");
	driver = xml_child(device, "driver");
	if (driver)
		driver = xml_child(driver, "name");
	name = driver ? xml_content(driver, &no_memory) : strdup("");
	if (!name || no_memory)
		return error_no_memory(reterr);
	if (driver && !is_driver(name))
		return refuse(reterr, "names a driver that can be none");
	*ret = TAKE(name);
	return 0;
}

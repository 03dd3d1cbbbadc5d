// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/domain_xml.h"

#include <errno.h>

#include "core/xml.h"

/* Of a CPU model or a transport, and of transports. */
#define MAX_NAME_LENGTH 128
#define MAX_TRANSPORTS 16

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

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/xml.h"

#include <errno.h>

#include <libxml/parser.h>

struct parse_state {
	bool has_dtd;
};

static void refuse_dtd(void *context, const xmlChar *name, const xmlChar *external_id,
		       const xmlChar *system_id)
{
	xmlParserCtxt *parser = context;
	struct parse_state *state = parser->_private;

	(void)name;
	(void)external_id;
	(void)system_id;
	state->has_dtd = true;
	xmlStopParser(parser);
}

static int refuse(struct mlx5lm_error **reterr, const char *what, const char *why)
{
	return error_set(reterr, MLX5LM_ERROR_INVALID_DOCUMENT, EBADMSG, MLX5LM_SOURCE_LIBRARY,
			 "%s refused: %s", what, why);
}

static int refuse_syntax(struct mlx5lm_error **reterr, const char *what, xmlParserCtxt *parser)
{
	const xmlError *error = xmlCtxtGetLastError(parser);
	_cleanup_free_ char *words = error && error->message ? strdup(error->message) : NULL;

	if (error && error->code == XML_ERR_NO_MEMORY)
		return error_no_memory(reterr);
	error_set(reterr, MLX5LM_ERROR_INVALID_DOCUMENT, EBADMSG, MLX5LM_SOURCE_LIBRARY,
		  "%s refused: not well-formed XML in line %d", what, error ? error->line : 0);
	if (words) {
		str_trim_end(words);
		error_add_detail(reterr, "%s", words);
	}
	return -EBADMSG;
}

xmlNode *xml_next(const xmlNode *root, const xmlNode *node)
{
	if (node->type == XML_ELEMENT_NODE && node->children)
		return node->children;
	while (node != root && !node->next)
		node = node->parent;
	return node == root ? NULL : node->next;
}

static bool too_deep(const xmlNode *root, unsigned int max_depth)
{
	const xmlNode *node = root;

	for (unsigned int depth = 1; node;) {
		if (depth > max_depth)
			return true;
		if (node->type == XML_ELEMENT_NODE && node->children) {
			node = node->children;
			depth++;
			continue;
		}
		while (node != root && !node->next) {
			node = node->parent;
			depth--;
		}
		node = node == root ? NULL : node->next;
	}
	return false;
}

int xml_parse(const char *text, const char *what, size_t max_bytes, unsigned int max_depth,
	      xmlDoc **ret, struct mlx5lm_error **reterr)
{
	size_t length = strnlen(text, max_bytes + 1);
	struct parse_state state = { 0 };
	_cleanup_xml_ xmlDoc *document = NULL;
	xmlParserCtxt *parser;
	int r = 0;

	if (length > max_bytes)
		return refuse(reterr, what, "too large");
	/* Locks, unlike what xmlNewParserCtxt() of libxml2 2.9 does itself when it is the first. */
	xmlInitParser();
	parser = xmlNewParserCtxt();
	if (!parser)
		return error_no_memory(reterr);
	parser->_private = &state;
	parser->sax->internalSubset = refuse_dtd;
	/* libvirt speaks UTF-8; what the document says of itself does not count. */
	document = xmlCtxtReadMemory(parser, text, (int)length, NULL, "UTF-8",
				     XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	if (state.has_dtd)
		r = refuse(reterr, what, "it has a document type declaration");
	else if (!document)
		r = refuse_syntax(reterr, what, parser);
	xmlFreeParserCtxt(parser);
	if (r < 0)
		return r;
	if (too_deep(xmlDocGetRootElement(document), max_depth))
		return refuse(reterr, what, "nested too deeply");
	*ret = TAKE(document);
	return 0;
}

bool xml_is(const xmlNode *node, const char *name)
{
	/* libvirt's own elements are in no namespace; others' may have the same names. */
	return node->type == XML_ELEMENT_NODE && !node->ns &&
	       streq((const char *)node->name, name);
}

xmlNode *xml_child(const xmlNode *parent, const char *name)
{
	for (xmlNode *node = parent->children; node; node = node->next) {
		if (xml_is(node, name))
			return node;
	}
	return NULL;
}

static char *copy(xmlChar *value, bool *no_memory)
{
	char *string = value ? strdup((const char *)value) : NULL;

	if (!string)
		*no_memory = true;
	xmlFree(value);
	return string;
}

char *xml_attribute(const xmlNode *node, const char *name, bool *no_memory)
{
	if (!xmlHasProp(node, (const xmlChar *)name))
		return NULL;
	return copy(xmlGetProp(node, (const xmlChar *)name), no_memory);
}

char *xml_content(const xmlNode *node, bool *no_memory)
{
	return copy(xmlNodeGetContent(node), no_memory);
}

/* Behind the end of a comment, CDATA section or processing instruction; NULL if it has none. */
static const char *skip_to(const char *at, const char *end)
{
	at = strstr(at, end);
	return at ? at + strlen(end) : NULL;
}

/* Behind the '>' of a tag: one inside a quoted value does not count. */
static const char *skip_tag(const char *at)
{
	for (char quote = 0; *at; at++) {
		if (quote) {
			if (*at == quote)
				quote = 0;
		} else if (*at == '"' || *at == '\'') {
			quote = *at;
		} else if (*at == '>') {
			return at + 1;
		}
	}
	return NULL;
}

int xml_find_tag(const char *text, size_t element, size_t *ret_offset)
{
	const char *at = strchr(text, '<');

	while (at) {
		if (!strncmp(at, "<!--", 4)) {
			at = skip_to(at + 4, "-->");
		} else if (!strncmp(at, "<![CDATA[", 9)) {
			at = skip_to(at + 9, "]]>");
		} else if (!strncmp(at, "<?", 2)) {
			at = skip_to(at + 2, "?>");
		} else if (at[1] == '/') {
			at = skip_tag(at);
		} else if (element-- == 0) {
			*ret_offset = (size_t)(at - text);
			return 0;
		} else {
			at = skip_tag(at);
		}
		at = at ? strchr(at, '<') : NULL;
	}
	return -EBADMSG;
}


int xml_find_attribute(const char *text, size_t tag_offset, const char *name, size_t *ret_offset,
		       size_t *ret_length)
{
	const char *at = text + tag_offset + strcspn(text + tag_offset, " \t\r\n/>");
	size_t name_length = strlen(name);

	for (;;) {
		const char *key, *value, *end;
		size_t key_length;

		at += strspn(at, " \t\r\n");
		if (*at == '>' || *at == '/' || *at == '\0')
			return -ENOENT;
		key = at;
		key_length = strcspn(key, "= \t\r\n");
		value = strpbrk(key + key_length, "'\"");
		end = value ? strchr(value + 1, *value) : NULL;
		if (!end)
			return -EBADMSG;
		if (key_length == name_length && !strncmp(key, name, name_length)) {
			*ret_offset = (size_t)(value + 1 - text);
			*ret_length = (size_t)(end - value - 1);
			return 0;
		}
		at = end + 1;
	}
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/xml.h"

#include <errno.h>

#include <libxml/SAX2.h>
#include <libxml/parser.h>

struct parse_state {
	long dtd_line; /* 0: it has none */
};

static void refuse_dtd(void *context, const xmlChar *name, const xmlChar *external_id,
		       const xmlChar *system_id)
{
	xmlParserCtxt *parser = context;
	struct parse_state *state = parser->_private;

	(void)name;
	(void)external_id;
	(void)system_id;
	state->dtd_line = xmlSAX2GetLineNumber(context);
	if (!state->dtd_line)
		state->dtd_line = 1;
	xmlStopParser(parser);
}

static int refuse(struct mlx5lm_error **reterr, const char *what, long line, const char *why)
{
	return error_set(reterr, MLX5LM_ERROR_INVALID_DOCUMENT, EBADMSG, MLX5LM_SOURCE_LIBRARY,
			 "%s refused: %s in line %ld", what, why, line);
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

/* The first node that lies too deep, or NULL. */
static const xmlNode *too_deep(const xmlNode *root, unsigned int max_depth)
{
	const xmlNode *node = root;

	for (unsigned int depth = 1; node;) {
		if (depth > max_depth)
			return node;
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
	return NULL;
}

/* Behind the end of a comment, CDATA section or processing instruction; NULL if it has none. */
static const char *skip_to(const char *at, const char *end)
{
	at = strstr(at, end);
	return at ? at + strlen(end) : NULL;
}

/* Behind the '>' of a tag, NULL if it has none; what it has too much of. */
static const char *scan_tag(const char *at, const char **ret_excess)
{
	const char *value = NULL;
	size_t attributes = 0;

	for (; *at; at++) {
		if (value && *at == value[-1]) {
			if (at - value > XML_MAX_VALUE_BYTES)
				*ret_excess = "an attribute is too long";
			value = NULL;
		} else if (!value && (*at == '"' || *at == '\'')) {
			if (++attributes > XML_MAX_ATTRIBUTES)
				*ret_excess = "an element has too many attributes";
			value = at + 1;
		} else if (!value && *at == '>') {
			return at + 1;
		}
		if (*ret_excess)
			return at;
	}
	return NULL;
}

static bool is_start_tag(const char *at)
{
	return at[1] != '/' && at[1] != '!' && at[1] != '?';
}

/* Behind the markup that begins here; NULL if it does not end. */
static const char *skip_markup(const char *at, const char **ret_excess)
{
	if (!strncmp(at, "<!--", 4))
		return skip_to(at + 4, "-->");
	if (!strncmp(at, "<![CDATA[", 9))
		return skip_to(at + 9, "]]>");
	if (!strncmp(at, "<?", 2))
		return skip_to(at + 2, "?>");
	return scan_tag(at, ret_excess);
}

/*
 * Before the parser, which compares each attribute of an element with all others of it. What is
 * not well-formed it will refuse itself, and up to there it sees the same tags.
 */
static int check_limits(const char *text, const char *what, struct mlx5lm_error **reterr)
{
	const char *excess = NULL;
	size_t elements = 0;
	long line = 1;

	for (const char *at = strchr(text, '<'); at && !excess; at = at ? strchr(at, '<') : NULL) {
		if (is_start_tag(at) && ++elements > XML_MAX_ELEMENTS)
			excess = "too many elements";
		else
			at = skip_markup(at, &excess);
		if (!excess)
			continue;
		for (const char *newline = text; newline < at; newline++)
			line += *newline == '\n';
		return refuse(reterr, what, line, excess);
	}
	return 0;
}

static int read_document(xmlParserCtxt *parser, const char *text, size_t length, const char *what,
			 xmlDoc **ret, struct mlx5lm_error **reterr)
{
	struct parse_state state = { 0 };
	_cleanup_xml_ xmlDoc *document = NULL;

	parser->_private = &state;
	parser->sax->internalSubset = refuse_dtd;
	/* libvirt speaks UTF-8; what the document says of itself does not count. */
	document = xmlCtxtReadMemory(parser, text, (int)length, NULL, "UTF-8",
				     XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
					     XML_PARSE_BIG_LINES);
	if (state.dtd_line)
		return refuse(reterr, what, state.dtd_line, "a document type declaration");
	if (!document)
		return refuse_syntax(reterr, what, parser);
	*ret = TAKE(document);
	return 0;
}

int xml_parse(const char *text, const char *what, size_t max_bytes, unsigned int max_depth,
	      xmlDoc **ret, struct mlx5lm_error **reterr)
{
	size_t length = strnlen(text, max_bytes + 1);
	_cleanup_xml_ xmlDoc *document = NULL;
	xmlParserCtxt *parser;
	const xmlNode *deep;
	int r;

	if (length > max_bytes)
		return error_set(reterr, MLX5LM_ERROR_INVALID_DOCUMENT, EBADMSG,
				 MLX5LM_SOURCE_LIBRARY, "%s refused: too large, more than %zu MiB",
				 what, max_bytes / (1024 * 1024));
	r = check_limits(text, what, reterr);
	if (r < 0)
		return r;
	/* Locks, unlike what xmlNewParserCtxt() of libxml2 2.9 does itself when it is the first. */
	xmlInitParser();
	parser = xmlNewParserCtxt();
	if (!parser)
		return error_no_memory(reterr);
	r = read_document(parser, text, length, what, &document, reterr);
	xmlFreeParserCtxt(parser);
	if (r < 0)
		return r;
	deep = too_deep(xmlDocGetRootElement(document), max_depth);
	if (deep)
		return refuse(reterr, what, xmlGetLineNo(deep), "nested too deeply");
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

bool xml_attribute_is(const xmlNode *node, const char *name, const char *value, bool *no_memory)
{
	const xmlAttr *attribute = xmlHasProp(node, (const xmlChar *)name);
	const xmlNode *text = attribute ? attribute->children : NULL;
	_cleanup_free_ char *whole = NULL;

	if (!attribute)
		return false;
	/* As nearly all are: nothing to put together. */
	if (text && text->type == XML_TEXT_NODE && !text->next)
		return streq((const char *)text->content, value);
	whole = xml_attribute(node, name, no_memory);
	return streq(whole, value);
}

char *xml_element_text(const xmlNode *node, bool *no_memory)
{
	xmlBuffer *buffer = xmlBufferCreate();
	char *text = NULL;

	if (buffer && xmlNodeDump(buffer, node->doc, (xmlNode *)node, 0, 0) >= 0)
		text = strdup((const char *)xmlBufferContent(buffer));
	if (!text)
		*no_memory = true;
	if (buffer)
		xmlBufferFree(buffer);
	return text;
}

int xml_find_tag(const char *text, size_t element, size_t *ret_offset)
{
	const char *excess = NULL;

	for (const char *at = strchr(text, '<'); at; at = at ? strchr(at, '<') : NULL) {
		if (is_start_tag(at) && element-- == 0) {
			*ret_offset = (size_t)(at - text);
			return 0;
		}
		at = skip_markup(at, &excess);
	}
	return -EBADMSG;
}

size_t xml_tag_end(const char *text, size_t tag_offset)
{
	const char *excess = NULL, *end = scan_tag(text + tag_offset, &excess);

	return end ? (size_t)(end - text) : strlen(text);
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

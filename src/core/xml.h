/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_XML_H
#define CORE_XML_H

#include <libxml/tree.h>

#include "base/error.h"

/* More than libvirt writes; the parser's time grows with the square of the second. */
#define XML_MAX_ELEMENTS 65536
#define XML_MAX_ATTRIBUTES 64 /* of an element, with its declarations of namespaces */
#define XML_MAX_VALUE_BYTES 65536 /* of an attribute, as it is written */

/*
 * Parses a document of libvirt that is not trusted. A DTD is refused before it is read, so
 * there are no entities but XML's own five. what names it in messages, which name the line.
 */
int xml_parse(const char *text, const char *what, size_t max_bytes, unsigned int max_depth,
	      xmlDoc **ret, struct mlx5lm_error **reterr);

static inline void xml_free_p(xmlDoc **document)
{
	if (*document)
		xmlFreeDoc(*document);
}

#define _cleanup_xml_ _cleanup_(xml_free_p)

bool xml_is(const xmlNode *node, const char *name);

/* First child element of that name, or NULL. */
xmlNode *xml_child(const xmlNode *parent, const char *name);

/* The next node in document order below root, or NULL at the end. */
xmlNode *xml_next(const xmlNode *root, const xmlNode *node);

/* A copy, or NULL if there is none (or no memory: *no_memory is set). */
char *xml_attribute(const xmlNode *node, const char *name, bool *no_memory);
char *xml_content(const xmlNode *node, bool *no_memory);

bool xml_attribute_is(const xmlNode *node, const char *name, const char *value, bool *no_memory);

/* The element as XML, with all that is in it; NULL when out of memory. */
char *xml_element_text(const xmlNode *node, bool *no_memory);

/*
 * Where the n-th element's start tag lies in the text of a well-formed document without DTD:
 * counts as xml_next() walks. Offset of its '<'; -EBADMSG if the text ends before.
 */
int xml_find_tag(const char *text, size_t element, size_t *ret_offset);

/* Behind the '>' of the start tag at offset: one inside a quoted value does not count. */
size_t xml_tag_end(const char *text, size_t tag_offset);

/*
 * The value of an attribute of the start tag at offset: where it begins and how long it is.
 * -ENOENT if the tag has no such attribute.
 */
int xml_find_attribute(const char *text, size_t tag_offset, const char *name, size_t *ret_offset,
		       size_t *ret_length);

#endif

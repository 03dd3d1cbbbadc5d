/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_VERSION_RULE_H
#define CORE_VERSION_RULE_H

#include <stdbool.h>
#include <stdint.h>

/* The numbers at the start of a version: "6.12.95+deb12-amd64" is 6, 12, 95. */
struct version {
	uint32_t part[3];
};

/* 0, or -EINVAL if the text does not start with at least two dotted numbers. */
int version_parse(const char *text, struct version *ret);

/* The same, but there may be nothing else in the text: for numbers that people write. */
int version_parse_all(const char *text, struct version *ret);

/*
 * Does the version of a kernel tell which fixes it has? Not if it is one that distributions
 * freeze while they backport: "5.14.0-427.el9", "6.8.0-40-generic", "6.1.0-18-amd64".
 */
bool version_is_plain(const char *release);

/* As libvirt counts: major * 1000000 + minor * 1000 + release. */
struct version version_from_libvirt(uint64_t number);

/* Less than, equal to or greater than zero, number by number: 28.9 is before 28.41. */
int version_compare(const struct version *a, const struct version *b);

#endif

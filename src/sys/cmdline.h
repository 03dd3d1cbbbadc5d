/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_CMDLINE_H
#define SYS_CMDLINE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The command line of the kernel, cut up as the kernel does it (Linux, lib/cmdline.c,
 * next_arg()): white space separates, unless it is in double quotes. What follows "--" is for
 * init and no parameter.
 */
struct cmdline_item {
	const char *text; /* as it stands there, with its quotes */
	size_t length;
	const char *name;
	size_t name_length;
	const char *value; /* without the quotes around it; NULL if there is no '=' */
	size_t value_length;
};

/* The next parameter; *at moves behind it. */
bool cmdline_next(const char **at, struct cmdline_item *ret);

/* Whether the parameter has that name; '-' and '_' are the same, as for the kernel. */
bool cmdline_is(const struct cmdline_item *item, const char *name);

/*
 * The parameters that bear on live migration, separated by spaces and otherwise as they stand
 * there; "" if there are none. All others may be secrets. 0 or -ENOMEM.
 */
int cmdline_select(const char *cmdline, char **ret);

#endif

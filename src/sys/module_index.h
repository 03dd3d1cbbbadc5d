/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_MODULE_INDEX_H
#define SYS_MODULE_INDEX_H

#include <stdbool.h>
#include <stddef.h>

#include "sys/root.h"

/*
 * What depmod and the kernel's build wrote down in lib/modules, as text. libkmod reads the same
 * from binary indexes; it trusts them, and so must nobody who looks at another machine's files.
 */
struct module_index {
	char *dep; /* modules.dep */
	size_t dep_length;
	char *builtin; /* modules.builtin */
	size_t builtin_length;
};

/* 0 or -errno: without either file nothing is known. */
int module_index_read(const struct root *root, const char *release, struct module_index *ret);
void module_index_release(struct module_index *index);

/*
 * Looks for a module (with underscores in its name) in the text of modules.dep or
 * modules.builtin. *ret is its path in there, which is part of the text.
 */
bool module_index_find(const char *text, size_t length, const char *name, const char **ret,
		       size_t *ret_length);

/* A path of modules.dep, as the host calls it. NULL when out of memory. */
char *module_index_host_path(const char *release, const char *path, size_t length);

/* Another file of that directory, with a NUL behind it. 0 or -errno. */
int module_index_read_file(const struct root *root, const char *release, const char *name,
			   char **ret, size_t *ret_length);

#endif

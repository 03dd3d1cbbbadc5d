// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/module_index.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "base/str.h"
#include "sys/text_file.h"

/* A kernel with 6,000 modules has 2 MiB of aliases; the other files are smaller. */
#define INDEX_MAX_BYTES (8 * 1024 * 1024)

int module_index_read_file(const struct root *root, const char *release, const char *name,
			   char **ret, size_t *ret_length)
{
	char path[PATH_MAX];
	int r;

	if (strchr(release, '/'))
		return -EINVAL;
	snprintf(path, sizeof(path), "lib/modules/%s/%s", release, name);
	r = text_file_read(root, path, INDEX_MAX_BYTES, ret, ret_length);
	if (r != -ENOENT)
		return r;
	snprintf(path, sizeof(path), "usr/lib/modules/%s/%s", release, name);
	return text_file_read(root, path, INDEX_MAX_BYTES, ret, ret_length);
}

void module_index_release(struct module_index *index)
{
	free(index->dep);
	free(index->builtin);
}

int module_index_read(const struct root *root, const char *release, struct module_index *ret)
{
	int r = module_index_read_file(root, release, "modules.dep", &ret->dep, &ret->dep_length);

	if (r < 0)
		return r;
	return module_index_read_file(root, release, "modules.builtin", &ret->builtin,
				      &ret->builtin_length);
}

/* "kernel/drivers/vfio/pci/vfio-pci.ko.xz" is vfio_pci. */
static bool is_file_of(const char *path, size_t length, const char *name)
{
	const char *slash = memrchr(path, '/', length), *end = path + length;

	if (slash)
		path = slash + 1;
	for (; path < end && *name; path++, name++) {
		if ((*path == '-' ? '_' : *path) != *name)
			return false;
	}
	return !*name && end - path >= 3 && memcmp(path, ".ko", 3) == 0 &&
	       (end - path == 3 || path[3] == '.');
}

bool module_index_find(const char *text, size_t length, const char *name, const char **ret,
		       size_t *ret_length)
{
	const char *end = text + length, *next, *line_end, *colon;

	for (const char *line = text; line < end; line = next) {
		line_end = memchr(line, '\n', (size_t)(end - line));
		next = line_end ? line_end + 1 : end;
		if (!line_end)
			line_end = end;
		colon = memchr(line, ':', (size_t)(line_end - line));
		if (colon)
			line_end = colon;
		if (is_file_of(line, (size_t)(line_end - line), name)) {
			*ret = line;
			*ret_length = (size_t)(line_end - line);
			return true;
		}
	}
	return false;
}

char *module_index_host_path(const char *release, const char *path, size_t length)
{
	if (path[0] == '/')
		return strndup(path, length);
	return str_printf("/lib/modules/%s/%.*s", release, (int)length, path);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/module_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/str.h"
#include "sys/sysfs.h"

/* libkmod prints on stderr unless told otherwise. */
static void log_nowhere(void *userdata, int priority, const char *file, int line, const char *fn,
			const char *format, va_list args)
{
	(void)userdata;
	(void)priority;
	(void)file;
	(void)line;
	(void)fn;
	(void)format;
	(void)args;
}

/* libkmod opens these by their path, and would wait for a fifo for ever. */
static int check_indexes(int dir_fd)
{
	static const char *const names[] = { "modules.dep.bin",	    "modules.alias.bin",
					     "modules.symbols.bin", "modules.builtin.bin",
					     "modules.softdep",	    "modules.builtin.alias.bin" };
	struct stat st;

	/* Without this one libkmod knows no module, which would look like a kernel without any. */
	if (!sysfs_exists(dir_fd, names[0]))
		return -ENOENT;
	for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
		if (fstatat(dir_fd, names[i], &st, 0) == 0 && !S_ISREG(st.st_mode))
			return -EINVAL;
	}
	return 0;
}

void module_dir_release(struct module_dir *dir)
{
	kmod_unref_p(&dir->ctx);
	close_p(&dir->fd);
}

int module_dir_open(const struct root *root, const char *release,
		    const char *const *config_paths, struct module_dir *dir)
{
	int r;

	dir->fd = sysfs_open_dir(root, "lib/modules/%s", release);
	if (dir->fd == -ENOENT)
		dir->fd = sysfs_open_dir(root, "usr/lib/modules/%s", release);
	if (dir->fd < 0)
		return dir->fd;
	if (!root->native)
		return -EXDEV;
	r = check_indexes(dir->fd);
	if (r < 0)
		return r;
	snprintf(dir->path, sizeof(dir->path), FD_PATH, dir->fd);
	dir->ctx = kmod_new(dir->path, config_paths);
	if (!dir->ctx)
		return -ENOMEM;
	kmod_set_log_fn(dir->ctx, log_nowhere, NULL);
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_MODULE_DIR_H
#define SYS_MODULE_DIR_H

#include <libkmod.h>

#include "base/cleanup.h"
#include "sys/root.h"

#define FD_PATH "/proc/self/fd/%d"
#define FD_PATH_SIZE (sizeof("/proc/self/fd/") + 3 * sizeof(int))

typedef struct kmod_ctx *kmod_ctx_ptr;
typedef struct kmod_module *kmod_module_ptr;
typedef struct kmod_list *kmod_list_ptr;

DEFINE_CLEANUP(kmod_ctx_ptr, kmod_unref)
DEFINE_CLEANUP(kmod_module_ptr, kmod_module_unref)
DEFINE_CLEANUP(kmod_list_ptr, kmod_module_unref_list)
DEFINE_CLEANUP(kmod_list_ptr, kmod_module_info_free_list)

/*
 * libkmod's view of the modules of the running kernel. It trusts its indexes, so that a root that
 * is another machine's is refused: see module_index.h. It wants a path; the descriptor keeps that
 * beneath the root.
 */
struct module_dir {
	int fd;
	char path[FD_PATH_SIZE];
	struct kmod_ctx *ctx;
};

/*
 * config_paths: where modprobe.d is, as for kmod_new(). 0, -ENOENT, -EXDEV, -ENOMEM or
 * another errno.
 */
int module_dir_open(const struct root *root, const char *release,
		    const char *const *config_paths, struct module_dir *dir);
void module_dir_release(struct module_dir *dir);

#endif

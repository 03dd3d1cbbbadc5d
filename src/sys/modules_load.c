// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdio.h>
#include <sys/utsname.h>

#include "base/error.h"
#include "sys/module_dir.h"
#include "sys/modules.h"

/* An "install" line of modprobe.d, on which modprobe would run a shell. */
struct install_command {
	char *module;
	char *command;
};

static int refuse_command(struct kmod_module *module, const char *command, void *userdata)
{
	struct install_command *found = userdata;

	if (str_replace(&found->module, kmod_module_get_name(module)) < 0 ||
	    str_replace(&found->command, command) < 0)
		return -ENOMEM;
	return -EPERM;
}

static int load_failed(const char *name, int r, struct mlx5lm_error **reterr)
{
	error_set(reterr, r == -ENOENT ? MLX5LM_ERROR_NOT_FOUND : error_code_from_errno(-r), -r,
		  MLX5LM_SOURCE_KMOD, "cannot load module %s: %s", name, strerror(-r));
	switch (-r) {
	case EPERM:
		error_add_remedy(reterr, "run with CAP_SYS_MODULE; if that is so, look at "
					 "/proc/sys/kernel/modules_disabled and lockdown");
		break;
	case ENOKEY:
	case EKEYREJECTED:
		error_add_remedy(reterr,
				 "the kernel takes signed modules only: sign %s or enrol "
				 "its key",
				 name);
		break;
	case ENOEXEC:
	case EINVAL:
		error_add_remedy(reterr, "%s was built for another kernel; dmesg tells more", name);
		break;
	default:
		error_add_remedy(reterr, "try: modprobe -v %s; dmesg | tail", name);
	}
	return r;
}

static int insert(struct kmod_module *module, const char *name, struct mlx5lm_error **reterr)
{
	struct install_command found = { 0 };
	int r;

	r = kmod_module_probe_insert_module(module, KMOD_PROBE_APPLY_BLACKLIST, NULL,
					    refuse_command, &found, NULL);
	if (r > 0) {
		r = error_set(reterr, MLX5LM_ERROR_PERMISSION, EPERM, MLX5LM_SOURCE_KMOD,
			      "module %s is blacklisted", name);
		error_add_remedy(reterr,
				 "remove \"blacklist %s\" from modprobe.d or the kernel "
				 "command line, or load it by hand: modprobe %s",
				 name, name);
	} else if (found.command) {
		r = error_set(reterr, MLX5LM_ERROR_PERMISSION, EPERM, MLX5LM_SOURCE_KMOD,
			      "module %s is replaced by a command in modprobe.d", found.module);
		error_add_detail(reterr, "install %s %s", found.module, found.command);
		error_add_remedy(reterr, "load it by hand: modprobe %s", name);
	} else if (r < 0) {
		load_failed(name, r, reterr);
	}
	free(found.module);
	free(found.command);
	return r;
}

int modules_load(const struct root *root, const char *name, struct mlx5lm_error **reterr)
{
	_cleanup_(module_dir_release) struct module_dir dir = { .fd = -1 };
	_cleanup_(kmod_module_unref_p) struct kmod_module *module = NULL;
	static const char *const places[] = { "etc", "run", "usr/local/lib", "usr/lib", "lib" };
	char paths[ARRAY_LENGTH(places)][64];
	const char *config_paths[ARRAY_LENGTH(places) + 1] = { NULL };
	struct utsname kernel;
	int r;

	for (size_t i = 0; i < ARRAY_LENGTH(places); i++) {
		snprintf(paths[i], sizeof(paths[i]), "/proc/self/fd/%d/%s/modprobe.d", root->fd,
			 places[i]);
		config_paths[i] = paths[i];
	}
	if (uname(&kernel) < 0)
		return load_failed(name, -errno, reterr);
	r = module_dir_open(root, kernel.release, config_paths, &dir);
	if (r < 0) {
		error_set(reterr, error_code_from_errno(-r), -r, MLX5LM_SOURCE_KMOD,
			  "cannot load module %s: no modules in /lib/modules/%s: %s", name,
			  kernel.release, strerror(-r));
		error_add_remedy(reterr,
				 "install the modules of kernel %s, or show them to this "
				 "process below its root",
				 kernel.release);
		return r;
	}
	r = kmod_module_new_from_name(dir.ctx, name, &module);
	if (r < 0)
		return load_failed(name, r, reterr);
	if (!kmod_module_get_path(module) &&
	    kmod_module_get_initstate(module) != KMOD_MODULE_BUILTIN) {
		r = error_set(reterr, MLX5LM_ERROR_NOT_FOUND, ENOENT, MLX5LM_SOURCE_KMOD,
			      "kernel %s has no module %s", kernel.release, name);
		error_add_remedy(reterr, "install a kernel that has it, and run depmod -a");
		return r;
	}
	return insert(module, name, reterr);
}

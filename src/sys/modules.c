// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/modules.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/utsname.h>

#include <libkmod.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "sys/beneath.h"
#include "sys/sysfs.h"

static const char *const module_names[] = { "mlx5_core", "mlx5_vfio_pci", "vfio_pci", "vfio",
					    "vfio_iommu_type1" };

#define FD_PATH "/proc/self/fd/%d"
#define FD_PATH_SIZE (sizeof("/proc/self/fd/") + 3 * sizeof(int))

typedef struct kmod_ctx *kmod_ctx_ptr;
typedef struct kmod_module *kmod_module_ptr;
typedef struct kmod_list *kmod_list_ptr;

static void kmod_unref_p(kmod_ctx_ptr *ctx)
{
	if (*ctx)
		kmod_unref(*ctx);
}

static void kmod_module_unref_p(kmod_module_ptr *module)
{
	if (*module)
		kmod_module_unref(*module);
}

static void kmod_info_free_p(kmod_list_ptr *list)
{
	if (*list)
		kmod_module_info_free_list(*list);
}

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

/* A directory of modules. libkmod wants a path; the descriptor keeps it beneath the root. */
struct module_dir {
	int fd;
	char path[FD_PATH_SIZE];
	char *shown; /* as the host calls it */
	struct kmod_ctx *ctx;
};

static void module_dir_release(struct module_dir *dir)
{
	kmod_unref_p(&dir->ctx);
	close_p(&dir->fd);
	free(dir->shown);
}

static int module_dir_open(const struct root *root, const char *release,
			   const char *const *config_paths, struct module_dir *dir)
{
	dir->fd = sysfs_open_dir(root, "lib/modules/%s", release);
	if (dir->fd == -ENOENT)
		dir->fd = sysfs_open_dir(root, "usr/lib/modules/%s", release);
	if (dir->fd < 0)
		return dir->fd;
	/* Without the index libkmod knows no module, which would look like a kernel without any. */
	if (!sysfs_exists(dir->fd, "modules.dep.bin"))
		return -ENOENT;
	snprintf(dir->path, sizeof(dir->path), FD_PATH, dir->fd);
	dir->shown = str_printf("/lib/modules/%s", release);
	if (!dir->shown)
		return -ENOMEM;
	dir->ctx = kmod_new(dir->path, config_paths);
	if (!dir->ctx)
		return -ENOMEM;
	kmod_set_log_fn(dir->ctx, log_nowhere, NULL);
	return 0;
}

/* A path as libkmod has it, as the host calls it. */
static char *host_path(const struct module_dir *dir, const char *path)
{
	size_t length = strlen(dir->path);

	if (strncmp(path, dir->path, length) == 0 && path[length] == '/')
		return str_printf("%s%s", dir->shown, path + length);
	return strdup(path);
}

static int read_versions(int dir_fd, struct mlx5lm_module *fact)
{
	if (sysfs_read_str(dir_fd, "version", &fact->version) == -ENOMEM ||
	    sysfs_read_str(dir_fd, "srcversion", &fact->srcversion) == -ENOMEM)
		return -ENOMEM;
	return 0;
}

/* What sysfs says; the state stays unknown if it says nothing. */
static int probe_sysfs(const struct root *root, struct mlx5lm_module *fact)
{
	char state[SYSFS_TEXT_SIZE];
	_cleanup_close_ int fd = -1;
	int r;

	fd = sysfs_open_dir(root, "sys/module/%s", fact->name);
	if (fd < 0)
		return 0;
	r = sysfs_read(fd, "initstate", state);
	if (r == -ENOENT)
		fact->state = MLX5LM_MODULE_BUILTIN;
	else if (r == 0 && streq(state, "live"))
		fact->state = MLX5LM_MODULE_LOADED;
	return read_versions(fd, fact);
}

/*
 * The version out of a file that is not loaded; it takes its unpacking, so only then. The file
 * is opened beneath the root, for it may be a link (RHEL's weak-updates).
 */
static int read_file_versions(const struct root *root, const struct module_dir *dir,
			      struct mlx5lm_module *fact)
{
	_cleanup_(kmod_module_unref_p) struct kmod_module *module = NULL;
	_cleanup_(kmod_info_free_p) struct kmod_list *list = NULL;
	_cleanup_close_ int fd = beneath_open(root->fd, fact->path, O_RDONLY | O_NONBLOCK);
	char path[FD_PATH_SIZE];
	const struct kmod_list *item;

	if (fd < 0)
		return 0;
	snprintf(path, sizeof(path), FD_PATH, fd);
	if (kmod_module_new_from_path(dir->ctx, path, &module) < 0 ||
	    kmod_module_get_info(module, &list) < 0)
		return 0;
	kmod_list_foreach(item, list)
	{
		const char *key = kmod_module_info_get_key(item);
		char **member = streq(key, "version")	   ? &fact->version
				: streq(key, "srcversion") ? &fact->srcversion
							   : NULL;

		if (member && str_replace(member, kmod_module_info_get_value(item)) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int probe_file(const struct root *root, const struct module_dir *dir,
		      struct mlx5lm_module *fact)
{
	_cleanup_(kmod_module_unref_p) struct kmod_module *module = NULL;
	const char *path;
	int r;

	/* This makes an object of any name; whether there is such a module its path tells. */
	r = kmod_module_new_from_name(dir->ctx, fact->name, &module);
	if (r < 0)
		return r;
	path = kmod_module_get_path(module);
	if (path) {
		fact->path = host_path(dir, path);
		if (!fact->path)
			return -ENOMEM;
		if (fact->state == MLX5LM_MODULE_UNKNOWN) {
			fact->state = MLX5LM_MODULE_LOADABLE;
			/* The one that vendors build, and unpacking one takes milliseconds. */
			if (streq(fact->name, "mlx5_vfio_pci"))
				return read_file_versions(root, dir, fact);
		}
		return 0;
	}
	if (fact->state != MLX5LM_MODULE_UNKNOWN)
		return 0;
	/* Only this answer comes from the module index; all others are of the running kernel. */
	if (kmod_module_get_initstate(module) == KMOD_MODULE_BUILTIN)
		fact->state = MLX5LM_MODULE_BUILTIN;
	else
		fact->state = MLX5LM_MODULE_MISSING;
	return 0;
}

int modules_probe(const struct root *root, struct mlx5lm_host *host)
{
	_cleanup_(module_dir_release) struct module_dir dir = { .fd = -1 };
	static const char *const no_config[] = { NULL };
	int r, usable = -ENOENT;

	if (host->kernel_release)
		usable = module_dir_open(root, host->kernel_release, no_config, &dir);
	if (usable == -ENOMEM)
		return usable;
	if (usable < 0) {
		r = host_add_note(host, "host", NULL, "modules that are not loaded are not known: "
				  "lib/modules/%s: %s",
				  host->kernel_release ?: "(release)", strerror(-usable));
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < ARRAY_LENGTH(module_names); i++) {
		struct mlx5lm_module *fact;

		r = host_add_module(host, &fact);
		if (r < 0)
			return r;
		r = str_replace(&fact->name, module_names[i]);
		if (r < 0)
			return r;
		r = probe_sysfs(root, fact);
		if (r == 0 && usable == 0)
			r = probe_file(root, &dir, fact);
		if (r == -ENOMEM)
			return r;
		if (r < 0)
			r = host_add_note(host, "host", NULL, "module %s is not known: libkmod: %s",
					  fact->name, strerror(-r));
		if (r < 0)
			return r;
	}
	return 0;
}

bool modules_is_loaded(const struct root *root, const char *name)
{
	_cleanup_free_ char *sysfs_name = strdup(name);
	struct mlx5lm_module fact = { .name = sysfs_name };
	int r;

	if (!sysfs_name)
		return false;
	for (char *c = sysfs_name; *c; c++) {
		if (*c == '-')
			*c = '_';
	}
	r = probe_sysfs(root, &fact);
	free(fact.version);
	free(fact.srcversion);
	return r == 0 &&
	       (fact.state == MLX5LM_MODULE_LOADED || fact.state == MLX5LM_MODULE_BUILTIN);
}

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

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/modules.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "sys/beneath.h"
#include "sys/modprobe_conf.h"
#include "sys/module_dir.h"
#include "sys/module_index.h"
#include "sys/sysfs.h"
#include "sys/text_file.h"
#include "sys/vfio_host.h"

#define PROC_MODULES "proc/modules"
#define PROC_MODULES_MAX_BYTES (1024 * 1024)

static const char *const module_names[] = { "mlx5_core", "mlx5_vfio_pci",    "vfio_pci",
					    "vfio",	 "vfio_iommu_type1", "iommufd",
					    "mlx5_fwctl" };

/* Where a look at the modules stands. */
struct look {
	const struct root *root;
	struct mlx5lm_host *host;
	struct modprobe_conf conf;
	/* libkmod, which trusts what it reads, for the running kernel; else the text of the same. */
	struct module_dir dir;
	struct module_index index;
	int index_usable; /* 0 or -errno; of the one that is used */
	char *proc_modules; /* only if there is no sys/module */
	struct strbuf unread; /* modules whose file was not looked into */
};

static void look_release(struct look *look)
{
	modprobe_conf_release(&look->conf);
	module_index_release(&look->index);
	module_dir_release(&look->dir);
	free(look->proc_modules);
	strbuf_release(&look->unread);
}

static int set_state(struct mlx5lm_module *fact, uint32_t state, const char *source)
{
	fact->state = state;
	return str_replace(&fact->source, source);
}

/* What the letters of a loaded module say: O is one that was not built with the kernel. */
static uint32_t in_tree_of_taint(int dir_fd)
{
	char text[SYSFS_TEXT_SIZE];

	if (sysfs_read(dir_fd, "taint", text) < 0)
		return MLX5LM_ANSWER_UNKNOWN;
	return strchr(text, 'O') ? MLX5LM_ANSWER_NO : MLX5LM_ANSWER_YES;
}

/* What sysfs says; the state stays unknown if it says nothing. */
static int probe_sysfs(const struct root *root, struct mlx5lm_module *fact)
{
	_cleanup_close_ int fd = sysfs_open_dir(root, "sys/module/%s", fact->name);
	char state[SYSFS_TEXT_SIZE];
	int r;

	if (fd < 0)
		return 0;
	r = sysfs_read(fd, "initstate", state);
	if (r == -ENOENT) {
		/* Only loadable modules have the file. */
		r = set_state(fact, MLX5LM_MODULE_BUILTIN, "sysfs");
		fact->in_tree = MLX5LM_ANSWER_YES;
	} else if (r == 0 && streq(state, "live")) {
		r = set_state(fact, MLX5LM_MODULE_LOADED, "sysfs");
		fact->in_tree = in_tree_of_taint(fd);
	}
	if (r == -ENOMEM || sysfs_read_str(fd, "version", &fact->version) == -ENOMEM ||
	    sysfs_read_str(fd, "srcversion", &fact->srcversion) == -ENOMEM)
		return -ENOMEM;
	return 0;
}

/* "mlx5_core 2244608 1 mlx5_vfio_pci, Live 0x0000000000000000 (OE)" */
static int probe_proc(const char *text, struct mlx5lm_module *fact)
{
	size_t length = strlen(fact->name);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		_cleanup_free_ char *copy = NULL;

		line += *line == '\n';
		if (strncmp(line, fact->name, length) != 0 || line[length] != ' ')
			continue;
		copy = strndup(line, strcspn(line, "\n"));
		if (!copy)
			return -ENOMEM;
		if (!strstr(copy, " Live "))
			return 0;
		fact->in_tree = strstr(copy, "(") && strchr(strstr(copy, "("), 'O') ?
					MLX5LM_ANSWER_NO :
					MLX5LM_ANSWER_YES;
		return set_state(fact, MLX5LM_MODULE_LOADED, "proc");
	}
	return 0;
}

static int take_modinfo(const struct kmod_list *list, struct mlx5lm_module *fact)
{
	const struct kmod_list *item;

	fact->in_tree = MLX5LM_ANSWER_NO;
	kmod_list_foreach(item, list)
	{
		const char *key = kmod_module_info_get_key(item);
		const char *value = kmod_module_info_get_value(item);
		char **member = streq(key, "version")	   ? &fact->version
				: streq(key, "srcversion") ? &fact->srcversion
							   : NULL;

		if (member && text_is_plain(value, strlen(value)) && str_replace(member, value) < 0)
			return -ENOMEM;
		if (streq(key, "intree") && streq(value, "Y"))
			fact->in_tree = MLX5LM_ANSWER_YES;
	}
	return 0;
}

/*
 * What the file of a module that is not loaded says. It is opened beneath the root, for it may
 * be a link (RHEL's weak-updates).
 */
static int read_modinfo(struct look *look, struct mlx5lm_module *fact)
{
	_cleanup_(kmod_module_unref_p) struct kmod_module *module = NULL;
	_cleanup_(kmod_module_info_free_list_p) struct kmod_list *list = NULL;
	_cleanup_close_ int fd = -1;
	char path[FD_PATH_SIZE];
	struct stat st;

	if (!look->dir.ctx)
		return 0;
	fd = beneath_open(look->root->fd, fact->path, O_RDONLY | O_NONBLOCK);
	/* libkmod opens it once more, and would wait for a fifo for ever. */
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	snprintf(path, sizeof(path), FD_PATH, fd);
	if (kmod_module_new_from_path(look->dir.ctx, path, &module) < 0 ||
	    kmod_module_get_info(module, &list) < 0)
		return 0;
	return take_modinfo(list, fact);
}

/* Where depmod expects modules that do not come with the kernel (Documentation/kbuild). */
static bool is_update(const char *path)
{
	return strstr(path, "/updates/") || strstr(path, "/extra/") ||
	       strstr(path, "/weak-updates/");
}

/* Unpacking takes milliseconds: only for the one that vendors build, and that decides. */
static bool is_worth_reading(const struct mlx5lm_module *fact)
{
	size_t length = strlen(fact->path);

	return streq(fact->name, "mlx5_vfio_pci") ||
	       (length > 3 && streq(fact->path + length - 3, ".ko"));
}

static int probe_loadable(struct look *look, struct mlx5lm_module *fact)
{
	int r = set_state(fact, MLX5LM_MODULE_LOADABLE, "modules.dep");

	if (r == 0 && is_worth_reading(fact))
		r = read_modinfo(look, fact);
	if (is_update(fact->path))
		fact->in_tree = MLX5LM_ANSWER_NO;
	return r;
}

/* What an index says of a module: its file, as the host calls it, or that it has none. */
struct found {
	char *path; /* NULL: there is no file */
	bool builtin;
};

static int find_by_kmod(struct look *look, const char *name, struct found *ret)
{
	_cleanup_(kmod_module_unref_p) struct kmod_module *module = NULL;
	size_t dir_length = strlen(look->dir.path);
	const char *path;
	int r;

	/* This makes an object of any name; whether there is such a module its path tells. */
	r = kmod_module_new_from_name(look->dir.ctx, name, &module);
	if (r < 0)
		return r;
	path = kmod_module_get_path(module);
	ret->builtin = !path && kmod_module_get_initstate(module) == KMOD_MODULE_BUILTIN;
	if (!path || !text_is_plain(path, strlen(path)))
		return 0;
	/* A path beneath the descriptor, or one that depmod was told of. */
	if (strncmp(path, look->dir.path, dir_length) == 0 && path[dir_length] == '/')
		ret->path = str_printf("/lib/modules/%s%s", look->host->kernel_release,
				       path + dir_length);
	else
		ret->path = strdup(path);
	return ret->path ? 0 : -ENOMEM;
}

static int find_in_text(struct look *look, const char *name, struct found *ret)
{
	const struct module_index *index = &look->index;
	const char *path;
	size_t length;

	ret->builtin =
		module_index_find(index->builtin, index->builtin_length, name, &path, &length);
	if (!module_index_find(index->dep, index->dep_length, name, &path, &length) ||
	    !text_is_plain(path, length))
		return 0;
	ret->path = module_index_host_path(look->host->kernel_release, path, length);
	return ret->path ? 0 : -ENOMEM;
}

static int probe_file(struct look *look, struct mlx5lm_module *fact)
{
	struct found found = { 0 };
	int r;

	r = look->dir.ctx ? find_by_kmod(look, fact->name, &found) :
			    find_in_text(look, fact->name, &found);
	if (r < 0)
		return r;
	fact->path = found.path;
	if (fact->state)
		return 0;
	if (fact->path)
		return probe_loadable(look, fact);
	if (!found.builtin)
		return set_state(fact, MLX5LM_MODULE_MISSING, "modules.dep");
	fact->in_tree = MLX5LM_ANSWER_YES;
	return set_state(fact, MLX5LM_MODULE_BUILTIN, "modules.builtin");
}

static int look_at(struct look *look, const char *name)
{
	struct mlx5lm_module *fact;
	int r;

	r = host_add_module(look->host, &fact);
	if (r == 0)
		r = str_replace(&fact->name, name);
	if (r == 0)
		r = probe_sysfs(look->root, fact);
	if (r == 0 && look->proc_modules)
		r = probe_proc(look->proc_modules, fact);
	if (r == 0 && look->index_usable == 0)
		r = probe_file(look, fact);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return host_add_note(look->host, "host", "modules",
				     "module %s is not known: libkmod: %s", name, strerror(-r));
	fact->blacklisted = modprobe_conf_is_blacklisted(&look->conf, name);
	if (fact->state == MLX5LM_MODULE_LOADABLE && !fact->in_tree)
		strbuf_printf(&look->unread, " %s", name);
	return 0;
}

/* Says which answers are missing, and which come from a place that is not the usual one. */
static int note_sources(struct look *look)
{
	const char *release = look->host->kernel_release;
	int r = 0;

	if (look->index_usable < 0)
		r = host_add_note(look->host, "host", "modules best_driver",
				  "modules that are not loaded are not known: modules.dep or "
				  "modules.builtin in lib/modules/%s: %s",
				  release ? release : "(release)", strerror(-look->index_usable));
	if (r == 0 && look->proc_modules)
		r = host_add_note(look->host, "host", "modules",
				  "versions of modules are not known: there is no sys/module, so "
				  PROC_MODULES " told which are loaded");
	if (r == 0 && look->unread.length)
		r = host_add_note(look->host, "host", "modules",
				  "whether these were built with the kernel is not known, for their "
				  "files are %s, and they are not loaded:%s",
				  look->root->native ? "packed" : "not of this machine",
				  look->unread.text);
	if (r == 0 && look->conf.missing)
		r = host_add_note(look->host, "host", "modules",
				  "which modules are blacklisted is not known for sure: %s cannot "
				  "be read", look->conf.missing);
	return r;
}

static int look_begin(struct look *look)
{
	static const char *const no_config[] = { NULL };
	_cleanup_close_ int sysfs_fd = sysfs_open_dir(look->root, "sys/module");
	const char *release = look->host->kernel_release;
	size_t length;

	if (modprobe_conf_read(look->root, look->host->kernel_cmdline, &look->conf) < 0)
		return -ENOMEM;
	if (sysfs_fd < 0 && text_file_read(look->root, PROC_MODULES, PROC_MODULES_MAX_BYTES,
					   &look->proc_modules, &length) == -ENOMEM)
		return -ENOMEM;
	if (!release)
		look->index_usable = -ENOENT;
	else if (look->root->native)
		look->index_usable = module_dir_open(look->root, release, no_config, &look->dir);
	else
		look->index_usable = module_index_read(look->root, release, &look->index);
	/* A root without this kernel's modules is that of a container; so is its modprobe.d. */
	if (look->index_usable < 0 && !look->conf.missing)
		look->conf.missing = "lib/modules";
	return look->index_usable == -ENOMEM ? -ENOMEM : 0;
}

int modules_probe(const struct root *root, struct mlx5lm_host *host)
{
	_cleanup_(look_release) struct look look = { .root = root, .host = host, .dir.fd = -1 };
	int r = look_begin(&look);

	for (size_t i = 0; r == 0 && i < ARRAY_LENGTH(module_names); i++)
		r = look_at(&look, module_names[i]);
	if (r == 0)
		r = look.unread.error;
	if (r == 0)
		r = note_sources(&look);
	return r < 0 ? r : vfio_host_probe(root, &look.conf, host);
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
	free(fact.source);
	free(fact.version);
	free(fact.srcversion);
	return r == 0 &&
	       (fact.state == MLX5LM_MODULE_LOADED || fact.state == MLX5LM_MODULE_BUILTIN);
}

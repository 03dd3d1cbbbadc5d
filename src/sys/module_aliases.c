// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/module_aliases.h"

#include <errno.h>

#include "base/cleanup.h"
#include "sys/module_index.h"
#include "sys/pci.h"
#include "sys/sysfs.h"
#include "sys/text_file.h"

#define PCI_PREFIX "pci:"
#define VFIO_PREFIX "vfio_pci:"
#define CATCH_ALL "vfio_pci"

/* The best module so far. */
struct best {
	const char *alias; /* what is looked for */
	size_t wildcards;
	char *module;
};

static size_t count_wildcards(const char *pattern)
{
	size_t count = 0;

	for (; *pattern; pattern++)
		count += *pattern == '*' || *pattern == '?';
	return count;
}

/*
 * fnmatch() for '*' and '?', which is all that depmod writes for PCI. That of libc tries every
 * way to share the text out between the stars, and a recorded tree may have any number of them.
 */
static bool matches(const char *pattern, const char *text)
{
	const char *star = NULL, *retry = NULL;

	while (*text) {
		if (*pattern == '*') {
			star = pattern++;
			retry = text;
		} else if (*pattern == '?' || *pattern == *text) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star + 1;
			text = ++retry;
		} else {
			return false;
		}
	}
	return !pattern[strspn(pattern, "*")];
}

/* Of two that are equally good the first one stays. */
static int consider(struct best *best, const char *pattern, const char *module)
{
	size_t wildcards = count_wildcards(pattern);

	if (!matches(pattern, best->alias) ||
	    (best->module && wildcards >= best->wildcards) ||
	    !text_is_plain(module, strlen(module)))
		return 0;
	best->wildcards = wildcards;
	return str_replace(&best->module, module);
}

/* Lines "alias vfio_pci:v000015B3d0000101Esv*sd*bc*sc*i* mlx5_vfio_pci". */
static int consider_aliases(struct best *best, char *text)
{
	static const char start[] = "alias " VFIO_PREFIX;
	char *next, *space;
	int r = 0;

	for (char *line = text; r == 0 && line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (strncmp(line, start, sizeof(start) - 1) != 0)
			continue;
		line += sizeof("alias ") - 1;
		space = strchr(line, ' ');
		if (!space)
			continue;
		*space = '\0';
		r = consider(best, line, space + 1);
	}
	return r;
}

/* Records "mlx5_vfio_pci.alias=vfio_pci:v000015B3d0000101Esv*sd*bc*sc*i*", each with a NUL. */
static int consider_builtin(struct best *best, char *text, size_t length)
{
	static const char key[] = ".alias=" VFIO_PREFIX;
	char *next, *dot;
	int r = 0;

	for (char *record = text; r == 0 && record < text + length; record = next) {
		next = record + strlen(record) + 1;
		dot = strstr(record, key);
		if (!dot)
			continue;
		*dot = '\0';
		r = consider(best, dot + sizeof(".alias=") - 1, record);
	}
	return r;
}

int module_aliases_find(char *text, const char *alias, char **ret)
{
	struct best best = { .alias = alias };
	int r = consider_aliases(&best, text);

	*ret = best.module;
	return r;
}

int module_aliases_find_builtin(char *text, size_t length, const char *alias, char **ret)
{
	struct best best = { .alias = alias };
	int r = consider_builtin(&best, text, length);

	*ret = best.module;
	return r;
}

static int consider_file(const struct root *root, const char *release, struct best *best)
{
	_cleanup_free_ char *text = NULL;
	size_t length;
	int r = module_index_read_file(root, release, "modules.alias", &text, &length);

	if (r == 0)
		r = consider_aliases(best, text);
	return r < 0 && r != -ENOMEM ? -ENODATA : r;
}

static int consider_builtin_file(const struct root *root, const char *release, struct best *best)
{
	_cleanup_free_ char *text = NULL;
	size_t length;
	int r = module_index_read_file(root, release, "modules.builtin.modinfo", &text, &length);

	if (r == 0)
		r = consider_builtin(best, text, length);
	return r < 0 && r != -ENOMEM ? -ENODATA : r;
}

static uint32_t state_of(const struct mlx5lm_host *host, const char *name)
{
	const struct mlx5lm_module *module = host_find_module(host, name);

	return module ? module->state : MLX5LM_MODULE_UNKNOWN;
}

static int find_best(const struct root *root, const struct mlx5lm_host *host, struct best *best)
{
	const char *release = host->kernel_release;
	int r = release ? 0 : -ENODATA;

	/* modules.alias does not have these. */
	if (r == 0 && state_of(host, "mlx5_vfio_pci") == MLX5LM_MODULE_BUILTIN)
		r = consider_builtin_file(root, release, best);
	return r < 0 ? r : consider_file(root, release, best);
}

int modules_best_driver(const struct root *root, const struct mlx5lm_host *host,
			const char *modalias, char **ret)
{
	_cleanup_free_ char *alias = NULL;
	struct best best = { 0 };
	uint32_t fallback = state_of(host, CATCH_ALL);
	int r;

	if (strncmp(modalias, PCI_PREFIX, sizeof(PCI_PREFIX) - 1) != 0 ||
	    strpbrk(modalias, "*?[]"))
		return -EINVAL;
	alias = str_printf(VFIO_PREFIX "%s", modalias + sizeof(PCI_PREFIX) - 1);
	if (!alias)
		return -ENOMEM;
	best.alias = alias;
	r = find_best(root, host, &best);
	if (r == 0 && !best.module) {
		if (fallback == MLX5LM_MODULE_MISSING || fallback == MLX5LM_MODULE_UNKNOWN)
			return fallback ? -ENOENT : -ENODATA;
		r = str_replace(&best.module, CATCH_ALL);
	}
	if (r < 0) {
		free(best.module);
		return r;
	}
	free(*ret);
	*ret = best.module;
	return 0;
}

static int note_unknown(struct mlx5lm_host *host, const struct mlx5lm_pf *pf, int r)
{
	if (r == -ENODATA)
		return host_add_note(host, pf->bdf, "best_driver",
				     "VFIO driver of VFs is not known: the aliases of modules "
				     "cannot be read");
	if (r == -ENOENT)
		return host_add_note(host, pf->bdf, "best_driver",
				     "VFIO driver of VFs is not known: no module fits them, and "
				     "there is no vfio_pci");
	return host_add_note(host, pf->bdf, "best_driver",
			     "VFIO driver of VFs is not known: their modalias: %s", strerror(-r));
}

/* All VFs of a PF have the same ids: one modalias does for all. */
static int read_modalias(const struct root *root, const struct mlx5lm_pf *pf,
			 char text[static SYSFS_TEXT_SIZE])
{
	_cleanup_close_ int fd = -1;

	if (!pf->vfs[0].bdf)
		return -ENODEV;
	fd = pci_open(root, pf->vfs[0].bdf);
	return fd < 0 ? fd : sysfs_read(fd, "modalias", text);
}

int modules_probe_best_drivers(const struct root *root, struct mlx5lm_host *host)
{
	char modalias[SYSFS_TEXT_SIZE], last[SYSFS_TEXT_SIZE] = "";
	_cleanup_free_ char *driver = NULL;
	int r, found = -EINVAL;

	for (size_t i = 0; i < host->num_pfs; i++) {
		struct mlx5lm_pf *pf = &host->pfs[i];

		if (!pf->num_vfs)
			continue;
		r = read_modalias(root, pf, modalias);
		if (r == 0 && !streq(modalias, last)) {
			found = modules_best_driver(root, host, modalias, &driver);
			strcpy(last, modalias);
		}
		if (r == 0)
			r = found;
		if (r < 0)
			r = r == -ENOMEM ? r : note_unknown(host, pf, r);
		else
			for (size_t j = 0; r == 0 && j < pf->num_vfs; j++)
				r = str_replace(&pf->vfs[j].best_driver, driver);
		if (r < 0)
			return r;
	}
	return 0;
}

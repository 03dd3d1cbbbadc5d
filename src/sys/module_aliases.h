/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_MODULE_ALIASES_H
#define SYS_MODULE_ALIASES_H

#include "facts.h"
#include "sys/root.h"

/*
 * The VFIO driver that fits each VF best: of the modules with an alias "vfio_pci:..." for it
 * that with the fewest wildcards, else "vfio_pci". It comes when modules and PFs are known.
 * -ENOMEM is the only failure.
 */
int modules_probe_best_drivers(const struct root *root, struct mlx5lm_host *host);

/*
 * The same for one function. modalias: as sysfs has it, "pci:v000015B3d0000101E...".
 * 0; -ENOENT if no module fits; -ENODATA if that cannot be found out; -EINVAL; -ENOMEM.
 */
int modules_best_driver(const struct root *root, const struct mlx5lm_host *host,
			const char *modalias, char **ret);

/*
 * The module with the best of the aliases that fit alias ("vfio_pci:v000015B3..."), NULL if none
 * does, in the text of modules.alias or modules.builtin.modinfo, which is cut up. 0 or -ENOMEM.
 */
int module_aliases_find(char *text, const char *alias, char **ret);
int module_aliases_find_builtin(char *text, size_t length, const char *alias, char **ret);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_MODPROBE_CONF_H
#define SYS_MODPROBE_CONF_H

#include "base/str.h"
#include "facts.h"
#include "sys/root.h"

/*
 * What modprobe.d and the kernel's command line say of modules. libkmod reads modprobe.d, too,
 * but follows links out of the root and adds the command line of the running kernel.
 */
struct modprobe_conf {
	struct strv blacklist; /* modules, with underscores */
	struct strv options;   /* "vfio_pci.ids=15b3:101e": of the VFIO modules only */
	const char *missing;   /* what could not be read and may have had more; NULL if all was */
};

/* cmdline: as of cmdline_select(), NULL if it is not known. 0 or -ENOMEM. */
int modprobe_conf_read(const struct root *root, const char *cmdline, struct modprobe_conf *ret);
void modprobe_conf_release(struct modprobe_conf *conf);

/* Adds what the text of one file says. 0 or -ENOMEM. */
int modprobe_conf_parse(const char *text, struct modprobe_conf *conf);

/* Unknown if it is in no list, but something could not be read. */
enum mlx5lm_answer modprobe_conf_is_blacklisted(const struct modprobe_conf *conf,
						const char *module);

/* What "vfio_pci.ids" or the like is set to, the last one counts; NULL if it is not. */
const char *modprobe_conf_option(const struct modprobe_conf *conf, const char *name);

#endif

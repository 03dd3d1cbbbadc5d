/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_VFIO_HOST_H
#define SYS_VFIO_HOST_H

#include "facts.h"
#include "sys/modprobe_conf.h"
#include "sys/root.h"

/*
 * What VFIO offers on this host: its nodes in /dev and its parameters. Comes when modules and
 * kernel configuration are known. -ENOMEM is the only failure.
 */
int vfio_host_probe(const struct root *root, const struct modprobe_conf *conf,
		    struct mlx5lm_host *host);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_APPLIER_INTERNAL_H
#define SYS_APPLIER_INTERNAL_H

#include "sys/applier.h"
#include "sys/devlink.h"

struct applier {
	struct root *root;
	const struct log *log;
	char *pf_bdf;
	int pf_fd;
	struct netlink *netlink; /* opened at the first use */
	struct devlink_ports ports;
	bool ports_known;	 /* forgotten whenever VFs or eswitch change */
	unsigned int timeout_ms; /* in place of the one of each kind of step; 0 for that one */
};

/* Deadlines. Firmware commands have one of 60 s in mlx5_core, so these are longer or shorter. */
enum {
	FILE_TIMEOUT_MS = 10000,
	MODULE_TIMEOUT_MS = 120000,
	BIND_TIMEOUT_MS = 90000,
	UNBIND_TIMEOUT_MS = 90000,
	NUM_VFS_TIMEOUT_MS = 180000,
	ESWITCH_TIMEOUT_MS = 180000,
};

static inline unsigned int applier_timeout_ms(const struct applier *applier, unsigned int usual)
{
	return applier->timeout_ms ? applier->timeout_ms : usual;
}

/* What the kernel's answer to a change means; not what the caller's own mistake would. */
enum mlx5lm_error_code applier_code(int r);

/* The steps; 0 or -errno with an error that names the object. */
int applier_set_autoprobe(struct applier *applier, const struct mlx5lm_step *step,
			  struct mlx5lm_error **reterr);
int applier_set_num_vfs(struct applier *applier, const struct mlx5lm_step *step,
			struct mlx5lm_error **reterr);
int applier_unbind(struct applier *applier, const struct mlx5lm_step *step,
		   struct mlx5lm_error **reterr);
int applier_set_driver_override(struct applier *applier, const struct mlx5lm_step *step,
				struct mlx5lm_error **reterr);
int applier_bind(struct applier *applier, const struct mlx5lm_step *step,
		 struct mlx5lm_error **reterr);
int applier_set_eswitch_mode(struct applier *applier, const struct mlx5lm_step *step,
			     struct mlx5lm_error **reterr);
int applier_set_hw_addr(struct applier *applier, const struct mlx5lm_step *step,
			struct mlx5lm_error **reterr);
int applier_set_port_attr(struct applier *applier, const struct mlx5lm_step *step,
			  struct mlx5lm_error **reterr);
int applier_load_module(struct applier *applier, const struct mlx5lm_step *step,
			struct mlx5lm_error **reterr);

/* The VF ports and the eswitch mode as they are now; for the step that makes the VFs. */
int applier_read_ports(struct applier *applier, struct mlx5lm_error **reterr);
int applier_read_eswitch_mode(struct applier *applier, uint32_t *ret, struct mlx5lm_error **reterr);

#endif

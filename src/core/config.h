/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_CONFIG_H
#define CORE_CONFIG_H

#include "base/cleanup.h"
#include "facts.h"

#define CONFIG_MAX_VFS 4096u
#define CONFIG_NUM_ATTRS (MLX5LM_PORT_ATTR_IPSEC_PACKET + 1)

/* What is wanted of one VF, or of all. */
struct vf_config {
	uint32_t vf_index;		    /* or MLX5LM_VF_ALL */
	char *hw_addr;			    /* NULL: as it is */
	uint32_t attr[CONFIG_NUM_ATTRS];    /* enum mlx5lm_port_attr_state; 0: as it is */
	char *driver;			    /* NULL: as it is; "": none */
};

struct mlx5lm_config {
	struct fact_u64 num_vfs;
	uint32_t eswitch_mode; /* 0: as it is */
	struct vf_config *vfs;
	size_t num_vf_configs;
	size_t allocated;
};

int config_copy(const struct mlx5lm_config *config, struct mlx5lm_config **ret);

/* The settings of a VF, made if need be. NULL when out of memory. */
struct vf_config *config_get_vf(struct mlx5lm_config *config, uint32_t vf_index);

/* What is wanted of a VF in the end: its own settings, else those for all. Borrowed. */
const char *config_hw_addr(const struct mlx5lm_config *config, uint32_t vf_index);
const char *config_driver(const struct mlx5lm_config *config, uint32_t vf_index);
uint32_t config_attr(const struct mlx5lm_config *config, uint32_t vf_index,
		     enum mlx5lm_port_attr attr);

/* Canonical lower case form of a usable MAC address. 0 or -EINVAL. */
#define HW_ADDR_TEXT_SIZE 18
int hw_addr_parse(const char *text, char ret[static HW_ADDR_TEXT_SIZE]);

DEFINE_CLEANUP(struct mlx5lm_config *, mlx5lm_config_free)
#define _cleanup_config_ _cleanup_(mlx5lm_config_free_p)

#endif

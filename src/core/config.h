/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_CONFIG_H
#define CORE_CONFIG_H

#include "base/cleanup.h"
#include "core/nv.h"
#include "facts.h"

#define CONFIG_MAX_VFS 4096u
#define CONFIG_MAX_IO_EQS 65535u
#define CONFIG_MAX_MSIX 2048u
#define CONFIG_NUM_ATTRS (MLX5LM_PORT_ATTR_IPSEC_PACKET + 1)

/* What is wanted of one VF, or of all. */
struct vf_config {
	uint32_t vf_index;		    /* or MLX5LM_VF_ALL */
	char *hw_addr;			    /* NULL: as it is */
	uint32_t attr[CONFIG_NUM_ATTRS];    /* enum mlx5lm_port_attr_state; 0: as it is */
	struct fact_u64 max_io_eqs;
	struct fact_u64 msix_count;
	uint32_t representor_state;	    /* enum mlx5lm_admin_state; 0: as it is */
	char *driver;			    /* NULL: as it is; "": none */
	char *driver_override;		    /* NULL: what the driver takes; set by config_from_pf() only */
};

/* Which of eswitch mode and number of VFs comes first where both change. */
enum config_order {
	CONFIG_SWITCHDEV_FIRST,
	CONFIG_VFS_FIRST,
};

struct mlx5lm_config {
	struct fact_u64 num_vfs;
	uint32_t eswitch_mode; /* 0: as it is */
	struct fact_u64 nv[NV_COUNT]; /* by the index of nv_name() */
	bool firmware_reset;
	bool live_guests;
	struct vf_config *vfs; /* sorted by vf_index */
	size_t num_vf_configs;
	size_t allocated;
	/* The rest is not in JSON, and not for callers of the library. */
	bool is_undo;		/* made by config_from_pf(): what cannot be set is left alone */
	uint32_t autoprobe;	/* enum mlx5lm_answer; 0: as it is */
	bool rebound;		/* no VF is bound anew just because its device offers no migration */
	enum config_order order;
	char *order_reason;	/* why it is not the usual order */
};

int config_copy(const struct mlx5lm_config *config, struct mlx5lm_config **ret);

/*
 * The settings of a VF, made if need be, good until another's are made. NULL when out of memory.
 * config_find_vf() makes none, and gives NULL if there are none.
 */
struct vf_config *config_get_vf(struct mlx5lm_config *config, uint32_t vf_index);
const struct vf_config *config_find_vf(const struct mlx5lm_config *config, uint32_t vf_index);

/* Can it be wanted? */
bool config_knows_driver(const char *driver);
/* Index of a parameter for nv_name(), and its greatest value; -1 if it cannot be wanted. */
int config_find_nv(const char *name, uint64_t *max);

/* What is wanted of a VF in the end: its own settings, else those for all. Borrowed. */
const char *config_hw_addr(const struct mlx5lm_config *config, uint32_t vf_index);
const char *config_driver(const struct mlx5lm_config *config, uint32_t vf_index);
uint32_t config_attr(const struct mlx5lm_config *config, uint32_t vf_index,
		     enum mlx5lm_port_attr attr);

struct fact_u64 config_max_io_eqs(const struct mlx5lm_config *config, uint32_t vf_index);
struct fact_u64 config_msix_count(const struct mlx5lm_config *config, uint32_t vf_index);
uint32_t config_representor_state(const struct mlx5lm_config *config, uint32_t vf_index);

/* What driver_override has to be in the end: "" for mlx5_core and none. NULL: as it is. */
const char *config_driver_override(const struct mlx5lm_config *config, uint32_t vf_index);

/* Canonical lower case form of a usable MAC address. 0 or -EINVAL. */
#define HW_ADDR_TEXT_SIZE 18
int hw_addr_parse(const char *text, char ret[static HW_ADDR_TEXT_SIZE]);

DEFINE_CLEANUP(struct mlx5lm_config *, mlx5lm_config_free)
#define _cleanup_config_ _cleanup_(mlx5lm_config_free_p)

#endif

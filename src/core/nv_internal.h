/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_NV_INTERNAL_H
#define CORE_NV_INTERNAL_H

#include "core/nv.h"

/* What nv_text.c and nv_json.c share: both forms have the same cells and devices. */

enum nv_column {
	NV_DEFAULT,
	NV_CURRENT,
	NV_NEXT_BOOT,
	NV_NUM_COLUMNS,
};

struct nv_row {
	uint32_t read_only; /* enum mlx5lm_answer */
	struct fact_u64 values[NV_NUM_COLUMNS];
};

/* A part of a text that has no end of its own. */
struct nv_span {
	const char *text;
	size_t length;
};

/* The place of a parameter in the order, or -1. */
int nv_find(const struct nv_span *name);

/* "True(1)", "8", "0x10"; not known if it is "N/A", "Array[0..7]" or anything else. */
struct fact_u64 nv_parse_cell(const struct nv_span *cell);

/* Which device a tool speaks of: "0000:08:00.0", "/sys/bus/pci/devices/0000:08:00.0/config". */
enum nv_device {
	NV_DEVICE_OTHER,
	NV_DEVICE_UNNAMED, /* by no BDF: "/dev/mst/mt4129_pciconf0" */
	NV_DEVICE_OURS,
};

enum nv_device nv_match_device(const struct nv_span *device, const char *bdf);

/* The adapter has this parameter, and these are its values. 0 or -ENOMEM. */
int nv_put(struct mlx5lm_pf *pf, int index, const struct nv_row *row);

#endif

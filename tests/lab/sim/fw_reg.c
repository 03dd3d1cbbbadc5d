// SPDX-License-Identifier: GPL-2.0-only
/* Access registers: those that tell the firmware versions. Any other one reads as zero. */
#include "sim.h"

#define COMPONENT_BOOT_IMAGE	1	/* identifier in MCQS */
#define UPDATE_PENDING_RESET	4	/* component_update_state in MCQS: stored, not running */
#define INFO_CAPABILITIES	0	/* info_type in MCQI */
#define INFO_VERSION		1

static void read_mcam(const void *in, void *out)
{
	u8 group = MLX5_GET(mcam_reg, in, access_reg_group);

	MLX5_SET(mcam_reg, out, access_reg_group, group);
	if (group)
		return;
	MLX5_SET(mcam_reg, out, mng_access_reg_cap_mask.access_regs.mcqi, 1);
	MLX5_SET(mcam_reg, out, mng_access_reg_cap_mask.access_regs.mcqs, 1);
}

static void read_mcqs(const struct sim_card *card, const void *in, void *out)
{
	MLX5_SET(mcqs_reg, out, component_index, MLX5_GET(mcqs_reg, in, component_index));
	MLX5_SET(mcqs_reg, out, last_index_flag, 1);
	MLX5_SET(mcqs_reg, out, identifier, COMPONENT_BOOT_IMAGE);
	if (sim_params_fw_stored(card) != sim_params_fw_running(card))
		MLX5_SET(mcqs_reg, out, component_update_state, UPDATE_PENDING_RESET);
}

static u8 read_mcqi(const struct sim_card *card, const void *in, void *out)
{
	bool stored = MLX5_GET(mcqi_reg, in, read_pending_component);
	u8 type = MLX5_GET(mcqi_reg, in, info_type);
	void *data = MLX5_ADDR_OF(mcqi_reg, out, data);

	switch (type) {
	case INFO_CAPABILITIES:
		MLX5_SET(mcqi_cap, data, supported_info_bitmask,
			 BIT(INFO_CAPABILITIES) | BIT(INFO_VERSION));
		MLX5_SET(mcqi_reg, out, data_size, MLX5_ST_SZ_BYTES(mcqi_cap));
		break;
	case INFO_VERSION:
		MLX5_SET(mcqi_version, data, version,
			 stored ? sim_params_fw_stored(card) : sim_params_fw_running(card));
		MLX5_SET(mcqi_reg, out, data_size, MLX5_ST_SZ_BYTES(mcqi_version));
		break;
	default:
		return MLX5_CMD_STAT_BAD_PARAM_ERR;
	}
	MLX5_SET(mcqi_reg, out, info_type, type);
	return MLX5_CMD_STAT_OK;
}

u8 sim_cmd_access_reg(struct sim_cmd *cmd)
{
	const void *in = MLX5_ADDR_OF(access_register_in, cmd->in, register_data);
	void *out = MLX5_ADDR_OF(access_register_out, cmd->out, register_data);

	switch (MLX5_GET(access_register_in, cmd->in, register_id)) {
	case MLX5_REG_MCAM:
		read_mcam(in, out);
		break;
	case MLX5_REG_MCQS:
		read_mcqs(cmd->fn->card, in, out);
		break;
	case MLX5_REG_MCQI:
		return read_mcqi(cmd->fn->card, in, out);
	}
	return MLX5_CMD_STAT_OK;
}

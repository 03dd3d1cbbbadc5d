// SPDX-License-Identifier: GPL-2.0-only
/*
 * The firmware commands. What is not in the table succeeds with an output of zeroes, and with a
 * fresh number if it creates something: the drivers find out by capabilities what to ask for, so
 * that is what decides.
 */
#include <linux/etherdevice.h>
#include <linux/string.h>

#include "sim.h"

/* Another function that the command names; only the PF may. */
static struct sim_fn *other_function(const struct sim_cmd *cmd, unsigned int index)
{
	return cmd->fn->index ? NULL : sim_card_fn(cmd->fn->card, index);
}

static u8 cmd_query_issi(struct sim_cmd *cmd)
{
	MLX5_SET(query_issi_out, cmd->out, supported_issi_dw0, BIT(0) | BIT(1));
	return MLX5_CMD_STAT_OK;
}

static u8 cmd_query_adapter(struct sim_cmd *cmd)
{
	char psid[SIM_PSID_LEN + 1];

	sim_params_psid(cmd->fn->card, psid);
	memcpy(MLX5_ADDR_OF(query_adapter_out, cmd->out, query_adapter_struct.vsd_contd_psid), psid,
	       SIM_PSID_LEN);
	return MLX5_CMD_STAT_OK;
}

static u8 cmd_enable_hca(struct sim_cmd *cmd)
{
	unsigned int index = MLX5_GET(enable_hca_in, cmd->in, function_id);
	struct sim_fn *vf;

	if (!index) {
		cmd->fn->hca_enabled = true;
		return MLX5_CMD_STAT_OK;
	}
	vf = other_function(cmd, index);
	if (!vf)
		return MLX5_CMD_STAT_BAD_PARAM_ERR;
	sim_vf_release(vf);
	return MLX5_CMD_STAT_OK;
}

static u8 cmd_disable_hca(struct sim_cmd *cmd)
{
	unsigned int index = MLX5_GET(disable_hca_in, cmd->in, function_id);
	struct sim_fn *vf;

	if (!index) {
		sim_fn_release(cmd->fn);
		cmd->fn->hca_enabled = false;
		return MLX5_CMD_STAT_OK;
	}
	vf = other_function(cmd, index);
	if (!vf)
		return MLX5_CMD_STAT_BAD_PARAM_ERR;
	sim_vf_release(vf);
	return MLX5_CMD_STAT_OK;
}

static u8 cmd_init_hca(struct sim_cmd *cmd)
{
	cmd->fn->hca_initialized = true;
	return MLX5_CMD_STAT_OK;
}

static u8 cmd_teardown_hca(struct sim_cmd *cmd)
{
	sim_fn_release(cmd->fn);
	return MLX5_CMD_STAT_OK;
}

static u8 cmd_create_eq(struct sim_cmd *cmd)
{
	const void *context = MLX5_ADDR_OF(create_eq_in, cmd->in, eq_context_entry);
	u8 log_size = MLX5_GET(eqc, context, log_eq_size);
	struct sim_eq *eq;
	int i;

	if (log_size > SIM_MAX_LOG_EQ_SIZE || MLX5_GET(eqc, context, log_page_size))
		return MLX5_CMD_STAT_BAD_PARAM_ERR;
	for (i = 1; i < SIM_MAX_EQS && cmd->fn->eq[i].pages.count; i++)
		;
	if (i == SIM_MAX_EQS || i > sim_caps_max_eqs(cmd->fn))
		return MLX5_CMD_STAT_LIM_ERR;
	eq = &cmd->fn->eq[i];
	*eq = (struct sim_eq) {
		.log_size = log_size,
		.vector = MLX5_GET(eqc, context, intr),
		.event_mask = MLX5_GET64(create_eq_in, cmd->in, event_bitmask[0]),
	};
	if (!sim_pages_get(&eq->pages, cmd, MLX5_BYTE_OFF(create_eq_in, pas),
			   sizeof(struct mlx5_eqe) << log_size))
		return MLX5_CMD_STAT_BAD_INP_LEN_ERR;
	MLX5_SET(create_eq_out, cmd->out, eq_number, i);
	return MLX5_CMD_STAT_OK;
}

static u8 cmd_destroy_eq(struct sim_cmd *cmd)
{
	unsigned int i = MLX5_GET(destroy_eq_in, cmd->in, eq_number);

	if (i >= SIM_MAX_EQS || !cmd->fn->eq[i].pages.count)
		return MLX5_CMD_STAT_BAD_RES_ERR;
	sim_pages_put(&cmd->fn->eq[i].pages);
	return MLX5_CMD_STAT_OK;
}

static u8 cmd_alloc_uar(struct sim_cmd *cmd)
{
	u32 bar = cmd->fn->index ? cmd->fn->card->vf_bar_size : SIM_PF_BAR_SIZE;
	unsigned long limit = min_t(unsigned long, bar / SZ_4K, SIM_MAX_UARS);
	unsigned long uar = find_next_zero_bit(cmd->fn->uars, limit, SIM_FIRST_UAR);

	if (uar >= limit)
		return MLX5_CMD_STAT_NO_RES_ERR;
	__set_bit(uar, cmd->fn->uars);
	MLX5_SET(alloc_uar_out, cmd->out, uar, uar);
	return MLX5_CMD_STAT_OK;
}

static u8 cmd_dealloc_uar(struct sim_cmd *cmd)
{
	unsigned int uar = MLX5_GET(dealloc_uar_in, cmd->in, uar);

	if (uar >= SIM_MAX_UARS || !__test_and_clear_bit(uar, cmd->fn->uars))
		return MLX5_CMD_STAT_BAD_RES_ERR;
	return MLX5_CMD_STAT_OK;
}

/*
 * The port stays down (zeroes): nothing moves packets, and a network device with a carrier would
 * have the kernel complain of transmit queues that hang.
 */
static u8 cmd_query_nic_vport_context(struct sim_cmd *cmd)
{
	void *context = MLX5_ADDR_OF(query_nic_vport_context_out, cmd->out, nic_vport_context);
	u8 *mac;
	unsigned int vport = MLX5_GET(query_nic_vport_context_in, cmd->in, vport_number);
	struct sim_fn *fn = cmd->fn;

	if (MLX5_GET(query_nic_vport_context_in, cmd->in, other_vport))
		fn = other_function(cmd, vport);
	if (!fn)	/* the uplink's vport number is no function */
		return MLX5_CMD_STAT_OK;
	mac = MLX5_ADDR_OF(nic_vport_context, context, permanent_address);
	ether_addr_copy(mac + 2, fn->mac);
	MLX5_SET(nic_vport_context, context, mtu, ETH_DATA_LEN);
	return MLX5_CMD_STAT_OK;
}

static u8 cmd_modify_nic_vport_context(struct sim_cmd *cmd)
{
	const void *context = MLX5_ADDR_OF(modify_nic_vport_context_in, cmd->in, nic_vport_context);
	unsigned int vport = MLX5_GET(modify_nic_vport_context_in, cmd->in, vport_number);
	const u8 *mac = MLX5_ADDR_OF(nic_vport_context, context, permanent_address);
	struct sim_fn *fn = cmd->fn;

	if (MLX5_GET(modify_nic_vport_context_in, cmd->in, other_vport))
		fn = other_function(cmd, vport);
	if (!fn)
		return MLX5_CMD_STAT_BAD_PARAM_ERR;
	if (MLX5_GET(modify_nic_vport_context_in, cmd->in, field_select.permanent_address))
		ether_addr_copy(fn->mac, mac + 2);
	return MLX5_CMD_STAT_OK;
}

/* Number at byte 8 of the output, as all of them have it. */
static u8 cmd_create(struct sim_cmd *cmd)
{
	put_unaligned_be32(sim_new_id(cmd->fn), cmd->out + 8);
	return MLX5_CMD_STAT_OK;
}

static u8 cmd_ignore(struct sim_cmd *cmd)
{
	return MLX5_CMD_STAT_OK;
}

#define CMD(name, fn)	{ MLX5_CMD_OP_##name, #name, fn }
static const struct {
	u16 op;
	const char *name;
	u8 (*execute)(struct sim_cmd *cmd);
} commands[] = {
	CMD(QUERY_HCA_CAP, sim_cmd_query_hca_cap),
	CMD(SET_HCA_CAP, sim_cmd_set_hca_cap),
	CMD(QUERY_ISSI, cmd_query_issi),
	CMD(QUERY_ADAPTER, cmd_query_adapter),
	CMD(ENABLE_HCA, cmd_enable_hca),
	CMD(DISABLE_HCA, cmd_disable_hca),
	CMD(INIT_HCA, cmd_init_hca),
	CMD(TEARDOWN_HCA, cmd_teardown_hca),
	CMD(CREATE_EQ, cmd_create_eq),
	CMD(DESTROY_EQ, cmd_destroy_eq),
	CMD(ALLOC_UAR, cmd_alloc_uar),
	CMD(DEALLOC_UAR, cmd_dealloc_uar),
	CMD(ACCESS_REG, sim_cmd_access_reg),
	CMD(QUERY_NIC_VPORT_CONTEXT, cmd_query_nic_vport_context),
	CMD(MODIFY_NIC_VPORT_CONTEXT, cmd_modify_nic_vport_context),
	CMD(SUSPEND_VHCA, sim_cmd_suspend_vhca),
	CMD(RESUME_VHCA, sim_cmd_resume_vhca),
	CMD(QUERY_VHCA_MIGRATION_STATE, sim_cmd_query_vhca_migration_state),
	CMD(SAVE_VHCA_STATE, sim_cmd_save_vhca_state),
	CMD(LOAD_VHCA_STATE, sim_cmd_load_vhca_state),
	CMD(CREATE_MKEY, sim_cmd_create_mkey),
	CMD(DESTROY_MKEY, sim_cmd_destroy_mkey),
	CMD(CREATE_CQ, sim_cmd_create_cq),
	CMD(DESTROY_CQ, sim_cmd_destroy_cq),
	CMD(CREATE_QP, sim_cmd_create_qp),
	CMD(INIT2RTR_QP, sim_cmd_init2rtr_qp),
	CMD(DESTROY_QP, sim_cmd_destroy_qp),
	CMD(CREATE_GENERAL_OBJECT, sim_cmd_create_general_object),
	CMD(MODIFY_GENERAL_OBJECT, sim_cmd_modify_general_object),
	CMD(QUERY_GENERAL_OBJECT, sim_cmd_query_general_object),
	CMD(DESTROY_GENERAL_OBJECT, sim_cmd_destroy_general_object),
	CMD(CREATE_PSV, cmd_create),
	CMD(CREATE_SRQ, cmd_create),
	CMD(CREATE_XRC_SRQ, cmd_create),
	CMD(CREATE_DCT, cmd_create),
	CMD(CREATE_XRQ, cmd_create),
	CMD(ALLOC_Q_COUNTER, cmd_create),
	CMD(CREATE_SCHEDULING_ELEMENT, cmd_create),
	CMD(ALLOC_PD, cmd_create),
	CMD(ALLOC_XRCD, cmd_create),
	CMD(ALLOC_TRANSPORT_DOMAIN, cmd_create),
	CMD(CREATE_LAG, cmd_ignore),
	CMD(CREATE_TIR, cmd_create),
	CMD(CREATE_SQ, cmd_create),
	CMD(CREATE_RQ, cmd_create),
	CMD(CREATE_RMP, cmd_create),
	CMD(CREATE_TIS, cmd_create),
	CMD(CREATE_RQT, cmd_create),
	CMD(CREATE_FLOW_TABLE, cmd_create),
	CMD(CREATE_FLOW_GROUP, cmd_create),
	CMD(ALLOC_FLOW_COUNTER, cmd_create),
	CMD(ALLOC_PACKET_REFORMAT_CONTEXT, cmd_create),
	CMD(ALLOC_MODIFY_HEADER_CONTEXT, cmd_create),
	/* named for the log and for faults; nothing to do */
	CMD(QUERY_PAGES, cmd_ignore),
	CMD(MANAGE_PAGES, cmd_ignore),
	CMD(SET_ISSI, cmd_ignore),
	CMD(QUERY_ESW_FUNCTIONS, cmd_ignore),
	CMD(MODIFY_ESW_VPORT_CONTEXT, cmd_ignore),
	CMD(MODIFY_VPORT_STATE, cmd_ignore),
	CMD(SET_FLOW_TABLE_ENTRY, cmd_ignore),
	CMD(SET_FLOW_TABLE_ROOT, cmd_ignore),
};

u8 sim_cmd_execute(struct sim_cmd *cmd)
{
	int i;

	cmd->syndrome = 0x51a00000 | cmd->op;
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (commands[i].op == cmd->op)
			return commands[i].execute(cmd);
	return MLX5_CMD_STAT_OK;
}

const char *sim_cmd_name(u16 op)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (commands[i].op == op)
			return commands[i].name;
	return "";
}

int sim_cmd_opcode(const char *name)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i].name, name))
			return commands[i].op;
	return -ENOENT;
}

bool sim_cmd_changes(u16 op)
{
	switch (op) {
	case MLX5_CMD_OP_QUERY_HCA_CAP:
	case MLX5_CMD_OP_QUERY_ADAPTER:
	case MLX5_CMD_OP_QUERY_PAGES:
	case MLX5_CMD_OP_QUERY_ISSI:
	case MLX5_CMD_OP_QUERY_VHCA_MIGRATION_STATE:
	case MLX5_CMD_OP_QUERY_SPECIAL_CONTEXTS:
	case MLX5_CMD_OP_QUERY_EQ:
	case MLX5_CMD_OP_QUERY_CQ:
	case MLX5_CMD_OP_QUERY_QP:
	case MLX5_CMD_OP_QUERY_ESW_FUNCTIONS:
	case MLX5_CMD_OP_QUERY_VPORT_STATE:
	case MLX5_CMD_OP_QUERY_ESW_VPORT_CONTEXT:
	case MLX5_CMD_OP_QUERY_NIC_VPORT_CONTEXT:
	case MLX5_CMD_OP_QUERY_VNIC_ENV:
	case MLX5_CMD_OP_QUERY_VPORT_COUNTER:
	case MLX5_CMD_OP_QUERY_Q_COUNTER:
	case MLX5_CMD_OP_QUERY_LAG:
	case MLX5_CMD_OP_QUERY_TIR:
	case MLX5_CMD_OP_QUERY_SQ:
	case MLX5_CMD_OP_QUERY_RQ:
	case MLX5_CMD_OP_QUERY_FLOW_COUNTER:
	case MLX5_CMD_OP_QUERY_GENERAL_OBJECT:
	case MLX5_CMD_OP_ACCESS_REG:
		return false;
	default:
		return true;
	}
}

/* Works on the first 16 bytes, so before the mailboxes have been read. */
unsigned int sim_cmd_target(const struct sim_fn *fn, const u8 *in)
{
	unsigned int other = get_unaligned_be16(in + 10);	/* function_id, vhca_id */
	bool other_function = in[8] & 0x80;

	if (fn->index)
		return fn->index;
	switch (get_unaligned_be16(in)) {
	case MLX5_CMD_OP_ENABLE_HCA:
	case MLX5_CMD_OP_DISABLE_HCA:
	case MLX5_CMD_OP_SUSPEND_VHCA:
	case MLX5_CMD_OP_RESUME_VHCA:
	case MLX5_CMD_OP_QUERY_VHCA_MIGRATION_STATE:
	case MLX5_CMD_OP_SAVE_VHCA_STATE:
	case MLX5_CMD_OP_LOAD_VHCA_STATE:
		return other;
	case MLX5_CMD_OP_QUERY_HCA_CAP:
	case MLX5_CMD_OP_SET_HCA_CAP:
	case MLX5_CMD_OP_QUERY_NIC_VPORT_CONTEXT:
	case MLX5_CMD_OP_MODIFY_NIC_VPORT_CONTEXT:
		return other_function ? other : 0;
	default:
		return 0;
	}
}

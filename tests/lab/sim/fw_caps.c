// SPDX-License-Identifier: GPL-2.0-only
/*
 * Capabilities. Each answer is made from the module parameters of the moment; only what a driver
 * has set is kept: by the PF for a VF until the VF is disabled, by a function for itself until its
 * teardown.
 *
 * The migratable bit of a VF is a state of its own. It starts as 0 and can be set only while the
 * VF's own driver has not enabled the function. So is the number of its MSI-X vectors, which its
 * configuration space shows.
 */
#include <linux/slab.h>

#include "sim.h"

#define SYNDROME_IN_USE	0x51a90109	/* SET_HCA_CAP of a function whose driver is up */
#define SYNDROME_NUMBER	0x51a9010a	/* SET_HCA_CAP: vectors or event queues out of range */
#define SYNDROME_POOL	0x51a9010b	/* SET_HCA_CAP: more vectors than the pool has left */

#define MIN_MSIX	2

u32 sim_caps_max_eqs(const struct sim_fn *fn)
{
	const void *caps = fn->caps_pf[1];
	u32 eqs = caps ? MLX5_GET(cmd_hca_cap_2, caps, max_num_eqs_24b) : 0;

	return eqs ?: SIM_MAX_EQS;
}

/* Only those two are kept; the others that drivers set (atomic, RoCE, ODP) change nothing here. */
int sim_caps_slot(unsigned int type)
{
	if (type == MLX5_CAP_GENERAL)
		return 0;
	return type == MLX5_CAP_GENERAL_2 ? 1 : -1;
}

static void fill_general(const struct sim_fn *fn, void *caps)
{
	bool pf = !fn->index;

#define SET(field, value)	MLX5_SET(cmd_hca_cap, caps, field, value)
	SET(vhca_id, fn->index);
	SET(hca_cap_2, 1);
	SET(num_ports, 1);
	SET(port_type, MLX5_CAP_PORT_TYPE_ETH);
	SET(cqe_version, 1);
	SET(page_request_disable, 1);
	SET(mcam_reg, 1);
	SET(pcam_reg, 1);
	SET(eth_net_offloads, sim_cap_eth);
	SET(roce, !pf);
	/* sizes */
	SET(max_num_eqs, SIM_MAX_EQS);
	SET(log_max_eq, 6);
	SET(log_max_eq_sz, SIM_MAX_LOG_EQ_SIZE);
	SET(log_max_qp, 17);
	SET(log_max_qp_sz, 13);
	SET(log_max_cq, 16);
	SET(log_max_cq_sz, 16);
	SET(log_max_mkey, 20);
	SET(log_max_pd, 16);
	SET(log_max_srq, 16);
	SET(log_max_transport_domain, 16);
	SET(log_max_tir, 16);
	SET(log_max_tis, 16);
	SET(log_max_tis_per_sq, 3);
	SET(log_max_rq, 16);
	SET(log_max_sq, 16);
	SET(log_max_rqt, 16);
	SET(log_max_rmp, 16);
	SET(log_max_msg, 30);
	SET(log_max_klm_list_size, 16);
	SET(log_max_current_uc_list, 7);
	SET(log_max_current_mc_list, 7);
	SET(max_wqe_sz_sq, 1024);
	SET(max_wqe_sz_rq, 1024);
	SET(bf, 1);
	SET(log_bf_reg_size, 9);
	SET(cq_moderation, 1);
	SET(nic_flow_table, pf || sim_cap_vf_eth);
	SET(dynamic_msix_table_size, fn->msix);
	if (!pf)
		return;
	if (sim_dynamic_msix) {
		SET(num_total_dynamic_vf_msix, sim_dynamic_msix);
		SET(min_dynamic_vf_msix_table_size, MIN_MSIX);
		SET(max_dynamic_vf_msix_table_size, SIM_MSIX_VECTORS);
	}
	SET(vport_group_manager, 1);
	SET(eswitch_manager, 1);
	SET(vhca_resource_manager, 1);
	SET(migration, sim_cap_migration);
	SET(adv_virtualization, sim_cap_tracking);
#undef SET
}

static void fill_general_2(const struct sim_fn *fn, void *caps)
{
	if (sim_cap_io_eqs)
		MLX5_SET(cmd_hca_cap_2, caps, max_num_eqs_24b, SIM_MAX_EQS);
	if (fn->index)
		return;
	MLX5_SET(cmd_hca_cap_2, caps, migration_multi_load, sim_cap_multi_load);
	MLX5_SET(cmd_hca_cap_2, caps, migration_tracking_state, sim_cap_tracking_state);
	MLX5_SET(cmd_hca_cap_2, caps, migration_in_chunks, sim_cap_chunk);
}

static void fill_flow_table(void *table)
{
#define SET(field, value)	MLX5_SET(flow_table_prop_layout, table, field, value)
	SET(ft_support, 1);
	SET(flow_modify_en, 1);
	SET(modify_root, 1);
	SET(flow_table_modify, 1);
	SET(identified_miss_table_mode, 1);
	SET(flow_counter, 1);
	SET(log_max_ft_size, 24);
	SET(max_ft_level, 64);
	SET(log_max_ft_num, 16);
	SET(log_max_flow, 24);
	SET(log_max_destination, 6);
#undef SET
}

/*
 * Messages of 4 KiB that fw_track.c never fills: mlx5_vfio_pci of 6.12 takes a full one at the end
 * of its buffer for an overrun, and warns.
 */
static void fill_tracker(void *caps)
{
#define SET(field, value)	MLX5_SET(adv_virtualization_cap, caps, field, value)
	SET(pg_track_log_max_num, 5);
	SET(pg_track_max_num_range, 16);
	SET(pg_track_log_min_addr_space, 12);
	SET(pg_track_log_max_addr_space, 42);
	SET(pg_track_log_min_msg_size, 12);
	SET(pg_track_log_max_msg_size, 12);
	SET(pg_track_log_min_page_size, 12);
	SET(pg_track_log_max_page_size, 20);
#undef SET
}

static void fill_offloads(void *caps)
{
#define SET(field, value)	MLX5_SET(per_protocol_networking_offload_caps, caps, field, value)
	SET(csum_cap, 1);
	SET(vlan_cap, 1);
	SET(max_lso_cap, 18);
	SET(rss_ind_tbl_cap, 11);
	SET(wqe_inline_mode, 2);
	SET(self_lb_en_modifiable, 1);
	SET(wqe_vlan_insert, 1);
#undef SET
}

static void fill(const struct sim_fn *fn, unsigned int type, void *caps)
{
	switch (type) {
	case MLX5_CAP_GENERAL:
		fill_general(fn, caps);
		break;
	case MLX5_CAP_GENERAL_2:
		fill_general_2(fn, caps);
		break;
	case MLX5_CAP_ADV_VIRTUALIZATION:
		fill_tracker(caps);
		break;
	case MLX5_CAP_ETHERNET_OFFLOADS:
		fill_offloads(caps);
		break;
	case MLX5_CAP_FLOW_TABLE:
		fill_flow_table(MLX5_ADDR_OF(flow_table_nic_cap, caps,
					     flow_table_properties_nic_receive));
		break;
	case MLX5_CAP_ESWITCH_FLOW_TABLE:
		fill_flow_table(MLX5_ADDR_OF(flow_table_eswitch_cap, caps,
					     flow_table_properties_nic_esw_fdb));
		break;
	}
}

/* The function the command is about; the PF may name a VF of its own. */
static struct sim_fn *cap_function(struct sim_cmd *cmd)
{
	if (!MLX5_GET(query_hca_cap_in, cmd->in, other_function))
		return cmd->fn;
	if (cmd->fn->index)
		return NULL;
	return sim_card_fn(cmd->fn->card, MLX5_GET(query_hca_cap_in, cmd->in, function_id));
}

u8 sim_cmd_query_hca_cap(struct sim_cmd *cmd)
{
	void *caps = MLX5_ADDR_OF(query_hca_cap_out, cmd->out, capability);
	struct sim_fn *fn = cap_function(cmd);
	unsigned int type = cmd->op_mod >> 1;
	bool current_value = cmd->op_mod & HCA_CAP_OPMOD_GET_CUR;
	int slot = sim_caps_slot(type);

	if (!fn)
		return MLX5_CMD_STAT_BAD_PARAM_ERR;
	/* out is zeroed and has room for two of the largest structures, whatever its length */
	if (slot >= 0 && current_value && fn->caps_own[slot])
		memcpy(caps, fn->caps_own[slot], SIM_CAP_SIZE);
	else if (slot >= 0 && fn->caps_pf[slot])
		memcpy(caps, fn->caps_pf[slot], SIM_CAP_SIZE);
	else
		fill(fn, type, caps);
	/* two that no driver sets, wherever the rest comes from (a migrated VF brings it along) */
	if (type == MLX5_CAP_GENERAL)
		MLX5_SET(cmd_hca_cap, caps, vhca_id, fn->index);
	if (type == MLX5_CAP_GENERAL_2)
		MLX5_SET(cmd_hca_cap_2, caps, migratable, fn->migratable);
	return MLX5_CMD_STAT_OK;
}

static u8 set_vf_general(struct sim_cmd *cmd, struct sim_fn *fn, const void *caps)
{
	u16 vectors = MLX5_GET(cmd_hca_cap, caps, dynamic_msix_table_size);
	const struct sim_card *card = fn->card;
	u32 taken = vectors;
	int i;

	if (!sim_dynamic_msix || vectors == fn->msix)
		return MLX5_CMD_STAT_OK;
	if (vectors < MIN_MSIX || vectors > SIM_MSIX_VECTORS) {
		cmd->syndrome = SYNDROME_NUMBER;
		return MLX5_CMD_STAT_BAD_PARAM_ERR;
	}
	for (i = 1; i <= card->max_vfs; i++)
		if (&card->fn[i] != fn)
			taken += card->fn[i].msix;
	if (taken > sim_dynamic_msix) {
		cmd->syndrome = SYNDROME_POOL;
		return MLX5_CMD_STAT_NO_RES_ERR;
	}
	fn->msix = vectors;
	sim_pci_set_msix(fn, vectors);
	return MLX5_CMD_STAT_OK;
}

static u8 set_vf_general_2(struct sim_cmd *cmd, struct sim_fn *fn, const void *caps)
{
	bool migratable = MLX5_GET(cmd_hca_cap_2, caps, migratable);

	if (MLX5_GET(cmd_hca_cap_2, caps, max_num_eqs_24b) > SIM_MAX_EQS) {
		cmd->syndrome = SYNDROME_NUMBER;
		return MLX5_CMD_STAT_BAD_PARAM_ERR;
	}
	if (migratable && (!sim_cap_migratable || !sim_cap_migration))
		return MLX5_CMD_STAT_BAD_PARAM_ERR;
	fn->migratable = migratable;
	return MLX5_CMD_STAT_OK;
}

u8 sim_cmd_set_hca_cap(struct sim_cmd *cmd)
{
	const void *caps = MLX5_ADDR_OF(set_hca_cap_in, cmd->in, capability);
	struct sim_fn *fn = cap_function(cmd);
	unsigned int type = cmd->op_mod >> 1;
	int slot = sim_caps_slot(type);
	void **kept;
	u8 status = MLX5_CMD_STAT_OK;

	if (!fn)
		return MLX5_CMD_STAT_BAD_PARAM_ERR;
	if (fn != cmd->fn && (fn->hca_enabled || fn->hca_initialized)) {
		cmd->syndrome = SYNDROME_IN_USE;
		return MLX5_CMD_STAT_BAD_RES_STATE_ERR;
	}
	if (fn != cmd->fn && type == MLX5_CAP_GENERAL)
		status = set_vf_general(cmd, fn, caps);
	if (fn != cmd->fn && type == MLX5_CAP_GENERAL_2)
		status = set_vf_general_2(cmd, fn, caps);
	if (status || slot < 0)
		return status;
	kept = fn == cmd->fn ? &fn->caps_own[slot] : &fn->caps_pf[slot];
	if (!*kept)
		*kept = kzalloc(SIM_CAP_SIZE, GFP_KERNEL);
	if (!*kept)
		return MLX5_CMD_STAT_NO_RES_ERR;
	memcpy(*kept, caps, SIM_CAP_SIZE);
	return MLX5_CMD_STAT_OK;
}

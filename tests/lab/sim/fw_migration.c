// SPDX-License-Identifier: GPL-2.0-only
/*
 * Migration commands: suspend, resume, query, save, load. The PF gives them; vhca_id names the VF.
 *
 * Each SAVE makes one record, and each record can be loaded by itself and in order:
 *
 *     header | live part (fw_image.c) | a piece of the filler
 *
 * The live part is what a guest can see and is fresh in every record. The filler makes the image as
 * large as the parameter state_size says, and is saved once. A record fits the buffer that the
 * driver offers: in chunk mode it is small and more follow. The header has PSID, firmware version
 * and a checksum, so that LOAD can refuse what does not belong here.
 *
 * SUSPEND and RESUME take effect between two commands of the VF; one that waits (latency, hang)
 * goes back into the queue and is found again after RESUME, here or on the other host.
 */
#include <linux/crc32.h>
#include <linux/random.h>
#include <linux/sched.h>

#include "sim.h"

#define IMAGE_MAGIC	0x6d6c783573696d31ULL	/* "mlx5sim1" */
#define MIN_STATE_SIZE	SZ_128K
#define MAX_STATE_SIZE	SZ_1G
#define MIN_CHUNK	SZ_256K

/* Told with the status, so that a test can tell one refusal from another; README.md lists them. */
enum {
	SYNDROME_NOT_MIGRATABLE	= 0x51a10001,
	SYNDROME_BAD_VHCA	= 0x51a10002,
	SYNDROME_NOT_TRACKED	= 0x51a10003,
	SYNDROME_SUSPENDED	= 0x51a10004,
	SYNDROME_NOT_SUSPENDED	= 0x51a10005,
	SYNDROME_BUFFER		= 0x51a10006,
	SYNDROME_NO_IMAGE	= 0x51a10007,
	SYNDROME_PSID		= 0x51a10008,
	SYNDROME_FIRMWARE	= 0x51a10009,
	SYNDROME_CHECKSUM	= 0x51a1000a,
	SYNDROME_SEQUENCE	= 0x51a1000b,
	SYNDROME_INCOMPLETE	= 0x51a1000c,
	SYNDROME_STATE		= 0x51a1000d,
};

struct image_header {
	__be64 magic;
	__be32 crc;		/* of all that follows */
	__be32 size;		/* of the record with this header */
	char psid[SIM_PSID_LEN];
	__be32 fw;
	__be32 seed;		/* one a migration */
	__be64 total;		/* filler of all records */
	__be64 offset;		/* of this record's filler */
	__be32 length;
	__be16 device_id;
	u8 reserved[10];
};

#define CRC_START	offsetof(struct image_header, size)
#define RECORD_OVERHEAD	(sizeof(struct image_header) + SIM_LIVE_SIZE)
static_assert(sizeof(struct image_header) == 72);

static u8 fail(struct sim_cmd *cmd, u8 status, u32 syndrome)
{
	cmd->syndrome = syndrome;
	return status;
}

/* The VF that a command is about, in *vf; a status if it must not be migrated. */
static u8 find_vf(struct sim_cmd *cmd, struct sim_fn **vf)
{
	unsigned int vhca_id = MLX5_GET(suspend_vhca_in, cmd->in, vhca_id);

	if (cmd->fn->index || !sim_cap_migration)
		return MLX5_CMD_STAT_BAD_OP_ERR;
	*vf = vhca_id ? sim_card_fn(cmd->fn->card, vhca_id) : NULL;
	if (!*vf || !sim_pci_bar(*vf))
		return fail(cmd, MLX5_CMD_STAT_BAD_PARAM_ERR, SYNDROME_BAD_VHCA);
	if (!(*vf)->migratable)
		return fail(cmd, MLX5_CMD_STAT_BAD_PARAM_ERR, SYNDROME_NOT_MIGRATABLE);
	return MLX5_CMD_STAT_OK;
}

u8 sim_cmd_suspend_vhca(struct sim_cmd *cmd)
{
	struct sim_fn *vf;
	u8 status = find_vf(cmd, &vf);

	if (status)
		return status;
	vf->suspended |= cmd->op_mod == MLX5_SUSPEND_VHCA_IN_OP_MOD_SUSPEND_RESPONDER ?
			 SIM_SUSPENDED_RESPONDER : SIM_SUSPENDED_INITIATOR;
	vf->taken = 0;
	return MLX5_CMD_STAT_OK;
}

/* An interrupt on its way when the VF stopped may be lost: say it again, drivers do not mind. */
static void raise_all(struct sim_fn *vf)
{
	struct pci_dev *pdev = sim_pci_dev(vf);
	int i;

	for (i = 0; pdev && i < SIM_MAX_EQS; i++)
		if (vf->eq[i].pages.count)
			sim_raise_msix(pdev, vf->eq[i].vector);
	pci_dev_put(pdev);
}

u8 sim_cmd_resume_vhca(struct sim_cmd *cmd)
{
	bool responder = cmd->op_mod == MLX5_RESUME_VHCA_IN_OP_MOD_RESUME_RESPONDER;
	struct sim_fn *vf;
	u8 status = find_vf(cmd, &vf);

	if (status)
		return status;
	if (vf->mig.loading && vf->mig.loaded < vf->mig.total)
		return fail(cmd, MLX5_CMD_STAT_BAD_RES_STATE_ERR, SYNDROME_INCOMPLETE);
	vf->mig.loading = false;
	vf->suspended &= ~(responder ? SIM_SUSPENDED_RESPONDER : SIM_SUSPENDED_INITIATOR);
	if (vf->suspended)
		return MLX5_CMD_STAT_OK;
	vf->rescan = true;
	raise_all(vf);
	return MLX5_CMD_STAT_OK;
}

static u64 filler_total(void)
{
	u32 size = clamp_t(u32, READ_ONCE(sim_state_size), MIN_STATE_SIZE, MAX_STATE_SIZE);

	return ALIGN_DOWN(size, SZ_4K) - RECORD_OVERHEAD;
}

u8 sim_cmd_query_vhca_migration_state(struct sim_cmd *cmd)
{
	bool incremental = MLX5_GET(query_vhca_migration_state_in, cmd->in, incremental);
	bool chunk = MLX5_GET(query_vhca_migration_state_in, cmd->in, chunk);
	struct sim_fn *vf;
	u8 status = find_vf(cmd, &vf);
	bool left;
	u64 size;

	if (status)
		return status;
	if (incremental && !vf->mig.tracking && !vf->mig.saving)
		return fail(cmd, MLX5_CMD_STAT_BAD_RES_STATE_ERR, SYNDROME_NOT_TRACKED);
	/*
	 * While pre-copy is under way the question is an estimate of what is left (VFIO's
	 * MIG_DATA_SIZE); of a suspended VF the driver wants the full size, for it may have given
	 * the incremental image up.
	 */
	left = incremental || (vf->mig.tracking && !vf->suspended);
	size = RECORD_OVERHEAD;
	size += left ? vf->mig.total - vf->mig.saved : filler_total();
	MLX5_SET64(query_vhca_migration_state_out, cmd->out, remaining_total_size, size);
	if (chunk)
		size = min_t(u64, size, MIN_CHUNK);
	MLX5_SET(query_vhca_migration_state_out, cmd->out, required_umem_size, size);
	return MLX5_CMD_STAT_OK;
}

/* Any content will do, as long as each place has its own. */
static void make_filler(__le32 *words, u32 seed, u64 offset, u32 len)
{
	u32 i, at = offset / sizeof(*words);

	for (i = 0; i < len / sizeof(*words); i++)
		words[i] = cpu_to_le32(seed ^ (at + i) * 0x9e3779b1U);
}

static bool write_record(struct sim_cmd *cmd, u32 mkey, struct image_header *header)
{
	u64 offset = be64_to_cpu(header->offset), at = sizeof(*header);
	u32 seed = be32_to_cpu(header->seed), left = be32_to_cpu(header->length);
	struct sim_card *card = cmd->fn->card;
	u32 crc, part;

	crc = crc32_le(~0, (u8 *)header + CRC_START, sizeof(*header) - CRC_START);
	crc = crc32_le(crc, card->live, SIM_LIVE_SIZE);
	if (!sim_mkey_copy(cmd, mkey, at, card->live, SIM_LIVE_SIZE, true))
		return false;
	for (at += SIM_LIVE_SIZE; left; at += part, offset += part, left -= part) {
		part = min_t(u32, left, SZ_4K);
		make_filler((__le32 *)card->page, seed, offset, part);
		crc = crc32_le(crc, card->page, part);
		if (!sim_mkey_copy(cmd, mkey, at, card->page, part, true))
			return false;
		cond_resched();
	}
	header->crc = cpu_to_be32(crc);
	return sim_mkey_copy(cmd, mkey, 0, header, sizeof(*header), true);
}

static void start_saving(struct sim_migration *mig)
{
	*mig = (struct sim_migration) { .seed = get_random_u32(), .total = filler_total() };
}

static void fill_header(struct image_header *header, const struct sim_card *card,
			const struct sim_migration *mig, u32 length)
{
	char psid[SIM_PSID_LEN + 1];

	sim_params_psid(card, psid);
	*header = (struct image_header) {
		.magic = cpu_to_be64(IMAGE_MAGIC),
		.size = cpu_to_be32(RECORD_OVERHEAD + length),
		.fw = cpu_to_be32(sim_params_fw_running(card)),
		.device_id = cpu_to_be16(card->model->device_id),
		.seed = cpu_to_be32(mig->seed),
		.total = cpu_to_be64(mig->total),
		.offset = cpu_to_be64(mig->saved),
		.length = cpu_to_be32(length),
	};
	memcpy(header->psid, psid, SIM_PSID_LEN);
}

u8 sim_cmd_save_vhca_state(struct sim_cmd *cmd)
{
	bool incremental = MLX5_GET(save_vhca_state_in, cmd->in, incremental);
	bool track = MLX5_GET(save_vhca_state_in, cmd->in, set_track);
	u32 size = MLX5_GET(save_vhca_state_in, cmd->in, size);
	struct sim_card *card = cmd->fn->card;
	struct image_header header;
	struct sim_migration *mig;
	bool stop_tracking;
	struct sim_fn *vf;
	u8 status = find_vf(cmd, &vf);
	u32 length;

	if (status)
		return status;
	mig = &vf->mig;
	if (size < RECORD_OVERHEAD)
		return fail(cmd, MLX5_CMD_STAT_BAD_PARAM_ERR, SYNDROME_BUFFER);
	if (track && (vf->suspended & SIM_SUSPENDED_RESPONDER))
		return fail(cmd, MLX5_CMD_STAT_BAD_RES_STATE_ERR, SYNDROME_SUSPENDED);
	if (incremental && !mig->tracking && !mig->saving)
		return fail(cmd, MLX5_CMD_STAT_BAD_RES_STATE_ERR, SYNDROME_NOT_TRACKED);

	/* pre-copy given up: the driver throws the record away */
	stop_tracking = mig->tracking && !incremental && !track && !vf->suspended;
	if (!incremental)
		start_saving(mig);
	length = min_t(u64, mig->total - mig->saved, size - RECORD_OVERHEAD);
	length = stop_tracking ? 0 : ALIGN_DOWN(length, sizeof(__le32));
	if (!stop_tracking && length < mig->total - mig->saved && !sim_cap_chunk)
		return fail(cmd, MLX5_CMD_STAT_BAD_PARAM_ERR, SYNDROME_BUFFER);

	if (!sim_live_pack(vf, card->live))
		return fail(cmd, MLX5_CMD_STAT_NO_RES_ERR, SYNDROME_STATE);
	fill_header(&header, card, mig, length);
	if (!write_record(cmd, MLX5_GET(save_vhca_state_in, cmd->in, mkey), &header))
		return fail(cmd, MLX5_CMD_STAT_BAD_RES_ERR, SYNDROME_BUFFER);

	mig->saved += length;
	mig->tracking = track;
	mig->saving = !track && !stop_tracking && mig->saved < mig->total;
	MLX5_SET(save_vhca_state_out, cmd->out, actual_image_size, RECORD_OVERHEAD + length);
	if (mig->saving)
		MLX5_SET(save_vhca_state_out, cmd->out, next_required_umem_size,
			 min_t(u64, RECORD_OVERHEAD + mig->total - mig->saved, MIN_CHUNK));
	return MLX5_CMD_STAT_OK;
}

/* Reads the whole record; the live part ends up in card->live. */
static bool checksum_is_right(struct sim_cmd *cmd, u32 mkey, const struct image_header *header)
{
	u32 left = be32_to_cpu(header->length), part, crc;
	struct sim_card *card = cmd->fn->card;
	u64 at = sizeof(*header);

	crc = crc32_le(~0, (u8 *)header + CRC_START, sizeof(*header) - CRC_START);
	if (!sim_mkey_copy(cmd, mkey, at, card->live, SIM_LIVE_SIZE, false))
		return false;
	crc = crc32_le(crc, card->live, SIM_LIVE_SIZE);
	for (at += SIM_LIVE_SIZE; left; at += part, left -= part) {
		part = min_t(u32, left, SZ_4K);
		if (!sim_mkey_copy(cmd, mkey, at, card->page, part, false))
			return false;
		crc = crc32_le(crc, card->page, part);
		cond_resched();
	}
	return crc == be32_to_cpu(header->crc);
}

static u8 check_record(struct sim_cmd *cmd, u32 mkey, u32 size, struct image_header *header)
{
	struct sim_card *card = cmd->fn->card;
	char psid[SIM_PSID_LEN + 1];

	if (size < RECORD_OVERHEAD || !sim_mkey_copy(cmd, mkey, 0, header, sizeof(*header), false))
		return fail(cmd, MLX5_CMD_STAT_BAD_PARAM_ERR, SYNDROME_BUFFER);
	if (header->magic != cpu_to_be64(IMAGE_MAGIC) || be32_to_cpu(header->size) != size ||
	    be32_to_cpu(header->length) != size - RECORD_OVERHEAD)
		return fail(cmd, MLX5_CMD_STAT_BAD_RES_ERR, SYNDROME_NO_IMAGE);
	sim_params_psid(card, psid);
	if (memcmp(header->psid, psid, SIM_PSID_LEN) ||
	    be16_to_cpu(header->device_id) != card->model->device_id)
		return fail(cmd, MLX5_CMD_STAT_BAD_RES_ERR, SYNDROME_PSID);
	if (be32_to_cpu(header->fw) != sim_params_fw_running(card))
		return fail(cmd, MLX5_CMD_STAT_BAD_RES_ERR, SYNDROME_FIRMWARE);
	if (!checksum_is_right(cmd, mkey, header))
		return fail(cmd, MLX5_CMD_STAT_BAD_RES_ERR, SYNDROME_CHECKSUM);
	return MLX5_CMD_STAT_OK;
}

u8 sim_cmd_load_vhca_state(struct sim_cmd *cmd)
{
	u32 mkey = MLX5_GET(load_vhca_state_in, cmd->in, mkey);
	u32 size = MLX5_GET(load_vhca_state_in, cmd->in, size);
	struct image_header header;
	struct sim_fn *vf;
	u8 status = find_vf(cmd, &vf);
	u64 offset;

	if (status)
		return status;
	if (!(vf->suspended & SIM_SUSPENDED_RESPONDER))
		return fail(cmd, MLX5_CMD_STAT_BAD_RES_STATE_ERR, SYNDROME_NOT_SUSPENDED);
	status = check_record(cmd, mkey, size, &header);
	if (status)
		return status;
	offset = be64_to_cpu(header.offset);
	if (offset && (!vf->mig.loading || vf->mig.seed != be32_to_cpu(header.seed) ||
		       vf->mig.loaded != offset))
		return fail(cmd, MLX5_CMD_STAT_BAD_RES_STATE_ERR, SYNDROME_SEQUENCE);
	if (!sim_live_unpack(vf, cmd->fn->card->live))
		return fail(cmd, MLX5_CMD_STAT_BAD_RES_ERR, SYNDROME_STATE);
	vf->mig = (struct sim_migration) {
		.loading = true,
		.seed = be32_to_cpu(header.seed),
		.total = be64_to_cpu(header.total),
		.loaded = offset + be32_to_cpu(header.length),
	};
	return MLX5_CMD_STAT_OK;
}

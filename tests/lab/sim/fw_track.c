// SPDX-License-Identifier: GPL-2.0-only
/*
 * The objects of the PF that carry data: memory keys (the buffers of SAVE and LOAD), and what the
 * dirty page tracker is made of, a completion queue, a pair of queue pairs and the tracker itself.
 *
 * When the driver asks for a range, the device sends messages with the dirty addresses to the
 * driver's queue pair. True dirty pages are those which the firmware itself has written for the
 * tracked VF; the parameter dirty_pages adds made-up ones, as a busy data path would have. Objects
 * of a VF's own driver are numbers only.
 */
#include <linux/mlx5/cq.h>
#include <linux/mlx5/qp.h>
#include <linux/slab.h>

#include "sim.h"

#define ENTRIES_PER_MESSAGE	256	/* half of what fits, see fill_tracker() in fw_caps.c */
#define MAX_LOG_QUEUE_SIZE	20

struct sim_object {
	enum { OBJECT_MKEY = 1, OBJECT_CQ, OBJECT_QP, OBJECT_TRACKER } kind;
	u32 id;
	struct sim_pages pages;
	u32 producer;		/* CQ, QP: entries used by the device */
	u8 log_size, log_stride;
	u32 cqn, remote_qpn;	/* QP */
	u32 qpn;		/* tracker: the one that sends */
	struct sim_fn *tracked;
	u8 log_page_size;
	bool failed;
};

static struct sim_object *find(struct sim_fn *fn, u32 id, int kind)
{
	struct sim_object *object = xa_load(&fn->objects, id);

	return object && object->kind == kind ? object : NULL;
}

static void release(struct sim_object *object)
{
	if (object->tracked) {
		object->tracked->tracker = NULL;
		xa_destroy(&object->tracked->dirty);
	}
	sim_pages_put(&object->pages);
	kfree(object);
}

void sim_objects_release(struct sim_fn *fn)
{
	struct sim_object *object;
	unsigned long id;

	xa_for_each(&fn->objects, id, object)
		release(object);
	xa_destroy(&fn->objects);
}

/* On failure the object is released here. */
static u8 add(struct sim_cmd *cmd, struct sim_object *object, u32 *id)
{
	*id = sim_new_id(cmd->fn);
	object->id = *id;
	if (!xa_insert(&cmd->fn->objects, *id, object, GFP_KERNEL))
		return MLX5_CMD_STAT_OK;
	release(object);
	return MLX5_CMD_STAT_NO_RES_ERR;
}

static u8 destroy(struct sim_cmd *cmd, u32 id, int kind)
{
	struct sim_object *object = find(cmd->fn, id, kind);

	if (cmd->fn->index)
		return MLX5_CMD_STAT_OK;
	if (!object)
		return MLX5_CMD_STAT_BAD_RES_ERR;
	xa_erase(&cmd->fn->objects, id);
	release(object);
	return MLX5_CMD_STAT_OK;
}

static struct sim_object *new_object(int kind)
{
	struct sim_object *object = kzalloc(sizeof(*object), GFP_KERNEL);

	if (object)
		object->kind = kind;
	return object;
}

u8 sim_cmd_create_mkey(struct sim_cmd *cmd)
{
	const void *context = MLX5_ADDR_OF(create_mkey_in, cmd->in, memory_key_mkey_entry);
	u32 octwords = MLX5_GET(create_mkey_in, cmd->in, translations_octword_actual_size);
	struct sim_object *mkey;
	u32 id = 0;
	u8 status;

	if (cmd->fn->index) {
		MLX5_SET(create_mkey_out, cmd->out, mkey_index, sim_new_id(cmd->fn));
		return MLX5_CMD_STAT_OK;
	}
	mkey = new_object(OBJECT_MKEY);
	if (!mkey)
		return MLX5_CMD_STAT_NO_RES_ERR;
	/* other keys than lists of 4 KiB pages are made too, for data paths that there are not */
	if (octwords && MLX5_GET(mkc, context, access_mode_1_0) == MLX5_MKC_ACCESS_MODE_MTT &&
	    MLX5_GET(mkc, context, log_page_size) == 12) {
		if (octwords > SIM_MAX_MSG / 16 ||
		    !sim_pages_get(&mkey->pages, cmd, MLX5_BYTE_OFF(create_mkey_in, klm_pas_mtt),
				   2 * octwords * SZ_4K)) {
			release(mkey);
			return MLX5_CMD_STAT_BAD_INP_LEN_ERR;
		}
	}
	status = add(cmd, mkey, &id);
	MLX5_SET(create_mkey_out, cmd->out, mkey_index, id);
	return status;
}

u8 sim_cmd_destroy_mkey(struct sim_cmd *cmd)
{
	return destroy(cmd, MLX5_GET(destroy_mkey_in, cmd->in, mkey_index), OBJECT_MKEY);
}

bool sim_mkey_copy(struct sim_cmd *cmd, u32 mkey, u64 offset, void *buf, u32 len, bool to_host)
{
	struct sim_object *object = find(cmd->fn, mkey >> 8, OBJECT_MKEY);
	u64 page, addr;
	u32 part;

	for (; object && len; buf += part, offset += part, len -= part) {
		page = offset / SZ_4K;
		if (page >= object->pages.count)
			return false;
		part = min_t(u32, len, SZ_4K - offset % SZ_4K);
		addr = object->pages.addr[page] + offset % SZ_4K;
		if (to_host ? !sim_dma_write(cmd->fn, cmd->pdev, addr, buf, part) :
			      !sim_dma_read(cmd->fn, cmd->pdev, addr, buf, part))
			return false;
	}
	return object;
}

/* A queue without a buffer of 4 KiB pages is made all the same; reports do not work with it. */
static u8 create_queue(struct sim_cmd *cmd, struct sim_object *queue, u32 pages_offset, u32 *id)
{
	u32 bytes;

	if (!queue)
		return MLX5_CMD_STAT_NO_RES_ERR;
	if (queue->log_size + queue->log_stride > MAX_LOG_QUEUE_SIZE + 6) {
		release(queue);
		return MLX5_CMD_STAT_BAD_PARAM_ERR;
	}
	bytes = BIT(queue->log_size + queue->log_stride);
	if (pages_offset && cmd->in_len > pages_offset &&
	    !sim_pages_get(&queue->pages, cmd, pages_offset, bytes)) {
		release(queue);
		return MLX5_CMD_STAT_BAD_INP_LEN_ERR;
	}
	return add(cmd, queue, id);
}

u8 sim_cmd_create_cq(struct sim_cmd *cmd)
{
	const void *context = MLX5_ADDR_OF(create_cq_in, cmd->in, cq_context);
	bool plain = !MLX5_GET(cqc, context, log_page_size) && !MLX5_GET(cqc, context, cqe_sz);
	u32 id = sim_new_id(cmd->fn);
	struct sim_object *cq;
	u8 status = MLX5_CMD_STAT_OK;

	if (!cmd->fn->index) {
		cq = new_object(OBJECT_CQ);
		if (cq) {
			cq->log_size = MLX5_GET(cqc, context, log_cq_size);
			cq->log_stride = 6;
		}
		status = create_queue(cmd, cq, plain ? MLX5_BYTE_OFF(create_cq_in, pas) : 0, &id);
	}
	MLX5_SET(create_cq_out, cmd->out, cqn, id);
	return status;
}

u8 sim_cmd_destroy_cq(struct sim_cmd *cmd)
{
	return destroy(cmd, MLX5_GET(destroy_cq_in, cmd->in, cqn), OBJECT_CQ);
}

u8 sim_cmd_create_qp(struct sim_cmd *cmd)
{
	const void *context = MLX5_ADDR_OF(create_qp_in, cmd->in, qpc);
	bool plain = !MLX5_GET(qpc, context, log_page_size);
	u32 id = sim_new_id(cmd->fn);
	struct sim_object *qp;
	u8 status = MLX5_CMD_STAT_OK;

	if (!cmd->fn->index) {
		qp = new_object(OBJECT_QP);
		if (qp) {
			qp->log_size = MLX5_GET(qpc, context, log_rq_size);
			qp->log_stride = MLX5_GET(qpc, context, log_rq_stride) + 4;
			qp->cqn = MLX5_GET(qpc, context, cqn_rcv);
		}
		status = create_queue(cmd, qp, plain ? MLX5_BYTE_OFF(create_qp_in, pas) : 0, &id);
	}
	MLX5_SET(create_qp_out, cmd->out, qpn, id);
	return status;
}

u8 sim_cmd_init2rtr_qp(struct sim_cmd *cmd)
{
	struct sim_object *qp = find(cmd->fn, MLX5_GET(init2rtr_qp_in, cmd->in, qpn), OBJECT_QP);
	const void *context = MLX5_ADDR_OF(init2rtr_qp_in, cmd->in, qpc);

	if (qp)
		qp->remote_qpn = MLX5_GET(qpc, context, remote_qpn);
	return MLX5_CMD_STAT_OK;
}

u8 sim_cmd_destroy_qp(struct sim_cmd *cmd)
{
	return destroy(cmd, MLX5_GET(destroy_qp_in, cmd->in, qpn), OBJECT_QP);
}

static bool is_tracker(const struct sim_cmd *cmd)
{
	return !cmd->fn->index && MLX5_GET(general_obj_in_cmd_hdr, cmd->in, obj_type) ==
				  MLX5_OBJ_TYPE_PAGE_TRACK;
}

static u8 create_tracker(struct sim_cmd *cmd, u32 *id)
{
	const void *context = MLX5_ADDR_OF(create_page_track_obj_in, cmd->in, obj_context);
	unsigned int vhca_id = MLX5_GET(page_track, context, vhca_id);
	u32 qpn = MLX5_GET(page_track, context, reporting_qpn);
	struct sim_fn *vf = vhca_id ? sim_card_fn(cmd->fn->card, vhca_id) : NULL;
	struct sim_object *tracker;
	u8 log_page_size = MLX5_GET(page_track, context, log_page_size);
	u8 status;

	if (!sim_cap_tracking)
		return MLX5_CMD_STAT_BAD_OP_ERR;
	if (!vf || !find(cmd->fn, qpn, OBJECT_QP) || log_page_size < 12 || log_page_size > 20)
		return MLX5_CMD_STAT_BAD_PARAM_ERR;
	if (vf->tracker)
		return MLX5_CMD_STAT_BAD_RES_STATE_ERR;
	tracker = new_object(OBJECT_TRACKER);
	if (!tracker)
		return MLX5_CMD_STAT_NO_RES_ERR;
	tracker->qpn = qpn;
	tracker->log_page_size = log_page_size;
	status = add(cmd, tracker, id);
	if (status)
		return status;
	tracker->tracked = vf;
	vf->tracker = tracker;
	return MLX5_CMD_STAT_OK;
}

u8 sim_cmd_create_general_object(struct sim_cmd *cmd)
{
	u8 status = MLX5_CMD_STAT_OK;
	u32 id = 0;

	if (is_tracker(cmd))
		status = create_tracker(cmd, &id);
	else
		id = sim_new_id(cmd->fn);
	MLX5_SET(general_obj_out_cmd_hdr, cmd->out, obj_id, id);
	return status;
}

u8 sim_cmd_destroy_general_object(struct sim_cmd *cmd)
{
	if (!is_tracker(cmd))
		return MLX5_CMD_STAT_OK;
	return destroy(cmd, MLX5_GET(general_obj_in_cmd_hdr, cmd->in, obj_id), OBJECT_TRACKER);
}

/* Called for every write of a function to host memory. */
void sim_track_write(struct sim_fn *fn, u64 addr, u32 len)
{
	struct sim_object *tracker = fn->tracker;
	u64 page, last = (addr + len - 1) / SZ_4K;

	if (!tracker || !len)
		return;
	for (page = addr / SZ_4K; page <= last; page++)
		if (xa_err(xa_store(&fn->dirty, page, xa_mk_value(1), GFP_KERNEL)))
			tracker->failed = true;	/* the next report tells it, and migration fails */
}

struct report {
	struct sim_cmd *cmd;
	struct sim_object *qp, *cq;	/* of the receiving side */
	u32 room;			/* messages the driver has posted buffers for, but one */
	u32 n;
	__be64 entry[ENTRIES_PER_MESSAGE];
};

/* One message: the addresses into the buffer of the next receive entry, and a completion for it. */
static bool send(struct report *report, u32 state)
{
	struct sim_object *qp = report->qp, *cq = report->cq;
	u32 index = qp->producer & (BIT(qp->log_size) - 1);
	u32 cq_index = cq->producer & (BIT(cq->log_size) - 1);
	u32 at = index << qp->log_stride, cq_at = cq_index << cq->log_stride;
	u32 bytes = report->n * sizeof(report->entry[0]);
	struct sim_cmd *cmd = report->cmd;
	struct mlx5_wqe_data_seg data;
	struct mlx5_cqe64 cqe = {};
	u64 addr;

	if (at / SZ_4K >= qp->pages.count || cq_at / SZ_4K >= cq->pages.count)
		return false;
	if (!sim_dma_read(cmd->fn, cmd->pdev, qp->pages.addr[at / SZ_4K] + at % SZ_4K,
			  &data, sizeof(data)))
		return false;
	if (bytes && !sim_mkey_copy(cmd, be32_to_cpu(data.lkey), be64_to_cpu(data.addr),
				    report->entry, bytes, true))
		return false;
	cqe.immediate = cpu_to_be32(state << 28);
	cqe.byte_cnt = cpu_to_be32(bytes);
	cqe.wqe_counter = cpu_to_be16(index);
	cqe.op_own = MLX5_CQE_RESP_SEND_IMM << 4 | (cq->producer >> cq->log_size & 1);
	addr = cq->pages.addr[cq_at / SZ_4K] + cq_at % SZ_4K;
	/* the owner bit hands the entry over, so it goes last */
	if (!sim_dma_write(cmd->fn, cmd->pdev, addr, &cqe, offsetof(struct mlx5_cqe64, op_own)))
		return false;
	wmb();	/* entry before owner */
	if (!sim_dma_write(cmd->fn, cmd->pdev, addr + offsetof(struct mlx5_cqe64, op_own),
			   &cqe.op_own, 1))
		return false;
	qp->producer++;
	cq->producer++;
	report->n = 0;
	return true;
}

/* false: no room for all that is dirty, or the driver's queues are broken. */
static bool put(struct report *report, u64 addr)
{
	report->entry[report->n++] = cpu_to_be64(addr);
	if (report->n < ENTRIES_PER_MESSAGE)
		return true;
	if (!report->room)
		return false;
	report->room--;
	return send(report, MLX5_PAGE_TRACK_STATE_REPORTING);
}

static bool put_true_pages(struct report *report, struct sim_object *tracker, u64 start, u64 len)
{
	struct sim_fn *vf = tracker->tracked;
	u64 mask = ~(BIT_ULL(tracker->log_page_size) - 1);
	unsigned long page;
	void *entry;

	xa_for_each_range(&vf->dirty, page, entry, start / SZ_4K, (start + len - 1) / SZ_4K) {
		xa_erase(&vf->dirty, page);
		if (!put(report, (u64)page * SZ_4K & mask))
			return false;
	}
	return true;
}

static bool put_made_up_pages(struct report *report, struct sim_object *tracker, u64 start, u64 len)
{
	u64 room = (u64)report->room * ENTRIES_PER_MESSAGE;
	u64 count = min3((u64)READ_ONCE(sim_dirty_pages), len >> tracker->log_page_size, room);

	for (; count; count--, start += BIT_ULL(tracker->log_page_size))
		if (!put(report, start))
			return false;
	return true;
}

/*
 * All messages of a report are sent before the command is answered, so the driver finds them
 * without an event; it has given all its buffers back by then, for it reads to the end before it
 * asks again.
 */
static u8 report_range(struct sim_cmd *cmd, struct sim_object *tracker, u64 start, u64 len)
{
	struct sim_object *sender = find(cmd->fn, tracker->qpn, OBJECT_QP);
	struct report *report;
	bool all = false;

	if (!sender || !len || start + len - 1 < start)
		return MLX5_CMD_STAT_BAD_PARAM_ERR;
	report = kzalloc(sizeof(*report), GFP_KERNEL);
	if (!report)
		return MLX5_CMD_STAT_NO_RES_ERR;
	report->cmd = cmd;
	report->qp = find(cmd->fn, sender->remote_qpn, OBJECT_QP);
	report->cq = report->qp ? find(cmd->fn, report->qp->cqn, OBJECT_CQ) : NULL;
	if (!report->cq) {
		kfree(report);
		return MLX5_CMD_STAT_BAD_RES_ERR;
	}
	report->room = min(BIT(report->qp->log_size), BIT(report->cq->log_size)) - 1;
	if (!tracker->failed)
		all = put_true_pages(report, tracker, start, len) &&
		      put_made_up_pages(report, tracker, start, len);
	if (!all)
		tracker->failed = true;
	all = send(report, all ? MLX5_PAGE_TRACK_STATE_TRACKING : MLX5_PAGE_TRACK_STATE_ERROR);
	kfree(report);
	return all ? MLX5_CMD_STAT_OK : MLX5_CMD_STAT_BAD_RES_ERR;
}

u8 sim_cmd_modify_general_object(struct sim_cmd *cmd)
{
	const void *context = MLX5_ADDR_OF(modify_page_track_obj_in, cmd->in, obj_context);
	struct sim_object *tracker;

	if (!is_tracker(cmd))
		return MLX5_CMD_STAT_OK;
	tracker = find(cmd->fn, MLX5_GET(general_obj_in_cmd_hdr, cmd->in, obj_id), OBJECT_TRACKER);
	if (!tracker)
		return MLX5_CMD_STAT_BAD_RES_ERR;
	if (MLX5_GET(page_track, context, state) != MLX5_PAGE_TRACK_STATE_REPORTING)
		return MLX5_CMD_STAT_OK;
	return report_range(cmd, tracker, MLX5_GET64(page_track, context, range_start_address),
			    MLX5_GET64(page_track, context, length));
}

u8 sim_cmd_query_general_object(struct sim_cmd *cmd)
{
	void *context = MLX5_ADDR_OF(query_page_track_obj_out, cmd->out, obj_context);
	struct sim_object *tracker;

	if (!is_tracker(cmd))
		return MLX5_CMD_STAT_OK;
	tracker = find(cmd->fn, MLX5_GET(general_obj_in_cmd_hdr, cmd->in, obj_id), OBJECT_TRACKER);
	if (!tracker)
		return MLX5_CMD_STAT_BAD_RES_ERR;
	MLX5_SET(page_track, context, state, tracker->failed ? MLX5_PAGE_TRACK_STATE_ERROR :
					     MLX5_PAGE_TRACK_STATE_TRACKING);
	return MLX5_CMD_STAT_OK;
}

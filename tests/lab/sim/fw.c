// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command interface of the firmware.
 *
 * The init segment at the start of BAR 0 is plain RAM, so a thread per card looks at the doorbells
 * of all functions: often while there is work, each few milliseconds when there is none. A command
 * found in the queue becomes a slot with a due time (latency, hang) and is executed when that has
 * come; so slow commands of one function hold up nobody, as on a card.
 */
#include <linux/delay.h>
#include <linux/etherdevice.h>
#include <linux/io.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "sim.h"

#define CMD_TYPE	7
#define CMD_IF_REV	5
#define HEALTH_PERIOD	(HZ / 10)
#define EQE_SIZE	sizeof(struct mlx5_eqe)

/* Why a command did not get through, from mlx5_core's cmd.c */
enum {
	DELIVERY_OK		= 0x0,
	DELIVERY_OUT_PTR	= 0x4,
	DELIVERY_IN_PTR		= 0x5,
	DELIVERY_IN_LENGTH	= 0x7,
	DELIVERY_OUT_LENGTH	= 0x8,
};

static struct mlx5_init_seg __iomem *init_segment(const struct sim_fn *fn)
{
	return (struct mlx5_init_seg __iomem *)sim_pci_bar(fn);
}

void sim_fw_show_version(struct sim_fn *fn)
{
	struct mlx5_init_seg __iomem *segment = init_segment(fn);
	u32 fw = READ_ONCE(fn->card->fw_running);

	if (!segment)
		return;
	iowrite32be(SIM_FW_MINOR(fw) << 16 | SIM_FW_MAJOR(fw), &segment->fw_rev);
	iowrite32be(CMD_IF_REV << 16 | SIM_FW_SUB(fw), &segment->cmdif_rev_fw_sub);
}

static void show_queue_geometry(struct mlx5_init_seg __iomem *segment, u32 addr_and_state)
{
	iowrite32be(addr_and_state | SIM_LOG_SLOTS << 4 | SIM_LOG_STRIDE, &segment->cmdq_addr_l_sz);
}

void sim_fw_init_segment(struct sim_fn *fn)
{
	struct mlx5_init_seg __iomem *segment = init_segment(fn);

	if (!segment)
		return;
	memset_io(segment, 0, SIM_BAR_MSIX_TABLE);
	sim_fw_show_version(fn);
	show_queue_geometry(segment, 0);
}

struct sim_fn *sim_card_fn(struct sim_card *card, unsigned int index)
{
	return index <= card->max_vfs ? &card->fn[index] : NULL;
}

u32 sim_new_id(struct sim_fn *fn)
{
	fn->next_id = (fn->next_id + 1) & SIM_ID_MASK;
	if (!fn->next_id)
		fn->next_id = 0x40;
	return fn->next_id;
}

/* Take a list of DMA addresses out of a command; false: it is not all there, or no memory. */
bool sim_pages_get(struct sim_pages *pages, const struct sim_cmd *cmd, u32 offset, u32 bytes)
{
	u32 count = DIV_ROUND_UP(bytes, SZ_4K), i;

	if (!count || offset > cmd->in_len || (cmd->in_len - offset) / sizeof(__be64) < count)
		return false;
	pages->addr = kvmalloc_array(count, sizeof(*pages->addr), GFP_KERNEL);
	if (!pages->addr)
		return false;
	for (i = 0; i < count; i++)
		pages->addr[i] = get_unaligned_be64(cmd->in + offset + 8 * i) & ~(u64)(SZ_4K - 1);
	pages->count = count;
	return true;
}

void sim_pages_put(struct sim_pages *pages)
{
	kvfree(pages->addr);
	*pages = (struct sim_pages) {};
}

void sim_fn_init(struct sim_fn *fn, struct sim_card *card, int index)
{
	fn->card = card;
	fn->index = index;
	raw_spin_lock_init(&fn->dma_lock);
	xa_init(&fn->objects);
	xa_init(&fn->dirty);
	fn->next_id = 0x40;
}

/* Everything a driver has made on its function: TEARDOWN_HCA and reset. */
void sim_fn_release(struct sim_fn *fn)
{
	int i;

	for (i = 0; i < SIM_MAX_EQS; i++)
		sim_pages_put(&fn->eq[i].pages);
	memset(fn->eq, 0, sizeof(fn->eq));
	bitmap_zero(fn->uars, SIM_MAX_UARS);
	for (i = 0; i < ARRAY_SIZE(fn->caps_own); i++) {
		kfree(fn->caps_own[i]);
		fn->caps_own[i] = NULL;
	}
	sim_objects_release(fn);
	fn->hca_initialized = false;
}

/* That, and what the PF has set for this VF: all that is lost when VFs are disabled. */
void sim_vf_release(struct sim_fn *fn)
{
	int i;

	sim_fn_release(fn);
	fn->hca_enabled = false;
	for (i = 0; i < ARRAY_SIZE(fn->caps_pf); i++) {
		kfree(fn->caps_pf[i]);
		fn->caps_pf[i] = NULL;
	}
	fn->migratable = false;
	if (fn->msix) {
		fn->msix = 0;
		sim_pci_set_msix(fn, SIM_MSIX_VECTORS);
	}
	fn->suspended = 0;
	fn->mig = (struct sim_migration) {};
	if (fn->index)
		eth_zero_addr(fn->mac);
	xa_destroy(&fn->dirty);
}

static void reset_function(struct sim_fn *fn)
{
	u8 *bar = sim_pci_bar(fn);

	sim_fn_release(fn);
	fn->hca_enabled = false;
	fn->cmdq = 0;
	fn->taken = 0;
	fn->rescan = false;
	fn->suspended = 0;
	fn->mig = (struct sim_migration) {};
	if (!bar)
		return;
	sim_fw_init_segment(fn);
	memset(bar + SIM_BAR_SCRATCH, 0, SIM_SCRATCH_SIZE);
}

static bool handle_resets(struct sim_fn *fn)
{
	bool vf = test_and_clear_bit(SIM_RESET_VF, &fn->reset);

	if (!test_and_clear_bit(SIM_RESET_FUNCTION, &fn->reset) && !vf)
		return false;
	reset_function(fn);
	if (vf)
		sim_vf_release(fn);
	return true;
}

static struct sim_eq *command_eq(struct sim_fn *fn)
{
	int i;

	for (i = 0; i < SIM_MAX_EQS; i++)
		if (fn->eq[i].pages.count && (fn->eq[i].event_mask & BIT_ULL(MLX5_EVENT_TYPE_CMD)))
			return &fn->eq[i];
	return NULL;
}

static void post_command_event(struct sim_fn *fn, struct pci_dev *pdev, int slot)
{
	struct sim_eq *eq = command_eq(fn);
	struct mlx5_eqe eqe = { .type = MLX5_EVENT_TYPE_CMD };
	u32 offset;
	u64 addr;
	u8 owner;

	if (!eq)
		return;
	offset = (eq->producer & (BIT(eq->log_size) - 1)) * EQE_SIZE;
	addr = eq->pages.addr[offset / SZ_4K] + offset % SZ_4K;
	eqe.data.cmd.vector = cpu_to_be32(BIT(slot));
	owner = eq->producer >> eq->log_size & 1;
	/* the owner bit hands the entry over, so it goes last */
	if (!sim_dma_write(fn, pdev, addr, &eqe, offsetof(struct mlx5_eqe, owner)))
		return;
	wmb();	/* entry before owner */
	if (!sim_dma_write(fn, pdev, addr + offsetof(struct mlx5_eqe, owner), &owner, 1))
		return;
	eq->producer++;
	sim_raise_msix(pdev, eq->vector);
}

static u8 read_input(struct sim_cmd *cmd, const struct mlx5_cmd_layout *layout, u8 *in)
{
	u64 addr = be64_to_cpu(layout->in_ptr);
	struct mlx5_cmd_prot_block block;
	u32 done = sizeof(layout->in);

	/* handlers read fixed structures: what the driver did not send reads as zero */
	memset(in, 0, max_t(u32, cmd->in_len, 2 * SIM_CAP_SIZE));
	memcpy(in, layout->in, sizeof(layout->in));
	while (done < cmd->in_len) {
		u32 part = min_t(u32, cmd->in_len - done, sizeof(block.data));

		if (!sim_dma_read(cmd->fn, cmd->pdev, addr, &block, sizeof(block)))
			return DELIVERY_IN_PTR;
		memcpy(in + done, block.data, part);
		addr = be64_to_cpu(block.next);
		done += part;
	}
	return DELIVERY_OK;
}

static u8 write_output(struct sim_cmd *cmd, const struct mlx5_cmd_layout *layout)
{
	const u32 next_at = offsetof(struct mlx5_cmd_prot_block, next);
	u64 addr = be64_to_cpu(layout->out_ptr);
	u32 done = sizeof(layout->out);
	__be64 next;

	while (done < cmd->out_len) {
		u32 part = min_t(u32, cmd->out_len - done, MLX5_CMD_DATA_BLOCK_SIZE);

		if (!sim_dma_write(cmd->fn, cmd->pdev, addr, cmd->out + done, part) ||
		    !sim_dma_read(cmd->fn, cmd->pdev, addr + next_at, &next, sizeof(next)))
			return DELIVERY_OUT_PTR;
		addr = be64_to_cpu(next);
		done += part;
	}
	return DELIVERY_OK;
}

static u8 run(struct sim_cmd *cmd, const struct sim_fault *fault)
{
	u8 status;

	if (fault->kind == SIM_FAULT_FAIL) {
		status = fault->status;
		cmd->syndrome = fault->syndrome;
	} else {
		status = sim_cmd_execute(cmd);
	}
	WRITE_ONCE(cmd->fn->card->commands, cmd->fn->card->commands + 1);
	if (status) {
		memset(cmd->out, 0, cmd->out_len);
		cmd->out[0] = status;
		put_unaligned_be32(cmd->syndrome, cmd->out + 4);
	}
	if (sim_trace || status)
		pr_info("%s: card %d fn %d target %u %s(%#x) mod %#x in %u out %u -> %#x syndrome %#x\n",
			SIM_NAME, cmd->fn->card->index, cmd->fn->index,
			sim_cmd_target(cmd->fn, cmd->in),
			sim_cmd_name(cmd->op), cmd->op, cmd->op_mod, cmd->in_len, cmd->out_len,
			status, status ? cmd->syndrome : 0);
	return status;
}

static void execute_slot(struct sim_fn *fn, struct pci_dev *pdev, int slot)
{
	u64 at = fn->cmdq + slot * sizeof(struct mlx5_cmd_layout);
	struct sim_card *card = fn->card;
	struct sim_cmd cmd = { .fn = fn, .pdev = pdev, .in = card->in, .out = card->out };
	/* no event for the command that makes the queue: the driver still polls for that one */
	bool event = command_eq(fn);
	struct mlx5_cmd_layout layout;
	u8 delivery, status_own;

	fn->taken &= ~BIT(slot);
	if (!sim_dma_read(fn, pdev, at, &layout, sizeof(layout)))
		return;
	cmd.in_len = max_t(u32, be32_to_cpu(layout.inlen), sizeof(layout.in));
	cmd.out_len = max_t(u32, be32_to_cpu(layout.outlen), sizeof(layout.out));
	if (cmd.in_len > SIM_MAX_MSG)
		delivery = DELIVERY_IN_LENGTH;
	else if (cmd.out_len > SIM_MAX_MSG)
		delivery = DELIVERY_OUT_LENGTH;
	else
		delivery = read_input(&cmd, &layout, card->in);
	if (delivery == DELIVERY_OK) {
		cmd.op = get_unaligned_be16(cmd.in);
		cmd.op_mod = get_unaligned_be16(cmd.in + 6);
		memset(card->out, 0, max_t(u32, cmd.out_len, 2 * SIM_CAP_SIZE));
		run(&cmd, &fn->slot[slot].fault);
		delivery = write_output(&cmd, &layout);
		sim_dma_write(fn, pdev, at + offsetof(struct mlx5_cmd_layout, out), cmd.out,
			      sizeof(layout.out));
	}
	wmb();	/* the ownership bit goes last */
	status_own = delivery << 1;
	sim_dma_write(fn, pdev, at + offsetof(struct mlx5_cmd_layout, status_own), &status_own, 1);
	if (event)
		post_command_event(fn, pdev, slot);
}

static void take_slot(struct sim_fn *fn, int slot, const struct mlx5_cmd_layout *layout)
{
	const u8 *in = (const u8 *)layout->in;
	u16 op = get_unaligned_be16(in);
	struct sim_slot *s = &fn->slot[slot];
	u64 wait_us = READ_ONCE(sim_cmd_latency_us);

	if (fn->index && op == MLX5_CMD_OP_INIT_HCA)
		wait_us += 1000ULL * READ_ONCE(sim_vf_probe_latency_ms);
	s->fault = sim_fault_check(fn->card->index, sim_cmd_target(fn, in), op);
	if (s->fault.kind == SIM_FAULT_HANG)
		wait_us = 1000ULL * s->fault.hang_ms;
	s->due = wait_us ? ktime_add_us(ktime_get(), wait_us) : 0;
	fn->taken |= BIT(slot);
}

static bool scan_queue(struct sim_fn *fn, struct pci_dev *pdev)
{
	struct mlx5_cmd_layout *queue = fn->card->queue;
	int i;

	if (!sim_dma_read(fn, pdev, fn->cmdq, queue, SIM_SLOTS * sizeof(*queue)))
		return false;
	for (i = 0; i < SIM_SLOTS; i++)
		if ((queue[i].status_own & CMD_OWNER_HW) && queue[i].type == CMD_TYPE &&
		    !(fn->taken & BIT(i)))
			take_slot(fn, i, &queue[i]);
	return true;
}

static bool slot_is_due(const struct sim_slot *slot)
{
	if (slot->fault.kind == SIM_FAULT_HANG &&
	    slot->fault.release_count != sim_fault_release_count())
		return true;
	return !slot->due || ktime_compare(ktime_get(), slot->due) >= 0;
}

/* The driver writes the address over the geometry it has read; the next one wants to read that. */
static void latch_queue(struct sim_fn *fn, struct mlx5_init_seg __iomem *segment)
{
	u32 low = ioread32be(&segment->cmdq_addr_l_sz);

	if (low & 0xff)
		return;
	fn->cmdq = (u64)ioread32be(&segment->cmdq_addr_h) << 32 | (low & ~0xfffU);
	fn->taken = 0;
	show_queue_geometry(segment, low);
}

static bool poll_function(struct sim_fn *fn)
{
	struct mlx5_init_seg __iomem *segment;
	bool worked = handle_resets(fn);
	struct pci_dev *pdev;
	int i;

	segment = init_segment(fn);
	if (!segment || fn->suspended)
		return worked;
	latch_queue(fn, segment);
	if (!fn->cmdq)
		return worked;
	if (ioread32be(&segment->cmd_dbell)) {
		iowrite32be(0, &segment->cmd_dbell);
		mb();	/* a command whose doorbell this has wiped out is in the queue already */
		fn->rescan = true;
	}
	if (!fn->rescan && !fn->taken)
		return worked;
	pdev = sim_pci_dev(fn);
	if (!pdev)
		return worked;
	if (fn->rescan && scan_queue(fn, pdev)) {
		fn->rescan = false;
		worked = true;
	}
	for (i = 0; i < SIM_SLOTS; i++)
		if ((fn->taken & BIT(i)) && slot_is_due(&fn->slot[i])) {
			execute_slot(fn, pdev, i);
			worked = true;
		}
	pci_dev_put(pdev);
	return worked;
}

static void beat(struct sim_card *card, u32 count, int num_fns)
{
	struct mlx5_init_seg __iomem *segment;
	int i;

	for (i = 0; i < num_fns; i++) {
		segment = init_segment(&card->fn[i]);
		if (segment)
			iowrite32be(count, &segment->health_counter);
	}
}

static int fw_thread(void *arg)
{
	unsigned long next_beat = jiffies;
	struct sim_card *card = arg;
	unsigned int idle = 0;
	u32 beats = 0;

	sched_set_fifo_low(current);	/* a card does not wait for the host's busy processes */
	while (!kthread_should_stop()) {
		bool worked = false;
		int i, num_vfs;

		/* resets of VFs that are gone are waiting too, so all functions have their turn */
		for (i = 0; i <= card->max_vfs; i++)
			worked |= poll_function(&card->fn[i]);
		if (time_after_eq(jiffies, next_beat)) {
			sim_pci_vfs_enabled(card, &num_vfs);
			beat(card, ++beats, 1 + num_vfs);
			next_beat = jiffies + HEALTH_PERIOD;
		}
		idle = worked ? 0 : idle + 1;
		if (idle < 20)
			cond_resched();
		else if (idle < 220)
			usleep_range(50, 100);
		else if (idle < 1220)
			usleep_range(500, 1000);
		else if (idle < 5000)
			usleep_range(2000, 4000);
		else
			usleep_range(5000, 10000);
	}
	return 0;
}

int sim_fw_start(struct sim_card *card)
{
	struct task_struct *thread = kthread_run(fw_thread, card, SIM_NAME "/%d", card->index);

	if (IS_ERR(thread))
		return PTR_ERR(thread);
	card->thread = thread;
	return 0;
}

void sim_fw_stop(struct sim_card *card)
{
	kthread_stop(card->thread);
}

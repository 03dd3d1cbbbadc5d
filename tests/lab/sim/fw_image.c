// SPDX-License-Identifier: GPL-2.0-only
/*
 * The live part of a migration image: what a VF's own driver has made, so that it goes on without
 * noticing.
 *
 * Its command queue, a doorbell not yet answered, event queues, UARs, capabilities it has set, its
 * MAC address, and the scratch page of its BAR. Queues for packets are not in it: nothing moves
 * packets here, so a number is all there is to know of them. What the PF has set for the VF
 * (migratable, roce) stays at home.
 */
#include <linux/etherdevice.h>
#include <linux/slab.h>

#include "sim.h"

struct live_head {
	__be64 cmdq;
	__be64 uars[SIM_MAX_UARS / 64];
	__be32 next_id;
	__be32 num_eqs;
	u8 mac[ETH_ALEN];
	u8 hca_enabled, hca_initialized;
	u8 has_caps[SIM_CAP_SLOTS];
	u8 reserved[6];
};

struct live_eq {
	__be64 event_mask;
	__be32 producer;
	__be32 num_pages;
	__be16 vector;
	u8 index, log_size;
	u8 reserved[4];
	__be64 page[];
};

#define AT_SCRATCH	SZ_4K
#define AT_CAPS		(AT_SCRATCH + SIM_SCRATCH_SIZE)
#define AT_EQS		(AT_CAPS + SIM_CAP_SLOTS * SIM_CAP_SIZE)

static u32 pack_eq(const struct sim_eq *eq, int index, u8 *live, u32 at)
{
	struct live_eq *packed = (struct live_eq *)(live + at);
	u32 size = struct_size(packed, page, eq->pages.count), i;

	if (size > SIM_LIVE_SIZE - at)
		return 0;
	packed->event_mask = cpu_to_be64(eq->event_mask);
	packed->producer = cpu_to_be32(eq->producer);
	packed->num_pages = cpu_to_be32(eq->pages.count);
	packed->vector = cpu_to_be16(eq->vector);
	packed->index = index;
	packed->log_size = eq->log_size;
	for (i = 0; i < eq->pages.count; i++)
		packed->page[i] = cpu_to_be64(eq->pages.addr[i]);
	return size;
}

/* false: too many event queues for the room there is */
bool sim_live_pack(struct sim_fn *fn, u8 *live)
{
	struct live_head *head = (struct live_head *)live;
	u8 *bar = sim_pci_bar(fn);
	u64 uars[SIM_MAX_UARS / 64];
	u32 at = AT_EQS, num_eqs = 0, size;
	int i;

	if (!bar)
		return false;
	memset(live, 0, SIM_LIVE_SIZE);
	head->cmdq = cpu_to_be64(fn->cmdq);
	bitmap_to_arr64(uars, fn->uars, SIM_MAX_UARS);
	for (i = 0; i < ARRAY_SIZE(uars); i++)
		head->uars[i] = cpu_to_be64(uars[i]);
	head->next_id = cpu_to_be32(fn->next_id);
	ether_addr_copy(head->mac, fn->mac);
	head->hca_enabled = fn->hca_enabled;
	head->hca_initialized = fn->hca_initialized;
	memcpy(live + AT_SCRATCH, bar + SIM_BAR_SCRATCH, SIM_SCRATCH_SIZE);
	for (i = 0; i < SIM_CAP_SLOTS; i++) {
		head->has_caps[i] = fn->caps_own[i] != NULL;
		if (fn->caps_own[i])
			memcpy(live + AT_CAPS + i * SIM_CAP_SIZE, fn->caps_own[i], SIM_CAP_SIZE);
	}
	for (i = 0; i < SIM_MAX_EQS; i++) {
		if (!fn->eq[i].pages.count)
			continue;
		size = pack_eq(&fn->eq[i], i, live, at);
		if (!size)
			return false;
		at += size;
		num_eqs++;
	}
	head->num_eqs = cpu_to_be32(num_eqs);
	return true;
}

/* Returns the size of the packed queue; 0: it makes no sense, or no memory. */
static u32 unpack_eq(struct sim_fn *fn, const u8 *live, u32 at)
{
	const struct live_eq *packed = (const struct live_eq *)(live + at);
	struct sim_eq *eq;
	u32 num_pages, i;

	if (sizeof(*packed) > SIM_LIVE_SIZE - at)
		return 0;
	num_pages = be32_to_cpu(packed->num_pages);
	if (packed->index >= SIM_MAX_EQS || packed->log_size > SIM_MAX_LOG_EQ_SIZE ||
	    num_pages != DIV_ROUND_UP(sizeof(struct mlx5_eqe) << packed->log_size, SZ_4K) ||
	    struct_size(packed, page, num_pages) > SIM_LIVE_SIZE - at)
		return 0;
	eq = &fn->eq[packed->index];
	if (eq->pages.count)
		return 0;
	eq->pages.addr = kvmalloc_array(num_pages, sizeof(*eq->pages.addr), GFP_KERNEL);
	if (!eq->pages.addr)
		return 0;
	for (i = 0; i < num_pages; i++)
		eq->pages.addr[i] = be64_to_cpu(packed->page[i]);
	eq->pages.count = num_pages;
	eq->event_mask = be64_to_cpu(packed->event_mask);
	eq->producer = be32_to_cpu(packed->producer);
	eq->vector = be16_to_cpu(packed->vector);
	eq->log_size = packed->log_size;
	return struct_size(packed, page, num_pages);
}

static bool unpack_caps(struct sim_fn *fn, const u8 *live, int slot)
{
	const struct live_head *head = (const struct live_head *)live;

	if (!head->has_caps[slot])
		return true;
	fn->caps_own[slot] = kmemdup(live + AT_CAPS + slot * SIM_CAP_SIZE, SIM_CAP_SIZE,
				     GFP_KERNEL);
	return fn->caps_own[slot];
}

/* The image has passed the checksum; still nothing in it is believed. */
bool sim_live_unpack(struct sim_fn *fn, const u8 *live)
{
	const struct live_head *head = (const struct live_head *)live;
	u8 *bar = sim_pci_bar(fn);
	u64 uars[SIM_MAX_UARS / 64];
	u32 at = AT_EQS, i, size;

	if (!bar)
		return false;
	sim_fn_release(fn);
	fn->cmdq = be64_to_cpu(head->cmdq);
	for (i = 0; i < ARRAY_SIZE(uars); i++)
		uars[i] = be64_to_cpu(head->uars[i]);
	bitmap_from_arr64(fn->uars, uars, SIM_MAX_UARS);
	fn->next_id = be32_to_cpu(head->next_id) & SIM_ID_MASK;
	ether_addr_copy(fn->mac, head->mac);
	fn->hca_enabled = head->hca_enabled;
	fn->hca_initialized = head->hca_initialized;
	memcpy(bar + SIM_BAR_SCRATCH, live + AT_SCRATCH, SIM_SCRATCH_SIZE);
	for (i = 0; i < SIM_CAP_SLOTS; i++)
		if (!unpack_caps(fn, live, i))
			return false;
	for (i = 0; i < be32_to_cpu(head->num_eqs); i++) {
		size = unpack_eq(fn, live, at);
		if (!size)
			return false;
		at += size;
	}
	return true;
}

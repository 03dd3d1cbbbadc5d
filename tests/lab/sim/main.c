// SPDX-License-Identifier: GPL-2.0-only
/*
 * mlx5sim: load and unload.
 *
 * Load it before or after mlx5_core; mlx5_core finds the cards as it finds any PCI device.
 * Unloading takes the PCI buses away first, so the drivers still have a firmware to say good-bye
 * to; it waits for processes that hold a VF open, as the removal of any VFIO device does. Needs a
 * BAR window that the kernel does not know as RAM (memmap=64M%0x70000000-1) and, for VFIO, an IOMMU
 * for the simulated buses.
 */
#include <linux/crc32.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "sim.h"

static struct sim_card *cards[SIM_MAX_CARDS];
static DEFINE_MUTEX(cards_lock);

/* PSID or firmware version were set: what mlx5_core reads at its next probe has to show it. */
void sim_identity_changed(void)
{
	int i, j;

	mutex_lock(&cards_lock);
	for (i = 0; i < SIM_MAX_CARDS; i++) {
		if (!cards[i])
			continue;
		WRITE_ONCE(cards[i]->fw_running, sim_params_fw_running(cards[i]));
		for (j = 0; j <= cards[i]->max_vfs; j++)
			sim_fw_show_version(&cards[i]->fn[j]);
	}
	mutex_unlock(&cards_lock);
}

u64 sim_commands(int card)
{
	u64 commands = 0;

	mutex_lock(&cards_lock);
	if (cards[card])
		commands = READ_ONCE(cards[card]->commands);
	mutex_unlock(&cards_lock);
	return commands;
}

static void free_card(struct sim_card *card)
{
	int i;

	for (i = 0; card->fn && i <= card->max_vfs; i++)
		sim_vf_release(&card->fn[i]);
	kvfree(card->fn);
	kvfree(card->vf_cfg);
	kvfree(card->in);
	kvfree(card->out);
	kvfree(card->live);
	kfree(card->page);
	kfree(card->queue);
	kfree(card);
}

static struct sim_card *alloc_card(int index)
{
	struct sim_card *card = kzalloc(sizeof(*card), GFP_KERNEL);
	int i;

	if (!card)
		return NULL;
	card->index = index;
	card->model = sim_params_model(index);
	card->fw_running = sim_params_fw_running(card);
	card->max_vfs = sim_max_vfs;
	card->vf_bar_size = sim_vf_bar_kib * SZ_1K;
	raw_spin_lock_init(&card->cfg_lock);
	card->fn = kvcalloc(1 + card->max_vfs, sizeof(*card->fn), GFP_KERNEL);
	card->vf_cfg = kvcalloc(max(card->max_vfs, 1), SIM_CFG_SIZE, GFP_KERNEL);
	card->in = kvzalloc(SIM_MAX_MSG, GFP_KERNEL);
	card->out = kvzalloc(SIM_MAX_MSG, GFP_KERNEL);
	card->live = kvzalloc(SIM_LIVE_SIZE, GFP_KERNEL);
	card->page = kzalloc(SZ_4K, GFP_KERNEL);
	card->queue = kcalloc(SIM_SLOTS, sizeof(*card->queue), GFP_KERNEL);
	for (i = 0; card->fn && i <= card->max_vfs; i++)
		sim_fn_init(&card->fn[i], card, i);
	if (card->fn && card->vf_cfg && card->in && card->out && card->live && card->page &&
	    card->queue)
		return card;
	free_card(card);
	return NULL;
}

/* The PF's address follows from the serial number, so two hosts have two. */
static void set_pf_mac(struct sim_card *card)
{
	char serial[32];
	u32 hash;

	sim_params_serial(card->index, serial, sizeof(serial));
	hash = crc32_le(~0, serial, strlen(serial));
	card->fn[0].mac[0] = 0x02;
	card->fn[0].mac[1] = 0x51;
	put_unaligned_be32(hash, card->fn[0].mac + 2);
}

static void remove_card(struct sim_card *card)
{
	sim_pci_remove(card);
	sim_fw_stop(card);
	sim_pci_unmap(card);
	pr_info(SIM_NAME ": card %d executed %llu commands\n", card->index, card->commands);
	free_card(card);
}

static int add_card(int index)
{
	struct sim_card *card = alloc_card(index);
	int err;

	if (!card)
		return -ENOMEM;
	sim_vpd_build(card);
	set_pf_mac(card);
	err = sim_pci_map(card);
	if (err)
		goto free;
	err = sim_fw_start(card);
	if (err)
		goto unmap;
	err = sim_pci_add(card);
	if (err)
		goto stop;
	mutex_lock(&cards_lock);
	cards[index] = card;
	mutex_unlock(&cards_lock);
	return 0;
stop:
	sim_fw_stop(card);
unmap:
	sim_pci_unmap(card);
free:
	free_card(card);
	return err;
}

static void remove_cards(void)
{
	int i;

	sim_fault_close();	/* nobody could release a hung command any more */
	for (i = SIM_MAX_CARDS - 1; i >= 0; i--) {
		struct sim_card *card = cards[i];

		if (!card)
			continue;
		mutex_lock(&cards_lock);
		cards[i] = NULL;
		mutex_unlock(&cards_lock);
		remove_card(card);
	}
}

static bool valid_params(void)
{
	u64 need = SIM_PF_BAR_SIZE + (u64)sim_max_vfs * sim_vf_bar_kib * SZ_1K;

	if (sim_cards < 1 || sim_cards > SIM_MAX_CARDS || sim_max_vfs < 0 ||
	    sim_max_vfs > SIM_MAX_VFS || sim_first_bus + sim_cards > 0x100) {
		pr_err(SIM_NAME ": cards, max_vfs or first_bus is out of range\n");
		return false;
	}
	if (!is_power_of_2(sim_vf_bar_kib) || sim_vf_bar_kib < 128 || sim_vf_bar_kib > 1024) {
		pr_err(SIM_NAME ": vf_bar_kib must be 128, 256, 512 or 1024\n");
		return false;
	}
	if (!sim_ram_mib || sim_ram_mib > 4096 || sim_ram % SZ_2M ||
	    need > (u64)sim_ram_mib * SZ_1M / sim_cards) {
		pr_err(SIM_NAME ": %d cards with %d VFs need a BAR window of %llu MiB\n", sim_cards,
		       sim_max_vfs, sim_cards * DIV_ROUND_UP_ULL(need, SZ_1M));
		return false;
	}
	return true;
}

static int __init sim_init(void)
{
	int i, err;

	if (!valid_params())
		return -EINVAL;
	for (i = 0; i < sim_cards; i++) {
		err = add_card(i);
		if (err) {
			remove_cards();
			return err;
		}
	}
	return 0;
}

static void __exit sim_exit(void)
{
	remove_cards();
}

module_init(sim_init);
module_exit(sim_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("simulated ConnectX card: PCI bus and firmware");

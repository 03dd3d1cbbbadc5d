// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software PCI root bus with one PF that has SR-IOV.
 *
 * Configuration space is a table of bytes and a table of the bits that can be written. The BARs are
 * RAM which the kernel does not know (memmap=), so nothing sees an access to them; the firmware
 * thread polls. The VFs sit on the PF's own bus, devfn 2 and up. No device is multi-function by its
 * header type, so under an IOMMU each one gets a group of its own.
 */
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/list.h>

#include "sim.h"

#define CAP_PM		0x40
#define CAP_VPD		0x48
#define CAP_EXP		0x60
#define CAP_MSIX	0x9c
#define EXT_ARI		0x100
#define EXT_SRIOV	0x180

#define VPD_WRITE	0x8000	/* in the address register: 0 asks for a read, 1 says it is done */

static u16 get16(const u8 *cfg, int offset)
{
	return get_unaligned_le16(cfg + offset);
}

static u32 get32(const u8 *cfg, int offset)
{
	return get_unaligned_le32(cfg + offset);
}

static void set16(u8 *cfg, int offset, u16 value)
{
	put_unaligned_le16(value, cfg + offset);
}

static void set32(u8 *cfg, int offset, u32 value)
{
	put_unaligned_le32(value, cfg + offset);
}

static void set_capability(u8 *cfg, int offset, u8 id, u8 next)
{
	cfg[offset] = id;
	cfg[offset + 1] = next;
}

/* What PF and VF have in common. Bits that a VF takes from its PF read as zero there. */
static void build_common(struct sim_card *card, u8 *cfg, u8 *writable, bool vf)
{
	u8 link_gen = card->model->link_gen;

	set16(cfg, PCI_STATUS, PCI_STATUS_CAP_LIST);
	set16(writable, PCI_COMMAND, PCI_COMMAND_MASTER | (vf ? 0 : PCI_COMMAND_MEMORY |
	      PCI_COMMAND_INTX_DISABLE | PCI_COMMAND_SERR | PCI_COMMAND_PARITY));
	set32(cfg, PCI_CLASS_REVISION, PCI_CLASS_NETWORK_ETHERNET << 16);
	set16(cfg, PCI_SUBSYSTEM_VENDOR_ID, PCI_VENDOR_ID_MELLANOX);
	set16(cfg, PCI_SUBSYSTEM_ID, 0x0040);
	cfg[PCI_CAPABILITY_LIST] = CAP_EXP;

	set_capability(cfg, CAP_EXP, PCI_CAP_ID_EXP, CAP_MSIX);
	set16(cfg, CAP_EXP + PCI_EXP_FLAGS, 2 | PCI_EXP_TYPE_ENDPOINT << 4);
	set32(cfg, CAP_EXP + PCI_EXP_DEVCAP, PCI_EXP_DEVCAP_FLR | PCI_EXP_DEVCAP_RBER | 2);
	set16(writable, CAP_EXP + PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_BCR_FLR | (vf ? 0 : 0x7fff));
	set32(cfg, CAP_EXP + PCI_EXP_LNKCAP, link_gen | 16 << 4);
	if (!vf)
		set16(cfg, CAP_EXP + PCI_EXP_LNKSTA, link_gen | 16 << 4);
	set16(writable, CAP_EXP + PCI_EXP_DEVCTL2, vf ? 0 : 0xffff);

	set_capability(cfg, CAP_MSIX, PCI_CAP_ID_MSIX, vf ? 0 : CAP_PM);
	set16(cfg, CAP_MSIX + PCI_MSIX_FLAGS, SIM_MSIX_VECTORS - 1);
	set16(writable, CAP_MSIX + PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	set32(cfg, CAP_MSIX + PCI_MSIX_TABLE, SIM_BAR_MSIX_TABLE);
	set32(cfg, CAP_MSIX + PCI_MSIX_PBA, SIM_BAR_MSIX_PBA);

	set32(cfg, EXT_ARI, PCI_EXT_CAP_ID_ARI | 1 << 16 | (vf ? 0 : EXT_SRIOV) << 20);
}

static void build_bar(u8 *cfg, u8 *writable, int offset, u32 size)
{
	set32(cfg, offset, PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH);
	set32(writable, offset, ~(size - 1));
	set32(writable, offset + 4, ~0);
}

static void build_pf(struct sim_card *card)
{
	u8 *cfg = card->pf_cfg, *writable = card->pf_writable, *sriov = cfg + EXT_SRIOV;

	build_common(card, cfg, writable, false);
	set16(cfg, PCI_VENDOR_ID, PCI_VENDOR_ID_MELLANOX);
	set16(cfg, PCI_DEVICE_ID, card->model->device_id);
	writable[PCI_INTERRUPT_LINE] = 0xff;
	writable[PCI_CACHE_LINE_SIZE] = 0xff;
	build_bar(cfg, writable, PCI_BASE_ADDRESS_0, SIM_PF_BAR_SIZE);

	set_capability(cfg, CAP_PM, PCI_CAP_ID_PM, CAP_VPD);
	set16(cfg, CAP_PM + PCI_PM_PMC, 3);
	set16(cfg, CAP_PM + PCI_PM_CTRL, PCI_PM_CTRL_NO_SOFT_RESET);
	set16(writable, CAP_PM + PCI_PM_CTRL, PCI_PM_CTRL_STATE_MASK);

	set_capability(cfg, CAP_VPD, PCI_CAP_ID_VPD, 0);
	set16(writable, CAP_VPD + PCI_VPD_ADDR, 0xffff);

	set32(cfg, EXT_SRIOV, PCI_EXT_CAP_ID_SRIOV | 1 << 16);
	set16(writable + EXT_SRIOV, PCI_SRIOV_CTRL,
	      PCI_SRIOV_CTRL_VFE | PCI_SRIOV_CTRL_MSE | PCI_SRIOV_CTRL_ARI);
	set16(sriov, PCI_SRIOV_INITIAL_VF, card->max_vfs);
	set16(sriov, PCI_SRIOV_TOTAL_VF, card->max_vfs);
	set16(writable + EXT_SRIOV, PCI_SRIOV_NUM_VF, 0xffff);
	set16(sriov, PCI_SRIOV_VF_OFFSET, SIM_VF_OFFSET);
	set16(sriov, PCI_SRIOV_VF_STRIDE, 1);
	set16(sriov, PCI_SRIOV_VF_DID, 0x101e);
	set32(sriov, PCI_SRIOV_SUP_PGSIZE, 0x553);
	set32(sriov, PCI_SRIOV_SYS_PGSIZE, 1);
	set32(writable + EXT_SRIOV, PCI_SRIOV_SYS_PGSIZE, ~0);
	build_bar(cfg, writable, EXT_SRIOV + PCI_SRIOV_BAR, card->vf_bar_size);
	if (!card->max_vfs)	/* a card with SR-IOV switched off does not have the capability */
		set32(cfg, EXT_ARI, PCI_EXT_CAP_ID_ARI | 1 << 16);
}

static void build_vfs(struct sim_card *card)
{
	int i;

	for (i = 0; i < card->max_vfs; i++) {
		u8 *cfg = card->vf_cfg + i * SIM_CFG_SIZE;

		build_common(card, cfg, card->vf_writable, true);
		set32(cfg, PCI_VENDOR_ID, ~0);	/* the rule for VFs: the ids are those of the PF */
		card->fn[1 + i].cfg = cfg;
	}
	card->fn[0].cfg = card->pf_cfg;
}

bool sim_pci_vfs_enabled(const struct sim_card *card, int *num_vfs)
{
	u16 ctrl = get16(card->pf_cfg, EXT_SRIOV + PCI_SRIOV_CTRL);

	*num_vfs = min_t(int, get16(card->pf_cfg, EXT_SRIOV + PCI_SRIOV_NUM_VF), card->max_vfs);
	return (ctrl & PCI_SRIOV_CTRL_VFE) && (ctrl & PCI_SRIOV_CTRL_MSE);
}

bool sim_pci_bus_master(const struct sim_fn *fn)
{
	return READ_ONCE(fn->cfg[PCI_COMMAND]) & PCI_COMMAND_MASTER;
}

void sim_pci_set_msix(struct sim_fn *fn, u16 vectors)
{
	unsigned long flags;
	u16 state;

	raw_spin_lock_irqsave(&fn->card->cfg_lock, flags);
	state = get16(fn->cfg, CAP_MSIX + PCI_MSIX_FLAGS) & ~PCI_MSIX_FLAGS_QSIZE;
	set16(fn->cfg, CAP_MSIX + PCI_MSIX_FLAGS, state | (vectors - 1));
	raw_spin_unlock_irqrestore(&fn->card->cfg_lock, flags);
}

u8 *sim_pci_bar(const struct sim_fn *fn)
{
	struct sim_card *card = fn->card;
	int at = fn->index ? EXT_SRIOV + PCI_SRIOV_BAR : PCI_BASE_ADDRESS_0;
	u32 size = fn->index ? card->vf_bar_size : SIM_PF_BAR_SIZE;
	int num_vfs;
	u64 addr;

	if (fn->index) {
		if (!sim_pci_vfs_enabled(card, &num_vfs) || fn->index > num_vfs)
			return NULL;
	} else if (!(get16(card->pf_cfg, PCI_COMMAND) & PCI_COMMAND_MEMORY)) {
		return NULL;
	}
	addr = get32(card->pf_cfg, at) & PCI_BASE_ADDRESS_MEM_MASK;
	addr |= (u64)get32(card->pf_cfg, at + 4) << 32;
	if (fn->index)
		addr += (u64)(fn->index - 1) * size;
	if (addr < card->window.start || addr + size - 1 > card->window.end)
		return NULL;	/* being sized, or not assigned */
	return card->ram + (addr - card->window.start);
}

struct pci_dev *sim_pci_dev(const struct sim_fn *fn)
{
	return pci_get_domain_bus_and_slot(fn->card->sysdata.domain, fn->card->busn.start,
					   fn->index ? SIM_VF_OFFSET + fn->index - 1 : 0);
}

static struct sim_fn *find_fn(struct sim_card *card, struct pci_bus *bus, unsigned int devfn)
{
	int vf = (int)devfn - SIM_VF_OFFSET;
	int num_vfs;

	if (bus->number != card->busn.start)
		return NULL;
	if (!devfn)
		return &card->fn[0];
	if (!sim_pci_vfs_enabled(card, &num_vfs) || vf < 0 || vf >= num_vfs)
		return NULL;
	return &card->fn[1 + vf];
}

static int cfg_read(struct pci_bus *bus, unsigned int devfn, int where, int size, u32 *value)
{
	struct sim_card *card = container_of(bus->sysdata, struct sim_card, sysdata);
	struct sim_fn *fn = find_fn(card, bus, devfn);

	*value = ~0;
	if (!fn)
		return PCIBIOS_DEVICE_NOT_FOUND;
	*value = 0;
	if (where + size > SIM_CFG_SIZE)
		return PCIBIOS_SUCCESSFUL;
	if (size == 1)
		*value = fn->cfg[where];
	else
		*value = size == 2 ? get16(fn->cfg, where) : get32(fn->cfg, where);
	return PCIBIOS_SUCCESSFUL;
}

static void function_level_reset(struct sim_fn *fn)
{
	u8 *cfg = fn->cfg;

	set16(cfg, CAP_EXP + PCI_EXP_DEVCTL,
	      get16(cfg, CAP_EXP + PCI_EXP_DEVCTL) & ~PCI_EXP_DEVCTL_BCR_FLR);
	set16(cfg, PCI_COMMAND, 0);
	set16(cfg, CAP_MSIX + PCI_MSIX_FLAGS,
	      get16(cfg, CAP_MSIX + PCI_MSIX_FLAGS) & PCI_MSIX_FLAGS_QSIZE);
	if (!fn->index)	/* a reset of the PF disables its VFs */
		set16(cfg, EXT_SRIOV + PCI_SRIOV_CTRL, 0);
	set_bit(SIM_RESET_FUNCTION, &fn->reset);
}

static void vpd_access(struct sim_card *card)
{
	u8 *cfg = card->pf_cfg;
	u16 addr = get16(cfg, CAP_VPD + PCI_VPD_ADDR);
	u32 data = 0;

	if (addr & VPD_WRITE) {	/* not writable: drop it, and say done */
		set16(cfg, CAP_VPD + PCI_VPD_ADDR, addr & ~VPD_WRITE);
		return;
	}
	if (addr + sizeof(data) <= SIM_VPD_SIZE)
		data = get_unaligned_le32(card->vpd + addr);
	set32(cfg, CAP_VPD + PCI_VPD_DATA, data);
	set16(cfg, CAP_VPD + PCI_VPD_ADDR, addr | VPD_WRITE);
}

/* Called under cfg_lock; old_* are what was there before the write. */
static void cfg_written(struct sim_fn *fn, int where, u8 old_command, u16 old_sriov)
{
	struct sim_card *card = fn->card;
	int num_vfs, i;

	if (get16(fn->cfg, CAP_EXP + PCI_EXP_DEVCTL) & PCI_EXP_DEVCTL_BCR_FLR)
		function_level_reset(fn);
	if (fn->index)
		return;
	if (where == CAP_VPD + PCI_VPD_ADDR)
		vpd_access(card);
	if (!(old_command & PCI_COMMAND_MEMORY))
		sim_fw_init_segment(fn);
	if (sim_pci_vfs_enabled(card, &num_vfs)) {
		for (i = 1; i <= num_vfs && !(old_sriov & PCI_SRIOV_CTRL_MSE); i++)
			sim_fw_init_segment(&card->fn[i]);
	} else if (old_sriov & PCI_SRIOV_CTRL_VFE) {
		for (i = 1; i <= card->max_vfs; i++) {
			set16(card->fn[i].cfg, PCI_COMMAND, 0);
			set_bit(SIM_RESET_VF, &card->fn[i].reset);
		}
	}
}

static int cfg_write(struct pci_bus *bus, unsigned int devfn, int where, int size, u32 value)
{
	struct sim_card *card = container_of(bus->sysdata, struct sim_card, sysdata);
	struct sim_fn *fn = find_fn(card, bus, devfn);
	const u8 *writable;
	unsigned long flags;
	u8 old_command;
	u16 old_sriov;
	int i;

	if (!fn)
		return PCIBIOS_DEVICE_NOT_FOUND;
	if (where + size > SIM_CFG_SIZE)
		return PCIBIOS_SUCCESSFUL;
	writable = fn->index ? card->vf_writable : card->pf_writable;
	raw_spin_lock_irqsave(&card->cfg_lock, flags);
	old_command = fn->cfg[PCI_COMMAND];
	old_sriov = get16(card->pf_cfg, EXT_SRIOV + PCI_SRIOV_CTRL);
	for (i = where; i < where + size; i++, value >>= 8)
		fn->cfg[i] = (fn->cfg[i] & ~writable[i]) | (value & writable[i]);
	cfg_written(fn, where, old_command, old_sriov);
	raw_spin_unlock_irqrestore(&card->cfg_lock, flags);

	/* Bus mastering off means off: wait for an access that has begun. */
	if ((old_command & PCI_COMMAND_MASTER) && !sim_pci_bus_master(fn)) {
		raw_spin_lock_irqsave(&fn->dma_lock, flags);
		raw_spin_unlock_irqrestore(&fn->dma_lock, flags);
	}
	return PCIBIOS_SUCCESSFUL;
}

static struct pci_ops sim_pci_ops = { .read = cfg_read, .write = cfg_write };

int sim_pci_map(struct sim_card *card)
{
	u64 size = (u64)sim_ram_mib * SZ_1M / sim_cards & ~(u64)(SZ_1M - 1);
	u64 start = sim_ram + card->index * size;
	int number = sim_first_bus + card->index;
	int err;

	build_pf(card);
	build_vfs(card);
	card->sysdata.domain = sim_domain;
	card->sysdata.node = NUMA_NO_NODE;
	card->busn = (struct resource) {
		.name = SIM_NAME, .start = number, .end = number, .flags = IORESOURCE_BUS,
	};
	card->window = (struct resource) {
		.name = SIM_NAME, .start = start, .end = start + size - 1,
		.flags = IORESOURCE_MEM | IORESOURCE_MEM_64 | IORESOURCE_PREFETCH,
	};
	if (region_intersects(start, size, 0, IORES_DESC_NONE) != REGION_DISJOINT) {
		pr_err(SIM_NAME ": %pR is in use; boot with memmap=%uM%%0x%lx-1\n",
		       &card->window, sim_ram_mib, sim_ram);
		return -EBUSY;
	}
	err = insert_resource(&iomem_resource, &card->window);
	if (err)
		return err;
	/* uncached, as the drivers map it: x86 refuses two memory types on one page */
	card->ram = (u8 __force *)ioremap(start, size);
	if (!card->ram) {
		remove_resource(&card->window);
		return -ENOMEM;
	}
	memset(card->ram, 0, size);
	put_unaligned_le32(0x51a51a51, card->ram + size - 4);
	if (get_unaligned_le32(card->ram + size - 4) == 0x51a51a51)
		return 0;
	pr_err(SIM_NAME ": no RAM behind %pR\n", &card->window);
	sim_pci_unmap(card);
	return -ENODEV;
}

void sim_pci_unmap(struct sim_card *card)
{
	iounmap((void __iomem *)card->ram);
	remove_resource(&card->window);
}

int sim_pci_add(struct sim_card *card)
{
	LIST_HEAD(resources);

	pci_add_resource(&resources, &card->window);
	pci_add_resource(&resources, &card->busn);
	pci_lock_rescan_remove();
	card->bus = pci_create_root_bus(NULL, card->busn.start, &sim_pci_ops, &card->sysdata,
					&resources);
	if (!card->bus) {
		pci_unlock_rescan_remove();
		pci_free_resource_list(&resources);
		return -EBUSY;
	}
	pci_scan_child_bus(card->bus);
	pci_assign_unassigned_bus_resources(card->bus);
	pci_bus_add_devices(card->bus);
	pci_unlock_rescan_remove();
	return 0;
}

void sim_pci_remove(struct sim_card *card)
{
	pci_lock_rescan_remove();
	pci_stop_root_bus(card->bus);
	pci_remove_root_bus(card->bus);
	pci_unlock_rescan_remove();
}

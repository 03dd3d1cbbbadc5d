// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a function does on the bus: access to host memory through its IOMMU domain, and MSI-X.
 *
 * The domain is that of the moment: the kernel's own for a function that mlx5_core drives, the VM's
 * for one that belongs to VFIO. It cannot go away under us: drivers switch bus mastering off
 * before, and cfg_write() then waits for dma_lock. Addresses come from drivers and guests, so only
 * pages of ordinary memory are touched.
 */
#include <linux/highmem.h>
#include <linux/interrupt.h>
#include <linux/iommu.h>
#include <linux/irq.h>
#include <linux/irq_work.h>
#include <linux/mm.h>

#include "sim.h"

static struct page *find_page(struct pci_dev *pdev, u64 addr)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(&pdev->dev);
	phys_addr_t phys = addr;
	unsigned long pfn;

	if (domain)
		phys = iommu_iova_to_phys(domain, addr);
	pfn = PHYS_PFN(phys);
	/* reserved pages: device memory mapped for peer to peer access, the kernel's own image */
	if (!phys || !pfn_valid(pfn) || PageReserved(pfn_to_page(pfn)))
		return NULL;
	return pfn_to_page(pfn);
}

/* Within one 4 KiB page. */
static bool copy(struct sim_fn *fn, struct pci_dev *pdev, u64 addr, void *buf, u32 len,
		 bool to_host)
{
	struct page *page = NULL;
	unsigned long flags;
	u8 *at;

	raw_spin_lock_irqsave(&fn->dma_lock, flags);
	if (sim_pci_bus_master(fn))
		page = find_page(pdev, addr);
	if (page) {
		at = kmap_local_page(page) + offset_in_page(addr);
		if (to_host)
			memcpy(at, buf, len);
		else
			memcpy(buf, at, len);
		kunmap_local(at);
	}
	raw_spin_unlock_irqrestore(&fn->dma_lock, flags);
	return page;
}

static bool copy_all(struct sim_fn *fn, struct pci_dev *pdev, u64 addr, u8 *buf, u32 len,
		     bool to_host)
{
	while (len) {
		u32 part = min_t(u32, len, SZ_4K - (addr & (SZ_4K - 1)));

		if (!copy(fn, pdev, addr, buf, part, to_host))
			return false;
		addr += part;
		buf += part;
		len -= part;
	}
	return true;
}

bool sim_dma_read(struct sim_fn *fn, struct pci_dev *pdev, u64 addr, void *buf, u32 len)
{
	return copy_all(fn, pdev, addr, buf, len, false);
}

bool sim_dma_write(struct sim_fn *fn, struct pci_dev *pdev, u64 addr, const void *buf, u32 len)
{
	sim_track_write(fn, addr, len);
	return copy_all(fn, pdev, addr, (void *)buf, len, true);
}

struct raise {
	struct irq_work work;
	int irq;
};

static void raise_in_hardirq(struct irq_work *work)
{
	generic_handle_irq(container_of(work, struct raise, work)->irq);
}

/*
 * The table entry in the BAR is not looked at: Linux knows which interrupt it has put there, for a
 * function of VFIO too. x86 handles device interrupts in hard interrupt context only, hence
 * irq_work.
 */
void sim_raise_msix(struct pci_dev *pdev, u16 vector)
{
	struct raise raise = { .work = IRQ_WORK_INIT_HARD(raise_in_hardirq) };

	if (!pdev->msix_enabled)
		return;
	raise.irq = pci_irq_vector(pdev, vector);
	if (raise.irq <= 0)
		return;
	irq_work_queue(&raise.work);
	irq_work_sync(&raise.work);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The page of a VF's BAR that the simulated card carries along with the device state. The beat
 * counter continues from that page: a VF whose state did not arrive cannot go on counting. The
 * shadow in main memory, which travels by another way, tells what the whole page must hold. Of
 * several VFs each beat takes one in turn.
 */
#include <stddef.h>

#include "guest.h"

#define VENDOR_MELLANOX		0x15b3
#define DEVICE_MLX5_VF		0x101e
#define MAX_VFS			4
#define STATE_PAGE_OFFSET	0x4000u
#define PAGE_WORDS		(PAGE_SIZE_BYTES / sizeof(uint32_t))
#define WORDS_PER_BEAT		256u	/* a read costs 8 us under nested emulation */
#define PAGE_MAGIC		0x564d4c35u
#define BAR_IS_IO		0x1u
#define BAR_TYPE_MASK		0x6u
#define BAR_TYPE_64BIT		0x4u
#define BAR_ADDRESS_MASK	0xfffffff0u

enum page_word { WORD_MAGIC, WORD_BOOT_ID, WORD_COUNTER, WORD_CHECK, WORD_FIRST_SLOT };

struct vf {
	uint64_t bar_address;
	volatile uint32_t *page;	/* NULL: its BAR is out of reach */
	uint32_t shadow[PAGE_WORDS];
	uint32_t counter;
	uint32_t window;
};

static struct vf vfs[MAX_VFS];
static uint16_t bdfs[MAX_VFS];
static uint32_t num_vfs, bad_words;

static void store(struct vf *vf, uint32_t word, uint32_t value)
{
	vf->page[word] = value;
	vf->shadow[word] = value;
}

static void store_counter(struct vf *vf, uint32_t value)
{
	store(vf, WORD_COUNTER, value);
	store(vf, WORD_CHECK, mix32(value ^ vf->shadow[WORD_BOOT_ID]));
	vf->counter = value;
}

static void map_bar(struct vf *vf, uint16_t bdf)
{
	uint32_t low = pci_read32(bdf, PCI_BAR0);

	if (low & BAR_IS_IO)
		return;
	vf->bar_address = low & BAR_ADDRESS_MASK;
	if ((low & BAR_TYPE_MASK) == BAR_TYPE_64BIT)
		vf->bar_address |= (uint64_t)pci_read32(bdf, PCI_BAR0 + 4) << 32;
	if (!vf->bar_address || vf->bar_address >> 32)
		return;
	pci_write32(bdf, PCI_COMMAND, (pci_read32(bdf, PCI_COMMAND) & 0xffff) | PCI_COMMAND_MEMORY);
	vf->page = (volatile uint32_t *)((uint32_t)vf->bar_address + STATE_PAGE_OFFSET);
}

static void init_one(struct vf *vf, uint16_t bdf, uint32_t seed)
{
	map_bar(vf, bdf);
	if (!vf->page)
		return;
	store(vf, WORD_MAGIC, PAGE_MAGIC);
	store(vf, WORD_BOOT_ID, seed);
	for (uint32_t i = WORD_FIRST_SLOT; i < PAGE_WORDS; i++)
		store(vf, i, mix32(seed + i));
	store_counter(vf, 0);
}

/* Each VF another pattern: states that were exchanged are found as well. */
void vf_init(uint32_t boot_id)
{
	num_vfs = pci_find(VENDOR_MELLANOX, DEVICE_MLX5_VF, bdfs, MAX_VFS);
	for (uint32_t i = 0; i < num_vfs; i++)
		init_one(&vfs[i], bdfs[i], i ? mix32(boot_id + i) : boot_id);
}

/* After a mismatch the shadow follows the page, so that each loss is counted once. */
static void verify(struct vf *vf, uint32_t first_word, uint32_t words)
{
	for (uint32_t i = first_word; i < first_word + words; i++) {
		uint32_t value = vf->page[i];

		if (value == vf->shadow[i])
			continue;
		bad_words++;
		vf->shadow[i] = value;
	}
}

void vf_beat(void)
{
	static uint32_t turn;
	struct vf *vf = &vfs[turn];
	uint32_t next;

	turn = turn + 1 < num_vfs ? turn + 1 : 0;
	if (!vf->page)
		return;
	verify(vf, 0, WORD_FIRST_SLOT);
	verify(vf, vf->window, WORDS_PER_BEAT);
	vf->window = (vf->window + WORDS_PER_BEAT) % PAGE_WORDS;
	next = vf->shadow[WORD_COUNTER] + 1;
	store(vf, WORD_FIRST_SLOT + next % (PAGE_WORDS - WORD_FIRST_SLOT), mix32(next));
	store_counter(vf, next);
}

void vf_verify_all(void)
{
	for (uint32_t i = 0; i < num_vfs; i++)
		if (vfs[i].page)
			verify(&vfs[i], 0, PAGE_WORDS);
}

static void print_address(uint16_t bdf)
{
	serial_hex(bdf >> 8, 2);
	serial_str(":");
	serial_hex(bdf >> 3 & 0x1f, 2);
	serial_str(".");
	serial_hex(bdf & 7, 1);
}

void vf_print_place(void)
{
	for (uint32_t i = 0; i < num_vfs; i++) {
		if (!vfs[i].page) {
			serial_str("unreachable");
			return;
		}
	}
	if (!num_vfs)
		serial_str("none");
	for (uint32_t i = 0; i < num_vfs; i++) {
		if (i)
			serial_str(",");
		print_address(bdfs[i]);
	}
}

uint64_t vf_bar_address(void)
{
	return vfs[0].bar_address;
}

uint32_t vf_counter(void)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < num_vfs; i++)
		sum += vfs[i].counter;
	return sum;
}

uint32_t vf_bad_words(void)
{
	return bad_words;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The page of the VF's BAR that the simulated card carries along with the device state. The beat
 * counter continues from that page: a VF whose state did not arrive cannot go on counting. The
 * shadow in main memory, which travels by another way, tells what the whole page must hold.
 */
#include <stddef.h>

#include "guest.h"

#define VENDOR_MELLANOX		0x15b3
#define DEVICE_MLX5_VF		0x101e
#define STATE_PAGE_OFFSET	0x4000u
#define PAGE_WORDS		(PAGE_SIZE_BYTES / sizeof(uint32_t))
#define WORDS_PER_BEAT		256u	/* a read costs 8 us under nested emulation */
#define PAGE_MAGIC		0x564d4c35u
#define BAR_IS_IO		0x1u
#define BAR_TYPE_MASK		0x6u
#define BAR_TYPE_64BIT		0x4u
#define BAR_ADDRESS_MASK	0xfffffff0u

enum page_word { WORD_MAGIC, WORD_BOOT_ID, WORD_COUNTER, WORD_CHECK, WORD_FIRST_SLOT };

static bool found;
static uint16_t bdf;
static uint64_t bar_address;
static volatile uint32_t *page;	/* NULL: no VF, or its BAR is out of reach */
static uint32_t shadow[PAGE_WORDS];
static uint32_t counter, bad_words;

static void store(uint32_t word, uint32_t value)
{
	page[word] = value;
	shadow[word] = value;
}

static void store_counter(uint32_t value)
{
	store(WORD_COUNTER, value);
	store(WORD_CHECK, mix32(value ^ shadow[WORD_BOOT_ID]));
	counter = value;
}

static void map_bar(void)
{
	uint32_t low = pci_read32(bdf, PCI_BAR0);

	if (low & BAR_IS_IO)
		return;
	bar_address = low & BAR_ADDRESS_MASK;
	if ((low & BAR_TYPE_MASK) == BAR_TYPE_64BIT)
		bar_address |= (uint64_t)pci_read32(bdf, PCI_BAR0 + 4) << 32;
	if (!bar_address || bar_address >> 32)
		return;
	pci_write32(bdf, PCI_COMMAND, (pci_read32(bdf, PCI_COMMAND) & 0xffff) | PCI_COMMAND_MEMORY);
	page = (volatile uint32_t *)((uint32_t)bar_address + STATE_PAGE_OFFSET);
}

void vf_init(uint32_t boot_id)
{
	found = pci_find(VENDOR_MELLANOX, DEVICE_MLX5_VF, &bdf);
	if (!found)
		return;
	map_bar();
	if (!page)
		return;
	store(WORD_MAGIC, PAGE_MAGIC);
	store(WORD_BOOT_ID, boot_id);
	for (uint32_t i = WORD_FIRST_SLOT; i < PAGE_WORDS; i++)
		store(i, mix32(boot_id + i));
	store_counter(0);
}

/* After a mismatch the shadow follows the page, so that each loss is counted once. */
static void verify(uint32_t first_word, uint32_t words)
{
	for (uint32_t i = first_word; i < first_word + words; i++) {
		uint32_t value = page[i];

		if (value == shadow[i])
			continue;
		bad_words++;
		shadow[i] = value;
	}
}

void vf_beat(void)
{
	static uint32_t window;
	uint32_t next;

	if (!page)
		return;
	verify(0, WORD_FIRST_SLOT);
	verify(window, WORDS_PER_BEAT);
	window = (window + WORDS_PER_BEAT) % PAGE_WORDS;
	next = shadow[WORD_COUNTER] + 1;
	store(WORD_FIRST_SLOT + next % (PAGE_WORDS - WORD_FIRST_SLOT), mix32(next));
	store_counter(next);
}

void vf_verify_all(void)
{
	if (page)
		verify(0, PAGE_WORDS);
}

void vf_print_place(void)
{
	if (!found) {
		serial_str("none");
	} else if (!page) {
		serial_str("unreachable");
	} else {
		serial_hex(bdf >> 8, 2);
		serial_str(":");
		serial_hex(bdf >> 3 & 0x1f, 2);
		serial_str(".");
		serial_hex(bdf & 7, 1);
	}
}

uint64_t vf_bar_address(void)
{
	return bar_address;
}

uint32_t vf_counter(void)
{
	return counter;
}

uint32_t vf_bad_words(void)
{
	return bad_words;
}

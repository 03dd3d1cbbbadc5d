// SPDX-License-Identifier: LGPL-2.1-or-later
#include "guest.h"

#define CONFIG_ADDRESS		0xcf8
#define CONFIG_DATA		0xcfc
#define CONFIG_ENABLE		0x80000000u
#define PCI_HEADER_DWORD	0x0c	/* holds the header type in bits 16..23 */
#define PCI_BUSES_DWORD		0x18	/* bridges: secondary bus in bits 8..15 */
#define HEADER_TYPE_BRIDGE	0x01
#define HEADER_MULTIFUNCTION	0x80
#define MAX_BRIDGE_DEPTH	8

struct pci_search {
	uint32_t wanted;
	uint16_t *bdfs;
	uint32_t max;
	uint32_t found;
};

uint32_t pci_read32(uint16_t bdf, unsigned int offset)
{
	outl(CONFIG_ADDRESS, CONFIG_ENABLE | (uint32_t)bdf << 8 | offset);
	return inl(CONFIG_DATA);
}

void pci_write32(uint16_t bdf, unsigned int offset, uint32_t value)
{
	outl(CONFIG_ADDRESS, CONFIG_ENABLE | (uint32_t)bdf << 8 | offset);
	outl(CONFIG_DATA, value);
}

/* Follows the bridges: trying all 65536 functions takes seconds under nested emulation. */
static void find_below(uint32_t bus, unsigned int depth, struct pci_search *search)
{
	for (uint32_t slot = 0; slot < 32; slot++) {
		uint32_t functions = 1;

		for (uint32_t function = 0; function < functions; function++) {
			uint16_t bdf = (uint16_t)(bus << 8 | slot << 3 | function);
			uint32_t id = pci_read32(bdf, 0);
			uint32_t header, secondary;

			if (id == 0xffffffff)
				continue;
			if (id == search->wanted && search->found < search->max)
				search->bdfs[search->found++] = bdf;
			header = pci_read32(bdf, PCI_HEADER_DWORD) >> 16 & 0xff;
			if (header & HEADER_MULTIFUNCTION)
				functions = 8;
			if ((header & ~HEADER_MULTIFUNCTION) != HEADER_TYPE_BRIDGE)
				continue;
			secondary = pci_read32(bdf, PCI_BUSES_DWORD) >> 8 & 0xff;
			if (secondary > bus && depth < MAX_BRIDGE_DEPTH)
				find_below(secondary, depth + 1, search);
		}
	}
}

uint32_t pci_find(uint16_t vendor, uint16_t device, uint16_t *ret_bdfs, uint32_t max)
{
	struct pci_search search = {
		.wanted = (uint32_t)device << 16 | vendor,
		.bdfs = ret_bdfs,
		.max = max,
	};

	find_below(0, 0, &search);
	return search.found;
}

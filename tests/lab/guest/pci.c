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
static bool find_below(uint32_t bus, uint32_t wanted, unsigned int depth, uint16_t *ret_bdf)
{
	for (uint32_t slot = 0; slot < 32; slot++) {
		uint32_t functions = 1;

		for (uint32_t function = 0; function < functions; function++) {
			uint16_t bdf = (uint16_t)(bus << 8 | slot << 3 | function);
			uint32_t id = pci_read32(bdf, 0);
			uint32_t header, secondary;

			if (id == 0xffffffff)
				continue;
			if (id == wanted) {
				*ret_bdf = bdf;
				return true;
			}
			header = pci_read32(bdf, PCI_HEADER_DWORD) >> 16 & 0xff;
			if (header & HEADER_MULTIFUNCTION)
				functions = 8;
			if ((header & ~HEADER_MULTIFUNCTION) != HEADER_TYPE_BRIDGE)
				continue;
			secondary = pci_read32(bdf, PCI_BUSES_DWORD) >> 8 & 0xff;
			if (secondary > bus && depth < MAX_BRIDGE_DEPTH &&
			    find_below(secondary, wanted, depth + 1, ret_bdf))
				return true;
		}
	}
	return false;
}

bool pci_find(uint16_t vendor, uint16_t device, uint16_t *ret_bdf)
{
	return find_below(0, (uint32_t)device << 16 | vendor, 0, ret_bdf);
}

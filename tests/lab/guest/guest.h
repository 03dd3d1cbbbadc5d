/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stdint.h>

#define PAGE_SIZE_BYTES	4096u
#define PAGES_PER_MIB	256u

struct settings {
	uint32_t working_set_mib;
	uint32_t rate_mib_per_s;
	uint32_t heartbeat_ms;
};

static inline void outb(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void outw(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static inline void outl(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t inb(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline uint32_t inl(uint16_t port)
{
	uint32_t value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

/* A bijection of 32-bit words whose output looks random: neighbours in number share no bits. */
static inline uint32_t mix32(uint32_t x)
{
	x ^= x >> 16;
	x *= 0x7feb352du;
	x ^= x >> 15;
	x *= 0x846ca68bu;
	return x ^ (x >> 16);
}

/* serial.c */
void serial_init(void);
void serial_str(const char *text);
void serial_dec(uint64_t value);
void serial_hex(uint64_t value, unsigned int digits);
const char *serial_poll_line(void);

/* text.c */
uint64_t divide_u64(uint64_t dividend, uint32_t divisor);
const char *text_after(const char *text, const char *key);
bool text_number(const char *text, const char *key, uint32_t *ret);

/* cpu.c */
void cpu_init(void);
uint64_t cpu_ticks(void);
uint32_t cpu_ticks_per_ms(void);
void cpu_idle(void);
_Noreturn void cpu_halt(void);

/* pci.c */
#define PCI_COMMAND		0x04
#define PCI_COMMAND_MEMORY	0x0002u
#define PCI_BAR0		0x10

/* bdf: bus << 8 | device << 3 | function */
uint32_t pci_find(uint16_t vendor, uint16_t device, uint16_t *ret_bdfs, uint32_t max);
uint32_t pci_read32(uint16_t bdf, unsigned int offset);
void pci_write32(uint16_t bdf, unsigned int offset, uint32_t value);

/* vf.c */
void vf_init(uint32_t boot_id);
void vf_beat(void);
void vf_verify_all(void);
void vf_print_place(void);
uint64_t vf_bar_address(void);
uint32_t vf_counter(void);
uint32_t vf_bad_words(void);

/* memory.c */
void memory_init(uint32_t upper_kib, uint32_t working_set_mib, uint32_t boot_id);
void memory_resize(uint32_t working_set_mib);
void memory_touch(uint32_t pages);
uint32_t memory_verify_all(void);
uint32_t memory_working_set_pages(void);
uint64_t memory_dirtied_pages(void);
uint32_t memory_bad_pages(void);

#endif

// SPDX-License-Identifier: LGPL-2.1-or-later
/* Segments, interrupts, time: the PIT wakes the halted CPU, the time stamp counter is the clock. */
#include "guest.h"

#define PIT_HZ			1193182u
#define PIT_CHANNEL0		0x40
#define PIT_CHANNEL2		0x42
#define PIT_MODE		0x43
#define PIT_GATE		0x61
#define PIC_MASTER		0x20
#define PIC_SLAVE		0xa0
#define FIRST_IRQ_VECTOR	32
#define EXCEPTIONS		32
#define EXCEPTION_ENTRY_BYTES	16
#define WAKE_PERIOD_MS		4
#define CALIBRATION_MS		50

struct gate {
	uint16_t offset_low;
	uint16_t selector;
	uint8_t zero;
	uint8_t type;
	uint16_t offset_high;
} __attribute__((packed));

struct descriptor {
	uint16_t limit;
	uint32_t base;
} __attribute__((packed));

extern const uint8_t exception_entries[];
void irq_timer(void);
void irq_ignore(void);
void load_segments(const struct descriptor *gdtr, const struct descriptor *idtr);
_Noreturn void exception(uint32_t vector);

static uint32_t ticks_per_ms;

uint64_t cpu_ticks(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

uint32_t cpu_ticks_per_ms(void)
{
	return ticks_per_ms;
}

_Noreturn void cpu_halt(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}

_Noreturn void exception(uint32_t vector)
{
	serial_str("\nPANIC exception=");
	serial_dec(vector);
	serial_str("\n");
	cpu_halt();
}

/* Interrupts are open only here, so no other code has to expect them. */
void cpu_idle(void)
{
	__asm__ volatile("sti; hlt; cli" : : : "memory");
}

static void set_gate(struct gate *gate, uint32_t entry)
{
	*gate = (struct gate){
		.offset_low = (uint16_t)entry,
		.selector = 8,
		.type = 0x8e,
		.offset_high = (uint16_t)(entry >> 16),
	};
}

static void init_interrupts(void)
{
	static const uint64_t gdt[] = { 0, 0x00cf9a000000ffff, 0x00cf92000000ffff };
	static struct gate idt[256];
	const struct descriptor gdtr = { sizeof(gdt) - 1, (uint32_t)gdt };
	const struct descriptor idtr = { sizeof(idt) - 1, (uint32_t)idt };

	for (unsigned int i = 0; i < EXCEPTIONS; i++)
		set_gate(&idt[i], (uint32_t)exception_entries + i * EXCEPTION_ENTRY_BYTES);
	for (unsigned int i = FIRST_IRQ_VECTOR; i < 256; i++)
		set_gate(&idt[i], (uint32_t)irq_ignore);
	set_gate(&idt[FIRST_IRQ_VECTOR], (uint32_t)irq_timer);
	load_segments(&gdtr, &idtr);

	outb(PIC_MASTER, 0x11);
	outb(PIC_SLAVE, 0x11);
	outb(PIC_MASTER + 1, FIRST_IRQ_VECTOR);
	outb(PIC_SLAVE + 1, FIRST_IRQ_VECTOR + 8);
	outb(PIC_MASTER + 1, 1 << 2);	/* the slave hangs on line 2 */
	outb(PIC_SLAVE + 1, 2);
	outb(PIC_MASTER + 1, 0x01);
	outb(PIC_SLAVE + 1, 0x01);
	outb(PIC_MASTER + 1, 0xfe);	/* only the timer */
	outb(PIC_SLAVE + 1, 0xff);
}

static void start_wake_timer(void)
{
	uint32_t count = PIT_HZ * WAKE_PERIOD_MS / 1000;

	outb(PIT_MODE, 0x34);	/* channel 0, rate generator */
	outb(PIT_CHANNEL0, (uint8_t)count);
	outb(PIT_CHANNEL0, (uint8_t)(count >> 8));
}

static void calibrate(void)
{
	uint32_t count = PIT_HZ * CALIBRATION_MS / 1000;
	uint64_t start;

	outb(PIT_GATE, (uint8_t)((inb(PIT_GATE) & ~0x02) | 0x01));	/* count, stay silent */
	outb(PIT_MODE, 0xb0);	/* channel 2, one shot */
	outb(PIT_CHANNEL2, (uint8_t)count);
	outb(PIT_CHANNEL2, (uint8_t)(count >> 8));
	start = cpu_ticks();
	while (!(inb(PIT_GATE) & 0x20))
		;
	ticks_per_ms = (uint32_t)divide_u64(cpu_ticks() - start, CALIBRATION_MS);
}

void cpu_init(void)
{
	init_interrupts();
	calibrate();
	start_wake_timer();
}

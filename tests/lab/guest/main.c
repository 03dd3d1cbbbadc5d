// SPDX-License-Identifier: LGPL-2.1-or-later
/* The lab's guest: see the Makefile for its command line, its commands and the lines it prints. */
#include "guest.h"

#define MULTIBOOT_HAS_MEMORY	0x1u
#define MULTIBOOT_HAS_CMDLINE	0x4u
#define ACPI_PM1_CONTROL	0x604	/* of QEMU's q35 and pc machines */
#define ACPI_SLEEP_S5		0x2000
#define PAGES_PER_TURN		256u
#define MAX_BACKLOG_MS		100u
#define SETTING_LIMIT		65535u

struct multiboot_info {
	uint32_t flags;
	uint32_t lower_kib;
	uint32_t upper_kib;
	uint32_t boot_device;
	uint32_t command_line;
};

void guest_main(uint32_t magic, const struct multiboot_info *info);

static struct settings settings = {
	.working_set_mib = 16,
	.rate_mib_per_s = 4,
	.heartbeat_ms = 50,
};
static uint32_t boot_id;
static uint64_t start_ticks;

static void read_setting(const char *text, const char *key, uint32_t *setting)
{
	uint32_t value;

	if (text_number(text, key, &value))
		*setting = value < SETTING_LIMIT ? value : SETTING_LIMIT;
}

static void read_settings(const char *text)
{
	read_setting(text, "ws=", &settings.working_set_mib);
	read_setting(text, "rate=", &settings.rate_mib_per_s);
	read_setting(text, "hb=", &settings.heartbeat_ms);
	if (!settings.heartbeat_ms)
		settings.heartbeat_ms = 1;
}

/* Seconds of the real-time clock as well: the counter alone starts near zero in every QEMU. */
static uint32_t make_boot_id(void)
{
	uint32_t clock = 0;

	for (uint8_t reg = 0; reg <= 4; reg += 2) {
		outb(0x70, reg);
		clock = clock << 8 | inb(0x71);
	}
	return mix32((uint32_t)cpu_ticks() ^ mix32(clock));
}

static void print_field(const char *key, uint64_t value)
{
	serial_str(key);
	serial_dec(value);
}

static void print_settings(const char *event)
{
	serial_str(event);
	serial_str(" boot=");
	serial_hex(boot_id, 8);
	print_field(" pages=", memory_working_set_pages());
	print_field(" rate=", settings.rate_mib_per_s);
	print_field(" hb=", settings.heartbeat_ms);
	print_field(" khz=", cpu_ticks_per_ms());
	serial_str(" vf=");
	vf_print_place();
	serial_str(" bar0=0x");
	serial_hex(vf_bar_address(), 16);
	serial_str("\n");
}

static void beat(uint64_t number, uint64_t elapsed_ticks)
{
	vf_beat();
	print_field("HB ", number);
	serial_str(" boot=");
	serial_hex(boot_id, 8);
	print_field(" t=", divide_u64(elapsed_ticks * 1000, cpu_ticks_per_ms()));
	print_field(" dirty=", memory_dirtied_pages());
	print_field(" bad=", memory_bad_pages());
	serial_str(" vf=");
	vf_print_place();
	print_field(" vfcount=", vf_counter());
	print_field(" badvf=", vf_bad_words());
	serial_str("\n");
}

static void verify(void)
{
	uint32_t bad_pages = memory_bad_pages();
	uint32_t bad_vf_words = vf_bad_words();

	vf_verify_all();
	print_field("VERIFIED pages=", memory_verify_all());
	print_field(" bad=", memory_bad_pages() - bad_pages);
	print_field(" badvf=", vf_bad_words() - bad_vf_words);
	serial_str("\n");
}

static void obey(const char *line)
{
	if (text_after(line, "off")) {
		serial_str("OFF\n");
		outw(ACPI_PM1_CONTROL, ACPI_SLEEP_S5);
	} else if (text_after(line, "verify")) {
		verify();
	} else {
		uint32_t working_set_mib = settings.working_set_mib;

		read_settings(line);
		if (settings.working_set_mib != working_set_mib)
			memory_resize(settings.working_set_mib);
		print_settings("SET");
	}
}

/* Dirties what the time passed allows; returns true while there is more to do. */
static bool dirty_memory(uint64_t passed_ticks)
{
	static uint64_t credit;	/* ticks times MiB/s */
	uint64_t limit = (uint64_t)cpu_ticks_per_ms() * MAX_BACKLOG_MS * settings.rate_mib_per_s;
	uint64_t page_cost = divide_u64((uint64_t)cpu_ticks_per_ms() * 1000, PAGES_PER_MIB);
	uint32_t pages;

	credit += passed_ticks * settings.rate_mib_per_s;
	if (credit > limit)
		credit = limit;
	pages = (uint32_t)divide_u64(credit, (uint32_t)page_cost);
	if (pages > PAGES_PER_TURN)
		pages = PAGES_PER_TURN;
	memory_touch(pages);
	credit -= pages * page_cost;
	return credit >= page_cost;
}

static _Noreturn void run(void)
{
	uint64_t last_ticks = 0, next_beat_ticks = 0, beats = 0;

	for (;;) {
		uint64_t interval_ticks = (uint64_t)settings.heartbeat_ms * cpu_ticks_per_ms();
		uint64_t now_ticks = cpu_ticks() - start_ticks;
		bool more = dirty_memory(now_ticks - last_ticks);
		const char *line = serial_poll_line();

		last_ticks = now_ticks;
		if (line)
			obey(line);
		if (now_ticks >= next_beat_ticks) {
			beat(beats++, now_ticks);
			next_beat_ticks += interval_ticks;
			/* after a pause: no burst of missed beats */
			if (next_beat_ticks < now_ticks)
				next_beat_ticks = now_ticks + interval_ticks;
		}
		if (!more)
			cpu_idle();
	}
}

void guest_main(uint32_t magic, const struct multiboot_info *info)
{
	(void)magic;
	serial_init();
	if (info->flags & MULTIBOOT_HAS_CMDLINE)
		read_settings((const char *)info->command_line);
	cpu_init();
	boot_id = make_boot_id();
	memory_init(info->flags & MULTIBOOT_HAS_MEMORY ? info->upper_kib : 0,
		    settings.working_set_mib, boot_id);
	vf_init(boot_id);
	start_ticks = cpu_ticks();
	print_settings("READY");
	run();
}

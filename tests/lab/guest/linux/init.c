// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * First and only process of the Linux guest. It says and obeys what the bare-metal guest does (see
 * ../Makefile), but works the VF through the guest's own mlx5_core: the counter is the VF's
 * permanent MAC address, read and written by two firmware commands each beat. A beat therefore
 * shows that commands are taken, that their completions arrive as interrupts, and that the VF's
 * state is still its own. `vf=` is `none` when mlx5_core has no device.
 *
 * Besides, each fifth beat is followed by
 *	DRIVER device=PLACE netdev=NAME interrupts=N
 * and the command `reopen` closes and opens the network device, if there is one:
 *	REOPENED netdev=NAME done=0|1
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <net/if.h>

#define DRIVER_DIR		"/sys/bus/pci/drivers/mlx5_core"
#define PAGE_BYTES		4096u
#define PAGES_PER_MIB		256u
#define LINE_BYTES		64u
#define DRIVER_BEATS		5u	/* one DRIVER line for so many heartbeats */
#define KLOG_CONSOLE_LEVEL	8

/* From the driver's mlx5_ifc.h */
#define OP_QUERY_NIC_VPORT_CONTEXT	0x754u
#define OP_MODIFY_NIC_VPORT_CONTEXT	0x755u
#define QUERY_IN_BYTES			16u
#define QUERY_OUT_BYTES			0x110u
#define QUERY_OUT_MAC			(0x10u + 0xf6u)
#define MODIFY_IN_BYTES			0x200u
#define MODIFY_OUT_BYTES		16u
#define MODIFY_IN_FIELDS		15u
#define MODIFY_IN_MAC			(0x100u + 0xf6u)
#define MODIFY_PERMANENT_ADDRESS	0x08u
#define MAC_BYTES			6u

struct vf {
	char address[32];	/* empty: mlx5_core has no device */
	char netdev[IFNAMSIZ];
	uint32_t counter;
	uint32_t bad_words;
};

struct memory {
	uint8_t *base;
	uint32_t *tags;
	uint32_t capacity, pages, cursor, bad;
	uint64_t dirtied;
};

static uint32_t boot_id;
static uint32_t rate_mib_per_s = 2, heartbeat_ms = 500, working_set_mib = 8;

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* One write a line: the kernel's own messages then stay out of it. */
static void say(const char *format, ...)
{
	char line[512];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (length > 0 && write(STDOUT_FILENO, line, strnlen(line, sizeof(line))) < 0)
		_exit(1);
}

/* ---- firmware commands through the driver's debugfs ---- */

static int debug_file(const struct vf *vf, const char *name, int flags)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/kernel/debug/mlx5/%s/cmd/%s", vf->address, name);
	return open(path, flags | O_CLOEXEC);
}

static bool debug_write(const struct vf *vf, const char *name, const void *data, size_t length)
{
	int fd = debug_file(vf, name, O_WRONLY);
	bool done;

	if (fd < 0)
		return false;
	done = write(fd, data, length) == (ssize_t)length;
	close(fd);
	return done;
}

static bool command(const struct vf *vf, const uint8_t *in, size_t in_bytes, uint8_t *out,
		    size_t out_bytes)
{
	char length[8];
	int fd;
	bool done;

	snprintf(length, sizeof(length), "%zu", out_bytes);
	if (!debug_write(vf, "in", in, in_bytes) ||
	    !debug_write(vf, "out_len", length, strlen(length)) || !debug_write(vf, "run", "go", 2))
		return false;
	fd = debug_file(vf, "out", O_RDONLY);
	if (fd < 0)
		return false;
	done = read(fd, out, out_bytes) == (ssize_t)out_bytes;
	close(fd);
	return done && out[0] == 0;
}

static void mac_of_counter(uint32_t counter, uint8_t mac[MAC_BYTES])
{
	const uint8_t bytes[MAC_BYTES] = { 0x02, 0x4c, (uint8_t)(counter >> 24),
		(uint8_t)(counter >> 16), (uint8_t)(counter >> 8), (uint8_t)counter };

	memcpy(mac, bytes, MAC_BYTES);
}

static bool read_mac(const struct vf *vf, uint8_t mac[MAC_BYTES])
{
	const uint8_t in[QUERY_IN_BYTES] = { OP_QUERY_NIC_VPORT_CONTEXT >> 8,
		OP_QUERY_NIC_VPORT_CONTEXT & 0xff };
	uint8_t out[QUERY_OUT_BYTES];

	if (!command(vf, in, sizeof(in), out, sizeof(out)))
		return false;
	memcpy(mac, out + QUERY_OUT_MAC, MAC_BYTES);
	return true;
}

static bool write_mac(const struct vf *vf, const uint8_t mac[MAC_BYTES])
{
	uint8_t in[MODIFY_IN_BYTES] = { OP_MODIFY_NIC_VPORT_CONTEXT >> 8,
		OP_MODIFY_NIC_VPORT_CONTEXT & 0xff };
	uint8_t out[MODIFY_OUT_BYTES];

	in[MODIFY_IN_FIELDS] = MODIFY_PERMANENT_ADDRESS;
	memcpy(in + MODIFY_IN_MAC, mac, MAC_BYTES);
	return command(vf, in, sizeof(in), out, sizeof(out));
}

static void vf_store(struct vf *vf, uint32_t counter)
{
	uint8_t mac[MAC_BYTES];

	mac_of_counter(counter, mac);
	if (write_mac(vf, mac))
		vf->counter = counter;
	else
		vf->bad_words++;
}

static bool vf_intact(const struct vf *vf)
{
	uint8_t mac[MAC_BYTES] = { 0 }, expected[MAC_BYTES];

	mac_of_counter(vf->counter, expected);
	return read_mac(vf, mac) && !memcmp(mac, expected, MAC_BYTES);
}

static void vf_beat(struct vf *vf)
{
	if (!vf->address[0])
		return;
	if (!vf_intact(vf))
		vf->bad_words++;
	vf_store(vf, vf->counter + 1);
}

/* ---- the driver's view ---- */

static void first_entry(const char *path, const char *prefix, char *name, size_t size)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	name[0] = '\0';
	if (!dir)
		return;
	while (!name[0] && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && !strncmp(entry->d_name, prefix, strlen(prefix)) &&
		    strlen(entry->d_name) < size)
			memcpy(name, entry->d_name, strlen(entry->d_name) + 1);
	closedir(dir);
}

static bool link_set(const char *netdev, bool up)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { .ifr_flags = up ? IFF_UP : 0 };
	bool done;

	if (fd < 0)
		return false;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", netdev);
	done = !ioctl(fd, SIOCSIFFLAGS, &request);
	close(fd);
	return done;
}

static uint64_t driver_interrupts(void)
{
	FILE *table = fopen("/proc/interrupts", "re");
	uint64_t total = 0;
	char line[256];

	while (table && fgets(line, sizeof(line), table)) {
		char *count = strchr(line, ':');

		if (count && strstr(line, "mlx5"))
			total += strtoull(count + 1, NULL, 10);
	}
	if (table)
		fclose(table);
	return total;
}

static void say_driver(const struct vf *vf)
{
	say("DRIVER device=%s netdev=%s interrupts=%llu\n", vf->address[0] ? vf->address : "none",
	    vf->netdev[0] ? vf->netdev : "none", (unsigned long long)driver_interrupts());
}

static void vf_init(struct vf *vf)
{
	char path[128];

	first_entry(DRIVER_DIR, "0000:", vf->address, sizeof(vf->address));
	if (!vf->address[0])
		return;
	snprintf(path, sizeof(path), DRIVER_DIR "/%s/net", vf->address);
	first_entry(path, "", vf->netdev, sizeof(vf->netdev));
	if (vf->netdev[0] && !link_set(vf->netdev, true))
		say("DRIVER %s does not open: %s\n", vf->netdev, strerror(errno));
	vf_store(vf, 0);
}

/* ---- main memory: see ../memory.c ---- */

static volatile uint32_t *mark_at(const struct memory *memory, uint32_t index, uint32_t at)
{
	return (volatile uint32_t *)(memory->base + (size_t)index * PAGE_BYTES + at);
}

static void mark(struct memory *memory, uint32_t index, uint32_t tag)
{
	for (uint32_t at = 0; at < PAGE_BYTES; at += LINE_BYTES)
		*mark_at(memory, index, at) = tag ^ at * 0x9e3779b1u;
	memory->tags[index] = tag;
}

static bool intact(const struct memory *memory, uint32_t index)
{
	for (uint32_t at = 0; at < PAGE_BYTES; at += LINE_BYTES)
		if (*mark_at(memory, index, at) != (memory->tags[index] ^ at * 0x9e3779b1u))
			return false;
	return true;
}

static bool memory_init(struct memory *memory)
{
	memory->capacity = working_set_mib * PAGES_PER_MIB;
	memory->pages = memory->capacity;
	memory->tags = calloc(memory->capacity, sizeof(*memory->tags));
	memory->base = mmap(NULL, (size_t)memory->capacity * PAGE_BYTES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (!memory->tags || memory->base == MAP_FAILED)
		return false;
	for (uint32_t i = 0; i < memory->capacity; i++)
		mark(memory, i, boot_id + i);
	return true;
}

static void memory_touch(struct memory *memory, uint64_t pages)
{
	for (; pages && memory->pages; pages--) {
		if (!intact(memory, memory->cursor))
			memory->bad++;
		memory->dirtied++;
		mark(memory, memory->cursor, (uint32_t)memory->dirtied * 2654435761u);
		memory->cursor = (memory->cursor + 1) % memory->pages;
	}
}

static void verify(struct vf *vf, struct memory *memory)
{
	uint32_t bad = 0, bad_vf = vf->address[0] && !vf_intact(vf);

	for (uint32_t i = 0; i < memory->capacity; i++)
		bad += !intact(memory, i);
	say("VERIFIED pages=%u bad=%u badvf=%u\n", memory->capacity, bad, bad_vf);
}

/* ---- life ---- */

static void say_settings(const char *event, const struct vf *vf, const struct memory *memory)
{
	say("%s boot=%08x pages=%u rate=%u hb=%u khz=0 vf=%s bar0=0x0000000000000000\n", event,
	    boot_id, memory->pages, rate_mib_per_s, heartbeat_ms,
	    vf->address[0] ? vf->address : "none");
}

static void beat(struct vf *vf, const struct memory *memory, uint64_t number)
{
	vf_beat(vf);
	say("HB %llu boot=%08x t=%llu dirty=%llu bad=%u vf=%s vfcount=%u badvf=%u\n",
	    (unsigned long long)number, boot_id, (unsigned long long)now_us(),
	    (unsigned long long)memory->dirtied, memory->bad, vf->address[0] ? vf->address : "none",
	    vf->counter, vf->bad_words);
	if (number % DRIVER_BEATS == 0)
		say_driver(vf);
}

/* Has the driver destroy and make all its queues, some fifty commands. */
static void reopen(const struct vf *vf)
{
	bool done = vf->netdev[0] && link_set(vf->netdev, false) && link_set(vf->netdev, true);

	say("REOPENED netdev=%s done=%d\n", vf->netdev[0] ? vf->netdev : "none", done);
	say_driver(vf);
}

static void set_number(const char *text, const char *key, uint32_t *setting)
{
	const char *value = text ? strstr(text, key) : NULL;

	if (value)
		*setting = (uint32_t)strtoul(value + strlen(key), NULL, 10);
}

static void obey(struct vf *vf, struct memory *memory)
{
	char line[128];
	ssize_t length = read(STDIN_FILENO, line, sizeof(line) - 1);

	if (length <= 0)
		return;
	line[length] = '\0';
	if (strstr(line, "off")) {
		say("OFF\n");
		reboot(RB_AUTOBOOT);	/* without ACPI: QEMU runs with -no-reboot */
	} else if (strstr(line, "verify")) {
		verify(vf, memory);
	} else if (strstr(line, "reopen")) {
		reopen(vf);
	} else {
		set_number(line, "rate=", &rate_mib_per_s);
		set_number(line, "hb=", &heartbeat_ms);
		set_number(line, "ws=", &working_set_mib);
		if (working_set_mib * PAGES_PER_MIB <= memory->capacity)
			memory->pages = working_set_mib * PAGES_PER_MIB;
		memory->cursor = 0;
		say_settings("SET", vf, memory);
	}
}

/* Our lines must not be cut: no kernel messages between them, no echo of what comes in. */
static void quieten_console(void)
{
	struct termios mode;

	klogctl(KLOG_CONSOLE_LEVEL, NULL, 1);
	if (tcgetattr(STDIN_FILENO, &mode))
		return;
	mode.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(STDIN_FILENO, TCSANOW, &mode);
}

static void mount_all(void)
{
	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	if (mount("proc", "/proc", "proc", 0, NULL) || mount("sysfs", "/sys", "sysfs", 0, NULL) ||
	    mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL))
		say("PANIC mount: %s\n", strerror(errno));
}

int main(void)
{
	uint64_t beats = 0, next_beat_us, touched_us;
	struct memory memory = { 0 };
	struct vf vf = { 0 };

	mount_all();
	quieten_console();
	if (getrandom(&boot_id, sizeof(boot_id), GRND_INSECURE) != sizeof(boot_id))
		boot_id = (uint32_t)now_us();
	/* the kernel hands over as environment what it does not know on its command line */
	set_number(getenv("ws"), "", &working_set_mib);
	set_number(getenv("rate"), "", &rate_mib_per_s);
	set_number(getenv("hb"), "", &heartbeat_ms);
	vf_init(&vf);
	if (!memory_init(&memory)) {
		say("PANIC no memory for ws=%u\n", working_set_mib);
		pause();
	}
	say_settings("READY", &vf, &memory);
	touched_us = next_beat_us = now_us();
	for (;;) {
		struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
		uint64_t now = now_us(), pages;

		pages = (now - touched_us) * rate_mib_per_s * PAGES_PER_MIB / 1000000;
		if (pages) {
			memory_touch(&memory, pages < PAGES_PER_MIB ? pages : PAGES_PER_MIB);
			touched_us = now;
		}
		if (now >= next_beat_us) {
			beat(&vf, &memory, beats++);
			next_beat_us = now + (uint64_t)heartbeat_ms * 1000;
		}
		if (poll(&input, 1, 20) > 0)
			obey(&vf, &memory);
	}
}

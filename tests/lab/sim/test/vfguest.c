// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfguest SRC DST: does a VF that is driven by a guest survive migration from SRC to DST?
 *
 * The program plays both hypervisors and the guest's driver. The driver brings up the command
 * interface of the VF: queue, mailboxes, an event queue with an interrupt. Then the VF is suspended
 * with a command in flight, its state and the memory are carried over, and the driver goes on at
 * the destination. Both VFs are migratable and on mlx5_vfio_pci; module parameter dirty_pages=0.
 * Build: gcc -static -D__user= -I<folder with linux/vfio.h of Linux 6.12> vfguest.c
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/vfio.h>

#define IOVA		0x10000000ULL
#define MEMORY		0x20000
#define AT_QUEUE	0x0000
#define AT_EQ		0x1000
#define AT_IN		0x2000
#define AT_OUT		0x10000
#define BLOCK		512
#define BLOCK_STRIDE	1024
#define VECTOR		1
#define LOG_EQ_SIZE	5
#define OWNER_HW	1

#define OP_QUERY_HCA_CAP	0x100
#define OP_INIT_HCA		0x102
#define OP_ENABLE_HCA		0x104
#define OP_QUERY_ISSI		0x10a
#define OP_CREATE_EQ		0x301
#define OP_DESTROY_EQ		0x302
#define OP_ALLOC_UAR		0x802

struct layout {
	uint8_t type, reserved0[3];
	uint32_t in_len;
	uint64_t in_ptr;
	uint8_t in[16], out[16];
	uint64_t out_ptr;
	uint32_t out_len;
	uint8_t token, sig, reserved1, status_own;
};

struct vm {
	int container, device, event_fd;
	uint8_t *memory;
	volatile uint8_t *bar;
};

static void die(const char *what)
{
	fprintf(stderr, "FAIL: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void check(bool right, const char *what)
{
	printf("%s %s\n", right ? "ok  " : "FAIL", what);
	if (!right)
		exit(1);
}

static int open_group(const char *bdf)
{
	char path[PATH_MAX], link[PATH_MAX] = "";
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", bdf);
	if (readlink(path, link, sizeof(link) - 1) < 0)
		die(path);
	snprintf(path, sizeof(path), "/dev/vfio/%s", strrchr(link, '/') + 1);
	fd = open(path, O_RDWR);
	if (fd < 0)
		die(path);
	return fd;
}

static struct vfio_region_info region(const struct vm *vm, uint32_t index)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = index };

	if (ioctl(vm->device, VFIO_DEVICE_GET_REGION_INFO, &info))
		die("region info");
	return info;
}

static void set_interrupts(struct vm *vm)
{
	char space[sizeof(struct vfio_irq_set) + (VECTOR + 1) * sizeof(int32_t)] = {};
	struct vfio_irq_set *set = (struct vfio_irq_set *)space;
	int32_t *fds = (int32_t *)set->data;
	int i;

	vm->event_fd = eventfd(0, EFD_NONBLOCK);
	if (vm->event_fd < 0)
		die("eventfd");
	for (i = 0; i < VECTOR; i++)
		fds[i] = -1;
	fds[VECTOR] = vm->event_fd;
	set->argsz = sizeof(space);
	set->flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
	set->index = VFIO_PCI_MSIX_IRQ_INDEX;
	set->count = VECTOR + 1;
	if (ioctl(vm->device, VFIO_DEVICE_SET_IRQS, set))
		die("set irqs");
}

static void open_vm(struct vm *vm, const char *bdf)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map), .flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.iova = IOVA, .size = MEMORY,
	};
	int group = open_group(bdf);
	struct vfio_region_info info;
	uint16_t command = 6;	/* memory, bus master */

	vm->container = open("/dev/vfio/vfio", O_RDWR);
	if (vm->container < 0 || ioctl(group, VFIO_GROUP_SET_CONTAINER, &vm->container) ||
	    ioctl(vm->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		die("container");
	vm->memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (vm->memory == MAP_FAILED)
		die("memory");
	map.vaddr = (uintptr_t)vm->memory;
	if (ioctl(vm->container, VFIO_IOMMU_MAP_DMA, &map))
		die("map memory");
	vm->device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, bdf);
	if (vm->device < 0)
		die("device");
	info = region(vm, VFIO_PCI_CONFIG_REGION_INDEX);
	if (pwrite(vm->device, &command, 2, info.offset + 4) != 2)
		die("config space");
	info = region(vm, VFIO_PCI_BAR0_REGION_INDEX);
	vm->bar = mmap(NULL, info.size, PROT_READ | PROT_WRITE, MAP_SHARED, vm->device,
		       info.offset);
	if (vm->bar == MAP_FAILED)
		die("BAR 0");
	set_interrupts(vm);
}

static int feature(struct vm *vm, uint32_t flags, void *data, size_t size)
{
	char space[sizeof(struct vfio_device_feature) + 64] = {};
	struct vfio_device_feature *f = (struct vfio_device_feature *)space;
	int ret;

	f->argsz = sizeof(*f) + size;
	f->flags = flags;
	memcpy(f->data, data, size);
	ret = ioctl(vm->device, VFIO_DEVICE_FEATURE, f);
	memcpy(data, f->data, size);
	return ret;
}

static int set_state(struct vm *vm, uint32_t state)
{
	struct vfio_device_feature_mig_state arg = { .device_state = state, .data_fd = -1 };

	if (feature(vm, VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE,
		    &arg, sizeof(arg)))
		die("device state");
	return arg.data_fd;
}

static void register_write(struct vm *vm, uint32_t offset, uint32_t value)
{
	*(volatile uint32_t *)(vm->bar + offset) = htobe32(value);
}

static void put16(uint8_t *at, uint16_t value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static void put64(uint8_t *at, uint64_t value)
{
	value = htobe64(value);
	memcpy(at, &value, sizeof(value));
}

static void build_chain(struct vm *vm, uint32_t at, const uint8_t *data, uint32_t len)
{
	uint32_t done, part;

	for (done = 0; done < len; done += BLOCK, at += BLOCK_STRIDE) {
		part = len - done < BLOCK ? len - done : BLOCK;
		memset(vm->memory + at, 0, BLOCK_STRIDE);
		if (data)
			memcpy(vm->memory + at, data + done, part);
		put64(vm->memory + at + 560, IOVA + at + BLOCK_STRIDE);
	}
}

/* Put a command into slot 0 and ring. */
static void submit(struct vm *vm, const uint8_t *in, uint32_t in_len, uint32_t out_len)
{
	volatile struct layout *l = (struct layout *)(vm->memory + AT_QUEUE);
	struct layout filled = {
		.type = 7, .in_len = htobe32(in_len), .out_len = htobe32(out_len),
		.in_ptr = htobe64(IOVA + AT_IN), .out_ptr = htobe64(IOVA + AT_OUT),
	};

	memcpy(filled.in, in, 16);
	if (in_len > 16)
		build_chain(vm, AT_IN, in + 16, in_len - 16);
	if (out_len > 16)
		build_chain(vm, AT_OUT, NULL, out_len - 16);
	memcpy((void *)l, &filled, sizeof(filled));
	__sync_synchronize();
	l->status_own = OWNER_HW;
	__sync_synchronize();
	register_write(vm, 0x18, 1);
}

static bool finished(struct vm *vm, int timeout_ms)
{
	volatile struct layout *l = (struct layout *)(vm->memory + AT_QUEUE);

	for (; l->status_own & OWNER_HW; timeout_ms--) {
		if (timeout_ms <= 0)
			return false;
		usleep(1000);
	}
	__sync_synchronize();
	return true;
}

static uint8_t *execute(struct vm *vm, const uint8_t *in, uint32_t in_len, uint32_t out_len)
{
	struct layout *l = (struct layout *)(vm->memory + AT_QUEUE);

	submit(vm, in, in_len, out_len);
	if (!finished(vm, 20000) || l->status_own || l->out[0]) {
		fprintf(stderr, "FAIL: command %#x: own %#x status %#x\n", in[0] << 8 | in[1],
			l->status_own, l->out[0]);
		exit(1);
	}
	return l->out;
}

static uint8_t *simple(struct vm *vm, uint16_t op)
{
	uint8_t in[16] = {};

	put16(in, op);
	return execute(vm, in, sizeof(in), 16);
}

static bool interrupted(struct vm *vm)
{
	struct pollfd p = { .fd = vm->event_fd, .events = POLLIN };
	uint64_t count;

	return poll(&p, 1, 20000) == 1 &&
	       read(vm->event_fd, &count, sizeof(count)) == sizeof(count);
}

static bool event_is(struct vm *vm, int index)
{
	uint8_t *eqe = vm->memory + AT_EQ + (index & ((1 << LOG_EQ_SIZE) - 1)) * 64;

	return eqe[1] == 0x0a && eqe[35] == 1 && (eqe[63] & 1) == (index >> LOG_EQ_SIZE & 1);
}

static void bring_up(struct vm *vm)
{
	uint8_t in[280] = {};
	int i;

	check((be32toh(*(volatile uint32_t *)(vm->bar + 0x14)) & 0xff) == 0x56, "queue geometry");
	register_write(vm, 0x10, IOVA >> 32);
	register_write(vm, 0x14, (uint32_t)(IOVA + AT_QUEUE));
	put16(in, OP_QUERY_ISSI);
	execute(vm, in, 16, 112);
	check(vm->memory[AT_OUT + 108 + 3 - 16] == 3, "QUERY_ISSI through a mailbox");
	simple(vm, OP_ENABLE_HCA);
	put16(in, OP_QUERY_HCA_CAP);
	in[7] = 1;
	execute(vm, in, 16, 16 + 4096);
	check(vm->memory[AT_OUT + 6] || vm->memory[AT_OUT + 7], "capabilities name a vhca_id");
	simple(vm, OP_INIT_HCA);
	check(simple(vm, OP_ALLOC_UAR)[11] == 0x10, "first UAR");

	for (i = 0; i < 1 << LOG_EQ_SIZE; i++)
		vm->memory[AT_EQ + i * 64 + 63] = 1;	/* as a driver does: owned by hardware */
	memset(in, 0, sizeof(in));
	put16(in, OP_CREATE_EQ);
	in[16 + 12] = LOG_EQ_SIZE;
	in[16 + 23] = VECTOR;
	put64(in + 88, 1 << 0xa);
	put64(in + 272, IOVA + AT_EQ);
	check(execute(vm, in, sizeof(in), 16)[11] == 1, "event queue");
	simple(vm, OP_ALLOC_UAR);
	check(interrupted(vm) && event_is(vm, 0), "event and interrupt of a finished command");
}

static void tracking(struct vm *vm, bool start)
{
	struct vfio_device_feature_dma_logging_range range = { .iova = IOVA, .length = MEMORY };
	struct vfio_device_feature_dma_logging_control control = {
		.page_size = 4096, .num_ranges = 1, .ranges = (uintptr_t)&range,
	};

	if (!start)
		memset(&control, 0, sizeof(control));
	if (feature(vm, VFIO_DEVICE_FEATURE_SET | (start ? VFIO_DEVICE_FEATURE_DMA_LOGGING_START :
		    VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP), &control, start ? sizeof(control) : 0))
		die("dma logging");
}

static uint64_t dirty_pages(struct vm *vm)
{
	uint64_t bitmap[1] = {};
	struct vfio_device_feature_dma_logging_report report = {
		.iova = IOVA, .length = MEMORY, .page_size = 4096, .bitmap = (uintptr_t)bitmap,
	};

	if (feature(vm, VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT,
		    &report, sizeof(report)))
		die("dirty pages");
	return bitmap[0];
}

static size_t carry(int from, int to)
{
	static char buf[1 << 20];
	size_t total = 0;
	ssize_t n;

	while ((n = read(from, buf, sizeof(buf))) > 0) {
		if (write(to, buf, n) != n)
			die("write state");
		total += n;
	}
	if (n < 0 && errno != ENOMSG)
		die("read state");
	return total;
}

static void migrate(struct vm *src, struct vm *dst)
{
	uint64_t queue_and_eq = 1 << (AT_QUEUE >> 12) | 1 << (AT_EQ >> 12);
	uint8_t in[16] = {};
	int from, to;

	tracking(src, true);
	check(!(dirty_pages(src) & queue_and_eq), "nothing dirty at first (needs dirty_pages=0)");
	from = set_state(src, VFIO_DEVICE_STATE_PRE_COPY);
	to = set_state(dst, VFIO_DEVICE_STATE_RESUMING);
	carry(from, to);
	check(simple(src, OP_ALLOC_UAR)[11] == 0x12, "the VF works during pre-copy");
	check(interrupted(src), "interrupt during pre-copy");
	check((dirty_pages(src) & queue_and_eq) == queue_and_eq, "its writes are dirty pages");
	check(!(dirty_pages(src) & queue_and_eq), "and are told once");

	set_state(src, VFIO_DEVICE_STATE_PRE_COPY_P2P);
	put16(in, OP_ALLOC_UAR);
	submit(src, in, sizeof(in), 16);
	check(!finished(src, 300), "a suspended VF does not take commands");
	set_state(src, VFIO_DEVICE_STATE_STOP_COPY);
	printf("     carried %zu bytes\n", carry(from, to));
	memcpy(dst->memory, src->memory, MEMORY);
	tracking(src, false);
	set_state(dst, VFIO_DEVICE_STATE_RUNNING);
}

int main(int argc, char **argv)
{
	struct vm src, dst;
	uint8_t in[16] = {};
	struct layout *l;

	if (argc != 3) {
		fprintf(stderr, "usage: vfguest SRC DST\n");
		return 3;
	}
	open_vm(&src, argv[1]);
	open_vm(&dst, argv[2]);
	memset((void *)(src.bar + 0x4000), 0x5a, 4096);
	bring_up(&src);
	migrate(&src, &dst);

	l = (struct layout *)(dst.memory + AT_QUEUE);
	check(finished(&dst, 20000) && !l->status_own && !l->out[0] && l->out[11] == 0x13,
	      "the command in flight is finished at the destination");
	check(interrupted(&dst) && event_is(&dst, 2), "with its event and interrupt");
	check(dst.bar[0x4000] == 0x5a && dst.bar[0x4fff] == 0x5a, "scratch page");
	check(simple(&dst, OP_ALLOC_UAR)[11] == 0x14, "the next command works");
	check(interrupted(&dst) && event_is(&dst, 3), "with its event and interrupt");
	put16(in, OP_DESTROY_EQ);
	in[11] = 1;
	execute(&dst, in, sizeof(in), 16);
	check(true, "event queue destroyed");
	return 0;
}

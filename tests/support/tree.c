// SPDX-License-Identifier: LGPL-2.1-or-later
#include "support/tree.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/kmod_index.h"

#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			perror(#condition);                                                        \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

struct tree {
	char path[64];
	char text[4096];
};

struct tree *tree_new(void)
{
	struct tree *tree = calloc(1, sizeof(*tree));

	MUST(tree);
	strcpy(tree->path, "/tmp/mlx5lm-tree-XXXXXX");
	MUST(mkdtemp(tree->path));
	return tree;
}

const char *tree_path(const struct tree *tree)
{
	return tree->path;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void tree_free(struct tree *tree)
{
	if (!tree)
		return;
	nftw(tree->path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	free(tree);
}

/* The path of something in the tree; its parent directories exist afterwards. */
#define MAKE_PATH(tree, path, format)                                                              \
	do {                                                                                       \
		va_list args_;                                                                     \
		va_start(args_, format);                                                           \
		make_path((tree), (path), (format), args_);                                        \
		va_end(args_);                                                                     \
	} while (0)

static void make_path(const struct tree *tree, char path[static PATH_MAX], const char *format,
		      va_list args) __attribute__((__format__(__printf__, 3, 0)));

static void make_path(const struct tree *tree, char path[static PATH_MAX], const char *format,
		      va_list args)
{
	int start = snprintf(path, PATH_MAX, "%s/", tree->path);

	MUST(vsnprintf(path + start, (size_t)(PATH_MAX - start), format, args) < PATH_MAX - start);
	for (char *c = path + start; *c; c++) {
		if (*c != '/')
			continue;
		*c = '\0';
		mkdir(path, 0755);
		*c = '/';
	}
}

static void write_file(const char *path, const void *data, size_t length)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	MUST(fd >= 0);
	MUST(write(fd, data, length) == (ssize_t)length);
	MUST(close(fd) == 0);
}

void tree_write(struct tree *tree, const char *text, const char *format, ...)
{
	char path[PATH_MAX];

	MAKE_PATH(tree, path, format);
	write_file(path, text, strlen(text));
}

void tree_write_bytes(struct tree *tree, const void *data, size_t length, const char *format, ...)
{
	char path[PATH_MAX];

	MAKE_PATH(tree, path, format);
	write_file(path, data, length);
}

void tree_link(struct tree *tree, const char *target, const char *format, ...)
{
	char path[PATH_MAX];

	MAKE_PATH(tree, path, format);
	unlink(path);
	MUST(symlink(target, path) == 0);
}

void tree_make_dir(struct tree *tree, const char *format, ...)
{
	char path[PATH_MAX];

	MAKE_PATH(tree, path, format);
	mkdir(path, 0755);
	MUST(access(path, F_OK) == 0);
}

void tree_make_fifo(struct tree *tree, const char *format, ...)
{
	char path[PATH_MAX];

	MAKE_PATH(tree, path, format);
	unlink(path);
	MUST(mkfifo(path, 0600) == 0);
}

void tree_remove(struct tree *tree, const char *format, ...)
{
	char path[PATH_MAX];

	MAKE_PATH(tree, path, format);
	MUST(nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) == 0);
}

const char *tree_read(struct tree *tree, const char *format, ...)
{
	char path[PATH_MAX];
	size_t length;
	FILE *file;

	MAKE_PATH(tree, path, format);
	file = fopen(path, "re");
	MUST(file);
	length = fread(tree->text, 1, sizeof(tree->text) - 1, file);
	fclose(file);
	tree->text[length] = '\0';
	tree->text[strcspn(tree->text, "\n")] = '\0';
	return tree->text;
}

void tree_add_host(struct tree *tree, bool native)
{
	static const char meminfo[] = "MemTotal:       16777216 kB\n"
				      "MemFree:         8388608 kB\n"
				      "HugePages_Total:    1024\n"
				      "HugePages_Free:      512\n"
				      "HugePages_Rsvd:        0\n"
				      "Hugepagesize:       2048 kB\n";
	static const char config[] = "# Linux/x86 6.12.95 Kernel Configuration\n"
				     "CONFIG_MODULES=y\n"
				     "CONFIG_PCI_IOV=y\n"
				     "CONFIG_NET_DEVLINK=y\n"
				     "CONFIG_MLX5_CORE=m\n"
				     "CONFIG_VFIO=m\n"
				     "CONFIG_VFIO_PCI=m\n"
				     "CONFIG_MLX5_VFIO_PCI=m\n"
				     "# CONFIG_VFIO_DEBUGFS is not set\n";
	char boot_id[64] = TREE_BOOT_ID "\n";

	if (native) {
		FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

		MUST(file && fgets(boot_id, sizeof(boot_id), file));
		fclose(file);
	}
	tree_write(tree, boot_id, "proc/sys/kernel/random/boot_id");
	tree_write(tree, TREE_RELEASE "\n", "proc/sys/kernel/osrelease");
	tree_write(tree, "host-a\n", "proc/sys/kernel/hostname");
	tree_write(tree, "x86_64\n", "proc/sys/kernel/arch");
	tree_write(tree, "0\n", "proc/sys/kernel/tainted");
	tree_write(tree, "0\n", "proc/sys/kernel/modules_disabled");
	tree_write(tree, "BOOT_IMAGE=/vmlinuz root=/dev/sda1 ro quiet intel_iommu=on iommu=pt\n",
		   "proc/cmdline");
	tree_write(tree, meminfo, "proc/meminfo");
	tree_write(tree, config, "boot/config-" TREE_RELEASE);
	tree_write(tree, "[none] integrity confidentiality\n", "sys/kernel/security/lockdown");
	tree_write(tree, "lockdown,capability,yama", "sys/kernel/security/lsm");
	tree_make_dir(tree, "sys/class/iommu/dmar0");
	tree_make_dir(tree, "sys/kernel/iommu_groups/1");
	tree_make_dir(tree, "sys/bus/pci/devices");
	tree_write(tree, "", "sys/bus/pci/drivers_probe");
}

void tree_add_loaded_module(struct tree *tree, const char *name, const char *srcversion)
{
	tree_write(tree, "live\n", "sys/module/%s/initstate", name);
	if (srcversion)
		tree_write(tree, srcversion, "sys/module/%s/srcversion", name);
}

static void write_index(struct tree *tree, const char *const *names, const char *end,
			const char *file)
{
	char text[8192] = "";
	size_t length = 0;

	for (size_t i = 0; names[i]; i++) {
		length += (size_t)snprintf(text + length, sizeof(text) - length, "kernel/%s.ko%s\n",
					   names[i], end);
		MUST(length < sizeof(text));
	}
	tree_write(tree, text, "lib/modules/" TREE_RELEASE "/%s", file);
}

void tree_add_module_dir(struct tree *tree, const char *const *names, const char *const *builtin)
{
	static uint8_t index[65536];

	write_index(tree, names, ":", "modules.dep");
	write_index(tree, builtin, "", "modules.builtin");
	tree_write_bytes(tree, index, kmod_index(index, sizeof(index), names, "kernel/%s.ko:"),
			 "lib/modules/" TREE_RELEASE "/modules.dep.bin");
}

void tree_add_module_aliases(struct tree *tree, const char *const *patterns,
			     const char *const *modules)
{
	char text[8192];
	size_t length = 0;

	text[0] = '\0';
	for (size_t i = 0; patterns[i]; i++) {
		length += (size_t)snprintf(text + length, sizeof(text) - length, "alias %s %s\n",
					   patterns[i], modules[i]);
		MUST(length < sizeof(text));
	}
	tree_write(tree, text, "lib/modules/" TREE_RELEASE "/modules.alias");
}

static unsigned int routing_id(const char *bdf)
{
	unsigned int bus, device, function;

	MUST(sscanf(bdf, "%*x:%x:%x.%x", &bus, &device, &function) == 3);
	return bus << 8 | device << 3 | function;
}

void tree_vf_bdf(const struct tree_pf *pf, unsigned int index, char text[static 13])
{
	unsigned int id = routing_id(pf->bdf) + (pf->first_offset ? pf->first_offset : 2) + index;

	snprintf(text, 13, "%.4s:%02x:%02x.%x", pf->bdf, id >> 8 & 0xff, id >> 3 & 0x1f, id & 7);
}

#define FUNCTION "sys/devices/pci0000:00/%s/"

/* What a function of either kind has. */
static void add_function(struct tree *tree, const char *bdf, unsigned int device_id,
			 const char *driver)
{
	char target[128];

	snprintf(target, sizeof(target), "../../../devices/pci0000:00/%s", bdf);
	tree_link(tree, target, "sys/bus/pci/devices/%s", bdf);
	snprintf(target, sizeof(target), "0x%04x\n", device_id);
	tree_write(tree, target, FUNCTION "device", bdf);
	tree_write(tree, "0x15b3\n", FUNCTION "vendor", bdf);
	tree_write(tree, "0x020000\n", FUNCTION "class", bdf);
	tree_write(tree, "(null)\n", FUNCTION "driver_override", bdf);
	snprintf(target, sizeof(target), "pci:v000015B3d%08Xsv000015B3sd00000040bc02sc00i00\n",
		 device_id);
	tree_write(tree, target, FUNCTION "modalias", bdf);
	if (!driver)
		return;
	snprintf(target, sizeof(target), "../../../bus/pci/drivers/%s", driver);
	tree_link(tree, target, FUNCTION "driver", bdf);
	tree_write(tree, "", "sys/bus/pci/drivers/%s/bind", driver);
	tree_write(tree, "", "sys/bus/pci/drivers/%s/unbind", driver);
}

static void add_vf(struct tree *tree, const struct tree_pf *pf, unsigned int index)
{
	/* A power management capability first, then MSI-X with 64 entries. */
	uint8_t config[256] = { [0x34] = 0x40, [0x40] = 0x01, [0x41] = 0x60, [0x60] = 0x11,
				[0x61] = 0x00, [0x62] = 63,   [0x63] = 0x80 };
	char bdf[13], target[128];

	tree_vf_bdf(pf, index, bdf);
	add_function(tree, bdf, 0x101e, pf->vf_driver);
	snprintf(target, sizeof(target), "../%s", bdf);
	tree_link(tree, target, FUNCTION "virtfn%u", pf->bdf, index);
	snprintf(target, sizeof(target), "../%s", pf->bdf);
	tree_link(tree, target, FUNCTION "physfn", bdf);
	snprintf(target, sizeof(target), "../../../kernel/iommu_groups/%u", 100 + index);
	tree_link(tree, target, FUNCTION "iommu_group", bdf);
	tree_write_bytes(tree, config, sizeof(config), FUNCTION "config", bdf);
}

static void add_vpd(struct tree *tree, const struct tree_pf *pf)
{
	size_t length = strlen(pf->serial_number);
	uint8_t vpd[256];
	size_t at;

	MUST(length < 100);
	at = (size_t)sprintf((char *)vpd, "\x82\x04%cCX-7", '\0');
	vpd[at++] = 0x90;
	vpd[at++] = (uint8_t)(6 + 3 + length);
	vpd[at++] = 0;
	at += (size_t)sprintf((char *)vpd + at, "PN%cMCX", 3);
	at += (size_t)sprintf((char *)vpd + at, "SN%c%s", (char)length, pf->serial_number);
	vpd[at++] = 0x78;
	tree_write_bytes(tree, vpd, at, FUNCTION "vpd", pf->bdf);
}

static void write_number(struct tree *tree, const char *bdf, const char *name, unsigned int value)
{
	char text[16];

	snprintf(text, sizeof(text), "%u\n", value);
	tree_write(tree, text, FUNCTION "%s", bdf, name);
}

void tree_add_pf(struct tree *tree, const struct tree_pf *pf)
{
	add_function(tree, pf->bdf, pf->device_id, "mlx5_core");
	tree_write(tree, "0x15b3\n", FUNCTION "subsystem_vendor", pf->bdf);
	tree_write(tree, "0x0040\n", FUNCTION "subsystem_device", pf->bdf);
	tree_write(tree, "0x01\n", FUNCTION "revision", pf->bdf);
	tree_write(tree, "-1\n", FUNCTION "numa_node", pf->bdf);
	tree_write(tree, "", FUNCTION "net/eth0/ifindex", pf->bdf);
	tree_write(tree, "", FUNCTION "rescan", pf->bdf);
	if (pf->serial_number)
		add_vpd(tree, pf);
	if (!pf->total_vfs)
		return;
	write_number(tree, pf->bdf, "sriov_totalvfs", pf->total_vfs);
	write_number(tree, pf->bdf, "sriov_numvfs", pf->num_vfs);
	write_number(tree, pf->bdf, "sriov_offset", pf->first_offset ? pf->first_offset : 2);
	write_number(tree, pf->bdf, "sriov_stride", 1);
	tree_write(tree, "101e\n", FUNCTION "sriov_vf_device", pf->bdf);
	tree_write(tree, "1\n", FUNCTION "sriov_drivers_autoprobe", pf->bdf);
	for (unsigned int i = 0; i < pf->num_vfs; i++)
		add_vf(tree, pf, i);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/kernel.h"

#include <errno.h>
#include <sys/utsname.h>

#include "base/cleanup.h"
#include "sys/cmdline.h"
#include "sys/kernel_config.h"
#include "sys/memory.h"
#include "sys/sysfs.h"
#include "sys/text_file.h"

#define CMDLINE "proc/cmdline"
#define CMDLINE_MAX_BYTES (64 * 1024)

/* Notes that a fact could not be read. */
static int note(struct mlx5lm_host *host, const char *fact, const char *what, const char *name,
		int r)
{
	return host_add_note(host, "host", fact, "%s is not known: %s: %s", what, name,
			     strerror(-r));
}

/* Reads a fact, and notes why if it cannot be read. */
static int read_fact(struct mlx5lm_host *host, int dir_fd, const char *name, const char *fact,
		     const char *what, char **ret)
{
	int r = dir_fd < 0 ? dir_fd : sysfs_read_str(dir_fd, name, ret);

	if (r == -ENOMEM)
		return r;
	return r < 0 ? note(host, fact, what, name, r) : 0;
}

static int probe_architecture(const struct root *root, struct mlx5lm_host *host, int dir_fd)
{
	struct utsname name;
	int r;

	/* Linux 6.1; the only source for another machine, and not bent by a personality. */
	r = dir_fd < 0 ? dir_fd : sysfs_read_str(dir_fd, "arch", &host->architecture);
	if (r == -ENOMEM || host->architecture)
		return r;
	if (root->native && uname(&name) == 0)
		return str_replace(&host->architecture, name.machine);
	return host_add_note(host, "host", "architecture",
			     "architecture is not known: proc/sys/kernel/arch is missing (Linux "
			     "before 6.1)");
}

/* A directory of entries that only a working IOMMU driver makes. */
static enum mlx5lm_answer has_entries(const struct root *root, const char *path)
{
	_cleanup_(strv_release) struct strv names = { 0 };
	_cleanup_close_ int fd = -1;

	fd = sysfs_open_dir(root, "%s", path);
	if (fd < 0 || sysfs_list(fd, ".", &names) < 0)
		return MLX5LM_ANSWER_UNKNOWN;
	return names.length ? MLX5LM_ANSWER_YES : MLX5LM_ANSWER_NO;
}

static int probe_iommu(const struct root *root, struct mlx5lm_host *host)
{
	host->iommu_active = has_entries(root, "sys/class/iommu");
	if (host->iommu_active == MLX5LM_ANSWER_UNKNOWN)
		host->iommu_active = has_entries(root, "sys/kernel/iommu_groups");
	if (host->iommu_active != MLX5LM_ANSWER_UNKNOWN)
		return 0;
	return host_add_note(host, "host", "iommu_active",
			     "IOMMU is not known: neither sys/class/iommu nor "
			     "sys/kernel/iommu_groups can be read");
}

static int probe_cmdline(const struct root *root, struct mlx5lm_host *host)
{
	_cleanup_free_ char *text = NULL;
	size_t length;
	int r;

	r = text_file_read(root, CMDLINE, CMDLINE_MAX_BYTES, &text, &length);
	if (r == 0)
		return cmdline_select(text, &host->kernel_cmdline);
	return r == -ENOMEM ? r : note(host, "kernel_cmdline", "command line", CMDLINE, r);
}

static int probe_taint(struct mlx5lm_host *host, int dir_fd)
{
	uint64_t tainted;
	int r = dir_fd < 0 ? dir_fd : sysfs_read_u64(dir_fd, "tainted", 10, &tainted);

	if (r < 0)
		return note(host, "kernel_tainted", "taint", "proc/sys/kernel/tainted", r);
	host->kernel_tainted = fact_u64(tainted);
	return 0;
}

static int probe_modules_disabled(struct mlx5lm_host *host, int dir_fd)
{
	uint64_t disabled = 0;
	int r = dir_fd < 0 ? dir_fd : sysfs_read_u64(dir_fd, "modules_disabled", 10, &disabled);

	/* A kernel without modules does not have the file. */
	if (r == -ENOENT && streq(host_find_config(host, "MODULES"), "n"))
		disabled = 1;
	else if (r < 0)
		return note(host, "kernel_modules_disabled", "whether modules can be loaded",
			    "proc/sys/kernel/modules_disabled", r);
	host->kernel_modules_disabled = disabled ? MLX5LM_ANSWER_YES : MLX5LM_ANSWER_NO;
	return 0;
}

/* "none [integrity] confidentiality": the one in brackets is in force. */
static uint32_t parse_lockdown(char *text)
{
	char *start = strchr(text, '['), *end = start ? strchr(start, ']') : NULL;

	if (!end)
		return MLX5LM_LOCKDOWN_UNKNOWN;
	*end = '\0';
	return name_value(&lockdown_names, start + 1);
}

static int probe_lockdown(const struct root *root, struct mlx5lm_host *host)
{
	_cleanup_close_ int fd = sysfs_open_dir(root, "sys/kernel/security");
	char text[SYSFS_TEXT_SIZE];
	int r = fd < 0 ? fd : sysfs_read(fd, "lockdown", text);

	if (r == 0)
		host->kernel_lockdown = parse_lockdown(text);
	/*
	 * securityfs shows "lsm" in any kernel with security modules, and "lockdown" in any that
	 * can be locked down (Linux, security/inode.c, security/lockdown/lockdown.c). If it is
	 * not mounted, neither is there.
	 */
	else if (r == -ENOENT && ((fd >= 0 && sysfs_exists(fd, "lsm")) ||
				  streq(host_find_config(host, "SECURITY_LOCKDOWN_LSM"), "n")))
		host->kernel_lockdown = MLX5LM_LOCKDOWN_NONE;
	if (host->kernel_lockdown)
		return 0;
	return host_add_note(host, "host", "kernel_lockdown",
			     "lockdown is not known: sys/kernel/security/lockdown: %s",
			     r == 0	     ? "not understood" :
			     r == -ENOENT ? "securityfs is not mounted there" :
					    strerror(-r));
}

static int probe_page_size(const struct root *root, struct mlx5lm_host *host)
{
	long size;

	if (!root->native)
		return host_add_note(host, "host", "page_size_bytes",
				     "page size is not known: only the running kernel tells it");
	size = sysconf(_SC_PAGESIZE);
	if (size > 0)
		host->page_size_bytes = fact_u64((uint64_t)size);
	return 0;
}

static int probe_identity(const struct root *root, struct mlx5lm_host *host, int kernel_fd)
{
	_cleanup_close_ int random_fd = sysfs_open_dir(root, BOOT_ID_DIR);
	int r;

	r = read_fact(host, kernel_fd, "osrelease", "kernel_release", "kernel release",
		      &host->kernel_release);
	if (r == 0)
		r = read_fact(host, kernel_fd, "hostname", "hostname", "host name",
			      &host->hostname);
	if (r == 0)
		r = read_fact(host, random_fd, BOOT_ID_FILE, "boot_id", "boot id", &host->boot_id);
	return r < 0 ? r : probe_architecture(root, host, kernel_fd);
}

int kernel_probe(const struct root *root, struct mlx5lm_host *host)
{
	_cleanup_close_ int kernel_fd = sysfs_open_dir(root, "proc/sys/kernel");
	int r;

	r = probe_identity(root, host, kernel_fd);
	if (r == 0)
		r = kernel_config_probe(root, host);
	if (r == 0)
		r = probe_cmdline(root, host);
	if (r == 0)
		r = probe_taint(host, kernel_fd);
	if (r == 0)
		r = probe_modules_disabled(host, kernel_fd);
	if (r == 0)
		r = probe_lockdown(root, host);
	if (r == 0)
		r = probe_page_size(root, host);
	if (r == 0)
		r = memory_probe(root, host);
	return r < 0 ? r : probe_iommu(root, host);
}

char *kernel_read_boot_id(const struct root *root)
{
	_cleanup_close_ int random_fd = root->native ? sysfs_open_dir(root, BOOT_ID_DIR) : -1;
	char *boot_id = NULL;

	if (random_fd >= 0)
		sysfs_read_str(random_fd, BOOT_ID_FILE, &boot_id);
	return boot_id;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/kernel.h"

#include <errno.h>
#include <sys/utsname.h>

#include "base/cleanup.h"
#include "sys/sysfs.h"

/* Reads a fact, and notes why if it cannot be read. */
static int read_fact(struct mlx5lm_host *host, int dir_fd, const char *name, const char *what,
		     char **ret)
{
	int r = dir_fd < 0 ? dir_fd : sysfs_read_str(dir_fd, name, ret);

	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return host_add_note(host, "host", NULL, "%s is not known: %s: %s", what, name,
				     strerror(-r));
	return 0;
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
	return host_add_note(host, "host", NULL, "architecture is not known: "
				   "proc/sys/kernel/arch is missing (Linux before 6.1)");
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
	return host_add_note(host, "host", NULL, "IOMMU is not known: neither sys/class/iommu nor "
				   "sys/kernel/iommu_groups can be read");
}

int kernel_probe(const struct root *root, struct mlx5lm_host *host)
{
	_cleanup_close_ int kernel_fd = -1;
	_cleanup_close_ int random_fd = -1;
	int r;

	kernel_fd = sysfs_open_dir(root, "proc/sys/kernel");
	random_fd = sysfs_open_dir(root, BOOT_ID_DIR);
	r = read_fact(host, kernel_fd, "osrelease", "kernel release", &host->kernel_release);
	if (r < 0)
		return r;
	r = read_fact(host, kernel_fd, "hostname", "host name", &host->hostname);
	if (r < 0)
		return r;
	r = read_fact(host, random_fd, BOOT_ID_FILE, "boot id", &host->boot_id);
	if (r < 0)
		return r;
	r = probe_architecture(root, host, kernel_fd);
	if (r < 0)
		return r;
	return probe_iommu(root, host);
}

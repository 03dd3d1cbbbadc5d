// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/holder.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>

#include "base/cleanup.h"

/* The nodes through which a function can be open. */
#define NODES "/dev/vfio/"
#define DEVICE_NODES "devices/"

struct pass {
	struct holding *holdings;
	size_t length;
	bool complete;
};

/* target: what a descriptor of the process in pid_fd is open on. */
static void take_target(struct pass *pass, int pid_fd, uint64_t pid, const char *target)
{
	const char *node = target + sizeof(NODES) - 1;
	bool is_device;

	if (strncmp(target, NODES, sizeof(NODES) - 1) != 0)
		return;
	is_device = strncmp(node, DEVICE_NODES, sizeof(DEVICE_NODES) - 1) == 0;
	if (is_device)
		node += sizeof(DEVICE_NODES) - 1;
	if (!node[0])
		return;
	for (size_t i = 0; i < pass->length; i++) {
		struct holding *holding = &pass->holdings[i];

		if (holding->pid.known ||
		    !streq(is_device ? holding->device : holding->group, node))
			continue;
		holding->pid = fact_u64(pid);
		if (sysfs_read(pid_fd, "comm", holding->comm) < 0)
			holding->comm[0] = '\0';
	}
}

static int look_into(struct pass *pass, int proc_fd, const char *name, uint64_t pid)
{
	_cleanup_(strv_release) struct strv fds = { 0 };
	_cleanup_close_ int pid_fd = -1;
	_cleanup_close_ int fds_fd = -1;
	char target[PATH_MAX];
	int r;

	pid_fd = openat(proc_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (pid_fd < 0)
		return 0;
	fds_fd = openat(pid_fd, "fd", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	r = fds_fd < 0 ? -errno : sysfs_list(fds_fd, ".", &fds);
	if (r == -EACCES || r == -EPERM)
		pass->complete = false;
	/* A process that ends while we look holds nothing. */
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for (size_t i = 0; i < fds.length; i++) {
		ssize_t length = readlinkat(fds_fd, fds.items[i], target, sizeof(target) - 1);

		if (length < 0)
			continue;
		target[length] = '\0';
		take_target(pass, pid_fd, pid, target);
	}
	return 0;
}

int holder_find_all(const struct root *root, struct holding *holdings, size_t length,
		    bool *complete)
{
	struct pass pass = { .holdings = holdings, .length = length, .complete = true };
	_cleanup_(strv_release) struct strv names = { 0 };
	_cleanup_close_ int proc_fd = -1;
	uint64_t pid;
	int r;

	*complete = false;
	proc_fd = sysfs_open_dir(root, "proc");
	if (proc_fd < 0)
		return 0;
	r = sysfs_list(proc_fd, ".", &names);
	for (size_t i = 0; r == 0 && i < names.length; i++) {
		if (str_to_u64(names.items[i], 10, &pid) == 0)
			r = look_into(&pass, proc_fd, names.items[i], pid);
	}
	*complete = r == 0 && pass.complete;
	return r == -ENOMEM ? r : 0;
}

int holder_find_nodes(int function_fd, struct holding *holding)
{
	_cleanup_(strv_release) struct strv names = { 0 };
	int r;

	if (sysfs_read_link(function_fd, "iommu_group", holding->group) < 0)
		holding->group[0] = '\0';
	r = sysfs_list(function_fd, "vfio-dev", &names);
	if (r == 0 && names.length && strlen(names.items[0]) < sizeof(holding->device))
		strcpy(holding->device, names.items[0]);
	return r == -ENOMEM ? r : 0;
}

int holder_find(const struct root *root, int function_fd, char **ret)
{
	struct holding holding = { 0 };
	bool complete;
	int r;

	*ret = NULL;
	r = holder_find_nodes(function_fd, &holding);
	if (r < 0 || (!holding.group[0] && !holding.device[0]))
		return r;
	r = holder_find_all(root, &holding, 1, &complete);
	if (r < 0 || !holding.pid.known)
		return r;
	*ret = str_printf("%" PRIu64 " (%s)", holding.pid.value,
			  holding.comm[0] ? holding.comm : "?");
	return *ret ? 0 : -ENOMEM;
}

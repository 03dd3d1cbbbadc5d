// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/holder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

#include "base/str.h"
#include "sys/sysfs.h"

/* The nodes in /dev through which a function can be open; empty if there is none. */
struct nodes {
	char group[32 + SYSFS_TEXT_SIZE];
	char device[32 + SYSFS_TEXT_SIZE];
};

static int find_nodes(int function_fd, struct nodes *nodes)
{
	_cleanup_(strv_release) struct strv names = { 0 };
	char group[SYSFS_TEXT_SIZE];
	int r;

	if (sysfs_read_link(function_fd, "iommu_group", group) == 0)
		snprintf(nodes->group, sizeof(nodes->group), "/dev/vfio/%s", group);
	r = sysfs_list(function_fd, "vfio-dev", &names);
	if (r == 0 && names.length && strlen(names.items[0]) < SYSFS_TEXT_SIZE)
		snprintf(nodes->device, sizeof(nodes->device), "/dev/vfio/devices/%s",
			 names.items[0]);
	return r == -ENOMEM ? r : 0;
}

static bool is_open_in(int fds_fd, const struct strv *fds, const struct nodes *nodes)
{
	char target[PATH_MAX];

	for (size_t i = 0; i < fds->length; i++) {
		ssize_t length = readlinkat(fds_fd, fds->items[i], target, sizeof(target) - 1);

		if (length < 0)
			continue;
		target[length] = '\0';
		if (streq(target, nodes->group) || streq(target, nodes->device))
			return true;
	}
	return false;
}

static int look_into(int proc_fd, const char *pid, const struct nodes *nodes, char **ret)
{
	_cleanup_(strv_release) struct strv fds = { 0 };
	char name[SYSFS_TEXT_SIZE] = "?";
	_cleanup_close_ int pid_fd = -1;
	_cleanup_close_ int fds_fd = -1;
	int r;

	pid_fd = openat(proc_fd, pid, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (pid_fd < 0)
		return 0;
	fds_fd = openat(pid_fd, "fd", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fds_fd < 0)
		return 0;
	r = sysfs_list(fds_fd, ".", &fds);
	if (r < 0 || !is_open_in(fds_fd, &fds, nodes))
		return r == -ENOMEM ? r : 0;
	sysfs_read(pid_fd, "comm", name);
	*ret = str_printf("%s (%s)", pid, name);
	return *ret ? 0 : -ENOMEM;
}

int holder_find(const struct root *root, int function_fd, char **ret)
{
	_cleanup_(strv_release) struct strv names = { 0 };
	_cleanup_close_ int proc_fd = -1;
	struct nodes nodes = { 0 };
	uint64_t pid;
	int r;

	*ret = NULL;
	r = find_nodes(function_fd, &nodes);
	if (r < 0 || (!nodes.group[0] && !nodes.device[0]))
		return r;
	proc_fd = sysfs_open_dir(root, "proc");
	if (proc_fd < 0)
		return 0;
	r = sysfs_list(proc_fd, ".", &names);
	for (size_t i = 0; r == 0 && !*ret && i < names.length; i++) {
		if (str_to_u64(names.items[i], 10, &pid) == 0)
			r = look_into(proc_fd, names.items[i], &nodes, ret);
	}
	return r == -ENOMEM ? r : 0;
}

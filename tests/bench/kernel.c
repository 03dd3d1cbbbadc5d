// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <limits.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "kernel_devlink.h"

#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			perror(#condition);                                                        \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

#define MAX_SOCKETS 64
#define MAX_TEXT 256
#define FUNCTION "sys/devices/pci0000:00/%s/"
#define DRIVERS "sys/bus/pci/drivers/"
#define HIDDEN "hidden"

#define NUMBER_OFFSET offsetof(struct seccomp_data, nr)
#define ARGUMENT_OFFSET(index) offsetof(struct seccomp_data, args[index])
#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset)
#define IF_EQUAL(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, action)

void kernel_trap(int socket_fd)
{
	/* The jumps count the lines that are left out. */
	static struct sock_filter lines[] = {
		LOAD(NUMBER_OFFSET),
		IF_EQUAL(__NR_write, 9, 0),
		IF_EQUAL(__NR_bind, 8, 0),
		IF_EQUAL(__NR_socket, 0, 3),
		LOAD(ARGUMENT_OFFSET(2)),
		IF_EQUAL(NETLINK_GENERIC, 0, 4),
		LOAD(ARGUMENT_OFFSET(0)),
		IF_EQUAL(AF_NETLINK, 3, 2),
		IF_EQUAL(__NR_setsockopt, 0, 1),
		LOAD(ARGUMENT_OFFSET(1)),
		IF_EQUAL(SOL_NETLINK, 0, 1),
		RETURN(SECCOMP_RET_USER_NOTIF),
		RETURN(SECCOMP_RET_ALLOW),
	};
	static const struct sock_fprog program = {
		.len = sizeof(lines) / sizeof(lines[0]), .filter = lines
	};
	int fd;

	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
			  &program);
	MUST(fd >= 0);
	/* Not by write(), to which nobody listens yet. The parent takes the descriptor out. */
	MUST(send(socket_fd, &fd, sizeof(fd), 0) == sizeof(fd));
	MUST(recv(socket_fd, &fd, sizeof(fd), 0) == sizeof(fd));
	close(fd);
}

struct kernel {
	struct tree *tree;
	struct tree_pf pf;
	int trap_fd;
	struct pollfd polled[MAX_SOCKETS + 1]; /* the first is trap_fd */
	ino_t client_inodes[MAX_SOCKETS + 1];  /* of the other ends */
	nfds_t num_polled;
	struct kernel_pf state;
};

/*
 * What is not there for a time stays aside, for to make it anew takes long. Links to several
 * targets may take turns in one place.
 */
static void name_hidden(struct kernel *kernel, const char *place, const char *target,
			char path[static PATH_MAX])
{
	int start = snprintf(path, PATH_MAX, "%s/" HIDDEN "/", tree_path(kernel->tree));

	snprintf(path + start, (size_t)(PATH_MAX - start), "%s=%s", place, target);
	for (char *c = path + start; *c; c++)
		*c = *c == '/' ? '!' : *c;
}

static void show_link(struct kernel *kernel, const char *target, const char *place)
{
	char hidden[PATH_MAX], shown[PATH_MAX];

	name_hidden(kernel, place, target, hidden);
	snprintf(shown, sizeof(shown), "%s/%s", tree_path(kernel->tree), place);
	if (rename(hidden, shown) == 0)
		return;
	MUST(errno == ENOENT);
	tree_link(kernel->tree, target, "%s", place);
}

static void hide_link(struct kernel *kernel, const char *place)
{
	char hidden[PATH_MAX], shown[PATH_MAX], target[128];
	ssize_t length;

	snprintf(shown, sizeof(shown), "%s/%s", tree_path(kernel->tree), place);
	length = readlink(shown, target, sizeof(target) - 1);
	MUST(length > 0);
	target[length] = '\0';
	name_hidden(kernel, place, target, hidden);
	MUST(rename(shown, hidden) == 0);
}

static void show_driver(struct kernel *kernel, const struct kernel_vf *vf)
{
	char target[128], place[128];

	snprintf(target, sizeof(target), "../../../bus/pci/drivers/%s", vf->driver);
	snprintf(place, sizeof(place), FUNCTION "driver", vf->bdf);
	show_link(kernel, target, place);
	snprintf(target, sizeof(target), "../../../../devices/pci0000:00/%s", vf->bdf);
	snprintf(place, sizeof(place), DRIVERS "%s/%s", vf->driver, vf->bdf);
	show_link(kernel, target, place);
}

static void show_pf(struct kernel *kernel)
{
	char text[16];

	snprintf(text, sizeof(text), "%u\n", kernel->state.num_vfs);
	tree_write(kernel->tree, text, FUNCTION "sriov_numvfs", kernel->pf.bdf);
	tree_write(kernel->tree, kernel->state.autoprobe ? "1\n" : "0\n",
		   FUNCTION "sriov_drivers_autoprobe", kernel->pf.bdf);
}

static int take_driver_away(struct kernel *kernel, struct kernel_vf *vf)
{
	char place[128];

	snprintf(place, sizeof(place), FUNCTION "driver", vf->bdf);
	hide_link(kernel, place);
	snprintf(place, sizeof(place), DRIVERS "%s/%s", vf->driver, vf->bdf);
	hide_link(kernel, place);
	vf->driver[0] = '\0';
	return 0;
}

/* All that a VF has as files. */
static void move_vf(struct kernel *kernel, const char *bdf, bool there)
{
	char shown[PATH_MAX], hidden[PATH_MAX];

	snprintf(shown, sizeof(shown), "%s/" FUNCTION, tree_path(kernel->tree), bdf);
	name_hidden(kernel, bdf, "", hidden);
	MUST(rename(there ? hidden : shown, there ? shown : hidden) == 0);
}

static void remove_vfs(struct kernel *kernel)
{
	char place[128];

	for (unsigned int i = 0; i < kernel->state.num_vfs; i++) {
		struct kernel_vf *vf = &kernel->state.vfs[i];

		if (vf->driver[0])
			take_driver_away(kernel, vf);
		snprintf(place, sizeof(place), FUNCTION "virtfn%u", kernel->pf.bdf, i);
		hide_link(kernel, place);
		snprintf(place, sizeof(place), "sys/bus/pci/devices/%s", vf->bdf);
		hide_link(kernel, place);
		move_vf(kernel, vf->bdf, false);
	}
	kernel->state.num_vfs = 0;
	show_pf(kernel);
}

static void show_vf(struct kernel *kernel, unsigned int index)
{
	const char *bdf = kernel->state.vfs[index].bdf;
	char target[128], place[128];

	move_vf(kernel, bdf, true);
	tree_write(kernel->tree, "(null)\n", FUNCTION "driver_override", bdf);
	snprintf(target, sizeof(target), "../../../devices/pci0000:00/%s", bdf);
	snprintf(place, sizeof(place), "sys/bus/pci/devices/%s", bdf);
	show_link(kernel, target, place);
	snprintf(target, sizeof(target), "../%s", bdf);
	snprintf(place, sizeof(place), FUNCTION "virtfn%u", kernel->pf.bdf, index);
	show_link(kernel, target, place);
}

static void create_vfs(struct kernel *kernel, unsigned int num_vfs, const char *driver)
{
	for (unsigned int i = 0; i < num_vfs; i++) {
		struct kernel_vf *vf = &kernel->state.vfs[i];

		*vf = (struct kernel_vf){
			.caps = 1, .hw_addr = { 2, 0, 0, 0, (uint8_t)(i >> 8), (uint8_t)i }
		};
		tree_vf_bdf(&kernel->pf, i, vf->bdf);
		show_vf(kernel, i);
		snprintf(vf->driver, sizeof(vf->driver), "%s", driver);
		if (vf->driver[0])
			show_driver(kernel, vf);
	}
	kernel->state.num_vfs = num_vfs;
	show_pf(kernel);
}

static void prepare_vfs(struct kernel *kernel)
{
	struct tree_pf pf = kernel->pf;

	tree_make_dir(kernel->tree, HIDDEN);
	pf.num_vfs = pf.total_vfs;
	tree_add_pf(kernel->tree, &pf);
	for (unsigned int i = 0; i < pf.num_vfs; i++)
		tree_vf_bdf(&pf, i, kernel->state.vfs[i].bdf);
	kernel->state.num_vfs = pf.num_vfs;
	remove_vfs(kernel);
}

static struct kernel_vf *find_vf(struct kernel *kernel, const char *bdf)
{
	for (unsigned int i = 0; i < kernel->state.num_vfs; i++) {
		if (strcmp(kernel->state.vfs[i].bdf, bdf) == 0)
			return &kernel->state.vfs[i];
	}
	return NULL;
}

static int bind_vf(struct kernel *kernel, const char *driver, const char *bdf)
{
	struct kernel_vf *vf = find_vf(kernel, bdf);
	const char *fit = vf && vf->driver_override[0] ? vf->driver_override : "mlx5_core";

	if (!vf || vf->driver[0] || (driver && strcmp(driver, fit) != 0))
		return -ENODEV;
	/* One driver for all VFs or for those set aside, as the modules' tables have it. */
	snprintf(vf->driver, sizeof(vf->driver), "%s", fit);
	show_driver(kernel, vf);
	return 0;
}

static int unbind_vf(struct kernel *kernel, const char *driver, const char *bdf)
{
	struct kernel_vf *vf = find_vf(kernel, bdf);

	if (!vf || strcmp(vf->driver, driver) != 0)
		return -ENODEV;
	return take_driver_away(kernel, vf);
}

static int set_override(struct kernel *kernel, const char *bdf, const char *text)
{
	struct kernel_vf *vf = find_vf(kernel, bdf);

	if (!vf)
		return -ENODEV;
	snprintf(vf->driver_override, sizeof(vf->driver_override), "%s", text);
	tree_write(kernel->tree, text[0] ? text : "(null)", FUNCTION "driver_override", bdf);
	return 0;
}

static int set_num_vfs(struct kernel *kernel, unsigned int num_vfs)
{
	if (num_vfs > kernel->pf.total_vfs)
		return -ERANGE;
	if (num_vfs && kernel->state.num_vfs)
		return -EBUSY;
	if (num_vfs)
		create_vfs(kernel, num_vfs, kernel->state.autoprobe ? "mlx5_core" : "");
	else
		remove_vfs(kernel);
	return 0;
}

static int start_over(struct kernel *kernel, const char *text)
{
	char driver[32] = "";
	unsigned int num_vfs;

	if (sscanf(text, "%u %31s", &num_vfs, driver) < 1 || num_vfs > kernel->pf.total_vfs)
		return -EINVAL;
	remove_vfs(kernel);
	kernel->state.switchdev = false;
	kernel->state.autoprobe = true;
	create_vfs(kernel, num_vfs, driver);
	return 0;
}

/* A write of text (one line) to a file of the tree. 0 or -errno, as the kernel has it. */
static int store(struct kernel *kernel, const char *path, const char *text)
{
	const char *name = strrchr(path, '/') + 1;
	char object[64] = "";

	if (strcmp(path, KERNEL_START_FILE) == 0)
		return start_over(kernel, text);
	if (strcmp(path, "sys/bus/pci/drivers_probe") == 0)
		return bind_vf(kernel, NULL, text);
	if (sscanf(path, DRIVERS "%63[^/]", object) == 1 && strcmp(name, "bind") == 0)
		return bind_vf(kernel, object, text);
	if (object[0] && strcmp(name, "unbind") == 0)
		return unbind_vf(kernel, object, text);
	if (sscanf(path, "sys/devices/pci0000:00/%63[^/]", object) != 1)
		return -EACCES;
	if (strcmp(name, "driver_override") == 0)
		return set_override(kernel, object, text);
	if (strcmp(name, "sriov_numvfs") == 0)
		return set_num_vfs(kernel, (unsigned int)strtoul(text, NULL, 10));
	if (strcmp(name, "sriov_drivers_autoprobe") != 0)
		return -EACCES;
	kernel->state.autoprobe = text[0] == '1';
	show_pf(kernel);
	return 0;
}

/* What is behind a descriptor of a trapped process; false if it has gone. */
static bool read_link(uint32_t pid, uint64_t fd, char path[static PATH_MAX])
{
	char link[64];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/%u/fd/%d", pid, (int)fd);
	length = readlink(link, path, PATH_MAX - 1);
	if (length < 0)
		return false;
	path[length] = '\0';
	return true;
}

static void do_write(struct kernel *kernel, const struct seccomp_notif *call,
		     struct seccomp_notif_resp *answer)
{
	size_t length = call->data.args[2], prefix = strlen(tree_path(kernel->tree));
	char path[PATH_MAX], text[MAX_TEXT] = "";
	struct iovec to = { .iov_base = text, .iov_len = sizeof(text) - 1 };
	struct iovec from = { .iov_base = (void *)(uintptr_t)call->data.args[1] };

	/* What is not below /sys is the process's own, such as a journal. */
	answer->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	if (!read_link(call->pid, call->data.args[0], path) ||
	    strncmp(path, tree_path(kernel->tree), prefix) != 0 ||
	    strncmp(path + prefix, "/sys/", strlen("/sys/")) != 0 || length > to.iov_len)
		return;
	to.iov_len = from.iov_len = length;
	if (process_vm_readv((pid_t)call->pid, &to, 1, &from, 1, 0) != (ssize_t)length)
		return;
	text[strcspn(text, "\n")] = '\0';
	answer->flags = 0;
	answer->error = store(kernel, path + prefix + 1, text);
	answer->val = answer->error ? 0 : (int64_t)length;
}

/* A socket of netlink is one end of a pair; the other is answered here. */
static void do_socket(struct kernel *kernel, const struct seccomp_notif *call,
		      struct seccomp_notif_resp *answer)
{
	struct seccomp_notif_addfd add = { .id = call->id, .newfd_flags = O_CLOEXEC };
	struct stat st;
	int fds[2], fd;

	MUST(kernel->num_polled <= MAX_SOCKETS);
	MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == 0);
	MUST(fstat(fds[1], &st) == 0);
	add.srcfd = (uint32_t)fds[1];
	fd = ioctl(kernel->trap_fd, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
	MUST(fd >= 0 || errno == ENOENT);
	close(fds[1]);
	kernel->client_inodes[kernel->num_polled] = st.st_ino;
	kernel->polled[kernel->num_polled++] = (struct pollfd){ .fd = fds[0], .events = POLLIN };
	answer->val = fd;
}

/* bind() and setsockopt() mean nothing to a pair, and must not fail. */
static void do_nothing(struct kernel *kernel, const struct seccomp_notif *call,
		       struct seccomp_notif_resp *answer)
{
	char path[PATH_MAX];
	unsigned long inode;

	answer->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	if (!read_link(call->pid, call->data.args[0], path) ||
	    sscanf(path, "socket:[%lu]", &inode) != 1)
		return;
	for (nfds_t i = 1; i < kernel->num_polled; i++) {
		if (kernel->client_inodes[i] == inode)
			answer->flags = 0;
	}
}

static void serve_trap(struct kernel *kernel)
{
	struct seccomp_notif call = { 0 };
	struct seccomp_notif_resp answer = { 0 };

	if (ioctl(kernel->trap_fd, SECCOMP_IOCTL_NOTIF_RECV, &call) < 0) {
		MUST(errno == ENOENT || errno == EINTR);
		return;
	}
	answer.id = call.id;
	if (call.data.nr == __NR_write)
		do_write(kernel, &call, &answer);
	else if (call.data.nr == __NR_socket)
		do_socket(kernel, &call, &answer);
	else
		do_nothing(kernel, &call, &answer);
	MUST(ioctl(kernel->trap_fd, SECCOMP_IOCTL_NOTIF_SEND, &answer) == 0 || errno == ENOENT);
}

static void serve_socket(struct kernel *kernel, nfds_t index)
{
	if (kernel_answer(&kernel->state, kernel->polled[index].fd))
		return;
	close(kernel->polled[index].fd);
	kernel->num_polled--;
	kernel->polled[index] = kernel->polled[kernel->num_polled];
	kernel->client_inodes[index] = kernel->client_inodes[kernel->num_polled];
}

static int take_trap(int socket_fd, int child_pid)
{
	int pidfd = pidfd_open(child_pid, 0), number, fd;

	MUST(pidfd >= 0);
	MUST(recv(socket_fd, &number, sizeof(number), 0) == sizeof(number));
	fd = pidfd_getfd(pidfd, number, 0);
	MUST(fd >= 0);
	close(pidfd);
	MUST(send(socket_fd, &number, sizeof(number), 0) == sizeof(number));
	return fd;
}

void kernel_play(struct tree *tree, const struct tree_pf *pf, int socket_fd, int child_pid)
{
	static struct kernel kernel;

	MUST(pf->total_vfs <= KERNEL_MAX_VFS);
	kernel.tree = tree;
	kernel.pf = *pf;
	kernel.state.bdf = pf->bdf;
	kernel.state.autoprobe = true;
	prepare_vfs(&kernel);
	kernel.trap_fd = take_trap(socket_fd, child_pid);
	kernel.polled[0] = (struct pollfd){ .fd = kernel.trap_fd, .events = POLLIN };
	kernel.num_polled = 1;
	while (!(kernel.polled[0].revents & POLLHUP)) {
		MUST(poll(kernel.polled, kernel.num_polled, -1) > 0);
		if (kernel.polled[0].revents & POLLIN)
			serve_trap(&kernel);
		for (nfds_t i = kernel.num_polled; i-- > 1;) {
			if (kernel.polled[i].revents)
				serve_socket(&kernel, i);
		}
	}
	close(kernel.trap_fd);
}

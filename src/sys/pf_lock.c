// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/pf_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "sys/pci.h"
#include "sys/sysfs.h"
#include "sys/text_file.h"

/*
 * Every PCI function has had this file since Linux 2.6.30, and only root may open it. What
 * everybody can open, be it for reading, would let anybody lock the configurators out; and
 * nothing happens to the device as long as nothing is written.
 */
#define LOCK_FILE "rescan"

/* Of /proc/locks; a host with more locks than that has an owner without a name. */
#define LOCKS_MAX_BYTES (1024 * 1024)

/* "12: FLOCK  ADVISORY  WRITE 4711 00:16:12345 0 EOF"; who waits has a "->" in it. */
static bool parse_lock(const char *line, const struct stat *st, uint64_t *ret_pid)
{
	unsigned int device_major, device_minor;
	uint64_t pid, inode;

	if (sscanf(line, "%*[0-9]: FLOCK %*s %*s %" SCNu64 " %x:%x:%" SCNu64, &pid, &device_major,
		   &device_minor, &inode) != 4)
		return false;
	if (device_major != major(st->st_dev) || device_minor != minor(st->st_dev) ||
	    inode != st->st_ino)
		return false;
	*ret_pid = pid;
	return true;
}

/* Who has the lock, as "process 4711 (agent)"; the text is static if nobody is seen. */
static const char *find_owner(const struct root *root, int fd, char text[static 64])
{
	static const char unknown[] = "another process";
	_cleanup_free_ char *locks = NULL;
	_cleanup_close_ int process_fd = -1;
	char comm[SYSFS_TEXT_SIZE], *rest = NULL;
	uint64_t pid = 0;
	struct stat st;
	size_t length;

	if (fstat(fd, &st) < 0 ||
	    text_file_read(root, "proc/locks", LOCKS_MAX_BYTES, &locks, &length) < 0)
		return unknown;
	for (char *line = strtok_r(locks, "\n", &rest); line && !pid;
	     line = strtok_r(NULL, "\n", &rest))
		parse_lock(line, &st, &pid);
	if (!pid)
		return unknown;
	process_fd = sysfs_open_dir(root, "proc/%" PRIu64, pid);
	if (process_fd < 0 || sysfs_read(process_fd, "comm", comm) < 0)
		strcpy(comm, "?");
	snprintf(text, 64, "process %" PRIu64 " (%.32s)", pid, comm);
	return text;
}

static int busy(const struct root *root, const char *pf_bdf, int fd, struct mlx5lm_error **reterr)
{
	char owner[64];
	int r;

	r = error_set(reterr, MLX5LM_ERROR_BUSY, EBUSY, MLX5LM_SOURCE_LIBRARY,
		      "%s: %s is at work on it", pf_bdf, find_owner(root, fd, owner));
	error_add_remedy(reterr, "wait until it has ended, and try again");
	return r;
}

static int fail(const char *pf_bdf, int errnum, struct mlx5lm_error **reterr)
{
	/* Of a file system that is the right machine's. */
	enum mlx5lm_error_code code =
		errnum == EROFS ? MLX5LM_ERROR_PERMISSION : error_code_from_errno(errnum);
	int r;

	r = error_set(reterr, code, errnum, MLX5LM_SOURCE_SYSFS,
		      "%s: cannot lock it for other configurators: %s", pf_bdf, strerror(errnum));
	error_add_detail(reterr, "/sys/bus/pci/devices/%s/" LOCK_FILE ": %s", pf_bdf,
			 strerror(errnum));
	if (errnum == EACCES || errnum == EPERM)
		error_add_remedy(reterr, "run as root");
	else if (errnum == EROFS)
		error_add_remedy(reterr, "mount -o remount,rw /sys");
	return r;
}

int pf_lock(const struct root *root, const char *pf_bdf, int *ret_fd, struct mlx5lm_error **reterr)
{
	_cleanup_close_ int dir_fd = pci_open(root, pf_bdf);
	_cleanup_close_ int fd = -1;

	if (dir_fd < 0)
		return fail(pf_bdf, -dir_fd, reterr);
	fd = openat(dir_fd, LOCK_FILE, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return fail(pf_bdf, errno, reterr);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		*ret_fd = TAKE_FD(fd);
		return 0;
	}
	return errno == EWOULDBLOCK ? busy(root, pf_bdf, fd, reterr) : fail(pf_bdf, errno, reterr);
}

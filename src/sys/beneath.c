// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "base/str.h"

#define MAX_DEPTH 64
#define MAX_LINKS 40 /* as in the kernel */

/* The directories from the root down to where the walk is; the root's own fd is borrowed. */
struct walk {
	int root_fd;
	int fds[MAX_DEPTH];
	size_t depth;
	size_t links;
	char rest[PATH_MAX]; /* what is still to be walked */
};

static int walk_fd(const struct walk *walk)
{
	return walk->depth ? walk->fds[walk->depth - 1] : walk->root_fd;
}

static void walk_release(struct walk *walk)
{
	while (walk->depth)
		close(walk->fds[--walk->depth]);
}

/* Puts what the link points to before the rest of the path. */
static int walk_link(struct walk *walk, int link_fd)
{
	char joined[PATH_MAX], target[PATH_MAX];
	ssize_t length;
	int written;

	if (++walk->links > MAX_LINKS)
		return -ELOOP;
	length = readlinkat(link_fd, "", target, sizeof(target) - 1);
	if (length < 0)
		return -errno;
	target[length] = '\0';
	if (target[0] == '/')
		walk_release(walk);
	written = snprintf(joined, sizeof(joined), "%s/%s", target, walk->rest);
	if (written < 0 || (size_t)written >= sizeof(joined))
		return -ENAMETOOLONG;
	memcpy(walk->rest, joined, (size_t)written + 1);
	return 0;
}

/* Cuts the next component off the rest; an empty one means that nothing is left. */
static int walk_next(struct walk *walk, char name[static NAME_MAX + 1])
{
	const char *start = walk->rest + strspn(walk->rest, "/");
	size_t length = strcspn(start, "/");

	if (length > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, start, length);
	name[length] = '\0';
	start += length;
	memmove(walk->rest, start, strlen(start) + 1);
	return 0;
}

static int walk_step(struct walk *walk, const char *name, bool follow_last)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (streq(name, "."))
		return 0;
	if (streq(name, "..")) {
		if (walk->depth)
			close(walk->fds[--walk->depth]);
		return 0;
	}
	fd = openat(walk_fd(walk), name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISLNK(st.st_mode) && (follow_last || walk->rest[strspn(walk->rest, "/")]))
		return walk_link(walk, fd);
	if (walk->depth == MAX_DEPTH)
		return -ENAMETOOLONG;
	walk->fds[walk->depth++] = TAKE_FD(fd);
	return 0;
}

/* Turns the O_PATH descriptor at the walk's end into what was asked for. */
static int walk_end(const struct walk *walk, int flags)
{
	char path[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
	struct stat st;
	int fd;

	if (fstat(walk_fd(walk), &st) < 0)
		return -errno;
	if (S_ISLNK(st.st_mode) && !(flags & O_PATH))
		return -ELOOP;
	if (S_ISDIR(st.st_mode)) {
		fd = openat(walk_fd(walk), ".", flags & ~O_NOFOLLOW);
		return fd < 0 ? -errno : fd;
	}
	if (flags & O_DIRECTORY)
		return -ENOTDIR;
	if (flags & O_PATH) {
		fd = fcntl(walk_fd(walk), F_DUPFD_CLOEXEC, 0);
		return fd < 0 ? -errno : fd;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", walk_fd(walk));
	fd = open(path, flags & ~O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

int beneath_walk(int root_fd, const char *path, int flags)
{
	struct walk walk = { .root_fd = root_fd };
	char name[NAME_MAX + 1];
	int r;

	if (strlen(path) >= sizeof(walk.rest))
		return -ENAMETOOLONG;
	strcpy(walk.rest, path);
	for (;;) {
		r = walk_next(&walk, name);
		if (r < 0 || !name[0])
			break;
		r = walk_step(&walk, name, !(flags & O_NOFOLLOW));
		if (r < 0)
			break;
	}
	if (r == 0)
		r = walk_end(&walk, flags | O_CLOEXEC);
	walk_release(&walk);
	return r;
}

int beneath_open(int root_fd, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned int)(flags | O_CLOEXEC),
		.resolve = RESOLVE_IN_ROOT,
	};
	long fd = syscall(SYS_openat2, root_fd, path, &how, sizeof(how));

	if (fd >= 0)
		return (int)fd;
	/* Seccomp filters older than the call answer EPERM; EAGAIN is a rename during the walk. */
	if (errno == ENOSYS || errno == EPERM || errno == EAGAIN)
		return beneath_walk(root_fd, path, flags);
	return -errno;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_SYSFS_H
#define SYS_SYSFS_H

#include "base/str.h"
#include "facts.h"
#include "sys/root.h"

/*
 * Small files of sysfs and procfs. Directories are opened beneath the root; what is read in
 * them is named by one component and never followed if it is a link, so nothing leads out of
 * the root. All functions return 0 (or a file descriptor) or -errno.
 */

/* More than any attribute that is read here has. */
#define SYSFS_TEXT_SIZE 256

/* A directory (O_PATH) by its path below the root, which is made as by printf(). */
int sysfs_open_dir(const struct root *root, const char *format, ...) _printf_(2, 3);

/*
 * The text of a file without white space at its end. -EMSGSIZE if it is longer than text,
 * -EBADMSG if it has other characters than printable ASCII, tabs and ends of lines.
 */
int sysfs_read(int dir_fd, const char *name, char text[static SYSFS_TEXT_SIZE]);

/* The same of a file at hand. */
int sysfs_read_fd(int fd, char text[static SYSFS_TEXT_SIZE]);

/* One line of it as a new string; *ret is left alone on failure and if the file is empty. */
int sysfs_read_str(int dir_fd, const char *name, char **ret);

/* A number, base as for strtoull(). */
int sysfs_read_u64(int dir_fd, const char *name, int base, uint64_t *ret);

/* The last component of what a link points to. -ENOENT without the link, -EBADMSG as above. */
int sysfs_read_link(int dir_fd, const char *name, char text[static SYSFS_TEXT_SIZE]);

/* The names in a directory, sorted; name "." is dir_fd itself. -EBADMSG as above. */
int sysfs_list(int dir_fd, const char *name, struct strv *ret);

/* Whether there is something of that name. */
bool sysfs_exists(int dir_fd, const char *name);

#endif

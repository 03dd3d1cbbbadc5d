// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/root.h"

#include <errno.h>
#include <fcntl.h>

#include "base/error.h"
#include "sys/kernel.h"
#include "sys/sysfs.h"

/* Whether the tree shows the kernel this process runs on. If in doubt it does not. */
static bool shows_running_kernel(const struct root *root)
{
	char here[SYSFS_TEXT_SIZE], there[SYSFS_TEXT_SIZE];
	_cleanup_close_ int here_fd = -1;
	_cleanup_close_ int there_fd = -1;

	here_fd = open("/" BOOT_ID_DIR, O_PATH | O_DIRECTORY | O_CLOEXEC);
	there_fd = sysfs_open_dir(root, BOOT_ID_DIR);
	if (here_fd < 0 || there_fd < 0)
		return false;
	if (sysfs_read(here_fd, BOOT_ID_FILE, here) < 0 ||
	    sysfs_read(there_fd, BOOT_ID_FILE, there) < 0)
		return false;
	return here[0] && streq(here, there);
}

int root_open(const char *path, struct root **ret, struct mlx5lm_error **reterr)
{
	_cleanup_root_ struct root *root = NULL;

	if (!path || !path[0])
		return error_invalid(reterr, "the root directory has no name");
	root = calloc(1, sizeof(*root));
	if (!root)
		return error_no_memory(reterr);
	refcount_init(&root->refcount);
	root->fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root->fd < 0)
		return error_set(reterr, error_code_from_errno(errno), errno, MLX5LM_SOURCE_LIBRARY,
				 "cannot open the root directory %s: %s", path, strerror(errno));
	if (str_replace(&root->path, path) < 0)
		return error_no_memory(reterr);
	root->native = shows_running_kernel(root);
	*ret = TAKE(root);
	return 0;
}

struct root *root_ref(struct root *root)
{
	if (root)
		refcount_get(&root->refcount);
	return root;
}

void root_unref(struct root *root)
{
	if (!root || !refcount_put(&root->refcount))
		return;
	if (root->fd >= 0)
		close(root->fd);
	free(root->path);
	free(root);
}

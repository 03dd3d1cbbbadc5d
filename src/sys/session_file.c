// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/session_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "sys/private_file.h"

#define PREFIX "mlx5lm-"
#define SUFFIX ".session"
#define UUID_LENGTH 36

/* What a directory of ours is searched for a name. */
#define MAX_ENTRIES 4096

/* How often others may take a file away before it is locked: each time one has ended. */
#define MAX_TRIES 16

struct session_file {
	int dir_fd;
	int fd; /* locked */
	char *dir;
	struct private_file file;
};

void session_file_close(struct session_file *file)
{
	if (!file)
		return;
	close_p(&file->fd);
	close_p(&file->dir_fd);
	free(file->dir);
	free(file);
}

DEFINE_CLEANUP(struct session_file *, session_file_close)
#define _cleanup_session_file_ _cleanup_(session_file_close_p)

/* One domain has one file, in whatever case its UUID is written. */
static void name_file(const char *uuid, char name[static PRIVATE_NAME_SIZE])
{
	size_t length = (size_t)snprintf(name, PRIVATE_NAME_SIZE, PREFIX "%s" SUFFIX, uuid);

	for (size_t i = sizeof(PREFIX) - 1; i < length; i++) {
		if (name[i] >= 'A' && name[i] <= 'F')
			name[i] = (char)(name[i] - 'A' + 'a');
	}
}

static int new_file(const char *dir, struct session_file **ret, struct mlx5lm_error **reterr)
{
	_cleanup_session_file_ struct session_file *file = calloc(1, sizeof(*file));

	if (!file)
		return error_no_memory(reterr);
	file->fd = file->dir_fd = -1;
	if (str_replace(&file->dir, dir) < 0)
		return error_no_memory(reterr);
	file->file.dir = file->dir;
	file->dir_fd = private_dir_open(dir, reterr);
	if (file->dir_fd < 0)
		return file->dir_fd;
	*ret = TAKE(file);
	return 0;
}

/* Has the directory this very file under the name? */
static bool is_in_place(const struct session_file *file, int fd)
{
	struct stat here, there;

	return fstat(fd, &here) == 0 &&
	       fstatat(file->dir_fd, file->file.name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

static int refuse_busy(const struct session_file *file, struct mlx5lm_error **reterr)
{
	int r;

	r = error_set(reterr, MLX5LM_ERROR_BUSY, EBUSY, MLX5LM_SOURCE_LIBRARY,
		      "journal: another process is at work on %s/%s", file->dir, file->file.name);
	error_add_remedy(reterr, "wait until it has ended; to see who it is: lslocks -u | grep %s",
			 file->file.name);
	return r;
}

static int refuse_left(const struct session_file *file, struct mlx5lm_error **reterr)
{
	int r;

	r = error_set(reterr, MLX5LM_ERROR_BUSY, EBUSY, MLX5LM_SOURCE_LIBRARY,
		      "journal: %s/%s was left by a process that did not end its migration",
		      file->dir, file->file.name);
	error_add_remedy(reterr, "attach to the domain's migration (mlx5lm_session_attach()): it "
				 "is ended, and the file goes");
	return r;
}

/*
 * 1 if it is ours now, 0 if the name leads elsewhere by now: who ends a session removes its file
 * with the lock held, and who writes it puts another one in its place.
 */
static int lock(struct session_file *file, int fd, struct mlx5lm_error **reterr)
{
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? refuse_busy(file, reterr)
					    : private_file_fail(reterr, errno, "lock", &file->file);
	return is_in_place(file, fd);
}

/* 0 or -errno. */
static int lock_existing(struct session_file *file, struct mlx5lm_error **reterr)
{
	int r = 0;

	for (int i = 0; r == 0 && i < MAX_TRIES; i++) {
		_cleanup_close_ int fd =
			private_file_open(file->dir_fd, &file->file, O_RDWR, reterr);

		if (fd < 0)
			return fd;
		r = lock(file, fd, reterr);
		if (r > 0)
			file->fd = TAKE_FD(fd);
	}
	if (r == 0)
		return refuse_busy(file, reterr);
	return r < 0 ? r : 0;
}

/* As lock(), of a file that was not there. -EEXIST without an error if it is. */
static int lock_new(struct session_file *file, struct mlx5lm_error **reterr)
{
	_cleanup_close_ int fd =
		openat(file->dir_fd, file->file.name,
		       O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, PRIVATE_FILE_MODE);
	int r;

	if (fd < 0 && errno == EEXIST)
		return -EEXIST;
	/* Whatever umask() the application has. */
	if (fd < 0 || fchmod(fd, PRIVATE_FILE_MODE) < 0)
		return private_file_fail(reterr, errno, "create", &file->file);
	r = lock(file, fd, reterr);
	if (r > 0)
		file->fd = TAKE_FD(fd);
	return r;
}

/*
 * One that is there, but has no text: its process died before it had told libvirt anything. As
 * lock(); 0 too if it is gone by now.
 */
static int lock_empty(struct session_file *file, struct mlx5lm_error **reterr)
{
	struct mlx5lm_error *error = NULL;
	struct stat st;
	int r = lock_existing(file, &error);

	if (r == -ENOENT) {
		mlx5lm_error_free(error);
		return 0;
	}
	if (r < 0)
		return error_pass(reterr, error);
	if (fstat(file->fd, &st) < 0)
		return private_file_fail(reterr, errno, "look at", &file->file);
	return st.st_size ? refuse_left(file, reterr) : 1;
}

int session_file_create(const char *dir, const char *uuid, struct session_file **ret,
			struct mlx5lm_error **reterr)
{
	_cleanup_session_file_ struct session_file *file = NULL;
	int r;

	if (!str_is_uuid(uuid))
		return error_invalid(reterr, "\"%s\" is no UUID", uuid);
	r = new_file(dir, &file, reterr);
	if (r < 0)
		return r;
	name_file(uuid, file->file.name);
	for (int i = 0; r == 0 && i < MAX_TRIES; i++) {
		r = lock_new(file, reterr);
		if (r == -EEXIST)
			r = lock_empty(file, reterr);
	}
	if (r < 0)
		return r;
	if (r == 0)
		return refuse_busy(file, reterr);
	*ret = TAKE(file);
	return 0;
}

/* What a file says its domain is called; NULL if it says nothing, or is not to be trusted. */
static char *read_name(const struct session_file *file, const char *entry,
		       char *(*get_name)(const char *text, size_t length))
{
	struct private_file candidate = { .dir = file->dir };
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *text = NULL;
	size_t length;

	strcpy(candidate.name, entry);
	fd = private_file_open(file->dir_fd, &candidate, O_RDONLY, NULL);
	if (fd < 0 || private_file_read(fd, SESSION_FILE_MAX_BYTES, &text, &length) < 0)
		return NULL;
	return get_name(text, length);
}

static bool is_session(const char *entry)
{
	char uuid[UUID_LENGTH + 1] = "", name[PRIVATE_NAME_SIZE];

	if (strlen(entry) != sizeof(PREFIX SUFFIX) - 1 + UUID_LENGTH)
		return false;
	memcpy(uuid, entry + sizeof(PREFIX) - 1, UUID_LENGTH);
	if (!str_is_uuid(uuid))
		return false;
	name_file(uuid, name);
	return streq(name, entry);
}

static int find_in(DIR *dir, struct session_file *file, const char *domain,
		   char *(*get_name)(const char *text, size_t length), struct mlx5lm_error **reterr)
{
	const struct dirent *entry;
	size_t entries = 0;

	while ((entry = readdir(dir))) {
		_cleanup_free_ char *name = NULL;

		if (++entries > MAX_ENTRIES) {
			error_set(reterr, MLX5LM_ERROR_IO, EFBIG, MLX5LM_SOURCE_LIBRARY,
				  "journal: %s has more than %d files to look for \"%s\" in",
				  file->dir, MAX_ENTRIES, domain);
			error_add_remedy(reterr, "name the domain by its UUID");
			return -EFBIG;
		}
		if (!is_session(entry->d_name))
			continue;
		name = read_name(file, entry->d_name, get_name);
		if (!streq(name, domain))
			continue;
		if (*file->file.name)
			return error_invalid(reterr,
					     "journal: %s has several domains that are called "
					     "\"%s\": name it by its UUID",
					     file->dir, domain);
		strcpy(file->file.name, entry->d_name);
	}
	if (*file->file.name)
		return 0;
	return error_set(reterr, MLX5LM_ERROR_NOT_FOUND, ENOENT, MLX5LM_SOURCE_LIBRARY,
			 "journal: %s has none of a domain \"%s\"", file->dir, domain);
}

/* Names the file of a domain that is known by its name. */
static int find_by_name(struct session_file *file, const char *domain,
			char *(*get_name)(const char *text, size_t length),
			struct mlx5lm_error **reterr)
{
	int fd = openat(file->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir) {
		r = error_set(reterr, error_code_from_errno(errno), errno, MLX5LM_SOURCE_LIBRARY,
			      "journal: cannot look through %s: %s", file->dir, strerror(errno));
		close_p(&fd);
		return r;
	}
	r = find_in(dir, file, domain, get_name, reterr);
	closedir(dir);
	return r;
}

int session_file_open(const char *dir, const char *name_or_uuid,
		      char *(*get_name)(const char *text, size_t length), struct session_file **ret,
		      char **text, size_t *length, struct mlx5lm_error **reterr)
{
	_cleanup_session_file_ struct session_file *file = NULL;
	int r;

	r = new_file(dir, &file, reterr);
	if (r < 0)
		return r;
	if (str_is_uuid(name_or_uuid))
		name_file(name_or_uuid, file->file.name);
	else
		r = find_by_name(file, name_or_uuid, get_name, reterr);
	if (r == 0)
		r = lock_existing(file, reterr);
	if (r < 0)
		return r;
	r = private_file_read(file->fd, SESSION_FILE_MAX_BYTES, text, length);
	if (r < 0)
		return private_file_fail(reterr, -r, "read", &file->file);
	*ret = TAKE(file);
	return 0;
}

int session_file_write(struct session_file *file, const char *text, struct mlx5lm_error **reterr)
{
	int fd = private_file_replace(file->dir_fd, &file->file, text, true, reterr);

	if (fd < 0)
		return fd;
	/* Only now: somebody may be waiting for the old one to become free. */
	close(file->fd);
	file->fd = fd;
	return 0;
}

void session_file_remove(struct session_file *file)
{
	if (!file)
		return;
	/* Somebody may have removed it by hand, and another session begun. */
	if (is_in_place(file, file->fd) && unlinkat(file->dir_fd, file->file.name, 0) == 0)
		private_dir_sync(file->dir_fd);
	session_file_close(file);
}

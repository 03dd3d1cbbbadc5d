// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/session_file.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/array.h"
#include "support/traced.h"

#define UUID "7d0b6ac4-2c6f-4f5e-9c3b-0123456789ab"
#define OTHER "11111111-2222-3333-4444-555555555555"
#define NAME "mlx5lm-" UUID ".session"

static char dir[] = "/tmp/mlx5lm-session-XXXXXX";
static char path[96];
static struct session_file *file;
static char *text;
static size_t length;
static struct mlx5lm_error *error;

static void setup(void)
{
	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/" NAME, dir);
}

static int remove_entry(const char *name, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(name);
}

static void let_go(void)
{
	session_file_close(file);
	file = NULL;
	free(text);
	text = NULL;
	mlx5lm_error_free(error);
	error = NULL;
}

static void teardown(void)
{
	let_go();
	nftw(dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

TestSuite(session_file, .init = setup, .fini = teardown);

static int create(const char *uuid)
{
	let_go();
	return session_file_create(dir, uuid, &file, &error);
}

/* The text is the name, for this test. */
static char *get_name(const char *data, size_t data_length)
{
	return data_length ? strndup(data, data_length) : NULL;
}

static int open_it(const char *name_or_uuid)
{
	let_go();
	return session_file_open(dir, name_or_uuid, get_name, &file, &text, &length, &error);
}

static void put(const char *uuid, const char *content)
{
	cr_assert_eq(create(uuid), 0, "%s", error ? error->message : "");
	cr_assert_eq(session_file_write(file, content, NULL), 0);
	let_go();
}

static void expect_text(const char *expected)
{
	cr_assert_eq(open_it(UUID), 0, "%s", error ? error->message : "");
	cr_expect_str_eq(text, expected);
	cr_expect_eq(length, strlen(expected));
}

static size_t count_files(void)
{
	DIR *stream = opendir(dir);
	size_t count = 0;

	cr_assert_not_null(stream);
	for (const struct dirent *entry; (entry = readdir(stream));)
		count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(stream);
	return count;
}

static void put_raw(const char *name, const char *content)
{
	char full[128];
	int fd;

	snprintf(full, sizeof(full), "%s/%s", dir, name);
	fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, content, strlen(content)), (ssize_t)strlen(content));
	close(fd);
}

Test(session_file, is_read_as_it_was_written_last)
{
	cr_assert_eq(create(UUID), 0);
	cr_assert_eq(session_file_write(file, "a first text that is longer\n", NULL), 0);
	cr_assert_eq(session_file_write(file, "second\n", NULL), 0);
	expect_text("second\n");
	cr_expect_eq(count_files(), 1);
	cr_assert_eq(session_file_write(file, "third\n", NULL), 0, "who opened it may write it");
	expect_text("third\n");
}

Test(session_file, is_removed_when_the_session_ends)
{
	put(UUID, "x\n");
	cr_assert_eq(open_it(UUID), 0);
	session_file_remove(file);
	file = NULL;
	cr_expect_eq(count_files(), 0);
	cr_expect_eq(open_it(UUID), -ENOENT);
	cr_expect_eq(error->code, MLX5LM_ERROR_NOT_FOUND);
	session_file_remove(NULL);
	session_file_close(NULL);
}

static void expect_busy(int r, const char *message, const char *remedy)
{
	cr_assert_eq(r, -EBUSY);
	cr_expect_eq(error->code, MLX5LM_ERROR_BUSY);
	cr_expect_not_null(strstr(error->message, message), "%s", error->message);
	cr_expect_not_null(strstr(error->message, NAME), "%s", error->message);
	cr_expect_not_null(strstr(error->remedy, remedy), "%s", error->remedy);
	mlx5lm_error_free(error);
	error = NULL;
}

static void expect_locked(void)
{
	struct session_file *second = NULL;
	char *second_text = NULL;
	size_t second_length;

	expect_busy(session_file_create(dir, UUID, &second, &error), "another process is at work",
		    "lslocks -u | grep " NAME);
	expect_busy(session_file_open(dir, UUID, get_name, &second, &second_text, &second_length,
				      &error),
		    "another process is at work", "lslocks");
	cr_expect_null(second);
	cr_expect_null(second_text);
}

Test(session_file, one_session_has_it_before_and_after_each_text)
{
	cr_assert_eq(create(UUID), 0);
	expect_locked();
	for (unsigned int i = 0; i < 3; i++) {
		cr_assert_eq(session_file_write(file, "x\n", NULL), 0);
		expect_locked();
	}
	cr_assert_eq(open_it(UUID), 0);
	expect_locked();
}

Test(session_file, each_domain_has_its_own)
{
	struct session_file *second = NULL;

	cr_assert_eq(create(UUID), 0);
	cr_assert_eq(session_file_create(dir, OTHER, &second, NULL), 0);
	cr_expect_eq(count_files(), 2);
	session_file_remove(second);
	cr_expect_eq(count_files(), 1);
}

Test(session_file, a_uuid_is_the_same_in_capital_letters)
{
	cr_assert_eq(create(UUID), 0);
	cr_expect_eq(session_file_create(dir, "7D0B6AC4-2C6F-4F5E-9C3B-0123456789AB", &file,
					 NULL), -EBUSY);
}

Test(session_file, what_is_no_uuid_never_becomes_a_path)
{
	static const char *const words[] = {
		"", "guest", "../guest", "/etc/passwd", (UUID "/.."), ("../../" UUID),
		"7d0b6ac4-2c6f-4f5e-9c3b-0123456789a/", "7d0b6ac4-2c6f-4f5e-9c3b-0123456789a",
		"7d0b6ac4-2c6f-4f5e-9c3b-0123456789abc", "7d0b6ac42c6f4f5e9c3b0123456789ab",
		"7d0b6ac4x2c6f-4f5e-9c3b-0123456789ab", "------------------------------------",
	};

	for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
		cr_expect_eq(create(words[i]), -EINVAL, "%s", words[i]);
		cr_expect_eq(open_it(words[i]), -ENOENT, "%s is looked for as a name", words[i]);
	}
	cr_expect_eq(count_files(), 0);
}

Test(session_file, is_found_by_the_name_in_its_text)
{
	put(UUID, "guest 1");
	put(OTHER, "guest 2");
	put_raw("notes", "guest 1");
	put_raw("mlx5lm-0000:08:00.0.journal", "guest 1");
	put_raw("mlx5lm-" UUID ".session.old", "guest 1");
	put_raw("mlx5lm-7D0B6AC4-2C6F-4F5E-9C3B-0123456789AB.session", "guest 1");
	put_raw("mlx5lm-22222222-2222-3333-4444-555555555555.session", "");
	cr_assert_eq(open_it("guest 2"), 0, "%s", error ? error->message : "");
	cr_expect_str_eq(text, "guest 2");
	cr_assert_eq(open_it("guest 1"), 0, "%s", error ? error->message : "");
	cr_expect_str_eq(text, "guest 1");
	session_file_remove(file);
	file = NULL;
	cr_expect_eq(access(path, F_OK), -1, "it is that of the UUID");
	cr_expect_eq(open_it("guest 3"), -ENOENT);
	cr_expect_not_null(strstr(error->message, "guest 3"));
	cr_expect_eq(open_it(""), -ENOENT, "a file without text has no name");
}

Test(session_file, two_domains_of_one_name_are_told_apart_by_uuid)
{
	put(UUID, "guest");
	put(OTHER, "guest");
	cr_assert_eq(open_it("guest"), -EINVAL);
	cr_expect_not_null(strstr(error->message, "name it by its UUID"));
	cr_expect_eq(open_it(OTHER), 0);
}

Test(session_file, a_directory_without_bounds_is_not_searched)
{
	for (unsigned int i = 0; i < 4096; i++) {
		char name[32];

		snprintf(name, sizeof(name), "x%u", i);
		put_raw(name, "");
	}
	put(UUID, "guest");
	cr_assert_eq(open_it("guest"), -EFBIG);
	cr_expect_not_null(strstr(error->remedy, "UUID"));
	cr_expect_eq(open_it(UUID), 0);
}

Test(session_file, what_others_have_made_is_neither_read_nor_found)
{
	put(UUID, "guest");
	cr_assert_eq(chmod(path, 0620), 0);
	cr_expect_eq(open_it(UUID), -EPERM, "its group may write it");
	cr_expect_eq(error->code, MLX5LM_ERROR_PERMISSION);
	cr_expect_not_null(error->remedy);
	cr_expect_eq(create(UUID), -EPERM);
	cr_expect_eq(open_it("guest"), -ENOENT);
	cr_assert_eq(chmod(path, 0602), 0);
	cr_expect_eq(open_it(UUID), -EPERM, "all may write it");
	if (geteuid() == 0) {
		cr_assert_eq(chmod(path, 0600), 0);
		cr_assert_eq(chown(path, 65534, 65534), 0);
		cr_expect_eq(open_it(UUID), -EPERM, "it is another user's");
		cr_expect_eq(open_it("guest"), -ENOENT);
	}
	cr_assert_eq(unlink(path), 0);
	put_raw("elsewhere", "guest");
	cr_assert_eq(symlink("elsewhere", path), 0);
	cr_expect_eq(open_it(UUID), -EPERM, "it is a link");
	cr_expect_eq(create(UUID), -EPERM);
	cr_expect_eq(open_it("guest"), -ENOENT);
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(symlink("nowhere", path), 0);
	cr_expect_eq(create(UUID), -EPERM, "nothing is made where a link leads");
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_expect_eq(open_it(UUID), -EPERM, "it is a pipe, and nobody writes");
	cr_expect_eq(open_it("guest"), -ENOENT);
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(mkdir(path, 0700), 0);
	cr_expect_lt(open_it(UUID), 0);
	cr_expect_eq(count_files(), 2);
}

Test(session_file, a_directory_that_others_may_write_is_not_used)
{
	cr_assert_eq(chmod(dir, 0777), 0);
	cr_expect_eq(create(UUID), -EPERM);
	cr_expect_not_null(strstr(error->remedy, "chmod go-w"));
	cr_expect_eq(open_it("guest"), -EPERM);
	cr_assert_eq(chmod(dir, 0700), 0);
	cr_expect_eq(count_files(), 0);
	cr_expect_eq(session_file_create("/nonexistent/mlx5lm", UUID, &file, NULL), -ENOENT);
}

Test(session_file, one_without_bounds_is_not_read)
{
	put(UUID, "x");
	cr_assert_eq(truncate(path, SESSION_FILE_MAX_BYTES + 1), 0);
	cr_expect_eq(open_it(UUID), -EFBIG);
	cr_expect_eq(open_it("x"), -ENOENT);
}

Test(session_file, is_its_owners_alone_whatever_the_umask)
{
	static const mode_t masks[] = { 0, 0777 };
	struct stat st;

	for (size_t i = 0; i < 2; i++) {
		umask(masks[i]);
		cr_assert_eq(create(UUID), 0);
		cr_assert_eq(stat(path, &st), 0);
		cr_expect_eq(st.st_mode & 07777, 0600, "%o", st.st_mode);
		cr_assert_eq(session_file_write(file, "x\n", NULL), 0);
		cr_assert_eq(stat(path, &st), 0);
		cr_expect_eq(st.st_mode & 07777, 0600, "%o", st.st_mode);
		session_file_remove(file);
		file = NULL;
	}
}

static void expect_not_inherited(void)
{
	DIR *fds = opendir("/proc/self/fd");
	unsigned int ours = 0;

	cr_assert_not_null(fds);
	for (const struct dirent *entry; (entry = readdir(fds));) {
		char target[128] = "";

		if (readlinkat(dirfd(fds), entry->d_name, target, sizeof(target) - 1) <= 0 ||
		    strncmp(target, dir, strlen(dir)) != 0)
			continue;
		cr_expect(fcntl(atoi(entry->d_name), F_GETFD) & FD_CLOEXEC, "%s", target);
		ours++;
	}
	closedir(fds);
	cr_expect_eq(ours, 2, "the directory and the file, and nothing that was forgotten");
}

Test(session_file, no_program_that_is_started_inherits_it)
{
	cr_assert_eq(create(UUID), 0);
	expect_not_inherited();
	cr_assert_eq(session_file_write(file, "x\n", NULL), 0);
	expect_not_inherited();
	cr_assert_eq(open_it(UUID), 0);
	expect_not_inherited();
}

Test(session_file, a_full_disk_leaves_the_old_text_and_the_lock)
{
	struct rlimit limit = { .rlim_cur = 20, .rlim_max = RLIM_INFINITY };

	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(create(UUID), 0);
	cr_assert_eq(session_file_write(file, "the old text\n", NULL), 0);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	cr_assert_eq(session_file_write(file, "a new text that is longer than there is room for\n",
					&error), -EFBIG);
	limit.rlim_cur = RLIM_INFINITY;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	cr_expect_not_null(strstr(error->message, NAME));
	cr_expect_eq(count_files(), 1, "nothing unfinished is left");
	mlx5lm_error_free(error);
	error = NULL;
	expect_locked();
	expect_text("the old text\n");
}

/* Runs work in another process, which ends without letting anything go. */
static void run_elsewhere(void (*work)(void))
{
	pid_t pid = fork();
	int status;

	cr_assert_geq(pid, 0);
	if (pid == 0) {
		work();
		raise(SIGKILL);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void begin_and_write(void)
{
	if (session_file_create(dir, UUID, &file, NULL) < 0 ||
	    session_file_write(file, "guest", NULL) < 0)
		_exit(1);
}

static void only_begin(void)
{
	if (session_file_create(dir, UUID, &file, NULL) < 0)
		_exit(1);
}

Test(session_file, what_a_killed_process_left_is_attached_to_and_not_begun_anew)
{
	run_elsewhere(begin_and_write);
	expect_busy(create(UUID), "was left by a process", "mlx5lm_session_attach()");
	cr_assert_eq(open_it("guest"), 0);
	cr_expect_str_eq(text, "guest");
	expect_locked();
	session_file_remove(file);
	file = NULL;
	cr_expect_eq(create(UUID), 0);
}

Test(session_file, a_process_that_was_killed_before_it_had_begun_is_in_nobodys_way)
{
	run_elsewhere(only_begin);
	cr_assert_eq(open_it(UUID), 0);
	cr_expect_eq(length, 0);
	cr_expect_str_eq(text, "");
	cr_assert_eq(create(UUID), 0, "%s", error ? error->message : "");
	expect_locked();
	cr_expect_eq(count_files(), 1);
}

Test(session_file, a_file_that_took_its_place_is_not_removed)
{
	cr_assert_eq(create(UUID), 0);
	cr_assert_eq(unlink(path), 0);
	put_raw(NAME, "of another session\n");
	session_file_remove(file);
	file = NULL;
	expect_text("of another session\n");
}

/* What a session does with it, from the beginning to the end. */
static int begin(void)
{
	struct session_file *mine = NULL;
	int r = session_file_create(dir, UUID, &mine, NULL);

	if (r == 0)
		r = session_file_write(mine, "guest", NULL);
	if (r == 0)
		r = session_file_write(mine, "guest", NULL);
	session_file_remove(mine);
	return r < 0;
}

Test(session_file, killed_at_every_system_call_it_can_be_gone_on_with)
{
	bool seen_none = false, seen_empty = false, seen_text = false, killed = true;

	for (unsigned int calls = 1; killed; calls++) {
		pid_t pid;
		int r;

		killed = traced_kill_after(begin, calls, &pid);
		if (pid < 0)
			cr_skip_test("ptrace() is not allowed here");
		cr_assert_leq(count_files(), 2, "after %u stops", calls);
		r = open_it(UUID);
		cr_assert(r == 0 || r == -ENOENT, "after %u stops: %d", calls, r);
		cr_assert(r < 0 || streq(text, "") || streq(text, "guest"), "after %u stops",
			  calls);
		seen_none = seen_none || r < 0;
		seen_empty = seen_empty || (r == 0 && length == 0);
		seen_text = seen_text || (r == 0 && length > 0);
		if (r == 0 && length > 0)
			session_file_remove(TAKE(file));
		cr_assert_eq(create(UUID), 0, "after %u stops", calls);
		cr_assert_eq(session_file_write(file, "next", NULL), 0);
		cr_assert_eq(count_files(), 1, "what was unfinished is gone");
		session_file_remove(TAKE(file));
		cr_assert_eq(count_files(), 0);
	}
	cr_expect(seen_none && seen_empty && seen_text);
}

/* No test can take the power away, but the calls that a disk obeys can be seen. */
Test(session_file, the_text_is_on_the_disk_before_its_name)
{
	pid_t pid = traced_start(begin);
	char calls[32];

	if (pid < 0)
		cr_skip_test("ptrace() is not allowed here");
	traced_disk_calls(pid, calls, sizeof(calls));
	cr_expect_str_eq(calls, "wsrswsrsus");
}

struct shared {
	atomic_int inside;
	atomic_int overlaps;
	atomic_int turns;
};

/* Begins or attaches, again and again, and is alone as long as it has the file. */
static int take_turns(struct shared *shared, unsigned int wanted)
{
	unsigned int turns = 0;

	for (unsigned int tries = 0; turns < wanted && tries < 2000000; tries++) {
		struct session_file *mine = NULL;
		_cleanup_free_ char *its_text = NULL;
		size_t its_length;
		int r = tries % 2 ? session_file_create(dir, UUID, &mine, NULL) :
				    session_file_open(dir, UUID, get_name, &mine, &its_text,
						      &its_length, NULL);

		if (r == -EBUSY || r == -ENOENT)
			continue;
		if (r < 0)
			return 2;
		if (atomic_fetch_add(&shared->inside, 1) != 0)
			atomic_fetch_add(&shared->overlaps, 1);
		r = turns % 3 ? session_file_write(mine, "guest", NULL) : 0;
		atomic_fetch_sub(&shared->inside, 1);
		if (r < 0)
			return 3;
		turns++;
		/* Some end well, some leave it to the next. */
		if (turns % 2)
			session_file_remove(mine);
		else
			session_file_close(mine);
	}
	atomic_fetch_add(&shared->turns, (int)turns);
	return turns < wanted ? 4 : 0;
}

Test(session_file, of_many_processes_one_at_a_time_has_it)
{
	struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pids[4];

	cr_assert_neq(shared, MAP_FAILED);
	for (size_t i = 0; i < ARRAY_LENGTH(pids); i++) {
		pids[i] = fork();
		cr_assert_geq(pids[i], 0);
		if (pids[i] == 0)
			_exit(take_turns(shared, 50));
	}
	for (size_t i = 0; i < ARRAY_LENGTH(pids); i++) {
		int status;

		cr_assert_eq(waitpid(pids[i], &status, 0), pids[i]);
		cr_expect_eq(status, 0, "%x", (unsigned int)status);
	}
	cr_expect_eq(shared->turns, 200);
	cr_expect_eq(shared->overlaps, 0);
	munmap(shared, sizeof(*shared));
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/journal_file.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/traced.h"

#define PF "0000:08:00.0"
#define NAME "mlx5lm-" PF ".journal"

static char dir[] = "/tmp/mlx5lm-journal-XXXXXX";
static char path[64];
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

static void forget_error(void)
{
	mlx5lm_error_free(error);
	error = NULL;
}

static void teardown(void)
{
	nftw(dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	forget_error();
	free(text);
}

TestSuite(journal_file, .init = setup, .fini = teardown);

static int replace(const char *new_text, int *fd)
{
	forget_error();
	return journal_file_replace(dir, PF, JOURNAL_KIND, new_text, fd, &error);
}

static int read_back(void)
{
	free(text);
	text = NULL;
	forget_error();
	return journal_file_read(dir, PF, JOURNAL_KIND, &text, &length, &error);
}

static void expect_text(const char *expected)
{
	cr_assert_eq(read_back(), 0, "%s", error ? error->message : "");
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

static void put_file(const char *name, const char *content)
{
	char full[128];
	int fd;

	snprintf(full, sizeof(full), "%s/%s", dir, name);
	fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, content, strlen(content)), (ssize_t)strlen(content));
	close(fd);
}

Test(journal_file, is_read_as_it_was_written_and_added_to)
{
	int fd = -1;

	cr_assert_eq(replace("first\n", &fd), 0);
	cr_assert_eq(journal_file_append(fd, PF, "second\n", NULL), 0);
	expect_text("first\nsecond\n");
	close(fd);
	cr_assert_eq(journal_file_open(dir, PF, JOURNAL_KIND, &fd, NULL), 0);
	cr_assert_eq(journal_file_append(fd, PF, "third\n", NULL), 0);
	close(fd);
	expect_text("first\nsecond\nthird\n");
	cr_expect_eq(count_files(), 1);
}

Test(journal_file, each_pf_and_kind_has_its_own)
{
	cr_assert_eq(journal_file_replace(dir, PF, JOURNAL_KIND, "a\n", NULL, NULL), 0);
	cr_assert_eq(journal_file_replace(dir, PF, NV_RECORD_KIND, "b\n", NULL, NULL), 0);
	cr_assert_eq(journal_file_replace(dir, "0000:09:00.0", JOURNAL_KIND, "c\n", NULL, NULL), 0);
	cr_expect_eq(count_files(), 3);
	expect_text("a\n");
}

Test(journal_file, is_its_owners_alone_whatever_the_umask)
{
	static const mode_t masks[] = { 0, 0777 };
	struct stat st;

	for (size_t i = 0; i < 2; i++) {
		umask(masks[i]);
		cr_assert_eq(replace("x\n", NULL), 0);
		cr_assert_eq(stat(path, &st), 0);
		cr_expect_eq(st.st_mode & 07777, 0600, "%o", st.st_mode);
	}
}

Test(journal_file, is_not_handed_to_programs)
{
	int fd = -1;

	cr_assert_eq(replace("x\n", &fd), 0);
	cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
}

Test(journal_file, what_a_dead_process_left_unfinished_goes)
{
	put_file("." NAME ".4711.0", "half");
	put_file(".mlx5lm-0000:09:00.0.journal.4711.0", "another PF's");
	put_file("notes", "the owner's");
	cr_assert_eq(replace("whole\n", NULL), 0);
	cr_expect_eq(count_files(), 3);
	expect_text("whole\n");
}

Test(journal_file, a_missing_directory_is_told_with_the_command_that_makes_it)
{
	cr_assert_eq(journal_file_replace("/nonexistent/mlx5lm", PF, JOURNAL_KIND, "x\n", NULL,
					  &error),
		     -ENOENT);
	cr_expect_eq(error->code, MLX5LM_ERROR_NOT_FOUND);
	cr_expect_str_eq(error->remedy, "mkdir -m 0700 /nonexistent/mlx5lm");
	cr_expect_eq(read_back(), -ENOENT, "no journal is no damage");
}

Test(journal_file, an_address_never_leads_elsewhere)
{
	cr_expect_eq(journal_file_replace(dir, "../x", JOURNAL_KIND, "x\n", NULL, NULL), -EINVAL);
	cr_expect_eq(journal_file_read(dir, "..", "/../../etc/passwd", &text, &length, NULL),
		     -ENOENT, "only the address is from outside");
	cr_expect_eq(journal_file_replace(dir,
					  "0000000000000000000000000000000000000000000000000000000"
					  "000000000000000",
					  JOURNAL_KIND, "x\n", NULL, NULL),
		     -EINVAL);
	cr_expect_eq(count_files(), 0);
}

static void expect_distrust(const char *what)
{
	int fd = -1;

	cr_expect_eq(read_back(), -EPERM, "%s", what);
	cr_assert_not_null(error);
	cr_expect_eq(error->code, MLX5LM_ERROR_PERMISSION);
	cr_expect_not_null(error->remedy);
	cr_expect_eq(journal_file_open(dir, PF, JOURNAL_KIND, &fd, NULL), -EPERM, "%s", what);
	cr_expect_eq(fd, -1);
}

Test(journal_file, what_others_may_have_written_is_not_read)
{
	cr_assert_eq(replace("x\n", NULL), 0);
	cr_assert_eq(chmod(path, 0620), 0);
	expect_distrust("its group may write it");
	cr_assert_eq(chmod(path, 0602), 0);
	expect_distrust("all may write it");
	if (geteuid() == 0) {
		cr_assert_eq(chmod(path, 0600), 0);
		cr_assert_eq(chown(path, 65534, 65534), 0);
		expect_distrust("it is another user's");
	}
	cr_assert_eq(unlink(path), 0);
	put_file("elsewhere", "x\n");
	cr_assert_eq(symlink("elsewhere", path), 0);
	expect_distrust("it is a link");
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(mkfifo(path, 0600), 0);
	expect_distrust("it is a pipe, and nobody writes");
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(mkdir(path, 0700), 0);
	cr_expect_neq(read_back(), 0);
}

Test(journal_file, a_directory_that_others_may_write_is_not_used)
{
	cr_assert_eq(replace("x\n", NULL), 0);
	cr_assert_eq(chmod(dir, 0777), 0);
	expect_distrust("its directory is everybody's");
	cr_expect_eq(replace("y\n", NULL), -EPERM);
	/* As /tmp is: nobody else can put another file in the place of this one. */
	cr_assert_eq(chmod(dir, 01777), 0);
	expect_text("x\n");
	cr_assert_eq(chmod(dir, 0700), 0);
	if (geteuid() == 0) {
		cr_assert_eq(chown(dir, 65534, 65534), 0);
		expect_distrust("its directory is another user's");
	}
}

Test(journal_file, a_link_in_its_place_is_replaced_and_not_followed)
{
	struct stat st;

	put_file("elsewhere", "precious\n");
	cr_assert_eq(symlink("elsewhere", path), 0);
	cr_assert_eq(replace("x\n", NULL), 0);
	cr_assert_eq(lstat(path, &st), 0);
	cr_expect(S_ISREG(st.st_mode));
	snprintf(path, sizeof(path), "%s/elsewhere", dir);
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_size, (off_t)strlen("precious\n"));
}

Test(journal_file, one_without_bounds_is_not_read)
{
	int fd = -1;

	cr_assert_eq(replace("x\n", &fd), 0);
	cr_assert_eq(ftruncate(fd, JOURNAL_FILE_MAX_BYTES + 1), 0);
	close(fd);
	cr_expect_eq(read_back(), -EFBIG);
	cr_expect_eq(journal_file_open(dir, PF, JOURNAL_KIND, &fd, NULL), -EFBIG);
}

Test(journal_file, a_torn_line_does_not_spoil_the_next)
{
	int fd = -1;

	put_file(NAME, "first\n{\"torn");
	cr_assert_eq(journal_file_open(dir, PF, JOURNAL_KIND, &fd, NULL), 0);
	cr_assert_eq(journal_file_append(fd, PF, "second\n", NULL), 0);
	expect_text("first\nsecond\n");
	/* What a power failure leaves on some file systems. */
	cr_assert_eq(ftruncate(fd, 4096), 0);
	close(fd);
	cr_assert_eq(journal_file_open(dir, PF, JOURNAL_KIND, &fd, NULL), 0);
	cr_assert_eq(journal_file_append(fd, PF, "third\n", NULL), 0);
	expect_text("first\nsecond\nthird\n");
	close(fd);
}

static void limit_file_size(rlim_t size)
{
	const struct rlimit limit = { .rlim_cur = size, .rlim_max = RLIM_INFINITY };

	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

Test(journal_file, a_full_disk_leaves_the_old_one)
{
	cr_assert_eq(replace("the old journal\n", NULL), 0);
	limit_file_size(20);
	cr_assert_eq(replace("a new journal that is longer than there is room for\n", NULL),
		     -EFBIG);
	cr_expect_not_null(strstr(error->message, NAME));
	limit_file_size(RLIM_INFINITY);
	cr_expect_eq(count_files(), 1, "nothing unfinished is left");
	expect_text("the old journal\n");
}

Test(journal_file, a_line_for_which_there_is_no_room_is_not_there_in_part)
{
	int fd = -1;

	cr_assert_eq(replace("first\n", &fd), 0);
	limit_file_size(10);
	cr_assert_eq(journal_file_append(fd, PF, "second\n", &error), -ENOSPC);
	cr_expect_not_null(strstr(error->remedy, "make room"));
	limit_file_size(RLIM_INFINITY);
	expect_text("first\n");
	cr_assert_eq(journal_file_append(fd, PF, "third\n", NULL), 0);
	expect_text("first\nthird\n");
	close(fd);
}

/* What a process does that configures: a new journal, and a step. */
static int configure(void)
{
	int fd = -1;

	return replace("new\n", &fd) < 0 || journal_file_append(fd, PF, "step\n", NULL) < 0;
}

Test(journal_file, killed_at_every_system_call_leaves_the_old_one_or_the_new_one)
{
	bool seen_old = false, seen_new = false, seen_step = false, killed = true;

	for (unsigned int calls = 1; killed; calls++) {
		pid_t pid;

		cr_assert_eq(replace("old\n", NULL), 0);
		killed = traced_kill_after(configure, calls, &pid);
		if (pid < 0)
			cr_skip_test("ptrace() is not allowed here");
		cr_assert_eq(read_back(), 0, "after %u stops", calls);
		seen_old = seen_old || strcmp(text, "old\n") == 0;
		seen_new = seen_new || strcmp(text, "new\n") == 0;
		seen_step = seen_step || strcmp(text, "new\nstep\n") == 0;
		cr_assert(strcmp(text, "old\n") == 0 || strcmp(text, "new\n") == 0 ||
				  strcmp(text, "new\nstep\n") == 0,
			  "after %u stops: %s", calls, text);
		cr_assert_leq(count_files(), 2);
	}
	cr_expect(seen_old && seen_new && seen_step);
	cr_assert_eq(replace("last\n", NULL), 0);
	cr_expect_eq(count_files(), 1, "the next one cleans up");
}

/* No test can take the power away, but the calls that a disk obeys can be seen. */
Test(journal_file, the_text_is_on_the_disk_before_its_name_and_that_before_the_first_step)
{
	pid_t pid = traced_start(configure);
	char calls[32];

	if (pid < 0)
		cr_skip_test("ptrace() is not allowed here");
	traced_disk_calls(pid, calls, sizeof(calls));
	cr_expect_str_eq(calls, "wsrswd");
}

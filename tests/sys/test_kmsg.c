// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/kmsg.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/tree.h"

#define PF "0000:08:00.0"
#define HEAD "3,1234,5678,-;"
#define REFUSAL "mlx5_core " PF ": SET_HCA_CAP(0x109) failed, syndrome (0x5c48a), err(-22)"

/* The kernel hands out one record a read, as a socket of packets does. */
static int log_fd, kernel_fd;
static struct strbuf text;

/* The answer of the kernel where the next records have been overwritten. */
static bool overwritten;

ssize_t __real_read(int fd, void *buffer, size_t size);
ssize_t __wrap_read(int fd, void *buffer, size_t size);

ssize_t __wrap_read(int fd, void *buffer, size_t size)
{
	if (fd != log_fd || !overwritten)
		return __real_read(fd, buffer, size);
	overwritten = false;
	errno = EPIPE;
	return -1;
}

static void setup(void)
{
	int fds[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds), 0);
	kernel_fd = fds[0];
	log_fd = fds[1];
}

static void teardown(void)
{
	close(kernel_fd);
	close(log_fd);
	strbuf_release(&text);
}

TestSuite(kmsg, .init = setup, .fini = teardown);

static void say(const char *record)
{
	cr_assert_eq(send(kernel_fd, record, strlen(record), 0), (ssize_t)strlen(record));
}

static const char *read_of(const char *bdf)
{
	strbuf_release(&text);
	strbuf_add(&text, "");
	cr_assert_eq(kmsg_read_syndromes(log_fd, bdf, &text), 0);
	return text.text;
}

Test(kmsg, what_firmware_refused_is_found)
{
	say("6,1,2,-;mlx5_core " PF ": firmware version: 28.41.1000\n");
	say(HEAD REFUSAL "\n SUBSYSTEM=pci\n DEVICE=+pci:" PF "\n");
	say("3,2,3,-;nvme nvme0: syndrome (0x1)\n");
	cr_expect_str_eq(read_of(PF), REFUSAL "\n");
	cr_expect_str_eq(read_of(PF), "", "and told once");
}

Test(kmsg, other_devices_are_not_meant)
{
	say(HEAD "mlx5_core 10000:08:00.0: syndrome (1)\n");
	say(HEAD "mlx5_core 0000:08:00.01: syndrome (1)\n");
	say(HEAD "mlx5_core 0000:08:00.1: syndrome (1)\n");
	say(HEAD "mlx5_core 0000:09:00.0: up\n DEVICE=" PF " syndrome\n");
	cr_expect_str_eq(read_of(PF), "");
}

Test(kmsg, what_a_terminal_would_obey_is_taken_out)
{
	say(HEAD "mlx5_core " PF ": \\x1b[2J\\x41 syndrome \a\\x \\xzz\n");
	cr_expect_str_eq(read_of(PF), "mlx5_core " PF ": ?[2JA syndrome ?\\x \\xzz\n");
}

Test(kmsg, records_without_a_head_or_an_end_are_survived)
{
	say("no head " PF " syndrome\n");
	say(HEAD);
	say(HEAD REFUSAL);
	cr_expect_str_eq(read_of(PF), REFUSAL "\n");
}

Test(kmsg, what_was_overwritten_does_not_end_the_log)
{
	say(HEAD REFUSAL "\n");
	overwritten = true;
	cr_expect_str_eq(read_of(PF), REFUSAL "\n");
	cr_expect_not(overwritten);
}

Test(kmsg, a_few_lines_are_enough)
{
	size_t lines = 0;

	for (int i = 0; i < 10; i++)
		say(HEAD REFUSAL "\n");
	for (const char *at = read_of(PF); (at = strchr(at, '\n')); at++)
		lines++;
	cr_expect_eq(lines, 4);
}

Test(kmsg, the_log_of_the_root_is_opened_at_its_end)
{
	_cleanup_root_ struct root *root = NULL;
	struct tree *tree = tree_new();
	int fd = -1;

	tree_add_host(tree, true);
	cr_assert_eq(root_open(tree_path(tree), &root, NULL), 0);
	cr_expect_eq(kmsg_open(root, &fd), -ENOENT);
	tree_write(tree, HEAD REFUSAL "\n", "dev/kmsg");
	cr_assert_eq(kmsg_open(root, &fd), 0);
	cr_assert_eq(kmsg_read_syndromes(fd, PF, &text), 0);
	cr_expect_eq(text.length, 0);
	close(fd);
	tree_free(tree);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/msix.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* Power management at 0x40, MSI-X with 64 entries at 0x60. */
static const uint8_t function[256] = {
	[0x34] = 0x40, [0x40] = 0x01, [0x41] = 0x60, [0x60] = 0x11, [0x62] = 63, [0x63] = 0x80
};

static int fd_of(const uint8_t *config, size_t size)
{
	FILE *file = tmpfile();
	int fd = dup(fileno(file));

	cr_assert_eq(write(fd, config, size), (ssize_t)size);
	fclose(file);
	return fd;
}

Test(msix, walks_the_capabilities_and_tells_where_it_was)
{
	struct fact_u64 count = { 0 };
	uint8_t offset = 0;
	int fd = fd_of(function, sizeof(function));

	cr_assert_eq(msix_read_count(fd, &offset, &count), 0);
	cr_assert_eq(count.value, 64);
	cr_assert_eq(offset, 0x60);
	close(fd);
}

Test(msix, looks_first_where_it_was_in_another_function)
{
	uint8_t config[256] = { [0x60] = 0x11, [0x62] = 7 };
	struct fact_u64 count = { 0 };
	uint8_t offset = 0x60;
	/* No list of capabilities: only the hint leads there. */
	int fd = fd_of(config, sizeof(config));

	cr_assert_eq(msix_read_count(fd, &offset, &count), 0);
	cr_assert_eq(count.value, 8);
	close(fd);
}

Test(msix, a_wrong_hint_costs_a_walk_and_is_corrected)
{
	struct fact_u64 count = { 0 };
	uint8_t offset = 0x40;
	int fd = fd_of(function, sizeof(function));

	cr_assert_eq(msix_read_count(fd, &offset, &count), 0);
	cr_assert_eq(count.value, 64);
	cr_assert_eq(offset, 0x60);
	close(fd);
}

Test(msix, the_64_bytes_for_users_are_a_lack_of_rights)
{
	struct fact_u64 count = { 0 };
	uint8_t offset = 0, hint = 0x60;
	int fd = fd_of(function, 64);

	cr_assert_eq(msix_read_count(fd, &offset, &count), -EPERM);
	cr_assert_eq(msix_read_count(fd, &hint, &count), -EPERM);
	cr_assert_not(count.known);
	close(fd);
}

Test(msix, a_function_without_it_has_no_count)
{
	uint8_t config[256] = { [0x34] = 0x40, [0x40] = 0x01 };
	struct fact_u64 count = { 0 };
	uint8_t offset = 0;
	int fd = fd_of(config, sizeof(config));

	cr_assert_eq(msix_read_count(fd, &offset, &count), 0);
	cr_assert_not(count.known);
	cr_assert_eq(offset, 0);
	close(fd);
}

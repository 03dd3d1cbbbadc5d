// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/hw_addr.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

Test(hw_addr, six_bytes_are_read_in_either_case)
{
	static const uint8_t wanted[] = { 0x02, 0xaa, 0xbb, 0x0c, 0x9d, 0xff };
	uint8_t found[HW_ADDR_LENGTH];

	cr_assert_eq(hw_addr_read("02:AA:bb:0C:9d:fF", found), 0);
	cr_expect_eq(memcmp(found, wanted, sizeof(wanted)), 0);
}

Test(hw_addr, what_is_no_address_is_refused_and_changes_nothing)
{
	static const char *const bad[] = {
		NULL, "", "0", "02", "02:", "02:00:00:00:00", "02:00:00:00:00:", "02:00:00:00:00:1",
		"02:00:00:00:00:01:", "02:00:00:00:00:011", "02:00:00:00:00:0g", "02-00-00-00-00-01",
		" 2:00:00:00:00:01", "02:00:00:+0:00:01", "0x:00:00:00:00:01", "02:00:00:00:00:01\n",
		"/2:00:00:00:00:01", "02:00:00:00:00:0@", "02:00:00:00:00:0`", "2:0:0:0:0:1",
	};

	for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
		uint8_t found[HW_ADDR_LENGTH] = { 1, 2, 3, 4, 5, 6 };

		cr_expect_eq(hw_addr_read(bad[i], found), -EINVAL, "\"%s\"", bad[i] ? bad[i] : "");
		cr_expect_eq(found[0] * found[5], 6, "\"%s\"", bad[i] ? bad[i] : "");
	}
}

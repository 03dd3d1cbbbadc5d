// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/bdf.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "base/cleanup.h"

Test(bdf, is_read_and_written)
{
	static const struct {
		const char *text, *canonical;
	} cases[] = {
		{ "0000:08:00.2", "0000:08:00.2" },	{ "08:00.2", "0000:08:00.2" },
		{ "10000:e1:1F.7", "10000:e1:1f.7" },	{ "1:2:3.4", "0001:02:03.4" },
		{ "ffffffff:ff:1f.7", "ffffffff:ff:1f.7" },
	};

	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		char text[BDF_TEXT_SIZE];
		struct bdf bdf;

		cr_assert_eq(bdf_parse(cases[i].text, &bdf), 0, "%s", cases[i].text);
		bdf_format(&bdf, text);
		cr_expect_str_eq(text, cases[i].canonical);
	}
}

Test(bdf, what_is_no_address_is_refused)
{
	static const char *const bad[] = { "",		 "08",		 "0000:08:00",
					   "0000:08:20.0", "0000:08:00.8", "0000:100:00.0",
					   "0000:08:00.2x", " 0000:08:00.2", "0000:08:00.2\n",
					   "123456789:08:00.2", "../08:00.2", "0000:08:00.", ":08:00.2" };
	struct bdf bdf;

	for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
		cr_expect_eq(bdf_parse(bad[i], &bdf), -EINVAL, "\"%s\"", bad[i]);
}

Test(bdf, the_way_it_is_written_does_not_matter)
{
	cr_assert(bdf_equal("08:00.2", "0000:08:00.2"));
	cr_assert(bdf_equal("0000:AB:00.2", "0000:ab:00.2"));
	cr_assert_not(bdf_equal("0000:08:00.2", "0001:08:00.2"));
	cr_assert_not(bdf_equal(NULL, "0000:08:00.2"));
	cr_assert_not(bdf_equal("x", "x"));
}

Test(bdf, vfs_go_on_to_the_next_bus)
{
	struct bdf pf = { .bus = 8 }, vf;
	char text[BDF_TEXT_SIZE];

	cr_assert_eq(bdf_of_vf(&pf, 2, 1, 0, &vf), 0);
	bdf_format(&vf, text);
	cr_expect_str_eq(text, "0000:08:00.2");
	cr_assert_eq(bdf_of_vf(&pf, 2, 1, 254, &vf), 0);
	bdf_format(&vf, text);
	cr_expect_str_eq(text, "0000:09:00.0");
	pf.bus = 0xff;
	cr_expect_eq(bdf_of_vf(&pf, 2, 1, 254, &vf), -ERANGE);
	cr_expect_eq(bdf_of_vf(&pf, UINT64_MAX, UINT64_MAX, UINT64_MAX, &vf), -ERANGE);
}

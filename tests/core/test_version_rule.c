// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/version_rule.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "base/cleanup.h"

Test(version_rule, numbers_are_compared_not_letters)
{
	static const struct {
		const char *older, *newer;
	} cases[] = {
		{ "28.9.1000", "28.41.1000" },	  { "28.41.999", "28.41.1000" },
		{ "6.7.0-rc1", "6.10" },	  { "6.12.95+deb12-amd64", "6.13.0" },
		{ "5.14.0-427.el9.x86_64", "6.7" }, { "32.39.4082", "32.41.1000" },
	};

	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct version a, b;

		cr_assert_eq(version_parse(cases[i].older, &a), 0);
		cr_assert_eq(version_parse(cases[i].newer, &b), 0);
		cr_expect_lt(version_compare(&a, &b), 0, "%s", cases[i].older);
		cr_expect_gt(version_compare(&b, &a), 0, "%s", cases[i].newer);
	}
}

Test(version_rule, what_is_no_version_is_refused)
{
	static const char *const bad[] = { "", "6", "x.y", "v6.7", "6.x", "999999999999.1" };
	struct version version;

	for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
		cr_expect_eq(version_parse(bad[i], &version), -EINVAL, "\"%s\"", bad[i]);
}

Test(version_rule, leading_zeros_mean_nothing)
{
	struct version a, b;

	cr_assert_eq(version_parse("28.41.0100", &a), 0);
	cr_assert_eq(version_parse("28.41.100", &b), 0);
	cr_assert_eq(version_compare(&a, &b), 0);
}

Test(version_rule, libvirt_numbers_are_taken_apart)
{
	struct version version = version_from_libvirt(11003002);

	cr_assert_eq(version.part[0], 11);
	cr_assert_eq(version.part[1], 3);
	cr_assert_eq(version.part[2], 2);
}

Test(version_rule, people_write_nothing_but_numbers)
{
	static const char *const good[] = { "6.7", "28.41.1000", "0.0" };
	static const char *const bad[] = { "6", "6.7.", ".6", "6..7", "6.7-rc1", "1.2.3.4", " 6.7",
					   "6.7 ", "" };
	struct version version;

	for (size_t i = 0; i < ARRAY_LENGTH(good); i++)
		cr_expect_eq(version_parse_all(good[i], &version), 0, "\"%s\"", good[i]);
	for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
		cr_expect_eq(version_parse_all(bad[i], &version), -EINVAL, "\"%s\"", bad[i]);
}

Test(version_rule, frozen_kernel_versions_say_nothing_of_fixes)
{
	static const char *const plain[] = { "6.12.95+deb12-amd64", "6.7.0", "6.7.0-rc1", "7.3.4",
					     "6.12.8-200.fc41.x86_64" };
	static const char *const frozen[] = { "5.14.0-427.el9.x86_64", "6.8.0-40-generic",
					      "6.1.0-18-amd64", "unreadable" };

	for (size_t i = 0; i < ARRAY_LENGTH(plain); i++)
		cr_expect(version_is_plain(plain[i]), "%s", plain[i]);
	for (size_t i = 0; i < ARRAY_LENGTH(frozen); i++)
		cr_expect_not(version_is_plain(frozen[i]), "%s", frozen[i]);
}

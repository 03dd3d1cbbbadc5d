// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/text_wrap.h"

#include <criterion/criterion.h>

#include "base/cleanup.h"

static char *wrapped(const char *first_indent, const char *indent, const char *text)
{
	struct strbuf buf = { 0 };
	char *ret = NULL;

	cr_assert_eq(text_wrap(&buf, first_indent, indent, text), 0);
	cr_assert_eq(strbuf_take(&buf, &ret), 0);
	return ret;
}

static char *remedy(const char *text)
{
	struct strbuf buf = { 0 };
	char *ret = NULL;

	cr_assert_eq(text_wrap_remedy(&buf, "- ", "  ", text), 0);
	cr_assert_eq(strbuf_take(&buf, &ret), 0);
	return ret;
}

/* 39 columns, with the space. */
#define HALF "123456789 123456789 123456789 12345678 "

Test(text_wrap, a_line_has_80_columns_and_not_one_more)
{
	_cleanup_free_ char *fits = wrapped("", "  ", HALF HALF "ab");
	_cleanup_free_ char *breaks = wrapped("", "  ", HALF HALF "abc");

	cr_expect_str_eq(fits, HALF HALF "ab\n");
	cr_expect_str_eq(breaks, "123456789 123456789 123456789 12345678 "
				 "123456789 123456789 123456789 12345678\n  abc\n");
}

Test(text_wrap, the_first_line_has_an_indent_of_its_own)
{
	_cleanup_free_ char *text = wrapped("* ", "    ", HALF HALF "a b");

	cr_expect_str_eq(text, "* 123456789 123456789 123456789 12345678 "
			       "123456789 123456789 123456789 12345678\n    a b\n");
}

Test(text_wrap, characters_count_not_bytes)
{
	/* 39 columns in 78 bytes. */
	static const char umlauts[] =
		"äöüäöüäöü äöüäöüäöü äöüäöüäöü äöüäöüäö";
	_cleanup_free_ char *text = str_printf("%s %s ab", umlauts, umlauts);
	_cleanup_free_ char *expected = str_printf("%s\n", text);
	_cleanup_free_ char *found = wrapped("", "", text);

	cr_expect_str_eq(found, expected);
}

Test(text_wrap, what_is_too_long_is_not_broken)
{
	static const char word[] = "/sys/kernel/iommu_groups/1/devices/0000:08:00.2/driver/module/"
				   "parameters/enable_unsafe_noiommu_mode";
	_cleanup_free_ char *text = str_printf("see %s now", word);
	_cleanup_free_ char *expected = str_printf("see\n  %s\n  now\n", word);
	_cleanup_free_ char *found = wrapped("", "  ", text);

	cr_expect_str_eq(found, expected);
}

Test(text_wrap, nothing_moves_the_cursor)
{
	_cleanup_free_ char *text = wrapped("", "", "a\nb\x1b[2J \x7f");
	_cleanup_free_ char *command = remedy("echo a\nb");

	cr_expect_str_eq(text, "a?b?[2J ?\n");
	cr_expect_str_eq(command, "- echo a?b\n");
}

Test(text_wrap, empty_text_is_an_empty_line)
{
	_cleanup_free_ char *text = wrapped("", "  ", "");

	cr_expect_str_eq(text, "\n");
}

Test(text_wrap, a_command_is_on_its_own_line)
{
	static const struct {
		const char *remedy, *text;
	} cases[] = {
		{ "choose another destination", "- choose another destination\n" },
		{ "create VFs: mlx5lm-configure --pf 0000:08:00.0 --vfs 2 --apply",
		  "- create VFs:\n  mlx5lm-configure --pf 0000:08:00.0 --vfs 2 --apply\n" },
		{ "echo 1 > a; echo 2 > b", "- echo 1 > a\n  echo 2 > b\n" },
		{ "detach it from domain x; echo 1 > a; echo 2 > b",
		  "- detach it from domain x;\n  echo 1 > a\n  echo 2 > b\n" },
		{ "note: echoes are no commands: nor is this",
		  "- note: echoes are no commands: nor is this\n" },
		{ "one: two: virsh dumpxml guest", "- one: two:\n  virsh dumpxml guest\n" },
		{ "end:", "- end:\n" },
	};

	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		_cleanup_free_ char *text = remedy(cases[i].remedy);

		cr_expect_str_eq(text, cases[i].text, "case %zu: %s", i, text);
	}
}

Test(text_wrap, a_long_command_is_not_broken)
{
	_cleanup_free_ char *text = remedy("do this: mstconfig -d 0000:08:00.0 set SRIOV_EN=1 "
					   "NUM_OF_VFS=16 VF_MIGRATION_MODE=2 LINK_TYPE_P1=2 "
					   "LINK_TYPE_P2=2");

	cr_expect_str_eq(text, "- do this:\n  mstconfig -d 0000:08:00.0 set SRIOV_EN=1 "
			       "NUM_OF_VFS=16 VF_MIGRATION_MODE=2 LINK_TYPE_P1=2 "
			       "LINK_TYPE_P2=2\n");
}

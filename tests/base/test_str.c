// SPDX-License-Identifier: LGPL-2.1-or-later
#include <criterion/criterion.h>
#include <errno.h>

#include "base/cleanup.h"
#include "base/str.h"

Test(str, a_whole_number_is_read)
{
	uint64_t value;

	cr_assert_eq(str_to_u64("0x15b3", 16, &value), 0);
	cr_assert_eq(value, 0x15b3);
	cr_assert_eq(str_to_u64("18446744073709551615", 10, &value), 0);
	cr_assert_eq(value, UINT64_MAX);
}

Test(str, what_is_no_number_is_refused_and_changes_nothing)
{
	static const char *const bad[] = { "", "-1", "+1", " 1", "1 ", "1x", "x", "0x" };
	uint64_t value = 7;

	for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
		cr_expect_eq(str_to_u64(bad[i], 0, &value), -EINVAL, "\"%s\"", bad[i]);
	cr_expect_eq(str_to_u64("18446744073709551616", 10, &value), -ERANGE);
	cr_assert_eq(value, 7);
}

Test(str, a_buffer_grows_and_hands_its_text_over)
{
	_cleanup_free_ char *text = NULL;
	struct strbuf buf = { 0 };

	for (int i = 0; i < 1000; i++)
		strbuf_printf(&buf, "%d,", i % 10);
	cr_assert_eq(strbuf_take(&buf, &text), 0);
	cr_assert_eq(strlen(text), 2000);
	cr_assert_null(buf.text);
}

Test(str, a_list_is_sorted_and_released)
{
	struct strv list = { 0 };

	cr_assert_eq(strv_take(&list, strdup("b")), 0);
	cr_assert_eq(strv_take(&list, strdup("a")), 0);
	cr_assert_eq(strv_take(&list, NULL), -ENOMEM);
	strv_sort(&list);
	cr_assert_str_eq(list.items[0], "a");
	cr_assert_str_eq(list.items[1], "b");
	strv_release(&list);
	cr_assert_eq(list.length, 0);
}

Test(str, space_at_the_end_is_cut)
{
	char text[] = "  a b \n\n";

	str_trim_end(text);
	cr_assert_str_eq(text, "  a b");
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PLAIN_CRITERION_H
#define PLAIN_CRITERION_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/*
 * Stands in for Criterion under the thread sanitizer, which keeps its own memory where Criterion
 * 2.4 wants to map its arena ("Could not initialize inheritable arena"). What our tests use of
 * Criterion is here, with the same meaning: each test in a process of its own, an expectation
 * goes on after it failed, an assertion does not.
 */

struct plain_options {
	void (*init)(void);
	void (*fini)(void);
	double timeout; /* seconds */
	bool disabled;
};

struct plain_test {
	const char *suite;
	const char *name;
	void (*run)(void);
	struct plain_options options;
	struct plain_test *next;
};

struct plain_suite {
	const char *name;
	struct plain_options options;
	struct plain_suite *next;
};

void plain_add_test(struct plain_test *test);
void plain_add_suite(struct plain_suite *suite);
void plain_check(bool right, bool fatal, const char *file, int line, const char *what,
		 const char *format, ...) __attribute__((__format__(__printf__, 6, 7)));
void plain_skip(const char *format, ...) __attribute__((__format__(__printf__, 1, 2), noreturn));

static inline bool plain_same(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

#define Test(suite_, name_, ...)                                                                   \
	static void suite_##_##name_##_test(void);                                                 \
	__attribute__((constructor)) static void suite_##_##name_##_add(void)                      \
	{                                                                                          \
		static struct plain_test test = {                                                  \
			.suite = #suite_,                                                          \
			.name = #name_,                                                            \
			.run = suite_##_##name_##_test,                                            \
			.options = { __VA_ARGS__ },                                                \
		};                                                                                 \
		plain_add_test(&test);                                                             \
	}                                                                                          \
	static void suite_##_##name_##_test(void)

#define TestSuite(name_, ...)                                                                      \
	__attribute__((constructor)) static void name_##_suite_add(void)                           \
	{                                                                                          \
		static struct plain_suite suite = {                                                \
			.name = #name_,                                                            \
			.options = { __VA_ARGS__ },                                                \
		};                                                                                 \
		plain_add_suite(&suite);                                                           \
	}                                                                                          \
	struct plain_suite

#define PLAIN(right, fatal, what, ...)                                                             \
	plain_check((right), (fatal), __FILE__, __LINE__, what, " " __VA_ARGS__)

#define cr_assert(a, ...) PLAIN(a, true, #a, ##__VA_ARGS__)
#define cr_expect(a, ...) PLAIN(a, false, #a, ##__VA_ARGS__)
#define cr_assert_fail(...) PLAIN(false, true, "fail", ##__VA_ARGS__)
#define cr_expect_fail(...) PLAIN(false, false, "fail", ##__VA_ARGS__)
#define cr_assert_not(a, ...) PLAIN(!(a), true, "!" #a, ##__VA_ARGS__)
#define cr_expect_not(a, ...) PLAIN(!(a), false, "!" #a, ##__VA_ARGS__)
#define cr_assert_null(a, ...) PLAIN((a) == NULL, true, #a " == NULL", ##__VA_ARGS__)
#define cr_expect_null(a, ...) PLAIN((a) == NULL, false, #a " == NULL", ##__VA_ARGS__)
#define cr_assert_not_null(a, ...) PLAIN((a) != NULL, true, #a " != NULL", ##__VA_ARGS__)
#define cr_expect_not_null(a, ...) PLAIN((a) != NULL, false, #a " != NULL", ##__VA_ARGS__)
#define cr_assert_eq(a, b, ...) PLAIN((a) == (b), true, #a " == " #b, ##__VA_ARGS__)
#define cr_expect_eq(a, b, ...) PLAIN((a) == (b), false, #a " == " #b, ##__VA_ARGS__)
#define cr_assert_neq(a, b, ...) PLAIN((a) != (b), true, #a " != " #b, ##__VA_ARGS__)
#define cr_expect_neq(a, b, ...) PLAIN((a) != (b), false, #a " != " #b, ##__VA_ARGS__)
#define cr_assert_lt(a, b, ...) PLAIN((a) < (b), true, #a " < " #b, ##__VA_ARGS__)
#define cr_expect_lt(a, b, ...) PLAIN((a) < (b), false, #a " < " #b, ##__VA_ARGS__)
#define cr_assert_leq(a, b, ...) PLAIN((a) <= (b), true, #a " <= " #b, ##__VA_ARGS__)
#define cr_expect_leq(a, b, ...) PLAIN((a) <= (b), false, #a " <= " #b, ##__VA_ARGS__)
#define cr_assert_gt(a, b, ...) PLAIN((a) > (b), true, #a " > " #b, ##__VA_ARGS__)
#define cr_expect_gt(a, b, ...) PLAIN((a) > (b), false, #a " > " #b, ##__VA_ARGS__)
#define cr_assert_geq(a, b, ...) PLAIN((a) >= (b), true, #a " >= " #b, ##__VA_ARGS__)
#define cr_expect_geq(a, b, ...) PLAIN((a) >= (b), false, #a " >= " #b, ##__VA_ARGS__)
#define cr_assert_str_eq(a, b, ...) PLAIN(plain_same(a, b), true, #a " is " #b, ##__VA_ARGS__)
#define cr_expect_str_eq(a, b, ...) PLAIN(plain_same(a, b), false, #a " is " #b, ##__VA_ARGS__)
#define cr_assert_str_neq(a, b, ...) PLAIN(!plain_same(a, b), true, #a " is not " #b, ##__VA_ARGS__)
#define cr_expect_str_neq(a, b, ...)                                                               \
	PLAIN(!plain_same(a, b), false, #a " is not " #b, ##__VA_ARGS__)
#define cr_assert_arr_eq(a, b, size, ...)                                                          \
	PLAIN(memcmp((a), (b), (size)) == 0, true, #a " equals " #b, ##__VA_ARGS__)
#define cr_expect_arr_eq(a, b, size, ...)                                                          \
	PLAIN(memcmp((a), (b), (size)) == 0, false, #a " equals " #b, ##__VA_ARGS__)
#define cr_skip_test(...) plain_skip(" " __VA_ARGS__)

#endif

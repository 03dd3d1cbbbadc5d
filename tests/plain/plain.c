// SPDX-License-Identifier: LGPL-2.1-or-later
#include <criterion/criterion.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEFAULT_TIMEOUT_S 60
#define EXIT_SKIPPED 77

static struct plain_test *tests;
static struct plain_suite *suites;
static bool failed; /* in the process of the test */

void plain_add_test(struct plain_test *test)
{
	struct plain_test **last = &tests;

	while (*last)
		last = &(*last)->next;
	*last = test;
}

void plain_add_suite(struct plain_suite *suite)
{
	suite->next = suites;
	suites = suite;
}

void plain_check(bool right, bool fatal, const char *file, int line, const char *what,
		 const char *format, ...)
{
	va_list args;

	if (right)
		return;
	failed = true;
	va_start(args, format);
	fprintf(stderr, "%s:%d: %s:", file, line, what);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	if (fatal)
		exit(EXIT_FAILURE);
}

void plain_skip(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(EXIT_SKIPPED);
}

static const struct plain_options *suite_options(const char *name)
{
	static const struct plain_options none;

	for (struct plain_suite *suite = suites; suite; suite = suite->next) {
		if (strcmp(suite->name, name) == 0)
			return &suite->options;
	}
	return &none;
}

static void call(void (*own)(void), void (*of_suite)(void))
{
	if (own)
		own();
	else if (of_suite)
		of_suite();
}

static void run(const struct plain_test *test)
{
	const struct plain_options *suite = suite_options(test->suite);
	double timeout_s = test->options.timeout;

	if (timeout_s <= 0)
		timeout_s = suite->timeout;
	alarm(timeout_s > 0 ? (unsigned int)(timeout_s + 1) : DEFAULT_TIMEOUT_S);
	call(test->options.init, suite->init);
	test->run();
	call(test->options.fini, suite->fini);
	/* Not _exit(): a sanitizer reports, and changes the status, on the way out. */
	exit(failed ? EXIT_FAILURE : EXIT_SUCCESS);
}

static int run_apart(const struct plain_test *test)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		return -1;
	if (pid == 0)
		run(test);
	return waitpid(pid, &status, 0) == pid ? status : -1;
}

int main(void)
{
	bool all_right = true;
	unsigned int number = 0;

	for (struct plain_test *test = tests; test; test = test->next) {
		bool disabled = test->options.disabled || suite_options(test->suite)->disabled;
		int status = disabled ? 0 : run_apart(test);
		bool skipped =
			disabled || (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SKIPPED);

		if (status && !skipped) {
			fprintf(stderr, "%s::%s ended with status %#x\n", test->suite, test->name,
				(unsigned int)status);
			all_right = false;
		}
		printf("%sok %u - %s::%s%s\n", status && !skipped ? "not " : "", ++number,
		       test->suite, test->name, skipped ? " # SKIP" : "");
	}
	printf("1..%u\n", number);
	return all_right ? EXIT_SUCCESS : EXIT_FAILURE;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "little_memory.h"

#include <search.h>
#include <stdarg.h>
#include <stdint.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t number, size_t size);
void *__real_reallocarray(void *memory, size_t number, size_t size);
char *__real_strdup(const char *text);
void *__real_tsearch(const void *key, void **root, comparison_fn_t compare);
char *__real_str_vprintf(const char *format, va_list args);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t number, size_t size);
void *__wrap_reallocarray(void *memory, size_t number, size_t size);
char *__wrap_strdup(const char *text);
void *__wrap_tsearch(const void *key, void **root, comparison_fn_t compare);
char *__wrap_str_vprintf(const char *format, va_list args);

static size_t left = SIZE_MAX;
static bool failed;

void little_memory_allow(size_t number)
{
	failed = false;
	left = number;
}

void little_memory_end(void)
{
	left = SIZE_MAX;
}

bool little_memory_failed(void)
{
	return failed;
}

static bool no_more(void)
{
	if (left == SIZE_MAX)
		return false;
	if (left > 0) {
		left--;
		return false;
	}
	failed = true;
	return true;
}

void *little_memory_malloc(size_t size)
{
	return no_more() ? NULL : __real_malloc(size);
}

void *__wrap_malloc(size_t size)
{
	return little_memory_malloc(size);
}

void *__wrap_calloc(size_t number, size_t size)
{
	return no_more() ? NULL : __real_calloc(number, size);
}

void *__wrap_reallocarray(void *memory, size_t number, size_t size)
{
	return no_more() ? NULL : __real_reallocarray(memory, number, size);
}

char *__wrap_strdup(const char *text)
{
	return no_more() ? NULL : __real_strdup(text);
}

void *__wrap_tsearch(const void *key, void **root, comparison_fn_t compare)
{
	return no_more() ? NULL : __real_tsearch(key, root, compare);
}

char *__wrap_str_vprintf(const char *format, va_list args)
{
	return no_more() ? NULL : __real_str_vprintf(format, args);
}

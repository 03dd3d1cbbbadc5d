/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_LITTLE_MEMORY_H
#define CORE_LITTLE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Memory that ends where a test wants it to. The linker puts little_memory.c in place of the C
 * library's functions: see little_memory_link_args in meson.build.
 */

/* From now on so many allocations succeed, and no more. */
void little_memory_allow(size_t number);
/* As many as there are. */
void little_memory_end(void);
/* Did one fail since little_memory_allow()? */
bool little_memory_failed(void);

/* For jansson, which has a pointer of its own to malloc(). */
void *little_memory_malloc(size_t size);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SUPPORT_KMOD_INDEX_H
#define SUPPORT_KMOD_INDEX_H

#include <stddef.h>
#include <stdint.h>

/*
 * Writes a module index as depmod does (modules.dep.bin and the like) with the names as keys;
 * the value of a key is made from it by format. Returns the length.
 */
size_t kmod_index(uint8_t *buffer, size_t size, const char *const *names, const char *format);

/* The same with a value for each key, as modules.alias.bin has it. */
size_t kmod_index_of(uint8_t *buffer, size_t size, const char *const *names,
		     const char *const *values);

/*
 * Writes an ELF file that is a module in so far as it has this .modinfo: "version=1" and the
 * like, each with a NUL. Returns its length.
 */
size_t kmod_file(uint8_t *buffer, size_t size, const char *info, size_t length);

#endif

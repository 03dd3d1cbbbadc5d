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

#endif

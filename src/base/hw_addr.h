/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_HW_ADDR_H
#define BASE_HW_ADDR_H

#include <stdint.h>

#define HW_ADDR_LENGTH 6

/* The bytes of "02:00:00:00:00:01", whatever they are good for. 0 or -EINVAL; text may be NULL. */
int hw_addr_read(const char *text, uint8_t ret[static HW_ADDR_LENGTH]);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_BDF_H
#define CORE_BDF_H

#include <stdbool.h>
#include <stdint.h>

/* A PCI address. The domain may have more than 16 bits (VMD). */
struct bdf {
	uint32_t domain;
	uint8_t bus;
	uint8_t device;
	uint8_t function;
};

/* Longest text of a BDF with its NUL: "ffffffff:ff:1f.7". */
#define BDF_TEXT_SIZE 17

/* "0000:08:00.2", or "08:00.2" in domain 0. 0 or -EINVAL. */
int bdf_parse(const char *text, struct bdf *ret);
void bdf_format(const struct bdf *bdf, char text[static BDF_TEXT_SIZE]);

/* The same address, however the two are written. */
bool bdf_equal(const char *a, const char *b);

/* The VF of the given index by the rule of the PCIe SR-IOV capability. 0 or -ERANGE. */
int bdf_of_vf(const struct bdf *pf, uint64_t offset, uint64_t stride, uint64_t index,
	      struct bdf *ret);

#endif

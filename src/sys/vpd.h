/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_VPD_H
#define SYS_VPD_H

#include <stddef.h>
#include <stdint.h>

/*
 * The serial number (keyword SN) in the vital product data of a PCI function; the form is
 * that of PCI Local Bus 3.0, appendix I. *ret stays as it is if there is none. 0 or -ENOMEM.
 */
int vpd_serial_number(const uint8_t *data, size_t length, char **ret);

#endif

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/vpd.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* Identifier "CX", then read-only data with PN = "AB" and SN = "MT1". */
static const uint8_t vpd[] = {
	0x82, 0x02, 0x00, 'C', 'X', 0x90, 0x0b, 0x00, 'P', 'N',
	2,    'A',  'B',  'S', 'N', 3,	  'M',	'T',  '1', 0x78,
};

Test(vpd, finds_the_serial_number)
{
	char *serial = NULL;

	cr_assert_eq(vpd_serial_number(vpd, sizeof(vpd), &serial), 0);
	cr_assert_str_eq(serial, "MT1");
	free(serial);
}

Test(vpd, cuts_the_padding)
{
	static const uint8_t padded[] = { 0x90, 0x07, 0x00, 'S', 'N', 4, 'M', '1', ' ', '\0' };
	char *serial = NULL;

	cr_assert_eq(vpd_serial_number(padded, sizeof(padded), &serial), 0);
	cr_assert_str_eq(serial, "M1");
	free(serial);
}

Test(vpd, does_not_look_behind_the_end)
{
	static const uint8_t ended[] = { 0x78, 0x90, 0x04, 0x00, 'S', 'N', 1, 'X' };
	char *serial = NULL;

	cr_assert_eq(vpd_serial_number(ended, sizeof(ended), &serial), 0);
	cr_assert_null(serial);
}

Test(vpd, takes_no_serial_number_that_cannot_be_printed)
{
	static const uint8_t binary[] = { 0x90, 0x05, 0x00, 'S', 'N', 2, 0x01, 'X' };
	char *serial = NULL;

	cr_assert_eq(vpd_serial_number(binary, sizeof(binary), &serial), 0);
	cr_assert_null(serial);
}

Test(vpd, data_cut_anywhere_gives_nothing_and_is_never_read_past_its_end)
{
	for (size_t length = 0; length < sizeof(vpd) - 1; length++) {
		uint8_t *copy = malloc(length ? length : 1);
		char *serial = NULL;

		memcpy(copy, vpd, length);
		cr_assert_eq(vpd_serial_number(copy, length, &serial), 0);
		cr_assert_null(serial);
		free(copy);
	}
}

Test(vpd, spoilt_data_is_never_read_past_its_end)
{
	for (size_t at = 0; at < sizeof(vpd); at++) {
		for (unsigned int value = 0; value < 256; value++) {
			uint8_t *copy = malloc(sizeof(vpd));
			char *serial = NULL;

			memcpy(copy, vpd, sizeof(vpd));
			copy[at] = (uint8_t)value;
			cr_assert_eq(vpd_serial_number(copy, sizeof(vpd), &serial), 0);
			free(serial);
			free(copy);
		}
	}
}

// SPDX-License-Identifier: LGPL-2.1-or-later
/* Vital product data, as a file of sysfs hands it over. */
#include "sys/vpd.h"

#include <ctype.h>

#include "fuzz.h"

enum fuzz_result fuzz_one(const uint8_t *data, size_t size)
{
	char *serial = NULL;

	MUST(vpd_serial_number(data, size, &serial) == 0);
	if (!serial)
		return FUZZ_REFUSED;
	MUST(serial[0]);
	MUST(fuzz_has(data, size, serial));
	for (const char *at = serial; *at; at++)
		MUST(isprint((unsigned char)*at));
	free(serial);
	return FUZZ_ACCEPTED;
}

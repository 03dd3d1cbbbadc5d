// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/hw_addr.h"

#include <errno.h>
#include <stddef.h>

static int read_digit(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	digit |= 0x20;
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

int hw_addr_read(const char *text, uint8_t ret[static HW_ADDR_LENGTH])
{
	uint8_t bytes[HW_ADDR_LENGTH];

	if (!text)
		return -EINVAL;
	for (size_t i = 0; i < HW_ADDR_LENGTH; i++, text += 3) {
		int high = read_digit(text[0]), low = high < 0 ? -1 : read_digit(text[1]);

		if (low < 0 || text[2] != (i + 1 < HW_ADDR_LENGTH ? ':' : '\0'))
			return -EINVAL;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	for (size_t i = 0; i < HW_ADDR_LENGTH; i++)
		ret[i] = bytes[i];
	return 0;
}

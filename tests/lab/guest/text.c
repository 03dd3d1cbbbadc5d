// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stddef.h>

#include "guest.h"

/* The compiler's own 64-bit division calls libgcc, whose 32-bit edition many hosts lack. */
uint64_t divide_u64(uint64_t dividend, uint32_t divisor)
{
	uint32_t high = (uint32_t)(dividend >> 32);
	uint32_t quotient_high = high / divisor;
	uint32_t remainder = high % divisor;
	uint32_t quotient_low = (uint32_t)dividend;

	__asm__("divl %2" : "+a"(quotient_low), "+d"(remainder) : "r"(divisor));
	return (uint64_t)quotient_high << 32 | quotient_low;
}

/* The text behind `key` where a word of `text` starts with it, or NULL. */
const char *text_after(const char *text, const char *key)
{
	for (bool word_start = true; *text; word_start = *text == ' ', text++) {
		unsigned int i = 0;

		if (!word_start)
			continue;
		while (key[i] && text[i] == key[i])
			i++;
		if (!key[i])
			return text + i;
	}
	return NULL;
}

bool text_number(const char *text, const char *key, uint32_t *ret)
{
	const char *digits = text_after(text, key);
	uint32_t value = 0;

	if (!digits || *digits < '0' || *digits > '9')
		return false;
	for (; *digits >= '0' && *digits <= '9'; digits++)
		value = value * 10 + (uint32_t)(*digits - '0');
	*ret = value;
	return true;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/bdf.h"

#include <errno.h>
#include <stddef.h>

/* -1 if it is none. Not isxdigit(): it is asked for each character of each address. */
static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Reads hexadecimal digits; NULL if there are none, too many, or the value is too large. */
static const char *parse_hex(const char *text, unsigned int max_digits, uint32_t max_value,
			     uint32_t *ret)
{
	uint32_t value = 0;
	unsigned int digits = 0;

	for (int digit = hex_digit(*text); digit >= 0; digit = hex_digit(*++text)) {
		if (++digits > max_digits)
			return NULL;
		value = value << 4 | (uint32_t)digit;
	}
	if (digits == 0 || value > max_value)
		return NULL;
	*ret = value;
	return text;
}

static const char *parse_slot(const char *text, struct bdf *bdf)
{
	uint32_t bus, device, function;

	text = parse_hex(text, 2, 0xff, &bus);
	if (!text || *text++ != ':')
		return NULL;
	text = parse_hex(text, 2, 0x1f, &device);
	if (!text || *text++ != '.')
		return NULL;
	text = parse_hex(text, 1, 7, &function);
	if (!text || *text != '\0')
		return NULL;
	bdf->bus = (uint8_t)bus;
	bdf->device = (uint8_t)device;
	bdf->function = (uint8_t)function;
	return text;
}

int bdf_parse(const char *text, struct bdf *ret)
{
	struct bdf bdf = { 0 };
	const char *rest;

	if (!parse_slot(text, &bdf)) {
		rest = parse_hex(text, 8, UINT32_MAX, &bdf.domain);
		if (!rest || *rest != ':' || !parse_slot(rest + 1, &bdf))
			return -EINVAL;
	}
	*ret = bdf;
	return 0;
}

static char *put_hex(char *text, uint32_t value, unsigned int min_digits)
{
	for (unsigned int digits = 8; digits; digits--) {
		uint32_t rest = value >> 4 * (digits - 1);

		if (rest || digits <= min_digits)
			*text++ = "0123456789abcdef"[rest & 0xf];
	}
	return text;
}

/* Not by printf(): each address of each snapshot that is read comes by here. */
void bdf_format(const struct bdf *bdf, char text[static BDF_TEXT_SIZE])
{
	text = put_hex(text, bdf->domain, 4);
	*text++ = ':';
	text = put_hex(text, bdf->bus, 2);
	*text++ = ':';
	text = put_hex(text, bdf->device, 2);
	*text++ = '.';
	text = put_hex(text, bdf->function & 7u, 1);
	*text = '\0';
}

bool bdf_equal(const char *a, const char *b)
{
	struct bdf x, y;

	if (!a || !b || bdf_parse(a, &x) < 0 || bdf_parse(b, &y) < 0)
		return false;
	return x.domain == y.domain && x.bus == y.bus && x.device == y.device &&
	       x.function == y.function;
}

int bdf_of_vf(const struct bdf *pf, uint64_t offset, uint64_t stride, uint64_t index,
	      struct bdf *ret)
{
	uint64_t routing_id = (uint64_t)pf->bus << 8 | (uint64_t)pf->device << 3 | pf->function;

	if (offset > 0xffff || stride > 0xffff || index > 0xffff)
		return -ERANGE;
	routing_id += offset + stride * index;
	if (routing_id > 0xffff)
		return -ERANGE;
	*ret = (struct bdf){
		.domain = pf->domain,
		.bus = (uint8_t)(routing_id >> 8),
		.device = (uint8_t)(routing_id >> 3 & 0x1f),
		.function = (uint8_t)(routing_id & 7),
	};
	return 0;
}

// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stddef.h>

#include "guest.h"

#define COM1			0x3f8
#define UART_DATA		(COM1 + 0)
#define UART_INTERRUPTS		(COM1 + 1)
#define UART_FIFO		(COM1 + 2)
#define UART_LINE_CONTROL	(COM1 + 3)
#define UART_MODEM_CONTROL	(COM1 + 4)
#define UART_LINE_STATUS	(COM1 + 5)
#define LINE_CONTROL_DIVISOR	0x80
#define LINE_CONTROL_8N1	0x03
#define LINE_STATUS_RECEIVED	0x01
#define LINE_STATUS_CAN_SEND	0x20

void serial_init(void)
{
	outb(UART_INTERRUPTS, 0);
	outb(UART_LINE_CONTROL, LINE_CONTROL_DIVISOR);
	outb(UART_DATA, 1);	/* 115200 baud */
	outb(UART_INTERRUPTS, 0);
	outb(UART_LINE_CONTROL, LINE_CONTROL_8N1);
	outb(UART_FIFO, 0x07);	/* on, both directions emptied */
	outb(UART_MODEM_CONTROL, 0x03);
}

static void put(char c)
{
	while (!(inb(UART_LINE_STATUS) & LINE_STATUS_CAN_SEND))
		;
	outb(UART_DATA, (uint8_t)c);
}

void serial_str(const char *text)
{
	for (; *text; text++) {
		if (*text == '\n')
			put('\r');
		put(*text);
	}
}

void serial_dec(uint64_t value)
{
	char digits[21];
	char *at = &digits[20];

	*at = '\0';
	do {
		uint64_t tenth = divide_u64(value, 10);

		*--at = (char)('0' + (uint32_t)(value - tenth * 10));
		value = tenth;
	} while (value);
	serial_str(at);
}

void serial_hex(uint64_t value, unsigned int digits)
{
	while (digits--)
		put("0123456789abcdef"[value >> (digits * 4) & 0xf]);
}

/* A complete line that has come in, or NULL; it stays valid until the next call. */
const char *serial_poll_line(void)
{
	static char line[64];
	static unsigned int length;

	while (inb(UART_LINE_STATUS) & LINE_STATUS_RECEIVED) {
		char c = (char)inb(UART_DATA);

		if (c == '\n' || c == '\r') {
			bool empty = !length;

			line[length] = '\0';
			length = 0;
			if (!empty)
				return line;
		} else if (length < sizeof(line) - 1) {
			line[length++] = c;
		}
	}
	return NULL;
}

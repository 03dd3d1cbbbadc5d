// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A parser that is wrong on purpose. tests/fuzz/meson.build runs it to prove that a fuzzer finds
 * a fault, and that a replay tells a file that is refused, or breaks a promise, from a good one.
 */
#include "fuzz.h"

enum fuzz_result fuzz_one(const uint8_t *data, size_t size)
{
	static const char magic[] = "mlx5";
	volatile uint8_t last;

	/* Longer than what the fuzzer tries: this one is for the replay. */
	MUST(size < 100);
	for (size_t i = 0; i < sizeof(magic) - 1; i++) {
		if (i >= size || data[i] != (uint8_t)magic[i])
			return FUZZ_REFUSED;
	}
	last = data[size];
	return last ? FUZZ_ACCEPTED : FUZZ_REFUSED;
}

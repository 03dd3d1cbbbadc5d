// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Prints the frequency of this machine's TSC in kHz. Without KVM a simulated host reads the very same counter, but a
 * kernel that calibrates it while the machine is busy ends with a clock that runs several times too fast.
 */
#include <stdio.h>
#include <stdint.h>
#include <time.h>
#include <x86intrin.h>

#define INTERVAL_NS	200000000
#define ATTEMPTS	20

struct sample {
	uint64_t tsc;
	uint64_t ns;
};

static uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* The closest pair of readings is the one that was not interrupted */
static struct sample take_sample(void)
{
	struct sample best = { 0 };
	uint64_t best_width = UINT64_MAX;

	for (int i = 0; i < ATTEMPTS; i++) {
		uint64_t before = __rdtsc();
		uint64_t ns = monotonic_ns();
		uint64_t width = __rdtsc() - before;

		if (width < best_width) {
			best_width = width;
			best = (struct sample){ .tsc = before + width / 2, .ns = ns };
		}
	}
	return best;
}

int main(void)
{
	struct sample first = take_sample();
	struct sample last;

	nanosleep(&(struct timespec){ .tv_nsec = INTERVAL_NS }, NULL);
	last = take_sample();
	printf("%.0f\n", (double)(last.tsc - first.tsc) * 1e6 / (double)(last.ns - first.ns));
	return 0;
}

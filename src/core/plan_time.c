// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/plan_build.h"

/* As many as sys has at work at once, see sys/write_batch.h; the time is a rough one anyway. */
#define SIDE_BY_SIDE 8

uint64_t step_list_usual_time_ms(const struct step_list *list)
{
	uint64_t total_ms = 0;
	size_t length;

	for (size_t i = 0; i < list->length; i += length) {
		uint64_t batch_ms = 0;

		length = step_batch_length(&list->steps[i], list->length - i);
		for (size_t j = i; j < i + length; j++)
			batch_ms += list->steps[j].usual_time_ms;
		total_ms += length > SIDE_BY_SIDE ? batch_ms / SIDE_BY_SIDE : batch_ms / length;
	}
	return total_ms;
}

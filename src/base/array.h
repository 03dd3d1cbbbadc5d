/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_ARRAY_H
#define BASE_ARRAY_H

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

/* Makes room for needed items of item_size bytes behind *(T **)items. 0 or -ENOMEM. */
static inline int array_reserve(void *items, size_t *allocated, size_t needed, size_t item_size)
{
	size_t room = *allocated ? *allocated : 8;
	void *grown;

	if (needed <= *allocated)
		return 0;
	while (room < needed)
		room *= 2;
	grown = reallocarray(*(void **)items, room, item_size);
	if (!grown)
		return -ENOMEM;
	*(void **)items = grown;
	*allocated = room;
	return 0;
}

#endif

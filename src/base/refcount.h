/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BASE_REFCOUNT_H
#define BASE_REFCOUNT_H

#include <stdatomic.h>
#include <stdbool.h>

/* Starts at one. Atomic, because bindings release objects from whatever thread collects them. */
struct refcount {
	atomic_uint count;
};

static inline void refcount_init(struct refcount *ref)
{
	atomic_init(&ref->count, 1);
}

static inline void refcount_get(struct refcount *ref)
{
	atomic_fetch_add_explicit(&ref->count, 1, memory_order_relaxed);
}

/* True if that was the last one. */
static inline bool refcount_put(struct refcount *ref)
{
	return atomic_fetch_sub_explicit(&ref->count, 1, memory_order_acq_rel) == 1;
}

#endif

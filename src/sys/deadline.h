/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_DEADLINE_H
#define SYS_DEADLINE_H

#include <stdint.h>

/*
 * Calls fn(data) on a thread of its own and waits for at most timeout_ms, because some calls
 * into the kernel take as long as a firmware likes and cannot be called back. What may block
 * for ever is not for a thread: see child.h.
 *
 * Returns 0 if fn() ended; *result is what it returned and data is the caller's again. Returns
 * -ETIMEDOUT if it did not: the thread goes on, and calls destroy(data) when fn() ends one day.
 * Another -errno: nothing was started. No signal of the application runs on the thread.
 */
int deadline_call(int (*fn)(void *data), void *data, void (*destroy)(void *data),
		  unsigned int timeout_ms, int *result);

/*
 * The same in two steps, for several calls at once. After a start that returned 0, the wait
 * comes exactly once; it ends at until_ms of base/clock.h, at once if that has passed.
 */
struct deadline_call;

int deadline_start(int (*fn)(void *data), void *data, void (*destroy)(void *data),
		   struct deadline_call **ret);
int deadline_wait(struct deadline_call *call, uint64_t until_ms, int *result);

#endif

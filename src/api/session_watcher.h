/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef API_SESSION_WATCHER_H
#define API_SESSION_WATCHER_H

#include "api/session_link.h"

/*
 * The thread of a running session that looks at the migration, does what the policy decides, and
 * tells libvirt to abort when the session was cancelled or a deadline has passed. It has a
 * connection of its own: libvirt 9.0's client loses wake-ups if the migrating thread's is shared.
 */
void *session_watcher(void *link);

#endif

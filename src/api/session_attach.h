/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef API_SESSION_ATTACH_H
#define API_SESSION_ATTACH_H

#include "api/session_link.h"
#include "sys/session_file.h"

/* What is needed to go on with a session whose process has died. */
struct attachment {
	struct session_file *file; /* locked */
	struct session_record *record;
	struct mlx5lm_session_options *options;
	uint64_t age_ms; /* of the session */
};

int session_attach_read(const char *journal_dir, const char *domain, struct attachment *ret,
			struct mlx5lm_error **reterr);
void attachment_release(struct attachment *attachment);
#define _cleanup_attachment_ _cleanup_(attachment_release)

#endif

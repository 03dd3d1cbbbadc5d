/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_REPORT_JSON_H
#define CORE_REPORT_JSON_H

#include "base/text.h"
#include "facts.h"

/* Bounds of a document from another host. */
#define REPORT_DEFAULT_BYTES (256u << 10)
#define REPORT_MAX_BYTES (64u << 20)
#define REPORT_MAX_STRING 4096u
#define REPORT_MAX_PFS 256u
#define REPORT_MAX_VFS 4096u
#define REPORT_MAX_LIST 1024u

int report_write(const struct mlx5lm_host *host, struct mlx5lm_text **ret);

/* 0, -ENOMEM, -EFBIG, or -EBADMSG with an error that says where. */
int report_read(const char *json, size_t length, size_t limit_bytes, struct mlx5lm_host **ret,
		struct mlx5lm_error **reterr);

#endif

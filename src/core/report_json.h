/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_REPORT_JSON_H
#define CORE_REPORT_JSON_H

#include <jansson.h>

#include "base/text.h"
#include "facts.h"

/*
 * Snapshots as JSON (doc/snapshot.md). What a newer library wrote and this one does not know
 * is kept in the member extra of each struct, and written again.
 */

#define REPORT_SCHEMA "mlx5lm.host"
#define REPORT_SCHEMA_VERSION 1

/* Bounds of a document from another host. */
#define REPORT_DEFAULT_BYTES (256u << 10)
#define REPORT_MAX_BYTES (64u << 20)
#define REPORT_MAX_DEPTH 16u
#define REPORT_MAX_STRING 4096u
#define REPORT_MAX_EXTRA (16u << 10) /* of one object */
#define REPORT_MAX_PFS 256u
#define REPORT_MAX_VFS 4096u /* of one PF */
#define REPORT_MAX_NOTES 4096u
#define REPORT_MAX_LIST 1024u /* of the other lists */

/*
 * The same bytes for the same facts. What a document cannot hold is not in it: a number above
 * INT64_MAX is left out, a string is cut and cleaned. 0 or -ENOMEM.
 */
int report_write(const struct mlx5lm_host *host, struct mlx5lm_text **ret);

/* The same as a value, for a document that holds a snapshot. NULL when out of memory. */
json_t *report_to_json(const struct mlx5lm_host *host);

/*
 * PFs and VFs are put in order. 0, -ENOMEM, -EFBIG, or -EBADMSG with an error that says where:
 * a byte, line and column of the text, or a JSON pointer (RFC 6901).
 */
int report_read(const char *json, size_t length, size_t limit_bytes, struct mlx5lm_host **ret,
		struct mlx5lm_error **reterr);

/* The same of a value that was read with JSON_REJECT_DUPLICATES; json is changed. */
int report_from_json(json_t *json, struct mlx5lm_host **ret, struct mlx5lm_error **reterr);

#endif

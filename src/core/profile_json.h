/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_PROFILE_JSON_H
#define CORE_PROFILE_JSON_H

#include "base/error.h"
#include "base/text.h"
#include "core/profile.h"

/* Bounds of a document. */
#define PROFILE_MAX_BYTES (64u << 10)
#define PROFILE_MAX_STRING 256u
#define PROFILE_MAX_ADAPTERS 64u

/*
 * Reads a profile (doc/schema/profile-1.json) and refuses what it does not know. 0, -ENOMEM,
 * -EFBIG, or -EBADMSG with an error that names the place: "/adapters/0/firmware_min".
 */
int profile_parse(const char *json, size_t length, struct mlx5lm_profile **ret,
		  struct mlx5lm_error **reterr);
int profile_serialize(const struct mlx5lm_profile *profile, struct mlx5lm_text **ret);

#endif

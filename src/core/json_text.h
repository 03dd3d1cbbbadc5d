/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_JSON_TEXT_H
#define CORE_JSON_TEXT_H

#include <jansson.h>

#include "base/cleanup.h"
#include "base/text.h"

DEFINE_CLEANUP(json_t *, json_decref)
#define _cleanup_json_ _cleanup_(json_decref_p)

/* Writes json, whose reference is taken over (NULL is -ENOMEM), as text. 0 or -ENOMEM. */
int json_to_text(json_t *json, size_t flags, struct mlx5lm_text **ret);

/* Adds a string; a NULL value is left out. 0 or -1, as jansson. */
int json_set_str(json_t *object, const char *key, const char *value);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_CONFIG_JSON_H
#define CORE_CONFIG_JSON_H

#include <jansson.h>

#include "base/error.h"
#include "core/config.h"

/* The JSON form of a wanted state; errors as mlx5lm_config_parse(). */
#define CONFIG_MAX_BYTES (1024 * 1024)

int config_parse(const char *json, size_t length, struct mlx5lm_config **ret,
		 struct mlx5lm_error **reterr);

/* NULL when out of memory. */
json_t *config_to_json(const struct mlx5lm_config *config);
int config_from_json(const json_t *json, struct mlx5lm_config **ret, struct mlx5lm_error **reterr);

#endif

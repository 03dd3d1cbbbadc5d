/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MLX5LM_TYPES_H
#define MLX5LM_TYPES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Handles, released with _unref(). */
struct mlx5lm_ctx;
struct mlx5lm_session;

/* Values, released with _free(). */
struct mlx5lm_error;
struct mlx5lm_text;
struct mlx5lm_probe_options;
struct mlx5lm_host;
struct mlx5lm_profile;
struct mlx5lm_findings;
struct mlx5lm_domain;
struct mlx5lm_compare_options;
struct mlx5lm_comparison;
struct mlx5lm_fleet;
struct mlx5lm_evacuation_options;
struct mlx5lm_evacuation;
struct mlx5lm_config;
struct mlx5lm_plan;
struct mlx5lm_session_options;

/* Parts of a value, borrowed from it and never released. */
struct mlx5lm_pf;
struct mlx5lm_vf;
struct mlx5lm_module;
struct mlx5lm_privilege;
struct mlx5lm_nv;
struct mlx5lm_param;
struct mlx5lm_finding;
struct mlx5lm_pair;
struct mlx5lm_class;
struct mlx5lm_move;
struct mlx5lm_step;
struct mlx5lm_progress;

/**
 * enum mlx5lm_answer - what the library knows about a yes/no question
 * @MLX5LM_ANSWER_UNKNOWN: could not be found out (missing rights, old kernel, ...)
 * @MLX5LM_ANSWER_YES: yes
 * @MLX5LM_ANSWER_NO: no
 *
 * Since: 0.1
 */
enum mlx5lm_answer {
	MLX5LM_ANSWER_UNKNOWN = 0,
	MLX5LM_ANSWER_YES = 1,
	MLX5LM_ANSWER_NO = 2
};

/**
 * enum mlx5lm_format - form of a written result
 * @MLX5LM_FORMAT_UNKNOWN: none
 * @MLX5LM_FORMAT_JSON: JSON, for which there is a schema
 * @MLX5LM_FORMAT_TEXT: for people: lines of at most 80 columns, unless a name or a command is longer
 *
 * Since: 0.4
 */
enum mlx5lm_format {
	MLX5LM_FORMAT_UNKNOWN = 0,
	MLX5LM_FORMAT_JSON = 1,
	MLX5LM_FORMAT_TEXT = 2
};

/**
 * mlx5lm_destroy_fn - releases the userdata of a callback
 * @userdata: as given when the callback was registered
 *
 * Called exactly once for each registration: when the callback is replaced,
 * when the object that holds it goes, or at once if the registration fails.
 */
typedef void (*mlx5lm_destroy_fn)(void *userdata);

#ifdef __cplusplus
}
#endif

#endif

// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/progress.h"

#include <criterion/criterion.h>

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

Test(progress, one_line_of_json_with_what_is_known)
{
	struct mlx5lm_progress progress = { .event = MLX5LM_EVENT_SAMPLE,
					    .phase = MLX5LM_PHASE_PRE_COPY };
	_cleanup_free_ char *json = NULL;

	progress.values[MLX5LM_PROGRESS_PERCENT] = fact_u64(42);
	progress.values[MLX5LM_PROGRESS_DIRTY_RATE_PAGES_PER_S] = fact_u64(UINT64_MAX);
	progress.values[MLX5LM_PROGRESS_VFS] = fact_u64(0);
	cr_assert_eq(progress_to_json(&progress, &json), 0);
	cr_expect_str_eq(json, "{\"event\":\"sample\",\"phase\":\"pre-copy\",\"percent\":42,"
			       "\"dirty_rate_pages_per_s\":18446744073709551615,\"vfs\":0}");
}

/* The values are the index, so that a name in a wrong place is seen. */
Test(progress, each_key_has_its_own_name_in_json)
{
	struct mlx5lm_progress progress = { .event = MLX5LM_EVENT_STALL,
					    .phase = MLX5LM_PHASE_SWITCHOVER };
	_cleanup_free_ char *text = NULL;
	json_t *json;

	for (size_t key = 1; key < PROGRESS_KEYS; key++)
		progress.values[key] = fact_u64(key);
	cr_assert_eq(progress_to_json(&progress, &text), 0);
	json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	cr_assert_not_null(json, "%s", text);
	cr_expect_eq(json_object_size(json), PROGRESS_KEYS - 1 + 2);
	for (size_t key = 1; key < PROGRESS_KEYS; key++)
		cr_expect_eq(json_integer_value(json_object_get(json, progress_keys[key])),
			     (json_int_t)key, "key %zu", key);
	cr_expect_str_eq(json_string_value(json_object_get(json, "event")), "stall");
	cr_expect_eq(json_integer_value(json_object_get(json, "eta_ms")), MLX5LM_PROGRESS_ETA_MS);
	cr_expect_eq(json_integer_value(json_object_get(json, "memory_transferred_bytes")),
		     MLX5LM_PROGRESS_MEMORY_TRANSFERRED_BYTES);
	cr_expect_eq(json_integer_value(json_object_get(json, "queue_position")),
		     MLX5LM_PROGRESS_QUEUE_POSITION);
	json_decref(json);
}

static void expect_names(const struct name_list *list, uint32_t length)
{
	cr_expect_eq(list->length, length);
	for (uint32_t i = 1; i < length; i++) {
		cr_assert_not_null(list->names[i], "%u", i);
		cr_expect_eq(name_value(list, list->names[i]), i, "%s", list->names[i]);
	}
	cr_expect_str_eq(name_of(list, 0), "unknown");
	cr_expect_str_eq(name_of(list, length), "unknown");
	cr_expect_str_eq(name_of(list, UINT32_MAX), "unknown");
}

Test(progress, each_phase_event_and_hook_has_its_own_name)
{
	expect_names(&phase_names, MLX5LM_PHASE_CANCELLED + 1);
	expect_names(&event_names, MLX5LM_EVENT_STALL + 1);
	expect_names(&hook_names, MLX5LM_HOOK_RELEASE + 1);
	cr_expect_str_eq(name_of(&event_names, MLX5LM_EVENT_STALL), "stall");
	cr_expect_str_eq(name_of(&hook_names, MLX5LM_HOOK_COMMIT), "commit");
}

Test(progress, numbers_are_asked_for_by_key)
{
	struct mlx5lm_progress progress = { 0 };
	uint64_t number = 77;

	progress.values[MLX5LM_PROGRESS_VFS] = fact_u64(4);
	cr_expect_eq(mlx5lm_progress_get_u64(&progress, MLX5LM_PROGRESS_ETA_MS, &number), -ENODATA);
	cr_expect_eq(mlx5lm_progress_get_u64(&progress, MLX5LM_PROGRESS_UNKNOWN, &number), -EINVAL);
	cr_expect_eq(mlx5lm_progress_get_u64(&progress, PROGRESS_KEYS, &number), -EINVAL);
	cr_expect_eq(mlx5lm_progress_get_u64(&progress, (enum mlx5lm_progress_key)-1, &number),
		     -EINVAL);
	cr_expect_eq(mlx5lm_progress_get_u64(NULL, MLX5LM_PROGRESS_VFS, &number), -EINVAL);
	cr_expect_eq(mlx5lm_progress_get_u64(&progress, MLX5LM_PROGRESS_VFS, NULL), -EINVAL);
	cr_expect_eq(number, 77, "untouched on failure");
	cr_expect_eq(mlx5lm_progress_get_u64(&progress, MLX5LM_PROGRESS_VFS, &number), 0);
	cr_expect_eq(number, 4);
}

Test(progress, names_of_a_newer_library_are_unknown)
{
	cr_expect_str_eq(mlx5lm_hook_str(MLX5LM_HOOK_PREPARE), "prepare");
	cr_expect_str_eq(mlx5lm_hook_str((enum mlx5lm_hook)99), "unknown");
	cr_expect_str_eq(mlx5lm_event_str((enum mlx5lm_event)99), "unknown");
	cr_expect_str_eq(mlx5lm_phase_str((enum mlx5lm_phase)99), "unknown");
	cr_expect_str_eq(mlx5lm_reason_str((enum mlx5lm_reason)999), "unknown");
	cr_expect_str_eq(mlx5lm_reason_str(MLX5LM_REASON_VF_LOAD), "vf-load");
}
